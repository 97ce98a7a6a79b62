//! Expressions asked of instances that come, change and go, all made up from any bytes.

#![no_main]

#[path = "../../crates/placement/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::evaluation(bytes));
