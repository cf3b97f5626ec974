//! What was judged and what was refused: the last of each, counts, and what clients are told.

use std::collections::VecDeque;

use bevy_ecs::prelude::{Res, ResMut, Resource};
use serde::{Serialize, Serializer};
use smallvec::SmallVec;
use throng_shared::abilities::{Act, UseRefusal};
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;
use throng_shared::wire::combat::{CombatEvent, EVENTS_PER_MESSAGE};

use super::blows::Blow;
use crate::combat::{Clamp, Receipt};
use crate::egress::Outbound;
use crate::session::Sessions;

/// Receipts and refusals that are kept for whoever asks; older ones are forgotten.
pub const RECEIPTS_MAX: usize = 1_024;
/// See [`RECEIPTS_MAX`].
pub const REFUSALS_MAX: usize = 256;

/// Upper bounds of the buckets in which times are counted, in milliseconds; one more bucket has what is longer.
pub const BOUNDS_MS: [u32; 7] = [0, 25, 50, 100, 150, 250, 500];

/// Something by the buckets of [`BOUNDS_MS`].
pub type FairnessBuckets = [u64; BOUNDS_MS.len() + 1];

/// A shot's receipt, and the ability that it was fired with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ShotReceipt {
    /// The ability's number.
    pub ability: u8,
    /// What it was judged by.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// Whom it would have met had that not leapt out of the way since.
    pub evaded: Option<NetId>,
    /// How many were hurt, whoever is hurt by what bursts included.
    pub hurt: u32,
}

/// What is checked of whoever wants to use an ability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalRule {
    /// Whether it may use it at all, and now.
    Use(UseRefusal),
    /// Whether it can have seen what it says that it saw; it is given the oldest view that it can have.
    View,
    /// Whether it has room to fly.
    TooManyProjectiles,
}

impl RefusalRule {
    /// Its id, in metrics and wherever people read it.
    pub fn label(self) -> &'static str {
        match self {
            RefusalRule::Use(refusal) => refusal.label(),
            RefusalRule::View => "view",
            RefusalRule::TooManyProjectiles => "too-many-projectiles",
        }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = RefusalRule> {
        let others = [RefusalRule::View, RefusalRule::TooManyProjectiles];
        UseRefusal::ALL.into_iter().map(RefusalRule::Use).chain(others)
    }

    fn place(self) -> usize {
        match self {
            RefusalRule::Use(refusal) => refusal as usize,
            RefusalRule::View => UseRefusal::ALL.len(),
            RefusalRule::TooManyProjectiles => UseRefusal::ALL.len() + 1,
        }
    }
}

fn as_label<S: Serializer>(rule: &RefusalRule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.label())
}

/// Something that was not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Refusal {
    /// When.
    pub tick: Tick,
    /// Whose wish it was.
    pub who: NetId,
    /// With which ability, by its number.
    pub ability: u8,
    /// Which rule it broke.
    #[serde(serialize_with = "as_label")]
    pub rule: RefusalRule,
    /// What was asked for and what is allowed, in the rule's own measure: ticks, or what it costs.
    pub asked: f64,
    /// See `asked`.
    pub allowed: f64,
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CombatTotals {
    /// Abilities that have begun.
    pub used: u64,
    /// What was refused, by the place of its rule in [`RefusalRule::all`].
    pub refused: [u64; UseRefusal::ALL.len() + 2],
    /// Blows.
    pub hits: u64,
    /// Deaths.
    pub deaths: u64,
    /// Shots that were judged less far back than their shooters had seen.
    pub clamped: u64,
    /// Shots, by how far back they were judged.
    pub rewinds: FairnessBuckets,
    /// Shots that hit somebody who was out of the shooter's sight by then, by how far back they were judged.
    pub behind_cover: FairnessBuckets,
    /// For how long those had been out of sight, in milliseconds altogether, likewise.
    pub behind_cover_ms: FairnessBuckets,
    /// News that were not told because there were too many at once.
    pub news_dropped: u64,
}

/// What has come of abilities; a resource of worlds that have them.
#[derive(Resource, Clone, Debug, Default)]
pub struct CombatLog {
    /// Counts since the start.
    pub totals: CombatTotals,
    pub(super) receipts: VecDeque<ShotReceipt>,
    refusals: VecDeque<Refusal>,
    pub(super) blows: Vec<Blow>,
    pub(super) leapt: Vec<NetId>,
    pub(super) done: Vec<(NetId, Act)>,
    news: Vec<(NetId, CombatEvent)>,
}

impl CombatLog {
    /// Everybody who was hit in this tick, in the order in which it was done.
    pub fn blows(&self) -> &[Blow] {
        &self.blows
    }

    /// Everybody who in this tick has leapt or appeared anew, in no order.
    pub fn leapt(&self) -> &[NetId] {
        &self.leapt
    }

    /// What was done in this tick, in the order of the doers' names.
    pub fn done(&self) -> &[(NetId, Act)] {
        &self.done
    }

    /// The last receipts, the newest last.
    pub fn receipts(&self) -> impl DoubleEndedIterator<Item = &ShotReceipt> {
        self.receipts.iter()
    }

    /// The last refusals, the newest last.
    pub fn refusals(&self) -> impl DoubleEndedIterator<Item = &Refusal> {
        self.refusals.iter()
    }

    /// How often a rule was broken.
    pub fn refused(&self, rule: RefusalRule) -> u64 {
        self.totals.refused[rule.place()]
    }

    /// Notes that something was not let pass.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.totals.refused[refusal.rule.place()] += 1;
        if self.refusals.len() >= REFUSALS_MAX {
            self.refusals.pop_front();
        }
        self.refusals.push_back(refusal);
    }

    /// Keeps a receipt; `behind_cover_ms` is for how long whoever was hit had been behind a wall.
    pub(super) fn keep(&mut self, receipt: ShotReceipt, step_ms: f64, behind_cover_ms: f64) {
        self.totals.clamped += u64::from(matches!(receipt.receipt.clamp, Clamp::TooOld));
        let bucket = bucket(receipt.receipt.granted_rewind_ticks * step_ms);
        self.totals.rewinds[bucket] += 1;
        self.totals.behind_cover[bucket] += u64::from(behind_cover_ms > 0.0);
        self.totals.behind_cover_ms[bucket] += behind_cover_ms as u64;
        if self.receipts.len() >= RECEIPTS_MAX {
            self.receipts.pop_front();
        }
        self.receipts.push_back(receipt);
    }

    /// Tells those whom it concerns, each once, if they are clients.
    pub(super) fn tell<const N: usize>(&mut self, whom: [NetId; N], event: CombatEvent) {
        for (place, net_id) in whom.iter().enumerate() {
            if !whom[..place].contains(net_id) {
                self.news.push((*net_id, event));
            }
        }
    }
}

fn bucket(ms: f64) -> usize {
    BOUNDS_MS.iter().position(|&bound_ms| ms <= f64::from(bound_ms)).unwrap_or(BOUNDS_MS.len())
}

/// Hands over what clients are told of this tick's deeds: a message each.
pub(crate) fn tell_combat_news(
    tick: Res<Tick>,
    log: Option<ResMut<CombatLog>>,
    sessions: Res<Sessions>,
    mut outbound: ResMut<Outbound>,
) {
    let Some(mut log) = log else { return };
    if log.news.is_empty() {
        return;
    }
    let mut news = std::mem::take(&mut log.news);
    // What happened to one stays in its order.
    news.sort_by_key(|(net_id, _)| *net_id);
    for session in sessions.all() {
        // Nobody whose connection is broken: what it shows by then is of the past.
        if session.connection.is_none() {
            continue;
        }
        let first = news.partition_point(|(net_id, _)| *net_id < session.net_id);
        let own = news[first..].iter().take_while(|(net_id, _)| *net_id == session.net_id);
        let events: SmallVec<[CombatEvent; 8]> = own.map(|(_, event)| *event).collect();
        if !events.is_empty() {
            log.totals.news_dropped += events.len().saturating_sub(EVENTS_PER_MESSAGE) as u64;
            outbound.0.messages.push((session.client, CombatEvent::message(*tick, &events)));
        }
    }
    news.clear();
    log.news = news;
}
