//! One page: who has its slots, and what is told of it.

use glam::IVec2;
use throng_shared::attributes::Values;
use throng_shared::quantised::STEPS_PER_M;
use throng_shared::tick::Tick;
use throng_shared::wire::crowd::{CROWD_TEAMS_MAX, CrowdRecord};
use throng_shared::wire::page::{
    Baseline, PAGE_SLOTS, PageOwner, PageState, PageView, TeamNews, Told, VELOCITY_STEPS_PER_STEP, slots_of,
};

use super::PageHead;
use super::attributes::{AttributeTable, Row as AttributeRow, Viewer};
use super::deeds::Deeds;
use super::past::Rows;

/// Who has the slots of a page.
#[derive(Clone, Debug)]
pub(super) struct PageSlots {
    pub(super) owners: [PageOwner; PAGE_SLOTS],
    /// When each slot last changed hands.
    since: [Tick; PAGE_SLOTS],
    /// When each slot's owner, or else its last one, got it.
    given: [Tick; PAGE_SLOTS],
    /// Slots without an owner whose last one has left the world.
    departed: u32,
    /// The attributes of each owner; of no use in worlds without.
    rows: [AttributeRow; PAGE_SLOTS],
}

impl PageSlots {
    pub(super) fn new() -> PageSlots {
        PageSlots {
            owners: [PageOwner::NOBODY; PAGE_SLOTS],
            since: [Tick(0); PAGE_SLOTS],
            given: [Tick(0); PAGE_SLOTS],
            departed: 0,
            rows: [0; PAGE_SLOTS],
        }
    }

    /// Gives a slot to somebody, whose attributes are in a row.
    pub(super) fn give(&mut self, tick: Tick, slot: usize, owner: PageOwner, row: AttributeRow) {
        (self.owners[slot], self.since[slot], self.rows[slot]) = (owner, tick, row);
        self.given[slot] = tick;
        self.departed &= !(1 << slot);
    }

    /// Takes a slot from its owner, who may have left the world.
    pub(super) fn take(&mut self, tick: Tick, slot: usize, has_departed: bool) {
        (self.owners[slot], self.since[slot]) = (PageOwner::NOBODY, tick);
        self.departed = self.departed & !(1 << slot) | u32::from(has_departed) << slot;
    }

    /// The slots without an owner whose owner at a tick has left the world. When another had the slot in between, it is not known
    /// what has become of the one at that tick.
    fn departed_since(&self, tick: Tick) -> u32 {
        slots_of(self.departed).map(|slot| u32::from(self.given[slot] <= tick) << slot).sum()
    }

    /// The slots that have changed hands after a tick.
    pub(super) fn renewed_since(&self, tick: Tick) -> u32 {
        self.since.iter().enumerate().map(|(slot, &since)| u32::from(since > tick) << slot).sum()
    }
}

/// Slots and past of a page, and who is there, at a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageNow<'p> {
    pub(super) tick: Tick,
    pub(super) occupied: u32,
    pub(super) owners_changed: Tick,
    pub(super) origin: IVec2,
    /// When attributes that everybody may know, or that a team may know, last changed.
    pub(super) attributes_changed: Tick,
    pub(super) team_changed: Tick,
    pub(super) slots: &'p PageSlots,
    /// Its number among the rows.
    pub(super) page: usize,
    pub(super) rows: &'p Rows,
    pub(super) attributes: &'p AttributeTable,
    /// None in worlds without abilities.
    pub(super) deeds: Option<&'p Deeds>,
}

impl<'p> PageNow<'p> {
    pub(super) fn new(
        tick: Tick,
        page: usize,
        head: &PageHead,
        slots: &'p PageSlots,
        rows: &'p Rows,
        attributes: &'p AttributeTable,
        deeds: Option<&'p Deeds>,
    ) -> PageNow<'p> {
        let PageHead { occupied, owners_changed, attributes_changed, team_changed, origin, .. } = *head;
        PageNow {
            tick,
            occupied,
            owners_changed,
            origin,
            attributes_changed,
            team_changed,
            slots,
            page,
            rows,
            attributes,
            deeds,
        }
    }

    /// Appends what those are told who have the page of so many ticks ago, or nothing of it for 0.
    pub(super) fn encode(&self, age_ticks: u32, out: &mut Vec<u8>) -> Told {
        let PageNow { tick, occupied, owners_changed, origin, slots, .. } = *self;
        let (schema, now) = (self.attributes.schema(), self.rows.now(self.page));
        let then = if age_ticks == 0 { Tick(0) } else { tick - age_ticks };
        let renewed = if owners_changed > then { slots.renewed_since(then) } else { 0 };
        let deeds = self.deeds.map(|deeds| deeds.since(self.page as u32, then, renewed, tick));
        let deeds = deeds.as_deref();
        let owners = &slots.owners;
        let view = PageView { origin, occupied, departed: 0, owners, states: now, deeds, attributes: None };
        if age_ticks == 0 {
            let attributes = self.public_news(Tick(0), u32::MAX);
            return PageView { attributes: attributes.as_ref().map(|told| &told[..]), ..view }
                .encode(schema, None, out);
        }
        let view = PageView { departed: slots.departed_since(then), ..view };
        let attributes = self.public_news(then, renewed);
        let view = PageView { attributes: attributes.as_ref().map(|told| &told[..]), ..view };
        debug_assert!(self.rows.has_past_of(self.page, occupied & !renewed), "whoever has a page was told of it");
        view.encode(schema, Some(Baseline { age_ticks, renewed, states: self.rows.then(self.page, then) }), out)
    }

    /// What those who have the page of a tick are told of attributes that everybody may know; of `renewed` slots, what is other than at
    /// first. None when that is nothing.
    fn public_news(&self, then: Tick, renewed: u32) -> Option<[Values<'_>; PAGE_SLOTS]> {
        let renewed = renewed & self.occupied;
        let schema = self.attributes.schema();
        if !schema.has_public() || self.attributes_changed <= then && renewed == 0 {
            return None;
        }
        let (mut told, mut is_any) = ([Values::default(); PAGE_SLOTS], false);
        for slot in slots_of(self.occupied) {
            let (row, public) = (self.slots.rows[slot], schema.layout(self.slots.owners[slot].archetype).public);
            told[slot] = match renewed >> slot & 1 {
                1 => self.attributes.unusual(row, public),
                _ => self.attributes.since(row, public, then),
            };
            is_any |= told[slot].known != 0;
        }
        is_any.then_some(told)
    }

    /// What somebody who has the page of a tick, or nothing of it for 0, is told of a slot's attributes for its team.
    fn team_news(&self, slot: usize, then: Tick, viewer: &Viewer) -> Option<TeamNews<'_>> {
        let (row, since) = (self.slots.rows[slot], self.slots.since[slot]);
        let of_team = self.attributes.schema().layout(self.slots.owners[slot].archetype).team;
        let is_of_team = viewer.team.is_some() && self.attributes.team_of(row) == viewer.team;
        let is_looked_anew = since.max(self.attributes.team_since(row)).max(viewer.team_since) > then;
        let told = match (is_of_team, is_looked_anew) {
            (true, true) => self.attributes.since(row, of_team, Tick(0)),
            (true, false) => self.attributes.since(row, of_team, then),
            // Nothing was known of who has come since.
            (false, is_looked_anew) => {
                return (is_looked_anew && since <= then).then_some(TeamNews { is_of_team, ..TeamNews::default() });
            }
        };
        (told.known != 0).then_some(TeamNews { is_of_team, told })
    }

    /// Whether somebody who has the page of a tick is to be told anything that is for its team.
    pub(super) fn has_team_news(&self, then: Tick, viewer: &Viewer) -> bool {
        let newest = self.team_changed.max(self.owners_changed).max(viewer.team_since);
        newest > then && slots_of(self.occupied).any(|slot| self.team_news(slot, then, viewer).is_some())
    }

    /// Appends the team's part for somebody who has the page of a tick, or nothing of it for 0.
    pub(super) fn encode_team(&self, then: Tick, viewer: &Viewer, out: &mut Vec<u8>) {
        let PageNow { occupied, origin, slots, .. } = *self;
        let mut news = [None; PAGE_SLOTS];
        if self.team_changed.max(self.owners_changed).max(viewer.team_since) > then {
            slots_of(occupied).for_each(|slot| news[slot] = self.team_news(slot, then, viewer));
        }
        let owners = &slots.owners;
        let view = PageView { origin, occupied, departed: 0, owners, states: &[], deeds: None, attributes: None };
        view.encode_team(self.attributes.schema(), &news, out);
    }

    /// The page as one number, under its key, in a world with so many ticks per second; it must have somebody.
    pub(super) fn summary(&self, key: u32, rate_hz: f32) -> CrowdRecord {
        let PageNow { occupied, origin, slots, .. } = *self;
        let now = self.rows.now(self.page);
        let (mut middle, mut velocity, mut players) = (IVec2::ZERO, IVec2::ZERO, 0);
        let (mut of_teams, teams) = ([0; CROWD_TEAMS_MAX], self.attributes.schema().crowd_teams());
        for slot in slots_of(occupied) {
            let PageState { offset: [x, z], velocity: [speed_x, _, speed_z], .. } = now[slot];
            middle += IVec2::new(x.into(), z.into());
            velocity += IVec2::new(speed_x.into(), speed_z.into());
            players += u8::from(slots.owners[slot].archetype.is_player());
            if let Some(team) = self.attributes.team_of(slots.rows[slot]).filter(|&team| (team as usize) < teams) {
                of_teams[team as usize] += 1;
            }
        }
        let count = occupied.count_ones();
        let mean = |sum: IVec2| sum.as_vec2() / (count as f32 * STEPS_PER_M);
        let middle_m = mean(middle) + origin.as_vec2() / STEPS_PER_M;
        let velocity_mps = mean(velocity) / VELOCITY_STEPS_PER_STEP as f32 * rate_hz;
        CrowdRecord::new(key, count as u8, players, middle_m, velocity_mps).with_teams(of_teams)
    }
}
