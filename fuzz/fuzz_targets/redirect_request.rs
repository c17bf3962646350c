#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| entrada::fuzzing::redirect_request(data));
