//! The inbound batch → characters that come and go, inputs and acknowledgements.

mod arrivals;
mod decode;

pub(crate) use arrivals::admit_and_dismiss;
pub(crate) use decode::decode_inputs;

use bevy_ecs::prelude::{ResMut, Resource};

use crate::batch::InboundBatch;
use crate::timer::WallTime;

/// The batch that this tick works on.
#[derive(Resource, Debug, Default)]
pub(crate) struct Inbound(pub(crate) InboundBatch);

/// Puts the frames in an order that does not depend on threads, and notes when the tick began.
pub(crate) fn sort_frames(mut inbound: ResMut<Inbound>, mut wall_time: ResMut<WallTime>) {
    inbound.0.sort();
    *wall_time = WallTime(inbound.0.tick_begins_at);
}
