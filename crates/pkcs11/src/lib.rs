//! Keys on PKCS#11 tokens: smart cards, security keys, HSMs. They sign where they are; this crate finds them by their
//! public halves and puts what they give into SSH's form.
//!
//! The token's own library, a [`Module`], is loaded at run time. It is code of its vendor in this process: name only
//! modules that you trust. Calls block for as long as the token takes.
//!
//! ```no_run
//! use underpass_pkcs11::{KeyUri, Module};
//!
//! let uri: KeyUri = "pkcs11:token=work;object=ssh".parse()?;
//! let module = Module::load("/usr/lib/softhsm/libsofthsm2.so".as_ref())?;
//! for key in module.keys(&uri, None)? {
//!     println!("{} on {}", key.label(), key.token());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod error;
mod key;
mod module;
mod public;
mod token;
mod uri;

pub use error::TokenError;
pub use key::TokenKey;
pub use module::Module;
pub use uri::{KeyUri, UriError};
