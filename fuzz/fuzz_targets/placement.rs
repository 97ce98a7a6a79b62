//! Tasks placed in a cluster's history that is made up from any bytes.

#![no_main]

#[path = "../../crates/placement/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::history(bytes));
