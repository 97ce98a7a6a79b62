//! Any bytes as a frame of an agent, as the control plane hears it on a connection.

#![no_main]

#[path = "../../crates/server/tests/entry/mod.rs"]
mod entry;

use std::cell::RefCell;

thread_local! {
    static EARS: RefCell<entry::Ears> = RefCell::new(
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without drivers")
            .block_on(entry::Ears::open()),
    );
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| EARS.with_borrow_mut(|it| it.hear(bytes)));
