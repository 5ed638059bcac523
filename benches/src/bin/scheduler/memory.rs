//! The allocator of this program: the system's, which counts bytes while it is asked to.
//!
//! It owns the counters. Timed runs are not counted, so that peers which allocate for each task do not pay for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

static COUNTS: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);
static MOST: AtomicI64 = AtomicI64::new(0);

/// Runs `f`; with its value, the most bytes that were allocated on top of those before, by any thread.
pub(crate) fn peak_of<T>(f: impl FnOnce() -> T) -> (T, u64) {
    LIVE.store(0, Relaxed);
    MOST.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
    let value = f();
    COUNTS.store(false, Relaxed);
    (value, MOST.load(Relaxed).unsigned_abs())
}

/// The system's allocator with a counter.
pub(crate) struct Counting;

#[inline]
fn add(bytes: i64) {
    if COUNTS.load(Relaxed) {
        let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
        MOST.fetch_max(live, Relaxed);
    }
}

// SAFETY: every call is passed on to `System` as it came; the counters do not allocate and cannot panic.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as i64);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as i64);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        add(-(layout.size() as i64));
        // SAFETY: the caller keeps the contract of `dealloc`; `ptr` came from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add(new_size as i64 - layout.size() as i64);
        // SAFETY: the caller keeps the contract of `realloc`; `ptr` came from `System`.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_counts_what_was_freed_again() {
        let (_, peak) = peak_of(|| {
            drop(vec![1_u8; 1 << 20]);
            vec![0_u8; 1 << 10]
        });
        // Other tests allocate meanwhile.
        assert!(peak >= 1 << 20);
    }
}
