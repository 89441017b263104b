//! From the members' values to the settings of a tunnel, when it starts.

mod algorithms;
mod credential;
mod proxy;
mod sockets;

use std::sync::Arc;
use std::time::Duration;

use underpass::{Backoff, Builder, Farewell, Reconnect, StrictKex};

pub(crate) use self::credential::{Kept, Wanted, find};
use crate::lock::lock;
use crate::model::ErrorGroup;
use crate::store::Store;
use crate::tunnel::Inner;
use crate::{Error, hooks};

/// What connects as the members say, and asks and tells the component.
///
/// # Errors
/// Something is missing, or does not go together.
pub(crate) fn builder(inner: &Arc<Inner>) -> Result<Builder, Error> {
    let builder = {
        let store = lock(&inner.store);
        let builder = server(&store)?;
        let builder = algorithms::choose(builder, &store)?;
        let builder = credential::log_on(builder, &store, lock(&inner.kept).credential.as_ref())?;
        let builder = proxy::choose(builder, &store)?;
        let builder = sockets::choose(builder, &store);
        endings(patience(builder, &store), &store)
    };
    Ok(hooks::install(builder, inner))
}

fn server(store: &Store) -> Result<Builder, Error> {
    let host = store.text("ssh_host");
    match host.trim_start_matches('*') {
        "" => Err(Error::invalid("ssh_host is not set; it is the name or address of the SSH server.")),
        "0.0.0.0" => Err(Error::of(ErrorGroup::SshTunnel, 102)),
        host => {
            let port = u16::try_from(store.number("ssh_port")).unwrap_or(0);
            Ok(Builder::default().destination(underpass::Destination {
                user: None,
                host: host.to_owned(),
                port: Some(port),
            }))
        }
    }
}

/// How long things may take, and what happens when the connection breaks.
fn patience(builder: Builder, store: &Store) -> Builder {
    let timeout = store.seconds("ConnectionTimeout").or_else(|| store.seconds("default_timeout"));
    let builder = match timeout {
        Some(timeout) => builder.connect_timeout(timeout).handshake_timeout(timeout),
        None => builder,
    };
    let interval = store.seconds("SSHKeepAliveInterval");
    let count = u32::try_from(store.number("SSHKeepAliveCountMax")).unwrap_or(1).max(1);
    let builder = builder.keepalive_interval(interval).keepalive_count(count);
    let rekey = u64::try_from(store.number("KeyRenegotiationThreshold")).ok().filter(|bytes| *bytes > 0);
    let builder = builder.rekey_bytes(rekey).reconnect(reconnect(store));
    let rate = u64::try_from(store.number("MaxTransferRate")).ok().and_then(std::num::NonZeroU64::new);
    builder.tunnel_rate_limit_out(rate)
}

fn reconnect(store: &Store) -> Reconnect {
    let reconnect = match store.number("AutoReconnect") {
        0 => Reconnect::never(),
        1 => Reconnect::after_break(),
        _ => Reconnect::always(),
    };
    let interval = store.seconds("RetryInterval").unwrap_or_default();
    let reconnect = reconnect.backoff(Backoff::Fixed(interval));
    match store.number_if_set("MaxRetryCount").and_then(|most| u32::try_from(most).ok()) {
        Some(most) => reconnect.at_most(most),
        None => reconnect,
    }
}

/// How a connection ends, and what is carried at once.
fn endings(builder: Builder, store: &Store) -> Builder {
    let strict = match store.number("UseStrictKeyExchange") {
        0 => StrictKex::Disabled,
        1 => StrictKex::Enabled,
        2 => StrictKex::RejectAffected,
        _ => StrictKex::Required,
    };
    let size = |name: &str| u32::try_from(store.number_if_set(name)?).ok();
    let builder = builder.strict_kex(strict).max_connections(MOST_CONNECTIONS);
    let builder = match size("MaxPacketSize") {
        Some(bytes) => builder.max_packet(bytes),
        None => builder,
    };
    let builder = match size("MaxWindowSize") {
        Some(bytes) => builder.max_window(bytes),
        None => builder,
    };
    let builder = builder.fingerprint_hash(crate::seen::hash_of(store)).farewell(farewell(store));
    builder.identification(store.text("ClientSSHVersionString"))
}

/// How the server is left: channels are closed in any case.
fn farewell(store: &Store) -> Farewell {
    let patience = store.seconds("default_timeout").unwrap_or(FAREWELL);
    let mut farewell = Farewell::default();
    farewell.channel_close = Some(if store.flag("WaitForChannelClose") { patience } else { Duration::ZERO });
    farewell.server_close = store.flag("WaitForServerDisconnect").then_some(patience);
    farewell
}

/// How long the server is waited for at the end, where no timeout is set. Whoever leaves does not want to wait for long.
const FAREWELL: Duration = Duration::from_secs(5);

/// The component counts clients itself.
const MOST_CONNECTIONS: usize = 100_000;
