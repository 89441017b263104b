//! JSON Web Keys.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::JWK);
