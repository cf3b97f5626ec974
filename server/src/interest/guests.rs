//! Who is beyond a full view takes turns in it, so that everybody in a crowd is told one by one now and then.

use throng_shared::tick::Tick;

use crate::pages::Pages;

/// How long a guest stays, in milliseconds.
pub(super) const GUEST_MS: u32 = 1_000;

/// Guests have one place of this many. A page that is larger has no turn: in so small a view the nearest need all places.
const GUEST_SHARE: usize = 6;

/// The pages that have their turn in one client's view.
#[derive(Clone, Debug)]
pub(super) struct Guests {
    pages: Vec<u32>,
    /// The last page that had its turn.
    last: u32,
    until: Tick,
    stay_ticks: u32,
}

impl Guests {
    /// None yet; each stays for so long.
    pub(super) fn new(stay_ticks: u32) -> Guests {
        Guests { pages: Vec::new(), last: 0, until: Tick(0), stay_ticks }
    }

    /// The pages that have their turn.
    pub(super) fn pages(&self) -> impl Iterator<Item = u32> {
        self.pages.iter().copied()
    }

    /// Nobody is left out, and nobody waits for a turn.
    pub(super) fn clear(&mut self) {
        self.pages.clear();
    }

    /// When those who are here have had their time, it is the turn of the next of those that are left out, which rise.
    pub(super) fn take_turns(&mut self, now: Tick, left_out: &[u32], pages: &Pages, visible_max: usize) {
        if now < self.until {
            return;
        }
        self.until = now + self.stay_ticks;
        self.pages.clear();
        let next = left_out.partition_point(|&page| page <= self.last);
        let (before, after) = left_out.split_at(next);
        let mut characters = 0;
        for &page in after.iter().chain(before) {
            let more = pages.head(page).occupied.count_ones() as usize;
            if more > visible_max / GUEST_SHARE {
                continue;
            }
            characters += more;
            if characters > visible_max / GUEST_SHARE {
                break;
            }
            self.pages.push(page);
            self.last = page;
        }
    }
}
