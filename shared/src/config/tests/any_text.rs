//! No text, however damaged, makes a reader panic.

use std::net::{IpAddr, SocketAddr};

use glam::Vec2;
use proptest::prelude::*;

use super::settings::COMMENTED;
use super::{SMALLEST, read};
use crate::config::builtin::BUILTIN_WORLD_TEXT as MEADOW;
use crate::config::{ConfigErrors, read_settings};

/// Pieces that TOML, world files and settings files are made of, so that random texts get past the parser.
const WORDS: &[&str] = &[
    "[world]",
    "[[spawn]]",
    "[[obstacle]]",
    "[terrain]",
    "[interest]",
    "[[patrol]]",
    "[spawn]",
    "[net]",
    "[http]",
    "[[world]]",
    "[simulation]",
    "[a.b]",
    "[",
    "]]",
    "world",
    "terrain",
    "kind",
    "file",
    "shape",
    "center_m",
    "size_m",
    "points_m",
    "name",
    "enter_radius_m",
    "bind",
    "public_address",
    "key",
    "key_file",
    "enabled",
    "threads",
    "folder",
    ".",
    " = ",
    "=",
    ",",
    "{",
    "}",
    "\"",
    "'''",
    "\"png\"",
    "\"box\"",
    "\"../x\"",
    "\"~/\u{1b}\"",
    "\"\\u001b[31m:7777\"",
    "\"file\"",
    "\"development\"",
    "\"local\"",
    "\"0.0.0.0:0\"",
    "\"[::1]:7777\"",
    "\"::\"",
    "0",
    "-1",
    "5.5",
    "nan",
    "inf",
    "true",
    "[1, 2]",
    "[[1,2],[3,4]]",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "# é",
    "\u{0}",
    "\u{feff}",
    "\\u0041",
    "1979-05-27",
    "0x_",
];

fn fragments() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..60).prop_map(|words| words.concat())
}

/// Any outcome is fine; what is reported must be in the text and fit to be shown.
fn check_any_text(text: &str) {
    for result in [read(text).err(), read_settings("server.toml", text).err()] {
        let Some(errors) = result else { continue };
        check_errors(text, &errors);
    }
}

fn check_errors(text: &str, errors: &ConfigErrors) {
    let line_count = text.split('\n').count();
    assert!(errors.into_iter().all(|error| error.line <= line_count && error.column <= text.len() + 1));
    assert!(errors.as_slice().is_sorted_by_key(|error| (error.line, error.column)));
    assert!(!errors.to_string().contains(|c: char| c.is_control() && c != '\n'));
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in any::<String>()) {
        check_any_text(&text);
    }

    #[test]
    fn no_text_of_toml_pieces_makes_a_reader_panic(text in fragments()) {
        check_any_text(&text);
    }

    #[test]
    fn no_damage_to_the_default_world_makes_a_reader_panic(
        from in 0..MEADOW.len(),
        length in 0..40_usize,
        inserted in fragments(),
    ) {
        prop_assert!(MEADOW.is_ascii());
        let end = (from + length).min(MEADOW.len());
        check_any_text(&format!("{}{inserted}{}", &MEADOW[..from], &MEADOW[end..]));
    }

    #[test]
    fn no_damage_to_the_servers_own_settings_makes_a_reader_panic(
        from in 0..COMMENTED.len(),
        length in 0..40_usize,
        inserted in fragments(),
    ) {
        prop_assert!(COMMENTED.is_ascii());
        let end = (from + length).min(COMMENTED.len());
        check_any_text(&format!("{}{inserted}{}", &COMMENTED[..from], &COMMENTED[end..]));
    }

    #[test]
    fn no_address_makes_a_reader_panic(address in "[0-9a-z.:*/ \\[\\]é\u{1b}]{0,24}") {
        check_any_text(&format!("[net]\nbind = '{address}'\npublic_address = {address:?}\n"));
    }

    #[test]
    fn addresses_are_read_as_they_are_written(ip in any::<IpAddr>(), port in any::<u16>()) {
        let address = SocketAddr::new(ip, port);
        let settings = read_settings("server.toml", &format!("[http]\nbind = '{address}'")).expect("an address");
        prop_assert_eq!(settings.http_bind, Some(address));
    }

    #[test]
    fn numbers_are_read_as_they_are_written(
        walk in 0.1..10.0_f32,
        run in 10.0..20.0_f32,
        seed in 0..=i64::MAX as u64,
        [x, z] in proptest::array::uniform2(-50.0..50.0_f32),
        visible_max in 1..=1_000_u32,
    ) {
        let text = SMALLEST.replace("name", &format!("seed = {seed}\nname")).replace("[0, 0]", &format!("[{x:?}, {z:?}]"));
        let text = format!(
            "{text}[movement]\nwalk_speed_mps = {walk:?}\nrun_speed_mps = {run:?}\n[interest]\nvisible_max = {visible_max}"
        );
        let world = read(&text).expect("all are in range");
        prop_assert_eq!((world.movement.walk_speed_mps, world.movement.run_speed_mps), (walk, run));
        prop_assert_eq!((world.seed, world.interest.visible_max), (seed, visible_max));
        prop_assert_eq!(world.spawn_areas[0].center_m, Vec2::new(x, z));
    }
}
