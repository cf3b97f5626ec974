//! What a bot sees: the nearest few characters within its sight, as they were in the last tick.

mod nearest;

use bevy_ecs::prelude::{Component, Query, Res};
use glam::Vec2;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;
use throng_shared::spatial::{CharacterColumns, Grid, Hit};
use throng_shared::tick::Tick;

use crate::home::Homes;
use crate::marks::{Mark, Marks};
use crate::mind::BotMind;
use crate::near::NearPeople;
use crate::packs::Packs;
use crate::turns::Alertness;
use crate::world::BotWorld;
use nearest::Nearest;

/// Most characters that a bot keeps in mind; farther ones go unnoticed.
pub const SEEN_MAX: usize = 8;

/// Bots per rayon job at least; fewer are not worth handing over.
pub(crate) const BOTS_PER_JOB_MIN: usize = 512;

/// Why all bots of an archetype can be gone through as slices.
pub(crate) const IN_TABLES: &str = "none of these components is kept outside of tables";

const _: () = assert!(SEEN_MAX <= u8::BITS as usize);

/// Somebody in sight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Who.
    pub net_id: NetId,
    /// Position on the ground plane (x, z), in metres.
    pub position_m: Vec2,
    /// Horizontal velocity, in metres per second.
    pub velocity_mps: Vec2,
    /// Height of its feet, in metres.
    pub height_m: f32,
}

/// What a bot saw when it last looked; written by [`perceive`] only.
#[derive(Clone, Debug, Component)]
pub struct Percepts {
    seen: [Seen; SEEN_MAX],
    /// What each of them is; beside them, for a byte each is all that there is room for.
    archetypes: [Archetype; SEEN_MAX],
    count: u8,
    /// Which of them are living enemies, as bits.
    enemies: u8,
    own_health_percent: u8,
    looked: Tick,
    /// How far away the last of a full number was, in metres; infinite when there were fewer.
    crowd_radius_m: f32,
}

impl Default for Percepts {
    fn default() -> Self {
        let nobody = Seen { net_id: NetId(0), position_m: Vec2::ZERO, velocity_mps: Vec2::ZERO, height_m: 0.0 };
        let (enemies, own_health_percent) = (0, 100);
        Percepts {
            seen: [nobody; SEEN_MAX],
            archetypes: [Archetype::BOT; SEEN_MAX],
            count: 0,
            enemies,
            own_health_percent,
            looked: Tick(0),
            crowd_radius_m: f32::INFINITY,
        }
    }
}

impl Percepts {
    /// Up to [`SEEN_MAX`] characters, nearest first, ties by [`NetId`]; never the bot itself. One that is followed,
    /// fought or fled from, by the bot or by its pack, is among them whenever it is in sight, as the last if others are nearer.
    pub fn seen(&self) -> &[Seen] {
        &self.seen[..usize::from(self.count)]
    }

    /// Those of them who are of another side, or of none, and alive. Nearest first.
    pub fn enemies(&self) -> impl Iterator<Item = &Seen> {
        self.seen().iter().enumerate().filter(|(place, _)| self.enemies >> place & 1 == 1).map(|(_, seen)| seen)
    }

    /// The others among [`Percepts::seen`]: the dead of the other side too.
    pub(crate) fn seen_without_enemies(&self) -> impl Iterator<Item = &Seen> {
        self.seen().iter().enumerate().filter(|(place, _)| self.enemies >> place & 1 == 0).map(|(_, seen)| seen)
    }

    /// The bot's own health, in percent; 100 where there is none.
    pub fn own_health_percent(&self) -> u8 {
        self.own_health_percent
    }

    /// How far away the eighth of those around the bot is, in metres; infinite when there are fewer.
    pub(crate) fn crowd_radius_m(&self) -> f32 {
        self.crowd_radius_m
    }

    /// The tick in which the bot looked; what it saw is the state after the tick before.
    pub fn looked(&self) -> Tick {
        self.looked
    }

    /// Of which archetype somebody among [`Percepts::seen`] is.
    pub fn archetype_of(&self, net_id: NetId) -> Option<Archetype> {
        let place = self.seen().iter().position(|seen| seen.net_id == net_id)?;
        Some(self.archetypes[place])
    }

    /// Somebody among [`Percepts::seen`].
    pub fn find(&self, net_id: NetId) -> Option<&Seen> {
        self.seen().iter().find(|seen| seen.net_id == net_id)
    }
}

#[cfg(test)]
impl Percepts {
    /// The percepts of a bot that saw `seen` in tick 0.
    pub(crate) fn of(seen: &[Seen]) -> Percepts {
        let mut percepts = Percepts { count: seen.len() as u8, ..Percepts::default() };
        percepts.seen[..seen.len()].copy_from_slice(seen);
        percepts
    }
}

/// Lets the bots that are due look around.
pub fn perceive(
    tick: Res<Tick>,
    world: Res<BotWorld>,
    columns: Res<CharacterColumns>,
    grid: Res<Grid>,
    marks: Res<Marks>,
    (near, packs): (Res<NearPeople>, Res<Packs>),
    mut bots: Query<(&NetId, &CharacterState, &BotMind, &mut Percepts, &mut Alertness)>,
) {
    let (near, packs, homes) = (&*near, &*packs, &*world.homes);
    let (tick, others) = (*tick, Others { columns: &columns, grid: &grid, marks: &marks, homes });
    let turns = world.think_turns(tick);
    for (net_ids, states, minds, mut percepts, mut alertness) in bots.contiguous_iter_mut().expect(IN_TABLES) {
        let bots = net_ids.par_iter().zip(states).zip(minds).zip(percepts.par_iter_mut()).zip(alertness.par_iter_mut());
        bots.with_min_len(BOTS_PER_JOB_MIN).for_each(|((((net_id, state), mind), percepts), alertness)| {
            let position_m = state.ground_position_m();
            alertness.is_near = near.contains(position_m);
            if !turns.is_of(*net_id, alertness.is_near) {
                return;
            }
            let sight_m = world.rules_of(mind).sight_m;
            let viewer =
                Viewer { net_id: *net_id, position_m, sight_m, attention: [mind.goal.attention(), packs.foe_of(mind)] };
            look_around(&others, &viewer, percepts);
            percepts.looked = tick;
        });
    }
}

/// Everybody after the last tick.
struct Others<'a> {
    columns: &'a CharacterColumns,
    grid: &'a Grid,
    marks: &'a Marks,
    homes: &'a Homes,
}

/// Who looks.
struct Viewer {
    net_id: NetId,
    position_m: Vec2,
    sight_m: f32,
    /// Whom it keeps an eye on, and whom its pack fights: of the two the latter, when there is a place for one.
    attention: [Option<NetId>; 2],
}

/// Replaces what `percepts` hold by what `viewer` sees. O(cells touched + rows in them).
fn look_around(others: &Others<'_>, viewer: &Viewer, percepts: &mut Percepts) {
    let Others { columns, marks, .. } = others;
    (percepts.count, percepts.enemies) = (0, 0);
    if viewer.sight_m.is_nan() || viewer.sight_m <= 0.0 {
        return;
    }
    let own = own_mark(others, viewer);
    percepts.own_health_percent = own.health_percent;
    let mut nearest = find_nearest(others, viewer, &own, percepts.crowd_radius_m);
    let farthest = nearest.hits().get(SEEN_MAX - 1);
    percepts.crowd_radius_m = farthest.map_or(f32::INFINITY, |hit| hit.distance_squared_m2.sqrt());
    for row in viewer.attention.into_iter().flatten().filter_map(|net_id| columns.row(net_id)) {
        let distance_squared_m2 = columns.positions_m[row].distance_squared(viewer.position_m);
        let (homes, position_m) = (others.homes, columns.positions_m[row]);
        let is_in_room = !homes.has_rooms() || homes.room(position_m) == homes.room(viewer.position_m);
        let is_known = is_in_room && own.may_know_of(&marks.of_row(row));
        if is_known && distance_squared_m2 <= viewer.sight_m * viewer.sight_m {
            nearest.include(Hit { row: row as u32, distance_squared_m2 });
        }
    }
    percepts.count = nearest.hits().len() as u8;
    for (place, (seen, hit)) in percepts.seen.iter_mut().zip(nearest.hits()).enumerate() {
        let row = hit.row as usize;
        let mark = marks.of_row(row);
        let is_enemy = !marks.is_empty() && !mark.is_dead && !own.is_ally_of(&mark);
        percepts.enemies |= u8::from(is_enemy) << place;
        *seen = Seen {
            net_id: columns.net_ids[row],
            position_m: columns.positions_m[row],
            velocity_mps: columns.velocities_mps[row],
            height_m: columns.heights_m[row],
        };
        percepts.archetypes[place] = columns.archetypes[row];
    }
}

/// What the viewer knows of itself.
fn own_mark(others: &Others<'_>, viewer: &Viewer) -> Mark {
    let row = if others.marks.is_empty() { None } else { others.columns.row(viewer.net_id) };
    row.map_or(Mark::default(), |row| others.marks.of_row(row))
}

/// The nearest to `viewer`. Where it had a crowd within `crowd_radius_m` when it last looked, it looks hardly farther
/// at first, and over its whole sight only if that was not enough: the outcome is the same, and crowds are cheap.
fn find_nearest(others: &Others<'_>, viewer: &Viewer, own: &Mark, crowd_radius_m: f32) -> Nearest {
    let Others { columns, grid, marks, homes } = others;
    let room = homes.room(viewer.position_m);
    let is_in_room = |point_m| !homes.has_rooms() || homes.room(point_m) == room;
    let near_m = (crowd_radius_m * 1.25 + 1.0).min(viewer.sight_m);
    let find_within = |radius_m: f32| {
        let mut nearest = Nearest::default();
        grid.for_each_within(viewer.position_m, radius_m, |hit| {
            let row = hit.row as usize;
            let is_known = || marks.is_empty() || own.may_know_of(&marks.of_row(row));
            if nearest.has_place_for(hit)
                && columns.net_ids[row] != viewer.net_id
                && is_known()
                && is_in_room(columns.positions_m[row])
            {
                nearest.insert(hit);
            }
        });
        nearest
    };
    let nearest = find_within(near_m);
    let is_enough = nearest.hits().len() == SEEN_MAX || near_m == viewer.sight_m;
    if is_enough { nearest } else { find_within(viewer.sight_m) }
}

#[cfg(test)]
mod tests;
