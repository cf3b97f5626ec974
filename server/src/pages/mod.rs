//! Columns → pages: who is in which cell's page, and how its last ticks were.
//!
//! Every character has a slot in a page of its cell, the same one until it leaves the cell. What many clients see of a page is
//! encoded once for each baseline that they have; see `docs/decisions/0002-pages.md`.

mod areas;
mod attributes;
mod cells;
mod deeds;
mod growth;
mod head;
mod layers;
mod page;
mod past;
mod systems;
#[cfg(test)]
mod tests;
mod told;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bevy_ecs::prelude::Resource;
use glam::{Vec2, Vec3};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};
use rustc_hash::FxHashMap;
use throng_shared::abilities::Act;
use throng_shared::attributes::{Attributes, Schema};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::quantised::STEPS_PER_M;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::crowd::CrowdRecord;
use throng_shared::wire::page::{
    BASELINE_AGE_TICKS_MAX, PAGE_SLOTS, PageOwner, PageState, VELOCITY_MAX, VELOCITY_STEPS_PER_STEP, slots_of,
    slots_with,
};

pub(crate) use areas::Area;
use areas::NONE;
pub(crate) use attributes::{AttributeTable, Audience, Viewer};
use attributes::{Change, Row};
#[cfg(test)]
pub(crate) use cells::CELLS_PER_RADIUS;
pub(crate) use cells::Cells;
use deeds::Deeds;
pub(crate) use head::PageHead;
use layers::{LayerNumber, Layers};
use page::{PageNow, PageSlots};
use past::Rows;
pub(crate) use systems::{encode_pages, rebuild_grid_and_pages};
pub(crate) use told::Block;
use told::{GROUP_PAGES, ToldGroup};

/// How long the past of a page is kept, in milliseconds, but no longer than a baseline can be old.
const PAST_MS: u32 = 1_000;

/// How far a velocity may be from what was told of it, in sixteenths of a step: less is not worth the bits, for after four
/// ticks it is a step.
const VELOCITY_TOLERANCE: f32 = 4.0;

/// How many pages ahead the past is fetched of what is encoded.
const LOOK_AHEAD: usize = 4;

/// How many characters ahead the places of those are fetched who are recorded.
const MEMBERS_AHEAD: usize = 16;

/// For how long an empty page stays for those whom it was for, in ticks.
const AUDIENCE_KEPT_TICKS: u32 = 64;

/// All pages of an instance, and everybody's place in them.
#[derive(Resource, Debug)]
pub struct Pages {
    areas: Layers,
    heads: Vec<PageHead>,
    slots: Vec<PageSlots>,
    rows: Rows,
    /// How often a page has come to be of interest to everybody, and to a team.
    turn: u64,
    team_turns: FxHashMap<u32, u64>,
    /// Variants that this tick's readers want, as bits; see [`Pages::want`].
    wanted: Vec<AtomicU64>,
    told: Vec<ToldGroup>,
    rate_hz: f32,
    /// Whether anybody wants to know of a crowd in this tick.
    is_crowd_wanted: AtomicBool,
    /// Every page as one number; of use only where somebody is, and when it was wanted.
    summaries: Vec<CrowdRecord>,
    attributes: AttributeTable,
    /// What was lately done; none in worlds without abilities.
    deeds: Option<Deeds>,
    /// The slots that a page has, as bits.
    all_slots: u32,
    /// The tick that was last recorded.
    tick: Tick,
    /// Everybody's place, in the order of the columns.
    members: Vec<Member>,
}

/// Somebody's place, and what its velocity is reckoned from.
#[derive(Clone, Copy, Debug)]
struct Member {
    net_id: NetId,
    archetype: Archetype,
    page: u32,
    slot: u8,
    layer: LayerNumber,
    row: Row,
    audience: Audience,
    position_m: Vec3,
    /// As its page tells it.
    state: PageState,
}

impl Pages {
    /// No pages yet, in a world of this size and rate whose clients see so far, and whose characters have these attributes.
    pub fn new(size_m: f32, enter_radius_m: f32, rate: TickRate, schema: Arc<Schema>) -> Pages {
        let ticks = rate.ticks_for_ms(PAST_MS).next_power_of_two();
        Pages {
            areas: Layers::new(size_m, enter_radius_m, schema.far_radii_m()),
            heads: Vec::new(),
            slots: Vec::new(),
            rows: Rows::new(ticks.min(BASELINE_AGE_TICKS_MAX + 1) as usize),
            turn: 0,
            team_turns: FxHashMap::default(),
            wanted: Vec::new(),
            told: Vec::new(),
            rate_hz: rate.hz() as f32,
            is_crowd_wanted: AtomicBool::new(false),
            summaries: Vec::new(),
            all_slots: u32::MAX >> (PAGE_SLOTS - slots_with(&schema, false)),
            attributes: AttributeTable::new(schema),
            deeds: None,
            tick: Tick(0),
            members: Vec::new(),
        }
    }

    /// The same in a world that has abilities.
    pub(crate) fn with_abilities(self, rate: TickRate) -> Pages {
        let all_slots = u32::MAX >> (PAGE_SLOTS - slots_with(self.attributes.schema(), true));
        Pages { deeds: Some(Deeds::new(rate)), all_slots, ..self }
    }

    /// From now on everybody is seen from so far, in metres. Areas stay as they are, and those who are seen from afar count as nearer by another share.
    pub(crate) fn see_as_far_as(&mut self, enter_radius_m: f32) {
        self.areas.scale_to(enter_radius_m);
        for head in &mut self.heads {
            head.scale_squared = self.areas.scale(head.area).powi(2);
        }
    }

    /// Whether pages tell what those in them have done.
    pub(crate) fn tells_deeds(&self) -> bool {
        self.deeds.is_some()
    }

    /// How the world is cut.
    pub(crate) fn areas(&self) -> &Layers {
        &self.areas
    }

    /// How old a baseline can be at most, in ticks.
    pub(crate) fn baseline_age_ticks_max(&self) -> u32 {
        self.rows.depth() as u32 - 1
    }

    /// Becomes another number when somebody has to look anew which pages are of interest.
    pub(crate) fn turn(&self, viewer: &Viewer) -> u64 {
        let of_team = viewer.team.and_then(|team| self.team_turns.get(&team));
        self.turn + of_team.copied().unwrap_or(0)
    }

    /// Whether a client in reach should be told of a page: the first of a whole cell, or one that somebody is in of whom it may know. Where
    /// there was a crowd, empty ones are left.
    pub(crate) fn is_of_interest(&self, page: u32, viewer: &Viewer) -> bool {
        let head = &self.heads[page as usize];
        (head.occupied != 0 || head.is_first && !head.is_retired) && head.audience.admits(viewer)
    }

    /// Those pages of an area.
    pub(crate) fn of_interest(&self, area: Area, viewer: &Viewer) -> impl Iterator<Item = u32> {
        self.of_area(area).filter(|&page| self.is_of_interest(page, viewer))
    }

    /// Everybody's attributes.
    pub(crate) fn attributes(&self) -> &AttributeTable {
        &self.attributes
    }

    /// Whether there is anything that is for a team alone.
    pub(crate) fn has_secrets(&self) -> bool {
        self.attributes.schema().has_team()
    }

    /// What decides which secrets somebody may know.
    pub(crate) fn viewer(&self, own: NetId) -> Viewer {
        let stranger = Viewer { own, ..Viewer::default() };
        if self.attributes.schema().is_empty() {
            return stranger;
        }
        let row = self.member(own).map(|member| member.row);
        row.map_or(stranger, |row| {
            let (team, team_since) = (self.attributes.team_of(row), self.attributes.team_since(row));
            Viewer { row: Some(row), team, team_since, ..stranger }
        })
    }

    /// Notes that somebody is told of a page in this tick, whether it has its turn or not.
    pub(crate) fn watch(&self, page: u32) {
        self.rows.watch(page, self.tick);
    }

    /// Whether somebody who has the page of a tick is to be told anything that is for its team.
    pub(crate) fn has_team_news(&self, page: u32, then: Tick, viewer: &Viewer) -> bool {
        self.now(page).has_team_news(then, viewer)
    }

    /// Appends a team's part of a page for somebody who has it of so many ticks ago, or nothing of it for 0.
    pub(crate) fn append_team_part(&self, page: u32, age_ticks: u32, viewer: &Viewer, out: &mut Vec<u8>) {
        let then = if age_ticks == 0 { Tick(0) } else { self.tick - age_ticks };
        self.now(page).encode_team(then, viewer, out);
    }

    fn now(&self, page: u32) -> PageNow<'_> {
        let place = page as usize;
        let (rows, attributes, deeds) = (&self.rows, &self.attributes, self.deeds.as_ref());
        PageNow::new(self.tick, place, &self.heads[place], &self.slots[place], rows, attributes, deeds)
    }

    /// The squared distance that the nearest place where somebody in a page can be counts as, from the nearest of some points.
    pub(crate) fn distance_squared_m2(&self, page: u32, points_m: &[Vec2]) -> f32 {
        let PageHead { center_m, half_m, scale_squared, .. } = self.heads[page as usize];
        let distances = points_m.iter().map(|&point_m| cells::distance_squared_m2(center_m, half_m, point_m));
        distances.fold(f32::INFINITY, f32::min) * scale_squared
    }

    /// The page that somebody is in. O(log n).
    pub(crate) fn page_of(&self, net_id: NetId) -> Option<u32> {
        Some(self.member(net_id)?.page)
    }

    fn member(&self, net_id: NetId) -> Option<&Member> {
        let place = self.members.binary_search_by_key(&net_id, |member| member.net_id).ok()?;
        Some(&self.members[place])
    }

    /// See [`PageHead`].
    pub(crate) fn head(&self, page: u32) -> &PageHead {
        &self.heads[page as usize]
    }

    /// The pages of an area.
    fn of_area(&self, area: Area) -> impl Iterator<Item = u32> + '_ {
        let first = self.areas.first_page(area);
        std::iter::successors((first != NONE).then_some(first), |&page| {
            let next = self.heads[page as usize].next;
            (next != NONE).then_some(next)
        })
    }

    /// Who is in a page, by slots.
    pub(crate) fn owners(&self, page: u32) -> impl Iterator<Item = PageOwner> + '_ {
        let (occupied, owners) = (self.heads[page as usize].occupied, &self.slots[page as usize].owners);
        slots_of(occupied).map(|slot| owners[slot])
    }

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
                self.fetch_places(members[next..].iter().take(MEMBERS_AHEAD));
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

    /// Has the heads and states of whoever is recorded next brought near; see [`throng_shared::map::Terrain::fetch`].
    fn fetch_places<'m>(&self, members: impl Iterator<Item = &'m Member>) {
        for member in members {
            let PageHead { changed, center_m, .. } = &self.heads[member.page as usize];
            black_box((*changed, center_m.x));
            self.rows.fetch_now(member.page, member.slot);
        }
    }

    /// Notes what was done in `tick`, after [`Pages::record`], in the order of the doers' names: whoever sees them is told of it.
    pub(crate) fn record_deeds(&mut self, tick: Tick, done: &[(NetId, Act)]) {
        let Pages { deeds: Some(deeds), members, heads, .. } = self else { return };
        deeds.record(tick, done, |who, known| {
            let is_there = |place: &u32| members.get(*place as usize).is_some_and(|member| member.net_id == who);
            let search = || members.binary_search_by_key(&who, |member| member.net_id).ok().map(|place| place as u32);
            let place = known.filter(is_there).or_else(search)?;
            let Member { page, slot, .. } = members[place as usize];
            Some((place, page, slot))
        });
        deeds.pages_of(tick).for_each(|page| heads[page as usize].changed = tick);
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
        let head = &mut self.heads[page as usize];
        let state = PageState::new(head.origin, &columns.states[row], velocity);
        // What was before stands with the member, for to read what lies in its page would have to be waited for.
        if before.is_none_or(|before| before.state != state) {
            self.rows.put(page, slot, state);
            head.changed = tick;
        }
        if change.for_all {
            (head.changed, head.attributes_changed) = (tick, tick);
        }
        if change.for_team {
            head.team_changed = tick;
        }
        let PageOwner { net_id, archetype } = owner;
        Member { net_id, archetype, page, slot, row: attribute_row, audience, layer, position_m, state }
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

    /// Asks for a page as a reader is told it who has it of so many ticks ago; 0 for one who has nothing.
    pub(crate) fn want(&self, page: u32, age_ticks: u32) {
        debug_assert!((age_ticks as usize) < self.rows.depth());
        let (wanted, bit) = (&self.wanted[page as usize], 1 << age_ticks);
        // Most have been asked for by somebody before.
        if wanted.load(Ordering::Relaxed) & bit == 0 {
            wanted.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Asks for pages as single numbers.
    pub(crate) fn want_crowd(&self) {
        if !self.is_crowd_wanted.load(Ordering::Relaxed) {
            self.is_crowd_wanted.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets what was asked for in the last tick.
    pub(crate) fn begin_wanting(&mut self) {
        *self.is_crowd_wanted.get_mut() = false;
        self.wanted.iter_mut().for_each(|wanted| *wanted.get_mut() = 0);
    }

    /// Encodes whatever was asked for.
    pub(crate) fn encode_wanted(&mut self, tick: Tick) {
        let Pages { rows, heads, slots, wanted, told, attributes, deeds, .. } = self;
        let deeds = deeds.as_ref();
        told.resize_with(heads.len().div_ceil(GROUP_PAGES), ToldGroup::default);
        let pages = heads.par_chunks_mut(GROUP_PAGES).zip(slots.par_chunks(GROUP_PAGES));
        let pages = pages.zip(wanted.par_chunks_mut(GROUP_PAGES));
        pages.zip(told.par_iter_mut()).enumerate().for_each(|(group, (((heads, slots), wanted), told))| {
            told.begin(heads.len());
            for (place, head) in heads.iter_mut().enumerate() {
                let page = group * GROUP_PAGES + place;
                if let Some(wanted) = wanted.get_mut(place + LOOK_AHEAD) {
                    rows.fetch(page + LOOK_AHEAD, tick, *wanted.get_mut());
                }
                let wanted = *wanted[place].get_mut();
                if wanted != 0 {
                    let now = PageNow::new(tick, page, head, &slots[place], rows, attributes, deeds);
                    head.length_bytes = told.add(place, wanted, |age_ticks, out| now.encode(age_ticks, out)) as u16;
                }
            }
            told.finish();
        });
        if *self.is_crowd_wanted.get_mut() {
            self.sum_up(tick);
        }
    }

    /// Makes a single number of every page that somebody is in.
    fn sum_up(&mut self, tick: Tick) {
        let Pages { rows, heads, slots, summaries, rate_hz, attributes, deeds, .. } = self;
        summaries.resize(heads.len(), CrowdRecord::default());
        for (place, summary) in summaries.iter_mut().enumerate() {
            if heads[place].occupied != 0 {
                let now = PageNow::new(tick, place, &heads[place], &slots[place], rows, attributes, deeds.as_ref());
                // Keys begin with 1, for a scan begins behind 0.
                *summary = now.summary(place as u32 + 1, *rate_hz);
            }
        }
    }

    /// A page as a single number, if somebody is in it and it was asked for.
    pub(crate) fn summary(&self, page: u32) -> Option<&CrowdRecord> {
        self.summaries.get(page as usize).filter(|_| self.heads[page as usize].occupied != 0)
    }

    /// What was encoded for somebody who asked.
    pub(crate) fn told(&self, page: u32) -> Block<'_> {
        self.told[page as usize / GROUP_PAGES].block(page as usize % GROUP_PAGES)
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
