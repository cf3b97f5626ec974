//! Every constant on the page, in its tables and in its prose.

use throng_shared::wire::page::{BASELINE_AGE_TICKS_MAX, PAGE_SLOTS, VELOCITY_MAX};

use super::world_hash::flat;
use super::*;

#[test]
fn the_constants_are_those_of_the_code() {
    let expected = BTreeMap::from([
        ("PROTOCOL_VERSION", usize::from(PROTOCOL_VERSION)),
        ("MESSAGE_CHANNEL", usize::from(MESSAGE_CHANNEL)),
        ("USER_DATA_BYTES", USER_DATA_BYTES),
        ("CLIENTS_MAX", config::CLIENTS_MAX as usize),
        ("WORKERS_MAX", config::WORKERS_MAX as usize),
        ("HOLD_S_MAX", config::HOLD_S_MAX as usize),
        ("HANDSHAKES_PER_SOURCE_MAX", limits::HANDSHAKES_PER_SOURCE_MAX as usize),
        ("HANDSHAKES_PER_50_MS_MAX", limits::HANDSHAKES_PER_50_MS_MAX as usize),
        ("PENDING_HANDSHAKES_MAX", limits::PENDING_HANDSHAKES_MAX),
        ("PENDING_MS", limits::PENDING_MS as usize),
        ("USED_TOKENS_MAX", limits::USED_TOKENS_MAX),
        ("QUARANTINED_MAX", limits::QUARANTINED_MAX),
        ("QUARANTINE_MS", limits::QUARANTINE_MS as usize),
        ("TIMEOUT_S_MAX", limits::TIMEOUT_S_MAX as usize),
        ("DISCONNECT_REPEATS", limits::DISCONNECT_REPEATS as usize),
        ("PACKETS_PER_50_MS_MAX", limits::PACKETS_PER_50_MS_MAX as usize),
        ("DATAGRAM_BYTES_MAX", limits::DATAGRAM_BYTES_MAX),
        ("SNAPSHOT_BYTES_MAX", limits::SNAPSHOT_BYTES_MAX),
        ("CHANNEL_PACKET_BYTES_MAX", limits::CHANNEL_PACKET_BYTES_MAX),
        ("MESSAGE_BYTES_MAX", limits::MESSAGE_BYTES_MAX),
        ("GAME_MESSAGE_BYTES_MAX", limits::GAME_MESSAGE_BYTES_MAX),
        ("GAME_MESSAGES_PER_50_MS_MAX", limits::GAME_MESSAGES_PER_50_MS_MAX as usize),
        ("CHANNEL_MEMORY_BYTES_MAX", limits::CHANNEL_MEMORY_BYTES_MAX),
        ("RECEIVED_PER_50_MS_MAX", limits::RECEIVED_PER_50_MS_MAX as usize),
        ("MESSAGE_RESEND_MS", limits::MESSAGE_RESEND_MS as usize),
        ("MESSAGE_RESEND_MS_MIN", limits::MESSAGE_RESEND_MS_MIN as usize),
        ("MESSAGE_RESEND_MS_MAX", limits::MESSAGE_RESEND_MS_MAX as usize),
        ("CHANNEL_BYTES_PER_S_START", limits::CHANNEL_BYTES_PER_S_START as usize),
        ("CHANNEL_BYTES_PER_S_MIN", limits::CHANNEL_BYTES_PER_S_MIN as usize),
        ("CHANNEL_BYTES_PER_S_MAX", limits::CHANNEL_BYTES_PER_S_MAX as usize),
        ("MESSAGE_GAP_MAX", limits::MESSAGE_GAP_MAX as usize),
        ("LEAVE_RADIUS_MAX_M", limits::LEAVE_RADIUS_MAX_M as usize),
        ("VISIBLE_MAX", limits::VISIBLE_MAX),
        ("ENDS_PER_SNAPSHOT_MAX", limits::ENDS_PER_SNAPSHOT_MAX),
        ("LOSS_AFTER_MS", limits::LOSS_AFTER_MS as usize),
        ("LOSS_AFTER_TICKS_MIN", limits::LOSS_AFTER_TICKS_MIN as usize),
        ("IDLE_AFTER_MS", limits::IDLE_AFTER_MS as usize),
        ("IDLE_SNAPSHOT_MS", limits::IDLE_SNAPSHOT_MS as usize),
        ("INPUTS_PER_DATAGRAM_MAX", limits::INPUTS_PER_DATAGRAM_MAX),
        ("INPUT_LEAD_TICKS_MAX", limits::INPUT_LEAD_TICKS_MAX as usize),
        ("LATE_ABILITY_TICKS_MAX", limits::LATE_ABILITY_TICKS_MAX as usize),
        ("INPUT_DATAGRAMS_PER_TICK_MAX", limits::INPUT_DATAGRAMS_PER_TICK_MAX as usize),
        ("STRIKES_MAX", limits::STRIKES_MAX as usize),
        ("INBOUND_BYTES_MAX", limits::INBOUND_BYTES_MAX),
        ("OUTBOUND_BATCHES_MAX", limits::OUTBOUND_BATCHES_MAX),
        ("OUTBOUND_KEPT_BYTES_MAX", limits::OUTBOUND_KEPT_BYTES_MAX),
        ("LINGER_MS", limits::LINGER_MS as usize),
        ("HELLO_TIMEOUT_MS", limits::HELLO_TIMEOUT_MS as usize),
        ("NAME_BYTES_MAX", limits::NAME_BYTES_MAX),
    ]);
    let found: BTreeMap<&str, usize> =
        table("constants").into_iter().map(|row| (code_word(row[0]), number(row[1]))).collect();
    assert_eq!(found, expected);
    let declared = LIMITS_SOURCE.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    for name in declared {
        assert!(found.contains_key(name), "{name} is a limit and not on the page");
    }
    let quantisation: Vec<(&str, f32)> =
        table("quantisation").into_iter().map(|row| (code_word(row[0]), number(row[1]))).collect();
    let expected = [("STEPS_PER_M", quantised::STEPS_PER_M), ("HEIGHT_LIMIT_M", quantised::HEIGHT_LIMIT_M)];
    assert_eq!(quantisation, expected);
}

/// The number of a constant that is private to its source, such as `const GROWTH: f64 = 2_048.0;` or `const INTERVAL:
/// Duration = Duration::from_millis(100);`.
fn private(source: &str, name: &str) -> f64 {
    let declared =
        source.lines().find(|line| line.trim_start_matches("pub(crate) ").starts_with(&format!("const {name}: ")));
    let declared = declared.unwrap_or_else(|| panic!("{name} is declared"));
    let (_, value) = declared.split_once(" = ").expect("it has a value");
    let value = value.trim_end_matches(';').trim_start_matches("Duration::from_millis(").trim_end_matches(')');
    value.replace('_', "").parse().unwrap_or_else(|_| panic!("{value} is no number"))
}

#[test]
fn the_numbers_in_the_prose_are_those_of_the_code() {
    let page = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    let lead = limits::INPUT_LEAD_TICKS_MAX;
    let repeated = flat().config.input_repeat_ticks;
    let (slowest_hz, fastest_hz) = (TickRate::RANGE_HZ.start(), TickRate::RANGE_HZ.end());
    let hold_s = ServerSettings::default().hold_s;
    assert_eq!(private(PACE_SOURCE, "BURST_S"), 0.25, "a quarter of a second");
    let numbers = [
        format!("| 4 | number of server addresses, `u32`, 1 to {ADDRESSES_MAX} |"),
        format!("It has {} bytes. Before sealing", grouped(PRIVATE_BYTES)),
        format!("public form has {} bytes", grouped(TOKEN_BYTES)),
        format!("one datagram of [section 4](#4-datagram), 1 to {} bytes", grouped(PAYLOAD_BYTES_MAX)),
        format!("The server takes at most {} s: more", limits::TIMEOUT_S_MAX),
        format!("| {} s, so that no connection stays for ever |", limits::TIMEOUT_S_MAX),
        format!("sends requests to the first address of the token, every {} ms", HANDSHAKE_INTERVAL.as_millis()),
        format!("sends responses, every {} ms", HANDSHAKE_INTERVAL.as_millis()),
        format!("sent nothing else for {} ms, and gives", KEEP_ALIVE_INTERVAL.as_millis()),
        format!("it sends a keep-alive every {} ms, and another", private(TABLE_SOURCE, "CONFIRM_INTERVAL")),
        format!("within {} s of the first request", limits::PENDING_MS / 1_000),
        format!("| forgotten after {} s |", limits::PENDING_MS / 1_000),
        format!("or that are {REPLAY_WINDOW} or more behind"),
        format!("| up to {} accepted; more than {}", grouped(PAYLOAD_BYTES_MAX), grouped(limits::DATAGRAM_BYTES_MAX)),
        format!("length *n* of the payload, 0 to {} |", grouped(MOVE_PAYLOAD_BYTES_MAX)),
        format!("so many that the packet has at least {} bytes |", grouped(MOVE_BYTES_MIN)),
        format!("data of its moves up to {} bytes", grouped(MOVE_DATA_BYTES_FILLED)),
        format!("everything that follows, at most {} bytes |", grouped(limits::MESSAGE_BYTES_MAX)),
        format!("A message has 1 to {} bytes", grouped(limits::MESSAGE_BYTES_MAX)),
        format!("up to {} bytes of the game's", grouped(limits::GAME_MESSAGE_BYTES_MAX)),
        format!("round trip: {} ms while none was measured", limits::MESSAGE_RESEND_MS),
        format!(
            "but at least {} ms and at most {} ms",
            limits::MESSAGE_RESEND_MS_MIN,
            grouped(limits::MESSAGE_RESEND_MS_MAX as usize)
        ),
        format!("{} bytes per second at first", grouped(limits::CHANNEL_BYTES_PER_S_START as usize)),
        format!("{} more after each measured round", grouped(private(PACE_SOURCE, "GROWTH_BYTES_PER_S") as usize)),
        format!(
            "always between {} and {}.",
            grouped(limits::CHANNEL_BYTES_PER_S_MIN as usize),
            grouped(limits::CHANNEL_BYTES_PER_S_MAX as usize)
        ),
        format!("more than {} bytes of messages that wait", grouped(limits::CHANNEL_MEMORY_BYTES_MAX)),
        format!("within a tick or {} ms", private(CLIENT_SOURCE, "CHANNEL_INTERVAL")),
        format!("last field ends, and has at most {} bytes", grouped(limits::MESSAGE_BYTES_MAX)),
        format!("repeats it every {} ms until", private(CLIENT_SOURCE, "HELLO_INTERVAL")),
        format!("The server waits {} s for it", limits::HELLO_TIMEOUT_MS / 1_000),
        format!("(`session.hold_s`, {hold_s} s by default, 0 to {})", grouped(config::HOLD_S_MAX as usize)),
        format!("inputs of the last {} ms were the same", limits::IDLE_AFTER_MS),
        format!("or when that frame is {} ms old", limits::IDLE_SNAPSHOT_MS),
        format!("has done nothing for {} ms", limits::IDLE_AFTER_MS),
        format!("at least every {} ms, rounded up", limits::IDLE_SNAPSHOT_MS),
        format!(
            "stays {} ticks behind, and as much more as one snapshot in {} is late",
            private(DELAY_SOURCE, "DELAY_TICKS_MIN"),
            private(DELAY_SOURCE, "LATE_ONE_IN")
        ),
        format!("are denied for {} s", limits::QUARANTINE_MS / 1_000),
        format!("which is at most {} |", grouped(config::CLIENTS_MAX as usize)),
        format!("| {} requests of one source in a second", grouped(limits::HANDSHAKES_PER_SOURCE_MAX as usize)),
        format!("| {} tokens opened in 50 ms", grouped(limits::HANDSHAKES_PER_50_MS_MAX as usize)),
        format!("| {} handshakes under way", grouped(limits::PENDING_HANDSHAKES_MAX)),
        format!("| {} s from a request to the response |", limits::PENDING_MS / 1_000),
        format!("| {} used tokens", grouped(limits::USED_TOKENS_MAX)),
        format!("| {} clients kept out", grouped(limits::QUARANTINED_MAX)),
        format!("| {} s of timeout in a token | it counts as {0} s |", limits::TIMEOUT_S_MAX),
        format!("| a UDP datagram of {} bytes |", grouped(PACKET_BYTES_MAX)),
        format!(
            "| {} packets from the address of a connection in 50 ms |",
            grouped(limits::PACKETS_PER_50_MS_MAX as usize)
        ),
        format!(
            "| a channel packet of {} bytes, a message of {} bytes |",
            grouped(limits::CHANNEL_PACKET_BYTES_MAX),
            grouped(limits::MESSAGE_BYTES_MAX)
        ),
        format!("| message numbers {} ahead |", limits::MESSAGE_GAP_MAX),
        format!("| {} bytes of unacknowledged messages |", grouped(limits::CHANNEL_MEMORY_BYTES_MAX)),
        format!("| {} bytes of messages that wait for others |", grouped(limits::CHANNEL_MEMORY_BYTES_MAX)),
    ];
    let sentences = [
        format!("a channel packet longer than {} bytes", grouped(limits::CHANNEL_PACKET_BYTES_MAX)),
        format!("into one datagram of at most {} bytes", grouped(limits::DATAGRAM_BYTES_MAX)),
        format!("At most {} bytes of messages", grouped(limits::CHANNEL_MEMORY_BYTES_MAX)),
        format!("more than {} ahead of the next", limits::MESSAGE_GAP_MAX),
        format!("or one longer than {} bytes", grouped(limits::MESSAGE_BYTES_MAX)),
        format!("at one time should not exceed {} bytes", grouped(4 * limits::DATAGRAM_BYTES_MAX)),
        format!("at most {} bytes of UTF-8", limits::NAME_BYTES_MAX),
        format!("({slowest_hz} to {fastest_hz} per second)"),
        format!("| number of inputs, 1 to {} |", limits::INPUTS_PER_DATAGRAM_MAX),
        format!("| *n* ≤ *t* < *n* + {lead} |"),
        format!("| *t* ≥ *n* + {lead} |"),
        format!("says ({repeated} by default)"),
        format!("| more than {} frames of a client wait", limits::INPUT_DATAGRAMS_PER_TICK_MAX),
        format!("At most one frame per client and tick, of at most {} bytes", grouped(limits::SNAPSHOT_BYTES_MAX)),
        format!("holds up to {PAGE_SLOTS} characters of one cell"),
        format!("by a *number* (0 to {})", snapshot::PAGES_MAX - 1),
        format!("There are at most {} in one snapshot", limits::ENDS_PER_SNAPSHOT_MAX),
        format!("from -{VELOCITY_MAX} to {VELOCITY_MAX}.", VELOCITY_MAX = grouped(VELOCITY_MAX as usize)),
        format!("16, 32 or {} ticks, the present one", BASELINE_AGE_TICKS_MAX + 1),
        format!("Of those that are more than {BASELINE_AGE_TICKS_MAX} ticks old"),
        format!("What does not fit into {} bytes", grouped(limits::SNAPSHOT_BYTES_MAX)),
        format!("for each of the {} page numbers", snapshot::PAGES_MAX),
        format!(
            "more than {} ms (but at least {} ticks) older than the newest",
            limits::LOSS_AFTER_MS,
            limits::LOSS_AFTER_TICKS_MIN
        ),
        format!("The {}th of a kind ends the session", limits::STRIKES_MAX),
        format!("or {} s is over; then", limits::LINGER_MS / 1_000),
        format!("time for the hello, {} s", limits::HELLO_TIMEOUT_MS / 1_000),
        format!(
            "| {} frames, channel packets and control messages of a client in 50 ms |",
            limits::RECEIVED_PER_50_MS_MAX
        ),
        format!("| {} frames of a client per tick |", limits::INPUT_DATAGRAMS_PER_TICK_MAX),
        format!("| inputs {lead} ticks ahead |"),
        format!("| {} MiB of datagrams", limits::INBOUND_BYTES_MAX >> 20),
        format!("| {} ticks of snapshots", limits::OUTBOUND_BATCHES_MAX),
        format!("| {} MiB of channel packets and control messages", limits::OUTBOUND_KEPT_BYTES_MAX >> 20),
        format!("| {} characters in one view |", grouped(limits::VISIBLE_MAX)),
        format!("| {} pages of one view |", snapshot::PAGES_MAX),
        format!("| {} ends of pages in one snapshot |", limits::ENDS_PER_SNAPSHOT_MAX),
    ];
    let missing: Vec<&String> = numbers.iter().chain(&sentences).filter(|sentence| !page.contains(*sentence)).collect();
    assert!(missing.is_empty(), "the page does not say: {missing:#?}");
}
