//! A model client that cheats in every way we can think of. The kit checks after every tick that nobody moved farther
//! than the rules allow, left the world or stands in an obstacle; here is checked that cheating gains nothing.

use std::time::Duration;

use glam::Vec2;
use throng_client::{ClientTransport, Replica, State};
use throng_shared::attributes::Schema;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits::INPUT_LEAD_TICKS_MAX;
use throng_shared::movement::CharacterState;
use throng_shared::quantised::QuantisedState;
use throng_shared::random::Random;
use throng_shared::tick::Tick;
use throng_shared::wire::control::{self, ClientControl, Hello};
use throng_shared::wire::datagram::{self, CONTROL, Datagram};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::snapshot::Snapshot;
use throng_tests::{MemoryClientTransport, Plan, PlayerHandle, Sim, flat_world};

const CHEAT: u64 = 666;
const TICKS: u32 = 200;

struct Cheat {
    transport: MemoryClientTransport,
    random: Random,
}

impl Cheat {
    /// Gets in honestly.
    fn enter(sim: &mut Sim) -> Cheat {
        let mut transport = sim.connect_raw(CHEAT);
        let hello = ClientControl::Hello(Hello::new(sim.instance(InstanceId(0)).world_hash(), "cheat"));
        let hello = [&[CONTROL], &control::encode(&hello)[..]].concat();
        sim.run_ticks_with(3, |sim| transport.send(sim.now(), &hello));
        assert!(sim.instance(InstanceId(0)).character_of(ClientId(CHEAT)).is_some(), "the cheat is in");
        Cheat { transport, random: Random::new(1, 1) }
    }

    fn send(&mut self, now: Duration, newest: Tick, inputs: &[PlayerInput], acks: SnapshotAcks) {
        let mut frame = Vec::new();
        InputFrame::new(newest, inputs, acks).encode(&mut frame);
        datagram::pack(Some(&frame), std::iter::empty(), &mut Vec::new(), |bytes| self.transport.send(now, bytes));
    }

    /// Plays by the rules: takes every snapshot in, and acknowledges those and no others.
    fn be_honest(&mut self, sim: &mut Sim, ticks: u32, replica: &mut Replica, acks: &mut SnapshotAcks) {
        sim.run_ticks_with(ticks, |sim| {
            self.transport.receive(sim.now(), &mut |bytes| {
                let frame = Datagram::parse(bytes).expect("the server packs it").frame;
                if let Some(frame) = frame {
                    let snapshot = Snapshot::decode(Schema::EMPTY, frame).expect("the server wrote it");
                    // What is told against something that was never received cannot be read.
                    if matches!(replica.apply(&snapshot), Ok(Some(_))) {
                        acks.insert(snapshot.header.tick);
                    }
                }
            });
            let next = sim.instance(InstanceId(0)).current_tick() + 1;
            self.send(sim.now(), next, &[PlayerInput::default()], *acks);
        });
    }
}

fn east() -> PlayerInput {
    PlayerInput::towards(Vec2::X, Buttons::RUN)
}

/// The strongest wish that fits the bits.
fn greedy() -> PlayerInput {
    PlayerInput { move_x: 127, move_z: 127, buttons: Buttons(0x7f), ..PlayerInput::default() }
}

fn state(sim: &Sim) -> Option<CharacterState> {
    sim.instance(InstanceId(0)).character_of(ClientId(CHEAT)).map(|(_, state)| state)
}

/// Lets a cheat cheat for [`TICKS`] ticks beside an honest runner; returns how far each came.
fn race(mut cheat_once: impl FnMut(&mut Cheat, &Sim, Tick)) -> (f32, f32) {
    let world = flat_world(|config| {
        config.obstacles.clear();
        config.spawn_areas[0].radius_m = 5.0;
    });
    let mut sim = Sim::new(9).world(world).start();
    let [honest] = sim.connect();
    let mut cheat = Cheat::enter(&mut sim);
    sim.plan(honest, Plan::Hold(PlayerInput { move_z: 127, ..greedy() }));
    let (cheat_start, honest_start) = (state(&sim).expect("it is in"), sim.character(honest).1);
    let mut last = cheat_start;
    sim.run_ticks_with(TICKS, |sim| {
        last = state(sim).unwrap_or(last);
        let tick = sim.instance(InstanceId(0)).current_tick();
        cheat_once(&mut cheat, sim, tick);
    });
    assert_eq!(*sim.client(honest).state(), State::Playing, "the honest player plays on");
    let far = |from: CharacterState, to: CharacterState| from.ground_position_m().distance(to.ground_position_m());
    (far(cheat_start, last), far(honest_start, sim.character(honest).1))
}

#[test]
fn more_inputs_per_tick_than_one_gain_nothing() {
    let (cheat_m, honest_m) = race(|cheat, sim, tick| {
        for ahead in 1..=8 {
            cheat.send(sim.now(), tick + ahead, &[greedy(); 3], SnapshotAcks::default());
        }
    });
    assert!(cheat_m > 10.0 && cheat_m <= honest_m * 1.02, "cheat {cheat_m} m, honest {honest_m} m");
}

#[test]
fn a_flood_of_frames_gains_nothing_and_costs_nobody() {
    let (cheat_m, honest_m) = race(|cheat, sim, tick| {
        for number in 0..500 {
            cheat.send(sim.now(), tick + 1 + number % 40, &[greedy(); 3], SnapshotAcks::default());
        }
    });
    assert!(cheat_m <= honest_m * 1.02, "cheat {cheat_m} m, honest {honest_m} m");
}

#[test]
fn ticks_of_the_past_and_far_future_are_ignored() {
    let (cheat_m, _) = race(|cheat, sim, tick| {
        for far in [Tick(0), Tick(1), tick - 5, tick, tick + INPUT_LEAD_TICKS_MAX + 1, Tick(u32::MAX)] {
            cheat.send(sim.now(), far, &[greedy()], SnapshotAcks::default());
        }
    });
    assert_eq!(cheat_m, 0.0, "none of these ticks is ever the next one");
}

#[test]
fn a_replayed_frame_moves_nobody_twice() {
    let (cheat_m, _) = race(|cheat, sim, tick| {
        let first = Tick(tick.0 - tick.0 % TICKS + 1);
        cheat.send(sim.now(), first, &[greedy()], SnapshotAcks::default());
    });
    // One input may have been for a tick to come; it is repeated for input_repeat_ticks and then no more.
    assert!(cheat_m <= 6.0 * 0.05 * 12.0, "{cheat_m} m");
}

#[test]
fn silence_repeats_the_last_input_for_a_moment_only() {
    let mut ticks = 0;
    let (cheat_m, _) = race(|cheat, sim, tick| {
        ticks += 1;
        if ticks == 1 {
            cheat.send(sim.now(), tick + 1, &[east()], SnapshotAcks::default());
        }
    });
    // One tick of its own, four repeated, and the way to a stop.
    assert!(cheat_m > 0.1 && cheat_m < 6.0 * 0.05 * 8.0, "{cheat_m} m");
}

/// Two honest players, one of whom wanders, and a forger who claims for [`TICKS`] ticks to have received what it never
/// looked at. Every replica of the honest is checked after every tick.
fn forge_acknowledgements() -> (Sim, [PlayerHandle; 2], Cheat) {
    let mut sim = Sim::new(9).oracle(2).start();
    let honest = sim.connect();
    let mut cheat = Cheat::enter(&mut sim);
    sim.plan(honest[0], Plan::Wander(Random::new(9, 1)));
    let snapshots_before = honest.map(|player| sim.client(player).stats().snapshots);
    sim.run_ticks_with(TICKS, |sim| {
        let tick = sim.instance(InstanceId(0)).current_tick();
        let forged = [
            SnapshotAcks { newest: Tick(u32::MAX), before: u32::MAX },
            SnapshotAcks { newest: tick + 1, before: u32::MAX },
            SnapshotAcks { newest: tick, before: u32::MAX },
            SnapshotAcks { newest: Tick(1), before: u32::MAX },
        ];
        for acks in forged {
            cheat.send(sim.now(), tick + 1, &[PlayerInput::default()], acks);
        }
        cheat.transport.receive(sim.now(), &mut |_| ());
    });
    for (player, before) in honest.into_iter().zip(snapshots_before) {
        let came = sim.client(player).stats().snapshots - before;
        assert!(came + 2 >= u64::from(TICKS), "a snapshot in every tick, not {came} in {TICKS}");
    }
    (sim, honest, cheat)
}

#[test]
fn forged_acknowledgements_take_nothing_from_the_honest() {
    let (sim, [ann, ben], _) = forge_acknowledgements();
    let (forger, _) = sim.instance(InstanceId(0)).character_of(ClientId(CHEAT)).expect("nobody sent it away");
    for player in [ann, ben] {
        assert!(sim.client(player).replica().get(forger).is_some(), "the honest know of the forger");
    }
    assert!(sim.sees(ann, ben) && sim.sees(ben, ann));
}

#[test]
fn a_forger_cannot_read_what_is_told_against_its_claims_and_is_told_anew_when_they_are_too_old() {
    let (mut sim, honest, mut cheat) = forge_acknowledgements();
    let (mut replica, mut acks) = (Replica::default(), SnapshotAcks::default());
    replica.leave_out(sim.instance(InstanceId(0)).character_of(ClientId(CHEAT)).expect("it is in").0);
    sim.plan(honest[0], Plan::Spin(97));
    cheat.be_honest(&mut sim, 20, &mut replica, &mut acks);
    assert!(replica.is_empty(), "it is told how they turn, and cannot say of whom");
    cheat.be_honest(&mut sim, 20, &mut replica, &mut acks);
    assert!(replica.get(sim.character(honest[0]).0).is_some(), "no baseline is as old as the last claim");
    for far_m in [170.0, 0.0] {
        for (player, z_m) in honest.into_iter().zip([0.0, 3.0]) {
            sim.plan(player, Plan::stand());
            sim.teleport(player, Vec2::new(-far_m, z_m));
        }
        cheat.be_honest(&mut sim, 40, &mut replica, &mut acks);
    }
    let known: Vec<_> = replica.entities().map(|entity| (entity.net_id, entity.state)).collect();
    let instance = sim.instance(InstanceId(0));
    let mut expected = honest.map(|player| {
        let (net_id, state) = sim.character(player);
        (net_id, QuantisedState::new(&state, instance.rules().map.rules.gait()))
    });
    expected.sort_by_key(|(net_id, _)| *net_id);
    assert_eq!(known, expected);
}

#[test]
fn random_bytes_in_every_place_are_survived() {
    let (cheat_m, honest_m) = race(|cheat, sim, tick| {
        for _ in 0..4 {
            let length = cheat.random.below(60) as usize;
            let mut bytes: Vec<u8> = (0..length).map(|_| cheat.random.next_u32() as u8).collect();
            if let Some(kind) = bytes.first_mut() {
                *kind &= 3;
            }
            cheat.transport.send(sim.now(), &bytes);
        }
        cheat.send(sim.now(), tick + 1, &[greedy()], SnapshotAcks::default());
    });
    assert!(cheat_m <= honest_m * 1.02, "cheat {cheat_m} m, honest {honest_m} m");
}

#[test]
fn walls_and_the_edge_of_the_world_hold_against_any_sequence_of_inputs() {
    let world = flat_world(|config| {
        config.size_m = 100.0;
        config.patrols.clear();
        config.spawn_areas[0].radius_m = 10.0;
    });
    for seed in 0..4 {
        let mut sim = Sim::new(seed).world(world.clone()).start();
        let mut cheat = Cheat::enter(&mut sim);
        let mut random = Random::new(seed, 77);
        let mut input = greedy();
        // What the kit checks after every tick is what this test is about.
        sim.run_ticks_with(600, |sim| {
            if random.percent(10.0) {
                let bits = random.next_u32();
                input = PlayerInput {
                    move_x: bits as i8,
                    move_z: (bits >> 8) as i8,
                    yaw: (bits >> 16) as u16,
                    buttons: Buttons(random.below(128) as u8),
                    ability: random.below(256) as u8,
                    ..PlayerInput::default()
                };
            }
            let next = sim.instance(InstanceId(0)).current_tick() + 1;
            cheat.send(sim.now(), next, &[input], SnapshotAcks::default());
        });
        assert!(state(&sim).is_some());
    }
}
