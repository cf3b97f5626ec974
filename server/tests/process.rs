//! The real program over real sockets of this machine: it starts, plays, stops, and says what is wrong.

mod c_client;
mod planning;
mod support;

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;

use support::{Finished, Folder, Player, Server, repository, run, run_with, swarm_options, wait_until};
use throng_client::swarm::{self, SwarmOptions, SwarmReport};
use throng_client::{CloseReason, State, connect_token, token_data};
use throng_server::settings::{read_settings_file, read_world_folder};
use throng_server::tick::Phase;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::link::LinkConditions;
use throng_shared::netcode::NetcodeClient;
use throng_shared::wire::WireError;
use throng_shared::wire::control::GoodbyeReason;
use throng_shared::wire::key::ConnectKey;

/// Snapshots per second that the slowest client of a perfect link must get from a world of 20 Hz. A machine that is
/// busy with other tests loses a tick now and then; a server that is broken loses far more.
const SNAPSHOTS_PER_S_MIN: f64 = 15.0;

/// A key that is not the development key.
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Runs a swarm that must be let in, see everybody, and find no fault.
fn play(options: &SwarmOptions) -> SwarmReport {
    let report = swarm::run(options, &mut |_| ()).expect("the swarm starts");
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.completeness_percent, report.errors), (100.0, 0), "{report}");
    report
}

#[test]
fn a_server_with_nothing_but_its_defaults_tells_how_it_is() {
    let server = Server::start_in(Folder::new(), &[]);
    wait_until("it is ready", || {
        let answer = server.get("/readyz");
        let expected = if answer.status == 200 { "ready\n" } else { "starting: no tick yet\n" };
        assert_eq!(answer.body, expected);
        answer.status == 200
    });
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/nothing").status, 404);
    let metrics = server.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", metrics.head);
    assert!(metrics.body.ends_with("# EOF\n"));
    let ledger = server.get("/ledger");
    assert!(ledger.status == 200 && ledger.head.contains("content-type: application/json"), "{}", ledger.head);
    let ledger: serde_json::Value = serde_json::from_str(&ledger.body).expect("a JSON object");
    assert!(ledger["snapshot_bytes"].is_u64() && ledger["pages"][0]["delta_bytes"].is_u64(), "{ledger}");
    let explained = server.get("/explain?client=999&entity=1");
    assert!(explained.status == 200 && explained.body.contains("\"reason\":\"no_client\""), "{}", explained.body);
    for (path, status) in
        [("/explain?client=1", 400), ("/ledger?client=x", 400), ("/ledger?client=999", 404), ("/ledger?world=7", 404)]
    {
        assert_eq!(server.get(path).status, status, "{path}");
    }
    for phase in Phase::ALL {
        let count = format!("throng_phase_seconds_count{{world=\"meadow\",number=\"0\",phase=\"{}\"}}", phase.label());
        assert!(server.metric(&count).is_some_and(|count| count > 0.0), "{count} in {}", metrics.body);
    }
    assert!(server.world_metric("throng_tick_seconds_count", "meadow", 0).is_some_and(|count| count > 0.0));
    assert_eq!(server.world_metric("throng_players", "meadow", 0), Some(0.0));
    assert_eq!(server.world_metric("throng_characters", "meadow", 0), Some(500.0));
    // In a world without abilities too, of which nothing is said.
    let by_reason = |name: &str, reason: &str| {
        server.metric(&format!("{name}{{world=\"meadow\",number=\"0\",reason=\"{reason}\"}}"))
    };
    wait_until("bots have thought", || {
        by_reason("throng_bot_thoughts_total", "wander").is_some_and(|count| count > 0.0)
    });
    assert!(by_reason("throng_bot_ways_total", "found").is_some());
    assert!(server.world_metric("throng_bot_ways_waiting", "meadow", 0).is_some());
    for name in ["throng_bot_packs", "throng_bot_pack_members"] {
        assert_eq!(server.world_metric(name, "meadow", 0), Some(0.0), "no kind of the meadow's goes in packs");
    }
    assert!(!server.get("/metrics").body.contains("throng_abilities_refused_total{"));
}

#[test]
fn swarms_play_in_the_meadow_on_good_links_and_on_bad_ones() {
    let server = Server::start();
    let good = play(&swarm_options(server.game));
    assert!(good.snapshots_per_s_min >= SNAPSHOTS_PER_S_MIN, "{good}");
    server.wait_until_empty("meadow", 0);
    let conditions =
        LinkConditions { loss_percent: 5.0, one_way_ms: 30.0, jitter_ms: 10.0, ..LinkConditions::default() };
    play(&SwarmOptions { conditions, first_client_id: 2_000, ..swarm_options(server.game) });
    server.wait_until_empty("meadow", 0);
    for error in WireError::ALL {
        let malformed = format!("throng_net_malformed_total{{reason=\"{}\"}}", error.label());
        assert_eq!(server.metric(&malformed), Some(0.0), "{malformed}");
    }
    assert_eq!(server.metric("throng_refusals_total"), Some(0.0));
    for reason in throng_server::net::handshake_labels() {
        let refused = format!("throng_net_handshakes_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(server.metric(&refused), Some(0.0), "{refused}");
    }
}

#[test]
fn a_signal_stops_the_server_and_its_players_are_told() {
    for signal in ["TERM", "INT"] {
        let server = Server::start();
        let mut player = Player::connect(server.game, &ConnectKey::DEVELOPMENT);
        player.play_until("a few snapshots have come", |client| client.stats().snapshots > 2);
        server.signal(signal);
        player.play_until("the connection ends", |client| client.is_closed());
        assert_eq!(*player.state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::ServerStopping)), "{signal}");
        let finished = server.wait();
        assert_eq!(finished.exit_code, Some(0), "{signal}: {}", finished.stderr);
    }
}

#[test]
fn a_player_goes_on_over_another_socket_as_the_same_character() {
    let server = Server::start();
    let mut player = Player::connect(server.game, &ConnectKey::DEVELOPMENT);
    player.play_until("a few snapshots have come", |client| client.stats().snapshots > 5);
    let net_id = player.client_mut().net_id();
    // The first socket is closed, and the server is not told.
    player.reconnect(server.game, &ConnectKey::DEVELOPMENT);
    player.play_until("it is back", |client| client.resumption().is_some());
    let resumption = player.client_mut().resumption().expect("it is back");
    assert!(resumption.is_complete && resumption.gap_ticks < 100, "{resumption:?}");
    assert_eq!(player.client_mut().net_id(), net_id);
    let before = player.client_mut().stats().snapshots;
    player.play_until("it plays on", |client| client.stats().snapshots > before + 5);
    let is_counted = || {
        server.metric("throng_seats_resumed_total") == Some(1.0)
            && server.metric("throng_goodbyes_total{reason=\"replaced\"}") == Some(1.0)
            && server.world_metric("throng_players", "meadow", 0) == Some(1.0)
    };
    wait_until("it is counted", is_counted);
}

#[test]
fn an_operator_sees_who_is_there_and_sends_one_away() {
    let folder = Folder::new();
    folder.write("server.toml", "[http]\nkick = true\n");
    let server = Server::start_in(folder, &["--config", "server.toml", "--development-key"]);
    let mut player = Player::connect(server.game, &ConnectKey::DEVELOPMENT);
    player.play_until("a few snapshots have come", |client| client.stats().snapshots > 2);
    let clients: serde_json::Value = serde_json::from_str(&server.get("/clients").body).expect("a JSON object");
    let [client] = &clients["clients"].as_array().expect("a list")[..] else { panic!("{clients}") };
    assert!(client["is_connected"] == true && client["name"].is_string() && client["entity"].is_u64(), "{clients}");
    let id = client["client"].as_u64().expect("a number");
    let beyond = server.get(&format!("/clients?from={}", id + 1)).body;
    assert!(beyond.contains(r#""clients":[],"count":1,"next":null"#), "{beyond}");
    let order = format!("{{\"client\": {id}}}");
    for (method, headers, body, status) in [
        ("GET", "", &*order, 405),
        ("POST", "", "", 400),
        ("POST", "Origin: http://localhost\r\n", &order, 403),
        ("POST", "X-Forwarded-For: 192.0.2.1\r\n", &order, 403),
        ("POST", "", r#"{"client": 999999}"#, 404),
        ("POST", "", &order, 200),
    ] {
        let answer = server.request(method, "/kick", headers, body);
        assert_eq!(answer.status, status, "{method} {body}: {}", answer.body);
    }
    player.play_until("the connection ends", |client| client.is_closed());
    assert_eq!(*player.state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::Kicked)));
    server.wait_until_empty("meadow", 0);
    assert_eq!(server.metric("throng_goodbyes_total{reason=\"kicked\"}"), Some(1.0));
    for (path, status) in [("/clients?world=7", 404), ("/clients?from=x", 400)] {
        assert_eq!(server.get(path).status, status, "{path}");
    }
    assert_eq!(server.request("GET", "/clients", "Via: 1.1 proxy\r\n", "").status, 403);
    let closed = Server::start().request("POST", "/kick", "", &order);
    assert!(closed.status == 403 && closed.body.contains("kick = true"), "{}", closed.body);
}

#[test]
fn a_changed_world_file_is_taken_over_while_players_play_and_a_broken_one_is_refused_with_its_line() {
    let folder = Folder::new();
    let text = fs::read_to_string(repository("assets/worlds/meadow/world.toml")).expect("the meadow is there");
    folder.write("world/world.toml", &text);
    folder.copy_common_files();
    let write = |from: &str, to: &str| {
        let text = fs::read_to_string(folder.path().join("world/world.toml")).expect("it was written");
        assert!(text.contains(from), "{from}");
        folder.write("world/world.toml", &text.replace(from, to));
    };
    let world = folder.path().join("world");
    let server = Server::start_in(Folder::new(), &["--development-key", "--world", &world.display().to_string()]);
    let mut player = Player::connect(server.game, &ConnectKey::DEVELOPMENT);
    player.play_until("a few snapshots have come", |client| client.stats().snapshots > 5);
    let config = || -> serde_json::Value {
        let answer: serde_json::Value = serde_json::from_str(&server.get("/config").body).expect("a JSON object");
        answer["worlds"][0].clone()
    };
    assert_eq!((&config()["version"], &config()["problem"]), (&1.into(), &serde_json::Value::Null));
    write("target = 500", "target = 300");
    wait_until("it is taken over", || config()["version"] == 2);
    assert_eq!(config()["changes"], serde_json::json!(["population.target: 500 -> 300"]));
    wait_until("bots whom nobody sees have left", || {
        server.world_metric("throng_characters", "meadow", 0).is_some_and(|characters| characters < 450.0)
    });
    write("enter_radius_m = 100.0", "enter_radius_m = 120.0");
    wait_until("it is refused", || config()["refused"] == 1);
    let problem = config()["problem"].to_string();
    assert!(problem.contains("world.toml:") && problem.contains("leave_radius_m"), "{problem}");
    write("leave_radius_m = 115.0", "leave_radius_m = 140.0");
    write("within_m = 115.0", "within_m = 140.0");
    wait_until("it is right again", || config()["version"] == 3);
    assert_eq!(config()["problem"], serde_json::Value::Null);
    write("tick_rate_hz = 20", "tick_rate_hz = 30");
    wait_until("it is refused", || config()["refused"] == 2);
    assert!(config()["problem"].to_string().contains("tick rate"), "{}", config());
    write("tick_rate_hz = 30", "tick_rate_hz = 20");
    wait_until("it is as the world goes by", || config()["problem"].is_null());
    assert_eq!(config()["version"], 3);
    let before = player.client_mut().stats().snapshots;
    player.play_until("it plays on", |client| client.stats().snapshots > before + 5);
    assert_eq!(server.world_metric("throng_config_version", "meadow", 0), Some(3.0));
    assert_eq!(server.world_metric("throng_config_refused_total", "meadow", 0), Some(2.0));
}

#[test]
fn network_threads_share_the_players() {
    let server = Server::start_in(Folder::new(), &["--development-key", "--workers", "3"]);
    assert_eq!(server.games.len(), 3);
    assert!(server.greeting.contains(" --workers 3"), "{}", server.greeting);
    play(&SwarmOptions { servers: server.games.clone(), ..swarm_options(server.game) });
    server.wait_until_empty("meadow", 0);
}

#[test]
fn strangers_are_counted_and_not_logged_one_by_one() {
    let server = Server::start();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    // As long as a request for a connection, as short as nothing, and of every type.
    for number in 0..2_000usize {
        let packet = vec![(number % 256) as u8; [1, 20, 60, 1_078][number % 4]];
        socket.send_to(&packet, server.game).expect("loopback takes it");
    }
    let counted = || {
        let text = server.get("/metrics").body;
        let names =
            ["throng_net_refused_total", "throng_net_unknown_source_total", "throng_net_handshakes_refused_total"];
        let lines = text.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>()
    };
    wait_until("all are counted", || counted() >= 2_000.0);
    // And requests that get as far as a sealed part, which another key has sealed. The operator is told of the first
    // ones, and of all that come soon after them in one line later.
    let key = ConnectKey::parse(KEY).expect("a key");
    let token = connect_token(&[server.game], ClientId(1), token_data(), &key).expect("one address");
    let mut stranger = NetcodeClient::new(token, Duration::ZERO);
    let request = stranger.update(Duration::ZERO).expect("it asks at once");
    let told = |log: &str| log.matches("clients asked for a connection in vain").count();
    for requests in [200, 400] {
        for _ in 0..200 {
            socket.send_to(request, server.game).expect("loopback takes it");
        }
        wait_until("these are counted too", || counted() >= 2_000.0 + f64::from(requests));
        wait_until("the log tells of them", || told(&server.log()) > 0);
    }
    // By the time that somebody plays, whatever was to be said of them has been said.
    let mut player = Player::connect(server.game, &ConnectKey::DEVELOPMENT);
    player.play_until("a few snapshots have come", |client| client.stats().snapshots > 2);
    let log = server.log();
    assert_eq!(told(&log), 1, "{log}");
    assert!(log.lines().count() < 5, "{log}");
}

#[test]
fn a_server_without_a_key_of_its_own_lets_in_only_those_who_can_read_its_local_key() {
    let server = Server::start_in(Folder::new(), &[]);
    server.refuses(&ConnectKey::DEVELOPMENT);
    let local = server.local_key();
    assert!(server.greeting.contains(&format!("key in {}", local.path().display())), "{}", server.greeting);
    let key = local.read().expect("the server has made it");
    let mut player = Player::connect(server.game, &key);
    player.play_until("a few snapshots have come", |client| client.stats().snapshots > 2);
    // The next one goes on with it; with the flag it is not asked for.
    let folder = server.stop();
    let server = Server::start_in(folder, &[]);
    assert_eq!(server.local_key().read().expect("it is still there"), key);
    let mut player = Player::connect(server.game, &key);
    player.play_until("a few snapshots have come", |client| client.stats().snapshots > 2);
    let server = Server::start_in(server.stop(), &["--development-key"]);
    server.refuses(&key);
}

#[cfg(unix)]
#[test]
fn a_local_key_that_is_broken_stops_the_start() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let state = folder.path().display().to_string();
    for (text, mode, part) in [
        ("0011\n", 0o600, "throng/local.key does not hold a key"),
        (KEY, 0o644, "others may read or write the local key"),
    ] {
        folder.write("throng/local.key", text);
        let path = folder.path().join("throng/local.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        let Finished { exit_code, stdout, stderr } = run_with(folder.path(), [], &[("XDG_STATE_HOME", &state)]);
        assert_eq!((exit_code, &*stdout), (Some(2), ""), "{stderr}");
        for part in [part, "--key-file", "--development-key"] {
            assert!(stderr.contains(part), "no {part} in {stderr}");
        }
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }
    let nowhere = run_with(folder.path(), [], &[("XDG_STATE_HOME", ""), ("HOME", "")]);
    assert_eq!(nowhere.exit_code, Some(2));
    for part in ["XDG_STATE_HOME", "--key-file", "--development-key"] {
        assert!(nowhere.stderr.contains(part), "no {part} in {}", nowhere.stderr);
    }
}

#[test]
fn a_key_of_its_own_lets_in_only_those_who_have_it() {
    let folder = Folder::new();
    folder.write("throng.key", &format!("{KEY}\n"));
    let server = Server::start_in(folder, &["--key-file", "throng.key"]);
    server.refuses(&ConnectKey::DEVELOPMENT);
    let told = |log: &str| log.matches("clients asked for a connection in vain").count();
    wait_until("the log tells of them", || told(&server.log()) == 1);
    let mut player = Player::connect(server.game, &ConnectKey::parse(KEY).expect("a key"));
    player.play_until("a few snapshots have come", |client| client.stats().snapshots > 2);
    assert_eq!(server.metric("throng_net_connected"), Some(1.0));
}

#[test]
fn two_worlds_in_one_process_have_their_own_players() {
    let folder = Folder::new();
    for (name, hz, radius_m) in [("slow", 20, 20), ("fast", 40, 30)] {
        let text = format!(
            "[world]\nname = \"{name}\"\nsize_m = 400\n[simulation]\ntick_rate_hz = {hz}\n\
             [terrain]\nkind = \"flat\"\nheight_m = 5\n[population]\ntarget = 30\n\
             [[spawn]]\ncenter_m = [0, 0]\nradius_m = {radius_m}\n"
        );
        folder.write(&format!("{name}/world.toml"), &text);
    }
    let worlds = ["slow", "fast"].map(|name| read_world_folder(&folder.path().join(name)).expect("a world"));
    let server = Server::start_in(folder, &["--development-key", "--world", "slow", "--world", "fast"]);
    std::thread::scope(|scope| {
        for (number, world) in worlds.into_iter().enumerate() {
            let options = SwarmOptions {
                instance: InstanceId(number as u16),
                clients: 8 + 2 * number as u32,
                first_client_id: 1_000 * (1 + number as u64),
                world,
                ..swarm_options(server.game)
            };
            scope.spawn(move || {
                let report = play(&options);
                assert!(report.completeness_pairs > 0, "{report}");
            });
        }
        let players = |world: &str, number| server.world_metric("throng_players", world, number);
        wait_until("all are in", || (players("slow", 0), players("fast", 1)) == (Some(8.0), Some(10.0)));
    });
    server.wait_until_empty("slow", 0);
    server.wait_until_empty("fast", 1);
}

#[test]
fn the_greeting_names_all_that_players_must_be_given() {
    let server = Server::start();
    let options = |server: &Server| -> Vec<String> {
        let lines = server.greeting.lines().filter(|line| line.starts_with("Send it 50 players:  cargo run"));
        let options = lines.map(|line| line.split_once(" -- --server ").expect("it names the server").1);
        options.map(str::to_owned).collect()
    };
    assert_eq!(options(&server), [format!("{} --clients 50 --development-key", server.game)]);
    let server = Server::start_in(Folder::new(), &[]);
    assert_eq!(options(&server), [format!("{} --clients 50", server.game)]);
    let folder = Folder::new();
    let assets = repository("assets").join("worlds/meadow/world.toml");
    let world = fs::read_to_string(assets).expect("the meadow is there");
    for name in ["one", "the other"] {
        folder.write(&format!("{name}/world.toml"), &world);
    }
    folder.copy_common_files();
    folder.write("throng.key", KEY);
    let server = Server::start_in(folder, &["--world", "one", "--world", "the other", "--key-file", "throng.key"]);
    let game = server.game;
    assert_eq!(
        options(&server),
        [
            format!("{game} --clients 50 --world one --key-file throng.key"),
            format!("{game} --clients 50 --world 'the other' --instance 1 --key-file throng.key"),
        ]
    );
}

#[test]
fn the_greeting_says_where_else_the_key_must_be() {
    let folder = Folder::new();
    folder.write("server.toml", "[net]\nkey = \"environment\"\n");
    let server = Server::start_with(folder, &["--config", "server.toml"], &[("THRONG_KEY", KEY)]);
    assert!(server.greeting.contains("with the same THRONG_KEY in the environment"), "{}", server.greeting);
    assert!(!server.greeting.contains("--key-file"), "{}", server.greeting);
}

#[test]
fn whatever_is_wrong_is_said_in_one_message_with_a_remedy() {
    let folder = Folder::new();
    folder.write("localhost.toml", "[net]\nbind = \"localhost:7000\"\n");
    folder.write("environment.toml", "[net]\nkey = \"environment\"\n");
    folder.write("development.toml", "[net]\nkey = \"development\"\n");
    folder.write("broken/world.toml", "[world]\nname = \"broken\"\nsize_m = 500 m\n");
    folder.write("short.key", "00112233\n");
    let udp = UdpSocket::bind("127.0.0.1:0").and_then(|socket| Ok((socket.local_addr()?, socket))).expect("a port");
    let tcp = TcpListener::bind("127.0.0.1:0").and_then(|socket| Ok((socket.local_addr()?, socket))).expect("a port");
    // Arguments, and what the message has in it.
    let cases = [
        ("--config none.toml", "cannot read the settings file none.toml | --config and THRONG_CONFIG take a file"),
        ("--config localhost.toml", "localhost.toml:2:8: net.bind | write \"127.0.0.1:7000\""),
        ("--world nowhere", "nowhere/world.toml | does not exist | a world is a folder with a world.toml in it"),
        ("--world broken", "broken/world.toml:3:10: | write numbers without a unit"),
        (&format!("--bind {}", udp.0), &format!("UDP {}: | another server | --bind IP:PORT or net.bind", udp.0)),
        (&format!("--http {}", tcp.0), &format!("TCP {}: | another server | --http IP:PORT or http.bind", tcp.0)),
        ("--ready-file nowhere/ready", "cannot write nowhere/ready: | --ready-file takes a file in a folder"),
        ("--bind 192.0.2.1:7777", "local key is refused for 192.0.2.1:7777: | --key-file FILE | 127.0.0.1"),
        ("--development-key --bind 192.0.2.1:7777", "development key is refused for 192.0.2.1:7777 | --key-file FILE"),
        ("--config development.toml", "development.toml:2:7: net.key | with --development-key"),
        ("--bind 0.0.0.0:7777", "net.bind = 0.0.0.0:7777 | net.public_address"),
        ("--config environment.toml", "net.key = \"environment\" | THRONG_KEY is not set | openssl rand -hex 32"),
        ("--key-file short.key", "short.key does not hold a key | 64 hexadecimal digits | openssl rand -hex 32"),
        ("--key-file none.key", "cannot read the key file none.key: | 64 hexadecimal digits | --development-key"),
        ("--wurld meadow", "unexpected argument '--wurld' | '--world' | --help"),
        ("--threads many", "invalid value 'many' for '--threads <N>' | --help"),
    ];
    for (arguments, parts) in cases {
        let Finished { exit_code, stdout, stderr } = run(folder.path(), arguments.split(' '));
        assert_eq!(exit_code, Some(2), "{arguments}: {stderr}");
        assert_eq!(stdout, "", "a server that does not start greets nobody: {arguments}");
        assert_eq!(stderr.matches("error: ").count(), 1, "{arguments}: {stderr}");
        for part in parts.split(" | ") {
            assert!(stderr.contains(part), "{arguments}: no {part:?} in {stderr}");
        }
    }
}

#[test]
fn check_approves_of_the_worlds_and_settings_that_come_with_the_server() {
    for arguments in [&["check"][..], &["check", "assets"]] {
        let finished = run(&repository("."), arguments.iter().copied());
        assert_eq!((finished.exit_code, &*finished.stderr), (Some(0), ""));
        let lines: Vec<&str> = finished.stdout.lines().collect();
        assert!(lines.contains(&"ok: assets/server.toml: server settings"), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("ok: assets/worlds/meadow: 1000 x 1000 m")), "{lines:?}");
        assert!(lines.iter().all(|line| line.starts_with("ok: ")), "{lines:?}");
    }
}

#[test]
fn check_approves_of_settings_whose_key_is_there_or_will_be_in_the_environment() {
    let folder = Folder::new();
    folder.write("server/secret.key", &format!("{KEY}\n"));
    folder.write("server/server.toml", "[net]\nkey = \"file\"\nkey_file = \"secret.key\"\n");
    folder.write("environment/server.toml", "[net]\nkey = \"environment\"\n");
    let finished = run(folder.path(), ["check", "."]);
    assert_eq!((finished.exit_code, &*finished.stderr), (Some(0), ""));
    assert_eq!(finished.stdout.lines().count(), 2, "{}", finished.stdout);
}

#[test]
fn schema_prints_or_writes_what_comes_along_and_says_how_editors_come_to_use_it() {
    let folder = Folder::new();
    let written = run(folder.path(), ["schema", "--write", "editor/schemas"]);
    assert_eq!((written.exit_code, &*written.stderr), (Some(0), ""));
    for kind in ["world", "world-part", "abilities", "abilities-part", "server"] {
        let name = format!("{kind}.schema.json");
        let expected = fs::read_to_string(repository("assets/schema").join(&name)).expect("it comes along");
        let expected = expected.replace("\r\n", "\n");
        let printed = run(folder.path(), ["schema", kind]);
        assert_eq!((printed.exit_code, &*printed.stderr), (Some(0), ""));
        assert_eq!(printed.stdout, expected, "{kind}");
        let file = folder.path().join("editor/schemas").join(&name);
        assert_eq!(fs::read_to_string(&file).expect("it was written"), expected, "{kind}");
        assert!(written.stdout.contains(&format!("wrote {}", Path::new("editor/schemas").join(&name).display())));
        assert!(written.stdout.contains("#:schema ") && written.stdout.contains(&format!("{name}\n")));
    }
    folder.write("taken", "");
    let refused = run(folder.path(), ["schema", "--write", "taken"]);
    assert_eq!((refused.exit_code, &*refused.stdout), (Some(2), ""));
    assert!(refused.stderr.starts_with("error: taken: cannot be made a folder"), "{}", refused.stderr);
    for arguments in [&["schema"][..], &["schema", "worlds"], &["schema", "world", "--write", "."]] {
        let refused = run(folder.path(), arguments.iter().copied());
        assert_eq!((refused.exit_code, &*refused.stdout), (Some(2), ""), "{arguments:?}");
    }
}

#[test]
fn show_prints_a_world_that_is_the_same_without_what_it_includes() {
    let folder = Folder::new();
    let arena = repository("assets/worlds/arena");
    let arena = arena.to_str().expect("a path of the repository");
    let written = run(folder.path(), ["show", arena, "--write", "shown"]);
    assert_eq!((written.exit_code, &*written.stderr), (Some(0), ""));
    let worlds =
        [Path::new(arena), &folder.path().join("shown")].map(|folder| read_world_folder(folder).expect("a world"));
    assert_eq!(worlds[0], worlds[1]);
    let both = run(folder.path(), ["show", arena]).stdout;
    let [world, abilities] = ["world", "abilities"].map(|kind| run(folder.path(), ["show", arena, kind]).stdout);
    assert_eq!(both, format!("{world}\n{abilities}"));
    for (text, line) in [
        (&world, "run_speed_mps = 6.0                  # m/s; "),
        (&world, "slope_max_deg = 45.0                 # degrees; default\n"),
        (&abilities, "respawn_ms = 4000                    # ms; "),
        (&abilities, "# seen_from_m has no value"),
    ] {
        let is_there = text.lines().any(|shown| format!("{shown}\n").starts_with(line));
        assert_eq!(is_there, !line.contains("seen_from_m"), "{line}");
    }
    assert!(world.contains("worlds/common/movement.toml:7\n"), "{world}");
    let settings = repository("assets/server.toml");
    let shown = run(folder.path(), ["show", settings.to_str().expect("a path of the repository")]).stdout;
    assert!(shown.contains("\nspread_percent = 0                   # percent; default\n"), "{shown}");
    fs::write(folder.path().join("shown.toml"), &shown).expect("a file can be written");
    let [read, again] =
        [settings, folder.path().join("shown.toml")].map(|file| read_settings_file(&file).expect("settings"));
    assert_eq!(read, again);
    for (arguments, part) in [
        (&["show", "nowhere"][..], "error: nowhere/world.toml: world.toml does not exist"),
        (&["show", "shown", "--write", "shown"], "is there already"),
        (&["show"], "<WORLD>"),
    ] {
        let refused = run(folder.path(), arguments.iter().copied());
        assert_eq!((refused.exit_code, &*refused.stdout), (Some(2), ""), "{arguments:?}");
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}

#[test]
fn check_prints_every_mistake_of_every_world() {
    let tests = repository("tests");
    let finished = run(&tests, ["check", "broken-worlds"]);
    assert_eq!((finished.exit_code, &*finished.stdout), (Some(2), ""));
    let entries = fs::read_dir(tests.join("broken-worlds")).expect("broken worlds").map(|entry| entry.expect("one"));
    let folders: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    for folder in &folders {
        if !folder.join("world.toml").exists() {
            // Such a folder may hold worlds, but is none.
            continue;
        }
        let expected = fs::read_to_string(folder.join("expected.txt")).expect("an expected message");
        let expected = expected.replace("\r\n", "\n");
        assert!(finished.stderr.contains(expected.trim_end()), "not printed: {expected}");
    }
    assert!(folders.len() > 50);
}

#[test]
fn check_follows_settings_to_their_worlds_and_says_what_does_not_exist() {
    let folder = Folder::new();
    folder.write("two.toml", "[[world]]\nfolder = \"far/away\"\n[[world]]\nfolder = \"nowhere\"\n");
    folder.write("empty/readme.txt", "");
    folder.write("home/server.toml", "[[world]]\nfolder = \"worlds/mine\"\n");
    folder.write("home/worlds/mine/world.toml", "");
    folder.write("my.toml", "# mine\n[world] # of mine\nname = \"mine\"\n[terrain]\nkind = \"flat\"\n[[spawn]]\n");
    folder.write("no-key.toml", "[net]\nkey = \"file\"\nkey_file = \"none.key\"\n");
    folder.write("bad-key.toml", "[net]\nkey = \"file\"\nkey_file = \"bad.key\"\n");
    folder.write("bad.key", "00112233\n");
    let cases = [
        ("check two.toml", "error: far/away/world.toml: | error: nowhere/world.toml:"),
        ("check missing", "error: missing does not exist | name a world's folder"),
        ("check empty", "error: empty: no world.toml and no server.toml in it"),
        ("check my.toml", "error: my.toml: this is a world, but not named world.toml | error: | a folder of its own"),
        ("check no-key.toml", "error: no-key.toml: net.key_file: cannot read the key file none.key: | error: "),
        ("check bad-key.toml", "error: bad-key.toml: net.key_file: bad.key does not hold a key: | error: "),
        ("check home", "error: home/worlds/mine/world.toml: table [world] is missing"),
    ];
    for (arguments, parts) in cases {
        let finished = run(folder.path(), arguments.split(' '));
        assert_eq!(finished.exit_code, Some(2), "{arguments}");
        for part in parts.split(" | ") {
            assert_eq!(finished.stderr.matches(part).count(), 1, "{arguments}: {part:?} in {}", finished.stderr);
        }
    }
}
