//! Sums of products over common axes.
