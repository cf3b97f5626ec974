//! `docs/protocol.md` says what the code does: its examples are encoded and decoded, its tables and the numbers in its
//! prose compared. An example is a block after `<!-- example: name -->`, a table one after `<!-- table: name -->`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use glam::{IVec3, Vec3};
use throng_shared::config::{self, LoadedWorld, ObstacleShapeConfig, TerrainConfig, builtin_world, load_world};
use throng_shared::ids::{Archetype, ClientId, InstanceId, NetId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits::{self, *};
use throng_shared::quantised::{self, Locomotion, QuantisedState};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::channel::MessageChannel;
use throng_shared::wire::datagram::{self, Datagram};
use throng_shared::wire::guard::check_netcode_packet;
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::message::{
    self, ClientMessage, GoodbyeReason, Hello, RefusalReason, Refused, ServerMessage, Welcome,
};
use throng_shared::wire::snapshot::{self, Enter, Snapshot, SnapshotHeader, Update};
use throng_shared::wire::token::{TokenData, USER_DATA_BYTES};
use throng_shared::wire::{BitWriter, MESSAGE_CHANNEL, PROTOCOL_ID, PROTOCOL_VERSION};

const PAGE: &str = include_str!("../../docs/protocol.md");
