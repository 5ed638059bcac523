//! Padding, repetition, joining, splitting.

use super::Method;

pub(super) const METHODS: &[Method] = &[];
