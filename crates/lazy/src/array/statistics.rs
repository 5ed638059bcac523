//! Statistics that are made of several reductions, and reductions of the user's own.
