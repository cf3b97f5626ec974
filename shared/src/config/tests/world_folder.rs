//! Worlds with more than one file.

use super::{RAW, SMALLEST, load};

#[test]
fn a_terrain_file_is_read_from_beside_the_world_file() {
    let text = SMALLEST.replace("kind = \"flat\"", RAW);
    let world =
        load(&[("world.toml", text.as_bytes()), ("hills.raw", &[0, 0, 255, 255, 51, 51, 0, 0])]).expect("loads");
    let samples = world.terrain_samples.expect("the terrain has samples");
    assert_eq!((samples.side, samples.heights_m), (2, vec![0.0, 200.0, 40.0, 0.0]));
}

#[test]
fn mistakes_in_all_files_are_reported_together() {
    let text = SMALLEST.replace("kind = \"flat\"", RAW).replace("size_m = 100", "size_m = 1");
    let errors = load(&[("world.toml", text.as_bytes())]).expect_err("two mistakes");
    let found: Vec<_> = errors.into_iter().map(|error| (error.line, error.key.as_str())).collect();
    assert_eq!(found, [(3, "world.size_m"), (6, "terrain.file")]);
    assert!(errors.to_string().contains("worlds/here/hills.raw does not exist"), "{errors}");
}
