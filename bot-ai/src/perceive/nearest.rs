//! The nearest few of many.

use throng_shared::spatial::Hit;

use super::SEEN_MAX;

/// The nearest hits so far, by distance and then by row, which is the order of [`NetId`].
pub(super) struct Nearest {
    hits: [Hit; SEEN_MAX],
    count: usize,
}

impl Default for Nearest {
    fn default() -> Self {
        Nearest { hits: [Hit { row: 0, distance_squared_m2: 0.0 }; SEEN_MAX], count: 0 }
    }
}

impl Nearest {
    pub(super) fn hits(&self) -> &[Hit] {
        &self.hits[..self.count]
    }

    pub(super) fn has_place_for(&self, hit: Hit) -> bool {
        self.count < SEEN_MAX || is_nearer(hit, self.hits[SEEN_MAX - 1])
    }

    /// Puts `hit` in its place; the farthest makes room for it.
    pub(super) fn insert(&mut self, hit: Hit) {
        self.count = (self.count + 1).min(SEEN_MAX);
        let mut place = self.count - 1;
        while place > 0 && is_nearer(hit, self.hits[place - 1]) {
            self.hits[place] = self.hits[place - 1];
            place -= 1;
        }
        self.hits[place] = hit;
    }

    /// As [`Nearest::insert`], if it is not there; however far away `hit` is.
    pub(super) fn include(&mut self, hit: Hit) {
        if self.hits().iter().all(|other| other.row != hit.row) {
            self.insert(hit);
        }
    }
}

fn is_nearer(hit: Hit, other: Hit) -> bool {
    (hit.distance_squared_m2, hit.row) < (other.distance_squared_m2, other.row)
}
