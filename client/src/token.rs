//! Connect tokens, for programs that hold the key themselves: development, load tests.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use ring::rand::{SecureRandom, SystemRandom};
use throng_keys::{LocalKey, LocalKeyError};
use throng_shared::ids::ClientId;
use throng_shared::netcode::{self, ConnectToken, Key, PrivateToken};
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::key::{ConnectKey, is_loopback};
use throng_shared::wire::token::TokenData;

/// How long a token can be used to connect, in seconds.
const EXPIRES_AFTER_S: u64 = 60;

/// How long a connection lasts without a packet, in seconds.
const TIMEOUT_S: i32 = 10;

/// Why a token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The development key, which everybody knows, protects nothing beyond this machine; no other has the local key.
    #[error("the local key and the development key are for loopback addresses only, and {0} is not one: give a key")]
    NotLoopback(SocketAddr),
    /// No address, or too many.
    #[error("cannot make a connect token: {0}")]
    Token(#[from] netcode::TokenError),
    /// This computer's own key cannot be read.
    #[error("{0}")]
    LocalKey(#[from] LocalKeyError),
    /// The operating system gives no random numbers.
    #[error("cannot make a connect token: the system gives no random numbers")]
    Random,
}

/// A token for a server of the same user on this machine that was given no key, for the first of its worlds. Each token for
/// the same player is newer than the one before, and of the same session: it takes over.
///
/// # Errors
/// When `server` is not a loopback address, or no server has made the local key yet.
pub fn local_token(server: SocketAddr, client_id: u64) -> Result<ConnectToken, TokenError> {
    if !is_loopback(server.ip()) {
        return Err(TokenError::NotLoopback(server));
    }
    connect_token(&[server], ClientId(client_id), token_data(), &LocalKey::of_this_user()?.read()?)
}

/// As [`local_token`], but for a server that was started with `--development-key`, whoever started it.
///
/// # Errors
/// When `server` is not a loopback address.
pub fn development_token(server: SocketAddr, client_id: u64) -> Result<ConnectToken, TokenError> {
    connect_token(&[server], ClientId(client_id), token_data(), &ConnectKey::DEVELOPMENT)
}

/// What a token for session 0 of the first world says, made now.
pub fn token_data() -> TokenData {
    TokenData { issued_at_ms: unix_time().as_millis() as u64, ..TokenData::default() }
}

/// A token with which `client` may enter a world of the server at `servers`: an address for each of its network threads, the
/// first to be tried first. It is sealed with the server's key. A game's own login service makes such tokens; the key never
/// reaches players.
///
/// # Errors
/// When the development key is to be used for another machine, or there is no address or more than 32.
pub fn connect_token(
    servers: &[SocketAddr],
    client: ClientId,
    data: TokenData,
    key: &ConnectKey,
) -> Result<ConnectToken, TokenError> {
    if let Some(server) = servers.iter().find(|server| !key.is_allowed_at(server.ip())) {
        return Err(TokenError::NotLoopback(*server));
    }
    let mut random = [0; 24 + 32 + 32];
    SystemRandom::new().fill(&mut random).map_err(|_| TokenError::Random)?;
    let key_at = |start: usize| Key(std::array::from_fn(|place| random[start + place]));
    let private = PrivateToken {
        client_id: client.0,
        timeout_s: TIMEOUT_S,
        addresses: servers.to_vec(),
        client_to_server: key_at(24),
        server_to_client: key_at(56),
        user_data: data.encode(),
    };
    let nonce = std::array::from_fn(|place| random[place]);
    let now_s = unix_time().as_secs();
    Ok(ConnectToken::new(&private, PROTOCOL_ID, now_s, now_s + EXPIRES_AFTER_S, nonce, &Key(*key.bytes()))?)
}

/// Time since 1970; zero for a clock that is set to before it.
#[expect(clippy::disallowed_methods, reason = "tokens expire by the calendar")]
fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
