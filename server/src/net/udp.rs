//! Netcode connections over one UDP socket.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use throng_shared::ids::ClientId;
use throng_shared::netcode::{Key, PACKET_BYTES_MAX};
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;
use tracing::warn;

use super::inbound::{ConnectionEnd, TransportTotals};
use super::netcode::{HandshakeRefusal, Received, ReplyBuffer, Table, TableOptions, TakenPlaces, UsedTokens};
use super::socket::{BATCH, Batch, DatagramSocket, SocketWaker};
use super::transport::{ConnectionId, Transport, TransportEvent};

/// Datagrams taken from the socket in one go, about a millisecond's worth: a flood cannot keep the thread from sending.
const RECEIVE_BUDGET: usize = 1_024;

/// How often connections are looked after: keep-alives and timeouts.
const UPKEEP_INTERVAL: Duration = Duration::from_millis(50);

/// Least time between two lines of the log about handshakes that were refused.
const REFUSALS_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// What a [`UdpTransport`] needs to know.
#[derive(Clone, Debug)]
pub struct UdpOptions {
    /// Address to listen on; port 0 for any free one.
    pub bind: SocketAddr,
    /// Address that clients connect to and that their tokens name; none when it is the one listened on.
    pub public: Option<SocketAddr>,
    /// Seals connect tokens.
    pub key: ConnectKey,
    /// Most clients at once, all network threads together.
    pub clients_max: usize,
    /// Shared by all network threads of a server.
    pub places: TakenPlaces,
    /// Tells the time since 1970, by which the expiry of tokens is judged. It is asked again and again, for machines' clocks are set.
    pub unix_clock: fn() -> Duration,
    /// Number of the network thread.
    pub worker: u16,
    /// Shared by all network threads of a server.
    pub used_tokens: UsedTokens,
}

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for players on UDP {address}: {source}")]
pub struct BindError {
    /// The wanted address.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: std::io::Error,
}

/// A UDP socket and the connections over it.
#[derive(Debug)]
pub struct UdpTransport {
    socket: DatagramSocket,
    table: Table,
    unix_clock: fn() -> Duration,
    arrivals: Batch,
    departures: Batch,
    reply: Box<ReplyBuffer>,
    scratch: Box<[u8; PACKET_BYTES_MAX]>,
    send_failures: u64,
    upkept_at: Duration,
    handshakes: HandshakeLog,
    /// Whether nothing was left in the socket: some systems tell of what arrives, not of what has been left.
    is_emptied: bool,
    local_address: SocketAddr,
}

impl UdpTransport {
    /// Opens the socket, at `now`.
    ///
    /// # Errors
    /// When the address is not to be had.
    pub fn bind(options: UdpOptions, now: Duration) -> Result<UdpTransport, BindError> {
        let fail = |source| BindError { address: options.bind, source };
        let socket = DatagramSocket::bind(options.bind).map_err(fail)?;
        let local_address = socket.socket.local_addr().map_err(fail)?;
        let mut random = [0; 36];
        SystemRandom::new().fill(&mut random).map_err(|_| fail(ErrorKind::Unsupported.into()))?;
        let (challenge_key, handshake_start) = random.split_at(32);
        let table = Table::new(TableOptions {
            protocol_id: PROTOCOL_ID,
            key: Key(*options.key.bytes()),
            public: options.public.unwrap_or(local_address),
            clients_max: options.clients_max,
            places: options.places,
            worker: options.worker,
            used_tokens: options.used_tokens,
            unix_offset: (options.unix_clock)().saturating_sub(now),
            challenge_key: Key(std::array::from_fn(|place| challenge_key[place])),
            handshake_start: u32::from_le_bytes(std::array::from_fn(|place| handshake_start[place])),
        });
        Ok(UdpTransport {
            socket,
            table,
            unix_clock: options.unix_clock,
            arrivals: Batch::default(),
            departures: Batch::default(),
            reply: Box::default(),
            scratch: Box::new([0; PACKET_BYTES_MAX]),
            send_failures: 0,
            upkept_at: now,
            handshakes: HandshakeLog::default(),
            // Datagrams may have come before anybody waited for them.
            is_emptied: false,
            local_address,
        })
    }

    /// Where the socket listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Size of the receive buffer that the operating system granted, in bytes.
    pub fn receive_buffer_bytes(&self) -> usize {
        self.socket.receive_buffer_bytes
    }

    /// Something that ends a [`UdpTransport::wait`] from another thread. Can be called once.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn waker(&self) -> std::io::Result<SocketWaker> {
        self.socket.waker()
    }

    /// Whether the last look at the socket left nothing in it.
    pub fn is_emptied(&self) -> bool {
        self.is_emptied
    }

    /// Waits until a datagram has arrived, somebody wakes us, or `longest` is over. Does not wait when the last look at the
    /// socket left something in it.
    pub fn wait(&mut self, longest: Duration) {
        self.socket.wait(if self.is_emptied { longest.min(UPKEEP_INTERVAL) } else { Duration::ZERO });
    }

    /// Takes about `budget` datagrams from the socket, a batch at a time.
    fn take_datagrams(&mut self, now: Duration, budget: usize, report: &mut dyn FnMut(TransportEvent<'_>)) {
        self.is_emptied = false;
        let mut has_any = false;
        for _ in 0..budget.div_ceil(BATCH) {
            match self.socket.receive(&mut self.arrivals) {
                Ok(count) => {
                    has_any |= count > 0;
                    self.is_emptied = self.arrivals.is_emptied();
                }
                // Some systems report here that an earlier datagram could not be delivered; more may wait behind that.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::Interrupted) => continue,
                // Nothing is there, or nothing but what could not be taken.
                Err(_) => self.is_emptied = self.arrivals.is_emptied(),
            }
            self.take_batch(now, report);
            if self.is_emptied {
                return;
            }
        }
        // A socket that is broken for good must not keep the thread busy: a thread pauses before it looks at an emptied one.
        self.is_emptied = !has_any;
    }

    fn take_batch(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        let UdpTransport { socket, table, arrivals, departures, reply, send_failures, .. } = self;
        let mut found = [None; BATCH];
        found.iter_mut().zip(arrivals.addresses()).for_each(|(found, from)| *found = table.find(*from));
        for ((from, packet), found) in arrivals.datagrams().zip(found) {
            match table.receive_found(now, from, found, packet, reply) {
                Received::Nothing => continue,
                Received::Payload { connection, payload } => {
                    report(TransportEvent::Datagram { connection, received_at: now, bytes: payload });
                    continue;
                }
                Received::Disconnected { connection } => {
                    report(TransportEvent::Disconnected { connection, end: ConnectionEnd::Quit });
                    continue;
                }
                Received::Moved { connection, payload } => {
                    if !payload.is_empty() {
                        report(TransportEvent::Datagram { connection, received_at: now, bytes: payload });
                    }
                }
                Received::Reply => {}
                Received::Connected { connection, client, user_data } => {
                    let token = TokenData::decode(&user_data).ok();
                    report(TransportEvent::Connected { connection, client, token });
                }
            }
            if departures.is_full() {
                *send_failures += socket.send(departures) as u64;
            }
            departures.push(from, reply.packet());
        }
        self.flush();
    }

    fn look_after_connections(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        if now < self.upkept_at + UPKEEP_INTERVAL {
            return;
        }
        self.upkept_at = now;
        self.table.set_unix_time(now, (self.unix_clock)());
        let UdpTransport { socket, table, departures, scratch, send_failures, .. } = self;
        let send = |address: SocketAddr, packet: &[u8]| {
            if departures.is_full() {
                *send_failures += socket.send(departures) as u64;
            }
            departures.push(address, packet);
        };
        table.look_after(now, &mut scratch[..], send, |connection| {
            report(TransportEvent::Disconnected { connection, end: ConnectionEnd::TimedOut });
        });
        self.flush();
        self.handshakes.tell(now, &self.table.totals().handshakes_refused);
    }

    fn push_with(&mut self, write: impl FnOnce(&mut Table, &mut [u8]) -> Option<(SocketAddr, usize)>) {
        if self.departures.is_full() {
            self.flush();
        }
        let table = &mut self.table;
        self.departures.push_with(|out| write(table, out));
    }
}

impl Transport for UdpTransport {
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        self.take_datagrams(now, RECEIVE_BUDGET, report);
        self.look_after_connections(now, report);
    }

    fn send(&mut self, now: Duration, connection: ConnectionId, parts: &[&[u8]]) {
        self.push_with(|table, out| table.seal_confirmation(now, connection, out));
        self.push_with(|table, out| table.seal_payload(now, connection, parts, out));
    }

    fn flush(&mut self) {
        self.send_failures += self.socket.send(&mut self.departures) as u64;
    }

    fn disconnect(&mut self, _now: Duration, connection: ConnectionId) {
        let sealed = self.table.disconnect(connection, &mut self.scratch[..]);
        let Some((address, length, repeats)) = sealed else { return };
        for _ in 0..repeats {
            if self.departures.is_full() {
                self.flush();
            }
            self.departures.push(address, &self.scratch[..length]);
        }
    }

    fn quarantine(&mut self, client: ClientId, until: Duration) {
        self.table.quarantine(client, until);
    }

    fn totals(&self) -> TransportTotals {
        TransportTotals { send_failures: self.send_failures, ..*self.table.totals() }
    }
}

/// Handshakes that were refused, and when the operator was last told.
#[derive(Debug, Default)]
struct HandshakeLog {
    told: u64,
    told_of: [u64; HandshakeRefusal::ALL.len()],
    told_at: Option<Duration>,
}

impl HandshakeLog {
    /// Says how many have been refused, but not one by one: anybody can cause them.
    fn tell(&mut self, now: Duration, refused: &[u64; HandshakeRefusal::ALL.len()]) {
        let is_time = self.told_at.is_none_or(|told_at| now >= told_at + REFUSALS_LOG_INTERVAL);
        let total: u64 = refused.iter().sum();
        if total > self.told && is_time {
            let since = |refusal: &HandshakeRefusal| refused[*refusal as usize] - self.told_of[*refusal as usize];
            let most = HandshakeRefusal::ALL.iter().max_by_key(|refusal| since(refusal));
            warn!(
                requests = total - self.told,
                mostly = most.map(|refusal| refusal.label()),
                "clients asked for a connection in vain: a token sealed with another key (--key-file, net.key, \
                 THRONG_KEY), an expired one or a clock that is wrong, one for an address other than \
                 net.public_address, one that is in use, or too many that live for long; /metrics counts each reason"
            );
            (self.told, self.told_of, self.told_at) = (total, *refused, Some(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    /// Counts the lines of a log.
    #[derive(Clone, Default)]
    struct Lines(Arc<AtomicU32>);

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn however_many_packets_are_refused_the_log_has_a_line_every_ten_seconds() {
        let lines = Lines::default();
        let mut refused = [0; HandshakeRefusal::ALL.len()];
        tracing::subscriber::with_default(lines.clone(), || {
            let mut log = HandshakeLog::default();
            for step in 0..40_000_u32 {
                refused[HandshakeRefusal::Seal as usize] += u64::from(step < 30_000);
                log.tell(Duration::from_millis(step.into()), &refused);
            }
        });
        // At once, after 10 and 20 s, and after 30 s of those that came meanwhile.
        assert_eq!(lines.0.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn no_datagram_of_a_stranger_is_worth_a_line_in_the_log() {
        let lines = Lines::default();
        let refused = tracing::subscriber::with_default(lines.clone(), || {
            let mut transport = transport();
            let sender = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is to be had");
            for number in 0..2_000_u32 {
                // Prefixes of every kind and lengths of every kind.
                let packet = vec![number as u8; 1 + (number as usize * 7) % 1_300];
                sender.send_to(&packet, transport.local_address()).expect("loopback is there");
                transport.receive(Duration::from_millis(number.into()), &mut |event| panic!("{event:?}"));
            }
            transport.totals().refused.iter().sum::<u64>() + transport.totals().unknown_source
        });
        assert!(refused > 1_900, "{refused} of 2,000 were counted");
        assert_eq!(lines.0.load(Ordering::Relaxed), 0);
    }

    fn options() -> UdpOptions {
        UdpOptions {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            public: None,
            key: ConnectKey::DEVELOPMENT,
            clients_max: 1,
            places: TakenPlaces::default(),
            unix_clock: || Duration::ZERO,
            worker: 0,
            used_tokens: UsedTokens::default(),
        }
    }

    fn transport() -> UdpTransport {
        UdpTransport::bind(options(), Duration::ZERO).expect("a port is to be had")
    }

    #[test]
    fn what_the_budget_leaves_in_the_socket_is_taken_the_next_time() {
        let mut transport = transport();
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is to be had");
        for _ in 0..3 * BATCH {
            sender.send_to(&[0], transport.local_address()).expect("loopback is there");
        }
        // Two batches are taken, the third is left.
        let refused = |transport: &UdpTransport| transport.totals().refused.iter().sum::<u64>() as usize;
        while refused(&transport) < 2 * BATCH {
            transport.take_datagrams(Duration::ZERO, 1, &mut |_| ());
        }
        assert!(!transport.is_emptied, "so that it is not waited for");
        transport.receive(Duration::ZERO, &mut |_| ());
        assert_eq!((refused(&transport), transport.is_emptied), (3 * BATCH, true));
    }

    /// What the clock of the test below shows, in seconds since 1970.
    static SET_S: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn whoever_sets_the_clock_right_need_not_start_the_server_again() {
        let mut transport = UdpTransport::bind(
            UdpOptions { unix_clock: || Duration::from_secs(SET_S.load(Ordering::Relaxed)), ..options() },
            Duration::ZERO,
        )
        .expect("a port is to be had");
        let servers = [transport.local_address()];
        let token = throng_client::connect_token(&servers, ClientId(7), TokenData::default(), &ConnectKey::DEVELOPMENT)
            .expect("a token is sealed");
        let (created_at_s, expires_at_s) = (token.created_at_s, token.expires_at_s);
        let client = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is to be had");
        client.set_nonblocking(true).expect("the system can");
        let request = throng_shared::netcode::NetcodeClient::new(token, Duration::ZERO)
            .update(Duration::ZERO)
            .expect("it asks at once")
            .to_vec();
        let mut expired_after = |set_s: u64, step: u32| {
            SET_S.store(set_s, Ordering::Relaxed);
            // What is heard of the clock counts from the next look at all connections on.
            let now = UPKEEP_INTERVAL * (2 * step);
            transport.receive(now, &mut |event| panic!("{event:?}"));
            client.send_to(&request, transport.local_address()).expect("loopback is there");
            let before = transport.totals().handshakes_refused;
            while transport.totals().handshakes_refused == before && client.recv(&mut [0; 1_400]).is_err() {
                transport.receive(now, &mut |event| panic!("{event:?}"));
            }
            transport.totals().handshakes_refused[HandshakeRefusal::Expired as usize]
        };
        assert_eq!(expired_after(expires_at_s, 1), 1, "ahead");
        assert_eq!(expired_after(created_at_s, 2), 1, "set right");
    }
}
