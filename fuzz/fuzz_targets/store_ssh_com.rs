//! Keys of SSH.com.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::SSH_COM);
