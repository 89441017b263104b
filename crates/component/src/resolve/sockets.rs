//! The socket to the server.

use std::net::IpAddr;
use std::time::Duration;

use underpass::{AddressFamily, Builder, SocketOptions};

use crate::listener::{milliseconds, size};
use crate::store::Store;

/// Sets its options.
pub(super) fn choose(builder: Builder, store: &Store) -> Builder {
    let mut options = SocketOptions::default();
    options.nodelay = store.flag("TcpNoDelay");
    options.send_buffer = size(store, "OutBufferSize");
    options.receive_buffer = size(store, "InBufferSize");
    options.keepalive = store.flag("TCPKeepAlive");
    options.keepalive_time = milliseconds(store, "KeepAliveTime");
    options.keepalive_interval = milliseconds(store, "KeepAliveInterval");
    options.keepalive_count =
        store.number_if_set("KeepAliveRetryCount").and_then(|count| u32::try_from(count).ok());
    options.linger = linger(store);
    let family = match store.number("UseIPv6") {
        0 => AddressFamily::V4,
        1 => AddressFamily::V6,
        _ => AddressFamily::Any,
    };
    let builder = builder.server_socket(options).address_family(family);
    match store.text("local_host").parse::<IpAddr>() {
        // From such an address only servers of this machine are reached.
        Ok(address) if !address.is_loopback() && !address.is_unspecified() => builder.local_address(address),
        _ => builder,
    }
}

/// Without linger what is under way is dropped; with a time it has so long.
fn linger(store: &Store) -> Option<Duration> {
    if store.flag("linger") { store.seconds("LingerTime") } else { Some(Duration::ZERO) }
}
