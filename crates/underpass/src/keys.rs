//! Keys that a program holds itself: for [`Builder::signer`](crate::Builder::signer), and for a gateway's host keys and
//! users.
//!
//! A tunnel reads the files named by [`Builder::identity_file`](crate::Builder::identity_file) without any of this.

pub use underpass_keys::{KeyFileError, PrivateKey, PublicKey, load, public_of};
