//! Every limit that outside input can reach, with the policy for reaching it.

/// Largest datagram payload with a frame in it, in bytes, before the connection layer's own header and seal (at most 25).
/// Keeps the whole IP packet under 1,280 bytes, the smallest MTU that IPv6 allows. Only a full packet of the reliable
/// channels, which travels alone and seldom, may be 15 bytes longer.
pub const DATAGRAM_BYTES_MAX: usize = 1_200;

/// Largest snapshot, in bytes: a datagram without the frame's kind byte. What does not fit waits and gains priority.
pub const SNAPSHOT_BYTES_MAX: usize = DATAGRAM_BYTES_MAX - 1;

/// Largest packet of the reliable channels, in bytes: what renet fills (1,200) and its header. Travels alone when it does
/// not fit beside the frame. Larger received ones are refused and counted.
pub const CHANNEL_PACKET_BYTES_MAX: usize = 1_212;

/// Largest reliable message, in bytes; a larger one is a programmer's error on our side and malformed on the other.
pub const MESSAGE_BYTES_MAX: usize = 1_000;

/// Bytes of unacknowledged reliable messages per client and direction; beyond it the client is disconnected.
pub const CHANNEL_MEMORY_BYTES_MAX: usize = 64 * 1024;

/// How long a reliable message is unacknowledged until it is sent again, in milliseconds.
pub const MESSAGE_RESEND_MS: u64 = 200;

/// How far ahead of the oldest missing reliable message a received message number may be; beyond it the packet is
/// refused and counted (renet keeps every message of a gap in memory).
pub const MESSAGE_GAP_MAX: u64 = 512;

/// Largest leave radius that a world file may ask for, in metres; bounded by what a snapshot can say of a distance.
pub const LEAVE_RADIUS_MAX_M: f32 = 480.0;

/// Most characters in one client's view; world files may ask for less. The farthest are left out.
pub const VISIBLE_MAX: usize = 1_000;

/// Number of view slots per client: what may be visible plus what is leaving but not yet acknowledged. Bounded by the
/// 10-bit slot number on the wire. When all are taken, enters wait.
pub const VIEW_SLOTS_MAX: usize = 1_024;

/// Most leaves in one snapshot; the others wait for the next.
pub const LEAVES_PER_SNAPSHOT_MAX: usize = 127;

/// How long the acknowledgement of a snapshot is awaited, in milliseconds; then it is given up as lost. It bounds the round
/// trips over which a client can be told of anything: beyond it, everything would seem lost.
pub const ACK_WAIT_MS: u32 = 2_500;

/// How long before the newest acknowledged snapshot one may be unacknowledged until it counts as lost, in milliseconds;
/// but never less than [`LOSS_AFTER_TICKS_MIN`].
pub const LOSS_AFTER_MS: u32 = 100;

/// See [`LOSS_AFTER_MS`].
pub const LOSS_AFTER_TICKS_MIN: u32 = 3;

/// Inputs carried by one datagram: the newest and the ones before it, so that single losses cost nothing.
pub const INPUTS_PER_DATAGRAM_MAX: usize = 3;

/// Inputs this many ticks ahead of the next tick, and farther ones, are dropped and counted.
pub const INPUT_LEAD_TICKS_MAX: u32 = 32;

/// Input datagrams per client and tick that are looked at; further ones are dropped and counted.
pub const INPUT_DATAGRAMS_PER_TICK_MAX: u32 = 32;

/// Malformed datagrams after which an authenticated client is disconnected, and likewise malformed frames; the two are
/// counted apart. One of each is forgiven each second.
pub const STRIKES_MAX: u32 = 16;

/// Frames and messages that one client may send in 50 ms; further frames are dropped and counted, and a further message
/// ends the connection. The fastest world asks for 7 frames.
pub const RECEIVED_PER_50_MS_MAX: u32 = 32;

/// Bytes of received frames and messages waiting for the next tick, all clients together, each counted with 64 more.
/// Further frames are dropped and counted; messages, which are few and must not vanish, are kept.
pub const INBOUND_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Ticks of outbound frames waiting for the network thread; further ones are dropped and counted.
pub const OUTBOUND_BATCHES_MAX: usize = 4;

/// How long a connection that we end stays open for its last messages to arrive, in milliseconds.
pub const LINGER_MS: u64 = 1_000;

/// How long a connected client may take to say hello, in milliseconds; then it is disconnected.
pub const HELLO_TIMEOUT_MS: u64 = 5_000;

/// Longest player name, in bytes of UTF-8; longer ones are cut, by our client and again by the server.
pub const NAME_BYTES_MAX: usize = 32;

const _: () = {
    assert!(VISIBLE_MAX <= VIEW_SLOTS_MAX);
    assert!(VIEW_SLOTS_MAX <= 1 << crate::wire::snapshot::SLOT_BITS);
    assert!(SNAPSHOT_BYTES_MAX < DATAGRAM_BYTES_MAX);
    assert!(LEAVE_RADIUS_MAX_M < crate::wire::snapshot::RANGE_M);
};
