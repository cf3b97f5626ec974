//! What is handed over.

use std::ffi::{CStr, c_char};

/// How a call ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrongStatus {
    /// It did what it says.
    Ok = 0,
    /// There is nothing: no further event, no such character, no such name.
    Nothing = 1,
    /// A pointer is null that may not be.
    NullPointer = 2,
    /// A text is not UTF-8.
    BadText = 3,
    /// There is no client of this handle, or no longer.
    UnknownHandle = 4,
    /// An address is not IP:PORT, or cannot be reached without a token of its login service.
    BadAddress = 5,
    /// A token is not one.
    BadToken = 6,
    /// The world's files cannot be read, or have mistakes; `throng check` tells which.
    BadWorld = 7,
    /// The operating system gives no socket.
    NoSocket = 8,
    /// The client is not in the world, or not any more.
    NotPlaying = 9,
    /// The buffer is too small; the length that is needed was written.
    TooSmall = 10,
    /// The message is too long, or too many are under way.
    NotSent = 11,
    /// A number is not finite.
    BadNumber = 12,
    /// A fault of the library; the client was closed.
    Internal = 13,
}

/// How far a client has come.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrongState {
    /// It is being connected.
    Connecting = 0,
    /// It is in the world.
    Playing = 1,
    /// It is over; `throng_close_reason` tells why, and `throng_reconnect` may help.
    Closed = 2,
}

/// What a player wishes, until the next call.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrongInput {
    /// Wanted motion to the east and to the south; a length of 1 is full speed.
    pub move_x: f32,
    /// See `move_x`.
    pub move_z: f32,
    /// Facing, in radians, clockwise from north (-z).
    pub yaw_rad: f32,
    /// Whether it runs: 0 or 1.
    pub runs: u8,
    /// Whether it jumps when it stands.
    pub jumps: u8,
}

/// What a bad link is to do to datagrams, each way; all 0 for nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrongLink {
    /// Delay, in milliseconds.
    pub one_way_ms: f32,
    /// Uniform addition to or subtraction from the delay, in milliseconds.
    pub jitter_ms: f32,
    /// Share that never arrives, in percent.
    pub loss_percent: f32,
}

/// Somebody, where it is to be shown now.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrongCharacter {
    /// Who.
    pub net_id: u32,
    /// Whether a player is behind it.
    pub is_player: u8,
    /// What it does: 0 stands, 1 walks, 2 runs, 3 is in the air.
    pub locomotion: u8,
    /// Its archetype: 0 for a person's, 1 for a bot's that is as people are, and from 2 on those of the world file, in their order. See `throng_archetype`.
    pub archetype: u8,
    /// Its feet: x (east), y (up), z (south), in metres.
    pub position_m: [f32; 3],
    /// Facing, in radians, clockwise from north.
    pub yaw_rad: f32,
}

/// How large the characters of an archetype are: what shots meet, and what should be drawn.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrongArchetype {
    /// Radius of the body, an upright capsule, in metres.
    pub radius_m: f32,
    /// Height from the feet to the top of the head, in metres.
    pub height_m: f32,
}

/// What hinders the own character.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrongHindrance {
    /// Whether it is dead: 0 or 1.
    pub is_dead: u8,
    /// By how much it is slower, in percent, and for how long yet, in seconds.
    pub slow_percent: u8,
    /// The ability that it casts, by its number; 0 for none.
    pub cast_ability: u8,
    /// See `slow_percent`.
    pub slow_s: f32,
    /// In how many seconds that happens.
    pub cast_s: f32,
}

/// What has happened.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThrongEventKind {
    /// The own character has used an ability, as it was predicted: to be shown at once. `target` is whom a shot meets as seen here.
    #[default]
    Used = 0,
    /// `by` has hit `target` with an ability, which changed its health by `change`.
    Hit = 1,
    /// `target` has died by `by`.
    Died = 2,
    /// The own wish to use an ability was refused; `reason` is the place of the reason in docs/protocol.md.
    Refused = 3,
    /// The own shot has met nobody; `reason` likewise.
    Missed = 4,
    /// `target` has come into view.
    Entered = 5,
    /// `target` has gone out of view.
    Left = 6,
    /// `by`, somebody else in view, has used an ability. Handed out when the others are shown as they were then: to be shown at once.
    OtherUsed = 7,
}

/// An event. What its kind does not speak of is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrongEvent {
    /// What.
    pub kind: ThrongEventKind,
    /// In which tick.
    pub tick: u32,
    /// By whom.
    pub by: u32,
    /// Whom; 0 for nobody.
    pub target: u32,
    /// With which ability, by its number.
    pub ability: u8,
    /// Why.
    pub reason: u8,
    /// By how much its health changed.
    pub change: f32,
    /// From where the ability was used: x, y, z, in metres.
    pub from_m: [f32; 3],
    /// Where to: of length 1.
    pub direction: [f32; 3],
}

/// What a client has seen so far.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrongStatistics {
    /// Snapshots received.
    pub snapshots: u64,
    /// Updates of others.
    pub updates: u64,
    /// Datagrams and messages that could not be understood.
    pub malformed: u64,
    /// UDP payload received and sent, in bytes.
    pub bytes_in: u64,
    /// See `bytes_in`.
    pub bytes_out: u64,
    /// From an input to the first snapshot that shows it applied, in milliseconds: the mean of the last ones, 0 before any.
    pub echo_ms: f32,
    /// By how much the own position was last predicted wrong, in metres.
    pub prediction_error_m: f32,
}

/// The version of these calls: the same number promises the same calls and layouts.
#[unsafe(no_mangle)]
pub extern "C" fn throng_version() -> u32 {
    1
}

/// What a `ThrongStatus` means, in English. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn throng_status_text(status: u32) -> *const c_char {
    const ALL: [ThrongStatus; 14] = [
        ThrongStatus::Ok,
        ThrongStatus::Nothing,
        ThrongStatus::NullPointer,
        ThrongStatus::BadText,
        ThrongStatus::UnknownHandle,
        ThrongStatus::BadAddress,
        ThrongStatus::BadToken,
        ThrongStatus::BadWorld,
        ThrongStatus::NoSocket,
        ThrongStatus::NotPlaying,
        ThrongStatus::TooSmall,
        ThrongStatus::NotSent,
        ThrongStatus::BadNumber,
        ThrongStatus::Internal,
    ];
    // A number, for C hands over any.
    let Some(status) = ALL.get(status as usize) else { return c"no such status".as_ptr() };
    let text: &CStr = match status {
        ThrongStatus::Ok => c"it worked",
        ThrongStatus::Nothing => c"there is nothing",
        ThrongStatus::NullPointer => c"a pointer is null that may not be",
        ThrongStatus::BadText => c"a text is not UTF-8",
        ThrongStatus::UnknownHandle => c"there is no client of this handle, or no longer",
        ThrongStatus::BadAddress => c"the address is not IP:PORT of a server on this computer that makes its own key",
        ThrongStatus::BadToken => c"the token is not one",
        ThrongStatus::BadWorld => c"the world's files cannot be read, or have mistakes: `throng check` tells which",
        ThrongStatus::NoSocket => c"the operating system gives no socket",
        ThrongStatus::NotPlaying => c"the client is not in the world",
        ThrongStatus::TooSmall => c"the buffer is too small",
        ThrongStatus::NotSent => c"the message is too long, or too many are under way",
        ThrongStatus::BadNumber => c"a number is not finite",
        ThrongStatus::Internal => c"a fault of the library; the client was closed",
    };
    text.as_ptr()
}
