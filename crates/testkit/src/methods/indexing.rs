//! Indexing by arrays.

use super::Method;

pub(super) const METHODS: &[Method] = &[];
