//! Products of matrices and other sums of products.
