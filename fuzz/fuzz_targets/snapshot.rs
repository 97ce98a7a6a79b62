//! Any bytes as a snapshot's file, and as its lines with their checks made right.

#![no_main]

#[path = "../../crates/store/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entry::snapshot(bytes);
    entry::sealed_snapshot(bytes);
});
