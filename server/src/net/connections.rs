//! Datagrams over any transport ↔ frames, channel packets and control messages.

use std::ops::Range;
use std::time::Duration;

use rustc_hash::FxHashMap;
use throng_shared::ids::ClientId;
use throng_shared::limits::{QUARANTINE_MS, RECEIVED_PER_50_MS_MAX};
use throng_shared::wire::WireError;
use throng_shared::wire::control::{self, GoodbyeReason, ServerControl};
use throng_shared::wire::datagram::{self, CONTROL, Datagram, FRAME};

use super::inbound::{ConnectionEnd, Content, NetEvent, NetInbound, NetTotals};
use super::transport::{ConnectionId, Transport, TransportEvent};
use crate::batch::OutboundShard;
use crate::session::Strikes;

/// All connections of one network thread, over one transport.
#[derive(Debug)]
pub struct Connections<T> {
    transport: T,
    /// By their places in the transport.
    peers: Vec<Option<Peer>>,
    connected: u64,
    totals: NetTotals,
    scratch: Vec<u8>,
    /// Channel packets of the shard that is being sent, that have not gone out yet.
    packets: FxHashMap<ConnectionId, Range<usize>>,
    misbehaved: Vec<ConnectionId>,
    /// Whether the server is stopping, so that nobody may stay who comes now; and who has come since this was last looked at.
    is_closing: bool,
    latecomers: Vec<ConnectionId>,
}

/// How often somebody is told why its connection ends, by messages that may be lost and that nothing follows.
const GOODBYE_REPEATS: u32 = 3;

#[derive(Debug)]
struct Peer {
    connection: ConnectionId,
    client: ClientId,
    strikes: Strikes,
    /// Frames and messages since `counted_since`.
    received: u32,
    counted_since: Duration,
}

impl<T: Transport> Connections<T> {
    /// Nobody connected yet.
    pub fn new(transport: T) -> Connections<T> {
        Connections {
            transport,
            peers: Vec::new(),
            connected: 0,
            totals: NetTotals::default(),
            scratch: Vec::new(),
            packets: FxHashMap::default(),
            misbehaved: Vec::new(),
            is_closing: false,
            latecomers: Vec::new(),
        }
    }

    /// The transport.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Number of connected clients.
    pub fn count(&self) -> usize {
        self.connected as usize
    }

    /// Takes everything that has arrived until `now`.
    pub fn receive(&mut self, now: Duration, inbound: &mut NetInbound) {
        let Connections { transport, peers, connected, totals, misbehaved, is_closing, latecomers, .. } = self;
        transport.receive(now, &mut |event| match event {
            TransportEvent::Connected { connection, client, token } => {
                let place = connection.slot as usize;
                if peers.len() <= place {
                    peers.resize_with(place + 1, || None);
                }
                *connected += 1;
                peers[place] = Some(Peer::new(connection, client, now));
                latecomers.extend(is_closing.then_some(connection));
                inbound.events.push(NetEvent::Connected { connection, client, token });
            }
            TransportEvent::Datagram { connection, received_at, bytes } => {
                totals.datagrams_in += 1;
                totals.bytes_in += bytes.len() as u64;
                let Some(peer) = peer_mut(peers, connection) else { return };
                if let Err(error) = take_datagram(peer, received_at, bytes, inbound) {
                    totals.malformed[error as usize] += 1;
                    if peer.strikes.add(now.as_secs()) {
                        misbehaved.push(connection);
                    }
                }
            }
            TransportEvent::Disconnected { connection, end } => {
                if peer_mut(peers, connection).is_some() {
                    peers[connection.slot as usize] = None;
                    *connected -= 1;
                    totals.ended[end as usize] += 1;
                    inbound.events.push(NetEvent::Disconnected { connection, end });
                }
            }
        });
        self.expel_misbehaved(now, inbound);
        while let Some(connection) = self.latecomers.pop() {
            self.dismiss(now, connection, GoodbyeReason::ServerStopping, ConnectionEnd::Dismissed);
        }
        if self.is_closing {
            self.transport.flush();
        }
        self.totals.transport = self.transport.totals();
        self.totals.connected = self.connected;
        let dropped = inbound.totals.inbound_dropped;
        inbound.totals = NetTotals { inbound_dropped: dropped, ..self.totals };
    }

    /// Prepares a shard to be sent, and sends its control messages.
    pub fn begin(&mut self, now: Duration, shard: &OutboundShard) {
        debug_assert!(self.packets.is_empty(), "the former shard has been finished");
        for (place, (connection, _)) in shard.packets().enumerate() {
            self.packets.entry(connection).or_insert(place..place).end = place + 1;
        }
        for (connection, message) in shard.controls() {
            self.send(now, connection, &[&[CONTROL], message]);
        }
    }

    /// Sends the frames in these places of a shard, each with the channel packets for the same client.
    pub fn send_frames(&mut self, now: Duration, shard: &OutboundShard, places: Range<usize>) {
        for place in places {
            let (connection, frame) = shard.frame(place);
            match self.packets.is_empty() {
                true => self.send(now, connection, &[&[FRAME], frame]),
                false => self.send_with_packets(now, shard, connection, Some(frame)),
            }
        }
        self.transport.flush();
    }

    /// Sends what is left of a shard, and ends the connections that it ends.
    pub fn finish(&mut self, now: Duration, shard: &OutboundShard) {
        for (connection, _) in shard.packets() {
            if self.packets.contains_key(&connection) {
                self.send_with_packets(now, shard, connection, None);
            }
        }
        self.packets.clear();
        for &client in &shard.quarantines {
            self.transport.quarantine(client, now + Duration::from_millis(QUARANTINE_MS));
        }
        for &connection in &shard.closes {
            self.close(now, connection, ConnectionEnd::Dismissed);
        }
        self.transport.flush();
    }

    fn send_with_packets(
        &mut self,
        now: Duration,
        shard: &OutboundShard,
        connection: ConnectionId,
        frame: Option<&[u8]>,
    ) {
        let places = self.packets.remove(&connection).unwrap_or_default();
        let packets = shard.packets_at(places).map(|(_, packet)| packet);
        let mut scratch = std::mem::take(&mut self.scratch);
        datagram::pack(frame, packets, &mut scratch, |bytes| self.send(now, connection, &[bytes]));
        self.scratch = scratch;
    }

    fn send(&mut self, now: Duration, connection: ConnectionId, parts: &[&[u8]]) {
        self.totals.datagrams_out += 1;
        self.totals.bytes_out += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        self.transport.send(now, connection, parts);
    }

    fn close(&mut self, now: Duration, connection: ConnectionId, end: ConnectionEnd) -> bool {
        if peer_mut(&mut self.peers, connection).is_none() {
            return false;
        }
        self.transport.disconnect(now, connection);
        self.peers[connection.slot as usize] = None;
        self.connected -= 1;
        self.totals.ended[end as usize] += 1;
        true
    }

    /// The server is stopping: whoever comes from now on is told so, and may not stay.
    pub fn close_up(&mut self) {
        self.is_closing = true;
    }

    /// Tells everybody who is left that the server is stopping, and ends their connections.
    pub fn dismiss_all(&mut self, now: Duration) {
        let left: Vec<ConnectionId> = self.peers.iter().flatten().map(|peer| peer.connection).collect();
        for connection in left {
            self.dismiss(now, connection, GoodbyeReason::ServerStopping, ConnectionEnd::Dismissed);
        }
        self.transport.flush();
    }

    /// Tells somebody why its connection ends, and ends it.
    fn dismiss(&mut self, now: Duration, connection: ConnectionId, reason: GoodbyeReason, end: ConnectionEnd) {
        let goodbye = control::encode(&ServerControl::Goodbye(reason));
        (0..GOODBYE_REPEATS).for_each(|_| self.send(now, connection, &[&[CONTROL], &goodbye]));
        self.close(now, connection, end);
    }

    /// Those who send too much that is malformed are told so, and kept out for a while.
    fn expel_misbehaved(&mut self, now: Duration, inbound: &mut NetInbound) {
        while let Some(connection) = self.misbehaved.pop() {
            let Some(peer) = peer_mut(&mut self.peers, connection) else { continue };
            self.transport.quarantine(peer.client, now + Duration::from_millis(QUARANTINE_MS));
            self.dismiss(now, connection, GoodbyeReason::Malformed, ConnectionEnd::Malformed);
            self.transport.flush();
            inbound.events.push(NetEvent::Disconnected { connection, end: ConnectionEnd::Malformed });
        }
    }
}

impl Peer {
    fn new(connection: ConnectionId, client: ClientId, now: Duration) -> Peer {
        Peer { connection, client, strikes: Strikes::default(), received: 0, counted_since: now }
    }

    /// Whether the client may have another frame, packet or message taken in at `now`.
    fn may_receive(&mut self, now: Duration) -> bool {
        if now >= self.counted_since + Duration::from_millis(50) {
            (self.received, self.counted_since) = (0, now);
        }
        self.received += 1;
        self.received <= RECEIVED_PER_50_MS_MAX
    }
}

fn peer_mut(peers: &mut [Option<Peer>], connection: ConnectionId) -> Option<&mut Peer> {
    peers.get_mut(connection.slot as usize)?.as_mut().filter(|peer| peer.connection == connection)
}

/// Takes a datagram apart.
fn take_datagram(
    peer: &mut Peer,
    received_at: Duration,
    bytes: &[u8],
    inbound: &mut NetInbound,
) -> Result<(), WireError> {
    let datagram = Datagram::parse(bytes)?;
    let connection = peer.connection;
    for (content, bytes) in [(Content::Control, datagram.control), (Content::Frame, datagram.frame)] {
        let Some(bytes) = bytes else { continue };
        if peer.may_receive(received_at) {
            inbound.push(content, connection, received_at, bytes);
        } else {
            // A hello is repeated, and an input of the past is worth nothing.
            inbound.totals.inbound_dropped += 1;
        }
    }
    for packet in datagram.packets() {
        // A channel packet that is lost is sent again: a flood delays only the flooder.
        if peer.may_receive(received_at) {
            inbound.push(Content::ChannelPacket, connection, received_at, packet);
        } else {
            inbound.totals.inbound_dropped += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::limits::STRIKES_MAX;

    const OLD: ConnectionId = ConnectionId { worker: 0, slot: 3, generation: 1 };
    const NEW: ConnectionId = ConnectionId { generation: 2, ..OLD };
    const CLIENT: ClientId = ClientId(7);

    /// Reports what a test says, and remembers what is sent.
    #[derive(Default)]
    struct FakeTransport {
        news: Vec<TransportEvent<'static>>,
        sent: Vec<(ConnectionId, Vec<u8>)>,
        disconnected: Vec<ConnectionId>,
        quarantined: Vec<ClientId>,
    }

    impl Transport for FakeTransport {
        fn receive(&mut self, _now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
            self.news.drain(..).for_each(report);
        }

        fn send(&mut self, _now: Duration, connection: ConnectionId, parts: &[&[u8]]) {
            assert!(!self.disconnected.contains(&connection), "nothing reaches who is disconnected");
            self.sent.push((connection, parts.concat()));
        }

        fn disconnect(&mut self, _now: Duration, connection: ConnectionId) {
            self.disconnected.push(connection);
        }

        fn quarantine(&mut self, client: ClientId, _until: Duration) {
            self.quarantined.push(client);
        }
    }

    fn connected(connection: ConnectionId) -> TransportEvent<'static> {
        TransportEvent::Connected { connection, client: CLIENT, token: None }
    }

    fn connections(news: Vec<TransportEvent<'static>>) -> (Connections<FakeTransport>, NetInbound) {
        let mut connections = Connections::new(FakeTransport { news, ..FakeTransport::default() });
        let mut inbound = NetInbound::default();
        connections.receive(Duration::ZERO, &mut inbound);
        (connections, inbound)
    }

    fn goodbye(reason: GoodbyeReason) -> Vec<u8> {
        [&[CONTROL][..], &control::encode(&ServerControl::Goodbye(reason))].concat()
    }

    #[test]
    fn whoever_comes_while_the_server_stops_or_is_left_in_the_end_is_told_so() {
        let (mut connections, mut inbound) = connections(vec![connected(OLD)]);
        connections.close_up();
        let late = ConnectionId { slot: 5, ..OLD };
        connections.transport_mut().news.push(connected(late));
        connections.receive(Duration::ZERO, &mut inbound);
        let told = |connection| (connection, goodbye(GoodbyeReason::ServerStopping));
        assert_eq!(connections.transport_mut().sent, vec![told(late); 3]);
        assert_eq!((connections.count(), &connections.transport_mut().disconnected[..]), (1, &[late][..]));
        connections.dismiss_all(Duration::ZERO);
        assert_eq!(connections.transport_mut().sent[3..], vec![told(OLD); 3]);
        assert_eq!((connections.count(), &connections.transport_mut().disconnected[..]), (0, &[late, OLD][..]));
    }

    #[test]
    fn a_frame_takes_its_clients_channel_packets_along_and_the_rest_follows() {
        let (mut connections, _) = connections(vec![connected(OLD)]);
        let other = ConnectionId { slot: 5, ..OLD };
        let mut shard = OutboundShard::default();
        shard.push_packet(OLD, b"one");
        shard.push_packet(OLD, b"two");
        shard.push_packet(other, b"three");
        shard.push_frame(OLD, b"frame");
        shard.push_control(other, b"control");
        let now = Duration::ZERO;
        connections.begin(now, &shard);
        connections.send_frames(now, &shard, 0..1);
        connections.finish(now, &shard);
        let with = b"\x03\x05\x00frame\x03\x00one\x03\x00two".to_vec();
        let expected = [(other, b"\x04control".to_vec()), (OLD, with), (other, b"\x02\x05\x00three".to_vec())];
        assert_eq!(connections.transport.sent, expected);
    }

    #[test]
    fn what_ends_a_former_connection_does_not_end_the_one_in_its_place() {
        let end = TransportEvent::Disconnected { connection: OLD, end: ConnectionEnd::TimedOut };
        let (mut connections, mut inbound) = connections(vec![connected(OLD), end, connected(NEW), end]);
        assert_eq!((connections.count(), inbound.events.len()), (1, 3));
        let mut shard = OutboundShard::default();
        shard.closes.push(OLD);
        connections.finish(Duration::ZERO, &shard);
        assert_eq!((connections.count(), connections.transport.disconnected.len()), (1, 0));
        shard.closes.push(NEW);
        shard.quarantines.push(CLIENT);
        connections.finish(Duration::ZERO, &shard);
        assert_eq!((connections.count(), &connections.transport.disconnected[..]), (0, &[NEW][..]));
        assert_eq!(connections.transport.quarantined, [CLIENT]);
        connections.receive(Duration::ZERO, &mut inbound);
        assert_eq!(inbound.totals.ended, [0, 1, 0, 1]);
    }

    #[test]
    fn whoever_sends_too_much_that_is_malformed_is_told_so_and_kept_out() {
        let bad = TransportEvent::Datagram { connection: OLD, received_at: Duration::ZERO, bytes: &[0xff] };
        let mut news = vec![connected(OLD)];
        news.extend(vec![bad; STRIKES_MAX as usize + 3]);
        let (mut connections, inbound) = connections(news);
        let [NetEvent::Connected { .. }, NetEvent::Disconnected { connection: OLD, end: ConnectionEnd::Malformed }] =
            &inbound.events[..]
        else {
            panic!("{:?}", inbound.events);
        };
        assert_eq!(connections.transport_mut().sent, vec![(OLD, goodbye(GoodbyeReason::Malformed)); 3]);
        assert_eq!(connections.transport_mut().quarantined, [CLIENT]);
        assert_eq!(inbound.totals.malformed[WireError::InvalidField as usize], u64::from(STRIKES_MAX) + 3);
    }
}
