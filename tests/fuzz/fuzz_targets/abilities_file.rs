//! See `throng_tests::fuzz::abilities_file`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| throng_tests::fuzz::abilities_file(bytes));
