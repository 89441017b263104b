use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::ffi::{Api, Context, Credential, HOST_BASED_SERVICE, Name, PRINCIPAL_NAME, USER_NAME};

/// A GSSAPI library that was loaded. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Api>);

/// Who a user is to Kerberos. Cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    library: Library,
    credential: Arc<std::sync::Mutex<Credential>>,
}

/// The service to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    name: String,
    is_principal: bool,
}

/// The client's end of a security context, with mutual authentication and integrity asked for.
pub struct Initiator {
    context: Context,
    credentials: Credentials,
    target: Name,
    flags: u32,
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the server has to get.
    pub token: Option<Vec<u8>>,
    /// What the context is good for, once it is established. `None`: a token of the server is due.
    pub established: Option<Established>,
}

/// What an established context is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Established {
    /// The server has proven who it is.
    pub mutual: bool,
    /// Messages can be protected against changes.
    pub integrity: bool,
    /// The server has got a ticket with which it can act as the user.
    pub delegated: bool,
}

impl Library {
    /// Loads the system's library.
    ///
    /// # Errors
    /// There is none.
    pub fn system() -> Result<Self, Error> {
        let mut problems = Vec::new();
        for name in NAMES {
            match Api::open(Path::new(name)) {
                Ok(api) => return Ok(Self(Arc::new(api))),
                Err(problem) => problems.push(in_words(&problem)),
            }
        }
        Err(Error::missing(problems.join("; ")))
    }

    /// Loads the library at `path`.
    ///
    /// # Errors
    /// It cannot be loaded, or is none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        Api::open(&path).map(|api| Self(Arc::new(api))).map_err(|problem| Error::missing(in_words(&problem)))
    }

    /// Credentials that the user has already, from `kinit` or the login: those of `principal`, or the default ones.
    ///
    /// # Errors
    /// There are none, or they have expired.
    pub fn credentials(&self, principal: Option<&str>) -> Result<Credentials, Error> {
        let name = principal.map(|principal| self.0.import_name(principal, &USER_NAME)).transpose()?;
        Ok(self.keep(self.0.acquire(name.as_ref())?))
    }

    /// Credentials for a password. They stay in this process's memory, and no cache changes.
    ///
    /// # Errors
    /// The library cannot do it, or refuses. MIT's asks the KDC later, at the first step of a context.
    pub fn credentials_with_password(
        &self,
        principal: &str,
        password: &Zeroizing<Vec<u8>>,
    ) -> Result<Credentials, Error> {
        let name = self.0.import_name(principal, &USER_NAME)?;
        let credential = self.0.acquire_with_password(&name, password).ok_or_else(Error::no_passwords)??;
        Ok(self.keep(credential))
    }

    fn keep(&self, credential: Credential) -> Credentials {
        Credentials { library: self.clone(), credential: Arc::new(std::sync::Mutex::new(credential)) }
    }
}

impl Target {
    /// The SSH service of a host, `host@HOST`. The library decides on the realm.
    pub fn host(host: &str) -> Self {
        Self { name: format!("host@{host}"), is_principal: false }
    }

    /// A service by its principal name, `host/HOST` or `host/HOST@REALM`.
    pub fn principal(name: impl Into<String>) -> Self {
        Self { name: name.into(), is_principal: true }
    }

    /// The name in words.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Initiator {
    /// Begins; nothing is sent yet. With `delegate` the server is given a ticket to act as the user, if the KDC allows.
    ///
    /// # Errors
    /// The target's name is not one.
    pub fn new(credentials: &Credentials, target: &Target, delegate: bool) -> Result<Self, Error> {
        let api = &credentials.library.0;
        let kind = if target.is_principal { &PRINCIPAL_NAME } else { &HOST_BASED_SERVICE };
        let flags = MUTUAL | INTEGRITY | if delegate { DELEGATION } else { 0 };
        Ok(Self {
            context: api.context(),
            credentials: credentials.clone(),
            target: api.import_name(&target.name, kind)?,
            flags,
        })
    }

    /// The next step; `token` is what the server has sent, `None` at the beginning. May wait for the KDC.
    ///
    /// # Errors
    /// No ticket is to be had, or the server's token is not right.
    pub fn step(&mut self, token: Option<&[u8]>) -> Result<Step, Error> {
        // A panic elsewhere leaves the credential as it was: the library is C.
        let credential =
            self.credentials.credential.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let progress = self.context.initiate(&credential, &self.target, self.flags, token)?;
        let flag = |flag| progress.flags & flag != 0;
        let established = progress.complete.then(|| Established {
            mutual: flag(MUTUAL),
            integrity: flag(INTEGRITY),
            delegated: flag(DELEGATION),
        });
        Ok(Step { token: progress.token, established })
    }

    /// The proof that this side sends `message`, in an established context.
    ///
    /// # Errors
    /// The context is not established, or has expired.
    pub fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.context.mic(message)?)
    }

    /// Whether `mic` proves that the server sends `message`.
    ///
    /// # Errors
    /// It does not.
    pub fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Error> {
        Ok(self.context.verify(message, mic)?)
    }
}

/// With what the system says, which is behind it.
fn in_words(problem: &libloading::Error) -> String {
    use std::error::Error as _;
    problem.source().map_or_else(|| problem.to_string(), ToString::to_string)
}

/// Where the library is, the most likely first. Windows has none of its own.
const NAMES: &[&str] = if cfg!(windows) {
    &[]
} else if cfg!(target_vendor = "apple") {
    &["/System/Library/Frameworks/GSS.framework/GSS"]
} else {
    &["libgssapi_krb5.so.2", "libgssapi.so.3", "libgssapi_krb5.so", "libgssapi.so"]
};

/// `GSS_C_DELEG_FLAG`, `GSS_C_MUTUAL_FLAG`, `GSS_C_INTEG_FLAG`.
const DELEGATION: u32 = 1;
const MUTUAL: u32 = 2;
const INTEGRITY: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    #[test]
    fn what_is_no_library_is_told_with_its_name() {
        for name in ["/nowhere/libgssapi.so", "/", "Cargo.toml"] {
            let Err(error) = Library::open(name) else { panic!("{name} is a library") };
            assert_eq!(error.cause(), Cause::LibraryMissing);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
