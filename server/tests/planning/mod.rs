//! The programs `throng plan` and `throng apply`, and what the server answers the latter over HTTP.

use std::fs;

use crate::support::{Folder, Server, repository, run};

/// A folder with the meadow as it is, with half as many bots, and broken in two places.
fn worlds() -> Folder {
    let folder = Folder::new();
    let meadow = fs::read_to_string(repository("assets/worlds/meadow/world.toml")).expect("the meadow is there");
    folder.copy_common_files();
    folder.write("meadow/world.toml", &meadow);
    folder.write("fewer/world.toml", &meadow.replace("target = 500", "target = 250"));
    folder.write("faster/world.toml", &meadow.replace("tick_rate_hz = 20", "tick_rate_hz = 30"));
    let broken = meadow.replace("target = 500", "target = 250.5").replace("size_m = 1000", "size_m = -1000");
    folder.write("broken/world.toml", &broken);
    folder.write(
        "apply.toml",
        "[net]\nkey = \"local\"\n[apply]\nenabled = true\ntick_ms_p99_max = 900.0\n[[world]]\nfolder = \"meadow\"\n",
    );
    folder
}

#[test]
fn a_plan_prints_what_would_change_and_says_what_is_wrong_with_either_world() {
    let folder = worlds();
    let plan = |arguments: &[&str]| {
        let short = ["--clients", "3", "--seconds", "1", "--warm-up", "0"];
        run(folder.path(), ["plan"].into_iter().chain(arguments.iter().copied()).chain(short))
    };
    let table = plan(&["fewer/world.toml", "--world", "meadow"]);
    assert_eq!(table.exit_code, Some(0), "{}", table.stderr);
    let bots = table.stdout.lines().find(|line| line.starts_with("bots")).unwrap_or_default();
    let words: Vec<&str> = bots.split_whitespace().collect();
    assert_eq!(words, ["bots", "characters", "497.0", "247.0", "-50.3", "%"], "{}", table.stdout);
    assert!(table.stdout.contains("a running server can take it over"), "{}", table.stdout);
    // Without a world the built-in one, which is the meadow.
    let json = plan(&["faster", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON alone");
    assert_eq!((&json["clients"], &json["is_live"]), (&3.into(), &false.into()));
    assert!(json["needs_restart"][0].as_str().is_some_and(|text| text.contains("tick rate")), "{json}");
    let broken = plan(&["broken", "--world", "none"]);
    assert_eq!((broken.exit_code, broken.stdout.as_str()), (Some(2), ""));
    for part in ["error: none/world.toml", "error: broken/world.toml:", "size_m = -1000", "target = 250.5"] {
        assert!(broken.stderr.contains(part), "{part}: {}", broken.stderr);
    }
    let crowd = run(folder.path(), ["plan", "fewer", "--clients", "9000"]);
    assert!(crowd.exit_code == Some(2) && crowd.stderr.contains("population.players_max"), "{}", crowd.stderr);
}

#[test]
fn worlds_are_applied_over_http_where_that_is_allowed_and_by_nobody_else() {
    let closed = Server::start();
    let refused = closed.request("POST", "/apply", "", r#"{"folder": "fewer"}"#);
    assert!(refused.status == 403 && refused.body.contains("enabled = true"), "{refused:?}");
    assert!(closed.get("/apply").body.contains("\"enabled\":false"));
    let server = Server::start_in(worlds(), &["--config", "apply.toml"]);
    let fewer = r#"{"folder": "fewer"}"#;
    let huge = format!("{{\"folder\": \"{}\"}}", "x".repeat(100_000));
    for (method, headers, body, status, part) in [
        ("PUT", "", fewer, 405, ""),
        ("DELETE", "", "", 405, ""),
        ("POST", "Origin: http://localhost\r\n", fewer, 403, "web pages"),
        ("POST", "", &huge, 413, "at most 4096 bytes"),
        ("POST", "", "folder=fewer", 400, "not JSON"),
        ("POST", "", r#"{"folder": "fewer", "world": 5}"#, 404, "no such world"),
        ("POST", "", r#"{"folder": "../../etc"}"#, 422, "there is no world"),
        ("POST", "", r#"{"folder": "broken"}"#, 422, "target = 250.5"),
        ("POST", "", r#"{"folder": "faster"}"#, 422, "cannot change while the world runs"),
    ] {
        let answer = server.request(method, "/apply", headers, body);
        assert!(answer.status == status && answer.body.contains(part), "{method} {status} {part}: {answer:?}");
    }
    let http = server.http.to_string();
    let apply = |folder: &str| {
        let whole = server.folder().join(folder);
        run(server.folder(), ["apply", &whole.display().to_string(), "--admin", &http, "--no-wait"])
    };
    let broken = apply("broken");
    assert!(broken.exit_code == Some(2) && broken.stderr.contains("size_m = -1000"), "{broken:?}");
    let applied = apply("fewer");
    assert_eq!((applied.exit_code, applied.stderr.as_str()), (Some(0), ""));
    assert!(applied.stdout.starts_with("meadow goes by it from tick"), "{}", applied.stdout);
    let state: serde_json::Value = serde_json::from_str(&server.get("/apply").body).expect("JSON");
    assert_eq!((&state["worlds"][0]["state"], &state["limits"]["tick_ms_p99_max"]), (&"watched".into(), &900.0.into()));
    let config: serde_json::Value = serde_json::from_str(&server.get("/config").body).expect("JSON");
    assert_eq!(config["worlds"][0]["changes"], serde_json::json!(["population.target: 500 -> 250"]));
    let busy = server.request("POST", "/apply", "", r#"{"folder": "meadow"}"#);
    assert!(busy.status == 409 && busy.body.contains("is watched"), "{busy:?}");
    assert_eq!(server.world_metric("throng_config_version", "meadow", 0), Some(2.0));
    let nobody = run(server.folder(), ["apply", "fewer", "--admin", "127.0.0.1:1"]);
    assert!(nobody.exit_code == Some(2) && nobody.stderr.contains("does not answer"), "{nobody:?}");
}
