//! Complete programs written with chunkwise; each file beside this package is one example.
