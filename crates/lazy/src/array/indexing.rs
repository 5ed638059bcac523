//! Indexing by arrays: taking, placing, diagonals.
