//! A crowd that crosses the town of `assets/worlds/town`, half of it each way.

use std::path::Path;
use std::sync::Arc;

use glam::Vec2;
use throng_bot_ai::BotMind;
use throng_server::batch::{Arrival, InboundBatch, OutboundBatch};
use throng_server::clock::{Clock, ManualClock};
use throng_server::instance::Instance;
use throng_server::net::ConnectionId;
use throng_shared::config::{BotsConfig, LoadedWorld, PopulationConfig, SpawnAreaConfig, load_world};
use throng_shared::ids::{ClientId, NetId};
use throng_shared::map::Map;
use throng_shared::movement::CharacterState;

/// On each side of the town, how far from its middle the crowd sets out, and arrives, in metres.
const SIDE_M: f32 = 66.0;
/// How wide the crowd stands, in metres.
const CROWD_RADIUS_M: f32 = 20.0;
/// Whoever has come so far beyond the middle is out of the town on the other side, in metres.
const ACROSS_M: f32 = 42.0;
/// Whoever gets no farther than `STUCK_M` in this time is stuck, in seconds and metres.
const STUCK_S: u32 = 8;
const STUCK_M: f32 = 2.0;

/// The crowd on its way.
pub struct Crossing {
    instance: Instance,
    inbound: InboundBatch,
    outbound: OutboundBatch,
    bots: Vec<Crosser>,
    deepest_m: f32,
}

/// One of the crowd.
#[derive(Clone, Debug)]
struct Crosser {
    net_id: NetId,
    start_m: Vec2,
    /// Where it last got somewhere, and when.
    checkpoint_m: Vec2,
    checkpoint_tick: u32,
    arrived: Option<u32>,
}

/// How far the crowd has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossingReport {
    /// Simulated time, in seconds.
    pub time_s: f32,
    /// Bots.
    pub bots: usize,
    /// Who has been on the other side.
    pub across: usize,
    /// Who has not, and has not come farther than 2 m in the last 8 s.
    pub stuck: usize,
    /// How deep anybody has ever been in a wall, in metres; negative for the least distance.
    pub deepest_m: f32,
    /// When half of those were across who are, and when the last was, in seconds.
    pub half_s: f32,
    /// See `half_s`.
    pub last_s: f32,
}

/// The town, with a crowd that has nothing to do but to go from one side to the other.
pub fn town_to_cross(bots: u32) -> LoadedWorld {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/worlds/town");
    let load = |name: &str| std::fs::read(folder.join(name));
    let mut world = load_world("assets/worlds/town", load).expect("the town that is shipped");
    let config = &mut world.config;
    config.population = PopulationConfig { target: bots, ..PopulationConfig::default() };
    let spawn = |x: f32| SpawnAreaConfig::disc(Vec2::new(x, 0.0), CROWD_RADIUS_M);
    config.spawn_areas = vec![spawn(-SIDE_M), spawn(SIDE_M)];
    config.bot_profiles.clear();
    config.zones.clear();
    config.events.clear();
    config.patrols.retain(|patrol| patrol.name == "across");
    config.bots = BotsConfig {
        idle_weight: 0.0,
        wander_weight: 0.0,
        patrol_weight: 1.0,
        follow_weight: 0.0,
        gather_weight: 0.0,
        flee_weight: 0.0,
        ..config.bots.clone()
    };
    world
}

impl Crossing {
    /// `bots` of them; with somebody in the middle of the town who watches, or without anybody.
    pub fn new(bots: u32, is_watched: bool) -> Crossing {
        Crossing::of(town_to_cross(bots), is_watched)
    }

    /// The same in a town that is not quite the one that is shipped.
    pub fn of(mut world: LoadedWorld, is_watched: bool) -> Crossing {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        world.config.population.target += u32::from(is_watched);
        let mut instance = Instance::new(&world, clock).expect("a town");
        let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
        let watcher = ClientId(1);
        if is_watched {
            let connection = ConnectionId { worker: 0, slot: 0, generation: 1 };
            inbound.arrivals.push(Arrival::Joined { client: watcher, connection, name: String::new() });
        }
        instance.tick(&mut inbound, &mut outbound);
        let watcher = instance.character_of(watcher).map(|(net_id, _)| net_id);
        if let Some(net_id) = watcher {
            instance.place(net_id, Vec2::ZERO);
        }
        let columns = instance.columns();
        let all = columns.net_ids.iter().zip(&columns.positions_m).filter(|(net_id, _)| Some(**net_id) != watcher);
        let crosser = |(&net_id, &start_m): (&NetId, &Vec2)| Crosser {
            net_id,
            start_m,
            checkpoint_m: start_m,
            checkpoint_tick: 0,
            arrived: None,
        };
        let bots = all.map(crosser).collect();
        Crossing { instance, inbound, outbound, bots, deepest_m: f32::NEG_INFINITY }
    }

    /// Lets a tick pass.
    pub fn step(&mut self) {
        self.instance.tick(&mut self.inbound, &mut self.outbound);
        self.outbound.clear();
        let tick = self.instance.current_tick().0;
        let map = Arc::clone(&self.instance.rules().map);
        for bot in &mut self.bots {
            let entity = self.instance.entity_of(bot.net_id);
            let Some(state) = entity.and_then(|entity| self.instance.world().get::<CharacterState>(entity)) else {
                continue;
            };
            let here_m = state.ground_position_m();
            self.deepest_m = self.deepest_m.max(depth_m(&map, state));
            if here_m.distance(bot.checkpoint_m) > STUCK_M {
                (bot.checkpoint_m, bot.checkpoint_tick) = (here_m, tick);
            }
            let is_across = here_m.x * bot.start_m.x.signum() < -ACROSS_M;
            bot.arrived = bot.arrived.or(is_across.then_some(tick));
        }
    }

    /// Where everybody set out and where it is (x, z), in metres, in the same order each time.
    pub fn places_m(&self) -> impl Iterator<Item = (Vec2, Vec2)> {
        let columns = self.instance.columns();
        let here_m = |bot: &Crosser| columns.row(bot.net_id).map_or(bot.start_m, |row| columns.positions_m[row]);
        self.bots.iter().map(move |bot| (bot.start_m, here_m(bot)))
    }

    /// Where those are who are stuck, and what they want, for messages.
    pub fn stuck_places(&self) -> Vec<String> {
        let world = self.instance.world();
        let place = |bot: &Crosser| {
            let mind = self.instance.entity_of(bot.net_id).and_then(|entity| world.get::<BotMind>(entity));
            format!("{} at {}, {:?}", bot.net_id.0, bot.checkpoint_m, mind.map(BotMind::goal))
        };
        self.stuck().map(place).collect()
    }

    fn stuck(&self) -> impl Iterator<Item = &Crosser> {
        let (tick, rate) = (self.instance.current_tick().0, self.instance.tick_rate());
        let is_stuck = move |bot: &&Crosser| bot.arrived.is_none() && tick - bot.checkpoint_tick > STUCK_S * rate.hz();
        self.bots.iter().filter(is_stuck)
    }

    /// The instance itself.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// How far they have come.
    pub fn report(&self) -> CrossingReport {
        let (tick, rate) = (self.instance.current_tick().0, self.instance.tick_rate());
        let mut arrivals: Vec<u32> = self.bots.iter().filter_map(|bot| bot.arrived).collect();
        arrivals.sort_unstable();
        let time_s = |ticks: Option<&u32>| ticks.map_or(f32::NAN, |&ticks| ticks as f32 * rate.step_s());
        CrossingReport {
            time_s: time_s(Some(&tick)),
            bots: self.bots.len(),
            across: arrivals.len(),
            stuck: self.stuck().count(),
            deepest_m: self.deepest_m,
            half_s: time_s(arrivals.get(arrivals.len() / 2)),
            last_s: time_s(arrivals.last()),
        }
    }
}

/// How deep a character is in whatever is a wall to it, in metres; no less than 1 m outside of all.
fn depth_m(map: &Map, state: &CharacterState) -> f32 {
    const ROOM_M: f32 = 1.0;
    let (rules, feet_m, point_m) = (&map.rules, state.position_m.y, state.ground_position_m());
    let near = map.obstacles.near(point_m);
    let walls = near
        .filter(|wall| wall.top_m > feet_m + rules.step_height_m && wall.bottom_m < feet_m + rules.capsule_height_m);
    let depths_m = walls.filter_map(|wall| wall.push_out(point_m, rules.capsule_radius_m + ROOM_M));
    depths_m.map(|push_m| push_m.length() - ROOM_M).fold(-ROOM_M, f32::max)
}
