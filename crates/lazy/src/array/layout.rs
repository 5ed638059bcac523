//! Padding, repetition, joining, splitting, grids of coordinates.
