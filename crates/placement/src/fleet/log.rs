//! Which slots changed, in order, so that whoever looks now and then learns what it missed.

use std::collections::VecDeque;

/// The newest changes; older ones are forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    slots: VecDeque<u32>,
    /// How many changes were forgotten.
    forgotten: u64,
    /// Which change of all was the last of each slot.
    last: Vec<u64>,
}

impl Log {
    /// How many changes there ever were: where a reader that knows all of them stands.
    pub(super) fn end(&self) -> u64 {
        self.forgotten + self.slots.len() as u64
    }

    /// Takes down a change, and forgets the oldest ones beyond `kept`.
    pub(super) fn push(&mut self, slot: u32, kept: usize) {
        let at = slot as usize;
        if at >= self.last.len() {
            self.last.resize(at + 1, 0);
        }
        self.last[at] = self.end();
        self.slots.push_back(slot);
        while self.slots.len() > kept {
            self.slots.pop_front();
            self.forgotten += 1;
        }
    }

    /// The slots that changed after `seen`, each once; `None` where some of it is forgotten.
    pub(super) fn since(&self, seen: u64) -> Option<impl Iterator<Item = u32> + '_> {
        let known = seen.checked_sub(self.forgotten)?;
        let known = usize::try_from(known).ok()?.min(self.slots.len());
        let changes = (seen..).zip(self.slots.range(known..).copied());
        Some(changes.filter(|(at, slot)| self.last[*slot as usize] == *at).map(|it| it.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_learns_what_it_missed_or_that_it_missed_too_much() {
        let mut log = Log::default();
        (0..5).for_each(|slot| log.push(slot % 4, 3));
        assert_eq!(log.end(), 5);
        let since = |log: &Log, seen| log.since(seen).map(|it| it.collect::<Vec<_>>());
        assert_eq!(since(&log, 1), None);
        assert_eq!(since(&log, 2), Some(vec![2, 3, 0]));
        assert_eq!(since(&log, 4), Some(vec![0]));
        assert_eq!(since(&log, 5), Some(vec![]));
        log.push(3, 3);
        assert_eq!(since(&log, 3), Some(vec![0, 3]));
    }
}
