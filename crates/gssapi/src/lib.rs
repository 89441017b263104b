//! Kerberos for SSH, through the system's GSSAPI library (RFC 2743, RFC 2744, RFC 4121).
//!
//! Nothing is linked: [`Library::system`] looks for MIT's library, Heimdal's or Apple's framework when it is called, and
//! a machine without one gets an [`Error`] that says so. Only the initiator's half is here, and only with the Kerberos
//! mechanism.
//!
//! ```no_run
//! # fn example() -> Result<(), underpass_gssapi::Error> {
//! use underpass_gssapi::{Initiator, Library, Target};
//!
//! let library = Library::system()?;
//! let credentials = library.credentials(None)?;
//! let mut context = Initiator::new(&credentials, &Target::host("bastion.example.org"), false)?;
//! let step = context.step(None)?;
//! // The token goes to the server, whose answer goes into the next step.
//! assert!(step.token.is_some() && step.established.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! Every function here may block: on files, and on the network for as long as the library waits for a KDC. A context
//! may move between threads.
//!
//! Windows has no such library of its own: its Kerberos is behind SSPI, which is not used. MIT Kerberos for Windows can
//! be named by its path.

mod context;
mod error;
mod ffi;

pub use context::{Credentials, Established, Initiator, Library, Step, Target};
pub use error::{Cause, Error};

/// The object identifier of the Kerberos mechanism, 1.2.840.113554.1.2.2, in DER with tag and length.
pub const KERBEROS_OID: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
