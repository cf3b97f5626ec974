//! Frames and reliable messages over any transport.

use std::time::Duration;

use rustc_hash::FxHashMap;
use throng_shared::ids::ClientId;
use throng_shared::limits::{LINGER_MS, RECEIVED_PER_50_MS_MAX};
use throng_shared::wire::channel::MessageChannel;
use throng_shared::wire::datagram::{self, Datagram};
use throng_shared::wire::message::{self, ServerMessage};
use throng_shared::wire::{WireError, token::TokenData};

use super::inbound::{NetEvent, NetInbound, NetTotals};
use super::transport::{Transport, TransportEvent};
use crate::batch::OutboundBatch;
use crate::session::Strikes;

/// All connected clients, over one transport.
#[derive(Debug)]
pub struct Connections<T> {
    transport: T,
    peers: FxHashMap<ClientId, Peer>,
    totals: NetTotals,
    advanced_to: Duration,
    scratch: Vec<u8>,
    /// Number of times that was looked for events.
    looks: u64,
    /// Clients in the order of their connecting: peers are walked in it, not in the map's order.
    order: Vec<ClientId>,
}

#[derive(Debug, Default)]
struct Peer {
    /// The look in which it came.
    came_in: u64,
    channel: MessageChannel,
    strikes: Strikes,
    /// Frames and messages since `counted_since`.
    received: u32,
    counted_since: Duration,
    /// Set when we end the connection: it closes at this time, or as soon as its last message is acknowledged.
    closes_at: Option<Duration>,
}

impl<T: Transport> Connections<T> {
    /// Nobody connected yet.
    pub fn new(transport: T) -> Connections<T> {
        Connections {
            transport,
            peers: FxHashMap::default(),
            totals: NetTotals::default(),
            advanced_to: Duration::ZERO,
            scratch: Vec::new(),
            looks: 0,
            order: Vec::new(),
        }
    }

    /// The transport.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Number of connected clients.
    pub fn count(&self) -> usize {
        self.peers.len()
    }

    /// Takes everything that has arrived until `now`, and closes what is done lingering.
    pub fn receive(&mut self, now: Duration, inbound: &mut NetInbound) {
        self.looks += 1;
        inbound.heard_until = self.looks;
        let Connections { transport, peers, totals, order, looks, .. } = self;
        let looks = *looks;
        transport.receive(now, &mut |event| match event {
            TransportEvent::Connected { client, token } => connect(peers, order, inbound, client, token, looks),
            TransportEvent::Datagram { client, received_at, bytes } => {
                totals.datagrams_in += 1;
                totals.bytes_in += bytes.len() as u64;
                let Some(peer) = peers.get_mut(&client) else { return };
                if let Err(error) = take_datagram(peer, client, received_at, bytes, inbound) {
                    totals.malformed[error as usize] += 1;
                    if peer.strikes.add(now.as_secs()) && peer.closes_at.is_none() {
                        inbound.events.push(NetEvent::Misbehaved { client });
                    }
                }
            }
            TransportEvent::Disconnected { client } => {
                if peers.remove(&client).is_some() {
                    order.retain(|&other| other != client);
                    inbound.events.push(NetEvent::Disconnected { client });
                }
            }
        });
        self.close_lingering(now, inbound);
        self.totals.refused = self.transport.refused_datagrams();
        self.totals.handshakes_refused = self.transport.refused_handshakes();
        self.totals.connected = self.peers.len() as u64;
        let dropped = inbound.totals.inbound_dropped;
        inbound.totals = NetTotals { inbound_dropped: dropped, ..self.totals };
    }

    /// Sends a tick's snapshots, messages and dismissals, and what the reliable channels repeat.
    pub fn send(&mut self, now: Duration, batch: &OutboundBatch) {
        let elapsed = now.saturating_sub(self.advanced_to);
        self.advanced_to = now;
        for peer in self.peers.values_mut() {
            peer.channel.advance(elapsed);
        }
        let is_meant = |peers: &FxHashMap<ClientId, Peer>, client: ClientId| {
            peers.get(&client).is_some_and(|peer| peer.came_in <= batch.heard_until)
        };
        for (client, message) in &batch.messages {
            if is_meant(&self.peers, *client) {
                self.queue_message(now, *client, message);
            }
        }
        for (client, last_message) in &batch.dismissals {
            if !is_meant(&self.peers, *client) {
                continue;
            }
            if self.peers.get(client).is_some_and(|peer| peer.closes_at.is_none()) {
                self.queue_message(now, *client, last_message);
            }
            if let Some(peer) = self.peers.get_mut(client) {
                peer.closes_at.get_or_insert(now + Duration::from_millis(LINGER_MS));
            }
        }
        for (client, frame) in batch.frames() {
            if is_meant(&self.peers, client) {
                self.send_datagrams(now, client, Some(frame));
            }
        }
        for place in 0..self.order.len() {
            self.send_datagrams(now, self.order[place], None);
        }
    }

    fn queue_message(&mut self, now: Duration, client: ClientId, message: &ServerMessage) {
        let Some(peer) = self.peers.get_mut(&client) else { return };
        if peer.channel.send(message::encode(message)).is_err() && peer.closes_at.is_none() {
            // Whoever acknowledges nothing is as good as gone.
            self.totals.channels_full += 1;
            peer.closes_at = Some(now);
        }
    }

    fn send_datagrams(&mut self, now: Duration, client: ClientId, frame: Option<&[u8]>) {
        let Some(peer) = self.peers.get_mut(&client) else { return };
        let frame = frame.filter(|_| peer.closes_at.is_none());
        let packets = peer.channel.packets_to_send();
        let (transport, totals) = (&mut self.transport, &mut self.totals);
        datagram::pack(frame, packets.iter().map(Vec::as_slice), &mut self.scratch, |bytes| {
            totals.datagrams_out += 1;
            totals.bytes_out += bytes.len() as u64;
            transport.send(now, client, bytes);
        });
    }

    fn close_lingering(&mut self, now: Duration, inbound: &mut NetInbound) {
        let (peers, transport) = (&mut self.peers, &mut self.transport);
        self.order.retain(|client| {
            let Some(peer) = peers.get(client) else { return false };
            let Some(closes_at) = peer.closes_at else { return true };
            if now < closes_at && !peer.channel.is_drained() {
                return true;
            }
            transport.disconnect(now, *client);
            peers.remove(client);
            inbound.events.push(NetEvent::Disconnected { client: *client });
            false
        });
    }
}

fn connect(
    peers: &mut FxHashMap<ClientId, Peer>,
    order: &mut Vec<ClientId>,
    inbound: &mut NetInbound,
    client: ClientId,
    token: Option<TokenData>,
    look: u64,
) {
    if peers.insert(client, Peer { came_in: look, ..Peer::default() }).is_some() {
        inbound.events.push(NetEvent::Disconnected { client });
    } else {
        order.push(client);
    }
    inbound.events.push(NetEvent::Connected { client, token });
}

impl Peer {
    /// Whether the client may have another frame or message taken in at `now`.
    fn may_receive(&mut self, now: Duration) -> bool {
        if now >= self.counted_since + Duration::from_millis(50) {
            (self.received, self.counted_since) = (0, now);
        }
        self.received += 1;
        self.received <= RECEIVED_PER_50_MS_MAX
    }
}

/// Takes a datagram apart; what was in it before an error is kept.
fn take_datagram(
    peer: &mut Peer,
    client: ClientId,
    received_at: Duration,
    bytes: &[u8],
    inbound: &mut NetInbound,
) -> Result<(), WireError> {
    let datagram = Datagram::parse(bytes)?;
    for packet in datagram.packets() {
        peer.channel.receive_packet(packet)?;
    }
    while let Some(message) = peer.channel.next_message() {
        if peer.closes_at.is_some() {
            continue;
        }
        if peer.may_receive(received_at) {
            inbound.push_message(client, &message);
        } else {
            inbound.events.push(NetEvent::Misbehaved { client });
            return Err(WireError::NotAccepted);
        }
    }
    if peer.closes_at.is_none()
        && let Some(frame) = datagram.frame
    {
        if peer.may_receive(received_at) {
            inbound.push_frame(client, received_at, frame);
        } else {
            inbound.totals.inbound_dropped += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::wire::message::GoodbyeReason;

    /// Reports what a test says, and remembers what is sent.
    #[derive(Default)]
    struct FakeTransport {
        connecting: Vec<ClientId>,
        disconnecting: Vec<ClientId>,
        sent: Vec<Vec<u8>>,
    }

    impl Transport for FakeTransport {
        fn receive(&mut self, _now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
            self.disconnecting.drain(..).for_each(|client| report(TransportEvent::Disconnected { client }));
            self.connecting.drain(..).for_each(|client| report(TransportEvent::Connected { client, token: None }));
        }

        fn send(&mut self, _now: Duration, _client: ClientId, datagram: &[u8]) {
            self.sent.push(datagram.to_vec());
        }

        fn disconnect(&mut self, _now: Duration, _client: ClientId) {}
    }

    #[test]
    fn what_was_meant_for_a_former_connection_of_a_client_does_not_reach_its_new_one() {
        const CLIENT: ClientId = ClientId(7);
        let mut connections = Connections::new(FakeTransport::default());
        let mut inbound = NetInbound::default();
        connections.transport_mut().connecting.push(CLIENT);
        connections.receive(Duration::ZERO, &mut inbound);
        let mut batch = OutboundBatch::default();
        batch.heard_until = inbound.heard_until;
        batch.push_frame(CLIENT, b"snapshot");
        batch.dismiss(CLIENT, GoodbyeReason::Malformed);
        // While the tick writes this, the client goes and comes again.
        connections.transport_mut().disconnecting.push(CLIENT);
        connections.transport_mut().connecting.push(CLIENT);
        connections.receive(Duration::ZERO, &mut inbound);
        connections.send(Duration::ZERO, &batch);
        assert_eq!(connections.transport_mut().sent, Vec::<Vec<u8>>::new());
        batch.heard_until = inbound.heard_until;
        connections.send(Duration::ZERO, &batch);
        assert_eq!(connections.transport_mut().sent.len(), 1, "the goodbye; after it no snapshot is of use");
    }
}
