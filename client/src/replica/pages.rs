//! The copies of pages that later ones are told against.

use std::collections::VecDeque;

use throng_shared::attributes::Schema;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;
use throng_shared::wire::WireError;
use throng_shared::wire::page::{BASELINE_AGE_TICKS_MAX, PageCopy};
use throng_shared::wire::snapshot::{PAGES_MAX, SnapshotHeader};

/// Copies of one page that are kept: from all ticks that a baseline can be of.
const COPIES_MAX: usize = BASELINE_AGE_TICKS_MAX as usize + 1;

/// What has been told under each number.
#[derive(Debug)]
pub(super) struct KnownPages {
    by_number: Vec<KnownPage>,
}

#[derive(Clone, Debug, Default)]
struct KnownPage {
    /// Oldest first. None is older than the newest at the last baseline: the server's baselines only become newer.
    copies: VecDeque<(Tick, PageCopy)>,
    /// When it was last told no longer.
    ended: Tick,
}

/// Somebody who was in a page and has its slot there no longer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed {
    pub(super) number: u8,
    pub(super) net_id: NetId,
    /// Whether it has left the world; if not, it may be in another page.
    pub(super) is_out: bool,
}

/// A page of a snapshot.
#[derive(Debug)]
pub(super) struct ToldPage {
    pub(super) number: u8,
    /// Tick of the baseline; 0 for none.
    baseline: Tick,
    pub(super) copy: PageCopy,
}

impl Default for KnownPages {
    fn default() -> KnownPages {
        KnownPages { by_number: vec![KnownPage::default(); PAGES_MAX] }
    }
}

impl KnownPages {
    /// Reads the pages of a snapshot with this header into `told`; nothing here changes.
    ///
    /// # Errors
    /// When one is malformed, told twice, or told against what is not here.
    pub(super) fn read(
        &self,
        schema: &Schema,
        header: &SnapshotHeader,
        mut bytes: &[u8],
        told: &mut Vec<ToldPage>,
    ) -> Result<(), WireError> {
        let SnapshotHeader { tick, tells_deeds, .. } = *header;
        told.clear();
        while let Some((&number, rest)) = bytes.split_first() {
            if told.iter().any(|page| page.number == number) {
                return Err(WireError::InvalidField);
            }
            let mut baseline = Tick(0);
            let (mut copy, mut length) = PageCopy::decode(schema, tells_deeds, rest, |age_ticks| {
                baseline = tick - age_ticks;
                self.by_number[usize::from(number)].newest_until(baseline)
            })?;
            if schema.has_team() {
                length += copy.decode_team(schema, &rest[length..])?;
            }
            told.push(ToldPage { number, baseline, copy });
            bytes = &rest[length..];
        }
        Ok(())
    }

    /// Whether a page has ended at `tick` or later: what was told under its number before was of another.
    pub(super) fn has_ended(&self, number: u8, tick: Tick) -> bool {
        self.by_number[usize::from(number)].ended >= tick
    }

    /// Whether a later copy of a page is here.
    pub(super) fn is_overtaken(&self, number: u8, tick: Tick) -> bool {
        self.by_number[usize::from(number)].copies.back().is_some_and(|(newest, _)| *newest > tick)
    }

    /// Notes in `missed` who was told last under a number and has its slot no longer, or whose page has ended; and whether it is known to have
    /// left the world.
    pub(super) fn note_missed(&self, number: u8, copy: Option<&PageCopy>, missed: &mut Vec<Missed>) {
        let Some((_, former)) = self.by_number[usize::from(number)].copies.back() else { return };
        for (slot, owner, _) in former.characters() {
            if copy.is_none_or(|copy| copy.owner(slot) != Some(owner)) {
                let is_out = copy.is_some_and(|copy| copy.has_departed(slot));
                missed.push(Missed { number, net_id: owner.net_id, is_out });
            }
        }
    }

    /// Keeps a copy of `tick`, and forgets those that will not be asked for any more.
    pub(super) fn keep(&mut self, tick: Tick, page: ToldPage) {
        let copies = &mut self.by_number[usize::from(page.number)].copies;
        let place = copies.partition_point(|(copy, _)| *copy < tick);
        copies.insert(place, (tick, page.copy));
        while copies.len() > COPIES_MAX || copies.get(1).is_some_and(|(second, _)| *second <= page.baseline) {
            copies.pop_front();
        }
    }

    /// Forgets what was told under a number, which has ended at `tick`.
    pub(super) fn forget(&mut self, number: u8, tick: Tick) {
        let page = &mut self.by_number[usize::from(number)];
        page.copies.clear();
        page.ended = page.ended.max(tick);
    }
}

impl KnownPage {
    /// The newest copy that is not newer than `tick`.
    fn newest_until(&self, tick: Tick) -> Option<&PageCopy> {
        let after = self.copies.partition_point(|(copy, _)| *copy <= tick);
        self.copies.get(after.checked_sub(1)?).map(|(_, copy)| copy)
    }
}
