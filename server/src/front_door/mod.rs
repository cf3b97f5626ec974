//! Who comes in: hello, version, world, room; and where what they send goes.

mod seats;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Duration;

use rustc_hash::FxHashMap;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::limits::{HELLO_TIMEOUT_MS, LINGER_MS};
use throng_shared::tick::Tick;
use throng_shared::wire::control::{
    self, ClientControl, GoodbyeReason, Hello, RefusalReason, Refused, ServerControl, cut_name, hello_versions,
};
use throng_shared::wire::overload::OverloadNews;
use throng_shared::wire::token::TokenData;
use throng_shared::wire::{PROTOCOL_VERSION, WireError};
use tracing::debug;

use crate::batch::{Arrival, OutboundBatch};
use crate::net::{ConnectionEnd, ConnectionId, Content, NetEvent};
use seats::{Seat, Seats};

/// What the front door needs to know of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) world_name: String,
    pub(crate) world_hash: u64,
    pub(crate) players_max: usize,
    /// The messages that tell a client which attributes there are.
    pub(crate) attributes: Vec<Vec<u8>>,
}

/// Counts of the front door since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorTotals {
    /// Clients that were not let in.
    pub refusals: u64,
    /// Connections that were ended, by [`GoodbyeReason::ALL`].
    pub goodbyes: [u64; GoodbyeReason::ALL.len()],
    /// Seats that were held for a client whose connection broke.
    pub seats_held: u64,
    /// Seats that were given back.
    pub seats_resumed: u64,
    /// Held seats that have ended without their players' coming back: not in time, or sent away meanwhile.
    pub seats_given_up: u64,
    /// Control messages of players that could not be read.
    pub controls_malformed: u64,
    /// Channel packets that were malformed, or completed a message that is not taken.
    pub channel_packets_malformed: u64,
}

/// What an instance is to be told.
pub(crate) type Admission = (InstanceId, Arrival);

/// All connections, and how far each has come.
#[derive(Debug)]
pub(crate) struct FrontDoor {
    destinations: Vec<Destination>,
    visitors: FxHashMap<ConnectionId, Stage>,
    seats: Seats,
    /// When connections were made over which no hello may have come yet, oldest first.
    greeting: VecDeque<(ConnectionId, Duration)>,
    /// Connections that are told to go, in the order in which it was decided.
    leaving: Vec<ConnectionId>,
    /// Clients that are to be kept out for a while.
    misbehaved: Vec<ClientId>,
    /// The connection over which each client has not said hello yet.
    greeting_clients: FxHashMap<ClientId, ConnectionId>,
    /// Set when nobody is let in any more.
    closing: Option<GoodbyeReason>,
    totals: DoorTotals,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Has not said hello.
    Greeting {
        client: ClientId,
        token: Option<TokenData>,
    },
    Playing {
        client: ClientId,
        instance: InstanceId,
    },
    /// Is told this until it has gone, or until then.
    Leaving {
        message: ServerControl,
        until: Duration,
    },
}

/// Why a hello is not followed by a seat.
enum Objection {
    Malformed,
    Refused(Refused),
}

/// A connection of a client is not about to say hello any more; another one may be.
fn forget_greeting(greeting: &mut FxHashMap<ClientId, ConnectionId>, client: ClientId, connection: ConnectionId) {
    if greeting.get(&client) == Some(&connection) {
        greeting.remove(&client);
    }
}

impl FrontDoor {
    /// Seats of clients whose connections break are held for `hold`; channels are numbered from `first_channel` on.
    pub(crate) fn new(destinations: Vec<Destination>, hold: Duration, first_channel: u64) -> FrontDoor {
        FrontDoor {
            seats: Seats::new(destinations.iter().map(|it| it.attributes.clone()), hold, first_channel),
            destinations,
            visitors: FxHashMap::default(),
            greeting: VecDeque::new(),
            leaving: Vec::new(),
            misbehaved: Vec::new(),
            greeting_clients: FxHashMap::default(),
            closing: None,
            totals: DoorTotals::default(),
        }
    }

    /// Who plays over a connection, and where.
    pub(crate) fn player(&self, connection: ConnectionId) -> Option<(ClientId, InstanceId)> {
        match self.visitors.get(&connection)? {
            Stage::Playing { client, instance } => Some((*client, *instance)),
            Stage::Greeting { .. } | Stage::Leaving { .. } => None,
        }
    }

    /// Has what is known of a connection brought near by a look at it; it stands in a table, of which a place cannot be asked for ahead.
    pub(crate) fn fetch(&self, connection: ConnectionId) {
        black_box(self.player(connection));
    }

    /// Counts since the start.
    pub(crate) fn totals(&self) -> DoorTotals {
        self.totals
    }

    /// Number of connections.
    pub(crate) fn visitor_count(&self) -> usize {
        self.visitors.len()
    }

    /// Handles everything but frames; `bytes` are those of an event that has some. What instances are to be told is added to
    /// `admissions`; messages of players to `messages`.
    pub(crate) fn handle(
        &mut self,
        now: Duration,
        event: &NetEvent,
        bytes: &[u8],
        admissions: &mut Vec<Admission>,
        messages: &mut Vec<(InstanceId, ClientId, Vec<u8>)>,
    ) {
        match *event {
            NetEvent::Connected { connection, client, token } => {
                self.visitors.insert(connection, Stage::Greeting { client, token });
                self.greeting.push_back((connection, now));
                // One account does not fill the table with connections that say nothing.
                if let Some(former) = self.greeting_clients.insert(client, connection) {
                    self.say_goodbye(now, former, GoodbyeReason::Replaced);
                }
                if let Some(reason) = self.closing {
                    self.say_goodbye(now, connection, reason);
                }
            }
            NetEvent::Received { content: Content::Control, connection, .. } => {
                self.hear(now, connection, bytes, admissions);
            }
            NetEvent::Received { content: Content::ChannelPacket, connection, .. } => {
                // Before the welcome nobody knows which channel it would be of.
                let Some((client, instance)) = self.player(connection) else { return };
                let Some(seat) = self.seats.get_mut(client) else { return };
                match seat.receive_packet(now, bytes, |message| messages.push((instance, client, message))) {
                    Ok(()) => self.seats.note_busy(client),
                    Err(_) => {
                        self.totals.channel_packets_malformed += 1;
                        self.strike(now, client, admissions);
                    }
                }
            }
            NetEvent::Received { content: Content::Frame, .. } => {}
            NetEvent::Disconnected { connection, end } => self.forget(now, connection, end, admissions),
        }
    }

    /// Sends a client away that somebody in charge does not want here, from its seat, also a held one, or before it has one. Whether it was
    /// there.
    pub(crate) fn kick(&mut self, now: Duration, client: ClientId, admissions: &mut Vec<Admission>) -> bool {
        let is_seated = self.seats.get_mut(client).is_some();
        self.dismiss(now, client, GoodbyeReason::Kicked, admissions);
        let greeting = self.greeting_clients.get(&client).copied();
        if let Some(connection) = greeting {
            self.say_goodbye(now, connection, GoodbyeReason::Kicked);
        }
        is_seated || greeting.is_some()
    }

    /// Sends everybody away, and whoever comes from now on.
    pub(crate) fn dismiss_all(&mut self, now: Duration, reason: GoodbyeReason) {
        self.closing = Some(reason);
        let mut everybody: Vec<ConnectionId> = self.visitors.keys().copied().collect();
        everybody.sort_unstable();
        for connection in everybody {
            self.say_goodbye(now, connection, reason);
        }
    }

    /// Takes what instances have for their clients out of `outbound`, and puts what is to be sent into its shards; sends
    /// away whose time is over. `tick_of` tells the current tick of an instance.
    pub(crate) fn settle(
        &mut self,
        now: Duration,
        outbound: &mut OutboundBatch,
        admissions: &mut Vec<Admission>,
        tick_of: impl Fn(InstanceId) -> Tick,
    ) {
        for (client, welcome) in outbound.welcomes.drain(..) {
            self.seats.welcome(client, welcome);
        }
        let mut messages = std::mem::take(&mut outbound.messages);
        for (client, message) in messages.drain(..) {
            if !self.seats.send_message(client, message) {
                // Whoever acknowledges nothing is as good as gone.
                self.dismiss(now, client, GoodbyeReason::ChannelFull, admissions);
            }
        }
        outbound.messages = messages;
        let mut dismissals = std::mem::take(&mut outbound.dismissals);
        for (client, reason) in dismissals.drain(..) {
            self.dismiss(now, client, reason, admissions);
        }
        outbound.dismissals = dismissals;
        while let Some((client, seat)) = self.seats.take_expired(now) {
            debug!(client = client.0, "the seat is given up");
            self.totals.seats_given_up += 1;
            admissions.push((seat.instance, Arrival::Left { client }));
        }
        self.dismiss_silent(now);
        self.misbehaved.drain(..).for_each(|client| outbound.quarantine(client));
        self.seats.write(now, outbound, tick_of);
        self.write_goodbyes(now, outbound);
    }

    /// Tells every client of an instance how far its world keeps up.
    pub(crate) fn tell_overload(
        &mut self,
        now: Duration,
        instance: InstanceId,
        news: &OverloadNews,
        admissions: &mut Vec<Admission>,
    ) {
        for client in self.seats.tell_overload(instance, news) {
            self.dismiss(now, client, GoodbyeReason::ChannelFull, admissions);
        }
    }

    fn write_goodbyes(&mut self, now: Duration, outbound: &mut OutboundBatch) {
        let visitors = &mut self.visitors;
        self.leaving.retain(|connection| {
            let Some(Stage::Leaving { message, until }) = visitors.get(connection) else { return false };
            let shard = outbound.shard_of(*connection);
            shard.push_control(*connection, &control::encode(message));
            if now < *until {
                return true;
            }
            shard.closes.push(*connection);
            visitors.remove(connection);
            false
        });
    }

    /// Sends those away who have not said hello in time.
    fn dismiss_silent(&mut self, now: Duration) {
        let timeout = Duration::from_millis(HELLO_TIMEOUT_MS);
        while let Some(&(connection, connected_at)) = self.greeting.front() {
            let is_greeting = matches!(self.visitors.get(&connection), Some(Stage::Greeting { .. }));
            if is_greeting && now < connected_at + timeout {
                return;
            }
            self.greeting.pop_front();
            if is_greeting {
                self.say_goodbye(now, connection, GoodbyeReason::HelloTimeout);
            }
        }
    }

    fn hear(&mut self, now: Duration, connection: ConnectionId, bytes: &[u8], admissions: &mut Vec<Admission>) {
        match self.visitors.get(&connection) {
            None | Some(Stage::Leaving { .. }) => {}
            Some(&Stage::Playing { client, .. }) => match hello_versions(bytes) {
                // The answer was lost, or is under way.
                Some(_) => self.seats.owe_welcome(client),
                // One message that a client got wrong is not worth its game.
                None => {
                    self.totals.controls_malformed += 1;
                    self.strike(now, client, admissions);
                }
            },
            Some(&Stage::Greeting { client, token }) => match self.judge(token, bytes) {
                Ok((token, hello)) => self.seat(now, connection, client, token, &hello, admissions),
                Err(Objection::Refused(refused)) => self.refuse(now, connection, refused),
                Err(Objection::Malformed) => {
                    self.totals.refusals += 1;
                    self.say_goodbye(now, connection, GoodbyeReason::Malformed);
                }
            },
        }
    }

    /// Judges a hello but for the room: what its sender wants, or what it is to be told.
    fn judge(&self, token: Option<TokenData>, bytes: &[u8]) -> Result<(TokenData, Hello), Objection> {
        let malformed = |_: WireError| Objection::Malformed;
        let versions = hello_versions(bytes).ok_or(WireError::InvalidField).map_err(malformed)?;
        if !versions.contains(&PROTOCOL_VERSION) {
            return Err(Objection::Refused(self.refusal(token, RefusalReason::Version)));
        }
        let ClientControl::Hello(hello) = control::decode(bytes).map_err(malformed)?;
        let token = token.filter(|token| usize::from(token.instance.0) < self.destinations.len());
        let token = token.ok_or_else(|| Objection::Refused(self.refusal(None, RefusalReason::UnknownInstance)))?;
        if hello.world_hash != self.destinations[usize::from(token.instance.0)].world_hash {
            return Err(Objection::Refused(self.refusal(Some(token), RefusalReason::World)));
        }
        Ok((token, hello))
    }

    fn refusal(&self, token: Option<TokenData>, reason: RefusalReason) -> Refused {
        let destination = token.and_then(|token| self.destinations.get(usize::from(token.instance.0)));
        Refused {
            reason,
            version_min: PROTOCOL_VERSION,
            version_max: PROTOCOL_VERSION,
            world_hash: destination.map_or(0, |destination| destination.world_hash),
            world_name: destination.map_or(String::new(), |destination| destination.world_name.clone()),
        }
    }

    /// Gives a client whose hello is right its seat back, or a new one, or none.
    fn seat(
        &mut self,
        now: Duration,
        connection: ConnectionId,
        client: ClientId,
        token: TokenData,
        hello: &Hello,
        admissions: &mut Vec<Admission>,
    ) {
        let instance = token.instance;
        match self.seats.get_mut(client) {
            Some(seat) if token.issued_at_ms < seat.token.issued_at_ms => {
                self.say_goodbye(now, connection, GoodbyeReason::Superseded);
                return;
            }
            Some(seat) if (seat.token.session, seat.instance) == (token.session, instance) => {
                let former = seat.connection;
                let knows_world = self.seats.resume(client, connection, token, hello.channel);
                debug!(client = client.0, world = instance.0, knows_world, "resumed");
                self.totals.seats_resumed += 1;
                if let Some(former) = former {
                    self.say_goodbye(now, former, GoodbyeReason::Replaced);
                }
                self.let_play(connection, client, instance);
                admissions.push((instance, Arrival::Resumed { client, connection, knows_world }));
                return;
            }
            _ => {}
        }
        // The place that the same player has there from an earlier visit becomes free.
        let own = usize::from(self.seats.get_mut(client).is_some_and(|seat| seat.instance == instance));
        if self.seats.count(instance) - own >= self.destinations[usize::from(instance.0)].players_max {
            self.refuse(now, connection, self.refusal(Some(token), RefusalReason::Full));
            return;
        }
        self.dismiss(now, client, GoodbyeReason::Replaced, admissions);
        let name = cut_name(&hello.name).to_owned();
        debug!(client = client.0, world = instance.0, name, "joined");
        self.seats.take(client, connection, token, hello.channel);
        self.let_play(connection, client, instance);
        admissions.push((instance, Arrival::Joined { client, connection, name }));
    }

    /// A player has sent something that is malformed: too much of that is not forgiven.
    fn strike(&mut self, now: Duration, client: ClientId, admissions: &mut Vec<Admission>) {
        if self.seats.get_mut(client).is_some_and(|seat| seat.strikes.add(now.as_secs())) {
            self.dismiss(now, client, GoodbyeReason::Malformed, admissions);
        }
    }

    /// Takes a client's seat, and sends it away.
    fn dismiss(&mut self, now: Duration, client: ClientId, reason: GoodbyeReason, admissions: &mut Vec<Admission>) {
        let Some(Seat { instance, connection, .. }) = self.seats.give_up(client) else { return };
        self.totals.seats_given_up += u64::from(connection.is_none() && reason != GoodbyeReason::Replaced);
        admissions.push((instance, Arrival::Left { client }));
        if let Some(connection) = connection {
            self.say_goodbye(now, connection, reason);
        }
    }

    fn refuse(&mut self, now: Duration, connection: ConnectionId, refused: Refused) {
        debug!(slot = connection.slot, reason = ?refused.reason, "refused");
        self.totals.refusals += 1;
        self.send_away(now, connection, ServerControl::Refused(refused));
    }

    fn say_goodbye(&mut self, now: Duration, connection: ConnectionId, reason: GoodbyeReason) {
        if let Some(Stage::Greeting { client, .. } | Stage::Playing { client, .. }) = self.visitors.get(&connection) {
            self.totals.goodbyes[reason as usize] += 1;
            if reason == GoodbyeReason::Malformed {
                self.misbehaved.push(*client);
            }
        }
        self.send_away(now, connection, ServerControl::Goodbye(reason));
    }

    fn send_away(&mut self, now: Duration, connection: ConnectionId, message: ServerControl) {
        let Some(stage) = self.visitors.get_mut(&connection) else { return };
        if matches!(stage, Stage::Leaving { .. }) {
            return;
        }
        if let Stage::Greeting { client, .. } = stage {
            forget_greeting(&mut self.greeting_clients, *client, connection);
        }
        *stage = Stage::Leaving { message, until: now + Duration::from_millis(LINGER_MS) };
        self.leaving.push(connection);
    }

    /// A client has a seat, and says no hello any more.
    fn let_play(&mut self, connection: ConnectionId, client: ClientId, instance: InstanceId) {
        forget_greeting(&mut self.greeting_clients, client, connection);
        self.visitors.insert(connection, Stage::Playing { client, instance });
    }

    /// A connection is no more.
    fn forget(&mut self, now: Duration, connection: ConnectionId, end: ConnectionEnd, admissions: &mut Vec<Admission>) {
        let stage = self.visitors.remove(&connection);
        if let Some(Stage::Greeting { client, .. }) = stage {
            forget_greeting(&mut self.greeting_clients, client, connection);
        }
        if end == ConnectionEnd::Malformed
            && let Some(Stage::Greeting { client, .. } | Stage::Playing { client, .. }) = stage
        {
            // One port has noticed; the others are told.
            self.misbehaved.push(client);
        }
        let Some(Stage::Playing { client, instance }) = stage else { return };
        if end == ConnectionEnd::TimedOut && self.seats.hold(now, client) {
            debug!(client = client.0, world = instance.0, "the connection broke, the seat is held");
            self.totals.seats_held += 1;
            admissions.push((instance, Arrival::Broken { client }));
        } else {
            debug!(client = client.0, world = instance.0, ?end, "left");
            self.seats.give_up(client);
            admissions.push((instance, Arrival::Left { client }));
        }
    }
}
