//! The C interface of RFC 2744, and the only unsafe code. What leaves this module is safe: handles that release
//! themselves, and bytes that were copied.

#![allow(unsafe_code, reason = "the system's library is C; each call says why it is sound")]

use std::ffi::{c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use libloading::Library;

/// `OM_uint32`.
type Status = u32;
/// `gss_name_t`, `gss_cred_id_t`, `gss_ctx_id_t`: pointers to what only the library knows.
type Handle = *mut c_void;

/// `gss_buffer_desc`.
#[cfg_attr(all(target_vendor = "apple", target_arch = "x86_64"), repr(C, packed(2)))]
#[cfg_attr(not(all(target_vendor = "apple", target_arch = "x86_64")), repr(C))]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

/// `gss_OID_desc`. Apple packs it on x86_64, as it did on PowerPC.
#[cfg_attr(all(target_vendor = "apple", target_arch = "x86_64"), repr(C, packed(2)))]
#[cfg_attr(not(all(target_vendor = "apple", target_arch = "x86_64")), repr(C))]
pub(crate) struct Oid {
    length: u32,
    elements: *const c_void,
}

/// `gss_OID_set_desc`.
#[cfg_attr(all(target_vendor = "apple", target_arch = "x86_64"), repr(C, packed(2)))]
#[cfg_attr(not(all(target_vendor = "apple", target_arch = "x86_64")), repr(C))]
struct OidSet {
    count: usize,
    elements: *const Oid,
}

// SAFETY: an `Oid` points to constant bytes, and the library only reads it (RFC 2744 section 3.3).
unsafe impl Sync for Oid {}

impl Oid {
    /// From the contents of its DER.
    const fn new(contents: &'static [u8]) -> Self {
        // No object identifier of ours is longer than a few bytes.
        Self { length: contents.len() as u32, elements: contents.as_ptr().cast() }
    }
}

/// 1.2.840.113554.1.2.2 (RFC 4121 section 4).
static KERBEROS: Oid = Oid::new(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02");
/// `GSS_C_NT_HOSTBASED_SERVICE`, 1.2.840.113554.1.2.1.4.
pub(crate) static HOST_BASED_SERVICE: Oid = Oid::new(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04");
/// `GSS_C_NT_USER_NAME`, 1.2.840.113554.1.2.1.1.
pub(crate) static USER_NAME: Oid = Oid::new(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01");
/// `GSS_KRB5_NT_PRINCIPAL_NAME`, 1.2.840.113554.1.2.2.1.
pub(crate) static PRINCIPAL_NAME: Oid = Oid::new(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01");

/// Declares the functions, and how they are found in the library. `optional` ones need not be there.
macro_rules! functions {
    (
        required { $($name:ident($($argument:ty),* $(,)?);)+ }
        optional { $($extra:ident($($extra_argument:ty),* $(,)?);)+ }
    ) => {
        struct Functions {
            $($name: unsafe extern "system" fn($($argument),*) -> Status,)+
            $($extra: Option<unsafe extern "system" fn($($extra_argument),*) -> Status>,)+
        }

        impl Functions {
            fn find(library: &Library) -> Result<Self, libloading::Error> {
                // SAFETY: the names are those of RFC 2744 and of the extension that MIT and Heimdal share, whose
                // signatures these are; the pointers are not used after the library is closed, see `Api`.
                unsafe {
                    Ok(Self {
                        $($name: *library.get(stringify!($name).as_bytes())?,)+
                        $($extra: library.get(stringify!($extra).as_bytes()).ok().map(|found| *found),)+
                    })
                }
            }
        }
    };
}

functions! {
    required {
        gss_import_name(*mut Status, *const Buffer, *const Oid, *mut Handle);
        gss_release_name(*mut Status, *mut Handle);
        gss_acquire_cred(*mut Status, Handle, u32, *const OidSet, c_int, *mut Handle, *mut c_void, *mut u32);
        gss_release_cred(*mut Status, *mut Handle);
        gss_init_sec_context(
            *mut Status, Handle, *mut Handle, Handle, *const Oid, u32, u32, *mut c_void, *const Buffer, *mut c_void,
            *mut Buffer, *mut u32, *mut u32,
        );
        gss_delete_sec_context(*mut Status, *mut Handle, *mut Buffer);
        gss_get_mic(*mut Status, Handle, u32, *const Buffer, *mut Buffer);
        gss_verify_mic(*mut Status, Handle, *const Buffer, *const Buffer, *mut u32);
        gss_display_status(*mut Status, Status, c_int, *const Oid, *mut u32, *mut Buffer);
        gss_release_buffer(*mut Status, *mut Buffer);
    }
    optional {
        gss_acquire_cred_with_password(
            *mut Status, Handle, *const Buffer, u32, *const OidSet, c_int, *mut Handle, *mut c_void, *mut u32,
        );
    }
}

/// The library and its functions.
pub(crate) struct Api {
    functions: Functions,
    /// Behind the functions, so that it is dropped after them.
    _library: Library,
}

/// What a call that failed says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The error, without what is only informative (RFC 2744 section 3.9.1).
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) major_text: String,
    pub(crate) minor_text: String,
}

/// What one call of `gss_init_sec_context` came to.
pub(crate) struct Progress {
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) complete: bool,
    pub(crate) flags: u32,
}

/// A handle that is released when dropped.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $release:ident $(, $argument:expr)?) => {
        $(#[$doc])*
        pub(crate) struct $name {
            api: Arc<Api>,
            raw: Handle,
        }

        // SAFETY: the library's objects belong to no thread; MIT's and Heimdal's may be used by any, by one at a time
        // where they change, which `&mut` sees to.
        unsafe impl Send for $name {}

        impl Drop for $name {
            fn drop(&mut self) {
                let mut minor = 0;
                // SAFETY: the handle came from the library, or is null, which it ignores; nobody uses it afterwards.
                unsafe { (self.api.functions.$release)(&raw mut minor, &raw mut self.raw $(, $argument)?) };
            }
        }
    };
}

handle!(
    /// The name of a user or of a service.
    Name, gss_release_name
);
handle!(
    /// What a user can prove its identity with.
    Credential, gss_release_cred
);
handle!(
    /// A security context, perhaps under construction.
    Context, gss_delete_sec_context, ptr::null_mut()
);

impl Api {
    /// Loads the library, and runs its initialisation.
    pub(crate) fn open(path: &Path) -> Result<Self, libloading::Error> {
        // SAFETY: a library of the system, or one that the user names, is trusted like the program itself; those that
        // provide GSSAPI have no initialisation with conditions of its own.
        let library = unsafe { Library::new(path) }?;
        Ok(Self { functions: Functions::find(&library)?, _library: library })
    }

    pub(crate) fn import_name(self: &Arc<Self>, text: &str, kind: &'static Oid) -> Result<Name, Failure> {
        let mut name = Name { api: self.clone(), raw: ptr::null_mut() };
        let text = Buffer::lent(text.as_bytes());
        let mut minor = 0;
        // SAFETY: the text is read during the call only, and the name copied.
        let major = unsafe {
            (self.functions.gss_import_name)(&raw mut minor, &raw const text, kind, &raw mut name.raw)
        };
        self.check(major, minor).map(|_| name)
    }

    /// Credentials that exist, those of `name` or the default ones.
    pub(crate) fn acquire(self: &Arc<Self>, name: Option<&Name>) -> Result<Credential, Failure> {
        let mut credential = Credential { api: self.clone(), raw: ptr::null_mut() };
        let (name, mechanisms) = (raw_name(name), OidSet { count: 1, elements: &raw const KERBEROS });
        let mut minor = 0;
        // SAFETY: the name is null or alive; the set of mechanisms is read during the call only; the outputs that may be
        // null are.
        let major = unsafe {
            (self.functions.gss_acquire_cred)(
                &raw mut minor,
                name,
                INDEFINITE,
                &raw const mechanisms,
                INITIATE,
                &raw mut credential.raw,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        self.check(major, minor).map(|_| credential)
    }

    /// Credentials that a password is good for; `None` if the library cannot do that.
    pub(crate) fn acquire_with_password(
        self: &Arc<Self>,
        name: &Name,
        password: &[u8],
    ) -> Option<Result<Credential, Failure>> {
        let acquire = self.functions.gss_acquire_cred_with_password?;
        let mut credential = Credential { api: self.clone(), raw: ptr::null_mut() };
        let (password, mechanisms) =
            (Buffer::lent(password), OidSet { count: 1, elements: &raw const KERBEROS });
        let mut minor = 0;
        // SAFETY: as in `acquire`; the password is read during the call only.
        let major = unsafe {
            acquire(
                &raw mut minor,
                name.raw,
                &raw const password,
                INDEFINITE,
                &raw const mechanisms,
                INITIATE,
                &raw mut credential.raw,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        Some(self.check(major, minor).map(|_| credential))
    }

    /// A context that nothing was done for.
    pub(crate) fn context(self: &Arc<Self>) -> Context {
        Context { api: self.clone(), raw: ptr::null_mut() }
    }

    /// Describes a failure. The library keeps the details for the thread that failed, so this comes right after.
    fn check(&self, major: Status, minor: Status) -> Result<Status, Failure> {
        // The two upper parts are errors; the lower one informs.
        if major & 0xffff_0000 == 0 {
            return Ok(major);
        }
        Err(Failure {
            major: major & 0xffff_0000,
            minor,
            major_text: self.describe(major, GSS_CODE),
            // Zero: the mechanism has nothing to say, and Heimdal's does not know the number.
            minor_text: if minor == 0 { String::new() } else { self.describe(minor, MECHANISM_CODE) },
        })
    }

    fn describe(&self, code: Status, kind: c_int) -> String {
        let mut texts: Vec<String> = Vec::new();
        let mut more = 0;
        for _ in 0..MAX_TEXTS {
            let mut text = Buffer::empty();
            let mut minor = 0;
            // SAFETY: every pointer is to a variable of this function.
            let major = unsafe {
                (self.functions.gss_display_status)(
                    &raw mut minor,
                    code,
                    kind,
                    &raw const KERBEROS,
                    &raw mut more,
                    &raw mut text,
                )
            };
            let text = self.take(text);
            if major & 0xffff_0000 != 0 {
                break;
            }
            texts.push(String::from_utf8_lossy(&text).trim().to_owned());
            if more == 0 {
                break;
            }
        }
        texts.retain(|text| !text.is_empty());
        texts.join("; ")
    }

    /// Copies a buffer that the library has allocated, and gives it back.
    fn take(&self, mut buffer: Buffer) -> Vec<u8> {
        let (value, length) = (buffer.value, buffer.length);
        let bytes = match value.is_null() {
            true => Vec::new(),
            // SAFETY: the library says that this many bytes are there, and nobody else has the buffer.
            false => unsafe { std::slice::from_raw_parts(value.cast::<u8>(), length) }.to_vec(),
        };
        let mut minor = 0;
        // SAFETY: the buffer is the library's, or empty, and is not used any more.
        unsafe { (self.functions.gss_release_buffer)(&raw mut minor, &raw mut buffer) };
        bytes
    }
}

impl Context {
    /// One step of its construction. Blocks on the network.
    pub(crate) fn initiate(
        &mut self,
        credential: &Credential,
        target: &Name,
        flags: u32,
        token: Option<&[u8]>,
    ) -> Result<Progress, Failure> {
        let input = token.map(Buffer::lent);
        let input = input.as_ref().map_or(ptr::null(), ptr::from_ref);
        let (mut output, mut minor, mut granted) = (Buffer::empty(), 0, 0);
        // SAFETY: the handles are alive; the context is null or what the last step made of it, and changes here alone;
        // input is null or lent for the call; outputs are variables of this function, or null where that is allowed.
        let major = unsafe {
            (self.api.functions.gss_init_sec_context)(
                &raw mut minor,
                credential.raw,
                &raw mut self.raw,
                target.raw,
                &raw const KERBEROS,
                flags,
                0,
                ptr::null_mut(),
                input,
                ptr::null_mut(),
                &raw mut output,
                &raw mut granted,
                ptr::null_mut(),
            )
        };
        // Before anything else is asked of the library, which keeps its words for the last failure.
        let checked = self.api.check(major, minor);
        let token = Some(self.api.take(output)).filter(|token| !token.is_empty());
        Ok(Progress { token, complete: checked? & CONTINUE_NEEDED == 0, flags: granted })
    }

    /// The proof of having sent `message`.
    pub(crate) fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let (message, mut mic, mut minor) = (Buffer::lent(message), Buffer::empty(), 0);
        // SAFETY: the context is established, which the caller knows, and the library notices if it is not; the message
        // is lent for the call.
        let major = unsafe {
            (self.api.functions.gss_get_mic)(&raw mut minor, self.raw, 0, &raw const message, &raw mut mic)
        };
        let checked = self.api.check(major, minor);
        let mic = self.api.take(mic);
        checked.map(|_| mic)
    }

    /// Checks the peer's proof of having sent `message`.
    pub(crate) fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Failure> {
        let (message, mic, mut minor) = (Buffer::lent(message), Buffer::lent(mic), 0);
        // SAFETY: as in `mic`.
        let major = unsafe {
            (self.api.functions.gss_verify_mic)(
                &raw mut minor,
                self.raw,
                &raw const message,
                &raw const mic,
                ptr::null_mut(),
            )
        };
        // A replayed or late proof is one, too, but not for this message: what only informs counts as a failure.
        match self.api.check(major, minor)? {
            0 => Ok(()),
            _ => Err(Failure {
                major,
                minor,
                major_text: self.api.describe(major, GSS_CODE),
                minor_text: String::new(),
            }),
        }
    }
}

impl Buffer {
    const fn empty() -> Self {
        Self { length: 0, value: ptr::null_mut() }
    }

    /// Lends bytes to the library, which does not write to inputs.
    const fn lent(bytes: &[u8]) -> Self {
        Self { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
    }
}

fn raw_name(name: Option<&Name>) -> Handle {
    name.map_or(ptr::null_mut(), |name| name.raw)
}

/// Of `gss_init_sec_context`: it is not over.
const CONTINUE_NEEDED: u32 = 1;
/// `GSS_C_GSS_CODE` and `GSS_C_MECH_CODE`.
const GSS_CODE: c_int = 1;
const MECHANISM_CODE: c_int = 2;
/// `GSS_C_INITIATE`.
const INITIATE: c_int = 1;
/// `GSS_C_INDEFINITE`: for as long as they last.
const INDEFINITE: u32 = u32::MAX;
/// Texts that a status consists of; real ones have one or two.
const MAX_TEXTS: usize = 8;
