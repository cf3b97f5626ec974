//! Clients come in, are refused, and are told when it is over.

use throng_client::{Client, ClientTransport, CloseReason, State};
use throng_shared::ids::InstanceId;
use throng_shared::limits::STRIKES_MAX;
use throng_shared::map::Map;
use throng_shared::wire::PROTOCOL_VERSION;
use throng_shared::wire::control::{self, ClientControl, GoodbyeReason, Hello, RefusalReason, ServerControl};
use throng_shared::wire::datagram::{CONTROL, Datagram};
use throng_tests::{Link, Plan, Sim, flat_world};

const BAD: Link =
    Link { one_way_ms: 60.0, jitter_ms: 30.0, loss_percent: 15.0, duplicate_percent: 5.0, reorder_percent: 5.0 };

/// Says something in place of a client's hello and returns the server's last word.
fn answer_to(sim: &mut Sim, id: u64, bytes: &[u8]) -> Option<ServerControl> {
    let mut transport = sim.connect_raw(id);
    let mut answer = None;
    sim.run_ticks_with(20, |sim| {
        transport.send(sim.now(), &[&[CONTROL], bytes].concat());
        transport.receive(sim.now(), &mut |bytes| {
            let datagram = Datagram::parse(bytes).expect("the server sends what can be parsed");
            answer = datagram.control.and_then(|message| control::decode(message).ok());
        });
    });
    answer
}

#[test]
fn an_incompatible_client_is_told_why_over_a_bad_link() {
    let mut sim = Sim::new(1).link(BAD).start();
    let hash = sim.instance(InstanceId(0)).world_hash();
    let hello = |version: u16, world_hash: u64| {
        let hello = Hello { version_min: version, version_max: version, ..Hello::new(world_hash, "Ann") };
        control::encode(&ClientControl::Hello(hello))
    };
    for (id, bytes, expected) in
        [(1, hello(7, hash), RefusalReason::Version), (2, hello(PROTOCOL_VERSION, 99), RefusalReason::World)]
    {
        match answer_to(&mut sim, id, &bytes) {
            Some(ServerControl::Refused(refused)) => {
                assert_eq!(refused.reason, expected);
                assert_eq!(
                    (refused.version_min, refused.version_max, refused.world_hash),
                    (PROTOCOL_VERSION, PROTOCOL_VERSION, hash)
                );
                assert_eq!(refused.world_name, "flat");
            }
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    let nonsense = answer_to(&mut sim, 3, b"let me in");
    assert_eq!(nonsense, Some(ServerControl::Goodbye(GoodbyeReason::Malformed)));
}

#[test]
fn a_client_with_other_world_files_closes_with_a_reason_that_says_what_to_do() {
    let mut sim = Sim::new(1).start();
    let mut world = flat_world(|_| ());
    world.hash += 1;
    let map = Map::new(&world.config, None).expect("a flat world needs no file");
    let mut client = Client::new(sim.connect_raw(7), map.into(), &world, "Ann");
    sim.run_ticks_with(10, |sim| client.update(sim.now()));
    let State::Closed(reason @ CloseReason::Refused(_)) = client.state() else { panic!("{:?}", client.state()) };
    assert!(reason.to_string().contains("use the same world files"), "{reason}");
}

#[test]
fn a_world_with_its_most_players_is_full_until_one_leaves() {
    let world = flat_world(|config| config.population.players_max = 3);
    let mut sim = Sim::new(1).world(world).start();
    let players = sim.connect_wanderers(3);
    let late = sim.start_connecting(InstanceId(0));
    sim.run_until_playing();
    let State::Closed(CloseReason::Refused(refused)) = sim.client(late).state() else { panic!("not refused") };
    assert_eq!(refused.reason, RefusalReason::Full);
    sim.leave(players[0]);
    sim.run_ticks(2);
    let later = sim.start_connecting(InstanceId(0));
    sim.run_until_playing();
    assert_eq!(*sim.client(later).state(), State::Playing);
}

#[test]
fn whoever_leaves_disappears_from_the_others_replicas() {
    let mut sim = Sim::new(1).link(BAD).start();
    let [ann, ben] = sim.connect();
    sim.run_ticks(20);
    assert!(sim.sees(ann, ben));
    sim.leave(ben);
    sim.run_ticks(20);
    assert!(!sim.sees(ann, ben));
    assert_eq!(sim.instance(InstanceId(0)).sessions().all().len(), 1);
}

#[test]
fn a_stopping_server_tells_everybody() {
    let mut sim = Sim::new(1).start();
    let players: [_; 5] = sim.connect();
    sim.stop_server();
    sim.run_ticks(5);
    for player in players {
        let expected = State::Closed(CloseReason::Goodbye(GoodbyeReason::ServerStopping));
        assert_eq!(*sim.client(player).state(), expected);
    }
}

#[test]
fn whoever_keeps_sending_nonsense_is_sent_away_and_the_others_do_not_notice() {
    let mut sim = Sim::new(1).start();
    let [honest, vandal] = sim.connect();
    sim.plan(honest, Plan::run(glam::Vec2::Y));
    let mut datagrams = 0;
    sim.run_ticks_with(STRIKES_MAX + 20, |sim| {
        let now = sim.now();
        let transport = sim.client_mut(vandal).transport_mut();
        // A frame that is none, and a datagram that is none.
        transport.send(now, &[1, 2, 3, 4]);
        transport.send(now, &[77; 40]);
        datagrams += 1;
    });
    let expected = State::Closed(CloseReason::Goodbye(GoodbyeReason::Malformed));
    assert_eq!(*sim.client(vandal).state(), expected);
    assert_eq!(*sim.client(honest).state(), State::Playing);
    assert_eq!(sim.instance(InstanceId(0)).sessions().all().len(), 1);
}
