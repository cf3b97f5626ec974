//! What is asked of a page before anything else.

use glam::{IVec2, Vec2};
use throng_shared::tick::Tick;
use throng_shared::wire::page::PAGE_SLOTS;

use super::areas::Area;
use super::attributes::Audience;

/// What every reader asks of a page, apart from the rest so that it is near together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageHead {
    /// Last tick in which anything was different from the tick before; of how those in it are, only what was written down counts. See
    /// [`Glance::is_as_at`].
    pub(crate) changed: Tick,
    /// Last tick in which a slot changed hands.
    pub(crate) owners_changed: Tick,
    /// Last tick in which attributes changed: those that everybody may know, and those that a team may know.
    pub(super) attributes_changed: Tick,
    pub(crate) team_changed: Tick,
    /// Who may know of those who are in it.
    pub(crate) audience: Audience,
    /// Which slots have an owner.
    pub(crate) occupied: u32,
    /// The middle of its area, and half its side.
    pub(super) center_m: Vec2,
    pub(super) half_m: f32,
    /// How much nearer than it is it counts, squared; less than 1 for those who are seen from afar.
    pub(super) scale_squared: f32,
    /// Where its offsets are counted from.
    pub(super) origin: IVec2,
    pub(crate) area: Area,
    /// The next page of the same area.
    pub(super) next: u32,
    /// Whether it is the first of a whole cell.
    pub(super) is_first: bool,
    /// Whether its area takes nobody any more: the cell was split, or is whole again.
    pub(super) is_retired: bool,
    /// Length of its longest variant when it was last encoded.
    pub(crate) length_bytes: u16,
}

/// What every reader asks of each of its pages in every tick: the part of heads and pasts that decides whether there is anything to tell. A quarter
/// of a line of memory, so that those of a whole world stay near while clients come and go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    /// See [`PageHead::changed`].
    pub(crate) changed: Tick,
    /// See [`PageHead::owners_changed`].
    pub(crate) owners_changed: Tick,
    /// Since when it is written down in every tick; not before the end of time for not now.
    written_since: Tick,
    /// See [`PageHead::length_bytes`].
    pub(crate) length_bytes: u16,
    /// How many are in it.
    pub(crate) occupants: u8,
    /// Whether everybody may know of those who are in it.
    pub(crate) is_for_everybody: bool,
}

const _: () = assert!(size_of::<Glance>() == 16 && PAGE_SLOTS <= u8::MAX as usize);

impl Glance {
    pub(super) fn new(head: &PageHead, written_since: Option<Tick>) -> Glance {
        Glance {
            changed: head.changed,
            owners_changed: head.owners_changed,
            written_since: written_since.unwrap_or(Tick(u32::MAX)),
            length_bytes: head.length_bytes,
            occupants: head.occupied.count_ones() as u8,
            is_for_everybody: head.audience == Audience::Everybody,
        }
    }

    /// Whether somebody who had the page of a tick has it as it is now: nothing of what it is told is other since `changed`, and that was written down all
    /// the time.
    pub(crate) fn is_as_at(&self, then: Tick, changed: Tick) -> bool {
        then >= changed && then >= self.written_since
    }
}

impl PageHead {
    /// How much nearer than it is it counts.
    pub(crate) fn scale(&self) -> f32 {
        self.scale_squared.sqrt()
    }
}
