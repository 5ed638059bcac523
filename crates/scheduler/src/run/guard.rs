//! Calls into user code that must not take a thread down.
//!
//! It owns the catching of panics. What becomes of them is the failure list's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::failures::Failures;

/// Drops what a failed run left behind. A panic on the way is reported, after the errors that stopped the run.
pub(super) fn drop_left_over<T>(failures: &Failures, task: u32, data: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(data))) {
        failures.add_left_over(task, payload);
    }
}

/// The text of a panic. The payload is user data: its drop is guarded too.
pub(crate) fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let message = if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_string()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is not text".to_string()
    };
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    message
}
