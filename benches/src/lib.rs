//! Workloads and timings.
