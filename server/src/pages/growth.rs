//! Lists that hold much for every page or character grow by a quarter: a vector would double, and a server for ever keep nearly half of it empty.

/// Smallest growth, in items.
const MORE_MIN: usize = 16;

/// Adds an item. O(1) on average.
pub(super) fn push<T>(list: &mut Vec<T>, item: T) {
    make_room(list, 1);
    list.push(item);
}

/// Makes room for so many more items.
pub(super) fn make_room<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / 4).max(MORE_MIN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_a_quarter_is_empty_and_it_is_seldom_that_memory_is_asked_for() {
        let (mut list, mut capacities) = (Vec::new(), std::collections::BTreeSet::new());
        for number in 0..100_000_u32 {
            push(&mut list, number);
            assert!(list.capacity() <= list.len() * 5 / 4 + MORE_MIN, "{} of {}", list.len(), list.capacity());
            capacities.insert(list.capacity());
        }
        assert!(capacities.len() < 50, "{capacities:?}");
        make_room(&mut list, 1_000_000);
        assert!(list.capacity() >= 1_100_000 && list.iter().copied().eq(0..100_000));
    }
}
