//! OpenSSH's private keys.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::OPENSSH);
