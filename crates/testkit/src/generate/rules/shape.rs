//! Shapes: random steps.

use crate::generate::Step;

pub(in crate::generate) const STEPS: &[(usize, Step)] = &[];
