//! The connection: what the caller sees.

mod core;
mod keepalive;
mod open;

use std::sync::Arc;
use std::time::{Duration, Instant};

use underpass_crypto::{Entropy, Signer};
use underpass_wire::ChannelKind as WireKind;

use self::core::Core;
use crate::channel::state::Receiving;
use crate::config::{ClientConfig, ServerConfig};
use crate::error::Error;
use crate::event::{Answer, ChannelId, Event, Goodbye, QuestionId};
use crate::global::{RemoteBind, RequestId};
use crate::outbox::NewOpener;
use crate::role::Role;
use crate::transport::receive::Receive;
use crate::transport::transmit::Slots;

/// One SSH connection, in client or server role, without any I/O.
///
/// # The calling contract
///
/// 1. **Bytes in.** Read from the transport into [`receive_space`](Self::receive_space), then say how much came with
///    [`received`](Self::received), or that nothing will with [`received_end`](Self::received_end). An empty space means: not now.
/// 2. **Events out.** Call [`poll_event`](Self::poll_event) until `None` after every other call that takes the time. Channel data is
///    lent by [`chunks`](Self::chunks); report what was really taken with [`consume`](Self::consume): only that lets the peer send more.
/// 3. **Data out.** Ask for [`slots`](Self::slots) on a channel, read the local socket into them in order, and
///    [`commit`](Self::commit) the total at once. No room is answered later by [`Event::Writable`].
/// 4. **Bytes out.** Write what [`transmit`](Self::transmit) lends, say how much went with [`transmitted`](Self::transmitted). Bytes can be waiting after
///    any call.
/// 5. **Time.** Call [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout). The engine reads no clock; the times it is given may not go back.
/// 6. **Questions.** Answer each [`Event::Question`] with [`answer`](Self::answer) when it suits. The connection serves whatever does not
///    depend on the answer, and its deadlines go on.
/// 7. **The end.** [`Event::Closed`] is the last event. What is left to [`transmit`](Self::transmit) then is worth one try: it tells the peer why.
///
/// Nothing here blocks, panics on input, or allocates for a packet of channel data.
pub struct Connection {
    rx: Receive,
    core: Core,
}

impl Connection {
    /// Begins as the client. The first bytes are ready to be transmitted.
    ///
    /// # Errors
    /// The configuration cannot be expressed in the protocol.
    pub fn client(config: ClientConfig, entropy: Box<dyn Entropy>, now: Instant) -> Result<Self, Error> {
        Self::start(Role::Client, config.common, config.user, Vec::new(), entropy, now)
    }

    /// Begins as the server. The first bytes are ready to be transmitted.
    ///
    /// # Errors
    /// The configuration cannot be expressed in the protocol.
    pub fn server(config: ServerConfig, entropy: Box<dyn Entropy>, now: Instant) -> Result<Self, Error> {
        Self::start(Role::Server, config.common, Vec::new(), config.host_keys, entropy, now)
    }

    fn start(
        role: Role,
        config: crate::config::Config,
        user: Vec<u8>,
        host_keys: Vec<Arc<dyn Signer>>,
        entropy: Box<dyn Entropy>,
        now: Instant,
    ) -> Result<Self, Error> {
        let core = Core::start(role, config, user, host_keys, entropy, now)?;
        Ok(Self { rx: Receive::new(), core })
    }

    // ---- bytes in ----

    /// Where the next bytes of the transport go.
    pub fn receive_space(&mut self) -> &mut [u8] {
        if self.rx.is_crowded() {
            if !self.rx.is_expanding() {
                self.stash();
            }
            self.rx.compact();
        }
        self.rx.space()
    }

    /// The first `count` bytes of the space were filled.
    pub fn received(&mut self, count: usize, now: Instant) {
        if count == 0 || self.core.is_closed() {
            return;
        }
        self.rx.filled(count);
        self.core.heard(now);
        self.process(now);
        self.core.consider_rekey(self.rx.bytes, self.rx.packets, now);
    }

    /// The transport has ended.
    pub fn received_end(&mut self, now: Instant) {
        if !self.core.is_closed() {
            self.core.fail(Error::Lost, now);
        }
    }

    // ---- events ----

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.core.next_event()
    }

    /// Answers a question. Gives false when it is not open any more or the answer is of the wrong kind.
    pub fn answer(&mut self, id: QuestionId, answer: Answer, now: Instant) -> bool {
        let taken = self.core.answer(id, answer, now);
        // Packets may have waited for the answer.
        self.process(now);
        taken
    }

    // ---- channels ----

    /// Asks for a connection from the server to a target (RFC 4254 section 7.2). [`Event::ChannelOpened`] or
    /// [`Event::ChannelRefused`] follows. `None` when there are too many channels, nobody is logged on, or this is the
    /// server; so for all kinds of channels, each of which only one of the roles opens.
    pub fn open_direct_tcpip(
        &mut self,
        target: (&str, u16),
        originator: (&str, u16),
        now: Instant,
    ) -> Option<ChannelId> {
        let kind = WireKind::DirectTcpip {
            host: target.0,
            port: target.1.into(),
            originator: originator.0,
            originator_port: originator.1.into(),
        };
        self.core.open_channel(Role::Client, kind, now)
    }

    /// As [`open_direct_tcpip`](Self::open_direct_tcpip), to a Unix-domain socket of the server
    /// (`direct-streamlocal@openssh.com`, OpenSSH's PROTOCOL section 2.4).
    pub fn open_direct_streamlocal(&mut self, path: &[u8], now: Instant) -> Option<ChannelId> {
        self.core.open_channel(Role::Client, WireKind::DirectStreamlocal { path }, now)
    }

    /// Server role: passes on a connection to what is listened on for the client (RFC 4254 section 7.2).
    /// `connected` is the address as the client asked for it and the port that is listened on.
    pub fn open_forwarded_tcpip(
        &mut self,
        connected: (&str, u16),
        originator: (&str, u16),
        now: Instant,
    ) -> Option<ChannelId> {
        let kind = WireKind::ForwardedTcpip {
            address: connected.0,
            port: connected.1.into(),
            originator: originator.0,
            originator_port: originator.1.into(),
        };
        self.core.open_channel(Role::Server, kind, now)
    }

    /// Server role: as [`open_forwarded_tcpip`](Self::open_forwarded_tcpip), for a Unix-domain socket
    /// (`forwarded-streamlocal@openssh.com`).
    pub fn open_forwarded_streamlocal(&mut self, path: &[u8], now: Instant) -> Option<ChannelId> {
        self.core.open_channel(Role::Server, WireKind::ForwardedStreamlocal { path }, now)
    }

    /// The data of a channel that was not consumed yet, in order.
    pub fn chunks(&self, channel: ChannelId) -> impl Iterator<Item = &[u8]> {
        let buffer = self.rx.buffer();
        self.core.channels().into_iter().flat_map(move |channels| channels.chunks(channel, buffer))
    }

    /// How far the data of a channel has come, chunks not consumed included; `None` for one that is released.
    pub fn receiving(&self, channel: ChannelId) -> Option<Receiving> {
        self.core.channels().and_then(|channels| channels.receiving(channel))
    }

    /// The first `count` bytes of the chunks are consumed.
    ///
    /// # Panics
    /// There are not that many.
    pub fn consume(&mut self, channel: ChannelId, count: usize, now: Instant) {
        self.core.consume(channel, count, now);
        if self.core.lent() == 0 {
            self.rx.rewind();
        }
    }

    /// Places for up to `limit` bytes of data of a channel. Nothing else may be called before the commit but the
    /// dropping of the slots.
    pub fn slots(&mut self, channel: ChannelId, limit: usize) -> Slots<'_> {
        self.core.slots(channel, limit)
    }

    /// `count` bytes were read into the slots last asked for.
    ///
    /// # Panics
    /// The slots hold less, or something else was called in between.
    pub fn commit(&mut self, channel: ChannelId, count: usize, now: Instant) {
        self.core.commit(channel, count);
        self.core.consider_rekey(self.rx.bytes, self.rx.packets, now);
    }

    /// Ends our half of a channel; the other half goes on.
    pub fn finish(&mut self, channel: ChannelId, now: Instant) {
        self.core.finish(channel, now);
    }

    /// Closes a channel, drops what it has not delivered, and releases it. Each channel is released once, also one
    /// that the peer has closed: until then its end can be looked at.
    pub fn close(&mut self, channel: ChannelId, now: Instant) {
        self.core.close(channel, now);
    }

    /// How many channels there are, whatever their state.
    pub fn channel_count(&self) -> usize {
        self.core.channels().map_or(0, |channels| channels.len())
    }

    // ---- remote forwards ----

    /// Client role: asks the server to listen and to open a channel for each connection. [`Event::RequestAnswered`]
    /// follows; from now on channels of the server for it are asked about. `None` when too many answers are due
    /// ([`MAX_REQUESTS`](crate::limits::MAX_REQUESTS)) or nobody is logged on.
    pub fn request_forward(&mut self, bind: &RemoteBind, now: Instant) -> Option<RequestId> {
        self.core.request_forward(bind, now)
    }

    /// Client role: asks the server to listen no longer. [`Event::RequestAnswered`] follows for this request; from now
    /// on channels of the server for the forward are refused. `None` when the forward is not granted, is cancelled
    /// already, or too many answers are due.
    pub fn cancel_forward(&mut self, forward: RequestId, now: Instant) -> Option<RequestId> {
        self.core.cancel_forward(forward, now)
    }

    // ---- bytes out ----

    /// What waits to be written.
    pub fn transmit(&self) -> &[u8] {
        self.core.transmit()
    }

    /// The first `count` bytes of it were written.
    pub fn transmitted(&mut self, count: usize) {
        self.core.transmitted(count);
    }

    // ---- time ----

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.next_timeout()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.core.handle_timeouts(now) && self.core.lent() == 0 {
            self.rx.shrink();
        }
    }

    // ---- the whole ----

    /// Client role: somebody may be logged on now, where [`Config::hold_log_on`](crate::Config::hold_log_on) has kept that
    /// from happening, as soon as there are keys. The deadline for it begins then.
    pub fn log_on(&mut self, now: Instant) {
        self.core.log_on(now);
    }

    /// Renews the keys now.
    pub fn rekey(&mut self, now: Instant) {
        self.core.rekey(now);
    }

    /// Asks for a sign of life now; if nothing at all comes within `patience`, the connection ends. For when something
    /// has happened that connections do not survive: the machine has slept, the network is another one. Works without
    /// keepalives too, and never prolongs a wait: not theirs, nor that of an earlier probe. Does nothing while nobody is
    /// logged on, or while the application looks at a host key, since the peer waits for us then.
    pub fn probe(&mut self, patience: Duration, now: Instant) {
        self.core.probe(patience, now);
    }

    /// Lets channels have more bytes on their way to us than [`Config::max_window`](crate::Config::max_window) says, those
    /// that are open as well: windows grow up to it as they do otherwise. Never less.
    pub fn raise_max_window(&mut self, bytes: u32) {
        self.core.raise_max_window(bytes);
    }

    /// Ends the connection with a word to the peer.
    pub fn disconnect(&mut self, goodbye: &Goodbye, now: Instant) {
        self.core.disconnect(goodbye, now);
    }

    /// Whether [`Event::Closed`] was or is about to be told.
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    /// Takes everything that has come apart into messages.
    fn process(&mut self, now: Instant) {
        if let Err(error) = self.process_all(now) {
            self.core.fail(error, now);
        }
        if self.core.lent() == 0 {
            self.rx.rewind();
        }
    }

    fn process_all(&mut self, now: Instant) -> Result<(), Error> {
        if self.core.expects_identification() {
            let used = self.core.on_identification(self.rx.unparsed())?;
            self.rx.skip(used);
        }
        while !self.core.is_waiting() {
            if self.core.is_logged_on() {
                self.rx.log_on();
            }
            if self.rx.is_expanding() {
                self.make_room_to_expand();
            }
            let Some(packet) = self.rx.next_packet()? else { break };
            let packet = self.rx.expand(packet)?;
            let payload = &self.rx.buffer()[packet.payload.clone()];
            let result = self.core.on_packet(payload, packet.payload.start, packet.sequence, now);
            self.rx.wipe_secret(packet.payload);
            result?;
            if let Some(new) = self.core.take_opener() {
                self.take_keys(new);
            }
        }
        Ok(())
    }

    fn take_keys(&mut self, new: NewOpener) {
        if self.rx.is_expanding() || new.compression.streams.is_some() {
            // Payloads may stand in the other buffer from now on.
            self.stash();
        }
        self.rx.rekey(new.opener, new.restart_sequence, new.compression, self.core.is_logged_on());
    }

    /// What has been expanded is kept while it is lent, up to a bound.
    fn make_room_to_expand(&mut self) {
        if self.rx.has_expanded_enough() {
            self.stash();
        }
        if self.core.lent() == 0 {
            self.rx.forget_expanded();
        }
    }

    /// Copies what is lent out of the receive buffer.
    fn stash(&mut self) {
        if let Some(channels) = self.core.channels_mut()
            && channels.lent() > 0
        {
            channels.stash(self.rx.buffer());
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("channels", &self.channel_count()).finish_non_exhaustive()
    }
}
