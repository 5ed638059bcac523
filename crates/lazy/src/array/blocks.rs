//! Blocks one by one, and conversions.
