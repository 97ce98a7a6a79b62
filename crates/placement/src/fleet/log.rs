//! Which slots changed, in order, so that whoever looks now and then learns what it missed.

use std::collections::VecDeque;

/// The newest changes; older ones are forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    slots: VecDeque<u32>,
    /// How many changes were forgotten.
    forgotten: u64,
}

impl Log {
    /// How many changes there ever were: where a reader that knows all of them stands.
    pub(super) fn end(&self) -> u64 {
        self.forgotten + self.slots.len() as u64
    }

    /// Takes down a change, and forgets the oldest ones beyond `kept`.
    pub(super) fn push(&mut self, slot: u32, kept: usize) {
        self.slots.push_back(slot);
        while self.slots.len() > kept {
            self.slots.pop_front();
            self.forgotten += 1;
        }
    }

    /// The changes after `seen`; `None` where some of them are forgotten.
    pub(super) fn since(&self, seen: u64) -> Option<impl Iterator<Item = u32> + '_> {
        let known = seen.checked_sub(self.forgotten)?;
        let known = usize::try_from(known).ok()?.min(self.slots.len());
        Some(self.slots.range(known..).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_learns_what_it_missed_or_that_it_missed_too_much() {
        let mut log = Log::default();
        (0..5).for_each(|slot| log.push(slot, 3));
        assert_eq!(log.end(), 5);
        let since = |seen| log.since(seen).map(|it| it.collect::<Vec<_>>());
        assert_eq!(since(1), None);
        assert_eq!(since(2), Some(vec![2, 3, 4]));
        assert_eq!(since(4), Some(vec![4]));
        assert_eq!(since(5), Some(vec![]));
    }
}
