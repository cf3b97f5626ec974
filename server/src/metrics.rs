//! Every metric: name, unit, help.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use throng_bot_ai::{Goal, RouteCounts};
use throng_shared::ids::{Archetype, InstanceId};
use throng_shared::netcode::NetcodeError;
use throng_shared::wire::WireError;
use throng_shared::wire::control::GoodbyeReason;

use crate::abilities::{BOUNDS_MS, FairnessBuckets, RefusalRule};
use crate::commit::Totals;
use crate::host::Host;
use crate::instance::Instance;
use crate::net::{ConnectionEnd, NetTotals, handshake_labels};
use crate::tick::Phase;

/// Upper bounds of tick and phase times, in seconds: from what a phase of an idle world takes to what loses ticks.
const SECONDS_BUCKETS: [f64; 14] =
    [0.000_02, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25];

/// A count that a world keeps, under its public name.
type WorldCounter = (&'static str, &'static str, fn(&Totals) -> u64);

const WORLD_COUNTERS: [WorldCounter; 23] = [
    ("inputs_buffered", "Inputs of players that waited for their tick", |t| t.inputs_buffered),
    ("inputs_late", "Inputs of players that came after their tick", |t| t.inputs_late),
    ("inputs_early", "Inputs of players too far ahead of the simulation", |t| t.inputs_early),
    ("inputs_repeated", "Ticks in which a player's last input was repeated", |t| t.inputs_repeated),
    ("inputs_neutral", "Ticks in which a player stood still for want of an input", |t| t.inputs_neutral),
    ("frames_malformed", "Frames of players that could not be decoded", |t| t.frames_malformed),
    ("frames_surplus", "Frames of players beyond what is looked at in a tick", |t| t.frames_surplus),
    ("seats_to_bots", "Characters of people that bots went on with", |t| t.seats_to_bots),
    ("seats_to_people", "Characters that people went on with after bots", |t| t.seats_to_people),
    ("snapshots", "Snapshots written", |t| t.snapshots),
    ("snapshot_bytes", "Bytes of snapshots written", |t| t.snapshot_bytes),
    ("enters", "Characters told with their names, with repetitions", |t| t.enters),
    ("updates", "Character states told that are other than what the client had", |t| t.updates),
    ("leaves", "Slots told to be empty and pages told no longer, with repetitions", |t| t.leaves),
    ("deferred", "Characters of pages that did not fit their snapshot", |t| t.deferred),
    ("late", "Deferred characters that were told longer ago than their tier allows", |t| t.late),
    ("crowd_records", "Pages of a crowd told as single numbers", |t| t.crowd_records),
    ("congestions", "Times that a client's link was found to be congested", |t| t.congestions),
    ("snapshots_lost", "Snapshots given up as lost", |t| t.snapshots_lost),
    ("abilities_used", "Abilities that were begun", |t| t.combat.used),
    ("blows", "Characters hit by abilities", |t| t.combat.hits),
    ("deaths", "Characters that have died", |t| t.combat.deaths),
    ("shots_clamped", "Shots judged less far back than their shooters had seen", |t| t.combat.clamped),
];

/// Counts of a world by reason, or by how far back in milliseconds: their public name, and each with its count.
type WorldReasonCounter = (&'static str, &'static str, fn(&Totals) -> Vec<(&'static str, u64)>);

/// What bots do, in every world.
const BOT_COUNTERS: [WorldReasonCounter; 2] = [
    ("bot_thoughts", "How often bots have thought, by what they wanted afterwards", |t| {
        Goal::LABELS.into_iter().zip(t.thoughts).collect()
    }),
    ("bot_ways", "Ways that bots have asked for, by what became of them", |t| {
        let RouteCounts { found, in_part, dead_ends, unheard, .. } = t.routes;
        vec![("found", found), ("in-part", in_part), ("dead-end", dead_ends), ("unheard", unheard)]
    }),
];

/// What comes of abilities. A world without any says nothing of them.
const COMBAT_COUNTERS: [WorldReasonCounter; 4] = [
    ("abilities_refused", "Wishes for abilities that were not let pass, or not as they were", |t| {
        RefusalRule::all().map(RefusalRule::label).zip(t.combat.refused).collect()
    }),
    ("shots", "Shots judged, by how far back at most, in milliseconds", |t| by_rewind(&t.combat.rewinds)),
    ("hits_behind_cover", "Shots that hit somebody who was out of sight by then, likewise", |t| {
        by_rewind(&t.combat.behind_cover)
    }),
    ("hits_behind_cover_ms", "For how long those had been out of sight, altogether, likewise", |t| {
        by_rewind(&t.combat.behind_cover_ms)
    }),
];

fn by_rewind(buckets: &FairnessBuckets) -> Vec<(&'static str, u64)> {
    const LABELS: [&str; BOUNDS_MS.len() + 1] = ["0", "25", "50", "100", "150", "250", "500", "more"];
    LABELS.into_iter().zip(*buckets).collect()
}

/// A count of the network side, under its public name.
type NetCounter = (&'static str, &'static str, fn(&NetTotals) -> u64);

const NET_COUNTERS: [NetCounter; 14] = [
    ("net_datagrams_in", "Datagrams from clients", |t| t.datagrams_in),
    ("net_bytes_in", "Payload bytes from clients", |t| t.bytes_in),
    ("net_datagrams_out", "Datagrams to clients", |t| t.datagrams_out),
    ("net_bytes_out", "Payload bytes to clients", |t| t.bytes_out),
    ("net_unknown_source", "Packets from addresses that nobody is connected from", |t| t.transport.unknown_source),
    ("net_flooded", "Packets of connected clients beyond what is looked at", |t| t.transport.flooded),
    (
        "net_handshakes_late",
        "Requests and responses from addresses of clients that are in, mostly repeated ones; they are not looked at",
        |t| t.transport.handshakes_late,
    ),
    ("net_moves", "Times that a connected client's address has changed", |t| t.transport.moves),
    ("net_moves_refused", "Moves not looked at because there were too many", |t| t.transport.moves_refused),
    ("net_held_back", "Datagrams not sent to an address that has not shown yet that its client receives there", |t| {
        t.transport.held_back
    }),
    ("net_send_failures", "Datagrams that the operating system did not take", |t| t.transport.send_failures),
    ("net_inbound_dropped", "Frames and packets dropped because there were too many", |t| t.inbound_dropped),
    ("net_outbound_dropped", "Batches of snapshots dropped because a network thread was late", |t| t.outbound_dropped),
    (
        "net_outbound_messages_dropped",
        "Packets and control messages dropped because a network thread was late for long",
        |t| t.outbound_messages_dropped,
    ),
];

/// Counts of the network side by reason: their public name, and each reason with its count.
type ReasonCounter = (&'static str, &'static str, fn(&NetTotals) -> Vec<(&'static str, u64)>);

const REASON_COUNTERS: [ReasonCounter; 4] = [
    ("net_refused", "Packets that cannot be what they say", |t| {
        NetcodeError::ALL.iter().map(|error| error.label()).zip(t.transport.refused).collect()
    }),
    ("net_handshakes_refused", "Requests for a connection that were not granted", |t| {
        handshake_labels().into_iter().zip(t.transport.handshakes_refused).collect()
    }),
    ("net_malformed", "Malformed datagrams of clients", |t| {
        WireError::ALL.iter().map(|error| error.label()).zip(t.malformed).collect()
    }),
    ("net_disconnects", "Connections that have ended", |t| {
        ConnectionEnd::ALL.iter().map(|end| end.label()).zip(t.ended).collect()
    }),
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorldLabels {
    world: String,
    /// Two worlds of one host may have one name.
    number: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    world: String,
    number: u16,
    phase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorldReasonLabels {
    world: String,
    number: u16,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ArchetypeLabels {
    world: String,
    number: u16,
    /// `player`, `bot`, or as the world file calls it.
    archetype: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ZoneLabels {
    world: String,
    number: u16,
    /// Empty for the world but for its zones with numbers of their own.
    zone: String,
    /// `people`, `bots` or `wanted`.
    of: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    world: String,
    number: u16,
    event: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// All metrics of a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    tick_seconds: Family<WorldLabels, Histogram>,
    phase_seconds: Family<PhaseLabels, Histogram>,
    ticks: Family<WorldLabels, Counter>,
    characters: Family<WorldLabels, Gauge>,
    players: Family<WorldLabels, Gauge>,
    held_back: Family<WorldLabels, Gauge>,
    bot_ways_waiting: Family<WorldLabels, Gauge>,
    bot_think_delay: Family<WorldLabels, Gauge>,
    zone_characters: Family<ZoneLabels, Gauge>,
    archetype_characters: Family<ArchetypeLabels, Gauge>,
    event_on: Family<EventLabels, Gauge>,
    hour: Family<WorldLabels, Gauge<f64, AtomicU64>>,
    events_begun: Family<WorldLabels, Counter>,
    evened_out: Family<WorldLabels, Counter>,
    /// By how many files all worlds together had gone when zones and events were last told.
    hours_versions: AtomicU64,
    bot_packs: Family<WorldLabels, Gauge>,
    bot_pack_members: Family<WorldLabels, Gauge>,
    overload_rung: Family<WorldLabels, Gauge>,
    config_version: Family<WorldLabels, Gauge>,
    config_refused: Family<WorldLabels, Counter>,
    config_rolled_back: Family<WorldLabels, Counter>,
    overload_climbs: Family<WorldLabels, Counter>,
    overload_descents: Family<WorldLabels, Counter>,
    world_counters: [Family<WorldLabels, Counter>; WORLD_COUNTERS.len()],
    bot_counters: [Family<WorldReasonLabels, Counter>; BOT_COUNTERS.len()],
    combat_counters: [Family<WorldReasonLabels, Counter>; COMBAT_COUNTERS.len()],
    net_counters: [Counter; NET_COUNTERS.len()],
    reason_counters: [Family<ReasonLabel, Counter>; REASON_COUNTERS.len()],
    goodbyes: Family<ReasonLabel, Counter>,
    connected: Gauge,
    ticks_given_up: Counter,
    refusals: Counter,
    seats_held: Counter,
    seats_resumed: Counter,
    seats_given_up: Counter,
    controls_malformed: Counter,
    channel_packets_malformed: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram = || Histogram::new(SECONDS_BUCKETS);
        let metrics = Metrics {
            tick_seconds: Family::new_with_constructor(histogram as fn() -> Histogram),
            phase_seconds: Family::new_with_constructor(histogram as fn() -> Histogram),
            ticks: Family::default(),
            characters: Family::default(),
            players: Family::default(),
            held_back: Family::default(),
            bot_ways_waiting: Family::default(),
            bot_think_delay: Family::default(),
            zone_characters: Family::default(),
            archetype_characters: Family::default(),
            event_on: Family::default(),
            hour: Family::default(),
            events_begun: Family::default(),
            evened_out: Family::default(),
            hours_versions: AtomicU64::new(0),
            bot_packs: Family::default(),
            bot_pack_members: Family::default(),
            overload_rung: Family::default(),
            config_version: Family::default(),
            config_refused: Family::default(),
            config_rolled_back: Family::default(),
            overload_climbs: Family::default(),
            overload_descents: Family::default(),
            world_counters: std::array::from_fn(|_| Family::default()),
            bot_counters: std::array::from_fn(|_| Family::default()),
            combat_counters: std::array::from_fn(|_| Family::default()),
            net_counters: std::array::from_fn(|_| Counter::default()),
            reason_counters: std::array::from_fn(|_| Family::default()),
            goodbyes: Family::default(),
            connected: Gauge::default(),
            ticks_given_up: Counter::default(),
            refusals: Counter::default(),
            seats_held: Counter::default(),
            seats_resumed: Counter::default(),
            seats_given_up: Counter::default(),
            controls_malformed: Counter::default(),
            channel_packets_malformed: Counter::default(),
            registry: Registry::default(),
        };
        let mut registry = Registry::with_prefix("throng");
        metrics.register_worlds(&mut registry);
        metrics.register_host(&mut registry);
        Metrics { registry, ..metrics }
    }
}

impl Metrics {
    /// What each world says.
    fn register_worlds(&self, registry: &mut Registry) {
        registry.register_with_unit("tick", "Time that a tick took", Unit::Seconds, self.tick_seconds.clone());
        let help = "Time that each phase of a tick took";
        registry.register_with_unit("phase", help, Unit::Seconds, self.phase_seconds.clone());
        registry.register("ticks", "Ticks lived through", self.ticks.clone());
        registry.register("characters", "Characters in the world", self.characters.clone());
        registry.register("players", "Players in the world", self.players.clone());
        let help = "Players who are sent less than the world allows, because their links do not bear it";
        registry.register("held_back", help, self.held_back.clone());
        let help = "Bots that wait to be told a way";
        registry.register("bot_ways_waiting", help, self.bot_ways_waiting.clone());
        let help = "By how much longer bots wait until they think, because the server is busy, in percent";
        registry.register("bot_think_delay_percent", help, self.bot_think_delay.clone());
        registry.register("bot_packs", "Packs of bots that go together", self.bot_packs.clone());
        let help = "Bots that go together in packs, those who lead with them";
        registry.register("bot_pack_members", help, self.bot_pack_members.clone());
        let help = "Rung of the overload ladder that the world stands on; 0 for none";
        registry.register("overload_rung", help, self.overload_rung.clone());
        let help = "Which version of its files a world goes by: 1 as it was started";
        registry.register("config_version", help, self.config_version.clone());
        let help = "Changes of a world's files that were refused";
        registry.register("config_refused", help, self.config_refused.clone());
        let help = "Changes that were applied and taken back because a limit broke";
        registry.register("config_rolled_back", help, self.config_rolled_back.clone());
        let help = "Rungs of the overload ladder that were climbed, because there was too much to do";
        registry.register("overload_climbs", help, self.overload_climbs.clone());
        let help = "Rungs of the overload ladder that were descended again";
        registry.register("overload_descents", help, self.overload_descents.clone());
        for ((name, help, _), counter) in WORLD_COUNTERS.iter().zip(&self.world_counters) {
            registry.register(*name, *help, counter.clone());
        }
        let by_reason = BOT_COUNTERS.iter().zip(&self.bot_counters);
        for ((name, help, _), family) in by_reason.chain(COMBAT_COUNTERS.iter().zip(&self.combat_counters)) {
            registry.register(*name, *help, family.clone());
        }
    }

    /// What host and network say.
    fn register_host(&self, registry: &mut Registry) {
        for ((name, help, _), counter) in NET_COUNTERS.iter().zip(&self.net_counters) {
            registry.register(*name, *help, counter.clone());
        }
        for ((name, help, _), family) in REASON_COUNTERS.iter().zip(&self.reason_counters) {
            registry.register(*name, *help, family.clone());
        }
        registry.register("goodbyes", "Connections that the server ended", self.goodbyes.clone());
        registry.register("net_connected", "Clients connected", self.connected.clone());
        registry.register("ticks_given_up", "Ticks that were missed for good", self.ticks_given_up.clone());
        registry.register("refusals", "Clients that were not let in", self.refusals.clone());
        registry.register("seats_held", "Seats held for players whose connections broke", self.seats_held.clone());
        let help = "People and bots in each zone with a number of its own and in the rest of the world, and how many are wanted";
        registry.register("zone_characters", help, self.zone_characters.clone());
        let help = "Characters of each archetype, in worlds with archetypes of their own";
        registry.register("archetype_characters", help, self.archetype_characters.clone());
        registry.register("event_on", "Whether an event of the world is on: 1 or 0", self.event_on.clone());
        registry.register("events_begun", "Events of a world that have begun", self.events_begun.clone());
        let help = "Bots that made place for one of a side that had fewer";
        registry.register("bots_evened_out", help, self.evened_out.clone());
        registry.register("world_hour", "Hour of the world's day, 0 to 24", self.hour.clone());
        registry.register("seats_resumed", "Seats given back to players", self.seats_resumed.clone());
        let help = "Held seats that have ended without their players' coming back";
        registry.register("seats_given_up", help, self.seats_given_up.clone());
        let help = "Control messages of players that could not be read";
        registry.register("controls_malformed", help, self.controls_malformed.clone());
        let help = "Packets of players' reliable channels that were malformed, or brought what is not taken";
        registry.register("channel_packets_malformed", help, self.channel_packets_malformed.clone());
    }

    /// Notes a tick that a host's instance has just lived through.
    pub fn note_tick(&self, id: InstanceId, instance: &Instance) {
        let world = || WorldLabels { world: instance.name().to_owned(), number: id.0 };
        let mut tick_s = 0.0;
        for (phase, time) in Phase::ALL.iter().zip(instance.phase_times()) {
            let labels = PhaseLabels { world: instance.name().to_owned(), number: id.0, phase: phase.label() };
            self.phase_seconds.get_or_create(&labels).observe(time.as_secs_f64());
            tick_s += time.as_secs_f64();
        }
        self.tick_seconds.get_or_create(&world()).observe(tick_s);
        self.ticks.get_or_create(&world()).inc();
        let totals = instance.totals();
        self.characters.get_or_create(&world()).set(totals.characters as i64);
        self.players.get_or_create(&world()).set(totals.players as i64);
        self.held_back.get_or_create(&world()).set(totals.held_back as i64);
        self.bot_ways_waiting.get_or_create(&world()).set(totals.routes.waiting as i64);
        self.bot_packs.get_or_create(&world()).set(totals.packs.packs as i64);
        self.bot_pack_members.get_or_create(&world()).set(totals.packs.members as i64);
        for ((_, _, read), counter) in WORLD_COUNTERS.iter().zip(&self.world_counters) {
            set(&counter.get_or_create(&world()), read(&totals));
        }
        let combat = COMBAT_COUNTERS.iter().zip(&self.combat_counters).filter(|_| instance.rules().has_abilities);
        for ((_, _, read), family) in BOT_COUNTERS.iter().zip(&self.bot_counters).chain(combat) {
            for (reason, count) in read(&totals) {
                let labels = WorldReasonLabels { world: instance.name().to_owned(), number: id.0, reason };
                set(&family.get_or_create(&labels), count);
            }
        }
    }

    /// Notes the hour of a world, what is on, and who is where.
    fn note_hours(&self, id: InstanceId, instance: &Instance) {
        let (hours, attendance) = (instance.hours(), instance.attendance());
        let (world, number) = (|| instance.name().to_owned(), id.0);
        let labels = || WorldLabels { world: world(), number };
        self.hour.get_or_create(&labels()).set(hours.now.hour_h.into());
        set(&self.events_begun.get_or_create(&labels()), hours.events_begun());
        set(&self.evened_out.get_or_create(&labels()), attendance.evened_out);
        for (place, event) in hours.calendar.events().iter().enumerate() {
            let labels = EventLabels { world: world(), number, event: event.name.clone() };
            self.event_on.get_or_create(&labels).set((hours.now.events >> place & 1) as i64);
        }
        let names = std::iter::once("").chain(hours.calendar.zones().iter().map(|zone| zone.name.as_str()));
        for (zone, home) in names.zip(&attendance.homes) {
            let Some(wanted) = home.wanted else { continue };
            for (of, count) in [("people", home.people), ("bots", home.bots), ("wanted", wanted)] {
                let labels = ZoneLabels { world: world(), number, zone: zone.to_owned(), of };
                self.zone_characters.get_or_create(&labels).set(count.into());
            }
        }
    }

    /// Notes how many are of each archetype. O(characters), once in 64 ticks and when they are other than before; nothing in worlds without
    /// archetypes of their own.
    fn note_archetypes(&self, id: InstanceId, instance: &Instance, are_new: bool) {
        let names = &instance.rules().archetype_names;
        if names.len() == Archetype::COMMON_NAMES.len() || !(are_new || instance.current_tick().0.is_multiple_of(64)) {
            return;
        }
        let mut counts = [0; Archetype::COUNT];
        instance.columns().archetypes.iter().for_each(|archetype| counts[usize::from(archetype.number())] += 1);
        for (name, count) in names.iter().zip(counts) {
            let labels = ArchetypeLabels { world: instance.name().to_owned(), number: id.0, archetype: name.clone() };
            self.archetype_characters.get_or_create(&labels).set(count);
        }
    }

    /// Notes how the host and the network are.
    pub fn note_host(&self, host: &Host, net: &NetTotals) {
        set(&self.ticks_given_up, host.ticks_given_up());
        // Those that other files no longer have are told no longer.
        let versions = host.instances().map(|instance| u64::from(instance.hours().version)).sum();
        let are_new = self.hours_versions.swap(versions, Ordering::Relaxed) != versions;
        if are_new {
            self.zone_characters.clear();
            self.archetype_characters.clear();
            self.event_on.clear();
        }
        for (number, instance) in host.instances().enumerate() {
            let id = InstanceId(number as u16);
            let Some(ladder) = host.ladder(id) else { continue };
            let world = || WorldLabels { world: instance.name().to_owned(), number: id.0 };
            self.note_hours(id, instance);
            self.note_archetypes(id, instance, are_new);
            let (climbs, descents) = ladder.steps();
            self.overload_rung.get_or_create(&world()).set(ladder.rung().into());
            self.bot_think_delay.get_or_create(&world()).set(host.think_delay_percent(id).into());
            set(&self.overload_climbs.get_or_create(&world()), climbs);
            set(&self.overload_descents.get_or_create(&world()), descents);
        }
        let door = host.door_totals();
        set(&self.refusals, door.refusals);
        set(&self.seats_held, door.seats_held);
        set(&self.seats_resumed, door.seats_resumed);
        set(&self.seats_given_up, door.seats_given_up);
        set(&self.controls_malformed, door.controls_malformed);
        set(&self.channel_packets_malformed, door.channel_packets_malformed);
        for (reason, count) in GoodbyeReason::ALL.iter().zip(door.goodbyes) {
            set(&self.goodbyes.get_or_create(&ReasonLabel { reason: reason.label() }), count);
        }
        self.connected.set(net.connected as i64);
        for ((_, _, read), counter) in NET_COUNTERS.iter().zip(&self.net_counters) {
            set(counter, read(net));
        }
        for ((_, _, read), family) in REASON_COUNTERS.iter().zip(&self.reason_counters) {
            for (reason, count) in read(net) {
                set(&family.get_or_create(&ReasonLabel { reason }), count);
            }
        }
    }

    /// Notes by which version of its files each world goes, and how many changes of them were refused and taken back.
    pub fn note_reloads(&self, host: &Host, counts: &[(u64, u64, u64)]) {
        for ((number, instance), &(version, refused, rolled_back)) in host.instances().enumerate().zip(counts) {
            let world = || WorldLabels { world: instance.name().to_owned(), number: number as u16 };
            self.config_version.get_or_create(&world()).set(version as i64);
            set(&self.config_refused.get_or_create(&world()), refused);
            set(&self.config_rolled_back.get_or_create(&world()), rolled_back);
        }
    }

    /// The text that Prometheus reads.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

/// Moves a counter to a total that is kept elsewhere and only rises.
fn set(counter: &Counter<u64, AtomicU64>, total: u64) {
    counter.inner().store(total, Ordering::Relaxed);
}
