//! Blocks and conversions.

use super::Method;

pub(super) const METHODS: &[Method] = &[];
