//! Clients are told the hour, and what is on for them.

use bevy_ecs::prelude::{Res, ResMut};
use throng_shared::ids::ClientId;
use throng_shared::tick::Tick;
use throng_shared::wire::hours::{DayClock, HoursNews};

use super::hours::WorldHours;
use crate::batch::Arrival;
use crate::egress::Outbound;
use crate::ingress::Inbound;
use crate::session::Sessions;

/// In a world that declares days, events or features: tells who has come anew all that there is, and everybody what has changed. O(clients) when something has, and else O(those who have come).
pub(crate) fn tell_hours(
    tick: Res<Tick>,
    inbound: Res<Inbound>,
    sessions: Res<Sessions>,
    mut hours: ResMut<WorldHours>,
    mut outbound: ResMut<Outbound>,
) {
    let messages = &mut outbound.0.messages;
    let mut tell = |client: ClientId, news: HoursNews| messages.push((client, news.message()));
    let mut newcomers: Vec<ClientId> = inbound.0.arrivals.iter().filter_map(newcomer).collect();
    newcomers.sort_unstable();
    newcomers.retain(|_| hours.is_told);
    for &client in newcomers.iter().filter(|client| sessions.get(**client).is_some()) {
        tell(client, HoursNews::Hour(clock(&hours, *tick)));
        let events = hours.events().map(|name| HoursNews::Event { is_on: true, name: name.to_owned() });
        events.for_each(|news| tell(client, news));
        let features = hours.features.of(client).map(|name| HoursNews::Feature { is_on: true, name: name.to_owned() });
        features.for_each(|news| tell(client, news));
    }
    let Some(before) = hours.told_before.take() else { return };
    if !hours.is_told && before.is_nothing() {
        return;
    }
    let events: Vec<&str> = hours.events().collect();
    let changes = changes(before.events.iter().map(String::as_str).collect(), &events);
    for session in sessions.all().iter().filter(|session| newcomers.binary_search(&session.client).is_err()) {
        let client = session.client;
        if let Some(features) = &before.features {
            tell(client, HoursNews::Hour(clock(&hours, *tick)));
            let now: Vec<&str> = hours.features.of(client).collect();
            for (is_on, name) in self::changes(features.of(client).collect(), &now) {
                tell(client, HoursNews::Feature { is_on, name });
            }
        }
        for (is_on, name) in &changes {
            tell(client, HoursNews::Event { is_on: *is_on, name: name.clone() });
        }
    }
}

/// Who knows nothing yet.
fn newcomer(arrival: &Arrival) -> Option<ClientId> {
    match arrival {
        Arrival::Joined { client, .. } | Arrival::Resumed { client, knows_world: false, .. } => Some(*client),
        Arrival::Resumed { .. } | Arrival::Broken { .. } | Arrival::Left { .. } => None,
    }
}

fn clock(hours: &WorldHours, tick: Tick) -> DayClock {
    let (day, hour_h) = hours.calendar.hour(tick);
    let fraction = (f64::from(hour_h) / 24.0 * 2f64.powi(32)) as u32;
    DayClock { tick, day, fraction, day_ticks: hours.calendar.day_ticks() }
}

/// What is off or on that was not.
fn changes(before: Vec<&str>, now: &[&str]) -> Vec<(bool, String)> {
    let gone = before.iter().filter(|name| !now.contains(name)).map(|name| (false, (*name).to_owned()));
    let come = now.iter().filter(|name| !before.contains(name)).map(|name| (true, (*name).to_owned()));
    gone.chain(come).collect()
}
