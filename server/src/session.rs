//! Who is connected to an instance: client, character, view, and what they have cost us.

use bevy_ecs::prelude::{Entity, Resource};
use glam::Vec2;
use throng_shared::abilities::Fighter;
use throng_shared::ids::{ClientId, NetId};
use throng_shared::input::{InputBuffer, PlayerInput};
use throng_shared::limits::STRIKES_MAX;
use throng_shared::memory::fetch;
use throng_shared::movement::CharacterState;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::inputs::SnapshotAcks;

use crate::interest::ClientView;
use crate::net::ConnectionId;
use crate::pages::{Pages, Viewer};

/// All sessions of an instance, sorted by client, so that every walk over them has one order.
#[derive(Resource, Debug, Default)]
pub struct Sessions {
    sorted: Vec<Session>,
    /// The client of each, close together for whoever searches.
    clients: Vec<ClientId>,
}

/// One client of an instance.
#[derive(Debug)]
pub struct Session {
    /// Who.
    pub client: ClientId,
    /// Where its snapshots go; none while its connection is broken and its seat is held.
    pub connection: Option<ConnectionId>,
    /// How many times the client has begun knowing nothing: 1 when it came, one more each time that its program was started
    /// anew in its seat.
    pub visits: u32,
    /// The name that the player gave.
    pub name: String,
    /// The character's name on the wire.
    pub net_id: NetId,
    /// The character.
    pub entity: Entity,
    /// What the client knows of the world.
    pub view: ClientView,
    /// Snapshots that the client says have arrived.
    pub acks: SnapshotAcks,
    /// Whom the client sees for, and whom it never loses.
    pub attention: Attention,
    pub(crate) own: OwnRecord,
    pub(crate) quiet: Quiet,
    pub(crate) strikes: Strikes,
    pub(crate) frames: FramesSeen,
}

/// How many frames of a client were looked at for a tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FramesSeen {
    tick: Tick,
    count: u32,
}

impl FramesSeen {
    /// Counts one more for `tick`, and says how many there were before it.
    pub(crate) fn add(&mut self, tick: Tick) -> u32 {
        let before = if self.tick == tick { self.count } else { 0 };
        *self = FramesSeen { tick, count: before + 1 };
        before
    }
}

/// What a snapshot tells a client about its own character.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnRecord {
    pub(crate) state: CharacterState,
    /// What hinders it, and whether that is news.
    pub(crate) fighter: Fighter,
    pub(crate) is_fighter_news: bool,
    pub(crate) input_age_ticks: u8,
    /// How long before it was needed the newest input since the last snapshot arrived; none for none.
    pub(crate) input_margin_ms: Option<i16>,
}

impl OwnRecord {
    /// Notes how the client's character is after `tick`.
    pub(crate) fn note(&mut self, tick: Tick, state: &CharacterState, buffer: &InputBuffer, fighter: Option<&Fighter>) {
        self.state = *state;
        if let Some(fighter) = fighter {
            self.is_fighter_news = self.fighter != *fighter;
            self.fighter.clone_from(fighter);
        }
        let age_ticks = buffer.last_fresh_tick().map_or(u32::MAX, |fresh| tick.since(fresh));
        self.input_age_ticks = age_ticks.min(u32::from(u8::MAX)) as u8;
    }
}

/// How many clients ahead memory is asked for, in every phase that goes through all of them: what a session points to. The session itself, which says where that is, is asked for as many
/// earlier.
const SESSIONS_AHEAD: usize = 4;

/// Calls `each` for one session after another, while what later ones will need is brought near: what `fetch_session` asks for first, and then
/// what `fetch_its_own` finds by it.
pub(crate) fn for_each_ahead(
    sessions: &mut [Session],
    fetch_session: impl Fn(&Session),
    fetch_its_own: impl Fn(&Session),
    mut each: impl FnMut(&mut Session),
) {
    sessions.iter().take(2 * SESSIONS_AHEAD).for_each(&fetch_session);
    sessions.iter().take(SESSIONS_AHEAD).for_each(&fetch_its_own);
    for place in 0..sessions.len() {
        sessions.get(place + 2 * SESSIONS_AHEAD).into_iter().for_each(&fetch_session);
        sessions.get(place + SESSIONS_AHEAD).into_iter().for_each(&fetch_its_own);
        each(&mut sessions[place]);
    }
}

/// Most further characters that a client sees for.
pub const ANCHORS_MAX: usize = 3;

/// Most characters that a client never loses.
pub const PINS_MAX: usize = 16;

/// What a client is told of besides what is near its own character. A game's rules set it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attention {
    anchors: Vec<NetId>,
    pins: Vec<NetId>,
}

impl Attention {
    /// Further characters around whom the client is told of others as around its own: a pet, somebody whom it watches. Beyond
    /// [`ANCHORS_MAX`] they are left out.
    pub fn set_anchors(&mut self, anchors: &[NetId]) {
        self.anchors.clear();
        self.anchors.extend(anchors.iter().take(ANCHORS_MAX));
    }

    /// Characters whom the client is always told of, with all of their page, however far away they are and however many are nearer: a target,
    /// a party, attackers. Beyond [`PINS_MAX`] they are left out.
    pub fn set_pins(&mut self, pins: &[NetId]) {
        self.pins.clear();
        self.pins.extend(pins.iter().take(PINS_MAX));
    }

    /// See [`Attention::set_anchors`].
    pub fn anchors(&self) -> &[NetId] {
        &self.anchors
    }

    /// See [`Attention::set_pins`].
    pub fn pins(&self) -> &[NetId] {
        &self.pins
    }
}

impl Session {
    /// A session of a client that has just come in.
    pub fn new(
        client: ClientId,
        connection: ConnectionId,
        name: String,
        net_id: NetId,
        entity: Entity,
        rate: TickRate,
    ) -> Session {
        Session {
            client,
            connection: Some(connection),
            visits: 1,
            name,
            net_id,
            entity,
            view: ClientView::new(rate),
            acks: SnapshotAcks::default(),
            attention: Attention::default(),
            own: OwnRecord::default(),
            quiet: Quiet::default(),
            strikes: Strikes::default(),
            frames: FramesSeen::default(),
        }
    }

    /// Has what brings its view up to date brought near, but for what stands elsewhere.
    pub(crate) fn fetch_for_view(&self) {
        self.view.fetch_lines();
        fetch(&self.entity);
        fetch(&self.own.state);
        fetch(&self.own.is_fighter_news);
        fetch(&self.attention);
        fetch(&self.connection);
        fetch(&self.acks);
        fetch(&self.net_id);
    }

    /// Has what its snapshot is written from brought near, but for what stands elsewhere.
    pub(crate) fn fetch_for_snapshot(&self) {
        self.view.fetch_lines();
        self.view.fetch_ledger();
        fetch(&self.own.state);
        fetch(&self.own.is_fighter_news);
        fetch(&self.quiet.own);
        fetch(&self.connection);
    }

    /// Has what a frame of the client changes brought near; see [`throng_shared::memory::fetch`].
    pub(crate) fn fetch_for_input(&self) {
        fetch(&self.acks);
        fetch(&self.quiet.written);
        fetch(&self.quiet.active_until);
        fetch(&self.own.input_margin_ms);
        fetch(&self.frames);
        fetch(&self.strikes);
    }

    /// Where the client sees from (x, z), in metres: its own character, and its further anchors that are in the world and not concealed from
    /// it: what is told around somebody says where that one is.
    pub(crate) fn sees_from_m<'s>(
        &'s self,
        columns: &'s CharacterColumns,
        pages: &'s Pages,
        viewer: &'s Viewer,
    ) -> impl Iterator<Item = Vec2> + 's {
        let is_known = |anchor| pages.page_of(anchor).is_some_and(|page| pages.is_of_interest(page, viewer));
        let anchors = self.attention.anchors().iter().filter(move |&&anchor| is_known(anchor));
        let rows = anchors.filter_map(|&anchor| columns.row(anchor));
        std::iter::once(self.own.state.ground_position_m()).chain(rows.map(|row| columns.positions_m[row]))
    }

    /// Takes it that the client knows nothing of the world.
    pub(crate) fn forget_view(&mut self, rate: TickRate) {
        self.view = ClientView::new(rate);
        self.acks = SnapshotAcks::default();
        self.quiet = Quiet::default();
        self.visits += 1;
    }
}

/// Whether a client has to be told anything of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quiet {
    /// The last snapshot, and the own state that it told.
    written: Tick,
    own: CharacterState,
    input: PlayerInput,
    /// Until when the client counts as doing something.
    active_until: Tick,
}

impl Quiet {
    /// Takes note of a client's newest input, at `tick`; who does something is not idle for `idle_after_ticks`.
    pub(crate) fn note_input(&mut self, tick: Tick, input: PlayerInput, idle_after_ticks: u32) {
        if !input.is_still() || input != self.input {
            self.active_until = tick + idle_after_ticks;
        }
        self.input = input;
    }

    /// Whether a snapshot is to be written even when nobody else has changed.
    pub(crate) fn is_broken(&self, tick: Tick, own: &CharacterState, idle_ticks: u32) -> bool {
        let told = &self.own;
        tick <= self.active_until
            || tick >= self.written + idle_ticks
            || (own.position_m, own.velocity_mps, own.grounded) != (told.position_m, told.velocity_mps, told.grounded)
    }

    pub(crate) fn note_written(&mut self, tick: Tick, own: &CharacterState) {
        (self.written, self.own) = (tick, *own);
    }
}

impl Sessions {
    /// The session of a client. O(log n).
    pub fn get(&self, client: ClientId) -> Option<&Session> {
        self.place(client).ok().map(|place| &self.sorted[place])
    }

    /// The session of a client, to be changed.
    pub fn get_mut(&mut self, client: ClientId) -> Option<&mut Session> {
        self.place(client).ok().map(|place| &mut self.sorted[place])
    }

    /// The place in [`Sessions::all`] of a client's session, or where it would be, when that is not before `from`: cheap for
    /// whoever goes through many clients in order.
    pub(crate) fn find_after(&self, from: usize, client: ClientId) -> Result<usize, usize> {
        const NEAR: usize = 8;
        let rest = self.clients.get(from..).unwrap_or_default();
        let near = rest.iter().take(NEAR).position(|there| *there >= client);
        let place = near.unwrap_or_else(|| rest.partition_point(|there| *there < client));
        let is_found = rest.get(place) == Some(&client);
        if is_found { Ok(from + place) } else { Err(from + place) }
    }

    /// Adds a session; one that its client had before is replaced.
    pub fn insert(&mut self, session: Session) {
        match self.place(session.client) {
            Ok(place) => self.sorted[place] = session,
            Err(place) => {
                self.clients.insert(place, session.client);
                self.sorted.insert(place, session);
            }
        }
    }

    /// Takes the session of a client out.
    pub fn remove(&mut self, client: ClientId) -> Option<Session> {
        let place = self.place(client).ok()?;
        self.clients.remove(place);
        Some(self.sorted.remove(place))
    }

    /// All sessions, by rising client.
    pub fn all(&self) -> &[Session] {
        &self.sorted
    }

    /// All sessions, to be changed.
    pub fn all_mut(&mut self) -> &mut [Session] {
        &mut self.sorted
    }

    /// The place in [`Sessions::all`] of a client's session, or where it would be. O(log n).
    pub(crate) fn place(&self, client: ClientId) -> Result<usize, usize> {
        self.clients.binary_search(&client)
    }
}

/// Counts what was malformed; one strike is forgiven each second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strikes {
    count: u32,
    counted_at_s: u64,
}

impl Strikes {
    /// Counts one more at `now_s`, in seconds on any scale. Whether that was one too many.
    pub fn add(&mut self, now_s: u64) -> bool {
        let forgiven = now_s.saturating_sub(self.counted_at_s).min(u64::from(self.count)) as u32;
        self.count = self.count - forgiven + 1;
        self.counted_at_s = now_s;
        self.count >= STRIKES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_through_clients_in_order_finds_each_that_is_there() {
        let rate = TickRate::new(20);
        let mut sessions = Sessions::default();
        let here = [3, 4, 9, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 40];
        for id in here {
            let connection = ConnectionId { worker: 0, slot: 0, generation: 0 };
            let name = String::new();
            sessions.insert(Session::new(ClientId(id), connection, name, NetId(1), Entity::PLACEHOLDER, rate));
        }
        for step in 1..15 {
            let mut next = 0;
            for id in (0..50).step_by(step) {
                let place = sessions.find_after(next, ClientId(id));
                assert_eq!(place, here.binary_search(&id));
                next = place.unwrap_or_else(|place| place);
            }
        }
    }

    #[test]
    fn a_strike_each_second_is_forgiven_and_a_burst_is_not() {
        let mut patient = Strikes::default();
        assert!((0..1_000).all(|now_s| !patient.add(now_s)));
        let mut burst = Strikes::default();
        assert_eq!((1..).find(|_| burst.add(7)), Some(STRIKES_MAX));
    }
}
