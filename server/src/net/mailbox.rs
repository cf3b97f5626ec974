//! Where the network thread and the tick thread meet. A lock is held for a swap; when one of them is late, for a copy of
//! what it has not fetched. Nothing else is ever waited for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use throng_shared::limits::OUTBOUND_BATCHES_MAX;

use super::inbound::NetInbound;
use crate::batch::OutboundBatch;

/// Inbound events one way, outbound batches the other.
#[derive(Debug, Default)]
pub struct Mailbox {
    inbound: Mutex<NetInbound>,
    outbound: Mutex<Outbound>,
}

#[derive(Debug, Default)]
struct Outbound {
    waiting: VecDeque<OutboundBatch>,
    spare: Vec<OutboundBatch>,
    dropped: u64,
    is_closed: bool,
}

impl Mailbox {
    /// Network side: adds what has arrived; `inbound` is left empty, with its memory.
    pub fn deliver(&self, inbound: &mut NetInbound) {
        let mut waiting = lock(&self.inbound);
        if waiting.events.is_empty() {
            waiting.totals = inbound.totals;
            waiting.heard_until = inbound.heard_until;
            inbound.clear_into(&mut waiting);
        } else {
            waiting.append(inbound);
        }
    }

    /// Tick side: takes everything that has arrived; `inbound`, emptied, goes back to be filled.
    pub fn collect(&self, inbound: &mut NetInbound) {
        inbound.clear();
        let mut waiting = lock(&self.inbound);
        (inbound.totals, inbound.heard_until) = (waiting.totals, waiting.heard_until);
        std::mem::swap(&mut *waiting, inbound);
    }

    /// Tick side: hands a batch over and gets an empty one in its place. When [`OUTBOUND_BATCHES_MAX`] are waiting, the
    /// oldest one's snapshots are dropped and counted; its messages and dismissals are kept.
    pub fn post(&self, batch: &mut OutboundBatch) {
        let mut outbound = lock(&self.outbound);
        let empty = outbound.spare.pop().unwrap_or_default();
        let mut batch = std::mem::replace(batch, empty);
        if outbound.waiting.len() >= OUTBOUND_BATCHES_MAX
            && let Some(mut oldest) = outbound.waiting.pop_front()
        {
            outbound.dropped += 1;
            oldest.clear_frames();
            // Its messages stay before those of the next batch.
            let next = outbound.waiting.front_mut().unwrap_or(&mut batch);
            oldest.append(next);
            std::mem::swap(next, &mut oldest);
            outbound.spare.push(oldest);
        }
        outbound.waiting.push_back(batch);
    }

    /// Network side: the next batch that waits.
    pub fn take_outbound(&self) -> Option<OutboundBatch> {
        lock(&self.outbound).waiting.pop_front()
    }

    /// Network side: gives a batch back whose memory can be used again.
    pub fn give_back(&self, mut batch: OutboundBatch) {
        batch.clear();
        let mut outbound = lock(&self.outbound);
        if outbound.spare.len() < OUTBOUND_BATCHES_MAX {
            outbound.spare.push(batch);
        }
    }

    /// Batches whose snapshots were dropped so far.
    pub fn dropped_batches(&self) -> u64 {
        lock(&self.outbound).dropped
    }

    /// Tick side: nothing more will be posted.
    pub fn close(&self) {
        lock(&self.outbound).is_closed = true;
    }

    /// Network side: whether nothing more will come and nothing waits.
    pub fn is_finished(&self) -> bool {
        let outbound = lock(&self.outbound);
        outbound.is_closed && outbound.waiting.is_empty()
    }
}

/// A thread that panicked while it held a lock has left the queues whole: every change above leaves them so at each step.
fn lock<Item>(mutex: &Mutex<Item>) -> MutexGuard<'_, Item> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::ids::ClientId;
    use throng_shared::wire::message::{GoodbyeReason, ServerMessage};

    #[test]
    fn a_slow_network_thread_loses_snapshots_but_no_message() {
        let mailbox = Mailbox::default();
        let count = OUTBOUND_BATCHES_MAX as u64 + 3;
        for number in 0..count {
            let mut batch = OutboundBatch::default();
            batch.push_frame(ClientId(number), b"snapshot");
            batch.messages.push((ClientId(number), ServerMessage::Goodbye(GoodbyeReason::ServerStopping)));
            mailbox.post(&mut batch);
            assert!(batch.is_empty());
        }
        let (mut frames, mut messages) = (0, Vec::new());
        while let Some(batch) = mailbox.take_outbound() {
            frames += batch.frames().len();
            messages.extend(batch.messages.iter().map(|(client, _)| client.0));
            mailbox.give_back(batch);
        }
        assert_eq!(frames, OUTBOUND_BATCHES_MAX);
        assert_eq!(messages, (0..count).collect::<Vec<_>>());
        assert_eq!(mailbox.dropped_batches(), 3);
    }
}
