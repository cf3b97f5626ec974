//! Snapshots → outbound batch.

use bevy_ecs::prelude::{Res, ResMut, Resource};

use crate::batch::OutboundBatch;
use crate::replication::Frames;

/// The batch that this tick fills.
#[derive(Resource, Debug, Default)]
pub(crate) struct Outbound(pub(crate) OutboundBatch);

/// Copies every client's snapshot into the batch.
pub(crate) fn queue_snapshots(frames: Res<Frames>, mut outbound: ResMut<Outbound>) {
    frames.to_send().for_each(|(connection, frame)| outbound.0.push_frame(connection, frame));
}
