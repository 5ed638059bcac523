//! Calls into user code whose panics concern nobody.
//!
//! It owns the catching of panics that have no place to be returned to. Panics of a run's work are not among them.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `call`; its panic, and that of the payload's drop, end here.
pub(super) fn call_quietly(call: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(call))
        && let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        // A payload whose drop panics with a payload: whether the drop of that one panics, nobody wants to know.
        std::mem::forget(second);
    }
}

/// Drops a value that nobody waits for.
pub(super) fn drop_quietly<T>(value: T) {
    call_quietly(move || drop(value));
}
