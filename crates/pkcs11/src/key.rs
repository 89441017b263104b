use std::sync::Arc;

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use underpass_crypto::outside::{KeyKind, Scheme};
use underpass_crypto::x509::X509Certificate;
use underpass_crypto::{Hash, Secret};

use crate::TokenError;
use crate::public::type_of;
use crate::token::Token;

/// A key on a token.
#[derive(Debug, Clone)]
pub struct TokenKey {
    pub(crate) token: Arc<Token>,
    pub(crate) kind: KeyKind,
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
        self.kind.algorithms()
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
        let scheme = self.kind.scheme(algorithm).ok_or(TokenError::UnsupportedAlgorithm)?;
        self.token.with_session(|session| {
            self.token.log_in(session, pin)?;
            let mut failure = TokenError::NoKey;
            // Several keys may fit the description, so what a key gave is checked.
            for key in self.private_halves(session)? {
                match self.sign_with(session, key, scheme, data, pin) {
                    Ok(made) => match scheme.signature(algorithm, &made, &self.public, data) {
                        Some(signature) => return Ok(signature),
                        None => failure = TokenError::WrongSignature { token: self.token().to_owned() },
                    },
                    Err(error) if error.wants_pin() => return Err(error),
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        })
    }

    fn private_halves(&self, session: &Session) -> Result<Vec<ObjectHandle>, TokenError> {
        let mut template =
            vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(type_of(self.kind))];
        if !self.id.is_empty() {
            template.push(Attribute::Id(self.id.clone()));
        }
        session.find_objects(&template).map_err(|error| self.token.fault(&error))
    }

    fn sign_with(
        &self,
        session: &Session,
        key: ObjectHandle,
        scheme: Scheme,
        data: &[u8],
        pin: Option<&Secret>,
    ) -> Result<Vec<u8>, TokenError> {
        let fault = |error| self.token.fault(&error);
        let confirmed = session.get_attributes(key, &[AttributeType::AlwaysAuthenticate]);
        if confirmed.is_ok_and(|is| is.contains(&Attribute::AlwaysAuthenticate(true))) {
            // The PIN comes between the beginning and the data, so the token has to hash.
            session.sign_init(&hashing(scheme), key).map_err(fault)?;
            self.token.confirm(session, pin)?;
            session.sign_update(data).map_err(fault)?;
            session.sign_final().map_err(fault)
        } else {
            session.sign(&plain(scheme), key, &input(scheme, data)).map_err(fault)
        }
    }
}

/// The mechanism for what [`input`] gives, which every token has.
fn plain(scheme: Scheme) -> Mechanism<'static> {
    match scheme {
        Scheme::Rsa(_) => Mechanism::RsaPkcs,
        Scheme::Ecdsa(_) => Mechanism::Ecdsa,
        Scheme::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
    }
}

/// The mechanism with which the token hashes by itself.
fn hashing(scheme: Scheme) -> Mechanism<'static> {
    match scheme {
        Scheme::Rsa(Hash::Sha1) => Mechanism::Sha1RsaPkcs,
        Scheme::Rsa(Hash::Sha256) => Mechanism::Sha256RsaPkcs,
        Scheme::Rsa(_) => Mechanism::Sha512RsaPkcs,
        Scheme::Ecdsa(Hash::Sha256) => Mechanism::EcdsaSha256,
        Scheme::Ecdsa(Hash::Sha384) => Mechanism::EcdsaSha384,
        Scheme::Ecdsa(_) => Mechanism::EcdsaSha512,
        Scheme::Ed25519 => plain(scheme),
    }
}

/// The token pads, and nothing more.
fn input(scheme: Scheme, data: &[u8]) -> Vec<u8> {
    match scheme {
        Scheme::Rsa(hash) => [hash.digest_info(), &scheme.input(data)].concat(),
        Scheme::Ecdsa(_) | Scheme::Ed25519 => scheme.input(data),
    }
}
