//! What a swarm has measured.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::SwarmOptions;
use super::completeness::Completeness;
use super::member::Member;
use crate::state::State;

/// Everybody's counts at one moment.
#[derive(Debug, Default)]
pub(super) struct Measurement {
    members: Vec<MemberCounts>,
    echoes_ms: Vec<f32>,
    prediction_errors_m: Vec<f32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct MemberCounts {
    is_playing: bool,
    snapshots: u64,
    entity_updates: u64,
    bytes_in: u64,
    bytes_out: u64,
    faults: u64,
}

impl Measurement {
    /// Reads everybody's counts, and drains what they have noted since the last time.
    pub(super) fn take(members: &mut [Member]) -> Measurement {
        let mut measurement = Measurement::default();
        for member in members {
            let traffic = member.client.traffic();
            let is_playing = *member.client.state() == State::Playing;
            let stats = member.client.stats_mut();
            measurement.members.push(MemberCounts {
                is_playing,
                snapshots: stats.snapshots,
                entity_updates: stats.enters + stats.updates,
                bytes_in: traffic.bytes_in,
                bytes_out: traffic.bytes_out,
                faults: stats.malformed,
            });
            measurement.echoes_ms.append(&mut stats.echoes_ms);
            measurement.prediction_errors_m.append(&mut stats.prediction_errors_m);
        }
        measurement
    }
}

/// What a swarm has measured. `Display` is a table for people, [`SwarmReport::to_json`] for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct SwarmReport {
    /// Clients that were to play.
    pub clients: u32,
    /// Clients that played to the end.
    pub connected: u32,
    /// Measured time, in seconds.
    pub seconds: f64,
    /// Snapshots per second of the client that got the fewest.
    pub snapshots_per_s_min: f64,
    /// Snapshots per second of the median client.
    pub snapshots_per_s_p50: f64,
    /// Entity updates per second, enters included, all clients together.
    pub entity_updates_per_s: f64,
    /// UDP payload bytes per second that a client received, on average.
    pub bytes_in_per_client_s: f64,
    /// UDP payload bytes per second that a client sent, on average.
    pub bytes_out_per_client_s: f64,
    /// Received UDP payload bytes, everything included, per entity update.
    pub bytes_per_entity_update: f64,
    /// Median time from sending an input to the arrival of the snapshot that shows it, in milliseconds.
    pub echo_ms_p50: f64,
    /// The same for all but one in a hundred.
    pub echo_ms_p99: f64,
    /// All but one in a hundred predictions of the own position were no farther off, in metres.
    pub prediction_error_m_p99: f64,
    /// The worst prediction, in metres.
    pub prediction_error_m_max: f64,
    /// Characters that a client saw, on average.
    pub visible_mean: f64,
    /// Share of the pairs of swarm members near each other that knew of each other, in percent; 100 when there were
    /// none, which the table and the JSON do not claim.
    pub completeness_percent: f64,
    /// Number of such pairs looked at.
    pub completeness_pairs: u64,
    /// Clients that failed, and datagrams that could not be understood.
    pub errors: u64,
    /// What went wrong, and how often.
    pub failures: BTreeMap<String, u32>,
}

impl SwarmReport {
    pub(super) fn new(
        options: &SwarmOptions,
        before: &Measurement,
        after: &Measurement,
        elapsed: Duration,
        completeness: &Completeness,
        visible: &[u32],
        failures: &BTreeMap<String, u32>,
    ) -> SwarmReport {
        let seconds = elapsed.as_secs_f64();
        let pairs = || before.members.iter().zip(&after.members).filter(|(_, after)| after.is_playing);
        let total = |count: fn(&MemberCounts) -> u64| {
            pairs().map(|(before, after)| count(after) - count(before)).sum::<u64>() as f64
        };
        let connected = pairs().count() as u32;
        let mut snapshots: Vec<u64> = pairs().map(|(before, after)| after.snapshots - before.snapshots).collect();
        snapshots.sort_unstable();
        let per_s = |count: Option<&u64>| count.map_or(0.0, |count| *count as f64 / seconds);
        let per_client_s = |bytes: f64| bytes / seconds / f64::from(connected.max(1));
        let updates = total(|counts| counts.entity_updates);
        let bytes_in = total(|counts| counts.bytes_in);
        let (echo_ms_p50, echo_ms_p99, _) = quantiles(&after.echoes_ms);
        let (_, prediction_error_m_p99, prediction_error_m_max) = quantiles(&after.prediction_errors_m);
        let faults: u64 = after.members.iter().map(|counts| counts.faults).sum();
        SwarmReport {
            clients: options.clients,
            connected,
            seconds,
            snapshots_per_s_min: per_s(snapshots.first()),
            snapshots_per_s_p50: per_s(snapshots.get(snapshots.len() / 2)),
            entity_updates_per_s: updates / seconds,
            bytes_in_per_client_s: per_client_s(bytes_in),
            bytes_out_per_client_s: per_client_s(total(|counts| counts.bytes_out)),
            bytes_per_entity_update: if updates > 0.0 { bytes_in / updates } else { 0.0 },
            echo_ms_p50,
            echo_ms_p99,
            prediction_error_m_p99,
            prediction_error_m_max,
            visible_mean: mean(visible),
            completeness_percent: completeness.percent(),
            completeness_pairs: completeness.pairs,
            errors: faults + failures.values().map(|&count| u64::from(count)).sum::<u64>(),
            failures: failures.clone(),
        }
    }

    /// Whether every client got in and stayed.
    pub fn is_complete(&self) -> bool {
        self.connected == self.clients && self.failures.is_empty()
    }

    /// The figures under their stable names.
    pub fn to_json(&self) -> Value {
        json!({
            "clients": self.clients,
            "connected": self.connected,
            "seconds": self.seconds,
            "snapshots_per_s_min": self.snapshots_per_s_min,
            "snapshots_per_s_p50": self.snapshots_per_s_p50,
            "entity_updates_per_s": self.entity_updates_per_s,
            "bytes_in_per_client_s": self.bytes_in_per_client_s,
            "bytes_out_per_client_s": self.bytes_out_per_client_s,
            "bytes_per_entity_update": self.bytes_per_entity_update,
            "echo_ms_p50": self.echo_ms_p50,
            "echo_ms_p99": self.echo_ms_p99,
            "prediction_error_m_p99": self.prediction_error_m_p99,
            "prediction_error_m_max": self.prediction_error_m_max,
            "visible_mean": self.visible_mean,
            "completeness_percent": (self.completeness_pairs > 0).then_some(self.completeness_percent),
            "completeness_pairs": self.completeness_pairs,
            "errors": self.errors,
            "failures": self.failures,
        })
    }
}

impl fmt::Display for SwarmReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "  {:<25}{} of {}", "connected", self.connected, self.clients)?;
        // Of nobody there is nothing to be said.
        if self.connected > 0 {
            for (name, value) in self.rows() {
                writeln!(formatter, "  {name:<25}{value}")?;
            }
        }
        for (reason, count) in &self.failures {
            writeln!(formatter, "  {count} x {reason}")?;
        }
        Ok(())
    }
}

impl SwarmReport {
    /// What is measured, for people.
    fn rows(&self) -> [(&'static str, String); 10] {
        let completeness = match self.completeness_pairs {
            0 => "-, nobody was near another".to_owned(),
            pairs => format!("{:.3} % of {pairs} pairs", self.completeness_percent),
        };
        [
            ("measured for", format!("{:.1} s", self.seconds)),
            (
                "snapshots per client",
                format!("{:.2} /s slowest, {:.2} /s median", self.snapshots_per_s_min, self.snapshots_per_s_p50),
            ),
            ("entity updates", format!("{:.0} /s, all clients", self.entity_updates_per_s)),
            (
                "bytes per client",
                format!("{:.0} B/s in, {:.0} B/s out", self.bytes_in_per_client_s, self.bytes_out_per_client_s),
            ),
            ("bytes per entity update", format!("{:.1} B, all headers but IP and UDP", self.bytes_per_entity_update)),
            ("input to echo", format!("{:.1} ms median, {:.1} ms p99", self.echo_ms_p50, self.echo_ms_p99)),
            (
                "prediction error",
                format!(
                    "{:.2} cm p99, {:.2} cm worst",
                    100.0 * self.prediction_error_m_p99,
                    100.0 * self.prediction_error_m_max
                ),
            ),
            ("visible characters", format!("{:.1} mean", self.visible_mean)),
            ("completeness", completeness),
            ("errors", self.errors.to_string()),
        ]
    }
}

/// Mean of counts; 0 for none.
fn mean(counts: &[u32]) -> f64 {
    counts.iter().map(|&count| u64::from(count)).sum::<u64>() as f64 / counts.len().max(1) as f64
}

/// Median, 99th percentile and maximum; zeros for no values.
fn quantiles(values: &[f32]) -> (f64, f64, f64) {
    /// Values are counted in millionths, to three digits.
    const SCALE: f64 = 1e6;
    let mut histogram = Histogram::<u64>::new(3).expect("three digits are possible");
    for &value in values {
        // It grows as far as its numbers go, which these do not reach.
        let _ = histogram.record((f64::from(value) * SCALE) as u64);
    }
    let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / SCALE;
    (at(0.5), at(0.99), if values.is_empty() { 0.0 } else { histogram.max() as f64 / SCALE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::config::builtin_world;
    use throng_shared::ids::InstanceId;
    use throng_shared::link::LinkConditions;
    use throng_shared::wire::key::ConnectKey;

    fn report(after: &Measurement, visible: &[u32], failures: &BTreeMap<String, u32>) -> SwarmReport {
        let options = SwarmOptions {
            servers: vec![([127, 0, 0, 1], 7_777).into()],
            key: ConnectKey::DEVELOPMENT,
            instance: InstanceId(0),
            world: builtin_world(),
            clients: 1,
            measured: Duration::from_secs(10),
            conditions: LinkConditions::default(),
            seed: 1,
            first_client_id: 1,
        };
        let before = Measurement { members: vec![MemberCounts::default()], ..Measurement::default() };
        SwarmReport::new(&options, &before, after, options.measured, &Completeness::default(), visible, failures)
    }

    #[test]
    fn when_nobody_got_in_only_that_and_what_failed_is_told() {
        let failures = BTreeMap::from([("no answer".to_owned(), 1)]);
        let report = report(&Measurement::default(), &[], &failures);
        assert_eq!(report.to_string(), "  connected                0 of 1\n  1 x no answer\n");
        assert!(report.visible_mean == 0.0 && report.visible_mean.is_sign_positive());
        assert!(!report.is_complete());
    }

    #[test]
    fn without_pairs_no_completeness_is_claimed() {
        let counts = MemberCounts { is_playing: true, snapshots: 200, ..MemberCounts::default() };
        let report =
            report(&Measurement { members: vec![counts], ..Measurement::default() }, &[3, 4], &BTreeMap::new());
        assert!(report.to_json()["completeness_percent"].is_null());
        let table = report.to_string();
        assert!(table.contains("completeness             -") && table.contains("3.5 mean"), "{table}");
        let with_pairs = SwarmReport { completeness_pairs: 2, ..report };
        assert_eq!(with_pairs.to_json()["completeness_percent"], 100.0);
    }
}
