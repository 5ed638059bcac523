//! The array-level expression graph of chunkwise: operation tables, nodes, element programs.
