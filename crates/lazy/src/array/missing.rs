//! Missing values: masks, fill values, scale and offset.
