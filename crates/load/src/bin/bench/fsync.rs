//! What a durable write costs at least.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::figures::{Figures, millis};

/// A file whose blocks are overwritten one after another, each made durable: the least that a
/// durable write costs on this disk.
pub(crate) struct Fsync {
    file: File,
    next: u64,
}

const BLOCK: usize = 4096;
const BLOCKS: u64 = 1024;

impl Fsync {
    pub(crate) fn create(dir: &Path) -> anyhow::Result<Self> {
        let file = tempfile::tempfile_in(dir)?;
        for block in 0..BLOCKS {
            file.write_all_at(&[1; BLOCK], block * BLOCK as u64)?;
        }
        file.sync_all()?;
        Ok(Self { file, next: 0 })
    }

    pub(crate) fn once(&mut self) -> anyhow::Result<Duration> {
        let since = Instant::now();
        self.file.write_all_at(&[2; BLOCK], self.next % BLOCKS * BLOCK as u64)?;
        self.file.sync_data()?;
        self.next += 1;
        Ok(since.elapsed())
    }

    pub(crate) fn several(&mut self, times: usize) -> anyhow::Result<Figures> {
        let durations: Vec<Duration> =
            (0..times).map(|_| self.once()).collect::<anyhow::Result<_>>()?;
        Ok(millis(&durations))
    }
}
