//! Private keys of any type (PKCS#8), encrypted or not, and public ones.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::PKCS8);
