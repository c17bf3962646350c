#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| entrada::fuzzing::managed_identity(data));
