//! What characters have lately done: told with the pages that they are in, to everybody who sees them.

use std::collections::VecDeque;

use smallvec::SmallVec;
use throng_shared::abilities::Act;
use throng_shared::ids::NetId;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::page::{DEED_AGE_TICKS_MAX, PAGE_DEEDS_MAX, PageDeed};

/// For how long a deed is told to those who have not heard of it, in milliseconds: what is older is not worth showing.
const DEEDS_KEPT_MS: u32 = 500;

/// What one page tells of: on the stack.
pub(super) type DeedsOfPage = SmallVec<[PageDeed; PAGE_DEEDS_MAX]>;

/// The deeds of all that are lately done, and where their doers are now.
#[derive(Debug)]
pub(super) struct Deeds {
    /// The oldest first.
    recent: VecDeque<Deed>,
    /// Those whose doers are in a page: by page, and then the oldest first.
    by_page: Vec<Placed>,
    kept_ticks: u32,
}

#[derive(Clone, Copy, Debug)]
struct Deed {
    tick: Tick,
    who: NetId,
    act: Act,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    page: u32,
    slot: u8,
    tick: Tick,
    act: Act,
}

impl Deeds {
    /// None yet, in a world of this rate.
    pub(super) fn new(rate: TickRate) -> Deeds {
        let kept_ticks = rate.ticks_for_ms(DEEDS_KEPT_MS).clamp(1, DEED_AGE_TICKS_MAX);
        Deeds { recent: VecDeque::new(), by_page: Vec::new(), kept_ticks }
    }

    /// Takes in what was done in `tick`, in the order of the doers' names, and looks up where everybody is who has lately done anything; `place_of` says
    /// who is in which slot of which page. O(deeds that are kept, times the logarithm of the characters).
    pub(super) fn record(&mut self, tick: Tick, done: &[(NetId, Act)], place_of: impl Fn(NetId) -> Option<(u32, u8)>) {
        self.recent.extend(done.iter().map(|&(who, act)| Deed { tick, who, act }));
        let kept_ticks = self.kept_ticks;
        let is_old = |deed: &Deed| tick.since(deed.tick) >= kept_ticks;
        while self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
        self.by_page.clear();
        let placed = self.recent.iter().filter_map(|&Deed { tick, who, act }| {
            let (page, slot) = place_of(who)?;
            Some(Placed { page, slot, tick, act })
        });
        self.by_page.extend(placed);
        // Of one page they stay in their order.
        self.by_page.sort_by_key(|placed| placed.page);
    }

    /// The pages of those who have done something in `tick`.
    pub(super) fn pages_of(&self, tick: Tick) -> impl Iterator<Item = u32> {
        self.by_page.iter().filter(move |placed| placed.tick == tick).map(|placed| placed.page)
    }

    /// What those are told at `now` who have a page of the tick `then`: the newest, if there are more than fit.
    pub(super) fn since(&self, page: u32, then: Tick, now: Tick) -> DeedsOfPage {
        let first = self.by_page.partition_point(|placed| placed.page < page);
        let of_page = self.by_page[first..].iter().take_while(|placed| placed.page == page);
        let news = of_page.filter(|placed| placed.tick > then);
        let surplus = news.clone().count().saturating_sub(PAGE_DEEDS_MAX);
        let deed = |&Placed { slot, tick, act, .. }: &Placed| {
            let Act { ability, yaw, pitch, .. } = act;
            PageDeed { slot, age_ticks: now.since(tick) as u8, ability, yaw, pitch }
        };
        news.skip(surplus).map(deed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(ability: u8) -> Act {
        Act { ability, ..Act::default() }
    }

    fn told(deeds: &Deeds, page: u32, then: u32, now: u32) -> Vec<(u8, u8, u8)> {
        let told = deeds.since(page, Tick(then), Tick(now));
        told.iter().map(|deed| (deed.slot, deed.age_ticks, deed.ability)).collect()
    }

    #[test]
    fn a_deed_is_told_where_its_doer_is_until_it_is_known_or_old() {
        let mut deeds = Deeds::new(TickRate::new(20));
        let home = |who: NetId| Some((who.0 / 10, who.0 as u8 % 10));
        deeds.record(Tick(5), &[(NetId(11), act(1)), (NetId(23), act(2))], home);
        deeds.record(Tick(6), &[(NetId(11), act(3))], home);
        assert_eq!(told(&deeds, 1, 4, 6), [(1, 1, 1), (1, 0, 3)], "the oldest first");
        assert_eq!(told(&deeds, 1, 5, 6), [(1, 0, 3)], "who has the page of tick 5 knows the first");
        assert_eq!(told(&deeds, 2, 0, 6), [(3, 1, 2)]);
        assert_eq!(told(&deeds, 3, 0, 6), []);
        assert_eq!(deeds.pages_of(Tick(6)).collect::<Vec<_>>(), [1]);
        // The first goes to another page, the second leaves the world.
        deeds.record(Tick(7), &[], |who| (who == NetId(11)).then_some((3, 4)));
        assert_eq!((told(&deeds, 1, 4, 7), told(&deeds, 2, 4, 7)), (vec![], vec![]));
        assert_eq!(told(&deeds, 3, 4, 7), [(4, 2, 1), (4, 1, 3)]);
        (8..=14).for_each(|tick| deeds.record(Tick(tick), &[], home));
        assert_eq!(told(&deeds, 1, 0, 14), [(1, 9, 1), (1, 8, 3)]);
        deeds.record(Tick(15), &[], home);
        assert_eq!(told(&deeds, 1, 0, 15), [(1, 9, 3)], "half a second is over for the other");
    }

    #[test]
    fn of_more_than_a_page_has_room_for_the_newest_are_told() {
        let mut deeds = Deeds::new(TickRate::new(20));
        let done: Vec<(NetId, Act)> = (1..=30).map(|who| (NetId(who), act(who as u8))).collect();
        deeds.record(Tick(1), &done[..20], |who| Some((0, who.0 as u8)));
        deeds.record(Tick(2), &done[20..], |who| Some((0, who.0 as u8)));
        let told = told(&deeds, 0, 0, 2);
        assert_eq!(told.iter().map(|told| told.2).collect::<Vec<_>>(), (15..=30).collect::<Vec<u8>>());
    }
}
