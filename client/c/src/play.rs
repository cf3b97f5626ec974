//! A client plays.

use std::ffi::c_char;
use std::time::Duration;

use glam::Vec2;
use throng_client::{Client, ClientEvent, State, UdpTransport, WorldDay};
use throng_shared::abilities::PITCH_MAX;
use throng_shared::attributes::{AttributeKind, Attributes, Schema};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits::GAME_MESSAGE_BYTES_MAX;
use throng_shared::quantised::Locomotion;
use throng_shared::tick::Tick;
use throng_shared::wire::combat::CombatEvent;

use crate::connect::text;
use crate::registry::with;
use crate::types::{
    ThrongArchetype, ThrongCharacter, ThrongEvent, ThrongEventKind, ThrongHindrance, ThrongInput, ThrongState,
    ThrongStatistics, ThrongStatus,
};

/// Writes `value` to `out` unless that is null.
///
/// # Safety
/// `out` is null or points to one.
unsafe fn put<T>(out: *mut T, value: T) -> ThrongStatus {
    // SAFETY: the caller says so.
    match unsafe { out.as_mut() } {
        Some(out) => {
            *out = value;
            ThrongStatus::Ok
        }
        None => ThrongStatus::NullPointer,
    }
}

/// Takes in what has arrived, makes the inputs that are due, and sends them. To be called once per frame.
#[unsafe(no_mangle)]
pub extern "C" fn throng_update(client: u64) -> ThrongStatus {
    with(client, |playing| {
        let now = playing.now();
        playing.client.update(now);
        while playing.client.is_input_due(now) {
            let jump = if playing.jumps { Buttons::JUMP } else { Buttons::default() };
            let input = PlayerInput { buttons: playing.input.buttons.with(jump), ..playing.input };
            playing.client.step(now, input);
        }
        let stats = playing.client.stats_mut();
        if let Some(echo_ms) = mean(&stats.echoes_ms) {
            playing.echo_ms = echo_ms;
        }
        playing.prediction_error_m = stats.prediction_errors_m.last().copied().unwrap_or(playing.prediction_error_m);
        stats.echoes_ms.clear();
        stats.prediction_errors_m.clear();
        ThrongStatus::Ok
    })
}

fn mean(numbers: &[f32]) -> Option<f32> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f32>() / numbers.len() as f32)
}

/// How far a client has come.
///
/// # Safety
/// `state` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_state(client: u64, state: *mut ThrongState) -> ThrongStatus {
    with(client, |playing| {
        let found = match playing.client.state() {
            State::Connecting | State::Greeting => ThrongState::Connecting,
            State::Playing => ThrongState::Playing,
            State::Closed(_) => ThrongState::Closed,
        };
        // SAFETY: the caller says so.
        unsafe { put(state, found) }
    })
}

/// Why a client was closed, as a text with a zero at its end, into a buffer of so many bytes. The length that it needs, zero included, is written to
/// `needed`, if that is not null.
///
/// # Safety
/// Each pointer is null or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_close_reason(
    client: u64,
    buffer: *mut c_char,
    buffer_bytes: usize,
    needed: *mut usize,
) -> ThrongStatus {
    with(client, |playing| {
        let State::Closed(reason) = playing.client.state() else { return ThrongStatus::Nothing };
        let mut bytes = reason.to_string().into_bytes();
        bytes.retain(|byte| *byte != 0);
        bytes.push(0);
        // SAFETY: the caller says so.
        unsafe { write_bytes(&bytes, buffer.cast(), buffer_bytes, needed) }
    })
}

/// # Safety
/// Each pointer is null or points to what it says.
unsafe fn write_bytes(bytes: &[u8], buffer: *mut u8, buffer_bytes: usize, needed: *mut usize) -> ThrongStatus {
    // SAFETY: it is null or points to one.
    if let Some(needed) = unsafe { needed.as_mut() } {
        *needed = bytes.len();
    }
    if buffer.is_null() {
        return ThrongStatus::NullPointer;
    }
    if bytes.len() > buffer_bytes {
        return ThrongStatus::TooSmall;
    }
    // SAFETY: it has room for them, and they are not in it.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len()) };
    ThrongStatus::Ok
}

/// What the player wishes from now on, in every tick until the next call.
///
/// # Safety
/// `input` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_set_input(client: u64, input: *const ThrongInput) -> ThrongStatus {
    // SAFETY: the caller says so.
    let Some(input) = (unsafe { input.as_ref() }).copied() else { return ThrongStatus::NullPointer };
    let ThrongInput { move_x, move_z, yaw_rad, runs, jumps } = input;
    let (runs, jumps) = (runs != 0, jumps != 0);
    if ![move_x, move_z, yaw_rad].iter().all(|number| number.is_finite()) {
        return ThrongStatus::BadNumber;
    }
    with(client, |playing| {
        let run = if runs { Buttons::RUN } else { Buttons::default() };
        let moves = PlayerInput::towards(Vec2::new(move_x, move_z), run);
        playing.input = PlayerInput { yaw: turn(yaw_rad), ..moves };
        playing.jumps = jumps;
        ThrongStatus::Ok
    })
}

/// Wishes to use an ability in the next tick, aimed so: in radians, clockwise from north, and upward. It is judged by what is shown at this call: call it in
/// the frame in which the player pulls the trigger.
#[unsafe(no_mangle)]
pub extern "C" fn throng_use_ability(client: u64, ability: u8, yaw_rad: f32, pitch_rad: f32) -> ThrongStatus {
    if !yaw_rad.is_finite() || !pitch_rad.is_finite() {
        return ThrongStatus::BadNumber;
    }
    with(client, |playing| {
        if *playing.client.state() != State::Playing {
            return ThrongStatus::NotPlaying;
        }
        let up = (pitch_rad / std::f32::consts::TAU * 65_536.0).round();
        let pitch = up.clamp(-f32::from(PITCH_MAX), f32::from(PITCH_MAX)) as i16;
        let now = playing.now();
        playing.client.use_ability(now, ability, turn(yaw_rad), pitch);
        ThrongStatus::Ok
    })
}

/// In 1/65,536 of a turn.
fn turn(yaw_rad: f32) -> u16 {
    (yaw_rad.rem_euclid(std::f32::consts::TAU) / std::f32::consts::TAU * 65_536.0).round() as i32 as u16
}

/// The number of an ability, by its name.
///
/// # Safety
/// `name` is null or points to a text that ends with a zero, `number` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_ability(client: u64, name: *const c_char, number: *mut u8) -> ThrongStatus {
    // SAFETY: the caller says so.
    let name = match unsafe { text(name) } {
        Ok(name) => name,
        Err(status) => return status,
    };
    with(client, |playing| {
        let found = playing.client.abilities().and_then(|abilities| abilities.number_of(name));
        // SAFETY: the caller says so.
        found.map_or(ThrongStatus::Nothing, |found| unsafe { put(number, found) })
    })
}

/// The own character, as it is to be shown now.
///
/// # Safety
/// `own` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_own(client: u64, own: *mut ThrongCharacter) -> ThrongStatus {
    with(client, |playing| {
        let now = playing.now();
        match own_character(&playing.client, now) {
            // SAFETY: the caller says so.
            Some(found) => unsafe { put(own, found) },
            None => ThrongStatus::NotPlaying,
        }
    })
}

fn own_character(client: &Client<UdpTransport>, now: Duration) -> Option<ThrongCharacter> {
    let (position_m, net_id) = client.own_position_m(now).zip(client.net_id())?;
    let state = client.prediction().state();
    let speed_mps = Vec2::new(state.velocity_mps.x, state.velocity_mps.z).length();
    let locomotion = match (state.grounded, speed_mps) {
        (false, _) => 3,
        (true, speed_mps) if speed_mps < 0.1 => 0,
        (true, speed_mps) if speed_mps < 3.0 => 1,
        (true, _) => 2,
    };
    let yaw_rad = f32::from(state.yaw) / 65_536.0 * std::f32::consts::TAU;
    Some(ThrongCharacter {
        net_id: net_id.0,
        is_player: 1,
        locomotion,
        archetype: Archetype::PLAYER.number(),
        position_m: position_m.to_array(),
        yaw_rad,
    })
}

/// What hinders the own character, as it is predicted.
///
/// # Safety
/// `hindrance` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_hindrance(client: u64, hindrance: *mut ThrongHindrance) -> ThrongStatus {
    with(client, |playing| {
        let (fighter, tick_s) = (playing.client.fighter(), playing.client.tick_s());
        let tick = playing.client.predicted_tick();
        let left_s = |until: Tick| until.signed_since(tick).max(0) as f32 * tick_s;
        let found = ThrongHindrance {
            is_dead: fighter.is_dead.into(),
            slow_percent: fighter.slow.map_or(0, |slow| slow.percent),
            slow_s: fighter.slow.map_or(0.0, |slow| left_s(slow.until)),
            cast_ability: fighter.cast.map_or(0, |cast| cast.act.ability),
            cast_s: fighter.cast.map_or(0.0, |cast| left_s(cast.at)),
        };
        // SAFETY: the caller says so.
        unsafe { put(hindrance, found) }
    })
}

/// In how many seconds an ability can be used again; 0 for at once, as far as its cooldown goes.
///
/// # Safety
/// `seconds` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_cooldown(client: u64, ability: u8, seconds: *mut f32) -> ThrongStatus {
    with(client, |playing| {
        let tick = playing.client.predicted_tick();
        let ready_at = playing.client.fighter().ready_at(ability);
        let ticks = ready_at.map_or(0, |at| at.signed_since(tick).max(0));
        // SAFETY: the caller says so.
        unsafe { put(seconds, ticks as f32 * playing.client.tick_s()) }
    })
}

/// The hour of the world in the moment in which the others are shown, from 0 to less than 24. `THRONG_STATUS_NOTHING` before the server has told it.
///
/// # Safety
/// `hour` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_hour(client: u64, hour: *mut f32) -> ThrongStatus {
    with(client, |playing| match playing.client.hour_h() {
        // SAFETY: the caller says so.
        Some(found) => unsafe { put(hour, found) },
        None => ThrongStatus::Nothing,
    })
}

/// Whether an event of the world is on, by its name; false for one that there is not.
///
/// # Safety
/// `name` is null or points to a text that ends with a zero, `is_on` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_event_is_on(client: u64, name: *const c_char, is_on: *mut bool) -> ThrongStatus {
    // SAFETY: the caller says so.
    unsafe { is_among(client, name, is_on, |day| day.events()) }
}

/// Whether a feature of the world is on for this client, by its name, in those of its zones if it has any; false for one that there is not.
///
/// # Safety
/// `name` is null or points to a text that ends with a zero, `is_on` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_feature_is_on(client: u64, name: *const c_char, is_on: *mut bool) -> ThrongStatus {
    // SAFETY: the caller says so.
    unsafe { is_among(client, name, is_on, |day| day.features()) }
}

/// # Safety
/// As [`throng_event_is_on`].
unsafe fn is_among(
    client: u64,
    name: *const c_char,
    is_on: *mut bool,
    names: impl FnOnce(&WorldDay) -> &[String],
) -> ThrongStatus {
    // SAFETY: the caller says so.
    let name = match unsafe { text(name) } {
        Ok(name) => name,
        Err(status) => return status,
    };
    with(client, |playing| {
        let found = names(playing.client.day()).iter().any(|other| other == name);
        // SAFETY: the caller says so.
        unsafe { put(is_on, found) }
    })
}

/// The others, as they are to be shown now: as many as there is room for, by rising `net_id`. How many there are is written to `count`.
///
/// # Safety
/// `characters` is null or points to room for `capacity` of them, `count` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_characters(
    client: u64,
    characters: *mut ThrongCharacter,
    capacity: usize,
    count: *mut usize,
) -> ThrongStatus {
    with(client, |playing| {
        let now = playing.now();
        let mut found = 0;
        for entity in playing.client.replica().entities() {
            if found < capacity && !characters.is_null() {
                let shown = character_of(&playing.client, entity, now);
                // SAFETY: there is room for more than that.
                unsafe { characters.add(found).write(shown) };
            }
            found += 1;
        }
        // SAFETY: the caller says so.
        match unsafe { put(count, found) } {
            ThrongStatus::Ok if found > capacity => ThrongStatus::TooSmall,
            ThrongStatus::Ok if characters.is_null() && found > 0 => ThrongStatus::NullPointer,
            status => status,
        }
    })
}

/// One of the others.
///
/// # Safety
/// `character` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_character(client: u64, net_id: u32, character: *mut ThrongCharacter) -> ThrongStatus {
    with(client, |playing| {
        let now = playing.now();
        match playing.client.replica().get(NetId(net_id)) {
            // SAFETY: the caller says so.
            Some(entity) => unsafe { put(character, character_of(&playing.client, entity, now)) },
            None => ThrongStatus::Nothing,
        }
    })
}

fn character_of(
    client: &Client<UdpTransport>,
    entity: &throng_client::ReplicaEntity,
    now: Duration,
) -> ThrongCharacter {
    let shown = client.interpolated(entity, now);
    let locomotion = match shown.locomotion {
        Locomotion::Idle => 0,
        Locomotion::Walking => 1,
        Locomotion::Running => 2,
        Locomotion::Airborne => 3,
    };
    ThrongCharacter {
        net_id: entity.net_id.0,
        is_player: entity.archetype.is_player().into(),
        locomotion,
        archetype: entity.archetype.number(),
        position_m: shown.position_m.to_array(),
        yaw_rad: shown.yaw_rad,
    }
}

/// What the characters of an archetype have in common, by its number.
///
/// # Safety
/// `archetype` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_archetype(client: u64, number: u8, archetype: *mut ThrongArchetype) -> ThrongStatus {
    with(client, |playing| match named_archetype(&playing.client, number) {
        Some((_, of)) => {
            let body = playing.client.body_of(of);
            // SAFETY: the caller says so.
            unsafe { put(archetype, ThrongArchetype { radius_m: body.radius_m, height_m: body.height_m }) }
        }
        None => ThrongStatus::Nothing,
    })
}

/// What the world file calls an archetype, as `throng_close_reason` gives texts.
///
/// # Safety
/// `buffer` is null or has room for `buffer_bytes` bytes; `needed` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_archetype_name(
    client: u64,
    number: u8,
    buffer: *mut c_char,
    buffer_bytes: usize,
    needed: *mut usize,
) -> ThrongStatus {
    with(client, |playing| match named_archetype(&playing.client, number) {
        Some((name, _)) => {
            let bytes = [name.as_bytes(), &[0]].concat();
            // SAFETY: the caller says so.
            unsafe { write_bytes(&bytes, buffer.cast(), buffer_bytes, needed) }
        }
        None => ThrongStatus::Nothing,
    })
}

/// An archetype that the world has, with its name.
fn named_archetype(client: &Client<UdpTransport>, number: u8) -> Option<(&str, Archetype)> {
    let archetype = Archetype::from_number(number)?;
    Some((client.archetype_name(archetype)?, archetype))
}

/// What a character has: a number as it is, a flag as 0 or 1, a choice as its place. `net_id` may be the own: what that has used since the server told it
/// is not paid yet.
///
/// # Safety
/// `name` is null or points to a text that ends with a zero, `value` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_attribute(
    client: u64,
    net_id: u32,
    name: *const c_char,
    value: *mut f32,
) -> ThrongStatus {
    // SAFETY: the caller says so.
    let name = match unsafe { text(name) } {
        Ok(name) => name,
        Err(status) => return status,
    };
    with(client, |playing| {
        let client = &playing.client;
        let of_other = || client.replica().get(NetId(net_id)).map(|entity| &entity.attributes);
        let is_own = client.net_id() == Some(NetId(net_id));
        let attributes = if is_own { Some(client.own_attributes()) } else { of_other() };
        let found = attributes.zip(client.attributes()).and_then(|(has, schema)| read_attribute(has, schema, name));
        // SAFETY: the caller says so.
        found.map_or(ThrongStatus::Nothing, |found| unsafe { put(value, found) })
    })
}

fn read_attribute(attributes: &Attributes, schema: &Schema, name: &str) -> Option<f32> {
    let rule = schema.rules().iter().find(|rule| rule.name == name)?;
    match rule.kind {
        AttributeKind::Number { .. } => attributes.get(&schema.number(name)?),
        AttributeKind::Flag => attributes.get(&schema.flag(name)?).map(|flag| f32::from(u8::from(flag))),
        AttributeKind::Choice { .. } => attributes.get(&schema.choice(name)?).map(|place| place as f32),
    }
}

/// The next thing that has happened; `THRONG_STATUS_NOTHING` when there is none.
///
/// # Safety
/// `event` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_next_event(client: u64, event: *mut ThrongEvent) -> ThrongStatus {
    if event.is_null() {
        return ThrongStatus::NullPointer;
    }
    with(client, |playing| match playing.client.next_event() {
        // SAFETY: the caller says so.
        Some(found) => unsafe { put(event, told(&found, playing.client.net_id())) },
        None => ThrongStatus::Nothing,
    })
}

fn told(event: &ClientEvent, own: Option<NetId>) -> ThrongEvent {
    let own = own.map_or(0, |own| own.0);
    match *event {
        ClientEvent::Used { tick, act, from_m, direction, sees } => ThrongEvent {
            kind: ThrongEventKind::Used,
            tick: tick.0,
            by: own,
            target: sees.map_or(0, |target| target.0),
            ability: act.ability,
            from_m: from_m.to_array(),
            direction: direction.to_array(),
            ..ThrongEvent::default()
        },
        ClientEvent::OtherUsed { tick, by, ability, from_m, direction } => ThrongEvent {
            kind: ThrongEventKind::OtherUsed,
            tick: tick.0,
            by: by.0,
            ability,
            from_m: from_m.to_array(),
            direction: direction.to_array(),
            ..ThrongEvent::default()
        },
        ClientEvent::Entered { net_id } => {
            ThrongEvent { kind: ThrongEventKind::Entered, target: net_id.0, ..ThrongEvent::default() }
        }
        ClientEvent::Left { net_id } => {
            ThrongEvent { kind: ThrongEventKind::Left, target: net_id.0, ..ThrongEvent::default() }
        }
        ClientEvent::Combat { tick, event } => {
            let event = match event {
                CombatEvent::Hit { by, target, ability, change } => {
                    let kind = ThrongEventKind::Hit;
                    ThrongEvent { kind, by: by.0, target: target.0, ability, change, ..ThrongEvent::default() }
                }
                CombatEvent::Died { who, by, ability } => {
                    let kind = ThrongEventKind::Died;
                    ThrongEvent { kind, by: by.0, target: who.0, ability, ..ThrongEvent::default() }
                }
                CombatEvent::Refused { ability, refusal } => {
                    let (kind, reason) = (ThrongEventKind::Refused, refusal as u8);
                    ThrongEvent { kind, by: own, ability, reason, ..ThrongEvent::default() }
                }
                CombatEvent::Missed { ability, reason } => {
                    let (kind, reason) = (ThrongEventKind::Missed, reason as u8);
                    ThrongEvent { kind, by: own, ability, reason, ..ThrongEvent::default() }
                }
            };
            ThrongEvent { tick: tick.0, ..event }
        }
    }
}

/// Sends a message of the game's own, of up to 999 bytes.
///
/// # Safety
/// `message` is null or points to as many bytes as `message_bytes` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_send_message(client: u64, message: *const u8, message_bytes: usize) -> ThrongStatus {
    if message.is_null() {
        return ThrongStatus::NullPointer;
    }
    // SAFETY: the caller says so.
    let message = unsafe { std::slice::from_raw_parts(message, message_bytes) };
    with(client, |playing| match playing.client.send_message(message) {
        Ok(()) => ThrongStatus::Ok,
        Err(_) => ThrongStatus::NotSent,
    })
}

/// The next message of the game's own, into a buffer of at least 999 bytes, the longest that there is; with a smaller one nothing is taken. Its length is
/// written to `message_bytes`.
///
/// # Safety
/// Each pointer is null or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_next_message(
    client: u64,
    buffer: *mut u8,
    buffer_bytes: usize,
    message_bytes: *mut usize,
) -> ThrongStatus {
    if buffer.is_null() || message_bytes.is_null() {
        return ThrongStatus::NullPointer;
    }
    if buffer_bytes < GAME_MESSAGE_BYTES_MAX {
        return ThrongStatus::TooSmall;
    }
    with(client, |playing| match playing.client.next_message() {
        // SAFETY: the caller says so.
        Some(message) => unsafe { write_bytes(&message, buffer, buffer_bytes, message_bytes) },
        None => ThrongStatus::Nothing,
    })
}

/// What a client has seen so far.
///
/// # Safety
/// `statistics` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_statistics(client: u64, statistics: *mut ThrongStatistics) -> ThrongStatus {
    with(client, |playing| {
        let (stats, traffic) = (playing.client.stats(), playing.client.traffic());
        let found = ThrongStatistics {
            snapshots: stats.snapshots,
            updates: stats.updates,
            malformed: stats.malformed,
            bytes_in: traffic.bytes_in,
            bytes_out: traffic.bytes_out,
            echo_ms: playing.echo_ms,
            prediction_error_m: playing.prediction_error_m,
        };
        // SAFETY: the caller says so.
        unsafe { put(statistics, found) }
    })
}
