//! Worlds for tests.

use throng_shared::config::{LoadedWorld, builtin_world, read_world};

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
    LoadedWorld { config, terrain_samples: None, hash: 0x0f1a7 }
}

/// The meadow, changed by `change`.
pub fn hilly_world(change: impl FnOnce(&mut throng_shared::config::WorldConfig)) -> LoadedWorld {
    let mut world = builtin_world();
    change(&mut world.config);
    world
}
