//! The hour of the world, and what is on.

use throng_shared::wire::WireError;
use throng_shared::wire::hours::{DayClock, HoursNews};

use super::Client;
use crate::transport::ClientTransport;

/// Most events, and most features, that a client keeps in mind: as many as a world can have.
const NAMES_MAX: usize = 64;

/// What a client has been told of the world's day.
#[derive(Clone, Debug, Default)]
pub struct WorldDay {
    clock: Option<DayClock>,
    events: Vec<String>,
    features: Vec<String>,
}

impl WorldDay {
    /// The hour of the world at a tick, which may be between two: 0 to less than 24. None before the server has told it.
    pub fn hour_h(&self, tick: f64) -> Option<f32> {
        self.clock.map(|clock| clock.hour_h(tick))
    }

    /// What the server has told of its clock.
    pub fn clock(&self) -> Option<DayClock> {
        self.clock
    }

    /// The events that are on, by their names.
    pub fn events(&self) -> &[String] {
        &self.events
    }

    /// The features that are on for this client, in those of their zones if they have any, by their names.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Takes in what the server says.
    pub(super) fn hear(&mut self, message: &[u8]) -> Result<(), WireError> {
        match HoursNews::of(message)? {
            HoursNews::Hour(clock) => self.clock = Some(clock),
            HoursNews::Event { is_on, name } => note(&mut self.events, is_on, name),
            HoursNews::Feature { is_on, name } => note(&mut self.features, is_on, name),
        }
        Ok(())
    }
}

impl<T: ClientTransport> Client<T> {
    /// The day of the world: its hour, and what is on.
    pub fn day(&self) -> &WorldDay {
        &self.day
    }

    /// The hour of the world in the moment in which the others are shown, 0 to less than 24. None before the server has told it.
    pub fn hour_h(&self) -> Option<f32> {
        self.day.hour_h(self.shown_tick)
    }
}

fn note(names: &mut Vec<String>, is_on: bool, name: String) {
    names.retain(|other| *other != name);
    if is_on && names.len() < NAMES_MAX {
        names.push(name);
    }
}
