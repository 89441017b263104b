//! Windows: credit on consumption, growth on long links, bounds for everyone.

use underpass_proto::limits::{INITIAL_WINDOW, MAX_WINDOW, MIN_WINDOW};
use underpass_proto::{ChannelId, Config, Event, Refusal, Role};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::link::Weather;
use underpass_testkit::pair::{Job, Pair, Setup, Taking, Then};
use underpass_wire::{ChannelData, ChannelWindowAdjust, Message, Number};

use crate::support::{RARE, SECOND, conditions, under};

const MIB: u64 = 1 << 20;

#[test]
fn a_stalled_consumer_holds_at_most_its_window_and_the_others_finish() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let stalled = pair.open_channel(Job::stall(), Job::send(1, 64 * MIB, Then::Finish, Taking::Check(0)));
        let others: Vec<_> = (2..8)
            .map(|n| pair.open_channel(Job::check(n), Job::send(n, 300_000, Then::Finish, Taking::Check(0))))
            .collect();
        pair.run_until("the others are finished", |pair| {
            assert!(pair.client.held(stalled) <= INITIAL_WINDOW as usize);
            others.iter().all(|id| pair.client.report(*id).finished)
        });
        pair.run_until("the stalled window is full", |pair| {
            pair.client.held(stalled) == INITIAL_WINDOW as usize
        });
        let now = pair.now();
        pair.client.abandon(stalled, now);
        pair.run_until_idle();
    }
}

#[test]
fn windows_grow_to_what_a_long_link_carries() {
    let mut pair = Pair::open(under(1, Weather::FAR, RARE));
    let id = pair.open_channel(Job::check(1), Job::send(1, 160 * MIB, Then::Finish, Taking::Check(0)));
    let start = pair.elapsed();
    let mut most = 0;
    pair.run_until("all came", |pair| {
        most = most.max(pair.down.in_flight());
        pair.client.report(id).finished
    });
    // With the first window alone it would take 16 seconds.
    let taken = pair.elapsed() - start;
    assert!(taken < 2 * SECOND, "{taken:?}");
    let largest = MAX_WINDOW as usize;
    assert!(most > largest / 2 && most < largest + (2 << 20), "{most} bytes were under way");
}

#[test]
fn many_channels_share_the_memory_they_may_use() {
    let mut setup = under(1, Weather::CALM, RARE);
    setup.client.receive_memory = 8 << 20;
    let mut pair = Pair::open(setup);
    let source = |n| Job::send(n, 4 * MIB, Then::Stay, Taking::Check(0));
    let stalled: Vec<_> = (0..100).map(|n| pair.open_channel(Job::stall(), source(n))).collect();
    let last = pair.open_channel(Job::check(500), Job::send(500, 2 * MIB, Then::Finish, Taking::Check(0)));
    let bound = (8 << 20) + 101 * MIN_WINDOW as usize;
    pair.run_until("the last one is finished", |pair| {
        assert!(pair.client.held_in_all() <= bound);
        pair.client.report(last).finished
    });
    pair.run_for(SECOND);
    let held = pair.client.held_in_all();
    assert!(held >= 100 * MIN_WINDOW as usize && held <= bound, "{held}");
    let now = pair.now();
    stalled.iter().for_each(|id| pair.client.abandon(*id, now));
    pair.run_until_idle();
}

#[test]
fn a_channel_that_has_grown_leaves_room_for_others() {
    let mut setup = under(1, Weather::FAR, RARE);
    setup.client.receive_memory = 32 << 20;
    let mut pair = Pair::open(setup);
    let first = pair.open_channel(Job::check(1), Job::send(1, 200 * MIB, Then::Stay, Taking::Check(0)));
    pair.run_until("the first has grown", |pair| pair.client.report(first).received > 100 * MIB);
    let second = pair.open_channel(Job::check(2), Job::send(2, 32 * MIB, Then::Finish, Taking::Check(0)));
    let start = pair.elapsed();
    pair.run_until("the second is finished", |pair| pair.client.report(second).finished);
    let taken = pair.elapsed() - start;
    // 64 KiB in a tenth of a second would take 51 seconds.
    assert!(taken < 4 * SECOND, "{taken:?}");
}

#[test]
fn credit_comes_back_on_consumption_only() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(0, 100);
    let data = vec![1; 32 * 1024];
    for _ in 0..32 {
        duel.peer.send(&ChannelData { recipient: id.0, data: &data });
    }
    assert_eq!(duel.numbers(), [], "no credit before anything is consumed");
    assert_eq!(duel.events, [Event::Readable(id)]);
    duel.engine.consume(id, 1 << 20, duel.now);
    let adjust = duel.expect(Number::CHANNEL_WINDOW_ADJUST);
    let Message::ChannelWindowAdjust(adjust) = message(&adjust) else { panic!() };
    // At least what was consumed; more if the window grows.
    assert!(adjust.recipient == 7 && adjust.bytes >= 1 << 20, "{adjust:?}");
}

#[test]
fn a_zero_window_waits_for_the_adjustment() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(0, 1000);
    assert_eq!(send(&mut duel, id, b"hello"), 0);
    duel.peer.send(&ChannelWindowAdjust { recipient: id.0, bytes: 3 });
    duel.settle();
    assert_eq!(duel.events.pop_front(), Some(Event::Writable(id)));
    assert_eq!(send(&mut duel, id, b"hello"), 3);
    let data = duel.expect(Number::CHANNEL_DATA);
    assert_eq!(message(&data), Message::ChannelData(ChannelData { recipient: 7, data: b"hel" }));
    assert_eq!(send(&mut duel, id, b"lo"), 0);
}

#[test]
fn one_channel_without_window_does_not_stop_the_others() {
    let mut duel = Duel::opened_against(Role::Server);
    let stuck = duel.open_channel(0, 1000);
    let flowing = duel.open_channel(1 << 20, 1000);
    assert_eq!(send(&mut duel, stuck, b"hello"), 0);
    for _ in 0..1000 {
        assert_eq!(send(&mut duel, flowing, b"hello"), 5);
    }
    assert_eq!(duel.numbers().len(), 1000);
    assert_eq!(duel.events, [], "there is nothing to tell the one that has no window");
}

#[test]
fn packets_are_no_larger_than_the_peer_takes() {
    for (max_packet, sizes) in [(1, vec![1; 20]), (7, vec![7, 7, 6]), (20, vec![20]), (u32::MAX, vec![20])] {
        let mut duel = Duel::opened_against(Role::Server);
        let id = duel.open_channel(1 << 20, max_packet);
        let text = b"twenty bytes, no more";
        assert_eq!(send(&mut duel, id, &text[..20]), 20);
        duel.settle();
        let packets: Vec<_> = duel.received.drain(..).collect();
        let parts: Vec<_> = packets
            .iter()
            .map(|payload| match message(payload) {
                Message::ChannelData(data) => data.data,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), sizes);
        assert_eq!(parts.concat(), &text[..20]);
    }
}

#[test]
fn large_writes_fill_packets_of_the_largest_size() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(u32::MAX, u32::MAX);
    let bytes = vec![5; 1 << 20];
    let mut sent = 0;
    while sent < bytes.len() {
        let count = send(&mut duel, id, &bytes[sent..]);
        assert!(count > 0);
        sent += count;
        duel.settle();
    }
    let total: usize = duel.received.iter().map(|payload| payload.len() - 9).sum();
    assert_eq!(total, 1 << 20);
    let most = duel.received.iter().map(|payload| payload.len() - 9).max();
    assert_eq!(most, Some(32 * 1024));
}

#[test]
fn a_channel_of_empty_packets_is_refused_and_closed() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
    duel.expect(Number::CHANNEL_OPEN);
    duel.peer.send(&underpass_wire::ChannelOpenConfirmation {
        recipient: id.0,
        sender: 7,
        window: 1 << 20,
        max_packet: 0,
        data: b"",
    });
    duel.expect(Number::CHANNEL_CLOSE);
    assert_eq!(duel.events, [Event::ChannelRefused { channel: id, refusal: Refusal::Unusable }]);
    duel.peer.send(&underpass_wire::ChannelClose { recipient: id.0 });
    duel.expect_alive();
    assert_eq!(duel.engine.channel_count(), 0);
    assert_eq!(duel.events.len(), 1, "the identifier was void already");
}

#[test]
fn dropped_data_is_not_charged_to_the_connection() {
    // A server that is told to close goes on sending until it hears of it: no credit, no error.
    let mut pair = Pair::open(Setup { weather: Weather::FAR, ..Setup::new(3) });
    let id = pair.open_channel(Job::check(1), Job::send(1, 64 * MIB, Then::Stay, Taking::Check(0)));
    pair.run_until("data flows", |pair| pair.client.report(id).received > 4 * MIB);
    let now = pair.now();
    pair.client.abandon(id, now);
    pair.run_until_idle();
    assert_eq!((&pair.client.closed, &pair.server.closed), (&None, &None));
    let after = pair.open_channel(Job::check(1), Job::send(1, 1000, Then::Close, Taking::Check(0)));
    pair.run_until_idle();
    assert_eq!(pair.client.report(after).received, 1000);
}

#[test]
fn an_idle_connection_gives_memory_back_and_goes_on() {
    let mut pair = Pair::open(Setup {
        client: Config { keepalive_interval: None, rekey_age: None, ..Config::default() },
        ..Setup::new(3)
    });
    for round in 0..3 {
        let id = pair.open_channel(Job::exchange(1, 4 * MIB, 2), Job::exchange(2, 4 * MIB, 1));
        pair.run_until_idle();
        assert_eq!(pair.client.report(id).received, 4 * MIB, "round {round}");
        assert!(pair.client.connection.receive_space().len() > 64 * 1024);
        pair.run_for(10 * SECOND);
        assert_eq!(pair.client.connection.receive_space().len(), 64 * 1024);
    }
}

/// Sends as much as there is room for.
fn send(duel: &mut Duel, id: ChannelId, bytes: &[u8]) -> usize {
    let mut filled = 0;
    for slot in duel.engine.slots(id, bytes.len()) {
        slot.copy_from_slice(&bytes[filled..filled + slot.len()]);
        filled += slot.len();
    }
    duel.engine.commit(id, filled, duel.now);
    filled
}
