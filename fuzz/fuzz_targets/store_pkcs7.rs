//! Certificates in PKCS#7.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::PKCS7);
