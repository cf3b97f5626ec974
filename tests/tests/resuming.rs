//! Connections break, addresses change, players come back: to the same character, with nothing missed.

use std::time::Duration;

use bevy_ecs::prelude::ResMut;
use glam::Vec2;
use throng_client::{CloseReason, Resumption, SendError, State};
use throng_server::game_messages::GameMessages;
use throng_server::tick::{BuiltIn, Phase};
use throng_shared::ids::InstanceId;
use throng_shared::limits::GAME_MESSAGE_BYTES_MAX;
use throng_shared::quantised::quantise_position;
use throng_shared::wire::control::GoodbyeReason;
use throng_tests::{Link, Plan, PlayerHandle, Sim, flat_world};

use bevy_ecs::prelude::IntoScheduleConfigs;

const BAD: Link =
    Link { one_way_ms: 60.0, jitter_ms: 30.0, loss_percent: 10.0, duplicate_percent: 3.0, reorder_percent: 3.0 };

/// A game that sends every message back.
fn echo(mut messages: ResMut<GameMessages>) {
    let received: Vec<_> = messages.received().map(|(client, bytes)| (client, bytes.to_vec())).collect();
    for (client, bytes) in received {
        messages.send(client, &bytes).expect("it came in, so it is not too long");
    }
}

fn with_echo(mut sim: Sim) -> Sim {
    sim.instance_mut(InstanceId(0)).phase_mut(Phase::Simulate).add_systems(echo.after(BuiltIn));
    sim
}

/// Everything that has arrived at a player's.
fn messages(sim: &mut Sim, player: PlayerHandle) -> Vec<u32> {
    let client = sim.client_mut(player);
    let bytes = std::iter::from_fn(|| client.next_message());
    bytes.map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes"))).collect()
}

fn say(sim: &mut Sim, player: PlayerHandle, number: u32) {
    sim.client_mut(player).send_message(&number.to_le_bytes()).expect("there is room");
}

#[test]
fn whoever_reconnects_goes_on_with_its_character_its_view_and_every_message() {
    for (seed, link) in [(1, Link::default()), (2, BAD), (3, BAD)] {
        let mut sim = with_echo(Sim::new(seed).link(link).oracle(40).start());
        let [ann, ben] = sim.connect();
        sim.plan(ann, Plan::Spin(0));
        let (mut echoed, mut said) = (Vec::new(), 0);
        let (net_id, _) = sim.character(ann);
        for round in 0..4 {
            // Something is always under way when the connection breaks.
            for _ in 0..10 {
                say(&mut sim, ann, said);
                said += 1;
                sim.run_ticks(1);
                echoed.extend(messages(&mut sim, ann));
            }
            let visible = sim.client(ann).replica().len();
            sim.cut(ann);
            sim.run_ticks(15);
            if round % 2 == 0 {
                // The server notices first; otherwise the new connection takes over from one that seems to stand.
                sim.time_out(ann);
                sim.run_ticks(5);
            }
            say(&mut sim, ann, said);
            said += 1;
            sim.reconnect(ann);
            sim.run_until_playing();
            let resumption = sim.client(ann).resumption().expect("it came back");
            assert!(resumption.is_complete, "{resumption:?}");
            let waited = if round % 2 == 0 { 20 } else { 15 };
            assert!((waited..waited + 20).contains(&resumption.gap_ticks), "{resumption:?}");
            assert!(sim.client(ann).replica().len() >= visible.min(1), "the view is not forgotten");
            assert_eq!((sim.character(ann).0, sim.client(ann).net_id()), (net_id, Some(net_id)), "the same character");
            sim.run_ticks(40);
        }
        sim.run_ticks(100);
        echoed.extend(messages(&mut sim, ann));
        assert_eq!(echoed, (0..said).collect::<Vec<_>>(), "each once, in order");
        assert!(sim.sees(ann, ben) && sim.sees(ben, ann));
    }
}

#[test]
fn what_is_sent_to_somebody_who_is_away_is_there_when_it_comes_back() {
    let mut sim = Sim::new(1).start();
    let [ann] = sim.connect();
    let client = sim.client_id(ann);
    sim.cut(ann);
    sim.time_out(ann);
    sim.run_ticks(2);
    for number in 0..5u32 {
        let world = sim.instance_mut(InstanceId(0)).world_mut();
        world.resource_mut::<GameMessages>().send(client, &number.to_le_bytes()).expect("four bytes");
        sim.run_ticks(3);
    }
    sim.reconnect(ann);
    sim.run_until_playing();
    sim.run_ticks(5);
    assert_eq!(messages(&mut sim, ann), [0, 1, 2, 3, 4]);
}

#[test]
fn what_was_lost_when_the_connection_broke_is_said_again_at_once() {
    let mut sim = Sim::new(4).oracle(30).start();
    let [ann, ben] = sim.connect();
    sim.plan(ben, Plan::run_east());
    sim.run_ticks(10);
    // Ben stops while nothing reaches Ann, and rests for longer than any acknowledgement is awaited.
    sim.cut(ann);
    sim.run_ticks(5);
    sim.plan(ben, Plan::stand());
    sim.run_ticks(10);
    sim.time_out(ann);
    sim.run_ticks(80);
    sim.reconnect(ann);
    sim.run_until_playing();
    sim.run_ticks(4);
    let (net_id, state) = sim.character(ben);
    let seen = sim.client(ann).replica().get(net_id).expect("she saw him before");
    let off_m = sim.client(ann).interpolated(seen, sim.now() + Duration::from_secs(9)).position_m - state.position_m;
    assert!(off_m.length() < 0.02, "{off_m} m off");
}

#[test]
fn a_program_that_is_started_anew_misses_nothing_that_was_said_before_it_was_heard_of() {
    let mut sim = Sim::new(1).start();
    let player = sim.start_connecting(InstanceId(0));
    let client = sim.client_id(player);
    // Let in, greeted by the game, and cut off before the welcome has come.
    sim.run_ticks(1);
    while sim.instance(InstanceId(0)).character_of(client).is_none() {
        sim.run_ticks(1);
    }
    sim.cut(player);
    let world = sim.instance_mut(InstanceId(0)).world_mut();
    world.resource_mut::<GameMessages>().send(client, &7u32.to_le_bytes()).expect("four bytes");
    sim.run_ticks(5);
    sim.reconnect(player);
    sim.run_until_playing();
    sim.run_ticks(10);
    assert_eq!(messages(&mut sim, player), [7]);
}

#[test]
fn a_game_sends_a_player_away_and_the_player_is_told() {
    let mut sim = Sim::new(1).start();
    let [ann, ben] = sim.connect();
    let client = sim.client_id(ann);
    sim.instance_mut(InstanceId(0)).world_mut().resource_mut::<GameMessages>().send_away(client);
    sim.run_ticks(5);
    assert_eq!(*sim.client(ann).state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::Kicked)));
    assert!(sim.instance(InstanceId(0)).character_of(client).is_none() && sim.is_playing(ben));
}

#[test]
fn a_held_character_stands_where_it_was_and_others_see_it_until_its_time_is_over() {
    let world = flat_world(|config| config.population.stand_ins = false);
    let mut sim = Sim::new(1).world(world).hold(Duration::from_secs(5)).start();
    let [ann, ben] = sim.connect();
    sim.plan(ben, Plan::run_east());
    sim.run_ticks(20);
    sim.cut(ben);
    sim.time_out(ben);
    sim.run_ticks(20);
    let (_, there) = sim.character(ben);
    sim.run_ticks(70);
    assert_eq!(sim.character(ben).1.position_m, there.position_m);
    assert!(sim.sees(ann, ben));
    sim.run_ticks(20);
    assert!(!sim.sees(ann, ben), "five seconds are over");
    // Too late: all is new, and the client says so.
    let (former, _) = sim.character(ann);
    sim.reconnect(ben);
    sim.run_until_playing();
    sim.run_ticks(5);
    let resumption = sim.client(ben).resumption();
    assert_eq!(resumption, Some(Resumption { is_complete: false, gap_ticks: 0 }));
    assert!(sim.character(ben).0 > former && sim.sees(ben, ann) && sim.sees(ann, ben));
}

#[test]
fn a_second_program_of_the_same_player_takes_over_and_the_first_is_told() {
    let mut sim = Sim::new(1).start();
    let [ann] = sim.connect();
    let (net_id, _) = sim.character(ann);
    let transport = sim.connect_raw(sim.client_id(ann).0);
    let mut second = sim.client_over(transport);
    sim.run_ticks_with(10, |sim| second.update(sim.now()));
    assert_eq!(*sim.client(ann).state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::Replaced)));
    assert_eq!((second.state(), second.net_id()), (&State::Playing, Some(net_id)));
    // It knew nothing, so it is told everything.
    assert_eq!(second.resumption(), None);
    let [ben] = sim.connect();
    sim.run_ticks_with(10, |sim| second.update(sim.now()));
    assert_eq!(second.replica().len(), 1);
    assert!(sim.is_playing(ben));
    // The first does not come back by itself, and with its old knowledge it would not be let: its token is older.
    sim.client_mut(ann);
    let state = sim.client(ann).state().clone();
    sim.reconnect(ann);
    assert_eq!(*sim.client(ann).state(), state, "who was sent away stays away");
}

#[test]
fn messages_have_limits_and_the_limits_are_told() {
    let mut sim = Sim::new(1).start();
    let [ann] = sim.connect();
    let client = sim.client_mut(ann);
    assert_eq!(client.send_message(&[0; GAME_MESSAGE_BYTES_MAX + 1]), Err(SendError::TooLong));
    let sent = (0..1_000).take_while(|_| client.send_message(&[7; GAME_MESSAGE_BYTES_MAX]).is_ok()).count();
    assert!((50..100).contains(&sent), "{sent}");
    assert!(matches!(client.send_message(b"x".repeat(900).as_slice()), Err(SendError::Full(_))));
    // And all of it arrives, at the pace that the way allows.
    let received = |sim: &Sim| sim.instance(InstanceId(0)).world().resource::<GameMessages>().received().len();
    let mut arrived = 0;
    sim.run_ticks_with(200, |sim| arrived += received(sim));
    assert_eq!(arrived, sent);
}

#[test]
fn whoever_acknowledges_no_message_is_sent_away() {
    let mut sim = Sim::new(1).start();
    let [ann, ben] = sim.connect();
    let client = sim.client_id(ann);
    sim.cut(ann);
    for _ in 0..100 {
        let world = sim.instance_mut(InstanceId(0)).world_mut();
        world.resource_mut::<GameMessages>().send(client, &[1; GAME_MESSAGE_BYTES_MAX]).expect("just not too long");
        sim.run_ticks(1);
    }
    assert!(sim.instance(InstanceId(0)).character_of(client).is_none());
    assert_eq!(sim.host_mut().door_totals().goodbyes[GoodbyeReason::ChannelFull as usize], 1);
    assert!(sim.is_playing(ben));
}

#[test]
fn whoever_comes_back_learns_of_a_step_that_nobody_saw() {
    let world = flat_world(|config| config.population.stand_ins = false);
    let mut sim = Sim::new(1).world(world).hold(Duration::from_secs(60)).start();
    let [ann, ben, cat] = sim.connect();
    for (player, x_m, z_m) in [(ann, 5.0, 5.0), (ben, 6.0, 6.0), (cat, 150.0, 150.0)] {
        sim.plan(player, Plan::stand());
        sim.teleport(player, Vec2::new(x_m, z_m));
    }
    sim.run_ticks(40);
    // Neither of the two can look any more, and nobody else is near.
    for player in [ann, ben] {
        sim.cut(player);
        sim.time_out(player);
    }
    sim.run_ticks(100);
    assert!(sim.sees(ann, ben) && !sim.sees(cat, ben));
    sim.teleport(ben, Vec2::new(7.0, 8.0));
    sim.run_ticks(20);
    // Another looks before the first one does again.
    sim.teleport(cat, Vec2::new(-5.0, 5.0));
    sim.run_ticks(10);
    sim.reconnect(ann);
    sim.run_until_playing();
    sim.run_ticks(20);
    let (net_id, there) = sim.character(ben);
    for viewer in [cat, ann] {
        let seen = sim.client(viewer).replica().get(net_id).expect("it is in view");
        assert_eq!(seen.state.position, quantise_position(there.position_m));
    }
}
