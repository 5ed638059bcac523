//! Margins and neighbourhoods.

use super::Method;

pub(super) const METHODS: &[Method] = &[];
