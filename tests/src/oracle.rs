//! Invariant 9: does every client know what it should, and nothing else?
//!
//! The oracle remembers what the server had in its last ticks. A client's replica of an entity must be exactly what the
//! server had in one of them, and none may be missing that has been near for that long, nor present that has been out of
//! sight: farther than the leave radius by more than a page may reach.

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
}

/// What an oracle has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OracleReport {
    /// Pairs of client and entity that were compared.
    pub compared: u64,
    /// How many of those were how many ticks old.
    pub by_age_ticks: BTreeMap<u32, u64>,
}

impl OracleReport {
    /// Age in ticks that a `share` of the comparisons did not exceed.
    pub fn age_ticks(&self, share: f64) -> u32 {
        let mut rest = (self.compared as f64 * share) as u64;
        for (&age, &count) in &self.by_age_ticks {
            if count >= rest {
                return age;
            }
            rest -= count;
        }
        self.by_age_ticks.keys().last().copied().unwrap_or(0)
    }
}

impl Oracle {
    /// An oracle that allows replicas to be `staleness_ticks_max` ticks behind the server.
    pub fn new(staleness_ticks_max: u32) -> Oracle {
        Oracle {
            staleness_ticks_max,
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
        self.past.truncate(self.staleness_ticks_max as usize + 1);
        let interest = instance.rules().interest;
        let (enter, sight) = (interest.enter_radius_m.powi(2), interest.sight_radius_m.powi(2));
        for session in instance.sessions().all() {
            let Some(own) = columns.row(session.net_id) else { continue };
            let nearness = self.nearness.entry(session.client).or_default();
            let viewer_m: Vec2 = columns.positions_m[own];
            for row in (0..columns.len()).filter(|&row| row != own) {
                let distance = columns.positions_m[row].distance_squared(viewer_m);
                if distance <= sight {
                    let known = nearness
                        .entry(columns.net_ids[row])
                        .or_insert(Nearness { inside_since: None, last_in_reach: tick });
                    known.last_in_reach = tick;
                    known.inside_since = (distance <= enter).then(|| known.inside_since.unwrap_or(tick));
                }
            }
            let oldest = tick - self.staleness_ticks_max;
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
        let is_history_full = now.since(oldest.tick) >= self.staleness_ticks_max;
        for entity in replica.entities() {
            let net_id = entity.net_id;
            assert!(
                nearness.contains_key(&net_id),
                "{now:?}: {client:?} knows of {net_id:?}, which is far away or gone"
            );
            let same = self.past.iter().find(|moment| moment.state(net_id) == Some(entity.state));
            let Some(same) = same else {
                let was = self.past.iter().find_map(|moment| moment.state(net_id));
                panic!(
                    "{now:?}: {client:?} has {net_id:?} as {:?} of {:?}; the server has {was:?} and had nothing like it in {} ticks",
                    entity.state, entity.updated, self.staleness_ticks_max
                );
            };
            self.report.compared += 1;
            *self.report.by_age_ticks.entry(now.since(same.tick)).or_default() += 1;
        }
        if is_history_full {
            for (net_id, known) in nearness {
                let is_due = known.inside_since.is_some_and(|since| now.since(since) >= self.staleness_ticks_max);
                assert!(
                    !is_due || replica.get(*net_id).is_some(),
                    "{now:?}: {client:?} does not know of {net_id:?}, which is near since {:?}",
                    known.inside_since
                );
            }
        }
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
