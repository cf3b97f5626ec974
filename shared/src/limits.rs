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

/// Largest message of a game's own, in bytes: a reliable message without its kind.
pub const GAME_MESSAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX - 1;

/// Messages of a game's own that one client may send in 50 ms; beyond it the client is sent away for being malformed.
pub const GAME_MESSAGES_PER_50_MS_MAX: u32 = 1_024;

/// Bytes of unacknowledged reliable messages per client and direction; beyond it the client is disconnected.
pub const CHANNEL_MEMORY_BYTES_MAX: usize = 64 * 1024;

/// How long a reliable message is unacknowledged until it is sent again while no round trip was measured, in milliseconds.
pub const MESSAGE_RESEND_MS: u64 = 200;

/// Shortest time until a reliable message is sent again, in milliseconds: both ends answer once per tick.
pub const MESSAGE_RESEND_MS_MIN: u64 = 60;

/// Longest time until a reliable message is sent again, in milliseconds.
pub const MESSAGE_RESEND_MS_MAX: u64 = 1_000;

/// Bytes per second of a reliable channel before anything was measured; what is beyond it waits.
pub const CHANNEL_BYTES_PER_S_START: u32 = 32 * 1024;

/// Bytes per second of a reliable channel that loses everything.
pub const CHANNEL_BYTES_PER_S_MIN: u32 = 4 * 1024;

/// Bytes per second of a reliable channel that loses nothing: four full packets in each of 20 ticks.
pub const CHANNEL_BYTES_PER_S_MAX: u32 = 96_000;

/// How far ahead of the oldest missing reliable message a received message number may be; beyond it the packet is
/// refused and counted (renet keeps every message of a gap in memory).
pub const MESSAGE_GAP_MAX: u64 = 512;

/// Largest leave radius that a world file may ask for, in metres.
pub const LEAVE_RADIUS_MAX_M: f32 = 480.0;

/// Most characters in one client's view; world files may ask for less. The farthest pages are left out.
pub const VISIBLE_MAX: usize = 1_000;

/// Most pages that are said to be told no longer in one snapshot, less the bytes that tell what hinders the own character; the others wait
/// for the next.
pub const ENDS_PER_SNAPSHOT_MAX: usize = 63;

/// How long before the newest acknowledged snapshot one may be unacknowledged until it counts as lost, in milliseconds;
/// but never less than [`LOSS_AFTER_TICKS_MIN`].
pub const LOSS_AFTER_MS: u32 = 100;

/// See [`LOSS_AFTER_MS`].
pub const LOSS_AFTER_TICKS_MIN: u32 = 3;

/// How often a client is sent a snapshot to whom nothing happens and who does nothing, in milliseconds; and how often such
/// a client sends inputs.
pub const IDLE_SNAPSHOT_MS: u32 = 225;

/// How long a client must have done nothing to be idle, in milliseconds.
pub const IDLE_AFTER_MS: u32 = 500;

/// Inputs carried by one datagram: the newest and the ones before it, so that single losses cost nothing.
pub const INPUTS_PER_DATAGRAM_MAX: usize = 3;

/// Inputs this many ticks ahead of the next tick, and farther ones, are dropped and counted.
pub const INPUT_LEAD_TICKS_MAX: u32 = 32;

/// An input that comes up to so many ticks late is dropped, but for the ability that it wishes to use.
pub const LATE_ABILITY_TICKS_MAX: u32 = 4;

/// Input datagrams per client and tick that are looked at; further ones are dropped and counted.
pub const INPUT_DATAGRAMS_PER_TICK_MAX: u32 = 32;

/// Malformed datagrams after which an authenticated client is disconnected and kept out for a while, and likewise malformed
/// frames, and channel packets with control messages; the three are counted apart. One of each is forgiven each second.
pub const STRIKES_MAX: u32 = 16;

/// Frames, channel packets and control messages that one client may send in 50 ms; further ones are dropped and counted.
/// The fastest world asks for 7 frames.
pub const RECEIVED_PER_50_MS_MAX: u32 = 32;

/// Bytes of what one network thread has received and the next tick has not taken yet, each piece counted with 64 more.
/// What is beyond is dropped and counted: frames are worth nothing later, and everything else is sent again.
pub const INBOUND_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Ticks of outbound frames waiting for the network thread; further ones are dropped and counted.
pub const OUTBOUND_BATCHES_MAX: usize = 4;

/// Bytes of channel packets and control messages, each counted with 64 more, that are kept of batches whose frames were dropped. When there are
/// more, they are all dropped and counted: packets are sent again, hellos are asked again, and who is sent away meanwhile is not told why.
pub const OUTBOUND_KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Packets from one connected client's address that are opened in 50 ms; further ones are dropped and counted. High, for the
/// address may be written on packets by somebody else, whose share it is not to be; to open one takes a quarter of a
/// microsecond.
pub const PACKETS_PER_50_MS_MAX: u32 = 4_096;

/// Requests for a connection that one source (an IPv4 address, or 56 bits of an IPv6 address) may send in a second;
/// further ones get no answer and are counted. Moves from elsewhere than before have as much again.
pub const HANDSHAKES_PER_SOURCE_MAX: u32 = 1_000;

/// Connect tokens that one network thread opens in 50 ms; further requests get no answer and are counted. At some two
/// microseconds each it bounds what strangers can cost to a tenth of a core; to use it up takes 400 Mbit/s from fifty
/// sources. Moves from elsewhere than before have as much again, and are as dear to send.
pub const HANDSHAKES_PER_50_MS_MAX: u32 = 2_500;

/// Handshakes under way on one network thread; beyond it the oldest is forgotten.
pub const PENDING_HANDSHAKES_MAX: usize = 4_096;

/// How long a client may take from its request to its response, in milliseconds; then it must ask anew.
pub const PENDING_MS: u64 = 5_000;

/// Connect tokens that are remembered as used until they expire; beyond it no new one is accepted, and that is counted.
pub const USED_TOKENS_MAX: usize = 262_144;

/// Clients that are kept out for having misbehaved, per network thread; beyond it no further one is.
pub const QUARANTINED_MAX: usize = 4_096;

/// How long a client that has misbehaved is kept out, in milliseconds.
pub const QUARANTINE_MS: u64 = 60_000;

/// Longest time without a packet after which a connection ends, in seconds; tokens that ask for more, or for no end, get
/// this.
pub const TIMEOUT_S_MAX: u64 = 60;

/// How often the packet that ends a connection is sent, by either end: it is not acknowledged, and any may be lost.
pub const DISCONNECT_REPEATS: u32 = 5;

/// How long a connection that we end stays open for its last messages to arrive, in milliseconds.
pub const LINGER_MS: u64 = 1_000;

/// How long a connected client may take to say hello, in milliseconds; then it is disconnected.
pub const HELLO_TIMEOUT_MS: u64 = 5_000;

/// Longest player name, in bytes of UTF-8; longer ones are cut, by our client and again by the server.
pub const NAME_BYTES_MAX: usize = 32;

const _: () = {
    assert!(SNAPSHOT_BYTES_MAX < DATAGRAM_BYTES_MAX);
};
