//! Any text as an expression of the cluster query language, asked of instances made up from it.

#![no_main]

#[path = "../../crates/placement/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::query(bytes));
