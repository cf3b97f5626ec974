//! See `throng_tests::fuzz::combat`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| throng_tests::fuzz::combat(bytes));
