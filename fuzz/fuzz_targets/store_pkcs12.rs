//! PKCS#12 stores (PFX).
#![no_main]

underpass_fuzz::store!(underpass_fuzz::PKCS12);
