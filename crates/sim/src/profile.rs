//! What kind of world a seed makes: how big, how busy, and what goes wrong in it.
//!
//! Each seed has only some of the faults, in its own measure. A world with all of them at once
//! hides more than it shows: a connection that is cut every second never lets a slow race happen.

use longshore_agent::engine::Policy;

use crate::faults::Fault;
use crate::random::Random;
use crate::stage::MOST_SKEW_MILLIS;

/// The measures of one world.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) machines: usize,
    /// How long calls are made and things go wrong.
    pub(crate) busy_millis: i64,
    /// Between two calls of the clients, at most.
    pub(crate) work_pause_millis: i64,
    /// Between two faults, at most.
    pub(crate) fault_pause_millis: i64,
    pub(crate) faults: Vec<Fault>,
    /// How far the machines' clocks are off at first, at most.
    pub(crate) skew_millis: i64,
    /// How much they gain or lose, at most, in millionths.
    pub(crate) drift_ppm: i64,
    /// By how much the control plane's clock is set, at most.
    pub(crate) jump_millis: i64,
    /// Of a hundred frames, those that arrive twice, the second time much later.
    pub(crate) echo_percent: u32,
    /// Of a hundred messages, those that never arrive.
    pub(crate) loss_percent: u32,
    /// Of a hundred calls, those that arrive twice, the second time much later.
    pub(crate) repeat_percent: u32,
    /// Of a hundred messages, those that take seconds.
    pub(crate) slow_percent: u32,
    /// Of a hundred wishes, those that Docker refuses.
    pub(crate) docker_failure_percent: u32,
    /// Of a hundred calls, those after which nothing is done for an hour and more.
    pub(crate) idle_percent: u32,
    /// After how long the clusters' tasks on machines that stay away are given up.
    pub(crate) lost_after: Option<&'static str>,
    /// The same for all agents.
    pub(crate) policy: Policy,
}

impl Profile {
    /// Draws the measures of a world. Those of later days are drawn beside the others, and for even
    /// seeds alone, so that seeds which showed something go on showing it.
    pub(crate) fn draw(seed: u64, random: &mut Random) -> Self {
        let mut some = |choices: &[u32]| random.pick(choices).unwrap_or(0);
        let loss_percent = some(&[0, 0, 1, 5, 20]);
        let repeat_percent = some(&[0, 0, 2, 20]);
        let slow_percent = some(&[0, 1, 10]);
        let docker_failure_percent = some(&[0, 0, 2, 10]);
        let idle_percent = some(&[0, 0, 0, 3]);
        let cleanup_wait_secs = some(&[60, 60, 600, 10_800]);
        let machines = some(&[1, 2, 3, 3, 5]) as usize;
        let busy_millis = i64::from(some(&[60, 180, 300, 600])) * 1000;
        let work_pause_millis = i64::from(some(&[1_000, 4_000, 15_000]));
        let fault_pause_millis = i64::from(some(&[3_000, 20_000, 60_000]));
        let pull_first = random.chance(40);
        let pull_must_succeed = pull_first && random.chance(40);
        let mut faults = match random.chance(10) {
            true => Vec::new(),
            false => Fault::ALL.iter().copied().filter(|_| random.chance(50)).collect(),
        };
        let lost_after = random.pick(&[None, Some("never"), Some("10s"), Some("30s"), Some("2m")]);
        let (mut skew_millis, mut drift_ppm, mut jump_millis, mut echo_percent) =
            (3_000, 0, 600_000, 0);
        if seed.is_multiple_of(2) {
            let mut other = Random::new(!seed);
            skew_millis = other.pick(&[3_000, 600_000, MOST_SKEW_MILLIS]).unwrap_or(skew_millis);
            drift_ppm = other.pick(&[0, 0, 1_000]).unwrap_or(0);
            jump_millis = other.pick(&[600_000, MOST_SKEW_MILLIS]).unwrap_or(jump_millis);
            echo_percent = other.pick(&[0, 0, 2, 20]).unwrap_or(0);
            let may_go_wrong = !faults.is_empty();
            let chosen = Fault::OF_EVEN_SEEDS.iter().filter(|_| may_go_wrong && other.chance(50));
            faults.extend(chosen);
        }
        Self {
            machines,
            skew_millis,
            drift_ppm,
            jump_millis,
            echo_percent,
            lost_after: lost_after.flatten(),
            busy_millis,
            work_pause_millis,
            fault_pause_millis,
            faults,
            loss_percent,
            repeat_percent,
            slow_percent,
            docker_failure_percent,
            idle_percent,
            policy: Policy { pull_first, pull_must_succeed, cleanup_wait_secs },
        }
    }
}
