//! X.509 certificates.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::X509);
