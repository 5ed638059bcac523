//! Where chunkwise blocks come from and go to: memory, npy, Zarr.
