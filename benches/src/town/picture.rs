//! A town from above: where the ground rises, what stands on it, where everybody went and where everybody is.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use glam::Vec2;
use throng_shared::map::Map;

/// Picture elements per metre, along both axes.
const PER_M: f32 = 6.0;
/// How much of the world is shown, from its middle, in metres.
const REACH_M: f32 = 92.0;
/// A place that so many have passed is as bright as can be.
const PASSED_MAX: f32 = 160.0;

type Colour = [f32; 3];
const GROUND: [Colour; 2] = [[0.10, 0.12, 0.11], [0.17, 0.20, 0.17]];
const WALL: Colour = [0.80, 0.78, 0.72];
/// Who goes from west to east, and from east to west.
const WAYS: [Colour; 2] = [[1.0, 0.58, 0.15], [0.25, 0.65, 1.0]];

/// The picture while it is made.
pub(crate) struct Picture {
    side: usize,
    ground: Vec<Colour>,
    /// How often each place was passed, in each direction.
    passed: [Vec<u16>; 2],
}

impl Picture {
    /// A town in which nobody has gone anywhere.
    pub(crate) fn new(map: &Map) -> Picture {
        let side = (2.0 * REACH_M * PER_M) as usize;
        let heights_m = || (0..side * side).map(|place| map.terrain.height_m(point_m(place, side)));
        let (low_m, high_m) = heights_m()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), height| (low.min(height), high.max(height)));
        let colour = |place: usize| {
            let point_m = point_m(place, side);
            if map.obstacles.touches(point_m, 0.05) {
                return WALL;
            }
            let share = (map.terrain.height_m(point_m) - low_m) / (high_m - low_m).max(1e-3);
            mix(GROUND[0], GROUND[1], share)
        };
        let ground = (0..side * side).map(colour).collect();
        Picture { side, ground, passed: [vec![0; side * side], vec![0; side * side]] }
    }

    /// Somebody from the west, or from the east, is here.
    pub(crate) fn pass(&mut self, is_from_west: bool, here_m: Vec2) {
        if let Some(place) = self.place(here_m) {
            let passed = &mut self.passed[usize::from(!is_from_west)][place];
            *passed = passed.saturating_add(1);
        }
    }

    /// Writes it, with everybody where they are.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(self, file: &Path, everybody: impl Iterator<Item = (bool, Vec2)>) -> anyhow::Result<()> {
        let mut colours = self.ground.clone();
        for (place, colour) in colours.iter_mut().enumerate() {
            for (passed, way) in self.passed.iter().zip(WAYS) {
                let share = (f32::from(passed[place]) / PASSED_MAX).sqrt().min(1.0);
                *colour = std::array::from_fn(|part| colour[part] + way[part] * share * 0.8);
            }
        }
        for (is_from_west, here_m) in everybody {
            // A character is 0.8 m wide.
            let around = (-2..=2).flat_map(|x| (-2..=2).map(move |y| Vec2::new(x as f32, y as f32)));
            for offset in around.filter(|offset| offset.length() < 2.4) {
                if let Some(place) = self.place(here_m + offset / PER_M) {
                    colours[place] = mix(WAYS[usize::from(!is_from_west)], [1.0; 3], 0.35);
                }
            }
        }
        let bytes: Vec<u8> = colours.iter().flatten().map(|part| (part.clamp(0.0, 1.0) * 255.0) as u8).collect();
        let side = self.side as u32;
        let mut encoder = png::Encoder::new(BufWriter::new(File::create(file)?), side, side);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&bytes)?;
        Ok(writer.finish()?)
    }

    fn place(&self, point_m: Vec2) -> Option<usize> {
        let cell = ((point_m + REACH_M) * PER_M).floor();
        let is_inside = cell.min_element() >= 0.0 && cell.max_element() < self.side as f32;
        is_inside.then(|| cell.y as usize * self.side + cell.x as usize)
    }
}

/// The middle of a picture element (x, z), in metres; north is up.
fn point_m(place: usize, side: usize) -> Vec2 {
    Vec2::new((place % side) as f32 + 0.5, (place / side) as f32 + 0.5) / PER_M - REACH_M
}

fn mix(one: Colour, other: Colour, share: f32) -> Colour {
    std::array::from_fn(|part| one[part] + (other[part] - one[part]) * share)
}
