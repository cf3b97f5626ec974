//! Archetypes in world files, and whoever mentions them.

use super::{SMALLEST, labels, load, read};
use crate::archetypes::{Body, Gait};
use crate::config::{ArchetypeValueConfig, ConfigErrors, LoadedWorld};
use crate::ids::Archetype;

const WOLF_AND_OGRE: &str = "\
[[archetype]]
name = \"wolf\"
run_speed_mps = 9
body_radius_m = 0.3
body_height_m = 0.8
[[archetype]]
name = \"ogre\"
walk_speed_mps = 1.5
run_speed_mps = 3
";

const HEALTH: &str = "[[attribute]]\nname = \"health\"\nkind = \"number\"\nmax = 500\ndefault = 100\n";

const OGRES_HEALTH: &str = "[[archetype_value]]\narchetype = \"ogre\"\nattribute = \"health\"\nvalue = 300\n";

fn wolf() -> Archetype {
    Archetype::own(0).expect("there is room")
}

fn ogre() -> Archetype {
    Archetype::own(1).expect("there is room")
}

#[test]
fn archetypes_are_read_with_what_they_leave_open_as_in_movement() {
    let text = format!(
        "{SMALLEST}{WOLF_AND_OGRE}{HEALTH}{OGRES_HEALTH}[[bot_profile]]\nname = \"pack\"\narchetype = \"wolf\"\n"
    );
    let config = read(&text).expect("it is right");
    let [wolf_config, ogre_config] = &config.archetypes[..] else { panic!("{:?}", config.archetypes) };
    assert_eq!((wolf_config.name.as_str(), ogre_config.name.as_str()), ("wolf", "ogre"));
    assert_eq!(wolf_config.gait, Gait { walk_speed_mps: 2.0, run_speed_mps: 9.0 });
    assert_eq!(wolf_config.body, Body { radius_m: 0.3, height_m: 0.8 });
    assert_eq!(ogre_config.gait, Gait { walk_speed_mps: 1.5, run_speed_mps: 3.0 });
    assert_eq!(ogre_config.body, Body { radius_m: 0.4, height_m: 1.8 });
    assert_eq!(config.archetype_values, [ArchetypeValueConfig { archetype: ogre(), attribute: 0, value: 300 }]);
    assert_eq!(config.bot_profiles[0].archetype, wolf());
    assert_eq!(
        read(&format!("{SMALLEST}[[bot_profile]]\nname = \"a\"\n")).expect("right").bot_profiles[0].archetype,
        Archetype::BOT
    );
}

#[test]
fn those_who_have_an_attribute_are_narrowed_by_name() {
    let holders = |keys: &str| {
        let text = format!("{SMALLEST}{WOLF_AND_OGRE}[[attribute]]\nname = \"a\"\nkind = \"flag\"\n{keys}\n");
        read(&text).expect("it is right").attributes[0].archetypes
    };
    let (player, bot) = (Archetype::PLAYER.bit(), Archetype::BOT.bit());
    let own = wolf().bit() | ogre().bit();
    assert_eq!(holders(""), player | bot | own);
    assert_eq!(holders("held_by = \"bots\""), bot | own);
    assert_eq!(holders("held_by = \"players\""), player);
    assert_eq!(holders("held_by_archetypes = [\"ogre\", \"player\"]"), ogre().bit() | player);
    assert_eq!(holders("held_by = \"bots\"\nheld_by_archetypes = [\"bot\"]"), bot);
}

#[test]
fn each_mistake_is_told_once_and_at_its_line() {
    // The smallest world has eight lines, wolf and ogre have nine, health has five.
    let cases = [
        ("[[archetype]]\nname = \"wolf\"\n", 24, "conflict"),
        ("[[archetype]]\nname = \"bot\"\n", 24, "conflict"),
        ("[[archetype]]\nname = \"b\"\nwalk_speed_mps = 7\n", 25, "conflict"),
        ("[[archetype]]\nname = \"b\"\nbody_height_m = 0.5\n", 25, "conflict"),
        ("[[archetype]]\nname = \"b\"\nbody_radius_m = 11\n", 25, "out_of_range"),
        ("[[archetype_value]]\narchetype = \"elf\"\nattribute = \"health\"\nvalue = 1\n", 24, "conflict"),
        ("[[archetype_value]]\narchetype = \"wolf\"\nattribute = \"mana\"\nvalue = 1\n", 25, "conflict"),
        ("[[archetype_value]]\narchetype = \"wolf\"\nattribute = \"health\"\nvalue = 501\n", 26, "conflict"),
        ("[[archetype_value]]\narchetype = \"wolf\"\nattribute = \"health\"\nword = \"some\"\n", 26, "conflict"),
        ("[[archetype_value]]\narchetype = \"wolf\"\nattribute = \"health\"\n", 25, "conflict"),
        ("[[attribute]]\nname = \"a\"\nkind = \"flag\"\nheld_by_archetypes = [\"wolf\",\n\"elf\"]\n", 27, "conflict"),
        (
            "[[attribute]]\nname = \"a\"\nkind = \"flag\"\nheld_by = \"players\"\nheld_by_archetypes = [\"wolf\"]\n",
            27,
            "conflict",
        ),
        ("[[bot_profile]]\nname = \"a\"\narchetype = \"elf\"\n", 25, "conflict"),
        ("[[bot_profile]]\nname = \"a\"\narchetype = \"player\"\n", 25, "conflict"),
    ];
    for (more, line, label) in cases {
        let text = format!("{SMALLEST}{WOLF_AND_OGRE}{HEALTH}{more}");
        let errors = read(&text).expect_err(more);
        assert_eq!(labels(&errors), [(line, label)], "{errors}");
    }
    // Who lacks an attribute cannot begin with it; flags and choices are what they can be.
    let health = HEALTH.replace("max", "held_by = \"players\"\nmax");
    let others = "[[attribute]]\nname = \"mad\"\nkind = \"flag\"\n[[attribute]]\nname = \"side\"\nkind = \"choice\"\nwords = [\"a\", \"b\"]\n";
    for (attribute, value, line) in
        [("health", "value = 1", 33), ("mad", "value = 2", 34), ("side", "word = \"c\"", 34), ("side", "value = 1", 34)]
    {
        let more = format!("[[archetype_value]]\narchetype = \"wolf\"\nattribute = \"{attribute}\"\n{value}\n");
        let errors = read(&format!("{SMALLEST}{WOLF_AND_OGRE}{health}{others}{more}")).expect_err(attribute);
        assert_eq!(labels(&errors), [(line, "conflict")], "{errors}");
    }
    for (attribute, value, told) in [("mad", "value = 1", 1), ("mad", "value = 0", 0), ("side", "word = \"b\"", 1)] {
        let more = format!("[[archetype_value]]\narchetype = \"wolf\"\nattribute = \"{attribute}\"\n{value}\n");
        let config = read(&format!("{SMALLEST}{WOLF_AND_OGRE}{others}{more}")).expect("it is right");
        assert_eq!(config.archetype_values[0].value, told, "{more}");
    }
    let many: String = (0..15).map(|number| format!("[[archetype]]\nname = \"a{number}\"\n")).collect();
    assert!(read(&format!("{SMALLEST}{many}")).is_err(), "there are numbers for fourteen");
}

/// A world with these archetypes and a wolf's bite in line 3 of its abilities.
fn world_with_bite(archetypes: &str, keys: &str) -> Result<LoadedWorld, ConfigErrors> {
    let world = format!("{SMALLEST}{archetypes}{HEALTH}");
    let bite = format!(
        "[combat]\nhealth = \"health\"\n[[ability]]\nname = \"bite\"\n{keys}\nkind = \"melee\"\nrange_m = 2\ndamage = 9\n"
    );
    load(&[("world.toml", world.as_bytes()), ("abilities.toml", bite.as_bytes())])
}

#[test]
fn abilities_are_held_by_archetypes_that_the_world_file_declares() {
    let holders = |keys: &str| {
        let combat = world_with_bite(WOLF_AND_OGRE, keys).expect("it is right").combat.expect("it is there");
        combat.abilities[0].archetypes
    };
    assert_eq!(holders(""), 0b1111);
    assert_eq!(holders("held_by_archetypes = [\"wolf\"]"), wolf().bit());
    assert_eq!(holders("held_by = \"bots\""), 0b1110);
    for keys in ["held_by_archetypes = [\"elf\"]", "held_by = \"players\"\nheld_by_archetypes = [\"wolf\"]"] {
        let errors = world_with_bite(WOLF_AND_OGRE, keys).expect_err(keys);
        let line = 4 + keys.lines().count();
        assert_eq!(labels(&errors), [(line, "conflict")], "{errors}");
        assert!(errors.to_string().contains("ability[1].held_by_archetypes[1]"), "{errors}");
    }
    let errors = world_with_bite("", "held_by_archetypes = [\"wolf\"]").expect_err("there is no wolf");
    assert!(errors.to_string().contains("no archetype is called that; there are player, bot"), "{errors}");
    // Nothing is said of a name that may be that of an archetype with a mistake in it.
    let unsound = WOLF_AND_OGRE.replace("\"wolf\"", "\"Wolf!\"");
    let errors = world_with_bite(&unsound, "held_by_archetypes = [\"wolf\"]").expect_err("the name is wrong");
    assert_eq!(labels(&errors), [(10, "bad_text")], "{errors}");
}

#[test]
fn of_two_values_of_an_archetype_the_later_counts() {
    let more = OGRES_HEALTH.replace("300", "200");
    let config = read(&format!("{SMALLEST}{WOLF_AND_OGRE}{HEALTH}{OGRES_HEALTH}{more}")).expect("it is right");
    assert_eq!(config.archetype_values, [ArchetypeValueConfig { archetype: ogre(), attribute: 0, value: 200 }]);
}

#[test]
fn whoever_is_of_a_side_by_its_archetype_is_not_dealt_to_another() {
    let team = "[[attribute]]\nname = \"side\"\nkind = \"choice\"\nwords = [\"a\", \"b\"]\nis_team = true\n";
    let of_wolves = "[[archetype_value]]\narchetype = \"wolf\"\nattribute = \"side\"\nword = \"b\"\n";
    let abilities =
        "[combat]\nhealth = \"health\"\ndeal_teams = true\n[[ability]]\nname = \"a\"\nkind = \"own\"\nheal = 1\n";
    let mistakes = |values: &str, abilities: &str| {
        let world = format!("{SMALLEST}{WOLF_AND_OGRE}{team}{HEALTH}{values}");
        let result = load(&[("world.toml", world.as_bytes()), ("abilities.toml", abilities.as_bytes())]);
        result.err().map_or(Vec::new(), |errors| labels(&errors))
    };
    assert_eq!(mistakes(of_wolves, abilities), [(3, "conflict")]);
    assert_eq!(mistakes(OGRES_HEALTH, abilities), []);
    assert_eq!(mistakes(of_wolves, &abilities.replace("true", "false")), []);
}

#[test]
fn bodies_are_part_of_what_clients_must_have_in_common_and_speeds_are_not() {
    let hash = |archetypes: &str| world_with_bite(archetypes, "").expect("it is right").hash;
    let own = hash(WOLF_AND_OGRE);
    for (old, new) in [
        ("body_radius_m = 0.3", "body_radius_m = 0.2"),
        ("body_height_m = 0.8", "body_height_m = 0.9"),
        ("\"wolf\"", "\"dog\""),
    ] {
        assert_ne!(hash(&WOLF_AND_OGRE.replace(old, new)), own, "{old}");
    }
    assert_ne!(hash(""), own);
    for (old, new) in [("run_speed_mps = 9", "run_speed_mps = 8"), ("walk_speed_mps = 1.5", "walk_speed_mps = 1")] {
        assert_eq!(hash(&WOLF_AND_OGRE.replace(old, new)), own, "{old}");
    }
}
