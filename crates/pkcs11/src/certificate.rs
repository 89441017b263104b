//! X.509 certificates on a token: whose key is which, and keys of which nothing else is shown.

use std::collections::HashSet;
use std::sync::Arc;

use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass};
use cryptoki::session::Session;
use underpass_crypto::outside::KeyKind;
use underpass_crypto::x509::{MAX_CERTIFICATES, X509Certificate, find_by_name};

use crate::token::{MAX_OBJECTS, Token};
use crate::{KeyUri, TokenError, TokenKey};

/// The certificates that a session sees.
pub(crate) struct Certificates(Vec<Held>);

struct Held {
    certificate: X509Certificate,
    /// The key that it is about, as a blob; empty if SSH has no such keys.
    key: Vec<u8>,
    id: Vec<u8>,
    label: Vec<u8>,
}

impl Certificates {
    /// Those that are not X.509, or damaged, are passed over.
    pub(crate) fn read(token: &Token, session: &Session) -> Result<Self, TokenError> {
        const WANTED: [AttributeType; 3] = [AttributeType::Id, AttributeType::Label, AttributeType::Value];
        let template = [
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::Token(true),
            Attribute::CertificateType(CertificateType::X_509),
        ];
        let objects = session.find_objects(&template).map_err(|error| token.fault(&error))?;
        let mut held = Vec::new();
        for object in objects.into_iter().take(MAX_OBJECTS) {
            let attributes = session.get_attributes(object, &WANTED).map_err(|error| token.fault(&error))?;
            held.extend(Held::from(attributes));
        }
        Ok(Self(held))
    }

    /// The keys that fit, out of the certificates alone: many cards show no public keys besides. Authorities above others
    /// have their keys elsewhere.
    pub(crate) fn keys(&self, token: &Arc<Token>, uri: &KeyUri) -> Vec<TokenKey> {
        let fits = |held: &&Held| {
            uri.object.as_ref().is_none_or(|label| held.label == label.as_bytes())
                && uri.id.as_ref().is_none_or(|id| held.id == *id)
                && !self.0.iter().any(|other| held.certificate.is_above(&other.certificate))
        };
        self.0.iter().filter(fits).filter_map(|held| held.key(token)).collect()
    }

    /// A key with its certificate and those of the authorities above it: once for each certificate that is about it, or
    /// without any.
    pub(crate) fn certify(&self, key: TokenKey) -> Vec<TokenKey> {
        let all: Vec<_> = self.0.iter().map(|held| &held.certificate).collect();
        let own = (0..all.len()).filter(|at| self.0[*at].key == key.public_key());
        let certified: Vec<_> = own
            .map(|own| {
                let chain = X509Certificate::chain(own, &all, MAX_CERTIFICATES);
                key.clone().with_certificates(chain.into_iter().map(|at| all[at].clone()).collect())
            })
            .collect();
        if certified.is_empty() { vec![key] } else { certified }
    }
}

impl Held {
    fn from(attributes: Vec<Attribute>) -> Option<Self> {
        let (mut id, mut label, mut value) = (Vec::new(), Vec::new(), Vec::new());
        for attribute in attributes {
            match attribute {
                Attribute::Id(is) => id = is,
                Attribute::Label(is) => label = is,
                Attribute::Value(is) => value = is,
                _ => {}
            }
        }
        let certificate = X509Certificate::from_der(&value).ok()?;
        let key = certificate.key().unwrap_or_default();
        Some(Self { certificate, key, id, label })
    }

    fn key(&self, token: &Arc<Token>) -> Option<TokenKey> {
        let kind = KeyKind::of(&self.key)?;
        let label = String::from_utf8_lossy(&self.label).into_owned();
        let (token, id, public) = (token.clone(), self.id.clone(), self.key.clone());
        Some(TokenKey { token, kind, id, label, public, certificates: Vec::new() })
    }
}

/// What is left of keys that fit otherwise: the one that is meant by the subject of its certificate, where the URI has one,
/// by the [rule](find_by_name) of key stores; `*` is the first that has a certificate, or else the first.
pub(crate) fn choose(mut keys: Vec<TokenKey>, uri: &KeyUri) -> Vec<TokenKey> {
    let Some(subject) = &uri.subject else {
        let mut known = HashSet::new();
        keys.retain(|key| known.insert(key.public_key().to_vec()));
        return keys;
    };
    let subjects: Vec<_> = keys.iter().map(TokenKey::subject).collect();
    let found = match subject.trim() {
        "*" => subjects.iter().position(|subject| !subject.is_empty()).or((!keys.is_empty()).then_some(0)),
        _ => find_by_name(subject, &subjects.iter().map(|subject| [subject.as_str()]).collect::<Vec<_>>()),
    };
    found.map(|found| keys.swap_remove(found)).into_iter().collect()
}
