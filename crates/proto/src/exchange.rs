//! The key exchange (RFC 4253 sections 7 to 9), first and later ones, from either side.
//!
//! ```text
//!        we or the peer           peer's KEXINIT            reply sent / signature verified
//!  Idle ───────────────▶ Proposed ─────────────▶ Agreeing ─────────────────────────────▶ Finishing
//!    ▲                    (ours sent)                       our NEWKEYS sent and its NEWKEYS come │
//!    └──────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A client sends its NEWKEYS only once the host key is accepted. Everything that belongs to the connection waits
//! meanwhile; what the peer sent before its own KEXINIT is still served.

mod flow;
mod group;
mod gss;

use std::sync::Arc;
use std::time::Instant;

use underpass_crypto::packet::{Keys, Opener, Sealer};
use underpass_crypto::{
    Agreement, Cipher, Derivation, Digest, Encoding, GroupSizes, Initiator, Kex, KexError, Mac, Proof,
    Secret, Signer,
};
use underpass_wire::{
    Encode, ExtInfo, Extension, KexFamily, KexInit, List, NewKeys, Number, Put as _, SERVER_SIG_ALGS,
};

use self::flow::{Flow, Reply};
pub(crate) use self::group::GroupRequest;
pub(crate) use self::gss::Completion;
use self::gss::{GssContext, GssProof};
use crate::config::{Algorithms, Config, StrictKex};
use crate::error::{Error, PeerMisbehaved};
use crate::event::{Event, HostProof, Question, QuestionId};
use crate::negotiate::{Negotiated, Offer, negotiate};
use crate::outbox::{NewOpener, Outbox};
use crate::role::Role;
use crate::timer::Timer;

pub(crate) struct KeyExchange {
    role: Role,
    algorithms: Algorithms,
    group_sizes: GroupSizes,
    strictness: StrictKex,
    host_keys: Vec<Arc<dyn Signer>>,
    /// Without line ends, as they enter the hash.
    our_identification: String,
    peer_identification: String,
    /// What the first exchange settled for the whole connection.
    session: Option<Session>,
    /// Payload bytes after which the keys in use are worn out.
    most_bytes: u64,
    state: State,
}

struct Session {
    id: Digest,
    strict: bool,
    /// The host key that was accepted; the same key needs no second question.
    host_key: Vec<u8>,
}

enum State {
    Idle,
    /// Our KEXINIT is sent.
    Proposed {
        ours: Vec<u8>,
    },
    /// Both KEXINITs are known; the method runs.
    Agreeing(Box<Agreeing>),
    /// The secret is agreed on; keys come into use as each side's NEWKEYS passes.
    Finishing(Box<Finishing>),
}

struct Agreeing {
    negotiated: Negotiated,
    ours: Vec<u8>,
    theirs: Vec<u8>,
    skip_guess: bool,
    flow: Flow,
    /// The client's half, until the reply comes.
    initiator: Option<Box<dyn Initiator>>,
    /// Where a GSS-API mechanism vouches for the server.
    gss: Option<GssContext>,
    sent: Instant,
}

struct Finishing {
    negotiated: Negotiated,
    /// Until our NEWKEYS is sent.
    sealer: Option<Sealer>,
    /// Until the peer's NEWKEYS has come.
    opener: Option<Opener>,
    /// What our NEWKEYS waits for.
    awaited: Option<Awaited>,
    rekey: bool,
    proof: Option<Box<HostProof>>,
}

/// The application's part in finding out who the server is.
enum Awaited {
    /// It decides about the host key.
    HostKey(QuestionId, Vec<u8>),
    /// It has the mechanism check the server's proof.
    Gss(GssProof),
}

/// What an exchange has come to.
#[derive(Debug, PartialEq)]
pub(crate) enum Progress {
    Underway,
    /// New keys are in use both ways.
    Done,
}

impl KeyExchange {
    pub(crate) fn new(role: Role, config: &Config, host_keys: Vec<Arc<dyn Signer>>) -> Self {
        let mut algorithms = config.algorithms.clone();
        if role == Role::Server {
            let can_sign = |name: &str| host_keys.iter().any(|key| key.algorithms().contains(&name));
            algorithms.host_keys.retain(|algorithm| can_sign(algorithm.name));
            // We have no acceptor.
            algorithms.kex.retain(|kex| kex.proof == Proof::HostKey);
        }
        Self {
            role,
            algorithms,
            group_sizes: config.group_sizes,
            strictness: config.strict_kex,
            host_keys,
            our_identification: config.identification.clone(),
            peer_identification: String::new(),
            session: None,
            most_bytes: u64::MAX,
            state: State::Idle,
        }
    }

    pub(crate) fn peer_identified(&mut self, identification: &str) {
        self.peer_identification = identification.to_owned();
    }

    /// The session identifier (RFC 4253 section 7.2). Present once the first exchange has a secret.
    pub(crate) fn session_id(&self) -> Option<&[u8]> {
        self.session.as_ref().map(|session| session.id.as_ref())
    }

    /// Payload bytes, in either direction, after which the keys in use are worn out.
    pub(crate) fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether the peer may send only messages of the key exchange now: its KEXINIT has come, its NEWKEYS has not.
    pub(crate) fn peer_is_gated(&self) -> bool {
        match &self.state {
            State::Idle | State::Proposed { .. } => false,
            State::Agreeing(_) => true,
            State::Finishing(finishing) => finishing.opener.is_some(),
        }
    }

    /// Whether the peer's KEXINIT of this exchange has come.
    pub(crate) fn has_peer_proposal(&self) -> bool {
        matches!(self.state, State::Agreeing(_) | State::Finishing(_))
    }

    /// Whether the application is looking at a host key.
    pub(crate) fn is_asking(&self) -> bool {
        matches!(&self.state, State::Finishing(finishing) if matches!(finishing.awaited, Some(Awaited::HostKey(..))))
    }

    /// Whether this is a first, strict exchange, in which nothing else is tolerated.
    pub(crate) fn is_strict_first(&self) -> bool {
        match &self.state {
            State::Agreeing(agreeing) => self.session.is_none() && agreeing.negotiated.strict,
            State::Finishing(finishing) => {
                !finishing.rekey && finishing.negotiated.strict && finishing.opener.is_some()
            }
            State::Idle | State::Proposed { .. } => false,
        }
    }

    /// What the message numbers 30 to 49 mean now.
    pub(crate) fn family(&self) -> Option<KexFamily> {
        match &self.state {
            State::Agreeing(agreeing) => Some(agreeing.negotiated.kex.family()),
            _ => None,
        }
    }

    /// Begins an exchange unless one is under way.
    pub(crate) fn propose(&mut self, out: &mut Outbox) -> Result<(), Error> {
        if !self.is_idle() {
            return Ok(());
        }
        let offer = Offer::new(&self.algorithms, self.strictness, self.role, self.session.is_none());
        let mut cookie = [0; 16];
        out.entropy.fill(&mut cookie);
        let mut ours = Vec::new();
        offer.message(self.role, cookie)?.encode(&mut ours);
        out.send_payload(&ours)?;
        out.tx.close_gate();
        self.state = State::Proposed { ours };
        Ok(())
    }

    /// The peer's KEXINIT. `sequence` is its packet's number.
    pub(crate) fn on_kexinit(
        &mut self,
        payload: &[u8],
        theirs: &KexInit<'_>,
        sequence: u32,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        self.propose(out)?;
        let State::Proposed { ours } = std::mem::replace(&mut self.state, State::Idle) else {
            return Err(unexpected(Number::KEXINIT));
        };
        let first_strict = self.session.as_ref().map(|session| session.strict);
        let negotiated = negotiate(&self.algorithms, self.strictness, theirs, self.role, first_strict)?;
        out.tx.trace.agreed_on(negotiated.kex.family());
        if first_strict.is_none() && negotiated.strict && sequence != 0 {
            // OpenSSH PROTOCOL 1.9: with strict key exchange KEXINIT is the first packet.
            return Err(PeerMisbehaved::StrictKex.into());
        }
        let mut agreeing = Box::new(Agreeing {
            skip_guess: negotiated.wrong_guess,
            flow: Flow::new(&negotiated.kex, self.group_sizes),
            gss: (negotiated.kex.proof == Proof::Gss).then(GssContext::default),
            negotiated,
            ours,
            theirs: payload.to_vec(),
            initiator: None,
            sent: now,
        });
        if self.role == Role::Client && !agreeing.flow.request_group(out)? {
            agreeing.initiate(out)?;
        }
        self.state = State::Agreeing(agreeing);
        Ok(())
    }

    /// Whether the packet that has come is the void one that follows a wrong guess.
    pub(crate) fn take_wrong_guess(&mut self) -> bool {
        match &mut self.state {
            State::Agreeing(agreeing) => std::mem::take(&mut agreeing.skip_guess),
            _ => false,
        }
    }

    /// Server role: the client asks for a group.
    pub(crate) fn on_group_request(
        &mut self,
        request: &GroupRequest,
        out: &mut Outbox,
    ) -> Result<Progress, Error> {
        let State::Agreeing(agreeing) = &mut self.state else {
            return Err(unexpected(Number::KEX_DH_GEX_REQUEST));
        };
        agreeing.flow.group_exchange(Number::KEX_DH_GEX_REQUEST)?.on_request(request, out)?;
        Ok(Progress::Underway)
    }

    /// Client role: the group that the server picked.
    pub(crate) fn on_group(
        &mut self,
        p: &[u8],
        g: &[u8],
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Progress, Error> {
        let State::Agreeing(agreeing) = &mut self.state else {
            return Err(unexpected(Number::KEX_DH_GEX_GROUP));
        };
        agreeing.flow.group_exchange(Number::KEX_DH_GEX_GROUP)?.on_group(p, g)?;
        out.sample_rtt(agreeing.sent, now);
        agreeing.initiate(out)?;
        agreeing.sent = now;
        Ok(Progress::Underway)
    }

    /// Server role: the client's public value.
    pub(crate) fn on_init(&mut self, client_public: &[u8], out: &mut Outbox) -> Result<Progress, Error> {
        let Some(agreeing) = self.take_agreeing(Role::Server) else {
            return Err(unexpected(Number(30)));
        };
        // Only a group exchange can be without one: the client has not asked for a group.
        let agreement = agreeing.flow.agreement().ok_or_else(|| unexpected(Number::KEX_DH_GEX_INIT))?;
        let response = agreement.respond(client_public, out.entropy.as_mut())?;
        let algorithm = agreeing.negotiated.host_key_algorithm()?.name;
        let signer = self
            .host_keys
            .iter()
            .find(|key| key.algorithms().contains(&algorithm))
            .ok_or(Error::Internal("a host key algorithm was negotiated that no key has"))?;
        let host_key = signer.public_key().to_vec();
        let publics = Publics { client: client_public, server: &response.public };
        let secret = encoded_secret(&response.secret, agreement);
        let hash = self.hash(&agreeing, &host_key, &publics, agreement.public_encoding(), &secret)?;
        let signature =
            signer.sign(algorithm, &hash).map_err(|_| Error::Internal("the host key cannot sign"))?;
        let reply = Reply { host_key: &host_key, public: &response.public, signature: &signature };
        agreeing.flow.reply(&reply, agreement.public_encoding(), out)?;
        self.finish(*agreeing, hash, &secret, host_key)?;
        self.send_newkeys(out)
    }

    /// Client role: the server's public value, its host key and the signature.
    pub(crate) fn on_reply(
        &mut self,
        host_key: &[u8],
        server_public: &[u8],
        signature: &[u8],
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Progress, Error> {
        let Some(mut agreeing) = self.take_agreeing(Role::Client) else {
            return Err(unexpected(Number(31)));
        };
        out.sample_rtt(agreeing.sent, now);
        let Agreed { secret, hash } = self.agree(&mut agreeing, host_key, server_public)?;
        let algorithm = agreeing.negotiated.host_key_algorithm()?;
        (algorithm.verify)(host_key, signature, &hash).map_err(PeerMisbehaved::HostKeySignature)?;
        let known = self.session.as_ref().is_some_and(|session| session.host_key == host_key);
        let name = algorithm.name;
        self.finish(*agreeing, hash, &secret, host_key.to_vec())?;
        self.keep_proof(host_key, &hash, signature);
        if known {
            return self.send_newkeys(out);
        }
        let question = out.ask(Question::HostKey { key: host_key.to_vec(), algorithm: name });
        self.wait_for(Awaited::HostKey(question, host_key.to_vec()));
        Ok(Progress::Underway)
    }

    /// The client's last step: the secret, and what is to be proven.
    fn agree(&self, agreeing: &mut Agreeing, host_key: &[u8], server_public: &[u8]) -> Result<Agreed, Error> {
        // Only a group exchange can be without one: the server has not sent a group.
        let initiator = agreeing.initiator.take();
        let (initiator, agreement) =
            initiator.zip(agreeing.flow.agreement()).ok_or_else(|| unexpected(Number::KEX_DH_GEX_REPLY))?;
        let client_public = initiator.public().to_vec();
        let secret = encoded_secret(&initiator.finish(server_public)?, agreement);
        let publics = Publics { client: &client_public, server: server_public };
        let hash = self.hash(agreeing, host_key, &publics, agreement.public_encoding(), &secret)?;
        Ok(Agreed { secret, hash })
    }

    fn keep_proof(&mut self, host_key: &[u8], hash: &Digest, signature: &[u8]) {
        if let State::Finishing(finishing) = &mut self.state
            && !finishing.rekey
        {
            let (host_key, session_id) = (host_key.to_vec(), hash.to_vec());
            let proof = HostProof { host_key, session_id, signature: signature.to_vec() };
            finishing.proof = Some(Box::new(proof));
        }
    }

    fn wait_for(&mut self, awaited: Awaited) {
        if let State::Finishing(finishing) = &mut self.state {
            finishing.awaited = Some(awaited);
        }
    }

    /// The application's decision about the host key; `None` when nobody asked that.
    pub(crate) fn on_host_key_answer(
        &mut self,
        id: QuestionId,
        accepted: bool,
        out: &mut Outbox,
    ) -> Option<Result<Progress, Error>> {
        let State::Finishing(finishing) = &mut self.state else { return None };
        let Some(Awaited::HostKey(question, key)) = &mut finishing.awaited else { return None };
        if *question != id {
            return None;
        }
        let key = std::mem::take(key);
        finishing.awaited = None;
        if !accepted {
            return Some(Err(Error::HostKeyRefused));
        }
        if let Some(session) = &mut self.session {
            session.host_key = key;
        }
        Some(self.send_newkeys(out))
    }

    /// The peer's NEWKEYS.
    pub(crate) fn on_newkeys(&mut self, out: &mut Outbox) -> Result<Progress, Error> {
        let State::Finishing(finishing) = &mut self.state else {
            return Err(unexpected(Number::NEWKEYS));
        };
        let opener = finishing.opener.take().ok_or_else(|| unexpected(Number::NEWKEYS))?;
        let Negotiated { strict, compression_in, .. } = &finishing.negotiated;
        out.opener = Some(NewOpener { opener, restart_sequence: *strict, compression: compression_in.0 });
        Ok(self.progress(out))
    }

    fn send_newkeys(&mut self, out: &mut Outbox) -> Result<Progress, Error> {
        let State::Finishing(finishing) = &mut self.state else {
            return Err(Error::Internal("NEWKEYS without keys"));
        };
        let sealer = finishing.sealer.take().ok_or(Error::Internal("NEWKEYS twice"))?;
        out.send(&NewKeys)?;
        out.rekey(sealer, finishing.negotiated.strict, finishing.negotiated.compression_out.0);
        if finishing.negotiated.ext_info {
            self.send_extensions(out)?;
        }
        Ok(self.progress(out))
    }

    /// RFC 8308 section 2.4: right after the server's first NEWKEYS.
    fn send_extensions(&self, out: &mut Outbox) -> Result<(), Error> {
        let names: Vec<_> = self.algorithms.public_key.iter().map(|algorithm| algorithm.name).collect();
        let value = names.join(",");
        let server_sig_algs = Extension { name: SERVER_SIG_ALGS.as_bytes(), value: value.as_bytes() };
        let mut buffer = Vec::new();
        let extensions = List::new([server_sig_algs], &mut buffer)
            .map_err(|_| Error::Internal("one extension is too many"))?;
        out.send(&ExtInfo { extensions })
    }

    fn progress(&mut self, out: &mut Outbox) -> Progress {
        let State::Finishing(finishing) = &self.state else { return Progress::Underway };
        if finishing.sealer.is_some() || finishing.opener.is_some() {
            return Progress::Underway;
        }
        let State::Finishing(finishing) = std::mem::replace(&mut self.state, State::Idle) else {
            return Progress::Underway;
        };
        out.timers.stop(Timer::RekeyEnd);
        self.most_bytes = finishing.negotiated.most_bytes();
        let Finishing { negotiated, rekey, proof, .. } = *finishing;
        out.tell(Event::KeysExchanged { negotiated: Box::new(negotiated), rekey, proof });
        Progress::Done
    }

    fn take_agreeing(&mut self, role: Role) -> Option<Box<Agreeing>> {
        if self.role != role || !matches!(self.state, State::Agreeing(_)) {
            return None;
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Agreeing(agreeing) => Some(agreeing),
            _ => None,
        }
    }

    /// RFC 4253 section 8, RFC 5656 section 4: H = hash(V_C, V_S, I_C, I_S, K_S, publics, K). RFC 4419 section 3 has the
    /// request and the group before the public values.
    fn hash(
        &self,
        agreeing: &Agreeing,
        host_key: &[u8],
        publics: &Publics<'_>,
        encoding: Encoding,
        secret: &Secret,
    ) -> Result<Digest, KexError> {
        let (ours, theirs) = (self.our_identification.as_bytes(), self.peer_identification.as_bytes());
        let parts = match self.role {
            Role::Client => [ours, theirs, &agreeing.ours, &agreeing.theirs],
            Role::Server => [theirs, ours, &agreeing.theirs, &agreeing.ours],
        };
        let mut text = Vec::new();
        for part in parts.into_iter().chain([host_key]) {
            text.put_string(part);
        }
        let [client, server] = [publics.client, publics.server].map(|public| encoded(public, encoding));
        agreeing.negotiated.kex.digest(&[&text, agreeing.flow.hashed(), &client, &server, secret.expose()])
    }

    /// `secret` is as it enters hashes.
    fn finish(
        &mut self,
        agreeing: Agreeing,
        hash: Digest,
        secret: &Secret,
        host_key: Vec<u8>,
    ) -> Result<(), KexError> {
        let negotiated = agreeing.negotiated;
        let rekey = self.session.is_some();
        let session = self.session.get_or_insert_with(|| Session {
            id: hash,
            strict: negotiated.strict,
            // A client takes note of it when it is accepted.
            host_key: if self.role == Role::Server { host_key } else { Vec::new() },
        });
        let from = Derivation { secret, exchange: &hash, session: &session.id };
        let kex = &negotiated.kex;
        // RFC 4253 section 7.2: A, C, E from client to server, B, D, F the other way.
        let (out, inward) = match self.role {
            Role::Client => (*b"ACE", *b"BDF"),
            Role::Server => (*b"BDF", *b"ACE"),
        };
        let (cipher, mac) = (negotiated.cipher_out.0, negotiated.mac_out.map(|mac| mac.0));
        let sealer = with_keys(kex, &from, out, (cipher, mac), |keys| Sealer::new(cipher, mac, keys))?;
        let (cipher, mac) = (negotiated.cipher_in.0, negotiated.mac_in.map(|mac| mac.0));
        let opener = with_keys(kex, &from, inward, (cipher, mac), |keys| Opener::new(cipher, mac, keys))?;
        self.state = State::Finishing(Box::new(Finishing {
            negotiated,
            sealer: Some(sealer),
            opener: Some(opener),
            awaited: None,
            rekey,
            proof: None,
        }));
        Ok(())
    }
}

impl Agreeing {
    /// The client's half of the agreement, if there is a group to have one in. It goes to the server at once, or with
    /// the mechanism's first token.
    fn initiate(&mut self, out: &mut Outbox) -> Result<(), Error> {
        let Some(agreement) = self.flow.agreement() else { return Ok(()) };
        let initiator = agreement.initiate(out.entropy.as_mut())?;
        match &mut self.gss {
            None => self.flow.send_init(initiator.public(), out)?,
            Some(gss) => gss.begin(out),
        }
        self.initiator = Some(initiator);
        Ok(())
    }
}

/// What both sides have come to.
struct Agreed {
    /// As it enters hashes.
    secret: Secret,
    hash: Digest,
}

struct Publics<'a> {
    client: &'a [u8],
    server: &'a [u8],
}

/// Makes something of the keys of one direction: initial vector, encryption key and integrity key, by their letters.
fn with_keys<T>(
    kex: &Kex,
    from: &Derivation<'_>,
    letters: [u8; 3],
    (cipher, mac): (&Cipher, Option<&Mac>),
    make: impl FnOnce(&Keys<'_>) -> T,
) -> Result<T, KexError> {
    let iv = kex.derive(from, letters[0], cipher.iv_len)?;
    let key = kex.derive(from, letters[1], cipher.key_len)?;
    let mac_key = kex.derive(from, letters[2], mac.map_or(0, |mac| mac.key_len))?;
    Ok(make(&Keys { iv: iv.expose(), key: key.expose(), mac_key: mac_key.expose() }))
}

fn unexpected(number: Number) -> Error {
    PeerMisbehaved::Unexpected { number, phase: "this step of the key exchange" }.into()
}

fn encoded(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    // Room for the length and a sign byte, so that a secret is not left behind by growth.
    let mut out = Vec::with_capacity(bytes.len() + 5);
    match encoding {
        Encoding::String => out.put_string(bytes),
        Encoding::Mpint => out.put_mpint(bytes),
    }
    out
}

fn encoded_secret(secret: &Secret, agreement: &dyn Agreement) -> Secret {
    Secret::new(encoded(secret.expose(), agreement.secret_encoding()))
}
