//! Windows.

use chunkwise::MovingWindow;
use chunkwise::prelude::*;
use chunkwise_chunk::{DType, Element, Scalar};
use chunkwise_expr::eval_cast;
use chunkwise_ops::rolling::Statistic;

use super::scan::any_axis;
use super::{Method, Use, array};
use crate::PlainArray;
use crate::eager::number::is_nan;
use crate::eager::rules::rolling::of_window;
use crate::generate::draw::Draw;

macro_rules! moving {
    ($($name:ident: $statistic:expr, $work:expr, $call:expr;)*) => {
        &[
            $(Method {
                name: stringify!($name),
                draw: |draw| match draw.below(5) {
                    0 => used::<bool, _>(draw, $statistic, $work, $call),
                    1 => used::<u8, _>(draw, $statistic, $work, $call),
                    2 => used::<i32, _>(draw, $statistic, $work, $call),
                    3 => used::<f32, _>(draw, $statistic, $work, $call),
                    _ => used::<f64, _>(draw, $statistic, $work, $call),
                },
            },)*
            Method { name: "moving_count", draw: count },
        ]
    };
}

pub(super) const METHODS: &[Method] = moving! {
    moving_sum: Statistic::Sum, sums, |x, window, axis| x.moving_sum(window, axis);
    moving_mean: Statistic::Mean, double, |x, window, axis| x.moving_mean(window, axis);
    moving_min: Statistic::Min, unchanged, |x, window, axis| x.moving_min(window, axis);
    moving_max: Statistic::Max, unchanged, |x, window, axis| x.moving_max(window, axis);
    moving_var: Statistic::Var(0.5), double, |x, window, axis| x.moving_var(window, 0.5, axis);
    moving_std: Statistic::Std(0.0), double, |x, window, axis| x.moving_std(window, 0.0, axis);
    moving_median: Statistic::Median, double, |x, window, axis| x.moving_median(window, axis);
    moving_quantile: Statistic::Quantile(0.3), double, |x, window, axis| x.moving_quantile(window, 0.3, axis);
};

fn double(_: DType) -> DType {
    DType::F64
}

fn unchanged(dtype: DType) -> DType {
    dtype
}

fn sums(dtype: DType) -> DType {
    if dtype.is_float() { DType::F64 } else { dtype.sum_type() }
}

/// A window, whose parts are needed for what it must give.
#[derive(Clone, Copy)]
struct Drawn {
    len: usize,
    before: usize,
    valid: bool,
    min_count: usize,
    window: MovingWindow,
}

fn drawn(draw: &mut Draw, axis_len: usize) -> Drawn {
    let len = draw.below(axis_len + 3);
    let (window, before, valid) = match draw.below(3) {
        0 => (MovingWindow::valid(len), 0, true),
        1 => (MovingWindow::trailing(len), len.saturating_sub(1), false),
        _ => (MovingWindow::centred(len), len / 2, false),
    };
    if draw.one_in(2) {
        return Drawn { len, before, valid, min_count: len, window };
    }
    let beyond = usize::from(draw.one_in(6));
    let min_count = draw.below(len + 1 + beyond);
    Drawn { len, before, valid, min_count, window: window.min_count(min_count) }
}

impl Drawn {
    /// Whether there is such a window on an axis of so many elements.
    fn exists(&self, axis_len: usize) -> bool {
        self.len > 0 && self.min_count <= self.len && (!self.valid || self.len <= axis_len)
    }

    /// What `f` makes of the elements of each window.
    fn values(&self, x: &PlainArray, axis: usize, out: DType, f: impl Fn(&[Scalar]) -> Scalar) -> PlainArray {
        let mut shape = x.shape().to_vec();
        shape[axis] -= if self.valid { self.len - 1 } else { 0 };
        PlainArray::from_fn(out, &shape, |index| {
            let mut at = index.to_vec();
            let start = index[axis] as i64 - self.before as i64;
            let along = (start..start + self.len as i64).filter_map(|i| usize::try_from(i).ok());
            let elements = along.filter(|&i| i < x.shape()[axis]).map(|i| {
                at[axis] = i;
                x.get(&at)
            });
            f(&elements.collect::<Vec<_>>())
        })
    }
}

/// An array of small numbers, some of them NaN in floats, and the same in the type that is computed in.
fn tame<T: Element>(draw: &mut Draw, ndim: usize, work: DType) -> (LazyArrayD<T>, PlainArray) {
    let (lazy, plain) = array::<i8>(draw, ndim);
    if !draw.one_in(3) || !T::DTYPE.is_float() {
        let plain = PlainArray::from_fn(work, plain.shape(), |index| {
            eval_cast(eval_cast(plain.get(index), T::DTYPE), work)
        });
        return (lazy.cast(), plain);
    }
    let lazy = lazy.lt(9).where_(lazy.cast::<f64>(), f64::NAN);
    let plain = PlainArray::from_fn(work, plain.shape(), |index| match plain.get(index) {
        Scalar::I8(x) if x >= 9 => eval_cast(Scalar::F64(f64::NAN), work),
        x => eval_cast(x, work),
    });
    (LazyArrayD::<f64>::from_expr(lazy.expr().clone()).cast(), plain)
}

fn used<T: Element, U: Element>(
    draw: &mut Draw,
    statistic: Statistic,
    work: fn(DType) -> DType,
    call: impl Fn(&LazyArrayD<T>, MovingWindow, Axis) -> LazyArrayD<U>,
) -> Use
where
    LazyArrayD<U>: Into<crate::AnyArray>,
{
    let ndim = 1 + draw.below(3);
    let work = work(T::DTYPE);
    let (x, plain) = tame::<T>(draw, ndim, work);
    let axis = any_axis(draw, ndim);
    let drawn = drawn(draw, plain.shape().get(axis).copied().unwrap_or(3));
    let got = call(&x, drawn.window, Axis(axis));
    let missing = !work.is_float() && !drawn.valid && drawn.min_count > 1;
    if axis == ndim || !drawn.exists(plain.shape()[axis]) || missing {
        return Use::fails(got);
    }
    let want = drawn.values(&plain, axis, U::DTYPE, |elements| {
        eval_cast(of_window(statistic, work, elements, drawn.len, drawn.min_count), U::DTYPE)
    });
    Use::within(if U::DTYPE == DType::F32 { 1e-6 } else { 1e-12 }, got, want)
}

fn count(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = tame::<f64>(draw, ndim, DType::F64);
    let axis = any_axis(draw, ndim);
    let drawn = drawn(draw, plain.shape().get(axis).copied().unwrap_or(3));
    let got = x.moving_count(drawn.window, Axis(axis));
    let drawn = Drawn { min_count: 0, ..drawn };
    if axis == ndim || !drawn.exists(plain.shape()[axis]) {
        return Use::fails(got);
    }
    Use::exact(
        got,
        drawn.values(&plain, axis, DType::I64, |elements| {
            Scalar::I64(elements.iter().filter(|&&x| !is_nan(x)).count() as i64)
        }),
    )
}
