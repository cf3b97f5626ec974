//! Where the network thread and the tick thread meet. A lock is held for a swap; when one of them is late, for a copy of
//! what it has not fetched. Nothing else is ever waited for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use throng_shared::limits::{OUTBOUND_BATCHES_MAX, OUTBOUND_KEPT_BYTES_MAX};

use super::inbound::{InboundNeed, NetInbound};
use crate::batch::OutboundShard;

/// Inbound events one way, outbound batches the other.
#[derive(Debug, Default)]
pub struct Mailbox {
    inbound: Mutex<Inbound>,
    outbound: Mutex<Outbound>,
}

#[derive(Debug, Default)]
struct Inbound {
    waiting: NetInbound,
    need: InboundNeed,
}

#[derive(Debug, Default)]
struct Outbound {
    /// What is left of those whose snapshots were dropped; before all that waits.
    kept: OutboundShard,
    waiting: VecDeque<OutboundShard>,
    spare: Vec<OutboundShard>,
    dropped: u64,
    messages_dropped: u64,
    is_closed: bool,
}

impl Mailbox {
    /// Network side: adds what has arrived; `inbound` is left empty, with its memory.
    pub fn deliver(&self, inbound: &mut NetInbound) {
        let waiting = &mut lock(&self.inbound).waiting;
        if waiting.events.is_empty() {
            waiting.totals = inbound.totals;
            inbound.clear_into(waiting);
        } else {
            waiting.append(inbound);
        }
    }

    /// Tick side: takes everything that has arrived; `inbound`, emptied, goes back to be filled. What a rush has left it of memory
    /// is given back.
    pub fn collect(&self, inbound: &mut NetInbound) {
        inbound.clear();
        let need = {
            let Inbound { waiting, need } = &mut *lock(&self.inbound);
            need.note(waiting);
            *need
        };
        // Not under the lock: the network thread is not to wait for the allocator.
        inbound.shrink_to(&need);
        let waiting = &mut lock(&self.inbound).waiting;
        inbound.totals = waiting.totals;
        std::mem::swap(waiting, inbound);
    }

    /// Tick side: hands a shard over and gets an empty one in its place. When [`OUTBOUND_BATCHES_MAX`] are waiting, the
    /// oldest one's snapshots are dropped and counted; the rest of it is kept, up to [`OUTBOUND_KEPT_BYTES_MAX`].
    pub fn post(&self, batch: &mut OutboundShard) {
        let mut outbound = lock(&self.outbound);
        let empty = outbound.spare.pop().unwrap_or_default();
        let batch = std::mem::replace(batch, empty);
        if outbound.waiting.len() >= OUTBOUND_BATCHES_MAX
            && let Some(mut oldest) = outbound.waiting.pop_front()
        {
            outbound.dropped += 1;
            outbound.messages_dropped += outbound.kept.keep_of(&mut oldest, OUTBOUND_KEPT_BYTES_MAX);
            outbound.spare.push(oldest);
        }
        outbound.waiting.push_back(batch);
    }

    /// Network side: the next batch that waits.
    pub fn take_outbound(&self) -> Option<OutboundShard> {
        let mut outbound = lock(&self.outbound);
        if !outbound.kept.is_empty() {
            return Some(std::mem::take(&mut outbound.kept));
        }
        outbound.waiting.pop_front()
    }

    /// Network side: gives a batch back whose memory can be used again.
    pub fn give_back(&self, mut batch: OutboundShard) {
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

    /// Packets and control messages that were dropped with them so far.
    pub fn dropped_messages(&self) -> u64 {
        lock(&self.outbound).messages_dropped
    }

    /// Tick side: nothing more will be posted.
    pub fn close(&self) {
        lock(&self.outbound).is_closed = true;
    }

    /// Network side: whether nothing more will come and nothing waits.
    pub fn is_finished(&self) -> bool {
        let outbound = lock(&self.outbound);
        outbound.is_closed && outbound.kept.is_empty() && outbound.waiting.is_empty()
    }
}

/// A thread that panicked while it held a lock has left the queues whole: every change above leaves them so at each step.
fn lock<Item>(mutex: &Mutex<Item>) -> MutexGuard<'_, Item> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::{ConnectionId, Content};

    /// Lets ticks pass in which so many frames arrive, each in a look of its own. Returns what the tick's batches had room for.
    fn pass(mailbox: &Mailbox, own: &mut (NetInbound, NetInbound), frames: impl Iterator<Item = usize>) -> Vec<usize> {
        let (thread, tick) = own;
        let ticks = frames.map(|count| {
            for slot in 0..count as u32 {
                let connection = ConnectionId { worker: 0, slot, generation: 1 };
                thread.push(Content::Frame, connection, Duration::ZERO, &[0; 32]);
                mailbox.deliver(thread);
            }
            mailbox.collect(tick);
            assert_eq!(tick.events.len(), count);
            tick.events.capacity()
        });
        ticks.collect()
    }

    #[test]
    fn memory_that_a_rush_has_taken_is_given_back() {
        let (mailbox, mut own) = (Mailbox::default(), Default::default());
        pass(&mailbox, &mut own, [40_000; 3].into_iter());
        let rooms = pass(&mailbox, &mut own, std::iter::repeat_n(2_000, 4_000));
        assert!(rooms[..3].iter().all(|&room| room >= 40_000), "{:?}", &rooms[..3]);
        assert!(rooms[3_990..].iter().all(|&room| (2_000..=8_000).contains(&room)), "{:?}", &rooms[3_990..]);
    }

    #[test]
    fn memory_that_is_needed_now_and_then_is_kept() {
        let (mailbox, mut own) = (Mailbox::default(), Default::default());
        let uneven = || (0..120).map(|tick| if tick % 40 == 0 { 4_000 } else { 3 });
        pass(&mailbox, &mut own, uneven());
        let rooms = pass(&mailbox, &mut own, uneven());
        assert!(rooms.iter().all(|&room| room >= 4_000), "{rooms:?}");
    }

    #[test]
    fn a_slow_network_thread_loses_snapshots_and_nothing_else() {
        let mailbox = Mailbox::default();
        let count = OUTBOUND_BATCHES_MAX as u32 + 3;
        for slot in 0..count {
            let mut shard = OutboundShard::default();
            let connection = ConnectionId { worker: 0, slot, generation: 1 };
            shard.push_frame(connection, b"snapshot");
            shard.push_packet(connection, b"packet");
            shard.push_control(connection, b"control");
            mailbox.post(&mut shard);
            assert!(shard.is_empty());
        }
        // Somebody who is in each of them.
        let everywhere = ConnectionId { worker: 0, slot: 1_000, generation: 1 };
        let mut merged = OutboundShard::default();
        for number in 0..3u8 {
            let mut other = OutboundShard::default();
            other.push_packet(everywhere, &[number]);
            other.push_packet(ConnectionId { slot: u32::from(number), ..everywhere }, b"between");
            assert_eq!(merged.keep_of(&mut other, usize::MAX), 0);
        }
        let own: Vec<&[u8]> = merged.packets().skip(3).map(|(_, packet)| packet).collect();
        assert_eq!(own, [&[0][..], &[1], &[2]], "one after another");
        let (mut frames, mut packets, mut controls) = (0, Vec::new(), Vec::new());
        while let Some(shard) = mailbox.take_outbound() {
            frames += shard.frame_count();
            packets.extend(shard.packets().map(|(connection, bytes)| (connection.slot, bytes.to_vec())));
            controls.extend(shard.controls().map(|(connection, bytes)| (connection.slot, bytes.to_vec())));
            mailbox.give_back(shard);
        }
        assert_eq!(frames, OUTBOUND_BATCHES_MAX);
        assert_eq!(packets, (0..count).map(|slot| (slot, b"packet".to_vec())).collect::<Vec<_>>());
        assert_eq!(controls, (0..count).map(|slot| (slot, b"control".to_vec())).collect::<Vec<_>>());
        assert_eq!((mailbox.dropped_batches(), mailbox.dropped_messages()), (3, 0));
    }

    #[test]
    fn a_network_thread_that_stands_still_does_not_fill_the_memory() {
        let mailbox = Mailbox::default();
        let (ticks, connections) = (2_000_u32, 30);
        let mut longest_bytes = 0;
        for _ in 0..ticks {
            let mut shard = OutboundShard::default();
            for slot in 0..connections {
                let connection = ConnectionId { worker: 0, slot, generation: 1 };
                shard.push_frame(connection, &[1; 1_000]);
                shard.push_packet(connection, &[2; 100]);
                shard.push_control(connection, &[3; 10]);
            }
            mailbox.post(&mut shard);
            let outbound = lock(&mailbox.outbound);
            assert!(outbound.waiting.iter().all(|shard| shard.bytes() == connections as usize * 1_110));
            longest_bytes = longest_bytes.max(outbound.kept.bytes());
        }
        assert!(longest_bytes > OUTBOUND_KEPT_BYTES_MAX / 4, "what is kept is kept for long: {longest_bytes} bytes");
        assert!(longest_bytes < OUTBOUND_KEPT_BYTES_MAX, "{longest_bytes} bytes");
        let mut left = 0;
        while let Some(shard) = mailbox.take_outbound() {
            left += (shard.packets().len() + shard.controls().len()) as u64;
            assert!(shard.packets().all(|(_, packet)| packet == [2; 100]));
            assert!(shard.controls().all(|(_, control)| control == [3; 10]));
        }
        assert!(mailbox.dropped_messages() > 0);
        assert_eq!(left + mailbox.dropped_messages(), u64::from(2 * ticks * connections));
    }
}
