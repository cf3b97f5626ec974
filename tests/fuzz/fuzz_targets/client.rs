//! See `throng_tests::fuzz::client`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| throng_tests::fuzz::client(bytes));
