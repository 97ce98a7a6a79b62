//! What all of the world shares: the time, chance, what is to happen, and the record of it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use longshore_model::{Clock, Timestamp};

use crate::event::Event;
use crate::profile::Profile;
use crate::random::{Random, SeededIds};

/// When the world begins: 2026-01-01T00:00:00Z.
pub(crate) const BEGINNING: i64 = 1_767_225_600_000;

/// More events than this at one millisecond are no accident.
const MOST_AT_ONCE: u64 = 10_000;

/// How far from the true time a clock can be, in milliseconds.
pub(crate) const MOST_SKEW_MILLIS: i64 = 5 * 3_600_000;

/// The control plane's wall clock, which may jump.
pub(crate) struct PlaneClock {
    now_millis: AtomicI64,
    skew_millis: AtomicI64,
}

impl Clock for PlaneClock {
    fn now(&self) -> Timestamp {
        let skew = self.skew_millis.load(Ordering::Relaxed);
        Timestamp::from_millis(self.now_millis.load(Ordering::Relaxed) + skew)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now_millis.load(Ordering::Relaxed).unsigned_abs())
    }
}

/// Time, chance, the queue and the record.
pub(crate) struct Stage {
    pub(crate) now_millis: i64,
    pub(crate) random: Random,
    pub(crate) profile: Profile,
    pub(crate) ids: Arc<SeededIds>,
    pub(crate) plane_clock: Arc<PlaneClock>,
    pub(crate) trace: Trace,
    /// Nothing goes wrong any more.
    pub(crate) calm: bool,
    pub(crate) events: u64,
    /// How many of them there were since the time last moved.
    events_now: u64,
    queue: BinaryHeap<Reverse<Due>>,
    order: u64,
}

/// An event in the queue. Those of one time happen in the order in which they were put there.
struct Due {
    at_millis: i64,
    order: u64,
    event: Event,
}

impl Stage {
    pub(crate) fn new(seed: u64, trace: Trace) -> Self {
        let mut random = Random::new(seed);
        let profile = Profile::draw(seed, &mut random);
        Self {
            now_millis: BEGINNING,
            random,
            profile,
            ids: Arc::new(SeededIds::new(seed)),
            plane_clock: Arc::new(PlaneClock {
                now_millis: AtomicI64::new(BEGINNING),
                skew_millis: AtomicI64::new(0),
            }),
            trace,
            calm: false,
            events: 0,
            events_now: 0,
            queue: BinaryHeap::new(),
            order: 0,
        }
    }

    /// Lets an event happen so much later.
    pub(crate) fn after(&mut self, delay_millis: i64, event: Event) {
        self.order += 1;
        let at_millis = self.now_millis.saturating_add(delay_millis.max(0));
        self.queue.push(Reverse(Due { at_millis, order: self.order, event }));
    }

    /// The next event until then, after moving the time to it; at the end the time is `until`.
    pub(crate) fn next(&mut self, until_millis: i64) -> Option<Event> {
        let is_due = self.queue.peek().is_some_and(|it| it.0.at_millis <= until_millis);
        let due = if is_due { self.queue.pop() } else { None };
        let now_millis = due.as_ref().map_or(until_millis, |it| it.0.at_millis);
        self.events_now = if now_millis == self.now_millis { self.events_now + 1 } else { 0 };
        self.now_millis = now_millis;
        self.plane_clock.now_millis.store(self.now_millis, Ordering::Relaxed);
        self.events += u64::from(due.is_some());
        due.map(|it| it.0.event)
    }

    /// Whether more happens at one moment than ever should: somebody tries again without a pause.
    pub(crate) fn stands_still(&self) -> bool {
        self.events_now > MOST_AT_ONCE
    }

    /// Whether something goes wrong now, which it does so many times in a hundred.
    pub(crate) fn mishap(&mut self, percent: u32) -> bool {
        !self.calm && self.random.chance(percent)
    }

    /// How long a message travels.
    pub(crate) fn latency(&mut self) -> i64 {
        match self.mishap(self.profile.slow_percent) {
            true => self.random.between(40, 9_000),
            false => self.random.between(1, 40),
        }
    }

    /// Sets the control plane's clock forward or back.
    pub(crate) fn jump(&mut self, millis: i64) {
        let skew = self.plane_clock.skew_millis.load(Ordering::Relaxed) + millis;
        let skew = skew.clamp(-MOST_SKEW_MILLIS, MOST_SKEW_MILLIS);
        self.plane_clock.skew_millis.store(skew, Ordering::Relaxed);
    }

    /// Puts a line into the record, if one is kept.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        self.trace.note(self.now_millis, line);
    }
}

/// The record: its last lines, and a digest of all of them.
pub(crate) struct Trace {
    keep: usize,
    lines: VecDeque<String>,
    hasher: DefaultHasher,
}

impl Trace {
    /// Keeps so many lines; with none it costs nothing.
    pub(crate) fn of_last(keep: usize) -> Self {
        Self { keep, lines: VecDeque::new(), hasher: DefaultHasher::new() }
    }

    fn note(&mut self, now_millis: i64, line: impl FnOnce() -> String) {
        if self.keep == 0 {
            return;
        }
        let since = now_millis - BEGINNING;
        let line = format!("{:>5}.{:03} {}", since / 1000, since % 1000, line());
        line.hash(&mut self.hasher);
        if self.lines.len() == self.keep {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines that are kept, the oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }

    /// The same for the same history, lines no longer kept included.
    pub(crate) fn digest(&self) -> u64 {
        self.hasher.finish()
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at_millis, self.order) == (other.at_millis, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_millis, self.order).cmp(&(other.at_millis, other.order))
    }
}
