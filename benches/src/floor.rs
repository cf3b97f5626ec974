//! `floor`: what this machine takes, in this run, for the parts of a client-tick that nobody can do without.
//!
//! Processor time of the measuring thread, as for the server: other work on the machine does not count.

use std::hint::black_box;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;
use throng_server::net::socket::{BATCH, Batch, DatagramSocket};
use throng_shared::netcode::packet::{self, Header, PacketType};
use throng_shared::netcode::{Key, PACKET_BYTES_MAX};

use crate::figures::Report;
use crate::process::pin_to_core;
use crate::shared_sockets::SharedSockets;

/// Sizes of a payload each way, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) out_bytes: usize,
    pub(crate) in_bytes: usize,
    /// Addresses that datagrams are sent to in turn, as to as many clients.
    pub(crate) receivers: usize,
}

/// Nanoseconds per operation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floor {
    pub(crate) send_single_ns: f64,
    pub(crate) send_batch_ns: f64,
    pub(crate) receive_single_ns: f64,
    pub(crate) receive_batch_ns: f64,
    /// In batches, from the same core: of no use to a server, but what floors were of earlier measurements.
    pub(crate) receive_own_ns: f64,
    pub(crate) seal_ns: f64,
    pub(crate) open_ns: f64,
    pub(crate) copy_ns: f64,
}

/// What netcode adds to a payload here.
const NETCODE_BYTES: usize = 1 + 2 + 16;

/// Addresses that datagrams are sent to when nothing says how many clients there are.
pub(crate) const RECEIVERS_DEFAULT: u32 = 256;

/// How long they wait between two looks; by the clock, as the load does, and for its reason.
const RECEIVERS_LOOK_INTERVAL: Duration = Duration::from_millis(2);

impl Floor {
    /// One datagram each way, batched, opened and sealed, in microseconds.
    pub(crate) fn us_per_client_tick(&self) -> f64 {
        (self.send_batch_ns + self.receive_batch_ns + self.seal_ns + self.open_ns + self.copy_ns) / 1e3
    }

    /// Half way between two measurements.
    pub(crate) fn mean(&self, other: &Floor) -> Floor {
        let mean = |of: fn(&Floor) -> f64| f64::midpoint(of(self), of(other));
        Floor {
            send_single_ns: mean(|floor| floor.send_single_ns),
            send_batch_ns: mean(|floor| floor.send_batch_ns),
            receive_single_ns: mean(|floor| floor.receive_single_ns),
            receive_batch_ns: mean(|floor| floor.receive_batch_ns),
            receive_own_ns: mean(|floor| floor.receive_own_ns),
            seal_ns: mean(|floor| floor.seal_ns),
            open_ns: mean(|floor| floor.open_ns),
            copy_ns: mean(|floor| floor.copy_ns),
        }
    }

    /// Adds all of it to a report.
    pub(crate) fn add_to(&self, report: &mut Report) {
        report.add("floor_send_single_ns", self.send_single_ns);
        report.add("floor_send_batch_ns", self.send_batch_ns);
        report.add("floor_receive_single_ns", self.receive_single_ns);
        report.add("floor_receive_batch_ns", self.receive_batch_ns);
        report.add("floor_receive_own_core_ns", self.receive_own_ns);
        report.add("floor_seal_ns", self.seal_ns);
        report.add("floor_open_ns", self.open_ns);
        report.add("floor_copy_ns", self.copy_ns);
        report.add("floor_us_per_client_tick", self.us_per_client_tick());
    }
}

/// Measures on `core`, while another core receives. A thread of its own, so that the caller stays where it is.
pub(crate) fn measure(sizes: Sizes, core: usize, other_core: usize, rounds: usize) -> anyhow::Result<Floor> {
    let measured = std::thread::spawn(move || -> anyhow::Result<Floor> {
        pin_to_core(core)?;
        let mut floor = Floor::default();
        (floor.send_single_ns, floor.send_batch_ns) =
            sends(sizes.out_bytes + NETCODE_BYTES, sizes.receivers, other_core, rounds)?;
        [floor.receive_single_ns, floor.receive_batch_ns, floor.receive_own_ns] =
            receives(sizes.in_bytes + NETCODE_BYTES, other_core, rounds)?;
        (floor.seal_ns, floor.open_ns, floor.copy_ns) = seals(sizes, rounds * BATCH);
        Ok(floor)
    });
    measured.join().map_err(|_| anyhow::anyhow!("the measurement panicked"))?
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Sends a datagram to each of many addresses, as a tick does, one by one and in batches, while another core empties them as a load does. The next go
/// begins when all are empty: to a socket whose reader is behind the system has less to do than to one whose reader has caught up, as
/// a client has.
fn sends(bytes: usize, count: usize, other_core: usize, rounds: usize) -> anyhow::Result<(f64, f64)> {
    let mut receivers = SharedSockets::new();
    receivers.grow_to(count)?;
    let addresses: Vec<SocketAddr> = (0..count).map(|place| receivers.address(place)).collect();
    let (is_over, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let drain = std::thread::spawn({
        let (is_over, received) = (Arc::clone(&is_over), Arc::clone(&received));
        move || drain(receivers, other_core, &is_over, &received)
    });
    let socket = DatagramSocket::bind(any_port())?;
    let (packet, mut batch) = (vec![7; bytes], Batch::default());
    let (mut single, mut batched, mut sent) = (Duration::ZERO, Duration::ZERO, 0);
    let goes = (rounds * BATCH).div_ceil(2 * count).max(1);
    for is_batched in (0..2 * goes).map(|go| go % 2 == 1) {
        let start = ThreadTime::now();
        for &address in &addresses {
            if !is_batched {
                let _ = socket.socket.send_to(&packet, address);
                continue;
            }
            batch.push(address, &packet);
            if batch.is_full() {
                socket.send(&mut batch);
            }
        }
        socket.send(&mut batch);
        *(if is_batched { &mut batched } else { &mut single }) += start.elapsed();
        sent += count;
        // What is lost is not waited for again.
        sent = wait_for(sent, &received);
    }
    is_over.store(true, Ordering::Relaxed);
    drain.join().map_err(|_| anyhow::anyhow!("the receiver panicked"))??;
    let per_datagram_ns = |time: Duration| time.as_nanos() as f64 / (goes * count) as f64;
    Ok((per_datagram_ns(single), per_datagram_ns(batched)))
}

/// Empties sockets as a load does: nobody waits for the sender, nor has it to report which have something.
fn drain(
    mut receivers: SharedSockets,
    core: usize,
    is_over: &AtomicBool,
    received: &AtomicUsize,
) -> anyhow::Result<()> {
    pin_to_core(core)?;
    while !is_over.load(Ordering::Relaxed) {
        receivers.receive(|_, _| {
            received.fetch_add(1, Ordering::Relaxed);
        });
        std::thread::sleep(RECEIVERS_LOOK_INTERVAL);
    }
    Ok(())
}

/// Waits until so many have been received, and returns how many have; not for ever, for a datagram can be lost even here.
fn wait_for(sent: usize, received: &AtomicUsize) -> usize {
    const LOOKS_MAX: u32 = 2_000;
    const BETWEEN_LOOKS: Duration = Duration::from_micros(100);
    for _ in 0..LOOKS_MAX {
        if received.load(Ordering::Relaxed) >= sent {
            break;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    received.load(Ordering::Relaxed)
}

/// Datagrams that a socket is filled with before it is emptied: they fit into any buffer.
const FILLED: usize = 4 * BATCH;

/// How datagrams are received: one by one or in batches that another core has sent, as a load does, and as a network card would, so that they are not
/// in the cache of whoever receives them; and for comparison in batches that the same core has sent.
#[derive(Clone, Copy, PartialEq)]
enum Receiving {
    Single,
    Batched,
    BatchedOfOwnCore,
}

/// Fills a socket and empties it, each way in turn; only the emptying counts.
fn receives(bytes: usize, other_core: usize, rounds: usize) -> anyhow::Result<[f64; 3]> {
    const WAYS: [Receiving; 3] = [Receiving::Single, Receiving::Batched, Receiving::BatchedOfOwnCore];
    let socket = DatagramSocket::bind(any_port())?;
    let address = socket.socket.local_addr()?;
    let own = UdpSocket::bind(any_port())?;
    let (order, orders) = std::sync::mpsc::channel::<()>();
    let (filled, fills) = std::sync::mpsc::channel::<anyhow::Result<()>>();
    let filler = std::thread::spawn(move || -> anyhow::Result<()> {
        pin_to_core(other_core)?;
        let other = UdpSocket::bind(any_port())?;
        for () in orders {
            filled.send(fill(&other, address, bytes))?;
        }
        Ok(())
    });
    let (mut batch, mut buffer, mut times) = (Batch::default(), [0; 2_048], [Duration::ZERO; 3]);
    let goes = rounds.div_ceil(4);
    'goes: for _ in 0..goes {
        for (way, time) in WAYS.into_iter().zip(&mut times) {
            if way == Receiving::BatchedOfOwnCore {
                fill(&own, address, bytes)?;
            } else if let Some(outcome) = order.send(()).ok().and_then(|()| fills.recv().ok()) {
                outcome?;
            } else {
                // It has ended, and says why below.
                break 'goes;
            }
            let (mut received, start) = (0, ThreadTime::now());
            while received < FILLED {
                let result = match way {
                    Receiving::Single => socket.socket.recv_from(black_box(&mut buffer)).map(|_| 1),
                    Receiving::Batched | Receiving::BatchedOfOwnCore => socket.receive(&mut batch),
                };
                match result {
                    Ok(count) => received += count,
                    // On the loopback interface whatever was sent is there.
                    Err(error) => return Err(anyhow::Error::new(error).context("a datagram is missing")),
                }
            }
            *time += start.elapsed();
        }
    }
    drop(order);
    filler.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
    Ok(times.map(|time| time.as_nanos() as f64 / (goes * FILLED) as f64))
}

fn fill(sender: &UdpSocket, address: SocketAddr, bytes: usize) -> anyhow::Result<()> {
    let packet = vec![7; bytes];
    (0..FILLED).try_for_each(|_| sender.send_to(&packet, address).map(|_| ()))?;
    Ok(())
}

/// Seals, opens and copies payloads.
fn seals(sizes: Sizes, count: usize) -> (f64, f64, f64) {
    let (key, payload) = (Key([7; 32]), vec![5; sizes.out_bytes.max(1)]);
    let mut out = [0; PACKET_BYTES_MAX];
    let start = ThreadTime::now();
    for sequence in 0..count as u64 {
        black_box(packet::seal(PacketType::Payload, 1, &key, sequence, &[&payload], &mut out));
    }
    let seal_ns = per_operation_ns(start, count);
    let length = packet::seal(PacketType::Payload, 1, &key, 300, &[&payload[..sizes.in_bytes]], &mut out);
    let mut opened = [0; PACKET_BYTES_MAX];
    let start = ThreadTime::now();
    for _ in 0..count {
        opened[..length].copy_from_slice(&out[..length]);
        let packet = &mut opened[..length];
        black_box(Header::read(packet).and_then(|header| header.open(1, &key, packet)).is_ok());
    }
    let open_ns = per_operation_ns(start, count);
    let start = ThreadTime::now();
    for _ in 0..count {
        opened[..payload.len()].copy_from_slice(black_box(&payload));
        black_box(&mut opened);
    }
    (seal_ns, open_ns, per_operation_ns(start, count))
}

fn per_operation_ns(start: ThreadTime, count: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}
