//! How often a client is told of pages, by their distance.

use throng_shared::config::{INTEREST_TIERS_MAX, STALENESS_MS_MAX, TierConfig};
use throng_shared::tick::{Tick, TickRate};

use crate::pages::Area;

/// Tiers of distance, each with the number of ticks in which a page of it is told once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tiers {
    tiers: [Tier; INTEREST_TIERS_MAX],
    count: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tier {
    within_m: f32,
    period_ticks: u32,
}

impl Tiers {
    /// The tiers of a world, the nearest first. A period is as many whole ticks as fit into the staleness, but at least one;
    /// without any tier everything is told in every tick.
    pub fn new(config: &[TierConfig], rate: TickRate) -> Tiers {
        let mut tiers = [Tier { within_m: 0.0, period_ticks: 1 }; INTEREST_TIERS_MAX];
        for (tier, config) in tiers.iter_mut().zip(config) {
            let period_ticks = (config.staleness_ms * rate.hz() / 1_000).max(1);
            *tier = Tier { within_m: config.within_m, period_ticks };
        }
        Tiers { tiers, count: config.len().clamp(1, INTEREST_TIERS_MAX) as u8 }
    }

    /// The same, with all but the nearest told so many times less often, as far as a staleness may be.
    pub(crate) fn slowed(mut self, factor: u32, rate: TickRate) -> Tiers {
        let most = STALENESS_MS_MAX * rate.hz() / 1_000;
        for tier in &mut self.tiers[1..] {
            tier.period_ticks = (tier.period_ticks * factor).min(most.max(tier.period_ticks));
        }
        self
    }

    /// The tier of a distance; the last one for all that is farther than any reaches.
    pub fn of(&self, distance_m: f32) -> usize {
        let nearer = &self.tiers[..self.len() - 1];
        nearer.iter().take_while(|tier| tier.within_m < distance_m).count()
    }

    /// How many there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.count.into()
    }

    /// In how many ticks a page of a tier is told once.
    pub fn period_ticks(&self, tier: usize) -> u32 {
        self.tiers[tier].period_ticks
    }

    /// What has its turn in a tick. By the page's area, so that its readers are told together, and not all pages at once; not by the page's
    /// number, which depends on who is concealed.
    pub(crate) fn turns(&self, tick: Tick) -> Turns {
        self.tiers.map(|Tier { period_ticks, .. }| Turn { period_ticks, phase: (tick.0 % period_ticks) as u8 })
    }

    /// Tier and phase of a page at a distance.
    pub(crate) fn place(&self, area: Area, distance_m: f32) -> (u8, u8) {
        let tier = self.of(distance_m);
        (tier as u8, (area % self.period_ticks(tier)) as u8)
    }
}

/// What has its turn in a tick, by tier.
pub(crate) type Turns = [Turn; INTEREST_TIERS_MAX];

/// Pages of a tier have their turn when their phase is this one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) period_ticks: u32,
    pub(crate) phase: u8,
}

// A phase has room in a byte.
const _: () = assert!(STALENESS_MS_MAX * *TickRate::RANGE_HZ.end() / 1_000 <= u8::MAX as u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_reaches_as_far_as_it_says_and_the_last_beyond() {
        let config = [(30.0, 50), (60.0, 149), (61.0, 200)]
            .map(|(within_m, staleness_ms)| TierConfig { within_m, staleness_ms });
        let tiers = Tiers::new(&config, TickRate::new(20));
        let periods = [0.0, 30.0, 30.5, 60.0, 60.5, 1_000.0].map(|distance_m| tiers.period_ticks(tiers.of(distance_m)));
        assert_eq!(periods, [1, 1, 2, 2, 4, 4]);
        let fast = Tiers::new(&config, TickRate::new(128));
        assert_eq!([0, 1, 2].map(|tier| fast.period_ticks(tier)), [6, 19, 25]);
        let slow = Tiers::new(&config, TickRate::new(10));
        assert_eq!([0, 1, 2].map(|tier| slow.period_ticks(tier)), [1, 1, 2], "never less than a tick");
        let none = Tiers::new(&[], TickRate::new(20));
        assert_eq!((none.len(), none.period_ticks(none.of(500.0))), (1, 1));
    }
}
