//! Any bytes as frames of telemetry. A corpus to start from: `crates/wire/tests/golden/tcs`.

#![no_main]

#[path = "../../crates/wire/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::tcs(bytes));
