//! Values in memory that may leave it, in the order in which they should.
//!
//! It owns the choice of the victim. It does not know how much room is needed or what an eviction does.

use std::collections::BTreeSet;

/// A record of fewer bytes costs as much time as one of this size: that of the request, not of the transfer.
const SMALL_RECORD: u64 = 16 << 10;

/// What has to be done to evict a value and to have it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Price {
    /// Run its task again.
    Rerun,
    /// Read its record.
    Load,
    /// Write a record and read it.
    SpillAndLoad,
}

/// Values whose bytes have the same price, and a row of the table of weights.
#[derive(Clone, Copy)]
struct Class {
    price: Price,
    #[cfg_attr(not(test), expect(dead_code, reason = "the table is read by place, this says which"))]
    small: bool,
    /// How much the distance of the next use counts: the inverse of the price of a byte. A byte made again is taken
    /// for a quarter of a byte moved; a small record for sixteen times its size.
    weight: u64,
}

const CLASSES: [Class; 5] = [
    Class { price: Price::Rerun, small: false, weight: 128 },
    Class { price: Price::Load, small: false, weight: 32 },
    Class { price: Price::SpillAndLoad, small: false, weight: 16 },
    Class { price: Price::Load, small: true, weight: 2 },
    Class { price: Price::SpillAndLoad, small: true, weight: 1 },
];

/// The place in [`CLASSES`] of a value.
fn class(price: Price, bytes: u64) -> usize {
    let small = bytes < SMALL_RECORD && price != Price::Rerun;
    price as usize + if small { 2 } else { 0 }
}

/// Sets of (next use, bytes, value), one for each class.
#[derive(Default)]
pub(super) struct Candidates {
    sets: [BTreeSet<(u32, u64, u32)>; CLASSES.len()],
}

impl Candidates {
    pub(super) fn insert(&mut self, price: Price, next: u32, bytes: u64, value: u32) {
        self.sets[class(price, bytes)].insert((next, bytes, value));
    }

    pub(super) fn remove(&mut self, price: Price, next: u32, bytes: u64, value: u32) {
        self.sets[class(price, bytes)].remove(&(next, bytes, value));
    }

    /// The value that saves least per byte and step when it stays, and its price. `missing` are the bytes of room
    /// that are still to be made for task `now`. Among equals the cheaper one.
    pub(super) fn victim(&self, now: u32, missing: u64) -> Option<(Price, u32)> {
        let furthest = |set: &BTreeSet<(u32, u64, u32)>| set.last().map(|&(next, _, _)| next);
        let (_, class, set) = CLASSES
            .iter()
            .zip(&self.sets)
            .filter_map(|(class, set)| {
                let distance = furthest(set)?.saturating_sub(now);
                Some((u64::from(distance) * class.weight, class, set))
            })
            .reduce(|best, other| if other.0 > best.0 { other } else { best })?;
        Some((class.price, best_fit(set, missing)?))
    }
}

/// Among the values of furthest next use the smallest of at least `missing` bytes, or else the largest; of equals the
/// one with the smallest number.
fn best_fit(set: &BTreeSet<(u32, u64, u32)>, missing: u64) -> Option<u32> {
    let &(next, most, _) = set.last()?;
    let (_, _, value) = set.range((next, missing.min(most), 0)..).next()?;
    Some(*value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn victim(values: &[(Price, u32, u64)], missing: u64) -> Option<(Price, u32)> {
        let mut candidates = Candidates::default();
        for (value, &(price, next, bytes)) in values.iter().enumerate() {
            candidates.insert(price, next, bytes, value as u32);
        }
        candidates.victim(0, missing)
    }

    #[test]
    fn the_classes_are_where_their_values_look_for_them() {
        for (at, row) in CLASSES.iter().enumerate() {
            let bytes = if row.small { SMALL_RECORD - 1 } else { SMALL_RECORD };
            assert_eq!(class(row.price, bytes), at);
        }
    }

    #[test]
    fn the_furthest_next_use_goes_first() {
        let price = Price::SpillAndLoad;
        let values = [(price, 30, MIB), (price, 50, MIB), (price, 40, MIB)];
        assert_eq!(victim(&values, MIB), Some((price, 1)));
        assert_eq!(victim(&[], MIB), None);
    }

    #[test]
    fn of_the_same_next_use_the_smallest_that_is_enough_goes() {
        let price = Price::SpillAndLoad;
        let values = [(price, 9, 2 * MIB), (price, 9, 4 * MIB), (price, 9, 4 * MIB), (price, 9, 8 * MIB)];
        assert_eq!(victim(&values, 3 * MIB), Some((price, 1)));
        assert_eq!(victim(&values, 9 * MIB), Some((price, 3)));
        assert_eq!(victim(&values, 1), Some((price, 0)));
    }

    #[test]
    fn a_cheap_value_goes_before_a_dear_one_that_is_not_much_further() {
        let near = (Price::Rerun, 10, MIB);
        assert_eq!(victim(&[near, (Price::SpillAndLoad, 80, MIB)], 1), Some((Price::Rerun, 0)));
        let far = (Price::SpillAndLoad, 81, MIB);
        assert_eq!(victim(&[near, far], 1), Some((Price::SpillAndLoad, 1)));
        assert_eq!(victim(&[(Price::Load, 41, MIB), far], 1), Some((Price::Load, 0)));
    }

    #[test]
    fn a_small_record_is_left_in_memory_as_long_as_its_price() {
        let small = (Price::SpillAndLoad, 160, 8);
        let large = |next| (Price::SpillAndLoad, next, MIB);
        assert_eq!(victim(&[small, large(10)], 1), Some((Price::SpillAndLoad, 1)));
        assert_eq!(victim(&[small, large(9)], 1), Some((Price::SpillAndLoad, 0)));
    }
}
