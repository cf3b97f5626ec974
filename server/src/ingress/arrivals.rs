//! Clients come and go.

use bevy_ecs::prelude::{Mut, World};
use throng_shared::ids::{Archetype, ClientId};
use throng_shared::tick::Tick;
use throng_shared::wire::PROTOCOL_VERSION;
use throng_shared::wire::message::{ServerMessage, Welcome};

use super::Inbound;
use crate::batch::Arrival;
use crate::egress::Outbound;
use crate::instance::InstanceRules;
use crate::session::{Session, Sessions};
use crate::simulation::{despawn_character, spawn_character};

/// Gives each client that joined a character and a session, and takes them from each that left.
pub(crate) fn admit_and_dismiss(world: &mut World) {
    let arrivals = std::mem::take(&mut world.resource_mut::<Inbound>().0.arrivals);
    for arrival in &arrivals {
        match arrival {
            Arrival::Joined { client, name } => admit(world, *client, name.clone()),
            Arrival::Left { client } => dismiss(world, *client),
        }
    }
    world.resource_mut::<Inbound>().0.arrivals = arrivals;
}

fn admit(world: &mut World, client: ClientId, name: String) {
    if world.resource::<Sessions>().get(client).is_some() {
        return;
    }
    let (net_id, entity) = spawn_character(world, Archetype::Player);
    let rate = world.resource::<InstanceRules>().tick_rate;
    world.resource_mut::<Sessions>().insert(Session::new(client, name, net_id, entity, rate));
    let welcome =
        Welcome { version: PROTOCOL_VERSION, tick: world.resource::<Tick>().0, net_id, tick_rate_hz: rate.hz() as u16 };
    let mut outbound: Mut<'_, Outbound> = world.resource_mut::<Outbound>();
    outbound.0.messages.push((client, ServerMessage::Welcome(welcome)));
}

fn dismiss(world: &mut World, client: ClientId) {
    if let Some(session) = world.resource_mut::<Sessions>().remove(client) {
        despawn_character(world, session.net_id);
    }
}
