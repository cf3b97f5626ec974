//! How many bytes a client is sent: what the world allows, and less while its link does not bear that.
//!
//! A link that is asked for too much loses packets, or lets them wait. Both are seen in acknowledgements: snapshots that are
//! lost, and a round trip that is longer than it was. The share of what is allowed then goes down by a quarter with each
//! window of snapshots, and comes back slowly: additive increase, multiplicative decrease, as TCP does (Chiu and Jain,
//! "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance", 1989). What is merely a bad link, which loses
//! a few in a hundred however little is sent, is left alone.

use throng_shared::limits::SNAPSHOT_BYTES_MAX;

/// What a datagram carries besides the snapshot: IP and UDP headers, the connection layer's header and seal, the frame's kind.
pub(crate) const DATAGRAM_OVERHEAD_BYTES: usize = 28 + 25 + 1;

/// Snapshots by which a link is judged.
const WINDOW_SNAPSHOTS: u16 = 40;

/// A link that loses more than this share of them is congested.
const LOSS_SHARE_MAX: f32 = 0.15;

/// … and so is one whose fastest round trip in a window is longer than the fastest of the last windows by this much, in
/// milliseconds.
pub(crate) const DELAY_MS: u32 = 150;

/// Windows after which the fastest round trip is taken anew, for a route may have become longer.
const ROUTE_WINDOWS: u8 = 32;

/// What may be sent in a tick in any case, in bytes: the own state, a stretch of a crowd, and some of a page.
const TICK_BYTES_MIN: f32 = 200.0;

/// What is left of the share after a congested window, and the least that is ever left.
const DECREASE: f32 = 0.75;
const SHARE_MIN: f32 = 0.125;

/// What comes back of the share after a good window.
const INCREASE: f32 = 0.1;

/// One client's budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Share of what the world allows.
    share: f32,
    /// What may be sent now, in bytes; below zero after a snapshot of more than there was.
    saved_bytes: f32,
    settled: u16,
    lost: u16,
    /// Fastest round trips, in ticks: of this window, of the windows before, and of those before these.
    fastest_ticks: u32,
    usual_ticks: u32,
    former_ticks: u32,
    windows: u8,
}

/// What acknowledgements have told of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Snapshots that have arrived.
    pub(crate) arrived: u32,
    /// Snapshots given up as lost.
    pub(crate) lost: u32,
    /// Age of the newest that has arrived.
    pub(crate) round_trip_ticks: u32,
}

impl Budget {
    /// All that the world allows.
    pub(crate) fn new() -> Budget {
        Budget {
            share: 1.0,
            saved_bytes: 0.0,
            settled: 0,
            lost: 0,
            fastest_ticks: u32::MAX,
            usual_ticks: u32::MAX,
            former_ticks: u32::MAX,
            windows: 0,
        }
    }

    /// Another connection, perhaps over another route: what was heard of the former says nothing of it.
    pub(crate) fn forget_route(&mut self) {
        let Budget { share, saved_bytes, .. } = *self;
        *self = Budget { share, saved_bytes, ..Budget::new() };
    }

    /// Takes note of acknowledgements; a round trip may become longer by `delay_ticks`. Whether the link was found to be
    /// congested.
    pub(crate) fn hear(&mut self, heard: Heard, delay_ticks: u32) -> bool {
        self.settled = self.settled.saturating_add((heard.arrived + heard.lost) as u16);
        self.lost = self.lost.saturating_add(heard.lost as u16);
        self.fastest_ticks = self.fastest_ticks.min(heard.round_trip_ticks);
        if self.settled < WINDOW_SNAPSHOTS {
            return false;
        }
        let usual_ticks = self.usual_ticks.min(self.former_ticks);
        let is_delayed = self.fastest_ticks.saturating_sub(usual_ticks) > delay_ticks;
        let is_congested = is_delayed || f32::from(self.lost) > f32::from(self.settled) * LOSS_SHARE_MAX;
        self.share = if is_congested { self.share * DECREASE } else { self.share + INCREASE }.clamp(SHARE_MIN, 1.0);
        self.usual_ticks = self.usual_ticks.min(self.fastest_ticks);
        self.windows += 1;
        if self.windows == ROUTE_WINDOWS {
            (self.former_ticks, self.usual_ticks, self.windows) = (self.usual_ticks, u32::MAX, 0);
        }
        (self.settled, self.lost, self.fastest_ticks) = (0, 0, u32::MAX);
        is_congested
    }

    /// Begins a tick in a world that allows so many bytes per tick. What was not used stays, up to a full datagram.
    pub(crate) fn begin_tick(&mut self, bytes_per_tick: f32) {
        let full = (SNAPSHOT_BYTES_MAX + DATAGRAM_OVERHEAD_BYTES) as f32;
        let more = (bytes_per_tick * self.share).max(TICK_BYTES_MIN);
        self.saved_bytes = (self.saved_bytes + more).min(full.max(more));
    }

    /// Most bytes that this tick's snapshot may have.
    pub(crate) fn snapshot_bytes(&self) -> usize {
        // Below zero is 0.
        (self.saved_bytes as usize).saturating_sub(DATAGRAM_OVERHEAD_BYTES).min(SNAPSHOT_BYTES_MAX)
    }

    /// Whether a later tick may have more.
    pub(crate) fn is_saving(&self) -> bool {
        self.snapshot_bytes() < SNAPSHOT_BYTES_MAX
    }

    /// Takes note of a snapshot.
    pub(crate) fn spend(&mut self, snapshot_bytes: usize) {
        self.saved_bytes -= (snapshot_bytes + DATAGRAM_OVERHEAD_BYTES) as f32;
    }

    /// Whether the client gets less than the world allows.
    pub(crate) fn is_held_back(&self) -> bool {
        self.share < 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 20 Hz.
    const DELAY_TICKS: u32 = 3;

    /// Hears of so many snapshots, of which every `lose_every`th is lost; how often the link was found to be congested.
    fn hear(budget: &mut Budget, snapshots: u32, lose_every: u32, round_trip_ticks: u32) -> usize {
        let heard = |number: u32| {
            let lost = u32::from(number.is_multiple_of(lose_every));
            Heard { arrived: 1 - lost, lost, round_trip_ticks }
        };
        (1..=snapshots).filter(|&number| budget.hear(heard(number), DELAY_TICKS)).count()
    }

    #[test]
    fn a_link_that_loses_little_is_left_alone_and_one_that_loses_much_is_given_less_until_it_is_better() {
        let mut budget = Budget::new();
        assert_eq!(hear(&mut budget, 2_000, 10, 4), 0);
        assert!(!budget.is_held_back());
        assert_eq!(hear(&mut budget, 5 * u32::from(WINDOW_SNAPSHOTS), 3, 4), 5);
        assert!((budget.share - DECREASE.powi(5)).abs() < 1e-4);
        hear(&mut budget, 2_000, 3, 4);
        assert_eq!(budget.share, SHARE_MIN, "it never stops");
        hear(&mut budget, 20 * u32::from(WINDOW_SNAPSHOTS), 1_000, 4);
        assert!(!budget.is_held_back());
    }

    #[test]
    fn a_queue_that_grows_is_noticed_and_a_route_that_became_longer_is_forgiven() {
        let mut budget = Budget::new();
        assert_eq!(hear(&mut budget, 200, 1_000, 2), 0);
        assert_eq!(hear(&mut budget, 200, 1_000, 5), 0, "150 ms more are within what the road may vary");
        assert_eq!(hear(&mut budget, 2 * u32::from(WINDOW_SNAPSHOTS), 1_000, 6), 2);
        let windows = 3 * u32::from(ROUTE_WINDOWS);
        assert!(hear(&mut budget, windows * u32::from(WINDOW_SNAPSHOTS), 1_000, 6) <= 2 * usize::from(ROUTE_WINDOWS));
        assert!(!budget.is_held_back());
        // Over another connection it is forgiven at once.
        budget.forget_route();
        assert_eq!(hear(&mut budget, 200, 1_000, 12), 0);
        // One fast packet in a window shows that nothing is queued.
        for number in 0..400 {
            let round_trip_ticks = if number % 39 == 0 { 12 } else { 30 };
            assert!(!budget.hear(Heard { arrived: 1, lost: 0, round_trip_ticks }, DELAY_TICKS));
        }
    }

    #[test]
    fn over_time_no_more_is_sent_than_is_allowed_and_nearly_all_of_it() {
        for bytes_per_tick in [60.0, 250.0, 700.0, 1_253.0, 4_000.0_f32] {
            let (mut budget, mut sent) = (Budget::new(), 0);
            for _ in 0..1_000 {
                budget.begin_tick(bytes_per_tick);
                let snapshot_bytes = budget.snapshot_bytes();
                assert!(snapshot_bytes > 140, "something can always be told");
                budget.spend(snapshot_bytes);
                sent += snapshot_bytes + DATAGRAM_OVERHEAD_BYTES;
            }
            let most = SNAPSHOT_BYTES_MAX + DATAGRAM_OVERHEAD_BYTES;
            let allowed = (bytes_per_tick as usize).clamp(TICK_BYTES_MIN as usize, most) * 1_000;
            assert!(sent <= allowed && sent * 100 >= allowed * 99, "{sent} of {allowed} bytes");
        }
    }
}
