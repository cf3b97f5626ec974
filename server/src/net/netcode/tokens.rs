//! Which connect tokens were used, and where from.
//!
//! A token lets one connection in: its keys would otherwise seal different packets with the same numbers. While a handshake
//! with it is under way it is good at that address and port alone; when that has led nowhere, at any again. It is
//! remembered until it expires.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use throng_shared::limits::USED_TOKENS_MAX;

/// The tag of a token's private part, by which it is known.
pub(super) type TokenTag = [u8; 16];

/// All tokens that were used; the network threads share it. It is locked for each handshake, and for nothing else.
#[derive(Clone, Debug, Default)]
pub struct UsedTokens {
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    uses: HashMap<TokenTag, Use>,
    /// By expiry.
    expiries: BTreeSet<(u64, TokenTag)>,
}

#[derive(Clone, Copy, Debug)]
struct Use {
    /// The port and the address between which a handshake is under way; none when it has led nowhere.
    place: Option<(u16, SocketAddr)>,
    has_connected: bool,
}

impl UsedTokens {
    /// Notes that a token is shown to `worker` from `address`, at `unix_s`. Whether that is allowed: it is new, or was shown
    /// by the same before and has let nobody in yet. When [`USED_TOKENS_MAX`] are remembered, no new one is allowed.
    pub(super) fn show(&self, tag: TokenTag, worker: u16, address: SocketAddr, unix_s: u64, expires_at_s: u64) -> bool {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.forget_expired(unix_s);
        if let Some(used) = memory.uses.get_mut(&tag) {
            return !used.has_connected && *used.place.get_or_insert((worker, address)) == (worker, address);
        }
        if memory.uses.len() >= USED_TOKENS_MAX {
            return false;
        }
        memory.uses.insert(tag, Use { place: Some((worker, address)), has_connected: false });
        memory.expiries.insert((expires_at_s, tag));
        true
    }

    /// Notes that a handshake with a token has led nowhere: it may be shown elsewhere.
    pub(super) fn withdraw(&self, tag: TokenTag) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = memory.uses.get_mut(&tag) {
            used.place = None;
        }
    }

    /// Notes that a token has let somebody in. Whether it was the first time.
    pub(super) fn connect(&self, tag: TokenTag) -> bool {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match memory.uses.get_mut(&tag) {
            Some(used) => !std::mem::replace(&mut used.has_connected, true),
            // It has expired in between.
            None => false,
        }
    }
}

impl Memory {
    fn forget_expired(&mut self, unix_s: u64) {
        while let Some(&(expires_at_s, tag)) = self.expiries.first()
            && expires_at_s <= unix_s
        {
            self.expiries.pop_first();
            self.uses.remove(&tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_one_connection_and_for_one_handshake_at_a_time() {
        let tokens = UsedTokens::default();
        let address = |port| SocketAddr::from(([192, 0, 2, 1], port));
        assert!(tokens.show([1; 16], 0, address(1), 100, 160));
        assert!(tokens.show([1; 16], 0, address(1), 100, 160), "a request is repeated");
        assert!(!tokens.show([1; 16], 0, address(2), 100, 160), "from elsewhere");
        assert!(!tokens.show([1; 16], 1, address(1), 100, 160), "on another port");
        tokens.withdraw([1; 16]);
        assert!(tokens.show([1; 16], 1, address(1), 100, 160), "the first port had no room");
        assert!(!tokens.show([1; 16], 0, address(1), 100, 160));
        assert!(tokens.connect([1; 16]) && !tokens.connect([1; 16]));
        assert!(!tokens.show([1; 16], 0, address(1), 100, 160), "it has let somebody in");
        assert!(!tokens.connect([2; 16]), "never shown");
        assert!(tokens.show([2; 16], 0, address(2), 160, 170));
        assert_eq!(tokens.memory.lock().expect("nobody has panicked").uses.len(), 1, "the first has expired");
    }

    #[test]
    fn the_memory_is_bounded() {
        let tokens = UsedTokens::default();
        let tag = |number: u64| {
            let mut tag = [0; 16];
            tag[..8].copy_from_slice(&number.to_le_bytes());
            tag
        };
        let address = SocketAddr::from(([192, 0, 2, 1], 1));
        let allowed = (0..USED_TOKENS_MAX as u64 + 5).filter(|&n| tokens.show(tag(n), 0, address, 0, n + 1));
        assert_eq!(allowed.count(), USED_TOKENS_MAX);
        assert!(tokens.show(tag(u64::MAX), 0, address, 1, 2), "the one that expired first has made room");
    }
}
