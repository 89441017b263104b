//! Two engines whose applications do anything that is allowed: nothing may be lost.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| underpass_testkit::chaos::actions(data));
