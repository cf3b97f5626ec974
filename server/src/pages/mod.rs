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
mod record;
mod systems;
#[cfg(test)]
mod tests;
mod told;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bevy_ecs::prelude::Resource;
use glam::{Vec2, Vec3};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};
use rustc_hash::FxHashMap;
use throng_shared::abilities::Act;
use throng_shared::attributes::Schema;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::crowd::CrowdRecord;
use throng_shared::wire::page::{BASELINE_AGE_TICKS_MAX, PAGE_SLOTS, PageOwner, PageState, slots_of, slots_with};

pub(crate) use areas::Area;
use areas::NONE;
use attributes::Row;
pub(crate) use attributes::{AttributeTable, Audience, Viewer};
#[cfg(test)]
pub(crate) use cells::CELLS_PER_RADIUS;
pub(crate) use cells::Cells;
use deeds::Deeds;
pub(crate) use head::{Glance, PageHead};
use layers::{LayerNumber, Layers};
use page::{PageNow, PageSlots};
use past::Rows;
pub(crate) use systems::{encode_pages, rebuild_grid_and_pages};
pub(crate) use told::Block;
use told::{GROUP_PAGES, ToldGroup};

/// How long the past of a page is kept, in milliseconds, but no longer than a baseline can be old.
const PAST_MS: u32 = 1_000;

/// How many pages ahead the past is fetched of what is encoded.
const LOOK_AHEAD: usize = 4;

/// All pages of an instance, and everybody's place in them.
#[derive(Resource, Debug)]
pub struct Pages {
    areas: Layers,
    heads: Vec<PageHead>,
    /// As they were after the last tick's characters were recorded.
    glances: Vec<Glance>,
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
    /// Whether its page was written down when it was last recorded.
    is_written: bool,
    layer: LayerNumber,
    row: Row,
    audience: Audience,
    position_m: Vec3,
    /// As its page tells it, if that is written down; else nothing but the velocity.
    state: PageState,
}

impl Pages {
    /// No pages yet, in a world of this size and rate whose clients see so far, and whose characters have these attributes.
    pub fn new(size_m: f32, enter_radius_m: f32, rate: TickRate, schema: Arc<Schema>) -> Pages {
        let ticks = rate.ticks_for_ms(PAST_MS).next_power_of_two();
        Pages {
            areas: Layers::new(size_m, enter_radius_m, schema.far_radii_m()),
            heads: Vec::new(),
            glances: Vec::new(),
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

    /// See [`Glance`].
    pub(crate) fn glance(&self, page: u32) -> &Glance {
        &self.glances[page as usize]
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

    /// Forgets what was asked for in the last tick, and sums up what is asked of every page in this one. O(pages).
    pub(crate) fn begin_wanting(&mut self) {
        *self.is_crowd_wanted.get_mut() = false;
        self.wanted.iter_mut().for_each(|wanted| *wanted.get_mut() = 0);
        let Pages { glances, heads, rows, .. } = self;
        glances.clear();
        glances.reserve_exact(heads.capacity());
        let pages = heads.iter().zip(0..);
        glances.extend(pages.map(|(head, page)| Glance::new(head, rows.written_since(page))));
    }

    /// Encodes whatever was asked for, of characters who are as the columns have them that were recorded.
    pub(crate) fn encode_wanted(&mut self, tick: Tick, columns: &CharacterColumns) {
        self.catch_up(columns);
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

    /// Makes a single number of every page that somebody is in and somebody is told of.
    fn sum_up(&mut self, tick: Tick) {
        let Pages { rows, heads, slots, summaries, rate_hz, attributes, deeds, .. } = self;
        summaries.resize(heads.len(), CrowdRecord::default());
        for (place, summary) in summaries.iter_mut().enumerate() {
            if heads[place].occupied != 0 && rows.written_since(place as u32).is_some() {
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
