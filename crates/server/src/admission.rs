//! How many agents' sockets are opened a second, so that a whole fleet that comes back at once does
//! not hold up those who call meanwhile.
//!
//! Each agent costs a durable change, a look at its instance by placement, and a message of all that
//! should run there. Beyond the first hundred, handshakes wait for their turn, in the order in
//! which they came; one whose turn would come after its agent has given up is refused at once, which
//! agents answer by coming again later.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two handshakes, once the first few are through: 400 a second.
const PACE: Duration = Duration::from_micros(2_500);

/// So many that come at once wait for nothing.
const AT_ONCE: u32 = 100;

/// Official agents wait 30 s for the answer to a handshake.
const LONGEST_WAIT: Duration = Duration::from_secs(25);

/// The turns of one kind of socket.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// When the pace would allow one more if nothing were let through at once.
    next_at: Mutex<Option<Instant>>,
}

/// Too many agents wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Admission {
    /// Takes the next turn, and says when it is.
    pub(crate) fn turn(&self, now: Instant) -> Result<Instant, TooMany> {
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        let paced_at = next_at.map_or(now, |it| it.max(now));
        let turn = paced_at.checked_sub(PACE * AT_ONCE).map_or(now, |it| it.max(now));
        if turn > now + LONGEST_WAIT {
            return Err(TooMany);
        }
        *next_at = Some(paced_at + PACE);
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(admission: &Admission, now: Instant, count: usize) -> Vec<Result<Duration, TooMany>> {
        (0..count).map(|_| admission.turn(now).map(|it| it - now)).collect()
    }

    #[test]
    fn the_first_wait_for_nothing_and_the_others_come_at_a_pace() {
        let (admission, now) = (Admission::default(), Instant::now());
        let waits = waits(&admission, now, 1_000);
        assert!(waits.iter().take(101).all(|it| *it == Ok(Duration::ZERO)));
        assert_eq!(waits[101], Ok(PACE));
        assert_eq!(waits[999], Ok(PACE * 899));
        let later = now + Duration::from_secs(3600);
        assert_eq!(admission.turn(later), Ok(later), "the queue is over");
    }

    #[test]
    fn whose_turn_is_too_far_away_is_refused_and_takes_none() {
        let (admission, now) = (Admission::default(), Instant::now());
        let waits = waits(&admission, now, 20_000);
        let admitted = waits.iter().filter(|it| it.is_ok()).count();
        assert_eq!(admitted, 100 + 10_000 + 1);
        assert!(waits[admitted..].iter().all(|it| *it == Err(TooMany)));
        let soon = now + Duration::from_secs(1);
        assert_eq!(admission.turn(soon).map(|it| it - soon), Ok(LONGEST_WAIT - PACE * 399));
    }
}
