//! The world that is always there: a server without a world of its own runs it, a client without one expects it.

use std::io;

use super::load::{LoadedWorld, WORLD_FILE_NAME, load_world};

/// Name of the built-in world.
pub const BUILTIN_WORLD_NAME: &str = "meadow";

/// The built-in world's own file.
pub(super) const BUILTIN_WORLD_TEXT: &str = include_str!("../../../assets/worlds/meadow/world.toml");

/// What the worlds that come along include: name, as seen from a world's folder, and text.
const COMMON_FILES: [(&str, &str); 6] = [
    ("../common/movement.toml", include_str!("../../../assets/worlds/common/movement.toml")),
    ("../common/overload.toml", include_str!("../../../assets/worlds/common/overload.toml")),
    ("../../bots/beasts.toml", include_str!("../../../assets/bots/beasts.toml")),
    ("../../bots/fighters.toml", include_str!("../../../assets/bots/fighters.toml")),
    ("../../bots/guards.toml", include_str!("../../../assets/bots/guards.toml")),
    ("../../bots/townsfolk.toml", include_str!("../../../assets/bots/townsfolk.toml")),
];

/// A file of `assets/worlds/common` or `assets/bots` as it was when the program was built, by its name as seen from a world's folder: for
/// worlds that are built in and include it.
///
/// # Errors
/// When there is no such file, as [`io::ErrorKind::NotFound`].
pub fn read_common_file(name: &str) -> io::Result<Vec<u8>> {
    let file = COMMON_FILES.iter().find(|(known, _)| *known == name);
    file.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The built-in world, `assets/worlds/meadow` as it was when the program was built. Costs what reading a world does,
/// about 0.1 ms: keep what it returns.
pub fn builtin_world() -> LoadedWorld {
    load_world("assets/worlds/meadow", |name| match name {
        WORLD_FILE_NAME => Ok(BUILTIN_WORLD_TEXT.as_bytes().to_vec()),
        _ => read_common_file(name),
    })
    .expect("a test reads the built-in world")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Map;
    use crate::random::Random;

    fn map(world: &LoadedWorld) -> Map {
        Map::new(&world.config, world.terrain_samples.as_ref()).expect("the meadow has no terrain file")
    }

    #[test]
    fn the_built_in_world_is_read() {
        assert_eq!(builtin_world().config.name, BUILTIN_WORLD_NAME);
    }

    #[test]
    fn a_bot_can_stand_at_every_corner_of_the_built_in_patrols() {
        let world = builtin_world();
        let map = map(&world);
        for patrol in &world.config.patrols {
            for point_m in &patrol.points_m {
                assert!(map.is_standable(*point_m), "{} at {point_m}", patrol.name);
            }
        }
    }

    #[test]
    fn nearly_all_random_points_of_the_built_in_spawn_areas_can_be_stood_upon() {
        const POINTS: usize = 2_000;
        let world = builtin_world();
        let map = map(&world);
        let mut random = Random::new(1, 0);
        // Characters are spread in proportion to the ground that each area covers.
        let (mut expected, mut ground) = (0.0, 0.0);
        for area in &world.config.spawn_areas {
            let is_standable = |_: &usize| map.is_standable(area.center_m + random.in_disc(area.radius_m));
            let percent = (0..POINTS).filter(is_standable).count() as f32 / POINTS as f32 * 100.0;
            assert!(percent >= 80.0, "{percent} % in {area:?}");
            expected += percent * area.radius_m.powi(2);
            ground += area.radius_m.powi(2);
        }
        assert!(expected / ground >= 95.0, "{} %", expected / ground);
    }

    #[test]
    fn some_of_the_built_in_ground_is_too_steep_to_walk_and_most_is_not() {
        const POINTS: usize = 20_000;
        let world = builtin_world();
        let map = map(&world);
        let mut random = Random::new(2, 0);
        let mut coordinate_m = || random.between(-map.half_size_m, map.half_size_m);
        let steep = (0..POINTS)
            .filter(|_| map.terrain.slope(glam::Vec2::new(coordinate_m(), coordinate_m())) > map.rules.slope_max)
            .count();
        assert!((POINTS / 1_000..POINTS / 10).contains(&steep), "{steep} of {POINTS} points are steep");
    }
}
