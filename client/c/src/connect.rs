//! A client begins and ends.

use std::ffi::{CStr, c_char};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use throng_client::{Client, UdpTransport, local_token};
use throng_shared::config::{LoadedWorld, builtin_world, load_world};
use throng_shared::link::LinkConditions;
use throng_shared::map::Map;
use throng_shared::netcode::ConnectToken;

use crate::registry::{Playing, forget, guarded, insert, with};
use crate::types::{ThrongLink, ThrongStatus};

/// Connects to a server that the same user runs on this computer without naming a key, as the player `client_id`.
///
/// `server` is IP:PORT, `name` the player's name, `world_folder` the folder of the world's files, or null for the world that is built in; `link` a bad
/// link to play over, or null. Texts end with a zero. The handle is written to `client`; connecting goes on within `throng_update`.
///
/// # Safety
/// Each pointer is null or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_connect_local(
    server: *const c_char,
    client_id: u64,
    name: *const c_char,
    world_folder: *const c_char,
    link: *const ThrongLink,
    client: *mut u64,
) -> ThrongStatus {
    guarded(|| {
        // SAFETY: the caller says so.
        let (server, name, folder) = unsafe { (text(server), text(name), optional_text(world_folder)) };
        let token = server.and_then(|server| local_token_for(server, client_id));
        // SAFETY: the caller says so.
        unsafe { begin(token, name, folder, link, client) }
    })
}

/// As `throng_connect_local`, with a token that a login service has made: 2,048 bytes.
///
/// # Safety
/// Each pointer is null or points to what it says; `token` to as many bytes as `token_bytes` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_connect(
    token: *const u8,
    token_bytes: usize,
    name: *const c_char,
    world_folder: *const c_char,
    link: *const ThrongLink,
    client: *mut u64,
) -> ThrongStatus {
    guarded(|| {
        // SAFETY: the caller says so.
        let (token, name, folder) =
            unsafe { (read_token(token, token_bytes), text(name), optional_text(world_folder)) };
        // SAFETY: the caller says so.
        unsafe { begin(token, name, folder, link, client) }
    })
}

/// Goes on over another connection, when one broke or the player's address has changed, with a newer token of the same session.
///
/// # Safety
/// `token` is null or points to as many bytes as `token_bytes` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_reconnect(client: u64, token: *const u8, token_bytes: usize) -> ThrongStatus {
    // SAFETY: the caller says so.
    let token = unsafe { read_token(token, token_bytes) };
    with(client, |playing| match token {
        Ok(token) => go_on(playing, token),
        Err(status) => status,
    })
}

/// The same for a client of `throng_connect_local`.
///
/// # Safety
/// `server` is null or points to a text that ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn throng_reconnect_local(client: u64, server: *const c_char, client_id: u64) -> ThrongStatus {
    // SAFETY: the caller says so.
    let server = unsafe { text(server) };
    with(client, |playing| match server.and_then(|server| local_token_for(server, client_id)) {
        Ok(token) => go_on(playing, token),
        Err(status) => status,
    })
}

/// Leaves the world, if the client is in it, and gives up the handle.
#[unsafe(no_mangle)]
pub extern "C" fn throng_close(client: u64) -> ThrongStatus {
    let status = with(client, |playing| {
        let now = playing.now();
        playing.client.leave(now);
        ThrongStatus::Ok
    });
    forget(client);
    status
}

/// # Safety
/// Each pointer is null or points to what it says.
unsafe fn begin(
    token: Result<ConnectToken, ThrongStatus>,
    name: Result<&str, ThrongStatus>,
    folder: Result<Option<&str>, ThrongStatus>,
    link: *const ThrongLink,
    client: *mut u64,
) -> ThrongStatus {
    // SAFETY: it is null or points to one.
    let link = unsafe { link.as_ref() }.copied().unwrap_or_default();
    // SAFETY: it is null or points to one.
    let Some(client) = (unsafe { client.as_mut() }) else { return ThrongStatus::NullPointer };
    *client = 0;
    let made = token.and_then(|token| make(token, name?, folder?, link));
    match made {
        Ok(playing) => {
            *client = insert(playing);
            ThrongStatus::Ok
        }
        Err(status) => status,
    }
}

fn make(token: ConnectToken, name: &str, folder: Option<&str>, link: ThrongLink) -> Result<Playing, ThrongStatus> {
    let world = read_world(folder)?;
    let map = Map::new(&world.config, world.terrain_samples.as_ref()).map_err(|_| ThrongStatus::BadWorld)?;
    let transport = transport(token, link, Duration::ZERO)?;
    Ok(Playing::new(Client::new(transport, Arc::new(map), &world, name), link))
}

fn read_world(folder: Option<&str>) -> Result<LoadedWorld, ThrongStatus> {
    let Some(folder) = folder else { return Ok(builtin_world()) };
    load_world(folder, |name| std::fs::read(Path::new(folder).join(name))).map_err(|_| ThrongStatus::BadWorld)
}

fn transport(token: ConnectToken, link: ThrongLink, now: Duration) -> Result<UdpTransport, ThrongStatus> {
    let ThrongLink { one_way_ms, jitter_ms, loss_percent } = link;
    if ![one_way_ms, jitter_ms, loss_percent].iter().all(|number| number.is_finite() && *number >= 0.0) {
        return Err(ThrongStatus::BadNumber);
    }
    let conditions = LinkConditions { one_way_ms, jitter_ms, loss_percent, ..LinkConditions::default() };
    let seed = token.created_at_s;
    let transport = UdpTransport::connect(token, now).map_err(|_| ThrongStatus::NoSocket)?;
    Ok(if conditions.is_perfect() { transport } else { transport.with_conditions(conditions, seed) })
}

fn go_on(playing: &mut Playing, token: ConnectToken) -> ThrongStatus {
    match transport(token, playing.link, playing.now()).map(|transport| playing.client.reconnect(transport)) {
        Ok(true) => ThrongStatus::Ok,
        Ok(false) => ThrongStatus::NotPlaying,
        Err(status) => status,
    }
}

fn local_token_for(server: &str, client_id: u64) -> Result<ConnectToken, ThrongStatus> {
    let server: SocketAddr = server.parse().map_err(|_| ThrongStatus::BadAddress)?;
    local_token(server, client_id).map_err(|_| ThrongStatus::BadAddress)
}

/// # Safety
/// `bytes` is null or points to so many.
unsafe fn read_token(bytes: *const u8, length: usize) -> Result<ConnectToken, ThrongStatus> {
    if bytes.is_null() {
        return Err(ThrongStatus::NullPointer);
    }
    // SAFETY: the caller says so.
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
    ConnectToken::decode(bytes).map_err(|_| ThrongStatus::BadToken)
}

/// # Safety
/// `bytes` is null or points to a text that ends with a zero.
pub(crate) unsafe fn text<'t>(bytes: *const c_char) -> Result<&'t str, ThrongStatus> {
    if bytes.is_null() {
        return Err(ThrongStatus::NullPointer);
    }
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(bytes) }.to_str().map_err(|_| ThrongStatus::BadText)
}

/// # Safety
/// `bytes` is null or points to a text that ends with a zero.
unsafe fn optional_text<'t>(bytes: *const c_char) -> Result<Option<&'t str>, ThrongStatus> {
    // SAFETY: the caller says so.
    if bytes.is_null() { Ok(None) } else { unsafe { text(bytes) }.map(Some) }
}
