//! Two agents that are one container instance: a data directory was copied.
//!
//! The newest connection of an instance counts, so two agents of one identity push each other's
//! connection out in an endless loop. Each run of an agent says a number of its own. A run that was
//! pushed out by another and comes back shows that both live: a process that was killed never comes
//! back, and one that connects again over a dead connection of its own pushes nobody else out. As
//! requests may be late, one such return is no proof yet; some within a minute are.

use std::time::Duration;

use tokio::time::Instant;

/// A number that a run of an agent drew for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run(pub(crate) u128);

/// What is remembered of it, and for how long.
const MEMORY: Duration = Duration::from_secs(60);
/// So many returns are a contest.
const RETURNS: usize = 3;
/// More runs than this nobody remembers.
const MOST_RUNS: usize = 8;

/// Who pushed whom out, of one instance. Not kept over a restart: a contest shows again at once.
#[derive(Debug, Default)]
pub(crate) struct Contest {
    pushed_out: Vec<(Run, Instant)>,
    returns: Vec<Instant>,
    /// Not let in again as long as the one that is connected stays.
    kept_out: Option<Run>,
}

/// What becomes of a run that wants to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    LetIn,
    KeepOut {
        /// Whether nobody has been told of this contest yet.
        is_news: bool,
    },
}

impl Contest {
    /// A run wants to connect, while another is connected.
    pub(crate) fn arrives(&mut self, run: Run, now: Instant) -> Verdict {
        if self.kept_out == Some(run) {
            return Verdict::KeepOut { is_news: false };
        }
        self.forget(now);
        if self.pushed_out.iter().any(|(it, _)| *it == run) {
            self.returns.push(now);
        }
        if self.returns.len() < RETURNS {
            return Verdict::LetIn;
        }
        self.kept_out = Some(run);
        Verdict::KeepOut { is_news: true }
    }

    /// Another run has pushed this one out.
    pub(crate) fn pushed_out(&mut self, run: Run, now: Instant) {
        self.forget(now);
        self.pushed_out.retain(|(it, _)| *it != run);
        self.pushed_out.truncate(MOST_RUNS - 1);
        self.pushed_out.insert(0, (run, now));
    }

    /// The one that was connected is not any more. Says whether there is nothing left to remember.
    pub(crate) fn is_over(&mut self, now: Instant) -> bool {
        self.kept_out = None;
        self.forget(now);
        self.pushed_out.is_empty() && self.returns.is_empty()
    }

    fn forget(&mut self, now: Instant) {
        let is_recent = |at: &Instant| now.saturating_duration_since(*at) < MEMORY;
        self.pushed_out.retain(|(_, at)| is_recent(at));
        self.returns.retain(is_recent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LET_IN: Verdict = Verdict::LetIn;

    /// Each run of the list connects, so many seconds apart, and pushes out the one before.
    fn play(runs: &[u128], apart_secs: u64) -> Vec<Verdict> {
        let (mut contest, mut now, mut holder) = (Contest::default(), Instant::now(), None);
        let mut verdicts = Vec::new();
        for run in runs.iter().map(|it| Run(*it)) {
            now += Duration::from_secs(apart_secs);
            let others = holder.filter(|it| *it != run);
            let verdict = others.map_or(LET_IN, |_| contest.arrives(run, now));
            if verdict == LET_IN {
                if let Some(other) = others {
                    contest.pushed_out(other, now);
                }
                holder = Some(run);
            }
            verdicts.push(verdict);
        }
        verdicts
    }

    #[test]
    fn of_two_runs_that_push_each_other_out_one_is_soon_kept_out_for_good() {
        let mut verdicts = play(&[1, 2, 1, 2, 1, 1, 1], 1);
        let last = verdicts.split_off(4);
        assert_eq!(verdicts, [LET_IN; 4]);
        let again = Verdict::KeepOut { is_news: false };
        assert_eq!(last, [Verdict::KeepOut { is_news: true }, again, again]);
    }

    #[test]
    fn a_machine_that_restarts_or_reconnects_however_often_is_let_in() {
        assert_eq!(play(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 1), [LET_IN; 12]);
        assert_eq!(play(&[1, 1, 1, 1, 1, 2, 2, 2, 2], 0), [LET_IN; 9]);
    }

    #[test]
    fn a_request_that_was_under_way_when_its_agent_was_killed_is_no_contest() {
        assert_eq!(play(&[1, 2, 1, 2, 3, 4], 1), [LET_IN; 6]);
    }

    #[test]
    fn returns_that_are_far_apart_are_no_contest() {
        assert_eq!(play(&[1, 2, 1, 2, 1, 2, 1, 2], 31), [LET_IN; 8]);
    }

    #[test]
    fn whoever_was_kept_out_is_let_in_when_the_other_is_gone() {
        let (mut contest, now) = (Contest::default(), Instant::now());
        for _ in 0..RETURNS {
            contest.pushed_out(Run(1), now);
            contest.arrives(Run(1), now);
        }
        assert_eq!(contest.arrives(Run(1), now), Verdict::KeepOut { is_news: false });
        assert!(!contest.is_over(now));
        assert!(contest.is_over(now + MEMORY));
        assert_eq!(contest.arrives(Run(1), now + MEMORY), LET_IN);
    }
}
