//! What the client knows of the others.

use std::collections::{BTreeMap, VecDeque};

use glam::Vec3;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::limits::VIEW_SLOTS_MAX;
use throng_shared::quantised::{Locomotion, QuantisedState};
use throng_shared::tick::Tick;
use throng_shared::wire::snapshot::{Enter, Snapshot};

/// States of an entity that are kept for interpolation unless a client says otherwise.
const SAMPLES_DEFAULT: usize = 10;

/// All entities in view. Snapshots may arrive in any order, more than once, or not at all.
#[derive(Debug)]
pub struct Replica {
    slots: Vec<Slot>,
    by_net_id: BTreeMap<NetId, u16>,
    newest: Tick,
    orphans: u64,
    samples_max: usize,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// Tick of the newest enter or leave.
    changed_owner: Tick,
    entity: Option<ReplicaEntity>,
}

/// An entity in view.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaEntity {
    /// Who it is.
    pub net_id: NetId,
    /// What it is.
    pub archetype: Archetype,
    /// Its newest known state.
    pub state: QuantisedState,
    /// The tick of that state. It is no older than what the server has: what does not change is not sent.
    pub updated: Tick,
    /// Oldest first; the newest is `state`.
    samples: VecDeque<(Tick, QuantisedState)>,
}

/// An entity between two of its states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interpolated {
    /// Position of the feet, in metres.
    pub position_m: Vec3,
    /// Facing, in radians, clockwise from north.
    pub yaw_rad: f32,
    /// What it is doing.
    pub locomotion: Locomotion,
}

impl Default for Replica {
    fn default() -> Self {
        Replica {
            slots: vec![Slot::default(); VIEW_SLOTS_MAX],
            by_net_id: BTreeMap::new(),
            newest: Tick(0),
            orphans: 0,
            samples_max: SAMPLES_DEFAULT,
        }
    }
}

impl Replica {
    /// Keeps so many states of each entity from now on, at least 2.
    pub(crate) fn keep(&mut self, samples_max: usize) {
        self.samples_max = samples_max.max(2);
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        *self = Replica { samples_max: self.samples_max, ..Replica::default() };
    }

    /// Takes a snapshot in.
    pub fn apply(&mut self, snapshot: &Snapshot) {
        let tick = snapshot.header.tick;
        self.newest = self.newest.max(tick);
        for &slot in &snapshot.leaves {
            self.vacate(slot, tick);
        }
        for enter in &snapshot.enters {
            self.enter(tick, enter);
        }
        for update in &snapshot.updates {
            match &mut self.slots[usize::from(update.slot)] {
                Slot { entity: Some(entity), .. } => entity.update(tick, update.state, self.samples_max),
                // A late snapshot may speak of whoever had the slot before.
                Slot { changed_owner, .. } if *changed_owner >= tick => {}
                Slot { .. } => self.orphans += 1,
            }
        }
    }

    /// The entities in view, by rising name.
    pub fn entities(&self) -> impl Iterator<Item = &ReplicaEntity> {
        self.by_net_id.values().filter_map(|&slot| self.slots[usize::from(slot)].entity.as_ref())
    }

    /// An entity in view. O(log n).
    pub fn get(&self, net_id: NetId) -> Option<&ReplicaEntity> {
        self.slots[usize::from(*self.by_net_id.get(&net_id)?)].entity.as_ref()
    }

    /// Number of entities in view.
    pub fn len(&self) -> usize {
        self.by_net_id.len()
    }

    /// Whether nobody is in view.
    pub fn is_empty(&self) -> bool {
        self.by_net_id.is_empty()
    }

    /// Tick of the newest snapshot.
    pub fn newest_tick(&self) -> Tick {
        self.newest
    }

    /// Updates of entities that never entered: a fault of the server.
    pub fn orphans(&self) -> u64 {
        self.orphans
    }

    fn enter(&mut self, tick: Tick, enter: &Enter) {
        let place = &mut self.slots[usize::from(enter.slot)];
        if let Some(entity) = place.entity.as_mut().filter(|entity| entity.net_id == enter.net_id) {
            entity.update(tick, enter.state, self.samples_max);
            return;
        }
        if tick <= place.changed_owner {
            return;
        }
        // Whoever had the slot, or the entity in another slot, is gone; their leaves were lost or are still to come.
        if let Some(&elsewhere) = self.by_net_id.get(&enter.net_id) {
            if self.slots[usize::from(elsewhere)].changed_owner > tick {
                return;
            }
            self.vacate(elsewhere, tick);
        }
        self.vacate(enter.slot, tick);
        self.by_net_id.insert(enter.net_id, enter.slot);
        self.slots[usize::from(enter.slot)] = Slot {
            changed_owner: tick,
            entity: Some(ReplicaEntity {
                net_id: enter.net_id,
                archetype: enter.archetype,
                state: enter.state,
                updated: tick,
                samples: VecDeque::from([(tick, enter.state)]),
            }),
        };
    }

    fn vacate(&mut self, slot: u16, tick: Tick) {
        let place = &mut self.slots[usize::from(slot)];
        if tick < place.changed_owner {
            return;
        }
        place.changed_owner = tick;
        if let Some(entity) = place.entity.take()
            && self.by_net_id.get(&entity.net_id) == Some(&slot)
        {
            self.by_net_id.remove(&entity.net_id);
        }
    }
}

impl ReplicaEntity {
    /// Where the entity was at `tick`, between the states around it; the nearest known state beyond them.
    pub fn interpolate(&self, tick: f64) -> Interpolated {
        let after = self.samples.partition_point(|(sample, _)| f64::from(sample.0) <= tick);
        let before = after.checked_sub(1).and_then(|place| self.samples.get(place));
        let (before, after) = match (before, self.samples.get(after)) {
            (Some(before), Some(after)) => (before, after),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => return Interpolated::at(&self.state),
        };
        // What moves changes in every tick, so that a gap then means that snapshots were lost or had no room for it. Who
        // stood idle was not sent because nothing changed, and started to move one tick before the first new state.
        let start = if before.1.locomotion == Locomotion::Idle { before.0.max(after.0 - 1) } else { before.0 };
        let share = (tick - f64::from(start.0)) / f64::from(after.0.since(start).max(1));
        Interpolated::between(&before.1, &after.1, share.clamp(0.0, 1.0) as f32)
    }

    fn update(&mut self, tick: Tick, state: QuantisedState, samples_max: usize) {
        if tick <= self.updated {
            return;
        }
        self.updated = tick;
        self.state = state;
        while self.samples.len() >= samples_max {
            self.samples.pop_front();
        }
        self.samples.push_back((tick, state));
    }
}

impl Interpolated {
    fn at(state: &QuantisedState) -> Interpolated {
        Interpolated { position_m: state.position_m(), yaw_rad: state.yaw_rad(), locomotion: state.locomotion }
    }

    fn between(before: &QuantisedState, after: &QuantisedState, share: f32) -> Interpolated {
        let turn = f32::from(after.yaw.wrapping_sub(before.yaw) as i8) * (std::f32::consts::TAU / 256.0);
        Interpolated {
            position_m: before.position_m().lerp(after.position_m(), share),
            yaw_rad: before.yaw_rad() + turn * share,
            locomotion: if share < 0.5 { before.locomotion } else { after.locomotion },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::IVec3;
    use throng_shared::wire::snapshot::{SnapshotHeader, Update};

    fn at(x: i32) -> QuantisedState {
        QuantisedState { position: IVec3::new(x, 0, 0), ..QuantisedState::default() }
    }

    fn snapshot(tick: u32) -> Snapshot {
        Snapshot { header: SnapshotHeader { tick: Tick(tick), ..SnapshotHeader::default() }, ..Snapshot::default() }
    }

    fn enter(tick: u32, slot: u16, net_id: u32, x: i32) -> Snapshot {
        let enter = Enter { slot, net_id: NetId(net_id), archetype: Archetype::Bot, state: at(x) };
        Snapshot { enters: vec![enter], ..snapshot(tick) }
    }

    fn update(tick: u32, slot: u16, x: i32) -> Snapshot {
        Snapshot { updates: vec![Update { slot, state: at(x) }], ..snapshot(tick) }
    }

    fn moving(tick: u32, slot: u16, x: i32, locomotion: Locomotion) -> Snapshot {
        let state = QuantisedState { locomotion, ..at(x) };
        Snapshot { updates: vec![Update { slot, state }], ..snapshot(tick) }
    }

    fn leave(tick: u32, slot: u16) -> Snapshot {
        Snapshot { leaves: vec![slot], ..snapshot(tick) }
    }

    #[test]
    fn any_order_of_snapshots_ends_in_the_same_replica() {
        let story = [
            enter(1, 5, 100, 0),
            update(2, 5, 10),
            leave(3, 5),
            enter(4, 5, 101, 20),
            update(5, 5, 30),
            enter(6, 7, 100, 40),
            enter(7, 8, 101, 50),
            leave(8, 5),
            // A slot whose former owner's leave may come after the next one's enter.
            enter(1, 9, 200, 0),
            leave(2, 9),
            enter(3, 9, 201, 60),
        ];
        let mut orders = vec![(0..story.len()).collect::<Vec<_>>()];
        let mut random = throng_shared::random::Random::new(1, 0);
        for _ in 0..200 {
            let mut order: Vec<usize> = (0..story.len()).chain([random.below(11) as usize]).collect();
            for end in (1..order.len()).rev() {
                order.swap(end, random.below(end as u32 + 1) as usize);
            }
            orders.push(order);
        }
        for order in orders {
            let mut replica = Replica::default();
            for &place in &order {
                replica.apply(&story[place]);
            }
            let seen: Vec<(u32, i32)> = replica.entities().map(|e| (e.net_id.0, e.state.position.x)).collect();
            assert_eq!(seen, [(100, 40), (101, 50), (201, 60)], "order {order:?}");
        }
    }

    #[test]
    fn an_entity_is_shown_between_its_states_and_still_while_it_stood() {
        let mut replica = Replica::default();
        replica.apply(&enter(10, 1, 1, 0));
        replica.apply(&moving(11, 1, 64, Locomotion::Running));
        replica.apply(&moving(13, 1, 192, Locomotion::Idle));
        replica.apply(&moving(50, 1, 256, Locomotion::Running));
        let entity = replica.get(NetId(1)).expect("it entered");
        let x_m = |tick: f64| entity.interpolate(tick).position_m.x;
        assert_eq!([x_m(9.0), x_m(10.5), x_m(12.0), x_m(13.0)], [0.0, 0.5, 2.0, 3.0]);
        assert_eq!([x_m(30.0), x_m(49.0), x_m(49.5), x_m(99.0)], [3.0, 3.0, 3.5, 4.0]);
    }

    #[test]
    fn a_runner_who_had_to_wait_for_room_is_shown_running_all_the_while() {
        let mut replica = Replica::default();
        replica.apply(&enter(10, 1, 1, 0));
        replica.apply(&moving(11, 1, 0, Locomotion::Running));
        replica.apply(&moving(31, 1, 20 * 64, Locomotion::Running));
        let entity = replica.get(NetId(1)).expect("it entered");
        for tick in 11..=31_u8 {
            assert_eq!(entity.interpolate(f64::from(tick)).position_m.x, f32::from(tick) - 11.0);
        }
    }

    #[test]
    fn as_many_states_are_kept_as_was_asked_for() {
        let mut replica = Replica::default();
        replica.keep(50);
        replica.apply(&enter(1, 1, 1, 0));
        for tick in 2..200 {
            replica.apply(&update(tick, 1, tick as i32));
        }
        assert_eq!(replica.get(NetId(1)).expect("it entered").samples.len(), 50);
        replica.keep(8);
        replica.apply(&update(200, 1, 0));
        assert_eq!(replica.get(NetId(1)).expect("it entered").samples.len(), 8);
    }

    #[test]
    fn facing_turns_the_short_way() {
        let (before, after) = (QuantisedState { yaw: 250, ..at(0) }, QuantisedState { yaw: 6, ..at(0) });
        let middle = Interpolated::between(&before, &after, 0.5).yaw_rad;
        assert!((middle - std::f32::consts::TAU).abs() < 1e-5, "{middle}");
    }
}
