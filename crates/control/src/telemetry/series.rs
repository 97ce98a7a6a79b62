//! The last hour of what something used, a minute a bucket. Times are this server's: agents' clocks
//! may say what they like.

use std::collections::VecDeque;

use longshore_model::Timestamp;

/// How far back is remembered, in minutes.
pub const KEPT_MINUTES: u32 = 60;

/// Samples of a round beyond which more do not count for more. Agents take one or two a second.
const MAX_SAMPLES: i64 = 1000;

/// What was sampled of one figure. Made only by [`Sampled::new`], so it is finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    mean: f32,
    max: f32,
    samples: u16,
}

impl Sampled {
    /// So many samples with this sum and this highest. `None` where that cannot be: no samples, a
    /// number that is not finite or negative, or a mean beyond the limit.
    pub fn new(sum: f64, max: f64, samples: i64, limit: f64) -> Option<Self> {
        if samples < 1 || !(sum.is_finite() && max.is_finite()) {
            return None;
        }
        let mean = sum / samples as f64;
        if !(0.0..=limit).contains(&mean) {
            return None;
        }
        // The clamps make both fit: counts below 1001, and numbers up to the limit.
        let samples = samples.min(MAX_SAMPLES) as u16;
        Some(Self { mean: mean as f32, max: max.clamp(mean, limit) as f32, samples })
    }

    /// What two things that were sampled together used together.
    pub(super) fn beside(self, other: Self) -> Self {
        Self {
            mean: self.mean + other.mean,
            max: self.max + other.max,
            samples: self.samples.max(other.samples),
        }
    }

    /// On average.
    pub fn mean(self) -> f64 {
        self.mean.into()
    }

    /// At most.
    pub fn max(self) -> f64 {
        self.max.into()
    }

    /// What one thing used before and after.
    fn then(self, later: Self) -> Self {
        let (before, after) = (f32::from(self.samples), f32::from(later.samples));
        let sum = self.mean * before + later.mean * after;
        Self {
            mean: sum / (before + after),
            max: self.max.max(later.max),
            samples: self.samples.saturating_add(later.samples),
        }
    }
}

/// CPU and memory of one round; `None` where the agent does not say, or says what cannot be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Percent of the whole host: 100 is all of its CPUs.
    pub cpu_percent: Option<Sampled>,
    /// MiB.
    pub memory_mib: Option<Sampled>,
}

impl Usage {
    /// Nothing is used by what does not run.
    pub(super) const NOTHING: Self = {
        let none = Some(Sampled { mean: 0.0, max: 0.0, samples: 1 });
        Self { cpu_percent: none, memory_mib: none }
    };

    pub(super) fn beside(self, other: Self) -> Self {
        self.combined(other, Sampled::beside)
    }

    fn then(self, later: Self) -> Self {
        self.combined(later, Sampled::then)
    }

    fn combined(self, other: Self, combine: fn(Sampled, Sampled) -> Sampled) -> Self {
        let figure = |one: Option<Sampled>, two: Option<Sampled>| match (one, two) {
            (Some(one), Some(two)) => Some(combine(one, two)),
            (one, two) => one.or(two),
        };
        Self {
            cpu_percent: figure(self.cpu_percent, other.cpu_percent),
            memory_mib: figure(self.memory_mib, other.memory_mib),
        }
    }
}

/// What was used in one minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minute {
    /// Minutes since the epoch.
    at: u32,
    /// Mean and highest of each figure; 0 where it is missing.
    cpu: [f32; 2],
    memory: [f32; 2],
    /// How many samples; 0 where the figure is missing.
    cpu_samples: u16,
    memory_samples: u16,
}

impl Minute {
    /// When it began.
    pub fn begun_at(self) -> Timestamp {
        Timestamp::from_millis(i64::from(self.at) * 60_000)
    }

    /// What was used.
    pub fn usage(self) -> Usage {
        let sampled = |[mean, max]: [f32; 2], samples| {
            (samples > 0).then_some(Sampled { mean, max, samples })
        };
        Usage {
            cpu_percent: sampled(self.cpu, self.cpu_samples),
            memory_mib: sampled(self.memory, self.memory_samples),
        }
    }

    fn new(at: u32, usage: Usage) -> Self {
        let figure =
            |it: Option<Sampled>| it.map_or(([0.0; 2], 0), |it| ([it.mean, it.max], it.samples));
        let (cpu, cpu_samples) = figure(usage.cpu_percent);
        let (memory, memory_samples) = figure(usage.memory_mib);
        Self { at, cpu, memory, cpu_samples, memory_samples }
    }
}

/// The minutes of the last hour in which anything was told, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series(VecDeque<Minute>);

impl Series {
    /// Takes in a round that was told now.
    pub fn record(&mut self, usage: Usage, now: Timestamp) {
        let at = minute(now);
        // A clock that was set back: what is of the future would stay for ever.
        while self.0.back().is_some_and(|it| it.at > at) {
            self.0.pop_back();
        }
        match self.0.back_mut().filter(|it| it.at == at) {
            Some(last) => *last = Minute::new(at, last.usage().then(usage)),
            None => {
                while self.0.front().is_some_and(|it| it.at + KEPT_MINUTES <= at) {
                    self.0.pop_front();
                }
                self.0.push_back(Minute::new(at, usage));
            }
        }
    }

    /// The newest one.
    pub fn last(&self) -> Option<Minute> {
        self.0.back().copied()
    }

    /// What is not older than an hour.
    pub fn minutes(&self, now: Timestamp) -> impl Iterator<Item = Minute> {
        let at = minute(now);
        self.0.iter().copied().filter(move |it| it.at <= at && it.at + KEPT_MINUTES > at)
    }
}

fn minute(at: Timestamp) -> u32 {
    u32::try_from(at.millis().max(0) / 60_000).unwrap_or(u32::MAX - KEPT_MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: f64, memory: f64) -> Usage {
        let sampled = |it: f64| Sampled::new(it, it, 1, 1e6);
        Usage { cpu_percent: sampled(cpu), memory_mib: sampled(memory) }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_497_513_600_000 + seconds * 1000)
    }

    /// Each minute's mean and highest CPU and memory.
    fn seen(series: &Series, now: Timestamp) -> Vec<(i64, f64, f64, f64)> {
        let row = |it: Minute| {
            let (cpu, memory) = (it.usage().cpu_percent.unwrap(), it.usage().memory_mib.unwrap());
            let begun = (it.begun_at().millis() - at(0).millis()) / 1000;
            (begun, cpu.mean(), cpu.max(), memory.mean())
        };
        series.minutes(now).map(row).collect()
    }

    #[test]
    fn rounds_of_a_minute_are_one_bucket() {
        let mut series = Series::default();
        for (second, cpu) in [(0, 1.0), (20, 2.0), (40, 6.0), (60, 4.0)] {
            series.record(usage(cpu, 16.0), at(second));
        }
        assert_eq!(seen(&series, at(61)), [(0, 3.0, 6.0, 16.0), (60, 4.0, 4.0, 16.0)]);
    }

    #[test]
    fn an_hour_is_remembered_and_no_more() {
        let mut series = Series::default();
        for second in (0..3 * 3600).step_by(20) {
            series.record(usage(1.0, 1.0), at(second));
        }
        assert_eq!(series.0.len(), KEPT_MINUTES as usize);
        assert!(series.0.capacity() * size_of::<Minute>() <= 1536);
        assert_eq!(series.minutes(at(3 * 3600 + 1800)).count(), 29);
        assert_eq!(series.minutes(at(5 * 3600)).count(), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_the_future() {
        let mut series = Series::default();
        series.record(usage(1.0, 1.0), at(3600));
        series.record(usage(2.0, 1.0), at(0));
        assert_eq!(seen(&series, at(0)), [(0, 2.0, 2.0, 1.0)]);
    }

    #[test]
    fn what_cannot_be_is_no_sample() {
        let check = |sum, max, samples, expect| {
            let seen = Sampled::new(sum, max, samples, 100.0).map(|it| (it.mean(), it.max()));
            assert_eq!(seen, expect, "{sum} {max} {samples}");
        };
        check(6.0, 4.0, 2, Some((3.0, 4.0)));
        check(6.0, 1.0, 2, Some((3.0, 3.0)));
        check(6.0, 1e300, 2, Some((3.0, 100.0)));
        for (sum, max, samples) in [
            (f64::NAN, 1.0, 1),
            (1.0, f64::NAN, 1),
            (f64::INFINITY, 1.0, 1),
            (-1.0, 1.0, 1),
            (1e9, 1.0, 1),
            (1.0, 1.0, 0),
            (1.0, 1.0, -1),
        ] {
            check(sum, max, samples, None);
        }
    }

    #[test]
    fn a_figure_that_is_missing_takes_nothing_away() {
        let mut series = Series::default();
        series.record(usage(1.0, 1.0), at(0));
        series.record(Usage::default(), at(20));
        assert_eq!(seen(&series, at(21)), [(0, 1.0, 1.0, 1.0)]);
    }
}
