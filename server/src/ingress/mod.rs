//! The inbound batch → characters that come and go, inputs and acknowledgements.

mod arrivals;
mod decode;

pub(crate) use arrivals::admit_and_dismiss;
pub(crate) use decode::decode_inputs;

use bevy_ecs::prelude::{ResMut, Resource};

use crate::batch::InboundBatch;

/// The batch that this tick works on.
#[derive(Resource, Debug, Default)]
pub(crate) struct Inbound(pub(crate) InboundBatch);

/// Puts the frames in an order that does not depend on threads.
pub(crate) fn sort_frames(mut inbound: ResMut<Inbound>) {
    inbound.0.sort();
}
