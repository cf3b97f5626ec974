//! When to try again.

use std::time::Duration;

use throng_shared::random::Random;

/// The first wait and the longest, before the share that is drawn.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// The waits between tries to connect anew: each twice as long as the one before, up to 30 s, and between half and all of that at random, so that the
/// clients of a server that comes back do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    random: Random,
    wait: Duration,
    next_at: Option<Duration>,
}

impl Backoff {
    /// `seed` is to differ between clients.
    pub fn new(seed: u64) -> Backoff {
        const STREAM: u64 = 0x6261_636b;
        Backoff { random: Random::new(seed, STREAM), wait: FIRST, next_at: None }
    }

    /// Whether it is time for the next try, which counts as made then. To be asked while a client is not connected; the first wait begins with the first
    /// question.
    pub fn is_due(&mut self, now: Duration) -> bool {
        let next_at = *self.next_at.get_or_insert_with(|| now + self.wait.mul_f32(self.random.between(0.5, 1.0)));
        if now < next_at {
            return false;
        }
        self.wait = (2 * self.wait).min(LONGEST);
        self.next_at = Some(now + self.wait.mul_f32(self.random.between(0.5, 1.0)));
        true
    }

    /// The connection stands: the next break begins with the shortest wait.
    pub fn reset(&mut self) {
        (self.wait, self.next_at) = (FIRST, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_become_rarer_and_a_connection_that_stands_begins_anew() {
        let tries = |backoff: &mut Backoff, seconds: u64| -> Vec<u64> {
            (0..seconds * 100).filter(|number| backoff.is_due(Duration::from_millis(number * 10))).collect()
        };
        let mut backoff = Backoff::new(1);
        let made = tries(&mut backoff, 300);
        assert!((12..24).contains(&made.len()), "{made:?}");
        assert!(made[0] >= 25 && made[0] <= 50, "the first after a quarter to half a second: {made:?}");
        let waits: Vec<u64> = made.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits.iter().all(|wait| *wait <= 3_001) && waits[waits.len() - 1] > 1_400, "{waits:?}");
        backoff.reset();
        assert!(!backoff.is_due(Duration::from_secs(500)) && backoff.is_due(Duration::from_millis(500_500)));
        assert_ne!(tries(&mut Backoff::new(2), 300), made, "others come at other times");
    }
}
