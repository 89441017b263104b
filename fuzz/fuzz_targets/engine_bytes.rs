//! Either role of the engine against arbitrary bytes, before and within the first key exchange.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| underpass_testkit::chaos::bytes(data));
