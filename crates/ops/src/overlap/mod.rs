//! Functions of blocks with a margin of their neighbours.
