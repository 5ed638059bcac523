//! Sums of products: the truth.

use super::Reference;

pub(super) const REFERENCES: &[Reference] = &[];
