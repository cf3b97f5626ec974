//! Who comes in: hello, version, world, room; and where what they send goes.

use std::collections::VecDeque;
use std::time::Duration;

use rustc_hash::FxHashMap;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::limits::HELLO_TIMEOUT_MS;
use throng_shared::wire::message::{
    self, ClientMessage, GoodbyeReason, Hello, RefusalReason, Refused, ServerMessage, cut_name, hello_versions,
};
use throng_shared::wire::{PROTOCOL_VERSION, WireError};
use tracing::debug;

use crate::batch::OutboundBatch;
use crate::net::NetEvent;

/// What the front door needs to know of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) world_name: String,
    pub(crate) world_hash: u64,
    pub(crate) players_max: usize,
}

/// All connected clients, and how far each has come.
#[derive(Debug, Default)]
pub(crate) struct FrontDoor {
    destinations: Vec<Destination>,
    clients: FxHashMap<ClientId, Stage>,
    /// When clients connected that may not have said hello yet, oldest first.
    greeting: VecDeque<(ClientId, Duration)>,
    /// Players of each destination.
    players: Vec<usize>,
    refusals: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Connected at this time, has not said hello. None: its token names no world of ours.
    Greeting(Option<InstanceId>, Duration),
    Playing(InstanceId),
    /// Has been told to go.
    Leaving,
}

/// What an instance is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Let this client in.
    Join(InstanceId, ClientId, String),
    /// This client has gone.
    Leave(InstanceId, ClientId),
}

impl FrontDoor {
    pub(crate) fn new(destinations: Vec<Destination>) -> FrontDoor {
        FrontDoor { players: vec![0; destinations.len()], destinations, ..FrontDoor::default() }
    }

    /// The instance that a client plays in.
    pub(crate) fn instance_of(&self, client: ClientId) -> Option<InstanceId> {
        match self.clients.get(&client)? {
            Stage::Playing(instance) => Some(*instance),
            _ => None,
        }
    }

    /// Number of clients that were not let in, since the start.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals
    }

    /// Handles everything but frames; `message` are the bytes of a message event.
    pub(crate) fn handle(
        &mut self,
        now: Duration,
        event: &NetEvent,
        message: &[u8],
        outbound: &mut OutboundBatch,
    ) -> Option<Admission> {
        match event {
            NetEvent::Connected { client, token } => {
                let instance = token.map(|token| token.instance);
                let known = instance.filter(|instance| usize::from(instance.0) < self.destinations.len());
                self.clients.insert(*client, Stage::Greeting(known, now));
                self.greeting.push_back((*client, now));
                None
            }
            NetEvent::Message { client, .. } => self.hear(*client, message, outbound),
            NetEvent::Misbehaved { client } => {
                self.dismiss(*client, ServerMessage::Goodbye(GoodbyeReason::Malformed), outbound)
            }
            NetEvent::Disconnected { client } => self.forget(*client),
            NetEvent::Frame { .. } => None,
        }
    }

    /// Sends those away who have not said hello in time.
    pub(crate) fn dismiss_silent(&mut self, now: Duration, outbound: &mut OutboundBatch) {
        let timeout = Duration::from_millis(HELLO_TIMEOUT_MS);
        while let Some(&(client, since)) = self.greeting.front() {
            // Who has come anew since then has an entry of its own.
            let is_greeting = matches!(self.clients.get(&client), Some(Stage::Greeting(_, at)) if *at == since);
            if is_greeting && now < since + timeout {
                return;
            }
            self.greeting.pop_front();
            if is_greeting {
                self.dismiss(client, ServerMessage::Goodbye(GoodbyeReason::HelloTimeout), outbound);
            }
        }
    }

    /// Sends everybody away.
    pub(crate) fn dismiss_all(&mut self, reason: GoodbyeReason, outbound: &mut OutboundBatch) {
        let mut everybody: Vec<ClientId> = self.clients.keys().copied().collect();
        everybody.sort_unstable();
        for client in everybody {
            self.dismiss(client, ServerMessage::Goodbye(reason), outbound);
        }
    }

    fn hear(&mut self, client: ClientId, bytes: &[u8], outbound: &mut OutboundBatch) -> Option<Admission> {
        match *self.clients.get(&client)? {
            Stage::Leaving => None,
            // Nothing is to be said after the hello yet.
            Stage::Playing(_) => self.dismiss(client, ServerMessage::Goodbye(GoodbyeReason::Malformed), outbound),
            Stage::Greeting(instance, _) => match self.greet(instance, bytes) {
                Ok((instance, name)) => {
                    debug!(client = client.0, world = instance.0, name, "joined");
                    self.clients.insert(client, Stage::Playing(instance));
                    self.players[usize::from(instance.0)] += 1;
                    Some(Admission::Join(instance, client, name))
                }
                Err(last_message) => {
                    debug!(client = client.0, ?last_message, "refused");
                    self.refusals += 1;
                    self.dismiss(client, last_message, outbound)
                }
            },
        }
    }

    /// Judges a hello: where its sender may go, or what it is to be told.
    fn greet(&self, instance: Option<InstanceId>, bytes: &[u8]) -> Result<(InstanceId, String), ServerMessage> {
        let malformed = |_: WireError| ServerMessage::Goodbye(GoodbyeReason::Malformed);
        let versions = hello_versions(bytes).ok_or(WireError::InvalidField).map_err(malformed)?;
        let destination = instance.map(|instance| (instance, &self.destinations[usize::from(instance.0)]));
        let refuse = |reason| {
            ServerMessage::Refused(Refused {
                reason,
                version_min: PROTOCOL_VERSION,
                version_max: PROTOCOL_VERSION,
                world_hash: destination.map_or(0, |(_, destination)| destination.world_hash),
                world_name: destination.map_or(String::new(), |(_, destination)| destination.world_name.clone()),
            })
        };
        if !versions.contains(&PROTOCOL_VERSION) {
            return Err(refuse(RefusalReason::Version));
        }
        let ClientMessage::Hello(Hello { world_hash, name, .. }) = message::decode(bytes).map_err(malformed)?;
        let (instance, destination) = destination.ok_or_else(|| refuse(RefusalReason::UnknownInstance))?;
        if world_hash != destination.world_hash {
            return Err(refuse(RefusalReason::World));
        }
        if self.players[usize::from(instance.0)] >= destination.players_max {
            return Err(refuse(RefusalReason::Full));
        }
        Ok((instance, cut_name(&name).to_owned()))
    }

    fn dismiss(
        &mut self,
        client: ClientId,
        last_message: ServerMessage,
        outbound: &mut OutboundBatch,
    ) -> Option<Admission> {
        let admission = self.forget(client);
        self.clients.insert(client, Stage::Leaving);
        outbound.dismissals.push((client, last_message));
        admission
    }

    fn forget(&mut self, client: ClientId) -> Option<Admission> {
        match self.clients.remove(&client)? {
            Stage::Playing(instance) => {
                debug!(client = client.0, world = instance.0, "left");
                self.players[usize::from(instance.0)] -= 1;
                Some(Admission::Leave(instance, client))
            }
            Stage::Greeting(..) | Stage::Leaving => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::wire::token::TokenData;

    const CLIENT: ClientId = ClientId(7);

    fn door() -> FrontDoor {
        let destination = |hash| Destination { world_name: format!("world-{hash}"), world_hash: hash, players_max: 1 };
        FrontDoor::new(vec![destination(10), destination(11)])
    }

    fn connect(door: &mut FrontDoor, client: ClientId, instance: u16) {
        let token = Some(TokenData { instance: InstanceId(instance) });
        door.handle(Duration::ZERO, &NetEvent::Connected { client, token }, &[], &mut OutboundBatch::default());
    }

    /// What comes of a client's message.
    fn say(door: &mut FrontDoor, client: ClientId, bytes: &[u8]) -> (Option<Admission>, Option<ServerMessage>) {
        let mut outbound = OutboundBatch::default();
        let admission = door.handle(Duration::ZERO, &NetEvent::Message { client, bytes: 0..0 }, bytes, &mut outbound);
        (admission, outbound.dismissals.pop().map(|(_, message)| message))
    }

    fn hello(change: impl FnOnce(&mut Hello)) -> Vec<u8> {
        let mut hello = Hello::new(11, "Ann");
        change(&mut hello);
        message::encode(&ClientMessage::Hello(hello))
    }

    #[test]
    fn a_fitting_hello_opens_the_world_of_the_token() {
        let mut door = door();
        connect(&mut door, CLIENT, 1);
        let joined = Admission::Join(InstanceId(1), CLIENT, "Ann".to_owned());
        assert_eq!(say(&mut door, CLIENT, &hello(|_| ())), (Some(joined), None));
        assert_eq!(door.instance_of(CLIENT), Some(InstanceId(1)));
    }

    #[test]
    fn whoever_does_not_fit_is_told_why() {
        let cases: [(u16, Vec<u8>, RefusalReason); 4] = [
            (1, hello(|hello| (hello.version_min, hello.version_max) = (2, 9)), RefusalReason::Version),
            (1, hello(|hello| hello.world_hash = 10), RefusalReason::World),
            (2, hello(|_| ()), RefusalReason::UnknownInstance),
            (1, hello(|_| ()), RefusalReason::Full),
        ];
        let mut door = door();
        connect(&mut door, ClientId(1), 1);
        say(&mut door, ClientId(1), &hello(|_| ()));
        for (instance, bytes, expected) in cases {
            connect(&mut door, CLIENT, instance);
            let (admission, answer) = say(&mut door, CLIENT, &bytes);
            assert_eq!(admission, None);
            let Some(ServerMessage::Refused(refused)) = answer else { panic!("{expected:?}: {answer:?}") };
            assert_eq!((refused.reason, refused.version_max), (expected, PROTOCOL_VERSION));
        }
        assert_eq!(door.refusals(), 4);
    }

    #[test]
    fn whoever_says_nothing_or_nonsense_is_sent_away() {
        let mut door = door();
        connect(&mut door, CLIENT, 1);
        let malformed = Some(ServerMessage::Goodbye(GoodbyeReason::Malformed));
        assert_eq!(say(&mut door, CLIENT, b"nonsense"), (None, malformed));
        connect(&mut door, CLIENT, 1);
        let mut outbound = OutboundBatch::default();
        door.dismiss_silent(Duration::from_millis(HELLO_TIMEOUT_MS - 1), &mut outbound);
        assert!(outbound.is_empty());
        door.dismiss_silent(Duration::from_millis(HELLO_TIMEOUT_MS), &mut outbound);
        assert_eq!(outbound.dismissals, [(CLIENT, ServerMessage::Goodbye(GoodbyeReason::HelloTimeout))]);
    }

    #[test]
    fn whoever_comes_anew_has_all_the_time_for_a_hello_again() {
        let mut door = door();
        let mut outbound = OutboundBatch::default();
        let token = Some(TokenData { instance: InstanceId(1) });
        let timeout = Duration::from_millis(HELLO_TIMEOUT_MS);
        for now in [Duration::ZERO, timeout / 2] {
            door.handle(now, &NetEvent::Connected { client: CLIENT, token }, &[], &mut outbound);
        }
        door.dismiss_silent(timeout, &mut outbound);
        assert!(outbound.is_empty());
        door.dismiss_silent(timeout + timeout / 2, &mut outbound);
        assert_eq!(outbound.dismissals.len(), 1);
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_whatever_the_client_sends() {
        let mut door = door();
        connect(&mut door, CLIENT, 1);
        let (admission, _) = say(&mut door, CLIENT, &hello(|hello| hello.name = "x".repeat(900)));
        assert_eq!(admission, Some(Admission::Join(InstanceId(1), CLIENT, "x".repeat(32))));
    }

    #[test]
    fn a_place_is_free_again_when_its_player_has_gone() {
        let mut door = door();
        connect(&mut door, CLIENT, 0);
        say(&mut door, CLIENT, &hello(|hello| hello.world_hash = 10));
        let left =
            door.handle(Duration::ZERO, &NetEvent::Disconnected { client: CLIENT }, &[], &mut OutboundBatch::default());
        assert_eq!(left, Some(Admission::Leave(InstanceId(0), CLIENT)));
        connect(&mut door, ClientId(8), 0);
        assert!(say(&mut door, ClientId(8), &hello(|hello| hello.world_hash = 10)).0.is_some());
    }
}
