//! PKCS#11 URIs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_pkcs11::KeyUri;

fuzz_target!(|rest: &str| {
    assert!(rest.parse::<KeyUri>().is_err() || KeyUri::is_one(rest));
    match format!("pkcs11:{rest}").parse::<KeyUri>() {
        Ok(uri) => assert!(uri.id.is_none_or(|id| id.len() <= rest.len())),
        Err(error) => assert!(!error.to_string().chars().any(char::is_control)),
    }
});
