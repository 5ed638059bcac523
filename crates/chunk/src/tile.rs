//! Runs of elements whose type is known only when run: what a user's closure is given.

use crate::{DType, for_each_dtype};

macro_rules! define_tile {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// A run of elements to read.
        ///
        /// ```
        /// use chunkwise_chunk::{Element, Tile};
        /// let tile = Tile::F32(&[1.0, 2.0]);
        /// assert_eq!(f32::of_tile(tile), Some(&[1.0, 2.0][..]));
        /// ```
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        pub enum Tile<'a> { $($v(&'a [$t]),)* }

        /// A run of elements to write.
        ///
        /// ```
        /// use chunkwise_chunk::{Element, TileMut};
        /// let mut run = [0u8; 2];
        /// u8::of_tile_mut(TileMut::U8(&mut run)).unwrap()[1] = 7;
        /// assert_eq!(run, [0, 7]);
        /// ```
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub enum TileMut<'a> { $($v(&'a mut [$t]),)* }

        impl Tile<'_> {
            /// Type of the elements.
            pub fn dtype(&self) -> DType {
                match self { $(Tile::$v(_) => DType::$v,)* }
            }
        }
    };
}
for_each_dtype!(define_tile);
