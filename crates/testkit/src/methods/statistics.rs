//! Statistics, over everything and along axes, and reductions that users write.

use std::panic::Location;

use chunkwise::ndarray::Axis;
use chunkwise::{Chunks, LazyArrayD, reduction};
use chunkwise_chunk::{ChunkGrid, DType, Element, Scalar};
use chunkwise_expr::{BinaryOp, Expr, Reduce, ReduceKind, eval_binary, eval_cast};

use super::{Method, Use};
use crate::eager::number::{float, is_nan, rounded, truth};
use crate::eager::reduce::{fold, result_shape, slots};
use crate::generate::data::{grid, mild_value, shape_of_rank};
use crate::generate::draw::Draw;
use crate::{AnyArray, PlainArray};

/// Which of the four methods of a statistic is used, and with which axes.
struct Over {
    form: Form,
    axes: Vec<usize>,
    /// Whether the axes are some of the array's, each once.
    fits: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    All,
    One,
    Several,
    Keep,
}

impl Over {
    fn draw(draw: &mut Draw, form: Form, ndim: usize) -> Over {
        let mut axes: Vec<usize> = draw.shuffled((0..ndim).collect());
        match form {
            Form::All => axes.sort_unstable(),
            Form::One => axes.truncate(1),
            _ => axes.truncate(draw.below(ndim + 1)),
        }
        let mut fits = form != Form::One || ndim > 0;
        if form != Form::All && (draw.one_in(12) || !fits) {
            axes = if form == Form::One || axes.is_empty() || draw.one_in(2) {
                vec![ndim]
            } else {
                vec![axes[0]; 2]
            };
            fits = false;
        }
        Over { form, axes, fits }
    }

    fn axis(&self) -> Axis {
        Axis(self.axes[0])
    }

    fn axes(&self) -> Vec<Axis> {
        self.axes.iter().copied().map(Axis).collect()
    }

    fn reduce(&self, shape: &[usize]) -> Reduce {
        let mut axes = self.axes.clone();
        axes.sort_unstable();
        let (kind, axes, space) = (ReduceKind::Sum, axes.into(), ChunkGrid::whole(shape));
        Reduce { kind, axes, keepdims: self.form == Form::Keep, ddof: 0.0, space, program: None }
    }

    /// The use of a statistic, each of whose values is that of a list of elements; `None` where there is none.
    fn used(
        &self,
        got: impl Into<AnyArray>,
        x: &PlainArray,
        dtype: DType,
        value: impl Fn(DType, &[Scalar]) -> Option<Scalar>,
    ) -> Use {
        if !self.fits {
            return Use::fails(got);
        }
        let reduce = self.reduce(x.shape());
        let values: Option<Vec<Scalar>> = slots(&reduce, x).iter().map(|slot| value(dtype, slot)).collect();
        let Some(mut values) = values else { return Use::fails(got) };
        let mut got: AnyArray = got.into();
        // What is zero but for rounding is compared where it is next to something.
        let tiny = |x: &Scalar| float(*x).abs() < 1e-6;
        if dtype.is_float() && values.iter().all(tiny) {
            let one = Scalar::one(dtype);
            let at = Location::caller();
            let above = Expr::element(BinaryOp::Add.into(), &[got.expr(), &Expr::literal(one, at)], at);
            got = AnyArray::from_expr(&above);
            values = values.into_iter().filter_map(|x| eval_binary(BinaryOp::Add, x, one)).collect();
        }
        let tolerance = match dtype {
            DType::F32 => 1e-5,
            DType::F64 => 1e-10,
            _ => 0.0,
        };
        Use::within(tolerance, got, PlainArray::new(dtype, &result_shape(&reduce, x.shape()), values))
    }
}

/// Small numbers and, among floats, NaN, in random chunks.
fn array<T: Element>(draw: &mut Draw, shape: &[usize]) -> (LazyArrayD<T>, PlainArray) {
    let with_nan = draw.one_in(2);
    let value = |draw: &mut Draw| match T::DTYPE.is_float() && with_nan && draw.one_in(5) {
        true => eval_cast(Scalar::F64(f64::NAN), T::DTYPE),
        false => mild_value(draw, T::DTYPE),
    };
    let plain = PlainArray::from_fn(T::DTYPE, shape, |_| value(draw));
    let lazy = AnyArray::from_plain(&plain, Chunks::from(grid(draw, shape)));
    (LazyArrayD::from_expr(lazy.expr().clone()), plain)
}

fn shape(draw: &mut Draw) -> Vec<usize> {
    let ndim = draw.below(4);
    shape_of_rank(draw, ndim)
}

/// Runs `$body` with `$T` bound to one of the types.
macro_rules! of_any_type {
    ($draw:ident, $T:ident => $body:expr, $($choice:literal $t:ty),*) => {
        match $draw.below([$($choice),*].len()) {
            $($choice => { type $T = $t; $body })*
            _ => unreachable!("there are no more types"),
        }
    };
}

/// The rows of statistics with four methods each: the class of their elements, the output, a parameter drawn, the truth.
macro_rules! rows {
    (@types Element, $draw:ident, $T:ident => $body:expr) => {
        of_any_type!($draw, $T => $body, 0 f64, 1 f32, 2 i32, 3 u8, 4 bool, 5 f64)
    };
    (@types Number, $draw:ident, $T:ident => $body:expr) => {
        of_any_type!($draw, $T => $body, 0 f64, 1 f32, 2 i8, 3 u8, 4 i64, 5 f64)
    };
    (@output Same, $T:ident) => { $T::DTYPE };
    (@output Sum, $T:ident) => { $T::DTYPE.sum_type() };
    (@output Mean, $T:ident) => { $T::DTYPE.mean_type() };
    (@output Index, $T:ident) => { DType::I64 };
    (@row $name:ident, $class:ident, $out:ident, $form:ident, $value:path, |$x:ident, $over:ident $(, $arg:ident = ($drawn:expr))?| $call:expr) => {
        Method {
            name: stringify!($name),
            draw: |draw| rows!(@types $class, draw, T => {
                let shape = shape(draw);
                let $over = Over::draw(draw, Form::$form, shape.len());
                let ($x, plain) = array::<T>(draw, &shape);
                $(let $arg = { let d: fn(&mut Draw) -> _ = $drawn; d(draw) };)?
                let got = $call;
                $over.used(got, &plain, rows!(@output $out, T), |dtype, slot| $value(dtype, slot $(, $arg)?))
            }),
        }
    };
    ($($all:ident $one:ident $several:ident $keep:ident($($arg:ident = $drawn:expr)?): $class:ident -> $out:ident, $value:path;)*) => {
        &[$(
            rows!(@row $all, $class, $out, All, $value, |x, over $(, $arg = ($drawn))?| x.$all($($arg)?).into_dyn()),
            rows!(@row $one, $class, $out, One, $value,
                |x, over $(, $arg = ($drawn))?| x.$one(over.axis() $(, $arg)?)),
            rows!(@row $several, $class, $out, Several, $value,
                |x, over $(, $arg = ($drawn))?| x.$several(over.axes() $(, $arg)?)),
            rows!(@row $keep, $class, $out, Keep, $value,
                |x, over $(, $arg = ($drawn))?| x.$keep(over.axes() $(, $arg)?)),
        )*]
    };
}

pub(super) const METHODS: &[Method] = rows! {
    nan_sum nan_sum_axis nan_sum_axes nan_sum_keepdims(): Element -> Sum, nan_sum;
    nan_prod nan_prod_axis nan_prod_axes nan_prod_keepdims(): Element -> Sum, nan_prod;
    nan_mean nan_mean_axis nan_mean_axes nan_mean_keepdims(): Element -> Mean, nan_mean;
    nan_count nan_count_axis nan_count_axes nan_count_keepdims(): Element -> Index, nan_count;
    count_nonzero count_nonzero_axis count_nonzero_axes count_nonzero_keepdims(): Element -> Index, count_nonzero;
    ptp ptp_axis ptp_axes ptp_keepdims(): Number -> Same, ptp;
    moment moment_axis moment_axes moment_keepdims(order = |draw| draw.below(7) as u32): Element -> Mean, moment;
    skew skew_axis skew_axes skew_keepdims(bias = |draw| draw.one_in(2)): Element -> Mean, skew;
    kurtosis kurtosis_axis kurtosis_axes kurtosis_keepdims(bias = |draw| draw.one_in(2)): Element -> Mean, kurtosis;
    norm_l1 norm_l1_axis norm_l1_axes norm_l1_keepdims(): Number -> Mean, norm_l1;
    norm_l2 norm_l2_axis norm_l2_axes norm_l2_keepdims(): Number -> Mean, norm_l2;
    norm_max norm_max_axis norm_max_axes norm_max_keepdims(): Number -> Mean, norm_max;
};

pub(super) const WEIGHTED: &[Method] = &[
    Method { name: "average", draw: |draw| average(draw, Form::All, false) },
    Method { name: "average_axis", draw: |draw| average(draw, Form::One, false) },
    Method { name: "average_axes", draw: |draw| average(draw, Form::Several, false) },
    Method { name: "average_keepdims", draw: |draw| average(draw, Form::Keep, false) },
    Method { name: "average_returned", draw: |draw| average(draw, Form::All, true) },
    Method { name: "average_axis_returned", draw: |draw| average(draw, Form::One, true) },
    Method { name: "average_axes_returned", draw: |draw| average(draw, Form::Several, true) },
    Method { name: "average_keepdims_returned", draw: |draw| average(draw, Form::Keep, true) },
];

pub(super) const BY_USERS: &[Method] = &[
    Method { name: "reduce_with", draw: |draw| by_user(draw, Form::All) },
    Method { name: "reduce_with_axis", draw: |draw| by_user(draw, Form::One) },
    Method { name: "reduce_with_axes", draw: |draw| by_user(draw, Form::Several) },
    Method { name: "reduce_with_keepdims", draw: |draw| by_user(draw, Form::Keep) },
    Method { name: "fold_with", draw: |draw| fold_with(draw, Form::All) },
    Method { name: "fold_with_axis", draw: |draw| fold_with(draw, Form::One) },
    Method { name: "fold_with_axes", draw: |draw| fold_with(draw, Form::Several) },
    Method { name: "reduction", draw: |draw| by_user(draw, Form::All) },
];

fn numbers(slot: &[Scalar]) -> Vec<Scalar> {
    slot.iter().copied().filter(|&x| !is_nan(x)).collect()
}

fn type_of(slot: &[Scalar], out: DType) -> DType {
    slot.first().map_or(out, |x| x.dtype())
}

fn nan_sum(out: DType, slot: &[Scalar]) -> Option<Scalar> {
    fold(&ReduceKind::Sum, 0.0, type_of(slot, out), &numbers(slot))
}

fn nan_prod(out: DType, slot: &[Scalar]) -> Option<Scalar> {
    fold(&ReduceKind::Prod, 0.0, type_of(slot, out), &numbers(slot))
}

fn nan_mean(out: DType, slot: &[Scalar]) -> Option<Scalar> {
    fold(&ReduceKind::Mean, 0.0, type_of(slot, out), &numbers(slot))
}

fn nan_count(_: DType, slot: &[Scalar]) -> Option<Scalar> {
    Some(Scalar::I64(numbers(slot).len() as i64))
}

fn count_nonzero(_: DType, slot: &[Scalar]) -> Option<Scalar> {
    Some(Scalar::I64(slot.iter().filter(|&&x| truth(x)).count() as i64))
}

fn ptp(out: DType, slot: &[Scalar]) -> Option<Scalar> {
    let (max, min) = (fold(&ReduceKind::Max, 0.0, out, slot)?, fold(&ReduceKind::Min, 0.0, out, slot)?);
    eval_binary(BinaryOp::Sub, max, min)
}

fn floats(slot: &[Scalar]) -> Vec<f64> {
    slot.iter().map(|&x| float(x)).collect()
}

/// The mean of a power of the deviations from the mean.
fn central(slot: &[Scalar], order: i32) -> f64 {
    let (x, n) = (floats(slot), slot.len() as f64);
    let mean = x.iter().sum::<f64>() / n;
    x.iter().map(|x| (x - mean).powi(order)).sum::<f64>() / n
}

fn moment(out: DType, slot: &[Scalar], order: u32) -> Option<Scalar> {
    let exact = if slot.iter().any(|&x| is_nan(x)) || slot.is_empty() {
        f64::NAN
    } else {
        central(slot, order as i32)
    };
    Some(rounded(if order == 1 && !exact.is_nan() { 0.0 } else { exact }, out))
}

fn all_equal(slot: &[Scalar]) -> bool {
    slot.iter().all(|x| *x == slot[0])
}

fn skew(out: DType, slot: &[Scalar], bias: bool) -> Option<Scalar> {
    let n = slot.len() as f64;
    let scale = if bias || n <= 2.0 { 1.0 } else { (n * (n - 1.0)).sqrt() / (n - 2.0) };
    let skew = if all_equal(slot) { f64::NAN } else { central(slot, 3) / central(slot, 2).powf(1.5) };
    Some(rounded(scale * skew, out))
}

fn kurtosis(out: DType, slot: &[Scalar], bias: bool) -> Option<Scalar> {
    let n = slot.len() as f64;
    let g = if all_equal(slot) { f64::NAN } else { central(slot, 4) / central(slot, 2).powi(2) - 3.0 };
    let corrected = ((n + 1.0) * g + 6.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0));
    Some(rounded(if bias || n <= 3.0 { g } else { corrected }, out))
}

fn norm_l1(out: DType, slot: &[Scalar]) -> Option<Scalar> {
    Some(rounded(floats(slot).iter().map(|x| x.abs()).sum(), out))
}

fn norm_l2(out: DType, slot: &[Scalar]) -> Option<Scalar> {
    Some(rounded(floats(slot).iter().map(|x| x * x).sum::<f64>().sqrt(), out))
}

fn norm_max(out: DType, slot: &[Scalar]) -> Option<Scalar> {
    let larger = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
    floats(slot).into_iter().map(f64::abs).reduce(larger).map(|max| rounded(max, out))
}

/// Weights of the whole shape, along the reduced axes, one for all, or that do not fit; and what they are for the
/// element at an index.
fn weights(
    draw: &mut Draw,
    shape: &[usize],
    over: &Over,
) -> (LazyArrayD<f64>, impl Fn(&[usize]) -> f64 + use<>, bool) {
    let along = over.fits && over.axes.len() < shape.len() && draw.one_in(2);
    let fits = !draw.one_in(12) || shape.is_empty();
    let mut own: Vec<usize> =
        if along { over.axes.iter().map(|&axis| shape[axis]).collect() } else { shape.to_vec() };
    if !along && draw.one_in(4) {
        own = own.iter().map(|&len| if draw.one_in(2) { 1 } else { len }).collect();
    }
    if !fits {
        own = shape.iter().map(|len| len + 2).collect();
    }
    let plain = PlainArray::from_fn(DType::F64, &own, |_| Scalar::F64(draw.between(0, 8) as f64 / 4.0));
    let lazy = AnyArray::from_plain(&plain, Chunks::from(grid(draw, &own)));
    let axes = if along { over.axes.clone() } else { (0..shape.len()).collect() };
    let weight = move |at: &[usize]| {
        let own = axes.iter().zip(plain.shape()).map(|(&axis, &len)| if len == 1 { 0 } else { at[axis] });
        float(plain.get(&own.collect::<Vec<_>>()))
    };
    (LazyArrayD::from_expr(lazy.expr().clone()), weight, fits)
}

fn average(draw: &mut Draw, form: Form, returned: bool) -> Use {
    let shape = shape(draw);
    let mut over = Over::draw(draw, form, shape.len());
    let (x, plain) = array::<f64>(draw, &shape);
    let (weights, weight, fits) = weights(draw, &shape, &over);
    over.fits &= fits;
    let got = match (form, returned) {
        (Form::All, false) => x.average(&weights).into_dyn(),
        (Form::One, false) => x.average_axis(over.axis(), &weights),
        (Form::Several, false) => x.average_axes(over.axes(), &weights),
        (Form::Keep, false) => x.average_keepdims(over.axes(), &weights),
        (Form::All, true) => x.average_returned(&weights).1.into_dyn(),
        (Form::One, true) => x.average_axis_returned(over.axis(), &weights).1,
        (Form::Several, true) => x.average_axes_returned(over.axes(), &weights).1,
        (Form::Keep, true) => x.average_keepdims_returned(over.axes(), &weights).1,
    };
    if !over.fits {
        return Use::fails(got);
    }
    // Where each element lies, so that the list of a result tells its weights.
    let mut number = 0;
    let places = PlainArray::from_fn(DType::I64, &shape, |_| {
        number += 1;
        Scalar::I64(number - 1)
    });
    over.used(got, &places, DType::F64, |_, slot| {
        let (mut sum, mut total) = (0.0, 0.0);
        for &place in slot {
            let at = index(float(place) as usize, &shape);
            sum += weight(&at);
            total += weight(&at) * float(plain.get(&at));
        }
        Some(Scalar::F64(if returned { sum } else { total / sum }))
    })
}

/// The index of an element in C order.
fn index(mut place: usize, shape: &[usize]) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    for (at, &len) in at.iter_mut().zip(shape).rev() {
        (*at, place) = (place % len, place / len);
    }
    at
}

/// Elements and their number, which tells whether any was left out or folded twice.
fn by_user(draw: &mut Draw, form: Form) -> Use {
    let shape = shape(draw);
    let over = Over::draw(draw, form, shape.len());
    let (x, plain) = array::<i32>(draw, &shape);
    let sum = reduction(
        (0, 0),
        add_all,
        |a: &mut (i64, i64), b: &(i64, i64)| *a = (a.0 + b.0, a.1 + b.1),
        value_of,
    );
    let got = match form {
        Form::All => x.reduce_with(sum).into_dyn(),
        Form::One => x.reduce_with_axis(over.axis(), sum),
        Form::Several => x.reduce_with_axes(over.axes(), sum),
        Form::Keep => x.reduce_with_keepdims(over.axes(), sum),
    };
    over.used(got, &plain, DType::I64, sum_and_count)
}

fn fold_with(draw: &mut Draw, form: Form) -> Use {
    let shape = shape(draw);
    let over = Over::draw(draw, form, shape.len());
    let (x, plain) = array::<i32>(draw, &shape);
    let merge = |a: &mut (i64, i64), b: &(i64, i64)| *a = (a.0 + b.0, a.1 + b.1);
    let got = match form {
        Form::All => x.fold_with((0, 0), add_all, merge, value_of).into_dyn(),
        Form::One => x.fold_with_axis(over.axis(), (0, 0), add_all, merge, value_of),
        _ => x.fold_with_axes(over.axes(), (0, 0), add_all, merge, value_of),
    };
    over.used(got, &plain, DType::I64, sum_and_count)
}

fn add_all(state: &mut (i64, i64), items: &[i32]) {
    state.0 += items.iter().copied().map(i64::from).sum::<i64>();
    state.1 += items.len() as i64;
}

fn value_of(&(sum, count): &(i64, i64)) -> i64 {
    sum * 1000 + count
}

fn sum_and_count(_: DType, slot: &[Scalar]) -> Option<Scalar> {
    Some(Scalar::I64(floats(slot).iter().sum::<f64>() as i64 * 1000 + slot.len() as i64))
}
