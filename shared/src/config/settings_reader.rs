//! Reads a settings file: its tables in the order of the reference page.

use std::net::SocketAddr;

use super::error::ConfigErrors;
use super::limits::{
    APPLY_WATCH_S_MAX, APPLY_WATCH_S_MIN, CLIENTS_MAX, HOLD_S_MAX, SETTINGS_FILE_BYTES_MAX, SPREAD_PERCENT_MAX,
    THREADS_MAX, WORKERS_MAX, WORLD_FOLDERS_MAX,
};
use super::load::WORLD_FILE_NAME;
use super::reader::{
    Choice, ChoiceHelp, FileFormat, FileSet, PathText, Presence, TableReader, Truth, address, number, shown_text_of,
    whole,
};
use super::settings::{ApplySettings, HTTP_BIND_DEFAULT, KeySource, NetSettings, ServerSettings};
use crate::wire::key::is_loopback;

/// Settings files.
pub(super) const SETTINGS_FORMAT: FileFormat<ServerSettings> = FileFormat {
    name: "the settings file",
    page: "docs/server-settings.md",
    bytes_max: SETTINGS_FILE_BYTES_MAX,
    can_include: false,
    read: read_file,
};

/// Reads the text of a settings file. `file_name` is only for messages. Opens no other file: whether the world folders
/// and the key's file exist is for the caller to find out.
///
/// # Errors
/// With every mistake in the file, not just the first.
pub fn read_settings(file_name: &str, text: &str) -> Result<ServerSettings, ConfigErrors> {
    let (settings, mistakes) = SETTINGS_FORMAT.check(file_name, text)?;
    mistakes.into_result(settings)
}

/// As [`read_settings`], and writes down what was read: the text of a settings file that says all of it, every key with its value, and beside
/// each where it is written or that it is a default.
///
/// # Errors
/// With every mistake in the file, not just the first.
pub fn read_and_show_settings(file_name: &str, text: &str) -> Result<(ServerSettings, String), ConfigErrors> {
    let files = FileSet::alone(file_name.to_owned(), text.into());
    let checked = SETTINGS_FORMAT.check_files(&files, true)?;
    checked.mistakes.into_result((checked.value, shown_text_of(&checked.shown)))
}

fn read_file(file: &mut TableReader<'_, '_>) -> ServerSettings {
    let default = ServerSettings::default();
    let doc = "Where players connect.";
    let net = file.table("net", Presence::Optional, doc, read_net);
    let doc = "What becomes of players whose connection breaks.";
    let hold_s = file.table("session", Presence::Optional, doc, |table| {
        let hold_doc = "How long the seat of a player whose connection broke is held: the character stays in the world, by default \
                        with a bot that plays on (`population.stand_ins` in the world file), and who comes back in time goes on with it. 0 for not at all.";
        table.optional("hold_s", whole(0, HOLD_S_MAX, "seconds"), default.hold_s, hold_doc)
    });
    let doc = "Health, metrics and questions, for operators and their tools. Whoever reaches this address may read them, but for the list of who is there.";
    let (http_bind, may_kick) = file.table("http", Presence::Optional, doc, read_http);
    let doc = "What `throng apply` may do: a changed world is taken over on trial, and taken back when a limit breaks that is declared here. A \
               limit is judged every 5 s, from the second time on: at first everybody is told much anew.";
    let apply = file.table("apply", Presence::Optional, doc, |table| read_apply(table, http_bind.is_some()));
    let doc = "How the simulation runs on this computer.";
    let threads = file.table("simulation", Presence::Optional, doc, |table| {
        let threads_doc = "Threads that simulate; 0 for one per core.";
        table.optional("threads", whole(0, THREADS_MAX, ""), default.threads, threads_doc)
    });
    let doc =
        "A world to run. Write one table per world; without any, the server runs the meadow that is built into it.";
    let world_folders = file.tables("world", 0..=WORLD_FOLDERS_MAX, doc, read_world_folder);
    ServerSettings { net, http_bind, may_kick, hold_s, apply, threads, world_folders }
}

/// Where the key comes from.
#[derive(Clone, Copy)]
enum KeyKind {
    Environment,
    File,
    Local,
}

/// The first is the default.
const KEY_KINDS: &[Choice<KeyKind>] = &[
    Choice {
        word: "environment",
        means: KeyKind::Environment,
        doc: "64 hexadecimal digits in the environment variable `THRONG_KEY`.",
    },
    Choice { word: "file", means: KeyKind::File, doc: "64 hexadecimal digits in the file `key_file`." },
    Choice {
        word: "local",
        means: KeyKind::Local,
        doc: "A random key that the server makes once and keeps in a file of the user's, where the tools on the same \
              computer find it. For a public server, choose one of the others.",
    },
];

const KEY_HELP: ChoiceHelp = ChoiceHelp {
    refused: &[(
        "development",
        "everybody knows that key, so that no settings file can choose it: write \"local\"; to use it all the same, remove \
         this line and start the server with --development-key",
    )],
    // For somebody who writes the key itself there.
    otherwise: "write where the key comes from, and put the key itself in THRONG_KEY or in a file",
};

fn read_net(table: &mut TableReader<'_, '_>) -> NetSettings {
    let default = NetSettings::default();
    let kind = address(default.bind.port());
    let bind_doc = "UDP address to listen at. `0.0.0.0` and `[::]` listen at every address of this computer; port 0 \
                    takes any free port.";
    let bind = table.optional("bind", kind, default.bind, bind_doc);
    let public_doc = "What clients connect to, when that is not `bind`, such as the address of the router in front.";
    let public_address = table.optional_without_default("public_address", kind, public_doc);
    check_public_address(table, bind, public_address);
    let workers_doc = "Network threads. Each has a socket of its own: the first that of `bind`, the others the ports after it; \
                       behind `public_address` likewise. A connect token names them all, and the client takes the first. 0 \
                       for one per two cores.";
    let workers = table.optional("workers", whole(0, WORKERS_MAX, "threads"), default.workers, workers_doc);
    let doc = "the ports from that of `bind` on, and from that of `public_address` on, suffice for all `workers`";
    let last_port = |address: SocketAddr| u32::from(address.port()) + workers.saturating_sub(1);
    let suffice = last_port(bind) <= 0xffff && public_address.is_none_or(|address| last_port(address) <= 0xffff);
    table.rule(&["bind", "workers"], doc, suffice, || "there is no port beyond 65535".to_owned());
    let spread_doc = "Over how much of a tick's time its snapshots are spread. 0 sends them as fast as it goes; more is kinder \
                      to a slow uplink, and makes what arrives that much older.";
    let spread = whole(0, SPREAD_PERCENT_MAX, "percent");
    let spread_percent = table.optional("spread_percent", spread, default.spread_percent, spread_doc);
    let clients = whole(1, CLIENTS_MAX, "clients");
    let clients_doc = "Most clients at once, in all worlds together.";
    let clients_max = table.optional("clients_max", clients, default.clients_max, clients_doc);
    let key_doc = "Where the key comes from with which connect tokens are sealed. Whoever knows it can let anybody in.";
    let key = table.choose_or_first("key", KEY_KINDS, &KEY_HELP, key_doc, |table, kind| match kind {
        KeyKind::Environment => KeySource::Environment,
        KeyKind::File => {
            let file_doc = "Path of the key's file, relative to the folder of this settings file unless absolute.";
            KeySource::File(table.required("key_file", PathText, file_doc))
        }
        KeyKind::Local => {
            check_loopback(table, bind, public_address);
            KeySource::Local
        }
    });
    NetSettings { bind, public_address, workers, spread_percent, clients_max, key: key.unwrap_or(default.key) }
}

fn check_public_address(table: &mut TableReader<'_, '_>, bind: SocketAddr, public_address: Option<SocketAddr>) {
    let doc = "`public_address` has an IP address other than 0.0.0.0 and [::], and a port other than 0";
    let is_reachable = |address: SocketAddr| !is_unspecified(address) && address.port() != 0;
    table.rule(&["public_address"], doc, public_address.is_none_or(is_reachable), || {
        "clients cannot connect to this".to_owned()
    });
    let doc = "`public_address` is written when the IP address of `bind` is 0.0.0.0 or [::]";
    let is_known = public_address.is_some() || !is_unspecified(bind);
    table.rule(&["bind", "public_address"], doc, is_known, || {
        format!(
            "{} stands for every address of this computer: say with public_address which one clients connect to",
            bind.ip()
        )
    });
}

/// The local key is not for a server that others can reach: nobody there has it.
fn check_loopback(table: &mut TableReader<'_, '_>, bind: SocketAddr, public_address: Option<SocketAddr>) {
    let doc = "with `key = \"local\"`, the IP addresses of `bind` and `public_address` are loopback ones, such as \
               127.0.0.1 or [::1]; a server with others has a key of its own, from `openssl rand -hex 32`";
    let is_loopback = |address: SocketAddr| is_loopback(address.ip());
    let (name, address) = match public_address {
        Some(address) if is_loopback(bind) => ("public_address", address),
        _ => ("bind", bind),
    };
    table.rule(&["key", name], doc, is_loopback(address), || {
        let ip = address.ip();
        format!("this key is for players of this computer, and {ip} can be reached from others")
    });
}

/// Also `::ffff:0.0.0.0`, which is 0.0.0.0 written as an IPv6 address.
fn is_unspecified(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_unspecified()
}

fn read_http(table: &mut TableReader<'_, '_>) -> (Option<SocketAddr>, bool) {
    let is_enabled = table.optional("enabled", Truth, true, "Whether they are served at all.");
    let bind_doc = "TCP address to listen at. Port 0 takes any free port.";
    let kind = address(HTTP_BIND_DEFAULT.port());
    let bind = table.optional("bind", kind, HTTP_BIND_DEFAULT, bind_doc);
    let kick_doc = "Whether whoever is on this computer may send a client away, by `POST /kick`. Programs on other computers and web pages \
                    never may.";
    let may_kick = table.optional("kick", Truth, false, kick_doc);
    let doc = "`kick` is false where `enabled` is: nobody could ask";
    table.rule(&["kick"], doc, is_enabled || !may_kick, || "nothing is served over HTTP".to_owned());
    (is_enabled.then_some(bind), may_kick)
}

fn read_apply(table: &mut TableReader<'_, '_>, has_http: bool) -> ApplySettings {
    let default = ApplySettings::default();
    let enabled_doc = "Whether whoever is on this computer may have a running world take over another folder, which lies beside its own, by `POST /apply` \
                       at `http.bind`. Programs on other computers and web pages never may.";
    let is_enabled = table.optional("enabled", Truth, default.is_enabled, enabled_doc);
    let doc = "`enabled` is false where `http.enabled` is: nobody could ask";
    table.rule(&["enabled"], doc, has_http || !is_enabled, || "nothing is served over HTTP".to_owned());
    let watch_doc = "How long a world is watched after a change. When no limit has broken by then, the change stays.";
    let watch = whole(APPLY_WATCH_S_MIN, APPLY_WATCH_S_MAX, "seconds");
    let watch_s = table.optional("watch_s", watch, default.watch_s, watch_doc);
    let tick_doc = "How long all but one of a hundred ticks may take. `throng plan` says how long they are likely to.";
    let tick_ms_p99_max = table.optional_without_default("tick_ms_p99_max", number(0.1, 1_000.0, "ms"), tick_doc);
    let bytes_doc = "How many bytes of snapshots a client may be sent, on average.";
    let bytes = whole(1, 10_000_000, "bytes per second");
    let client_bytes_per_s_max = table.optional_without_default("client_bytes_per_s_max", bytes, bytes_doc);
    let lost_doc = "By how much the number of players may fall below what it was at the change.";
    let lost = whole(0, 100, "percent");
    let players_lost_percent_max = table.optional_without_default("players_lost_percent_max", lost, lost_doc);
    ApplySettings { is_enabled, watch_s, tick_ms_p99_max, client_bytes_per_s_max, players_lost_percent_max }
}

fn read_world_folder(table: &mut TableReader<'_, '_>) -> String {
    let folder_doc = "Path of the world's folder, relative to the folder of this settings file unless absolute.";
    let folder = table.required("folder", PathText, folder_doc);
    let doc = "`folder` is the folder itself, not the `world.toml` in it";
    let is_folder = folder.rsplit(['/', '\\']).next() != Some(WORLD_FILE_NAME);
    table.rule(&["folder"], doc, is_folder, || format!("leave out {WORLD_FILE_NAME} at its end"));
    folder
}
