//! Ciphers, MACs, hashes and key derivation.

use std::ffi::c_int;
use std::ptr;

use underpass_crypto::{Digest, Failed, Way};
use zeroize::Zeroize as _;

use super::{Algorithm, Api, Cipher, Functions, Kdf, Mac, Md, Params, Raw, done, handle};

handle!(
    /// `EVP_CIPHER_CTX`.
    CipherHandle, EVP_CIPHER_CTX_free
);
handle!(
    /// `EVP_MAC_CTX`.
    MacHandle, EVP_MAC_CTX_free
);
handle!(
    /// `EVP_MD_CTX`.
    pub(super) MdHandle, EVP_MD_CTX_free
);
handle!(
    /// `EVP_KDF_CTX`.
    KdfHandle, EVP_KDF_CTX_free
);

/// A cipher with its key, for one direction. Its output is as long as its input.
pub(crate) struct CipherState {
    handle: CipherHandle,
    iv_len: usize,
}

impl CipherState {
    /// `None`: the library fails, the cipher works in whole blocks, or key or vector is not as long as it asks.
    pub(crate) fn new(cipher: &Algorithm<Cipher>, key: &[u8], iv: Option<&[u8]>, way: Way) -> Option<Self> {
        let (api, functions) = (cipher.api, &cipher.api.functions);
        // SAFETY: the cipher is alive.
        let sizes = unsafe {
            [
                functions.EVP_CIPHER_get_key_length,
                functions.EVP_CIPHER_get_iv_length,
                functions.EVP_CIPHER_get_block_size,
            ]
            .map(|size| size(cipher.raw))
        };
        let [key_len, iv_len, block_len] = sizes.map(|size| usize::try_from(size).unwrap_or(0));
        // A cipher in whole blocks could write more than it is given.
        if key.len() != key_len || iv.is_some_and(|iv| iv.len() != iv_len) || block_len != 1 {
            return None;
        }
        api.quietly(|| {
            // SAFETY: it takes nothing.
            let handle = CipherHandle::own(api, unsafe { (functions.EVP_CIPHER_CTX_new)() })?;
            let iv = iv.map_or(ptr::null(), <[u8]>::as_ptr);
            // SAFETY: handle and cipher are alive; key and vector are as long as the cipher reads, and read during the call.
            done(unsafe {
                let init = functions.EVP_CipherInit_ex2;
                init(handle.raw, cipher.raw, key.as_ptr(), iv, direction(way), ptr::null())
            })?;
            Some(Self { handle, iv_len })
        })
    }

    /// Encrypts a packet in place with this vector, and writes the tag over what is associated and it.
    pub(crate) fn seal(
        &mut self,
        iv: &[u8],
        associated: &[u8],
        bytes: &mut [u8],
        tag: &mut [u8],
    ) -> Option<()> {
        self.handle.api.quietly(|| {
            self.restart(iv, Way::Encrypt)?;
            self.associate(associated)?;
            self.transform(bytes)?;
            self.end()?;
            // SAFETY: that is where the tag is to be written.
            unsafe { self.control(GET_TAG, tag.as_mut_ptr(), tag.len()) }
        })
    }

    /// The reverse. `None`: the tag does not match, so that what stands there now is not to be used.
    pub(crate) fn open(&mut self, iv: &[u8], associated: &[u8], bytes: &mut [u8], tag: &[u8]) -> Option<()> {
        self.handle.api.quietly(|| {
            self.restart(iv, Way::Decrypt)?;
            // SAFETY: the library reads a tag that is set, and does not write to it.
            unsafe { self.control(SET_TAG, tag.as_ptr().cast_mut(), tag.len()) }?;
            self.associate(associated)?;
            self.transform(bytes)?;
            self.end()
        })
    }

    /// Encrypts or decrypts in place, from where it was left.
    pub(crate) fn apply(&mut self, bytes: &mut [u8]) -> Option<()> {
        self.handle.api.quietly(|| self.transform(bytes))
    }

    /// Encrypts in place with this vector; for ciphers that are their own inverse.
    pub(crate) fn apply_from(&mut self, iv: &[u8], bytes: &mut [u8]) -> Option<()> {
        self.handle.api.quietly(|| {
            self.restart(iv, Way::Encrypt)?;
            self.transform(bytes)
        })
    }

    /// Begins anew with another vector and the same key.
    fn restart(&mut self, iv: &[u8], way: Way) -> Option<()> {
        if iv.len() != self.iv_len {
            return None;
        }
        // SAFETY: the handle has its cipher and key; the vector is as long as the cipher reads, and read during the call.
        done(unsafe {
            let init = self.functions().EVP_CipherInit_ex2;
            init(self.handle.raw, ptr::null_mut(), ptr::null(), iv.as_ptr(), direction(way), ptr::null())
        })
    }

    /// Adds data that is authenticated and stays in clear.
    fn associate(&mut self, data: &[u8]) -> Option<()> {
        // SAFETY: there is no output.
        unsafe { self.update(ptr::null_mut(), data.as_ptr(), data.len()) }
    }

    fn transform(&mut self, bytes: &mut [u8]) -> Option<()> {
        let place = bytes.as_mut_ptr();
        // SAFETY: it is the very same place, with room for as much as there is.
        unsafe { self.update(place, place, bytes.len()) }
    }

    /// # Safety
    /// There are `len` bytes at `input`. `out` is null, or the same place, or another with room for as many.
    unsafe fn update(&mut self, out: *mut u8, input: *const u8, len: usize) -> Option<()> {
        let (given, mut written) = (c_int::try_from(len).ok()?, 0);
        // SAFETY: the handle has its cipher and key; the cipher, whose block is one byte, writes as much as it reads, or
        // nothing where `out` is null. The rest is the caller's promise.
        done(unsafe {
            (self.functions().EVP_CipherUpdate)(self.handle.raw, out, &raw mut written, input, given)
        })?;
        (written == given).then_some(())
    }

    /// Ends a packet, and checks the tag of one that is opened.
    fn end(&mut self) -> Option<()> {
        let (mut rest, mut written) = ([0; MAX_BLOCK], 0);
        // SAFETY: the handle has its cipher and key; there is room for a block, though no such cipher writes one.
        done(unsafe {
            (self.functions().EVP_CipherFinal_ex)(self.handle.raw, rest.as_mut_ptr(), &raw mut written)
        })
    }

    /// # Safety
    /// There are `len` bytes at `tag`, which may be written to if the tag is asked for.
    unsafe fn control(&mut self, what: c_int, tag: *mut u8, len: usize) -> Option<()> {
        let len = c_int::try_from(len).ok()?;
        // SAFETY: the handle has its cipher; it writes or reads as many bytes as it is told. The rest is the caller's promise.
        done(unsafe { (self.functions().EVP_CIPHER_CTX_ctrl)(self.handle.raw, what, len, tag.cast()) })
    }

    fn functions(&self) -> &'static Functions {
        &self.handle.api.functions
    }
}

/// A MAC for one direction.
pub(crate) struct KeyedState(MacHandle);

impl KeyedState {
    /// `params`: what the MAC is made of.
    pub(crate) fn new(mac: &Algorithm<Mac>, mut params: Params) -> Option<Self> {
        let (api, functions) = (mac.api, &mac.api.functions);
        api.quietly(|| {
            // SAFETY: the MAC is alive.
            let handle = MacHandle::own(api, unsafe { (functions.EVP_MAC_CTX_new)(mac.raw) })?;
            // SAFETY: the handle is alive, and the parameters live for the call.
            done(unsafe { (functions.EVP_MAC_CTX_set_params)(handle.raw, params.as_mut_ptr()) })?;
            Some(Self(handle))
        })
    }

    /// Writes the code of `parts`, one behind the other, cut to the tag's length.
    ///
    /// The key is given each time: to begin anew without it works from version 3.0.4 on only, and does nothing before.
    pub(crate) fn sign(&mut self, key: &[u8], parts: &[&[u8]], tag: &mut [u8]) -> Result<(), Failed> {
        let (api, raw) = (self.0.api, self.0.raw);
        let (mut code, mut len) = ([0; MAX_CODE], 0);
        let made = api.quietly(|| {
            let functions = &api.functions;
            // SAFETY: the handle is alive, and the key is read during the call.
            done(unsafe { (functions.EVP_MAC_init)(raw, key.as_ptr(), key.len(), ptr::null()) })?;
            for part in parts {
                // SAFETY: as above.
                done(unsafe { (functions.EVP_MAC_update)(raw, part.as_ptr(), part.len()) })?;
            }
            // SAFETY: the handle is alive, and it is told how much room there is.
            done(unsafe { (functions.EVP_MAC_final)(raw, code.as_mut_ptr(), &raw mut len, code.len()) })
        });
        made.filter(|()| tag.len() <= len).ok_or(Failed)?;
        tag.copy_from_slice(&code[..tag.len()]);
        Ok(())
    }
}

/// The hash of `parts`, one behind the other.
pub(crate) fn digest(md: &Algorithm<Md>, parts: &[&[u8]]) -> Option<Digest> {
    let (api, functions) = (md.api, &md.api.functions);
    let (mut digest, mut len) = ([0; MAX_CODE], 0);
    let made = api.quietly(|| {
        // SAFETY: it takes nothing.
        let handle = MdHandle::own(api, unsafe { (functions.EVP_MD_CTX_new)() })?;
        // SAFETY: handle and hash are alive.
        done(unsafe { (functions.EVP_DigestInit_ex2)(handle.raw, md.raw, ptr::null()) })?;
        for part in parts {
            // SAFETY: the handle is alive, and the part is read during the call.
            done(unsafe { (functions.EVP_DigestUpdate)(handle.raw, part.as_ptr().cast(), part.len()) })?;
        }
        // SAFETY: the handle is alive, and no hash is longer than the room that there is (`EVP_MAX_MD_SIZE`).
        done(unsafe { (functions.EVP_DigestFinal_ex)(handle.raw, digest.as_mut_ptr(), &raw mut len) })
    });
    let made = made.and_then(|()| Digest::from_bytes(digest.get(..len as usize)?));
    digest.zeroize();
    made
}

/// Fills `out` with what a derivation of keys makes of `params`.
pub(crate) fn derive(kdf: &Algorithm<Kdf>, mut params: Params, out: &mut [u8]) -> Option<()> {
    let (api, functions) = (kdf.api, &kdf.api.functions);
    api.quietly(|| {
        // SAFETY: the derivation is alive.
        let handle = KdfHandle::own(api, unsafe { (functions.EVP_KDF_CTX_new)(kdf.raw) })?;
        // SAFETY: the handle is alive, the parameters live for the call, and it is told how much room there is.
        done(unsafe {
            (functions.EVP_KDF_derive)(handle.raw, out.as_mut_ptr(), out.len(), params.as_mut_ptr())
        })
    })
}

/// Of `EVP_CipherInit_ex2`.
fn direction(way: Way) -> c_int {
    c_int::from(way == Way::Encrypt)
}

/// `EVP_CTRL_AEAD_GET_TAG`, `EVP_CTRL_AEAD_SET_TAG`.
const GET_TAG: c_int = 0x10;
const SET_TAG: c_int = 0x11;
/// `EVP_MAX_BLOCK_LENGTH`.
const MAX_BLOCK: usize = 32;
/// `EVP_MAX_MD_SIZE`; no MAC of ours is longer.
const MAX_CODE: usize = 64;
