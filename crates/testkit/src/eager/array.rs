//! Arrays as plain as can be: a list of scalars in C order and a shape. No strides, no chunks, no views.

use chunkwise_chunk::{Chunk, DType, Element, Scalar, dispatch};
use ndarray::{ArrayD, IxDyn};

/// A list of scalars of one type in C order, and a shape.
///
/// ```
/// use chunkwise_chunk::Scalar;
/// use chunkwise_testkit::PlainArray;
/// let x = PlainArray::of(&[2, 2], &[1, 2, 3, 4]);
/// assert_eq!(x.get(&[1, 0]), Scalar::I32(3));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PlainArray {
    dtype: DType,
    shape: Vec<usize>,
    data: Vec<Scalar>,
}

impl PlainArray {
    /// The array of these elements.
    ///
    /// # Panics
    /// When the number of elements is not that of the shape, or one has another type.
    pub fn new(dtype: DType, shape: &[usize], data: Vec<Scalar>) -> PlainArray {
        assert_eq!(data.len(), shape.iter().product::<usize>(), "elements for shape {shape:?}");
        assert!(data.iter().all(|x| x.dtype() == dtype), "every element is of type {dtype}");
        PlainArray { dtype, shape: shape.to_vec(), data }
    }

    /// The array of these values.
    ///
    /// # Panics
    /// When the number of values is not that of the shape.
    pub fn of<T: Element>(shape: &[usize], values: &[T]) -> PlainArray {
        PlainArray::new(T::DTYPE, shape, values.iter().map(|&x| Scalar::from(x)).collect())
    }

    /// The array whose element at every index is what `f` gives for it; the first error wins.
    pub(crate) fn try_from_fn<E>(
        dtype: DType,
        shape: &[usize],
        f: impl FnMut(&[usize]) -> Result<Scalar, E>,
    ) -> Result<PlainArray, E> {
        let indices = indices(shape);
        let data = indices.iter().map(Vec::as_slice).map(f).collect::<Result<Vec<Scalar>, E>>()?;
        Ok(PlainArray::new(dtype, shape, data))
    }

    /// The array whose element at every index is what `f` gives for it.
    pub(crate) fn from_fn(
        dtype: DType,
        shape: &[usize],
        mut f: impl FnMut(&[usize]) -> Scalar,
    ) -> PlainArray {
        let data = indices(shape).iter().map(|index| f(index)).collect();
        PlainArray::new(dtype, shape, data)
    }

    /// The elements of a block.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, Scalar};
    /// use chunkwise_testkit::PlainArray;
    /// let ones = PlainArray::from_chunk(&Chunk::filled(Scalar::U8(1), &[3]));
    /// assert_eq!(ones, PlainArray::of(&[3], &[1u8, 1, 1]));
    /// ```
    pub fn from_chunk(chunk: &Chunk) -> PlainArray {
        dispatch!(chunk.dtype(), T => PlainArray::of(chunk.shape(), &elements::<T>(chunk)))
    }

    /// The same elements as a block.
    ///
    /// ```
    /// use chunkwise_testkit::PlainArray;
    /// assert_eq!(PlainArray::of(&[1], &[2.5]).to_chunk().nbytes(), 8);
    /// ```
    pub fn to_chunk(&self) -> Chunk {
        dispatch!(self.dtype, T => Chunk::from_array(to_ndarray::<T>(self)))
    }

    /// Type of the elements.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in C order.
    pub fn data(&self) -> &[Scalar] {
        &self.data
    }

    /// The element at an index.
    ///
    /// # Panics
    /// When there is none.
    pub fn get(&self, index: &[usize]) -> Scalar {
        assert_eq!(index.len(), self.shape.len(), "an index has one number for every axis");
        self.data[linear(index, &self.shape)]
    }

    /// The element that broadcasting to a larger shape puts at `index`: axes align at the end, and axes of
    /// length 1 repeat.
    pub(crate) fn get_broadcast(&self, index: &[usize]) -> Scalar {
        let lead = index.len() - self.shape.len();
        let own: Vec<usize> =
            index[lead..].iter().zip(&self.shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
        self.get(&own)
    }

    /// The same elements in C order under another shape.
    pub(crate) fn with_shape(&self, shape: &[usize]) -> PlainArray {
        PlainArray::new(self.dtype, shape, self.data.clone())
    }
}

/// The elements of a block of type `T` in C order.
fn elements<T: Element>(chunk: &Chunk) -> Vec<T> {
    let array = T::of_chunk(chunk).expect("dispatched on the block's own type");
    array.iter().copied().collect()
}

/// The elements of an array of type `T` as an ndarray.
pub(crate) fn to_ndarray<T: Element>(array: &PlainArray) -> ArrayD<T> {
    let values = array.data.iter().map(|&x| T::of_scalar(x).expect("dispatched on the array's own type"));
    let array = ArrayD::from_shape_vec(IxDyn(&array.shape), values.collect());
    array.expect("the number of elements was checked")
}

/// All indices of a shape in C order; one empty index for a shape without axes.
pub(crate) fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for &n in shape {
        let longer =
            |index: &Vec<usize>| (0..n).map(|i| [index.as_slice(), &[i]].concat()).collect::<Vec<_>>();
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// Where an index lies in C order.
fn linear(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |at, (&i, &n)| {
        assert!(i < n, "index {index:?} lies inside shape {shape:?}");
        at * n + i
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_run_in_c_order() {
        assert_eq!(indices(&[2, 2]), [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert_eq!(indices(&[]), [[0usize; 0]]);
        assert!(indices(&[3, 0]).is_empty());
    }

    #[test]
    fn block_and_back_keeps_order() {
        let x = PlainArray::of(&[2, 3], &[1u8, 2, 3, 4, 5, 6]);
        assert_eq!(PlainArray::from_chunk(&x.to_chunk()), x);
        assert_eq!(x.get(&[1, 2]), Scalar::U8(6));
        assert_eq!(PlainArray::of(&[1, 2], &[7, 8]).get_broadcast(&[4, 3, 1]), Scalar::I32(8));
    }
}
