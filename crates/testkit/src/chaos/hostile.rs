//! A peer that sends anything.

use std::num::NonZeroU16;
use std::time::Duration;

use underpass_crypto::algorithms::zlib::ZLIB;
use underpass_proto::{
    Answer, Attempt, ChannelId, Config, Credential, Event, ForwardVerdict, Prompt, Prompts, Question,
    RemoteBind, Role, Verdict,
};
use underpass_wire::{
    ChannelClose, ChannelData, ChannelEof, ChannelExtendedData, ChannelKind, ChannelOpen,
    ChannelOpenConfirmation, ChannelOpenFailure, ChannelRequest, ChannelWindowAdjust, Debug, Disconnect,
    DisconnectReason, ExtInfo, GlobalRequest, GlobalRequestData, Ignore, KexEcdhInit, KexEcdhReply, List,
    NameList, NewKeys, OpenFailureReason, Ping, RequestFailure, RequestSuccess, Sensitive, ServiceAccept,
    ServiceRequest, Unimplemented, UserauthBanner, UserauthFailure, UserauthInfoRequest, UserauthMethod,
    UserauthPasswdChangereq, UserauthPkOk, UserauthRequest, UserauthSuccess,
};

use super::{Input, check};
use crate::duel::Duel;
use crate::peer::{Peer, encoded};

/// Arbitrary bytes from the transport, to either role, from the beginning or after a sound KEXINIT.
pub fn bytes(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.byte();
    let role = role(choice);
    let peer = if choice & 2 == 0 { Peer::new(role, 5) } else { Peer::plain(role, 5) };
    let mut duel = Duel::new(peer, Config::default());
    if choice & 4 != 0 {
        duel.peer.identify();
        let line = std::mem::take(&mut duel.peer.output);
        duel.deliver(&line);
        if choice & 8 != 0 {
            duel.peer.send_kexinit();
            let kexinit = std::mem::take(&mut duel.peer.output);
            duel.deliver(&kexinit);
        }
    }
    while !input.is_empty() {
        let size = input.size().max(1);
        duel.deliver(input.take(size));
        answer_all(&mut duel, &mut input);
        check(&mut duel.engine);
    }
    // Whatever came: nobody logged on, so it ends.
    wait(&mut duel, Duration::from_secs(200));
    assert!(duel.engine.is_closed());
    check(&mut duel.engine);
}

/// Arbitrary messages under valid keys, in every phase after the first key exchange, between actions of the
/// application.
pub fn messages(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.byte();
    let role = role(choice);
    let mut peer = if choice & 2 == 0 { Peer::new(role, 5) } else { Peer::plain(role, 5) };
    let mut config = Config { receive_memory: 1 << 20, ..Config::default() };
    if choice & 8 != 0 {
        ZLIB.name.clone_into(&mut peer.proposal.compression);
        config.algorithms.compression_out = vec![&ZLIB];
        config.algorithms.compression_in = vec![&ZLIB];
    }
    let mut duel = Duel::new(peer, config);
    duel.exchange_keys();
    if choice & 4 != 0 {
        duel.log_on();
    }
    let templates = templates();
    while !input.is_empty() && !duel.engine.is_closed() {
        match input.byte() % 8 {
            0..=3 => {
                let template = &templates[input.below(templates.len())];
                let payload = mutated(template, &mut input);
                duel.peer.send_payload(&payload);
            }
            4 => {
                let size = input.below(100);
                let payload = input.take(size).to_vec();
                // Where there is compression: what no compressor made.
                duel.peer.send_packed(&payload);
            }
            5 => act(&mut duel, &mut input),
            6 => wait(&mut duel, Duration::from_millis(input.size() as u64)),
            _ => duel.reading = input.byte() % 4 != 0,
        }
        settle(&mut duel);
        answer_all(&mut duel, &mut input);
        check(&mut duel.engine);
    }
}

fn role(choice: u8) -> Role {
    if choice & 1 == 0 { Role::Server } else { Role::Client }
}

/// Carries bytes without opening what the engine sends: a renewed key exchange is not the script's to follow.
fn settle(duel: &mut Duel) {
    let bytes = std::mem::take(&mut duel.peer.output);
    duel.deliver(&bytes);
    if duel.reading {
        let written = duel.engine.transmit().len();
        duel.engine.transmitted(written);
    }
}

fn wait(duel: &mut Duel, duration: Duration) {
    let end = duel.now + duration;
    while let Some(due) = duel.engine.poll_timeout().filter(|due| *due <= end) {
        duel.now = duel.now.max(due);
        duel.engine.handle_timeout(duel.now);
        duel.take_events();
    }
    duel.now = end;
}

/// One sound message of each kind, for channel 0 where there is one.
fn templates() -> Vec<Vec<u8>> {
    let recipient = 0;
    let direct = ChannelKind::DirectTcpip { host: "db", port: 1, originator: "::1", originator_port: 2 };
    let forwarded = ChannelKind::ForwardedTcpip { address: "", port: 80, originator: "", originator_port: 2 };
    let open = |kind| encoded(&ChannelOpen { sender: 1, window: 1000, max_packet: 1000, kind });
    let request = |method| encoded(&UserauthRequest { user: b"me", service: "ssh-connection", method });
    vec![
        encoded(&Disconnect { reason: DisconnectReason::BY_APPLICATION, description: b"", language: b"" }),
        encoded(&Ignore { data: b"data" }),
        encoded(&Unimplemented { sequence: 1 }),
        encoded(&Debug { always_display: true, message: b"text", language: b"" }),
        encoded(&ServiceRequest { name: "ssh-userauth" }),
        encoded(&ServiceAccept { name: "ssh-userauth" }),
        encoded(&ExtInfo { extensions: List::EMPTY }),
        kexinit(),
        encoded(&NewKeys),
        encoded(&KexEcdhInit { client_public: &[9; 32] }),
        encoded(&KexEcdhReply { host_key: b"key", server_public: &[9; 32], signature: b"signature" }),
        request(UserauthMethod::None),
        request(UserauthMethod::Password { password: Sensitive(b"secret") }),
        request(UserauthMethod::PasswordChange { old: Sensitive(b"old"), new: Sensitive(b"new") }),
        request(UserauthMethod::PublicKeyQuery { algorithm: "ssh-ed25519", key: b"key" }),
        request(UserauthMethod::PublicKey { algorithm: "ssh-ed25519", key: b"key", signature: b"s" }),
        request(UserauthMethod::KeyboardInteractive { language: b"", submethods: b"" }),
        encoded(&UserauthFailure { methods: NameList::EMPTY, partial_success: true }),
        encoded(&UserauthSuccess),
        encoded(&UserauthBanner { message: b"hello", language: b"" }),
        encoded(&UserauthPkOk { algorithm: "ssh-ed25519", key: b"key" }),
        encoded(&UserauthPasswdChangereq { prompt: b"new?", language: b"" }),
        encoded(&UserauthInfoRequest { name: b"", instruction: b"", language: b"", prompts: List::EMPTY }),
        vec![61, 0, 0, 0, 0],
        encoded(&GlobalRequest::new(true, GlobalRequestData::Keepalive)),
        encoded(&GlobalRequest::new(true, GlobalRequestData::TcpipForward { address: "", port: 0 })),
        encoded(&GlobalRequest::new(true, GlobalRequestData::CancelTcpipForward { address: "", port: 80 })),
        encoded(&GlobalRequest::new(false, GlobalRequestData::StreamlocalForward { path: b"/s" })),
        encoded(&RequestSuccess { data: b"" }),
        encoded(&RequestSuccess { data: b"\0\0\0\x50" }),
        encoded(&RequestFailure),
        open(direct),
        open(forwarded),
        open(ChannelKind::DirectStreamlocal { path: b"/s" }),
        open(ChannelKind::ForwardedStreamlocal { path: b"/s" }),
        encoded(&ChannelOpenConfirmation { recipient, sender: 1, window: 100, max_packet: 100, data: b"" }),
        encoded(&ChannelOpenFailure {
            recipient,
            reason: OpenFailureReason::CONNECT_FAILED,
            description: b"no",
            language: b"",
        }),
        encoded(&ChannelWindowAdjust { recipient, bytes: 100 }),
        encoded(&ChannelData { recipient, data: b"data" }),
        encoded(&ChannelData { recipient, data: &[7; 32 * 1024] }),
        encoded(&ChannelExtendedData { recipient, code: 1, data: b"data" }),
        encoded(&ChannelEof { recipient }),
        encoded(&ChannelClose { recipient }),
        encoded(&ChannelRequest { recipient, name: "exit-status", want_reply: true, data: b"\0\0\0\0" }),
        encoded(&Ping { data: b"data" }),
    ]
}

fn kexinit() -> Vec<u8> {
    let mut peer = Peer::new(Role::Server, 1);
    peer.send_kexinit();
    // The clear packet's header and padding are left off again.
    let padding = usize::from(peer.output[4]);
    peer.output[5..peer.output.len() - padding].to_vec()
}

/// A message with up to three changes.
fn mutated(template: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let mut payload = template.to_vec();
    for _ in 0..input.byte() % 4 {
        let at = input.below(payload.len() + 1).min(payload.len());
        match input.byte() % 6 {
            // A change right behind the number hits the channel or a length.
            0 if payload.len() > 4 => payload[4] = input.byte() % 3,
            1 if at < payload.len() => payload[at] = input.byte(),
            2 => payload.truncate(at),
            3 => payload.insert(at, input.byte()),
            4 if at + 4 <= payload.len() => payload[at..at + 4].fill(input.byte()),
            _ => payload.push(input.byte()),
        }
    }
    payload
}

/// Something that the application does, with an identifier that may be nonsense.
fn act(duel: &mut Duel, input: &mut Input<'_>) {
    let (now, id) = (duel.now, ChannelId(u32::from(input.byte() % 4)));
    match input.byte() % 12 {
        0 | 1 => {
            duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), now);
        }
        2 | 3 => {
            let limit = input.size();
            let filled = duel.engine.slots(id, limit).map(|slot| slot.len()).sum();
            duel.engine.commit(id, filled, now);
        }
        4 => {
            let held: usize = duel.engine.chunks(id).map(<[u8]>::len).sum();
            duel.engine.consume(id, held.min(input.size()), now);
        }
        5 => duel.engine.finish(id, now),
        6 => duel.engine.close(id, now),
        7 => duel.engine.rekey(now),
        8 => {
            duel.engine.open_forwarded_tcpip(("", 80), ("::1", 2), now);
        }
        9 => duel.engine.probe(Duration::from_millis(input.size() as u64), now),
        10 => {
            let bind = RemoteBind::Tcp { address: String::new(), port: 80 * u16::from(input.byte() % 2) };
            if let Some(forward) = duel.engine.request_forward(&bind, now) {
                // Not granted yet, so it is refused.
                assert_eq!(duel.engine.cancel_forward(forward, now), None);
            }
        }
        _ => {
            duel.engine.request_forward(&RemoteBind::Unix { path: b"/s".to_vec() }, now);
        }
    }
}

/// Answers the questions that came, some with nonsense.
fn answer_all(duel: &mut Duel, input: &mut Input<'_>) {
    let ended = duel.events.iter().position(|event| matches!(event, Event::Closed(_)));
    assert!(ended.is_none_or(|at| at == duel.events.len() - 1), "something came after the end");
    let now = duel.now;
    let questions: Vec<_> = duel.events.drain(..).collect();
    for event in questions {
        match event {
            Event::Question(id, question) => {
                duel.engine.answer(id, answer(&question, input.byte()), now);
            }
            Event::RequestAnswered { request, .. } if input.byte().is_multiple_of(2) => {
                duel.engine.cancel_forward(request, now);
            }
            Event::Closed(_) => assert!(duel.engine.is_closed()),
            _ => {}
        }
    }
    duel.take_events();
}

fn answer(question: &Question, choice: u8) -> Answer {
    if choice == 0xff {
        return Answer::Signature(None);
    }
    match question {
        Question::HostKey { .. } => Answer::HostKey(choice != 1),
        Question::Credential { .. } => Answer::Credential(match choice % 5 {
            0 => Credential::None,
            1 => Credential::Password("secret".into()),
            2 | 3 => Credential::Key {
                key: b"key".to_vec(),
                algorithms: vec!["ssh-ed25519".to_owned()],
                query: choice % 5 == 2,
            },
            _ => Credential::KeyboardInteractive,
        }),
        Question::Signature { .. } => Answer::Signature(Some(b"signature".to_vec())),
        Question::Prompts(prompts) => {
            Answer::Responses(Some(prompts.prompts.iter().map(|_| "response".into()).collect()))
        }
        Question::NewPassword { .. } => Answer::NewPassword(Some("new".into())),
        Question::Forward(_) | Question::CancelForward(_) => Answer::Forward(match choice % 3 {
            0 => ForwardVerdict::Refused,
            one_or_none => ForwardVerdict::Granted { port: NonZeroU16::new(u16::from(one_or_none) - 1) },
        }),
        Question::Authenticate { attempt, .. } => Answer::Verdict(verdict(attempt, choice)),
        _ => Answer::Open(if choice.is_multiple_of(4) {
            Err(OpenFailureReason::CONNECT_FAILED)
        } else {
            Ok(())
        }),
    }
}

fn verdict(attempt: &Attempt, choice: u8) -> Verdict {
    match choice % 5 {
        0 => Verdict::Accept,
        1 => Verdict::ChangePassword { prompt: "new?".to_owned() },
        2 if matches!(attempt, Attempt::KeyboardInteractive | Attempt::Responses(_)) => {
            let prompts = vec![Prompt { text: b"token".to_vec(), echo: false }];
            Verdict::Prompt(Prompts { prompts, ..Prompts::default() })
        }
        _ => Verdict::Refuse { methods: vec!["password".to_owned()], partial: choice.is_multiple_of(2) },
    }
}
