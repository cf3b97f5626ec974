//! Invariant 9: does every client know what it should, and nothing else?
//!
//! The oracle remembers what the server had in its last ticks. A client's replica of an entity must be exactly what the
//! server had in one of them, and none may be missing that has been near for that long, nor present that has been out of
//! sight: farther than the leave radius by more than a page may reach. Who is told of less often, because it is far away, may be
//! older by some of its tier's periods.

use std::collections::{BTreeMap, VecDeque};

use glam::Vec2;
use throng_client::Replica;
use throng_server::instance::Instance;
use throng_shared::ids::{ClientId, NetId};
use throng_shared::quantised::QuantisedState;
use throng_shared::tick::Tick;

/// See the module's documentation.
#[derive(Debug)]
pub struct Oracle {
    staleness_ticks_max: u32,
    /// How far a replica may be behind, for each tier.
    age_ticks_max: Vec<u32>,
    past: VecDeque<Moment>,
    /// For each client and entity: since when it has been inside the enter radius, and when it last was in sight.
    nearness: BTreeMap<ClientId, BTreeMap<NetId, Nearness>>,
    report: OracleReport,
}

#[derive(Debug)]
struct Moment {
    tick: Tick,
    net_ids: Vec<NetId>,
    states: Vec<QuantisedState>,
}

#[derive(Clone, Copy, Debug)]
struct Nearness {
    inside_since: Option<Tick>,
    last_in_reach: Tick,
    /// The tier that it is in at most.
    tier: usize,
}

/// What an oracle has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OracleReport {
    /// Pairs of client and entity that were compared.
    pub compared: u64,
    /// How many of those were how many ticks old.
    pub by_age_ticks: BTreeMap<u32, u64>,
    /// The same by the tier that they were in at most.
    pub by_tier: Vec<BTreeMap<u32, u64>>,
}

impl OracleReport {
    /// Age in ticks that a `share` of the comparisons did not exceed.
    pub fn age_ticks(&self, share: f64) -> u32 {
        age_ticks(&self.by_age_ticks, share)
    }

    /// The same of those in one tier.
    pub fn age_ticks_in_tier(&self, tier: usize, share: f64) -> u32 {
        age_ticks(&self.by_tier[tier], share)
    }
}

fn age_ticks(by_age_ticks: &BTreeMap<u32, u64>, share: f64) -> u32 {
    let mut rest = (by_age_ticks.values().sum::<u64>() as f64 * share) as u64;
    for (&age, &count) in by_age_ticks {
        if count >= rest {
            return age;
        }
        rest -= count;
    }
    by_age_ticks.keys().last().copied().unwrap_or(0)
}

/// How far a pair may come apart within what is remembered, in metres: which tier it is told in is known no better.
const DRIFT_M: f32 = 15.0;

/// Periods of its tier by which a state may be older than what is told in every tick: it may be lost as often.
const PERIODS_LOST_MAX: u32 = 4;

/// For how long one is shown who may be in another page, in ticks at 20 Hz.
const LINGER_TICKS_MAX: u32 = 10;

impl Oracle {
    /// An oracle that allows replicas to be `staleness_ticks_max` ticks behind the server.
    pub fn new(staleness_ticks_max: u32) -> Oracle {
        Oracle {
            staleness_ticks_max,
            age_ticks_max: vec![staleness_ticks_max],
            past: VecDeque::new(),
            nearness: BTreeMap::new(),
            report: OracleReport::default(),
        }
    }

    /// Remembers what the server has now. To be called after every tick.
    pub fn remember(&mut self, instance: &Instance) {
        let columns = instance.columns();
        let tick = instance.current_tick();
        self.past.push_front(Moment { tick, net_ids: columns.net_ids.clone(), states: columns.states.clone() });
        let interest = instance.rules().interest;
        let tiers = interest.tiers;
        let lost_ticks = |tier: usize| PERIODS_LOST_MAX * (tiers.period_ticks(tier) - 1);
        self.age_ticks_max = (0..tiers.len()).map(|tier| self.staleness_ticks_max + lost_ticks(tier)).collect();
        self.report.by_tier.resize(tiers.len(), BTreeMap::new());
        self.past.truncate((self.history_ticks() + LINGER_TICKS_MAX) as usize + 1);
        let (enter, sight) = (interest.enter_radius_m.powi(2), interest.sight_radius_m.powi(2));
        for session in instance.sessions().all() {
            let Some(own) = columns.row(session.net_id) else { continue };
            let nearness = self.nearness.entry(session.client).or_default();
            let viewer_m: Vec2 = columns.positions_m[own];
            for row in (0..columns.len()).filter(|&row| row != own) {
                let distance = columns.positions_m[row].distance_squared(viewer_m);
                if distance <= sight {
                    let known = nearness.entry(columns.net_ids[row]).or_insert(Nearness {
                        inside_since: None,
                        last_in_reach: tick,
                        tier: 0,
                    });
                    known.last_in_reach = tick;
                    known.tier = tiers.of(distance.sqrt() + DRIFT_M);
                    known.inside_since = (distance <= enter).then(|| known.inside_since.unwrap_or(tick));
                }
            }
            let oldest = tick - (self.age_ticks_max[tiers.len() - 1] + LINGER_TICKS_MAX);
            nearness.retain(|_, known| {
                if known.last_in_reach < tick {
                    known.inside_since = None;
                }
                known.last_in_reach >= oldest
            });
        }
    }

    /// Compares a client's replica with what the server had.
    ///
    /// # Panics
    /// When something is missing, wrong, too old, or should not be there.
    pub fn compare(&mut self, client: ClientId, replica: &Replica) {
        let (Some(newest), Some(oldest)) = (self.past.front(), self.past.back()) else { return };
        let now = newest.tick;
        let Some(nearness) = self.nearness.get(&client) else { return };
        let is_history_full = now.since(oldest.tick) >= self.history_ticks();
        for entity in replica.entities() {
            let net_id = entity.net_id;
            let Some(known) = nearness.get(&net_id) else {
                panic!("{now:?}: {client:?} knows of {net_id:?}, which is far away or gone");
            };
            // Who is missing is shown for half a second more.
            let lingers_ticks = if entity.is_missing() { now.since(entity.updated).min(LINGER_TICKS_MAX) } else { 0 };
            let age_ticks_max = self.age_ticks_max[known.tier] + lingers_ticks;
            let mut recent = self.past.iter().take(age_ticks_max as usize + 1);
            let same = recent.find(|moment| moment.state(net_id) == Some(entity.state));
            let Some(same) = same else {
                let was = self.past.iter().find_map(|moment| moment.state(net_id));
                panic!(
                    "{now:?}: {client:?} has {net_id:?} as {:?} of {:?}; the server has {was:?} and had nothing like it in {} ticks",
                    entity.state, entity.updated, age_ticks_max
                );
            };
            self.report.compared += 1;
            let age_ticks = now.since(same.tick);
            *self.report.by_age_ticks.entry(age_ticks).or_default() += 1;
            if !entity.is_missing() {
                *self.report.by_tier[known.tier].entry(age_ticks).or_default() += 1;
            }
        }
        if is_history_full {
            for (net_id, known) in nearness {
                let is_due = known.inside_since.is_some_and(|since| now.since(since) >= self.age_ticks_max[known.tier]);
                assert!(
                    !is_due || replica.get(*net_id).is_some(),
                    "{now:?}: {client:?} does not know of {net_id:?}, which is near since {:?}; it knows of {} others, of {:?}",
                    known.inside_since,
                    replica.len(),
                    replica.newest_tick(),
                );
            }
        }
    }

    fn history_ticks(&self) -> u32 {
        self.age_ticks_max.last().copied().unwrap_or(self.staleness_ticks_max)
    }

    /// Forgets a client that has left.
    pub fn forget(&mut self, client: ClientId) {
        self.nearness.remove(&client);
    }

    /// What it has seen.
    pub fn report(&self) -> &OracleReport {
        &self.report
    }
}

impl Moment {
    fn state(&self, net_id: NetId) -> Option<QuantisedState> {
        self.net_ids.binary_search(&net_id).ok().map(|row| self.states[row])
    }
}
