//! Key exchanges in which a GSS-API mechanism vouches for the server (RFC 4462 section 2), against a scripted server. The
//! mechanism is made up: it proves a message by repeating it.

use underpass_crypto::algorithms::gss::{GSS_CURVE25519_SHA256, GSS_GEX_SHA1, GSS_GROUP14_SHA256};
use underpass_crypto::algorithms::x25519::CURVE25519_SHA256;
use underpass_crypto::{DhGroup, GroupSizes, Kex, KexError};
use underpass_proto::error::{AlgorithmList, PeerIncompatible, PeerMisbehaved};
use underpass_proto::limits::{MAX_GSS_ROUNDS, MAX_GSS_TOKEN};
use underpass_proto::{
    Answer, Config, Deadline, Error, Event, GssCall, GssReply, GssServices, GssUse, Question, Role,
};
use underpass_testkit::duel::Duel;
use underpass_testkit::peer::Peer;
use underpass_wire::{
    Context, DisconnectReason, KexFamily, KexGssComplete, KexGssContinue, KexGssError, KexGssGroup,
    KexGssHostKey, KexInit, Message, Mpint, NewKeys, Number,
};

use crate::support::{SECOND, expect_unexpected};

/// Small, so that the arithmetic takes no time.
const SMALL: GroupSizes = GroupSizes::new(2048, 2048, 2048).expect("the sizes are in order");

const GOOD: GssServices = GssServices { mutual: true, integrity: true };

fn config(kex: &'static Kex) -> Config {
    let mut config = Config { group_sizes: SMALL, ..Config::default() };
    config.algorithms.kex = vec![kex];
    config
}

/// An engine that offers this method, against a server that has it, too.
fn proposed(kex: &'static Kex) -> Duel {
    let mut peer = Peer::new(Role::Server, 5);
    peer.proposal.kex = format!("{},kex-strict-s-v00@openssh.com", kex.name);
    let mut duel = Duel::new(peer, config(kex));
    duel.propose();
    duel
}

/// As [`proposed`], and the first token is on its way. Gives the client's public value.
fn begun(kex: &'static Kex) -> (Duel, Vec<u8>) {
    let mut duel = proposed(kex);
    let public = begin(&mut duel);
    (duel, public)
}

fn begin(duel: &mut Duel) -> Vec<u8> {
    expect_call(duel, &GssCall::Initiate { token: None }, token(Some(b"first"), None));
    let init = duel.expect(Number::KEXGSS_INIT);
    let Message::KexGssInit(init) = message(&init) else { panic!() };
    assert_eq!(init.token, b"first");
    init.client_public.to_vec()
}

#[track_caller]
fn expect_call(duel: &mut Duel, expected: &GssCall, reply: Option<GssReply>) {
    let (id, question) = duel.expect_question();
    assert_eq!(question, Question::Gss(GssUse::KeyExchange, expected.clone()));
    assert!(duel.engine.answer(id, Answer::Gss(reply), duel.now));
    duel.settle();
}

#[expect(clippy::unnecessary_wraps, reason = "replies are optional, and these are all there")]
fn token(token: Option<&[u8]>, established: Option<GssServices>) -> Option<GssReply> {
    Some(GssReply::Token { token: token.map(<[u8]>::to_vec), established })
}

fn initiate(token: &[u8]) -> GssCall {
    GssCall::Initiate { token: Some(token.to_vec()) }
}

fn message(payload: &[u8]) -> Message<'_> {
    let context = Context { kex: Some(KexFamily::GssGroupExchange), auth: None };
    Message::decode(payload, context).expect("the engine's messages are well-formed")
}

/// The server's part, from the client's public value on: proof and NEWKEYS, and the mechanism's last token if any.
fn complete(duel: &mut Duel, client_public: &[u8], host_key: &[u8], last: Option<&[u8]>) {
    let (public, hash) = duel.peer.agree(client_public, host_key);
    duel.peer.send(&KexGssComplete { server_public: &public, mic: &hash, token: last });
    duel.peer.send_newkeys();
    duel.settle();
}

/// The mechanism's part after that.
#[track_caller]
fn verify(duel: &mut Duel) {
    let (id, question) = duel.expect_question();
    let Question::Gss(GssUse::KeyExchange, GssCall::Verify { data, mic }) = question else {
        panic!("{question:?}")
    };
    assert!(duel.engine.answer(id, Answer::Gss(Some(GssReply::Verified(data == mic))), duel.now));
    duel.settle();
}

#[track_caller]
fn expect_agreed(duel: &mut Duel) {
    duel.expect(Number::NEWKEYS);
    duel.settle();
    let event = duel.events.pop_front();
    let Some(Event::KeysExchanged { negotiated, .. }) = event else { panic!("{event:?}") };
    assert_eq!((negotiated.kex.name, negotiated.host_key), (GSS_CURVE25519_SHA256.name, None));
}

#[track_caller]
fn expect_fault(mut duel: Duel, expected: &PeerMisbehaved) {
    assert_eq!(duel.expect_end(), Error::Peer(expected.clone()));
}

#[test]
fn keys_are_agreed_on_without_a_host_key_and_again_later() {
    let mut duel = proposed(&GSS_CURVE25519_SHA256);
    for later in [false, true] {
        if later {
            duel.log_on();
            duel.peer.send_kexinit();
            duel.expect(Number::KEXINIT);
        }
        let public = begin(&mut duel);
        complete(&mut duel, &public, b"", Some(b"last"));
        // Nothing leaves before the proof is verified.
        expect_call(&mut duel, &initiate(b"last"), token(None, Some(GOOD)));
        assert_eq!(duel.numbers(), []);
        verify(&mut duel);
        expect_agreed(&mut duel);
    }
    duel.open_channel(1000, 1000);
}

#[test]
fn a_context_can_take_several_rounds_and_come_with_a_host_key() {
    let (mut duel, public) = begun(&GSS_CURVE25519_SHA256);
    duel.peer.send(&KexGssHostKey { host_key: b"a key" });
    duel.peer.send(&KexGssContinue { token: b"second" });
    expect_call(&mut duel, &initiate(b"second"), token(Some(b"third"), None));
    let sent = duel.expect(Number::KEXGSS_CONTINUE);
    assert!(matches!(message(&sent), Message::KexGssContinue(KexGssContinue { token: b"third" })));
    duel.peer.send(&KexGssContinue { token: b"fourth" });
    expect_call(&mut duel, &initiate(b"fourth"), token(None, Some(GOOD)));
    complete(&mut duel, &public, b"a key", None);
    verify(&mut duel);
    expect_agreed(&mut duel);
}

#[test]
fn no_host_key_is_offered_beside_those_that_there_are() {
    let lists = |kex: &'static Kex| {
        let mut duel = Duel::new(Peer::new(Role::Server, 5), config(kex));
        duel.peer.identify();
        let payload = duel.expect(Number::KEXINIT);
        let Message::KexInit(KexInit { server_host_key_algorithms, .. }) = message(&payload) else {
            panic!()
        };
        server_host_key_algorithms.iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let offered = lists(&GSS_CURVE25519_SHA256);
    assert_eq!((offered[0].as_str(), offered.last().map(String::as_str)), ("ssh-ed25519", Some("null")));
    assert!(!lists(&CURVE25519_SHA256).contains(&"null".to_owned()));
}

#[test]
fn a_server_without_host_keys_is_served_with_gss_only() {
    let (mut duel, public) = {
        let mut peer = Peer::new(Role::Server, 5);
        peer.proposal.kex = format!("{},kex-strict-s-v00@openssh.com", GSS_CURVE25519_SHA256.name);
        peer.proposal.host_key = "null".to_owned();
        let mut duel = Duel::new(peer, config(&GSS_CURVE25519_SHA256));
        duel.propose();
        let public = begin(&mut duel);
        (duel, public)
    };
    complete(&mut duel, &public, b"", Some(b"last"));
    expect_call(&mut duel, &initiate(b"last"), token(None, Some(GOOD)));
    verify(&mut duel);
    expect_agreed(&mut duel);

    let mut config = config(&GSS_CURVE25519_SHA256);
    config.algorithms.kex.push(&CURVE25519_SHA256);
    let mut peer = Peer::new(Role::Server, 5);
    peer.proposal.host_key = "null".to_owned();
    let mut duel = Duel::new(peer, config);
    duel.propose();
    let error = duel.expect_end();
    assert!(
        matches!(
            error,
            Error::Incompatible(PeerIncompatible::NoCommonAlgorithm { list: AlgorithmList::HostKey, .. })
        ),
        "{error}"
    );
}

#[test]
fn a_server_of_ours_offers_no_method_with_gss() {
    let mut config = config(&GSS_CURVE25519_SHA256);
    config.algorithms.kex.push(&CURVE25519_SHA256);
    let mut duel = Duel::new(Peer::new(Role::Client, 5), config);
    duel.peer.identify();
    let payload = duel.expect(Number::KEXINIT);
    let Message::KexInit(init) = message(&payload) else { panic!() };
    assert_eq!(init.kex_algorithms.first(), Some(CURVE25519_SHA256.name));
    assert!(!init.server_host_key_algorithms.contains("null"));
}

#[test]
fn a_context_without_mutual_authentication_or_integrity_is_refused() {
    for (services, missing) in [
        (GssServices { mutual: false, integrity: true }, "mutual authentication"),
        (GssServices { mutual: true, integrity: false }, "integrity protection"),
    ] {
        let refused = Error::Incompatible(PeerIncompatible::GssTooWeak { missing });
        // At once, as with a mechanism of one token…
        let mut duel = proposed(&GSS_CURVE25519_SHA256);
        let first = GssCall::Initiate { token: None };
        expect_call(&mut duel, &first, token(Some(b"first"), Some(services)));
        assert_eq!(duel.expect_end(), refused);
        // … with a further token, and with the last one.
        let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
        duel.peer.send(&KexGssContinue { token: b"second" });
        expect_call(&mut duel, &initiate(b"second"), token(None, Some(services)));
        assert_eq!(duel.expect_end(), refused);
        let (mut duel, public) = begun(&GSS_CURVE25519_SHA256);
        complete(&mut duel, &public, b"", Some(b"last"));
        expect_call(&mut duel, &initiate(b"last"), token(None, Some(services)));
        assert_eq!(duel.expect_end(), refused);
    }
}

#[test]
fn a_wrong_proof_is_refused() {
    for (host_key_hashed, bend) in [(&b"another key"[..], 0), (b"", 1)] {
        let (mut duel, public) = begun(&GSS_CURVE25519_SHA256);
        let (server_public, mut mic) = duel.peer.agree(&public, host_key_hashed);
        mic[0] ^= bend;
        duel.peer.send(&KexGssComplete { server_public: &server_public, mic: &mic, token: Some(b"last") });
        expect_call(&mut duel, &initiate(b"last"), token(None, Some(GOOD)));
        verify(&mut duel);
        expect_fault(duel, &PeerMisbehaved::GssMic);
    }
    assert_eq!(
        Error::from(PeerMisbehaved::GssMic).disconnect_reason(),
        Some(DisconnectReason::KEY_EXCHANGE_FAILED)
    );
}

#[test]
fn a_context_that_the_last_token_does_not_complete_is_refused() {
    for reply in [token(None, None), token(Some(b"more"), None), token(Some(b"more"), Some(GOOD))] {
        let (mut duel, public) = begun(&GSS_CURVE25519_SHA256);
        complete(&mut duel, &public, b"", Some(b"last"));
        expect_call(&mut duel, &initiate(b"last"), reply);
        expect_fault(duel, &PeerMisbehaved::Gss("the last token does not complete the context"));
    }
    let (mut duel, public) = begun(&GSS_CURVE25519_SHA256);
    complete(&mut duel, &public, b"", None);
    expect_fault(duel, &PeerMisbehaved::Gss("the token is missing that would complete the context"));
}

#[test]
fn tokens_for_a_complete_context_are_refused() {
    let complete_at_once = |duel: &mut Duel| {
        let first = GssCall::Initiate { token: None };
        expect_call(duel, &first, token(Some(b"first"), Some(GOOD)));
        duel.expect(Number::KEXGSS_INIT);
    };
    let fault = PeerMisbehaved::Gss("a token came for a context that is complete");
    let mut duel = proposed(&GSS_CURVE25519_SHA256);
    complete_at_once(&mut duel);
    duel.peer.send(&KexGssContinue { token: b"more" });
    expect_fault(duel, &fault);
    let mut duel = proposed(&GSS_CURVE25519_SHA256);
    complete_at_once(&mut duel);
    duel.peer.send(&KexGssComplete { server_public: &[9; 32], mic: b"mic", token: Some(b"more") });
    expect_fault(duel, &fault);
}

#[test]
fn messages_that_are_not_due_are_refused() {
    type Send = fn(&mut Duel);
    let cases: [(Number, Send); 3] = [
        (Number::KEXGSS_CONTINUE, |duel| duel.peer.send(&KexGssContinue { token: b"more" })),
        (Number::KEXGSS_HOSTKEY, |duel| duel.peer.send(&KexGssHostKey { host_key: b"a key" })),
        (Number::KEXGSS_COMPLETE, |duel| {
            duel.peer.send(&KexGssComplete { server_public: &[9; 32], mic: b"mic", token: None });
        }),
    ];
    for (number, send) in cases {
        // Before the application has answered,
        let mut duel = proposed(&GSS_CURVE25519_SHA256);
        send(&mut duel);
        expect_unexpected(duel, number);
        // while it deals with a token,
        let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
        duel.peer.send(&KexGssContinue { token: b"second" });
        send(&mut duel);
        expect_unexpected(duel, number);
        // after the end,
        let (mut duel, public) = begun(&GSS_CURVE25519_SHA256);
        let (server_public, hash) = duel.peer.agree(&public, b"");
        duel.peer.send(&KexGssComplete { server_public: &server_public, mic: &hash, token: Some(b"last") });
        send(&mut duel);
        expect_unexpected(duel, number);
    }
    // and a host key twice, or late.
    let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
    duel.peer.send(&KexGssHostKey { host_key: b"a key" });
    duel.peer.send(&KexGssHostKey { host_key: b"a key" });
    expect_unexpected(duel, Number::KEXGSS_HOSTKEY);
    let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
    duel.peer.send(&KexGssContinue { token: b"second" });
    expect_call(&mut duel, &initiate(b"second"), token(Some(b"third"), None));
    duel.peer.send(&KexGssHostKey { host_key: b"a key" });
    expect_unexpected(duel, Number::KEXGSS_HOSTKEY);
    // New keys without a proof are none.
    let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
    duel.peer.send(&NewKeys);
    expect_unexpected(duel, Number::NEWKEYS);
}

#[test]
fn a_flood_of_tokens_and_a_huge_one_end_the_exchange() {
    let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
    for _ in 0..MAX_GSS_ROUNDS {
        duel.peer.send(&KexGssContinue { token: b"again" });
        expect_call(&mut duel, &initiate(b"again"), token(Some(b"and again"), None));
    }
    duel.peer.send(&KexGssContinue { token: b"again" });
    expect_fault(duel, &PeerMisbehaved::Gss("the context is never complete"));

    let huge = vec![0; MAX_GSS_TOKEN + 1];
    let too_long = PeerMisbehaved::Gss("a token is too long");
    let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
    duel.peer.send(&KexGssContinue { token: &huge });
    expect_fault(duel, &too_long);
    for (mic, last) in [(&b"mic"[..], &huge[..]), (&huge, b"last")] {
        let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
        duel.peer.send(&KexGssComplete { server_public: &[9; 32], mic, token: Some(last) });
        expect_fault(duel, &too_long);
    }
}

#[test]
fn a_server_whose_mechanism_gives_up_is_quoted_without_its_escapes() {
    let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
    duel.peer.send(&KexGssError { major: 851_968, minor: 7, message: b"No key\x1b[2J", language: b"" });
    let Error::Incompatible(PeerIncompatible::GssRefused(words)) = duel.expect_end() else { panic!() };
    assert!(words.starts_with("No key") && !words.contains('\x1b'), "{words}");
}

#[test]
fn an_application_that_gives_up_ends_the_exchange() {
    let mut duel = proposed(&GSS_CURVE25519_SHA256);
    expect_call(&mut duel, &GssCall::Initiate { token: None }, None);
    assert_eq!(duel.expect_end(), Error::GssFailed);
    let (mut duel, public) = begun(&GSS_CURVE25519_SHA256);
    complete(&mut duel, &public, b"", Some(b"last"));
    expect_call(&mut duel, &initiate(b"last"), token(None, Some(GOOD)));
    let (id, _) = duel.expect_question();
    // A reply to another call leaves the question open.
    assert!(!duel.engine.answer(id, Answer::Gss(token(None, Some(GOOD))), duel.now));
    assert!(duel.engine.answer(id, Answer::Gss(None), duel.now));
    assert_eq!(duel.expect_end(), Error::GssFailed);
}

#[test]
fn a_mechanism_that_takes_for_ever_meets_the_deadline() {
    let mut duel = proposed(&GSS_CURVE25519_SHA256);
    let (id, _) = duel.expect_question();
    duel.pass(31 * SECOND);
    assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Handshake));
    assert!(!duel.engine.answer(id, Answer::Gss(token(Some(b"late"), None)), duel.now));
}

#[test]
fn malformed_public_values_are_refused() {
    let mut points = vec![(vec![0; 32], KexError::ZeroSecret)];
    points.extend([0, 31, 33, 64].map(|len| (vec![9; len], KexError::Length { expected: 32, actual: len })));
    for (public, expected) in points {
        let (mut duel, _) = begun(&GSS_CURVE25519_SHA256);
        duel.peer.send(&KexGssComplete { server_public: &public, mic: b"mic", token: Some(b"last") });
        expect_fault(duel, &PeerMisbehaved::KeyExchange(expected));
    }
    // The contents of an mpint: 0, 1, longer than the modulus, negative, not minimal.
    let long = [&[1][..], &[0; 256]].concat();
    for public in [&[][..], &[1], &long, &[0x80; 256], &[0, 1]] {
        let (mut duel, e) = begun(&GSS_GROUP14_SHA256);
        assert!((200..=257).contains(&e.len()));
        duel.peer.send(&KexGssComplete { server_public: public, mic: b"mic", token: Some(b"last") });
        let error = duel.expect_end();
        assert!(
            matches!(
                error,
                Error::Peer(
                    PeerMisbehaved::KeyExchange(KexError::InvalidPublic)
                        | PeerMisbehaved::Message { number: Number::KEXGSS_COMPLETE, .. }
                )
            ),
            "{error}"
        );
    }
}

#[test]
fn a_group_is_agreed_on_before_the_first_token() {
    let mut duel = proposed(&GSS_GEX_SHA1);
    let request = duel.expect(Number::KEXGSS_GROUPREQ);
    let Message::KexGssGroupReq(request) = message(&request) else { panic!() };
    assert_eq!((request.min, request.n, request.max), (2048, 2048, 2048));
    let group = DhGroup::choose(SMALL, 2048, 2048, 2048).expect("there is one of this size");
    let prime = group.prime();
    duel.peer.send(&KexGssGroup { p: Mpint::from_magnitude(&prime), g: Mpint::from_magnitude(&[2]) });
    begin(&mut duel);

    let mut duel = proposed(&GSS_GEX_SHA1);
    duel.expect(Number::KEXGSS_GROUPREQ);
    duel.peer.send(&KexGssGroup { p: Mpint::from_magnitude(&[23]), g: Mpint::from_magnitude(&[2]) });
    expect_fault(duel, &PeerMisbehaved::KeyExchange(KexError::GroupSize { bits: 5 }));
    // Messages of the context before there is a group.
    let mut duel = proposed(&GSS_GEX_SHA1);
    duel.peer.send(&KexGssComplete { server_public: &[2], mic: b"mic", token: None });
    expect_unexpected(duel, Number::KEXGSS_COMPLETE);
}
