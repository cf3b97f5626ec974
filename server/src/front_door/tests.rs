use super::*;
use throng_shared::limits::STRIKES_MAX;
use throng_shared::wire::control::Welcome;

const CLIENT: ClientId = ClientId(7);
const HOLD: Duration = Duration::from_secs(30);

/// A front door with two worlds of one place each, and what comes out of it.
struct Scene {
    door: FrontDoor,
    now: Duration,
    connections: u32,
    admissions: Vec<Admission>,
    outbound: OutboundBatch,
}

fn scene() -> Scene {
    let destination = |hash| Destination {
        world_name: format!("world-{hash}"),
        world_hash: hash,
        players_max: 1,
        attributes: Vec::new(),
    };
    Scene {
        door: FrontDoor::new(vec![destination(10), destination(11)], HOLD, 1),
        now: Duration::ZERO,
        connections: 0,
        admissions: Vec::new(),
        outbound: OutboundBatch::default(),
    }
}

fn hello(change: impl FnOnce(&mut Hello)) -> Vec<u8> {
    let mut hello = Hello::new(11, "Ann");
    change(&mut hello);
    control::encode(&ClientControl::Hello(hello))
}

fn token(session: u64, issued_at_ms: u64) -> TokenData {
    TokenData { instance: InstanceId(1), session, issued_at_ms }
}

impl Scene {
    fn connect(&mut self, client: ClientId, token: TokenData) -> ConnectionId {
        self.connect_at(0, client, token)
    }

    /// The same at the port of another network thread.
    fn connect_at(&mut self, worker: u16, client: ClientId, token: TokenData) -> ConnectionId {
        self.connections += 1;
        let connection = ConnectionId { worker, slot: self.connections, generation: 1 };
        self.handle(&NetEvent::Connected { connection, client, token: Some(token) }, &[]);
        connection
    }

    fn handle(&mut self, event: &NetEvent, bytes: &[u8]) {
        self.door.handle(self.now, event, bytes, &mut self.admissions, &mut Vec::new());
    }

    fn say(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let content = Content::Control;
        self.handle(&NetEvent::Received { content, connection, received_at: self.now, bytes: 0..0 }, bytes);
    }

    fn end(&mut self, connection: ConnectionId, end: ConnectionEnd) {
        self.handle(&NetEvent::Disconnected { connection, end }, &[]);
    }

    /// Lets an instance answer everybody whom it was told of.
    fn welcome(&mut self) {
        for (_, arrival) in &self.admissions {
            if let Arrival::Joined { client, .. } | Arrival::Resumed { client, .. } = arrival {
                let net_id = throng_shared::ids::NetId(1);
                let (version, tick, tick_rate_hz) = (PROTOCOL_VERSION, 1, 20);
                let welcome =
                    Welcome { version, tick, net_id, tick_rate_hz, channel: 0, is_resumed: false, attributes: 0 };
                self.outbound.welcomes.push((*client, welcome));
            }
        }
    }

    /// What is sent over a connection now.
    fn told(&mut self, connection: ConnectionId) -> Vec<ServerControl> {
        self.door.settle(self.now, &mut self.outbound, &mut self.admissions, |_| Tick(9));
        let shard = self.outbound.shard_of(connection);
        let controls = shard.controls().filter(|(to, _)| *to == connection);
        let told = controls.map(|(_, bytes)| control::decode(bytes).expect("what we send can be read")).collect();
        self.outbound.clear();
        told
    }

    fn take_admissions(&mut self) -> Vec<Arrival> {
        self.admissions
            .drain(..)
            .map(|(instance, arrival)| {
                assert_eq!(instance, InstanceId(1));
                arrival
            })
            .collect()
    }

    /// A client that plays, and what it was told.
    fn seated(&mut self, client: ClientId, token: TokenData, channel: u64) -> (ConnectionId, Welcome) {
        let connection = self.connect(client, token);
        self.say(connection, &hello(|hello| hello.channel = channel));
        self.welcome();
        match &self.told(connection)[..] {
            [ServerControl::Welcome(welcome)] => (connection, welcome.clone()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_fitting_hello_opens_the_world_of_the_token_and_is_answered_as_often_as_it_is_said() {
    let mut scene = scene();
    let connection = scene.connect(CLIENT, token(1, 1));
    scene.say(connection, &hello(|_| ()));
    assert_eq!(scene.told(connection), [], "the world has not let it in yet");
    let joined = Arrival::Joined { client: CLIENT, connection, name: "Ann".to_owned() };
    assert_eq!(scene.admissions, [(InstanceId(1), joined)]);
    assert_eq!(scene.door.player(connection), Some((CLIENT, InstanceId(1))));
    scene.welcome();
    let [ServerControl::Welcome(welcome)] = &scene.told(connection)[..] else { panic!("one welcome") };
    assert!(welcome.channel > 0 && !welcome.is_resumed);
    assert_eq!(scene.told(connection), [], "once is enough");
    scene.say(connection, &hello(|_| ()));
    assert_eq!(scene.told(connection), [ServerControl::Welcome(Welcome { tick: 9, ..welcome.clone() })]);
}

#[test]
fn whoever_does_not_fit_is_told_why_until_it_has_gone() {
    let cases: [(u16, Vec<u8>, RefusalReason); 4] = [
        (1, hello(|hello| (hello.version_min, hello.version_max) = (7, 9)), RefusalReason::Version),
        (1, hello(|hello| hello.world_hash = 10), RefusalReason::World),
        (2, hello(|_| ()), RefusalReason::UnknownInstance),
        (1, hello(|_| ()), RefusalReason::Full),
    ];
    let mut scene = scene();
    scene.seated(ClientId(1), token(1, 1), 0);
    scene.take_admissions();
    for (instance, bytes, expected) in cases {
        let connection = scene.connect(CLIENT, TokenData { instance: InstanceId(instance), ..token(1, 1) });
        scene.say(connection, &bytes);
        assert_eq!(scene.admissions, []);
        for _ in 0..3 {
            let [ServerControl::Refused(refused)] = &scene.told(connection)[..] else { panic!("{expected:?}") };
            assert_eq!((refused.reason, refused.version_max), (expected, PROTOCOL_VERSION));
        }
        scene.end(connection, ConnectionEnd::Quit);
        assert_eq!(scene.told(connection), []);
    }
    assert_eq!(scene.door.totals().refusals, 4);
}

#[test]
fn whoever_says_nothing_or_nonsense_is_sent_away() {
    let mut scene = scene();
    let connection = scene.connect(CLIENT, token(1, 1));
    scene.say(connection, b"nonsense");
    scene.outbound.shard(0);
    scene.door.settle(scene.now, &mut scene.outbound, &mut scene.admissions, |_| Tick(1));
    assert_eq!(scene.outbound.shard(0).quarantines, [CLIENT], "kept out for a while");
    scene.outbound.clear();
    assert_eq!(scene.told(connection), [ServerControl::Goodbye(GoodbyeReason::Malformed)]);
    let silent = scene.connect(CLIENT, token(1, 1));
    scene.now = Duration::from_millis(HELLO_TIMEOUT_MS - 1);
    assert_eq!(scene.told(silent), []);
    scene.now = Duration::from_millis(HELLO_TIMEOUT_MS);
    assert_eq!(scene.told(silent), [ServerControl::Goodbye(GoodbyeReason::HelloTimeout)]);
    scene.now += Duration::from_millis(LINGER_MS);
    scene.door.settle(scene.now, &mut scene.outbound, &mut scene.admissions, |_| Tick(1));
    assert_eq!(scene.outbound.shard(0).closes, [silent]);
    assert_eq!(scene.door.visitor_count(), 0);
}

#[test]
fn a_name_that_is_too_long_is_cut_whatever_the_client_sends() {
    let mut scene = scene();
    let connection = scene.connect(CLIENT, token(1, 1));
    scene.say(connection, &hello(|hello| hello.name = "x".repeat(900)));
    let [Arrival::Joined { name, .. }] = &scene.take_admissions()[..] else { panic!("it joined") };
    assert_eq!(*name, "x".repeat(32));
}

#[test]
fn a_place_is_free_again_when_its_player_has_left_or_was_not_back_in_time() {
    let mut scene = scene();
    let (connection, _) = scene.seated(CLIENT, token(1, 1), 0);
    scene.end(connection, ConnectionEnd::Quit);
    scene.take_admissions();
    let (connection, _) = scene.seated(ClientId(8), token(1, 1), 0);
    scene.take_admissions();
    scene.end(connection, ConnectionEnd::TimedOut);
    assert_eq!(scene.take_admissions(), [Arrival::Broken { client: ClientId(8) }]);
    let late = scene.connect(CLIENT, token(1, 1));
    scene.say(late, &hello(|_| ()));
    let [ServerControl::Refused(refused)] = &scene.told(late)[..] else { panic!("held seats count") };
    assert_eq!(refused.reason, RefusalReason::Full);
    scene.now = HOLD;
    scene.told(late);
    assert_eq!(scene.take_admissions(), [Arrival::Left { client: ClientId(8) }]);
    let totals = scene.door.totals();
    assert_eq!((totals.seats_held, totals.seats_resumed, totals.seats_given_up), (1, 0, 1));
    scene.seated(CLIENT, token(1, 1), 0);
}

#[test]
fn who_comes_back_in_time_with_its_channel_goes_on_and_without_it_begins_anew_in_its_seat() {
    let mut scene = scene();
    let (first, welcome) = scene.seated(CLIENT, token(5, 1), 0);
    scene.end(first, ConnectionEnd::TimedOut);
    scene.take_admissions();
    scene.now = HOLD - Duration::from_millis(1);
    let (second, resumed) = scene.seated(CLIENT, token(5, 2), welcome.channel);
    assert_eq!((resumed.channel, resumed.is_resumed), (welcome.channel, true));
    let back = |connection, knows_world| [Arrival::Resumed { client: CLIENT, connection, knows_world }];
    assert_eq!(scene.take_admissions(), back(second, true));
    scene.now = 2 * HOLD;
    assert_eq!(scene.told(second), [], "the time of the former break is over and means nothing");
    assert_eq!(scene.take_admissions(), []);
    scene.end(second, ConnectionEnd::TimedOut);
    scene.take_admissions();
    // The number that the next channel would get, as if the client had it from another server.
    let (third, anew) = scene.seated(CLIENT, token(5, 3), welcome.channel + 2);
    assert!(!anew.is_resumed && anew.channel != welcome.channel + 2, "{anew:?}");
    assert_eq!(scene.take_admissions(), back(third, false));
}

#[test]
fn a_newer_token_takes_over_at_once_and_an_older_one_never() {
    let mut scene = scene();
    let (first, _) = scene.seated(CLIENT, token(5, 10), 0);
    scene.take_admissions();
    let late = scene.connect(CLIENT, token(5, 9));
    scene.say(late, &hello(|_| ()));
    assert_eq!(scene.told(late), [ServerControl::Goodbye(GoodbyeReason::Superseded)]);
    assert_eq!(scene.take_admissions(), []);
    let second = scene.connect(CLIENT, token(5, 11));
    scene.say(second, &hello(|_| ()));
    assert_eq!(scene.told(first), [ServerControl::Goodbye(GoodbyeReason::Replaced)]);
    let [Arrival::Resumed { connection, .. }] = scene.take_admissions()[..] else { panic!("the seat is the same") };
    assert_eq!(connection, second);
    // What becomes of the former connection does not concern the seat any more.
    scene.end(first, ConnectionEnd::Quit);
    assert_eq!((scene.take_admissions(), scene.door.player(second)), (vec![], Some((CLIENT, InstanceId(1)))));
    // A full world elsewhere does not cost the seat here.
    let full = scene.connect(ClientId(9), TokenData { instance: InstanceId(0), ..token(1, 1) });
    scene.say(full, &hello(|hello| hello.world_hash = 10));
    scene.admissions.clear();
    let elsewhere = scene.connect(CLIENT, TokenData { instance: InstanceId(0), ..token(6, 12) });
    scene.say(elsewhere, &hello(|hello| hello.world_hash = 10));
    let [ServerControl::Refused(refused)] = &scene.told(elsewhere)[..] else { panic!("it is full") };
    assert_eq!((refused.reason, scene.door.player(second).is_some()), (RefusalReason::Full, true));
    let third = scene.connect(CLIENT, token(6, 12));
    scene.say(third, &hello(|_| ()));
    assert_eq!(scene.told(second), [ServerControl::Goodbye(GoodbyeReason::Replaced)]);
    let [Arrival::Left { .. }, Arrival::Joined { .. }] = scene.take_admissions()[..] else { panic!("another visit") };
}

#[test]
fn a_seat_goes_from_one_network_thread_to_another_and_each_is_told_its_own_part() {
    let mut scene = scene();
    let (first, welcome) = scene.seated(CLIENT, token(5, 10), 0);
    scene.take_admissions();
    let second = scene.connect_at(1, CLIENT, token(5, 11));
    scene.say(second, &hello(|hello| hello.channel = welcome.channel));
    scene.welcome();
    scene.door.settle(scene.now, &mut scene.outbound, &mut scene.admissions, |_| Tick(9));
    let mut told_by = |worker| {
        let shard = scene.outbound.shard(worker);
        shard.controls().map(|(to, bytes)| (to, control::decode(bytes).expect("what we send can be read"))).collect()
    };
    let (by_first, by_second): (Vec<(_, ServerControl)>, Vec<(_, ServerControl)>) = (told_by(0), told_by(1));
    assert_eq!(by_first, [(first, ServerControl::Goodbye(GoodbyeReason::Replaced))]);
    let [(to, ServerControl::Welcome(again))] = &by_second[..] else { panic!("{by_second:?}") };
    assert_eq!((*to, again.channel, again.is_resumed), (second, welcome.channel, true), "nothing is missed");
    let [Arrival::Resumed { connection, .. }] = scene.take_admissions()[..] else { panic!("the seat is the same") };
    assert_eq!((connection, scene.door.player(second)), (second, Some((CLIENT, InstanceId(1)))));
    scene.end(first, ConnectionEnd::Quit);
    assert_eq!((scene.take_admissions(), scene.door.player(second).is_some()), (vec![], true));
}

#[test]
fn whoever_has_misbehaved_at_one_port_is_kept_out_at_all() {
    let mut scene = scene();
    let (connection, _) = scene.seated(CLIENT, token(1, 1), 0);
    scene.connect_at(1, ClientId(9), token(1, 1));
    scene.connect_at(2, ClientId(10), token(1, 1));
    [1, 2].into_iter().for_each(|worker| scene.outbound.shard(worker).quarantines.clear());
    scene.end(connection, ConnectionEnd::Malformed);
    scene.door.settle(scene.now, &mut scene.outbound, &mut scene.admissions, |_| Tick(9));
    for worker in 0..3 {
        assert_eq!(scene.outbound.shard(worker).quarantines, [CLIENT], "port {worker}");
    }
}

#[test]
fn a_control_message_that_is_none_is_forgiven_a_player_and_many_are_not() {
    let mut scene = scene();
    let (connection, _) = scene.seated(CLIENT, token(1, 1), 0);
    (1..STRIKES_MAX).for_each(|_| scene.say(connection, b"nonsense"));
    assert!(scene.told(connection).is_empty() && scene.door.player(connection).is_some());
    scene.say(connection, b"nonsense");
    assert_eq!(scene.told(connection), [ServerControl::Goodbye(GoodbyeReason::Malformed)]);
}

#[test]
fn whoever_is_kicked_goes_from_its_seat_from_a_held_one_and_before_it_has_one() {
    let mut scene = scene();
    let kicked = [ServerControl::Goodbye(GoodbyeReason::Kicked)];
    let kick = |scene: &mut Scene| scene.door.kick(scene.now, CLIENT, &mut scene.admissions);
    assert!(!kick(&mut scene), "nobody is there");
    let greeting = scene.connect(CLIENT, token(1, 1));
    assert!(kick(&mut scene));
    assert_eq!(scene.told(greeting), kicked);
    let (seated, _) = scene.seated(CLIENT, token(1, 2), 0);
    scene.take_admissions();
    // With another connection that is about to say hello.
    let second = scene.connect(CLIENT, token(1, 3));
    assert!(kick(&mut scene));
    assert_eq!((scene.told(seated), scene.told(second)), (kicked.to_vec(), kicked.to_vec()));
    assert_eq!(scene.take_admissions(), [Arrival::Left { client: CLIENT }]);
    let (broken, _) = scene.seated(CLIENT, token(1, 4), 0);
    scene.end(broken, ConnectionEnd::TimedOut);
    scene.take_admissions();
    assert!(kick(&mut scene) && !kick(&mut scene));
    assert_eq!(scene.take_admissions(), [Arrival::Left { client: CLIENT }]);
    let totals = scene.door.totals();
    assert_eq!((totals.goodbyes[GoodbyeReason::Kicked as usize], totals.seats_given_up), (3, 1));
    // Whoever comes back to begin anew has come back.
    let (broken, _) = scene.seated(CLIENT, token(1, 5), 0);
    scene.end(broken, ConnectionEnd::TimedOut);
    scene.seated(CLIENT, token(2, 6), 0);
    assert_eq!(scene.door.totals().seats_given_up, 1);
}

#[test]
fn one_account_keeps_one_connection_that_has_not_said_hello() {
    let mut scene = scene();
    let first = scene.connect(CLIENT, token(1, 1));
    let second = scene.connect(CLIENT, token(1, 2));
    assert_eq!(scene.told(first), [ServerControl::Goodbye(GoodbyeReason::Replaced)]);
    scene.say(second, &hello(|_| ()));
    assert!(scene.door.player(second).is_some());
    // Who plays is not disturbed by a further connection before that has said something.
    let third = scene.connect(CLIENT, token(1, 3));
    assert!(scene.told(second).is_empty() && scene.told(third).is_empty());
    assert!(scene.door.player(second).is_some());
}

#[test]
fn a_closing_door_sends_away_whoever_comes_yet() {
    let mut scene = scene();
    let (playing, _) = scene.seated(CLIENT, token(1, 1), 0);
    let greeting = scene.connect(ClientId(8), token(1, 1));
    scene.door.dismiss_all(scene.now, GoodbyeReason::ServerStopping);
    let late = scene.connect(ClientId(9), token(1, 1));
    scene.say(late, &hello(|_| ()));
    scene.say(greeting, &hello(|_| ()));
    for connection in [playing, greeting, late] {
        assert_eq!(scene.told(connection), [ServerControl::Goodbye(GoodbyeReason::ServerStopping)]);
    }
    scene.now = Duration::from_millis(LINGER_MS);
    scene.told(late);
    assert_eq!(scene.door.visitor_count(), 0);
}
