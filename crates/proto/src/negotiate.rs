//! What both sides can do (RFC 4253 section 7.1).

use underpass_crypto::{Cipher, CipherKind, Compression, Kex, Mac, Named, Proof, Signature};
use underpass_wire::{KexInit, NameList};

use crate::config::{Algorithms, StrictKex};
use crate::error::{AlgorithmList, Error, PeerIncompatible};
use crate::limits::REKEY_BYTES_SMALL_BLOCK;
use crate::role::Role;

/// Announces that we take EXT_INFO (RFC 8308 section 2.1).
pub(crate) const EXT_INFO_C: &str = "ext-info-c";
const EXT_INFO_S: &str = "ext-info-s";
/// Announces strict key exchange (OpenSSH PROTOCOL 1.9).
const STRICT_C: &str = "kex-strict-c-v00@openssh.com";
const STRICT_S: &str = "kex-strict-s-v00@openssh.com";

/// Stands for having no host key, which only a GSS-API exchange can do without (RFC 4462 section 5).
const NULL_HOST_KEY: &str = "null";

/// The algorithms of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Negotiated {
    /// Key exchange method.
    pub kex: Choice<Kex>,
    /// Host key algorithm; `None` where the server proves itself without a host key, by a GSS-API mechanism.
    pub host_key: Option<Choice<Signature>>,
    /// Cipher, from us to the peer.
    pub cipher_out: Choice<Cipher>,
    /// Cipher, from the peer to us.
    pub cipher_in: Choice<Cipher>,
    /// MAC, from us to the peer; `None` when the cipher has a tag of its own.
    pub mac_out: Option<Choice<Mac>>,
    /// MAC, from the peer to us.
    pub mac_in: Option<Choice<Mac>>,
    /// Compression, from us to the peer.
    pub compression_out: Choice<Compression>,
    /// Compression, from the peer to us.
    pub compression_in: Choice<Compression>,
    /// Whether the key exchange is strict (CVE-2023-48795 cannot be exploited).
    pub strict: bool,
    /// Server role, first exchange: whether the client takes EXT_INFO.
    pub(crate) ext_info: bool,
    /// Whether the peer guessed a method and guessed wrong, so that its next packet is void.
    pub(crate) wrong_guess: bool,
}

impl Negotiated {
    /// How the server signs, in an exchange that it signs.
    pub(crate) fn host_key_algorithm(&self) -> Result<Choice<Signature>, Error> {
        self.host_key.ok_or(Error::Internal("an exchange that needs no host key is signed"))
    }

    /// Payload bytes, in either direction, after which these keys are worn out, however much the configuration allows.
    pub(crate) fn most_bytes(&self) -> u64 {
        let is_small =
            |cipher: &Cipher| matches!(cipher.kind, CipherKind::Plain { .. }) && cipher.block_len < 16;
        if is_small(&self.cipher_out) || is_small(&self.cipher_in) {
            REKEY_BYTES_SMALL_BLOCK
        } else {
            u64::MAX
        }
    }
}

/// A reference to an algorithm, compared by name.
#[derive(Debug)]
pub struct Choice<T: 'static>(pub &'static T);

impl<T> Clone for Choice<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Choice<T> {}

impl<T: Named> PartialEq for Choice<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl<T> std::ops::Deref for Choice<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0
    }
}

/// The name-lists of our KEXINIT, as text.
pub(crate) struct Offer {
    kex: String,
    host_keys: String,
    ciphers_out: String,
    ciphers_in: String,
    macs_out: String,
    macs_in: String,
    compression_out: String,
    compression_in: String,
}

impl Offer {
    /// The lists; the markers for extensions belong to the first key exchange only.
    pub(crate) fn new(algorithms: &Algorithms, strictness: StrictKex, role: Role, first: bool) -> Self {
        let mut kex = join(&algorithms.kex);
        if first {
            let (ext_info, strict) = match role {
                Role::Client => (EXT_INFO_C, STRICT_C),
                Role::Server => (EXT_INFO_S, STRICT_S),
            };
            let strict = (strictness != StrictKex::Disabled).then_some(strict);
            for marker in [Some(ext_info), strict].into_iter().flatten() {
                kex.push(',');
                kex.push_str(marker);
            }
        }
        let mut host_keys = join(&algorithms.host_keys);
        if algorithms.kex.iter().any(|kex| kex.proof == Proof::Gss) {
            host_keys.push(',');
            host_keys.push_str(NULL_HOST_KEY);
        }
        Self {
            kex,
            host_keys,
            ciphers_out: join(&algorithms.ciphers_out),
            ciphers_in: join(&algorithms.ciphers_in),
            macs_out: join(&algorithms.macs_out),
            macs_in: join(&algorithms.macs_in),
            compression_out: join(&algorithms.compression_out),
            compression_in: join(&algorithms.compression_in),
        }
    }

    /// The message.
    pub(crate) fn message(&self, role: Role, cookie: [u8; 16]) -> Result<KexInit<'_>, Error> {
        let list = |text| {
            NameList::new(text)
                .map_err(|_| Error::Internal("an algorithm's name cannot be sent in a name-list"))
        };
        let toward_server = role == Role::Client;
        let pick =
            |out, inward| if toward_server { (list(out), list(inward)) } else { (list(inward), list(out)) };
        let (encryption_c2s, encryption_s2c) = pick(&self.ciphers_out, &self.ciphers_in);
        let (mac_c2s, mac_s2c) = pick(&self.macs_out, &self.macs_in);
        let (compression_c2s, compression_s2c) = pick(&self.compression_out, &self.compression_in);
        Ok(KexInit {
            cookie,
            kex_algorithms: list(&self.kex)?,
            server_host_key_algorithms: list(&self.host_keys)?,
            encryption_c2s: encryption_c2s?,
            encryption_s2c: encryption_s2c?,
            mac_c2s: mac_c2s?,
            mac_s2c: mac_s2c?,
            compression_c2s: compression_c2s?,
            compression_s2c: compression_s2c?,
            languages_c2s: NameList::EMPTY,
            languages_s2c: NameList::EMPTY,
            first_kex_packet_follows: false,
            reserved: 0,
        })
    }
}

/// Chooses among what both sides offer. `first_strict` is the outcome of the first key exchange, which holds for the
/// whole connection.
pub(crate) fn negotiate(
    algorithms: &Algorithms,
    strictness: StrictKex,
    theirs: &KexInit<'_>,
    role: Role,
    first_strict: Option<bool>,
) -> Result<Negotiated, Error> {
    let (to_server, to_client) = (
        Peer { cipher: theirs.encryption_c2s, mac: theirs.mac_c2s, compression: theirs.compression_c2s },
        Peer { cipher: theirs.encryption_s2c, mac: theirs.mac_s2c, compression: theirs.compression_s2c },
    );
    use AlgorithmList as L;
    let server_bound = [L::CipherToServer, L::MacToServer, L::CompressionToServer];
    let client_bound = [L::CipherToClient, L::MacToClient, L::CompressionToClient];
    let (outward, inward, out_lists, in_lists) = match role {
        Role::Client => (to_server, to_client, server_bound, client_bound),
        Role::Server => (to_client, to_server, client_bound, server_bound),
    };
    let kex = choose(&algorithms.kex, theirs.kex_algorithms, role, L::Kex)?;
    let host_key = match kex.proof {
        Proof::HostKey => {
            Some(choose(&algorithms.host_keys, theirs.server_host_key_algorithms, role, L::HostKey)?)
        }
        Proof::Gss => None,
    };
    let cipher_out = choose(&algorithms.ciphers_out, outward.cipher, role, out_lists[0])?;
    let cipher_in = choose(&algorithms.ciphers_in, inward.cipher, role, in_lists[0])?;
    let mac = |cipher: Choice<Cipher>, ours, theirs, list| match cipher.kind {
        // The MAC lists do not matter beside a cipher with a tag of its own, not even when nothing is common.
        CipherKind::Aead { .. } => Ok(None),
        CipherKind::Plain { .. } => choose(ours, theirs, role, list).map(Some),
    };
    let marker = |name| theirs.kex_algorithms.contains(name);
    let strict = first_strict.unwrap_or_else(|| {
        strictness != StrictKex::Disabled
            && match role {
                Role::Client => marker(STRICT_S),
                Role::Server => marker(STRICT_C),
            }
    });
    let (mac_out, mac_in) = (
        mac(cipher_out, &algorithms.macs_out, outward.mac, out_lists[1])?,
        mac(cipher_in, &algorithms.macs_in, inward.mac, in_lists[1])?,
    );
    if !strict {
        check_strictness(strictness, [(cipher_out, mac_out), (cipher_in, mac_in)])?;
    }
    Ok(Negotiated {
        kex,
        host_key,
        cipher_out,
        cipher_in,
        mac_out,
        mac_in,
        compression_out: choose(&algorithms.compression_out, outward.compression, role, out_lists[2])?,
        compression_in: choose(&algorithms.compression_in, inward.compression, role, in_lists[2])?,
        strict,
        ext_info: first_strict.is_none() && role == Role::Server && marker(EXT_INFO_C),
        // RFC 4253 section 7: a guess is right when the first kex method and the first host key algorithm of both
        // sides are the same.
        wrong_guess: theirs.first_kex_packet_follows
            && (theirs.kex_algorithms.first() != algorithms.kex.first().map(|kex| kex.name)
                || theirs.server_host_key_algorithms.first()
                    != algorithms.host_keys.first().map(|algorithm| algorithm.name)),
    })
}

/// Whether a connection may go on whose key exchange is not strict.
fn check_strictness(
    strictness: StrictKex,
    directions: [(Choice<Cipher>, Option<Choice<Mac>>); 2],
) -> Result<(), Error> {
    let affected = || directions.iter().find(|(cipher, mac)| is_affected(cipher, *mac));
    let cipher = match strictness {
        StrictKex::Disabled | StrictKex::Enabled => return Ok(()),
        StrictKex::RejectAffected => match affected() {
            None => return Ok(()),
            Some((cipher, _)) => Some(cipher.0.name),
        },
        StrictKex::Required => None,
    };
    Err(PeerIncompatible::NotStrict { cipher }.into())
}

/// Whether taking packets away from the beginning can go unnoticed (CVE-2023-48795): where nothing but the sequence
/// number ties a packet to those before it, as in chacha20-poly1305, which takes no initial vector and makes its nonce of
/// that number; and in encrypt-then-MAC with a chained cipher, which recovers after one block. GCM counts for itself, a
/// counter or a stream gets out of step for good, and a MAC over the plain packet notices either.
fn is_affected(cipher: &Cipher, mac: Option<Choice<Mac>>) -> bool {
    match cipher.kind {
        CipherKind::Aead { .. } => cipher.iv_len == 0,
        CipherKind::Plain { chained, .. } => chained && mac.is_some_and(|mac| mac.encrypt_then_mac),
    }
}

/// The peer's lists for one direction.
struct Peer<'a> {
    cipher: NameList<'a>,
    mac: NameList<'a>,
    compression: NameList<'a>,
}

/// RFC 4253 section 7.1: the first on the client's list that is on the server's. Our list holds algorithms only, so
/// a marker such as `kex-strict-s-v00@openssh.com` can never be chosen.
fn choose<T: Named>(
    ours: &[&'static T],
    theirs: NameList<'_>,
    role: Role,
    list: AlgorithmList,
) -> Result<Choice<T>, Error> {
    let found = match role {
        Role::Client => ours.iter().find(|algorithm| theirs.contains(algorithm.name())),
        Role::Server => theirs.iter().find_map(|name| ours.iter().find(|algorithm| algorithm.name() == name)),
    };
    found.map(|algorithm| Choice(*algorithm)).ok_or_else(|| {
        PeerIncompatible::NoCommonAlgorithm {
            list,
            ours: ours.iter().map(|algorithm| algorithm.name().to_owned()).collect(),
            theirs: theirs.iter().map(str::to_owned).collect(),
        }
        .into()
    })
}

fn join<T: Named>(algorithms: &[&'static T]) -> String {
    algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use underpass_crypto::Provider;

    use super::*;

    fn their_kexinit<'a>(kex: &'a str, mac: &'a str, cipher: &'a str) -> KexInit<'a> {
        let list = |text| NameList::new(text).unwrap();
        KexInit {
            cookie: [0; 16],
            kex_algorithms: list(kex),
            server_host_key_algorithms: list("ssh-ed25519"),
            encryption_c2s: list(cipher),
            encryption_s2c: list(cipher),
            mac_c2s: list(mac),
            mac_s2c: list(mac),
            compression_c2s: list("none"),
            compression_s2c: list("none"),
            languages_c2s: NameList::EMPTY,
            languages_s2c: NameList::EMPTY,
            first_kex_packet_follows: false,
            reserved: 0,
        }
    }

    fn client(theirs: &KexInit<'_>) -> Result<Negotiated, Error> {
        negotiate(&Algorithms::default(), StrictKex::Enabled, theirs, Role::Client, None)
    }

    #[test]
    fn the_clients_preference_wins() {
        let theirs = their_kexinit(
            "curve25519-sha256,mlkem768x25519-sha256",
            "",
            "aes256-gcm@openssh.com,aes128-gcm@openssh.com",
        );
        let chosen = client(&theirs).unwrap();
        assert_eq!(chosen.kex.name, "mlkem768x25519-sha256");
        assert_eq!(chosen.cipher_out.name, "aes128-gcm@openssh.com");
        let chosen =
            negotiate(&Algorithms::default(), StrictKex::Enabled, &theirs, Role::Server, None).unwrap();
        assert_eq!(chosen.kex.name, "curve25519-sha256");
        assert_eq!(chosen.cipher_in.name, "aes256-gcm@openssh.com");
    }

    #[test]
    fn an_empty_mac_list_does_not_matter_beside_an_aead_cipher() {
        let chosen = client(&their_kexinit("curve25519-sha256", "", "aes128-gcm@openssh.com")).unwrap();
        assert_eq!(chosen.mac_out, None);
        let refused = client(&their_kexinit("curve25519-sha256", "", "aes128-ctr"));
        assert!(matches!(
            refused,
            Err(Error::Incompatible(PeerIncompatible::NoCommonAlgorithm {
                list: AlgorithmList::MacToServer,
                ..
            }))
        ));
    }

    #[test]
    fn a_marker_is_never_chosen_as_the_method() {
        let only_markers =
            their_kexinit("ext-info-s,kex-strict-s-v00@openssh.com", "", "aes128-gcm@openssh.com");
        assert!(matches!(
            client(&only_markers),
            Err(Error::Incompatible(PeerIncompatible::NoCommonAlgorithm { list: AlgorithmList::Kex, .. }))
        ));
    }

    #[test]
    fn strictness_is_settled_in_the_first_exchange() {
        let strict = "curve25519-sha256,kex-strict-s-v00@openssh.com";
        assert!(client(&their_kexinit(strict, "", "aes128-gcm@openssh.com")).unwrap().strict);
        let later = their_kexinit("curve25519-sha256", "", "aes128-gcm@openssh.com");
        let again = |strictness, first| {
            negotiate(&Algorithms::default(), strictness, &later, Role::Client, Some(first))
                .map(|chosen| chosen.strict)
        };
        assert_eq!(again(StrictKex::Enabled, true), Ok(true));
        assert_eq!(again(StrictKex::Required, true), Ok(true));
        assert_eq!(again(StrictKex::Enabled, false), Ok(false));
    }

    #[test]
    fn each_level_of_strictness_meets_peers_with_and_without_it() {
        use StrictKex::{Disabled, Enabled, RejectAffected, Required};
        let (gcm, chacha) = ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com");
        let refused = |cipher| Err(PeerIncompatible::NotStrict { cipher }.into());
        let with = "curve25519-sha256,kex-strict-s-v00@openssh.com";
        for cipher in [gcm, chacha] {
            for (level, strict) in
                [(Disabled, false), (Enabled, true), (RejectAffected, true), (Required, true)]
            {
                let theirs = their_kexinit(with, "", cipher);
                let chosen = negotiate(&Algorithms::default(), level, &theirs, Role::Client, None).unwrap();
                assert_eq!(chosen.strict, strict, "{level:?}");
            }
            for (level, expected) in [
                (Disabled, Ok(false)),
                (Enabled, Ok(false)),
                (RejectAffected, if cipher == gcm { Ok(false) } else { refused(Some(chacha)) }),
                (Required, refused(None)),
            ] {
                let theirs = their_kexinit("curve25519-sha256", "", cipher);
                let chosen = negotiate(&Algorithms::default(), level, &theirs, Role::Client, None);
                assert_eq!(chosen.map(|chosen| chosen.strict), expected, "{level:?} {cipher}");
            }
        }
    }

    #[test]
    fn only_a_marker_in_both_proposals_makes_an_exchange_strict() {
        for (role, marker) in [(Role::Client, STRICT_C), (Role::Server, STRICT_S)] {
            for level in
                [StrictKex::Disabled, StrictKex::Enabled, StrictKex::RejectAffected, StrictKex::Required]
            {
                let offer = |first| Offer::new(&Algorithms::default(), level, role, first).kex;
                assert_eq!(offer(true).contains(marker), level != StrictKex::Disabled);
                assert!(!offer(false).contains(marker));
            }
        }
    }

    #[test]
    fn a_chained_cipher_is_affected_under_encrypt_then_mac_only() {
        let new =
            |_: &[u8], _: &[u8], _| -> Box<dyn underpass_crypto::Keystream> { unreachable!("never started") };
        let cipher = |chained| Cipher {
            name: "test",
            strength: underpass_crypto::Strength::Legacy,
            key_len: 16,
            iv_len: 16,
            block_len: 16,
            kind: CipherKind::Plain { new, chained },
        };
        let macs = Provider::MODERN.macs;
        let mac = |name| Provider::find(macs, name).map(Choice);
        for (chained, name, affected) in [
            (true, "hmac-sha2-256-etm@openssh.com", true),
            (true, "hmac-sha2-256", false),
            (false, "hmac-sha2-256-etm@openssh.com", false),
        ] {
            assert_eq!(is_affected(&cipher(chained), mac(name)), affected, "{chained} {name}");
        }
    }

    #[test]
    fn keys_of_a_cipher_with_small_blocks_wear_out_sooner() {
        for (cipher, most) in [
            ("3des-cbc", REKEY_BYTES_SMALL_BLOCK),
            ("arcfour256", REKEY_BYTES_SMALL_BLOCK),
            ("aes128-cbc", u64::MAX),
            ("aes128-ctr", u64::MAX),
            ("chacha20-poly1305@openssh.com", u64::MAX),
        ] {
            let theirs = their_kexinit("curve25519-sha256", "hmac-sha2-256", cipher);
            let all = Algorithms::all(&Provider::ALL);
            let chosen = negotiate(&all, StrictKex::Enabled, &theirs, Role::Client, None).unwrap();
            assert_eq!(chosen.most_bytes(), most, "{cipher}");
        }
    }

    #[test]
    fn a_wrong_guess_is_noticed() {
        let mut theirs = their_kexinit("curve25519-sha256", "", "aes128-gcm@openssh.com");
        assert!(!client(&theirs).unwrap().wrong_guess);
        theirs.first_kex_packet_follows = true;
        assert!(client(&theirs).unwrap().wrong_guess);
        theirs.kex_algorithms = NameList::new("mlkem768x25519-sha256,curve25519-sha256").unwrap();
        assert!(!client(&theirs).unwrap().wrong_guess);
    }
}
