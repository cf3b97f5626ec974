//! How pages are, and how they were in each of the last ticks.
//!
//! Only pages that somebody is told of have a past, and only they are written down: nobody asks how it is elsewhere, and where bots are among themselves
//! neither memory nor time is spent on it. Whoever looks there has it written down then.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_shared::memory::{fetch, fetch_all};
use throng_shared::tick::Tick;
use throng_shared::wire::page::{BASELINE_AGE_TICKS_MAX, PAGE_SLOTS, PageState, RUN_SLOTS, StateRuns, slots_of};

use super::growth;

/// How a page is, by slot; what stands in slots without an owner is of no use.
pub(super) type PageStates = [PageState; PAGE_SLOTS];

/// The past of a run of slots, and most pages have no more characters: the states of a tick stand at its number modulo how many ticks
/// are remembered. All are of one size, so that the memory of one serves any other.
type RunPast = Box<[[PageState; RUN_SLOTS]]>;

/// The past of a page; of runs in which nobody was while it was told, there is none.
type Past = [Option<RunPast>; PAGE_SLOTS / RUN_SLOTS];

/// The rows of all pages.
#[derive(Debug)]
pub(super) struct Rows {
    /// How each page is now.
    now: Vec<PageStates>,
    past: Vec<Past>,
    /// When each page was last in anybody's view.
    watched: Vec<AtomicU32>,
    /// Since when each page is written down in every tick; 0, which never is, for not now.
    written_since: Vec<Tick>,
    spare: Spare,
    depth: usize,
}

/// Pasts of runs that nobody needs.
#[derive(Debug)]
struct Spare {
    runs: Vec<RunPast>,
    /// How many there are, with those in use.
    count: usize,
    depth: usize,
}

/// For how long a page is written down and keeps its past when nobody is told of it any more, in ticks: longer than any baseline can be old, so that who
/// comes back finds either all of the past that it knows, or nothing of it.
const KEPT_TICKS: u32 = 64;

const _: () = assert!(KEPT_TICKS > BASELINE_AGE_TICKS_MAX);

/// Fewest pages that are worth handing to another thread to see which are to be written down.
const PAGES_PER_JOB_MIN: usize = 1_024;

impl Spare {
    /// The past of a run, with anything in it. When there is none, several are made, so that a server whose need has settled asks for no memory when it comes to
    /// need a little more.
    fn take(&mut self) -> RunPast {
        const AT_ONCE_MIN: usize = 16;
        const AT_ONCE_MAX: usize = 256;
        const SHARE_AT_ONCE: usize = 4;
        if self.runs.is_empty() {
            let more = (self.count / SHARE_AT_ONCE).clamp(AT_ONCE_MIN, AT_ONCE_MAX);
            let states = [PageState::default(); RUN_SLOTS];
            self.runs.extend(std::iter::repeat_with(|| vec![states; self.depth].into_boxed_slice()).take(more));
            self.count += more;
        }
        self.runs.pop().expect("some were made")
    }
}

impl Rows {
    /// Those of no page yet; so many ticks are remembered, a power of two.
    pub(super) fn new(depth: usize) -> Rows {
        let spare = Spare { runs: Vec::new(), count: 0, depth };
        Rows { now: Vec::new(), past: Vec::new(), watched: Vec::new(), written_since: Vec::new(), spare, depth }
    }

    /// Ticks that are remembered.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Another page, which nobody is told of yet.
    pub(super) fn add_page(&mut self) {
        growth::push(&mut self.now, [PageState::default(); PAGE_SLOTS]);
        growth::push(&mut self.past, Past::default());
        growth::push(&mut self.watched, AtomicU32::new(0));
        growth::push(&mut self.written_since, Tick(0));
    }

    /// Notes that somebody is told of a page in a tick, whether it has its turn or not.
    pub(super) fn watch(&self, page: u32, tick: Tick) {
        let watched = &self.watched[page as usize];
        // Most have been noted by somebody before.
        if watched.load(Ordering::Relaxed) != tick.0 {
            watched.store(tick.0, Ordering::Relaxed);
        }
    }

    /// Remembers how pages are that somebody is told of, for `tick` begins; and forgets those that nobody has been told of for long. Which of
    /// their slots have an owner is `occupied`, as bits, page by page. O(pages).
    pub(super) fn begin_tick(&mut self, tick: Tick, occupied: impl Iterator<Item = u32>) {
        let place = (tick - 1).0 as usize & (self.depth - 1);
        let pages = self.watched.iter_mut().zip(&mut self.written_since);
        for ((((watched, since), past), now), occupied) in pages.zip(&mut self.past).zip(&self.now).zip(occupied) {
            let watched = Tick(*watched.get_mut());
            let is_watched = watched > Tick(0) && tick.since(watched) <= KEPT_TICKS;
            *since = match is_watched {
                true if *since == Tick(0) => tick,
                true => *since,
                false => Tick(0),
            };
            for (number, (run, states)) in past.iter_mut().zip(now.as_chunks().0).enumerate() {
                let is_empty = (occupied >> (number * RUN_SLOTS)).trailing_zeros() >= RUN_SLOTS as u32;
                if !is_watched {
                    self.spare.runs.extend(run.take());
                } else if !is_empty {
                    run.get_or_insert_with(|| self.spare.take())[place] = *states;
                }
            }
        }
    }

    /// Since when a page is written down in every tick; none when it is not.
    pub(super) fn written_since(&self, page: u32) -> Option<Tick> {
        Some(self.written_since[page as usize]).filter(|&since| since > Tick(0))
    }

    /// Writes down how those pages are that nobody was told of before and somebody is in this tick. O(pages), and what `write` costs.
    pub(super) fn catch_up(&mut self, tick: Tick, write: impl Fn(usize, &mut PageStates) + Sync) {
        let pages = self.written_since.par_iter_mut().zip(&mut self.watched).zip(&mut self.now).enumerate();
        pages.with_min_len(PAGES_PER_JOB_MIN).for_each(|(page, ((since, watched), now))| {
            if *since == Tick(0) && *watched.get_mut() == tick.0 {
                write(page, now);
                *since = tick;
            }
        });
    }

    /// Writes how somebody is.
    pub(super) fn put(&mut self, page: u32, slot: u8, state: PageState) {
        self.now[page as usize][usize::from(slot)] = state;
    }

    /// Has the state of somebody brought near.
    pub(super) fn fetch_now(&self, page: u32, slot: u8) {
        fetch(&self.now[page as usize][usize::from(slot)]);
    }

    /// How a page is.
    pub(super) fn now(&self, page: usize) -> &PageStates {
        &self.now[page]
    }

    /// Has a page of so many ticks before `tick`, for each bit of `ages`, brought near; see [`throng_shared::memory::fetch`].
    pub(super) fn fetch(&self, page: usize, tick: Tick, ages: u64) {
        let Some(past) = self.past.get(page) else { return };
        for run in past.iter().flatten() {
            let mut rest = ages & !1;
            while rest != 0 {
                let states = &run[(tick - rest.trailing_zeros()).0 as usize & (self.depth - 1)];
                fetch_all(states);
                rest &= rest - 1;
            }
        }
    }

    /// Whether a page has a past for all of these slots.
    pub(super) fn has_past_of(&self, page: usize, slots: u32) -> bool {
        slots_of(slots).all(|slot| self.past[page][slot / RUN_SLOTS].is_some())
    }

    /// How a page was at an earlier tick that is remembered: the slots that had an owner then, if anybody was told of it. The others are
    /// anything, or nothing.
    pub(super) fn then(&self, page: usize, tick: Tick) -> StateRuns<'_> {
        let place = tick.0 as usize & (self.depth - 1);
        StateRuns(self.past[page].each_ref().map(|run| run.as_ref().map_or(&[][..], |run| &run[place])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(height: i32) -> PageState {
        PageState { height, ..PageState::default() }
    }

    fn height(tick: u32, page: u32, slot: u8) -> i32 {
        (tick * 1_000 + page * 100) as i32 + i32::from(slot)
    }

    /// Three pages, each with the slots whose bits are set, live through a tick.
    fn live(rows: &mut Rows, tick: u32, occupied: [u32; 3]) {
        rows.begin_tick(Tick(tick), occupied.into_iter());
        for (page, occupied) in (0..).zip(occupied) {
            let slots = (0..32).filter(|slot| occupied >> slot & 1 == 1);
            slots.for_each(|slot| rows.put(page, slot, state(height(tick, page, slot))));
        }
    }

    fn rows() -> Rows {
        let mut rows = Rows::new(16);
        (0..3).for_each(|_| rows.add_page());
        rows
    }

    fn runs_of(rows: &Rows, page: usize) -> Vec<bool> {
        rows.past[page].iter().map(Option::is_some).collect()
    }

    #[test]
    fn a_page_has_a_past_from_the_first_time_that_somebody_is_told_of_it_and_gives_it_back() {
        const OCCUPIED: [u32; 3] = [1 << 7, 1 << 7, 1 << 7];
        let mut rows = rows();
        (1..=20).for_each(|tick| live(&mut rows, tick, OCCUPIED));
        assert_eq!(rows.spare.count, 0);
        rows.watch(1, Tick(20));
        for tick in 21..=40 {
            live(&mut rows, tick, OCCUPIED);
            for then in (20..tick).rev().take(15) {
                assert_eq!(rows.then(1, Tick(then))[7], state(height(then, 1, 7)), "{then} in {tick}");
            }
            assert_eq!(rows.now(1)[7], state(height(tick, 1, 7)));
        }
        assert_eq!([0, 1, 2].map(|page| runs_of(&rows, page)[0]), [false, true, false]);
        let made = rows.spare.count;
        (41..=90).for_each(|tick| live(&mut rows, tick, OCCUPIED));
        assert!(!runs_of(&rows, 1)[0] && rows.spare.runs.len() == made);
        rows.watch(2, Tick(90));
        live(&mut rows, 91, OCCUPIED);
        assert!(runs_of(&rows, 2)[0] && rows.spare.count == made, "the memory is used again");
    }

    #[test]
    fn what_stood_in_memory_that_is_used_again_is_never_read() {
        let mut rows = rows();
        let full = u32::MAX;
        rows.watch(0, Tick(1));
        (2..=40).for_each(|tick| live(&mut rows, tick, [full, 0b111, 0]));
        // Nobody looks at page 0 any more, and somebody at page 1 from here on.
        (41..=70).for_each(|tick| live(&mut rows, tick, [full, 0b111, 0]));
        rows.watch(1, Tick(70));
        let first = 70;
        for tick in 71..=80 {
            let occupied = if tick < 75 { 0b111 } else { 0b111 | 1 << 20 };
            live(&mut rows, tick, [full, occupied, 0]);
            for then in first..tick {
                let slots = if then < 75 { 0b111 } else { 0b111 | 1 << 20 };
                assert!(rows.has_past_of(1, slots), "{then} in {tick}");
                let states = rows.then(1, Tick(then));
                for slot in slots_of(slots) {
                    assert_eq!(states[slot], state(height(then, 1, slot as u8)), "slot {slot} of {then} in {tick}");
                }
            }
        }
    }

    #[test]
    fn a_page_has_a_past_for_those_slots_that_somebody_has_had() {
        let mut rows = rows();
        (0..3).for_each(|page| rows.watch(page, Tick(1)));
        live(&mut rows, 2, [0, 0b11, 1 << 31]);
        live(&mut rows, 3, [0, 1 << 8, 1 << 31 | 1]);
        live(&mut rows, 4, [0, 1 << 8, 1 << 31 | 1]);
        let expected = [[false; 4], [true, true, false, false], [true, false, false, true]];
        assert_eq!([0, 1, 2].map(|page| runs_of(&rows, page)), expected.map(|runs| runs.to_vec()));
        assert_eq!(rows.then(1, Tick(3))[8], state(height(3, 1, 8)));
        assert_eq!(rows.then(2, Tick(2))[31], state(height(2, 2, 31)));
        assert_eq!(rows.then(2, Tick(3))[0], state(height(3, 2, 0)));
    }
}
