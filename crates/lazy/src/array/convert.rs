//! ndarrays as input: owned ones and shared ones are taken as they are, views are copied once.

use ndarray::{ArcArray, Array, ArrayRef, ArrayView, CowArray, Dimension};

use chunkwise_chunk::Element;

/// An ndarray that a lazy array can be made of. Owned and reference-counted arrays are not copied.
///
/// ```
/// use chunkwise::prelude::*;
/// let data = ndarray::Array2::<f32>::zeros((4, 4));
/// let of_view = LazyArray::from_ndarray(data.view(), 2);
/// let of_owned = LazyArray::from_ndarray(data, 2);
/// assert_eq!(of_view.shape(), of_owned.shape());
/// ```
pub trait IntoShared<T, D> {
    /// The array, reference counted.
    fn into_shared_array(self) -> ArcArray<T, D>;
}

impl<T: Element, D: Dimension> IntoShared<T, D> for Array<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.into_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for ArcArray<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for &ArcArray<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.clone()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for ArrayView<'_, T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.to_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for CowArray<'_, T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.into_owned().into_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for &Array<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.to_shared()
    }
}

impl<T: Element, D: Dimension> IntoShared<T, D> for &ArrayRef<T, D> {
    fn into_shared_array(self) -> ArcArray<T, D> {
        self.to_owned().into_shared()
    }
}
