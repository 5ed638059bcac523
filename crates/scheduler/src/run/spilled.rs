//! Values of a run that are on disk, and what happens when the disk refuses.
//!
//! It owns one record for each spill task of the plan. A value that could not be written stays in memory, as an
//! overdraft: bytes that the window counts besides those of the plan. What is spilled when is the plan's.

use std::sync::Arc;

use super::failures::Failures;
use super::guard::drop_left_over;
use crate::error::TaskErrorKind;
use crate::plan::PlanData;
use crate::spill::{SpillError, SpillRecord, SpillStore};
use crate::sync::Mutex;
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

/// How often a record that cannot be read is read.
const READS: u32 = 3;

/// The records of one run.
pub(super) struct Spilled<V> {
    store: Option<SpillStore>,
    records: Box<[Mutex<Record<V>>]>,
    /// Bytes of values that should be on disk and are not.
    overdraft: AtomicU64,
    /// Why the last of them is not.
    refusal: Mutex<Option<SpillError>>,
}

/// A value that is not in a slot.
enum Record<V> {
    /// Not yet written, or not wanted any more.
    Empty,
    Disk {
        record: Arc<SpillRecord>,
        loads: u32,
    },
    Memory {
        value: V,
        loads: u32,
        /// The spill task.
        spill: u32,
    },
}

impl<V> Spilled<V> {
    /// Bytes in memory that the plan has on disk.
    #[inline]
    pub(super) fn overdraft(&self) -> u64 {
        // Acquire pairs with Release in `write`.
        self.overdraft.load(Acquire)
    }
}

impl<V: Clone> Spilled<V> {
    /// Records for a plan; there is a store unless it has none.
    pub(super) fn new(plan: &PlanData<V>, store: Option<SpillStore>) -> Self {
        let records = (0..plan.records()).map(|_| Mutex::new(Record::Empty)).collect();
        let store = (plan.records() > 0).then(|| store.unwrap_or_default());
        Self { store, records, overdraft: AtomicU64::new(0), refusal: Mutex::new(None) }
    }

    /// Why there is an overdraft.
    pub(super) fn take_refusal(&self) -> Option<SpillError> {
        self.refusal.lock().take()
    }

    /// Writes the value of a spill task, or keeps it; false when it was kept.
    pub(super) fn write(&self, plan: &PlanData<V>, task: u32, record: u32, value: V) -> bool {
        let loads = plan.users.len_of(task);
        let (store, codec) = self.store.as_ref().zip(plan.codec()).expect("a plan that spills has a codec");
        let kept = match store.write(|out| codec.write(&value, out)) {
            Ok(record) => {
                drop(value);
                Record::Disk { record: Arc::new(record), loads }
            }
            Err(error) => {
                *self.refusal.lock() = Some(error);
                // Release pairs with Acquire in `overdraft`: who sees it also finds the reason.
                self.overdraft.fetch_add(plan.event_bytes(task).output, Release);
                Record::Memory { value, loads, spill: task }
            }
        };
        let is_written = matches!(kept, Record::Disk { .. });
        *self.records[record as usize].lock() = kept;
        is_written
    }

    /// The value of a load task, and whether it was in memory and no other load will take it.
    pub(super) fn read(
        &self,
        plan: &PlanData<V>,
        task: u32,
        record: u32,
    ) -> Result<(V, bool), TaskErrorKind> {
        let record = {
            let mut place = self.records[record as usize].lock();
            match &mut *place {
                Record::Disk { loads: 1, .. } => match std::mem::replace(&mut *place, Record::Empty) {
                    Record::Disk { record, .. } => record,
                    _ => unreachable!("it was on disk a moment ago"),
                },
                Record::Disk { record, loads } => {
                    *loads -= 1;
                    Arc::clone(record)
                }
                _ => return Ok(self.take_from_memory(plan, task, &mut place)),
            }
        };
        let codec = plan.codec().expect("a plan that spills has a codec");
        let mut result = record.read(|input| codec.read(input));
        for _ in 1..READS {
            if result.is_ok() {
                break;
            }
            result = record.read(|input| codec.read(input));
        }
        result.map(|value| (value, false)).map_err(TaskErrorKind::Spill)
    }

    fn take_from_memory(&self, plan: &PlanData<V>, task: u32, place: &mut Record<V>) -> (V, bool) {
        if let Record::Memory { value, loads: loads @ 2.., .. } = place {
            *loads -= 1;
            return (value.clone(), false);
        }
        let Record::Memory { value, .. } = std::mem::replace(place, Record::Empty) else {
            unreachable!("a load runs after its spill, and each load once")
        };
        // Release: as in `write`.
        self.overdraft.fetch_sub(plan.bytes(task).output, Release);
        (value, true)
    }

    /// Drops the values that a failed run has left in memory.
    pub(super) fn drop_rest(&self, failures: &Failures) {
        for place in &self.records {
            let record = std::mem::replace(&mut *place.lock(), Record::Empty);
            if let Record::Memory { value, spill, .. } = record {
                drop_left_over(failures, spill, value);
            }
        }
    }
}
