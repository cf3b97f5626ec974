//! Players' seats: a session in a world, with its reliable channel, whatever becomes of its connections.
//!
//! A seat outlives its connection by as long as it is held. Whoever comes back to it with the channel that it had goes on
//! with it: messages that were under way when the connection broke are sent again over the new one.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use rustc_hash::FxHashMap;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::limits::{GAME_MESSAGE_BYTES_MAX, GAME_MESSAGES_PER_50_MS_MAX};
use throng_shared::tick::Tick;
use throng_shared::wire::WireError;
use throng_shared::wire::channel::{GAME_MESSAGE, MessageChannel};
use throng_shared::wire::control::{self, ServerControl, Welcome};
use throng_shared::wire::overload::OverloadNews;
use throng_shared::wire::token::TokenData;

use crate::batch::OutboundBatch;
use crate::net::ConnectionId;
use crate::session::Strikes;

/// A player's seat.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) instance: InstanceId,
    /// The newest token that was shown for it.
    pub(crate) token: TokenData,
    /// None while it is held.
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) strikes: Strikes,
    channel: MessageChannel,
    channel_number: u64,
    /// Until when it is held.
    held_until: Option<Duration>,
    /// What its client is told; none while its instance has not let it in yet.
    welcome: Option<Welcome>,
    owes_welcome: bool,
    is_resumed: bool,
    /// Messages of the game since `counted_since`.
    messages: u32,
    counted_since: Duration,
}

/// All seats.
#[derive(Debug)]
pub(crate) struct Seats {
    seats: FxHashMap<ClientId, Seat>,
    /// How many in each instance.
    counts: Vec<usize>,
    /// What a client of each is told over its channel before anything else.
    first_messages: Vec<Vec<Vec<u8>>>,
    /// … and how far its world keeps up, when it does not.
    overload: Vec<Option<Vec<u8>>>,
    hold: Duration,
    /// Held seats, those first whose time is over first; some have been taken again.
    held: VecDeque<(Duration, ClientId)>,
    /// Clients that something may have to be sent to besides snapshots.
    busy: BTreeSet<ClientId>,
    /// Number of the newest channel.
    newest_channel: u64,
}

impl Seat {
    /// Takes a packet of the reliable channel, and hands over the game's messages that it completes.
    ///
    /// # Errors
    /// When it is malformed, holds a message of a kind that does not exist, or there are too many of them.
    pub(crate) fn receive_packet(
        &mut self,
        now: Duration,
        packet: &[u8],
        mut deliver: impl FnMut(Vec<u8>),
    ) -> Result<(), WireError> {
        self.channel.receive_packet(now, packet)?;
        while let Some(mut message) = self.channel.next_message() {
            if message.first() != Some(&GAME_MESSAGE) || message.len() > 1 + GAME_MESSAGE_BYTES_MAX {
                return Err(WireError::NotAccepted);
            }
            if now >= self.counted_since + Duration::from_millis(50) {
                (self.messages, self.counted_since) = (0, now);
            }
            self.messages += 1;
            if self.messages > GAME_MESSAGES_PER_50_MS_MAX {
                return Err(WireError::TooLong);
            }
            message.remove(0);
            deliver(message);
        }
        Ok(())
    }

    fn attach(&mut self, connection: ConnectionId, token: TokenData) {
        self.connection = Some(connection);
        self.held_until = None;
        self.token = token;
        // Until the instance has written another one: what an earlier connection was told is of the past.
        self.welcome = None;
    }
}

/// A channel for a client of an instance, with what it is told before anything else.
fn new_channel(first: &[Vec<Vec<u8>>], overload: &[Option<Vec<u8>>], instance: InstanceId) -> MessageChannel {
    let place = usize::from(instance.0);
    let mut channel = MessageChannel::default();
    for message in first[place].iter().chain(&overload[place]) {
        let is_queued = channel.send(message.clone()).is_ok();
        debug_assert!(is_queued, "all of them are less than a channel holds");
    }
    channel
}

impl Seats {
    /// No seats, in instances of which clients are told so much over their channels before anything else.
    pub(crate) fn new(first_messages: impl Iterator<Item = Vec<Vec<u8>>>, hold: Duration, first_channel: u64) -> Seats {
        let first_messages: Vec<_> = first_messages.collect();
        Seats {
            seats: FxHashMap::default(),
            counts: vec![0; first_messages.len()],
            overload: vec![None; first_messages.len()],
            first_messages,
            hold,
            held: VecDeque::new(),
            busy: BTreeSet::new(),
            newest_channel: first_channel.saturating_sub(1),
        }
    }

    pub(crate) fn get_mut(&mut self, client: ClientId) -> Option<&mut Seat> {
        self.seats.get_mut(&client)
    }

    /// Seats in an instance, held ones included.
    pub(crate) fn count(&self, instance: InstanceId) -> usize {
        self.counts[usize::from(instance.0)]
    }

    /// Gives a client a seat; it has none. `former_channel` is the channel that the client has from elsewhere.
    pub(crate) fn take(&mut self, client: ClientId, connection: ConnectionId, token: TokenData, former_channel: u64) {
        self.counts[usize::from(token.instance.0)] += 1;
        let channel_number = self.number_channel(former_channel);
        let seat = Seat {
            instance: token.instance,
            token,
            connection: Some(connection),
            strikes: Strikes::default(),
            channel: new_channel(&self.first_messages, &self.overload, token.instance),
            channel_number,
            held_until: None,
            welcome: None,
            owes_welcome: false,
            is_resumed: false,
            messages: 0,
            counted_since: Duration::ZERO,
        };
        self.seats.insert(client, seat);
    }

    /// Gives a client its seat back over another connection. Whether it goes on with the channel, and so with everything
    /// else that it knew; otherwise it begins anew in its seat.
    pub(crate) fn resume(
        &mut self,
        client: ClientId,
        connection: ConnectionId,
        token: TokenData,
        former_channel: u64,
    ) -> bool {
        let number = self.number_channel(former_channel);
        let Seats { seats, first_messages, overload, .. } = self;
        let Some(seat) = seats.get_mut(&client) else { return false };
        seat.attach(connection, token);
        seat.is_resumed = former_channel == seat.channel_number;
        if !seat.is_resumed {
            seat.channel_number = number;
            // What was queued for a client that has never been heard of waits for it still.
            if !seat.channel.is_untouched() {
                seat.channel = new_channel(first_messages, overload, seat.instance);
            }
        }
        let is_resumed = seat.is_resumed;
        self.busy.insert(client);
        is_resumed
    }

    /// A number for a channel, other than the one that the client has: it could not tell them apart.
    fn number_channel(&mut self, former_channel: u64) -> u64 {
        self.newest_channel += 1;
        if self.newest_channel == former_channel {
            self.newest_channel += 1;
        }
        self.newest_channel
    }

    /// Holds the seat of a client whose connection broke, if seats are held.
    pub(crate) fn hold(&mut self, now: Duration, client: ClientId) -> bool {
        let until = now + self.hold;
        match self.seats.get_mut(&client) {
            Some(seat) if !self.hold.is_zero() => {
                seat.connection = None;
                seat.held_until = Some(until);
                self.held.push_back((until, client));
                true
            }
            _ => false,
        }
    }

    /// Takes a client's seat away.
    pub(crate) fn give_up(&mut self, client: ClientId) -> Option<Seat> {
        let seat = self.seats.remove(&client)?;
        self.counts[usize::from(seat.instance.0)] -= 1;
        self.busy.remove(&client);
        Some(seat)
    }

    /// Takes a seat away that has been held for long enough; to be called until there is none.
    pub(crate) fn take_expired(&mut self, now: Duration) -> Option<(ClientId, Seat)> {
        while let Some(&(until, client)) = self.held.front()
            && until <= now
        {
            self.held.pop_front();
            if self.seats.get(&client).is_some_and(|seat| seat.held_until == Some(until)) {
                return self.give_up(client).map(|seat| (client, seat));
            }
        }
        None
    }

    /// Something may have to be sent to a client.
    pub(crate) fn note_busy(&mut self, client: ClientId) {
        self.busy.insert(client);
    }

    /// An instance has let a client in, or given it its seat back.
    pub(crate) fn welcome(&mut self, client: ClientId, welcome: Welcome) {
        if let Some(seat) = self.seats.get_mut(&client) {
            let attributes = self.first_messages[usize::from(seat.instance.0)].len() as u8;
            let (channel, is_resumed) = (seat.channel_number, seat.is_resumed);
            seat.welcome = Some(Welcome { channel, is_resumed, attributes, ..welcome });
            seat.owes_welcome = true;
            self.busy.insert(client);
        }
    }

    /// A client asks again whether it is in.
    pub(crate) fn owe_welcome(&mut self, client: ClientId) {
        if let Some(seat) = self.seats.get_mut(&client) {
            seat.owes_welcome = true;
            self.busy.insert(client);
        }
    }

    /// Queues a message with its kind; also while the seat is held. False when the channel is full.
    pub(crate) fn send_message(&mut self, client: ClientId, message: Vec<u8>) -> bool {
        let Some(seat) = self.seats.get_mut(&client) else { return true };
        self.busy.insert(client);
        seat.channel.send(message).is_ok()
    }

    /// Tells every client of an instance how far its world keeps up, and whoever begins anew from now on. Those whose channels are full
    /// are returned.
    pub(crate) fn tell_overload(&mut self, instance: InstanceId, news: &OverloadNews) -> Vec<ClientId> {
        let place = usize::from(instance.0);
        self.overload[place] = (news.rung > 0).then(|| news.message());
        let mut told: Vec<ClientId> =
            self.seats.iter().filter(|(_, seat)| seat.instance == instance).map(|(client, _)| *client).collect();
        told.sort_unstable();
        told.retain(|client| {
            self.busy.insert(*client);
            let seat = self.seats.get_mut(client);
            seat.is_some_and(|seat| seat.channel.send(news.message()).is_err())
        });
        told
    }

    /// Writes what is to be sent to clients besides snapshots.
    pub(crate) fn write(&mut self, now: Duration, outbound: &mut OutboundBatch, tick_of: impl Fn(InstanceId) -> Tick) {
        let seats = &mut self.seats;
        self.busy.retain(|client| {
            // A held seat is written to again when it is resumed.
            let Some(seat) = seats.get_mut(client) else { return false };
            let Some(connection) = seat.connection else { return false };
            let Some(welcome) = &mut seat.welcome else { return true };
            let shard = outbound.shard_of(connection);
            if std::mem::take(&mut seat.owes_welcome) {
                welcome.tick = tick_of(seat.instance).0;
                shard.push_control(connection, &control::encode(&ServerControl::Welcome(welcome.clone())));
            }
            for packet in seat.channel.packets_to_send(now) {
                shard.push_packet(connection, &packet);
            }
            !seat.channel.is_idle()
        });
    }
}
