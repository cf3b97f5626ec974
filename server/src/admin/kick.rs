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
use super::{Status, answer_to};

/// Has a client sent away, and answers when that is decided: it is told so with the next tick.
pub(super) async fn kick(
    State(status): State<Arc<Status>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if !status.may_kick {
        return refuse(
            StatusCode::FORBIDDEN,
            "nobody may be sent away over HTTP here: `kick = true` in [http] of the settings",
        );
    }
    let body = match read_order(peer.ip(), request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match parse(&body) {
        Ok(client) => answer_to(&status, Question::Kick { client }).await,
        Err(message) => refuse(StatusCode::BAD_REQUEST, &message),
    }
}

/// Reads `{"client": 5}`, or `{"client": "5"}` of programs whose numbers do not go as far.
///
/// # Errors
/// With what is wrong, for people.
fn parse(body: &[u8]) -> Result<ClientId, String> {
    const EXAMPLE: &str = "wanted: {\"client\": 5}";
    let fields = fields_of(body, &["client"], EXAMPLE)?;
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let client = fields.get("client").and_then(number);
    client.map(ClientId).ok_or_else(|| format!("client is the number of a client; {EXAMPLE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_and_what_is_wrong_with_it_is_said() {
        assert_eq!(parse(br#"{"client": 18446744073709551615}"#), Ok(ClientId(u64::MAX)));
        assert_eq!(parse(br#"{"client": "18446744073709551615"}"#), Ok(ClientId(u64::MAX)));
        for (body, part) in [
            ("", "not JSON"),
            ("5", "not an object"),
            ("{}", "client is the number"),
            (r#"{"client": -5}"#, "client is the number"),
            (r#"{"client": "five"}"#, "client is the number"),
            (r#"{"client": 5, "reason": "rude"}"#, "\"reason\" means nothing"),
        ] {
            let message = parse(body.as_bytes()).expect_err("it is wrong");
            assert!(message.contains(part) && message.contains("wanted:"), "{body}: {message}");
        }
    }
}
