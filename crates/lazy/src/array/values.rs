//! Elementwise methods that are made of several operations.
