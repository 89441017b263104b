//! A whole SSH connection in memory: handshake, logon, a channel, an echo, half-close, close.
//!
//! Read this first: it shows the calling contract of [`Connection`] from both sides.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_proto::{
    Answer, ChannelKind, ClientConfig, Config, Connection, Credential, Error, Event, Goodbye, Question,
    Receiving, ServerConfig, Verdict,
};
use underpass_testkit::entropy::SeededEntropy;
use underpass_wire::DisconnectReason;

#[test]
fn a_channel_through_a_whole_connection_in_memory() {
    let now = Instant::now();
    let host_key = Arc::new(Ed25519Key::generate(&mut SeededEntropy::new(1)));
    let server = ServerConfig { common: Config::default(), host_keys: vec![host_key.clone()] };
    let client = ClientConfig { common: Config::default(), user: "me".into() };
    let mut server = Connection::server(server, Box::new(SeededEntropy::new(2)), now).unwrap();
    let mut client = Connection::client(client, Box::new(SeededEntropy::new(3)), now).unwrap();

    // The handshake. The client asks about the host key before it says anything secret.
    let (question, Question::HostKey { key, .. }) = next_question(&mut client, &mut server, now) else {
        panic!()
    };
    assert_eq!(key, underpass_crypto::Signer::public_key(&*host_key));
    client.answer(question, Answer::HostKey(true), now);

    // The logon: each side is asked, and nothing is decided by the engine.
    let (question, Question::Credential { last: None }) = next_question(&mut client, &mut server, now) else {
        panic!()
    };
    client.answer(question, Answer::Credential(Credential::Password("secret".into())), now);
    let (question, Question::Authenticate { user, .. }) = next_question(&mut server, &mut client, now) else {
        panic!()
    };
    assert_eq!(user, "me");
    server.answer(question, Answer::Verdict(Verdict::Accept), now);
    wait_for(&mut client, &mut server, now, |event| *event == Event::Authenticated);

    // A channel to a target that only the server can reach.
    let here = client.open_direct_tcpip(("db", 5432), ("127.0.0.1", 40000), now).unwrap();
    let (question, Question::OpenChannel { channel: there, kind }) =
        next_question(&mut server, &mut client, now)
    else {
        panic!()
    };
    assert!(matches!(kind, ChannelKind::DirectTcpip { host, port: 5432, .. } if host == "db"));
    server.answer(question, Answer::Open(Ok(())), now);
    wait_for(&mut client, &mut server, now, |event| *event == Event::ChannelOpened(here));

    // Data goes into a slot of the transmit buffer and is sealed there; then our half ends.
    let slot = client.slots(here, 5).next().unwrap();
    slot.copy_from_slice(b"hello");
    client.commit(here, 5, now);
    client.finish(here, now);

    // The other side takes it from its receive buffer, and sees the end only after it.
    wait_for(&mut server, &mut client, now, |event| *event == Event::Readable(there));
    let got: Vec<u8> = server.chunks(there).flatten().copied().collect();
    assert_eq!(got, b"hello");
    server.consume(there, got.len(), now);
    shuttle(&mut client, &mut server, now);
    assert_eq!(server.receiving(there), Some(Receiving::Finished));

    // Closing one side closes the other; each side releases the channel for itself.
    server.close(there, now);
    wait_for(&mut client, &mut server, now, |event| *event == Event::ChannelClosed(here));
    client.close(here, now);
    shuttle(&mut client, &mut server, now);
    assert_eq!((client.channel_count(), server.channel_count()), (0, 0));

    let goodbye = Goodbye { reason: DisconnectReason::BY_APPLICATION, description: "done" };
    client.disconnect(&goodbye, now);
    wait_for(
        &mut server,
        &mut client,
        now,
        |event| matches!(event, Event::Closed(Error::Disconnected { description, .. }) if description == "done"),
    );
}

/// Carries bytes both ways until neither side has any.
fn shuttle(one: &mut Connection, two: &mut Connection, now: Instant) {
    while carry(one, two, now) | carry(two, one, now) {}
}

fn carry(from: &mut Connection, to: &mut Connection, now: Instant) -> bool {
    let pending = from.transmit();
    let space = to.receive_space();
    let count = pending.len().min(space.len());
    space[..count].copy_from_slice(&pending[..count]);
    from.transmitted(count);
    to.received(count, now);
    count > 0
}

/// Carries bytes until `on` tells an event that `wanted` picks; others are dropped.
fn wait_for(
    on: &mut Connection,
    other: &mut Connection,
    now: Instant,
    wanted: impl Fn(&Event) -> bool,
) -> Event {
    shuttle(on, other, now);
    let mut events = VecDeque::new();
    while let Some(event) = on.poll_event() {
        if wanted(&event) {
            return event;
        }
        events.push_back(event);
    }
    panic!("the event did not come; there were {events:?}");
}

fn next_question(
    on: &mut Connection,
    other: &mut Connection,
    now: Instant,
) -> (underpass_proto::QuestionId, Question) {
    match wait_for(on, other, now, |event| matches!(event, Event::Question(..))) {
        Event::Question(id, question) => (id, question),
        _ => unreachable!("only questions are picked"),
    }
}
