//! Connect tokens, for programs that hold the key themselves: development, load tests.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use renetcode::ConnectToken;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;

/// How long a token can be used to connect, in seconds.
const EXPIRES_AFTER_S: u64 = 60;

/// How long a connection lasts without a packet, in seconds.
const TIMEOUT_S: i32 = 10;

/// Why a token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The development key, which everybody knows, protects nothing beyond this machine.
    #[error("the development key is for loopback addresses only, and {0} is not one: give a key")]
    NotLoopback(SocketAddr),
    /// The token could not be sealed.
    #[error("cannot make a connect token: {0}")]
    Generation(String),
}

/// A token for a server on this machine that runs with the development key.
///
/// # Errors
/// When `server` is not a loopback address.
pub fn development_token(server: SocketAddr, client_id: u64) -> Result<ConnectToken, TokenError> {
    connect_token(server, ClientId(client_id), InstanceId(0), &ConnectKey::DEVELOPMENT)
}

/// A token with which `client` may enter a world of the server at `server`, sealed with the server's key. A game's own
/// login service makes such tokens; the key never reaches players.
///
/// # Errors
/// When the development key is to be used for another machine.
pub fn connect_token(
    server: SocketAddr,
    client: ClientId,
    instance: InstanceId,
    key: &ConnectKey,
) -> Result<ConnectToken, TokenError> {
    if !key.is_allowed_at(server.ip()) {
        return Err(TokenError::NotLoopback(server));
    }
    let user_data = TokenData { instance }.encode();
    ConnectToken::generate(
        unix_time(),
        PROTOCOL_ID,
        EXPIRES_AFTER_S,
        client.0,
        TIMEOUT_S,
        vec![server],
        Some(&user_data),
        key.bytes(),
    )
    .map_err(|error| TokenError::Generation(error.to_string()))
}

/// Time since 1970; zero for a clock that is set to before it.
#[expect(clippy::disallowed_methods, reason = "tokens expire by the calendar")]
pub(crate) fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
