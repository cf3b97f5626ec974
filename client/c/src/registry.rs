//! Clients by their handles.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use throng_client::{Client, UdpTransport};
use throng_shared::input::PlayerInput;

use crate::types::{ThrongLink, ThrongStatus};

/// A client and what its caller has said.
pub(crate) struct Playing {
    pub(crate) client: Client<UdpTransport>,
    pub(crate) link: ThrongLink,
    /// The wish for each tick until another comes, without what is done once.
    pub(crate) input: PlayerInput,
    pub(crate) jumps: bool,
    pub(crate) echo_ms: f32,
    pub(crate) prediction_error_m: f32,
    start: Instant,
}

impl Playing {
    /// Made by `connect` at the beginning of its time.
    pub(crate) fn new(client: Client<UdpTransport>, link: ThrongLink) -> Playing {
        Playing {
            client,
            link,
            input: PlayerInput::default(),
            jumps: false,
            echo_ms: 0.0,
            prediction_error_m: 0.0,
            start: now(),
        }
    }

    /// The time on the client's own scale.
    pub(crate) fn now(&self) -> Duration {
        now().saturating_duration_since(self.start)
    }
}

#[expect(clippy::disallowed_methods, reason = "a game's frame loop has no other clock, and no tick runs in here")]
fn now() -> Instant {
    Instant::now()
}

/// A place for a client; its generation tells a new client from those that had the place before.
struct Place {
    generation: u32,
    playing: Option<Arc<Mutex<Playing>>>,
}

static PLACES: Mutex<Vec<Place>> = Mutex::new(Vec::new());

/// Keeps a client; its handle, which is never 0.
pub(crate) fn insert(playing: Playing) -> u64 {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let number = places.iter().position(|place| place.playing.is_none()).unwrap_or(places.len());
    if number == places.len() {
        places.push(Place { generation: 0, playing: None });
    }
    let place = &mut places[number];
    place.generation += 1;
    place.playing = Some(Arc::new(Mutex::new(playing)));
    u64::from(place.generation) << 32 | number as u64
}

/// Takes a client out.
fn remove(handle: u64) -> Option<Arc<Mutex<Playing>>> {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let place = places.get_mut(handle as u32 as usize)?;
    if u64::from(place.generation) == handle >> 32 { place.playing.take() } else { None }
}

/// Runs `call` with a client. Whatever goes wrong in it does not reach the caller's program.
pub(crate) fn with(handle: u64, call: impl FnOnce(&mut Playing) -> ThrongStatus) -> ThrongStatus {
    let playing = {
        let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.get(handle as u32 as usize).filter(|place| u64::from(place.generation) == handle >> 32);
        place.and_then(|place| place.playing.clone())
    };
    let Some(playing) = playing else { return ThrongStatus::UnknownHandle };
    let status = guarded(|| match playing.lock() {
        Ok(mut playing) => call(&mut playing),
        Err(_) => ThrongStatus::Internal,
    });
    if status == ThrongStatus::Internal {
        forget(handle);
    }
    status
}

/// Takes a client out; what goes wrong while it ends does not reach the caller's program either.
pub(crate) fn forget(handle: u64) {
    let _ = guarded(|| {
        drop(remove(handle));
        ThrongStatus::Ok
    });
}

/// Runs `call`, and answers for its panics.
pub(crate) fn guarded(call: impl FnOnce() -> ThrongStatus) -> ThrongStatus {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(ThrongStatus::Internal)
}
