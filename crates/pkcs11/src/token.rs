use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use underpass_crypto::Secret;
use underpass_crypto::outside::KeyKind;

use crate::certificate::Certificates;
use crate::public;
use crate::{KeyUri, TokenError, TokenKey};

/// Objects of a kind that are looked at on one token.
pub(crate) const MAX_OBJECTS: usize = 256;

/// A token, found again by its label and serial number if it was in another slot meanwhile.
#[derive(Debug)]
pub(crate) struct Token {
    context: Pkcs11,
    label: String,
    serial: String,
    /// Being logged in belongs to sessions, so one is kept.
    session: Mutex<Option<Session>>,
}

impl Token {
    pub(crate) fn fits(info: &TokenInfo, uri: &KeyUri) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        fits(&uri.token, info.label())
            && fits(&uri.serial, info.serial_number())
            && fits(&uri.manufacturer, info.manufacturer_id())
            && fits(&uri.model, info.model())
    }

    pub(crate) fn new(context: Pkcs11, info: &TokenInfo) -> Self {
        let (label, serial) = (info.label().to_owned(), info.serial_number().to_owned());
        Self { context, label, serial, session: Mutex::default() }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Does something in the token's session, opening one if there is none. One that has failed for good is given up,
    /// so that the next call finds the token again.
    pub(crate) fn with_session<T>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        // A session is whole at any time; what an interrupted operation left in it the module refuses or ends.
        let mut place = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let session = match place.take() {
            Some(session) => session,
            None => self.context.open_ro_session(self.slot()?.0).map_err(|error| self.fault(&error))?,
        };
        let result = work(&session);
        if !matches!(result, Err(TokenError::Removed { .. })) {
            *place = Some(session);
        }
        result
    }

    fn slot(&self) -> Result<(Slot, TokenInfo), TokenError> {
        let slots = self.context.get_slots_with_token().map_err(|error| self.fault(&error))?;
        let token = |slot: Slot| Some((slot, self.context.get_token_info(slot).ok()?));
        let mut tokens = slots.into_iter().filter_map(token);
        tokens
            .find(|(_, info)| info.label() == self.label && info.serial_number() == self.serial)
            .ok_or_else(|| TokenError::Removed { token: self.label.clone() })
    }

    pub(crate) fn fault(&self, error: &Error) -> TokenError {
        TokenError::from_module(&self.label, error)
    }

    /// Logs in, unless that was done, is not needed, or cannot be done without a PIN.
    pub(crate) fn log_in(&self, session: &Session, pin: Option<&Secret>) -> Result<(), TokenError> {
        let state = session.get_session_info().map_err(|error| self.fault(&error))?.session_state();
        if matches!(state, SessionState::RoUser | SessionState::RwUser) {
            return Ok(());
        }
        let (_, info) = self.slot()?;
        if info.user_pin_locked() {
            return Err(TokenError::PinLocked { token: self.label.clone() });
        }
        if !info.login_required() {
            return Ok(());
        }
        self.present(session, UserType::User, pin, &info)
    }

    /// For a key that wants the PIN for each signature; the operation has begun.
    pub(crate) fn confirm(&self, session: &Session, pin: Option<&Secret>) -> Result<(), TokenError> {
        let (_, info) = self.slot()?;
        self.present(session, UserType::ContextSpecific, pin, &info)
    }

    fn present(
        &self,
        session: &Session,
        user: UserType,
        pin: Option<&Secret>,
        info: &TokenInfo,
    ) -> Result<(), TokenError> {
        let result = if info.protected_authentication_path() {
            // The token has keys of its own to type the PIN on.
            session.login(user, None)
        } else {
            let pin = pin.ok_or_else(|| TokenError::PinMissing { token: self.label.clone() })?;
            session.login_with_raw(user, &RawAuthPin::new(Box::new(pin.expose().to_vec())))
        };
        match result {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
                let (_, info) = self.slot()?;
                let token = self.label.clone();
                Err(match info.user_pin_locked() {
                    true => TokenError::PinLocked { token },
                    false => TokenError::WrongPin { token, last_try: info.user_pin_final_try() },
                })
            }
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Whether the next wrong PIN locks the token.
    pub(crate) fn is_on_last_try(&self) -> bool {
        self.slot().is_ok_and(|(_, info)| info.user_pin_final_try())
    }

    /// The keys whose public halves, or certificates, everybody may see.
    pub(crate) fn public_keys(self: &Arc<Self>, uri: &KeyUri) -> Result<Vec<TokenKey>, TokenError> {
        self.with_session(|session| self.keys(session, ObjectClass::PUBLIC_KEY, uri))
    }

    /// The keys that only the owner sees. Of these a public half is known where the private one holds it: with RSA.
    pub(crate) fn private_keys(
        self: &Arc<Self>,
        uri: &KeyUri,
        pin: Option<&Secret>,
    ) -> Result<Vec<TokenKey>, TokenError> {
        self.with_session(|session| {
            self.log_in(session, pin)?;
            let mut keys = self.keys(session, ObjectClass::PUBLIC_KEY, uri)?;
            if keys.is_empty() {
                keys = self.keys(session, ObjectClass::PRIVATE_KEY, uri)?;
            }
            Ok(keys)
        })
    }

    fn keys(
        self: &Arc<Self>,
        session: &Session,
        class: ObjectClass,
        uri: &KeyUri,
    ) -> Result<Vec<TokenKey>, TokenError> {
        const WANTED: [AttributeType; 7] = [
            AttributeType::KeyType,
            AttributeType::Id,
            AttributeType::Label,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
            AttributeType::EcParams,
            AttributeType::EcPoint,
        ];
        let mut template = vec![Attribute::Class(class), Attribute::Token(true)];
        template.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
        template.extend(uri.id.clone().map(Attribute::Id));
        let objects = session.find_objects(&template).map_err(|error| self.fault(&error))?;
        let mut keys: Vec<TokenKey> = Vec::new();
        for object in objects.into_iter().take(MAX_OBJECTS) {
            let attributes = session.get_attributes(object, &WANTED).map_err(|error| self.fault(&error))?;
            let Some(key) = Found::from(attributes).key(self) else { continue };
            if keys.iter().all(|known| known.public_key() != key.public_key()) {
                keys.push(key);
            }
        }
        let certificates = Certificates::read(self, session)?;
        for key in certificates.keys(self, uri) {
            if keys.iter().all(|known| known.public_key() != key.public_key()) {
                keys.push(key);
            }
        }
        Ok(keys.into_iter().flat_map(|key| certificates.certify(key)).collect())
    }
}

/// What an object says about itself.
#[derive(Default)]
struct Found {
    key_type: Option<KeyType>,
    id: Vec<u8>,
    label: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    parameters: Vec<u8>,
    point: Vec<u8>,
}

impl From<Vec<Attribute>> for Found {
    fn from(attributes: Vec<Attribute>) -> Self {
        let mut found = Self::default();
        for attribute in attributes {
            match attribute {
                Attribute::KeyType(key_type) => found.key_type = Some(key_type),
                Attribute::Id(id) => found.id = id,
                Attribute::Label(label) => found.label = label,
                Attribute::Modulus(modulus) => found.modulus = modulus,
                Attribute::PublicExponent(exponent) => found.exponent = exponent,
                Attribute::EcParams(parameters) => found.parameters = parameters,
                Attribute::EcPoint(point) => found.point = point,
                _ => {}
            }
        }
        found
    }
}

impl Found {
    /// `None` for keys that SSH has no use for.
    fn key(self, token: &Arc<Token>) -> Option<TokenKey> {
        let (kind, public) = match self.key_type? {
            KeyType::RSA if !self.modulus.is_empty() && !self.exponent.is_empty() => {
                (KeyKind::Rsa, public::rsa(&self.modulus, &self.exponent))
            }
            KeyType::EC => {
                let (curve, public) = public::ecdsa(&self.parameters, &self.point)?;
                (KeyKind::Ecdsa(curve), public)
            }
            KeyType::EC_EDWARDS => (KeyKind::Ed25519, public::ed25519(&self.parameters, &self.point)?),
            _ => return None,
        };
        let label = String::from_utf8_lossy(&self.label).into_owned();
        Some(TokenKey { token: token.clone(), kind, id: self.id, label, public, certificates: Vec::new() })
    }
}
