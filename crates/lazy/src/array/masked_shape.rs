//! Masked arrays laid out anew: methods of plain arrays that move elements, of the elements and of the mask.

use chunkwise_chunk::Element;
use ndarray::{Axis, Dimension, IntoDimension, Ix1, IxDyn, RemoveAxis, SliceInfoElem};

use crate::{IntoAxes, MaskedArray};

/// A method that does the same to both parts.
macro_rules! of_both_parts {
    ($($name:ident($($arg:ident: $type:ty),*) -> $dim:ty $(where $bounded:ty: $bound:ident)?; eg ($($eg:expr),*) => $res:expr;)*) => { $(
        impl<T: Element, D: Dimension> MaskedArray<T, D> {
            #[doc = concat!("[`", stringify!($name), "`](crate::LazyArray::", stringify!($name), ") of the elements and of the mask.")]
            ///
            /// ```
            /// use chunkwise::prelude::*;
            /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[0, 1, 2]]), 2).masked_equal(1);
            #[doc = concat!("let y = x.", stringify!($name), "(", stringify!($($eg),*), ");")]
            #[doc = concat!("assert_eq!((y.shape(), y.filled(-1).to_vec()?), ", stringify!($res), ");")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name(&self $(, $arg: $type)*) -> MaskedArray<T, $dim>
            $(where $bounded: $bound)?
            {
                let mask = self.mask.$name($($arg.clone()),*);
                MaskedArray { data: self.data.$name($($arg),*), mask }
            }
        }
    )* };
}

of_both_parts! {
    permuted_axes(axes: impl IntoDimension<Dim = D> + Clone) -> D; eg ([1, 0]) => (&[3, 1][..], vec![0, -1, 2]);
    swap_axes(one: Axis, other: Axis) -> D; eg (Axis(0), Axis(1)) => (&[3, 1][..], vec![0, -1, 2]);
    move_axis(from: Axis, to: Axis) -> D; eg (Axis(1), Axis(0)) => (&[3, 1][..], vec![0, -1, 2]);
    flip(axis: Axis) -> D; eg (Axis(1)) => (&[1, 3][..], vec![2, -1, 0]);
    roll(shift: isize, axis: Axis) -> D; eg (1, Axis(1)) => (&[1, 3][..], vec![2, 0, -1]);
    squeeze(axis: Axis) -> D::Smaller where D: RemoveAxis; eg (Axis(0)) => (&[3][..], vec![0, -1, 2]);
    expand_dims(axes: impl IntoAxes + Clone) -> IxDyn; eg (Axis(0)) => (&[1, 1, 3][..], vec![0, -1, 2]);
    flatten() -> Ix1; eg () => (&[3][..], vec![0, -1, 2]);
    ravel() -> Ix1; eg () => (&[3][..], vec![0, -1, 2]);
    reshape_dyn(shape: &[isize]) -> IxDyn; eg (&[-1]) => (&[3][..], vec![0, -1, 2]);
    slice_dyn(info: &[SliceInfoElem]) -> IxDyn; eg (&[0.into(), (1..).into()]) => (&[2][..], vec![-1, 2]);
    repeat(count: usize, axis: Axis) -> D; eg (2, Axis(1)) => (&[1, 6][..], vec![0, 0, -1, -1, 2, 2]);
}
