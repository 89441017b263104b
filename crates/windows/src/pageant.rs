//! The ways to Pageant: its pipe, which has a name of its own for each user and session, and before PuTTY 0.75 its window.

#![allow(unsafe_code, reason = "the interface of Windows is C; each call says why it is sound")]

use std::{
    ffi::{CString, c_void},
    io,
    os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle},
    ptr,
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{ERROR_ALREADY_EXISTS, GetLastError, HANDLE, HWND, INVALID_HANDLE_VALUE, LocalFree},
    Security::{
        Authentication::Identity::{GetUserNameExW, NameUserPrincipal},
        Authorization::{GetSecurityInfo, SE_KERNEL_OBJECT},
        Cryptography::{CRYPTPROTECTMEMORY_CROSS_PROCESS, CryptProtectMemory},
        EqualSid, GetTokenInformation, InitializeSecurityDescriptor, OWNER_SECURITY_INFORMATION,
        PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR, SetSecurityDescriptorOwner,
        TOKEN_QUERY, TOKEN_USER, TokenUser,
    },
    System::{
        DataExchange::COPYDATASTRUCT,
        Memory::{
            CreateFileMappingA, FILE_MAP_WRITE, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READWRITE,
            UnmapViewOfFile,
        },
        SystemServices::SECURITY_DESCRIPTOR_REVISION,
        Threading::{GetCurrentProcess, GetCurrentThreadId, OpenProcessToken},
        WindowsProgramming::GetUserNameW,
    },
    UI::WindowsAndMessaging::{FindWindowW, SMTO_NORMAL, SendMessageTimeoutW, WM_COPYDATA},
};

use crate::{
    message::{MAX_MESSAGE, body, fits, memory_name, pipe_name, pipe_word},
    wide,
};

/// The name of the pipe that this user's Pageant has, if it runs. May ask a domain controller what the user is called.
///
/// # Errors
/// The system does not say what the user is called.
pub fn pipe() -> io::Result<String> {
    let mut word = pipe_word();
    // SAFETY: the word is as long as one block. Should it fail, the word stays as it is, which is what Pageant does, too.
    unsafe {
        CryptProtectMemory(word.as_mut_ptr().cast(), word.len() as u32, CRYPTPROTECTMEMORY_CROSS_PROCESS)
    };
    Ok(pipe_name(&user()?, &word))
}

/// The name in the realm, or where there is none, that of the account.
fn user() -> io::Result<String> {
    let mut name = [0_u16; MAX_NAME];
    let mut len = MAX_NAME as u32;
    // SAFETY: there is room for `len` units.
    if !unsafe { GetUserNameExW(NameUserPrincipal, name.as_mut_ptr(), &mut len) } {
        len = MAX_NAME as u32;
        // SAFETY: the same.
        if unsafe { GetUserNameW(name.as_mut_ptr(), &mut len) } == 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let end = name.iter().position(|unit| *unit == 0).unwrap_or(MAX_NAME);
    Ok(String::from_utf16_lossy(&name[..end]))
}

/// Units of a user's name: those of accounts have 256 at most, realms 255.
const MAX_NAME: usize = 1024;

/// Whether the other end of a pipe is this user's: anybody could have made a pipe of that name.
///
/// # Errors
/// The system does not say.
pub fn is_ours(pipe: BorrowedHandle<'_>) -> io::Result<bool> {
    let user = UserSid::of_this_process()?;
    let mut owner: PSID = ptr::null_mut();
    let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
    // SAFETY: the handle is open; only the owner and the descriptor that it is in are asked for.
    let failure = unsafe {
        GetSecurityInfo(
            pipe.as_raw_handle(),
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &mut owner,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut descriptor,
        )
    };
    if failure != 0 {
        return Err(io::Error::from_raw_os_error(failure.cast_signed()));
    }
    // SAFETY: both identifiers are valid; the owner's is within the descriptor, which is released after that.
    let equal = unsafe {
        let equal = !owner.is_null() && EqualSid(owner, user.sid()) != 0;
        LocalFree(descriptor);
        equal
    };
    Ok(equal)
}

/// Whether Pageant has a window.
pub fn has_window() -> bool {
    !window().is_null()
}

fn window() -> HWND {
    let name = wide("Pageant");
    // SAFETY: both texts end with a zero and live through the call.
    unsafe { FindWindowW(name.as_ptr(), name.as_ptr()) }
}

/// Gives a request, header included, to Pageant's window, and gives the body of its answer. Blocks until then, but no longer
/// than `patience`.
///
/// # Errors
/// Pageant is not there, takes no message of that length, or gives no answer.
pub fn ask_window(request: &[u8], patience: Duration) -> io::Result<Vec<u8>> {
    if !fits(request) {
        return Err(io::Error::other(format!(
            "Pageant's window takes no message beyond {MAX_MESSAGE} bytes"
        )));
    }
    let window = window();
    if window.is_null() {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: it has no arguments and cannot fail.
    let name = CString::new(memory_name(unsafe { GetCurrentThreadId() }))?;
    let memory = SharedMemory::new(&name)?;
    memory.write(request);
    let length = name.as_bytes_with_nul().len() as u32;
    let data = COPYDATASTRUCT { dwData: PAGEANT, cbData: length, lpData: name.as_ptr().cast_mut().cast() };
    let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    let mut answer = 0;
    // SAFETY: the data and the name live through the call; the system copies them for the other process.
    let sent = unsafe {
        SendMessageTimeoutW(
            window,
            WM_COPYDATA,
            0,
            ptr::from_ref(&data).expose_provenance().cast_signed(),
            SMTO_NORMAL,
            milliseconds,
            &mut answer,
        )
    };
    if sent == 0 {
        return Err(io::Error::last_os_error());
    }
    let memory = memory.read();
    let body = if answer > 0 { body(&memory) } else { None };
    body.map(<[u8]>::to_vec).ok_or_else(|| io::Error::other("Pageant gives no answer"))
}

/// What a message has to begin with to be for Pageant.
const PAGEANT: usize = 0x804e_50ba;

/// The memory for a request and its answer.
struct SharedMemory {
    view: MEMORY_MAPPED_VIEW_ADDRESS,
    _mapping: OwnedHandle,
}

impl SharedMemory {
    /// New memory, which belongs to the user: Pageant answers nobody else, and what an administrator's process makes
    /// belongs to the administrators otherwise.
    fn new(name: &CString) -> io::Result<Self> {
        let user = UserSid::of_this_process()?;
        let mut descriptor = SECURITY_DESCRIPTOR::default();
        let at: PSECURITY_DESCRIPTOR = ptr::from_mut(&mut descriptor).cast();
        // SAFETY: there is room for a descriptor, and the identifier outlives its use below.
        let is_made = unsafe {
            InitializeSecurityDescriptor(at, SECURITY_DESCRIPTOR_REVISION) != 0
                && SetSecurityDescriptorOwner(at, user.sid(), 0) != 0
        };
        if !is_made {
            return Err(io::Error::last_os_error());
        }
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: at,
            bInheritHandle: 0,
        };
        // SAFETY: the attributes and the name live through the call; there is no file behind the memory.
        let (mapping, state) = unsafe {
            let mapping = CreateFileMappingA(
                INVALID_HANDLE_VALUE,
                &attributes,
                PAGE_READWRITE,
                0,
                MAX_MESSAGE as u32,
                name.as_ptr().cast(),
            );
            (mapping, GetLastError())
        };
        if mapping.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is valid and ours alone.
        let mapping = unsafe { OwnedHandle::from_raw_handle(mapping) };
        if state == ERROR_ALREADY_EXISTS {
            return Err(io::Error::other("somebody else has made the memory for the request"));
        }
        // SAFETY: the mapping is valid, and is mapped as a whole.
        let view = unsafe { MapViewOfFile(mapping.as_raw_handle(), FILE_MAP_WRITE, 0, 0, 0) };
        if view.Value.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { view, _mapping: mapping })
    }

    fn write(&self, request: &[u8]) {
        let len = request.len().min(MAX_MESSAGE);
        // SAFETY: the view has `MAX_MESSAGE` bytes at least, which are nobody's slice.
        unsafe { ptr::copy_nonoverlapping(request.as_ptr(), self.view.Value.cast(), len) };
    }

    fn read(&self) -> Vec<u8> {
        let mut copy = vec![0; MAX_MESSAGE];
        // SAFETY: the same; what Pageant may write meanwhile is bytes like any others.
        unsafe {
            ptr::copy_nonoverlapping(self.view.Value.cast_const().cast(), copy.as_mut_ptr(), MAX_MESSAGE);
        }
        copy
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: it is mapped, and nothing refers to it any more.
        unsafe { UnmapViewOfFile(self.view) };
    }
}

/// The security identifier of the user who runs the program, in the place where the system has put it.
struct UserSid(Box<[u64; MAX_TOKEN_USER]>);

/// Units of eight bytes for a `TOKEN_USER` with its identifier, which has 68 bytes at most.
const MAX_TOKEN_USER: usize = 16;

impl UserSid {
    fn of_this_process() -> io::Result<Self> {
        let mut token: HANDLE = ptr::null_mut();
        // SAFETY: the handle of the process is a constant, and there is room for that of the token.
        if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is valid and ours alone.
        let token = unsafe { OwnedHandle::from_raw_handle(token) };
        let mut user = Box::new([0; MAX_TOKEN_USER]);
        let place: *mut c_void = user.as_mut_ptr().cast();
        let mut len = 0;
        // SAFETY: the token is open, and there is room for as much as is said.
        let known = unsafe {
            GetTokenInformation(
                token.as_raw_handle(),
                TokenUser,
                place,
                size_of::<[u64; MAX_TOKEN_USER]>() as u32,
                &mut len,
            )
        };
        if known == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(user)) }
    }

    /// Valid for as long as `self` is where it is, which is on the heap.
    fn sid(&self) -> PSID {
        // SAFETY: the system has put a `TOKEN_USER` there, and the place is aligned for one.
        unsafe { (*self.0.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }
}
