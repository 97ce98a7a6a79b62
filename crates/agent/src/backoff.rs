//! How long to wait before the next attempt.

use std::time::Duration;

use longshore_client::{CallError, Endpoint};

use crate::system::jitter;

/// After the first attempt to reach the control plane has failed.
const FIRST_DELAY: Duration = Duration::from_millis(250);
/// However long the control plane is away: soon after it is back all its agents are. Ten thousand
/// that knock every ten seconds are a thousand a second, and those it has time for.
const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// On the control plane's own host a failed attempt costs nothing.
const LONGEST_LOCAL_DELAY: Duration = Duration::from_secs(1);
/// After the control plane has refused this agent: until people change something, each further
/// attempt is for nothing.
const FIRST_DENIED_DELAY: Duration = Duration::from_secs(30);
const LONGEST_DENIED_DELAY: Duration = Duration::from_secs(15 * 60);
const FACTOR: f64 = 1.5;

/// What is said once of a control plane that refuses this agent.
pub(crate) const DENIED: &str = "the control plane refuses this agent: tasks go on, and it is asked \
     again seldom; a machine whose key was revoked joins anew (longshore agent join TOKEN)";

/// What is said once where another agent is connected as this container instance.
pub(crate) const CONTESTED: &str = "this agent is kept out: containers here go on, and the control \
     plane is asked again seldom; the other agent's end lets this one in";

/// Delays that grow from attempt to attempt, each with up to a fifth added at random.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    factor: f64,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration, factor: f64) -> Self {
        Self { first, longest, factor, next: first }
    }

    /// Between attempts to reach a control plane.
    pub(crate) fn towards(endpoint: &Endpoint) -> Self {
        let longest = if endpoint.is_local() { LONGEST_LOCAL_DELAY } else { LONGEST_DELAY };
        Self::new(FIRST_DELAY, longest, FACTOR)
    }

    /// Between attempts of an agent that the control plane refuses.
    pub(crate) fn of_denied() -> Self {
        Self::new(FIRST_DENIED_DELAY, LONGEST_DENIED_DELAY, 2.0)
    }

    /// The delay before the next attempt.
    pub(crate) fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.mul_f64(self.factor).min(self.longest);
        delay + jitter(delay / 5)
    }

    /// All went well: begin again with the first delay.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Whether the control plane refuses this agent, rather than this request of it.
pub(crate) fn is_denied(error: &CallError) -> bool {
    const DENIALS: [&str; 4] = [
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
    ];
    matches!(error, CallError::Refused { error, .. } if DENIALS.contains(&error.code.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_waits_for_long_is_back_within_ten_seconds_and_a_denied_one_asks_seldom() {
        let endpoint = "https://10.0.0.1:8327".parse().unwrap();
        let mut backoff = Backoff::towards(&endpoint);
        let longest = (0..100).map(|_| backoff.delay()).max().unwrap();
        assert!(longest <= Duration::from_secs(10), "{longest:?}");
        let mut backoff = Backoff::of_denied();
        let in_a_day = (0..110).map(|_| backoff.delay()).sum::<Duration>();
        assert!(in_a_day > Duration::from_secs(24 * 3600), "{in_a_day:?}");
    }

    #[test]
    fn delays_grow_up_to_the_longest_and_begin_again() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3), 2.0);
        let mut check = |least: u64, reset: bool| {
            let delay = backoff.delay();
            let least = Duration::from_secs(least);
            assert!(least <= delay && delay <= least + least / 5, "{delay:?}");
            if reset {
                backoff.reset();
            }
        };
        check(1, false);
        check(2, false);
        check(3, false);
        check(3, true);
        check(1, false);
    }
}
