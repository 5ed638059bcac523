//! Scans: the truth.

use super::Reference;

pub(super) const REFERENCES: &[Reference] = &[];
