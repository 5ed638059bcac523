//! Memory that elements are written into: lent by a sink, or owned.
//!
//! A [`Window`] is memory that holds no elements yet. Whoever fills it gives the same memory back as [`Written`],
//! which exists only where every element was written; the types are ndarray's views, so that nothing has to be
//! believed. [`Room`] is the same for memory of one's own: a vector without elements.

use std::mem::MaybeUninit;

use ndarray::{ArrayD, ArrayViewMutD, IxDyn};

use crate::{Chunk, DType, Element, for_each_dtype};

macro_rules! define_window {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// Memory of a block whose elements are still to be written.
        ///
        /// ```
        /// use std::mem::MaybeUninit;
        /// use chunkwise_chunk::{DType, Window};
        /// let mut memory = ndarray::Array1::<f64>::uninit(3).into_dyn();
        /// let window = Window::F64(memory.view_mut());
        /// assert_eq!((window.dtype(), window.shape()), (DType::F64, &[3][..]));
        /// ```
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub enum Window<'a> { $($v(ArrayViewMutD<'a, MaybeUninit<$t>>),)* }

        /// Memory of a block whose elements are all written.
        ///
        /// ```
        /// use chunkwise_chunk::Written;
        /// let mut memory = ndarray::arr1(&[1u8, 2]).into_dyn();
        /// assert!(matches!(Written::U8(memory.view_mut()), Written::U8(_)));
        /// ```
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub enum Written<'a> { $($v(ArrayViewMutD<'a, $t>),)* }

        /// A vector that elements are to be pushed to: memory of an earlier block, or none yet.
        ///
        /// ```
        /// use chunkwise_chunk::{DType, Room};
        /// assert_eq!(Room::new(DType::I8).nbytes(), 0);
        /// assert_eq!(Room::F64(Vec::with_capacity(4)).nbytes(), 32);
        /// ```
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub enum Room { $($v(Vec<$t>),)* }

        impl Window<'_> {
            /// Type of the elements.
            pub fn dtype(&self) -> DType {
                match self { $(Window::$v(_) => DType::$v,)* }
            }

            /// Shape of the block.
            pub fn shape(&self) -> &[usize] {
                match self { $(Window::$v(a) => a.shape(),)* }
            }
        }

        impl Room {
            /// Room for nothing; it grows.
            pub fn new(dtype: DType) -> Room {
                match dtype { $(DType::$v => Room::$v(Vec::new()),)* }
            }

            /// Type of the elements.
            pub fn dtype(&self) -> DType {
                match self { $(Room::$v(_) => DType::$v,)* }
            }

            /// Bytes there are.
            pub fn nbytes(&self) -> usize {
                match self { $(Room::$v(vec) => vec.capacity() * size_of::<$t>(),)* }
            }
        }

        impl Chunk {
            /// The memory of a block that nobody else shares, without its elements; `None` when it is shared.
            ///
            /// ```
            /// use chunkwise_chunk::{Chunk, DType};
            /// let chunk = Chunk::zeros(DType::F64, &[4]);
            /// let other = chunk.clone();
            /// assert!(chunk.into_room().is_none());
            /// assert_eq!(other.into_room().unwrap().nbytes(), 32);
            /// ```
            pub fn into_room(self) -> Option<Room> {
                match self {
                    $(Chunk::$v(array) => {
                        let (mut vec, _) = array.try_into_owned_nocopy().ok()?.into_raw_vec_and_offset();
                        vec.clear();
                        Some(Room::$v(vec))
                    })*
                }
            }
        }
    };
}
for_each_dtype!(define_window);

impl Room {
    /// The vector inside, when its elements are of this type.
    ///
    /// ```
    /// use chunkwise_chunk::{DType, Room};
    /// assert!(Room::new(DType::F32).into_vec::<f32>().is_some_and(|vec| vec.is_empty()));
    /// assert!(Room::new(DType::F32).into_vec::<u8>().is_none());
    /// ```
    pub fn into_vec<T: Element>(self) -> Option<Vec<T>> {
        T::of_room(self)
    }
}

impl Chunk {
    /// The block of these elements in C order.
    ///
    /// # Panics
    /// When there are not as many as the shape has.
    ///
    /// ```
    /// use chunkwise_chunk::Chunk;
    /// assert_eq!(Chunk::from_elements(vec![1, 2, 3, 4], &[2, 2]).shape(), [2, 2]);
    /// ```
    pub fn from_elements<T: Element>(elements: Vec<T>, shape: &[usize]) -> Chunk {
        let array = ArrayD::from_shape_vec(IxDyn(shape), elements);
        Chunk::from_array(array.expect("there is one element for every place of the shape"))
    }
}
