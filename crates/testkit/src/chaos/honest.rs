//! Two engines whose applications do anything that is allowed: nothing may be lost, and nobody may be blamed.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use underpass_crypto::Provider;
use underpass_crypto::algorithms::x25519::CURVE25519_SHA256;
use underpass_crypto::algorithms::zlib::{ZLIB, ZLIB_OPENSSH};
use underpass_proto::{
    Algorithms, Answer, ChannelId, ChannelKind, Config, Connection, Event, ForwardVerdict, Question,
    RemoteBind, RequestOutcome,
};

use super::{Input, check};
use crate::Payload;
use crate::pair::{Pair, Setup};

/// What one side knows of a channel.
#[derive(Debug, Default)]
struct Channel {
    /// Travels with the open, and names both payloads.
    name: u32,
    open: bool,
    sent: u64,
    got: u64,
    finished: bool,
    closed: bool,
}

struct Side {
    connection: Connection,
    server: bool,
    channels: BTreeMap<ChannelId, Channel>,
}

/// What the server listens on for the client.
const PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();

/// Channels at once; more make collisions of actions rarer.
const MAX_CHANNELS: usize = 6;

/// Arbitrary actions of both applications, interleaved with bytes that pass in arbitrary pieces. In the end everything
/// is let through, and every byte must have arrived on every channel that nobody closed early.
pub fn actions(data: &[u8]) {
    let mut input = Input(data);
    // The fastest method: this is not about key exchanges.
    let methods = [Provider::MODERN.compression[0], &ZLIB, &ZLIB_OPENSSH];
    let compression = vec![methods[input.below(methods.len())]];
    let algorithms = Algorithms {
        kex: vec![&CURVE25519_SHA256],
        compression_out: compression.clone(),
        compression_in: compression,
        ..Algorithms::default()
    };
    let config = Config {
        algorithms,
        rekey_bytes: 1 << (10 + input.byte() % 10),
        receive_memory: 1 << 20,
        keepalive_interval: None,
        ..Config::default()
    };
    let pair = Pair::open(Setup { client: config.clone(), server: config, ..Setup::new(1) });
    let mut now = pair.now();
    let (client, server) = pair.into_connections();
    let mut client = Side { connection: client, server: false, channels: BTreeMap::new() };
    let mut server = Side { connection: server, server: true, channels: BTreeMap::new() };
    let bind = RemoteBind::Tcp { address: String::new(), port: PORT.get() };
    client.connection.request_forward(&bind, now).expect("nothing else is asked for");
    settle(&mut client, &mut server, now);
    while !input.is_empty() {
        let choice = input.byte();
        let (one, other) =
            if choice & 0x80 == 0 { (&mut client, &mut server) } else { (&mut server, &mut client) };
        match choice % 8 {
            0..=2 => one.act(&mut input, now),
            3 | 4 => carry(one, other, input.size(), now),
            5 => carry(one, other, usize::MAX, now),
            6 => one.connection.rekey(now),
            _ => {
                now += Duration::from_millis(input.below(2000) as u64);
                client.tick(now);
                server.tick(now);
            }
        }
        client.take_events(now);
        server.take_events(now);
    }
    finish(&mut client, &mut server, now);
}

/// Lets everything through and compares.
fn finish(client: &mut Side, server: &mut Side, now: Instant) {
    settle(client, server, now);
    for side in [&mut *client, &mut *server] {
        for (id, channel) in &mut side.channels {
            if channel.open && !channel.closed {
                side.connection.finish(*id, now);
                channel.finished = true;
            }
        }
    }
    settle(client, server, now);
    let by_name = |side: &Side| -> BTreeMap<u32, (u64, u64, bool)> {
        let fate = |channel: &Channel| (channel.name, (channel.sent, channel.got, channel.closed));
        side.channels.values().map(fate).collect()
    };
    let (ours, theirs) = (by_name(client), by_name(server));
    for (name, (sent, got, closed)) in &ours {
        let Some((their_sent, their_got, their_closed)) = theirs.get(name) else { continue };
        if !closed && !their_closed {
            assert_eq!((sent, got), (their_got, their_sent), "channel {name} lost something");
        }
    }
    for side in [client, server] {
        assert!(!side.connection.is_closed(), "nobody did anything wrong");
        for id in side.channels.keys() {
            side.connection.close(*id, now);
        }
        check(&mut side.connection);
    }
}

fn settle(client: &mut Side, server: &mut Side, now: Instant) {
    loop {
        let moved = carry_all(client, server, now) | carry_all(server, client, now);
        client.take_events(now);
        server.take_events(now);
        let taken = client.take_everything(now) | server.take_everything(now);
        if !moved && !taken {
            break;
        }
    }
}

fn carry_all(from: &mut Side, to: &mut Side, now: Instant) -> bool {
    let waiting = !from.connection.transmit().is_empty();
    carry(from, to, usize::MAX, now);
    waiting
}

fn carry(from: &mut Side, to: &mut Side, most: usize, now: Instant) {
    let bytes = from.connection.transmit();
    let space = to.connection.receive_space();
    let count = bytes.len().min(space.len()).min(most);
    space[..count].copy_from_slice(&bytes[..count]);
    from.connection.transmitted(count);
    to.connection.received(count, now);
}

impl Side {
    fn act(&mut self, input: &mut Input<'_>, now: Instant) {
        let choice = input.byte();
        if choice.is_multiple_of(8) && self.channels.len() < MAX_CHANNELS {
            self.open(now);
            return;
        }
        if choice == u8::MAX {
            self.ask(now);
            return;
        }
        let Some(id) = self.channels.keys().nth(input.below(self.channels.len())).copied() else { return };
        match choice % 8 {
            0..=3 => self.send(id, input.size(), now),
            4 | 5 => {
                self.take(id, input.size(), now);
            }
            6 => {
                let channel = self.channels.entry(id).or_default();
                channel.finished |= channel.open;
                self.connection.finish(id, now);
            }
            // Closing is final, so it is rarer.
            _ if input.byte() < 64 => {
                self.channels.entry(id).or_default().closed = true;
                self.connection.close(id, now);
            }
            _ => {}
        }
    }

    fn open(&mut self, now: Instant) {
        // No number is taken twice, since channels stay in the table.
        let name = self.channels.len() as u32 + if self.server { 1000 } else { 0 };
        let origin = name.to_string();
        let id = if self.server {
            self.connection.open_forwarded_tcpip(("", PORT.get()), (&origin, 2), now)
        } else {
            self.connection.open_direct_tcpip(("db", 1), (&origin, 2), now)
        };
        let id = id.expect("there is room for a channel");
        self.channels.insert(id, Channel { name, ..Channel::default() });
    }

    /// Makes requests whose replies must find their way among each other.
    fn ask(&mut self, now: Instant) {
        self.connection.probe(Duration::MAX, now);
        let bind = RemoteBind::Tcp { address: String::new(), port: 0 };
        // None in the server's role, and when many are under way.
        let _ = self.connection.request_forward(&bind, now);
        self.connection.probe(Duration::MAX, now);
    }

    /// The payload of a channel in one direction.
    fn payload(name: u32, from_server: bool) -> Payload {
        Payload::new(u64::from(name) * 2 + u64::from(from_server))
    }

    fn send(&mut self, id: ChannelId, limit: usize, now: Instant) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let payload = Self::payload(channel.name, self.server);
        let mut filled = 0;
        for slot in self.connection.slots(id, limit) {
            payload.fill(channel.sent + filled as u64, slot);
            filled += slot.len();
        }
        assert!(filled == 0 || (channel.open && !channel.finished && !channel.closed));
        // Not all of what was offered need be used.
        let used = if limit.is_multiple_of(3) { filled / 2 } else { filled };
        self.connection.commit(id, used, now);
        channel.sent += used as u64;
    }

    fn take(&mut self, id: ChannelId, limit: usize, now: Instant) -> bool {
        let Some(channel) = self.channels.get_mut(&id) else { return false };
        let payload = Self::payload(channel.name, !self.server);
        let mut taken = 0;
        for chunk in self.connection.chunks(id) {
            let part = &chunk[..chunk.len().min(limit - taken)];
            if let Err(mismatch) = payload.check(channel.got + taken as u64, part) {
                panic!("{id:?} at the {}: {mismatch}", if self.server { "server" } else { "client" });
            }
            taken += part.len();
        }
        // Whoever has closed a channel hears no more of it.
        assert!(taken == 0 || !channel.closed);
        self.connection.consume(id, taken, now);
        channel.got += taken as u64;
        taken > 0
    }

    fn take_everything(&mut self, now: Instant) -> bool {
        let ids: Vec<_> = self.channels.keys().copied().collect();
        ids.into_iter().fold(false, |taken, id| self.take(id, usize::MAX, now) | taken)
    }

    fn tick(&mut self, now: Instant) {
        while self.connection.poll_timeout().is_some_and(|due| due <= now) {
            self.connection.handle_timeout(now);
        }
    }

    fn take_events(&mut self, now: Instant) {
        while let Some(event) = self.connection.poll_event() {
            match event {
                Event::Question(question, Question::OpenChannel { channel, kind }) => {
                    let (ChannelKind::DirectTcpip { originator, .. }
                    | ChannelKind::ForwardedTcpip { originator, .. }) = kind
                    else {
                        continue;
                    };
                    let name = originator.parse().expect("both send numbers");
                    self.channels.insert(channel, Channel { name, open: true, ..Channel::default() });
                    assert!(self.connection.answer(question, Answer::Open(Ok(())), now));
                }
                Event::Question(question, Question::Forward(_)) => {
                    let verdict = ForwardVerdict::Granted { port: Some(PORT) };
                    assert!(self.connection.answer(question, Answer::Forward(verdict), now));
                }
                Event::RequestAnswered { request, outcome } => {
                    assert_ne!(outcome, RequestOutcome::Refused, "{request:?}");
                }
                Event::Question(question, Question::HostKey { .. }) => {
                    self.connection.answer(question, Answer::HostKey(true), now);
                }
                Event::ChannelOpened(id) => self.channels.entry(id).or_default().open = true,
                Event::ChannelRefused { channel, refusal } => {
                    panic!("{channel:?} was refused: {refusal:?}")
                }
                Event::Closed(error) => panic!("nobody did anything wrong: {error}"),
                _ => {}
            }
            check(&mut self.connection);
        }
    }
}
