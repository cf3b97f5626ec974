//! Connects a swarm, lets it play, and measures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use throng_shared::ids::ClientId;
use throng_shared::map::{Map, TerrainError};
use throng_shared::wire::token::TokenData;

use super::SwarmOptions;
use super::completeness::Completeness;
use super::member::Member;
use super::report::{Measurement, SwarmReport};
use crate::client::Client;
use crate::state::State;
use crate::token::{TokenError, connect_token, token_data};
use crate::transport::ClientTransport;
use crate::udp::UdpTransport;
use crate::wanderer::Wanderer;

/// New connections per second.
const CONNECTS_PER_S: f64 = 500.0;

/// How long all may take to get in, after the last has started.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long they play before it counts: the paces of inputs settle.
const SETTLE: Duration = Duration::from_secs(3);

/// How often everybody is looked after, events or not.
const SCAN_INTERVAL: Duration = Duration::from_millis(1);

/// How long links may take to deliver what was said on parting.
const PARTING_MAX: Duration = Duration::from_secs(2);

/// Everybody's connection is moved along at least this often.
const UPKEEP_INTERVAL: Duration = Duration::from_millis(50);

/// Why a swarm could not start.
#[derive(Debug, thiserror::Error)]
pub enum SwarmError {
    /// No token for the server.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The operating system refuses sockets.
    #[error(
        "cannot open a socket for client {number} of {clients}: {source} (is the limit on open files, `ulimit -n`, too low?)"
    )]
    Socket {
        /// The client, counted from 1.
        number: u32,
        /// How many there are to be.
        clients: u32,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The operating system refuses to wait.
    #[error("cannot wait for datagrams: {0}")]
    Wait(#[from] std::io::Error),
    /// The world has no ground.
    #[error(transparent)]
    Terrain(#[from] TerrainError),
}

/// How far a swarm is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Clients in the world.
    pub playing: u32,
    /// Clients that could not get in, or were lost.
    pub failed: u32,
    /// How much has been measured; none while they connect and settle.
    pub measured: Option<Duration>,
}

struct Swarm<'o> {
    options: &'o SwarmOptions,
    map: Arc<Map>,
    poll: Poll,
    members: Vec<Member>,
    start: Instant,
    failures: BTreeMap<String, u32>,
}

/// Runs a swarm to its end. `watch` is called some times a second.
///
/// # Errors
/// When it cannot start; clients that fail are counted in the report.
pub fn run(options: &SwarmOptions, watch: &mut dyn FnMut(Progress)) -> Result<SwarmReport, SwarmError> {
    let map = Arc::new(Map::new(&options.world.config, options.world.terrain_samples.as_ref())?);
    #[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
    let start = Instant::now();
    let mut swarm = Swarm { options, map, poll: Poll::new()?, members: Vec::new(), start, failures: BTreeMap::new() };
    swarm.connect(watch)?;
    let settled_at = swarm.start.elapsed() + SETTLE;
    swarm.play_until(settled_at, &mut |swarm, _| watch(swarm.progress(None)))?;
    let measurement_start = swarm.start.elapsed();
    let before = Measurement::take(&mut swarm.members);
    let mut completeness = Completeness::default();
    let mut visible = Vec::new();
    let mut next_look = measurement_start;
    swarm.play_until(measurement_start + options.measured, &mut |swarm, now| {
        if now >= next_look {
            next_look += Duration::from_secs(1);
            completeness.look(&swarm.members, &swarm.options.world.config.interest);
            visible.extend(swarm.members.iter().filter(|m| m.was_playing).map(|m| m.client.replica().len() as u32));
        }
        watch(swarm.progress(Some(now - measurement_start)));
    })?;
    let elapsed = swarm.start.elapsed() - measurement_start;
    let after = Measurement::take(&mut swarm.members);
    let report = SwarmReport::new(options, &before, &after, elapsed, &completeness, &visible, &swarm.failures);
    swarm.leave()?;
    Ok(report)
}

impl Swarm<'_> {
    /// Starts all clients, a few at a time, until each is in the world or has failed.
    fn connect(&mut self, watch: &mut dyn FnMut(Progress)) -> Result<(), SwarmError> {
        let mut give_up_at = None;
        loop {
            let now = self.start.elapsed();
            let due = (now.as_secs_f64() * CONNECTS_PER_S) as u32 + 1;
            while (self.members.len() as u32) < due.min(self.options.clients) {
                self.add_member(now)?;
            }
            let is_started = self.members.len() as u32 == self.options.clients;
            let progress = self.progress(None);
            watch(progress);
            if is_started && progress.playing + progress.failed >= self.options.clients {
                return Ok(());
            }
            if is_started && now >= *give_up_at.get_or_insert(now + CONNECT_TIMEOUT) {
                let missing = self.options.clients - progress.playing - progress.failed;
                *self.failures.entry("no answer from the server in time".to_owned()).or_default() += missing;
                return Ok(());
            }
            self.play_until(now + Duration::from_millis(20), &mut |_, _| ())?;
        }
    }

    fn add_member(&mut self, now: Duration) -> Result<(), SwarmError> {
        let options = self.options;
        let number = self.members.len() as u32;
        let client_id = ClientId(options.first_client_id + u64::from(number));
        // Each network thread of the server gets its share.
        let mut servers = options.servers.clone();
        let first = number as usize % servers.len().max(1);
        servers.rotate_left(first);
        let data = TokenData { instance: options.instance, ..token_data() };
        let token = connect_token(&servers, client_id, data, &options.key)?;
        let fail = |source| SwarmError::Socket { number: number + 1, clients: options.clients, source };
        let transport = UdpTransport::connect(token, now).map_err(fail)?;
        let mut transport = transport.with_conditions(options.conditions, options.seed ^ client_id.0);
        transport.register(self.poll.registry(), Token(number as usize)).map_err(fail)?;
        let name = format!("swarm-{number}");
        let client = Client::new(transport, Arc::clone(&self.map), &options.world, &name);
        self.members.push(Member::new(client, Wanderer::new(options.seed, number, &options.world.config)));
        Ok(())
    }

    /// Lets everybody play until `end`, calling `look` some 50 times a second.
    fn play_until(&mut self, end: Duration, look: &mut dyn FnMut(&mut Self, Duration)) -> Result<(), SwarmError> {
        let mut events = Events::with_capacity(1_024);
        let mut next_scan = Duration::ZERO;
        let mut next_upkeep = Duration::ZERO;
        loop {
            let now = self.start.elapsed();
            if now >= end {
                return Ok(());
            }
            wait(&mut self.poll, &mut events)?;
            for event in &events {
                let now = self.start.elapsed();
                self.members[event.token().0].client.update(now);
            }
            let now = self.start.elapsed();
            if now >= next_scan {
                next_scan = now + SCAN_INTERVAL;
                let is_upkeep = now >= next_upkeep;
                self.scan(is_upkeep);
                if is_upkeep {
                    next_upkeep = now + UPKEEP_INTERVAL;
                    self.note_failures();
                    look(self, now);
                }
            }
        }
    }

    /// Lets those play whose turn it is, and those receive whose bad link delivers now or whose socket has more.
    fn scan(&mut self, is_upkeep: bool) {
        for member in &mut self.members {
            let now = self.start.elapsed();
            let transport = member.client.transport();
            if is_upkeep || transport.has_more() || transport.next_due().is_some_and(|due| due <= now) {
                member.client.update(now);
            }
            member.play(now);
        }
    }

    /// Everybody leaves. On bad links what they say on parting is still under way then, and is seen off.
    fn leave(&mut self) -> Result<(), SwarmError> {
        let now = self.start.elapsed();
        self.members.iter_mut().for_each(|member| member.client.leave(now));
        let end = now + PARTING_MAX;
        let mut events = Events::with_capacity(1_024);
        loop {
            let now = self.start.elapsed();
            let mut is_busy = false;
            for transport in self.members.iter_mut().map(|member| member.client.transport_mut()) {
                transport.receive(now, &mut |_| {});
                is_busy |= transport.next_due().is_some();
            }
            if !is_busy || now >= end {
                return Ok(());
            }
            wait(&mut self.poll, &mut events)?;
        }
    }

    fn note_failures(&mut self) {
        for member in &mut self.members {
            match member.client.state() {
                State::Playing => member.was_playing = true,
                State::Closed(reason) if !member.is_counted => {
                    member.is_counted = true;
                    let verb = if member.was_playing { "lost" } else { "not let in" };
                    *self.failures.entry(format!("{verb}: {reason}")).or_default() += 1;
                }
                _ => {}
            }
        }
    }

    fn progress(&self, measured: Option<Duration>) -> Progress {
        let count = |is: fn(&State) -> bool| self.members.iter().filter(|m| is(m.client.state())).count() as u32;
        Progress {
            playing: count(|state| *state == State::Playing),
            failed: count(|state| matches!(state, State::Closed(_))),
            measured,
        }
    }
}

/// Waits for a datagram, but not for long.
fn wait(poll: &mut Poll, events: &mut Events) -> std::io::Result<()> {
    match poll.poll(events, Some(SCAN_INTERVAL)) {
        Err(error) if error.kind() != std::io::ErrorKind::Interrupted => Err(error),
        _ => Ok(()),
    }
}
