use std::sync::Arc;

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use underpass_crypto::x509::X509Certificate;
use underpass_crypto::{Hash, Provider, Secret, algorithms::ecdsa::Curve};
use underpass_wire::Put as _;

use crate::TokenError;
use crate::public::{Kind, ecdsa_signature};
use crate::token::Token;

/// A key on a token.
#[derive(Debug, Clone)]
pub struct TokenKey {
    pub(crate) token: Arc<Token>,
    pub(crate) kind: Kind,
    pub(crate) id: Vec<u8>,
    pub(crate) label: String,
    pub(crate) public: Vec<u8>,
    pub(crate) certificates: Vec<X509Certificate>,
}

impl TokenKey {
    pub(crate) fn with_certificates(self, certificates: Vec<X509Certificate>) -> Self {
        Self { certificates, ..self }
    }

    /// The public key blob (RFC 4253 section 6.6).
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// Its label on the token. Whoever wrote the token chose it: escape it before showing it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its identifier on the token (CKA_ID). Several keys may share one.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// The certificate that the token has for it, followed by those of the authorities above, as far as they are there.
    pub fn certificates(&self) -> &[X509Certificate] {
        &self.certificates
    }

    /// The subject of its certificate as RFC 4514 writes it; empty without a certificate. Whoever made the certificate
    /// chose it: escape it before showing it.
    pub fn subject(&self) -> String {
        self.certificates.first().map(X509Certificate::subject).unwrap_or_default()
    }

    /// The label of the token. Whoever wrote the token chose it.
    pub fn token(&self) -> &str {
        self.token.label()
    }

    /// The signature algorithms that it can be used with, best first.
    pub fn algorithms(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Rsa => &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
            Kind::Ecdsa(Curve::Nistp256) => &["ecdsa-sha2-nistp256"],
            Kind::Ecdsa(Curve::Nistp384) => &["ecdsa-sha2-nistp384"],
            Kind::Ecdsa(Curve::Nistp521) => &["ecdsa-sha2-nistp521"],
            Kind::Ed25519 => &["ssh-ed25519"],
        }
    }

    /// Whether the next wrong PIN locks the token, so that a person should type it.
    pub fn is_on_last_try(&self) -> bool {
        self.token.is_on_last_try()
    }

    /// Signs `data`, logging in with the PIN if that is needed and not done yet. Gives the signature blob. Blocks for as
    /// long as the token takes, which may be until somebody touches it.
    ///
    /// # Errors
    /// [`TokenError::wants_pin`] tells whether to try again with a PIN.
    pub fn sign(&self, algorithm: &str, data: &[u8], pin: Option<&Secret>) -> Result<Vec<u8>, TokenError> {
        let scheme = Scheme::of(self.kind, algorithm).ok_or(TokenError::UnsupportedAlgorithm)?;
        self.token.with_session(|session| {
            self.token.log_in(session, pin)?;
            let mut failure = TokenError::NoKey;
            // Several keys may fit the description, so what a key gave is checked.
            for key in self.private_halves(session)? {
                match self.sign_with(session, key, &scheme, data, pin) {
                    Ok(inside) => {
                        let signature = blob(algorithm, &inside);
                        if verifies(algorithm, &self.public, &signature, data) {
                            return Ok(signature);
                        }
                        failure = TokenError::WrongSignature { token: self.token().to_owned() };
                    }
                    Err(error) if error.wants_pin() => return Err(error),
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        })
    }

    fn private_halves(&self, session: &Session) -> Result<Vec<ObjectHandle>, TokenError> {
        let mut template =
            vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(self.kind.into())];
        if !self.id.is_empty() {
            template.push(Attribute::Id(self.id.clone()));
        }
        session.find_objects(&template).map_err(|error| self.token.fault(&error))
    }

    fn sign_with(
        &self,
        session: &Session,
        key: ObjectHandle,
        scheme: &Scheme,
        data: &[u8],
        pin: Option<&Secret>,
    ) -> Result<Vec<u8>, TokenError> {
        let fault = |error| self.token.fault(&error);
        let confirmed = session.get_attributes(key, &[AttributeType::AlwaysAuthenticate]);
        let raw = if confirmed.is_ok_and(|is| is.contains(&Attribute::AlwaysAuthenticate(true))) {
            // The PIN comes between the beginning and the data, so the token has to hash.
            session.sign_init(&scheme.hashing(), key).map_err(fault)?;
            self.token.confirm(session, pin)?;
            session.sign_update(data).map_err(fault)?;
            session.sign_final().map_err(fault)?
        } else {
            session.sign(&scheme.plain(), key, &scheme.input(data)).map_err(fault)?
        };
        match scheme {
            Scheme::Ecdsa(_) => {
                let wrong = || TokenError::WrongSignature { token: self.token().to_owned() };
                ecdsa_signature(&raw).ok_or_else(wrong)
            }
            Scheme::Rsa(_) | Scheme::Ed25519 => Ok(raw),
        }
    }
}

/// How a signature is made.
enum Scheme {
    Rsa(Hash),
    Ecdsa(Hash),
    Ed25519,
}

impl Scheme {
    fn of(kind: Kind, algorithm: &str) -> Option<Self> {
        match (kind, algorithm) {
            (Kind::Rsa, "rsa-sha2-512") => Some(Self::Rsa(Hash::Sha512)),
            (Kind::Rsa, "rsa-sha2-256") => Some(Self::Rsa(Hash::Sha256)),
            (Kind::Rsa, "ssh-rsa") => Some(Self::Rsa(Hash::Sha1)),
            (Kind::Ecdsa(curve), name) if name == curve.algorithm() => Some(Self::Ecdsa(curve.hash())),
            (Kind::Ed25519, "ssh-ed25519") => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// The mechanism for [`input`](Self::input), which every token has.
    fn plain(&self) -> Mechanism<'static> {
        match self {
            Self::Rsa(_) => Mechanism::RsaPkcs,
            Self::Ecdsa(_) => Mechanism::Ecdsa,
            Self::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
        }
    }

    /// The mechanism with which the token hashes by itself.
    fn hashing(&self) -> Mechanism<'static> {
        match self {
            Self::Rsa(Hash::Sha1) => Mechanism::Sha1RsaPkcs,
            Self::Rsa(Hash::Sha256) => Mechanism::Sha256RsaPkcs,
            Self::Rsa(_) => Mechanism::Sha512RsaPkcs,
            Self::Ecdsa(Hash::Sha256) => Mechanism::EcdsaSha256,
            Self::Ecdsa(Hash::Sha384) => Mechanism::EcdsaSha384,
            Self::Ecdsa(_) => Mechanism::EcdsaSha512,
            Self::Ed25519 => self.plain(),
        }
    }

    fn input(&self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(hash) => [hash.digest_info(), hash.of(data).as_ref()].concat(),
            Self::Ecdsa(hash) => hash.of(data).as_ref().to_vec(),
            Self::Ed25519 => data.to_vec(),
        }
    }
}

fn blob(algorithm: &str, inside: &[u8]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(8 + algorithm.len() + inside.len());
    blob.put_string(algorithm.as_bytes());
    blob.put_string(inside);
    blob
}

fn verifies(algorithm: &str, key: &[u8], signature: &[u8], data: &[u8]) -> bool {
    Provider::find(Provider::ALL.signatures, algorithm)
        .is_some_and(|algorithm| (algorithm.verify)(key, signature, data).is_ok())
}
