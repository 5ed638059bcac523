//! Rewrites of chunkwise expression graphs.
