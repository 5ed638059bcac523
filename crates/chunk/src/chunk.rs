//! One block of an array.

use std::fmt;

use ndarray::{ArcArray, ArrayD, Axis, IxDyn, Slice};

use crate::{AxisMap, ChunkError, DType, Element, Region, Scalar, View, dispatch, for_each_dtype};

macro_rules! define_chunk {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// A block of any element type, reference counted and possibly strided: cloning and taking views
        /// copies no element.
        ///
        /// ```
        /// use chunkwise_chunk::{Chunk, DType};
        /// let chunk = Chunk::from_array(ndarray::arr1(&[1.0, 2.0]).into_dyn());
        /// assert_eq!((chunk.dtype(), chunk.shape()), (DType::F64, &[2][..]));
        /// ```
        #[derive(Clone)]
        #[allow(missing_docs)]
        pub enum Chunk { $($v(ArcArray<$t, IxDyn>),)* }

        impl Chunk {
            /// Type of the elements.
            pub fn dtype(&self) -> DType {
                match self { $(Chunk::$v(_) => DType::$v,)* }
            }

            /// Shape of the block.
            pub fn shape(&self) -> &[usize] {
                match self { $(Chunk::$v(a) => a.shape(),)* }
            }

            /// The view's elements, shared with this block unless the view repeats some.
            #[must_use]
            pub fn view(&self, view: &View) -> Chunk {
                match self { $(Chunk::$v(a) => Chunk::$v(apply(a.clone(), view)),)* }
            }

            /// A part of the block, sharing its elements.
            #[must_use]
            pub fn part(&self, region: &Region) -> Chunk {
                match self { $(Chunk::$v(a) => Chunk::$v(part(a.clone(), region)),)* }
            }

            /// The same elements in C order without gaps, shared when they already are.
            #[must_use]
            pub fn to_contiguous(&self) -> Chunk {
                match self { $(Chunk::$v(a) => Chunk::$v(contiguous(a)),)* }
            }

            /// The same elements in C order in a buffer of their own.
            #[must_use]
            pub fn to_owned_copy(&self) -> Chunk {
                match self {
                    $(Chunk::$v(a) => Chunk::$v(a.as_standard_layout().into_owned().into_shared()),)*
                }
            }

            /// The same elements, copied when others share them.
            #[must_use]
            pub fn into_unshared(self) -> Chunk {
                match self { $(Chunk::$v(a) => Chunk::$v(a.into_owned().into_shared()),)* }
            }

            /// The same elements in C order under another shape of equal length.
            ///
            /// # Panics
            /// When the lengths differ.
            #[must_use]
            pub fn with_shape(&self, shape: &[usize]) -> Chunk {
                match self { $(Chunk::$v(a) => Chunk::$v(reshaped(a, shape)),)* }
            }
        }
    };
}
for_each_dtype!(define_chunk);

impl Chunk {
    /// The block that holds this array.
    pub fn from_array<T: Element>(array: ArrayD<T>) -> Chunk {
        T::into_chunk(array.into_shared())
    }

    /// A block of one repeated value.
    pub fn filled(value: Scalar, shape: &[usize]) -> Chunk {
        dispatch!(value.dtype(), T => {
            // Dispatched on the scalar's own type, so the value is always there.
            let value = T::of_scalar(value).unwrap_or_default();
            Chunk::from_array(ArrayD::from_elem(IxDyn(shape), value))
        })
    }

    /// A block of zeros, or of `false`.
    pub fn zeros(dtype: DType, shape: &[usize]) -> Chunk {
        Chunk::filled(Scalar::zero(dtype), shape)
    }

    /// A block put together from parts, each with the region it fills. Elements that no part fills are
    /// zero.
    ///
    /// # Errors
    /// When a part has another type than `dtype`.
    ///
    /// # Panics
    /// When a part's shape is not that of its region.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType, Region, Scalar};
    /// let part = Chunk::filled(Scalar::U8(1), &[2]);
    /// let whole = Chunk::assemble(DType::U8, &[3], [(Region::new(&[1], &[2]), &part)]).unwrap();
    /// assert_eq!(whole.to_array::<u8>().unwrap().as_slice(), Some(&[0, 1, 1][..]));
    /// ```
    pub fn assemble<'a>(
        dtype: DType,
        shape: &[usize],
        parts: impl IntoIterator<Item = (Region, &'a Chunk)>,
    ) -> Result<Chunk, ChunkError> {
        dispatch!(dtype, T => {
            let mut whole = ArrayD::<T>::default(IxDyn(shape));
            for (region, chunk) in parts {
                let array = chunk.typed::<T>()?;
                let mut window = whole.view_mut();
                for axis in 0..shape.len() {
                    let slice = Slice::from(region.start()[axis]..region.end(axis));
                    window.slice_axis_inplace(Axis(axis), slice);
                }
                window.assign(array);
            }
            Ok(Chunk::from_array(whole))
        })
    }

    /// A block of the elements of `runs` in C order, one after the other; a single run is shared.
    ///
    /// # Errors
    /// When a run has another type than `dtype`.
    ///
    /// # Panics
    /// When the runs do not hold as many elements as `shape`.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// let run = |x: [i32; 3]| Chunk::from_array(ndarray::arr1(&x).into_dyn());
    /// let block = Chunk::from_runs(DType::I32, &[2, 3], &[run([1, 2, 3]), run([4, 5, 6])]).unwrap();
    /// assert_eq!(block.to_array::<i32>().unwrap(), ndarray::arr2(&[[1, 2, 3], [4, 5, 6]]).into_dyn());
    /// ```
    pub fn from_runs(dtype: DType, shape: &[usize], runs: &[Chunk]) -> Result<Chunk, ChunkError> {
        if let [only] = runs {
            return Ok(only.with_shape(shape));
        }
        dispatch!(dtype, T => {
            let mut elements: Vec<T> = Vec::with_capacity(shape.iter().product());
            for run in runs {
                let array = run.typed::<T>()?;
                match array.as_slice() {
                    Some(slice) => elements.extend_from_slice(slice),
                    None => elements.extend(array.iter()),
                }
            }
            let array = ArrayD::from_shape_vec(IxDyn(shape), elements);
            Ok(Chunk::from_array(array.expect("the runs hold the elements of the block")))
        })
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// True when there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the elements.
    pub fn nbytes(&self) -> usize {
        self.len() * self.dtype().itemsize()
    }

    /// The array inside.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn typed<T: Element>(&self) -> Result<&ArcArray<T, IxDyn>, ChunkError> {
        T::of_chunk(self).ok_or(ChunkError::DType { expected: T::DTYPE, found: self.dtype() })
    }

    /// The array inside, taken out; copied only when others share it.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn into_array<T: Element>(self) -> Result<ArrayD<T>, ChunkError> {
        let found = self.dtype();
        let array = T::from_chunk(self).ok_or(ChunkError::DType { expected: T::DTYPE, found })?;
        Ok(array.into_owned())
    }

    /// A copy of the array inside.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn to_array<T: Element>(&self) -> Result<ArrayD<T>, ChunkError> {
        self.clone().into_array()
    }

    /// The only element of a block of one element.
    pub fn scalar(&self) -> Option<Scalar> {
        if self.len() != 1 {
            return None;
        }
        dispatch!(self.dtype(), T => T::of_chunk(self)?.first().map(|&x| x.into_scalar()))
    }
}

impl fmt::Debug for Chunk {
    /// Type and shape, never the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk<{}>{:?}", self.dtype(), self.shape())
    }
}

fn part<T>(mut array: ArcArray<T, IxDyn>, region: &Region) -> ArcArray<T, IxDyn> {
    for axis in 0..region.ndim() {
        array.slice_axis_inplace(Axis(axis), Slice::from(region.start()[axis]..region.end(axis)));
    }
    array
}

fn contiguous<T: Element>(array: &ArcArray<T, IxDyn>) -> ArcArray<T, IxDyn> {
    if array.is_standard_layout() {
        return array.clone();
    }
    array.as_standard_layout().into_owned().into_shared()
}

fn reshaped<T: Element>(array: &ArcArray<T, IxDyn>, shape: &[usize]) -> ArcArray<T, IxDyn> {
    contiguous(array).into_shape_with_order(IxDyn(shape)).expect("the caller keeps the number of elements")
}

/// Walks every source axis as the view says, then orders, drops and adds axes.
fn apply<T: Element>(mut array: ArcArray<T, IxDyn>, view: &View) -> ArcArray<T, IxDyn> {
    if view.shape().contains(&0) {
        return ArrayD::default(IxDyn(view.shape())).into_shared();
    }
    let mut kept = Vec::new();
    for (map, &n) in view.axes().iter().zip(view.shape()) {
        if let AxisMap::Source { axis, step } = *map {
            array.slice_axis_inplace(Axis(axis), walk(view.offset()[axis], step, n));
            kept.push(axis);
        }
    }
    let dropped: Vec<usize> = (0..view.source_shape().len()).filter(|axis| !kept.contains(axis)).collect();
    for &axis in &dropped {
        array.collapse_axis(Axis(axis), view.offset()[axis]);
    }
    let order: Vec<usize> = kept.iter().chain(&dropped).copied().collect();
    array = array.permuted_axes(IxDyn(&order));
    for axis in (kept.len()..order.len()).rev() {
        array = array.index_axis_move(Axis(axis), 0);
    }
    for (axis, map) in view.axes().iter().enumerate() {
        if *map == AxisMap::Repeat {
            array = array.insert_axis(Axis(axis));
        }
    }
    if !view.repeats() {
        return array;
    }
    array.broadcast(IxDyn(view.shape())).expect("new axes have length 1").to_owned().into_shared()
}

/// The slice of `n` elements from `offset` by `step`, in ndarray's convention.
fn walk(offset: usize, step: isize, n: usize) -> Slice {
    let reach = (n - 1) * step.unsigned_abs();
    let low = if step < 0 { offset - reach } else { offset };
    Slice::new(low as isize, Some((low + reach + 1) as isize), if n == 1 { 1 } else { step })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{NewAxis, arr2, s};

    #[test]
    fn view_of_chunk_is_ndarrays_slice() {
        let array = arr2(&[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]);
        let chunk = Chunk::from_array(array.clone().into_dyn());
        let view = View::slice(&[3, 4], s![..;-2, 1..4;2].as_ref()).unwrap();
        assert_eq!(chunk.view(&view).to_array::<i32>().unwrap(), array.slice(s![..;-2, 1..4;2]).into_dyn());
        let view = View::slice(&[3, 4], s![1, NewAxis, ..;-1].as_ref()).unwrap();
        assert_eq!(
            chunk.view(&view).to_array::<i32>().unwrap(),
            array.slice(s![1, NewAxis, ..;-1]).into_dyn()
        );
    }

    #[test]
    fn broadcast_view_repeats() {
        let chunk = Chunk::from_array(arr2(&[[1u8], [2]]).into_dyn());
        let view = View::broadcast(&[2, 1], &[3, 2, 2]).unwrap();
        let got = chunk.view(&view).to_array::<u8>().unwrap();
        assert_eq!(got, arr2(&[[1u8], [2]]).broadcast((3, 2, 2)).unwrap().into_dyn());
    }

    #[test]
    fn views_share_memory() {
        let chunk = Chunk::zeros(DType::F64, &[4, 4]);
        let t = chunk.view(&View::permute(&[4, 4], &[1, 0]).unwrap());
        let (a, b) = (chunk.typed::<f64>().unwrap(), t.typed::<f64>().unwrap());
        assert_eq!(a.as_ptr(), b.as_ptr());
    }
}
