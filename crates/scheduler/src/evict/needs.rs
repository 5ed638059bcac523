//! The bytes that each task needs when everything that may be evicted is.
//!
//! It owns the least peak of an order. It does not choose what is evicted.

use super::Eviction;
use super::values::{NEVER, Values};
use crate::profile::Peak;

/// The least bytes of each task, and of all.
pub(super) struct Needs {
    held: Vec<u64>,
    least: Peak,
}

impl Needs {
    pub(super) fn new(values: &Values<'_>) -> Self {
        let mut needs = Self { held: Vec::with_capacity(values.len()), least: Peak { bytes: 0, at: 0 } };
        let mut seen = vec![NEVER; values.len()];
        // Values that stay; sums are exact, so that taking away what was added is.
        let mut staying = 0_u128;
        for task in 0..values.len() as u32 {
            let (mut visiting, mut ending) = (0_u128, 0_u128);
            for &input in values.inputs(task) {
                if std::mem::replace(&mut seen[input as usize], task) == task {
                    continue;
                }
                let output = u128::from(values.bytes(input).output);
                if values.eviction(input) != Eviction::Hold {
                    visiting += output;
                } else if values.next_use(input, task) == NEVER {
                    ending += output;
                }
            }
            needs.add(task, staying + visiting, u128::from(values.bytes(task).total()));
            staying -= ending;
            if values.eviction(task) == Eviction::Hold && values.next_use(task, task) != NEVER {
                staying += u128::from(values.bytes(task).output);
            }
        }
        needs
    }

    fn add(&mut self, task: u32, held: u128, own: u128) {
        let bytes = saturated(held + own);
        if bytes > self.least.bytes {
            self.least = Peak { bytes, at: task };
        }
        self.held.push(saturated(held));
    }

    /// Bytes in memory while `task` runs that cannot be elsewhere, its own not counted.
    pub(super) fn held(&self, task: u32) -> u64 {
        self.held[task as usize]
    }

    /// The least peak of this order.
    pub(super) fn least(&self) -> Peak {
        self.least
    }
}

fn saturated(bytes: u128) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
