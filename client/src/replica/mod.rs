//! What the client knows of the others.

mod entity;
mod pages;
#[cfg(test)]
mod tests;

pub use entity::{Interpolated, ReplicaEntity};

use std::collections::BTreeMap;

use throng_shared::ids::NetId;
use throng_shared::tick::Tick;
use throng_shared::wire::WireError;
use throng_shared::wire::snapshot::Snapshot;

use pages::{KnownPages, ToldPage};

/// States of an entity that are kept for interpolation unless a client says otherwise.
const SAMPLES_DEFAULT: usize = 10;

/// All entities in view.
#[derive(Debug)]
pub struct Replica {
    pages: KnownPages,
    entities: BTreeMap<NetId, ReplicaEntity>,
    /// Who is told of like everybody else, and is not one of the others.
    own: Option<NetId>,
    newest: Tick,
    samples_max: usize,
    /// Memory for the pages of one snapshot, and for who has gone from them.
    told: Vec<ToldPage>,
    missed: Vec<(u8, NetId)>,
}

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
            own: None,
            newest: Tick(0),
            samples_max: SAMPLES_DEFAULT,
            told: Vec::new(),
            missed: Vec::new(),
        }
    }
}

impl Replica {
    /// Leaves out this one from now on: the client's own character, which is told of like everybody else.
    pub fn leave_out(&mut self, own: NetId) {
        self.own = Some(own);
        self.entities.remove(&own);
    }

    /// Keeps so many states of each entity from now on, at least 2.
    pub(crate) fn keep(&mut self, samples_max: usize) {
        self.samples_max = samples_max.max(2);
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        *self = Replica { samples_max: self.samples_max, ..Replica::default() };
    }

    /// Takes a snapshot in. `None`, and nothing happens, when a newer one or the same was taken in before; such a one must not
    /// be acknowledged.
    ///
    /// # Errors
    /// When a page cannot be read; then nothing has changed, and the snapshot must not be acknowledged.
    pub fn apply(&mut self, snapshot: &Snapshot<'_>) -> Result<Option<Applied>, WireError> {
        let tick = snapshot.header.tick;
        if tick <= self.newest {
            return Ok(None);
        }
        let mut told = std::mem::take(&mut self.told);
        let applied =
            self.pages.read(tick, snapshot.pages, &mut told).map(|()| self.take_in(tick, snapshot.ends, &mut told));
        told.clear();
        self.told = told;
        applied.map(Some)
    }

    fn take_in(&mut self, tick: Tick, ends: &[u8], told: &mut Vec<ToldPage>) -> Applied {
        self.newest = tick;
        let mut applied = Applied::default();
        // Whoever has gone from one page to another is found in the new one before it is missed in the old one.
        for page in told.iter() {
            for (owner, state) in page.copy.quantised().filter(|(owner, _)| Some(owner.net_id) != self.own) {
                let known = self.entities.get_mut(&owner.net_id).filter(|known| known.archetype == owner.archetype);
                if let Some(known) = known {
                    applied.updates += u32::from(known.state != state);
                    known.update(tick, page.number, state, self.samples_max);
                } else {
                    applied.enters += 1;
                    self.entities.insert(owner.net_id, ReplicaEntity::new(tick, page.number, owner, state));
                }
            }
        }
        let mut missed = std::mem::take(&mut self.missed);
        for &number in ends.iter().filter(|&&number| told.iter().all(|page| page.number != number)) {
            self.pages.note_missed(number, None, &mut missed);
            self.pages.forget(number);
        }
        for page in told.drain(..) {
            self.pages.note_missed(page.number, Some(&page.copy), &mut missed);
            self.pages.keep(tick, page);
        }
        for (page, net_id) in missed.drain(..) {
            self.miss(tick, page, net_id);
        }
        self.missed = missed;
        applied
    }

    /// Forgets somebody who was in a page, unless this tick or another page has told of it.
    fn miss(&mut self, tick: Tick, page: u8, net_id: NetId) {
        if let Some(known) = self.entities.get(&net_id)
            && known.page == page
            && known.updated < tick
        {
            self.entities.remove(&net_id);
        }
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
