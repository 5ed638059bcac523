//! Indices that are known when an expression is built: an array of them, negative ones counted from the end.

use chunkwise_chunk::ChunkError;
use chunkwise_expr::ExprError;
use ndarray::{Array, ArrayD, ArrayRef, ArrayView, Dimension, IxDyn};

/// An array of indices of any integer type, made of vectors, slices and ndarrays.
///
/// ```
/// use chunkwise_ops::index::IndexList;
/// assert_eq!(IndexList::from([1, -1]).shape(), [2]);
/// assert_eq!(IndexList::from(ndarray::arr2(&[[0usize, 1]])).shape(), [1, 2]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexList {
    shape: Vec<usize>,
    indices: Vec<isize>,
}

impl IndexList {
    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The indices in C order.
    pub fn indices(&self) -> &[isize] {
        &self.indices
    }

    /// The positions that are true, an array of indices for every axis of the mask.
    pub(super) fn of_mask(mask: &ArrayD<bool>) -> Vec<IndexList> {
        let count = mask.iter().filter(|&&set| set).count();
        let mut lists =
            vec![IndexList { shape: vec![count], indices: Vec::with_capacity(count) }; mask.ndim()];
        for (index, _) in mask.indexed_iter().filter(|(_, set)| **set) {
            for (axis, list) in lists.iter_mut().enumerate() {
                list.indices.push(index[axis] as isize);
            }
        }
        lists
    }

    /// The indices as an array of `i64`.
    #[allow(clippy::missing_panics_doc)] // the list has an index for every place
    pub fn to_array(&self) -> ArrayD<i64> {
        let wide: Vec<i64> = self.indices.iter().map(|&index| index as i64).collect();
        ArrayD::from_shape_vec(IxDyn(&self.shape), wide).expect("there is an index for every place")
    }

    /// Refuses indices that lie outside an axis of a shape.
    ///
    /// # Errors
    /// With the first index that does.
    pub fn check(&self, axis: usize, shape: &[usize]) -> Result<(), ExprError> {
        let len = shape[axis] as isize;
        match self.indices.iter().find(|&&index| !(-len..len).contains(&index)) {
            Some(&index) => Err(ChunkError::Index { index, axis, shape: shape.into() }.into()),
            None => Ok(()),
        }
    }

    /// Positions along an axis: all inside, none negative.
    ///
    /// # Errors
    /// When an index lies outside.
    pub(super) fn positions(self, axis: usize, shape: &[usize]) -> Result<Vec<usize>, ExprError> {
        self.check(axis, shape)?;
        let len = shape[axis];
        let position = |index: isize| match index < 0 {
            true => len.wrapping_add_signed(index),
            false => index as usize,
        };
        // In the memory of the list.
        Ok(self.indices.into_iter().map(position).collect())
    }

    /// These indices repeated to a larger shape.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub(super) fn broadcast(self, shape: &[usize]) -> Result<IndexList, ExprError> {
        if self.shape == shape {
            return Ok(self);
        }
        let misfit = || ChunkError::Broadcast { left: self.shape.clone(), right: shape.into() };
        let own = ArrayView::from_shape(IxDyn(&self.shape), &self.indices).map_err(|_| misfit())?;
        let whole = own.broadcast(IxDyn(shape)).ok_or_else(misfit)?;
        Ok(IndexList { shape: shape.into(), indices: whole.iter().copied().collect() })
    }
}

macro_rules! integers {
    ($($t:ty)*) => { $(
        // An index that is too large for the machine is too large for every axis.
        impl From<Vec<$t>> for IndexList {
            fn from(indices: Vec<$t>) -> IndexList {
                let shape = vec![indices.len()];
                let wide = indices.into_iter().map(|index| isize::try_from(index).unwrap_or(isize::MAX));
                IndexList { shape, indices: wide.collect() }
            }
        }

        impl From<&[$t]> for IndexList {
            fn from(indices: &[$t]) -> IndexList {
                let wide = indices.iter().map(|&index| isize::try_from(index).unwrap_or(isize::MAX));
                IndexList { shape: vec![indices.len()], indices: wide.collect() }
            }
        }

        impl From<&Vec<$t>> for IndexList {
            fn from(indices: &Vec<$t>) -> IndexList {
                indices.as_slice().into()
            }
        }

        impl<const N: usize> From<[$t; N]> for IndexList {
            fn from(indices: [$t; N]) -> IndexList {
                indices.as_slice().into()
            }
        }

        impl<const N: usize> From<&[$t; N]> for IndexList {
            fn from(indices: &[$t; N]) -> IndexList {
                indices.as_slice().into()
            }
        }

        impl<D: Dimension> From<&ArrayRef<$t, D>> for IndexList {
            fn from(indices: &ArrayRef<$t, D>) -> IndexList {
                let wide = indices.iter().map(|&index| isize::try_from(index).unwrap_or(isize::MAX));
                IndexList { shape: indices.shape().into(), indices: wide.collect() }
            }
        }

        impl<D: Dimension> From<Array<$t, D>> for IndexList {
            fn from(indices: Array<$t, D>) -> IndexList {
                IndexList::from(&*indices)
            }
        }

        impl<D: Dimension> From<&Array<$t, D>> for IndexList {
            fn from(indices: &Array<$t, D>) -> IndexList {
                IndexList::from(&**indices)
            }
        }
    )* };
}
integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_indices_count_from_the_end_and_others_must_lie_inside() {
        let positions = |list: IndexList| list.positions(0, &[4]);
        assert_eq!(positions([0, -1, 3, -4].into()), Ok(vec![0, 3, 3, 0]));
        assert!(
            positions([4].into()).unwrap_err().to_string().contains("index 4 is out of bounds for axis 0")
        );
        assert!(positions([-5i8].into()).is_err());
        assert!(positions([u64::MAX].into()).is_err());
        assert!(positions([i64::MIN].into()).is_err());
    }

    #[test]
    fn mask_is_the_indices_of_its_true_elements() {
        let mask = ndarray::arr2(&[[true, false], [true, true]]).into_dyn();
        let lists = IndexList::of_mask(&mask);
        assert_eq!((lists[0].indices(), lists[1].indices()), (&[0, 1, 1][..], &[0, 0, 1][..]));
    }
}
