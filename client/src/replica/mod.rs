//! What the client knows of the others.

mod entity;
mod pages;
#[cfg(test)]
mod tests;

use entity::Sample;
pub use entity::{Interpolated, ReplicaEntity};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use throng_shared::attributes::{Attributes, Schema, Values};
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;
use throng_shared::wire::WireError;
use throng_shared::wire::attributes::OwnAttributes;
use throng_shared::wire::crowd::{CrowdRecord, CrowdScan};
use throng_shared::wire::page::PageDeed;
use throng_shared::wire::snapshot::Snapshot;

use pages::{KnownPages, Missed, ToldPage};

/// States of an entity that are kept for interpolation unless a client says otherwise.
const SAMPLES_DEFAULT: usize = 10;

/// Most groups of a crowd that are known; beyond it further ones are not taken in.
pub const CROWD_MAX: usize = 4_096;

/// Most who are shown while they are missed; beyond it the oldest is forgotten.
pub const MISSING_MAX: usize = 1_024;

/// How long one who is missed in its page stays unless a client says otherwise, in ticks.
const LINGER_TICKS_DEFAULT: u32 = 10;

/// All entities in view.
#[derive(Debug)]
pub struct Replica {
    pages: KnownPages,
    entities: BTreeMap<NetId, ReplicaEntity>,
    /// The world's attributes.
    schema: Arc<Schema>,
    /// Who is told of like everybody else, and is not one of the others.
    own: Option<NetId>,
    own_attributes: Attributes,
    /// When each of them was last told.
    own_told: Vec<Tick>,
    newest: Tick,
    /// Ticks before the newest whose snapshot was taken in, as bits: the lowest is the tick before.
    before: u32,
    samples_max: usize,
    linger_ticks: u32,
    /// Who is missed in its page, and since when; oldest first.
    missing: VecDeque<(Tick, NetId)>,
    /// Memory for the pages of one snapshot, and for who has gone from them.
    told: Vec<ToldPage>,
    missed: Vec<Missed>,
    /// Who has come into view and who has gone out of it since somebody asked.
    comings: VecDeque<Coming>,
    /// What they have done since somebody asked.
    deeds: VecDeque<SeenDeed>,
    /// The crowd beyond those who are told of one by one, by key.
    crowd: BTreeMap<u32, CrowdRecord>,
}

/// Somebody has come into view, or gone out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coming {
    /// Who.
    pub net_id: NetId,
    /// Whether it is in view now.
    pub is_here: bool,
}

/// Somebody in view has used an ability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenDeed {
    /// In which tick.
    pub tick: Tick,
    /// Who.
    pub who: NetId,
    /// Which, by its number.
    pub ability: u8,
    /// Where it was aimed on the ground, in 1/65,536 of a turn, to within 8 of them.
    pub yaw: u16,
    /// How far up, in the same measure.
    pub pitch: i16,
}

/// Deeds that are kept for whoever asks; of more, the oldest are forgotten.
const DEEDS_MAX: usize = 1_024;

/// Comings and goings that are kept for whoever asks; of more, the oldest are forgotten.
const COMINGS_MAX: usize = 1_024;

/// What a snapshot has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Entities that are new in view.
    pub enters: u32,
    /// Entities with another state than before.
    pub updates: u32,
}

impl Default for Replica {
    fn default() -> Self {
        Replica {
            pages: KnownPages::default(),
            entities: BTreeMap::new(),
            schema: Arc::default(),
            own: None,
            own_attributes: Attributes::default(),
            own_told: Vec::new(),
            newest: Tick(0),
            before: 0,
            samples_max: SAMPLES_DEFAULT,
            linger_ticks: LINGER_TICKS_DEFAULT,
            missing: VecDeque::new(),
            told: Vec::new(),
            missed: Vec::new(),
            comings: VecDeque::new(),
            deeds: VecDeque::new(),
            crowd: BTreeMap::new(),
        }
    }
}

impl Replica {
    /// Leaves out this one from now on: the client's own character, which is told of like everybody else.
    pub fn leave_out(&mut self, own: NetId) {
        self.own = Some(own);
        self.entities.remove(&own);
    }

    /// From now on the world has these attributes; nothing was told before.
    pub fn learn(&mut self, schema: Arc<Schema>) {
        self.own_attributes = Attributes::unknown(&schema);
        self.own_told = vec![Tick(0); schema.len()];
        self.schema = schema;
    }

    /// What the own character has, as far as it was told.
    pub fn own_attributes(&self) -> &Attributes {
        &self.own_attributes
    }

    /// Takes in what a snapshot tells of the own character's attributes, but for those that a later one has told.
    fn take_in_own(&mut self, tick: Tick, own: &OwnAttributes) {
        let Values { known, values } = own.told();
        let mut newer = 0;
        for (index, told) in self.own_told.iter_mut().enumerate() {
            if known >> index & 1 == 1 && *told < tick {
                *told = tick;
                newer |= 1 << index;
            }
        }
        self.own_attributes.merge(Values { known: newer, values: &values[..self.own_told.len()] });
    }

    /// Keeps so many states of each entity from now on, at least 2; and who is missed in its page for so many ticks, for it may
    /// be found in another.
    pub(crate) fn keep(&mut self, samples_max: usize, linger_ticks: u32) {
        self.samples_max = samples_max.max(2);
        self.linger_ticks = linger_ticks;
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        let (samples_max, linger_ticks) = (self.samples_max, self.linger_ticks);
        *self = Replica { samples_max, linger_ticks, ..Replica::default() };
    }

    /// Takes a snapshot in. `None`, and nothing happens, when it was taken in before, or when newer ones have overtaken it by so much that
    /// it cannot be acknowledged or read any more; such a one must not be acknowledged.
    ///
    /// # Errors
    /// When a page cannot be read; then nothing has changed, and the snapshot must not be acknowledged.
    pub fn apply(&mut self, snapshot: &Snapshot<'_>) -> Result<Option<Applied>, WireError> {
        let tick = snapshot.header.tick;
        let is_overtaken = tick < self.newest;
        if tick == self.newest || is_overtaken && !self.is_missed(tick) {
            return Ok(None);
        }
        let mut told = std::mem::take(&mut self.told);
        let is_read = self.pages.read(&self.schema, &snapshot.header, snapshot.pages, &mut told);
        let applied = is_read.map(|()| self.take_in(tick, snapshot.ends, &mut told));
        told.clear();
        self.told = told;
        if let (Ok(_), Some(scan), false) = (&applied, &snapshot.crowd, is_overtaken) {
            self.take_in_crowd(scan);
        }
        if let (Ok(_), Some(own)) = (&applied, &snapshot.own) {
            self.take_in_own(tick, own);
        }
        match applied {
            // What it is told against may have been forgotten since.
            Err(_) if is_overtaken => Ok(None),
            applied => applied.map(Some),
        }
    }

    /// Whether the snapshot of an earlier tick was not taken in, and can still be acknowledged.
    fn is_missed(&self, tick: Tick) -> bool {
        let back = self.newest.since(tick);
        (1..=u32::BITS).contains(&back) && self.before >> (back - 1) & 1 == 0
    }

    fn note(&mut self, tick: Tick) {
        if tick > self.newest {
            let ticks = tick.since(self.newest);
            let with_newest = u64::from(self.before) << 1 | 1;
            self.before = with_newest.checked_shl(ticks - 1).unwrap_or(0) as u32;
            self.newest = tick;
        } else {
            self.before |= 1 << (self.newest.since(tick) - 1);
        }
    }

    /// What was known of the stretch that a scan covers and is not in it is no longer there.
    fn take_in_crowd(&mut self, scan: &CrowdScan) {
        let is_told = |key: u32| scan.records().binary_search_by_key(&key, |record| record.key).is_ok();
        let is_covered = |key: u32| key > scan.after && (scan.is_last || key <= scan.end());
        self.crowd.retain(|&key, _| !is_covered(key) || is_told(key));
        for record in scan.records() {
            if self.crowd.len() < CROWD_MAX || self.crowd.contains_key(&record.key) {
                self.crowd.insert(record.key, *record);
            }
        }
    }

    /// The crowd in reach of whom the client is not told one by one, in groups of up to 32 who are near each other. They are
    /// gone through in turns: what is told of a group may be some seconds old.
    pub fn crowd(&self) -> impl Iterator<Item = &CrowdRecord> {
        self.crowd.values()
    }

    fn take_in(&mut self, tick: Tick, ends: &[u8], told: &mut Vec<ToldPage>) -> Applied {
        self.note(tick);
        let mut applied = Applied::default();
        // Of a snapshot that was overtaken, pages that have ended since were other ones, and of pages that were told since only the
        // copies are of use.
        told.retain(|page| !self.pages.has_ended(page.number, tick));
        // Whoever has gone from one page to another is found in the new one before it is missed in the old one.
        for page in told.iter().filter(|page| !self.pages.is_overtaken(page.number, tick)) {
            let others = page.copy.quantised().filter(|(owner, ..)| Some(owner.net_id) != self.own);
            for (owner, state, way_m, attributes) in others {
                let sample = Sample { tick, state, way_m };
                if let Some(known) = self.entities.get_mut(&owner.net_id) {
                    if known.updated >= tick {
                        continue;
                    }
                    applied.updates += u32::from(known.state != state || known.attributes.view() != attributes);
                    // A person may go on as what a bot has been, and the other way round.
                    known.archetype = owner.archetype;
                    known.update(page.number, sample, attributes, self.samples_max);
                } else {
                    applied.enters += 1;
                    let entity = ReplicaEntity::new(page.number, owner, sample, attributes);
                    if self.entities.insert(owner.net_id, entity).is_none() {
                        note_coming(&mut self.comings, owner.net_id, true);
                    }
                }
            }
        }
        let mut missed = std::mem::take(&mut self.missed);
        for &number in ends.iter().filter(|&&number| told.iter().all(|page| page.number != number)) {
            if !self.pages.is_overtaken(number, tick) {
                self.pages.note_missed(number, None, &mut missed);
                self.pages.forget(number, tick);
            }
        }
        for mut page in told.drain(..) {
            for deed in page.copy.take_deeds() {
                let owner = page.copy.owner(deed.slot.into());
                owner.iter().for_each(|owner| self.note_deed(tick, owner.net_id, deed));
            }
            if !self.pages.is_overtaken(page.number, tick) {
                self.pages.note_missed(page.number, Some(&page.copy), &mut missed);
            }
            self.pages.keep(tick, page);
        }
        missed.drain(..).for_each(|missed| self.miss(tick, missed));
        self.missed = missed;
        self.forget_the_missing();
        applied
    }

    /// Notes what somebody has done, told in the snapshot of `tick`, unless it was told before.
    fn note_deed(&mut self, tick: Tick, who: NetId, deed: PageDeed) {
        let PageDeed { age_ticks, ability, yaw, pitch, .. } = deed;
        let done = tick - u32::from(age_ticks);
        // What somebody did before it came into view is not to be shown any more.
        let is_news = |known: &&mut ReplicaEntity| known.last_deed < done && known.is_known_at(done);
        let Some(known) = self.entities.get_mut(&who).filter(is_news) else { return };
        known.last_deed = done;
        if self.deeds.len() >= DEEDS_MAX {
            self.deeds.pop_front();
        }
        let place = self.deeds.partition_point(|deed| deed.tick <= done);
        self.deeds.insert(place, SeenDeed { tick: done, who, ability, yaw, pitch });
    }

    /// What those in view have done until a moment, in ticks: the oldest that nobody has asked for yet. Each is handed out once, and each one's in their
    /// order.
    pub fn next_deed(&mut self, until_tick: f64) -> Option<SeenDeed> {
        self.deeds.pop_front_if(|deed| f64::from(deed.tick.0) <= until_tick)
    }

    /// Forgets or begins to miss somebody who was in a page, unless this tick or another page has told of it.
    fn miss(&mut self, tick: Tick, missed: Missed) {
        let Missed { number, net_id, is_out } = missed;
        let Some(known) = self.entities.get_mut(&net_id) else { return };
        if known.page != number || known.updated >= tick {
            return;
        }
        if is_out {
            self.entities.remove(&net_id);
            note_coming(&mut self.comings, net_id, false);
        } else {
            known.is_missing = true;
            self.missing.push_back((tick, net_id));
        }
    }

    /// Forgets who has been missing for long. The page that it has gone to may have been told in a snapshot that was lost, or must
    /// wait for room; whoever was not found by then has gone out of view.
    fn forget_the_missing(&mut self) {
        while let Some(&(since, net_id)) = self.missing.front()
            && (self.newest.since(since) >= self.linger_ticks || self.missing.len() > MISSING_MAX)
        {
            self.missing.pop_front();
            if self.entities.get(&net_id).is_some_and(|known| known.is_missing && known.updated < since) {
                self.entities.remove(&net_id);
                note_coming(&mut self.comings, net_id, false);
            }
        }
    }

    /// Who has come into view or gone out of it, the oldest of those that nobody has asked for yet.
    pub fn next_coming(&mut self) -> Option<Coming> {
        self.comings.pop_front()
    }

    /// The entities in view, by rising name.
    pub fn entities(&self) -> impl Iterator<Item = &ReplicaEntity> {
        self.entities.values()
    }

    /// An entity in view. O(log n).
    pub fn get(&self, net_id: NetId) -> Option<&ReplicaEntity> {
        self.entities.get(&net_id)
    }

    /// Number of entities in view.
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether nobody is in view.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// Tick of the newest snapshot.
    pub fn newest_tick(&self) -> Tick {
        self.newest
    }
}

fn note_coming(comings: &mut VecDeque<Coming>, net_id: NetId, is_here: bool) {
    if comings.len() >= COMINGS_MAX {
        comings.pop_front();
    }
    comings.push_back(Coming { net_id, is_here });
}
