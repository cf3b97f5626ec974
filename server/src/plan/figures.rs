//! What is measured of a world that is played.

use std::time::Duration;

use serde::Serialize;

use crate::commit::Totals;
use crate::net::NetTotals;

/// Headers and seal that a datagram has on the wire besides its payload: UDP and IPv4, and those of the connection layer at most.
const SEALED_BYTES: f64 = (crate::interest::DATAGRAM_OVERHEAD_BYTES - 1) as f64;

/// How a world fares with its people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Median time of a tick, in milliseconds.
    pub tick_ms_p50: f64,
    /// All but one in a hundred ticks took no longer, in milliseconds.
    pub tick_ms_p99: f64,
    /// Payload of datagrams to a client, in bytes per second: what `throng_net_bytes_out_total` counts.
    pub client_bytes_per_s: f64,
    /// The part of it that is snapshots: what `throng_snapshot_bytes_total` counts.
    pub client_snapshot_bytes_per_s: f64,
    /// The same datagrams with seal and all headers, at most, in bytes per second.
    pub client_wire_bytes_per_s: f64,
    /// Datagrams to a client per second: what `throng_net_datagrams_out_total` counts.
    pub client_datagrams_per_s: f64,
    /// Others whom a client saw, on average.
    pub seen_mean: f64,
    /// People in the world, on average.
    pub people_mean: f64,
    /// Bots in the world, on average.
    pub bots_mean: f64,
    /// Deaths per minute, of people and bots.
    pub kills_per_min: f64,
    /// Characters told anew and places told to be empty, per client and second: what `throng_enters_total` and `throng_leaves_total` count.
    pub churn_per_client_s: f64,
    /// Highest rung of the overload ladder that it stood on.
    pub rung_max: u8,
}

/// Counts of a world that only rise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) world: Totals,
    pub(super) net: NetTotals,
}

/// What is noted of each tick that is measured.
#[derive(Debug, Default)]
pub(super) struct Meter {
    ticks_us: Vec<u32>,
    people: u64,
    characters: u64,
    seen: u64,
    seen_looks: u64,
    rung_max: u8,
}

impl Meter {
    pub(super) fn note_tick(&mut self, took: Duration, totals: &Totals) {
        self.ticks_us.push(took.as_micros().min(u128::from(u32::MAX)) as u32);
        self.people += totals.players;
        self.characters += totals.characters;
    }

    pub(super) fn note_rung(&mut self, rung: u8) {
        self.rung_max = self.rung_max.max(rung);
    }

    /// How many others a client sees at a moment.
    pub(super) fn note_seen(&mut self, count: usize) {
        self.seen += count as u64;
        self.seen_looks += 1;
    }

    /// The figures of what has been counted between two moments that are so far apart, with so many clients.
    pub(super) fn figures(mut self, from: &Counts, to: &Counts, time: Duration, clients: u32) -> Figures {
        self.ticks_us.sort_unstable();
        let ticks = self.ticks_us.len().max(1) as f64;
        let seconds = time.as_secs_f64();
        let per_client_s = |count: u64| count as f64 / seconds / f64::from(clients.max(1));
        let (before, after) = (&from.world, &to.world);
        let client_bytes_per_s = per_client_s(to.net.bytes_out - from.net.bytes_out);
        let client_datagrams_per_s = per_client_s(to.net.datagrams_out - from.net.datagrams_out);
        Figures {
            tick_ms_p50: quantile_ms(&self.ticks_us, 50),
            tick_ms_p99: quantile_ms(&self.ticks_us, 99),
            client_bytes_per_s,
            client_snapshot_bytes_per_s: per_client_s(after.snapshot_bytes - before.snapshot_bytes),
            client_wire_bytes_per_s: client_bytes_per_s + client_datagrams_per_s * SEALED_BYTES,
            client_datagrams_per_s,
            seen_mean: self.seen as f64 / self.seen_looks.max(1) as f64,
            people_mean: self.people as f64 / ticks,
            bots_mean: self.characters.saturating_sub(self.people) as f64 / ticks,
            kills_per_min: (after.combat.deaths - before.combat.deaths) as f64 * 60.0 / seconds,
            churn_per_client_s: per_client_s(after.enters + after.leaves - before.enters - before.leaves),
            rung_max: self.rung_max,
        }
    }
}

/// The time that so many percent of the sorted times do not exceed, in milliseconds; 0 of none.
pub(crate) fn quantile_ms(sorted_us: &[u32], percent: usize) -> f64 {
    let rank = (sorted_us.len() * percent).div_ceil(100);
    let took_us = rank.checked_sub(1).and_then(|place| sorted_us.get(place));
    f64::from(took_us.copied().unwrap_or(0)) / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_were_measured() {
        let times_us: Vec<u32> = (1..=200).map(|number| number * 1_000).collect();
        assert_eq!([50, 99, 100].map(|percent| quantile_ms(&times_us, percent)), [100.0, 198.0, 200.0]);
        assert_eq!((quantile_ms(&[7_000], 50), quantile_ms(&[], 99)), (7.0, 0.0));
    }

    #[test]
    fn counts_are_per_client_and_second_and_kills_per_minute() {
        let (mut from, mut to) = (Counts::default(), Counts::default());
        (from.net.bytes_out, to.net.bytes_out, to.net.datagrams_out) = (1_000, 5_000, 80);
        (to.world.enters, to.world.leaves, to.world.combat.deaths) = (30, 10, 3);
        let mut meter = Meter::default();
        meter.note_tick(Duration::from_millis(3), &Totals { characters: 10, players: 4, ..Totals::default() });
        let figures = meter.figures(&from, &to, Duration::from_secs(10), 4);
        assert_eq!((figures.client_bytes_per_s, figures.client_datagrams_per_s), (100.0, 2.0));
        assert_eq!(figures.client_wire_bytes_per_s, 100.0 + 2.0 * 53.0);
        assert_eq!((figures.churn_per_client_s, figures.kills_per_min), (1.0, 18.0));
        assert_eq!((figures.people_mean, figures.bots_mean, figures.tick_ms_p99), (4.0, 6.0, 3.0));
    }
}
