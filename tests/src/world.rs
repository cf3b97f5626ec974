//! Worlds for tests.

use throng_shared::config::{ABILITIES_FILE_NAME, LoadedWorld, WORLD_FILE_NAME, builtin_world, load_world, read_world};
use throng_shared::ids::Archetype;

/// A flat world of 400 m with a few obstacles and no bots, changed by `change`.
pub fn flat_world(change: impl FnOnce(&mut throng_shared::config::WorldConfig)) -> LoadedWorld {
    const TEXT: &str = r#"
        [world]
        name = "flat"
        size_m = 400.0
        [terrain]
        kind = "flat"
        height_m = 10.0
        [[obstacle]]
        shape = "box"
        center_m = [20.0, 0.0]
        size_m = [4.0, 30.0]
        height_m = 3.0
        [[obstacle]]
        shape = "cylinder"
        center_m = [-30.0, 30.0]
        radius_m = 3.0
        height_m = 5.0
        [[spawn]]
        center_m = [0.0, 0.0]
        radius_m = 20.0
        [[patrol]]
        name = "round"
        points_m = [[-50.0, -50.0], [50.0, -50.0], [50.0, 50.0]]
        [interest]
        enter_radius_m = 60.0
        leave_radius_m = 70.0
    "#;
    let mut config = read_world("flat", TEXT).expect("the kit's own world is right");
    change(&mut config);
    LoadedWorld { config, combat: None, terrain_samples: None, hash: 0x0f1a7 }
}

/// As [`flat_world`], with teams, health and mana, and with the abilities that the file `abilities` tells of.
///
/// # Panics
/// When that has a mistake.
pub fn fighting_world(abilities: &str, change: impl FnOnce(&mut throng_shared::config::WorldConfig)) -> LoadedWorld {
    const ATTRIBUTES: &str = r#"
        [world]
        name = "flat"
        size_m = 400.0
        [terrain]
        kind = "flat"
        [[spawn]]
        center_m = [0.0, 0.0]
        radius_m = 20.0
        [[attribute]]
        name = "team"
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
        max = 100.0
        default = 50.0
        visible_to = "owner"
    "#;
    let loaded = load_world("fighting", |name| match name {
        WORLD_FILE_NAME => Ok(ATTRIBUTES.into()),
        ABILITIES_FILE_NAME => Ok(abilities.into()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    });
    let LoadedWorld { config: fighting, mut combat, .. } = loaded.expect("the test's abilities are right");
    let mut world = flat_world(|_| ());
    world.config.attributes = fighting.attributes;
    change(&mut world.config);
    // What bots have, archetypes that `change` has added have too.
    let own = (0..world.config.archetypes.len()).filter_map(Archetype::own).fold(0, |bits, own| bits | own.bit());
    let of_attributes = world.config.attributes.iter_mut().map(|rule| &mut rule.archetypes);
    let of_abilities =
        combat.iter_mut().flat_map(|combat| &mut combat.abilities).map(|ability| &mut ability.archetypes);
    for held_by in of_attributes.chain(of_abilities).filter(|held_by| **held_by & Archetype::BOT.bit() != 0) {
        *held_by |= own;
    }
    LoadedWorld { combat, hash: 0x0f1a8, ..world }
}

/// The meadow, changed by `change`.
pub fn hilly_world(change: impl FnOnce(&mut throng_shared::config::WorldConfig)) -> LoadedWorld {
    let mut world = builtin_world();
    change(&mut world.config);
    world
}
