//! Any bytes as a join token. A corpus to start from: `crates/wire/src/join_token.rs` has one.

#![no_main]

#[path = "../../crates/wire/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::join_token(bytes));
