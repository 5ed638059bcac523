//! What most programs import: `use chunkwise::prelude::*;`.
//!
//! It holds ndarray's own `Axis`, `s!`, `Ix0`..`IxDyn`, so both preludes can be imported together.

pub use crate::{
    Chunks, Complex, Compute, DType, Delayed, LazyArray, LazyArray1, LazyArray2, LazyArray3, LazyArray4,
    LazyArray5, LazyArray6, LazyArrayD, LazyScalar, MaskedArray, Runtime, delayed, delayed_with,
};
pub use ndarray;
pub use ndarray::{Axis, Ix0, Ix1, Ix2, Ix3, Ix4, Ix5, Ix6, IxDyn, s};
