//! What SIGTERM does to a process that waits.
//!
//! Process 1 of a container gets only the signals that it handles, so that "just die of it" has
//! to be written out too: as ending with 143, which is what a shell would make of it.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The answer to SIGTERM.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnTerm {
    /// None: only SIGKILL ends the process.
    Ignore,
    /// Writes the mark at once, waits, and ends with the code.
    End { mark: Option<PathBuf>, delay_secs: u64, code: u8 },
}

/// Answers SIGTERM (and Ctrl-C) from now on, on a thread of its own.
pub(crate) fn install(on_term: &OnTerm) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let on_term = on_term.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            println!("asked to terminate");
            if let OnTerm::End { mark, delay_secs, code } = &on_term {
                end(mark.as_ref(), *delay_secs, *code);
            }
        }
    });
    Ok(())
}

fn end(mark: Option<&PathBuf>, delay_secs: u64, code: u8) {
    if let Some(mark) = mark
        && let Err(error) = fs::write(mark, "terminated\n")
    {
        eprintln!("longshore-probe: {}: {error}", mark.display());
    }
    thread::sleep(Duration::from_secs(delay_secs));
    process::exit(i32::from(code));
}
