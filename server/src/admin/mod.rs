//! HTTP for operators: health, readiness, metrics, questions about clients, sending one away, and changes on trial. And signals, which share the thread.

mod apply;
pub mod call;
mod kick;
mod order;
mod questions;

pub use questions::Questions;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use throng_shared::config::ServerSettings;

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::reload::ReloadDesk;
use order::{json, refuse};
use questions::Question;

/// A server whose last tick is older than this is not ready.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// How long a question waits for an answer: a world ticks at least ten times in it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How the server is, told by the tick thread and read by others.
pub struct Status {
    /// The metrics.
    pub metrics: Metrics,
    /// What operators want to know of the worlds.
    pub questions: Questions,
    /// Changed files of worlds.
    pub reloads: ReloadDesk,
    may_kick: bool,
    clock: Arc<dyn Clock>,
    /// Time of the last tick, in nanoseconds; 0 for none yet.
    ticked_at_ns: AtomicU64,
    is_stopping: AtomicBool,
}

impl Status {
    /// A server of these worlds that has not ticked yet; the first `folders` of them come from folders.
    pub fn new(
        clock: Arc<dyn Clock>,
        settings: &ServerSettings,
        world_names: impl Iterator<Item = String>,
        folders: usize,
    ) -> Status {
        Status {
            metrics: Metrics::default(),
            questions: Questions::default(),
            reloads: ReloadDesk::new(settings.apply, world_names, folders),
            may_kick: settings.may_kick,
            clock,
            ticked_at_ns: AtomicU64::new(0),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// The tick thread is alive at `now`.
    pub fn note_tick(&self, now: Duration) {
        self.ticked_at_ns.store(now.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Asks the server to stop.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked the server to stop.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Why no players should be sent here now; none when they may come.
    fn unready_reason(&self) -> Option<&'static str> {
        let ticked_at = Duration::from_nanos(self.ticked_at_ns.load(Ordering::Relaxed));
        if self.is_stopping() {
            Some("stopping\n")
        } else if ticked_at == Duration::ZERO {
            Some("starting: no tick yet\n")
        } else if self.clock.now().saturating_sub(ticked_at) > READY_WITHIN {
            Some("stalled: the last tick is more than a second ago\n")
        } else {
            None
        }
    }
}

/// Runs the control thread: serves HTTP on `listener`, if there is one, and stops the server on Ctrl-C and SIGTERM.
///
/// # Errors
/// When the operating system grants no thread or no signals.
pub fn spawn_control(status: Arc<Status>, listener: Option<TcpListener>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(listener) = &listener {
        listener.set_nonblocking(true)?;
    }
    // Registered before anything is announced: a signal that comes right after is then not the default's to handle.
    let mut signals = {
        let _context = runtime.enter();
        Signals::register()?
    };
    std::thread::Builder::new().name("control".to_owned()).spawn(move || {
        runtime.block_on(async {
            let serving = listener.map(|listener| tokio::spawn(serve(listener, Arc::clone(&status))));
            signals.next().await;
            status.stop();
            // Whoever asks a second time does not want to wait for goodbyes.
            signals.next().await;
            drop(serving);
            std::process::exit(130);
        });
    })?;
    Ok(())
}

async fn serve(listener: TcpListener, status: Arc<Status>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(listener, router(status).into_make_service_with_connect_info::<SocketAddr>()).await
}

fn router(status: Arc<Status>) -> Router {
    Router::new()
        .route(
            "/",
            get(|| async {
                "Throng\n\n\
                 /healthz  the process answers\n\
                 /readyz   the world ticks\n\
                 /metrics  Prometheus\n\
                 /config   which version of its files each world goes by, what changed last, and what was refused\n\
                 /apply    how changes that were applied fare; POST {\"folder\": …, \"world\": 0} applies one, from this computer\n\
                 /clients?world=&from=  who is in a world, a few hundred from a number on, for this computer\n\
                 /kick     POST {\"client\": 5} sends a client away, from this computer\n\
                 /explain?client=&entity=  why a client is told of a character, or is not\n\
                 /ledger?client=  where a client's bytes went; without a client, those of the world\n\
                 /shots?client=  a client's last shots with what they were judged by, and what was refused of it; without a client, everybody's\n"
            }),
        )
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/config", get(config))
        .route("/apply", get(apply::tell).post(apply::apply))
        .route("/clients", get(order::ask))
        .route("/kick", post(kick::kick))
        .route("/explain", get(ask))
        .route("/ledger", get(ask))
        .route("/shots", get(ask))
        .with_state(status)
}

async fn ready(State(status): State<Arc<Status>>) -> impl IntoResponse {
    match status.unready_reason() {
        None => (StatusCode::OK, "ready\n"),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

async fn metrics(State(status): State<Arc<Status>>) -> impl IntoResponse {
    const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], status.metrics.to_text())
}

async fn config(State(status): State<Arc<Status>>) -> impl IntoResponse {
    json(&status.reloads.to_json())
}

/// Puts a question to the tick thread.
async fn ask(State(status): State<Arc<Status>>, uri: Uri) -> Response {
    let question = match Question::parse(uri.path(), uri.query().unwrap_or_default()) {
        Ok(question) => question,
        Err(message) => return refuse(StatusCode::BAD_REQUEST, &message),
    };
    answer_to(&status, question).await
}

/// What comes of a question.
async fn answer_to(status: &Status, question: Question) -> Response {
    let Some(answer) = status.questions.ask(question) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many questions wait already");
    };
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(Some(answer))) => json(&answer),
        Ok(Ok(None)) => refuse(StatusCode::NOT_FOUND, "there is no such world or client, or it has no such thing"),
        Ok(Err(_)) | Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "the world does not tick"),
    }
}

/// The operating system's requests to stop: Ctrl-C and SIGTERM.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn register() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The operating system's request to stop: Ctrl-C.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn register() -> std::io::Result<Signals> {
        Ok(Signals(tokio::signal::windows::ctrl_c()?))
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_server_is_ready_only_while_it_ticks() {
        let clock = Arc::new(ManualClock::default());
        let status = Status::new(clock.clone(), &ServerSettings::default(), std::iter::empty(), 0);
        assert!(status.unready_reason().is_some_and(|reason| reason.starts_with("starting")));
        clock.set(Duration::from_secs(5));
        status.note_tick(Duration::from_secs(5));
        assert_eq!(status.unready_reason(), None);
        clock.set(Duration::from_secs(7));
        assert!(status.unready_reason().is_some_and(|reason| reason.starts_with("stalled")));
        status.note_tick(Duration::from_secs(7));
        status.stop();
        assert_eq!(status.unready_reason(), Some("stopping\n"));
    }
}
