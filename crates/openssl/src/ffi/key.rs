//! Keys (`EVP_PKEY`), and what is done with them.

use std::ffi::{CStr, c_int};
use std::ptr;

use underpass_crypto::Secret;
use zeroize::Zeroizing;

use super::bulk::MdHandle;
use super::{Api, Context, Params, Raw, done, handle};

handle!(
    /// `EVP_PKEY`.
    Handle, EVP_PKEY_free
);
handle!(
    /// `EVP_PKEY_CTX`: one thing that is done with a key.
    Operation, EVP_PKEY_CTX_free
);

/// A key, or what is known of it. It does not change.
pub(crate) struct Key {
    context: &'static Context,
    handle: Handle,
}

// SAFETY: what is done with a key that does not change has its own state, and the library locks what it keeps beside it.
unsafe impl Sync for Key {}

/// What numbers make of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parts {
    /// The public half.
    Public,
    /// Both halves.
    Pair,
}

impl Key {
    /// From its numbers. `None`: no provider knows such keys, or the numbers are none.
    pub(crate) fn import(
        context: &'static Context,
        kind: &CStr,
        parts: Parts,
        mut numbers: Params,
    ) -> Option<Self> {
        let (api, functions) = (context.api, &context.api.functions);
        let selection = match parts {
            Parts::Public => PUBLIC_KEY,
            Parts::Pair => KEY_PAIR,
        };
        api.quietly(|| {
            let operation = Operation::of_kind(context, kind)?;
            // SAFETY: the operation is alive.
            done(unsafe { (functions.EVP_PKEY_fromdata_init)(operation.raw) })?;
            let mut key = ptr::null_mut();
            // SAFETY: as above, and the numbers live for the call.
            done(unsafe {
                (functions.EVP_PKEY_fromdata)(operation.raw, &raw mut key, selection, numbers.as_mut_ptr())
            })?;
            Some(Self { context, handle: Handle::own(api, key)? })
        })
    }

    /// A new one, by the library's own generator. `None`: no provider makes such keys.
    pub(crate) fn generate(context: &'static Context, kind: &CStr, mut what: Params) -> Option<Self> {
        let (api, functions) = (context.api, &context.api.functions);
        api.quietly(|| {
            let operation = Operation::of_kind(context, kind)?;
            // SAFETY: the operation is alive.
            done(unsafe { (functions.EVP_PKEY_keygen_init)(operation.raw) })?;
            // SAFETY: as above, and the parameters live for the call.
            done(unsafe { (functions.EVP_PKEY_CTX_set_params)(operation.raw, what.as_mut_ptr()) })?;
            let mut key = ptr::null_mut();
            // SAFETY: the operation is alive.
            done(unsafe { (functions.EVP_PKEY_generate)(operation.raw, &raw mut key) })?;
            Some(Self { context, handle: Handle::own(api, key)? })
        })
    }

    /// The public half, as it is sent: a point, or a number as long as the modulus.
    pub(crate) fn public(&self) -> Option<Vec<u8>> {
        let get = self.api().functions.EVP_PKEY_get_octet_string_param;
        let name = c"encoded-pub-key".as_ptr();
        let mut len = 0;
        self.api().quietly(|| {
            // SAFETY: the key is alive; without room, the length alone is told.
            done(unsafe { get(self.handle.raw, name, ptr::null_mut(), 0, &raw mut len) })?;
            let mut public = vec![0; len];
            // SAFETY: the key is alive, and it is told how much room there is.
            done(unsafe { get(self.handle.raw, name, public.as_mut_ptr(), public.len(), &raw mut len) })?;
            public.truncate(len);
            Some(public)
        })
    }

    /// Whether the public half is one: in its range, and on its curve.
    pub(crate) fn is_valid(&self) -> bool {
        let check = self.api().functions.EVP_PKEY_public_check_quick;
        self.api()
            .quietly(|| {
                let operation = self.operation()?;
                // SAFETY: the operation is alive.
                done(unsafe { check(operation.raw) })
            })
            .is_some()
    }

    /// The secret that is shared with whoever has the other half of `peer`. What `peer` may be is the caller's to check.
    pub(crate) fn agree(&self, peer: &Self, mut how: Params) -> Option<Secret> {
        let functions = &self.api().functions;
        self.api().quietly(|| {
            let operation = self.operation()?;
            // SAFETY: the operation is alive, and the parameters live for the call.
            done(unsafe { (functions.EVP_PKEY_derive_init_ex)(operation.raw, how.as_mut_ptr()) })?;
            // SAFETY: both are alive; the operation keeps the key by a reference of its own.
            done(unsafe {
                (functions.EVP_PKEY_derive_set_peer_ex)(operation.raw, peer.handle.raw, DO_NOT_VALIDATE)
            })?;
            let mut len = 0;
            // SAFETY: without room, the length alone is told.
            done(unsafe { (functions.EVP_PKEY_derive)(operation.raw, ptr::null_mut(), &raw mut len) })?;
            let mut secret = Zeroizing::new(vec![0; len]);
            // SAFETY: there is room for as much as `len` says.
            done(unsafe { (functions.EVP_PKEY_derive)(operation.raw, secret.as_mut_ptr(), &raw mut len) })?;
            Some(Secret::new(secret.get(..len)?))
        })
    }

    /// Signs what is hashed first, unless the algorithm does that by itself.
    pub(crate) fn sign(&self, hash: Option<&CStr>, data: &[u8]) -> Option<Vec<u8>> {
        let sign = self.api().functions.EVP_DigestSign;
        self.api().quietly(|| {
            let state = self.signing(hash)?;
            let mut len = 0;
            // SAFETY: without room, the length alone is told; the data is read during the call.
            done(unsafe { sign(state.raw, ptr::null_mut(), &raw mut len, data.as_ptr(), data.len()) })?;
            let mut signature = vec![0; len];
            // SAFETY: there is room for as much as `len` says.
            done(unsafe {
                sign(state.raw, signature.as_mut_ptr(), &raw mut len, data.as_ptr(), data.len())
            })?;
            signature.truncate(len);
            Some(signature)
        })
    }

    /// Whether the provider lets the key sign in this way.
    pub(crate) fn can_sign(&self, hash: Option<&CStr>) -> bool {
        self.api().quietly(|| self.signing(hash)).is_some()
    }

    fn signing(&self, hash: Option<&CStr>) -> Option<MdHandle> {
        let init = self.api().functions.EVP_DigestSignInit_ex;
        self.hashing(hash, init)
    }

    /// Whether the signature is the key's over `data`. `None`: the provider does not verify with such a key.
    pub(crate) fn verify(&self, hash: Option<&CStr>, signature: &[u8], data: &[u8]) -> Option<bool> {
        let functions = &self.api().functions;
        self.api().quietly(|| {
            let state = self.hashing(hash, functions.EVP_DigestVerifyInit_ex)?;
            // SAFETY: the state is alive; signature and data are read during the call.
            let verdict = unsafe {
                let verify = functions.EVP_DigestVerify;
                verify(state.raw, signature.as_ptr(), signature.len(), data.as_ptr(), data.len())
            };
            Some(verdict == 1)
        })
    }

    fn hashing(&self, hash: Option<&CStr>, init: Init) -> Option<MdHandle> {
        // SAFETY: it takes nothing.
        let state = MdHandle::own(self.api(), unsafe { (self.api().functions.EVP_MD_CTX_new)() })?;
        let hash = hash.map_or(ptr::null(), CStr::as_ptr);
        // SAFETY: state, context and key are alive; the name is null or read during the call; what is not wanted is null.
        done(unsafe {
            let (context, key) = (self.context.raw, self.handle.raw);
            init(state.raw, ptr::null_mut(), hash, context, ptr::null(), key, ptr::null())
        })?;
        Some(state)
    }

    fn operation(&self) -> Option<Operation> {
        let new = self.api().functions.EVP_PKEY_CTX_new_from_pkey;
        // SAFETY: context and key are alive; the operation keeps the key by a reference of its own.
        Operation::own(self.api(), unsafe { new(self.context.raw, self.handle.raw, ptr::null()) })
    }

    fn api(&self) -> &'static Api {
        self.context.api
    }
}

impl Operation {
    fn of_kind(context: &Context, kind: &CStr) -> Option<Self> {
        let new = context.api.functions.EVP_PKEY_CTX_new_from_name;
        // SAFETY: the context is alive, and the name is read during the call.
        Self::own(context.api, unsafe { new(context.raw, kind.as_ptr(), ptr::null()) })
    }
}

/// `EVP_DigestSignInit_ex`, `EVP_DigestVerifyInit_ex`.
type Init = unsafe extern "C" fn(
    Raw,
    *mut Raw,
    *const std::ffi::c_char,
    Raw,
    *const std::ffi::c_char,
    Raw,
    *const super::Param,
) -> c_int;

/// `EVP_PKEY_PUBLIC_KEY`, `EVP_PKEY_KEYPAIR`.
const PUBLIC_KEY: c_int = 0x86;
const KEY_PAIR: c_int = 0x87;
/// Of `EVP_PKEY_derive_set_peer_ex`.
const DO_NOT_VALIDATE: c_int = 0;
