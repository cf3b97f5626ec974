//! Snapshots → outbound batch.

use bevy_ecs::prelude::{Res, ResMut, Resource};

use crate::batch::OutboundBatch;
use crate::session::Sessions;

/// The batch that this tick fills.
#[derive(Resource, Debug, Default)]
pub(crate) struct Outbound(pub(crate) OutboundBatch);

/// Copies every client's snapshot into the batch.
pub(crate) fn queue_snapshots(sessions: Res<Sessions>, mut outbound: ResMut<Outbound>) {
    for session in sessions.all() {
        if let Some(connection) = session.connection.filter(|_| !session.frame.is_empty()) {
            outbound.0.push_frame(connection, &session.frame);
        }
    }
}
