//! What each client should know.

mod budget;
mod explain;
mod guests;
mod ledger;
mod numbers;
mod observe;
#[cfg(test)]
mod tests;
mod tiers;
mod view;

pub(crate) use budget::DATAGRAM_OVERHEAD_BYTES;
pub use explain::Explanation;
pub(crate) use ledger::ViewCounts;
pub use ledger::{Ledger, TierBytes};
use observe::Scratch;
pub use tiers::Tiers;
pub use view::ClientView;

use std::cell::RefCell;

use bevy_ecs::prelude::{Query, Res, ResMut};
use budget::DELAY_MS;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use throng_shared::abilities::Fighter;
use throng_shared::config::InterestConfig;
use throng_shared::input::InputBuffer;
use throng_shared::movement::CharacterState;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};

use crate::instance::InstanceRules;
use crate::overload::Relief;
use crate::pages::{Cells, Pages};
use crate::session::{Session, Sessions, for_each_ahead};

/// Distances that decide which pages are in a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InterestRules {
    /// Whoever is nearer than this comes into view, in metres, with all of its page.
    pub enter_radius_m: f32,
    /// A page that is farther away than this goes out of view, in metres.
    pub leave_radius_m: f32,
    /// Most characters in view.
    pub visible_max: usize,
    /// Farther than this, nobody is told of, in metres: pages that reach into the leave radius are told whole.
    pub sight_radius_m: f32,
    /// How often pages are told, by distance.
    pub tiers: Tiers,
    /// Most bytes that a client is sent per tick, with all headers, on average.
    pub bytes_per_tick: f32,
    /// By how many ticks a round trip may become longer before a link counts as congested.
    pub delay_ticks: u32,
}

impl InterestRules {
    /// The rules that a world file states.
    pub fn new(size_m: f32, config: &InterestConfig, rate: TickRate) -> InterestRules {
        let overshoot_m = Cells::new(size_m, config.enter_radius_m).overshoot_m() + SLACK_M;
        InterestRules {
            enter_radius_m: config.enter_radius_m,
            leave_radius_m: config.leave_radius_m,
            visible_max: config.visible_max as usize,
            sight_radius_m: config.leave_radius_m + overshoot_m,
            tiers: Tiers::new(&config.tiers, rate),
            bytes_per_tick: config.bandwidth_kbit_per_s as f32 * 1_000.0 / 8.0 / rate.hz() as f32,
            delay_ticks: rate.ticks_for_ms(DELAY_MS),
        }
    }
}

impl InterestRules {
    /// The same where somebody can be so much farther away than a radius whose cell is within it, in metres: as the cells of a world are
    /// whose radius was another when it started.
    pub(crate) fn with_overshoot(mut self, overshoot_m: f32) -> InterestRules {
        self.sight_radius_m = self.sight_radius_m.max(self.leave_radius_m + overshoot_m + SLACK_M);
        self
    }

    /// The same, less what gives way.
    pub(crate) fn relieved(mut self, relief: &Relief, rate: TickRate) -> InterestRules {
        self.tiers = self.tiers.slowed(relief.staleness_factor, rate);
        self.visible_max = (self.visible_max * relief.visible_percent as usize / 100).max(1);
        self
    }
}

/// Fewest clients that are worth handing to another thread; one view takes some microseconds.
const PARALLEL_MIN: usize = 64;

/// How far a viewer moves until it is looked again which pages are in its reach, in metres; the enter radius is so much longer.
const SLACK_M: f32 = 2.0;

/// Brings every client's view up to date: with its own character, with what has arrived at the client, then with where it is, then with what is due.
/// One after the other for each view, while it is in the cache.
pub(crate) fn update_views(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    pages: Res<Pages>,
    columns: Res<CharacterColumns>,
    mut sessions: ResMut<Sessions>,
    characters: Query<(&CharacterState, &InputBuffer, Option<&Fighter>)>,
) {
    let (tick, interest, pages, columns) = (*tick, rules.interest, &*pages, &*columns);
    let update = |session: &mut Session| {
        if let Ok((state, buffer, fighter)) = characters.get(session.entity) {
            session.own.note(tick, state, buffer, fighter);
        }
        if session.connection.is_some() {
            update_view(session, tick, &interest, pages, columns);
        }
    };
    // Two parts are the fewest that go to another thread.
    sessions.all_mut().par_chunks_mut(PARALLEL_MIN / 2).with_min_len(2).for_each(|sessions| {
        for_each_ahead(sessions, Session::fetch_for_view, |session| session.view.fetch(), update);
    });
}

fn update_view(session: &mut Session, tick: Tick, interest: &InterestRules, pages: &Pages, columns: &CharacterColumns) {
    session.view.advance(tick);
    session.view.acknowledge(&session.acks, interest);
    SCRATCH.with_borrow_mut(|scratch| {
        let viewer = pages.viewer(session.net_id);
        let pinned = session.attention.pins().iter().filter_map(|&pin| pages.page_of(pin));
        let pinned = pinned.filter(|&page| pages.is_of_interest(page, &viewer));
        scratch.attend(viewer, session.sees_from_m(columns, pages, &viewer), pinned);
        session.view.observe(pages, interest, session.client.0 as u32, scratch);
    });
    session.view.plan(pages, interest);
}

thread_local! {
    /// Used again in every tick, so that nothing is asked of the allocator.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}
