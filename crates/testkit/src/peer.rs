//! An SSH peer that does what a test tells it, packet by packet: the smallest second implementation of the transport.
//!
//! It knows one method (`curve25519-sha256`), one host key type (`ssh-ed25519`) and whichever cipher and compression it
//! is told, and checks nothing that the test does not check.

use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_crypto::algorithms::x25519::CURVE25519_SHA256;
use underpass_crypto::algorithms::zlib::{ZLIB, ZLIB_OPENSSH};
use underpass_crypto::packet::{HEADER_LEN, Keys, MAX_PACKET_LENGTH, Opened, Opener, Sealer};
use underpass_crypto::{
    Agreement, Cipher, Compress, Decompress, Entropy as _, Hash, Initiator, KexMethod, Mac, Provider,
    Signer as _, Streams,
};
use underpass_proto::Role;
use underpass_wire::{
    Encode, KexEcdhInit, KexEcdhReply, KexInit, NameList, NewKeys, Number, Put as _, Reader,
};

use crate::entropy::SeededEntropy;

/// What the peer offers in KEXINIT.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Key exchange methods and markers.
    pub kex: String,
    /// Host key algorithms.
    pub host_key: String,
    /// Ciphers, both ways.
    pub cipher: String,
    /// MACs, both ways.
    pub mac: String,
    /// Compression, both ways.
    pub compression: String,
    /// Whether a guessed packet follows.
    pub follows: bool,
}

/// A peer in either role.
pub struct Peer {
    /// What the next KEXINIT says.
    pub proposal: Proposal,
    /// Bytes for the other side.
    pub output: Vec<u8>,
    /// Whether sequence numbers restart and the other side does so too.
    pub strict: bool,
    /// Signs the key exchanges in the server's role.
    pub host_key: Ed25519Key,
    /// Public values are sent as this test wants them.
    pub bend_public: Option<Vec<u8>>,
    role: Role,
    random: SeededEntropy,
    input: Vec<u8>,
    /// Bytes of the input that are dealt with.
    read: usize,
    /// The size of the packet at the front of the input, once known: asking twice would decrypt twice.
    size: Option<usize>,
    sealer: Sealer,
    opener: Opener,
    compress: Option<Box<dyn Compress>>,
    decompress: Option<Box<dyn Decompress>>,
    /// Whether USERAUTH_SUCCESS has passed.
    logged_on: bool,
    sent: u32,
    received: u32,
    our_line: Vec<u8>,
    their_line: Vec<u8>,
    our_kexinit: Vec<u8>,
    their_kexinit: Vec<u8>,
    initiator: Option<Box<dyn Initiator>>,
    session_id: Option<Vec<u8>>,
    next_keys: Option<(Sealer, Opener)>,
    next_opener: Option<Opener>,
    /// The other side's NEWKEYS has come and was not handed out.
    at_newkeys: bool,
}

/// The identification the peer sends.
pub const IDENTIFICATION: &str = "SSH-2.0-Scripted";

impl Peer {
    /// A peer that has sent nothing.
    pub fn new(role: Role, seed: u64) -> Self {
        let marker = match role {
            Role::Client => "ext-info-c,kex-strict-c-v00@openssh.com",
            Role::Server => "kex-strict-s-v00@openssh.com",
        };
        let mut random = SeededEntropy::new(seed);
        Self {
            proposal: Proposal {
                kex: format!("curve25519-sha256,{marker}"),
                host_key: "ssh-ed25519".to_owned(),
                cipher: "aes128-gcm@openssh.com".to_owned(),
                mac: "hmac-sha2-256-etm@openssh.com".to_owned(),
                compression: "none".to_owned(),
                follows: false,
            },
            output: Vec::new(),
            strict: true,
            host_key: Ed25519Key::generate(&mut random),
            bend_public: None,
            role,
            random,
            input: Vec::new(),
            read: 0,
            size: None,
            sealer: Sealer::clear(),
            opener: Opener::clear(),
            compress: None,
            decompress: None,
            logged_on: false,
            sent: 0,
            received: 0,
            our_line: Vec::new(),
            their_line: Vec::new(),
            our_kexinit: Vec::new(),
            their_kexinit: Vec::new(),
            initiator: None,
            session_id: None,
            next_keys: None,
            next_opener: None,
            at_newkeys: false,
        }
    }

    /// A peer without strict key exchange and extensions.
    pub fn plain(role: Role, seed: u64) -> Self {
        let mut peer = Self::new(role, seed);
        peer.proposal.kex = "curve25519-sha256".to_owned();
        peer.strict = false;
        peer
    }

    /// The role the peer plays.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The session identifier, after the first key exchange.
    pub fn session_id(&self) -> Option<&[u8]> {
        self.session_id.as_deref()
    }

    // ---- sending ----

    /// Sends the identification.
    pub fn identify(&mut self) {
        self.our_line = IDENTIFICATION.as_bytes().to_vec();
        self.output.put_bytes(format!("{IDENTIFICATION}\r\n").as_bytes());
    }

    /// Sends a message.
    pub fn send(&mut self, message: &impl Encode) {
        let mut payload = Vec::new();
        message.encode(&mut payload);
        self.send_payload(&payload);
    }

    /// Sends any payload in a sealed packet, compressed if that was agreed on.
    pub fn send_payload(&mut self, payload: &[u8]) {
        match &mut self.compress {
            Some(stream) => {
                let mut packed = Vec::new();
                stream.compress(payload, &mut packed);
                self.send_packed(&packed);
            }
            None => self.send_packed(payload),
        }
        if payload.first() == Some(&Number::USERAUTH_SUCCESS.0) {
            self.log_on();
        }
    }

    /// Sends a payload as it is, even where payloads are compressed.
    pub fn send_packed(&mut self, payload: &[u8]) {
        let mut packet = vec![0; self.sealer.packet_len(payload.len())];
        packet[HEADER_LEN..HEADER_LEN + payload.len()].copy_from_slice(payload);
        self.sealer.seal(self.sent, &mut packet, payload.len(), &mut self.random);
        self.sent = self.sent.wrapping_add(1);
        self.output.extend_from_slice(&packet);
    }

    /// Sends KEXINIT.
    pub fn send_kexinit(&mut self) {
        let mut cookie = [0; 16];
        self.random.fill(&mut cookie);
        let Proposal { kex, host_key, cipher, mac, compression, follows } = self.proposal.clone();
        let payload = encoded(&KexInit {
            cookie,
            kex_algorithms: list(&kex),
            server_host_key_algorithms: list(&host_key),
            encryption_c2s: list(&cipher),
            encryption_s2c: list(&cipher),
            mac_c2s: list(&mac),
            mac_s2c: list(&mac),
            compression_c2s: list(&compression),
            compression_s2c: list(&compression),
            languages_c2s: NameList::EMPTY,
            languages_s2c: NameList::EMPTY,
            first_kex_packet_follows: follows,
            reserved: 0,
        });
        self.send_payload(&payload);
        self.our_kexinit = payload;
    }

    /// Client role: sends its public value.
    pub fn send_init(&mut self) {
        let initiator = agreement().initiate(&mut self.random).expect("the arithmetic does not fail");
        let public = self.bend_public.clone().unwrap_or_else(|| initiator.public().to_vec());
        self.send(&KexEcdhInit { client_public: &public });
        self.initiator = Some(initiator);
    }

    /// Server role: answers the client's public value with its own and a signature; NEWKEYS is not sent yet.
    pub fn send_reply(&mut self, client_public: &[u8]) {
        let response =
            agreement().respond(client_public, &mut self.random).expect("the engine's value is good");
        let host_key = self.host_key.public_key().to_vec();
        let hash = self.hash(&host_key, client_public, &response.public, response.secret.expose());
        let signature = self.host_key.sign("ssh-ed25519", &hash).expect("the key can sign");
        let public = self.bend_public.clone().unwrap_or_else(|| response.public.clone());
        self.send(&KexEcdhReply { host_key: &host_key, server_public: &public, signature: &signature });
        self.derive(&hash, response.secret.expose());
    }

    /// Server role, in a GSS-API exchange: takes the client's public value, with this host key if any. Gives our public
    /// value and what the mechanism is to prove; nothing is sent.
    pub fn agree(&mut self, client_public: &[u8], host_key: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let response =
            agreement().respond(client_public, &mut self.random).expect("the engine's value is good");
        let hash = self.hash(host_key, client_public, &response.public, response.secret.expose());
        self.derive(&hash, response.secret.expose());
        (response.public, hash)
    }

    /// Client role: takes the server's reply.
    pub fn take_reply(&mut self, reply: &KexEcdhReply<'_>) {
        let initiator = self.initiator.take().expect("the client's half was sent");
        let client_public = initiator.public().to_vec();
        let secret = initiator.finish(reply.server_public).expect("the engine's value is good");
        let hash = self.hash(reply.host_key, &client_public, reply.server_public, secret.expose());
        self.derive(&hash, secret.expose());
    }

    /// Sends NEWKEYS and uses the new keys from then on.
    pub fn send_newkeys(&mut self) {
        self.send(&NewKeys);
        let (sealer, opener) = self.next_keys.take().expect("keys were agreed on");
        self.sealer = sealer;
        self.compress = self.streams().map(|streams| (streams.compress)());
        self.next_opener = Some(opener);
        if self.strict {
            self.sent = 0;
        }
    }

    // ---- receiving ----

    /// Takes bytes of the other side.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.drain(..std::mem::take(&mut self.read));
        self.input.extend_from_slice(bytes);
        if self.their_line.is_empty()
            && let Some(end) = self.input.iter().position(|byte| *byte == b'\n')
        {
            self.their_line = self.input[..end - 1].to_vec();
            self.read = end + 1;
        }
    }

    /// The payload of the next packet. NEWKEYS takes the other side's new keys into use; it and what follows wait
    /// until the script has sent its own.
    ///
    /// # Panics
    /// A packet cannot be opened: what the engine sends must always be right.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        if self.their_line.is_empty() {
            return None;
        }
        if self.at_newkeys {
            self.opener = self.next_opener.take()?;
            self.decompress = self.streams().map(|streams| (streams.decompress)());
            self.at_newkeys = false;
            if self.strict {
                self.received = 0;
            }
            return Some(encoded(&NewKeys));
        }
        let size = match self.size {
            Some(size) => size,
            None => {
                let head = self.opener.head_len();
                let head = self.input.get_mut(self.read..self.read + head)?;
                self.opener.length(self.received, head).expect("the engine sends possible lengths")
            }
        };
        self.size = Some(size);
        if self.input.len() - self.read < size {
            return None;
        }
        let packet = &mut self.input[self.read..self.read + size];
        self.read += size;
        self.size = None;
        let Ok(Opened::Payload(payload)) = self.opener.open(self.received, packet) else {
            panic!("the engine seals rightly");
        };
        self.received = self.received.wrapping_add(1);
        let mut payload = packet[payload].to_vec();
        if let Some(stream) = &mut self.decompress {
            let packed = std::mem::take(&mut payload);
            stream
                .decompress(&packed, &mut payload, MAX_PACKET_LENGTH)
                .expect("the engine compresses rightly");
        }
        match payload.first().map(|number| Number(*number)) {
            Some(Number::KEXINIT) => self.their_kexinit.clone_from(&payload),
            Some(Number::NEWKEYS) => {
                self.at_newkeys = true;
                return self.receive();
            }
            Some(Number::USERAUTH_SUCCESS) => self.log_on(),
            _ => {}
        }
        Some(payload)
    }

    // ---- keys ----

    /// What new keys bring, as far as it begins with them.
    fn streams(&self) -> Option<Streams> {
        let named =
            [&ZLIB, &ZLIB_OPENSSH].into_iter().find(|method| method.name == self.proposal.compression)?;
        named.streams.filter(|_| self.logged_on || !named.delayed)
    }

    /// Compression that waits for it begins, both ways.
    fn log_on(&mut self) {
        self.logged_on = true;
        let streams = self.streams();
        if self.compress.is_none() {
            self.compress = streams.map(|streams| (streams.compress)());
        }
        if self.decompress.is_none() {
            self.decompress = streams.map(|streams| (streams.decompress)());
        }
    }

    /// RFC 4253 section 8.
    fn hash(&self, host_key: &[u8], client_public: &[u8], server_public: &[u8], secret: &[u8]) -> Vec<u8> {
        let ours = [self.our_line.as_slice(), &self.our_kexinit];
        let theirs = [self.their_line.as_slice(), &self.their_kexinit];
        let (client, server) = match self.role {
            Role::Client => (ours, theirs),
            Role::Server => (theirs, ours),
        };
        let mut text = Vec::new();
        for part in [client[0], server[0], client[1], server[1], host_key, client_public, server_public] {
            text.put_string(part);
        }
        text.put_mpint(secret);
        Hash::Sha256.of(&text).to_vec()
    }

    fn derive(&mut self, hash: &[u8], secret: &[u8]) {
        let session_id = self.session_id.get_or_insert_with(|| hash.to_vec()).clone();
        let cipher: &Cipher =
            Provider::find(Provider::ALL.ciphers, &self.proposal.cipher).expect("the cipher exists");
        let mac: &Mac = Provider::find(Provider::ALL.macs, &self.proposal.mac).expect("the MAC exists");
        // RFC 4253 section 7.2; SHA-256 gives 32 bytes at a time.
        let key = |letter: u8, len: usize| {
            let mut key = Vec::new();
            while key.len() < len {
                let mut text = Vec::new();
                text.put_mpint(secret);
                text.put_bytes(hash);
                match key.as_slice() {
                    [] => text.put_bytes(&[&[letter], session_id.as_slice()].concat()),
                    so_far => text.put_bytes(so_far),
                }
                key.put_bytes(&Hash::Sha256.of(&text));
            }
            key.truncate(len);
            key
        };
        let keys = |letters: [u8; 3]| {
            [key(letters[0], cipher.iv_len), key(letters[1], cipher.key_len), key(letters[2], mac.key_len)]
        };
        let (out, inward) = match self.role {
            Role::Client => (keys(*b"ACE"), keys(*b"BDF")),
            Role::Server => (keys(*b"BDF"), keys(*b"ACE")),
        };
        let [iv, key, mac_key] = &out;
        let sealer = Sealer::new(cipher, Some(mac), &Keys { iv, key, mac_key });
        let [iv, key, mac_key] = &inward;
        let opener = Opener::new(cipher, Some(mac), &Keys { iv, key, mac_key });
        self.next_keys = Some((sealer, opener));
    }
}

fn agreement() -> &'static dyn Agreement {
    match CURVE25519_SHA256.method {
        KexMethod::Agreement(agreement) => agreement,
        KexMethod::GroupExchange => unreachable!("X25519 has no group to exchange"),
    }
}

fn list(names: &str) -> NameList<'_> {
    NameList::new(names).expect("the script's names are names")
}

/// A message's payload.
pub fn encoded(message: &impl Encode) -> Vec<u8> {
    let mut payload = Vec::new();
    message.encode(&mut payload);
    payload
}

/// Reads the client's public value out of a KEX_ECDH_INIT.
pub fn public_of(payload: &[u8]) -> Vec<u8> {
    let mut reader = Reader::new(&payload[1..]);
    reader.string().expect("the engine's messages are well-formed").to_vec()
}
