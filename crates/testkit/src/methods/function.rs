//! Functions of blocks.

use super::Method;

pub(super) const METHODS: &[Method] = &[];
