//! A model client that cheats with abilities in every way we can think of. None gains anything: what it does to others is no more than what it could by the rules.

use glam::{Vec2, Vec3};
use throng_server::abilities::{CombatLog, RefusalRule};
use throng_shared::abilities::{UseRefusal, aim_towards};
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::input::PlayerInput;
use throng_shared::tick::Tick;
use throng_shared::wire::control::{self, ClientControl, Hello};
use throng_shared::wire::datagram::{self, CONTROL};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_tests::{MemoryClientTransport, Plan, PlayerHandle, Sim, fighting_world};

const ABILITIES: &str = r#"
    [combat]
    health = "health"
    respawn_ms = 60000
    rewind_max_ms = 250
    view_delay_max_ms = 150
    no_side = "none"
    deal_teams = true
    [[ability]]
    name = "rifle"
    kind = "hitscan"
    range_m = 60.0
    cooldown_ms = 500
    damage = 1.0
    [[ability]]
    name = "frost"
    kind = "hitscan"
    range_m = 60.0
    cooldown_ms = 50
    cost_attribute = "mana"
    cost = 10.0
    damage = 1.0
    [[ability]]
    name = "claw"
    kind = "melee"
    held_by = "bots"
    range_m = 20.0
    arc_deg = 360.0
    damage = 50.0
    [[ability]]
    name = "bolt"
    kind = "projectile"
    range_m = 60.0
    speed_mps = 50.0
    cooldown_ms = 500
    damage = 1.0
"#;

const RIFLE: u8 = 1;
const FROST: u8 = 2;
const CLAW: u8 = 3;
const BOLT: u8 = 4;

const CHEAT: ClientId = ClientId(666);

/// A cheat and somebody whom it would like to hurt, who stands where the test says.
struct Range {
    sim: Sim,
    victim: PlayerHandle,
    transport: MemoryClientTransport,
}

impl Range {
    fn new(cheat_m: Vec2, victim_m: Vec2) -> Range {
        let mut sim = Sim::new(5).world(fighting_world(ABILITIES, |_| ())).start();
        let [victim] = sim.connect();
        let mut transport = sim.connect_raw(CHEAT.0);
        let hello = ClientControl::Hello(Hello::new(sim.instance(InstanceId(0)).world_hash(), "cheat"));
        let hello = [&[CONTROL], &control::encode(&hello)[..]].concat();
        sim.run_ticks_with(3, |sim| datagram_out(&mut transport, sim, &hello));
        let (cheat, _) = sim.instance(InstanceId(0)).character_of(CHEAT).expect("the cheat is in");
        sim.teleport(victim, victim_m);
        let mut range = Range { sim, victim, transport };
        range.sim.run_ticks(1);
        assert!(range.sim.instance_mut(InstanceId(0)).place(cheat, cheat_m));
        // It was carried there, which no rule of movement allows.
        range.sim.pause_server(std::time::Duration::from_millis(300));
        range
    }

    fn now(&self) -> Tick {
        self.sim.instance(InstanceId(0)).current_tick()
    }

    /// An input that uses an ability on a point.
    fn aimed(&self, ability: u8, at_m: Vec3) -> PlayerInput {
        let (_, state) = self.sim.instance(InstanceId(0)).character_of(CHEAT).expect("it is in");
        let (yaw, pitch) = aim_towards(at_m - state.position_m - Vec3::Y * 1.6);
        PlayerInput { ability, yaw, pitch, view_back_steps: 64, ..PlayerInput::default() }
    }

    fn chest_m(&self) -> Vec3 {
        self.sim.character(self.victim).1.position_m + Vec3::Y
    }

    fn send(&mut self, newest: Tick, inputs: &[PlayerInput], acks: SnapshotAcks) {
        let (mut frame, now) = (Vec::new(), self.sim.now());
        InputFrame::new(newest, inputs, acks).encode(&mut frame);
        let transport = &mut self.transport;
        datagram::pack(Some(&frame), std::iter::empty(), &mut Vec::new(), |bytes| {
            throng_client::ClientTransport::send(transport, now, bytes);
        });
    }

    fn log(&self) -> &CombatLog {
        self.sim.instance(InstanceId(0)).world().resource::<CombatLog>()
    }

    /// What the victim has lost.
    fn damage(&mut self) -> f32 {
        let (net_id, _) = self.sim.character(self.victim);
        let health = self.sim.instance(InstanceId(0)).rules().attributes.number("health").expect("there is");
        let attributes = self.sim.instance_mut(InstanceId(0)).attributes_mut(net_id).expect("it is there");
        100.0 - attributes.get(&health).expect("it has it")
    }
}

fn datagram_out(transport: &mut MemoryClientTransport, sim: &Sim, bytes: &[u8]) {
    throng_client::ClientTransport::send(transport, sim.now(), bytes);
}

const OPEN_M: [Vec2; 2] = [Vec2::new(-80.0, -60.0), Vec2::new(-80.0, -40.0)];

#[test]
fn asking_in_every_tick_and_many_times_per_tick_is_no_faster_than_the_cooldown() {
    let mut range = Range::new(OPEN_M[0], OPEN_M[1]);
    for _ in 0..100 {
        let next = range.now() + 1;
        let input = range.aimed(RIFLE, range.chest_m());
        for ahead in 0..5 {
            range.send(next + ahead, &[input; 3], SnapshotAcks::default());
        }
        range.sim.run_ticks(1);
    }
    // 100 ticks of 50 ms, one shot per 500 ms.
    assert_eq!(range.damage(), 10.0);
    assert!(range.log().refused(RefusalRule::Use(UseRefusal::Cooldown)) >= 80);
}

#[test]
fn replayed_inputs_are_not_used_again() {
    let mut range = Range::new(OPEN_M[0], OPEN_M[1]);
    let (tick, input) = (range.now() + 1, range.aimed(RIFLE, range.chest_m()));
    for _ in 0..60 {
        for _ in 0..10 {
            range.send(tick, &[input; 3], SnapshotAcks::default());
        }
        range.sim.run_ticks(1);
    }
    assert_eq!((range.damage(), range.log().totals.used), (1.0, 1));
}

#[test]
fn nothing_goes_through_walls() {
    // The kit's wall stands between.
    let mut range = Range::new(Vec2::new(10.0, 0.0), Vec2::new(30.0, 0.0));
    for number in 0..100 {
        let ability = if number % 2 == 0 { RIFLE } else { BOLT };
        let (next, input) = (range.now() + 1, range.aimed(ability, range.chest_m()));
        range.send(next, &[input], SnapshotAcks::default());
        range.sim.run_ticks(1);
    }
    assert!(range.log().totals.used > 10);
    assert_eq!(range.damage(), 0.0);
}

#[test]
fn a_forged_view_reaches_back_no_farther_than_what_was_acknowledged_less_the_delay() {
    let mut range = Range::new(OPEN_M[0], OPEN_M[1]);
    let was_m = range.chest_m();
    // It runs away; the cheat goes on shooting where it was, and says that it sees it there.
    range.sim.plan(range.victim, Plan::run(Vec2::X));
    range.sim.run_ticks(20);
    let before = range.damage();
    for number in 0..60_u16 {
        let (next, newest) = (range.now() + 1, range.now());
        let acks = SnapshotAcks { newest, before: u32::MAX };
        let input = PlayerInput { view_back_steps: 64 * 5 + number * 1_000, ..range.aimed(RIFLE, was_m) };
        range.send(next, &[input], acks);
        range.sim.run_ticks(1);
    }
    assert!(range.log().totals.used >= 6);
    assert_eq!(range.damage(), before);
    assert!(range.log().refused(RefusalRule::View) > 50);
    // Three ticks of delay, and one for the tick itself: the world would rewind five.
    let rewound = range.log().receipts().map(|shot| shot.receipt.granted_rewind_ticks);
    assert!(rewound.fold(0.0, f64::max) <= 4.0);
    let refusal = range.log().refusals().rev().find(|refusal| refusal.rule == RefusalRule::View).expect("it was noted");
    assert!(refusal.asked > 900.0 && refusal.allowed <= 4.0, "{refusal:?}");
}

#[test]
fn whoever_withholds_its_acknowledgements_is_rewound_no_farther_than_the_world_allows() {
    let mut range = Range::new(OPEN_M[0], OPEN_M[1]);
    let (was_m, stale) = (range.chest_m(), range.now());
    range.sim.plan(range.victim, Plan::run(Vec2::X));
    range.sim.run_ticks(20);
    for _ in 0..40 {
        let next = range.now() + 1;
        let back = (next.since(stale) * 64) as u16;
        let input = PlayerInput { view_back_steps: back, ..range.aimed(RIFLE, was_m) };
        range.send(next, &[input], SnapshotAcks { newest: stale, before: 0 });
        range.sim.run_ticks(1);
    }
    assert_eq!(range.damage(), 0.0, "it left a second ago");
    let receipts: Vec<f64> = range.log().receipts().map(|shot| shot.receipt.granted_rewind_ticks).collect();
    assert!(receipts.len() >= 3 && receipts.iter().all(|&ticks| ticks <= 5.0), "{receipts:?}");
    assert_eq!(range.log().totals.clamped, receipts.len() as u64);
}

#[test]
fn what_is_not_held_not_there_or_not_paid_for_is_refused() {
    let mut range = Range::new(OPEN_M[0], OPEN_M[0] + Vec2::new(0.0, 2.0));
    for _ in 0..40 {
        for (ahead, ability) in [(1, CLAW), (2, 77), (3, FROST), (4, FROST)] {
            let (tick, input) = (range.now() + ahead, range.aimed(ability, range.chest_m()));
            range.send(tick, &[input], SnapshotAcks::default());
        }
        range.sim.run_ticks(4);
    }
    // 50 of mana, 10 each.
    assert_eq!(range.damage(), 5.0);
    for refusal in [UseRefusal::NotHeld, UseRefusal::Unknown, UseRefusal::Cost] {
        assert!(range.log().refused(RefusalRule::Use(refusal)) >= 30, "{refusal}");
    }
}

#[test]
fn the_dead_hurt_nobody() {
    let mut range = Range::new(OPEN_M[0], OPEN_M[1]);
    let (cheat, _) = range.sim.instance(InstanceId(0)).character_of(CHEAT).expect("it is in");
    let entity = range.sim.instance(InstanceId(0)).entity_of(cheat).expect("it is there");
    let world = range.sim.instance_mut(InstanceId(0)).world_mut();
    world.get_mut::<throng_shared::abilities::Fighter>(entity).expect("it fights").is_dead = true;
    for _ in 0..40 {
        let (next, input) = (range.now() + 1, range.aimed(RIFLE, range.chest_m()));
        range.send(next, &[PlayerInput { move_x: 127, ..input }], SnapshotAcks::default());
        range.sim.run_ticks(1);
    }
    assert_eq!(range.damage(), 0.0);
    assert!(range.log().refused(RefusalRule::Use(UseRefusal::Dead)) >= 35);
    let (_, state) = range.sim.instance(InstanceId(0)).character_of(CHEAT).expect("it is in");
    assert!(state.ground_position_m().distance(OPEN_M[0]) < 0.1, "nor do they walk");
}
