//! A bad network, seeded: latency, jitter, loss, duplication and reordering, as a queue without a clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::random::Random;

/// What a link does to datagrams, each way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkConditions {
    /// Delay of every datagram, in milliseconds.
    pub one_way_ms: f32,
    /// Uniform addition to or subtraction from the delay, in milliseconds. Reorders what is sent closer together.
    pub jitter_ms: f32,
    /// Share of datagrams that never arrive, in percent.
    pub loss_percent: f32,
    /// Share of datagrams that arrive twice, in percent.
    pub duplicate_percent: f32,
    /// Share of datagrams that are held back by another delay, in percent, so that later ones overtake them.
    pub reorder_percent: f32,
}

impl LinkConditions {
    /// Whether nothing is done at all.
    pub fn is_perfect(&self) -> bool {
        *self == LinkConditions::default()
    }
}

/// One direction of a conditioned link. Holds what is under way; `Item` is whatever is sent.
#[derive(Debug)]
pub struct LinkQueue<Item> {
    conditions: LinkConditions,
    random: Random,
    under_way: BinaryHeap<Reverse<UnderWay<Item>>>,
    sent_count: u64,
}

#[derive(Debug)]
struct UnderWay<Item> {
    due: Duration,
    order: u64,
    item: Item,
}

/// Most items under way; further ones are lost, as in a full router queue.
const UNDER_WAY_MAX: usize = 4_096;

impl<Item: Clone> LinkQueue<Item> {
    /// A link whose fate is fixed by `seed` and `stream`.
    pub fn new(conditions: LinkConditions, seed: u64, stream: u64) -> LinkQueue<Item> {
        LinkQueue { conditions, random: Random::new(seed, stream), under_way: BinaryHeap::new(), sent_count: 0 }
    }

    /// Sends `item` at `now`, a time on any scale that [`LinkQueue::pop_due`] uses too.
    pub fn push(&mut self, now: Duration, item: Item) {
        let conditions = self.conditions;
        if self.random.percent(conditions.loss_percent) {
            return;
        }
        if self.random.percent(conditions.duplicate_percent) {
            let copy = item.clone();
            self.schedule(now, copy);
        }
        self.schedule(now, item);
    }

    fn schedule(&mut self, now: Duration, item: Item) {
        if self.under_way.len() >= UNDER_WAY_MAX {
            return;
        }
        let conditions = self.conditions;
        let mut delay_ms = conditions.one_way_ms + self.random.between(-conditions.jitter_ms, conditions.jitter_ms);
        if self.random.percent(conditions.reorder_percent) {
            delay_ms += conditions.one_way_ms;
        }
        let due = now + Duration::from_secs_f32(delay_ms.max(0.0) / 1000.0);
        self.sent_count += 1;
        self.under_way.push(Reverse(UnderWay { due, order: self.sent_count, item }));
    }

    /// The next item that has arrived by `now`, with the moment of its arrival.
    pub fn pop_due(&mut self, now: Duration) -> Option<(Duration, Item)> {
        if self.next_due()? > now {
            return None;
        }
        self.under_way.pop().map(|Reverse(under_way)| (under_way.due, under_way.item))
    }

    /// When the next item arrives, if one is under way.
    pub fn next_due(&self) -> Option<Duration> {
        self.under_way.peek().map(|Reverse(under_way)| under_way.due)
    }
}

impl<Item> PartialEq for UnderWay<Item> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<Item> Eq for UnderWay<Item> {}

impl<Item> PartialOrd for UnderWay<Item> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<Item> Ord for UnderWay<Item> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(conditions: LinkConditions, count: u32) -> Vec<(Duration, u32)> {
        let mut link = LinkQueue::new(conditions, 5, 0);
        for number in 0..count {
            link.push(Duration::from_millis(u64::from(number) * 50), number);
        }
        std::iter::from_fn(|| link.pop_due(Duration::MAX)).collect()
    }

    #[test]
    fn a_perfect_link_delivers_everything_at_once_and_in_order() {
        let arrived = arrivals(LinkConditions::default(), 100);
        assert_eq!(arrived.iter().map(|(_, number)| *number).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert!(arrived.iter().all(|(at, number)| *at == Duration::from_millis(u64::from(*number) * 50)));
    }

    #[test]
    fn losses_duplicates_and_delays_come_in_the_stated_measure() {
        let conditions = LinkConditions {
            one_way_ms: 80.0,
            jitter_ms: 20.0,
            loss_percent: 10.0,
            duplicate_percent: 5.0,
            reorder_percent: 5.0,
        };
        let arrived = arrivals(conditions, 4_000);
        assert_eq!(arrived, arrivals(conditions, 4_000), "the seed fixes everything");
        let share = arrived.len() as f32 / 4_000.0;
        assert!((0.92..0.97).contains(&share), "0.9 x 1.05 arrive, not {share}");
        let swapped = arrived.windows(2).filter(|pair| pair[0].1 > pair[1].1).count();
        assert!(swapped > 50, "later ones overtake, {swapped}");
        let late_ms = |(at, number): &(Duration, u32)| at.as_millis() as i64 - i64::from(*number) * 50;
        assert!(arrived.iter().all(|arrival| (60..=180).contains(&late_ms(arrival))));
    }
}
