//! Decoders of what is inside a packet, each on any bytes. What decodes is encoded again, and must be what it was.

use throng_client::{CROWD_MAX, MISSING_MAX, Replica};
use throng_shared::abilities::{COOLING_MAX, Fighter};
use throng_shared::attributes::Schema;
use throng_shared::limits::{CHANNEL_PACKET_BYTES_MAX, DATAGRAM_BYTES_MAX, INPUTS_PER_DATAGRAM_MAX, MESSAGE_BYTES_MAX};
use throng_shared::tick::Tick;
use throng_shared::wire::combat::{CombatEvent, EVENTS_PER_MESSAGE};
use throng_shared::wire::control::{self, ClientControl, Hello, ServerControl, cut_name, hello_versions};
use throng_shared::wire::datagram::{self, Datagram};
use throng_shared::wire::inputs::InputFrame;
use throng_shared::wire::page::{PAGE_BYTES_MAX, PAGE_DEEDS_MAX, PAGE_SLOTS, PageCopy, PageView};
use throng_shared::wire::snapshot::{PAGES_MAX, Snapshot};

use super::script::Script;

/// A datagram: taken apart, and packed again.
pub fn datagram(bytes: &[u8]) {
    let Ok(parsed) = Datagram::parse(bytes) else { return };
    let packets: Vec<&[u8]> = parsed.packets().collect();
    let inside_bytes: usize = packets.iter().chain(&parsed.frame).chain(&parsed.control).map(|part| part.len()).sum();
    assert!(inside_bytes < bytes.len(), "more came out than went in");
    assert!(packets.iter().all(|packet| packet.len() <= CHANNEL_PACKET_BYTES_MAX));
    if let Some(message) = parsed.control {
        assert!(packets.is_empty() && parsed.frame.is_none(), "a control message travels alone");
        assert!(message.len() <= MESSAGE_BYTES_MAX);
        return;
    }
    // Nobody sends an empty frame, and alone it would not be a frame at all.
    let frame = parsed.frame.filter(|frame| !frame.is_empty());
    let mut sent = Vec::new();
    datagram::pack(frame, packets.iter().copied(), &mut Vec::new(), |bytes| sent.push(bytes.to_vec()));
    let (mut frames, mut arrived) = (Vec::new(), Vec::new());
    for bytes in &sent {
        let parsed = Datagram::parse(bytes).expect("what we pack can be parsed");
        let parts = frames.len() + arrived.len();
        frames.extend(parsed.frame);
        arrived.extend(parsed.packets());
        assert!(bytes.len() <= DATAGRAM_BYTES_MAX || frames.len() + arrived.len() == parts + 1, "it is too long");
    }
    assert_eq!((frames, arrived), (frame.into_iter().collect(), packets));
}

/// What abilities have done; and what hinders a character, behind a tick.
pub fn combat(bytes: &[u8]) {
    if let Ok((tick, events)) = CombatEvent::of(bytes)
        && events.len() <= EVENTS_PER_MESSAGE
    {
        assert_eq!(CombatEvent::message(tick, &events), bytes);
    }
    if let Some((tick, rest)) = bytes.split_first_chunk::<4>() {
        let tick = Tick(u32::from_le_bytes(*tick) / 2);
        if let (Ok(fighter), Ok(length)) = (Fighter::decode(tick, rest), Fighter::scan(rest)) {
            let again = fighter.encode(tick);
            // Nothing is told of who is free.
            assert!(again.is_empty() || fighter.cooling.len() > COOLING_MAX || again[..] == rest[..length]);
        }
    }
}

/// A control message, to either end.
pub fn control(bytes: &[u8]) {
    let versions = hello_versions(bytes);
    if let Ok(message) = control::decode::<ClientControl>(bytes) {
        assert_eq!(control::encode(&message), bytes);
        let ClientControl::Hello(hello) = message;
        let offered = (hello.magic == control::HELLO_MAGIC).then_some(hello.version_min..=hello.version_max);
        assert_eq!(versions, offered, "the first twelve bytes say the same");
        assert!(hello.name.starts_with(cut_name(&hello.name)));
        let again = Hello { channel: hello.channel, ..Hello::new(hello.world_hash, &hello.name) };
        assert!(control::encode(&ClientControl::Hello(again)).len() <= MESSAGE_BYTES_MAX);
    }
    if let Ok(message) = control::decode::<ServerControl>(bytes) {
        assert_eq!(control::encode(&message), bytes);
    }
}

/// A client's frame.
pub fn input_frame(bytes: &[u8]) {
    let Ok(frame) = InputFrame::decode(bytes) else { return };
    let mut again = Vec::new();
    frame.encode(&mut again);
    assert_eq!(again, bytes);
    let ticks: Vec<_> = frame.inputs().map(|(tick, _)| tick).collect();
    assert!((1..=INPUTS_PER_DATAGRAM_MAX).contains(&ticks.len()) && ticks.is_sorted_by(|a, b| a > b), "{ticks:?}");
    assert!(frame.inputs().all(|(_, input)| input.direction().length() <= 1.001));
}

/// A script of snapshots, all applied to one replica. Each step: bytes with their count.
pub fn snapshot(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (mut replica, mut again) = (Replica::default(), Vec::new());
    loop {
        let bytes = script.counted();
        if bytes.is_empty() {
            break;
        }
        let Ok(snapshot) = Snapshot::decode(Schema::EMPTY, bytes) else { continue };
        let header = &snapshot.header;
        assert!(header.position_m.is_finite() && header.velocity_mps.is_finite() && header.tick > Tick(0));
        again.clear();
        snapshot.encode(Schema::EMPTY, &mut again);
        assert_eq!(again, bytes);
        let newest = replica.newest_tick();
        let is_applied = matches!(replica.apply(&snapshot), Ok(Some(_)));
        assert!(!is_applied || header.tick != newest && header.tick + 32 >= newest, "it can be acknowledged");
        assert_eq!(replica.newest_tick(), if is_applied { header.tick.max(newest) } else { newest });
        check_replica(&replica);
    }
}

/// A script of pages, each told against the one before, in a world where pages tell deeds and in one where they do not. Each step: bytes with their
/// count.
pub fn page(bytes: &[u8]) {
    [false, true].into_iter().for_each(|tells_deeds| pages(bytes, tells_deeds));
}

fn pages(bytes: &[u8], tells_deeds: bool) {
    let mut script = Script::new(bytes);
    let (mut former, mut again) = (PageCopy::default(), Vec::new());
    loop {
        let bytes = script.counted();
        if bytes.is_empty() {
            break;
        }
        let mut age_ticks = 0;
        let read = PageCopy::decode(Schema::EMPTY, tells_deeds, bytes, |age| {
            age_ticks = age;
            Some(&former)
        });
        let Ok((mut page, length)) = read else { continue };
        assert!(length <= bytes.len() && length <= PAGE_BYTES_MAX);
        let deeds = page.take_deeds();
        assert!(deeds.len() <= PAGE_DEEDS_MAX && deeds.iter().all(|deed| page.owner(deed.slot.into()).is_some()));
        let baseline = (age_ticks > 0).then(|| former.baseline_of(&page, age_ticks));
        again.clear();
        let view = PageView { deeds: tells_deeds.then_some(&deeds), ..page.view() };
        let told = view.encode(Schema::EMPTY, baseline, &mut again);
        assert!(again.len() <= PAGE_BYTES_MAX && told.enters as usize <= page.characters().count());
        let (mut read, length) =
            PageCopy::decode(Schema::EMPTY, tells_deeds, &again, |_| Some(&former)).expect("it was encoded");
        assert_eq!((read.take_deeds(), &read, length), (deeds, &page, again.len()));
        former = page;
    }
}

/// Whatever a server says, its client knows of no more than pages hold, of nobody twice, and can show them.
pub(super) fn check_replica(replica: &Replica) {
    assert!(replica.len() <= PAGES_MAX * PAGE_SLOTS + MISSING_MAX);
    assert!(replica.crowd().count() <= CROWD_MAX);
    let mut names = Vec::new();
    for entity in replica.entities() {
        assert_eq!(replica.get(entity.net_id), Some(entity));
        names.push(entity.net_id);
        let updated = f64::from(entity.updated.0);
        for tick in [updated - 1.5, updated, updated + 1e9] {
            let shown = entity.interpolate(tick, 5.0);
            assert!(shown.position_m.is_finite() && shown.yaw_rad.is_finite(), "{entity:?} is shown nowhere");
        }
    }
    assert!(names.len() == replica.len() && names.is_sorted_by(|a, b| a < b), "{names:?}");
}
