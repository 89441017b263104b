//! Either role of the engine against arbitrary messages under valid keys, between actions of the application.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| underpass_testkit::chaos::messages(data));
