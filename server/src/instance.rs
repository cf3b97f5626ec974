//! One world: entities, systems and time. It knows no sockets, reads no clock that matters, and is a function of what
//! it is given.

use std::sync::Arc;
use std::time::Duration;

use bevy_ecs::prelude::{Entity, IntoScheduleConfigs, Mut, Resource, Schedule, World};
use glam::Vec2;
use rustc_hash::FxHasher;
use throng_bot_ai::{Arms, BotWorld, Marks, NearPeople, Packs, RoutePlanner, Thoughts};
use throng_shared::abilities::Fighter;
use throng_shared::archetypes::{ByArchetype, Gait};
use throng_shared::attributes::{Attributes, Schema, SchemaError};
use throng_shared::config::{ArchetypeValueConfig, LoadedWorld, PopulationConfig, SpawnAreaConfig};
use throng_shared::ids::{Archetype, ClientId, NetId};
use throng_shared::map::{Map, TerrainError};
use throng_shared::movement::CharacterState;
use throng_shared::spatial::{CharacterColumns, Grid};
use throng_shared::tick::{Tick, TickRate};

use crate::abilities::{CombatLog, CombatRules, Projectiles};
use crate::batch::{InboundBatch, OutboundBatch};
use crate::clock::Clock;
use crate::combat::{Poses, Receipt, Shot, judge, judge_all, remember_poses};
use crate::commit::Totals;
use crate::director::{Attendance, WorldHours};
use crate::egress::Outbound;
use crate::game_messages::GameMessages;
use crate::ingress::Inbound;
use crate::interest::{Explanation, InterestRules};
use crate::overload::OverloadRules;
use crate::pages::Pages;
use crate::replication::Frames;
use crate::session::Sessions;
use crate::simulation::Roster;
use crate::tick::{self, BuiltIn, Phase};
use crate::timer::WallTime;

/// A running world.
pub struct Instance {
    world: World,
    phases: Vec<(Phase, Schedule)>,
    clock: Arc<dyn Clock>,
    phase_times: [Duration; Phase::ALL.len()],
    name: String,
    hash: u64,
    players_max: usize,
}

/// Why a world cannot begin. [`throng_shared::config::load_world`] rules both out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// The terrain file's samples are missing.
    #[error(transparent)]
    Terrain(#[from] TerrainError),
    /// Its attributes are not as they may be.
    #[error(transparent)]
    Attributes(#[from] SchemaError),
    /// Its abilities need attributes that it has not.
    #[error("the abilities file names attributes that the world file does not declare")]
    Abilities,
}

/// What the world file says that systems need.
#[derive(Resource, Clone, Debug)]
pub struct InstanceRules {
    /// Ground and obstacles.
    pub map: Arc<Map>,
    /// Ticks per second.
    pub tick_rate: TickRate,
    /// What characters have besides a place. Rules look up handles in it, and change what [`Attributes`] an entity has.
    pub attributes: Arc<Schema>,
    /// What the world file calls the archetypes that there are, by their numbers.
    pub archetype_names: Arc<[String]>,
    /// How fast they go.
    pub gaits: ByArchetype<Gait>,
    /// What attributes are at first for some archetypes, instead of their default.
    pub first_values: Arc<[ArchetypeValueConfig]>,
    /// Whether characters can use abilities; then there are [`crate::abilities::CombatRules`].
    pub has_abilities: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// How many ticks a player's last input is repeated.
    pub input_repeat_ticks: u32,
    /// Who is in a view, less what has given way to load.
    pub interest: InterestRules,
    /// From how far bots may be seen, in metres: nearer to a player none appears or disappears.
    pub bots_seen_from_m: f32,
    /// Where characters appear.
    pub spawn_areas: Arc<[SpawnAreaConfig]>,
    /// How many characters there are to be, and whose.
    pub population: PopulationConfig,
}

impl InstanceRules {
    /// How fast the fastest run, in metres per second.
    pub(crate) fn run_speed_max_mps(&self) -> f32 {
        self.gaits.all().map(|gait| gait.run_speed_mps).fold(0.0, f32::max)
    }
}

impl Instance {
    /// A world at tick 0 with nobody in it; the first tick fills it. `clock` is only used to time the phases.
    ///
    /// # Errors
    /// When the terrain file's samples are missing or attributes are wrong, which [`throng_shared::config::load_world`] rules out.
    pub fn new(loaded: &LoadedWorld, clock: Arc<dyn Clock>) -> Result<Instance, InstanceError> {
        Instance::with_system_order(loaded, clock, None)
    }

    /// As [`Instance::new`], with the order of systems shuffled wherever none is written. Results do not depend on it.
    ///
    /// # Errors
    /// As [`Instance::new`].
    pub fn with_system_order(
        loaded: &LoadedWorld,
        clock: Arc<dyn Clock>,
        order_seed: Option<u64>,
    ) -> Result<Instance, InstanceError> {
        let config = &loaded.config;
        let map = Arc::new(Map::new(config, loaded.terrain_samples.as_ref())?);
        let mut world = World::new();
        world.insert_resource(Tick(0));
        world.init_resource::<NearPeople>();
        world.init_resource::<Marks>();
        world.insert_resource(Grid::new(config.size_m, config.interest.leave_radius_m));
        let rate = TickRate::new(config.tick_rate_hz);
        let attributes = Arc::new(Schema::new(config.attributes.clone())?);
        world.insert_resource(Roster::new(config.seed));
        let interest = InterestRules::new(config.size_m, &config.interest, rate);
        world.insert_resource(OverloadRules::new(config.overload.clone(), interest, config.bots.think_interval_ms));
        world.init_resource::<WallTime>();
        let hours = WorldHours::new(config, Tick(0));
        let combat = combat_rules(loaded, &attributes, &hours);
        if loaded.combat.is_some() && combat.is_none() {
            return Err(InstanceError::Abilities);
        }
        world.insert_resource(hours);
        world.init_resource::<Attendance>();
        world.insert_resource(bot_world(BotWorld::new(Arc::clone(&map), config), &interest, combat.as_ref()));
        world.init_resource::<RoutePlanner>();
        world.init_resource::<Thoughts>();
        world.init_resource::<Packs>();
        let pages = Pages::new(config.size_m, config.interest.enter_radius_m, rate, Arc::clone(&attributes));
        world.insert_resource(if combat.is_some() { pages.with_abilities(rate) } else { pages });
        world.insert_resource(InstanceRules {
            map,
            tick_rate: rate,
            bots_seen_from_m: bots_seen_from_m(&attributes, &config.archetype_values, &interest),
            has_abilities: combat.is_some(),
            attributes,
            archetype_names: config.archetype_names().into(),
            gaits: Gait::of_all(&config.movement, &config.archetypes),
            first_values: config.archetype_values.as_slice().into(),
            seed: config.seed,
            input_repeat_ticks: config.input_repeat_ticks,
            interest,
            spawn_areas: config.spawn_areas.clone().into(),
            population: config.population.clone(),
        });
        world.init_resource::<CharacterColumns>();
        world.init_resource::<Sessions>();
        world.init_resource::<Totals>();
        world.init_resource::<GameMessages>();
        world.init_resource::<Inbound>();
        world.init_resource::<Outbound>();
        world.init_resource::<Frames>();
        let mut instance = Instance {
            world,
            phases: Phase::ALL.map(|phase| (phase, tick::schedule(phase, order_seed))).into(),
            clock,
            phase_times: [Duration::ZERO; Phase::ALL.len()],
            name: config.name.clone(),
            hash: loaded.hash,
            players_max: config.population.players_max as usize,
        };
        if let Some(combat) = combat {
            instance.keep_poses(combat.rewind_max_ms);
            instance.world.insert_resource(combat);
            instance.world.init_resource::<CombatLog>();
            instance.world.init_resource::<Projectiles>();
        }
        Ok(instance)
    }

    /// Lives through one tick: takes what is in `inbound`, appends to `outbound`. Both keep their memory.
    pub fn tick(&mut self, inbound: &mut InboundBatch, outbound: &mut OutboundBatch) {
        let mut tick = self.world.resource_mut::<Tick>();
        *tick = *tick + 1;
        std::mem::swap(&mut self.world.resource_mut::<Inbound>().0, inbound);
        std::mem::swap(&mut self.world.resource_mut::<Outbound>().0, outbound);
        let mut lap_start = self.clock.now();
        for (phase, schedule) in &mut self.phases {
            schedule.run(&mut self.world);
            let now = self.clock.now();
            self.phase_times[*phase as usize] = now.saturating_sub(lap_start);
            lap_start = now;
        }
        // What was removed is remembered for two ticks, for rules that ask; without this, for ever.
        self.world.clear_trackers();
        std::mem::swap(&mut self.world.resource_mut::<Inbound>().0, inbound);
        std::mem::swap(&mut self.world.resource_mut::<Outbound>().0, outbound);
        inbound.clear();
    }

    /// Why a client is told of a character, or is not: exactly one reason.
    pub fn explain(&self, client: ClientId, entity: NetId) -> Explanation {
        let (pages, columns) = (self.world.resource::<Pages>(), self.world.resource::<CharacterColumns>());
        let Some(session) = self.sessions().get(client) else { return Explanation::NoClient };
        let Some(page) = pages.page_of(entity) else { return Explanation::NoEntity };
        if session.connection.is_none() {
            return Explanation::Disconnected;
        }
        if session.net_id == entity {
            return Explanation::Own;
        }
        let viewer = pages.viewer(session.net_id);
        let anchors_m: Vec<Vec2> = session.sees_from_m(columns, pages, &viewer).collect();
        session.view.explain(pages, &self.rules().interest, &viewer, &anchors_m, page)
    }

    /// The hour of the world, and what it brings.
    pub fn hours(&self) -> &WorldHours {
        self.world.resource::<WorldHours>()
    }

    /// How many there are where, as last counted.
    pub fn attendance(&self) -> &Attendance {
        self.world.resource::<Attendance>()
    }

    /// The last tick that was lived through.
    pub fn current_tick(&self) -> Tick {
        *self.world.resource::<Tick>()
    }

    /// Ticks per second.
    pub fn tick_rate(&self) -> TickRate {
        self.rules().tick_rate
    }

    /// What the world file says.
    pub fn rules(&self) -> &InstanceRules {
        self.world.resource::<InstanceRules>()
    }

    /// Name of the world.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hash of the world's files.
    pub fn world_hash(&self) -> u64 {
        self.hash
    }

    /// Most players at once.
    pub fn players_max(&self) -> usize {
        self.players_max
    }

    /// Time spent in each of [`Phase::ALL`] during the last tick.
    pub fn phase_times(&self) -> &[Duration; Phase::ALL.len()] {
        &self.phase_times
    }

    /// Time that the last tick took.
    pub fn tick_time(&self) -> Duration {
        self.phase_times.iter().sum()
    }

    /// The world's overload ladder, and where it stands.
    pub fn overload(&self) -> &OverloadRules {
        self.world.resource::<OverloadRules>()
    }

    /// Counts since the start.
    pub fn totals(&self) -> Totals {
        *self.world.resource::<Totals>()
    }

    /// Where everybody is, after the last tick.
    pub fn columns(&self) -> &CharacterColumns {
        self.world.resource::<CharacterColumns>()
    }

    /// In which pages they are.
    pub fn pages(&self) -> &Pages {
        self.world.resource::<Pages>()
    }

    /// Who is connected.
    pub fn sessions(&self) -> &Sessions {
        self.world.resource::<Sessions>()
    }

    /// What the last tick has told a client, encoded; empty for nothing.
    pub fn snapshot_of(&self, client: ClientId) -> &[u8] {
        let place = self.sessions().place(client);
        place.map_or(&[], |place| self.world.resource::<Frames>().get(place))
    }

    /// The exact state of a client's character.
    pub fn character_of(&self, client: ClientId) -> Option<(NetId, CharacterState)> {
        let session = self.sessions().get(client)?;
        Some((session.net_id, *self.world.get::<CharacterState>(session.entity)?))
    }

    /// The entity of a character, if it exists. O(log n).
    pub fn entity_of(&self, net_id: NetId) -> Option<Entity> {
        self.world.resource::<Roster>().entity_of(net_id)
    }

    /// What a character has besides a place, to be read or changed; none when it does not exist.
    pub fn attributes_mut(&mut self, net_id: NetId) -> Option<Mut<'_, Attributes>> {
        let entity = self.entity_of(net_id)?;
        self.world.get_mut::<Attributes>(entity)
    }

    /// Sets a character down on the ground at a point (x, z), or at the free place next to it when an obstacle is there.
    /// False when the character does not exist.
    pub fn place(&mut self, net_id: NetId, point_m: Vec2) -> bool {
        let map = &self.rules().map;
        let state = CharacterState::standing_at(map, map.nearest_free(point_m));
        let entity = self.entity_of(net_id);
        match entity.and_then(|entity| self.world.get_mut::<CharacterState>(entity)) {
            Some(mut character) => {
                *character = state;
                true
            }
            None => false,
        }
    }

    /// Finds on all threads what would otherwise be found when first needed: the ways to the places of the world file, some 30 ms for each.
    pub fn prepare(&self) {
        self.world.resource::<BotWorld>().navigation.prepare();
    }

    /// Keeps where everybody was in the last ticks, so that shots can be judged up to `rewind_max_ms` back; see [`crate::combat::Judge`]. From the next tick
    /// on. What that takes in memory: see [`Poses`].
    ///
    /// # Panics
    /// When called twice.
    pub fn keep_poses(&mut self, rewind_max_ms: u32) {
        assert!(!self.world.contains_resource::<Poses>(), "poses are kept already");
        let rules = self.rules();
        let poses = Poses::new(rules.tick_rate, rewind_max_ms, 2.0 * rules.map.half_size_m, rules.run_speed_max_mps());
        self.world.insert_resource(poses);
        self.phase_mut(Phase::Record).add_systems(remember_poses.after(BuiltIn));
    }

    /// Judges a shot by what was at the end of the last tick; see [`crate::combat::Judge::judge`]. None in a world that does not keep poses.
    pub fn judge(&self, shot: &Shot) -> Option<Receipt> {
        let poses = self.world.get_resource::<Poses>()?;
        Some(judge(poses, self.columns(), &self.rules().map, shot))
    }

    /// Judges many at once; see [`crate::combat::Judge::judge_all`]. Nothing is appended in a world that does not keep poses.
    pub fn judge_all(&self, shots: &[Shot], out: &mut Vec<Receipt>) {
        if let Some(poses) = self.world.get_resource::<Poses>() {
            judge_all(poses, self.columns(), &self.rules().map, shots, out);
        }
    }

    /// The world itself, for rules and tools of your own.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world itself, to be changed between ticks. A character that is despawned is gone from the next tick on.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The systems of a phase, for rules of your own, before or after [`crate::tick::BuiltIn`]. A system that touches what
    /// another one does, without an order between them, is an error when the phase is next run.
    pub fn phase_mut(&mut self, phase: Phase) -> &mut Schedule {
        &mut self.phases[phase as usize].1
    }

    /// A number that is equal for equal worlds: every character's exact state, attributes and what hinders it, in the order of their names.
    pub fn fingerprint(&self) -> u64 {
        use std::hash::Hasher;
        let mut hasher = FxHasher::default();
        hasher.write_u32(self.current_tick().0);
        for (net_id, entity) in &self.world.resource::<Roster>().characters {
            hasher.write_u32(net_id.0);
            if let Some(state) = self.world.get::<CharacterState>(*entity) {
                for number in state.position_m.to_array().into_iter().chain(state.velocity_mps.to_array()) {
                    hasher.write_u32(number.to_bits());
                }
                hasher.write_u32(u32::from(state.yaw) << 1 | u32::from(state.grounded));
            }
            if let Some(fighter) = self.world.get::<Fighter>(*entity) {
                hasher.write(&fighter.encode(self.current_tick()));
            }
            if let Some(attributes) = self.world.get::<Attributes>(*entity) {
                attributes.view().values.iter().for_each(|&value| hasher.write_u32(value));
            }
        }
        if let Some(projectiles) = self.world.get_resource::<Projectiles>() {
            for projectile in projectiles.flying() {
                let numbers = projectile.position_m.to_array().into_iter().chain([projectile.left_m]);
                numbers.for_each(|number| hasher.write_u32(number.to_bits()));
            }
        }
        if let Some(log) = self.world.get_resource::<CombatLog>() {
            log.blows().iter().for_each(|blow| hasher.write_u64(u64::from(blow.by.0) << 32 | u64::from(blow.target.0)));
            log.totals.refused.iter().for_each(|&count| hasher.write_u64(count));
        }
        let frames = self.world.resource::<Frames>();
        for (place, session) in self.sessions().all().iter().enumerate() {
            hasher.write_u64(session.client.0);
            hasher.write(frames.get(place));
        }
        hasher.finish()
    }
}

/// What bots share: whoever can be shown to somebody is near to it, and moves as smoothly as can be.
pub(crate) fn bot_world(bots: BotWorld, interest: &InterestRules, combat: Option<&CombatRules>) -> BotWorld {
    let arms = combat.map_or([const { None }; Archetype::COUNT], arm_bots);
    BotWorld { near_m: bots.near_m.max(interest.sight_radius_m), arms, ..bots }
}

/// What bots fight with, and those who stand in for people.
pub(crate) fn arm_bots(combat: &CombatRules) -> [Option<Arc<Arms>>; Archetype::COUNT] {
    std::array::from_fn(|number| {
        let CombatRules { abilities, safe_ground, .. } = combat;
        let archetype = Archetype::from_number(number as u8)?;
        Arms::new(Arc::clone(abilities), Arc::clone(safe_ground), archetype).map(Arc::new)
    })
}

/// How characters fight at these hours, in a world in which they do. None too where an attribute is missing.
pub(crate) fn combat_rules(loaded: &LoadedWorld, attributes: &Schema, hours: &WorldHours) -> Option<CombatRules> {
    let config = loaded.combat.as_ref()?;
    let rules = CombatRules::new(
        config,
        TickRate::new(loaded.config.tick_rate_hz),
        attributes,
        &loaded.config.archetype_values,
    )?;
    Some(CombatRules { safe_ground: Arc::new(hours.safe_ground(&config.safe_zones)), ..rules })
}

/// From how far bots may be seen: as far as everybody, or as the farthest that a new one is seen from, of whatever archetype.
pub(crate) fn bots_seen_from_m(
    attributes: &Schema,
    first_values: &[ArchetypeValueConfig],
    interest: &InterestRules,
) -> f32 {
    let bots = (0..).map_while(Archetype::from_number).filter(|archetype| !archetype.is_player());
    let radius_of = |archetype| {
        let first = Attributes::first(attributes, archetype, first_values);
        attributes.layout(archetype).far_radius(first.view().values)
    };
    let radius = bots.map(radius_of).max().unwrap_or(0);
    let far_m = usize::from(radius).checked_sub(1).map(|place| attributes.far_radii_m()[place]);
    // A page may reach as much farther as it counts as larger.
    far_m.map_or(interest.sight_radius_m, |far_m| interest.sight_radius_m * far_m / interest.enter_radius_m)
}
