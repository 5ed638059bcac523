//! The only place that names a synchronisation crate, so that a model checker can take its place.

pub(crate) use parking_lot::Mutex;
pub(crate) use std::sync::atomic;
