//! The one movement step: the server simulates with it, clients predict with it, and both must agree to the bit.
//!
//! A character is an upright capsule, treated as a cylinder; its position is the middle of its feet. It walks on
//! terrain and on the tops of obstacles, is stopped by obstacles higher than a step, cannot walk up ground steeper
//! than the rules allow and slides down it instead, and cannot leave the world. Characters pass through one another.
//!
//! Only `+ - * /`, `sqrt` and comparisons on `f32` are used, whose results IEEE 754 fixes.

use glam::{Vec2, Vec3};

use crate::archetypes::Gait;
use crate::config::MovementConfig;
use crate::input::{Buttons, PlayerInput};
use crate::map::{KnownGround, Map, Obstacle};

/// Where a character is and how it moves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
pub struct CharacterState {
    /// Middle of the feet, in metres; y is up.
    pub position_m: Vec3,
    /// Velocity, in metres per second.
    pub velocity_mps: Vec3,
    /// Facing, in 1/65,536 of a turn, as in [`PlayerInput::yaw`].
    pub yaw: u16,
    /// Whether it stands on something.
    pub grounded: bool,
}

impl CharacterState {
    /// A character standing on the terrain at (x, z).
    pub fn standing_at(map: &Map, point_m: Vec2) -> CharacterState {
        let point_m = map.clamp_inside(point_m);
        let position_m = Vec3::new(point_m.x, map.terrain.height_m(point_m), point_m.y);
        CharacterState { position_m, grounded: true, ..CharacterState::default() }
    }

    /// The position on the ground plane (x, z), in metres.
    pub fn ground_position_m(&self) -> Vec2 {
        Vec2::new(self.position_m.x, self.position_m.z)
    }
}

/// [`MovementConfig`], made ready for use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovementRules {
    /// Walking speed, in metres per second.
    pub walk_speed_mps: f32,
    /// Running speed, in metres per second.
    pub run_speed_mps: f32,
    /// Upward speed at the start of a jump, in metres per second.
    pub jump_speed_mps: f32,
    /// Downward acceleration, in metres per second squared.
    pub gravity_mps2: f32,
    /// How quickly the wanted velocity is reached when standing, in metres per second squared.
    pub ground_acceleration_mps2: f32,
    /// The same in the air.
    pub air_acceleration_mps2: f32,
    /// Steepest ground that can be stood upon, as rise over run.
    pub slope_max: f32,
    /// Highest edge that is stepped onto, in metres.
    pub step_height_m: f32,
    /// Radius of the capsule, in metres.
    pub capsule_radius_m: f32,
    /// Height of the capsule, in metres.
    pub capsule_height_m: f32,
}

impl MovementRules {
    /// The rules that a world file states.
    pub fn new(config: &MovementConfig) -> MovementRules {
        MovementRules {
            walk_speed_mps: config.walk_speed_mps,
            run_speed_mps: config.run_speed_mps,
            jump_speed_mps: (2.0 * config.gravity_mps2 * config.jump_height_m).sqrt(),
            gravity_mps2: config.gravity_mps2,
            ground_acceleration_mps2: config.ground_acceleration_mps2,
            air_acceleration_mps2: config.air_acceleration_mps2,
            slope_max: libm::tanf(config.slope_max_deg.to_radians()),
            step_height_m: config.step_height_m,
            capsule_radius_m: config.capsule_radius_m,
            capsule_height_m: config.capsule_height_m,
        }
    }

    /// How fast characters go that have no speed of their own.
    pub fn gait(&self) -> Gait {
        Gait { walk_speed_mps: self.walk_speed_mps, run_speed_mps: self.run_speed_mps }
    }
}

/// Fastest fall, in metres per second.
pub const FALL_SPEED_MAX_MPS: f32 = 60.0;

/// How far above the ground a character still counts as touching it, in metres.
const CONTACT_M: f32 = 0.02;

/// Most parts that one step is split into so that nothing thin is jumped over.
const PARTS_MAX: f32 = 32.0;

/// Moves a character by one tick of `step_s` seconds according to `input`.
///
/// Whatever the input, the result is inside the world, outside of obstacles (when `state` was), never below the
/// terrain, and no farther away than the rules' speeds allow. Cost: that of [`step_at`], and to wait for the ground.
pub fn step_character(map: &Map, state: CharacterState, input: PlayerInput, step_s: f32) -> CharacterState {
    step_at(map, &mut KnownGround::default(), state, input, step_s, map.rules.gait())
}

/// As [`step_character`], for somebody who walks and runs as fast as this, and knows the ground of this map where it has been: that saves time and
/// changes nothing else. Cost: about 0.2 us in the open; elsewhere a look at each obstacle near for each part of the step besides.
pub fn step_at(
    map: &Map,
    known: &mut KnownGround,
    state: CharacterState,
    input: PlayerInput,
    step_s: f32,
    gait: Gait,
) -> CharacterState {
    let rules = &map.rules;
    let mut next = CharacterState { yaw: input.yaw, ..state };
    accelerate(map, &mut next, input, step_s, gait);
    if next.grounded && input.buttons.contains(Buttons::JUMP) && rules.jump_speed_mps > 0.0 {
        next.velocity_mps.y = rules.jump_speed_mps;
        next.grounded = false;
    }
    let distance_m = ground_plane(next.velocity_mps).length() * step_s;
    if is_in_the_open(map, &next, distance_m) {
        move_part(map, known, &mut next, step_s, Around::Nothing);
        return next;
    }
    let parts = (distance_m / (0.5 * rules.capsule_radius_m)).ceil().clamp(1.0, PARTS_MAX);
    for _ in 0..parts as u32 {
        move_part(map, known, &mut next, step_s / parts, Around::Obstacles);
    }
    next
}

/// Whether a step of `distance_m` need not be split: nothing is there that it could run into, and it is not far. A cliff has at least a cell,
/// and whoever is in the air could otherwise pass over it.
fn is_in_the_open(map: &Map, state: &CharacterState, distance_m: f32) -> bool {
    let is_short = state.grounded && distance_m <= 0.5 * map.terrain.cell_m();
    is_short && map.obstacles.is_clear(state.ground_position_m(), distance_m + map.rules.capsule_radius_m)
}

/// What can be met in a part of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// No obstacle is in reach: nobody has to look for any.
    Nothing,
    Obstacles,
}

/// One part of a step, or all of it.
fn move_part(map: &Map, known: &mut KnownGround, state: &mut CharacterState, part_s: f32, around: Around) {
    let before = state.ground_position_m();
    let ground = move_horizontally(map, known, state, part_s, around);
    let moved_m = state.ground_position_m().distance(before);
    let floor = floor_under(map, state, &ground, around);
    move_vertically(map, state, &floor, part_s, moved_m);
}

/// Turns the horizontal velocity towards the wanted one.
fn accelerate(map: &Map, state: &mut CharacterState, input: PlayerInput, step_s: f32, gait: Gait) {
    let rules = &map.rules;
    let speed_mps = if input.buttons.contains(Buttons::RUN) { gait.run_speed_mps } else { gait.walk_speed_mps };
    let mut wanted = input.direction() * speed_mps;
    let point = state.ground_position_m();
    if !state.grounded && state.position_m.y <= map.terrain.height_m(point) + CONTACT_M {
        // Sliding: there is no foothold to push uphill from.
        wanted = without_uphill(wanted, map.terrain.gradient(point));
    }
    let acceleration = if state.grounded { rules.ground_acceleration_mps2 } else { rules.air_acceleration_mps2 };
    let change = (wanted - ground_plane(state.velocity_mps)).clamp_length_max(acceleration * step_s);
    state.velocity_mps.x += change.x;
    state.velocity_mps.z += change.y;
}

/// The ground at a point: looked at once for all who ask.
#[derive(Clone, Copy, Debug)]
struct Ground {
    point_m: Vec2,
    height_m: f32,
    slope: f32,
}

impl Ground {
    fn at(map: &Map, known: &mut KnownGround, point_m: Vec2) -> Ground {
        let (height_m, slope) = map.terrain.height_and_slope_from(known, point_m);
        Ground { point_m, height_m, slope }
    }

    /// Whether it is higher than the feet and too steep to be walked up.
    fn is_too_steep_to_enter(&self, map: &Map, feet_m: f32) -> bool {
        self.height_m > feet_m + 1e-4 && self.slope > map.rules.slope_max
    }
}

/// Moves on the ground plane as far as terrain, obstacles and the world's edge allow; returns the ground that is reached.
fn move_horizontally(
    map: &Map,
    known: &mut KnownGround,
    state: &mut CharacterState,
    part_s: f32,
    around: Around,
) -> Ground {
    let (start, feet_m) = (state.ground_position_m(), state.position_m.y);
    let wanted = ground_plane(state.velocity_mps) * part_s;
    let climbed = climbable_ground(map, known, start, feet_m, wanted);
    let inside_m = map.clamp_inside(climbed.point_m);
    let pushed = match around {
        Around::Nothing => Some(inside_m),
        Around::Obstacles => push_out_of_obstacles(map, state, inside_m),
    };
    let ground =
        pushed.map(|point_m| if point_m == climbed.point_m { climbed } else { Ground::at(map, known, point_m) });
    let ground = ground.filter(|ground| !ground.is_too_steep_to_enter(map, feet_m));
    let ground = ground.unwrap_or_else(|| Ground::at(map, known, start));
    let reached = ground.point_m;
    state.position_m.x = reached.x;
    state.position_m.z = reached.y;
    // What stopped the move also stops the velocity, so that nobody accelerates against a wall.
    if part_s > 0.0 {
        let achieved = (reached - start) / part_s;
        let velocity = ground_plane(state.velocity_mps);
        let kept = if achieved.length_squared() < velocity.length_squared() - 1e-4 { achieved } else { velocity };
        state.velocity_mps.x = kept.x;
        state.velocity_mps.z = kept.y;
    }
    ground
}

/// Where the part of a horizontal `move_m` ends that does not lead up ground that is too steep.
fn climbable_ground(map: &Map, known: &mut KnownGround, start: Vec2, feet_m: f32, move_m: Vec2) -> Ground {
    let straight = Ground::at(map, known, start + move_m);
    if !straight.is_too_steep_to_enter(map, feet_m) {
        return straight;
    }
    let along = Ground::at(map, known, start + without_uphill(move_m, map.terrain.gradient(start + move_m)));
    if along.is_too_steep_to_enter(map, feet_m) { Ground::at(map, known, start) } else { along }
}

/// Where a character ends that wants to be at `point_m`; nowhere, when it would stay inside an obstacle.
fn push_out_of_obstacles(map: &Map, state: &CharacterState, point_m: Vec2) -> Option<Vec2> {
    const PASSES: usize = 4;
    let radius_m = map.rules.capsule_radius_m;
    let mut point_m = point_m;
    for _ in 0..PASSES {
        let mut pushed = false;
        for obstacle in map.obstacles.near(point_m) {
            if blocks(map, state, obstacle)
                && let Some(push) = obstacle.push_out(point_m, radius_m - 1e-3)
            {
                point_m = map.clamp_inside(point_m + push);
                pushed = true;
            }
        }
        if !pushed {
            return Some(point_m);
        }
    }
    None
}

/// Whether an obstacle is a wall to a character, rather than a step, a floor or out of reach.
fn blocks(map: &Map, state: &CharacterState, obstacle: &Obstacle) -> bool {
    let feet_m = state.position_m.y;
    obstacle.top_m > feet_m + step_allowance_m(map, state) && obstacle.bottom_m < feet_m + map.rules.capsule_height_m
}

fn step_allowance_m(map: &Map, state: &CharacterState) -> f32 {
    if state.grounded { map.rules.step_height_m.max(CONTACT_M) } else { CONTACT_M }
}

/// Follows the floor, falls, lands, or slides down what is too steep, after a horizontal move of `moved_m`.
fn move_vertically(map: &Map, state: &mut CharacterState, floor: &Floor, part_s: f32, moved_m: f32) {
    let rules = &map.rules;
    if state.grounded {
        let follow_m = rules.step_height_m.max(1.5 * rules.slope_max * moved_m + CONTACT_M);
        if floor.height_m >= state.position_m.y - follow_m {
            state.position_m.y = floor.height_m;
            state.grounded = floor.holds || way_down(map, state).is_none();
            return;
        }
        state.grounded = false;
    }
    let fall_mps = rules.gravity_mps2 * part_s;
    state.position_m.y += (state.velocity_mps.y - 0.5 * fall_mps) * part_s;
    state.velocity_mps.y = (state.velocity_mps.y - fall_mps).max(-FALL_SPEED_MAX_MPS);
    if state.position_m.y > floor.height_m {
        return;
    }
    state.position_m.y = floor.height_m;
    let way = if floor.holds { None } else { way_down(map, state) };
    match way {
        None => {
            state.grounded = state.velocity_mps.y <= 0.0;
            state.velocity_mps.y = state.velocity_mps.y.max(0.0);
        }
        Some((direction, slope)) => {
            slide(state, map.terrain.gradient(state.ground_position_m()));
            let push_mps = rules.gravity_mps2 * part_s * slope / (1.0 + slope * slope);
            let along_mps = ground_plane(state.velocity_mps).dot(direction);
            if along_mps < push_mps {
                // The straight way down is not free, as in a gully: gravity pulls along the one that is.
                let push = direction * (push_mps + along_mps.max(0.0));
                state.velocity_mps = Vec3::new(push.x, state.velocity_mps.y, push.y);
            }
        }
    }
}

/// The way down from ground that is too steep to stand upon: a free direction (x, z) of length 1 that leads down more
/// steeply than can be stood upon, with its slope. None when there is none, as in the bottom of a pit or against a wall:
/// then there is a foothold, or whoever is there could neither walk nor jump ever again.
fn way_down(map: &Map, state: &CharacterState) -> Option<(Vec2, f32)> {
    const LOOK_AHEAD_M: f32 = 0.05;
    const DIRECTIONS: usize = 16;
    let start = state.ground_position_m();
    let slope_towards = |direction: Vec2| {
        let wanted = map.clamp_inside(start + direction * LOOK_AHEAD_M);
        let reached = push_out_of_obstacles(map, state, wanted)?;
        let moved_m = reached.distance(start);
        let slope = (state.position_m.y - map.terrain.height_m(reached)) / moved_m.max(0.2 * LOOK_AHEAD_M);
        (slope > map.rules.slope_max).then(|| ((reached - start).normalize_or(direction), slope))
    };
    // Mostly the straight way is free.
    let straight = -map.terrain.gradient(start).normalize_or_zero();
    slope_towards(straight).or_else(|| {
        let around = (0..DIRECTIONS).map(|number| {
            let (sin, cos) = libm::sincosf(number as f32 * (std::f32::consts::TAU / DIRECTIONS as f32));
            Vec2::new(cos, sin)
        });
        around.filter_map(slope_towards).max_by(|a, b| a.1.total_cmp(&b.1))
    })
}

/// Takes the part of the velocity that points into a slope away, leaving what runs down along it.
fn slide(state: &mut CharacterState, gradient: Vec2) {
    let horizontal = without_uphill(ground_plane(state.velocity_mps), gradient);
    let normal = Vec3::new(-gradient.x, 1.0, -gradient.y).normalize();
    let velocity = Vec3::new(horizontal.x, state.velocity_mps.y, horizontal.y);
    let along = velocity - normal * velocity.dot(normal).min(0.0);
    state.velocity_mps = Vec3::new(along.x, along.y.min(0.0), along.z);
}

/// What is under a character's feet.
struct Floor {
    height_m: f32,
    /// Whether it can be stood upon.
    holds: bool,
}

/// The highest surface that the feet can rest upon: the terrain, or an obstacle's top within a step's reach.
fn floor_under(map: &Map, state: &CharacterState, ground: &Ground, around: Around) -> Floor {
    let point = ground.point_m;
    let reach_m = state.position_m.y + step_allowance_m(map, state);
    let mut floor = Floor { height_m: ground.height_m, holds: ground.slope <= map.rules.slope_max };
    if around == Around::Nothing {
        return floor;
    }
    for obstacle in map.obstacles.near(point) {
        let under_feet = obstacle.top_m <= reach_m && obstacle.top_m > floor.height_m;
        if under_feet && obstacle.push_out(point, map.rules.capsule_radius_m - 2e-3).is_some() {
            floor = Floor { height_m: obstacle.top_m, holds: true };
        }
    }
    floor
}

fn ground_plane(vector: Vec3) -> Vec2 {
    Vec2::new(vector.x, vector.z)
}

/// `vector` without the part that points up along `gradient`.
fn without_uphill(vector: Vec2, gradient: Vec2) -> Vec2 {
    let steepness = gradient.length();
    if steepness < 1e-6 {
        return vector;
    }
    let uphill = gradient / steepness;
    vector - uphill * vector.dot(uphill).max(0.0)
}

#[cfg(test)]
mod tests;
