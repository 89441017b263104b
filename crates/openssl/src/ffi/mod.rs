//! The C interface of OpenSSL 3.0, and the only unsafe code. What leaves this module is safe: handles that release
//! themselves, and calls that lend and copy bytes whose lengths were checked.
//!
//! Nothing here touches the library's default context, in which the program that we are in may live: all that is fetched
//! and made belongs to a [`Context`] of ours, and what calls that fail leave in the thread's queue of errors is taken
//! away again.

#![allow(unsafe_code, reason = "the system's library is C; each call says why it is sound")]

mod bulk;
mod context;
mod key;
mod params;

use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_ulong, c_void};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::OnceLock;

use libloading::Library;

pub(crate) use bulk::{CipherState, KeyedState, derive, digest};
pub(crate) use context::{Algorithm, Cipher, Context, Exchange, Kdf, Kind, Mac, Md, Signature};
pub(crate) use key::{Key, Parts};
pub(crate) use params::Params;

use params::Param;

/// A pointer to what only the library knows.
type Raw = *mut c_void;
/// `EVP_…_fetch`, `EVP_…_free`, `EVP_…_get0_provider`.
type Fetch = unsafe extern "C" fn(Raw, *const c_char, *const c_char) -> Raw;
type Free = unsafe extern "C" fn(Raw);
type Provider = unsafe extern "C" fn(Raw) -> Raw;

/// Declares the functions, and how they are found in the library.
macro_rules! functions {
    ($($name:ident($($argument:ty),* $(,)?) $(-> $result:ty)?;)+) => {
        #[expect(non_snake_case, reason = "the names are the library's")]
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)+
        }

        impl Functions {
            fn find(library: &Library) -> Result<Self, libloading::Error> {
                // SAFETY: the names and signatures are those of OpenSSL's headers since 3.0, whose binary interface does not
                // change before the next major version; the library is never closed, see `Api`.
                unsafe { Ok(Self { $($name: *library.get(stringify!($name).as_bytes())?,)+ }) }
            }
        }
    };
}

functions! {
    OPENSSL_version_major() -> c_uint;
    OpenSSL_version(c_int) -> *const c_char;
    OPENSSL_init_crypto(u64, *const c_void) -> c_int;
    CRYPTO_free(Raw, *const c_char, c_int);
    ERR_clear_error();
    ERR_get_error_all(*mut *const c_char, *mut c_int, *mut *const c_char, *mut *const c_char, *mut c_int) -> c_ulong;
    ERR_reason_error_string(c_ulong) -> *const c_char;
    ERR_set_mark() -> c_int;
    ERR_pop_to_mark() -> c_int;

    OSSL_LIB_CTX_new() -> Raw;
    OSSL_LIB_CTX_free(Raw);
    OSSL_LIB_CTX_load_config(Raw, *const c_char) -> c_int;
    CONF_get1_default_config_file() -> *mut c_char;
    OSSL_PROVIDER_load(Raw, *const c_char) -> Raw;
    OSSL_PROVIDER_get_params(Raw, *mut Param) -> c_int;
    OSSL_PROVIDER_get0_name(Raw) -> *const c_char;
    EVP_default_properties_enable_fips(Raw, c_int) -> c_int;

    EVP_CIPHER_fetch(Raw, *const c_char, *const c_char) -> Raw;
    EVP_CIPHER_free(Raw);
    EVP_CIPHER_get0_provider(Raw) -> Raw;
    EVP_CIPHER_get_block_size(Raw) -> c_int;
    EVP_CIPHER_get_key_length(Raw) -> c_int;
    EVP_CIPHER_get_iv_length(Raw) -> c_int;
    EVP_CIPHER_CTX_new() -> Raw;
    EVP_CIPHER_CTX_free(Raw);
    EVP_CIPHER_CTX_ctrl(Raw, c_int, c_int, Raw) -> c_int;
    EVP_CipherInit_ex2(Raw, Raw, *const c_uchar, *const c_uchar, c_int, *const Param) -> c_int;
    EVP_CipherUpdate(Raw, *mut c_uchar, *mut c_int, *const c_uchar, c_int) -> c_int;
    EVP_CipherFinal_ex(Raw, *mut c_uchar, *mut c_int) -> c_int;

    EVP_MAC_fetch(Raw, *const c_char, *const c_char) -> Raw;
    EVP_MAC_free(Raw);
    EVP_MAC_get0_provider(Raw) -> Raw;
    EVP_MAC_CTX_new(Raw) -> Raw;
    EVP_MAC_CTX_free(Raw);
    EVP_MAC_CTX_set_params(Raw, *const Param) -> c_int;
    EVP_MAC_init(Raw, *const c_uchar, usize, *const Param) -> c_int;
    EVP_MAC_update(Raw, *const c_uchar, usize) -> c_int;
    EVP_MAC_final(Raw, *mut c_uchar, *mut usize, usize) -> c_int;

    EVP_MD_fetch(Raw, *const c_char, *const c_char) -> Raw;
    EVP_MD_free(Raw);
    EVP_MD_get0_provider(Raw) -> Raw;
    EVP_MD_CTX_new() -> Raw;
    EVP_MD_CTX_free(Raw);
    EVP_DigestInit_ex2(Raw, Raw, *const Param) -> c_int;
    EVP_DigestUpdate(Raw, *const c_void, usize) -> c_int;
    EVP_DigestFinal_ex(Raw, *mut c_uchar, *mut c_uint) -> c_int;

    EVP_KDF_fetch(Raw, *const c_char, *const c_char) -> Raw;
    EVP_KDF_free(Raw);
    EVP_KDF_get0_provider(Raw) -> Raw;
    EVP_KDF_CTX_new(Raw) -> Raw;
    EVP_KDF_CTX_free(Raw);
    EVP_KDF_derive(Raw, *mut c_uchar, usize, *const Param) -> c_int;

    EVP_KEYEXCH_fetch(Raw, *const c_char, *const c_char) -> Raw;
    EVP_KEYEXCH_free(Raw);
    EVP_KEYEXCH_get0_provider(Raw) -> Raw;
    EVP_SIGNATURE_fetch(Raw, *const c_char, *const c_char) -> Raw;
    EVP_SIGNATURE_free(Raw);
    EVP_SIGNATURE_get0_provider(Raw) -> Raw;

    EVP_PKEY_free(Raw);
    EVP_PKEY_CTX_new_from_name(Raw, *const c_char, *const c_char) -> Raw;
    EVP_PKEY_CTX_new_from_pkey(Raw, Raw, *const c_char) -> Raw;
    EVP_PKEY_CTX_free(Raw);
    EVP_PKEY_CTX_set_params(Raw, *const Param) -> c_int;
    EVP_PKEY_fromdata_init(Raw) -> c_int;
    EVP_PKEY_fromdata(Raw, *mut Raw, c_int, *mut Param) -> c_int;
    EVP_PKEY_keygen_init(Raw) -> c_int;
    EVP_PKEY_generate(Raw, *mut Raw) -> c_int;
    EVP_PKEY_get_octet_string_param(Raw, *const c_char, *mut c_uchar, usize, *mut usize) -> c_int;
    EVP_PKEY_public_check_quick(Raw) -> c_int;
    EVP_PKEY_derive_init_ex(Raw, *const Param) -> c_int;
    EVP_PKEY_derive_set_peer_ex(Raw, Raw, c_int) -> c_int;
    EVP_PKEY_derive(Raw, *mut c_uchar, *mut usize) -> c_int;
    EVP_DigestSignInit_ex(Raw, *mut Raw, *const c_char, Raw, *const c_char, Raw, *const Param) -> c_int;
    EVP_DigestSign(Raw, *mut c_uchar, *mut usize, *const c_uchar, usize) -> c_int;
    EVP_DigestVerifyInit_ex(Raw, *mut Raw, *const c_char, Raw, *const c_char, Raw, *const Param) -> c_int;
    EVP_DigestVerify(Raw, *const c_uchar, usize, *const c_uchar, usize) -> c_int;
}

/// The library and its functions. Loaded once and never closed: it leaves destructors behind for the ends of threads.
pub(crate) struct Api {
    functions: Functions,
    _library: ManuallyDrop<Library>,
}

impl Api {
    /// Loads the first of `names` that is there.
    ///
    /// # Errors
    /// None is, and why.
    pub(crate) fn load(names: &[&str]) -> Result<&'static Self, String> {
        static LOADED: OnceLock<Api> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(loaded);
        }
        let mut problems = Vec::new();
        for name in names {
            match Self::open(name) {
                Ok(api) => return Ok(LOADED.get_or_init(|| api)),
                Err(problem) => problems.push(problem),
            }
        }
        Err(problems.join("; "))
    }

    fn open(name: &str) -> Result<Self, String> {
        // SAFETY: the system's library is trusted like the program itself, and has no initialisation with conditions of its
        // own.
        let library = unsafe { Library::new(name) }.map_err(|problem| problem.to_string())?;
        let functions = Functions::find(&library).map_err(|problem| format!("{name}: {problem}"))?;
        // SAFETY: it takes nothing and reads a constant.
        match unsafe { (functions.OPENSSL_version_major)() } {
            3.. => {
                // SAFETY: no settings may be null. It touches nothing that was set up before.
                unsafe { (functions.OPENSSL_init_crypto)(NO_CLEANING_UP, ptr::null()) };
                Ok(Self { functions, _library: ManuallyDrop::new(library) })
            }
            older => Err(format!("{name} is version {older}")),
        }
    }

    /// The library's name, version and date.
    pub(crate) fn version(&self) -> String {
        // SAFETY: for every number it gives a constant text.
        unsafe { text((self.functions.OpenSSL_version)(OPENSSL_VERSION)) }.unwrap_or_default()
    }

    /// The file that the library is configured in: the one that `OPENSSL_CONF` names, or its own.
    pub(crate) fn configuration_file(&self) -> Option<String> {
        // SAFETY: it gives null or a text that is the caller's, to be released with the function for that.
        unsafe {
            let path = (self.functions.CONF_get1_default_config_file)();
            let owned = text(path);
            (self.functions.CRYPTO_free)(path.cast(), ptr::null(), 0);
            owned
        }
    }

    /// Makes calls of which nothing stays in the thread's queue of errors, which may be another's, too.
    fn quietly<T>(&self, calls: impl FnOnce() -> T) -> T {
        // SAFETY: both take nothing, and touch the calling thread's queue alone.
        unsafe { (self.functions.ERR_set_mark)() };
        let result = calls();
        // SAFETY: as above.
        unsafe { (self.functions.ERR_pop_to_mark)() };
        result
    }

    /// Makes a call whose failure is worth the library's words.
    fn explained<T>(&self, call: impl FnOnce() -> Option<T>) -> Result<T, String> {
        // SAFETY: it takes nothing, and touches the calling thread's queue alone.
        unsafe { (self.functions.ERR_clear_error)() };
        call().ok_or_else(|| self.words())
    }

    /// What the thread's queue of errors says, the causes first. Empties it.
    fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for _ in 0..MAX_ERRORS {
            let (mut data, mut flags) = (ptr::null(), 0);
            // SAFETY: what is not wanted may be null; the text that it points to lives until the queue changes.
            let (code, data) = unsafe {
                let errors = self.functions.ERR_get_error_all;
                let code =
                    errors(ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), &raw mut data, &raw mut flags);
                (code, if flags & ERR_TXT_STRING == 0 { None } else { text(data) })
            };
            if code == 0 {
                break;
            }
            // SAFETY: for every number it gives null or a constant text.
            let reason = unsafe { text((self.functions.ERR_reason_error_string)(code)) };
            let parts = [reason, data.filter(|data| !data.is_empty())];
            words.push(parts.into_iter().flatten().collect::<Vec<_>>().join(": "));
        }
        words.retain(|words| !words.is_empty());
        words.join("; ")
    }
}

/// A text of the library's, copied.
///
/// # Safety
/// `text` is null, or ends with a zero and lives for the call.
unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// A handle that is released when dropped.
macro_rules! handle {
    ($(#[$doc:meta])* $visibility:vis $name:ident, $release:ident) => {
        $(#[$doc])*
        $visibility struct $name {
            pub(super) api: &'static Api,
            pub(super) raw: Raw,
        }

        // SAFETY: the library's objects belong to no thread, and change only where `&mut` sees to it that one has them.
        unsafe impl Send for $name {}

        impl $name {
            /// Takes what the library has made. `None`: it has not.
            pub(super) fn own(api: &'static Api, raw: Raw) -> Option<Self> {
                (!raw.is_null()).then_some(Self { api, raw })
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the handle came from the library, and nobody uses it afterwards.
                unsafe { (self.api.functions.$release)(self.raw) };
            }
        }
    };
}
use handle;

/// Whether a call has done what it was to do. The library says 1 if so; 0, and at times less, if not.
fn done(result: c_int) -> Option<()> {
    (result == 1).then_some(())
}

/// `OPENSSL_INIT_NO_ATEXIT`: at the end of the program other threads may be at work still, whose ground would be cleared
/// away.
const NO_CLEANING_UP: u64 = 0x0008_0000;
/// Of `OpenSSL_version`.
const OPENSSL_VERSION: c_int = 0;
/// The error comes with a text.
const ERR_TXT_STRING: c_int = 2;
/// The library keeps no more for a thread.
const MAX_ERRORS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_openssl_is_told_apart() {
        let problem = |name| Api::open(name).err().unwrap();
        assert!(problem("libcrypto-of-nobody.so.3").contains("libcrypto-of-nobody.so.3"));
        // A library, but not this one.
        let other = if cfg!(target_vendor = "apple") { "libSystem.B.dylib" } else { "libc.so.6" };
        assert!(problem(other).contains("OPENSSL_version_major"), "{}", problem(other));
    }

    #[test]
    fn a_failure_leaves_nothing_in_the_queue_of_errors() {
        let api = Api::load(&["libcrypto.so.3", "libcrypto.3.dylib"]).unwrap();
        let context = Context::new(api).unwrap();
        assert!(context.fetch::<Cipher>(c"ROT13").is_none());
        assert_eq!(api.words(), "");
    }

    #[test]
    fn the_library_s_own_words_are_told() {
        let api = Api::load(&["libcrypto.so.3", "libcrypto.3.dylib"]).unwrap();
        let words = Context::new(api).unwrap().load_provider(c"nobodys").unwrap_err();
        assert!(words.contains("nobodys"), "{words}");
    }
}
