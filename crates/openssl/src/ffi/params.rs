//! `OSSL_PARAM`: arguments by name.

use std::ffi::{CStr, c_char, c_uint, c_void};
use std::ptr;

use zeroize::Zeroizing;

/// `OSSL_PARAM`.
#[repr(C)]
pub(super) struct Param {
    key: *const c_char,
    data_type: c_uint,
    data: *mut c_void,
    data_size: usize,
    return_size: usize,
}

/// Arguments of a call. What they hold is copied, and wiped when dropped.
#[derive(Default)]
pub(crate) struct Params {
    list: Vec<Param>,
    /// What the list points to; each stays where it is.
    held: Vec<Zeroizing<Vec<u8>>>,
}

impl Params {
    pub(crate) fn text(self, key: &'static CStr, value: &CStr) -> Self {
        let len = value.to_bytes().len();
        // With the zero behind it, which does not count.
        self.with(key, UTF8_STRING, value.to_bytes_with_nul().into(), len)
    }

    pub(crate) fn bytes(self, key: &'static CStr, value: &[u8]) -> Self {
        self.with(key, OCTET_STRING, value.into(), value.len())
    }

    /// A number that is not negative, from its big-endian form.
    pub(crate) fn number(self, key: &'static CStr, big_endian: &[u8]) -> Self {
        // In the machine's own order, and never empty.
        let mut native = if big_endian.is_empty() { vec![0] } else { big_endian.to_vec() };
        if cfg!(target_endian = "little") {
            native.reverse();
        }
        let len = native.len();
        self.with(key, UNSIGNED_INTEGER, native, len)
    }

    pub(crate) fn flag(self, key: &'static CStr, value: bool) -> Self {
        let native = c_uint::from(value).to_ne_bytes();
        self.with(key, UNSIGNED_INTEGER, native.into(), native.len())
    }

    fn with(mut self, key: &'static CStr, data_type: c_uint, value: Vec<u8>, data_size: usize) -> Self {
        let mut value = Zeroizing::new(value);
        self.list.push(Param {
            key: key.as_ptr(),
            data_type,
            data: value.as_mut_ptr().cast(),
            data_size,
            return_size: UNMODIFIED,
        });
        self.held.push(value);
        self
    }

    /// The list as the library takes it, for as long as `self` lives and does not change.
    pub(super) fn as_mut_ptr(&mut self) -> *mut Param {
        self.list.push(END);
        self.list.as_mut_ptr()
    }
}

/// A question for texts that live elsewhere (`OSSL_PARAM_UTF8_PTR`), with the place for each answer.
pub(super) fn ask<const N: usize>(keys: [&'static CStr; N], answers: &mut [*const c_char; N]) -> Vec<Param> {
    let place = |(key, answer): (&'static CStr, &mut *const c_char)| Param {
        key: key.as_ptr(),
        data_type: UTF8_PTR,
        data: ptr::from_mut(answer).cast(),
        data_size: 0,
        return_size: UNMODIFIED,
    };
    keys.into_iter().zip(answers).map(place).chain([END]).collect()
}

/// What ends a list.
const END: Param =
    Param { key: ptr::null(), data_type: 0, data: ptr::null_mut(), data_size: 0, return_size: 0 };

/// `OSSL_PARAM_UNMODIFIED`.
const UNMODIFIED: usize = usize::MAX;
/// `OSSL_PARAM_UNSIGNED_INTEGER`, `_UTF8_STRING`, `_OCTET_STRING`, `_UTF8_PTR`.
const UNSIGNED_INTEGER: c_uint = 2;
const UTF8_STRING: c_uint = 4;
const OCTET_STRING: c_uint = 5;
const UTF8_PTR: c_uint = 6;
