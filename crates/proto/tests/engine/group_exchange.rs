//! Group exchange (RFC 4419): what either side asks for and gets, and lies about it.

use underpass_crypto::algorithms::dh::{DH_GROUP_EXCHANGE_SHA256, DH_GROUP16_SHA512};
use underpass_crypto::algorithms::legacy::diffie_hellman::DH_GROUP_EXCHANGE_SHA1;
use underpass_crypto::{DhGroup, GroupSizes, KexError};
use underpass_proto::error::PeerMisbehaved;
use underpass_proto::{Config, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::link::Weather;
use underpass_testkit::pair::{Job, Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{
    Context, KexDhGexGroup, KexDhGexInit, KexDhGexReply, KexDhGexRequest, KexDhGexRequestOld, KexFamily,
    Message, Mpint, Number,
};

use crate::support::expect_unexpected;

/// Small, so that the arithmetic takes no time.
const SMALL: GroupSizes = sizes(2048, 2048, 2048);

const fn sizes(min: u32, preferred: u32, max: u32) -> GroupSizes {
    GroupSizes::new(min, preferred, max).expect("the sizes are in order")
}

fn config(group_sizes: GroupSizes) -> Config {
    let mut config = Config { group_sizes, ..Config::default() };
    config.algorithms.kex = vec![&DH_GROUP_EXCHANGE_SHA256];
    config
}

#[test]
fn a_group_exchange_carries_a_connection_through_key_renewals() {
    for method in [&DH_GROUP_EXCHANGE_SHA256, &DH_GROUP_EXCHANGE_SHA1] {
        for weather in [Weather::CALM, Weather::ROUGH] {
            let mut config = Config { rekey_bytes: 100_000, ..config(SMALL) };
            config.algorithms.kex = vec![method];
            let setup = Setup { weather, client: config.clone(), server: config, ..Setup::new(7) };
            let mut pair = Pair::open(setup);
            let id = pair.open_channel(Job::exchange(1, 200_000, 1), Job::echo());
            pair.run_until_idle();
            assert_eq!(pair.client.report(id).received, 200_000);
            assert!(pair.client.exchanges.len() > 2);
            assert_eq!(pair.client.exchanges[0].kex.name, method.name);
        }
    }
}

/// An engine in the client's role that has asked for a group, and what it asked for.
fn asked(sizes: GroupSizes) -> (Duel, KexDhGexRequest) {
    let mut duel = proposed(Role::Server, sizes);
    let request = duel.expect(Number::KEX_DH_GEX_REQUEST);
    let Message::KexDhGexRequest(request) = message(&request) else { panic!() };
    (duel, request)
}

/// An engine after both proposals, against a peer of this role.
fn proposed(role: Role, sizes: GroupSizes) -> Duel {
    let mut peer = Peer::new(role, 5);
    peer.proposal.kex = DH_GROUP_EXCHANGE_SHA256.name.to_owned();
    let mut duel = Duel::new(peer, config(sizes));
    duel.propose();
    duel
}

fn message(payload: &[u8]) -> Message<'_> {
    let context = Context { kex: Some(KexFamily::GroupExchange), auth: None };
    Message::decode(payload, context).expect("the engine's messages are well-formed")
}

/// One of the groups of RFC 3526.
fn group(bits: u32) -> DhGroup {
    DhGroup::choose(sizes(bits, bits, bits), bits, bits, bits).expect("there is one of this size")
}

fn send_group(duel: &mut Duel, p: &[u8], g: &[u8]) {
    duel.peer.send(&KexDhGexGroup { p: Mpint::from_magnitude(p), g: Mpint::from_magnitude(g) });
}

#[track_caller]
fn expect_kex_error(mut duel: Duel, expected: KexError) {
    assert_eq!(duel.expect_end(), PeerMisbehaved::KeyExchange(expected).into());
}

#[test]
fn a_client_asks_for_the_sizes_that_are_set() {
    for sizes in [GroupSizes::default(), sizes(1024, 1536, 4096)] {
        let (_, request) = asked(sizes);
        assert_eq!((request.min, request.n, request.max), (sizes.min(), sizes.preferred(), sizes.max()));
    }
}

#[test]
fn a_group_of_another_size_than_preferred_is_taken_if_it_was_asked_for() {
    let (mut duel, _) = asked(sizes(2048, 3072, 4096));
    send_group(&mut duel, &group(2048).prime(), &[2]);
    let init = duel.expect(Number::KEX_DH_GEX_INIT);
    let Message::KexDhGexInit(KexDhGexInit { e }) = message(&init) else { panic!() };
    assert!((200..=256).contains(&e.as_bytes().len()));
}

#[test]
fn a_group_that_was_not_asked_for_is_refused() {
    let tiny = [&[0x80][..], &[0; 126], &[1]].concat();
    for (prime, bits) in [(&*group(8192).prime(), 8192), (&tiny, 1024), (&[], 0), (&[23], 5)] {
        let (mut duel, _) = asked(sizes(2048, 3072, 4096));
        send_group(&mut duel, prime, &[2]);
        expect_kex_error(duel, KexError::GroupSize { bits });
    }
}

#[test]
fn a_group_that_is_none_is_refused() {
    let prime = group(2048).prime();
    let even = [&prime[..255], &[0xfe]].concat();
    for (p, g) in [
        (&*even, &[2][..]),
        (&prime, &[]),
        (&prime, &[1]),
        // p - 1 has order 2.
        (&prime, &even),
        (&prime, &prime),
        (&prime, &[0xff; 257]),
    ] {
        let (mut duel, _) = asked(SMALL);
        send_group(&mut duel, p, g);
        expect_kex_error(duel, KexError::InvalidGroup);
    }
}

#[test]
fn a_servers_value_that_predicts_the_secret_is_refused() {
    let prime = group(2048).prime();
    let less_one = [&prime[..255], &[0xfe]].concat();
    for f in [&[][..], &[1], &less_one, &prime, &[0xff; 256]] {
        let (mut duel, _) = asked(SMALL);
        send_group(&mut duel, &prime, &[2]);
        duel.expect(Number::KEX_DH_GEX_INIT);
        duel.peer.send(&KexDhGexReply { host_key: b"key", f: Mpint::from_magnitude(f), signature: b"" });
        expect_kex_error(duel, KexError::InvalidPublic);
    }
}

#[test]
fn a_server_that_skips_or_repeats_a_step_is_refused() {
    let (mut duel, _) = asked(SMALL);
    duel.peer.send(&KexDhGexReply { host_key: b"key", f: Mpint::from_magnitude(&[2]), signature: b"" });
    expect_unexpected(duel, Number::KEX_DH_GEX_REPLY);

    let (mut duel, _) = asked(SMALL);
    send_group(&mut duel, &group(2048).prime(), &[2]);
    send_group(&mut duel, &group(2048).prime(), &[2]);
    expect_unexpected(duel, Number::KEX_DH_GEX_GROUP);
}

/// The size in bits of the group that a server answers with.
fn answer(request: KexDhGexRequest) -> usize {
    let mut duel = proposed(Role::Client, GroupSizes::default());
    duel.peer.send(&request);
    group_bits(&mut duel)
}

fn group_bits(duel: &mut Duel) -> usize {
    let group = duel.expect(Number::KEX_DH_GEX_GROUP);
    let Message::KexDhGexGroup(KexDhGexGroup { p, g }) = message(&group) else { panic!() };
    assert_eq!(g.as_bytes(), [2]);
    8 * p.as_bytes().len()
}

#[test]
fn a_server_answers_with_a_group_in_the_range() {
    for (min, n, max, bits) in [
        (2048, 2048, 8192, 2048),
        (1024, 3000, 8192, 3072),
        (2048, 7680, 8192, 8192),
        (2048, 5000, 5000, 4096),
    ] {
        assert_eq!(answer(KexDhGexRequest { min, n, max }), bits);
    }
}

#[test]
fn an_old_request_is_answered_within_our_own_range() {
    for (n, bits) in [(1024, 2048), (2048, 2048), (4096, 4096), (u32::MAX, 8192)] {
        let mut duel = proposed(Role::Client, GroupSizes::default());
        duel.peer.send(&KexDhGexRequestOld { n });
        assert_eq!(group_bits(&mut duel), bits);
    }
}

#[test]
fn a_request_without_a_group_is_refused() {
    for (min, n, max) in
        [(1024, 1024, 1024), (16_384, 16_384, 16_384), (4096, 2048, 8192), (2048, 8192, 4096)]
    {
        let mut duel = proposed(Role::Client, GroupSizes::default());
        duel.peer.send(&KexDhGexRequest { min, n, max });
        expect_kex_error(duel, KexError::GroupRange { min, max });
    }
}

#[test]
fn a_client_that_skips_or_repeats_a_step_is_refused() {
    let mut duel = proposed(Role::Client, SMALL);
    duel.peer.send(&KexDhGexInit { e: Mpint::from_magnitude(&[2]) });
    expect_unexpected(duel, Number::KEX_DH_GEX_INIT);

    let request = KexDhGexRequest { min: 2048, n: 2048, max: 2048 };
    let mut duel = proposed(Role::Client, SMALL);
    duel.peer.send(&request);
    duel.peer.send(&request);
    expect_unexpected(duel, Number::KEX_DH_GEX_REQUEST);
}

#[test]
fn a_clients_value_that_predicts_the_secret_is_refused() {
    for e in [&[][..], &[1], &group(2048).prime(), &[0xff; 300]] {
        let mut duel = proposed(Role::Client, SMALL);
        duel.peer.send(&KexDhGexRequest { min: 2048, n: 2048, max: 2048 });
        duel.expect(Number::KEX_DH_GEX_GROUP);
        duel.peer.send(&KexDhGexInit { e: Mpint::from_magnitude(e) });
        expect_kex_error(duel, KexError::InvalidPublic);
    }
}

#[test]
fn messages_of_a_group_exchange_are_illegal_in_other_exchanges() {
    let mut config = config(SMALL);
    config.algorithms.kex = vec![&DH_GROUP16_SHA512];
    let mut peer = Peer::new(Role::Client, 5);
    peer.proposal.kex = DH_GROUP16_SHA512.name.to_owned();
    let mut duel = Duel::new(peer, config);
    duel.propose();
    duel.peer.send(&KexDhGexRequest { min: 2048, n: 2048, max: 2048 });
    expect_unexpected(duel, Number::KEX_DH_GEX_REQUEST);
}
