//! Elementwise methods that are made of several operations: all of them fuse into one pass over the elements.
//!
//! What a single row of the operation tables says is in `math.rs`, choices among arrays are in `values_choice.rs`.

use chunkwise_chunk::{DType, Element, Float, Integer, Ordered, Real};
use chunkwise_expr::{BinaryOp, Expr, UnaryOp};
use ndarray::{DimMax, Dimension};

use super::here;
use super::values_expr::Elementwise;
use crate::{LazyArray, LazyScalar, Operand};

/// The rank of two operands after broadcasting.
type Max<A, B> = <A as DimMax<B>>::Output;

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// True where both are not zero; NaN is not zero.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0.0, 2.0, f64::NAN]), 2);
    /// assert_eq!(x.logical_and(1.0).compute()?, ndarray::arr1(&[false, true, true]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn logical_and<O: Operand<T>>(&self, other: O) -> LazyArray<bool, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        LazyArray::wrap(logical(BinaryOp::BitAnd, self.expr(), &other.operand(here()), Elementwise(here())))
    }

    /// True where one of both, or each, is not zero; NaN is not zero.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0, 2]), 2);
    /// assert_eq!(x.logical_or(0).compute()?, ndarray::arr1(&[false, true]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn logical_or<O: Operand<T>>(&self, other: O) -> LazyArray<bool, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        LazyArray::wrap(logical(BinaryOp::BitOr, self.expr(), &other.operand(here()), Elementwise(here())))
    }

    /// True where exactly one of both is not zero; NaN is not zero.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0, 2]), 2);
    /// assert_eq!(x.logical_xor(1).compute()?, ndarray::arr1(&[true, false]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn logical_xor<O: Operand<T>>(&self, other: O) -> LazyArray<bool, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        LazyArray::wrap(logical(BinaryOp::BitXor, self.expr(), &other.operand(here()), Elementwise(here())))
    }

    /// True where the element is zero.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0, 2]), 2);
    /// assert_eq!(x.logical_not().compute()?, ndarray::arr1(&[true, false]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn logical_not(&self) -> LazyArray<bool, D> {
        let make = Elementwise(here());
        LazyArray::wrap(make.not(&make.truth(self.expr())))
    }

    /// True where `|a - b| <= atol + rtol * |b|` or `a == b`, with the other operand as `b`: NumPy's `isclose`, whose usual
    /// tolerances are `1e-5` and `1e-8`. NaN is close to NaN when `equal_nan` says so. Integers are compared as `f64`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, f64::INFINITY, f64::NAN]), 2);
    /// let y = LazyArray::from_ndarray(ndarray::arr1(&[1.0 + 1e-9, f64::INFINITY, f64::NAN]), 3);
    /// assert_eq!(x.is_close(&y, 1e-5, 1e-8, false).compute()?, ndarray::arr1(&[true, true, false]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_close<O: Operand<T>>(
        &self,
        other: O,
        rtol: f64,
        atol: f64,
        equal_nan: bool,
    ) -> LazyArray<bool, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        let tolerance = Tolerance { rtol, atol, equal_nan };
        LazyArray::wrap(is_close(self.expr(), &other.operand(here()), tolerance, Elementwise(here())))
    }

    /// True when [`is_close`](LazyArray::is_close) is true everywhere.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 4.0, 1.0, 2);
    /// assert!(x.all_close(&x + 1e-9, 1e-5, 1e-8, false).compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn all_close<O: Operand<T>>(
        &self,
        other: O,
        rtol: f64,
        atol: f64,
        equal_nan: bool,
    ) -> LazyScalar<bool>
    where
        D: DimMax<O::Dim>,
    {
        self.is_close(other, rtol, atol, equal_nan).all()
    }

    /// Quotient as a float: integers and booleans are divided as `f64`, so zero divides to an infinity or NaN.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1_i32, -3]), 2);
    /// assert_eq!(x.true_div(2).compute()?, ndarray::arr1(&[0.5, -1.5]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn true_div<O: Operand<T>>(&self, other: O) -> LazyArray<T::Mean, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        let (make, to) = (Elementwise(here()), <T::Mean as Element>::DTYPE);
        let (a, b) = (make.cast(self.expr(), to), make.cast(&other.operand(here()), to));
        LazyArray::wrap(make.binary(BinaryOp::Div, &a, &b))
    }
}

impl<T: Ordered, D: Dimension> LazyArray<T, D> {
    /// Power in `f64`, of whatever type the operands are: negative exponents of integers have a value then.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[2, 4]), 2);
    /// assert_eq!(x.float_power(-1).compute()?, ndarray::arr1(&[0.5, 0.25]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn float_power<O: Operand<T>>(&self, other: O) -> LazyArray<f64, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        let make = Elementwise(here());
        let (a, b) = (make.cast(self.expr(), DType::F64), make.cast(&other.operand(here()), DType::F64));
        LazyArray::wrap(make.binary(BinaryOp::Pow, &a, &b))
    }
}

impl<T: Real, D: Dimension> LazyArray<T, D> {
    /// [`floor_div`](LazyArray::floor_div) and [`modulo`](LazyArray::modulo). Both together read the arrays once.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let (quotient, rest) = LazyArray::from_ndarray(ndarray::arr1(&[7, -7]), 2).divmod(2);
    /// assert_eq!(chunkwise::compute((quotient, rest))?, (ndarray::arr1(&[3, -4]), ndarray::arr1(&[1, 1])));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[allow(clippy::type_complexity)] // two arrays of one type
    pub fn divmod<O: Operand<T>>(
        &self,
        other: O,
    ) -> (LazyArray<T, Max<D, O::Dim>>, LazyArray<T, Max<D, O::Dim>>)
    where
        D: DimMax<O::Dim>,
    {
        let (make, other) = (Elementwise(here()), other.operand(here()));
        let of = |op| LazyArray::wrap(make.binary(op, self.expr(), &other));
        (of(BinaryOp::FloorDiv), of(BinaryOp::Modulo))
    }

    /// Nearest multiple of `10^-decimals`, halves to the even one, as NumPy's `round`.
    ///
    /// Floats are multiplied by the power of ten, rounded, and divided again, so the result is the float that is
    /// nearest to the decimal number, or one beside it; where the product is beyond the range, the element stays
    /// as it is. Integers are rounded exactly, and wrap where the multiple is beyond the range; `decimals` of 0 and more
    /// leave them as they are.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0.125, 2.675]), 2);
    /// assert_eq!(x.round_to(2).compute()?, ndarray::arr1(&[0.12, 2.68]));
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[15, 25]), 2);
    /// assert_eq!(x.round_to(-1).compute()?, ndarray::arr1(&[20, 20]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn round_to(&self, decimals: i32) -> LazyArray<T, D> {
        LazyArray::wrap(round_to(self.expr(), decimals, Elementwise(here())))
    }
}

impl<T: Ordered, D: Dimension> LazyArray<T, D> {
    /// The elements, but at least `low`: [`clip`](LazyArray::clip) with one bound.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::arange(0, 4, 1, 2).clip_min(2).compute()?, ndarray::arr1(&[2, 2, 2, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn clip_min<O: Operand<T>>(&self, low: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        self.maximum(low)
    }

    /// The elements, but at most `high`: [`clip`](LazyArray::clip) with one bound.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(LazyArray::arange(0, 4, 1, 2).clip_max(2).compute()?, ndarray::arr1(&[0, 1, 2, 2]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn clip_max<O: Operand<T>>(&self, high: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        self.minimum(high)
    }
}

impl<T: Integer, D: Dimension> LazyArray<T, D> {
    /// `x << n`: bits moved up. A count that is negative, or not below the number of bits, gives 0.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1_u8, 2, 255]), 2);
    /// assert_eq!(x.left_shift(7).compute()?, ndarray::arr1(&[128, 0, 128]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn left_shift<O: Operand<T>>(&self, n: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        LazyArray::wrap(Elementwise(here()).binary(BinaryOp::Shl, self.expr(), &n.operand(here())))
    }

    /// `x >> n`: bits moved down, the sign repeated. A count that is negative, or not below the number of bits, gives 0,
    /// or -1 for negative numbers.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[-8, 8]), 2);
    /// assert_eq!(x.right_shift(1).compute()?, ndarray::arr1(&[-4, 4]));
    /// assert_eq!(x.right_shift(40).compute()?, ndarray::arr1(&[-1, 0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn right_shift<O: Operand<T>>(&self, n: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        LazyArray::wrap(Elementwise(here()).binary(BinaryOp::Shr, self.expr(), &n.operand(here())))
    }
}

impl<T: Float, D: Dimension> LazyArray<T, D> {
    /// The elements with values of your own for NaN and the infinities.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), 2);
    /// assert_eq!(x.nan_to_num_with(0.0, 9.0, -9.0).compute()?, ndarray::arr1(&[1.5, 0.0, 9.0, -9.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn nan_to_num_with(&self, nan: T, pos_inf: T, neg_inf: T) -> LazyArray<T, D> {
        let (make, x) = (Elementwise(here()), self.expr());
        let replaced = |x: &Expr, which: &Expr, by: T| make.select(which, &make.literal(by), x);
        let finite = replaced(x, &make.unary(UnaryOp::IsNan, x), nan);
        let finite = replaced(&finite, &make.with(BinaryOp::Eq, x, f64::INFINITY), pos_inf);
        LazyArray::wrap(replaced(&finite, &make.with(BinaryOp::Eq, x, f64::NEG_INFINITY), neg_inf))
    }

    /// `sin(pi x) / (pi x)`, and 1 at 0: NumPy's normalised `sinc`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0.0, 0.5]), 2);
    /// assert_eq!(x.sinc().compute()?, ndarray::arr1(&[1.0, std::f64::consts::FRAC_2_PI]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sinc(&self) -> LazyArray<T, D> {
        let (make, x) = (Elementwise(here()), self.expr());
        let angle = make.with(BinaryOp::Mul, x, std::f64::consts::PI);
        let quotient = make.binary(BinaryOp::Div, &make.unary(UnaryOp::Sin, &angle), &angle);
        // Where `pi x` is too small for a float the quotient has no value, and the limit is 1 as well.
        let at_zero = make.with(BinaryOp::Eq, &angle, 0.0);
        LazyArray::wrap(make.select(&at_zero, &make.number(1.0, x), &quotient))
    }

    /// The step function: 0 below zero, 1 above, the other operand at zero; NaN for NaN.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[-1.5, 0.0, 2.0]), 2);
    /// assert_eq!(x.heaviside(0.5).compute()?, ndarray::arr1(&[0.0, 0.5, 1.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn heaviside<O: Operand<T>>(&self, at_zero: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        let (make, x, at_zero) = (Elementwise(here()), self.expr(), at_zero.operand(here()));
        let step = make.cast(&make.with(BinaryOp::Gt, x, 0.0), T::DTYPE);
        let step = make.select(&make.unary(UnaryOp::IsNan, x), x, &step);
        LazyArray::wrap(make.select(&make.with(BinaryOp::Eq, x, 0.0), &at_zero, &step))
    }

    /// `x * 2^n`, rounded once.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0.75, -1.0]), 2);
    /// assert_eq!(x.ldexp(4).compute()?, ndarray::arr1(&[12.0, -16.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ldexp<O: Operand<i32>>(&self, n: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        // An `f32` holds every exponent that matters: beyond 2^24 all results are zeros and infinities.
        let (make, n) = (Elementwise(here()), n.operand(here()));
        LazyArray::wrap(make.binary(BinaryOp::ScaleB, self.expr(), &make.cast(&n, T::DTYPE)))
    }

    /// The parts of `x = m * 2^e`: [`mantissa`](LazyArray::mantissa) `m` in [0.5, 1) or (-1, -0.5], and exponent `e`. Zeros,
    /// infinities and NaN are their own mantissas, with the exponent 0.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let (m, e) = LazyArray::from_ndarray(ndarray::arr1(&[12.0, -0.25]), 2).frexp();
    /// assert_eq!(chunkwise::compute((m, e))?, (ndarray::arr1(&[0.75, -0.5]), ndarray::arr1(&[4, -1])));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn frexp(&self) -> (LazyArray<T, D>, LazyArray<i32, D>) {
        (self.mantissa(), self.exponent().cast())
    }

    /// The fractional and the integer part, both with the sign of the element; infinities have the fraction 0.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let (fraction, whole) = LazyArray::from_ndarray(ndarray::arr1(&[1.25, -2.5]), 2).modf();
    /// assert_eq!(chunkwise::compute((fraction, whole))?, (ndarray::arr1(&[0.25, -0.5]), ndarray::arr1(&[1.0, -2.0])));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn modf(&self) -> (LazyArray<T, D>, LazyArray<T, D>) {
        let (make, x) = (Elementwise(here()), self.expr());
        let whole = make.unary(UnaryOp::Trunc, x);
        let rest = make.binary(BinaryOp::Sub, x, &whole);
        let rest = make.select(&make.unary(UnaryOp::IsInfinite, x), &make.number(0.0, x), &rest);
        (LazyArray::wrap(make.binary(BinaryOp::Copysign, &rest, x)), LazyArray::wrap(whole))
    }

    /// True where the sign bit is clear, as in `0.0`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[0.0, -0.0]), 2);
    /// assert_eq!(x.is_sign_positive().compute()?, ndarray::arr1(&[true, false]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_sign_positive(&self) -> LazyArray<bool, D> {
        let make = Elementwise(here());
        LazyArray::wrap(make.not(&make.unary(UnaryOp::IsSignNegative, self.expr())))
    }

    /// True where the element is the positive infinity.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[f64::INFINITY, f64::NEG_INFINITY]), 2);
    /// assert_eq!(x.is_pos_inf().compute()?, ndarray::arr1(&[true, false]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_pos_inf(&self) -> LazyArray<bool, D> {
        LazyArray::wrap(Elementwise(here()).with(BinaryOp::Eq, self.expr(), f64::INFINITY))
    }

    /// True where the element is the negative infinity.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[f64::INFINITY, f64::NEG_INFINITY]), 2);
    /// assert_eq!(x.is_neg_inf().compute()?, ndarray::arr1(&[false, true]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_neg_inf(&self) -> LazyArray<bool, D> {
        LazyArray::wrap(Elementwise(here()).with(BinaryOp::Eq, self.expr(), f64::NEG_INFINITY))
    }

    /// `log2(2^a + 2^b)` without overflow: NumPy's `logaddexp2`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[3.0, 5000.0]), 2);
    /// assert_eq!(x.log2_add_exp2(3.0).compute()?, ndarray::arr1(&[4.0, 5000.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log2_add_exp2<O: Operand<T>>(&self, other: O) -> LazyArray<T, Max<D, O::Dim>>
    where
        D: DimMax<O::Dim>,
    {
        LazyArray::wrap(log2_add_exp2(self.expr(), &other.operand(here()), Elementwise(here())))
    }
}

fn logical(op: BinaryOp, a: &Expr, b: &Expr, make: Elementwise) -> Expr {
    make.binary(op, &make.truth(a), &make.truth(b))
}

/// How far apart two values may be.
struct Tolerance {
    rtol: f64,
    atol: f64,
    equal_nan: bool,
}

/// Infinities are close to themselves alone: their difference is no number, and they allow any.
fn is_close(a: &Expr, b: &Expr, tolerance: Tolerance, make: Elementwise) -> Expr {
    let equal = make.binary(BinaryOp::Eq, a, b);
    let inexact = |dtype: DType| dtype.is_float() || dtype.is_complex();
    let float = |x: &Expr| if x.dtype().is_some_and(inexact) { x.clone() } else { make.cast(x, DType::F64) };
    let (a, b) = (float(a), float(b));
    let distance = make.unary(UnaryOp::Abs, &make.binary(BinaryOp::Sub, &a, &b));
    let allowed = make.with(BinaryOp::Mul, &make.unary(UnaryOp::Abs, &b), tolerance.rtol);
    let allowed = make.with(BinaryOp::Add, &allowed, tolerance.atol);
    let near = make.binary(BinaryOp::Le, &distance, &allowed);
    let close = make.or(&make.and(&near, &make.unary(UnaryOp::IsFinite, &b)), &equal);
    if !tolerance.equal_nan {
        return close;
    }
    make.or(&close, &make.and(&make.unary(UnaryOp::IsNan, &a), &make.unary(UnaryOp::IsNan, &b)))
}

/// `max(a, b) + log2(1 + 2^-|a - b|)`.
fn log2_add_exp2(a: &Expr, b: &Expr, make: Elementwise) -> Expr {
    let distance = make.unary(UnaryOp::Abs, &make.binary(BinaryOp::Sub, a, b));
    // Equal infinities have no difference.
    let equal = make.binary(BinaryOp::Eq, a, b);
    let distance = make.select(&equal, &make.number(0.0, a), &distance);
    let power = make.unary(UnaryOp::Exp2, &make.unary(UnaryOp::Neg, &distance));
    let log = make.with(BinaryOp::Mul, &make.unary(UnaryOp::Ln1p, &power), std::f64::consts::LOG2_E);
    make.binary(BinaryOp::Add, &make.binary(BinaryOp::Maximum, a, b), &log)
}

fn round_to(x: &Expr, decimals: i32, make: Elementwise) -> Expr {
    let Some(dtype) = x.dtype() else { return x.clone() };
    match (dtype.is_integer(), decimals) {
        (true, 0..) => x.clone(),
        (true, _) => round_integer(x, dtype, decimals.unsigned_abs(), make),
        (false, 0) => make.unary(UnaryOp::RoundTiesEven, x),
        (false, _) => round_float(x, decimals, make),
    }
}

fn round_float(x: &Expr, decimals: i32, make: Elementwise) -> Expr {
    let power = format!("1e{}", decimals.unsigned_abs()).parse::<f64>();
    let power = make.number(power.unwrap_or(f64::INFINITY), x);
    let (up, down) =
        if decimals > 0 { (BinaryOp::Mul, BinaryOp::Div) } else { (BinaryOp::Div, BinaryOp::Mul) };
    let scaled = make.binary(up, x, &power);
    let rounded = make.binary(down, &make.unary(UnaryOp::RoundTiesEven, &scaled), &power);
    // A power beyond the range makes 0 / inf or 0 * inf: everything finite is a multiple of the one, and far below
    // half of the other.
    let keeps = make.unary(UnaryOp::IsFinite, if decimals > 0 { &scaled } else { &power });
    let otherwise = if decimals > 0 { x.clone() } else { make.with(BinaryOp::Mul, x, 0.0) };
    make.select(&keeps, &rounded, &otherwise)
}

/// `x - r`, and `p` more when the rest `r` of dividing by `p` is above half of it, or is half and the quotient odd.
fn round_integer(x: &Expr, dtype: DType, digits: u32, make: Elementwise) -> Expr {
    let power = 10_u128.checked_pow(digits).filter(|&power| power <= 2 * largest(dtype));
    let Some(power) = power else { return make.with(BinaryOp::Mul, x, 0_u8) };
    let half = make.number((power / 2) as u64, x);
    let literal = make.number(power as u64, x);
    if power > largest(dtype) {
        return round_to_one_beyond(x, &half, &literal, make);
    }
    let rest = make.binary(BinaryOp::Modulo, x, &literal);
    let quotient = make.binary(BinaryOp::FloorDiv, x, &literal);
    let odd = make.truth(&make.with(BinaryOp::BitAnd, &quotient, 1_u8));
    let at_half = make.and(&make.binary(BinaryOp::Eq, &rest, &half), &odd);
    let rises = make.or(&make.binary(BinaryOp::Gt, &rest, &half), &at_half);
    let more = make.binary(BinaryOp::Mul, &make.cast(&rises, dtype), &literal);
    make.binary(BinaryOp::Add, &make.binary(BinaryOp::Sub, x, &rest), &more)
}

/// The multiples of a power that no element of the type reaches: 0, and for what is beyond half of it the power itself,
/// which wraps.
fn round_to_one_beyond(x: &Expr, half: &Expr, power: &Expr, make: Elementwise) -> Expr {
    let above = make.cast(&make.binary(BinaryOp::Gt, x, half), x.dtype().unwrap_or(DType::I64));
    let up = make.binary(BinaryOp::Mul, &above, power);
    if x.dtype().is_some_and(DType::is_unsigned) {
        return up;
    }
    let below = make.binary(BinaryOp::Lt, x, &make.unary(UnaryOp::Neg, half));
    let below = make.cast(&below, x.dtype().unwrap_or(DType::I64));
    make.binary(BinaryOp::Sub, &up, &make.binary(BinaryOp::Mul, &below, power))
}

/// The largest integer of a type.
fn largest(dtype: DType) -> u128 {
    let bits = 8 * dtype.itemsize() as u32;
    (1 << (bits - u32::from(!dtype.is_unsigned()))) - 1
}
