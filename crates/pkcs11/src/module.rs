use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use underpass_crypto::Secret;

use crate::certificate::choose;
use crate::token::Token;
use crate::{KeyUri, TokenError, TokenKey};

/// Tokens that are looked at; a module may make up any number of slots.
const MAX_TOKENS: usize = 64;

/// A PKCS#11 module, loaded and started. It stays so until the process ends, since its state belongs to the process.
#[derive(Debug, Clone)]
pub struct Module {
    context: Pkcs11,
}

/// Modules in use. A module may be started once in a process (PKCS#11 section 5.4).
static MODULES: Mutex<BTreeMap<PathBuf, Module>> = Mutex::new(BTreeMap::new());

impl Module {
    /// Loads the module at `path`, unless it is loaded already.
    ///
    /// # Errors
    /// [`TokenError::Module`].
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        // A module is put in when it works, so there is nothing half done.
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(path) {
            return Ok(module.clone());
        }
        let fault = |error: Error| {
            let problem = match error {
                Error::LibraryLoading(error) => error.to_string(),
                Error::MissingSymbol(_) => "it is no PKCS#11 module".to_owned(),
                other => other.to_string(),
            };
            TokenError::Module { path: path.to_owned(), problem }
        };
        let context = Pkcs11::new(path).map_err(fault)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Somebody else in this process uses it.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(fault(error)),
        }
        let module = Self { context };
        modules.insert(path.to_owned(), module.clone());
        Ok(module)
    }

    /// The keys that fit, on all tokens that fit. Those that a token shows only to its owner are looked for with the
    /// PIN, and where no other fits.
    ///
    /// # Errors
    /// There is no such token or key; the token wants a PIN; the module failed.
    pub fn keys(&self, uri: &KeyUri, pin: Option<&Secret>) -> Result<Vec<TokenKey>, TokenError> {
        let tokens = self.tokens(uri)?;
        let mut keys = Vec::new();
        for token in &tokens {
            keys.extend(token.public_keys(uri)?);
        }
        let chosen = choose(keys, uri);
        if !chosen.is_empty() {
            return Ok(chosen);
        }
        let mut keys = Vec::new();
        for token in &tokens {
            keys.extend(token.private_keys(uri, pin)?);
        }
        let keys = choose(keys, uri);
        if keys.is_empty() { Err(TokenError::NoKey) } else { Ok(keys) }
    }

    fn tokens(&self, uri: &KeyUri) -> Result<Vec<Arc<Token>>, TokenError> {
        let slots = self.context.get_slots_with_token();
        let slots = slots.map_err(|error| TokenError::from_module("", &error))?;
        let mut tokens = Vec::new();
        for slot in slots.into_iter().take(MAX_TOKENS) {
            // A token that goes away just now is not there.
            let Ok(info) = self.context.get_token_info(slot) else { continue };
            if info.token_initialized() && Token::fits(&info, uri) {
                tokens.push(Arc::new(Token::new(self.context.clone(), &info)));
            }
        }
        if tokens.is_empty() { Err(TokenError::NoToken) } else { Ok(tokens) }
    }
}
