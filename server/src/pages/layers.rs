//! Layers of areas: one for whoever is seen from as far as everybody, and one for each greater distance that somebody is seen from.
//!
//! What is large and far counts as near as what is small and looks as large: distances in the layer of those who are seen from four times as far are
//! a quarter of what they are. So everything that goes by distance, tiers, urgency and who is left out, need not know of layers.

use glam::Vec2;

use super::areas::{Area, Areas};
use super::cells::Cells;

/// All layers of a world. Their areas are numbered together: the layer stands in the highest bits.
#[derive(Debug)]
pub(crate) struct Layers {
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    areas: Areas,
    /// From how far those in it are seen, in metres.
    radius_m: f32,
    /// How much nearer than it is something counts.
    scale: f32,
}

/// Number of a layer: 0 for the one of those who are seen from as far as everybody, then by rising distance.
pub(super) type LayerNumber = u8;

/// Where the layer stands in an area's number.
const LAYER_SHIFT: u32 = 30;

const AREA_MASK: Area = (1 << LAYER_SHIFT) - 1;

fn joined(layer: usize, area: Area) -> Area {
    debug_assert!(area <= AREA_MASK);
    (layer as Area) << LAYER_SHIFT | area
}

impl Layers {
    /// The layers of a world whose clients see so far, and others who are seen from each of `far_radii_m`; at most three.
    pub(super) fn new(size_m: f32, enter_radius_m: f32, far_radii_m: &[f32]) -> Layers {
        let layer = |radius_m: f32| Layer {
            areas: Areas::new(Cells::new(size_m, radius_m)),
            radius_m,
            scale: enter_radius_m / radius_m,
        };
        Layers { layers: [enter_radius_m].iter().chain(far_radii_m).map(|&radius_m| layer(radius_m)).collect() }
    }

    /// From now on everybody is seen from so far, in metres. The areas stay as they are.
    pub(super) fn scale_to(&mut self, enter_radius_m: f32) {
        self.layers[0].radius_m = enter_radius_m;
        self.layers.iter_mut().for_each(|layer| layer.scale = enter_radius_m / layer.radius_m);
    }

    /// The cells of those who are seen from as far as everybody.
    pub(crate) fn cells(&self) -> &Cells {
        self.layers[0].areas.cells()
    }

    fn of(&self, area: Area) -> (&Layer, Area) {
        (&self.layers[(area >> LAYER_SHIFT) as usize], area & AREA_MASK)
    }

    fn of_mut(&mut self, area: Area) -> (&mut Layer, Area) {
        (&mut self.layers[(area >> LAYER_SHIFT) as usize], area & AREA_MASK)
    }

    /// The area of a layer that somebody at a point (x, z) belongs into.
    pub(super) fn at(&self, layer: LayerNumber, point_m: Vec2) -> Area {
        joined(layer.into(), self.layers[usize::from(layer)].areas.at(point_m))
    }

    /// Whether an area is of those who are seen from afar.
    pub(super) fn is_far(&self, area: Area) -> bool {
        area >> LAYER_SHIFT > 0
    }

    /// How much nearer than it is something in an area counts.
    pub(super) fn scale(&self, area: Area) -> f32 {
        self.of(area).0.scale
    }

    /// See [`Areas::extent_m`].
    pub(super) fn extent_m(&self, area: Area) -> (Vec2, f32) {
        let (layer, area) = self.of(area);
        layer.areas.extent_m(area)
    }

    /// See [`Areas::first_page`].
    pub(super) fn first_page(&self, area: Area) -> u32 {
        let (layer, area) = self.of(area);
        layer.areas.first_page(area)
    }

    /// See [`Areas::set_first_page`].
    pub(super) fn set_first_page(&mut self, area: Area, page: u32) {
        let (layer, area) = self.of_mut(area);
        layer.areas.set_first_page(area, page);
    }

    /// See [`Areas::is_part`].
    pub(super) fn is_part(&self, area: Area) -> bool {
        let (layer, area) = self.of(area);
        layer.areas.is_part(area)
    }

    /// See [`Areas::enter`].
    pub(super) fn enter(&mut self, area: Area) {
        let (layer, area) = self.of_mut(area);
        layer.areas.enter(area);
    }

    /// See [`Areas::leave`].
    pub(super) fn leave(&mut self, area: Area) {
        let (layer, area) = self.of_mut(area);
        layer.areas.leave(area);
    }

    /// See [`Areas::review`].
    pub(super) fn review(&mut self, mut retire: impl FnMut(Area), mut revive: impl FnMut(Area)) {
        for (number, layer) in self.layers.iter_mut().enumerate() {
            layer.areas.review(|area| retire(joined(number, area)), |area| revive(joined(number, area)));
        }
    }

    /// Calls `visit` for each area in which somebody can be that counts as within `radius_m` of a point, with the squared distance that the nearest
    /// place where that can be counts as. Says whether any is of a split cell.
    pub(crate) fn for_each_within(&self, point_m: Vec2, radius_m: f32, mut visit: impl FnMut(Area, f32)) -> bool {
        let mut is_any_split = false;
        for (number, Layer { areas, scale, .. }) in self.layers.iter().enumerate() {
            is_any_split |= areas.for_each_within(point_m, radius_m / scale, |area, distance_squared_m2| {
                visit(joined(number, area), distance_squared_m2 * scale * scale);
            });
        }
        is_any_split
    }
}
