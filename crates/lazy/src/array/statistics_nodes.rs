//! Statistics as nodes: which reductions and elementwise operations each is made of.
//!
//! Owns no type of arrays and no method. Sums that an `f32` could not hold are made in `f64`, and rounded once at the end.

use std::panic::Location;

use chunkwise_chunk::{ChunkError, DType, Scalar, View};
use chunkwise_expr::{BinaryOp, ElementOp, Expr, ExprError, ReduceKind, UnaryOp, eval_cast};

/// What a statistic runs over, and who asked for it.
#[derive(Clone, Copy)]
pub(super) struct Over<'a> {
    name: &'static str,
    /// `None` for all.
    axes: Option<&'a [usize]>,
    keepdims: bool,
    at: &'static Location<'static>,
}

impl<'a> Over<'a> {
    pub(super) fn new(
        name: &'static str,
        axes: Option<&'a [usize]>,
        keepdims: bool,
        at: &'static Location<'static>,
    ) -> Over<'a> {
        Over { name, axes, keepdims, at }
    }

    /// A reduction; what is wrong with it is wrong with the statistic.
    fn reduce(self, kind: ReduceKind, x: &Expr) -> Expr {
        let reduced = x.reduce(kind, self.axes, self.keepdims, 0.0, self.at);
        match (x.error(), reduced.error()) {
            (None, Some(error)) => self.invalid(error.cause().clone()),
            _ => reduced,
        }
    }

    fn invalid(self, cause: ExprError) -> Expr {
        Expr::invalid(self.name, cause, self.at)
    }

    fn unary(self, op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], self.at)
    }

    fn binary(self, op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], self.at)
    }

    /// A number in the type of `like`.
    fn number(self, value: f64, like: &Expr) -> Expr {
        let dtype = like.dtype().unwrap_or(DType::F64);
        Expr::literal(eval_cast(Scalar::F64(value), dtype), self.at)
    }

    /// `a x + b`, in the type of `x`.
    fn linear(self, a: f64, x: &Expr, b: f64) -> Expr {
        let scaled = self.binary(BinaryOp::Mul, x, &self.number(a, x));
        self.binary(BinaryOp::Add, &scaled, &self.number(b, x))
    }

    /// The elements in the type that sums of means are made in.
    fn wide(self, x: &Expr) -> Expr {
        match x.dtype().map(DType::mean_type) {
            Some(DType::F32) | None => x.cast(DType::F64, self.at),
            Some(DType::C64) => x.cast(DType::C128, self.at),
            Some(mean) => x.cast(mean, self.at),
        }
    }

    /// A value as what a mean of `x` is.
    fn mean_of(self, x: &Expr, value: &Expr) -> Expr {
        x.dtype().map_or_else(|| value.clone(), |dtype| value.cast(dtype.mean_type(), self.at))
    }

    /// A value as what the absolute value of a mean of `x` is.
    fn size_of(self, x: &Expr, value: &Expr) -> Expr {
        let size = |dtype: DType| value.cast(dtype.mean_type().real_type(), self.at);
        x.dtype().map_or_else(|| value.clone(), size)
    }

    /// True where an element is not NaN.
    fn present(self, x: &Expr) -> Expr {
        self.binary(BinaryOp::Eq, x, x)
    }

    /// `then`, and a number where `x` is NaN.
    fn unless_nan(self, x: &Expr, then: &Expr, otherwise: f64) -> Expr {
        let otherwise = self.number(otherwise, then);
        Expr::element(ElementOp::Select, &[&self.present(x), then, &otherwise], self.at)
    }

    /// The axes it runs over, those of `x` that there are.
    fn axes_of(self, x: &Expr) -> Vec<usize> {
        self.axes.map_or_else(|| (0..x.shape().len()).collect(), <[usize]>::to_vec)
    }

    /// Number of elements that each result is of.
    fn count(self, x: &Expr) -> f64 {
        let lengths = self.axes_of(x).into_iter().filter_map(|axis| x.shape().get(axis).copied());
        lengths.map(|len| len as f64).product()
    }
}

fn has_nan(x: &Expr) -> bool {
    x.dtype().is_some_and(|dtype| dtype != DType::Bool && !dtype.is_integer())
}

pub(super) fn nan_sum(x: &Expr, over: Over<'_>) -> Expr {
    let x = if has_nan(x) { over.unless_nan(x, x, 0.0) } else { x.clone() };
    over.reduce(ReduceKind::Sum, &x)
}

pub(super) fn nan_prod(x: &Expr, over: Over<'_>) -> Expr {
    let x = if has_nan(x) { over.unless_nan(x, x, 1.0) } else { x.clone() };
    over.reduce(ReduceKind::Prod, &x)
}

pub(super) fn nan_mean(x: &Expr, over: Over<'_>) -> Expr {
    if !has_nan(x) {
        return over.reduce(ReduceKind::Mean, x);
    }
    let sum = over.reduce(ReduceKind::Sum, &over.unless_nan(x, &over.wide(x), 0.0));
    let count = nan_count(x, over).cast(sum.dtype().unwrap_or(DType::F64), over.at);
    over.mean_of(x, &over.binary(BinaryOp::Div, &sum, &count))
}

pub(super) fn nan_count(x: &Expr, over: Over<'_>) -> Expr {
    over.reduce(ReduceKind::Sum, &over.present(x))
}

pub(super) fn count_nonzero(x: &Expr, over: Over<'_>) -> Expr {
    over.reduce(ReduceKind::Sum, &x.cast(DType::Bool, over.at))
}

pub(super) fn ptp(x: &Expr, over: Over<'_>) -> Expr {
    over.binary(BinaryOp::Sub, &over.reduce(ReduceKind::Max, x), &over.reduce(ReduceKind::Min, x))
}

pub(super) fn moment(x: &Expr, over: Over<'_>, order: u32) -> Expr {
    match order {
        0 => {
            let mean = over.reduce(ReduceKind::Mean, x);
            over.unless_nan(&mean, &over.binary(BinaryOp::Pow, &mean, &over.number(0.0, &mean)), f64::NAN)
        }
        1 => {
            let mean = over.reduce(ReduceKind::Mean, x);
            over.binary(BinaryOp::Sub, &mean, &mean)
        }
        2 => over.reduce(ReduceKind::Var, x),
        3 => over.reduce(ReduceKind::Moment3, x),
        4 => over.reduce(ReduceKind::Moment4, x),
        _ => high_moment(x, over, order),
    }
}

/// Any central moment, in two passes.
fn high_moment(x: &Expr, over: Over<'_>, order: u32) -> Expr {
    let wide = over.wide(x);
    let mean = Over { keepdims: true, ..over }.reduce(ReduceKind::Mean, &wide);
    let away = over.binary(BinaryOp::Sub, &wide, &mean);
    let power = over.binary(BinaryOp::Pow, &away, &over.number(order.into(), &wide));
    over.mean_of(x, &over.reduce(ReduceKind::Mean, &power))
}

pub(super) fn skew(x: &Expr, over: Over<'_>, bias: bool) -> Expr {
    let n = over.count(x);
    if bias || n <= 2.0 {
        return over.reduce(ReduceKind::Skew, x);
    }
    let skew = over.reduce(ReduceKind::Skew, &over.wide(x));
    over.mean_of(x, &over.linear((n * (n - 1.0)).sqrt() / (n - 2.0), &skew, 0.0))
}

pub(super) fn kurtosis(x: &Expr, over: Over<'_>, bias: bool) -> Expr {
    let n = over.count(x);
    if bias || n <= 3.0 {
        return over.reduce(ReduceKind::Kurtosis, x);
    }
    let kurtosis = over.reduce(ReduceKind::Kurtosis, &over.wide(x));
    let scale = (n - 1.0) / ((n - 2.0) * (n - 3.0));
    over.mean_of(x, &over.linear(scale * (n + 1.0), &kurtosis, scale * 6.0))
}

pub(super) fn norm_l1(x: &Expr, over: Over<'_>) -> Expr {
    let sum = over.reduce(ReduceKind::Sum, &over.unary(UnaryOp::Abs, &over.wide(x)));
    over.size_of(x, &sum)
}

pub(super) fn norm_l2(x: &Expr, over: Over<'_>) -> Expr {
    let square = if x.dtype().is_some_and(DType::is_complex) { UnaryOp::NormSqr } else { UnaryOp::Square };
    let sum = over.reduce(ReduceKind::Sum, &over.unary(square, &over.wide(x)));
    over.size_of(x, &over.unary(UnaryOp::Sqrt, &sum))
}

pub(super) fn norm_max(x: &Expr, over: Over<'_>) -> Expr {
    let max = over.reduce(ReduceKind::Max, &over.unary(UnaryOp::Abs, &over.wide(x)));
    over.size_of(x, &max)
}

/// The weighted mean, and the sum of the weights in its shape.
pub(super) fn average(x: &Expr, weights: &Expr, over: Over<'_>) -> (Expr, Expr) {
    let fits = over.reduce(ReduceKind::Sum, x);
    if fits.error().is_some() {
        return (fits.clone(), fits);
    }
    let weights = match placed(x, weights, over) {
        Ok(placed) => over.wide(&placed),
        Err(cause) => {
            let error = over.invalid(cause);
            return (error.clone(), error);
        }
    };
    let weighted = over.reduce(ReduceKind::Sum, &over.binary(BinaryOp::Mul, &over.wide(x), &weights));
    let sum = sum_of_weights(x, &weights, over);
    let average = over.binary(BinaryOp::Div, &weighted, &sum);
    let shape = View::broadcast(sum.shape(), weighted.shape());
    let sum = Expr::view(over.name, &sum, shape, over.at);
    (over.mean_of(x, &average), over.mean_of(x, &sum))
}

/// Weights with as many axes as the array. Those with as many as are reduced lie along these, in the order in which they
/// were named; others are aligned at the end, as in broadcasting.
fn placed(x: &Expr, weights: &Expr, over: Over<'_>) -> Result<Expr, ExprError> {
    let (ndim, axes, own) = (x.shape().len(), over.axes_of(x), weights.shape().len());
    let mut placed = weights.clone();
    if own == axes.len() && own < ndim {
        let mut order: Vec<usize> = (0..own).collect();
        order.sort_by_key(|&place| axes[place]);
        placed = Expr::view(over.name, &placed, View::permute(placed.shape(), &order), over.at);
        for axis in (0..ndim).filter(|axis| !axes.contains(axis)) {
            placed = Expr::view(over.name, &placed, View::insert_axis(placed.shape(), axis), over.at);
        }
    }
    for _ in placed.shape().len()..ndim {
        placed = Expr::view(over.name, &placed, View::insert_axis(placed.shape(), 0), over.at);
    }
    let along = |(&own, &len): (&usize, &usize)| own == len || own == 1;
    let fits = placed.shape().len() == ndim && placed.shape().iter().zip(x.shape()).all(along);
    if fits || placed.error().is_some() {
        return Ok(placed);
    }
    Err(ChunkError::Broadcast { left: x.shape().into(), right: weights.shape().into() }.into())
}

/// The sum of weights as if they were broadcast: where they are one along a reduced axis, that one counts for all.
fn sum_of_weights(x: &Expr, weights: &Expr, over: Over<'_>) -> Expr {
    let sum = over.reduce(ReduceKind::Sum, weights);
    let repeated = over.axes_of(x).into_iter().filter(|&axis| weights.shape().get(axis) == Some(&1));
    let times: f64 = repeated.filter_map(|axis| x.shape().get(axis)).map(|&len| len as f64).product();
    if times == 1.0 { sum } else { over.binary(BinaryOp::Mul, &sum, &over.number(times, &sum)) }
}
