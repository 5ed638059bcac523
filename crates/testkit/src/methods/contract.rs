//! Sums of products.

use super::Method;

pub(super) const METHODS: &[Method] = &[];
