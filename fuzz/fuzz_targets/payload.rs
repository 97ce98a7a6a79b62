//! Any bytes as a frame of the control plane, as the agent reads it and begins its tasks.

#![no_main]

#[path = "../../crates/agent/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entry::frame(bytes);
});
