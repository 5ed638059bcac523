//! Statistics of moving windows.
