//! `docs/protocol.md` says what the code does: its examples are encoded and decoded, its tables and the numbers in its
//! prose compared. An example is the block after `<!-- example: name -->`, a table the one after `<!-- table: name -->`.

mod abilities;
mod attributes;
mod numbers;
mod world_hash;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use glam::{IVec2, Vec3};
use throng_shared::attributes::Schema;
use throng_shared::config::{self, LoadedWorld, ServerSettings, builtin_world};
use throng_shared::ids::{Archetype, ClientId, InstanceId, NetId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits;
use throng_shared::netcode::client::{HANDSHAKE_INTERVAL, KEEP_ALIVE_INTERVAL};
use throng_shared::netcode::connect_token::{ADDRESSES_MAX, PRIVATE_BYTES, TOKEN_BYTES};
use throng_shared::netcode::packet::{
    self, Header, KeepAlive, MOVE_BYTES_MIN, MOVE_DATA_BYTES_FILLED, MOVE_PAYLOAD_BYTES_MAX, Move, PacketType,
    REQUEST_BYTES,
};
use throng_shared::netcode::replay::{REPLAY_WINDOW, ReplayWindow};
use throng_shared::netcode::{
    ConnectToken, HANDSHAKE_SEQUENCE_FIRST, Key, NetcodeError, PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX, PrivateToken,
    USER_DATA_BYTES, VERSION_INFO,
};
use throng_shared::quantised::{self, Locomotion};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::channel::{GAME_MESSAGE, MessageChannel};
use throng_shared::wire::control::{
    self, ClientControl, GoodbyeReason, Hello, RefusalReason, Refused, ServerControl, Welcome,
};
use throng_shared::wire::datagram::{self, CONTROL, Datagram};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::page::{PageCopy, PageOwner, PageState};
use throng_shared::wire::snapshot::{self, Snapshot, SnapshotHeader};
use throng_shared::wire::token::TokenData;
use throng_shared::wire::{BitWriter, MESSAGE_CHANNEL, PROTOCOL_ID, PROTOCOL_VERSION};

const PAGE: &str = include_str!("../../../docs/protocol.md");
const LIMITS_SOURCE: &str = include_str!("../../../shared/src/limits.rs");
/// Sources with constants of their own that the page tells of.
const CLIENT_SOURCE: &str = include_str!("../../../client/src/client/mod.rs");
const DELAY_SOURCE: &str = include_str!("../../../client/src/delay.rs");
const PACE_SOURCE: &str = include_str!("../../../shared/src/wire/channel_pace.rs");
const TABLE_SOURCE: &str = include_str!("../../../server/src/net/netcode/table.rs");

/// Everything on the page that has a mark is checked below; a new mark needs a check.
const EXAMPLES: [&str; 22] = [
    "attribute",
    "channel-ack",
    "channel-ack-ranges",
    "channel-message",
    "combat",
    "datagram-frame-and-ack",
    "datagram-hello",
    "datagram-message",
    "event",
    "goodbye",
    "hello",
    "hour",
    "input-frame",
    "keep-alive",
    "move",
    "overload",
    "refused",
    "snapshot",
    "snapshot-attributes",
    "token-addresses",
    "user-data",
    "welcome",
];
const TABLES: [&str; 21] = [
    "archetypes",
    "buttons",
    "combat",
    "constants",
    "deeds",
    "fighter",
    "goodbyes",
    "hour",
    "input",
    "input-ability",
    "input-frame",
    "kinds",
    "locomotion",
    "netcode",
    "numbers",
    "overload",
    "quantisation",
    "refusals",
    "snapshot-bits",
    "snapshot-header",
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
fn the_examples_of_control_messages_are_encoded_and_decoded_alike() {
    let world_hash = 0x0102_0304_0506_0708;
    let hello = ClientControl::Hello(Hello::new(world_hash, "Ann"));
    assert_eq!(control::encode(&hello), example("hello"));
    assert_eq!(control::decode(&example("hello")), Ok(hello));
    let welcome = Welcome {
        version: PROTOCOL_VERSION,
        tick: 1_200,
        net_id: NetId(77),
        tick_rate_hz: 20,
        channel: 9,
        is_resumed: false,
        attributes: 2,
    };
    let refused = Refused {
        reason: RefusalReason::Version,
        version_min: PROTOCOL_VERSION,
        version_max: PROTOCOL_VERSION,
        world_hash,
        world_name: "meadow".to_owned(),
    };
    for (name, said) in [
        ("welcome", ServerControl::Welcome(welcome)),
        ("refused", ServerControl::Refused(refused)),
        ("goodbye", ServerControl::Goodbye(GoodbyeReason::ServerStopping)),
    ] {
        assert_eq!(control::encode(&said), example(name), "{name}");
        assert_eq!(control::decode(&example(name)), Ok(said), "{name}");
    }
}

#[test]
fn the_examples_of_tokens_are_encoded_and_decoded_alike() {
    let data = TokenData { instance: InstanceId(513), session: 0x0102_0304_0506_0708, issued_at_ms: 1_700_000_000_000 };
    assert_eq!(data.encode()[..], example("user-data"));
    assert_eq!(TokenData::decode(&data.encode()), Ok(data));

    let addresses =
        ["203.0.113.5:7777", "[2001:db8::5]:7777"].map(|text| text.parse::<SocketAddr>().expect("an address"));
    let private = PrivateToken {
        client_id: 1,
        timeout_s: 10,
        addresses: addresses.to_vec(),
        client_to_server: Key([1; 32]),
        server_to_client: Key([2; 32]),
        user_data: data.encode(),
    };
    let token = ConnectToken::new(&private, PROTOCOL_ID, 100, 160, [3; 24], &Key([4; 32])).expect("two addresses");
    let bytes = token.encode().expect("two addresses");
    let expected = [
        &VERSION_INFO[..],
        &PROTOCOL_ID.to_le_bytes(),
        &100u64.to_le_bytes(),
        &160u64.to_le_bytes(),
        &[3; 24],
        &token.sealed,
        &10i32.to_le_bytes(),
        &example("token-addresses"),
        &[1; 32],
        &[2; 32],
    ];
    let expected = expected.concat();
    assert_eq!(bytes[..expected.len()], expected);
    assert!(bytes[expected.len()..].iter().all(|&byte| byte == 0));
    // The network's order, which the server understands as well.
    let swapped = "[120:b80d::500]:7777".parse().expect("an address");
    let private = PrivateToken { addresses: vec![swapped], ..private };
    assert!(private.names(addresses[1]) && !private.names(addresses[0]));
}

#[test]
fn the_example_of_a_packet_is_sealed_and_opened_alike() {
    let key = Key(std::array::from_fn(|place| place as u8));
    let told = KeepAlive { client_index: 2, clients_max: 1_000 };
    let mut scratch = [0; PACKET_BYTES_MAX];
    let length = packet::seal(PacketType::KeepAlive, PROTOCOL_ID, &key, 258, &[&told.encode()], &mut scratch);
    let mut bytes = scratch[..length].to_vec();
    assert_eq!(bytes, example("keep-alive"));
    let header = Header::read(&bytes).expect("it is well-formed");
    assert_eq!((header.packet_type, header.sequence), (PacketType::KeepAlive, 258));
    let data = header.open(PROTOCOL_ID, &key, &mut bytes).expect("it is sealed with this key");
    assert_eq!(KeepAlive::decode(data), Some(told));

    let mut data = [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
    data[10..].copy_from_slice(b"hi");
    let length = packet::seal_move(PROTOCOL_ID, &key, 258, 2, &data, &mut scratch);
    let mut bytes = scratch[..length].to_vec();
    assert_eq!(bytes, example("move"));
    let header = Header::read(&bytes).expect("it is well-formed");
    assert_eq!((header.packet_type, header.sequence, header.place), (PacketType::Move, 258, 2));
    let data = header.open(PROTOCOL_ID, &key, &mut bytes).expect("it is sealed with this key");
    assert_eq!(Move::decode(data), Ok(Move { answer: 0, payload: b"hi" }));
}

#[test]
fn the_examples_of_the_channel_are_what_two_channels_say_to_each_other() {
    let now = Duration::ZERO;
    let message = [&[GAME_MESSAGE], &b"hi"[..]].concat();
    let (mut client, mut server) = (MessageChannel::default(), MessageChannel::default());
    client.send(message.clone()).expect("the channel is empty");
    assert_eq!(client.packets_to_send(now), [example("channel-message")]);
    server.receive_packet(now, &example("channel-message")).expect("it is well-formed");
    assert_eq!(server.next_message(), Some(message));
    assert_eq!(server.packets_to_send(now), [example("channel-ack")]);
    client.receive_packet(now, &example("channel-ack")).expect("it is well-formed");
    assert!(client.is_drained());

    let mut busy = MessageChannel::default();
    let without_messages = |packet_number: u8| [0, packet_number, 0, 0, 0];
    for packet_number in [0, 1, 2] {
        busy.receive_packet(now, &without_messages(packet_number)).expect("it is well-formed");
        assert_eq!(busy.packets_to_send(now).len(), 1);
    }
    for packet_number in [5, 6, 7, 8, 9, 6] {
        busy.receive_packet(now, &without_messages(packet_number)).expect("it is well-formed");
    }
    assert_eq!(busy.packets_to_send(now), [example("channel-ack-ranges")]);
}

#[test]
fn an_acknowledgement_is_awaited_for_as_long_as_the_page_says() {
    const RESEND_TIMES: u64 = 15;
    assert!(PAGE.contains(&format!("none longer than {RESEND_TIMES} times the resend time")));
    let longest = Duration::from_millis(RESEND_TIMES * limits::MESSAGE_RESEND_MS);
    for (waited, is_drained) in [(longest.mul_f64(0.99), true), (longest, false)] {
        let mut channel = MessageChannel::default();
        channel.send(vec![GAME_MESSAGE]).expect("the channel is empty");
        assert_eq!(channel.packets_to_send(Duration::ZERO).len(), 1);
        channel.packets_to_send(waited);
        channel.receive_packet(waited, &example("channel-ack")).expect("it is well-formed");
        assert_eq!(channel.is_drained(), is_drained, "{waited:?}");
    }
}

#[test]
fn a_channel_that_holds_more_than_it_may_receives_nothing_any_more() {
    let mut channel = MessageChannel::default();
    // A packet with one large message, and never the first: the others wait for it.
    let packet = |number: u8| {
        let length = limits::MESSAGE_BYTES_MAX as u16;
        let [high, low] = length.to_be_bytes();
        let [number_high, number_low] = (0x4000 | u16::from(number)).to_be_bytes();
        let mut packet = vec![0, number_high, number_low, 0, 0, 1, number_high, number_low, 0x40 | high, low];
        packet.resize(packet.len() + usize::from(length), 7);
        packet
    };
    let fit = (limits::CHANNEL_MEMORY_BYTES_MAX / limits::MESSAGE_BYTES_MAX) as u8;
    let mut receive = |number| channel.receive_packet(Duration::ZERO, &packet(number)).is_ok();
    assert!((1..=fit).all(&mut receive));
    assert!(!receive(fit + 1) && !receive(fit + 2));
}

#[test]
fn the_examples_of_datagrams_are_packed_and_parsed_alike() {
    let (packet, frame, ack) = (example("channel-message"), example("input-frame"), example("channel-ack"));
    let cases = [("datagram-message", None, &packet), ("datagram-frame-and-ack", Some(&frame[..]), &ack)];
    for (name, frame, packet) in cases {
        let mut sent = Vec::new();
        datagram::pack(frame, [&packet[..]].into_iter(), &mut Vec::new(), |bytes| sent.push(bytes.to_vec()));
        assert_eq!(sent, [example(name)], "{name}");
        let parsed = Datagram::parse(&sent[0]).expect("it is well-formed");
        assert_eq!((parsed.frame, parsed.packets().collect::<Vec<_>>()), (frame, vec![&packet[..]]), "{name}");
        assert_eq!(parsed.control, None);
    }
    let hello = example("hello");
    assert_eq!([&[CONTROL], &hello[..]].concat(), example("datagram-hello"));
    let said = example("datagram-hello");
    let parsed = Datagram::parse(&said).expect("it is well-formed");
    assert_eq!((parsed.frame, parsed.packets().count(), parsed.control), (None, 0, Some(&hello[..])));
    let known: BTreeSet<u8> = table("kinds").iter().map(|row| number(row[0])).collect();
    for kind in 0..=u8::MAX {
        assert_eq!(Datagram::parse(&[kind, 0, 0]).is_ok(), known.contains(&kind), "kind {kind}");
        assert!(Datagram::parse(&[kind]).is_err(), "nothing after kind {kind}");
    }
    let largest = vec![CONTROL; 1 + limits::MESSAGE_BYTES_MAX];
    assert!(Datagram::parse(&largest).is_ok() && Datagram::parse(&[&largest[..], &[0]].concat()).is_err());
}

#[test]
fn the_example_of_inputs_is_encoded_and_decoded_alike() {
    let east = PlayerInput { move_x: 127, yaw: 16_384, buttons: Buttons::RUN, ..PlayerInput::default() };
    let buttons = Buttons::RUN.with(Buttons::JUMP);
    let north_east = PlayerInput { move_x: 90, move_z: -90, yaw: 8_192, buttons, ..PlayerInput::default() };
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
    let owner = |net_id| PageOwner { net_id: NetId(net_id), archetype: Archetype::BOT };
    let header = SnapshotHeader {
        tells_deeds: false,
        tick: Tick(1_200),
        position_m: Vec3::new(100.0, 12.5, -50.25),
        velocity_mps: Vec3::new(0.0, 0.0, -6.0),
        grounded: true,
        input_age_ticks: 0,
        input_margin_ms: Some(15),
    };
    let state =
        PageState { height: 784, offset: [96, -640], velocity: [102, 0, 0], yaw: 64, locomotion: Locomotion::Walking };
    let mut first = PageCopy::new(IVec2::new(6_400, -3_200));
    first.put(0, owner(300), state);
    // 102 sixteenths of a step in each of three ticks are 19 steps and a bit.
    let (mut before, mut now) = (first.clone(), first.clone());
    before.put(1, owner(301), state);
    now.put(0, owner(300), PageState { offset: [96 + 18, -640], ..state });
    now.put(1, owner(301), PageState { offset: [96 + 19, -640], ..state });

    let mut pages = vec![3];
    first.view().encode(Schema::EMPTY, None, &mut pages);
    let second_at = pages.len();
    pages.push(12);
    now.view().encode(Schema::EMPTY, Some(before.baseline_of(&now, 3)), &mut pages);
    let expected = Snapshot { header, fighter: &[], ends: &[7], crowd: None, own: None, pages: &pages };
    let mut bytes = Vec::new();
    expected.encode(Schema::EMPTY, &mut bytes);
    assert_eq!(bytes, example("snapshot"));
    assert_eq!(Snapshot::decode(Schema::EMPTY, &bytes), Ok(expected));
    assert_eq!(PageCopy::decode(Schema::EMPTY, false, &pages[1..], |_| None), Ok((first, second_at - 1)));
    let second = PageCopy::decode(Schema::EMPTY, false, &pages[second_at + 1..], |age_ticks| {
        (age_ticks == 3).then_some(&before)
    });
    assert_eq!(second.map(|(page, _)| page), Ok(now));

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

/// Each row of the table of numbers says how its first and its last number are told, as the height of somebody who is new.
#[test]
fn the_table_of_numbers_is_what_is_told() {
    let height_bits = |height: i32| {
        let mut page = PageCopy::new(IVec2::ZERO);
        let owner = PageOwner { net_id: NetId(1), archetype: Archetype::BOT };
        page.put(0, owner, PageState { height, locomotion: Locomotion::Walking, ..PageState::default() });
        let mut bytes = Vec::new();
        page.view().encode(Schema::EMPTY, None, &mut bytes);
        // What stands before it: the page's head, the owner, that it is not at rest, and x.
        let before = 6 + 21 + 21 + 1 + 32 + 1 + 2 + 8 + 4 + 1 + 1;
        (before..bytes.len() * 8).map(|bit| u32::from(bytes[bit / 8] >> (bit % 8) & 1)).collect::<Vec<_>>()
    };
    let mut first = 0;
    for row in table("numbers") {
        let prefix: Vec<u32> = code_word(row[0]).bytes().map(|digit| u32::from(digit - b'0')).collect();
        let width: usize = row[1].split(' ').find_map(|word| word.parse().ok()).unwrap_or(0);
        let is_last = row[2] == "any";
        let last = if is_last { 60_000 } else { number(row[2].rsplit(' ').next().unwrap_or(row[2])) };
        for (height, told) in
            [(first, if is_last { first } else { 0 }), (last, if is_last { last } else { last - first })]
        {
            for height in [height, -height] {
                let bits = height_bits(height);
                let (found, rest) = bits.split_at(prefix.len());
                assert_eq!(found, prefix, "{height}");
                if height != 0 {
                    assert_eq!(rest[0], u32::from(height < 0), "{height}");
                    let value: i32 = (0..width).map(|bit| (rest[1 + bit] << bit) as i32).sum();
                    assert_eq!(value, told, "{height}");
                }
            }
        }
        first = last + 1;
    }
}

#[test]
fn the_tables_of_fields_have_the_widths_of_the_code() {
    assert_eq!(sum("user-data"), USER_DATA_BYTES);
    assert_eq!(sum("snapshot-header"), snapshot::HEADER_BYTES);
}

#[test]
fn the_tables_of_names_have_the_numbers_of_the_code() {
    let with_reason = |message: &str, reason: u8| {
        let mut bytes = example(message);
        bytes[4] = reason;
        control::decode::<ServerControl>(&bytes).ok()
    };
    check_names("refusals", |number| match with_reason("refused", number)? {
        ServerControl::Refused(refused) => Some(refused.reason),
        other => panic!("{other:?}"),
    });
    check_names("goodbyes", |number| match with_reason("goodbye", number)? {
        ServerControl::Goodbye(reason) => Some(reason),
        other => panic!("{other:?}"),
    });
    let archetypes = table("archetypes");
    for (number, (row, name)) in (0..).zip(archetypes.iter().zip(Archetype::COMMON_NAMES)) {
        assert_eq!((row[0], code_word(row[1])), (&*format!("{number}"), name));
        assert_ne!(Archetype::from_number(number), Archetype::own(0));
    }
    let numbers: Vec<u8> = (0..).map_while(Archetype::own).map(Archetype::number).collect();
    let of_own = archetypes[Archetype::COMMON_NAMES.len()][0];
    assert_eq!(of_own, format!("{} to {}", numbers[0], numbers[numbers.len() - 1]));
    check_names("locomotion", |number| (number < 4).then(|| Locomotion::from_bits(u32::from(number))));
}

#[test]
fn the_parameters_of_the_connection_layer_are_those_of_the_code() {
    let rows: BTreeMap<&str, &str> = table("netcode").into_iter().map(|row| (row[0], row[1])).collect();
    let id = rows["protocol id"];
    let bytes: Vec<String> = PROTOCOL_ID.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(code_word(id), bytes.join(" "));
    assert!(id.ends_with(&format!("{PROTOCOL_ID:#x}")), "{id}");
    let bytes = |row: &str| number::<usize>(rows[row].trim_end_matches(" bytes"));
    let (largest, payload) = (bytes("largest packet accepted"), bytes("largest payload accepted"));
    assert_eq!((largest, payload), (PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX));
    let read = |prefix: u8, length: usize| {
        let mut packet = vec![0; length];
        packet[0] = prefix;
        Header::read(&packet).map(|header| header.packet_type)
    };
    assert_eq!(read(0x85, largest), Ok(PacketType::Payload));
    assert_eq!(read(0x85, largest + 1), Err(NetcodeError::TooLong));
    assert_eq!(read(0x95, 100), Err(NetcodeError::Sequence), "a number of nine bytes");
    assert_eq!((read(0x05, 18), read(0x05, 17)), (Ok(PacketType::Payload), Err(NetcodeError::TooShort)), "of none");
    let alone = 1 + 2 + limits::CHANNEL_PACKET_BYTES_MAX;
    let sent = format!("{} bytes, but for a single channel packet", grouped(limits::DATAGRAM_BYTES_MAX));
    assert!(rows["largest payload sent"].starts_with(&sent), "{sent}");
    assert!(rows["largest payload sent"].ends_with(&format!("{} bytes", grouped(alone))), "{alone}");
    assert!(PAGE.contains(&format!("The request has {} bytes", grouped(REQUEST_BYTES))));
    assert_eq!(read(0, REQUEST_BYTES), Ok(PacketType::Request));
    assert!(read(0, REQUEST_BYTES - 1).is_err() && read(0, REQUEST_BYTES + 1).is_err());

    assert_eq!(number::<u64>(rows["replay window"].trim_end_matches(" numbers")), REPLAY_WINDOW);
    assert_eq!(number::<u32>(rows["disconnect packets sent by the end that leaves"]), limits::DISCONNECT_REPEATS);
    let ms = |row: &str| Duration::from_millis(number(rows[row].trim_end_matches(" ms")));
    assert_eq!(ms("requests and responses are repeated every"), HANDSHAKE_INTERVAL);
    assert_eq!(ms("a keep-alive is sent when nothing else was for"), KEEP_ALIVE_INTERVAL);
    let mut window = ReplayWindow::default();
    window.insert(10_000);
    assert!(!window.is_received(10_000 - REPLAY_WINDOW + 1) && window.is_received(10_000 - REPLAY_WINDOW));
    assert!(HANDSHAKE_SEQUENCE_FIRST == 1 << 63 && PAGE.contains("from 2^63 and an offset"));

    let address = "127.0.0.1:7777".parse().expect("an address");
    let token =
        throng_client::connect_token(&[address], ClientId(1), throng_client::token_data(), &ConnectKey::DEVELOPMENT)
            .expect("the address is a loopback one");
    let development_key = std::str::from_utf8(ConnectKey::DEVELOPMENT.bytes()).expect("it is a text");
    assert!(PAGE.contains(&format!("`{development_key}`")));
    let seconds = |row: &str| number::<u64>(rows[row].trim_end_matches(" s"));
    assert_eq!(token.expires_at_s - token.created_at_s, seconds("time to live of the reference tools' tokens"));
    assert_eq!(token.timeout_s as u64, seconds("timeout in the reference tools' tokens"));
}

/// A number as the page writes it, with a comma at the thousands.
fn grouped(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}
