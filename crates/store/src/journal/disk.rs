//! A disk that fails when a test wants it to: it runs full, or loses power.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// A disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    platters: Arc<Mutex<Platters>>,
}

#[derive(Debug, Default)]
struct Platters {
    /// What reads give.
    seen: Vec<u8>,
    /// What surely outlives a loss of power.
    synced: Vec<u8>,
    /// What was written since the last sync.
    unsynced: Vec<Write>,
    /// How many more bytes can be written; `None` is no limit.
    room_bytes: Option<u64>,
    /// How many more operations there are until the power goes; `None` is never.
    power_left: Option<u32>,
}

#[derive(Clone, Debug)]
enum Write {
    Length(u64),
    Bytes(u64, Vec<u8>),
}

impl Write {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
            Self::Bytes(offset, data) => {
                let start = usize::try_from(*offset).unwrap();
                if bytes.len() < start + data.len() {
                    bytes.resize(start + data.len(), 0);
                }
                bytes[start..start + data.len()].copy_from_slice(data);
            }
        }
    }
}

impl Disk {
    /// From now on there is room for this many bytes.
    pub(crate) fn limit(&self, room_bytes: u64) {
        self.platters().room_bytes = Some(room_bytes);
    }

    /// The power goes after this many operations.
    pub(crate) fn cut_power_after(&self, operations: u32) {
        self.platters().power_left = Some(operations);
    }

    /// The disk as another process finds it: with everything written, and room again.
    pub(crate) fn restarted(&self) -> Self {
        let seen = self.platters().seen.clone();
        Self::holding(seen)
    }

    /// The disk after a loss of power: of what was not synced, each write that `keeps` picks.
    pub(crate) fn after_power_loss(&self, mut keeps: impl FnMut() -> bool) -> Self {
        let platters = self.platters();
        let mut found = platters.synced.clone();
        platters.unsynced.iter().filter(|_| keeps()).for_each(|it| it.apply(&mut found));
        drop(platters);
        Self::holding(found)
    }

    fn holding(bytes: Vec<u8>) -> Self {
        let platters = Platters { synced: bytes.clone(), seen: bytes, ..Default::default() };
        Self { platters: Arc::new(Mutex::new(platters)) }
    }

    fn platters(&self) -> MutexGuard<'_, Platters> {
        self.platters.lock().unwrap()
    }

    /// The platters, if there is still power.
    fn powered(&self) -> Result<MutexGuard<'_, Platters>, Error> {
        let mut platters = self.platters();
        match &mut platters.power_left {
            Some(0) => return Err(ErrorKind::BrokenPipe.into()),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(platters)
    }
}

impl Platters {
    fn write(&mut self, write: Write) {
        write.apply(&mut self.seen);
        self.unsynced.push(write);
    }

    fn take_room(&mut self, bytes: u64) -> Result<(), Error> {
        match &mut self.room_bytes {
            Some(room) if *room < bytes => Err(ErrorKind::StorageFull.into()),
            Some(room) => {
                *room -= bytes;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.platters().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let start = usize::try_from(offset).unwrap();
        let platters = self.platters();
        let found = platters.seen.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let mut platters = self.powered()?;
        let more = len.saturating_sub(platters.seen.len() as u64);
        platters.take_room(more)?;
        platters.write(Write::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut platters = self.powered()?;
        let unsynced = std::mem::take(&mut platters.unsynced);
        unsynced.iter().for_each(|it| it.apply(&mut platters.synced));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut platters = self.powered()?;
        if let Err(full) = platters.take_room(data.len() as u64) {
            let half = data[..data.len() / 2].to_vec();
            platters.write(Write::Bytes(offset, half));
            return Err(full);
        }
        platters.write(Write::Bytes(offset, data.to_vec()));
        Ok(())
    }
}
