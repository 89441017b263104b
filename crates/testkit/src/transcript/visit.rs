//! The client of a transcript.

use std::sync::Arc;
use std::time::Instant;

use underpass_crypto::{GroupSizes, Named, Provider, Signer};
use underpass_proto::{
    Algorithms, Answer, ChannelId, ClientConfig, Config, Connection, Credential, Error, Event, Goodbye,
    Negotiated, Question, StrictKex,
};
use underpass_wire::DisconnectReason;

use super::Terms;
use crate::entropy::SeededEntropy;

/// A client that logs on with a key, has a few bytes come back through a channel, renews the keys, has a few more come
/// back, ends the channel and says goodbye.
pub struct Visit {
    engine: Connection,
    /// At which everything happens.
    now: Instant,
    terms: Terms,
    signer: Arc<dyn Signer>,
    channel: Option<ChannelId>,
    outcome: Outcome,
}

/// What a visit came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was agreed on, in each key exchange.
    pub exchanges: Vec<Negotiated>,
    /// Whether the user was logged on.
    pub logged_on: bool,
    /// What came back.
    pub echo: Vec<u8>,
    /// How the connection ended.
    pub end: Option<Error>,
}

impl Visit {
    /// A client that has not said anything yet.
    ///
    /// # Errors
    /// There is no such algorithm or key.
    pub fn new(terms: &Terms) -> Result<Self, String> {
        let now = Instant::now();
        let config = ClientConfig { common: config(terms)?, user: terms.user.clone().into() };
        let entropy = Box::new(SeededEntropy::new(terms.seed));
        let engine = Connection::client(config, entropy, now).map_err(|error| error.to_string())?;
        let (signer, outcome) = (signer(&terms.key)?, Outcome::default());
        Ok(Self { engine, now, terms: terms.clone(), signer, channel: None, outcome })
    }

    /// What the client says now.
    pub fn say(&mut self) -> Vec<u8> {
        let said = self.engine.transmit().to_vec();
        self.engine.transmitted(said.len());
        said
    }

    /// The server says this.
    pub fn hear(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.outcome.end.is_none() {
            let space = self.engine.receive_space();
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            self.engine.received(count, self.now);
            bytes = &bytes[count..];
            self.react();
        }
    }

    /// The server is gone.
    pub fn hear_the_end(&mut self) {
        self.engine.received_end(self.now);
        self.react();
    }

    /// What has come of it so far.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    fn react(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            self.on_event(event);
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Question(id, question) => {
                if let Some(answer) = self.answer(question) {
                    self.engine.answer(id, answer, self.now);
                }
            }
            Event::KeysExchanged { negotiated, rekey, .. } => {
                self.outcome.exchanges.push(*negotiated);
                if rekey {
                    self.send(SECOND);
                }
            }
            Event::Authenticated => {
                self.outcome.logged_on = true;
                let target = (self.terms.target.0.as_str(), self.terms.target.1);
                self.channel = self.engine.open_direct_tcpip(target, ("127.0.0.1", 1), self.now);
            }
            Event::ChannelOpened(_) => self.send(FIRST),
            Event::Readable(channel) => self.read(channel),
            Event::ChannelClosed(channel) => {
                self.engine.close(channel, self.now);
                let goodbye = Goodbye { reason: DisconnectReason::BY_APPLICATION, description: "done" };
                self.engine.disconnect(&goodbye, self.now);
            }
            Event::Closed(error) => self.outcome.end = Some(error),
            _ => {}
        }
    }

    /// A server that asks for more than a key is none that transcripts are about.
    fn answer(&self, question: Question) -> Option<Answer> {
        Some(match question {
            Question::HostKey { .. } => Answer::HostKey(true),
            Question::Credential { last: None } => Answer::Credential(Credential::Key {
                key: self.signer.public_key().to_vec(),
                algorithms: vec![self.terms.signature.clone()],
                query: false,
            }),
            Question::Credential { .. } => Answer::Credential(Credential::GiveUp),
            Question::Signature { algorithm, data, .. } => {
                Answer::Signature(self.signer.sign(&algorithm, &data).ok())
            }
            _ => return None,
        })
    }

    fn send(&mut self, bytes: &[u8]) {
        let Some(channel) = self.channel else { return };
        let mut rest = bytes;
        for slot in self.engine.slots(channel, bytes.len()) {
            let (now, later) = rest.split_at(slot.len());
            slot.copy_from_slice(now);
            rest = later;
        }
        self.engine.commit(channel, bytes.len() - rest.len(), self.now);
    }

    fn read(&mut self, channel: ChannelId) {
        let before = self.outcome.echo.len();
        self.outcome.echo.extend(self.engine.chunks(channel).flatten().copied());
        let now = self.outcome.echo.len();
        self.engine.consume(channel, now - before, self.now);
        // Without data it is the end.
        if now > before && now == FIRST.len() {
            self.engine.rekey(self.now);
        }
        if now > before && now == FIRST.len() + SECOND.len() {
            self.engine.finish(channel, self.now);
        }
    }
}

impl Outcome {
    /// Whether it came to what these terms are about.
    ///
    /// # Errors
    /// It did not.
    pub fn check(&self, terms: &Terms) -> Result<(), String> {
        let Terms { kex, host_key, cipher, mac, compression, .. } = terms;
        for negotiated in &self.exchanges {
            let mac_of = |chosen: &Option<underpass_proto::Choice<underpass_crypto::Mac>>| {
                chosen.map_or(mac.as_str(), |chosen| chosen.name)
            };
            let agreed = [
                (negotiated.kex.name, kex),
                (negotiated.host_key.map_or("none", |algorithm| algorithm.0.name), host_key),
                (negotiated.cipher_out.name, cipher),
                (negotiated.cipher_in.name, cipher),
                (mac_of(&negotiated.mac_out), mac),
                (mac_of(&negotiated.mac_in), mac),
                (negotiated.compression_out.name, compression),
                (negotiated.compression_in.name, compression),
            ];
            if let Some((agreed, wanted)) = agreed.iter().find(|(agreed, wanted)| agreed != wanted) {
                return Err(format!("agreed on {agreed} instead of {wanted}"));
            }
        }
        let whole = self.logged_on && self.exchanges.len() == 2 && self.echo == [FIRST, SECOND].concat();
        match &self.end {
            Some(Error::Stopped) if whole => Ok(()),
            _ => Err(format!("it came to {self:?}")),
        }
    }
}

/// Everything that shows on the wire is said here and is no default, which may change.
fn config(terms: &Terms) -> Result<Config, String> {
    let provider = Provider::ALL;
    let (cipher, mac) = (named(provider.ciphers, &terms.cipher)?, named(provider.macs, &terms.mac)?);
    let compression = named(provider.compression, &terms.compression)?;
    let algorithms = Algorithms {
        kex: named(provider.kex, &terms.kex)?,
        host_keys: named(provider.signatures, &terms.host_key)?,
        ciphers_out: cipher.clone(),
        ciphers_in: cipher,
        macs_out: mac.clone(),
        macs_in: mac,
        compression_out: compression.clone(),
        compression_in: compression,
        public_key: named(provider.signatures, &terms.signature)?,
        public_key_if_listed: Vec::new(),
    };
    Ok(Config {
        algorithms,
        group_sizes: GroupSizes::new(2048, 2048, 4096).ok_or("no such sizes")?,
        strict_kex: StrictKex::Enabled,
        identification: "SSH-2.0-Visitor".to_owned(),
        receive_memory: 1 << 20,
        max_window: 64 << 10,
        max_packet: 32 << 10,
        ..Config::default()
    })
}

fn named<T: Named>(all: &'static [&'static T], name: &str) -> Result<Vec<&'static T>, String> {
    let found = Provider::find(all, name).ok_or_else(|| format!("there is no algorithm `{name}`"))?;
    Ok(vec![found])
}

fn signer(key: &str) -> Result<Arc<dyn Signer>, String> {
    let file = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{key}\n-----END OPENSSH PRIVATE KEY-----\n");
    let key = underpass_keys::load(file.as_bytes(), None).map_err(|error| error.to_string())?;
    Ok(key.signer)
}

/// What is sent under the first keys: something for compression to do.
const FIRST: &[u8] =
    b"to be, or not to be: that is the question: whether 'tis nobler in the mind to suffer ...";

/// What is sent under the second.
const SECOND: &[u8] =
    b"whether 'tis nobler in the mind to suffer the slings and arrows of outrageous fortune";
