//! Lazy arrays whose element type is known only when run, for drivers that read programs from data.

use chunkwise::prelude::*;
use chunkwise_chunk::{Element, Scalar, for_each_dtype};
use chunkwise_expr::Expr;
use ndarray::ArrayD;

use crate::PlainArray;
use crate::eager::to_ndarray;

/// Pairs in pairs, since there are more element types than a tuple of computations can have.
macro_rules! nested {
    ($last:ident) => { $last };
    ($first:ident $($rest:ident)+) => { ($first, nested!($($rest)+)) };
}

macro_rules! define_any_array {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// A lazy array of any element type.
        ///
        /// ```
        /// use chunkwise::prelude::*;
        /// use chunkwise_testkit::{AnyArray, PlainArray};
        /// let x = AnyArray::from_plain(&PlainArray::of(&[3], &[1, 2, 3]), 2);
        /// assert_eq!((x.dtype(), x.shape()), (DType::I32, &[3][..]));
        /// ```
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum AnyArray { $($v(LazyArrayD<$t>),)* }

        $(impl From<LazyArrayD<$t>> for AnyArray {
            fn from(array: LazyArrayD<$t>) -> AnyArray {
                AnyArray::$v(array)
            }
        })*

        impl AnyArray {
            /// The array in the chunks asked for.
            pub fn from_plain(array: &PlainArray, chunks: impl Into<Chunks>) -> AnyArray {
                match array.dtype() {
                    $(DType::$v => LazyArray::from_ndarray(to_ndarray::<$t>(array), chunks).into(),)*
                }
            }

            /// The expression as a typed array; an expression that is no array is taken for one of bool,
            /// which fails when computed.
            pub fn from_expr(expr: &Expr) -> AnyArray {
                match expr.dtype().unwrap_or(DType::Bool) {
                    $(DType::$v => AnyArray::$v(LazyArray::from_expr(expr.clone())),)*
                }
            }

            /// The expression.
            pub fn expr(&self) -> &Expr {
                match self { $(AnyArray::$v(x) => x.expr(),)* }
            }

            /// Type of the elements.
            pub fn dtype(&self) -> DType {
                match self { $(AnyArray::$v(_) => DType::$v,)* }
            }

            /// Lengths of the axes; empty when the expression cannot be built.
            pub fn shape(&self) -> &[usize] {
                match self { $(AnyArray::$v(x) => x.shape(),)* }
            }
        }

        /// The values of all arrays, computed in one run.
        ///
        /// # Errors
        /// When an array cannot be built or computed.
        ///
        /// ```
        /// use chunkwise::prelude::*;
        /// use chunkwise_testkit::{AnyArray, PlainArray, compute_all};
        /// let (a, b) = (PlainArray::of(&[2], &[1.0, 2.0]), PlainArray::of(&[1], &[true]));
        /// let lazy = [AnyArray::from_plain(&a, 1), AnyArray::from_plain(&b, 1)];
        /// let runtime = Runtime::builder().threads(1).build()?;
        /// assert_eq!(compute_all(&runtime, &lazy)?, [a, b]);
        /// # Ok::<(), chunkwise::Error>(())
        /// ```
        #[allow(non_snake_case)]
        pub fn compute_all(runtime: &Runtime, arrays: &[AnyArray]) -> chunkwise::Result<Vec<PlainArray>> {
            // `compute` keeps element types apart, so there is one list for each; all lists are one run.
            $(let $v: Vec<&LazyArrayD<$t>> =
                arrays.iter().filter_map(|x| if let AnyArray::$v(x) = x { Some(x) } else { None }).collect();)*
            let nested!($($v)*) = runtime.compute(nested!($($v)*))?;
            $(let mut $v = $v.into_iter();)*
            let values = arrays.iter().map(|x| match x {
                $(AnyArray::$v(_) => $v.next().map(|array| from_ndarray(&array)),)*
            });
            Ok(values.map(|value| value.expect("every array has its value in the list of its type")).collect())
        }
    };
}
for_each_dtype!(define_any_array);

fn from_ndarray<T: Element>(array: &ArrayD<T>) -> PlainArray {
    PlainArray::new(T::DTYPE, array.shape(), array.iter().map(|&x| Scalar::from(x)).collect())
}
