//! An engine against a scripted [`Peer`], without links: bytes pass at once, time passes when told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use underpass_crypto::Signer;
use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_proto::{
    Answer, ChannelId, ClientConfig, Config, Connection, Credential, Error, Event, Question, QuestionId,
    Role, ServerConfig, Verdict,
};
use underpass_wire::{
    Context, KexEcdhReply, KexFamily, Message, Number, Reader, Sensitive, ServiceAccept, ServiceRequest,
    UserauthMethod, UserauthRequest, UserauthSuccess,
};

use crate::entropy::SeededEntropy;
use crate::peer::{Peer, public_of};

/// Both, and what the engine said.
pub struct Duel {
    /// The engine.
    pub engine: Connection,
    /// The scripted peer.
    pub peer: Peer,
    /// The present moment.
    pub now: Instant,
    /// Events of the engine, oldest first.
    pub events: VecDeque<Event>,
    /// Payloads that the engine sent and the script has not looked at.
    pub received: VecDeque<Vec<u8>>,
    /// Whether the peer reads what the engine sends.
    pub reading: bool,
}

impl Duel {
    /// The engine in the role that the peer does not play.
    pub fn new(peer: Peer, config: Config) -> Self {
        Self::of_user(peer, config, b"me")
    }

    /// The same, with another user than `me` if the engine is the client.
    pub fn of_user(peer: Peer, config: Config, user: &[u8]) -> Self {
        let now = Instant::now();
        let entropy = Box::new(SeededEntropy::new(77));
        let engine = match peer.role() {
            Role::Client => {
                let host_key = Arc::new(Ed25519Key::generate(&mut SeededEntropy::new(78)));
                let config = ServerConfig { common: config, host_keys: vec![host_key as Arc<dyn Signer>] };
                Connection::server(config, entropy, now)
            }
            Role::Server => {
                Connection::client(ClientConfig { common: config, user: user.to_vec() }, entropy, now)
            }
        };
        let engine = engine.expect("the configuration can be sent");
        Self { engine, peer, now, events: VecDeque::new(), received: VecDeque::new(), reading: true }
    }

    /// A usual peer of this role, before anything was sent.
    pub fn against(role: Role) -> Self {
        Self::new(Peer::new(role, 5), Config::default())
    }

    /// As [`against`](Self::against), logged on.
    pub fn opened_against(role: Role) -> Self {
        let mut duel = Self::against(role);
        duel.exchange_keys();
        duel.log_on();
        duel
    }

    /// Carries everything both ways until nothing moves, and takes the events.
    pub fn settle(&mut self) {
        loop {
            let bytes = std::mem::take(&mut self.peer.output);
            let moved = self.deliver(&bytes);
            let sent = if self.reading { self.engine.transmit().to_vec() } else { Vec::new() };
            self.engine.transmitted(sent.len());
            self.peer.feed(&sent);
            if !moved && sent.is_empty() {
                break;
            }
        }
        self.open_packets();
    }

    /// Opens what the engine has sent, as far as keys are known.
    fn open_packets(&mut self) {
        while let Some(payload) = self.peer.receive() {
            self.received.push_back(payload);
        }
    }

    /// Lets the engine read bytes, and takes its events. False if it took none.
    pub fn deliver(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            let space = self.engine.receive_space();
            let count = space.len().min(rest.len());
            if count == 0 {
                break;
            }
            space[..count].copy_from_slice(&rest[..count]);
            self.engine.received(count, self.now);
            rest = &rest[count..];
            self.take_events();
        }
        self.take_events();
        rest.len() < bytes.len()
    }

    /// Takes the engine's events.
    pub fn take_events(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            self.events.push_back(event);
        }
    }

    /// Lets time pass, with whatever becomes due on the way.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.engine.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    // ---- looking ----

    /// The next payload from the engine.
    #[track_caller]
    pub fn expect_payload(&mut self) -> Vec<u8> {
        self.settle();
        match self.received.pop_front() {
            Some(payload) => payload,
            None => panic!("the engine sent nothing; its events: {:?}", self.events),
        }
    }

    /// The next payload from the engine, which must have this number.
    #[track_caller]
    pub fn expect(&mut self, number: Number) -> Vec<u8> {
        let payload = self.expect_payload();
        assert_eq!(payload.first(), Some(&number.0), "{number} was expected, events: {:?}", self.events);
        payload
    }

    /// Everything the engine has sent, by number.
    pub fn numbers(&mut self) -> Vec<Number> {
        self.settle();
        self.received.drain(..).map(|payload| Number(payload[0])).collect()
    }

    /// The oldest open question of the engine.
    #[track_caller]
    pub fn expect_question(&mut self) -> (QuestionId, Question) {
        self.settle();
        while let Some(event) = self.events.pop_front() {
            if let Event::Question(id, question) = event {
                return (id, question);
            }
        }
        panic!("the engine asks nothing");
    }

    /// Answers the oldest question.
    #[track_caller]
    pub fn answer(&mut self, answer: Answer) {
        let (id, question) = self.expect_question();
        assert!(self.engine.answer(id, answer, self.now), "{question:?}");
        self.settle();
    }

    /// How the engine's connection ended, if it did.
    pub fn end(&mut self) -> Option<Error> {
        self.settle();
        self.events.iter().find_map(|event| match event {
            Event::Closed(error) => Some(error.clone()),
            _ => None,
        })
    }

    /// How the engine's connection ended.
    #[track_caller]
    pub fn expect_end(&mut self) -> Error {
        match self.end() {
            Some(error) => error,
            None => panic!("the engine goes on; its events: {:?}", self.events),
        }
    }

    /// The connection is not over.
    #[track_caller]
    pub fn expect_alive(&mut self) {
        assert_eq!(self.end(), None);
    }

    // ---- the usual course ----

    /// Identification and KEXINIT, both ways.
    pub fn propose(&mut self) {
        self.peer.identify();
        self.peer.send_kexinit();
        self.expect(Number::KEXINIT);
    }

    /// The first key exchange.
    #[track_caller]
    pub fn exchange_keys(&mut self) {
        self.propose();
        self.agree();
    }

    /// A later key exchange, which the peer begins.
    #[track_caller]
    pub fn renew_keys(&mut self) {
        self.peer.send_kexinit();
        self.expect(Number::KEXINIT);
        self.agree();
    }

    /// From both KEXINITs to both NEWKEYS; the engine accepts the host key if it asks.
    #[track_caller]
    pub fn agree(&mut self) {
        match self.peer.role() {
            Role::Client => {
                self.peer.send_init();
                let reply = self.expect(Number::KEX_ECDH_REPLY);
                let mut reader = Reader::new(&reply[1..]);
                let reply = KexEcdhReply::decode(&mut reader).expect("the engine's messages are well-formed");
                self.peer.take_reply(&reply);
            }
            Role::Server => {
                let init = self.expect(Number::KEX_ECDH_INIT);
                self.peer.send_reply(&public_of(&init));
            }
        }
        self.peer.send_newkeys();
        self.settle();
        if let Some(at) =
            self.events.iter().position(|event| matches!(event, Event::Question(_, Question::HostKey { .. })))
            && let Some(Event::Question(id, _)) = self.events.remove(at)
        {
            self.engine.answer(id, Answer::HostKey(true), self.now);
        }
        self.settle();
        self.expect(Number::NEWKEYS);
        self.open_packets();
    }

    /// From the service request to success.
    #[track_caller]
    pub fn log_on(&mut self) {
        match self.peer.role() {
            Role::Client => {
                self.peer.send(&ServiceRequest { name: "ssh-userauth" });
                self.peer.send(&UserauthRequest {
                    user: b"me",
                    service: "ssh-connection",
                    method: UserauthMethod::Password { password: Sensitive(b"secret") },
                });
                self.answer(Answer::Verdict(Verdict::Accept));
            }
            Role::Server => {
                self.grant_service();
                self.answer(Answer::Credential(Credential::Password("secret".into())));
                self.expect(Number::USERAUTH_REQUEST);
                self.peer.send(&UserauthSuccess);
            }
        }
        self.settle();
        self.received.clear();
        assert_eq!(self.events.pop_back(), Some(Event::Authenticated));
        self.events.clear();
    }

    /// Server role: grants the service that the engine asks for.
    #[track_caller]
    pub fn grant_service(&mut self) {
        self.expect(Number::SERVICE_REQUEST);
        self.peer.send(&ServiceAccept { name: "ssh-userauth" });
        self.settle();
    }

    /// A channel that the engine's client opens and the peer confirms: the engine's number; the peer's is 7.
    #[track_caller]
    pub fn open_channel(&mut self, window: u32, max_packet: u32) -> ChannelId {
        let id = self.engine.open_direct_tcpip(("db", 1), ("::1", 2), self.now).expect("there is room");
        self.expect(Number::CHANNEL_OPEN);
        self.peer.send(&underpass_wire::ChannelOpenConfirmation {
            recipient: id.0,
            sender: 7,
            window,
            max_packet,
            data: b"",
        });
        self.settle();
        assert_eq!(self.events.pop_front(), Some(Event::ChannelOpened(id)));
        id
    }
}

/// Decodes a payload of the engine.
///
/// # Panics
/// It cannot be decoded.
pub fn message(payload: &[u8]) -> Message<'_> {
    let context = Context { kex: Some(KexFamily::Ecdh), auth: None };
    Message::decode(payload, context).expect("the engine's messages are well-formed")
}
