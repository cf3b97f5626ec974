//! Which pages a client is told of: those in reach, the nearest when they are too many.

use glam::Vec2;
use throng_shared::tick::Tick;
use throng_shared::wire::snapshot::PAGES_MAX;

use super::view::{ClientView, Ending, Subscription};
use super::{InterestRules, SLACK_M};
use crate::pages::Pages;

/// When a view is full, a page takes the place of another only if it is nearer than this share of its distance; otherwise
/// two at the rim would change places for ever.
const DISPLACE_SHARE: f32 = 0.8;

/// How often it is looked again who is in a crowd, and whether what was left out has room now, in ticks.
const CUT_TICKS: u32 = 4;

/// Nobody runs so far between two looks, in metres.
const JUMP_M: f32 = 5.0;

/// In a crowd some places stay free, for it is not looked in every tick who comes: one in this many.
const CROWD_SPARE: usize = 16;

/// Memory that is needed while one view is brought up to date.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    candidates: Vec<Candidate>,
    ranks: Vec<(f32, u32)>,
}

/// A page in reach that the client is not told of.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    page: u32,
    distance_squared_m2: f32,
}

impl ClientView {
    /// Brings the subscriptions up to date: pages that somebody within the enter radius of `anchor_m` (x, z) can be in begin;
    /// those end in which nobody can be within the leave radius. When they hold more than `visible_max` others, or are more than
    /// there are numbers, the farthest are left out, but for the nearest of all. Views with another `turn` look at crowds in
    /// another tick.
    ///
    /// O(subscriptions + areas in reach), and nothing at all while the anchor has hardly moved and nothing was left out. In a crowd
    /// O(pages in reach, times their logarithm), but only in one of [`CUT_TICKS`] ticks.
    pub(crate) fn observe(
        &mut self,
        pages: &Pages,
        rules: &InterestRules,
        anchor_m: Vec2,
        turn: u32,
        scratch: &mut Scratch,
    ) {
        let is_turn = self.now.0.wrapping_add(turn).is_multiple_of(CUT_TICKS);
        if !self.is_due(pages, anchor_m, is_turn) {
            return;
        }
        self.looked = Some((anchor_m, pages.turn()));
        let (enter_m, leave_squared_m2) = (rules.enter_radius_m + SLACK_M, rules.leave_radius_m * rules.leave_radius_m);
        let mut near_count = 0;
        for place in (0..self.subscriptions.len()).rev() {
            let subscription = &mut self.subscriptions[place];
            let distance_squared_m2 = pages.distance_squared_m2(subscription.page, anchor_m);
            subscription.distance_squared_m2 = distance_squared_m2;
            subscription.tier = tier_of(rules, distance_squared_m2);
            if distance_squared_m2 > leave_squared_m2 || !pages.is_of_interest(subscription.page) {
                self.end(place);
            } else {
                near_count += usize::from(distance_squared_m2 <= enter_m * enter_m);
            }
        }
        let mut count = 0;
        self.is_in_crowd =
            pages.areas().for_each_within(anchor_m, enter_m, |area, _| count += pages.of_interest(area).count());
        if count == near_count && !self.is_crowded {
            self.is_cut = false;
            self.left_out.clear();
            return;
        }
        let Scratch { candidates, .. } = scratch;
        candidates.clear();
        pages.areas().for_each_within(anchor_m, enter_m, |area, distance_squared_m2| {
            for page in pages.of_interest(area) {
                if self.subscriptions.iter().all(|subscription| subscription.page != page) {
                    candidates.push(Candidate { page, distance_squared_m2 });
                }
            }
        });
        self.leave_out_the_farthest(pages, rules.visible_max, scratch);
        while let Some(Candidate { page, distance_squared_m2 }) = scratch.candidates.pop() {
            self.begin(page, distance_squared_m2, tier_of(rules, distance_squared_m2));
        }
    }

    /// Whether it has to be looked again. In a crowd there is always somebody who comes or goes.
    fn is_due(&self, pages: &Pages, anchor_m: Vec2, is_turn: bool) -> bool {
        let Some((looked_m, turn)) = self.looked else { return true };
        let way_squared_m2 = looked_m.distance_squared(anchor_m);
        if self.is_in_crowd {
            return is_turn || way_squared_m2 > JUMP_M * JUMP_M;
        }
        let is_same = way_squared_m2 <= SLACK_M * SLACK_M && turn == pages.turn();
        !is_same || self.is_crowded || self.is_cut && is_turn
    }

    fn begin(&mut self, page: u32, distance_squared_m2: f32, tier: u8) {
        let Some(number) = self.numbers.take() else { return };
        self.subscriptions.push(Subscription {
            page,
            base: Tick(0),
            carried: 0,
            distance_squared_m2,
            waits_since: self.now,
            number,
            tier,
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
        let Scratch { candidates, ranks, .. } = scratch;
        let occupants = |page: u32| pages.head(page).occupied.count_ones() as usize;
        let subscribed = self.subscriptions.iter().map(|subscription| subscription.page);
        let all = subscribed.chain(candidates.iter().map(|candidate| candidate.page));
        let characters: usize = all.map(occupants).sum();
        let pages_max = PAGES_MAX - self.endings.len();
        let pages_count = self.subscriptions.len() + candidates.len();
        let visible_max = if self.is_in_crowd { visible_max - visible_max / CROWD_SPARE } else { visible_max };
        self.is_cut = characters > visible_max + 1 || pages_count > pages_max;
        self.left_out.clear();
        if !self.is_cut {
            return;
        }
        // All of them by distance; those that are told count as nearer.
        let told = self.subscriptions.iter().map(|subscription| {
            (subscription.distance_squared_m2 * DISPLACE_SHARE * DISPLACE_SHARE, subscription.page)
        });
        let untold = candidates.iter().map(|candidate| (candidate.distance_squared_m2, candidate.page));
        ranks.clear();
        ranks.extend(told.chain(untold));
        ranks.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut characters = 0;
        let fitting = ranks.iter().take(pages_max).take_while(|(_, page)| {
            characters += occupants(*page);
            characters <= visible_max + 1
        });
        let kept = fitting.count().max(1);
        self.left_out.extend(ranks[kept..].iter().map(|(_, page)| *page));
        self.left_out.sort_unstable();
        let is_left_out = |left_out: &[u32], page: u32| left_out.binary_search(&page).is_ok();
        candidates.retain(|candidate| !is_left_out(&self.left_out, candidate.page));
        for place in (0..self.subscriptions.len()).rev() {
            if is_left_out(&self.left_out, self.subscriptions[place].page) {
                self.end(place);
            }
        }
    }
}

fn tier_of(rules: &InterestRules, distance_squared_m2: f32) -> u8 {
    rules.tiers.of(distance_squared_m2.sqrt() - SLACK_M) as u8
}
