//! Attributes: everybody is told what it may know, and nobody a bit of anything else.

use glam::Vec2;
use throng_server::interest::Explanation;
use throng_server::session::Sessions;
use throng_shared::attributes::{Attributes, ChoiceAttribute, FlagAttribute, NumberAttribute, Schema};
use throng_shared::config::{LoadedWorld, PopulationConfig, read_world};
use throng_shared::ids::{InstanceId, NetId};
use throng_shared::link::LinkConditions;
use throng_shared::random::Random;
use throng_tests::{Plan, PlayerHandle, Sim, flat_world};

const WORLD: InstanceId = InstanceId(0);

/// A world in which people have a side, and secrets.
fn world() -> LoadedWorld {
    const TEXT: &str = r#"
        [world]
        name = "sides"
        size_m = 400.0
        [terrain]
        kind = "flat"
        [[spawn]]
        center_m = [0.0, 0.0]
        radius_m = 20.0
        [[attribute]]
        name = "side"
        kind = "choice"
        words = ["none", "red", "blue"]
        is_team = true
        [[attribute]]
        name = "health"
        kind = "number"
        max = 100.0
        default = 100.0
        [[attribute]]
        name = "mana"
        kind = "number"
        max = 1000.0
        step = 0.5
        visible_to = "team"
        [[attribute]]
        name = "gold"
        kind = "number"
        max = 1000000.0
        visible_to = "owner"
        [[attribute]]
        name = "suspicion"
        kind = "number"
        max = 15.0
        visible_to = "nobody"
        [[attribute]]
        name = "cloaked"
        kind = "flag"
        visible_to = "team"
        conceals_from = "other-teams"
        [[attribute]]
        name = "ghost"
        kind = "flag"
        conceals_from = "others"
    "#;
    let attributes = read_world("sides", TEXT).expect("it is right").attributes;
    flat_world(|config| {
        config.attributes = attributes;
        config.population = PopulationConfig { target: 0, players_max: 100, ..PopulationConfig::default() };
        config.interest.visible_max = 200;
        config.spawn_areas[0].radius_m = 60.0;
    })
}

/// Handles of all of them.
struct Handles {
    side: ChoiceAttribute,
    numbers: [NumberAttribute; 3],
    flags: [FlagAttribute; 2],
    /// What is for the rules alone, and clients are not told that there is.
    suspicion: Option<NumberAttribute>,
}

impl Handles {
    fn new(schema: &Schema) -> Handles {
        let number = |name| schema.number(name).expect(name);
        let flag = |name| schema.flag(name).expect(name);
        Handles {
            side: schema.choice("side").expect("side"),
            numbers: ["health", "mana", "gold"].map(number),
            flags: ["cloaked", "ghost"].map(flag),
            suspicion: schema.number("suspicion"),
        }
    }

    /// All values as numbers; none for those that are not known.
    fn read(&self, attributes: &Attributes) -> [Option<f32>; 7] {
        let [health, mana, gold] = [0, 1, 2].map(|place| attributes.get(&self.numbers[place]));
        let suspicion = self.suspicion.and_then(|suspicion| attributes.get(&suspicion));
        let [cloaked, ghost] = [0, 1].map(|place| attributes.get(&self.flags[place]).map(f32::from));
        [attributes.get(&self.side).map(|side| side as f32), health, mana, gold, suspicion, cloaked, ghost]
    }
}

fn handles(sim: &Sim) -> Handles {
    Handles::new(&sim.instance(WORLD).rules().attributes)
}

/// Changes what somebody has.
fn change<R>(sim: &mut Sim, player: PlayerHandle, change: impl FnOnce(&mut Attributes) -> R) {
    let (net_id, _) = sim.character(player);
    change(&mut sim.instance_mut(WORLD).attributes_mut(net_id).expect("it is in the world"));
}

fn attributes_of(sim: &mut Sim, net_id: NetId) -> Attributes {
    sim.instance_mut(WORLD).attributes_mut(net_id).expect("it is in the world").clone()
}

/// Changes something of somebody at random.
fn change_anything(sim: &mut Sim, players: &[PlayerHandle], random: &mut Random) {
    let handles = handles(sim);
    let player = players[random.below(players.len() as u32) as usize];
    let (which, value) = (random.below(12), random.between(0.0, 1.0));
    change(sim, player, |attributes| match which {
        0 => attributes.set(&handles.side, (value * 3.0) as u32),
        1 | 2 => attributes.set(&handles.flags[which as usize - 1], value < 0.3),
        _ => {
            let [health, mana, gold] = handles.numbers;
            let suspicion = handles.suspicion.expect("the server has it");
            let (number, most) = [(health, 100.0), (mana, 1_000.0), (gold, 1e6), (suspicion, 15.0)][which as usize % 4];
            attributes.set(&number, value * most)
        }
    });
}

/// Asserts that each client knows exactly what it may.
fn check(sim: &mut Sim, players: &[PlayerHandle]) -> u32 {
    let handles = handles(sim);
    let mut secrets_told = 0;
    for &viewer in players {
        let (own_id, _) = sim.character(viewer);
        let own = attributes_of(sim, own_id);
        let [side, .., cloaked, ghost] = handles.read(&own);
        let mut expected = handles.read(&own);
        expected[4] = None;
        // What it was told that there is, it looks up by itself.
        let told = Handles::new(sim.client(viewer).attributes().expect("it was told"));
        assert_eq!(told.read(sim.client(viewer).own_attributes()), expected, "{viewer:?}'s own");
        assert!(side.is_some() && cloaked.is_some() && ghost.is_some());
        for &other in players.iter().filter(|&&other| other != viewer) {
            let (net_id, _) = sim.character(other);
            let [its_side, health, mana, _, _, cloaked, ghost] = handles.read(&attributes_of(sim, net_id));
            let is_of_team = its_side == side;
            let is_concealed = ghost == Some(1.0) || cloaked == Some(1.0) && !is_of_team;
            let explanation = sim.instance(WORLD).explain(sim.client_id(viewer), net_id);
            let known = sim.client(viewer).replica().get(net_id).filter(|known| !known.is_missing());
            assert_eq!(is_concealed, matches!(explanation, Explanation::Concealed { .. }), "{explanation:?}");
            assert_eq!(known.is_some(), explanation.is_told(), "{viewer:?} of {other:?}: {explanation:?}");
            let Some(known) = known else { continue };
            let of_team = |value: Option<f32>| value.filter(|_| is_of_team);
            let expected = [its_side, health, of_team(mana), None, None, of_team(cloaked), ghost];
            assert_eq!(told.read(&known.attributes), expected, "{viewer:?} of {other:?}");
            secrets_told += u32::from(is_of_team);
        }
    }
    secrets_told
}

#[test]
fn on_bad_links_everybody_comes_to_know_exactly_what_it_may() {
    let link = LinkConditions { loss_percent: 5.0, one_way_ms: 60.0, jitter_ms: 40.0, ..LinkConditions::default() };
    for seed in 0..3 {
        let mut sim = Sim::new(seed).world(world()).link(link).start();
        let players = sim.connect_wanderers(40);
        let mut random = Random::new(seed, 7);
        for round in 0..4 {
            sim.run_ticks_with(60, |sim| (0..4).for_each(|_| change_anything(sim, &players, &mut random)));
            players.iter().for_each(|&player| sim.plan(player, Plan::stand()));
            sim.run_ticks(60);
            let secrets_told = check(&mut sim, &players);
            assert!(secrets_told > 100, "seed {seed}, round {round}: {secrets_told}");
            for &player in &players {
                sim.plan(player, Plan::Wander(Random::new(seed, random.next_u32().into())));
            }
        }
    }
}

#[test]
fn what_somebody_may_not_know_changes_no_bit_of_what_it_is_sent() {
    // Two worlds that differ in what reds may not know: a cloaked blue goes elsewhere, and secrets change.
    let run = |is_other: bool| {
        let mut world = world();
        world.config.interest.tiers = throng_tests::hilly_world(|_| ()).config.interest.tiers;
        let mut sim = Sim::new(5).world(world).start();
        let players = sim.connect_wanderers(24);
        let handles = handles(&sim);
        for (number, &player) in players.iter().enumerate() {
            change(&mut sim, player, |attributes| {
                attributes.set(&handles.side, 1 + number as u32 % 2);
                attributes.set(&handles.flags[0], number == 1);
            });
        }
        sim.run_ticks(60);
        let mut random = Random::new(9, 0);
        if is_other {
            sim.plan(players[1], Plan::run_east());
        }
        let mut frames = Vec::new();
        sim.run_ticks_with(160, |sim| {
            let blue = players[1 + 2 * random.below(12) as usize];
            let value = random.between(0.0, 1_000.0);
            if is_other {
                change(sim, blue, |attributes| attributes.set(&handles.numbers[1], value));
                change(sim, players[0], |attributes| {
                    attributes.set(&handles.suspicion.expect("the server has it"), value / 100.0)
                });
                change(sim, players[3], |attributes| attributes.set(&handles.numbers[2], value));
            }
            let frame = |player| sim.instance(WORLD).snapshot_of(sim.client_id(player)).to_vec();
            let reds: Vec<Vec<u8>> = players.iter().step_by(2).map(|&player| frame(player)).collect();
            frames.push((reds, frame(players[3])));
        });
        frames
    };
    let (one, other) = (run(false), run(true));
    for (tick, ((reds, _), (reds_of_other, _))) in one.iter().zip(&other).enumerate() {
        assert_eq!(reds, reds_of_other, "tick {tick}");
    }
    assert!(one.iter().zip(&other).any(|((_, blue), (_, blue_of_other))| blue != blue_of_other), "blues do know");
}

#[test]
fn whoever_is_concealed_is_gone_for_others_at_once_and_there_again_when_it_shows_itself() {
    let mut sim = Sim::new(2).world(world()).start();
    let players: [PlayerHandle; 3] = sim.connect();
    let handles = handles(&sim);
    for (&player, side) in players.iter().zip([1, 1, 2]) {
        sim.plan(player, Plan::stand());
        change(&mut sim, player, |attributes| attributes.set(&handles.side, side));
        sim.teleport(player, Vec2::new(5.0 * side as f32, 0.0));
    }
    sim.run_ticks(20);
    let [red, fellow, blue] = players;
    let (net_id, _) = sim.character(red);
    let explain = |sim: &Sim, viewer| sim.instance(WORLD).explain(sim.client_id(viewer), net_id);
    let is_known = |sim: &Sim, viewer| sim.client(viewer).replica().get(net_id).is_some();
    assert!(is_known(&sim, blue) && is_known(&sim, fellow));

    change(&mut sim, red, |attributes| attributes.set(&handles.flags[0], true));
    sim.run_ticks_with(2, |sim| assert!(is_known(sim, fellow), "its team sees it all the while"));
    assert_eq!(explain(&sim, blue), Explanation::Concealed { team_may_know: true });
    assert!(!is_known(&sim, blue), "it does not linger");
    sim.run_ticks_with(6, |sim| assert!(is_known(sim, fellow) && explain(sim, fellow).is_told()));

    // In whichever tick it happens, for not all look in each.
    for pause_ticks in 3..7 {
        change(&mut sim, red, |attributes| attributes.set(&handles.flags[0], false));
        sim.run_ticks_with(pause_ticks, |sim| assert!(is_known(sim, fellow)));
        change(&mut sim, red, |attributes| attributes.set(&handles.flags[0], true));
        sim.run_ticks_with(3, |sim| assert!(is_known(sim, fellow), "{pause_ticks}"));
    }

    // Who changes sides knows what its new side knows.
    change(&mut sim, blue, |attributes| attributes.set(&handles.side, 1));
    change(&mut sim, fellow, |attributes| attributes.set(&handles.side, 2));
    sim.run_ticks(20);
    assert!(is_known(&sim, blue) && !is_known(&sim, fellow));

    change(&mut sim, red, |attributes| attributes.set(&handles.flags[1], true));
    sim.run_ticks(4);
    assert_eq!(explain(&sim, blue), Explanation::Concealed { team_may_know: false });
    assert!(!is_known(&sim, blue));
    change(&mut sim, red, |attributes| {
        attributes.set(&handles.flags[0], false);
        attributes.set(&handles.flags[1], false);
    });
    sim.run_ticks(4);
    assert!(is_known(&sim, blue) && is_known(&sim, fellow), "it shows itself");
    check(&mut sim, &players);
}

#[test]
fn nobody_sees_from_where_somebody_is_who_is_concealed() {
    let mut sim = Sim::new(6).world(world()).start();
    let [viewer, watched, beside]: [PlayerHandle; 3] = sim.connect();
    let handles = handles(&sim);
    for (player, side, x_m) in [(viewer, 1, -150.0), (watched, 2, 150.0), (beside, 2, 155.0)] {
        sim.plan(player, Plan::stand());
        change(&mut sim, player, |attributes| attributes.set(&handles.side, side));
        sim.teleport(player, Vec2::new(x_m, 100.0));
    }
    let (anchor, _) = sim.character(watched);
    let client = sim.client_id(viewer);
    let mut sessions = sim.instance_mut(WORLD).world_mut().resource_mut::<Sessions>();
    sessions.get_mut(client).expect("it plays").attention.set_anchors(&[anchor]);
    sim.run_ticks(30);
    assert!(sim.sees(viewer, watched) && sim.sees(viewer, beside));
    change(&mut sim, watched, |attributes| attributes.set(&handles.flags[0], true));
    sim.run_ticks(30);
    assert!(!sim.sees(viewer, watched) && !sim.sees(viewer, beside));
    change(&mut sim, viewer, |attributes| attributes.set(&handles.side, 2));
    sim.run_ticks(30);
    assert!(sim.sees(viewer, watched) && sim.sees(viewer, beside), "it is of its team now");
}

#[test]
fn where_nothing_moves_a_secret_is_told_to_those_alone_whom_it_concerns() {
    let mut sim = Sim::new(3).world(world()).start();
    let players: [PlayerHandle; 6] = sim.connect();
    let handles = handles(&sim);
    for (number, &player) in players.iter().enumerate() {
        sim.plan(player, Plan::stand());
        change(&mut sim, player, |attributes| attributes.set(&handles.side, 1 + number as u32 % 2));
    }
    sim.run_ticks(60);
    // From the change on, who is sent more than what an idle client is sent.
    let mut told = [0; 6];
    change(&mut sim, players[0], |attributes| attributes.set(&handles.numbers[1], 70.0));
    sim.run_ticks_with(3, |sim| {
        for (told, &player) in told.iter_mut().zip(&players) {
            let snapshot = sim.instance(WORLD).snapshot_of(sim.client_id(player));
            *told += snapshot.len().saturating_sub(33);
        }
    });
    assert!([0, 2, 4].iter().all(|&place| told[place] > 0), "{told:?}");
    assert!([1, 3, 5].iter().all(|&place| told[place] == 0), "{told:?}");
    check(&mut sim, &players);
}

#[test]
fn who_comes_back_knows_what_has_changed_and_who_begins_anew_learns_all_of_it_again() {
    let mut sim = Sim::new(4).world(world()).start();
    let players = sim.connect_wanderers(8);
    let handles = handles(&sim);
    sim.cut(players[0]);
    sim.run_ticks(20);
    change(&mut sim, players[0], |attributes| attributes.set(&handles.numbers[2], 1_234.0));
    change(&mut sim, players[1], |attributes| attributes.set(&handles.numbers[0], 12.0));
    sim.reconnect(players[0]);
    sim.run_until_playing();
    players.iter().for_each(|&player| sim.plan(player, Plan::stand()));
    sim.run_ticks(40);
    check(&mut sim, &players);
    // Leaving and coming is another character, and another client knows nothing.
    sim.leave(players[7]);
    sim.run_ticks(5);
    let newcomer: [PlayerHandle; 1] = sim.connect();
    sim.plan(newcomer[0], Plan::stand());
    sim.run_ticks(40);
    check(&mut sim, &[&players[..7], &newcomer].concat());
    assert_eq!(sim.client(newcomer[0]).attributes().map(Schema::len), Some(6), "all but what is for the rules alone");
}
