//! The other end of `/apply`, for `throng apply`: asks a running server over HTTP.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// How long is waited for an answer: longer than the server takes to say that nothing has come of it.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// Why there is no answer of use.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens, or not to us.
    #[error(
        "{address} does not answer: {source}\n  help: is a server running there? It says its HTTP address when it starts; name it with --admin"
    )]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What came is not what a server says.
    #[error("{address} does not answer as a server of this version does")]
    Strange {
        /// Where.
        address: SocketAddr,
    },
    /// The server refuses; the text is its own.
    #[error("{0}")]
    Refused(String),
}

/// Asks the server for a folder to be applied to a world. The answer is how the world is then.
///
/// # Errors
/// When the server refuses, or does not answer.
pub fn ask_to_apply(address: SocketAddr, world: u16, folder: &str) -> Result<Value, CallError> {
    let body = json!({ "world": world, "folder": folder }).to_string();
    call(
        address,
        &format!("POST /apply HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}", body.len()),
        &body,
    )
}

/// How the last change of a world that was applied fares; null when there is no such world.
///
/// # Errors
/// When the server does not answer.
pub fn ask_how_it_fares(address: SocketAddr, world: u16) -> Result<Value, CallError> {
    let mut answer = call(address, "GET /apply HTTP/1.1", "")?;
    Ok(answer["worlds"].get_mut(usize::from(world)).map(Value::take).unwrap_or_default())
}

fn call(address: SocketAddr, head: &str, body: &str) -> Result<Value, CallError> {
    let text = exchange(address, head, body).map_err(|source| CallError::Unreachable { address, source })?;
    let strange = || CallError::Strange { address };
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(strange)?;
    let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(strange)?;
    match status {
        200 => serde_json::from_str(body).map_err(|_| strange()),
        // Older ones do not know the address, and say nothing of it.
        _ if body.trim().is_empty() => Err(strange()),
        _ => Err(CallError::Refused(body.trim_end().to_owned())),
    }
}

fn exchange(address: SocketAddr, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    write!(stream, "{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n{body}")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    String::from_utf8(answer).map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))
}
