//! Which pages a client is told of: those in reach, the nearest when they are too many.

use glam::Vec2;
use throng_shared::tick::Tick;
use throng_shared::wire::snapshot::PAGES_MAX;

use super::view::{ClientView, Ending, Subscription};
use super::{InterestRules, SLACK_M};
use crate::pages::{Pages, Viewer};

/// When a view is full, a page takes the place of another only if it is nearer than this share of its distance; otherwise
/// two at the rim would change places for ever.
const DISPLACE_SHARE: f32 = 0.8;

/// How often it is looked again who is in a crowd, and whether what was left out has room now, in ticks.
const CUT_TICKS: u32 = 4;

/// Nobody runs so far between two looks, in metres.
const JUMP_M: f32 = 5.0;

/// In a crowd some places stay free, for it is not looked in every tick who comes: one in this many.
const CROWD_SPARE: usize = 16;

/// In which order pages are told, as one number, so that many are sorted fast: by a distance that is not negative, and then by page. Before the
/// nearest come the pinned and then those that have their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u64);

impl Rank {
    /// The last before those that go by distance.
    const LAST_GUEST: Rank = Rank((2 << 32) - 1);

    fn pinned(page: u32) -> Rank {
        Rank(page.into())
    }

    fn guest(page: u32) -> Rank {
        Rank(1 << 32 | u64::from(page))
    }

    fn by_distance(distance_squared_m2: f32, page: u32) -> Rank {
        // The bits of numbers that are not negative rise with them.
        Rank((u64::from(distance_squared_m2.to_bits()) + 2) << 32 | u64::from(page))
    }

    fn page(self) -> u32 {
        self.0 as u32
    }
}

/// Memory that is needed while one view is brought up to date.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Who looks.
    viewer: Viewer,
    /// Where the client sees from (x, z): its own character first.
    anchors_m: Vec<Vec2>,
    /// Pages that it is told of in any case.
    pinned: Vec<u32>,
    /// Pages that the client is told of.
    told: PageSet,
    /// Pages that come before the nearest, and then those that are left out.
    apart: PageSet,
    candidates: Vec<Candidate>,
    ranks: Vec<Rank>,
}

/// A page in reach that the client is not told of.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    page: u32,
    distance_squared_m2: f32,
}

impl Scratch {
    /// Notes who looks, where it sees from (x, z), its own character first, and which pages it must be told of.
    pub(crate) fn attend(
        &mut self,
        viewer: Viewer,
        anchors_m: impl Iterator<Item = Vec2>,
        pinned: impl Iterator<Item = u32>,
    ) {
        self.viewer = viewer;
        self.anchors_m.clear();
        self.anchors_m.extend(anchors_m);
        self.pinned.clear();
        self.pinned.extend(pinned);
    }

    /// Squared distance from the nearest anchor to where somebody in a page can be; 0 for pages that are told in any case.
    fn distance_squared_m2(&self, pages: &Pages, page: u32) -> f32 {
        if self.pinned.contains(&page) {
            return 0.0;
        }
        pages.distance_squared_m2(page, &self.anchors_m)
    }

    /// Whether the client sees from its own character alone, and need not be told of anybody in particular.
    fn is_plain(&self) -> bool {
        self.anchors_m.len() == 1 && self.pinned.is_empty()
    }
}

impl ClientView {
    /// Brings the subscriptions up to date: pages that somebody within the enter radius of an anchor can be in begin, and pinned
    /// ones; those others end in which nobody can be within the leave radius. When they hold more than `visible_max` others, or are more than
    /// there are numbers, the farthest are left out, but for the nearest of all. Views with another `turn` look at crowds in
    /// another tick.
    ///
    /// O(subscriptions + areas in reach), and nothing at all while the anchor has hardly moved and nothing was left out. In a crowd
    /// O(pages in reach, times their logarithm), but only in one of [`CUT_TICKS`] ticks.
    pub(crate) fn observe(&mut self, pages: &Pages, rules: &InterestRules, turn: u32, scratch: &mut Scratch) {
        let anchor_m = scratch.anchors_m[0];
        if scratch.viewer.team != self.viewer.team {
            self.looked = None;
        }
        self.viewer = scratch.viewer;
        let is_turn = self.now.0.wrapping_add(turn).is_multiple_of(CUT_TICKS);
        // That somebody is concealed is no reason to look, for that would show in when others are told.
        let may_change = self.saw_more || !scratch.is_plain() || pages.attributes().schema().can_conceal();
        let is_turn_of_others = is_turn && may_change;
        if !(self.is_due(pages, anchor_m, is_turn) || is_turn_of_others) {
            return;
        }
        self.saw_more = !scratch.is_plain();
        self.looked = Some((anchor_m, pages.turn(&self.viewer)));
        let (enter_m, leave_squared_m2) = (rules.enter_radius_m + SLACK_M, rules.leave_radius_m * rules.leave_radius_m);
        let mut near_count = 0;
        for place in (0..self.subscriptions.len()).rev() {
            let subscription = &mut self.subscriptions[place];
            let distance_squared_m2 = scratch.distance_squared_m2(pages, subscription.page);
            subscription.distance_squared_m2 = distance_squared_m2;
            (subscription.tier, subscription.phase) = place_of(pages, rules, subscription.page, distance_squared_m2);
            if distance_squared_m2 > leave_squared_m2 || !pages.is_of_interest(subscription.page, &scratch.viewer) {
                self.end(place);
            } else {
                near_count += usize::from(distance_squared_m2 <= enter_m * enter_m);
            }
        }
        // Where there were more than may be, it is to be chosen again in any case.
        let may_have_all = !self.is_crowded && !self.is_cut && scratch.is_plain();
        if may_have_all {
            let (count, is_in_crowd) = count_in_reach(pages, enter_m, scratch);
            if count == near_count {
                self.is_in_crowd = is_in_crowd;
                return;
            }
        }
        let Scratch { anchors_m, viewer, pinned, candidates, told, .. } = scratch;
        candidates.clear();
        told.clear();
        self.subscriptions.iter().for_each(|subscription| told.insert(subscription.page));
        for &page in pinned.iter().filter(|&&page| !told.contains(page)) {
            add_candidate(candidates, candidates.len(), Candidate { page, distance_squared_m2: 0.0 });
        }
        self.is_in_crowd = false;
        for &anchor_m in anchors_m.iter() {
            // Whatever is there is of another anchor: no page is in two areas.
            let others = candidates.len();
            self.is_in_crowd |= pages.areas().for_each_within(anchor_m, enter_m, |area, distance_squared_m2| {
                for page in pages.of_interest(area, viewer).filter(|&page| !told.contains(page)) {
                    add_candidate(candidates, others, Candidate { page, distance_squared_m2 });
                }
            });
        }
        self.leave_out_the_farthest(pages, rules.visible_max, scratch);
        while let Some(Candidate { page, distance_squared_m2 }) = scratch.candidates.pop() {
            self.begin(page, distance_squared_m2, place_of(pages, rules, page, distance_squared_m2));
        }
    }

    /// Whether it has to be looked again. In a crowd there is always somebody who comes or goes.
    fn is_due(&self, pages: &Pages, anchor_m: Vec2, is_turn: bool) -> bool {
        let Some((looked_m, turn)) = self.looked else { return true };
        let way_squared_m2 = looked_m.distance_squared(anchor_m);
        if self.is_in_crowd {
            return is_turn || way_squared_m2 > JUMP_M * JUMP_M;
        }
        let is_same = way_squared_m2 <= SLACK_M * SLACK_M && turn == pages.turn(&self.viewer);
        !is_same || self.is_crowded || self.is_cut && is_turn
    }

    fn begin(&mut self, page: u32, distance_squared_m2: f32, (tier, phase): (u8, u8)) {
        let Some(number) = self.numbers.take() else { return };
        self.subscriptions.push(Subscription {
            page,
            base: Tick(0),
            carried: 0,
            distance_squared_m2,
            waits_since: self.now,
            number,
            tier,
            phase,
            characters: 0,
            was_told: false,
        });
    }

    fn end(&mut self, place: usize) {
        let Subscription { number, characters, was_told, .. } = self.subscriptions.swap_remove(place);
        self.characters -= u32::from(characters);
        if was_told {
            self.endings.push(Ending { carried: 0, number });
        } else {
            self.numbers.give_back(number);
        }
    }

    /// Ends the farthest subscriptions and takes out the farthest candidates, if together they are too many.
    fn leave_out_the_farthest(&mut self, pages: &Pages, visible_max: usize, scratch: &mut Scratch) {
        let Scratch { pinned, candidates, ranks, apart: first, .. } = scratch;
        let occupants = |page: u32| pages.head(page).occupied.count_ones() as usize;
        let subscribed = self.subscriptions.iter().map(|subscription| subscription.page);
        let all = subscribed.chain(candidates.iter().map(|candidate| candidate.page));
        let characters: usize = all.map(occupants).sum();
        let pages_max = PAGES_MAX - self.endings.len();
        let pages_count = self.subscriptions.len() + candidates.len();
        let visible_max = if self.is_in_crowd { visible_max - visible_max / CROWD_SPARE } else { visible_max };
        let is_short_of_numbers = characters <= visible_max + 1;
        self.is_cut = !is_short_of_numbers || pages_count > pages_max;
        self.left_out.clear();
        if is_short_of_numbers {
            self.guests.clear();
        }
        if !self.is_cut {
            return;
        }
        // All of them by distance, the pinned before all others, and those that have their turn; those that are told count as nearer.
        first.clear();
        pinned.iter().copied().chain(self.guests.pages()).for_each(|page| first.insert(page));
        let rank = |page: u32, distance_squared_m2: f32| match first.contains(page).then(|| pinned.contains(&page)) {
            Some(true) => Rank::pinned(page),
            Some(false) => Rank::guest(page),
            None => Rank::by_distance(distance_squared_m2, page),
        };
        let told = self.subscriptions.iter().map(|subscription| {
            rank(subscription.page, subscription.distance_squared_m2 * DISPLACE_SHARE * DISPLACE_SHARE)
        });
        let untold = candidates.iter().map(|candidate| rank(candidate.page, candidate.distance_squared_m2));
        ranks.clear();
        ranks.extend(told.chain(untold));
        sort_front(ranks, visible_max);
        let mut characters = 0;
        let fitting = ranks.iter().take(pages_max).take_while(|rank| {
            characters += occupants(rank.page());
            characters <= visible_max + 1
        });
        let needed = ranks.iter().take_while(|rank| **rank <= Rank::LAST_GUEST).count() + 1;
        let kept = fitting.count().max(needed).min(ranks.len());
        self.left_out.extend(ranks[kept..].iter().map(|rank| rank.page()));
        self.left_out.sort_unstable();
        let left_out = first;
        left_out.clear();
        self.left_out.iter().for_each(|&page| left_out.insert(page));
        candidates.retain(|candidate| !left_out.contains(candidate.page));
        for place in (0..self.subscriptions.len()).rev() {
            if left_out.contains(self.subscriptions[place].page) {
                self.end(place);
            }
        }
        if is_short_of_numbers {
            // No crowd: numbers of pages that have ended come back soon.
            self.left_out.clear();
        } else {
            self.guests.take_turns(self.now, &self.left_out, pages, visible_max);
        }
    }
}

/// How many pages within `enter_m` there are for a client that sees from one place, and whether any of their cells is split.
fn count_in_reach(pages: &Pages, enter_m: f32, scratch: &Scratch) -> (usize, bool) {
    let mut count = 0;
    let is_in_crowd = pages.areas().for_each_within(scratch.anchors_m[0], enter_m, |area, _| {
        count += pages.of_interest(area, &scratch.viewer).count();
    });
    (count, is_in_crowd)
}

/// Adds a candidate, or brings the same page nearer if it is `among` the first.
fn add_candidate(candidates: &mut Vec<Candidate>, among: usize, candidate: Candidate) {
    match candidates[..among].iter_mut().find(|known| known.page == candidate.page) {
        Some(known) => known.distance_squared_m2 = known.distance_squared_m2.min(candidate.distance_squared_m2),
        None => candidates.push(candidate),
    }
}

/// Sorts as far as pages can be told that have only one character each: what is behind is left out anyway.
fn sort_front(ranks: &mut [Rank], visible_max: usize) {
    let front = (visible_max + 2).min(PAGES_MAX);
    if ranks.len() > front {
        ranks.select_nth_unstable(front);
    }
    let front = front.min(ranks.len());
    ranks[..front].sort_unstable();
}

/// A set of pages, as bits.
#[derive(Debug, Default)]
struct PageSet {
    words: Vec<u64>,
}

impl PageSet {
    fn clear(&mut self) {
        self.words.fill(0);
    }

    fn insert(&mut self, page: u32) {
        let word = page as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (page % 64);
    }

    fn contains(&self, page: u32) -> bool {
        self.words.get(page as usize / 64).is_some_and(|word| word >> (page % 64) & 1 == 1)
    }
}

/// Tier and phase of a page, of which the viewer may come nearer until the next look.
fn place_of(pages: &Pages, rules: &InterestRules, page: u32, distance_squared_m2: f32) -> (u8, u8) {
    rules.tiers.place(pages.head(page).area, distance_squared_m2.sqrt() - SLACK_M)
}
