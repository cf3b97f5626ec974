//! Which connect tokens were used, and where from.
//!
//! A token lets one connection in: its keys would otherwise seal different packets with the same numbers. While a handshake
//! with it is under way it is good at that address and port alone; when that has led nowhere, at any again. It is
//! remembered until it expires.
//!
//! The memory has its size from the start: 60 bytes for each of [`USED_TOKENS_MAX`] tokens, and asks for no more. It is
//! not written to before it is needed, so that a system which gives memory page by page, as Linux does, gives a server
//! that sees few tokens little of it: 1 MiB for the chains, and 56 bytes for each token that was remembered at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::DefaultHashBuilder;
use throng_shared::limits::USED_TOKENS_MAX;

/// The tag of a token's private part, by which it is known.
pub(super) type TokenTag = [u8; 16];

/// Expired tokens that are forgotten at most when one is shown. One at a time comes in, so that they never pile up; were all
/// forgotten at once, one handshake would wait for a whole minute's logins.
const FORGOTTEN_AT_ONCE_MAX: usize = 16;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// All tokens that were used; the network threads share it. It is locked for each handshake, and for nothing else.
#[derive(Clone, Debug, Default)]
pub struct UsedTokens {
    memory: Arc<Mutex<Memory>>,
}

/// A hash map whose entries lie in one array and are chained by their indices, beside a heap by expiry. The maps of the
/// libraries leave marks where they removed something, and once there are many of those they move everything.
struct Memory {
    /// Seeded: the sum of the chains' lengths is bounded, and nobody can choose which of them grows.
    hasher: DefaultHashBuilder,
    /// The first slot of each chain, by the hash of the tag.
    chains: Box<[u32]>,
    slots: Vec<Slot>,
    /// The first slot of the chain of those that are free again.
    free: u32,
    expiries: BinaryHeap<Reverse<Expiry>>,
}

#[derive(Clone, Copy)]
struct Slot {
    tag: TokenTag,
    place: Place,
    stage: Stage,
    /// The next slot of the same chain.
    next: u32,
}

/// Where a handshake is under way. In twenty bytes: an IPv4 address is written as an IPv6 one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    address: Ipv6Addr,
    port: u16,
    worker: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Handshakes have led nowhere so far.
    Idle,
    /// A handshake is under way at the slot's place.
    UnderWay,
    /// It has let somebody in.
    Connected,
}

/// When a slot becomes free; the first is the least. The time is in halves, for whole it would be aligned to 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Expiry {
    at_s_high: u32,
    at_s_low: u32,
    slot: u32,
}

const _: () = {
    assert!(USED_TOKENS_MAX < NONE as usize);
    // What the top of this file says, with four bytes of a chain.
    assert!(size_of::<Slot>() + size_of::<Reverse<Expiry>>() == 56);
};

/// What comes of showing a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Good,
    /// It is in use elsewhere, or has let somebody in.
    InUse,
    /// Too many others are remembered that have not expired.
    NoRoom,
}

impl UsedTokens {
    /// None used yet, and room for so many instead of [`USED_TOKENS_MAX`].
    ///
    /// # Panics
    /// When there is room for none, or for more.
    pub fn with_room_for(tokens_max: usize) -> UsedTokens {
        assert!((1..=USED_TOKENS_MAX).contains(&tokens_max), "room for 1 to {USED_TOKENS_MAX}");
        UsedTokens { memory: Arc::new(Mutex::new(Memory::new(tokens_max))) }
    }

    /// Notes that a token is shown to `worker` from `address`, at `unix_s`. It is good when it is new, or was shown by the same before and
    /// has let nobody in yet. When as many are remembered as there is room for, no new one is.
    pub(super) fn show(
        &self,
        tag: TokenTag,
        worker: u16,
        address: SocketAddr,
        unix_s: u64,
        expires_at_s: u64,
    ) -> Shown {
        let place = Place::new(worker, address);
        let mut memory = self.lock();
        memory.forget_expired(unix_s);
        let Some(used) = memory.find(&tag) else {
            return if memory.remember(tag, place, expires_at_s) { Shown::Good } else { Shown::NoRoom };
        };
        if used.stage == Stage::Idle {
            (used.stage, used.place) = (Stage::UnderWay, place);
        }
        if used.stage == Stage::UnderWay && used.place == place { Shown::Good } else { Shown::InUse }
    }

    /// Notes that a handshake with a token has led nowhere: it may be shown elsewhere.
    pub(super) fn withdraw(&self, tag: TokenTag) {
        if let Some(used) = self.lock().find(&tag)
            && used.stage == Stage::UnderWay
        {
            used.stage = Stage::Idle;
        }
    }

    /// Notes that a token has let somebody in. Whether it was the first time.
    pub(super) fn connect(&self, tag: TokenTag) -> bool {
        match self.lock().find(&tag) {
            Some(used) => std::mem::replace(&mut used.stage, Stage::Connected) != Stage::Connected,
            // It has expired in between.
            None => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(USED_TOKENS_MAX)
    }
}

impl Memory {
    fn new(tokens_max: usize) -> Memory {
        Memory {
            hasher: DefaultHashBuilder::default(),
            chains: vec![NONE; tokens_max].into_boxed_slice(),
            slots: Vec::with_capacity(tokens_max),
            free: NONE,
            expiries: BinaryHeap::with_capacity(tokens_max),
        }
    }

    fn chain_of(&self, tag: &TokenTag) -> usize {
        (self.hasher.hash_one(tag) % self.chains.len() as u64) as usize
    }

    fn find(&mut self, tag: &TokenTag) -> Option<&mut Slot> {
        let mut slot = self.chains[self.chain_of(tag)];
        while slot != NONE && self.slots[slot as usize].tag != *tag {
            slot = self.slots[slot as usize].next;
        }
        self.slots.get_mut(slot as usize)
    }

    /// Takes a slot for a new token. Whether there is one.
    fn remember(&mut self, tag: TokenTag, place: Place, expires_at_s: u64) -> bool {
        let chain = self.chain_of(&tag);
        let used = Slot { tag, place, stage: Stage::UnderWay, next: self.chains[chain] };
        let slot = match self.free {
            // There are as many chains as tokens that may be remembered.
            NONE if self.slots.len() >= self.chains.len() => return false,
            NONE => {
                self.slots.push(used);
                self.slots.len() as u32 - 1
            }
            free => {
                let former = std::mem::replace(&mut self.slots[free as usize], used);
                self.free = former.next;
                free
            }
        };
        self.chains[chain] = slot;
        self.expiries.push(Reverse(Expiry::new(expires_at_s, slot)));
        true
    }

    fn forget_expired(&mut self, unix_s: u64) {
        for _ in 0..FORGOTTEN_AT_ONCE_MAX {
            match self.expiries.peek() {
                Some(&Reverse(expiry)) if expiry.at_s() <= unix_s => {
                    self.expiries.pop();
                    self.forget(expiry.slot);
                }
                _ => return,
            }
        }
    }

    /// Takes a slot out of its chain and puts it before the free ones.
    fn forget(&mut self, slot: u32) {
        let Slot { tag, next, .. } = self.slots[slot as usize];
        let chain = self.chain_of(&tag);
        let mut link = &mut self.chains[chain];
        while *link != slot {
            let earlier = *link as usize;
            link = &mut self.slots[earlier].next;
        }
        *link = next;
        self.slots[slot as usize].next = std::mem::replace(&mut self.free, slot);
    }
}

/// Not its quarter of a million slots.
impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").field("tokens", &self.expiries.len()).finish_non_exhaustive()
    }
}

impl Place {
    fn new(worker: u16, address: SocketAddr) -> Place {
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        Place { address: ip, port: address.port(), worker }
    }
}

impl Expiry {
    fn new(at_s: u64, slot: u32) -> Expiry {
        Expiry { at_s_high: (at_s >> 32) as u32, at_s_low: at_s as u32, slot }
    }

    fn at_s(self) -> u64 {
        u64::from(self.at_s_high) << 32 | u64::from(self.at_s_low)
    }
}

#[cfg(test)]
impl Shown {
    pub(super) fn is_good(self) -> bool {
        self == Shown::Good
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use throng_shared::random::Random;

    use super::*;

    fn tag(number: u64) -> TokenTag {
        let mut tag = [0; 16];
        tag[..8].copy_from_slice(&number.to_le_bytes());
        tag
    }

    #[test]
    fn a_token_is_good_for_one_connection_and_for_one_handshake_at_a_time() {
        let tokens = UsedTokens::default();
        let address = |port| SocketAddr::from(([192, 0, 2, 1], port));
        assert!(tokens.show([1; 16], 0, address(1), 100, 160).is_good());
        assert!(tokens.show([1; 16], 0, address(1), 100, 160).is_good(), "a request is repeated");
        assert!(!tokens.show([1; 16], 0, address(2), 100, 160).is_good(), "from elsewhere");
        assert!(!tokens.show([1; 16], 1, address(1), 100, 160).is_good(), "on another port");
        tokens.withdraw([1; 16]);
        assert!(tokens.show([1; 16], 1, address(1), 100, 160).is_good(), "the first port had no room");
        assert!(!tokens.show([1; 16], 0, address(1), 100, 160).is_good());
        assert!(tokens.connect([1; 16]) && !tokens.connect([1; 16]));
        assert!(!tokens.show([1; 16], 0, address(1), 100, 160).is_good(), "it has let somebody in");
        assert!(!tokens.connect([2; 16]), "never shown");
        assert!(tokens.show([2; 16], 0, address(2), 160, 170).is_good());
        assert_eq!(tokens.lock().expiries.len(), 1, "the first has expired");
    }

    #[test]
    fn the_memory_is_bounded() {
        let tokens = UsedTokens::default();
        let address = SocketAddr::from(([192, 0, 2, 1], 1));
        let allowed = (0..USED_TOKENS_MAX as u64 + 5).filter(|&n| tokens.show(tag(n), 0, address, 0, n + 1).is_good());
        assert_eq!(allowed.count(), USED_TOKENS_MAX);
        assert_eq!(tokens.show(tag(u64::MAX), 0, address, 0, 2), Shown::NoRoom);
        assert!(tokens.show(tag(u64::MAX), 0, address, 1, 2).is_good(), "the one that expired first has made room");
    }

    /// Where everything lies, and how much there is room for.
    fn storage(tokens: &UsedTokens) -> [(usize, usize); 3] {
        let memory = tokens.lock();
        [
            (memory.chains.as_ptr() as usize, memory.chains.len()),
            (memory.slots.as_ptr() as usize, memory.slots.capacity()),
            (memory.expiries.as_slice().as_ptr() as usize, memory.expiries.capacity()),
        ]
    }

    #[test]
    fn memory_is_asked_for_once_and_never_again() {
        let tokens = UsedTokens::default();
        let address = SocketAddr::from(([192, 0, 2, 1], 1));
        let before = storage(&tokens);
        assert!(before.iter().all(|(_, room)| *room == USED_TOKENS_MAX), "{before:?}");
        // Three times as many as there is room for, one each second, that come and go in any order; then as many as fit.
        let mut random = Random::new(1, 0);
        let lifetime_s = USED_TOKENS_MAX as u64;
        for unix_s in 0..3 * lifetime_s {
            let life_s = 1 + u64::from(random.below(lifetime_s as u32));
            assert!(tokens.show(tag(unix_s), 0, address, unix_s, unix_s + life_s).is_good());
        }
        for extra in 0..lifetime_s {
            tokens.show(tag(u64::MAX - extra), 0, address, 3 * lifetime_s, u64::MAX);
        }
        assert_eq!(tokens.lock().expiries.len(), USED_TOKENS_MAX, "it is full");
        assert_eq!(storage(&tokens), before);
    }

    #[test]
    fn what_has_not_expired_is_known_and_the_rest_is_forgotten() {
        let tokens = UsedTokens::default();
        let address = |port| SocketAddr::from(([192, 0, 2, 1], port));
        let mut random = Random::new(2, 0);
        // Expiry of each token that is to be known.
        let mut known = BTreeMap::new();
        for unix_s in 1..20_000 {
            let (number, expires_at_s) = (unix_s, unix_s + 1 + u64::from(random.below(300)));
            assert!(tokens.show(tag(number), 0, address(1), unix_s, expires_at_s).is_good());
            known.insert(number, expires_at_s);
            known.retain(|_, expires_at_s| *expires_at_s > unix_s);
            let asked = unix_s - u64::from(random.below(300)).min(unix_s - 1);
            if known.contains_key(&asked) {
                assert!(tokens.show(tag(asked), 0, address(1), unix_s, 0).is_good(), "{asked} is under way here");
                assert!(!tokens.show(tag(asked), 0, address(2), unix_s, 0).is_good(), "{asked} is under way elsewhere");
            } else {
                assert!(!tokens.connect(tag(asked)), "{asked} has expired");
            }
            assert_eq!(tokens.lock().expiries.len(), known.len());
        }
        assert!(tokens.lock().slots.len() < 400, "slots are used again");
    }

    #[test]
    fn many_that_expire_at_once_are_forgotten_little_by_little() {
        let tokens = UsedTokens::default();
        let address = SocketAddr::from(([192, 0, 2, 1], 1));
        assert!((0..1_000).all(|number| tokens.show(tag(number), 0, address, 0, 60).is_good()));
        for shown in 1..=1_000u64 {
            assert!(tokens.show(tag(1_000 + shown), 0, address, 60, 120).is_good());
            let left = 1_000u64.saturating_sub(shown * FORGOTTEN_AT_ONCE_MAX as u64);
            assert_eq!(tokens.lock().expiries.len() as u64, left + shown);
        }
    }
}
