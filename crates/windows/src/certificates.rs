//! Windows' certificate stores. The private keys stay where they are, in files of the system, a TPM or a smart card, and
//! sign through CNG.

#![allow(unsafe_code, reason = "crypt32 and ncrypt are C; each call says why it is sound")]

use std::{ffi::c_void, io, ptr, slice, sync::Arc};

use underpass_crypto::{
    Hash,
    outside::{Holder, Scheme},
};
use windows_sys::{
    Win32::{
        Foundation::ERROR_FILE_NOT_FOUND,
        Security::Cryptography::{
            BCRYPT_PAD_PKCS1, BCRYPT_PKCS1_PADDING_INFO, BCRYPT_SHA1_ALGORITHM, BCRYPT_SHA256_ALGORITHM,
            BCRYPT_SHA384_ALGORITHM, BCRYPT_SHA512_ALGORITHM, CERT_CONTEXT, CERT_FRIENDLY_NAME_PROP_ID,
            CERT_KEY_PROV_INFO_PROP_ID, CERT_NCRYPT_KEY_HANDLE_PROP_ID, CERT_STORE_OPEN_EXISTING_FLAG,
            CERT_STORE_PROV_SYSTEM_W, CERT_STORE_READONLY_FLAG, CERT_SYSTEM_STORE_CURRENT_USER,
            CERT_SYSTEM_STORE_LOCAL_MACHINE, CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG, CRYPT_ACQUIRE_SILENT_FLAG,
            CertCloseStore, CertDuplicateCertificateContext, CertEnumCertificatesInStore,
            CertFreeCertificateContext, CertGetCertificateContextProperty, CertOpenStore,
            CryptAcquireCertificatePrivateKey, HCERTSTORE, NCRYPT_KEY_HANDLE, NCRYPT_SILENT_FLAG,
            NCryptFreeObject, NCryptSignHash,
        },
    },
    core::PCWSTR,
};

use crate::wide;

/// Whose stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// The user's who runs the program.
    CurrentUser,
    /// The machine's.
    LocalMachine,
}

/// The certificates in a store, such as `MY`. `None` if there is no store of that name.
///
/// # Errors
/// The store is there and cannot be opened.
pub fn read(location: Location, name: &str) -> io::Result<Option<Vec<Certificate>>> {
    let Some(store) = Store::open(location, name)? else { return Ok(None) };
    let mut found = Vec::new();
    let mut context: *const CERT_CONTEXT = ptr::null();
    loop {
        // SAFETY: the store is open, and the context is none or the last one that this function gave, which it releases.
        context = unsafe { CertEnumCertificatesInStore(store.0, context) };
        if context.is_null() {
            return Ok(Some(found));
        }
        found.push(Certificate::shared(context));
        if found.len() >= MAX_CERTIFICATES {
            // SAFETY: the context was given to us, and is not used any more.
            unsafe { CertFreeCertificateContext(context) };
            return Ok(Some(found));
        }
    }
}

/// Certificates of a store that are looked at: far more than anybody has there.
pub const MAX_CERTIFICATES: usize = 10_000;

/// An open store.
struct Store(HCERTSTORE);

impl Store {
    fn open(location: Location, name: &str) -> io::Result<Option<Self>> {
        if name.is_empty() || name.contains('\0') {
            return Ok(None);
        }
        let location = match location {
            Location::CurrentUser => CERT_SYSTEM_STORE_CURRENT_USER,
            Location::LocalMachine => CERT_SYSTEM_STORE_LOCAL_MACHINE,
        };
        let flags = location | CERT_STORE_OPEN_EXISTING_FLAG | CERT_STORE_READONLY_FLAG;
        let name = wide(name);
        // SAFETY: this provider takes a name that ends with a zero, and reads it during the call.
        let store = unsafe { CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, name.as_ptr().cast()) };
        if !store.is_null() {
            return Ok(Some(Self(store)));
        }
        let error = io::Error::last_os_error();
        let is_missing = error.raw_os_error() == Some(ERROR_FILE_NOT_FOUND.cast_signed());
        if is_missing { Ok(None) } else { Err(error) }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: it is open. What was read from it has references of its own.
        unsafe { CertCloseStore(self.0, 0) };
    }
}

/// A certificate of a store.
#[derive(Clone)]
pub struct Certificate(Arc<Context>);

/// A reference to a certificate, which never changes.
struct Context(*const CERT_CONTEXT);

// SAFETY: references are counted by crypt32, whose functions may be called in any thread.
unsafe impl Send for Context {}
// SAFETY: the same; what it refers to is only read.
unsafe impl Sync for Context {}

impl Certificate {
    /// With a reference of its own. The context must be valid.
    fn shared(context: *const CERT_CONTEXT) -> Self {
        // SAFETY: the caller's context is valid; the reference that this gives is released by `Context`.
        Self(Arc::new(Context(unsafe { CertDuplicateCertificateContext(context) })))
    }

    /// The certificate.
    pub fn der(&self) -> &[u8] {
        // SAFETY: the reference keeps the context and its bytes alive and unchanged for as long as `self` is borrowed.
        unsafe {
            let context = &*self.0.0;
            slice::from_raw_parts(context.pbCertEncoded, context.cbCertEncoded as usize)
        }
    }

    /// What the store calls it; mostly nothing. Whoever put it there chose it.
    pub fn friendly_name(&self) -> String {
        let bytes = self.property(CERT_FRIENDLY_NAME_PROP_ID).unwrap_or_default();
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
    }

    /// Whether a private key belongs to it. The key itself is not looked for: it may be on a card that is elsewhere.
    pub fn has_private_key(&self) -> bool {
        [CERT_KEY_PROV_INFO_PROP_ID, CERT_NCRYPT_KEY_HANDLE_PROP_ID].into_iter().any(|id| self.has(id))
    }

    /// Its private key. With `silent`, one that would ask a person, for a PIN or a card, refuses instead.
    pub fn holder(&self, silent: bool) -> impl Holder + use<> {
        StoredKey { certificate: self.clone(), silent }
    }

    fn has(&self, id: u32) -> bool {
        let mut len = 0;
        // SAFETY: the context is valid; without a place for it, only the length of the property is given.
        unsafe { CertGetCertificateContextProperty(self.0.0, id, ptr::null_mut(), &mut len) != 0 }
    }

    fn property(&self, id: u32) -> Option<Vec<u8>> {
        let mut value = vec![0_u8; MAX_PROPERTY];
        let mut len = MAX_PROPERTY as u32;
        // SAFETY: the context is valid, and there is room for `len` bytes.
        let found =
            unsafe { CertGetCertificateContextProperty(self.0.0, id, value.as_mut_ptr().cast(), &mut len) };
        value.truncate(len as usize);
        (found != 0).then_some(value)
    }
}

/// Bytes of a friendly name: longer ones count as none.
const MAX_PROPERTY: usize = 4096;

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and is not used any more.
        unsafe { CertFreeCertificateContext(self.0) };
    }
}

/// A private key by its certificate.
struct StoredKey {
    certificate: Certificate,
    silent: bool,
}

impl Holder for StoredKey {
    fn sign(&self, scheme: Scheme, input: &[u8]) -> Result<Vec<u8>, String> {
        let key = Key::acquire(&self.certificate, self.silent)
            .map_err(|error| format!("the private key of the certificate cannot be used: {error}"))?;
        key.sign(scheme, input, self.silent)
            .map_err(|error| format!("the private key of the certificate did not sign: {error}"))
    }
}

/// An open private key.
struct Key {
    handle: NCRYPT_KEY_HANDLE,
    /// Whether it is ours to close, or else belongs to the certificate.
    is_ours: bool,
    _certificate: Option<Certificate>,
}

impl Key {
    fn acquire(certificate: &Certificate, silent: bool) -> io::Result<Self> {
        let flags = CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG | if silent { CRYPT_ACQUIRE_SILENT_FLAG } else { 0 };
        let (mut handle, mut spec, mut is_ours) = (0, 0, 0);
        // SAFETY: the context is valid; with these flags there is no parameter, and what comes is a key of CNG.
        let acquired = unsafe {
            CryptAcquireCertificatePrivateKey(
                certificate.0.0,
                flags,
                ptr::null(),
                &mut handle,
                &mut spec,
                &mut is_ours,
            )
        };
        if acquired == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { handle, is_ours: is_ours != 0, _certificate: Some(certificate.clone()) })
    }

    /// RSA gives the signature, ECDSA both halves of it.
    fn sign(&self, scheme: Scheme, input: &[u8], silent: bool) -> io::Result<Vec<u8>> {
        let padding = match scheme {
            Scheme::Rsa(hash) => Some(BCRYPT_PKCS1_PADDING_INFO { pszAlgId: name(hash) }),
            Scheme::Ecdsa(_) => None,
            Scheme::Ed25519 => return Err(io::ErrorKind::Unsupported.into()),
        };
        let flags = if padding.is_some() { BCRYPT_PAD_PKCS1 } else { 0 }
            | if silent { NCRYPT_SILENT_FLAG } else { 0 };
        let information: *const c_void = padding.as_ref().map_or(ptr::null(), |it| ptr::from_ref(it).cast());
        // Room for the largest, so that a card is asked once, and a person too.
        let mut signature = vec![0_u8; MAX_SIGNATURE];
        let mut len = 0;
        // SAFETY: the key is open; the padding, the input and the room live through the call, with the lengths given.
        let status = unsafe {
            NCryptSignHash(
                self.handle,
                information,
                input.as_ptr(),
                input.len() as u32,
                signature.as_mut_ptr(),
                MAX_SIGNATURE as u32,
                &mut len,
                flags,
            )
        };
        if status != 0 {
            return Err(io::Error::from_raw_os_error(status));
        }
        signature.truncate(len as usize);
        Ok(signature)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if self.is_ours {
            // SAFETY: the handle is ours and is not used any more.
            unsafe { NCryptFreeObject(self.handle) };
        }
    }
}

/// Bytes of the longest signature: that of RSA with 16,384 bits.
const MAX_SIGNATURE: usize = 2048;

/// What CNG calls it.
fn name(hash: Hash) -> PCWSTR {
    match hash {
        Hash::Sha1 => BCRYPT_SHA1_ALGORITHM,
        Hash::Sha256 => BCRYPT_SHA256_ALGORITHM,
        Hash::Sha384 => BCRYPT_SHA384_ALGORITHM,
        Hash::Sha512 => BCRYPT_SHA512_ALGORITHM,
    }
}

#[cfg(test)]
mod tests {
    use underpass_crypto::{Signer as _, outside::OutsideKey, x509::X509Certificate};
    use windows_sys::Win32::Security::Cryptography::{
        BCRYPT_RSA_ALGORITHM, BCRYPT_RSAPUBLIC_BLOB, CERT_STORE_ADD_REPLACE_EXISTING, CERT_STORE_DELETE_FLAG,
        CRYPT_INTEGER_BLOB, CRYPT_KEY_PROV_INFO, CertAddEncodedCertificateToStore,
        CertSetCertificateContextProperty, NCRYPT_LENGTH_PROPERTY, NCRYPT_PROV_HANDLE,
        NCryptCreatePersistedKey, NCryptExportKey, NCryptFinalizeKey, NCryptOpenStorageProvider,
        NCryptSetProperty, X509_ASN_ENCODING,
    };

    use super::*;

    /// A store of the user's, which is deleted at the end.
    struct Scratch(String);

    impl Scratch {
        /// With these certificates, the first of which is said to have a private key, and a name.
        fn new(name: &str, certificates: &[&[u8]]) -> Self {
            let name = format!("underpass-{name}-{}", std::process::id());
            let wide_name = wide(&name);
            // SAFETY: all that is passed lives through the calls, with the lengths given.
            unsafe {
                let store = CertOpenStore(
                    CERT_STORE_PROV_SYSTEM_W,
                    0,
                    0,
                    CERT_SYSTEM_STORE_CURRENT_USER,
                    wide_name.as_ptr().cast(),
                );
                assert!(!store.is_null(), "{}", io::Error::last_os_error());
                for (number, der) in certificates.iter().enumerate() {
                    let mut context = ptr::null_mut();
                    let added = CertAddEncodedCertificateToStore(
                        store,
                        X509_ASN_ENCODING,
                        der.as_ptr(),
                        der.len() as u32,
                        CERT_STORE_ADD_REPLACE_EXISTING,
                        &mut context,
                    );
                    assert_ne!(added, 0, "{}", io::Error::last_os_error());
                    if number == 0 {
                        describe(context);
                    }
                    CertFreeCertificateContext(context);
                }
                CertCloseStore(store, 0);
            }
            Self(name)
        }
    }

    /// Gives it a name, and a private key that is nowhere.
    fn describe(context: *const CERT_CONTEXT) {
        let (mut label, mut container) = (wide("my card"), wide("underpass: no such container"));
        let name = CRYPT_INTEGER_BLOB { cbData: (label.len() * 2) as u32, pbData: label.as_mut_ptr().cast() };
        let key = CRYPT_KEY_PROV_INFO { pwszContainerName: container.as_mut_ptr(), ..Default::default() };
        for (id, at) in [
            (CERT_FRIENDLY_NAME_PROP_ID, ptr::from_ref(&name).cast::<c_void>()),
            (CERT_KEY_PROV_INFO_PROP_ID, ptr::from_ref(&key).cast()),
        ] {
            // SAFETY: the context is valid, and the system copies what the property points to.
            let set = unsafe { CertSetCertificateContextProperty(context, id, 0, at) };
            assert_ne!(set, 0, "{}", io::Error::last_os_error());
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let flags = CERT_SYSTEM_STORE_CURRENT_USER | CERT_STORE_DELETE_FLAG;
            // SAFETY: the name ends with a zero; with this flag nothing is opened.
            unsafe { CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, wide(&self.0).as_ptr().cast()) };
        }
    }

    fn certificates() -> Vec<Vec<u8>> {
        let file = include_bytes!("../../crypto/src/x509/tests/good-p256.pem");
        let all = X509Certificate::all_from(file, 10).unwrap();
        all.iter().map(|one| one.der().to_vec()).collect()
    }

    #[test]
    fn the_certificates_of_a_store_are_read_with_what_belongs_to_them() {
        let ders = certificates();
        let scratch = Scratch::new("read", &[&ders[0], &ders[1]]);
        let found = read(Location::CurrentUser, &scratch.0).unwrap().unwrap();
        assert_eq!(found.len(), 2);
        let own = found.iter().find(|one| one.der() == ders[0]).unwrap();
        let other = found.iter().find(|one| one.der() == ders[1]).unwrap();
        assert!(own.has_private_key() && !other.has_private_key());
        assert_eq!((own.friendly_name(), other.friendly_name()), ("my card".to_owned(), String::new()));
        // It is said to be somewhere, and is not there.
        let input = [0; 32];
        let error = own.holder(true).sign(Scheme::Ecdsa(Hash::Sha256), &input).unwrap_err();
        assert!(error.contains("cannot be used"), "{error}");
    }

    #[test]
    fn a_store_that_is_not_there_is_none() {
        for name in ["underpass: no such store", "", "MY\0"] {
            assert!(read(Location::CurrentUser, name).unwrap().is_none(), "{name:?}");
        }
        // Those of everybody can be read by everybody.
        read(Location::LocalMachine, "MY").unwrap();
    }

    /// A key of CNG that is kept nowhere, and its public half as a blob of SSH.
    fn rsa_key() -> (Key, Vec<u8>) {
        let mut provider: NCRYPT_PROV_HANDLE = 0;
        let mut handle = 0;
        let mut public = vec![0; 4096];
        let mut len = 0;
        // SAFETY: what is passed are constants and places for what is given, with the lengths given.
        unsafe {
            assert_eq!(NCryptOpenStorageProvider(&mut provider, ptr::null(), 0), 0);
            let (algorithm, none) = (BCRYPT_RSA_ALGORITHM, ptr::null());
            assert_eq!(NCryptCreatePersistedKey(provider, &mut handle, algorithm, none, 0, 0), 0);
            let bits = 2048_u32;
            let at = ptr::from_ref(&bits).cast();
            assert_eq!(NCryptSetProperty(handle, NCRYPT_LENGTH_PROPERTY, at, 4, 0), 0);
            assert_eq!(NCryptFinalizeKey(handle, 0), 0);
            let (form, at, room) = (BCRYPT_RSAPUBLIC_BLOB, public.as_mut_ptr(), public.len() as u32);
            assert_eq!(NCryptExportKey(handle, 0, form, ptr::null(), at, room, &mut len, 0), 0);
        }
        // The lengths of exponent and modulus are the third and the fourth of six numbers before them.
        let (header, numbers) = public[..len as usize].split_at(24);
        let length = u32::from_le_bytes(header[8..12].try_into().unwrap());
        let (exponent, modulus) = numbers.split_at(length as usize);
        let mut blob = Vec::new();
        for part in [b"ssh-rsa", exponent, &[&[0], modulus].concat()] {
            let zeros = part.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
            blob.extend(((part.len() - zeros) as u32).to_be_bytes());
            blob.extend(&part[zeros..]);
        }
        (Key { handle, is_ours: true, _certificate: None }, blob)
    }

    impl Holder for Key {
        fn sign(&self, scheme: Scheme, input: &[u8]) -> Result<Vec<u8>, String> {
            Key::sign(self, scheme, input, true).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn rsa_signs_with_each_hash() {
        let (key, public) = rsa_key();
        let key = OutsideKey::new(public, key).unwrap();
        for algorithm in ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] {
            // What verifies it is not the system.
            assert!(key.sign(algorithm, b"data").is_ok(), "{algorithm}");
        }
    }
}
