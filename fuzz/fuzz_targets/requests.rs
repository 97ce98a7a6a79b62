//! Any bytes as bodies of API requests. A corpus to start from: `crates/wire/tests/golden`.

#![no_main]

#[path = "../../crates/wire/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::requests(bytes));
