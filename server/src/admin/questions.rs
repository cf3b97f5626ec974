//! Questions of operators that only the tick thread can answer, and what they want that it alone can do.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use throng_shared::ids::{ClientId, InstanceId, NetId};
use throng_shared::tick::Tick;
use tokio::sync::oneshot;
use tracing::info;

use crate::abilities::CombatLog;
use crate::host::Host;
use crate::session::Session;

/// Questions that wait for an answer; beyond it further ones are refused.
const WAITING_MAX: usize = 64;

/// Questions that are answered between two ticks; each takes some microseconds, and a list of clients a fraction of a millisecond.
const ANSWERED_PER_TICK: usize = 8;

/// Receipts and refusals that are told at once, the newest first.
const SHOTS_TOLD_MAX: usize = 100;

/// Clients that are told of at once.
const CLIENTS_TOLD_MAX: usize = 250;

/// What can be asked, or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Why a client knows of a character, or does not.
    Explain { world: InstanceId, client: ClientId, entity: NetId },
    /// What was judged last of a client's shots, and what was refused of its wishes; or of everybody's.
    Shots { world: InstanceId, client: Option<ClientId> },
    /// Where a client's bytes went; or those of all of a world.
    Ledger { world: InstanceId, client: Option<ClientId> },
    /// Who is in a world, in the order of their numbers, from this one on.
    Clients { world: InstanceId, from: ClientId },
    /// That a client be sent away.
    Kick { client: ClientId },
}

/// What was asked, and where the answers go.
#[derive(Debug, Default)]
pub struct Questions {
    waiting: Mutex<VecDeque<(Question, oneshot::Sender<Option<Value>>)>>,
}

impl Question {
    /// Reads the query of an address: `client=5&entity=7`, with `world=0` when it is not the first.
    ///
    /// # Errors
    /// With what is missing or wrong, for people.
    pub(super) fn parse(path: &str, query: &str) -> Result<Question, String> {
        let number = |name: &str| {
            let values = query.split('&').filter_map(|pair| pair.split_once('='));
            let Some((_, value)) = values.into_iter().find(|(key, _)| *key == name) else { return Ok(None) };
            value.parse::<u64>().map(Some).map_err(|_| format!("{name}={value} is not a number\n"))
        };
        let needed = |name: &str| number(name)?.ok_or_else(|| format!("{name} is missing: {path}?client=5&entity=7\n"));
        let world = number("world")?.unwrap_or(0);
        let world = InstanceId(u16::try_from(world).map_err(|_| format!("there is no world {world}\n"))?);
        if path == "/shots" {
            return Ok(Question::Shots { world, client: number("client")?.map(ClientId) });
        }
        if path == "/ledger" {
            return Ok(Question::Ledger { world, client: number("client")?.map(ClientId) });
        }
        if path == "/clients" {
            return Ok(Question::Clients { world, from: ClientId(number("from")?.unwrap_or(0)) });
        }
        let entity = needed("entity")?;
        let entity = NetId(u32::try_from(entity).map_err(|_| format!("there is no entity {entity}\n"))?);
        Ok(Question::Explain { world, client: ClientId(needed("client")?), entity })
    }

    /// The answer; none when there is no such world or client.
    fn answer(self, now: Duration, host: &mut Host) -> Option<Value> {
        match self {
            Question::Explain { world, client, entity } => {
                let instance = host.instances().nth(world.0.into())?;
                let explanation = instance.explain(client, entity);
                let mut answer = serde_json::to_value(explanation).ok()?;
                let fields = answer.as_object_mut()?;
                fields.insert("client".to_owned(), json!(client.0));
                fields.insert("entity".to_owned(), json!(entity.0));
                fields.insert("tick".to_owned(), json!(instance.current_tick().0));
                fields.insert("is_told".to_owned(), json!(explanation.is_told()));
                Some(answer)
            }
            Question::Shots { world, client } => {
                let instance = host.instances().nth(world.0.into())?;
                let who = match client {
                    Some(client) => Some(instance.sessions().get(client)?.net_id),
                    None => None,
                };
                let log = instance.world().get_resource::<CombatLog>()?;
                let is_asked = |net_id: NetId| who.is_none_or(|who| who == net_id);
                let receipts = log.receipts().rev().filter(|shot| is_asked(shot.receipt.shot.shooter));
                let refusals = log.refusals().rev().filter(|refusal| is_asked(refusal.who));
                Some(json!({
                    "tick": instance.current_tick().0,
                    "receipts": receipts.take(SHOTS_TOLD_MAX).collect::<Vec<_>>(),
                    "refusals": refusals.take(SHOTS_TOLD_MAX).collect::<Vec<_>>(),
                }))
            }
            Question::Ledger { world, client } => {
                let instance = host.instances().nth(world.0.into())?;
                let ledger = match client {
                    Some(client) => *instance.sessions().get(client)?.view.ledger(),
                    None => instance.totals().ledger,
                };
                let mut answer = serde_json::to_value(ledger).ok()?;
                let fields = answer.as_object_mut()?;
                fields.insert("overhead_bytes".to_owned(), json!(ledger.overhead_bytes()));
                fields.insert("snapshot_bytes".to_owned(), json!(ledger.snapshot_bytes()));
                fields.insert("wire_bytes".to_owned(), json!(ledger.wire_bytes()));
                fields.insert("tick".to_owned(), json!(instance.current_tick().0));
                Some(answer)
            }
            Question::Clients { world, from } => {
                let instance = host.instances().nth(world.0.into())?;
                Some(list_of(instance.current_tick(), instance.sessions().all(), from, CLIENTS_TOLD_MAX))
            }
            Question::Kick { client } => host.kick(now, client).then(|| {
                info!(client = client.0, "kicked over HTTP");
                json!({ "client": client.0 })
            }),
        }
    }
}

/// So many of the sessions as are told at once, from this client's on.
fn list_of(tick: Tick, all: &[Session], from: ClientId, most: usize) -> Value {
    let mut left = all[all.partition_point(|session| session.client < from)..].iter();
    let told = left.by_ref().take(most).map(|session| {
        json!({
            "client": session.client.0,
            "name": session.name,
            "entity": session.net_id.0,
            "is_connected": session.connection.is_some(),
        })
    });
    let told: Vec<Value> = told.collect();
    let next = left.next().map(|session| session.client.0);
    json!({ "tick": tick.0, "count": all.len(), "clients": told, "next": next })
}

impl Questions {
    /// Asks; none when too many wait already.
    pub(super) fn ask(&self, question: Question) -> Option<oneshot::Receiver<Option<Value>>> {
        let mut waiting = self.waiting.lock().ok()?;
        if waiting.len() >= WAITING_MAX {
            // Whoever has gone away takes nobody's place.
            waiting.retain(|(_, sender)| !sender.is_closed());
        }
        if waiting.len() >= WAITING_MAX {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiting.push_back((question, sender));
        Some(receiver)
    }

    /// Answers some. For the thread that has the host.
    pub fn answer(&self, now: Duration, host: &mut Host) {
        for _ in 0..ANSWERED_PER_TICK {
            // Taken out before it is answered: whoever asks meanwhile is not to wait for that.
            let next = self.waiting.lock().ok().and_then(|mut waiting| waiting.pop_front());
            let Some((question, sender)) = next else { return };
            // Whoever was told that nothing came of it is not to be surprised.
            if !sender.is_closed() {
                let _ = sender.send(question.answer(now, host));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bevy_ecs::prelude::Entity;
    use throng_shared::tick::TickRate;

    use super::*;
    use crate::host::HostOptions;
    use crate::net::ConnectionId;

    #[test]
    fn a_question_is_read_from_an_address_and_what_is_wrong_with_it_is_said() {
        let (client, entity) = (ClientId(5), NetId(7));
        let explain = |world| Question::Explain { world: InstanceId(world), client, entity };
        assert_eq!(Question::parse("/explain", "client=5&entity=7"), Ok(explain(0)));
        assert_eq!(Question::parse("/explain", "entity=7&world=2&client=5"), Ok(explain(2)));
        let ledger = |client| Question::Ledger { world: InstanceId(0), client };
        assert_eq!(Question::parse("/ledger", "client=5"), Ok(ledger(Some(client))));
        assert_eq!(Question::parse("/ledger", ""), Ok(ledger(None)));
        let shots = |client| Question::Shots { world: InstanceId(1), client };
        assert_eq!(Question::parse("/shots", "client=5&world=1"), Ok(shots(Some(client))));
        assert_eq!(Question::parse("/shots", "world=1"), Ok(shots(None)));
        let clients = |from| Question::Clients { world: InstanceId(0), from: ClientId(from) };
        assert_eq!(Question::parse("/clients", ""), Ok(clients(0)));
        assert_eq!(Question::parse("/clients", "from=1001"), Ok(clients(1001)));
        for (path, query, word) in [
            ("/explain", "client=5", "entity is missing"),
            ("/explain", "entity=1", "client is missing"),
            ("/explain", "client=x&entity=1", "client=x is not a number"),
            ("/explain", "client=1&entity=99999999999", "no entity"),
            ("/ledger", "client=-1", "not a number"),
            ("/ledger", "world=70000", "no world"),
        ] {
            let message = Question::parse(path, query).expect_err("it is wrong");
            assert!(message.contains(word), "{query}: {message}");
        }
    }

    #[test]
    fn clients_are_listed_from_a_number_on_with_where_the_next_list_begins() {
        let connection = ConnectionId { worker: 0, slot: 0, generation: 1 };
        let session = |client| {
            let (client, rate) = (ClientId(client), TickRate::new(20));
            Session::new(client, connection, "Ann".to_owned(), NetId(9), Entity::PLACEHOLDER, rate)
        };
        let mut all = [2, 4, 6, 8].map(session);
        all[2].connection = None;
        let list = |from| {
            let list = list_of(Tick(5), &all, ClientId(from), 2);
            let told = |client: &Value| (client["client"].as_u64(), client["is_connected"].as_bool());
            let told: Vec<_> = list["clients"].as_array().expect("a list").iter().map(told).collect();
            assert_eq!((&list["count"], &list["tick"]), (&4.into(), &5.into()));
            (told, list["next"].as_u64())
        };
        let some = |client, is_connected| (Some(client), Some(is_connected));
        assert_eq!(list(0), (vec![some(2, true), some(4, true)], Some(6)));
        assert_eq!(list(6), (vec![some(6, false), some(8, true)], None));
        assert_eq!(list(9), (vec![], None));
    }

    #[test]
    fn whoever_does_not_wait_any_more_gets_nothing_done() {
        let mut host = Host::new(Vec::new(), HostOptions::default(), Duration::ZERO);
        let questions = Questions::default();
        let gone = questions.ask(Question::Kick { client: ClientId(1) });
        drop(gone);
        let mut waits = questions.ask(Question::Kick { client: ClientId(1) }).expect("there is room");
        questions.answer(Duration::ZERO, &mut host);
        assert_eq!(waits.try_recv(), Ok(None), "nobody is there");
        assert!(questions.waiting.lock().expect("nobody panicked").is_empty());
    }

    #[test]
    fn more_questions_than_can_wait_are_refused() {
        let questions = Questions::default();
        let question = Question::Ledger { world: InstanceId(0), client: None };
        let asked: Vec<_> = (0..WAITING_MAX + 1).map(|_| questions.ask(question)).collect();
        assert!(asked[WAITING_MAX].is_none() && asked[..WAITING_MAX].iter().all(Option::is_some));
        drop(asked);
        assert!(questions.ask(question).is_some(), "those who asked before have gone");
    }
}
