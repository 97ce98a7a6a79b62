//! What becomes of a simulated task: a function of a seed and its ARN, and of nothing else.

use std::time::Duration;

use crate::random::Random;

/// A duration is chosen from it, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The shortest.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl Span {
    /// No time at all.
    pub const NONE: Self = Self { least: Duration::ZERO, most: Duration::ZERO };

    fn choose(self, random: &mut Random) -> Duration {
        let micros = |it: Duration| u64::try_from(it.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(random.between(micros(self.least), micros(self.most)))
    }
}

/// By what the lives of tasks are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Another seed, other lives.
    pub seed: u64,
    /// How long a task takes to start.
    pub start: Span,
    /// Of a hundred tasks, how many do not start.
    pub fails_percent: u8,
    /// How long a task runs by itself; for ever if `None`.
    pub runs_for: Option<Span>,
}

/// What becomes of one task, unless it is told to stop before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// From being told of it until it runs or has failed to start.
    pub starts_after: Duration,
    /// Whether its containers cannot be started.
    pub fails: bool,
    /// How long it runs before it ends by itself with exit code 0; for ever if `None`.
    pub runs_for: Option<Duration>,
}

impl Plan {
    /// Tasks start at once and run until they are told to stop.
    pub const RUN: Self = Self { seed: 0, start: Span::NONE, fails_percent: 0, runs_for: None };

    /// What becomes of the task of this ARN.
    pub fn life(&self, task: &str) -> Life {
        let mut random = Random::new(self.seed ^ fnv1a(task.as_bytes()));
        Life {
            starts_after: self.start.choose(&mut random),
            fails: random.between(1, 100) <= u64::from(self.fails_percent),
            runs_for: self.runs_for.map(|it| it.choose(&mut random)),
        }
    }
}

/// The FNV-1a hash, which is the same in every version of every program.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(least: u64, most: u64) -> Span {
        Span { least: Duration::from_millis(least), most: Duration::from_millis(most) }
    }

    /// Lives of tasks `a`, `b` and `c`, as `start [fails] [end]` in milliseconds.
    #[track_caller]
    fn check(plan: Plan, expect: &str) {
        let lives = ["a", "b", "c"].map(|task| {
            let Life { starts_after, fails, runs_for } = plan.life(task);
            let fails = if fails { " fails" } else { "" };
            let end = runs_for.map_or(String::new(), |it| format!(" {}", it.as_millis()));
            format!("{}{fails}{end}", starts_after.as_millis())
        });
        assert_eq!(lives.join(", "), expect);
    }

    #[test]
    fn a_life_is_a_function_of_the_seed_and_the_task() {
        let plan = Plan { start: millis(100, 900), ..Plan::RUN };
        check(Plan::RUN, "0, 0, 0");
        check(Plan { fails_percent: 100, ..Plan::RUN }, "0 fails, 0 fails, 0 fails");
        check(Plan { runs_for: Some(millis(7, 7)), ..Plan::RUN }, "0 7, 0 7, 0 7");
        check(plan, "857, 846, 137");
        check(Plan { seed: 1, ..plan }, "424, 643, 798");
        let plan = Plan { runs_for: Some(millis(0, 5000)), ..plan };
        check(plan, "857 3362, 846 1126, 137 4043");
    }

    #[test]
    fn as_many_tasks_fail_as_the_plan_says() {
        let plan = Plan { fails_percent: 10, ..Plan::RUN };
        let failed = (0..10_000).filter(|it| plan.life(&format!("task/{it}")).fails).count();
        assert!((900..=1100).contains(&failed), "{failed}");
    }
}
