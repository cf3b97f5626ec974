//! The text of settings files.

use proptest::prelude::*;

use super::declarations::drawn;
use super::drawn_file::FORMATS;
use super::labels;
use crate::config::reader::{KeyDoc, Occurrence, Unwritten};
use crate::config::{
    ApplySettings, CLIENTS_MAX, ConfigErrors, KEY_VARIABLE, KeySource, NetSettings, SETTINGS_FILE_BYTES_MAX,
    ServerSettings, THREADS_MAX, WORLD_FOLDERS_MAX, read_and_show_settings, read_settings, settings_reference_markdown,
};

/// The settings that a server starts with when it is given none.
pub(super) const COMMENTED: &str = include_str!("../../../../assets/server.toml");

fn read(text: &str) -> Result<ServerSettings, ConfigErrors> {
    read_settings("server.toml", text)
}

fn mistakes(text: &str) -> Vec<(usize, &'static str)> {
    labels(&read(text).expect_err("the text has a mistake"))
}

fn net(text: &str) -> NetSettings {
    read(&format!("[net]\n{text}")).expect(text).net
}

/// Labels of the mistakes in a table `[net]`, the key of the first, and its reason.
fn net_mistake(text: &str) -> (Vec<&'static str>, String) {
    let errors = read(&format!("[net]\n{text}")).expect_err(text);
    let labels = errors.into_iter().map(|error| error.kind.label()).collect();
    (labels, errors.as_slice()[0].key.clone())
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = read("").expect("nothing is required");
    assert_eq!(settings, ServerSettings::default());
    assert_eq!(read("[net]\n[http]\n[simulation]\n"), Ok(settings.clone()));
    assert_eq!(settings.net.bind.to_string(), "127.0.0.1:7777");
    assert_eq!(settings.http_bind.map(|address| address.to_string()), Some("127.0.0.1:7780".to_owned()));
    assert_eq!((settings.net.clients_max, settings.net.public_address), (1_000, None));
    assert_eq!((settings.net.key, settings.threads, settings.world_folders.len()), (KeySource::Environment, 0, 0));
}

#[test]
fn the_servers_own_settings_are_the_defaults_with_the_local_key() {
    let mut expected = ServerSettings::default();
    expected.net.key = KeySource::Local;
    assert_eq!(read(COMMENTED), Ok(expected));
}

#[test]
fn every_key_is_read() {
    let text = "\
[net]
bind = \"[::]:0\"
public_address = \"203.0.113.7:7000\"
workers = 32
spread_percent = 90
clients_max = 1
key = \"file\"
key_file = \"secrets/key.txt\"
[http]
enabled = false
bind = \"0.0.0.0:80\"
kick = false
[session]
hold_s = 0
[apply]
enabled = false
watch_s = 10
tick_ms_p99_max = 12.5
client_bytes_per_s_max = 9000
players_lost_percent_max = 0
[simulation]
threads = 256
[[world]]
folder = \"worlds/a\"
[[world]]
folder = 'C:\\worlds\\b'
";
    let expected = ServerSettings {
        net: NetSettings {
            bind: "[::]:0".parse().expect("an address"),
            public_address: Some("203.0.113.7:7000".parse().expect("an address")),
            workers: 32,
            spread_percent: 90,
            clients_max: 1,
            key: KeySource::File("secrets/key.txt".to_owned()),
        },
        http_bind: None,
        may_kick: false,
        hold_s: 0,
        apply: ApplySettings {
            is_enabled: false,
            watch_s: 10,
            tick_ms_p99_max: Some(12.5),
            client_bytes_per_s_max: Some(9_000),
            players_lost_percent_max: Some(0),
        },
        threads: 256,
        world_folders: vec!["worlds/a".to_owned(), "C:\\worlds\\b".to_owned()],
    };
    assert_eq!(read(text), Ok(expected.clone()));
    let enabled = read(&text.replace("false", "true")).expect("reads");
    assert_eq!(enabled.http_bind.map(|address| address.port()), Some(80));
    assert!(enabled.apply.is_enabled && enabled.may_kick);
}

#[test]
fn a_server_that_listens_everywhere_says_where_clients_connect() {
    for bind in ["0.0.0.0:7777", "[::]:7777", "[::ffff:0.0.0.0]:7777"] {
        assert_eq!(net_mistake(&format!("bind = '{bind}'")), (vec!["conflict"], "net.bind".to_owned()));
        for (public, label) in [
            ("203.0.113.7:7777", None),
            ("[2001:db8::1]:7777", None),
            ("0.0.0.0:7777", Some("conflict")),
            ("[::]:7777", Some("conflict")),
            ("203.0.113.7:0", Some("conflict")),
            ("play.example.com:7777", Some("bad_text")),
        ] {
            let text = format!("bind = '{bind}'\npublic_address = '{public}'");
            match label {
                None => assert_eq!(net(&text).public_address, public.parse().ok()),
                Some(label) => assert_eq!(net_mistake(&text), (vec![label], "net.public_address".to_owned())),
            }
        }
    }
    assert_eq!(net("bind = '192.168.1.5:7777'").public_address, None);
}

#[test]
fn the_local_key_is_only_for_servers_that_nobody_else_reaches() {
    let local = "key = 'local'\n";
    for loopback in [
        "",
        "bind = '127.3.2.1:0'",
        "bind = '[::ffff:127.0.0.1]:7777'",
        "bind = '[::1]:7777'\npublic_address = '127.0.0.1:5'",
    ] {
        assert_eq!(net(&format!("{local}{loopback}")).key, KeySource::Local);
    }
    for reachable in [
        "bind = '192.168.1.5:7777'",
        "bind = '0.0.0.0:7777'\npublic_address = '127.0.0.1:7777'",
        "public_address = '203.0.113.7:7777'",
        "bind = '[::ffff:10.0.0.1]:7777'",
        "bind = '127.0.0.1:7777'\npublic_address = '[2001:db8::1]:7777'",
    ] {
        assert_eq!(net_mistake(&format!("{local}{reachable}")), (vec!["conflict"], "net.key".to_owned()));
        assert!(read(&format!("[net]\n{reachable}")).is_ok(), "{reachable}");
    }
    // An address that is wrong by itself is not judged again.
    assert_eq!(net_mistake(&format!("{local}bind = 'everywhere'")), (vec!["bad_text"], "net.bind".to_owned()));
}

#[test]
fn no_settings_file_chooses_the_key_that_everybody_knows() {
    assert_eq!(net_mistake("key = 'development'"), (vec!["unknown_choice"], "net.key".to_owned()));
    let message = read("[net]\nkey = 'development'").expect_err("it is refused").to_string();
    for part in ["everybody knows that key", "write \"local\"", "--development-key"] {
        assert!(message.contains(part), "no {part} in {message}");
    }
}

#[test]
fn the_file_of_the_key_is_named_when_it_is_used_and_only_then() {
    assert_eq!(net("key = 'environment'").key, KeySource::Environment);
    assert_eq!(net_mistake("key = 'file'"), (vec!["missing_key"], "net.key_file".to_owned()));
    for other in ["", "key = 'environment'\n", "key = 'local'\n"] {
        let text = format!("{other}key_file = 'k'");
        assert_eq!(net_mistake(&text), (vec!["unknown_key"], "net.key_file".to_owned()));
        let errors = read(&format!("[net]\n{text}")).expect_err("an unknown key");
        assert!(errors.to_string().contains("key_file exists only with key = \"file\""), "{errors}");
    }
    // Which keys belong here depends on a choice that is yet to be made.
    assert_eq!(net_mistake("key = 'fill'\nkey_file = 'k'"), (vec!["unknown_choice"], "net.key".to_owned()));
}

#[test]
fn paths_that_cannot_be_meant_are_refused() {
    for wrong in ["", " a", "a\\n", "~/worlds/a", "a\\tb", &"a".repeat(1_025)] {
        assert_eq!(mistakes(&format!("[[world]]\nfolder = \"{wrong}\"")), [(2, "bad_text")], "{wrong:?}");
    }
    for file in ["worlds/a/world.toml", "a\\\\world.toml", "world.toml"] {
        assert_eq!(mistakes(&format!("[[world]]\nfolder = \"{file}\"")), [(2, "conflict")], "{file}");
    }
    for right in ["/", ".", "../a b", "/srv/\u{e9}", "world.toml/..", &"a".repeat(1_024)] {
        assert!(read(&format!("[[world]]\nfolder = \"{right}\"")).is_ok(), "{right}");
    }
}

#[test]
fn beyond_a_limit_is_refused() {
    for (table, key, max) in [("net", "clients_max", CLIENTS_MAX), ("simulation", "threads", THREADS_MAX)] {
        assert!(read(&format!("[{table}]\n{key} = {max}")).is_ok());
        assert_eq!(mistakes(&format!("[{table}]\n{key} = {}", max + 1)), [(2, "out_of_range")]);
    }
    assert_eq!(mistakes("[net]\nclients_max = 0"), [(2, "out_of_range")]);
    let worlds = "[[world]]\nfolder = 'a'\n".repeat(WORLD_FOLDERS_MAX);
    assert_eq!(read(&worlds).map(|settings| settings.world_folders.len()), Ok(WORLD_FOLDERS_MAX));
    let line = 2 * WORLD_FOLDERS_MAX + 1;
    assert_eq!(mistakes(&format!("{worlds}[[world]]\nfolder = 'a'")), [(line, "wrong_table_count")]);
    assert_eq!(mistakes(&" ".repeat(SETTINGS_FILE_BYTES_MAX + 1)), [(0, "file")]);
}

#[test]
fn messages_name_the_page_about_settings() {
    for text in ["[net]\nbind = 5", &" ".repeat(SETTINGS_FILE_BYTES_MAX + 1)] {
        let message = read(text).expect_err("a mistake").to_string();
        assert!(message.ends_with("1 error; docs/server-settings.md explains every key"), "{message}");
    }
    let message = super::read("").expect_err("an empty world").to_string();
    assert!(message.ends_with("docs/world-config.md explains every key"), "{message}");
}

#[test]
fn the_reference_page_names_the_variable_of_the_key() {
    assert!(settings_reference_markdown().contains(&format!("`{KEY_VARIABLE}`")));
    assert!(COMMENTED.contains(KEY_VARIABLE));
}

proptest! {
    #[test]
    fn settings_that_are_written_down_mean_the_same(seed in any::<u64>()) {
        let file = drawn(seed, |draw| draw.file(&FORMATS[2]));
        let (settings, shown) = read_and_show_settings("server.toml", &file.text()).expect("it is right");
        prop_assert_eq!(&read_settings("server.toml", &file.text()), &Ok(settings.clone()));
        let again = read_and_show_settings("server.toml", &shown);
        prop_assert_eq!(again.map(|(again, _)| again), Ok(settings), "{}", shown);
        for table in FORMATS[2].tables.iter().filter(|table| !matches!(table.occurrence, Occurrence::Many(_))) {
            // What has no value when it is not written is not written either.
            let has_value = |key: &&KeyDoc| key.only_with.is_none() && !matches!(key.unwritten, Unwritten::Nothing);
            for key in table.keys.iter().filter(has_value) {
                prop_assert!(shown.contains(&format!("{} = ", key.name)), "{} {}", table.heading(), key.name);
            }
        }
    }
}
