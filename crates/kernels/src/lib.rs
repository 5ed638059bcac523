//! The numeric loops of chunkwise: tile interpreter, reductions, block assembly.
