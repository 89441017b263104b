//! The library's contexts, and the algorithms that are fetched in them.

use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::ptr;

use super::params::ask;
use super::{Api, Fetch, Free, Functions, Provider, Raw, done, text};

/// A context of our own (`OSSL_LIB_CTX`): what is fetched and made in it has nothing to do with what the rest of the
/// program does with the library.
pub(crate) struct Context {
    pub(super) api: &'static Api,
    pub(super) raw: Raw,
}

// SAFETY: the library locks what belongs to a context.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context came from the library; what was fetched in it counts references of its own.
        unsafe { (self.api.functions.OSSL_LIB_CTX_free)(self.raw) };
    }
}

impl Context {
    pub(crate) fn new(api: &'static Api) -> Result<Self, String> {
        api.explained(|| {
            // SAFETY: it takes nothing.
            let raw = unsafe { (api.functions.OSSL_LIB_CTX_new)() };
            (!raw.is_null()).then_some(Self { api, raw })
        })
    }

    /// Configures the context as a file says.
    pub(crate) fn configure(&self, file: &str) -> Result<(), String> {
        let path = CString::new(file).map_err(|_| "a path with a zero in it".to_owned())?;
        // SAFETY: the context is alive, and the path is read during the call.
        self.api.explained(|| unsafe {
            done((self.api.functions.OSSL_LIB_CTX_load_config)(self.raw, path.as_ptr()))
        })
    }

    /// Loads a provider, which stays for as long as the context. Gives its name and version for people.
    pub(crate) fn load_provider(&self, name: &CStr) -> Result<String, String> {
        self.api.explained(|| {
            let functions = &self.api.functions;
            // SAFETY: the context is alive, and the name is read during the call.
            let provider = unsafe { (functions.OSSL_PROVIDER_load)(self.raw, name.as_ptr()) };
            if provider.is_null() {
                return None;
            }
            let mut answers = [ptr::null(); 2];
            let mut question = ask([c"name", c"version"], &mut answers);
            // SAFETY: the provider is loaded; question and answers live for the call.
            unsafe { (functions.OSSL_PROVIDER_get_params)(provider, question.as_mut_ptr()) };
            // SAFETY: the answers are null or texts of the provider's, which stays.
            let answers = answers.map(|answer| unsafe { text(answer) });
            Some(answers.into_iter().flatten().collect::<Vec<_>>().join(" "))
        })
    }

    /// From now on, what is fetched without saying more is approved.
    pub(crate) fn demand_fips(&self) -> Result<(), String> {
        // SAFETY: the context is alive.
        self.api.explained(|| unsafe {
            done((self.api.functions.EVP_default_properties_enable_fips)(self.raw, 1))
        })
    }

    /// Looks an algorithm up. `None`: no provider of this context has it.
    pub(crate) fn fetch<K: Kind>(&self, name: &CStr) -> Option<Algorithm<K>> {
        let fetch = K::fetch(&self.api.functions);
        // SAFETY: the context is alive, and the name is read during the call; no properties are those of the context.
        let raw = self.api.quietly(|| unsafe { fetch(self.raw, name.as_ptr(), ptr::null::<c_char>()) });
        (!raw.is_null()).then_some(Algorithm { api: self.api, raw, kind: PhantomData })
    }
}

/// A kind of algorithms.
pub(crate) trait Kind {
    #[expect(private_interfaces, reason = "for this module alone")]
    fn fetch(functions: &Functions) -> Fetch;
    #[expect(private_interfaces, reason = "for this module alone")]
    fn free(functions: &Functions) -> Free;
    #[expect(private_interfaces, reason = "for this module alone")]
    fn provider(functions: &Functions) -> Provider;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $fetch:ident, $free:ident, $provider:ident;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        #[expect(private_interfaces, reason = "for this module alone")]
        impl Kind for $name {
            fn fetch(functions: &Functions) -> Fetch { functions.$fetch }
            fn free(functions: &Functions) -> Free { functions.$free }
            fn provider(functions: &Functions) -> Provider { functions.$provider }
        }
    )+};
}

kinds! {
    /// `EVP_CIPHER`.
    Cipher: EVP_CIPHER_fetch, EVP_CIPHER_free, EVP_CIPHER_get0_provider;
    /// `EVP_MAC`.
    Mac: EVP_MAC_fetch, EVP_MAC_free, EVP_MAC_get0_provider;
    /// `EVP_MD`.
    Md: EVP_MD_fetch, EVP_MD_free, EVP_MD_get0_provider;
    /// `EVP_KDF`.
    Kdf: EVP_KDF_fetch, EVP_KDF_free, EVP_KDF_get0_provider;
    /// `EVP_KEYEXCH`.
    Exchange: EVP_KEYEXCH_fetch, EVP_KEYEXCH_free, EVP_KEYEXCH_get0_provider;
    /// `EVP_SIGNATURE`.
    Signature: EVP_SIGNATURE_fetch, EVP_SIGNATURE_free, EVP_SIGNATURE_get0_provider;
}

/// An algorithm that was fetched.
pub(crate) struct Algorithm<K: Kind> {
    pub(super) api: &'static Api,
    pub(super) raw: Raw,
    kind: PhantomData<K>,
}

impl<K: Kind> Drop for Algorithm<K> {
    fn drop(&mut self) {
        // SAFETY: the library has given it, of this kind, and nobody uses it afterwards.
        unsafe { K::free(&self.api.functions)(self.raw) };
    }
}

impl<K: Kind> Algorithm<K> {
    /// The name of the provider that it is of, such as `default` or `fips`.
    pub(crate) fn provider(&self) -> String {
        // SAFETY: the algorithm is alive, of this kind, and keeps its provider, whose name is a text of its own.
        let name = unsafe {
            let provider = K::provider(&self.api.functions)(self.raw);
            text((self.api.functions.OSSL_PROVIDER_get0_name)(provider))
        };
        name.unwrap_or_default()
    }
}
