//! Blocks of N-dimensional arrays: element types, chunk grids, regions, views, sources and sinks.
