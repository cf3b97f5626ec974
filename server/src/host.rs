//! The front door and the instances behind it.

use std::time::Duration;

use throng_shared::config::LoadedWorld;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::tick::Tick;
use throng_shared::wire::attributes;
use throng_shared::wire::control::GoodbyeReason;
use throng_shared::wire::overload::OverloadNews;
use tracing::{info, warn};

use crate::batch::{Arrival, InboundBatch, OutboundBatch};
use crate::clock::Pacer;
use crate::front_door::{Admission, Destination, DoorTotals, FrontDoor};
use crate::instance::Instance;
use crate::net::{Content, NetEvent, NetInbound};
use crate::overload::{Ladder, Relief, Step, ThinkPace};
use crate::reload::AdoptError;

/// Events whose senders are looked up together.
const LOOK_AHEAD: usize = 16;

/// Any number of worlds behind one front door. It has no clock and no sockets: whoever owns it says what time it is and
/// moves the bytes.
pub struct Host {
    front_door: FrontDoor,
    hosted: Vec<Hosted>,
    admissions: Vec<Admission>,
    messages: Vec<(InstanceId, ClientId, Vec<u8>)>,
}

struct Hosted {
    instance: Instance,
    inbound: InboundBatch,
    pacer: Pacer,
    ladder: Ladder,
    pace: ThinkPace,
    /// Whether it was ticked since the ladder last looked.
    has_ticked: bool,
    ticks_given_up: u64,
}

impl Hosted {
    /// The time that the last tick took, as a share of what one may take.
    fn load(&self) -> f64 {
        self.instance.tick_time().as_secs_f64() * f64::from(self.instance.tick_rate().hz())
    }
}

/// How a host treats its clients.
#[derive(Clone, Copy, Debug)]
pub struct HostOptions {
    /// How long the seat of a client whose connection breaks is held; zero for not at all.
    pub hold: Duration,
    /// Number of the first reliable channel, other than those of earlier runs: a client that has one from there is not to be
    /// confused with one that has one from here.
    pub first_channel: u64,
}

impl Default for HostOptions {
    fn default() -> Self {
        HostOptions { hold: Duration::from_secs(30), first_channel: 1 }
    }
}

impl Host {
    /// Hosts `instances`, whose numbers on tokens are their places here. Their first ticks are due one tick length after
    /// `now`.
    pub fn new(instances: Vec<Instance>, options: HostOptions, now: Duration) -> Host {
        let HostOptions { hold, first_channel } = options;
        let destinations = instances.iter().map(|instance| Destination {
            world_name: instance.name().to_owned(),
            world_hash: instance.world_hash(),
            players_max: instance.players_max(),
            attributes: instance.rules().attributes.told_rules().map(attributes::message_of).collect(),
        });
        Host {
            front_door: FrontDoor::new(destinations.collect(), hold, first_channel),
            admissions: Vec::new(),
            messages: Vec::new(),
            hosted: instances
                .into_iter()
                .map(|instance| Hosted {
                    pacer: Pacer::new(instance.tick_rate(), now),
                    inbound: InboundBatch::default(),
                    ladder: Ladder::new(&instance.overload().config),
                    pace: ThinkPace::new(instance.overload().config.bots_yield_percent),
                    has_ticked: false,
                    ticks_given_up: 0,
                    instance,
                })
                .collect(),
        }
    }

    /// Has a world go by its changed files from its next tick on; returns that tick. Another overload ladder is climbed from its foot.
    ///
    /// # Errors
    /// With what cannot change while the world runs; then nothing has changed.
    pub fn adopt(&mut self, now: Duration, id: InstanceId, loaded: &LoadedWorld) -> Result<Tick, AdoptError> {
        let Some(hosted) = self.hosted.get_mut(usize::from(id.0)) else {
            return Err(AdoptError { fixed: vec!["which worlds there are"] });
        };
        let has_other_ladder = hosted.instance.overload().config != loaded.config.overload;
        hosted.instance.adopt(loaded)?;
        let next = hosted.instance.current_tick() + 1;
        if has_other_ladder {
            let (config, rungs) = (&loaded.config.overload, loaded.config.overload.rungs.len() as u8);
            (hosted.ladder, hosted.inbound.rung) = (hosted.ladder.replaced(config), 0);
            hosted.pace = ThinkPace::new(config.bots_yield_percent);
            hosted.pacer.set_time_percent(Relief::NONE.time_percent);
            let time_percent = Relief::NONE.time_percent as u8;
            let news = OverloadNews { rung: 0, rungs, time_percent, since: hosted.instance.current_tick() };
            self.front_door.tell_overload(now, id, &news, &mut self.admissions);
            self.pass_on();
        }
        Ok(next)
    }

    /// When the next tick of any instance is due; never, when there is none.
    pub fn next_due(&self) -> Option<Duration> {
        self.hosted.iter().map(|hosted| hosted.pacer.next_due()).min()
    }

    /// Lets in who may come in, and gives each instance what is meant for it. To be called before [`Host::run_due`].
    pub fn receive(&mut self, now: Duration, inbound: &NetInbound) {
        for (place, event) in inbound.events.iter().enumerate() {
            if place % LOOK_AHEAD == 0 {
                let ahead = inbound.events[place..].iter().take(LOOK_AHEAD);
                ahead.for_each(|event| self.front_door.fetch(event.connection()));
            }
            match event {
                NetEvent::Received { content: Content::Frame, connection, received_at, bytes } => {
                    if let Some((client, instance)) = self.front_door.player(*connection) {
                        let hosted = &mut self.hosted[usize::from(instance.0)];
                        hosted.inbound.push_frame(client, *received_at, inbound.bytes(bytes));
                    }
                }
                NetEvent::Received { bytes, .. } => self.handle(now, event, inbound.bytes(bytes)),
                NetEvent::Connected { .. } | NetEvent::Disconnected { .. } => self.handle(now, event, &[]),
            }
        }
    }

    /// Runs every tick that is due, and calls `ticked` after each; then completes `outbound` with everything else that is to
    /// be sent.
    pub fn run_due(
        &mut self,
        now: Duration,
        outbound: &mut OutboundBatch,
        mut ticked: impl FnMut(InstanceId, &Instance),
    ) {
        for (number, hosted) in self.hosted.iter_mut().enumerate() {
            let due = hosted.pacer.take_due(now);
            hosted.ticks_given_up += u64::from(due.given_up);
            for _ in 0..due.run {
                hosted.inbound.tick_begins_at = now;
                hosted.instance.tick(&mut hosted.inbound, outbound);
                hosted.has_ticked = true;
                ticked(InstanceId(number as u16), &hosted.instance);
            }
        }
        self.climb_ladders(now);
        self.settle(now, outbound);
    }

    /// Moves each world that has lived through a tick along its ladder, and tells its clients. Worlds share the thread that their ticks run on: one that
    /// takes less than an equal part of its time stays where it is while others take too much.
    fn climb_ladders(&mut self, now: Duration) {
        let shares = self.hosted.iter().map(|hosted| hosted.load());
        let (all, equal) = (shares.clone().sum::<f64>(), shares.sum::<f64>() / self.hosted.len().max(1) as f64);
        for (number, hosted) in self.hosted.iter_mut().enumerate() {
            if !std::mem::take(&mut hosted.has_ticked) {
                continue;
            }
            let load = if hosted.load() >= equal { all } else { hosted.load() };
            hosted.pace.note_tick(load);
            hosted.inbound.think_delay_percent = hosted.pace.delay_percent();
            let Some(Step { rung, is_up, load }) = hosted.ladder.note_tick(now, load) else { continue };
            let config = &hosted.instance.overload().config;
            let relief = Relief::on_rung(config, rung);
            hosted.inbound.rung = rung;
            hosted.pacer.set_time_percent(relief.time_percent);
            let news = OverloadNews {
                rung,
                rungs: config.rungs.len() as u8,
                time_percent: relief.time_percent as u8,
                since: hosted.instance.current_tick(),
            };
            let (world, load_percent) = (hosted.instance.name(), (100.0 * load).round());
            match is_up {
                true => warn!(world, rung, load_percent, ?relief, "too much to do: something gives way"),
                false => info!(world, rung, load_percent, ?relief, "less to do: something is taken back"),
            }
            self.front_door.tell_overload(now, InstanceId(number as u16), &news, &mut self.admissions);
        }
        self.pass_on();
    }

    /// Completes `outbound` with what is to be sent besides what instances have written.
    pub fn settle(&mut self, now: Duration, outbound: &mut OutboundBatch) {
        let hosted = &self.hosted;
        let tick_of = |id: InstanceId| hosted.get(usize::from(id.0)).map_or(Tick(0), |h| h.instance.current_tick());
        self.front_door.settle(now, outbound, &mut self.admissions, tick_of);
        self.pass_on();
    }

    /// Tells everybody that it is over, with the next [`Host::settle`]s, until they have gone.
    pub fn say_goodbye(&mut self, now: Duration) {
        self.front_door.dismiss_all(now, GoodbyeReason::ServerStopping);
    }

    /// Sends a client away, wherever it is, and tells it that somebody in charge wants that; whether it was there. It may come again with
    /// another connect token: whoever is to stay out must not be given one.
    pub fn kick(&mut self, now: Duration, client: ClientId) -> bool {
        let was_there = self.front_door.kick(now, client, &mut self.admissions);
        self.pass_on();
        was_there
    }

    /// Number of connections.
    pub fn connection_count(&self) -> usize {
        self.front_door.visitor_count()
    }

    /// The instances, in the order of their numbers.
    pub fn instances(&self) -> impl ExactSizeIterator<Item = &Instance> {
        self.hosted.iter().map(|hosted| &hosted.instance)
    }

    /// An instance, to be changed between ticks.
    pub fn instance_mut(&mut self, id: InstanceId) -> Option<&mut Instance> {
        self.hosted.get_mut(usize::from(id.0)).map(|hosted| &mut hosted.instance)
    }

    /// The overload ladder of an instance.
    pub fn ladder(&self, id: InstanceId) -> Option<&Ladder> {
        self.hosted.get(usize::from(id.0)).map(|hosted| &hosted.ladder)
    }

    /// By how much longer the bots of an instance wait until they think than at leisure, in percent.
    pub fn think_delay_percent(&self, id: InstanceId) -> u16 {
        self.hosted.get(usize::from(id.0)).map_or(0, |hosted| hosted.pace.delay_percent())
    }

    /// Deadlines that were missed for good, all instances together.
    pub fn ticks_given_up(&self) -> u64 {
        self.hosted.iter().map(|hosted| hosted.ticks_given_up).sum()
    }

    /// Counts of the front door.
    pub fn door_totals(&self) -> DoorTotals {
        self.front_door.totals()
    }

    fn handle(&mut self, now: Duration, event: &NetEvent, bytes: &[u8]) {
        self.front_door.handle(now, event, bytes, &mut self.admissions, &mut self.messages);
        self.pass_on();
        for (instance, client, message) in self.messages.drain(..) {
            self.hosted[usize::from(instance.0)].inbound.messages.push((client, message));
        }
    }

    fn pass_on(&mut self) {
        for (instance, arrival) in self.admissions.drain(..) {
            let inbound = &mut self.hosted[usize::from(instance.0)].inbound;
            if let Arrival::Left { client } = arrival {
                inbound.forget(client);
            }
            inbound.arrivals.push(arrival);
        }
    }
}
