//! Elementwise methods: made from the operation tables, and the few that no table row can say.

use chunkwise_chunk::{Element, Float, Inexact, Integer, Number, Ordered, Real};
use chunkwise_expr::{
    BinaryOp, ElementFn, ElementOp, Expr, UnaryOp, eval_cast, for_each_binary, for_each_unary,
};
use ndarray::{DimMax, Dimension, Ix0};

use super::here;
use crate::{LazyArray, LazyScalar, Operand};

#[rustfmt::skip]
macro_rules! output {
    (Same, $t:ident) => { $t };
    (Bool, $t:ident) => { bool };
    (Real, $t:ident) => { $t::Real };
}

macro_rules! unary_method {
    (operator $($rest:tt)*) => {};
    (method $(#[$doc:meta])* $variant:ident $name:ident $class:ident $out:ident ($eg:expr) ($res:expr)) => {
        impl<T: $class, D> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::from_ndarray(ndarray::arr1(&[", stringify!($eg), "]), 1);")]
            #[doc = concat!("assert_eq!(x.", stringify!($name), "().compute()?, ndarray::arr1(&[",
                stringify!($res), "]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name(&self) -> LazyArray<output!($out, T), D> {
                LazyArray::wrap(Expr::element(UnaryOp::$variant.into(), &[self.expr()], here()))
            }
        }
    };
}

macro_rules! define_unary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$x:ident| $body:expr,
        $form:ident $(via $math:ident)?, eg $eg:expr => $res:expr;)*) => {
        $(unary_method!($form $(#[$doc])* $variant $name $class $out ($eg) ($res));)*
    };
}
for_each_unary!(define_unary);

macro_rules! binary_method {
    (operator $($rest:tt)*) => {};
    (method $(#[$doc:meta])* $variant:ident $name:ident $class:ident $out:ident
        ($ea:expr) ($eb:expr) ($res:expr)) => {
        impl<T: $class, D: Dimension> LazyArray<T, D> {
            $(#[$doc])*
            ///
            /// The other operand is an array, which broadcasts, or a number.
            ///
            /// ```
            /// use chunkwise::prelude::*;
            #[doc = concat!("let x = LazyArray::from_ndarray(ndarray::arr1(&[", stringify!($ea), "]), 1);")]
            #[doc = concat!("assert_eq!(x.", stringify!($name), "(", stringify!($eb),
                ").compute()?, ndarray::arr1(&[", stringify!($res), "]));")]
            /// # Ok::<(), chunkwise::Error>(())
            /// ```
            #[must_use]
            #[track_caller]
            pub fn $name<O: Operand<T>>(
                &self,
                other: O,
            ) -> LazyArray<output!($out, T), <D as DimMax<O::Dim>>::Output>
            where
                D: DimMax<O::Dim>,
            {
                let at = here();
                let other = other.operand(at);
                LazyArray::wrap(Expr::element(BinaryOp::$variant.into(), &[self.expr(), &other], at))
            }
        }
    };
}

macro_rules! define_binary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$a:ident, $b:ident| $body:expr,
        faults $fault:expr, $form:ident $(via $math:ident)?, eg $ea:expr, $eb:expr => $res:expr;)*) => {
        $(binary_method!($form $(#[$doc])* $variant $name $class $out ($ea) ($eb) ($res));)*
    };
}
for_each_binary!(define_binary);

/// The rank of two operands after broadcasting.
type Max<A, B> = <A as DimMax<B>>::Output;

impl<T: Ordered, D: Dimension> LazyArray<T, D> {
    /// The elements limited to `[low, high]`; NaN stays NaN, and a bound that is NaN gives NaN. Bounds are numbers or
    /// arrays.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 5, 1, 2);
    /// assert_eq!(x.clip(1, 3).compute()?, ndarray::arr1(&[1, 1, 2, 3, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[allow(clippy::type_complexity)] // broadcasting of three ranks is this type
    pub fn clip<L, H>(&self, low: L, high: H) -> LazyArray<T, Max<Max<D, L::Dim>, H::Dim>>
    where
        L: Operand<T>,
        H: Operand<T>,
        D: DimMax<L::Dim>,
        Max<D, L::Dim>: DimMax<H::Dim>,
    {
        self.maximum(low).minimum(high)
    }
}

impl<T: Real, D: Dimension> LazyArray<T, D> {
    /// What truncated division leaves: `%` as a method. The sign is that of the dividend;
    /// [`modulo`](LazyArray::modulo) takes that of the divisor.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[-7.5, 7.5]), 2);
    /// assert_eq!(x.fmod(2.0).compute()?, ndarray::arr1(&[-1.5, 1.5]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn fmod<O: Operand<T>>(&self, other: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        let at = here();
        LazyArray::wrap(Expr::element(BinaryOp::Rem.into(), &[self.expr(), &other.operand(at)], at))
    }
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The elements converted to another type. Floats to integers truncate and saturate, with NaN as 0; integers to
    /// smaller integers wrap; anything to bool is "not zero". Real numbers become complex ones with an imaginary part of
    /// 0; complex numbers to real ones are an error, [`re`](LazyArray::re) says what is meant.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.9, -1.9, f64::NAN, 1e9]), 2);
    /// assert_eq!(x.cast::<i16>().compute()?, ndarray::arr1(&[1, -1, 0, i16::MAX]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cast<U: Element>(&self) -> LazyArray<U, D> {
        LazyArray::wrap(self.expr().cast(U::DTYPE, here()))
    }

    /// A function of each element. It is fused with what is before and after it, at the cost of one virtual call for
    /// some hundred elements. The function should depend on its argument alone: it may be called more than once for
    /// an element, in any order, on any thread.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 3.0, 1.0, 2);
    /// assert_eq!(x.mapv(|v| v as i32 * 10).compute()?, ndarray::arr1(&[0, 10, 20]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn mapv<U: Element>(&self, f: impl Fn(T) -> U + Send + Sync + 'static) -> LazyArray<U, D> {
        let op = ElementOp::Call(ElementFn::unary("mapv", f));
        LazyArray::wrap(Expr::element(op, &[self.expr()], here()))
    }

    /// A function of each pair of elements; the arrays broadcast. See [`mapv`](LazyArray::mapv).
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 3, 1, 2);
    /// let y = LazyArray::arange(0.0_f64, 3.0, 1.0, 3);
    /// assert_eq!(x.zip_mapv(&y, |a, b| a as f64 * b).compute()?, ndarray::arr1(&[0.0, 1.0, 4.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn zip_mapv<B: Element, E: Dimension, U: Element>(
        &self,
        other: &LazyArray<B, E>,
        f: impl Fn(T, B) -> U + Send + Sync + 'static,
    ) -> LazyArray<U, Max<D, E>>
    where
        D: DimMax<E>,
    {
        let op = ElementOp::Call(ElementFn::binary("zip_mapv", f));
        LazyArray::wrap(Expr::element(op, &[self.expr(), other.expr()], here()))
    }
}

impl<D: Dimension> LazyArray<bool, D> {
    /// Where this array is true the first operand, elsewhere the second; all broadcast.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(-2, 3, 1, 2);
    /// assert_eq!(x.lt(0).where_(&x, 7).compute()?, ndarray::arr1(&[-2, -1, 7, 7, 7]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[allow(clippy::type_complexity)] // broadcasting of three ranks is this type
    pub fn where_<T, A, B>(&self, then: A, otherwise: B) -> LazyArray<T, Max<Max<D, A::Dim>, B::Dim>>
    where
        T: Element,
        A: Operand<T>,
        B: Operand<T>,
        D: DimMax<A::Dim>,
        Max<D, A::Dim>: DimMax<B::Dim>,
    {
        let at = here();
        let (then, otherwise) = (then.operand(at), otherwise.operand(at));
        LazyArray::wrap(Expr::element(ElementOp::Select, &[self.expr(), &then, &otherwise], at))
    }
}

impl<T: Inexact, D: Dimension + DimMax<Ix0>> LazyArray<T, D> {
    /// Each element to an integer power.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 4.0, 1.0, 2);
    /// assert_eq!(x.powi(2).sum().compute()?, 14.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn powi(&self, exponent: i32) -> LazyArray<T, D> {
        self.with_literal(BinaryOp::Pow, float::<T>(exponent.into()))
    }

    /// `x * x`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::arange(0.0_f64, 4.0, 1.0, 2).pow2().sum().compute()?, 14.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn pow2(&self) -> LazyArray<T, D> {
        self.square()
    }

    /// Sine and cosine. Both together read the array once.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let (sin, cos) = LazyArray::<f64, _>::zeros(3, 2).sin_cos();
    /// assert_eq!(chunkwise::compute((sin.sum(), cos.sum()))?, (0.0, 3.0));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sin_cos(&self) -> (LazyArray<T, D>, LazyArray<T, D>) {
        (self.sin(), self.cos())
    }

    /// True when every element, or a part of it, is NaN.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert!(!LazyArray::<f64, _>::zeros(3, 2).is_all_nan().compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_all_nan(&self) -> LazyScalar<bool> {
        self.is_nan().all()
    }

    /// True when some element, or a part of it, is NaN.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert!(!LazyArray::<f64, _>::zeros(3, 2).is_any_nan().compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_any_nan(&self) -> LazyScalar<bool> {
        self.is_nan().any()
    }

    /// True when every element is an infinity.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert!(!LazyArray::<f64, _>::zeros(3, 2).is_all_infinite().compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_all_infinite(&self) -> LazyScalar<bool> {
        self.is_infinite().all()
    }

    /// True when some element is an infinity.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert!(!LazyArray::<f64, _>::zeros(3, 2).is_any_infinite().compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_any_infinite(&self) -> LazyScalar<bool> {
        self.is_infinite().any()
    }

    #[track_caller]
    fn with_literal(&self, op: BinaryOp, value: T) -> LazyArray<T, D> {
        let at = here();
        let literal = Expr::literal(value.into_scalar(), at);
        LazyArray::wrap(Expr::element(op.into(), &[self.expr(), &literal], at))
    }
}

impl<T: Float, D: Dimension + DimMax<Ix0>> LazyArray<T, D> {
    /// Each element to a power.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[4.0_f64, 9.0]), 2);
    /// assert_eq!(x.powf(0.5).sum().compute()?, 5.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn powf(&self, exponent: T) -> LazyArray<T, D> {
        self.with_literal(BinaryOp::Pow, exponent)
    }

    /// Logarithm to any base: `ln(x) / ln(base)`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[9.0, 81.0]), 2);
    /// assert_eq!(x.log(3.0).compute()?, ndarray::arr1(&[2.0, 4.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log(&self, base: T) -> LazyArray<T, D> {
        self.ln().with_literal(BinaryOp::Div, base.ln())
    }

    /// The elements limited to `[min, max]`, as ndarray's `clamp`; NaN stays NaN.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::arange(0.0_f64, 5.0, 1.0, 2).clamp(1.0, 3.0).sum().compute()?, 10.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn clamp(&self, min: T, max: T) -> LazyArray<T, D> {
        self.with_literal(BinaryOp::Maximum, min).with_literal(BinaryOp::Minimum, max)
    }
}

/// A number that every type has.
fn float<T: Element>(x: f64) -> T {
    T::of_scalar(eval_cast(x.into_scalar(), T::DTYPE)).unwrap_or_default()
}
