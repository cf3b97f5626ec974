//! Which pages anybody is told of. Only those have a past: nobody asks how it was elsewhere, and where bots are among themselves
//! neither memory nor time is spent on it.

use std::sync::atomic::{AtomicU32, Ordering};

use throng_shared::tick::Tick;
use throng_shared::wire::page::slots_of;

use super::Pages;

/// When each page was last in anybody's view.
#[derive(Debug, Default)]
pub(super) struct Watched {
    ticks: Vec<AtomicU32>,
}

/// For how long a page keeps its past when nobody is told of it any more, in ticks: longer than any baseline can be old, so that who comes back
/// finds either all of the past that it knows, or nothing of it.
const KEPT_TICKS: u32 = 64;

impl Watched {
    /// Another page, which nobody is told of yet.
    pub(super) fn add_page(&mut self) {
        self.ticks.push(AtomicU32::new(0));
    }
}

impl Pages {
    /// Notes that somebody is told of a page in this tick, whether it has its turn or not.
    pub(crate) fn watch(&self, page: u32) {
        let watched = &self.watched.ticks[page as usize];
        // Most have been noted by somebody before.
        if watched.load(Ordering::Relaxed) != self.tick.0 {
            watched.store(self.tick.0, Ordering::Relaxed);
        }
    }

    /// Gives a past to the pages that somebody was told of for the first time in the tick before `tick`, which begins with that tick; and takes it from
    /// those that nobody has been told of for long.
    pub(super) fn review_watched(&mut self, tick: Tick) {
        let Pages { watched, heads, slots, rings, .. } = self;
        for ((watched, head), slots) in watched.ticks.iter_mut().zip(heads.iter_mut()).zip(slots.iter_mut()) {
            let watched = Tick(*watched.get_mut());
            let is_watched = watched > Tick(0) && tick.since(watched) <= if head.has_past { KEPT_TICKS } else { 1 };
            if is_watched == head.has_past {
                continue;
            }
            head.has_past = is_watched;
            for slot in slots_of(head.occupied) {
                if is_watched {
                    slots.rings[slot] = rings.take();
                    rings.put(slots.rings[slot], tick - 1, slots.now[slot]);
                } else {
                    rings.give_back(slots.rings[slot]);
                }
            }
        }
    }
}
