//! Clients come, break off, come back and go.

use bevy_ecs::prelude::World;
use throng_shared::ids::ClientId;
use throng_shared::tick::Tick;
use throng_shared::wire::PROTOCOL_VERSION;
use throng_shared::wire::control::Welcome;

use super::Inbound;
use crate::batch::Arrival;
use crate::commit::Totals;
use crate::egress::Outbound;
use crate::instance::InstanceRules;
use crate::net::ConnectionId;
use crate::session::{Session, Sessions};
use crate::simulation::{SeatsOnOffer, despawn_character, end_stand_in, give_back, spawn_player, stand_in};

/// Gives each client that joined a character and a session, and takes them from each that left. In between, a session may
/// lose its connection and get another one.
///
/// A character may have been a bot's before, and may be one again afterwards: see [`throng_shared::config::PopulationConfig`].
pub(crate) fn admit_and_dismiss(world: &mut World) {
    let arrivals = std::mem::take(&mut world.resource_mut::<Inbound>().0.arrivals);
    let mut seats = SeatsOnOffer::default();
    for arrival in &arrivals {
        match arrival {
            Arrival::Joined { client, connection, name } => {
                admit(world, &mut seats, *client, *connection, name.clone());
            }
            Arrival::Broken { client } => hold(world, *client),
            Arrival::Resumed { client, connection, knows_world } => resume(world, *client, *connection, *knows_world),
            Arrival::Left { client } => dismiss(world, *client),
        }
    }
    world.resource_mut::<Inbound>().0.arrivals = arrivals;
}

fn admit(world: &mut World, seats: &mut SeatsOnOffer, client: ClientId, connection: ConnectionId, name: String) {
    if world.resource::<Sessions>().get(client).is_some() {
        return;
    }
    let (net_id, entity) = seats.take(world).unwrap_or_else(|| {
        let side = seats.side_for_newcomer(world);
        spawn_player(world, side)
    });
    let rate = world.resource::<InstanceRules>().tick_rate;
    let session = Session::new(client, connection, name, net_id, entity, rate);
    world.resource_mut::<Sessions>().insert(session);
    welcome(world, client);
}

/// A client's connection has broken; its seat is held, and a bot may play on in it.
fn hold(world: &mut World, client: ClientId) {
    let Some(session) = world.resource_mut::<Sessions>().into_inner().get_mut(client) else { return };
    session.connection = None;
    let (net_id, entity) = (session.net_id, session.entity);
    if world.resource::<InstanceRules>().population.stand_ins {
        stand_in(world, net_id, entity);
    }
}

fn resume(world: &mut World, client: ClientId, connection: ConnectionId, knows_world: bool) {
    let rate = world.resource::<InstanceRules>().tick_rate;
    let Some(session) = world.resource_mut::<Sessions>().into_inner().get_mut(client) else { return };
    session.connection = Some(connection);
    if knows_world {
        // What was under way when the connection broke did not arrive.
        session.view.lose_all();
    } else {
        session.forget_view(rate);
    }
    let entity = session.entity;
    if end_stand_in(world, entity) {
        world.resource_mut::<Totals>().seats_to_people += 1;
    }
    welcome(world, client);
}

fn welcome(world: &mut World, client: ClientId) {
    let Some(net_id) = world.resource::<Sessions>().get(client).map(|session| session.net_id) else { return };
    let rate = world.resource::<InstanceRules>().tick_rate;
    let welcome = Welcome {
        version: PROTOCOL_VERSION,
        tick: world.resource::<Tick>().0,
        net_id,
        tick_rate_hz: rate.hz() as u16,
        // The front door knows these.
        channel: 0,
        is_resumed: false,
        attributes: 0,
    };
    world.resource_mut::<Outbound>().0.welcomes.push((client, welcome));
}

fn dismiss(world: &mut World, client: ClientId) {
    let Some(Session { net_id, entity, .. }) = world.resource_mut::<Sessions>().remove(client) else { return };
    if !give_back(world, net_id, entity) {
        despawn_character(world, net_id);
    }
}
