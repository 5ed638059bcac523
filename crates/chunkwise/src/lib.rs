//! N-dimensional arrays larger than a chunk, a core or the memory.
