//! The other end of a benchmark: players that walk about, acknowledge what they get, and lose some of it.

use std::time::Duration;

use glam::Vec2;
use hdrhistogram::Histogram;
use throng_client::Replica;
use throng_server::batch::{Arrival, InboundBatch, OutboundShard};
use throng_server::instance::Instance;
use throng_server::net::ConnectionId;
use throng_shared::attributes::Schema;
use throng_shared::ids::ClientId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::netcode::PACKET_BYTES_MAX;
use throng_shared::random::Random;
use throng_shared::tick::Tick;
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::snapshot::Snapshot;

use crate::seal::Sealer;

/// Share of snapshots and of inputs that are lost, in percent.
pub(crate) const LOSS_PERCENT: f32 = 2.0;

/// Every so many players one keeps a replica, to see how old what it knows is.
const REPLICA_EVERY: usize = 100;

/// So near a place whoever goes there has arrived, in metres.
const ARRIVED_M: f32 = 2.0;

/// All players of a run. What they do is not part of what is measured.
pub(crate) struct Players {
    players: Vec<Player>,
    random: Random,
    /// Nobody leaves a circle around the origin of this radius, in metres, if there is one.
    radius_m: Option<f32>,
    frame: Vec<u8>,
}

struct Player {
    input: PlayerInput,
    position_m: Vec2,
    /// Where it goes in a circle.
    place_m: Vec2,
    acks: SnapshotAcks,
    replica: Option<Replica>,
}

impl Players {
    /// `count` players, who join with the next batch.
    pub(crate) fn new(count: u32, inbound: &mut InboundBatch) -> Players {
        Players::with(count, None, REPLICA_EVERY, inbound)
    }

    /// The same for players who stay in a circle, and of whom every so many has a replica.
    pub(crate) fn in_circle(count: u32, radius_m: f32, replica_every: usize, inbound: &mut InboundBatch) -> Players {
        Players::with(count, Some(radius_m), replica_every, inbound)
    }

    fn with(count: u32, radius_m: Option<f32>, replica_every: usize, inbound: &mut InboundBatch) -> Players {
        let player = |number: u32| {
            let (client, connection) = (ClientId(u64::from(number)), connection(number));
            inbound.arrivals.push(Arrival::Joined { client, connection, name: String::new() });
            Player {
                input: PlayerInput::default(),
                position_m: Vec2::ZERO,
                place_m: Vec2::ZERO,
                acks: SnapshotAcks::default(),
                replica: (number as usize).is_multiple_of(replica_every).then(Replica::default),
            }
        };
        Players { players: (0..count).map(player).collect(), random: Random::new(1, 0), radius_m, frame: Vec::new() }
    }

    /// One leaves, and another comes in its place.
    pub(crate) fn replace(&mut self, number: u32, inbound: &mut InboundBatch) {
        let (client, connection) = (ClientId(u64::from(number)), connection(number));
        inbound.arrivals.push(Arrival::Left { client });
        inbound.arrivals.push(Arrival::Joined { client, connection, name: String::new() });
        let player = &mut self.players[number as usize];
        player.acks = SnapshotAcks::default();
        if let Some(replica) = &mut player.replica {
            *replica = Replica::default();
        }
    }

    /// Puts everybody's input for `tick` into the batch, but for those that are lost.
    pub(crate) fn send_inputs(&mut self, tick: Tick, inbound: &mut InboundBatch) {
        for (number, player) in self.players.iter_mut().enumerate() {
            let is_change = self.random.percent(3.0) || tick.0 == 1;
            let direction = match self.radius_m {
                None => is_change.then(|| self.random.in_disc(1.0)),
                Some(radius_m) => {
                    // From one place to the next: who only set out towards places would end up in the middle with all others.
                    let is_there = player.position_m.distance_squared(player.place_m) < ARRIVED_M * ARRIVED_M;
                    if is_there || tick.0 == 1 {
                        player.place_m = self.random.in_disc(radius_m);
                    }
                    (is_change || is_there).then(|| player.place_m - player.position_m)
                }
            };
            if let Some(direction) = direction {
                let buttons = if self.random.percent(70.0) { Buttons::RUN } else { Buttons::default() };
                player.input = PlayerInput::towards(direction.normalize_or(Vec2::X), buttons);
            }
            if !self.random.percent(LOSS_PERCENT) {
                self.frame.clear();
                InputFrame::new(tick, &[player.input; 3], player.acks).encode(&mut self.frame);
                inbound.push_frame(ClientId(number as u64), Duration::ZERO, &self.frame);
            }
        }
    }

    /// Receives a tick's snapshots, but for those that are lost.
    pub(crate) fn receive(&mut self, outbound: &OutboundShard) {
        for (connection, frame) in outbound.frames() {
            let player = &mut self.players[connection.slot as usize];
            if self.random.percent(LOSS_PERCENT) {
                continue;
            }
            let tick = frame.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
            player.acks.insert(Tick(tick));
            if self.radius_m.is_some()
                && let Ok(Snapshot { header, .. }) = Snapshot::decode(Schema::EMPTY, frame)
            {
                player.position_m = Vec2::new(header.position_m.x, header.position_m.z);
            }
            if let Some(replica) = &mut player.replica {
                let snapshot = Snapshot::decode(Schema::EMPTY, frame).expect("the server's snapshots are well-formed");
                replica.apply(&snapshot).expect("the server knows what arrived");
            }
        }
    }

    /// The players who have a replica, with their numbers.
    pub(crate) fn watched(&self) -> impl Iterator<Item = (usize, &Replica)> {
        let players = self.players.iter().enumerate();
        players.filter_map(|(number, player)| Some((number, player.replica.as_ref()?)))
    }

    /// Notes how old, in ticks, the states are that players have and that are no longer the server's; in one histogram for those within
    /// each distance, the last for all others.
    pub(crate) fn note_staleness(&self, instance: &Instance, edges_m: &[f32], staleness_ticks: &mut [Histogram<u64>]) {
        let (tick, columns) = (instance.current_tick(), instance.columns());
        for (number, replica) in self.watched() {
            let session = instance.sessions().get(ClientId(number as u64));
            let Some(own) = session.and_then(|session| columns.row(session.net_id)) else { continue };
            for entity in replica.entities().filter(|entity| !entity.is_missing()) {
                let Some(row) = columns.row(entity.net_id) else { continue };
                let is_current = columns.changed[row] <= entity.updated;
                let age_ticks = if is_current { 0 } else { tick.since(entity.updated) };
                let distance_m = columns.positions_m[row].distance(columns.positions_m[own]);
                let tier = edges_m[..edges_m.len() - 1].iter().take_while(|&&edge_m| edge_m < distance_m).count();
                let _ = staleness_ticks[tier].record(u64::from(age_ticks));
            }
        }
    }
}

/// The connection of the player with this number.
fn connection(number: u32) -> ConnectionId {
    ConnectionId { worker: 0, slot: number, generation: 1 }
}

/// Seals every snapshot of a shard, as the network thread would, and throws it away.
pub(crate) struct Sink {
    sealers: Vec<Sealer>,
    sealed: Box<[u8; PACKET_BYTES_MAX]>,
}

/// What a sink has swallowed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Swallowed {
    pub(crate) payload_bytes: u64,
    pub(crate) wire_bytes: u64,
}

impl Sink {
    pub(crate) fn new(count: u32) -> Sink {
        Sink { sealers: (0..u64::from(count)).map(Sealer::new).collect(), sealed: Box::new([0; PACKET_BYTES_MAX]) }
    }

    pub(crate) fn swallow(&mut self, outbound: &OutboundShard, swallowed: &mut Swallowed) {
        for (connection, frame) in outbound.frames() {
            swallowed.payload_bytes += 1 + frame.len() as u64;
            swallowed.wire_bytes += self.sealers[connection.slot as usize].seal(frame, &mut self.sealed) as u64;
        }
    }
}
