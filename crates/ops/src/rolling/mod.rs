//! Statistics of windows that move along an axis.
