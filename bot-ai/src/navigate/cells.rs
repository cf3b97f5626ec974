//! Where a character can walk: a graph of cells one metre wide, made where it is first needed.

use std::sync::{Arc, OnceLock};

use glam::{IVec2, Vec2};
use throng_shared::map::Map;

use super::chunk::Chunk;
use super::footing::Footing;

/// Side of a cell, in metres.
pub(super) const CELL_M: f32 = 1.0;
/// Cells along a side of a chunk.
pub(super) const CHUNK_SIDE: i32 = 32;

/// The neighbours of a cell: the bits of [`Cells::links`], in this order. The opposite of each is four places on.
pub(super) const DIRECTIONS: [IVec2; 8] = [
    IVec2::new(1, 0),
    IVec2::new(1, 1),
    IVec2::new(0, 1),
    IVec2::new(-1, 1),
    IVec2::new(-1, 0),
    IVec2::new(-1, -1),
    IVec2::new(0, -1),
    IVec2::new(1, -1),
];

/// The direction back.
pub(super) fn opposite(direction: usize) -> usize {
    (direction + DIRECTIONS.len() / 2) % DIRECTIONS.len()
}

/// How many cells around a point are looked at for one from which to set out.
const SET_OUT_CELLS: i32 = 2;

/// All cells of a world, in chunks of 32 by 32. A chunk in which nothing is in the way takes no memory, any other 0.2 kB and 5 bytes for each cell that
/// is not plain, and both are made when first asked for: what they say depends on the map alone, so that it does not matter who asks.
#[derive(Debug)]
pub(super) struct Cells {
    footing: Footing,
    chunks: Box<[OnceLock<Chunk>]>,
    /// Cells, and chunks, along a side of the world.
    side: i32,
    side_chunks: i32,
}

impl Cells {
    pub(super) fn new(map: Arc<Map>) -> Cells {
        let side = (2.0 * map.half_size_m / CELL_M).ceil().max(1.0) as i32;
        let side_chunks = (side + CHUNK_SIDE - 1) / CHUNK_SIDE;
        let chunks = (0..side_chunks * side_chunks).map(|_| OnceLock::new()).collect();
        Cells { footing: Footing::new(map), chunks, side, side_chunks }
    }

    /// Cells along a side of the world.
    pub(super) fn side(&self) -> i32 {
        self.side
    }

    /// The cell (column, row) that a point (x, z) is in; the nearest of the world for one outside.
    pub(super) fn cell_at(&self, point_m: Vec2) -> IVec2 {
        let cell = ((point_m + self.footing.half_size_m()) / CELL_M).floor();
        // A point that is no number counts as the first cell.
        IVec2::new(cell.x as i32, cell.y as i32).clamp(IVec2::ZERO, IVec2::splat(self.side - 1))
    }

    /// Where to stand in a cell of the world, in metres; none where nobody can.
    pub(super) fn place_m(&self, cell: IVec2) -> Option<Vec2> {
        match self.chunk(cell) {
            Chunk::Open => Some(self.footing.center_m(cell)),
            Chunk::Mixed(cells) => cells.cell(cell % CHUNK_SIDE).place_m(self.footing.center_m(cell)),
        }
    }

    /// To which of [`DIRECTIONS`] a way leads from a cell of the world, as bits: straight, or with a bend.
    pub(super) fn links(&self, cell: IVec2) -> u8 {
        match self.chunk(cell) {
            Chunk::Open => u8::MAX,
            Chunk::Mixed(cells) => cells.cell(cell % CHUNK_SIDE).links,
        }
    }

    /// Whether there is room all around in a cell of the world.
    pub(super) fn is_roomy(&self, cell: IVec2) -> bool {
        match self.chunk(cell) {
            Chunk::Open => true,
            Chunk::Mixed(cells) => cells.cell(cell % CHUNK_SIDE).is_roomy,
        }
    }

    /// Whether one can walk straight from one point to another. Cost: some 2 ns per quarter of a metre where nothing is near,
    /// 50 ns beside walls.
    pub(super) fn is_straight_way(&self, from_m: Vec2, to_m: Vec2) -> bool {
        self.footing.is_straight_way(from_m, to_m, |point_m| self.is_roomy(self.cell_at(point_m)))
    }

    /// The same without what is known of cells: for who asks all over the world, and would have them all made.
    pub(super) fn is_clear_line(&self, from_m: Vec2, to_m: Vec2) -> bool {
        self.footing.is_straight_way(from_m, to_m, |_| false)
    }

    /// The bend of the way from one place to the next, if it is not straight.
    pub(super) fn bend_m(&self, from_m: Vec2, to_m: Vec2) -> Option<Vec2> {
        let is_bent = !self.is_straight_way(from_m, to_m);
        is_bent.then(|| self.footing.bend_m(from_m, to_m)).flatten()
    }

    /// The same for who squeezes through, along walls.
    pub(super) fn is_narrow_way(&self, from_m: Vec2, to_m: Vec2) -> bool {
        self.footing.is_narrow_way(from_m, to_m, |point_m| self.is_roomy(self.cell_at(point_m)))
    }

    /// The cell from which to set out, or at which to arrive, at a point: its own if there is a straight way to where one stands in
    /// it, else the nearest to which there is one, else the nearest in which one can stand; none when there is none near.
    pub(super) fn cell_to_set_out(&self, point_m: Vec2) -> Option<IVec2> {
        let own = self.cell_at(point_m);
        let (mut best, mut best_key) = (None, (true, f32::INFINITY));
        for row in -SET_OUT_CELLS..=SET_OUT_CELLS {
            for column in -SET_OUT_CELLS..=SET_OUT_CELLS {
                let cell = own + IVec2::new(column, row);
                let Some(place_m) = self.is_inside(cell).then(|| self.place_m(cell)).flatten() else { continue };
                let distance_m = place_m.distance_squared(point_m);
                if best_key <= (false, distance_m) {
                    continue;
                }
                let key = (!self.footing.is_straight_way(point_m, place_m, |_| false), distance_m);
                if key < best_key {
                    (best, best_key) = (Some(cell), key);
                }
            }
        }
        best
    }

    pub(super) fn is_inside(&self, cell: IVec2) -> bool {
        cell.cmpge(IVec2::ZERO).all() && cell.cmplt(IVec2::splat(self.side)).all()
    }

    fn chunk(&self, cell: IVec2) -> &Chunk {
        let chunk = cell / CHUNK_SIDE;
        let chunk_index = (chunk.y * self.side_chunks + chunk.x) as usize;
        self.chunks[chunk_index].get_or_init(|| Chunk::new(&self.footing, chunk * CHUNK_SIDE))
    }
}
