//! Where everybody is, tick by tick: who comes into a page, stays and goes, and how each is.

use std::sync::atomic::AtomicU64;

use glam::Vec3;
use throng_shared::attributes::Attributes;
use throng_shared::ids::NetId;
use throng_shared::memory::fetch;
use throng_shared::quantised::{QuantisedState, STEPS_PER_M};
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::Tick;
use throng_shared::wire::page::{PageOwner, PageState, VELOCITY_MAX, VELOCITY_STEPS_PER_STEP, slots_of};

use super::areas::{Area, NONE};
use super::attributes::{Audience, Change, Row};
use super::page::PageSlots;
use super::{Member, PageHead, Pages, cells, growth};

/// How far a velocity may be from what was told of it, in sixteenths of a step: less is not worth the bits, for after four
/// ticks it is a step.
const VELOCITY_TOLERANCE: f32 = 4.0;

/// How many characters ahead the places of those are fetched who are recorded.
const MEMBERS_AHEAD: usize = 16;

/// For how long an empty page stays for those whom it was for, in ticks.
const AUDIENCE_KEPT_TICKS: u32 = 64;

impl Pages {
    /// Notes where everybody is at `tick`: gives slots to who has come into a cell, takes them from who has gone, and writes
    /// all states; and the attributes of those in `news`, which is sorted by name and has everybody who is new.
    ///
    /// O(characters). Columns, places and news are sorted by name, so that they are gone through together.
    pub fn record(&mut self, tick: Tick, columns: &CharacterColumns, news: &[(NetId, &Attributes)]) {
        self.tick = tick;
        self.rows.begin_tick(tick, self.heads.iter().map(|head| head.occupied));
        self.review_areas();
        let mut news = news.iter().peekable();
        let mut members = std::mem::take(&mut self.members);
        let more = columns.len().saturating_sub(members.len());
        growth::make_room(&mut members, more);
        // Those before `kept` are of this tick, those from `next` on of the one before; between is nobody.
        let (mut kept, mut next) = (0, 0);
        for row in 0..columns.len() {
            if row % MEMBERS_AHEAD == 0 {
                self.fetch_places(members[next..].iter().skip(MEMBERS_AHEAD).take(MEMBERS_AHEAD));
            }
            let net_id = columns.net_ids[row];
            while let Some(gone) = members.get(next).filter(|member| member.net_id < net_id) {
                self.forget(tick, gone);
                next += 1;
            }
            let member = members.get(next).filter(|member| member.net_id == net_id).copied();
            next += usize::from(member.is_some());
            while news.next_if(|(of, _)| *of < net_id).is_some() {}
            let attributes = news.next_if(|(of, _)| *of == net_id).map(|(_, attributes)| *attributes);
            let member = self.record_one(tick, columns, row, member, attributes);
            if kept < next {
                members[kept] = member;
            } else {
                // Names rise, so that whoever is new comes behind all others.
                members.insert(kept, member);
                next += 1;
            }
            kept += 1;
        }
        members[next..].iter().for_each(|gone| self.forget(tick, gone));
        members.truncate(kept);
        self.members = members;
    }

    /// Has the heads and states of those brought near who are recorded soon; see [`throng_shared::memory::fetch`].
    fn fetch_places<'m>(&self, members: impl Iterator<Item = &'m Member>) {
        for member in members {
            let head = &self.heads[member.page as usize];
            fetch(&head.changed);
            fetch(&head.center_m);
            if self.rows.written_since(member.page).is_some() {
                self.rows.fetch_now(member.page, member.slot);
            }
        }
    }

    /// Splits cells that have become crowded, and makes those whole that are so no longer. Everybody in them gets another place in this
    /// tick.
    fn review_areas(&mut self) {
        let (mut retired, mut revived) = (Vec::new(), Vec::new());
        self.areas.review(|area| retired.push(area), |area| revived.push(area));
        self.turn += u64::from(!retired.is_empty());
        for (areas, is_retired) in [(retired, true), (revived, false)] {
            for area in areas {
                for page in self.of_area(area).collect::<Vec<_>>() {
                    self.heads[page as usize].is_retired = is_retired;
                }
            }
        }
    }

    fn record_one(
        &mut self,
        tick: Tick,
        columns: &CharacterColumns,
        row: usize,
        member: Option<Member>,
        attributes: Option<&Attributes>,
    ) -> Member {
        let ground_m = columns.positions_m[row];
        let position_m = Vec3::new(ground_m.x, columns.heights_m[row], ground_m.y);
        let owner = PageOwner { net_id: columns.net_ids[row], archetype: columns.archetypes[row] };
        let (velocity, attribute_row, former) = match &member {
            Some(Member { position_m: before_m, state, row, audience, layer, .. }) => {
                (velocity_after(state.velocity, position_m - *before_m), *row, (*audience, *layer))
            }
            None => ([0; 3], self.attributes.take(), (Audience::Everybody, 0)),
        };
        let (change, (audience, layer)) = match attributes {
            Some(attributes) => {
                let change = self.attributes.update(attribute_row, tick, owner.archetype, attributes);
                let audience = self.attributes.audience(attribute_row, owner.net_id);
                (change, (audience, self.attributes.layer(attribute_row)))
            }
            None => (Change::default(), former),
        };
        let stays = |member: &Member| {
            let PageHead { center_m, half_m, is_retired, .. } = self.heads[member.page as usize];
            // Who goes on as another archetype is told whole to all.
            let is_same = (audience, layer, owner.archetype) == (member.audience, member.layer, member.archetype);
            is_same && !is_retired && cells::keeps(center_m, half_m, ground_m)
        };
        let (page, slot, before) = match member {
            Some(member) if stays(&member) => (member.page, member.slot, Some(member)),
            _ => {
                if let Some(member) = &member {
                    // Who is concealed from now on has departed, for all that others may know.
                    self.vacate(tick, member, audience != Audience::Everybody && audience != member.audience);
                }
                let area = self.areas.at(layer, ground_m);
                let (page, slot) = self.occupy(tick, area, owner, attribute_row, audience);
                (page, slot, None)
            }
        };
        let state = self.write(tick, (page, slot), &columns.states[row], velocity, before.as_ref());
        let is_written = self.rows.written_since(page).is_some();
        let head = &mut self.heads[page as usize];
        if change.for_all {
            (head.changed, head.attributes_changed) = (tick, tick);
        }
        if change.for_team {
            head.team_changed = tick;
        }
        let PageOwner { net_id, archetype } = owner;
        Member { net_id, archetype, page, slot, is_written, row: attribute_row, audience, layer, position_m, state }
    }

    /// Writes down how somebody is who goes so far in a tick and has stood in this page and slot before, if it has: where somebody is told of the page.
    /// Elsewhere nothing is kept but the velocity.
    fn write(
        &mut self,
        tick: Tick,
        (page, slot): (u32, u8),
        state: &QuantisedState,
        velocity: [i16; 3],
        before: Option<&Member>,
    ) -> PageState {
        if self.rows.written_since(page).is_none() {
            return PageState { velocity, ..PageState::default() };
        }
        let head = &mut self.heads[page as usize];
        let state = PageState::new(head.origin, state, velocity);
        // What was before stands with the member, for to read what lies in its page would have to be waited for.
        let is_as_before = before.is_some_and(|before| match before.is_written {
            true => before.state == state,
            false => self.rows.now(page as usize)[usize::from(slot)] == state,
        });
        if !is_as_before {
            self.rows.put(page, slot, state);
            head.changed = tick;
        }
        state
    }

    /// Writes down how pages are that somebody has begun to look at in this tick, after it was recorded. O(pages + characters in those, times log
    /// characters).
    pub(super) fn catch_up(&mut self, columns: &CharacterColumns) {
        let Pages { rows, heads, slots, members, tick, .. } = self;
        rows.catch_up(*tick, |page, now| {
            let head = &heads[page];
            for slot in slots_of(head.occupied) {
                let net_id = slots[page].owners[slot].net_id;
                let row = members.binary_search_by_key(&net_id, |member| member.net_id);
                let row = row.expect("whoever has a slot is a member");
                debug_assert_eq!(columns.net_ids[row], net_id, "members are in the order of the columns");
                now[slot] = PageState::new(head.origin, &columns.states[row], members[row].state.velocity);
            }
        });
    }

    /// Finds a free slot in an area, in a page for the same audience.
    fn occupy(&mut self, tick: Tick, area: Area, owner: PageOwner, row: Row, audience: Audience) -> (u32, u8) {
        if audience == Audience::Everybody {
            // Whether a cell is split must not depend on who is concealed.
            self.areas.enter(area);
        }
        let all_slots = self.all_slots;
        let with_room = self.of_area(area).find(|&page| {
            let head = &self.heads[page as usize];
            // A page that was for few can be for few others once those have been told that nobody is there any more.
            let is_free = head.occupied == 0
                && ![head.audience, audience].contains(&Audience::Everybody)
                && tick.since(head.owners_changed) > AUDIENCE_KEPT_TICKS;
            head.occupied != all_slots && (head.audience == audience || is_free)
        });
        let page = with_room.unwrap_or_else(|| self.add_page(tick, area, audience));
        let is_part = self.areas.is_part(area);
        let head = &mut self.heads[page as usize];
        head.audience = audience;
        // Of the parts of a crowd's cell, and of who is concealed, it is looked often enough who is where.
        let is_noticed = is_part || audience != Audience::Everybody;
        if head.occupied == 0 && !head.is_first && !is_noticed {
            self.turn += 1;
        }
        if let (0, Audience::Team(team)) = (head.occupied, audience) {
            // Only who may know looks at once.
            *self.team_turns.entry(team).or_default() += 1;
        }
        let slot = head.occupied.trailing_ones() as u8;
        head.occupied |= 1 << slot;
        (head.changed, head.owners_changed) = (tick, tick);
        self.slots[page as usize].give(tick, slot.into(), owner, row);
        (page, slot)
    }

    /// Somebody has left the world.
    fn forget(&mut self, tick: Tick, member: &Member) {
        self.vacate(tick, member, true);
        self.attributes.give_back(member.row);
    }

    fn vacate(&mut self, tick: Tick, member: &Member, has_departed: bool) {
        let head = &mut self.heads[member.page as usize];
        if head.audience == Audience::Everybody {
            self.areas.leave(head.area);
        }
        head.occupied &= !(1 << member.slot);
        (head.changed, head.owners_changed) = (tick, tick);
        self.slots[member.page as usize].take(tick, member.slot.into(), has_departed);
    }

    fn add_page(&mut self, tick: Tick, area: Area, audience: Audience) -> u32 {
        let page = self.heads.len() as u32;
        let is_part = self.areas.is_part(area);
        let is_for_all = audience == Audience::Everybody;
        self.turn += u64::from(!is_part && is_for_all);
        let is_first = !self.of_area(area).any(|page| self.heads[page as usize].audience == Audience::Everybody);
        let last = self.of_area(area).last();
        match last {
            Some(last) => self.heads[last as usize].next = page,
            None => self.areas.set_first_page(area, page),
        }
        let (center_m, half_m) = self.areas.extent_m(area);
        growth::push(&mut self.slots, PageSlots::new());
        let head = PageHead {
            changed: tick,
            owners_changed: tick,
            attributes_changed: Tick(0),
            team_changed: Tick(0),
            audience,
            occupied: 0,
            center_m,
            half_m,
            scale_squared: self.areas.scale(area).powi(2),
            origin: (center_m * STEPS_PER_M).round().as_ivec2(),
            area,
            next: NONE,
            // In layers of large cells empty pages would use up the numbers that a client has.
            is_first: is_first && !is_part && is_for_all && !self.areas.is_far(area),
            is_retired: false,
            length_bytes: 0,
        };
        growth::push(&mut self.heads, head);
        growth::push(&mut self.wanted, AtomicU64::new(0));
        self.rows.add_page();
        page
    }
}

/// The velocity that is told of somebody who has come so far in a tick: what was told before as long as that is near enough.
fn velocity_after(told: [i16; 3], way_m: Vec3) -> [i16; 3] {
    let way = way_m * (STEPS_PER_M * VELOCITY_STEPS_PER_STEP as f32);
    if way.abs().max_element() > VELOCITY_MAX as f32 {
        // Nobody runs like that.
        return [0; 3];
    }
    let near_enough = |told: i16, way: f32| {
        let is_near = (way - f32::from(told)).abs() <= VELOCITY_TOLERANCE && (way != 0.0 || told == 0);
        if is_near { told } else { way.round() as i16 }
    };
    let [x, y, z] = told;
    [near_enough(x, way.x), near_enough(y, way.y), near_enough(z, way.z)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_velocity_is_told_anew_when_it_is_clearly_another_and_at_rest_it_is_zero() {
        let way_m = |sixteenths: f32| Vec3::new(sixteenths, 0.0, 0.0) / (STEPS_PER_M * VELOCITY_STEPS_PER_STEP as f32);
        assert_eq!(velocity_after([0; 3], way_m(100.0)), [100, 0, 0]);
        assert_eq!(velocity_after([100, 0, 0], way_m(103.9)), [100, 0, 0]);
        assert_eq!(velocity_after([100, 0, 0], way_m(95.0)), [95, 0, 0]);
        assert_eq!(velocity_after([3, 0, 0], way_m(0.0)), [0; 3]);
        assert_eq!(velocity_after([100, 0, 0], way_m(5_000.0)), [0; 3], "nobody runs like that");
    }
}
