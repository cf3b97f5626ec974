//! Where everybody is shown: the own character as predicted, the others a little in the past.

use std::time::Duration;

use glam::Vec3;
use throng_shared::archetypes::Body;
use throng_shared::config::STALENESS_MS_MAX;
use throng_shared::ids::Archetype;
use throng_shared::tick::Tick;

use super::Client;
use crate::delay::DELAY_MAX;
use crate::replica::{Interpolated, ReplicaEntity};
use crate::transport::ClientTransport;

/// States of others are kept for this long beyond the interpolation delay, in milliseconds: snapshots arrive late and
/// in any order.
const SAMPLES_MS: u32 = 400;

/// For a delay of so much they are kept while it adapts; a longer one shows the oldest that is known.
const DELAY_ADAPTED_KEPT: Duration = Duration::from_millis(300);

/// How long one who is missed in its page is still shown, in milliseconds: it may have gone to another, of which was told in a
/// snapshot that was lost. By then that is known, and told again.
const LINGER_MS: u32 = 500;

impl<T: ClientTransport> Client<T> {
    /// What the world file calls an archetype: `player`, `bot`, or a name of its own. None for one that it does not have.
    pub fn archetype_name(&self, archetype: Archetype) -> Option<&str> {
        self.archetype_names.get(usize::from(archetype.number())).map(String::as_str)
    }

    /// How large those of an archetype are: what shots meet, and what should be drawn.
    pub fn body_of(&self, archetype: Archetype) -> Body {
        self.map.bodies.of(archetype)
    }

    /// Shows others always this far behind the newest snapshot: the later, the more loss and jitter is bridged. At least two
    /// ticks, at most a second.
    pub fn set_interpolation_delay(&mut self, delay: Duration) {
        let delay = delay.min(DELAY_MAX);
        self.delay.fix(delay.as_secs_f64() * f64::from(self.rate.hz()));
        self.keep_samples(delay);
    }

    /// Shows others as far behind the newest snapshot as snapshots are late, and two ticks more; as it is at first. The delay changes so slowly that
    /// nobody sees it.
    pub fn adapt_interpolation_delay(&mut self) {
        self.delay.adapt();
        self.keep_samples(DELAY_ADAPTED_KEPT);
    }

    /// How far behind the newest snapshot others are shown.
    pub fn interpolation_delay(&self) -> Duration {
        Duration::from_secs_f64(self.delay.ticks() / f64::from(self.rate.hz()))
    }

    fn keep_samples(&mut self, delay: Duration) {
        let samples_max = self.rate.ticks_for_ms(delay.as_millis() as u32 + SAMPLES_MS) as usize;
        self.replica.keep(samples_max, self.rate.ticks_for_ms(LINGER_MS));
    }

    /// Where to show the own character now, in metres: between its last two predicted positions, with corrections
    /// blended in. None before the first snapshot.
    pub fn own_position_m(&self, now: Duration) -> Option<Vec3> {
        let share = self.pace.as_ref()?.share_since_newest(now);
        self.prediction.is_placed().then(|| self.prediction.shown_position_m(share))
    }

    /// How long a tick of the world is, in seconds, while time runs at its full speed.
    pub fn tick_s(&self) -> f32 {
        self.rate.step_s()
    }

    /// The tick of the newest input that was made, by which everything of the own character is predicted; 0 before any.
    pub fn predicted_tick(&self) -> Tick {
        self.pace.as_ref().map_or(Tick(0), |pace| pace.next_tick() - 1)
    }

    /// The moment in which the others are shown now, in ticks.
    pub fn view_tick(&self, now: Duration) -> f64 {
        let newest = f64::from(self.replica.newest_tick().0);
        self.server_clock.tick_heard_at(now).unwrap_or(newest) - self.delay.ticks()
    }

    /// Where to show an entity now: a little in the past, between two states that have arrived, or on the way on that it had in
    /// the newest, for at most as long as a world may leave anybody untold.
    pub fn interpolated(&self, entity: &ReplicaEntity, now: Duration) -> Interpolated {
        self.shown_at(entity, self.view_tick(now))
    }

    pub(super) fn shown_at(&self, entity: &ReplicaEntity, view_tick: f64) -> Interpolated {
        entity.interpolate(view_tick, f64::from(STALENESS_MS_MAX) / 1_000.0 * f64::from(self.rate.hz()))
    }
}
