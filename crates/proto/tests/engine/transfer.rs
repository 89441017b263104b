//! Bytes arrive complete, in order, on the right channel.

use underpass_testkit::pair::{Job, Pair, Taking, Then};

use crate::support::conditions;

#[test]
fn bytes_arrive_complete_and_in_order_in_both_directions() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let id = pair.open_channel(Job::exchange(1, 200_000, 2), Job::exchange(2, 300_000, 1));
        pair.run_until_idle();
        let here = pair.client.report(id);
        assert_eq!((here.sent, here.received, here.finished), (200_000, 300_000, true));
    }
}

#[test]
fn fifty_channels_do_not_mix() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let sizes = |n: u64| (n * n * 37 % 40_000, n * 1009 % 30_000);
        let ids: Vec<_> = (0..50)
            .map(|n| {
                let (up, down) = sizes(n);
                pair.open_channel(
                    Job::exchange(n, up, 1000 + n),
                    Job::send(
                        1000 + n,
                        down,
                        Then::Finish,
                        if n % 2 == 0 { Taking::Check(n) } else { Taking::Slowly(n, 999) },
                    ),
                )
            })
            .collect();
        pair.run_until_idle();
        for (n, id) in (0..).zip(ids) {
            let (up, down) = sizes(n);
            let here = pair.client.report(id);
            let there = pair.server.report(pair.server.accepted[&(n as usize)]);
            assert_eq!((here.sent, here.received), (up, down));
            assert_eq!((there.sent, there.received), (down, up));
        }
    }
}

#[test]
fn an_echo_returns_every_byte() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let ids: Vec<_> =
            (0..8).map(|n| pair.open_channel(Job::exchange(n, 70_000, n), Job::echo())).collect();
        pair.run_until_idle();
        for id in ids {
            assert_eq!(pair.client.report(id).received, 70_000);
        }
    }
}

#[test]
fn keys_are_renewed_under_way_when_the_threshold_is_tiny() {
    let most = conditions()
        .map(|setup| {
            let tiny = setup.client.rekey_bytes == 1 << 10 || setup.client.rekey_packets == 8;
            let mut pair = Pair::open(setup);
            pair.open_channel(Job::exchange(1, 300_000, 1), Job::echo());
            pair.run_until_idle();
            (tiny, pair.client.exchanges.len())
        })
        .collect::<Vec<_>>();
    // Otherwise the other tests prove less than they claim.
    for (tiny, exchanges) in &most {
        assert!(*exchanges >= if *tiny { 3 } else { 1 }, "{most:?}");
    }
}
