//! `/kick`: has a client sent away.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use throng_shared::ids::ClientId;

use super::order::{fields_of, read_order, refuse};
use super::questions::Question;
use super::{Status, put};

/// Has a client sent away, and answers when it is told so.
pub(super) async fn kick(
    State(status): State<Arc<Status>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let body = match read_order(peer.ip(), request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match parse(&body) {
        Ok(client) => put(&status, Question::Kick { client }).await,
        Err(message) => refuse(StatusCode::BAD_REQUEST, &message),
    }
}

/// Reads `{"client": 5}`.
///
/// # Errors
/// With what is wrong, for people.
fn parse(body: &[u8]) -> Result<ClientId, String> {
    const EXAMPLE: &str = "wanted: {\"client\": 5}";
    let fields = fields_of(body, &["client"], EXAMPLE)?;
    let client = fields.get("client").and_then(Value::as_u64);
    client.map(ClientId).ok_or_else(|| format!("client is the number of a client; {EXAMPLE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_and_what_is_wrong_with_it_is_said() {
        assert_eq!(parse(br#"{"client": 18446744073709551615}"#), Ok(ClientId(u64::MAX)));
        for (body, part) in [
            ("", "not JSON"),
            ("5", "not an object"),
            ("{}", "client is the number"),
            (r#"{"client": -5}"#, "client is the number"),
            (r#"{"client": "5"}"#, "client is the number"),
            (r#"{"client": 5, "reason": "rude"}"#, "\"reason\" means nothing"),
        ] {
            let message = parse(body.as_bytes()).expect_err("it is wrong");
            assert!(message.contains(part) && message.contains("wanted:"), "{body}: {message}");
        }
    }
}
