//! Where those who go together have their places.

use glam::Vec2;
use throng_shared::config::PACK_SIZE_MAX;
use throng_shared::config::{Formation, PackConfig};

/// Places of who goes loosely, in spacings ahead and to the right of who leads: no two nearer to one another than one, and no two in a row.
const LOOSE: [Vec2; PACK_SIZE_MAX - 1] = [
    Vec2::new(-0.8, 0.7),
    Vec2::new(-0.7, -0.9),
    Vec2::new(-1.8, 0.1),
    Vec2::new(-1.7, 1.4),
    Vec2::new(-1.9, -1.3),
    Vec2::new(-2.8, 0.8),
    Vec2::new(-2.7, -0.6),
    Vec2::new(-2.9, 1.9),
    Vec2::new(-2.8, -2.0),
    Vec2::new(-3.8, 0.2),
    Vec2::new(-3.7, -1.2),
];
/// Cosine of half the angle between the two sides of a wedge, and its sine.
const HALF_WEDGE: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// Share of the spacing by which who goes loosely may be off its place.
const LOOSE_SLACK_SHARE: f32 = 0.5;

/// Where the place of a rank is from who leads and heads for `heading`, of length 1; (x, z) in metres. Rank 0 is who leads.
pub(crate) fn offset_m(pack: &PackConfig, rank: usize, heading: Vec2) -> Vec2 {
    let place = place(pack.formation, rank);
    // z points south, so that this is to the right.
    (heading * place.x + heading.perp() * place.y) * pack.spacing_m
}

/// How far the farthest of so many is from who leads, in metres.
pub(crate) fn reach_m(pack: &PackConfig, count: usize) -> f32 {
    let reaches = (1..count).map(|rank| place(pack.formation, rank).length());
    reaches.fold(0.0, f32::max) * pack.spacing_m
}

/// By how much one may be off its place without going there, in metres.
pub(crate) fn slack_m(pack: &PackConfig) -> f32 {
    match pack.formation {
        Formation::Loose => LOOSE_SLACK_SHARE * pack.spacing_m,
        Formation::Line | Formation::Column | Formation::Wedge => 0.0,
    }
}

/// In spacings ahead and to the right.
fn place(formation: Formation, rank: usize) -> Vec2 {
    let (side, beside) = (if rank % 2 == 1 { 1.0 } else { -1.0 }, rank.div_ceil(2) as f32);
    match formation {
        Formation::Loose => rank.checked_sub(1).and_then(|place| LOOSE.get(place)).copied().unwrap_or(Vec2::ZERO),
        Formation::Line => Vec2::new(0.0, side * beside),
        Formation::Column => Vec2::new(-(rank as f32), 0.0),
        Formation::Wedge => Vec2::new(-beside, side * beside) * HALF_WEDGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Formation; 4] = [Formation::Loose, Formation::Line, Formation::Column, Formation::Wedge];

    fn pack(formation: Formation) -> PackConfig {
        PackConfig { size: PACK_SIZE_MAX as u32, formation, spacing_m: 2.0 }
    }

    #[test]
    fn nobody_is_nearer_to_another_than_the_spacing_and_everybody_has_a_neighbour_at_about_that() {
        for formation in ALL {
            let places: Vec<Vec2> =
                (0..PACK_SIZE_MAX).map(|rank| offset_m(&pack(formation), rank, Vec2::new(0.6, 0.8))).collect();
            assert_eq!(places[0], Vec2::ZERO, "who leads has its place where it is");
            for (rank, place_m) in places.iter().enumerate() {
                let others = places.iter().enumerate().filter(|(other, _)| *other != rank);
                let nearest_m = others.map(|(_, other_m)| other_m.distance(*place_m)).fold(f32::MAX, f32::min);
                assert!((1.99..2.6).contains(&nearest_m), "{formation:?} {rank}: {nearest_m}");
            }
        }
    }

    #[test]
    fn shapes_are_what_their_words_say() {
        // North; east is to the right.
        let north = Vec2::NEG_Y;
        let places = |formation| [1, 2, 3, 4].map(|rank| offset_m(&pack(formation), rank, north));
        let [first, second, third, fourth] = places(Formation::Line);
        assert!([first, second, third, fourth].iter().all(|place_m| place_m.y.abs() < 1e-6), "abreast");
        assert_eq!([first.x, second.x, third.x, fourth.x], [2.0, -2.0, 4.0, -4.0]);
        let column = places(Formation::Column);
        assert!(column.iter().all(|place_m| place_m.x.abs() < 1e-6));
        assert_eq!(column.map(|place_m| place_m.y), [2.0, 4.0, 6.0, 8.0], "behind, which is south");
        let wedge = places(Formation::Wedge);
        assert!(wedge.iter().all(|place_m| (place_m.x.abs() - place_m.y).abs() < 1e-6 && place_m.y > 0.0));
        assert!(wedge[0].x > 0.0 && wedge[1].x < 0.0 && wedge[0].y == wedge[1].y && wedge[2].y > wedge[0].y);
        for formation in ALL {
            let farthest = (1..5).map(|rank| offset_m(&pack(formation), rank, north).length()).fold(0.0, f32::max);
            assert_eq!(reach_m(&pack(formation), 5), farthest);
        }
    }
}
