//! How pages are and were: a row of states for each tick.
//!
//! Only pages that somebody is told of have a past: nobody asks how it was elsewhere, and where bots are among themselves neither memory nor
//! time is spent on it.

use std::sync::atomic::{AtomicU32, Ordering};

use throng_shared::tick::Tick;
use throng_shared::wire::page::{PAGE_SLOTS, PageState};

/// The states of one tick, by slot; those of slots without an owner are of no use.
pub(super) type Row = [PageState; PAGE_SLOTS];

/// The rows of all pages.
#[derive(Debug)]
pub(super) struct Rows {
    /// How each page is now.
    now: Vec<Row>,
    /// The row of a tick stands at its number modulo their count.
    past: Vec<Option<Box<[Row]>>>,
    /// When each page was last in anybody's view.
    watched: Vec<AtomicU32>,
    /// Memory that is used again.
    spare: Vec<Box<[Row]>>,
    depth: usize,
}

/// For how long a page keeps its past when nobody is told of it any more, in ticks: longer than any baseline can be old, so that who comes back
/// finds either all of the past that it knows, or nothing of it.
const KEPT_TICKS: u32 = 64;

impl Rows {
    /// Those of no page yet; so many ticks are remembered, a power of two.
    pub(super) fn new(depth: usize) -> Rows {
        Rows { now: Vec::new(), past: Vec::new(), watched: Vec::new(), spare: Vec::new(), depth }
    }

    /// Ticks that are remembered.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Another page, which nobody is told of yet.
    pub(super) fn add_page(&mut self) {
        self.now.push([PageState::default(); PAGE_SLOTS]);
        self.past.push(None);
        self.watched.push(AtomicU32::new(0));
    }

    /// Notes that somebody is told of a page in a tick, whether it has its turn or not.
    pub(super) fn watch(&self, page: u32, tick: Tick) {
        let watched = &self.watched[page as usize];
        // Most have been noted by somebody before.
        if watched.load(Ordering::Relaxed) != tick.0 {
            watched.store(tick.0, Ordering::Relaxed);
        }
    }

    /// Remembers how pages are that somebody is told of, for `tick` begins; and forgets those that nobody has been told of for long. O(pages).
    pub(super) fn begin_tick(&mut self, tick: Tick) {
        let (before, depth) = (tick - 1, self.depth);
        for ((watched, past), now) in self.watched.iter_mut().zip(&mut self.past).zip(&self.now) {
            let watched = Tick(*watched.get_mut());
            let is_watched = watched > Tick(0) && tick.since(watched) <= KEPT_TICKS;
            if !is_watched {
                self.spare.extend(past.take());
                continue;
            }
            let past = past.get_or_insert_with(|| {
                self.spare.pop().unwrap_or_else(|| vec![[PageState::default(); PAGE_SLOTS]; depth].into())
            });
            past[before.0 as usize & (depth - 1)] = *now;
        }
    }

    /// Writes how somebody is.
    pub(super) fn put(&mut self, page: u32, slot: u8, state: PageState) {
        self.now[page as usize][usize::from(slot)] = state;
    }

    /// How a page is.
    pub(super) fn now(&self, page: usize) -> &Row {
        &self.now[page]
    }

    /// How a page was at an earlier tick that is remembered; for one in which nobody was told of it, anything.
    pub(super) fn then(&self, page: usize, tick: Tick) -> &Row {
        let past = self.past[page].as_ref();
        past.map_or(&self.now[page], |past| &past[tick.0 as usize & (self.depth - 1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(height: i32) -> PageState {
        PageState { height, ..PageState::default() }
    }

    #[test]
    fn a_page_has_a_past_from_the_first_time_that_somebody_is_told_of_it_and_gives_it_back() {
        let mut rows = Rows::new(16);
        (0..3).for_each(|_| rows.add_page());
        let height = |tick: u32, page: u32| (tick * 10 + page) as i32;
        let live = |rows: &mut Rows, tick: u32| {
            rows.begin_tick(Tick(tick));
            (0..3).for_each(|page| rows.put(page, 7, state(height(tick, page))));
        };
        (1..=20).for_each(|tick| live(&mut rows, tick));
        assert!(rows.past.iter().all(Option::is_none));
        rows.watch(1, Tick(20));
        for tick in 21..=40 {
            live(&mut rows, tick);
            for then in (20..tick).rev().take(15) {
                assert_eq!(rows.then(1, Tick(then))[7], state(height(then, 1)), "{then} in {tick}");
            }
            assert_eq!(rows.now(1)[7], state(height(tick, 1)));
        }
        assert!(rows.past[0].is_none() && rows.past[2].is_none());
        (41..=90).for_each(|tick| live(&mut rows, tick));
        assert!(rows.past[1].is_none() && rows.spare.len() == 1);
        rows.watch(2, Tick(90));
        live(&mut rows, 91);
        assert!(rows.past[2].is_some() && rows.spare.is_empty(), "the memory is used again");
    }
}
