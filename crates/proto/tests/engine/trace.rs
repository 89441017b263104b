//! What a tracer sees: everything, in clear and in order; and what it is not shown unless it says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use underpass_crypto::Compression;
use underpass_crypto::algorithms::zlib::{ZLIB, ZLIB_OPENSSH};
use underpass_proto::{
    Answer, Config, Credential, GssReply, GssServices, PacketDirection, Prompt, Prompts, Question, Role,
    TracedPacket, Tracer, Verdict,
};
use underpass_testkit::duel::Duel;
use underpass_testkit::pair::{Job, Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{
    KexGssContinue, Number, Oid, UserauthGssapiResponse, UserauthGssapiToken, UserauthSuccess,
};

use crate::support::conditions;
use PacketDirection::{Received, Sent};

/// A packet that was seen.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    direction: PacketDirection,
    sequence: u32,
    number: Number,
    name: Option<&'static str>,
    channel: Option<u32>,
    payload: Vec<u8>,
    masked: String,
    has_secrets: bool,
}

const WHOLE: &str = "nobody panics with it";

/// Remembers what it sees while it is on.
#[derive(Debug, Default)]
struct Recorder {
    is_off: AtomicBool,
    packets: Mutex<Vec<Seen>>,
    lines: Mutex<Vec<(PacketDirection, Vec<u8>)>>,
}

impl Tracer for Recorder {
    fn is_on(&self) -> bool {
        !self.is_off.load(Ordering::Relaxed)
    }

    fn packet(&self, packet: &TracedPacket<'_>) {
        let payload: Vec<u8> = packet.bytes_with_secrets(usize::MAX).iter().flatten().collect();
        assert_eq!(packet.len(), payload.len());
        self.packets.lock().expect(WHOLE).push(Seen {
            direction: packet.direction(),
            sequence: packet.sequence(),
            number: packet.number(),
            name: packet.name(),
            channel: packet.channel(),
            payload,
            masked: packet.bytes(usize::MAX).dump(),
            has_secrets: packet.has_secrets(),
        });
    }

    fn line(&self, direction: PacketDirection, line: &[u8]) {
        self.lines.lock().expect(WHOLE).push((direction, line.to_vec()));
    }
}

impl Recorder {
    fn all(&self) -> Vec<Seen> {
        self.packets.lock().expect(WHOLE).clone()
    }

    fn of(&self, direction: PacketDirection) -> Vec<Seen> {
        self.all().into_iter().filter(|seen| seen.direction == direction).collect()
    }

    fn names(&self) -> Vec<(PacketDirection, &'static str)> {
        self.all().into_iter().map(|seen| (seen.direction, seen.name.unwrap_or("?"))).collect()
    }
}

fn traced(config: &Config) -> (Config, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    (Config { tracer: Some(recorder.clone()), ..config.clone() }, recorder)
}

/// An engine whose packets are seen, against a scripted peer.
fn duel(role: Role) -> (Duel, Arc<Recorder>) {
    let (config, recorder) = traced(&Config::default());
    (Duel::new(Peer::new(role, 5), config), recorder)
}

// ---- what is seen ----

/// Whatever the other side was sent, number by number; what has not come yet is missing at the end.
#[track_caller]
fn assert_mirrored(sent: &[Seen], received: &[Seen]) {
    assert!(received.len() > 10 && received.len() <= sent.len(), "{} of {}", received.len(), sent.len());
    for (sent, received) in sent.iter().zip(received) {
        assert_eq!(Seen { direction: Received, ..sent.clone() }, *received);
    }
}

#[test]
fn each_side_sees_in_clear_what_the_other_side_does() {
    let none: &Compression = underpass_crypto::Provider::MODERN.compression[0];
    for method in [none, &ZLIB, &ZLIB_OPENSSH] {
        for setup in conditions() {
            let (mut client, ours) = traced(&setup.client);
            let (mut server, theirs) = traced(&setup.server);
            for config in [&mut client, &mut server] {
                config.algorithms.compression_out = vec![method];
                config.algorithms.compression_in = vec![method];
            }
            let mut pair = Pair::open(Setup { client, server, ..setup });
            pair.open_channel(Job::exchange(1, 60_000, 2), Job::exchange(2, 40_000, 1));
            pair.run_until_idle();
            assert_mirrored(&ours.of(Sent), &theirs.of(Received));
            assert_mirrored(&theirs.of(Sent), &ours.of(Received));
            assert_eq!(ours.lines.lock().expect(WHOLE).len(), 2);
            // The data in it is what was carried, whatever became of it on its way.
            let carried = |seen: &Seen| seen.number == Number::CHANNEL_DATA;
            let up =
                ours.of(Sent).into_iter().filter(carried).map(|seen| seen.payload.len() - 9).sum::<usize>();
            let down = ours.of(Received).into_iter().filter(carried).map(|seen| seen.payload.len() - 9);
            assert_eq!((up, down.sum::<usize>()), (60_000, 40_000));
        }
    }
}

#[test]
fn every_packet_has_its_number_and_every_message_its_name() {
    for setup in conditions().step_by(3) {
        let rekeys = setup.client.rekey_packets < 100 || setup.client.rekey_bytes < 32 << 10;
        let (client, recorder) = traced(&setup.client);
        let mut pair = Pair::open(Setup { client, ..setup });
        pair.open_channel(Job::exchange(1, 60_000, 1), Job::echo());
        pair.run_until_idle();
        assert!(recorder.all().iter().all(|seen| seen.name.is_some()));
        for direction in [Sent, Received] {
            let seen = recorder.of(direction);
            // Strict key exchange (OpenSSH's PROTOCOL 1.9): numbers begin anew behind each NEWKEYS.
            for (before, after) in seen.iter().zip(&seen[1..]) {
                let next = if before.number == Number::NEWKEYS { 0 } else { before.sequence + 1 };
                assert_eq!(after.sequence, next, "{after:?}");
            }
            let exchanges = seen.iter().filter(|seen| seen.number == Number::KEXINIT).count();
            assert!(if rekeys { exchanges > 1 } else { exchanges < 3 }, "{exchanges}");
        }
    }
}

#[test]
fn a_whole_logon_is_told_by_its_names() {
    let (client, recorder) = traced(&Config::default());
    let mut pair = Pair::open(Setup { client, ..Setup::new(1) });
    let id = pair.open_channel(Job::exchange(1, 5, 1), Job::echo());
    pair.run_until_idle();
    let sent: Vec<_> = recorder.names().into_iter().filter(|(direction, _)| *direction == Sent).collect();
    let names = |names: &[&'static str]| names.iter().map(|name| (Sent, *name)).collect::<Vec<_>>();
    let expected = [
        "SSH_MSG_KEXINIT",
        "SSH_MSG_KEX_ECDH_INIT",
        "SSH_MSG_NEWKEYS",
        "SSH_MSG_SERVICE_REQUEST",
        "SSH_MSG_USERAUTH_REQUEST",
        "SSH_MSG_CHANNEL_OPEN",
        "SSH_MSG_CHANNEL_DATA",
        "SSH_MSG_CHANNEL_EOF",
        "SSH_MSG_CHANNEL_CLOSE",
    ];
    assert_eq!(sent, names(&expected));
    let channels = recorder.all().into_iter().filter(|seen| seen.number >= Number::CHANNEL_OPEN);
    assert!(channels.clone().all(|seen| seen.channel == Some(id.0)));
    assert!(recorder.all().iter().all(|seen| seen.number >= Number::CHANNEL_OPEN || seen.channel.is_none()));
    let lines = recorder.lines.lock().expect(WHOLE).clone();
    let ours = format!("{}\r\n", Config::default().identification).into_bytes();
    assert_eq!(lines, [(Sent, ours.clone()), (Received, ours)]);
}

#[test]
fn whoever_begins_to_look_in_the_midst_of_a_logon_is_told_the_names_all_the_same() {
    let (mut duel, recorder) = duel(Role::Server);
    // Our KEXINIT is out already.
    assert_eq!(recorder.names(), [(Sent, "SSH_MSG_KEXINIT")]);
    recorder.packets.lock().expect(WHOLE).clear();
    recorder.is_off.store(true, Ordering::Relaxed);
    duel.exchange_keys();
    duel.grant_service();
    duel.answer(Answer::Credential(Credential::KeyboardInteractive));
    assert_eq!(recorder.names(), []);
    recorder.is_off.store(false, Ordering::Relaxed);
    duel.peer.send_payload(b"\x3c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01?\0");
    duel.answer(Answer::Responses(Some(vec!["tench-4411".into()])));
    recorder.is_off.store(true, Ordering::Relaxed);
    duel.peer.send(&UserauthSuccess);
    duel.settle();
    let expected = [(Received, "SSH_MSG_USERAUTH_INFO_REQUEST"), (Sent, "SSH_MSG_USERAUTH_INFO_RESPONSE")];
    assert_eq!(recorder.names(), expected);
}

// ---- what is masked ----

/// The secrets are in what was seen, and in nothing of it that is shown; gives the names of the messages that had them.
#[track_caller]
fn assert_masked(recorder: &Recorder, secrets: &[&str]) -> Vec<&'static str> {
    let seen = recorder.all();
    let shown: String = seen.iter().map(|seen| seen.masked.as_str()).collect();
    for secret in secrets {
        let digits: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let has = |seen: &&Seen| seen.payload.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        let holders: Vec<_> = seen.iter().filter(has).collect();
        assert!(!holders.is_empty(), "{secret} was not even sent");
        assert!(holders.iter().all(|seen| seen.has_secrets), "{secret}");
        // Lines are broken after sixteen bytes, which no secret here reaches; so half of it is looked for.
        for part in digits.chunks_exact(4) {
            assert!(!shown.contains(&part.join(" ")), "{secret} shows in {shown}");
        }
        assert!(!shown.contains(&secret[..4]), "{secret} shows in {shown}");
    }
    seen.iter().filter(|seen| seen.has_secrets).map(|seen| seen.name.unwrap_or("?")).collect()
}

#[test]
fn passwords_and_answers_do_not_show_on_either_side() {
    let (client, ours) = traced(&Config::default());
    let (server, theirs) = traced(&Config::default());
    let mut pair = Pair::new(Setup { client, server, ..Setup::new(1) });
    let mut answers = vec![
        Answer::Responses(Some(vec!["wels-8812".into(), "brill-5520".into()])),
        Answer::Credential(Credential::KeyboardInteractive),
        Answer::NewPassword(Some("turbot-3307".into())),
        Answer::Credential(Credential::Password("halibut-77ce".into())),
        Answer::HostKey(true),
    ];
    pair.client.answer_with(move |_| answers.pop());
    let prompt = |text: &[u8]| Prompt { text: text.to_vec(), echo: true };
    let prompts = Prompts { prompts: vec![prompt(b"one"), prompt(b"two")], ..Prompts::default() };
    let partial = Verdict::Refuse { methods: vec!["keyboard-interactive".to_owned()], partial: true };
    let expired = Verdict::ChangePassword { prompt: "expired".to_owned() };
    let mut verdicts = vec![Verdict::Accept, Verdict::Prompt(prompts), partial, expired];
    pair.server.answer_with(move |_| verdicts.pop().map(Answer::Verdict));
    pair.run_until("logged on", |pair| pair.client.authenticated && pair.server.authenticated);
    for recorder in [ours, theirs] {
        let masked = assert_masked(&recorder, &["halibut-77ce", "turbot-3307", "wels-8812", "brill-5520"]);
        // The password, with the new one, and the answers: what else was sent has nothing to hide.
        let request = "SSH_MSG_USERAUTH_REQUEST";
        assert_eq!(masked, [request, request, "SSH_MSG_USERAUTH_INFO_RESPONSE"]);
    }
}

#[test]
fn what_a_program_says_in_a_logon_of_its_own_does_not_show() {
    let (mut duel, recorder) = duel(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.answer(Answer::Credential(Credential::Custom));
    let packet = |bytes: &[u8]| Answer::Packet(Some(underpass_crypto::Secret::new(bytes)));
    duel.answer(packet(b"\x32\0\0\0\x02me\0\0\0\x0essh-connection\0\0\0\x03otphalibut-77ce"));
    duel.peer.send_payload(b"\x4fquestion");
    duel.answer(packet(b"\x3dwels-8812"));
    duel.peer.send_payload(b"\x4fmore");
    // A method of ours, by hand.
    duel.answer(packet(b"\x32\0\0\0\x02me\0\0\0\x0essh-connection\0\0\0\x08password\0\0\0\0\x0abrill-5520"));
    duel.settle();
    let masked = assert_masked(&recorder, &["halibut-77ce", "wels-8812", "brill-5520"]);
    let request = "SSH_MSG_USERAUTH_REQUEST";
    assert_eq!(masked, [request, "?", "?", "?", request]);
}

#[test]
fn tokens_of_a_mechanism_do_not_show() {
    const MECHANISM: &[u8] = b"\x06\x03\x2a\x03\x04";
    let (mut duel, recorder) = duel(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.answer(Answer::Credential(Credential::GssapiWithMic { mechanism: MECHANISM }));
    duel.peer.send(&UserauthGssapiResponse { mechanism: Oid(MECHANISM) });
    let token = |token: &[u8], established| {
        Answer::Gss(Some(GssReply::Token { token: Some(token.to_vec()), established }))
    };
    duel.answer(token(b"halibut-77ce", None));
    duel.peer.send(&UserauthGssapiToken { token: b"wels-8812" });
    duel.answer(token(b"turbot-3307", Some(GssServices { mutual: true, integrity: true })));
    duel.answer(Answer::Gss(Some(GssReply::Mic(b"brill-5520".to_vec()))));
    duel.settle();
    let masked = assert_masked(&recorder, &["halibut-77ce", "wels-8812", "turbot-3307", "brill-5520"]);
    let token = "SSH_MSG_USERAUTH_GSSAPI_TOKEN";
    assert_eq!(masked, [token, token, token, "SSH_MSG_USERAUTH_GSSAPI_MIC"]);
}

#[test]
fn a_message_that_has_no_meaning_yet_does_not_show() {
    // No key exchange is agreed on, so nobody knows what a message of one holds.
    let (mut duel, recorder) = duel(Role::Server);
    duel.peer.identify();
    duel.peer.send(&KexGssContinue { token: b"halibut-77ce" });
    duel.expect_end();
    assert_eq!(assert_masked(&recorder, &["halibut-77ce"]), ["?"]);
}

#[test]
fn a_logon_without_secrets_has_none_masked_and_data_shows() {
    let (client, recorder) = traced(&Config::default());
    let mut pair = Pair::new(Setup { client, ..Setup::new(1) });
    pair.client.answer_with(|question| match question {
        Question::HostKey { .. } => Some(Answer::HostKey(true)),
        _ => Some(Answer::Credential(Credential::None)),
    });
    pair.run_until("logged on", |pair| pair.client.authenticated && pair.server.authenticated);
    pair.open_channel(Job::exchange(1, 40, 1), Job::echo());
    pair.run_until_idle();
    assert!(recorder.all().iter().all(|seen| !seen.has_secrets && !seen.masked.contains("**")));
}
