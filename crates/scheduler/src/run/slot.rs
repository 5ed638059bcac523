//! What a run keeps for each task: how many inputs have come, its value, and how many uses of it are to come.
//!
//! It owns the rule "the last use takes the value, the others copy the handle", and the unsafe code of the crate but for the two calls of it in `run::participant`.
//! Which task uses what is the plan's.
//!
//! All of a task lies together, so that it costs a thread one cache line: who brings the last input runs the task, and
//! has its slot at hand when it fills it.
//!
//! A slot has a count of uses beside room for a value. The count is 0 while there is no value, so that slots nobody
//! fills are memory that nobody touches. Handles are copied by one thread at a time: values need not be `Sync`. Whoever
//! copies takes the count out for that time, and [`COPIED`] stands in its place. At 1 there is nobody left to exclude.

#![allow(unsafe_code, reason = "a lock around each value takes three times as many atomic operations")]
// Two workers on 2 busy cores, 1e6 empty tasks, ns a task in the fastest of 10 runs of `benches --bin scheduler`: with a
// `Mutex` around each value, in arrays filled when the run starts, tree 62, wavefront 66, random 194, fan 105; with this
// 27, 43, 162, 43.

use std::mem::MaybeUninit;

use crate::sync::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use crate::sync::{Backoff, UnsafeCell};

/// Stands for the count while a thread copies the value. Builders admit fewer uses.
const COPIED: u32 = u32::MAX;

/// One slot for each task of a run. What is left in them is not dropped with them: see [`take`](Self::take).
pub(crate) struct Slots<V>(Box<[Slot<V>]>);

/// All zeros is an empty slot.
#[repr(C)]
struct Slot<V> {
    /// Inputs that have come. Not touched for a task with one input.
    arrived: AtomicU32,
    /// Uses that are still to come; 0 while there is no value.
    uses: AtomicU32,
    value: UnsafeCell<MaybeUninit<V>>,
}

// SAFETY: a value is reached through a shared reference only by the thread that made it, that has taken its count out,
// or that has its last use, which are one at a time (see `fill` and `consume`).
unsafe impl<V: Send> Sync for Slots<V> {}

impl<V> Slots<V> {
    /// Empty slots. Their memory is not touched.
    pub(crate) fn new(tasks: usize) -> Self {
        Self(zeroed(tasks))
    }

    /// Counts one input of `task`, which has `inputs`; true for exactly one caller, after the last input: it owns the
    /// right to run the task.
    #[inline]
    pub(crate) fn input_arrived(&self, task: u32, inputs: u32) -> bool {
        // AcqRel: Release publishes this input, Acquire lets the last arriver see all the others.
        inputs == 1 || self.0[task as usize].arrived.fetch_add(1, AcqRel) + 1 == inputs
    }

    /// Whether all of the `inputs` of `task` but one have arrived. The thread that brings the last one then owns the
    /// right to run the task without counting it.
    #[inline]
    pub(crate) fn lacks_one(&self, task: u32, inputs: u32) -> bool {
        // Acquire pairs with Release in `input_arrived`.
        inputs == 1 || self.0[task as usize].arrived.load(Acquire) + 1 == inputs
    }

    /// Puts the value of `task` into its slot for so many uses, 1 at least.
    ///
    /// # Safety
    /// The slot was never filled, and no other thread fills it.
    #[inline]
    pub(crate) unsafe fn fill(&self, task: u32, value: V, uses: u32) {
        debug_assert!(uses > 0 && uses < COPIED);
        self.0[task as usize].value.with_mut(|place| {
            // SAFETY: this thread is the only one to fill the slot, and none reads it while its count is 0.
            unsafe { (*place).write(value) };
        });
        // Release pairs with Acquire in `consume`.
        self.0[task as usize].uses.store(uses, Release);
    }

    /// One use: a copy of the handle, or the value itself and true when this is the last one.
    ///
    /// # Safety
    /// The call is one of the uses that the slot was filled for, and happens after that.
    #[inline]
    pub(crate) unsafe fn consume(&self, task: u32) -> (V, bool)
    where
        V: Clone,
    {
        // Acquire pairs with Release in `fill` and `Copying`.
        if self.0[task as usize].uses.load(Acquire) != 1 {
            // SAFETY: as for this call.
            return unsafe { self.copy(task) };
        }
        self.0[task as usize].uses.store(0, Relaxed);
        // SAFETY: the slot is filled. The use that is left is that of this call, so no other thread reads the value, now
        // or later, and those that have read it are seen to have ended.
        (self.0[task as usize].value.with_mut(|place| unsafe { (*place).assume_init_read() }), true)
    }

    /// A use of a value that had several a moment ago.
    ///
    /// # Safety
    /// As [`consume`](Self::consume).
    unsafe fn copy(&self, task: u32) -> (V, bool)
    where
        V: Clone,
    {
        let copying = Copying::start(&self.0[task as usize].uses);
        if copying.left == 0 {
            // SAFETY: the slot was filled, and this is the last of its uses: as in `consume`.
            return (
                self.0[task as usize].value.with_mut(|place| unsafe { (*place).assume_init_read() }),
                true,
            );
        }
        // SAFETY: the slot was filled, and nobody else reads it before `copying` puts the count back.
        (self.0[task as usize].value.with_mut(|place| unsafe { (*place).assume_init_ref().clone() }), false)
    }

    /// [`fill`](Self::fill) while no other thread has access.
    #[inline]
    pub(crate) fn fill_alone(&mut self, task: u32, value: V, uses: u32) {
        self.0[task as usize].value.with_mut(|place| {
            // SAFETY: nobody else has access. A value that is there already is not dropped.
            unsafe { (*place).write(value) };
        });
        self.0[task as usize].uses.store(uses, Relaxed);
    }

    /// [`consume`](Self::consume) while no other thread has access.
    #[inline]
    pub(crate) fn consume_alone(&mut self, task: u32) -> (V, bool)
    where
        V: Clone,
    {
        let Slot { uses, value, .. } = &self.0[task as usize];
        let left = uses
            .load(Relaxed)
            .checked_sub(1)
            .expect("a task runs after its inputs and each use is counted once");
        uses.store(left, Relaxed);
        // SAFETY: the slot was filled, nobody else has access, and with its last use it becomes empty.
        let value = value.with_mut(|place| unsafe {
            if left == 0 { (*place).assume_init_read() } else { (*place).assume_init_ref().clone() }
        });
        (value, left == 0)
    }

    /// Takes out the value of `task`, if there is one.
    pub(crate) fn take(&mut self, task: u32) -> Option<V> {
        let is_filled = self.0[task as usize].uses.swap(0, Relaxed) > 0;
        // SAFETY: the slot is filled, and is empty from now on. Nobody else has access.
        is_filled
            .then(|| self.0[task as usize].value.with_mut(|place| unsafe { (*place).assume_init_read() }))
    }
}

/// Slots in memory that the system hands out as zeros and that is not touched.
#[cfg(not(loom))]
fn zeroed<V>(tasks: usize) -> Box<[Slot<V>]> {
    use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
    use std::ptr;

    let layout =
        Layout::array::<Slot<V>>(tasks).expect("slots fit the address space, or as with `Vec` nothing does");
    if tasks == 0 {
        return Box::default();
    }
    // SAFETY: a slot has two counts, so the layout is not empty.
    let first = unsafe { alloc_zeroed(layout) }.cast::<Slot<V>>();
    if first.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: the memory is of the allocator and the layout of a box of so many slots, and zeros are a slot: two counts,
    // and room for a value.
    unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(first, tasks)) }
}

/// Loom's counts are more than zeros.
#[cfg(loom)]
fn zeroed<V>(tasks: usize) -> Box<[Slot<V>]> {
    let slot = |_| Slot {
        arrived: AtomicU32::new(0),
        uses: AtomicU32::new(0),
        value: UnsafeCell::new(MaybeUninit::uninit()),
    };
    (0..tasks).map(slot).collect()
}

/// A count of uses that is taken out of its slot.
struct Copying<'slot> {
    uses: &'slot AtomicU32,
    /// What is put back in the end.
    left: u32,
}

impl<'slot> Copying<'slot> {
    /// Takes the count out as soon as no other thread has it.
    fn start(uses: &'slot AtomicU32) -> Self {
        let backoff = Backoff::new();
        loop {
            let now = uses.load(Relaxed);
            debug_assert!(now > 0, "a task runs after its inputs and each use is counted once");
            // Acquire pairs with Release in `fill` and `drop`.
            if now != COPIED && uses.compare_exchange_weak(now, COPIED, Acquire, Relaxed).is_ok() {
                return Self { uses, left: now - 1 };
            }
            backoff.snooze();
        }
    }
}

impl Drop for Copying<'_> {
    // Also when the copy panics: the use is over then.
    fn drop(&mut self) {
        // Release pairs with Acquire in `start` and `consume`.
        self.uses.store(self.left, Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_last_use_takes_the_value_and_the_others_copy_it() {
        let mut slots = Slots::new(2);
        slots.fill_alone(1, Arc::new(5), 3);
        let copies = [slots.consume_alone(1), slots.consume_alone(1)];
        assert!(copies.iter().all(|(value, is_last)| **value == 5 && !is_last));
        drop(copies);
        let (value, is_last) = slots.consume_alone(1);
        assert_eq!((Arc::strong_count(&value), is_last), (1, true));
        assert!(slots.take(0).is_none() && slots.take(1).is_none());
    }

    #[test]
    fn what_is_left_can_be_taken_once() {
        let mut slots = Slots::new(1);
        slots.fill_alone(0, "left", 2);
        assert_eq!((slots.take(0), slots.take(0)), (Some("left"), None));
    }

    #[test]
    fn a_copy_that_panics_leaves_the_value_to_the_other_uses() {
        struct Shy(u32);
        impl Clone for Shy {
            fn clone(&self) -> Self {
                panic!("not me")
            }
        }
        let slots = Slots::new(1);
        // SAFETY: filled once; two uses.
        unsafe { slots.fill(0, Shy(7), 2) };
        // SAFETY: the first use.
        let copy = std::panic::AssertUnwindSafe(|| unsafe { slots.consume(0) });
        assert!(std::panic::catch_unwind(copy).is_err());
        // SAFETY: the second use.
        assert_eq!(unsafe { slots.consume(0) }.0.0, 7);
    }
}

#[cfg(all(test, loom))]
mod loom_models {
    use loom::model::Builder;
    use loom::sync::Arc;
    use loom::sync::atomic::Ordering::SeqCst;
    use loom::thread;

    use super::*;

    /// A handle that counts those like it; the count is not part of the model.
    struct Handle(std::sync::Arc<()>);

    impl Clone for Handle {
        fn clone(&self) -> Self {
            Self(std::sync::Arc::clone(&self.0))
        }
    }

    /// Loom's cells find two threads at a value at once, whatever they do there.
    #[test]
    fn loom_users_of_a_value_get_it_one_at_a_time_and_one_of_them_as_the_last() {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let count = std::sync::Arc::new(());
            let slots = Arc::new(Slots::new(1));
            // SAFETY: filled once, for the three uses below.
            unsafe { slots.fill(0, Handle(std::sync::Arc::clone(&count)), 3) };
            let lasts = Arc::new(AtomicU32::new(0));
            let use_it = |slots: &Slots<Handle>, lasts: &AtomicU32| {
                // SAFETY: one of three uses, of a slot that was filled before the threads started.
                let (value, is_last) = unsafe { slots.consume(0) };
                lasts.fetch_add(u32::from(is_last), SeqCst);
                drop(value);
            };
            let user = thread::spawn({
                let (slots, lasts) = (Arc::clone(&slots), Arc::clone(&lasts));
                move || use_it(&slots, &lasts)
            });
            use_it(&slots, &lasts);
            use_it(&slots, &lasts);
            user.join().unwrap();
            assert_eq!((lasts.load(SeqCst), std::sync::Arc::strong_count(&count)), (1, 1));
        });
    }
}
