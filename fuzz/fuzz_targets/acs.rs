//! Any bytes as frames of the agent protocol. A corpus to start from: `crates/wire/tests/golden`.

#![no_main]

#[path = "../../crates/wire/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::acs(bytes));
