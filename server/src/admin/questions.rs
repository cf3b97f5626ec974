//! Questions of operators that only the tick thread can answer, and what they want that it alone can do.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use throng_shared::ids::{ClientId, InstanceId, NetId};
use tokio::sync::oneshot;
use tracing::info;

use crate::abilities::CombatLog;
use crate::host::Host;

/// Questions that wait for an answer; beyond it further ones are refused.
const WAITING_MAX: usize = 64;

/// Questions that are answered between two ticks; each takes some microseconds.
const ANSWERED_PER_TICK: usize = 8;

/// Receipts and refusals that are told at once, the newest first.
const SHOTS_TOLD_MAX: usize = 100;

/// Clients that are told of at once.
const CLIENTS_TOLD_MAX: usize = 1_000;

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
    waiting: Mutex<Vec<(Question, oneshot::Sender<Option<Value>>)>>,
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
                let all = instance.sessions().all();
                let mut left = all[all.partition_point(|session| session.client < from)..].iter();
                let told = left.by_ref().take(CLIENTS_TOLD_MAX).map(|session| {
                    json!({
                        "client": session.client.0,
                        "name": session.name,
                        "entity": session.net_id.0,
                        "is_connected": session.connection.is_some(),
                    })
                });
                let told: Vec<Value> = told.collect();
                Some(json!({
                    "tick": instance.current_tick().0,
                    "count": all.len(),
                    "clients": told,
                    "next": left.next().map(|session| session.client.0),
                }))
            }
            Question::Kick { client } => host.kick(now, client).then(|| {
                info!(client = client.0, "kicked over HTTP");
                json!({ "client": client.0 })
            }),
        }
    }
}

impl Questions {
    /// Asks; none when too many wait already.
    pub(super) fn ask(&self, question: Question) -> Option<oneshot::Receiver<Option<Value>>> {
        let mut waiting = self.waiting.lock().ok()?;
        if waiting.len() >= WAITING_MAX {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiting.push((question, sender));
        Some(receiver)
    }

    /// Answers some. For the thread that has the host.
    pub fn answer(&self, now: Duration, host: &mut Host) {
        let Ok(mut waiting) = self.waiting.lock() else { return };
        let count = waiting.len().min(ANSWERED_PER_TICK);
        for (question, sender) in waiting.drain(..count) {
            // Who has gone away since does not mind.
            let _ = sender.send(question.answer(now, host));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn more_questions_than_can_wait_are_refused() {
        let questions = Questions::default();
        let question = Question::Ledger { world: InstanceId(0), client: None };
        let asked: Vec<_> = (0..WAITING_MAX + 1).map(|_| questions.ask(question)).collect();
        assert!(asked[WAITING_MAX].is_none() && asked[..WAITING_MAX].iter().all(Option::is_some));
    }
}
