//! `hmac-*`.

use underpass_crypto::{Failed, Hash, MacKey};
use zeroize::Zeroizing;

use crate::ffi::{KeyedState, Mac, Params};
use crate::hashing::name;
use crate::module::Chosen;

/// HMAC with a hash.
pub(crate) fn hmac<M: Chosen>(hash: Hash, key: &[u8]) -> Box<dyn MacKey> {
    let mac = M::context().fetch::<Mac>(HMAC);
    let state = mac.and_then(|mac| KeyedState::new(&mac, Params::default().text(c"digest", name(hash))));
    Box::new(Hmac { state, key: Zeroizing::new(key.into()) })
}

/// One direction of a connection.
struct Hmac {
    /// `None`: there is no such MAC, so that nothing can be signed.
    state: Option<KeyedState>,
    key: Zeroizing<Box<[u8]>>,
}

impl MacKey for Hmac {
    fn sign(&mut self, sequence: u32, packet: &[u8], tag: &mut [u8]) -> Result<(), Failed> {
        // RFC 4253 section 6.4: the sequence number comes first and is not sent.
        let state = self.state.as_mut().ok_or(Failed)?;
        state.sign(&self.key, &[&sequence.to_be_bytes(), packet], tag)
    }
}

/// How the library calls it.
pub(crate) const HMAC: &std::ffi::CStr = c"HMAC";
