//! The real program as a child process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;

use throng_client::{CloseReason, State, TransportEnd};
use throng_keys::LocalKey;
use throng_shared::netcode::ClientEnd;
use throng_shared::wire::key::ConnectKey;

use super::{Folder, PATIENCE, Player, wait_until};

/// A running server of this machine, on free ports. Killed when it is dropped before it has stopped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) game: SocketAddr,
    /// An address for each network thread; the first is `game`.
    pub(crate) games: Vec<SocketAddr>,
    pub(crate) http: SocketAddr,
    /// What it printed when it had started.
    pub(crate) greeting: String,
    child: Killed,
    folder: Folder,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// None when a signal ended it.
    pub(crate) exit_code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What came over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Server {
    /// Starts a server in `folder`, the current one for whatever `arguments` name, and waits until it listens.
    pub(crate) fn start_in(folder: Folder, arguments: &[&str]) -> Server {
        Server::start_with(folder, arguments, &[])
    }

    /// As [`Server::start_in`], with these variables in its environment.
    pub(crate) fn start_with(folder: Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Server {
        let mut command = program(folder.path(), folder.path());
        command.envs(variables.iter().copied());
        command.args(["--bind", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ready-file", "ready.json"]);
        // As many ports as the machine likes would make the greeting depend on it.
        if !arguments.contains(&"--workers") {
            command.args(["--workers", "1"]);
        }
        command.args(arguments);
        let mut child = spawn(&mut command, Stdio::piped(), folder.path());
        let output = child.0.stdout.take().expect("it is piped");
        let stderr = || fs::read_to_string(folder.path().join("stderr")).unwrap_or_default();
        let Some(greeting) = read_greeting(output) else { panic!("it does not start: {}", stderr()) };
        let text = fs::read_to_string(folder.path().join("ready.json")).expect("it is written before the greeting");
        let ready: serde_json::Value = serde_json::from_str(&text).expect("the ready file is JSON");
        assert_eq!(ready["pid"], child.0.id());
        let address = |key: &str| ready[key].as_str().and_then(|text| text.parse().ok()).expect("an address");
        let games = ready["games"].as_array().expect("a list").iter();
        let games = games.map(|text| text.as_str().and_then(|text| text.parse().ok()).expect("an address")).collect();
        let server = Server { game: address("game"), games, http: address("http"), greeting, child, folder };
        // The thread that answers heeds signals too, from before its first answer.
        assert_eq!(server.get("/healthz").body, "ok\n");
        server
    }

    /// Starts a server with the settings and the world that are built into it, and the development key.
    pub(crate) fn start() -> Server {
        Server::start_in(Folder::new(), &["--development-key"])
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", "")
    }

    /// Asks with a body, and with more headers, each ended by a line break.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect_timeout(&self.http, PATIENCE).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout is possible");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("a request can be sent");
        // Who has been refused by then does not read on.
        let _ = stream.write_all(body.as_bytes());
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer comes");
        let (head, body) = text.split_once("\r\n\r\n").expect("there is an empty line below the headers");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("there is a status");
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// The value of a metric, written with its labels.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").body;
        let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.next().map(|value| value.parse().expect("a metric is a number"))
    }

    /// The value of a metric of the world with this name and number.
    pub(crate) fn world_metric(&self, name: &str, world: &str, number: u16) -> Option<f64> {
        self.metric(&format!("{name}{{world=\"{world}\",number=\"{number}\"}}"))
    }

    /// Waits until it knows of nobody any more in the world with this name and number.
    pub(crate) fn wait_until_empty(&self, world: &str, number: u16) {
        wait_until("everybody has left", || {
            self.world_metric("throng_players", world, number) == Some(0.0)
                && self.metric("throng_net_connected") == Some(0.0)
        });
    }

    /// Where it was started.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.0.id().to_string()]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// The local key that it makes and reads.
    pub(crate) fn local_key(&self) -> LocalKey {
        LocalKey::at(self.folder.path().join("state/throng/local.key"))
    }

    /// Asks for a connection with a token that is sealed with this key, in vain.
    pub(crate) fn refuses(&self, key: &ConnectKey) {
        let seal = "throng_net_handshakes_refused_total{reason=\"seal\"}";
        let before = self.metric(seal).unwrap_or(0.0);
        let mut stranger = Player::connect(self.game, key).hasty();
        stranger.play_until("nobody answers", |client| client.is_closed());
        let State::Closed(CloseReason::Transport(reason)) = stranger.state() else { panic!("{:?}", stranger.state()) };
        assert_eq!(*reason, TransportEnd::Netcode(ClientEnd::RequestTimedOut));
        wait_until("the refusals are counted", || self.metric(seal).is_some_and(|count| count > before + 1.0));
    }

    /// Stops it; its folder is for the next.
    pub(crate) fn stop(mut self) -> Folder {
        self.signal("TERM");
        let finished = self.child.wait(self.folder.path());
        assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
        self.folder
    }

    /// Waits until it has stopped by itself.
    pub(crate) fn wait(mut self) -> Finished {
        self.child.wait(self.folder.path())
    }
}

/// Runs the program in `folder` until it ends, on free ports unless `arguments` say otherwise.
pub(crate) fn run<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Finished {
    run_with(folder, arguments, &[])
}

/// As [`run`], with these variables in its environment.
pub(crate) fn run_with<'a>(
    folder: &Path,
    arguments: impl IntoIterator<Item = &'a str>,
    variables: &[(&str, &str)],
) -> Finished {
    let output = Folder::new();
    let mut command = program(folder, output.path());
    command.env("THRONG_BIND", "127.0.0.1:0").env("THRONG_HTTP", "127.0.0.1:0").args(arguments);
    command.envs(variables.iter().copied());
    let stdout = File::create(output.path().join("stdout")).expect("a file can be made");
    spawn(&mut command, stdout.into(), output.path()).wait(output.path())
}

/// The program, with nothing in its environment that this one was given. It makes its local key below `state`, for the
/// user's own is nothing to a test. Several run at once on few cores, so each gets one thread for its worlds.
fn program(folder: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("THRONG_")) {
        command.env_remove(name);
    }
    command.env("XDG_STATE_HOME", state.join("state")).env("THRONG_THREADS", "1");
    command
}

fn spawn(command: &mut Command, stdout: Stdio, output: &Path) -> Killed {
    // A file never fills up, as a pipe does that nobody reads.
    let stderr = File::create(output.join("stderr")).expect("a file can be made");
    Killed(command.stdout(stdout).stderr(stderr).spawn().expect("the program can be started"))
}

/// Reads the greeting to its end; none when the program ends before, or says nothing for too long. Nobody reads on
/// after it: a server must bear that.
fn read_greeting(output: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut greeting = String::new();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            greeting += &format!("{line}\n");
            if line.starts_with("Stop it") {
                // Whoever waits for this may have given up.
                let _ = sender.send(greeting);
                return;
            }
        }
    });
    receiver.recv_timeout(PATIENCE).ok()
}

/// A child process that does not outlive its test.
#[derive(Debug)]
struct Killed(Child);

impl Killed {
    fn wait(&mut self, output: &Path) -> Finished {
        let mut status = None;
        wait_until("the program ends", || {
            status = self.0.try_wait().expect("it is our child");
            status.is_some()
        });
        let read = |name| String::from_utf8_lossy(&fs::read(output.join(name)).unwrap_or_default()).into_owned();
        let exit_code = status.and_then(|status| status.code());
        let finished = Finished { exit_code, stdout: read("stdout"), stderr: read("stderr") };
        assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
        finished
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // One that has ended already cannot be killed; it has been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
