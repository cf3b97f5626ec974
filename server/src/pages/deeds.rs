//! What characters have lately done: told with the pages that they are in, to everybody who sees them.

use smallvec::SmallVec;
use throng_shared::abilities::Act;
use throng_shared::ids::NetId;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::page::{DEED_AGE_TICKS_MAX, PAGE_DEEDS_MAX, PageDeed};

/// For how long a deed is told to those who have not heard of it, in milliseconds: what is older is not worth showing.
const DEEDS_KEPT_MS: u32 = 500;

/// What one page tells of: on the stack.
pub(super) type DeedsOfPage = SmallVec<[PageDeed; PAGE_DEEDS_MAX]>;

/// What was lately done by those who are in a page, wherever they are now: by page, and then the oldest first.
#[derive(Debug)]
pub(super) struct Deeds {
    by_page: Vec<Deed>,
    kept_ticks: u32,
}

#[derive(Clone, Copy, Debug)]
struct Deed {
    page: u32,
    tick: Tick,
    who: NetId,
    slot: u8,
    act: Act,
    /// Its doer's place among all members when that was last looked up.
    place: u32,
}

/// Where somebody is: its place among all members, its page and its slot there.
pub(super) type Place = (u32, u32, u8);

impl Deeds {
    /// None yet, in a world of this rate.
    pub(super) fn new(rate: TickRate) -> Deeds {
        let kept_ticks = rate.ticks_for_ms(DEEDS_KEPT_MS).clamp(1, DEED_AGE_TICKS_MAX);
        Deeds { by_page: Vec::new(), kept_ticks }
    }

    /// Takes in what was done in `tick`, and looks up where everybody is who has lately done anything; `find` says where somebody is who was
    /// at this place among the members, or is anywhere for none. O(deeds that are kept, times their logarithm); nothing is allocated once they have been as
    /// many.
    pub(super) fn record(
        &mut self,
        tick: Tick,
        done: &[(NetId, Act)],
        find: impl Fn(NetId, Option<u32>) -> Option<Place>,
    ) {
        let kept_ticks = self.kept_ticks;
        self.by_page.retain_mut(|deed| {
            let Some((place, page, slot)) = find(deed.who, Some(deed.place)) else { return false };
            (deed.place, deed.page, deed.slot) = (place, page, slot);
            tick.since(deed.tick) < kept_ticks
        });
        self.by_page.extend(done.iter().filter_map(|&(who, act)| {
            let (place, page, slot) = find(who, None)?;
            Some(Deed { page, tick, who, slot, act, place })
        }));
        self.by_page.sort_unstable_by_key(|deed| (deed.page, deed.tick, deed.who));
    }

    /// The pages of those who have done something in `tick`.
    pub(super) fn pages_of(&self, tick: Tick) -> impl Iterator<Item = u32> {
        self.by_page.iter().filter(move |deed| deed.tick == tick).map(|deed| deed.page)
    }

    /// What those are told at `now` who have a page of the tick `then`: the newest, if there are more than fit. Of `renewed` slots they
    /// know nothing of what their owners did elsewhere, and are told all.
    pub(super) fn since(&self, page: u32, then: Tick, renewed: u32, now: Tick) -> DeedsOfPage {
        let first = self.by_page.partition_point(|deed| deed.page < page);
        let of_page = self.by_page[first..].iter().take_while(|deed| deed.page == page);
        let news = of_page.filter(|deed| deed.tick > then || renewed >> deed.slot & 1 == 1);
        let surplus = news.clone().count().saturating_sub(PAGE_DEEDS_MAX);
        let told = |&Deed { slot, tick, act: Act { ability, yaw, pitch, .. }, .. }: &Deed| PageDeed {
            slot,
            age_ticks: now.since(tick) as u8,
            ability,
            yaw,
            pitch,
        };
        news.skip(surplus).map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(ability: u8) -> Act {
        Act { ability, ..Act::default() }
    }

    fn told(deeds: &Deeds, page: u32, then: u32, now: u32) -> Vec<(u8, u8, u8)> {
        let told = deeds.since(page, Tick(then), 0, Tick(now));
        told.iter().map(|deed| (deed.slot, deed.age_ticks, deed.ability)).collect()
    }

    #[test]
    fn a_deed_is_told_where_its_doer_is_until_it_is_known_or_old() {
        let mut deeds = Deeds::new(TickRate::new(20));
        let home = |who: NetId, _| Some((0, who.0 / 10, who.0 as u8 % 10));
        deeds.record(Tick(5), &[(NetId(11), act(1)), (NetId(23), act(2))], home);
        deeds.record(Tick(6), &[(NetId(11), act(3))], home);
        assert_eq!(told(&deeds, 1, 4, 6), [(1, 1, 1), (1, 0, 3)], "the oldest first");
        assert_eq!(told(&deeds, 1, 5, 6), [(1, 0, 3)], "who has the page of tick 5 knows the first");
        assert_eq!(told(&deeds, 2, 0, 6), [(3, 1, 2)]);
        assert_eq!(told(&deeds, 3, 0, 6), []);
        assert_eq!(deeds.pages_of(Tick(6)).collect::<Vec<_>>(), [1]);
        // The first goes to another page, the second leaves the world.
        deeds.record(Tick(7), &[], |who, _| (who == NetId(11)).then_some((0, 3, 4)));
        assert_eq!((told(&deeds, 1, 4, 7), told(&deeds, 2, 4, 7)), (vec![], vec![]));
        assert_eq!(told(&deeds, 3, 4, 7), [(4, 2, 1), (4, 1, 3)]);
        assert_eq!(told(&deeds, 3, 7, 7), []);
        assert_eq!(
            deeds.since(3, Tick(7), 1 << 4, Tick(7)).len(),
            2,
            "who has page 3 has not seen what it did in page 1"
        );
        (8..=14).for_each(|tick| deeds.record(Tick(tick), &[], home));
        assert_eq!(told(&deeds, 1, 0, 14), [(1, 9, 1), (1, 8, 3)]);
        assert_eq!(told(&deeds, 2, 0, 14), [], "who has left is forgotten");
        deeds.record(Tick(15), &[], home);
        assert_eq!(told(&deeds, 1, 0, 15), [(1, 9, 3)], "half a second is over for the other");
    }

    #[test]
    fn of_more_than_a_page_has_room_for_the_newest_are_told() {
        let mut deeds = Deeds::new(TickRate::new(20));
        let done: Vec<(NetId, Act)> = (1..=30).map(|who| (NetId(who), act(who as u8))).collect();
        deeds.record(Tick(1), &done[..20], |who, _| Some((0, 0, who.0 as u8)));
        deeds.record(Tick(2), &done[20..], |who, _| Some((0, 0, who.0 as u8)));
        let told = told(&deeds, 0, 0, 2);
        assert_eq!(told.iter().map(|told| told.2).collect::<Vec<_>>(), (15..=30).collect::<Vec<u8>>());
    }
}
