//! What the own character can do, what it sees of that at once, and what the server says came of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use glam::Vec3;
use throng_shared::abilities::{Abilities, Act, Fighter, VIEW_STEPS_PER_TICK, stray};
use throng_shared::attributes::Schema;
use throng_shared::combat::Ray;
use throng_shared::config::{AimConfig, CombatConfig};
use throng_shared::ids::NetId;
use throng_shared::input::PlayerInput;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::WireError;
use throng_shared::wire::combat::CombatEvent;

use super::Client;
use crate::replica::{Coming, ReplicaEntity, SeenDeed};
use crate::transport::ClientTransport;

/// Most events that wait for whoever asks; the oldest are forgotten, and counted in [`Client::events_dropped`].
const EVENTS_MAX: usize = 1_024;

/// Something that a player is shown or that the game reacts to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClientEvent {
    /// The own character has used an ability, as it was predicted: to be shown at once. The server may say otherwise.
    Used {
        /// In which tick, by the predicted time.
        tick: Tick,
        /// Which ability, and where it was aimed.
        act: Act,
        /// From where: the eyes, in metres.
        from_m: Vec3,
        /// Where to, of length 1: as far as it strays from its aim, that included.
        direction: Vec3,
        /// Whom a shot meets as this client sees it; none for nobody, and for what is no shot.
        sees: Option<NetId>,
    },
    /// Somebody else in view has used an ability. Handed out when the others are shown as they were in that tick: to be shown at once.
    OtherUsed {
        /// In which tick.
        tick: Tick,
        /// Who.
        by: NetId,
        /// Which ability, by its number.
        ability: u8,
        /// From where: its eyes as it is shown then, in metres.
        from_m: Vec3,
        /// Where to, of length 1: as far as it strays from its aim, that included.
        direction: Vec3,
    },
    /// Somebody has come into view.
    Entered {
        /// Who.
        net_id: NetId,
    },
    /// Somebody has gone out of view.
    Left {
        /// Who.
        net_id: NetId,
    },
    /// What the server says has happened.
    Combat {
        /// In which tick.
        tick: Tick,
        /// What.
        event: CombatEvent,
    },
}

/// The abilities of the world, and what has happened.
#[derive(Debug, Default)]
pub(super) struct OwnAbilities {
    config: Option<CombatConfig>,
    rules: Option<Arc<Abilities>>,
    events: VecDeque<ClientEvent>,
    events_dropped: u64,
    wish: Option<Wish>,
}

/// An ability that is to be used with the next input.
#[derive(Clone, Copy, Debug)]
struct Wish {
    ability: u8,
    yaw: u16,
    pitch: i16,
    /// What the player saw when it was wished.
    view_tick: f64,
}

impl OwnAbilities {
    pub(super) fn new(config: Option<CombatConfig>) -> OwnAbilities {
        OwnAbilities { config, ..OwnAbilities::default() }
    }

    /// The world's attributes are known, and with them its abilities.
    pub(super) fn learn(&mut self, rate: TickRate, schema: &Schema) {
        self.rules = self.config.as_ref().and_then(|config| Abilities::new(config, rate, schema)).map(Arc::new);
    }

    pub(super) fn rules(&self) -> Option<&Arc<Abilities>> {
        self.rules.as_ref()
    }

    /// Takes in what a message of the server tells.
    ///
    /// # Errors
    /// When it is not as it may be.
    pub(super) fn hear(&mut self, message: &[u8]) -> Result<(), WireError> {
        let (tick, events) = CombatEvent::of(message)?;
        events.into_iter().for_each(|event| self.note(ClientEvent::Combat { tick, event }));
        Ok(())
    }

    pub(super) fn note(&mut self, event: ClientEvent) {
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
            self.events_dropped += 1;
        }
        self.events.push_back(event);
    }
}

impl<T: ClientTransport> Client<T> {
    /// The world's abilities, once its attributes are told; none in a world without. Inputs name them by their numbers:
    /// [`Abilities::number_of`].
    pub fn abilities(&self) -> Option<&Abilities> {
        self.abilities.rules().map(Arc::as_ref)
    }

    /// What hinders the own character, as it is predicted: what cools down, what it is casting, whether it is slowed or dead.
    pub fn fighter(&self) -> &Fighter {
        self.prediction.fighter()
    }

    /// What has happened since the last time that somebody asked: who has come and gone, then what the others have done, then what the own character has
    /// done and what came of it, each in order; none when nothing has.
    pub fn next_event(&mut self) -> Option<ClientEvent> {
        let coming = self.replica.next_coming().map(|Coming { net_id, is_here }| match is_here {
            true => ClientEvent::Entered { net_id },
            false => ClientEvent::Left { net_id },
        });
        coming.or_else(|| self.next_of_others()).or_else(|| self.abilities.events.pop_front())
    }

    /// What somebody who is still in view has done and has not been handed out.
    fn next_of_others(&mut self) -> Option<ClientEvent> {
        loop {
            let deed = self.replica.next_deed(self.shown_tick)?;
            if let Some(doer) = self.replica.get(deed.who) {
                return Some(self.other_used(doer, deed));
            }
        }
    }

    fn other_used(&self, doer: &ReplicaEntity, deed: SeenDeed) -> ClientEvent {
        let SeenDeed { tick, who: by, ability, yaw, pitch } = deed;
        let feet_m = self.shown_at(doer, f64::from(tick.0)).position_m;
        let from_m = feet_m + Vec3::Y * self.abilities().map_or(0.0, |abilities| abilities.eyes_m);
        let act = Act { ability, yaw, pitch, view_steps: 0 };
        ClientEvent::OtherUsed { tick, by, ability, from_m, direction: self.strayed(&act, by, tick) }
    }

    /// Events that were forgotten because nobody asked for them in time.
    pub fn events_dropped(&self) -> u64 {
        self.abilities.events_dropped
    }

    /// Uses an ability with the next input, by its number and aimed so, in 1/65,536 of a turn: what the player sees *now* is what it will be judged by. A second wish
    /// before that input takes the place of the first.
    pub fn use_ability(&mut self, now: Duration, ability: u8, yaw: u16, pitch: i16) {
        self.abilities.wish = Some(Wish { ability, yaw, pitch, view_tick: self.view_tick(now) });
    }

    /// The input with what is to be used in its tick, and what the player saw meanwhile.
    pub(super) fn with_use(&mut self, now: Duration, tick: Tick, input: PlayerInput) -> PlayerInput {
        let (input, view_tick) = match self.abilities.wish.take() {
            Some(Wish { ability, yaw, pitch, view_tick }) => (PlayerInput { ability, yaw, pitch, ..input }, view_tick),
            None if input.ability > 0 => (input, self.view_tick(now)),
            None => return input,
        };
        let back_steps = (f64::from(tick.0) - view_tick) * f64::from(VIEW_STEPS_PER_TICK);
        PlayerInput { view_back_steps: back_steps.round().clamp(0.0, f64::from(u16::MAX)) as u16, ..input }
    }

    /// Notes what the own character has done, as it was predicted.
    pub(super) fn note_use(&mut self, tick: Tick, act: Act, from_m: Vec3) {
        let direction = self.strayed(&act, self.net_id.unwrap_or(NetId(0)), tick);
        let sees = self.sees(&act, from_m, direction);
        self.abilities.note(ClientEvent::Used { tick, act, from_m, direction, sees });
    }

    /// Where somebody's act goes, as far as it strays from its aim.
    fn strayed(&self, act: &Act, by: NetId, tick: Tick) -> Vec3 {
        let spread_deg = match self.abilities().and_then(|abilities| abilities.get(act.ability)).map(|it| it.aim) {
            Some(AimConfig::Hitscan { spread_deg, .. }) => spread_deg,
            _ => 0.0,
        };
        stray(act.direction(), spread_deg, by, tick, act.ability)
    }

    /// Whom a shot meets as this client sees it: the first in its way that it may hit, if no wall is between.
    fn sees(&self, act: &Act, from_m: Vec3, direction: Vec3) -> Option<NetId> {
        let abilities = self.abilities()?;
        let ability = abilities.get(act.ability)?;
        let AimConfig::Hitscan { range_m, .. } = ability.aim else { return None };
        let ray = Ray::new(from_m, direction, range_m)?;
        let may_hit = |entity: &ReplicaEntity| {
            let is_alive =
                entity.attributes.get(&abilities.health).is_none_or(|health| health > abilities.health.min());
            let are_allies = abilities.are_allies(self.own_attributes(), &entity.attributes);
            // A shot meets others alone.
            is_alive && ability.hits.includes(false, are_allies)
        };
        let hits = self.replica.entities().filter(|entity| may_hit(entity)).filter_map(|entity| {
            let feet_m = self.shown_at(entity, act.view_tick()).position_m;
            let body = self.map.bodies.of(entity.archetype).at(feet_m);
            body.first_hit_m(&ray).map(|hit_m| (hit_m, entity.net_id))
        });
        let (hit_m, net_id) = hits.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
        self.map.first_wall_m(&Ray { length_m: hit_m, ..ray }).is_none().then_some(net_id)
    }
}
