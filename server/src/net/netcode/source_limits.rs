//! What strangers may cost: opening a token or a move takes a microsecond or two, and anybody can send one.

use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hashbrown::DefaultHashBuilder;
use throng_shared::limits::{HANDSHAKES_PER_50_MS_MAX, HANDSHAKES_PER_SOURCE_MAX};

/// Length of the window in which all sources together are counted.
const BUDGET_WINDOW: Duration = Duration::from_millis(50);

/// Sources that are counted apart; those that share a place share its limit. A power of two.
const PLACES: usize = 4_096;

/// Length of the window in which those of a source are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// Limits for one kind of costly packets, of each source and of all together.
#[derive(Debug, Default)]
pub(super) struct StrangerLimits {
    sources: SourceLimits,
    window_began: Duration,
    window_count: u32,
}

impl StrangerLimits {
    /// Whether a costly packet of `source` is looked at: it is within both limits.
    pub(super) fn admit(&mut self, now: Duration, source: SocketAddr) -> bool {
        self.admit_source(now, source) && self.admit_to_budget(now)
    }

    /// Counts a packet of `source`; whether it is within the source's limit.
    pub(super) fn admit_source(&mut self, now: Duration, source: SocketAddr) -> bool {
        self.sources.admit(now, source)
    }

    /// Whether another costly packet is looked at in this window, whoever has sent it.
    pub(super) fn admit_to_budget(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.window_began) >= BUDGET_WINDOW {
            (self.window_began, self.window_count) = (now, 0);
        }
        self.window_count += 1;
        self.window_count <= HANDSHAKES_PER_50_MS_MAX
    }
}

/// A count per source, in constant memory: a table whose places are shared by whoever falls into them.
#[derive(Debug)]
pub(super) struct SourceLimits {
    places: Box<[Place]>,
    /// Seeded at random, so that nobody can choose to share a place with somebody else.
    hasher: DefaultHashBuilder,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    window: u32,
    count: u32,
}

impl Default for SourceLimits {
    fn default() -> Self {
        SourceLimits { places: vec![Place::default(); PLACES].into(), hasher: DefaultHashBuilder::default() }
    }
}

impl SourceLimits {
    /// Counts a packet of `source`; whether it is within the source's limit.
    pub(super) fn admit(&mut self, now: Duration, source: SocketAddr) -> bool {
        let window = (now.as_nanos() / WINDOW.as_nanos()) as u32;
        let place = &mut self.places[self.hasher.hash_one(prefix(source.ip())) as usize % PLACES];
        if place.window != window {
            *place = Place { window, count: 0 };
        }
        place.count = place.count.saturating_add(1);
        place.count <= HANDSHAKES_PER_SOURCE_MAX
    }
}

/// What one customer of a provider has: an IPv4 address, or 56 bits of an IPv6 address.
fn prefix(ip: IpAddr) -> u64 {
    match ip.to_canonical() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()),
        IpAddr::V6(ip) => 1 << 63 | (ip.to_bits() >> 72) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_its_limit_each_second_and_others_have_theirs() {
        let mut limits = SourceLimits::default();
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let (flooder, other) = (address("[2001:db8:1:2:3::1]:9"), address("192.0.2.1:9"));
        let admitted = |limits: &mut SourceLimits, at, source: SocketAddr, count: u32| {
            (0..count).filter(|_| limits.admit(Duration::from_millis(at), source)).count() as u32
        };
        assert_eq!(admitted(&mut limits, 0, flooder, 3 * HANDSHAKES_PER_SOURCE_MAX), HANDSHAKES_PER_SOURCE_MAX);
        // Another host and port of the same customer.
        assert!(!limits.admit(Duration::from_millis(999), address("[2001:db8:1:2:4::2]:7")));
        assert!(limits.admit(Duration::from_millis(999), other));
        assert!(limits.admit(Duration::from_millis(1_000), flooder));
    }
}
