//! Who has places at a server: counted over the tables of all its network threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use throng_shared::ids::ClientId;

/// Places taken, shared by the tables of a server. Asked once per handshake and connection, never for a packet.
#[derive(Clone, Debug, Default)]
pub struct TakenPlaces(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    connections: usize,
    of_client: FxHashMap<ClientId, u32>,
}

impl Taken {
    /// Whether a client gets a place when there are so many. One who has one already always gets another, for that supersedes the first; but not a
    /// third, so that there are never more than twice as many.
    fn is_open_to(&self, client: ClientId, most: usize) -> bool {
        self.connections < most || self.of_client.get(&client) == Some(&1)
    }
}

impl TakenPlaces {
    /// Whether a client would get a place, of `most`.
    pub(super) fn are_open_to(&self, client: ClientId, most: usize) -> bool {
        self.lock().is_open_to(client, most)
    }

    /// Takes a place for a client; false when there is none for it.
    pub(super) fn take(&self, client: ClientId, most: usize) -> bool {
        let mut taken = self.lock();
        let is_open = taken.is_open_to(client, most);
        if is_open {
            taken.connections += 1;
            *taken.of_client.entry(client).or_default() += 1;
        }
        is_open
    }

    /// Gives back a place that a client had.
    pub(super) fn give_back(&self, client: ClientId) {
        let mut taken = self.lock();
        taken.connections -= 1;
        if let Some(count) = taken.of_client.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                taken.of_client.remove(&client);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Whoever panicked while it held this left whole numbers behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_place_gets_one_more_when_all_are_taken_and_no_third() {
        let places = TakenPlaces::default();
        let [one, other, third] = [1, 2, 3].map(ClientId);
        assert!(places.take(one, 2) && places.take(other, 2));
        assert!(!places.are_open_to(third, 2) && !places.take(third, 2));
        assert!(places.are_open_to(one, 2) && places.take(one, 2));
        assert!(!places.are_open_to(one, 2) && !places.take(one, 2));
        places.give_back(one);
        assert!(!places.take(third, 2), "one and other still have one each");
        assert!(places.take(one, 2));
        places.give_back(one);
        places.give_back(one);
        assert!(places.take(third, 2));
        assert!(!places.take(one, 2), "it has none any more");
    }
}
