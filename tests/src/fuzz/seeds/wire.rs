//! What is inside packets.

use std::time::Duration;

use glam::{IVec2, Vec3};
use throng_shared::abilities::{Act, Cast, Fighter, Slow, UseRefusal};
use throng_shared::attributes::Schema;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits::CHANNEL_PACKET_BYTES_MAX;
use throng_shared::quantised::Locomotion;
use throng_shared::tick::Tick;
use throng_shared::wire::PROTOCOL_VERSION;
use throng_shared::wire::channel::{GAME_MESSAGE, MessageChannel};
use throng_shared::wire::combat::{CombatEvent, MissReason};
use throng_shared::wire::control::{
    self, ClientControl, GoodbyeReason, Hello, RefusalReason, Refused, ServerControl, Welcome,
};
use throng_shared::wire::datagram::{self, CONTROL};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::page::{PageCopy, PageDeed, PageOwner, PageState, PageView};
use throng_shared::wire::snapshot::{Snapshot, SnapshotHeader};

use crate::fuzz::script::put_counted;

/// Of every page in a seed.
const PAGE_ORIGIN: IVec2 = IVec2::new(3_200, -9_600);

pub(super) fn datagram() -> Vec<(&'static str, Vec<u8>)> {
    let hello = [&[CONTROL], &control::encode(&ClientControl::Hello(Hello::new(7, "Ann")))[..]].concat();
    let frame = input_bytes(12, 3);
    vec![
        ("control", hello),
        ("frame", packed(Some(&frame), &[])),
        ("packets", packed(None, &[b"one", b"two", b"and three"])),
        ("frame_and_packets", packed(Some(&frame), &[b"one", b"two"])),
        ("frame_and_full_packet", packed(Some(&frame), &[&[7; 1_100]])),
        ("packet_too_long", packed(None, &[&[7; CHANNEL_PACKET_BYTES_MAX + 1]])),
    ]
}

pub(super) fn control() -> Vec<(&'static str, Vec<u8>)> {
    let hello = Hello { channel: 3, ..Hello::new(0x0102_0304_0506_0708, "Ännchen") };
    let refused = Refused {
        reason: RefusalReason::World,
        version_min: PROTOCOL_VERSION,
        version_max: PROTOCOL_VERSION,
        world_hash: 77,
        world_name: "meadow".to_owned(),
    };
    let mut of_the_future = control::encode(&ClientControl::Hello(Hello { version_max: 9, ..hello.clone() }));
    of_the_future.extend_from_slice(b"more");
    vec![
        ("hello", control::encode(&ClientControl::Hello(hello))),
        ("hello_of_the_future", of_the_future),
        ("welcome", control::encode(&welcome())),
        ("refused", control::encode(&ServerControl::Refused(refused))),
        ("goodbye", control::encode(&ServerControl::Goodbye(GoodbyeReason::ServerStopping))),
    ]
}

pub(super) fn input_frame() -> Vec<(&'static str, Vec<u8>)> {
    vec![("one_input", input_bytes(1, 1)), ("three_inputs", input_bytes(0x0102_0304, 3))]
}

/// Numbers of pages and who is in them, by slots: net id, x, locomotion.
type TestPages<'p> = &'p [(u8, &'p [(u32, i16, Locomotion)])];

pub(super) fn snapshot() -> Vec<(&'static str, Vec<u8>)> {
    let script = |snapshots: &[Vec<u8>]| {
        let mut script = Vec::new();
        snapshots.iter().for_each(|snapshot| put_counted(&mut script, snapshot));
        script
    };
    let [first, second, third] = story();
    let crowd: Vec<_> = (0..32).map(|number| (number + 100, number as i16 * 64, Locomotion::Idle)).collect();
    vec![
        ("alone", script(&[snapshot_bytes(41, &[], &[], 0, &[])])),
        ("enter_update_leave", script(&[first.clone(), second.clone(), third.clone()])),
        ("overtaken", script(&[third, first, second])),
        ("crowd", script(&[snapshot_bytes(41, &[(3, &crowd), (4, &crowd[..9])], &[], 0, &[])])),
    ]
}

pub(super) fn page() -> Vec<(&'static str, Vec<u8>)> {
    // In each tick all go on as they did; one turns, one goes, and another takes its slot.
    let tick = |tick: i16, count: usize| {
        let mut page = PageCopy::new(PAGE_ORIGIN);
        for slot in 0..count {
            let (owner, velocity) = match slot {
                0 => (tick as u32, [0; 3]),
                1 => (1_000, [tick * 20, 0, 100 - tick * 20]),
                _ => (1_000 + slot as u32, [slot as i16 * 10, 1, -50]),
            };
            let offset = [slot as i16 * 90 + velocity[0] * tick / 16, 7 + velocity[2] * tick / 16];
            let state = PageState { height: 12, offset, velocity, yaw: 9, locomotion: Locomotion::Walking };
            page.put(slot, PageOwner { net_id: NetId(owner), archetype: Archetype::BOT }, state);
        }
        page
    };
    let script = |count: usize, deeds: Option<&[PageDeed]>| {
        let mut script = Vec::new();
        for number in 0..4 {
            let (former, page) = (tick(number - 1, count), tick(number, count));
            let mut bytes = Vec::new();
            let view = PageView { deeds, ..page.view() };
            view.encode(Schema::EMPTY, (number > 0).then(|| former.baseline_of(&page, 1)), &mut bytes);
            put_counted(&mut script, &bytes);
        }
        script
    };
    let deed = |slot: u8| PageDeed { slot, age_ticks: slot, ability: 1 + slot, yaw: 4_000, pitch: -1_600 };
    vec![
        ("nobody", script(0, None)),
        ("a_few", script(5, None)),
        ("full", script(32, None)),
        ("deeds", script(5, Some(&[deed(0), deed(4)]))),
        ("no_deeds", script(5, Some(&[]))),
    ]
}

/// Both ends of a channel are recorded, and the packets of each given to one that hears them in vain.
pub(super) fn channel_packet() -> Vec<(&'static str, Vec<u8>)> {
    let (mut here, mut there) = (MessageChannel::default(), MessageChannel::default());
    let (mut talk, mut acknowledged) = (Vec::new(), Vec::new());
    for step in 0..6u64 {
        let now = Duration::from_millis(20 * step);
        let message = vec![GAME_MESSAGE; 1 + 40 * step as usize];
        acknowledged.push(2);
        acknowledged.extend_from_slice(&(message.len() as u16 - 1).to_le_bytes());
        acknowledged.push(3 | 1 << 2);
        here.send(message).expect("there is room");
        for packet in here.packets_to_send(now) {
            there.receive_packet(now, &packet).expect("it is honest");
            talk.push(0);
            put_counted(&mut talk, &packet);
        }
        talk.push(3 | 1 << 2);
        for packet in there.packets_to_send(now) {
            here.receive_packet(now, &packet).expect("it is honest");
            acknowledged.push(0);
            put_counted(&mut acknowledged, &packet);
        }
    }
    // Numbers as QUIC writes them, in one, two, four and eight bytes; acknowledgements of several ranges.
    let ranges = [4, 0x40, 9, 0x80, 0, 1, 0, 3, 2, 1, 1, 0xc0, 0, 0, 0, 0, 0, 0, 9, 2];
    let mut odd = vec![2, 9, 0, 3, 0];
    put_counted(&mut odd, &ranges);
    odd.extend_from_slice(&[3, 7, 3 | 3 << 2]);
    vec![("messages", talk), ("acknowledgements", acknowledged), ("ranges", odd)]
}

/// A welcome, as the server says it.
pub(super) fn welcome() -> ServerControl {
    ServerControl::Welcome(Welcome {
        version: PROTOCOL_VERSION,
        tick: 40,
        net_id: NetId(7),
        tick_rate_hz: 20,
        channel: 1,
        is_resumed: false,
        attributes: 0,
    })
}

/// Two come, one moves, the other's page ends.
pub(super) fn story() -> [Vec<u8>; 3] {
    use Locomotion::{Idle, Running};
    let (first, second, third) = ([(101, -64, Idle)], [(101, -60, Running)], [(101, -50, Running)]);
    [
        snapshot_bytes(41, &[(0, &[(100, 64, Idle)]), (3, &first)], &[], 0, &[]),
        snapshot_bytes(42, &[(3, &second)], &[], 1, &[(3, &first)]),
        snapshot_bytes(44, &[(3, &third)], &[0], 2, &[(3, &second)]),
    ]
}

/// A snapshot whose pages are told against `former` ones of so many ticks ago, or against nothing.
fn snapshot_bytes(tick: u32, pages: TestPages<'_>, ends: &[u8], age_ticks: u32, former: TestPages<'_>) -> Vec<u8> {
    let copy = |characters: &[(u32, i16, Locomotion)]| {
        let mut copy = PageCopy::new(PAGE_ORIGIN);
        for (slot, &(net_id, x, locomotion)) in characters.iter().enumerate() {
            let state = PageState { height: 640, offset: [x, 0], yaw: 200, locomotion, ..PageState::default() };
            copy.put(slot, PageOwner { net_id: NetId(net_id), archetype: Archetype::BOT }, state);
        }
        copy
    };
    let mut bytes = Vec::new();
    for (place, (number, characters)) in pages.iter().enumerate() {
        let page = copy(characters);
        let before = former.get(place).map(|(_, characters)| copy(characters));
        bytes.push(*number);
        page.view().encode(
            Schema::EMPTY,
            before.as_ref().map(|before| before.baseline_of(&page, age_ticks)),
            &mut bytes,
        );
    }
    let header = SnapshotHeader {
        tick: Tick(tick),
        position_m: Vec3::new(1.5, 10.0, -3.25),
        velocity_mps: Vec3::new(0.0, 0.0, -6.0),
        grounded: true,
        input_age_ticks: 0,
        input_margin_ms: Some(21),
        tells_deeds: false,
    };
    let mut out = Vec::new();
    Snapshot { header, fighter: &[], ends, crowd: None, own: None, pages: &bytes }.encode(Schema::EMPTY, &mut out);
    out
}

/// A frame of a client.
pub(super) fn input_bytes(newest: u32, count: usize) -> Vec<u8> {
    let input = PlayerInput {
        move_x: 127,
        move_z: -5,
        yaw: 40_000,
        buttons: Buttons::RUN.with(Buttons::JUMP),
        ..PlayerInput::default()
    };
    let acks = SnapshotAcks { newest: Tick(newest - 1), before: 0b1011 };
    let mut bytes = Vec::new();
    InputFrame::new(Tick(newest), &vec![input; count], acks).encode(&mut bytes);
    bytes
}

/// What fits into one datagram.
pub(super) fn packed(frame: Option<&[u8]>, packets: &[&[u8]]) -> Vec<u8> {
    let mut sent = Vec::new();
    datagram::pack(frame, packets.iter().copied(), &mut Vec::new(), |bytes| sent.push(bytes.to_vec()));
    assert_eq!(sent.len(), 1, "seeds are small");
    sent.remove(0)
}

/// What abilities have done, and what hinders somebody in a tick.
pub(super) fn combat() -> Vec<(&'static str, Vec<u8>)> {
    let (by, target) = (NetId(7), NetId(300));
    let events = [
        CombatEvent::Hit { by, target, ability: 1, change: -20.0 },
        CombatEvent::Died { who: target, by, ability: 1 },
        CombatEvent::Refused { ability: 2, refusal: UseRefusal::Cooldown },
        CombatEvent::Missed { ability: 1, reason: MissReason::Wall },
    ];
    let tick = Tick(1_200);
    let fighter = Fighter {
        is_dead: true,
        slow: Some(Slow { percent: 50, until: tick + 30 }),
        cast: Some(Cast { act: Act { ability: 2, ..Act::default() }, at: tick + 3 }),
        cooling: [(1, tick + 5), (9, tick + 700)].into_iter().collect(),
    };
    let hindered = [&(2 * tick.0).to_le_bytes()[..], &fighter.encode(tick)[..]].concat();
    vec![("events", CombatEvent::message(tick, &events)), ("hindered", hindered)]
}
