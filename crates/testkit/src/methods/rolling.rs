//! Moving windows.

use super::Method;

pub(super) const METHODS: &[Method] = &[];
