//! What is over leaves nothing behind, however much there was of it.

use underpass_proto::limits::INITIAL_WINDOW;
use underpass_proto::{Config, Error, Event, Goodbye, Role};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::link::{Fault, Weather};
use underpass_testkit::pair::{Job, Pair, Setup, Taking, Then};
use underpass_wire::{
    ChannelClose, ChannelData, ChannelEof, ChannelOpenConfirmation, DisconnectReason, Message, Number,
};

use crate::support::{MILLISECOND, conditions};

#[test]
fn a_hundred_thousand_channels_one_after_another_leave_nothing() {
    let mut duel = Duel::opened_against(Role::Server);
    for round in 0..100_000 {
        let id = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
        assert_eq!(id.0, round);
        duel.peer.send(&ChannelOpenConfirmation {
            recipient: id.0,
            sender: 1,
            window: 100,
            max_packet: 100,
            data: b"",
        });
        duel.peer.send(&ChannelData { recipient: id.0, data: b"hello" });
        duel.peer.send(&ChannelEof { recipient: id.0 });
        duel.peer.send(&ChannelClose { recipient: id.0 });
        duel.settle();
        duel.received.clear();
        assert_eq!(duel.engine.chunks(id).map(<[u8]>::len).sum::<usize>(), 5);
        duel.engine.consume(id, 5, duel.now);
        duel.engine.close(id, duel.now);
        assert_eq!(duel.engine.channel_count(), 0);
        let events: Vec<_> = duel.events.drain(..).collect();
        assert_eq!(events, [Event::ChannelOpened(id), Event::Readable(id), Event::ChannelClosed(id)]);
    }
    assert!(!duel.engine.is_closed());
    assert_eq!(duel.engine.receive_space().len(), 64 * 1024);
    // All windows were given back: a new channel is offered a whole one.
    duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
    let open = duel.expect(Number::CHANNEL_OPEN);
    let Message::ChannelOpen(open) = message(&open) else { panic!() };
    assert_eq!(open.window, INITIAL_WINDOW);
}

#[test]
fn a_million_packets_are_nothing_special() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(0, 100);
    for _ in 0..1_100 {
        for _ in 0..1_000 {
            duel.peer.send(&ChannelData { recipient: id.0, data: b"x" });
        }
        let bytes = std::mem::take(&mut duel.peer.output);
        duel.deliver(&bytes);
        duel.events.clear();
        duel.engine.consume(id, 1_000, duel.now);
        let written = duel.engine.transmit().len();
        duel.engine.transmitted(written);
    }
    assert!(!duel.engine.is_closed());
    assert_eq!(duel.engine.chunks(id).count(), 0);
}

#[test]
fn many_channels_at_once_cost_linear_time() {
    // A step that looked at all channels for each of them would take minutes.
    const COUNT: usize = 16_000;
    let mut pair = Pair::open(Setup::new(1));
    for round in 0..2 {
        let mut ids = Vec::new();
        while ids.len() < COUNT {
            ids.extend((0..500).map(|_| {
                let (here, there) = (Taking::Check(2), Taking::Check(1));
                pair.open_channel(Job::send(1, 100, Then::Stay, here), Job::send(2, 100, Then::Stay, there))
            }));
            let last = *ids.last().unwrap();
            pair.run_until("these have their data", |pair| pair.client.report(last).received == 100);
        }
        assert!(ids.iter().all(|id| pair.client.report(*id).received == 100));
        // One side lets go of all at once, then the other.
        let now = pair.now();
        ids.iter().for_each(|id| pair.client.abandon(*id, now));
        pair.run_until_idle();
        assert_eq!(pair.client.reports.len(), (round + 1) * COUNT);
    }
}

#[test]
fn many_channels_without_window_cost_the_others_nothing() {
    let mut duel = Duel::opened_against(Role::Server);
    let stuck: Vec<_> = (0..5_000)
        .map(|_| {
            let id = duel.open_channel(0, 100);
            assert_eq!(duel.engine.slots(id, 10).capacity(), 0);
            id
        })
        .collect();
    let flowing = duel.open_channel(u32::MAX, 100);
    for _ in 0..50_000 {
        duel.engine.slots(flowing, 10).for_each(|slot| slot.fill(1));
        duel.engine.commit(flowing, 10, duel.now);
        let written = duel.engine.transmit().len();
        duel.engine.transmitted(written);
        duel.take_events();
    }
    assert_eq!(duel.events, []);
    assert_eq!(duel.engine.channel_count(), stuck.len() + 1);
}

#[test]
fn a_goodbye_reaches_the_peer_after_the_data() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let id = pair.open_channel(
            Job::send(1, 20_000, Then::Stay, Taking::Check(0)),
            Job::send(0, 0, Then::Stay, Taking::Check(1)),
        );
        pair.run_until("all is sent", |pair| pair.client.report(id).sent == 20_000);
        pair.run_until("no key exchange holds it back", |pair| pair.up.in_flight() == 0);
        let now = pair.now();
        let goodbye = Goodbye { reason: DisconnectReason::BY_APPLICATION, description: "done" };
        pair.client.connection.disconnect(&goodbye, now);
        pair.run_until_closed();
        assert_eq!(pair.client.closed, Some(Error::Stopped));
        assert!(matches!(
            &pair.server.closed,
            Some(Error::Disconnected { reason: DisconnectReason::BY_APPLICATION, description })
                if description == "done"
        ));
    }
}

#[test]
fn after_the_end_nothing_happens_any_more() {
    let mut pair = Pair::open(Setup::new(1));
    let id = pair.open_channel(Job::exchange(1, 1 << 20, 1), Job::echo());
    pair.run_for(MILLISECOND);
    let now = pair.now();
    pair.client.connection.received_end(now);
    pair.run_until("closed", |pair| pair.client.closed.is_some());
    let engine = &mut pair.client.connection;
    assert!(engine.is_closed());
    engine.received_end(now);
    engine.rekey(now);
    engine.finish(id, now);
    engine.close(id, now);
    engine.consume(id, 0, now);
    engine.handle_timeout(now + 1_000_000 * MILLISECOND);
    engine.disconnect(&Goodbye { reason: DisconnectReason::BY_APPLICATION, description: "again" }, now);
    let space = engine.receive_space();
    space[..100].fill(7);
    engine.received(100, now);
    assert_eq!(engine.slots(id, 10).capacity(), 0);
    assert_eq!(engine.chunks(id).count(), 0);
    assert_eq!((engine.poll_event(), engine.poll_timeout(), engine.channel_count()), (None, None, 0));
}

#[test]
fn a_cut_at_any_moment_of_a_transfer_is_seen_by_both_sides() {
    for setup in conditions() {
        for cut in (3_000..400_000).step_by(79_999) {
            let mut pair = Pair::open(Setup { weather: Weather::ROUGH, ..setup.clone() });
            pair.open_channel(Job::exchange(1, 1 << 20, 1), Job::echo());
            let at = pair.down.taken() + cut;
            pair.down.fail(Fault::Cut(at));
            pair.run_until_closed();
            assert_eq!(pair.client.closed, Some(Error::Lost));
        }
    }
}

#[test]
fn a_transport_that_ends_is_told_once() {
    let mut duel = Duel::new(
        underpass_testkit::peer::Peer::new(Role::Client, 5),
        Config { keepalive_interval: None, ..Config::default() },
    );
    duel.exchange_keys();
    duel.engine.received_end(duel.now);
    duel.engine.received_end(duel.now);
    duel.settle();
    let ends = duel.events.iter().filter(|event| matches!(event, Event::Closed(_))).count();
    assert_eq!(ends, 1);
}
