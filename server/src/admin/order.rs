//! What programs of this computer alone may have told and done over HTTP: who may ask, and how what they ask for is read.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::Status;

/// Longest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024;

/// How long the body of a request may take.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// As [`super::ask`], for this computer alone.
pub(super) async fn ask(
    state: State<Arc<Status>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    match check_sender(peer.ip(), request.headers()) {
        Ok(()) => super::ask(state, request.uri().clone()).await,
        Err(message) => refuse(StatusCode::FORBIDDEN, message),
    }
}

/// The body of a request of `peer`, if it may ask for anything to be done.
///
/// # Errors
/// With the answer, when it may not, or when what it sends is too long or does not come.
pub(super) async fn read_order(peer: IpAddr, mut request: Request) -> Result<Bytes, Response> {
    check_sender(peer, request.headers()).map_err(|message| refuse(StatusCode::FORBIDDEN, message))?;
    DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
    match tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Err(_) => Err(refuse(StatusCode::REQUEST_TIMEOUT, "the body does not come")),
        // It is longer, or has broken off.
        Ok(Err(rejection)) => Err(refuse(rejection.status(), &format!("{rejection}: at most {BODY_BYTES_MAX} bytes"))),
    }
}

/// What a request bears that a proxy has passed on, whoever it is from.
const PASSED_ON: [header::HeaderName; 2] = [header::FORWARDED, header::VIA];
const PASSED_ON_FOR: &str = "x-forwarded-for";

/// Only programs of this computer may change anything, wherever the server listens. Pages in a browser run on it too, and may send requests to any address:
/// those name where the page is from. What a proxy on it passes on is from elsewhere, if it says so.
fn check_sender(peer: IpAddr, headers: &HeaderMap) -> Result<(), &'static str> {
    if !peer.to_canonical().is_loopback() {
        return Err("this is for this computer alone: ask at a loopback address");
    }
    if headers.contains_key(header::ORIGIN) {
        return Err("this is not for web pages");
    }
    if !names_an_address(headers) {
        return Err("ask at an address or at localhost: another name may be a page's own for this computer");
    }
    if PASSED_ON.iter().any(|name| headers.contains_key(name)) || headers.contains_key(PASSED_ON_FOR) {
        return Err("a proxy has passed this on: ask at the server itself");
    }
    Ok(())
}

/// Whether a request says that it is for an address or `localhost`. A page can have its own name lead to this computer, and then asks as if it came
/// from here; only its name shows that.
fn names_an_address(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// The fields of a body that is a JSON object with none but the `known` ones.
///
/// # Errors
/// With what is wrong, for people, and the example of a right one.
pub(super) fn fields_of(body: &[u8], known: &[&str], example: &str) -> Result<Map<String, Value>, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}; {example}"))?;
    let Value::Object(fields) = body else { return Err(format!("not an object; {example}")) };
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(other) => Err(format!("{other:?} means nothing here; {example}")),
        None => Ok(fields),
    }
}

/// An answer that says why not.
pub(super) fn refuse(status: StatusCode, message: &str) -> Response {
    (status, format!("{}\n", message.trim_end())).into_response()
}

/// An answer in JSON.
pub(super) fn json(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{value}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn other_computers_and_web_pages_may_not_ask() {
        let mut headers = HeaderMap::new();
        for (ip, is_allowed) in [("127.0.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("192.0.2.1", false)] {
            let ip = ip.parse().expect("an address");
            assert_eq!(check_sender(ip, &headers).is_ok(), is_allowed, "{ip}");
        }
        for (host, is_allowed) in [
            ("127.0.0.1:7780", true),
            ("127.0.0.1", true),
            ("localhost:7780", true),
            ("[::1]:7780", true),
            ("[::1]", true),
            ("pages.example:7780", false),
            ("", false),
        ] {
            headers.insert(header::HOST, HeaderValue::from_static(host));
            assert_eq!(check_sender(IpAddr::from([127, 0, 0, 1]), &headers).is_ok(), is_allowed, "{host}");
        }
        for name in ["origin", "forwarded", "via", "x-forwarded-for"] {
            headers.clear();
            headers.insert(name, HeaderValue::from_static("http://127.0.0.1:7780"));
            assert!(check_sender(IpAddr::from([127, 0, 0, 1]), &headers).is_err(), "{name}");
        }
    }
}
