//! The reductions: one row each.
//!
//! A row reads `Variant all one several keep: In -> Out, eg input => result;` with the names of the four
//! methods: over everything, over one axis, over several, and over several that stay with length 1.
//! `In` is the trait of the element types it takes, `Out` is `Same`, `Sum`, `Mean`, `Spread`, `Bool` or `Index`.

use chunkwise_chunk::DType;

/// Calls `$reader!` with one row per reduction without a parameter; see the source for the row's form.
#[macro_export]
macro_rules! for_each_reduction {
    ($reader:ident) => {
        $reader! {
            /// Sum of elements; 0 when there are none. Integers and bool are summed in 64 bits and wrap;
            /// `f32` is accumulated in `f64`, and so are the parts of complex numbers.
            Sum sum sum_axis sum_axes sum_keepdims: Element -> Sum, eg [1.0, 2.0, 6.0] => 9.0;
            /// Product of elements; 1 when there are none. Integers and bool multiply in 64 bits and wrap.
            Prod prod prod_axis prod_axes prod_keepdims: Element -> Sum, eg [1.0, 2.0, 6.0] => 12.0;
            /// Smallest element; NaN when there is one. An error when there are no elements.
            Min min min_axis min_axes min_keepdims: Ordered -> Same, eg [3.0, 1.0, 2.0] => 1.0;
            /// Largest element; NaN when there is one. An error when there are no elements.
            Max max max_axis max_axes max_keepdims: Ordered -> Same, eg [3.0, 1.0, 2.0] => 3.0;
            /// Arithmetic mean; NaN when there are no elements. Accumulated in `f64`.
            Mean mean mean_axis mean_axes mean_keepdims: Element -> Mean, eg [1.0, 2.0, 6.0] => 3.0;
            /// True when some element is not zero (NaN is not zero); false when there are none.
            Any any any_axis any_axes any_keepdims: Element -> Bool, eg [0.0, 2.0] => true;
            /// True when no element is zero; true when there are none.
            All all all_axis all_axes all_keepdims: Element -> Bool, eg [0.0, 2.0] => false;
            /// Position of the first smallest element, or of the first NaN, in C order of the reduced axes.
            /// An error when there are no elements.
            ArgMin argmin argmin_axis argmin_axes argmin_keepdims: Ordered -> Index, eg [3.0, 1.0, 1.0] => 1;
            /// Position of the first largest element, or of the first NaN, in C order of the reduced axes.
            /// An error when there are no elements.
            ArgMax argmax argmax_axis argmax_axes argmax_keepdims: Ordered -> Index, eg [3.0, 1.0, 3.0] => 0;
        }
    };
}

/// Calls `$reader!` with one row per reduction that takes `ddof`; see the source for the row's form.
#[macro_export]
macro_rules! for_each_moment {
    ($reader:ident) => {
        $reader! {
            /// Variance with the divisor `n - ddof`: 0.0 for a population, 1.0 for a sample. Of complex numbers a real
            /// one, of their distances from the mean.
            Var var var_axis var_axes var_keepdims: Element -> Spread, eg [1.0, 2.0, 6.0], 1.0 => 7.0;
            /// Standard deviation with the divisor `n - ddof`: 0.0 for a population, 1.0 for a sample. Of complex numbers a
            /// real one, as the variance.
            Std std std_axis std_axes std_keepdims: Element -> Spread, eg [1.0, 3.0], 0.0 => 1.0;
        }
    };
}

macro_rules! define_kinds {
    ($($(#[$doc:meta])* $variant:ident $name:ident $o:ident $s:ident $k:ident: $class:ident -> $out:ident,
        eg $eg:expr => $res:expr;)*) => {
        /// What a reduction computes.
        ///
        /// ```
        /// use chunkwise_chunk::DType;
        /// use chunkwise_expr::ReduceKind;
        /// assert_eq!(ReduceKind::Sum.output(DType::U8), DType::U64);
        /// assert_eq!(ReduceKind::Mean.to_string(), "mean");
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum ReduceKind {
            $($(#[$doc])* $variant,)*
            /// Variance.
            Var,
            /// Standard deviation.
            Std,
        }

        impl ReduceKind {
            /// Every reduction.
            pub const ALL: &'static [ReduceKind] = &[$(ReduceKind::$variant,)* ReduceKind::Var, ReduceKind::Std];

            /// Name of the method.
            pub fn name(self) -> &'static str {
                match self {
                    $(ReduceKind::$variant => stringify!($name),)*
                    ReduceKind::Var => "var",
                    ReduceKind::Std => "std",
                }
            }

            /// Whether elements of this type are reduced: complex numbers have no order, and so no extremes.
            ///
            /// ```
            /// use chunkwise_chunk::DType;
            /// use chunkwise_expr::ReduceKind;
            /// assert!(ReduceKind::Sum.takes(DType::C64) && !ReduceKind::Max.takes(DType::C64));
            /// ```
            pub fn takes(self, input: DType) -> bool {
                match self {
                    $(ReduceKind::$variant => in_class!($class, input),)*
                    ReduceKind::Var | ReduceKind::Std => true,
                }
            }

            /// Type of the result for elements of this type, if they are taken.
            pub fn output(self, input: DType) -> DType {
                match self {
                    $(ReduceKind::$variant => output!($out, input),)*
                    ReduceKind::Var | ReduceKind::Std => input.mean_type().real_type(),
                }
            }
        }
    };
}

#[rustfmt::skip]
macro_rules! in_class {
    (Element, $input:expr) => { true };
    (Ordered, $input:expr) => { !$input.is_complex() };
}

#[rustfmt::skip]
macro_rules! output {
    (Same, $input:expr) => { $input };
    (Sum, $input:expr) => { $input.sum_type() };
    (Mean, $input:expr) => { $input.mean_type() };
    (Bool, $input:expr) => { DType::Bool };
    (Index, $input:expr) => { DType::I64 };
}
for_each_reduction!(define_kinds);

impl ReduceKind {
    /// True for reductions that have no value when there are no elements.
    pub fn needs_elements(self) -> bool {
        matches!(self, ReduceKind::Min | ReduceKind::Max | ReduceKind::ArgMin | ReduceKind::ArgMax)
    }

    /// True for reductions that take `ddof`.
    pub fn takes_ddof(self) -> bool {
        matches!(self, ReduceKind::Var | ReduceKind::Std)
    }
}

impl std::fmt::Display for ReduceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
