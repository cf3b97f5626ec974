//! `docs/protocol.md` says what the code does: its examples are encoded and decoded, its tables and the numbers in its
//! prose compared. An example is the block after `<!-- example: name -->`, a table the one after `<!-- table: name -->`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use glam::{IVec3, Vec3};
use throng_shared::config::{
    self, LoadedWorld, MovementConfig, ObstacleShapeConfig, TerrainConfig, builtin_world, load_world,
};
use throng_shared::ids::{Archetype, ClientId, InstanceId, NetId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits;
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
const LIMITS_SOURCE: &str = include_str!("../../shared/src/limits.rs");

/// Everything on the page that has a mark is checked below; a new mark needs a check.
const EXAMPLES: [&str; 12] = [
    "channel-ack",
    "channel-ack-ranges",
    "channel-hello",
    "datagram-frame-and-ack",
    "datagram-hello",
    "goodbye",
    "hello",
    "input-frame",
    "refused",
    "snapshot",
    "user-data",
    "welcome",
];
const TABLES: [&str; 19] = [
    "archetypes",
    "buttons",
    "constants",
    "enter",
    "goodbyes",
    "input",
    "input-frame",
    "kinds",
    "leave",
    "locomotion",
    "netcode",
    "quantisation",
    "refusals",
    "snapshot-bits",
    "snapshot-counts",
    "snapshot-header",
    "state",
    "update",
    "user-data",
];

/// What follows a mark on the page.
fn after_mark(kind: &str, name: &str) -> &'static str {
    let mark = format!("<!-- {kind}: {name} -->");
    let mut parts = PAGE.split(&mark).skip(1);
    match (parts.next(), parts.next()) {
        (Some(rest), None) => rest,
        _ => panic!("the page has exactly one {mark}"),
    }
}

/// The bytes of an example.
fn example(name: &str) -> Vec<u8> {
    let mut lines = after_mark("example", name).trim_start().lines();
    assert_eq!(lines.next(), Some("```text"), "{name}: a mark stands before a block");
    let lines = lines.take_while(|line| *line != "```");
    let words = lines.flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    let byte = |digits: &str| u8::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{name}: {digits} is no byte"));
    words
        .flat_map(|word| match word.split_once('*') {
            Some((digits, count)) => vec![byte(digits); count.parse().expect("a count")],
            None => vec![byte(word)],
        })
        .collect()
}

/// The rows of a table, without its head.
fn table(name: &str) -> Vec<Vec<&'static str>> {
    let lines = after_mark("table", name).trim_start().lines().take_while(|line| line.starts_with('|'));
    let rows: Vec<_> =
        lines.skip(2).map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>()).collect();
    assert!(!rows.is_empty(), "{name} has rows");
    rows
}

fn number<Number: std::str::FromStr>(cell: &str) -> Number {
    cell.replace(',', "").parse().unwrap_or_else(|_| panic!("{cell} is no number"))
}

/// The word in backquotes at the beginning of a cell.
fn code_word(cell: &'static str) -> &'static str {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("{cell} names nothing"))
}

/// The sum of a table's first column.
fn sum(name: &str) -> usize {
    table(name).iter().map(|row| number::<usize>(row[0])).sum()
}

/// A table of numbers and names is what `name_of` says, and the number after its last means nothing.
fn check_names<Item: Debug>(name: &str, name_of: impl Fn(u8) -> Option<Item>) {
    let rows = table(name);
    for (expected, row) in (0..).zip(&rows) {
        assert_eq!(number::<u8>(row[0]), expected, "{name}");
        assert_eq!(name_of(expected).map(|item| format!("{item:?}")).as_deref(), Some(code_word(row[1])), "{name}");
    }
    assert!(name_of(rows.len() as u8).is_none(), "{name} lacks a row");
}

#[test]
fn every_marked_example_and_table_is_checked_here() {
    for (kind, names) in [("example", &EXAMPLES[..]), ("table", &TABLES[..])] {
        let mark = format!("<!-- {kind}: ");
        let found: BTreeSet<&str> = PAGE.split(&mark).skip(1).filter_map(|rest| rest.split(" -->").next()).collect();
        assert_eq!(found, names.iter().copied().collect(), "{kind}");
    }
}

#[test]
fn the_examples_of_messages_are_encoded_and_decoded_alike() {
    let world_hash = 0x0102_0304_0506_0708;
    let hello = ClientMessage::Hello(Hello::new(world_hash, "Ann"));
    assert_eq!(message::encode(&hello), example("hello"));
    assert_eq!(message::decode(&example("hello")), Ok(hello));
    let welcome = Welcome { version: 1, tick: 1_200, net_id: NetId(77), tick_rate_hz: 20 };
    let refused = Refused {
        reason: RefusalReason::Version,
        version_min: 1,
        version_max: 1,
        world_hash,
        world_name: "meadow".to_owned(),
    };
    for (name, said) in [
        ("welcome", ServerMessage::Welcome(welcome)),
        ("refused", ServerMessage::Refused(refused)),
        ("goodbye", ServerMessage::Goodbye(GoodbyeReason::ServerStopping)),
    ] {
        assert_eq!(message::encode(&said), example(name), "{name}");
        assert_eq!(message::decode(&example(name)), Ok(said), "{name}");
    }
    let token = TokenData { instance: InstanceId(513) };
    assert_eq!(token.encode()[..], example("user-data"));
}

#[test]
fn the_examples_of_the_channel_are_what_two_channels_say_to_each_other() {
    let (mut client, mut server) = (MessageChannel::default(), MessageChannel::default());
    client.send(example("hello")).expect("the channel is empty");
    assert_eq!(client.packets_to_send(), [example("channel-hello")]);
    server.receive_packet(&example("channel-hello")).expect("it is well-formed");
    assert_eq!(server.next_message(), Some(example("hello")));
    assert_eq!(server.packets_to_send(), [example("channel-ack")]);
    client.receive_packet(&example("channel-ack")).expect("it is well-formed");
    assert!(client.is_drained());

    let mut busy = MessageChannel::default();
    let without_messages = |packet_number: u8| [0, packet_number, 0, 0, 0];
    for packet_number in [0, 1, 2] {
        busy.receive_packet(&without_messages(packet_number)).expect("it is well-formed");
        assert_eq!(busy.packets_to_send().len(), 1);
    }
    for packet_number in [5, 6, 7, 8, 9, 6] {
        busy.receive_packet(&without_messages(packet_number)).expect("it is well-formed");
    }
    assert_eq!(busy.packets_to_send(), [example("channel-ack-ranges")]);
}

#[test]
fn the_examples_of_datagrams_are_packed_and_parsed_alike() {
    let (packet, frame, ack) = (example("channel-hello"), example("input-frame"), example("channel-ack"));
    for (name, frame, packet) in [("datagram-hello", None, &packet), ("datagram-frame-and-ack", Some(&frame[..]), &ack)]
    {
        let mut sent = Vec::new();
        datagram::pack(frame, [&packet[..]].into_iter(), &mut Vec::new(), |bytes| sent.push(bytes.to_vec()));
        assert_eq!(sent, [example(name)], "{name}");
        let parsed = Datagram::parse(&sent[0]).expect("it is well-formed");
        assert_eq!((parsed.frame, parsed.packets().collect::<Vec<_>>()), (frame, vec![&packet[..]]), "{name}");
    }
    let known: BTreeSet<u8> = table("kinds").iter().map(|row| number(row[0])).collect();
    for kind in 0..=u8::MAX {
        assert_eq!(Datagram::parse(&[kind, 0, 0]).is_ok(), known.contains(&kind), "kind {kind}");
    }
}

#[test]
fn the_example_of_inputs_is_encoded_and_decoded_alike() {
    let east = PlayerInput { move_x: 127, move_z: 0, yaw: 16_384, buttons: Buttons::RUN };
    let north_east = PlayerInput { move_x: 90, move_z: -90, yaw: 8_192, buttons: Buttons::RUN.with(Buttons::JUMP) };
    let mut acks = SnapshotAcks::default();
    for tick in [1_196, 1_198, 1_199, 1_200] {
        acks.insert(Tick(tick));
    }
    let frame = InputFrame::new(Tick(1_203), &[east, east, north_east], acks);
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    assert_eq!(bytes, example("input-frame"));
    assert_eq!(InputFrame::decode(&bytes), Ok(frame));
    assert_eq!(bytes.len(), sum("input-frame") + 3 * sum("input"));
    let buttons = [("RUN", Buttons::RUN), ("JUMP", Buttons::JUMP)];
    let found: Vec<(&str, Buttons)> =
        table("buttons").iter().map(|row| (code_word(row[1]), Buttons(number(row[0])))).collect();
    assert_eq!(found, buttons);
}

#[test]
fn the_example_of_a_snapshot_is_encoded_and_decoded_alike() {
    let state = |x_m: f32, y_m: f32, z_m: f32, yaw: u8, locomotion| QuantisedState {
        position: IVec3::new((x_m * 64.0) as i32, (y_m * 64.0) as i32, (z_m * 64.0) as i32),
        yaw,
        locomotion,
    };
    let entering = state(101.5, 12.25, -60.0, 64, Locomotion::Walking);
    let expected = Snapshot {
        header: SnapshotHeader {
            tick: Tick(1_200),
            position_m: Vec3::new(100.0, 12.5, -50.25),
            velocity_mps: Vec3::new(0.0, 0.0, -6.0),
            grounded: true,
            input_age_ticks: 0,
            input_margin_ms: Some(15),
        },
        leaves: vec![7],
        enters: vec![Enter { slot: 3, net_id: NetId(300), archetype: Archetype::Bot, state: entering }],
        updates: vec![Update { slot: 12, state: state(90.0, 13.0, -50.25, 128, Locomotion::Running) }],
    };
    let mut bytes = Vec::new();
    expected.encode(&mut bytes);
    assert_eq!(bytes, example("snapshot"));
    let mut decoded = Snapshot::default();
    assert_eq!(decoded.decode_from(&bytes), Ok(()));
    assert_eq!(decoded, expected);

    let mut packed = Vec::new();
    let mut bits = BitWriter::new(&mut packed);
    let mut first_bit = 0;
    for row in table("snapshot-bits") {
        let (width, value): (u32, i64) = (number(row[1]), number(row[2]));
        assert_eq!(number::<u32>(row[0]), first_bit, "{}", row[3]);
        if value < 0 {
            bits.put_signed(value as i32, width)
        } else {
            bits.put(value as u32, width)
        }
        first_bit += width;
    }
    bits.finish();
    assert_eq!(packed[..], bytes[snapshot::HEADER_BYTES..]);
}

#[test]
fn the_tables_of_fields_have_the_widths_of_the_code() {
    assert_eq!(sum("user-data"), USER_DATA_BYTES);
    assert_eq!(sum("snapshot-header"), snapshot::HEADER_BYTES);
    assert_eq!(sum("snapshot-counts"), snapshot::COUNTS_BITS);
    assert_eq!(sum("leave"), snapshot::LEAVE_BITS);
    assert_eq!(sum("enter"), snapshot::ENTER_BITS);
    assert_eq!(sum("update"), snapshot::UPDATE_BITS);
    assert_eq!(sum("state") + snapshot::SLOT_BITS as usize, snapshot::UPDATE_BITS);
}

#[test]
fn the_tables_of_names_have_the_numbers_of_the_code() {
    let with_reason = |message: &str, reason: u8| {
        let mut bytes = example(message);
        bytes[4] = reason;
        message::decode::<ServerMessage>(&bytes).ok()
    };
    check_names("refusals", |number| match with_reason("refused", number)? {
        ServerMessage::Refused(refused) => Some(refused.reason),
        other => panic!("{other:?}"),
    });
    check_names("goodbyes", |number| match with_reason("goodbye", number)? {
        ServerMessage::Goodbye(reason) => Some(reason),
        other => panic!("{other:?}"),
    });
    check_names("archetypes", Archetype::from_number);
    check_names("locomotion", |number| (number < 4).then(|| Locomotion::from_bits(u32::from(number))));
}

#[test]
fn the_parameters_of_the_connection_layer_are_those_of_the_code() {
    let rows: BTreeMap<&str, &str> = table("netcode").into_iter().map(|row| (row[0], row[1])).collect();
    let id = rows["protocol id"];
    let bytes: Vec<String> = PROTOCOL_ID.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(code_word(id), bytes.join(" "));
    assert!(id.ends_with(&format!("{PROTOCOL_ID:#x}")), "{id}");
    let largest: usize = number(rows["largest packet accepted"].trim_end_matches(" bytes"));
    assert!(
        check_netcode_packet(&vec![0x15; largest]).is_ok() && check_netcode_packet(&vec![0x15; largest + 1]).is_err()
    );
    let request: usize = 1_078;
    assert!(PAGE.contains("The request has 1,078 bytes"));
    assert!(check_netcode_packet(&vec![0; request]).is_ok() && check_netcode_packet(&vec![0; request + 1]).is_err());
    let address = "127.0.0.1:7777".parse().expect("an address");
    let token = throng_client::connect_token(address, ClientId(1), InstanceId(0), &ConnectKey::DEVELOPMENT)
        .expect("the address is a loopback one");
    let development_key = std::str::from_utf8(ConnectKey::DEVELOPMENT.bytes()).expect("it is a text");
    assert!(PAGE.contains(&format!("`{development_key}`")));
    let seconds = |row: &str| number::<u64>(rows[row].trim_end_matches(" s"));
    assert_eq!(token.expire_timestamp - token.create_timestamp, seconds("time to live of the reference tools' tokens"));
    assert_eq!(token.timeout_seconds as u64, seconds("timeout in the reference tools' tokens"));
}

#[test]
fn the_constants_are_those_of_the_code() {
    let expected = BTreeMap::from([
        ("PROTOCOL_VERSION", usize::from(PROTOCOL_VERSION)),
        ("MESSAGE_CHANNEL", usize::from(MESSAGE_CHANNEL)),
        ("USER_DATA_BYTES", USER_DATA_BYTES),
        ("CLIENTS_MAX", config::CLIENTS_MAX as usize),
        ("DATAGRAM_BYTES_MAX", limits::DATAGRAM_BYTES_MAX),
        ("SNAPSHOT_BYTES_MAX", limits::SNAPSHOT_BYTES_MAX),
        ("CHANNEL_PACKET_BYTES_MAX", limits::CHANNEL_PACKET_BYTES_MAX),
        ("MESSAGE_BYTES_MAX", limits::MESSAGE_BYTES_MAX),
        ("CHANNEL_MEMORY_BYTES_MAX", limits::CHANNEL_MEMORY_BYTES_MAX),
        ("RECEIVED_PER_50_MS_MAX", limits::RECEIVED_PER_50_MS_MAX as usize),
        ("MESSAGE_RESEND_MS", limits::MESSAGE_RESEND_MS as usize),
        ("MESSAGE_GAP_MAX", limits::MESSAGE_GAP_MAX as usize),
        ("LEAVE_RADIUS_MAX_M", limits::LEAVE_RADIUS_MAX_M as usize),
        ("VISIBLE_MAX", limits::VISIBLE_MAX),
        ("VIEW_SLOTS_MAX", limits::VIEW_SLOTS_MAX),
        ("LEAVES_PER_SNAPSHOT_MAX", limits::LEAVES_PER_SNAPSHOT_MAX),
        ("ACK_WAIT_MS", limits::ACK_WAIT_MS as usize),
        ("LOSS_AFTER_MS", limits::LOSS_AFTER_MS as usize),
        ("LOSS_AFTER_TICKS_MIN", limits::LOSS_AFTER_TICKS_MIN as usize),
        ("INPUTS_PER_DATAGRAM_MAX", limits::INPUTS_PER_DATAGRAM_MAX),
        ("INPUT_LEAD_TICKS_MAX", limits::INPUT_LEAD_TICKS_MAX as usize),
        ("INPUT_DATAGRAMS_PER_TICK_MAX", limits::INPUT_DATAGRAMS_PER_TICK_MAX as usize),
        ("STRIKES_MAX", limits::STRIKES_MAX as usize),
        ("INBOUND_BYTES_MAX", limits::INBOUND_BYTES_MAX),
        ("OUTBOUND_BATCHES_MAX", limits::OUTBOUND_BATCHES_MAX),
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
    let expected = [
        ("STEPS_PER_M", quantised::STEPS_PER_M),
        ("HEIGHT_LIMIT_M", quantised::HEIGHT_LIMIT_M),
        ("RANGE_M", snapshot::RANGE_M),
    ];
    assert_eq!(quantisation, expected);
}

/// A number as the page writes it, with a comma at the thousands.
fn grouped(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

#[test]
fn the_numbers_in_the_prose_are_those_of_the_code() {
    let page = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    let lead = limits::INPUT_LEAD_TICKS_MAX;
    let slots = limits::VIEW_SLOTS_MAX;
    let repeated = flat().config.input_repeat_ticks;
    let (slowest_hz, fastest_hz) = (TickRate::RANGE_HZ.start(), TickRate::RANGE_HZ.end());
    let sentences = [
        format!("a channel packet longer than {} bytes", grouped(limits::CHANNEL_PACKET_BYTES_MAX)),
        format!("into one datagram of at most {} bytes", grouped(limits::DATAGRAM_BYTES_MAX)),
        format!("not been acknowledged {} ms after", limits::MESSAGE_RESEND_MS),
        format!("At most {} bytes of messages", grouped(limits::CHANNEL_MEMORY_BYTES_MAX)),
        format!("more than {} ahead of the next", limits::MESSAGE_GAP_MAX),
        format!("or one longer than {} bytes", grouped(limits::MESSAGE_BYTES_MAX)),
        format!("at one time should not exceed {} bytes", grouped(4 * limits::DATAGRAM_BYTES_MAX)),
        format!("It waits {} s for the hello", limits::HELLO_TIMEOUT_MS / 1_000),
        format!("at most {} bytes of UTF-8", limits::NAME_BYTES_MAX),
        format!("({slowest_hz} to {fastest_hz} per second)"),
        format!("| number of inputs, 1 to {} |", limits::INPUTS_PER_DATAGRAM_MAX),
        format!("| *n* ≤ *t* < *n* + {lead} |"),
        format!("| *t* ≥ *n* + {lead} |"),
        format!("says ({repeated} by default)"),
        format!("| more than {} frames of a client wait", limits::INPUT_DATAGRAMS_PER_TICK_MAX),
        format!("One frame per client and tick, of at most {} bytes", grouped(limits::SNAPSHOT_BYTES_MAX)),
        format!("A *slot* (0 to {})", grouped(slots - 1)),
        format!("There are at most {} in one snapshot", limits::LEAVES_PER_SNAPSHOT_MAX),
        format!("What does not fit into {} bytes", grouped(limits::SNAPSHOT_BYTES_MAX)),
        format!("for each of the {} slots", grouped(slots)),
        format!(
            "more than {} ms (but at least {} ticks) older than the newest",
            limits::LOSS_AFTER_MS,
            limits::LOSS_AFTER_TICKS_MIN
        ),
        format!("Snapshots stay open for at most {} ms", grouped(limits::ACK_WAIT_MS as usize)),
        format!("The {}th ends the connection", limits::STRIKES_MAX),
        format!("at the latest {} s later", limits::LINGER_MS / 1_000),
        format!("clients of one process, {} or fewer", grouped(config::CLIENTS_MAX as usize)),
        format!("time for the hello, {} s", limits::HELLO_TIMEOUT_MS / 1_000),
        format!("| {} frames and messages of a client in 50 ms |", limits::RECEIVED_PER_50_MS_MAX),
        format!("| {} frames of a client per tick |", limits::INPUT_DATAGRAMS_PER_TICK_MAX),
        format!("| inputs {lead} ticks ahead |"),
        format!("| {} MiB of datagrams", limits::INBOUND_BYTES_MAX >> 20),
        format!("| {} ticks of snapshots", limits::OUTBOUND_BATCHES_MAX),
        format!("| {} characters in one view |", grouped(limits::VISIBLE_MAX)),
        format!("| {} slots of one view |", grouped(slots)),
        format!("| {} leaves in one snapshot |", limits::LEAVES_PER_SNAPSHOT_MAX),
        format!("| {} ms without the acknowledgement of a snapshot |", grouped(limits::ACK_WAIT_MS as usize)),
    ];
    let missing: Vec<&String> = sentences.iter().filter(|sentence| !page.contains(*sentence)).collect();
    assert!(missing.is_empty(), "the page does not say: {missing:#?}");
}

fn flat() -> LoadedWorld {
    const TEXT: &str = "world = { name = \"flat\", size_m = 100.0, seed = 9 }\n\
        terrain = { kind = \"flat\", height_m = 2.5 }\n\
        spawn = [{ center_m = [0.0, 0.0], radius_m = 5.0 }]\n";
    load_world("flat", |_| Ok(TEXT.as_bytes().to_vec())).expect("the world is right")
}

/// The world hash, written after the page.
fn documented_hash(world: &LoadedWorld) -> u64 {
    let config = &world.config;
    let mut bytes = Vec::new();
    let put =
        |bytes: &mut Vec<u8>, numbers: &[f32]| numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    bytes.extend(config.seed.to_le_bytes());
    put(&mut bytes, &[config.size_m]);
    bytes.extend(config.tick_rate_hz.to_le_bytes());
    match &config.terrain {
        TerrainConfig::Flat { height_m } => {
            bytes.push(0);
            put(&mut bytes, &[*height_m]);
        }
        TerrainConfig::Procedural { height_min_m, height_max_m, feature_m, octaves, cell_m } => {
            bytes.push(1);
            put(&mut bytes, &[*height_min_m, *height_max_m, *feature_m]);
            bytes.extend(octaves.to_le_bytes());
            put(&mut bytes, &[*cell_m]);
        }
        other => panic!("{other:?}"),
    }
    bytes.extend((config.obstacles.len() as u64).to_le_bytes());
    for obstacle in &config.obstacles {
        put(&mut bytes, &[obstacle.center_m.x, obstacle.center_m.y, obstacle.height_m]);
        match obstacle.shape {
            ObstacleShapeConfig::Box { size_m, yaw_deg } => {
                bytes.push(0);
                put(&mut bytes, &[size_m.x, size_m.y, yaw_deg]);
            }
            ObstacleShapeConfig::Cylinder { radius_m } => {
                bytes.push(1);
                put(&mut bytes, &[radius_m]);
            }
        }
    }
    let MovementConfig { walk_speed_mps, run_speed_mps, jump_height_m, gravity_mps2, .. } = config.movement;
    let MovementConfig { ground_acceleration_mps2, air_acceleration_mps2, slope_max_deg, .. } = config.movement;
    let MovementConfig { step_height_m, capsule_radius_m, capsule_height_m, .. } = config.movement;
    put(&mut bytes, &[walk_speed_mps, run_speed_mps, jump_height_m, gravity_mps2, ground_acceleration_mps2]);
    put(&mut bytes, &[air_acceleration_mps2, slope_max_deg, step_height_m, capsule_radius_m, capsule_height_m]);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn the_world_hash_is_computed_as_the_page_says() {
    for world in [builtin_world(), flat()] {
        assert_eq!(documented_hash(&world), world.hash, "{}", world.config.name);
    }
}
