//! The reductions: one row each.
//!
//! A row reads `Variant all one several keep: In -> Out, eg input => result;` with the names of the four
//! methods: over everything, over one axis, over several, and over several that stay with length 1.
//! `In` is the trait of the element types it takes, `Out` is `Same`, `Sum`, `Mean`, `Spread`, `Bool` or `Index`.

use chunkwise_chunk::DType;

use crate::UserReduction;

/// Calls `$reader!` with one row per reduction without a parameter; see the source for the row's form.
#[macro_export]
macro_rules! for_each_reduction {
    ($reader:ident) => {
        $reader! {
            /// Sum of elements; 0 when there are none. Integers and bool are summed in 64 bits and wrap;
            /// `f32` is accumulated in `f64`, and so are the parts of complex numbers.
            Sum sum sum_axis sum_axes sum_keepdims: Element -> Sum, eg [1.0, 2.0, 6.0] => 9.0;
            /// Product of elements; 1 when there are none. Integers and bool multiply in 64 bits and wrap. Complex numbers
            /// are multiplied part by part, as in NumPy: an infinity leaves NaN in some part, in which one the order says.
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
            /// Smallest element that is not NaN; NaN when all are. An error when there are no elements.
            NanMin nan_min nan_min_axis nan_min_axes nan_min_keepdims: Ordered -> Same, eg [f64::NAN, 3.0, 1.0] => 1.0;
            /// Largest element that is not NaN; NaN when all are. An error when there are no elements.
            NanMax nan_max nan_max_axis nan_max_axes nan_max_keepdims: Ordered -> Same, eg [f64::NAN, 3.0, 1.0] => 3.0;
            /// Position of the first smallest element that is not NaN, in C order of the reduced axes. An error when
            /// there are no elements or, as `compute` finds out, all of them are NaN.
            NanArgMin nan_argmin nan_argmin_axis nan_argmin_axes nan_argmin_keepdims: Ordered -> Index, eg [f64::NAN, 3.0, 1.0] => 2;
            /// Position of the first largest element that is not NaN, in C order of the reduced axes. An error when
            /// there are no elements or, as `compute` finds out, all of them are NaN.
            NanArgMax nan_argmax nan_argmax_axis nan_argmax_axes nan_argmax_keepdims: Ordered -> Index, eg [f64::NAN, 3.0, 1.0] => 1;
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
            ///
            /// The divisor is at least 0, so `ddof >= n` gives an infinity, or NaN when all elements are equal. `ddof` is finite.
            Var var var_axis var_axes var_keepdims: Element -> Spread, eg [1.0, 2.0, 6.0], 1.0 => 7.0;
            /// Standard deviation with the divisor `n - ddof`: 0.0 for a population, 1.0 for a sample. Of complex numbers a
            /// real one, as the variance.
            ///
            /// The divisor is at least 0, so `ddof >= n` gives an infinity, or NaN when all elements are equal. `ddof` is finite.
            Std std std_axis std_axes std_keepdims: Element -> Spread, eg [1.0, 3.0], 0.0 => 1.0;
            /// Variance of the `n` elements that are not NaN, with the divisor `n - ddof`; NaN where that is not
            /// positive. Integers have no NaN: theirs is `var`, which gives an infinity there. Of complex numbers the sum of
            /// the variances of their parts; a number is left out when either is NaN.
            NanVar nan_var nan_var_axis nan_var_axes nan_var_keepdims: Element -> Spread, eg [1.0, f64::NAN, 2.0, 6.0], 1.0 => 7.0;
            /// Standard deviation of the `n` elements that are not NaN, with the divisor `n - ddof`; NaN where that is
            /// not positive. Integers have no NaN: theirs is `std`, which gives an infinity there. Of complex numbers a real
            /// one, as the variance.
            NanStd nan_std nan_std_axis nan_std_axes nan_std_keepdims: Element -> Spread, eg [1.0, f64::NAN, 3.0], 0.0 => 1.0;
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
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub enum ReduceKind {
            $($(#[$doc])* $variant,)*
            /// Variance.
            Var,
            /// Standard deviation.
            Std,
            /// Variance of what is not NaN.
            NanVar,
            /// Standard deviation of what is not NaN.
            NanStd,
            /// Third central moment.
            Moment3,
            /// Fourth central moment.
            Moment4,
            /// Third standardised moment.
            Skew,
            /// Fourth standardised moment less 3, which is that of a normal distribution.
            Kurtosis,
            /// What a user has written.
            User(UserReduction),
        }

        impl ReduceKind {
            /// Every reduction of this library.
            pub const ALL: &'static [ReduceKind] = &[
                $(ReduceKind::$variant,)*
                ReduceKind::Var,
                ReduceKind::Std,
                ReduceKind::NanVar,
                ReduceKind::NanStd,
                ReduceKind::Moment3,
                ReduceKind::Moment4,
                ReduceKind::Skew,
                ReduceKind::Kurtosis,
            ];

            /// Name of the method.
            pub fn name(&self) -> &str {
                match self {
                    $(ReduceKind::$variant => stringify!($name),)*
                    ReduceKind::Var => "var",
                    ReduceKind::Std => "std",
                    ReduceKind::NanVar => "nan_var",
                    ReduceKind::NanStd => "nan_std",
                    ReduceKind::Moment3 => "moment3",
                    ReduceKind::Moment4 => "moment4",
                    ReduceKind::Skew => "skew",
                    ReduceKind::Kurtosis => "kurtosis",
                    ReduceKind::User(reduction) => reduction.name(),
                }
            }

            /// Whether elements of this type are reduced: complex numbers have no order, and so no extremes.
            ///
            /// ```
            /// use chunkwise_chunk::DType;
            /// use chunkwise_expr::ReduceKind;
            /// assert!(ReduceKind::Sum.takes(DType::C64) && !ReduceKind::Max.takes(DType::C64));
            /// ```
            pub fn takes(&self, input: DType) -> bool {
                match self {
                    $(ReduceKind::$variant => in_class!($class, input),)*
                    ReduceKind::Var | ReduceKind::Std => true,
                    ReduceKind::User(reduction) => reduction.item() == input,
                    _ => !input.is_complex(),
                }
            }

            /// Type of the result for elements of this type, if they are taken.
            pub fn output(&self, input: DType) -> DType {
                match self {
                    $(ReduceKind::$variant => output!($out, input),)*
                    ReduceKind::User(reduction) => reduction.output(),
                    _ => input.mean_type().real_type(),
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
    pub fn needs_elements(&self) -> bool {
        let extremes =
            matches!(self, ReduceKind::Min | ReduceKind::Max | ReduceKind::NanMin | ReduceKind::NanMax);
        extremes || self.is_position()
    }

    /// True for reductions that give a position.
    pub fn is_position(&self) -> bool {
        matches!(
            self,
            ReduceKind::ArgMin | ReduceKind::ArgMax | ReduceKind::NanArgMin | ReduceKind::NanArgMax
        )
    }

    /// True for reductions that take `ddof`.
    pub fn takes_ddof(&self) -> bool {
        matches!(self, ReduceKind::Var | ReduceKind::Std | ReduceKind::NanVar | ReduceKind::NanStd)
    }

    /// The reduction that gives the same where no element is NaN.
    ///
    /// ```
    /// use chunkwise_expr::ReduceKind;
    /// assert_eq!(ReduceKind::NanMin.without_nan(), ReduceKind::Min);
    /// assert_eq!(ReduceKind::Sum.without_nan(), ReduceKind::Sum);
    /// ```
    #[must_use]
    pub fn without_nan(self) -> ReduceKind {
        match self {
            ReduceKind::NanMin => ReduceKind::Min,
            ReduceKind::NanMax => ReduceKind::Max,
            ReduceKind::NanArgMin => ReduceKind::ArgMin,
            ReduceKind::NanArgMax => ReduceKind::ArgMax,
            ReduceKind::NanVar => ReduceKind::Var,
            ReduceKind::NanStd => ReduceKind::Std,
            other => other,
        }
    }
}

impl std::fmt::Display for ReduceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
