//! `/apply`: how changes on trial fare, and to have one applied.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use throng_shared::ids::InstanceId;

use super::Status;
use super::order::{fields_of, json, read_order, refuse};
use crate::reload::ApplyRefusal;

/// Longest name or path of a folder, in bytes.
const FOLDER_BYTES_MAX: usize = 1_024;

/// How long an answer is waited for: files are looked at four times a second, and large ones take a moment to read.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Tells how changes on trial fare.
pub(super) async fn tell(State(status): State<Arc<Status>>) -> Response {
    json(&status.reloads.applies.to_json())
}

/// Has a world take over another folder, and answers when it has, or has not.
pub(super) async fn apply(
    State(status): State<Arc<Status>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let body = match read_order(peer.ip(), request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let (world, folder) = match parse(&body) {
        Ok(asked) => asked,
        Err(message) => return refuse(StatusCode::BAD_REQUEST, &message),
    };
    let answer = match status.reloads.applies.ask(world, &folder) {
        Ok(answer) => answer,
        Err(refusal) => return refuse(status_of(refusal), &refusal.to_string()),
    };
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(Ok(world))) => json(&world),
        Ok(Ok(Err(problem))) => refuse(StatusCode::UNPROCESSABLE_ENTITY, &problem),
        Ok(Err(_)) | Err(_) => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "nothing has come of it yet: GET /apply tells when it has")
        }
    }
}

/// Reads `{"folder": "meadow-wide", "world": 0}`; without `world`, the first.
///
/// # Errors
/// With what is wrong, for people.
fn parse(body: &[u8]) -> Result<(InstanceId, String), String> {
    const EXAMPLE: &str = "wanted: {\"folder\": \"meadow-wide\", \"world\": 0}";
    let fields = fields_of(body, &["folder", "world"], EXAMPLE)?;
    let folder = fields.get("folder").and_then(Value::as_str);
    let folder = folder.filter(|folder| !folder.is_empty() && folder.len() <= FOLDER_BYTES_MAX);
    let folder = folder.ok_or_else(|| format!("folder is a text of 1 to {FOLDER_BYTES_MAX} bytes; {EXAMPLE}"))?;
    let world = fields.get("world").map_or(Some(0), Value::as_u64).and_then(|world| u16::try_from(world).ok());
    let world = world.ok_or_else(|| format!("world is the number of a world; {EXAMPLE}"))?;
    Ok((InstanceId(world), folder.to_owned()))
}

fn status_of(refusal: ApplyRefusal) -> StatusCode {
    match refusal {
        ApplyRefusal::Disabled => StatusCode::FORBIDDEN,
        ApplyRefusal::NoWorld => StatusCode::NOT_FOUND,
        ApplyRefusal::BuiltIn | ApplyRefusal::Busy => StatusCode::CONFLICT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_what_is_wrong_with_it_is_said() {
        let wide = |world| Ok((InstanceId(world), "wide".to_owned()));
        assert_eq!(parse(br#"{"folder": "wide"}"#), wide(0));
        assert_eq!(parse(br#"{"world": 3, "folder": "wide"}"#), wide(3));
        let long = format!("{{\"folder\": \"{}\"}}", "x".repeat(FOLDER_BYTES_MAX + 1));
        for (body, part) in [
            ("", "not JSON"),
            ("[]", "not an object"),
            ("{}", "folder is a text"),
            (r#"{"folder": 7}"#, "folder is a text"),
            (r#"{"folder": ""}"#, "folder is a text"),
            (long.as_str(), "folder is a text"),
            (r#"{"folder": "a", "world": -1}"#, "number of a world"),
            (r#"{"folder": "a", "world": 70000}"#, "number of a world"),
            (r#"{"folder": "a", "limits": {}}"#, "\"limits\" means nothing"),
        ] {
            let message = parse(body.as_bytes()).expect_err("it is wrong");
            assert!(message.contains(part) && message.contains("wanted:"), "{body}: {message}");
        }
        assert!(parse(&[0xff; 40]).is_err() && parse("[".repeat(4_000).as_bytes()).is_err());
    }
}
