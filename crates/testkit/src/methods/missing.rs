//! Missing values.

use chunkwise::{LazyArrayD, MaskedArray, Packing};
use chunkwise_chunk::{DType, Element, Ordered, Scalar};
use chunkwise_expr::eval_cast;
use ndarray::{Axis, IxDyn};

use super::{Method, Use, array_of_shape};
use crate::eager::number::{float, integer, is_nan, less, rounded, truth};
use crate::generate::data::{grid, mild_value, shape_of_rank};
use crate::generate::draw::Draw;
use crate::{AnyArray, PlainArray};

pub(super) const METHODS: &[Method] = &[
    Method { name: "masked_where", draw: masked_where },
    Method { name: "mask_where", draw: mask_where },
    Method { name: "from_parts", draw: from_parts },
    Method { name: "data", draw: from_parts },
    Method { name: "mask", draw: masked_where },
    Method { name: "filled", draw: arithmetic },
    Method { name: "filled", draw: division },
    Method { name: "map_data", draw: map_data },
    Method { name: "masked_inside", draw: compared },
    Method { name: "masked_outside", draw: compared },
    Method { name: "masked_equal", draw: compared },
    Method { name: "masked_invalid", draw: invalid },
    Method { name: "count", draw: reduced::<i16> },
    Method { name: "count_axis", draw: reduced::<f64> },
    Method { name: "count_axes", draw: reduced::<f32> },
    Method { name: "count_keepdims", draw: reduced::<u8> },
    Method { name: "masked_reductions", draw: reduced::<i64> },
    Method { name: "masked_reductions", draw: reduced::<bool> },
    Method { name: "masked_shapes", draw: shapes },
    Method { name: "decoded_with", draw: decoded::<i16> },
    Method { name: "decoded_with", draw: decoded::<u8> },
    Method { name: "decoded_with", draw: decoded::<i8> },
    Method { name: "decoded_with", draw: decoded::<f32> },
    Method { name: "decoded_with", draw: decoded::<u64> },
];

/// A masked array and what it holds.
struct Drawn<T> {
    lazy: MaskedArray<T, IxDyn>,
    data: PlainArray,
    mask: PlainArray,
}

/// Elements of which no operation makes an infinity, a few of them NaN; a quarter or so is missing.
fn some<T: Element>(draw: &mut Draw, shape: &[usize]) -> Drawn<T> {
    let nan = draw.one_in(3);
    let data =
        PlainArray::from_fn(T::DTYPE, shape, |_| match T::DTYPE.is_float() && nan && draw.one_in(12) {
            true => eval_cast(Scalar::F64(f64::NAN), T::DTYPE),
            false => mild_value(draw, T::DTYPE),
        });
    let most = *draw.pick(&[1, 2, 4, 100]);
    let mask = PlainArray::from_fn(DType::Bool, shape, |_| Scalar::Bool(draw.one_in(most)));
    let lazy = MaskedArray::from_parts(lazy(draw, &data), lazy(draw, &mask));
    Drawn { lazy, data, mask }
}

fn lazy<T: Element>(draw: &mut Draw, plain: &PlainArray) -> LazyArrayD<T> {
    let grid = grid(draw, plain.shape());
    LazyArrayD::from_expr(AnyArray::from_plain(plain, grid).expr().clone())
}

fn any_shape(draw: &mut Draw) -> Vec<usize> {
    let ndim = draw.below(4);
    shape_of_rank(draw, ndim)
}

fn any<T>(x: &LazyArrayD<T>) -> AnyArray {
    AnyArray::from_expr(x.expr())
}

fn value<T: Element>(x: Scalar) -> T {
    T::of_scalar(eval_cast(x, T::DTYPE)).expect("it was converted to this type")
}

/// All indices of a shape in C order.
fn places(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    PlainArray::from_fn(DType::Bool, shape, |index| {
        all.push(index.to_vec());
        Scalar::Bool(false)
    });
    all
}

/// Whether an element is missing.
fn missing(mask: &PlainArray, index: &[usize]) -> bool {
    truth(mask.get_broadcast(index))
}

fn masked_where(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let (data, _) = array_of_shape::<i32>(draw, &shape);
    let narrow: Vec<usize> =
        shape.iter().skip(draw.below(2)).map(|&n| if draw.one_in(3) { 1 } else { n }).collect();
    let (mask, plain) = array_of_shape::<bool>(draw, &narrow);
    if draw.one_in(6) {
        // A mask of more axes does not become part of the array.
        return Use::fails(any(data
            .masked_where(&mask.broadcast(IxDyn(&[&[2], &shape[..]].concat())))
            .mask()));
    }
    let want = PlainArray::from_fn(DType::Bool, &shape, |index| Scalar::Bool(missing(&plain, index)));
    Use::exact(any(data.masked_where(&mask).mask()), want)
}

fn mask_where(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let x = some::<f32>(draw, &shape);
    let (condition, plain) = array_of_shape::<bool>(draw, &shape[shape.len().min(1)..]);
    let want = PlainArray::from_fn(DType::Bool, &shape, |index| {
        Scalar::Bool(missing(&x.mask, index) || missing(&plain, index))
    });
    Use::exact(any(x.lazy.mask_where(&condition).mask()), want)
}

fn from_parts(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let x = some::<u16>(draw, &shape);
    if draw.one_in(4) {
        let mask = x.lazy.mask().insert_axis(Axis(0)).into_dyn();
        return Use::fails(any(MaskedArray::from_parts(x.lazy.data().clone(), mask).mask()));
    }
    Use::exact(any(x.lazy.data()), x.data)
}

/// Operators and methods of two operands; missing is what is missing in one of them.
fn arithmetic(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let lead = draw.below(shape.len() + 1);
    let (x, y) = (some::<f64>(draw, &shape), some::<f64>(draw, &shape[lead..]));
    let one_masked = draw.one_in(3);
    let which = draw.below(5);
    let got = match (which, one_masked) {
        (0, false) => &x.lazy + &y.lazy,
        (0, true) => &x.lazy + y.lazy.data(),
        (1, false) => x.lazy.maximum(&y.lazy),
        (1, true) => x.lazy.maximum(y.lazy.data()),
        (2, false) => y.lazy.clone() - &x.lazy,
        (2, true) => y.lazy.data() - &x.lazy,
        (3, _) => (3.0 * &x.lazy).copysign(&y.lazy),
        _ => -(&x.lazy * 2.0).mask_where(y.lazy.mask()),
    };
    let ignores = one_masked && which < 3;
    let want = PlainArray::from_fn(DType::F64, &shape, |index| {
        if missing(&x.mask, index) || (!ignores && missing(&y.mask, index)) {
            return Scalar::F64(0.25);
        }
        let (x, y) = (float(x.data.get(index)), float(y.data.get_broadcast(index)));
        Scalar::F64(match which {
            0 => x + y,
            1 if x.is_nan() || y.is_nan() => f64::NAN,
            1 => x.max(y),
            2 => y - x,
            3 => (3.0 * x).copysign(y),
            _ => -2.0 * x,
        })
    });
    Use::exact(any(&got.filled(0.25)), want)
}

/// What is divided by zero is missing, wherever the zero comes from.
fn division(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let lead = draw.below(shape.len() + 1);
    let (x, y) = (some::<i32>(draw, &shape), some::<i32>(draw, &shape[lead..]));
    let (which, number) = (draw.below(6), draw.below(3) as i32 - 1);
    let got = match which {
        0 => &x.lazy / &y.lazy,
        1 => x.lazy.data() % &y.lazy,
        2 => x.lazy.floor_div(y.lazy.data()),
        3 => 7 / &x.lazy,
        4 => &x.lazy / number,
        _ => (x.lazy.cast::<f64>() / y.lazy.cast::<f64>()).map_data(|x| x.cast()),
    };
    let want = PlainArray::from_fn(DType::I32, &shape, |index| {
        let [a, b] =
            [x.data.get(index), y.data.get_broadcast(index)].map(|x| integer(x).expect("it is an integer"));
        let (first, second) = match which {
            3 => (7, a),
            4 => (a, number.into()),
            _ => (a, b),
        };
        let from_x = which != 1 && missing(&x.mask, index);
        let from_y = ![2, 3, 4].contains(&which) && missing(&y.mask, index);
        Scalar::I32(match second {
            _ if from_x || from_y => -9,
            0 => -9,
            _ if which == 1 => (first % second) as i32,
            _ if which == 2 => (first as f64 / second as f64).floor() as i32,
            _ => (first / second) as i32,
        })
    });
    Use::exact(any(&got.filled(-9)), want)
}

fn map_data(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let x = some::<f64>(draw, &shape);
    if !shape.is_empty() && draw.one_in(4) {
        return Use::fails(any(x.lazy.map_data(|x| x.insert_axis(Axis(0)).into_dyn()).mask()));
    }
    let want = PlainArray::from_fn(DType::I64, &shape, |index| {
        Scalar::I64(if missing(&x.mask, index) { -1 } else { float(x.data.get(index)) as i64 })
    });
    Use::exact(any(&x.lazy.map_data(|x| x.mapv(|x| x as i64)).filled(-1)), want)
}

fn compared(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let (x, plain) = array_of_shape::<f32>(draw, &shape);
    let [a, b] = [(); 2].map(|()| value::<f32>(mild_value(draw, DType::F32)));
    let which = draw.below(8);
    let got = match which {
        0 => x.masked_inside(a, b),
        1 => x.masked_outside(a, b),
        2 => x.masked_equal(a),
        3 => x.masked_not_equal(a),
        4 => x.masked_less(a),
        5 => x.masked_less_equal(a),
        6 => x.masked_greater(a),
        _ => x.masked_greater_equal(a),
    };
    let want = PlainArray::from_fn(DType::Bool, &shape, |index| {
        let x: f32 = value(plain.get(index));
        Scalar::Bool(match which {
            0 => a <= x && x <= b,
            1 => x < a || b < x,
            2 => x == a,
            3 => x != a,
            4 => x < a,
            5 => x <= a,
            6 => x > a,
            _ => x >= a,
        })
    });
    Use::exact(any(got.mask()), want)
}

fn invalid(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let (x, plain) = array_of_shape::<f64>(draw, &shape);
    let want =
        PlainArray::from_fn(DType::Bool, &shape, |index| Scalar::Bool(!float(plain.get(index)).is_finite()));
    Use::exact(any(x.masked_invalid().mask()), want)
}

/// Scale, offset, missing values and bounds, any of which may be absent, or nothing the stored type holds.
fn decoded<T: Element>(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let (x, plain) = array_of_shape::<T>(draw, &shape);
    let numbers = [-300.0, -3.0, 0.0, 0.5, 2.0, 17.0, 1e30, f64::NAN];
    let missing: Vec<f64> = (0..draw.below(3)).map(|_| *draw.pick(&numbers)).collect();
    let range = draw.one_in(3).then(|| (*draw.pick(&[-300.0, -5.0, 1.0]), *draw.pick(&[7.0, 250.0, 1e30])));
    let (scale, offset) = (draw.one_in(2).then_some(0.25), draw.one_in(2).then_some(-3.5));
    let unsigned = draw.one_in(3);
    let mut packing = missing.iter().fold(Packing::default().unsigned(unsigned), |packing, &value| {
        // Whole numbers are written without a point.
        let whole = value.fract() == 0.0 && value.abs() < 1e9;
        if whole { packing.missing_value(value as i64) } else { packing.missing_value(value) }
    });
    (packing.scale, packing.offset) = (scale, offset);
    if let Some((low, high)) = range {
        packing = packing.valid_range(low, high);
    }
    let want = PlainArray::from_fn(DType::F64, &shape, |index| {
        let bits =
            [(DType::I8, 256.0), (DType::I16, 65536.0)].into_iter().find(|&(dtype, _)| dtype == T::DTYPE);
        let bits = bits.filter(|_| unsigned).map_or(0.0, |(_, bits)| bits);
        let unwrapped = |x: f64| if (-bits / 2.0..0.0).contains(&x) { x + bits } else { x };
        let element = unwrapped(float(plain.get(index)));
        let equal = missing.iter().any(|&gone| {
            let gone = if T::DTYPE == DType::F32 { gone as f32 as f64 } else { unwrapped(gone) };
            element == gone || (element.is_nan() && gone.is_nan())
        });
        let beyond = range.is_some_and(|(low, high)| {
            let high = if T::DTYPE == DType::F32 { high as f32 as f64 } else { high };
            element < unwrapped(low) || element > high
        });
        let value = element * scale.unwrap_or(1.0) + offset.unwrap_or(0.0);
        Scalar::F64(if equal || beyond { 0.125 } else { value })
    });
    Use::exact(any(&x.decoded_with::<f64>(&packing).filled(0.125)), want)
}

/// Everything that moves elements moves the mask with them.
fn shapes(draw: &mut Draw) -> Use {
    let shape = shape_of_rank(draw, 2);
    let x = some::<i8>(draw, &shape);
    let (rows, columns) = (shape[0], shape[1]);
    let (got, want): (MaskedArray<i8, IxDyn>, Vec<(usize, usize)>) = match draw.below(6) {
        0 => (x.lazy.t(), (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j))).collect()),
        1 => (
            x.lazy.reshape(IxDyn(&[rows * columns])).rechunk(2),
            (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).collect(),
        ),
        2 if rows > 0 => {
            (x.lazy.index_axis(Axis(0), rows - 1), (0..columns).map(|j| (rows - 1, j)).collect())
        }
        2 => return Use::fails(any(x.lazy.index_axis(Axis(0), 0).mask())),
        3 => (
            x.lazy.flip(Axis(1)).swap_axes(Axis(0), Axis(1)).flatten().into_dyn(),
            (0..columns).rev().flat_map(|j| (0..rows).map(move |i| (i, j))).collect(),
        ),
        4 => (
            x.lazy.roll(1, Axis(0)).permuted_axes(IxDyn(&[1, 0])).repeat(2, Axis(1)).reshape_dyn(&[-1]),
            (0..columns).flat_map(|j| (0..2 * rows).map(move |k| ((k / 2 + rows - 1) % rows, j))).collect(),
        ),
        _ => (
            x.lazy.insert_axis(Axis(1)).broadcast(IxDyn(&[rows, 3, columns])),
            (0..rows).flat_map(|i| (0..3 * columns).map(move |j| (i, j % columns))).collect(),
        ),
    };
    let at = |&(i, j): &(usize, usize)| {
        if missing(&x.mask, &[i, j]) { Scalar::I8(99) } else { x.data.get(&[i, j]) }
    };
    let want = PlainArray::new(DType::I8, got.shape(), want.iter().map(at).collect());
    Use::exact(any(&got.filled(99)), want)
}

/// The axes of a reduction, and the form of the method.
#[derive(Clone, Copy)]
enum Form {
    All,
    One(usize),
    Several(usize),
    Keep(usize),
}

impl Form {
    fn any(draw: &mut Draw, ndim: usize) -> Form {
        let axis = draw.below(ndim);
        match draw.below(4) {
            1 if ndim > 0 => Form::One(axis),
            2 if ndim > 0 => Form::Several(axis),
            3 if ndim > 0 => Form::Keep(axis),
            _ => Form::All,
        }
    }

    fn axis(self) -> Option<usize> {
        match self {
            Form::All => None,
            Form::One(axis) | Form::Several(axis) | Form::Keep(axis) => Some(axis),
        }
    }

    /// Shape of the result.
    fn shape(self, shape: &[usize]) -> Vec<usize> {
        let mut out = shape.to_vec();
        match self {
            Form::All => out.clear(),
            Form::One(axis) | Form::Several(axis) => drop(out.remove(axis)),
            Form::Keep(axis) => out[axis] = 1,
        }
        out
    }

    /// The elements that are reduced to the one at `out`, in C order.
    fn slot(self, out: &[usize], shape: &[usize]) -> Vec<Vec<usize>> {
        let Some(axis) = self.axis() else { return places(shape) };
        let at = |i: usize| match self {
            Form::Keep(_) => [&out[..axis], &[i], &out[axis + 1..]].concat(),
            _ => [&out[..axis], &[i], &out[axis..]].concat(),
        };
        (0..shape[axis]).map(at).collect()
    }
}

/// One of the four forms of a reduction, as an array of any rank that holds 0 where everything is missing.
macro_rules! reduced_by {
    ($x:expr, $form:expr, $all:ident $one:ident $several:ident $keep:ident $($ddof:expr)?) => {
        match $form {
            Form::All => with_zeros!($x.$all($($ddof)?)),
            Form::One(axis) => with_zeros!($x.$one(Axis(axis) $(, $ddof)?)),
            Form::Several(axis) => with_zeros!($x.$several([Axis(axis)] $(, $ddof)?)),
            Form::Keep(axis) => with_zeros!($x.$keep(Axis(axis) $(, $ddof)?)),
        }
    };
}

macro_rules! with_zeros {
    ($masked:expr) => {
        AnyArray::from_expr($masked.filled(Default::default()).expr())
    };
}

fn reduced<T: Ordered>(draw: &mut Draw) -> Use {
    let shape = any_shape(draw);
    let drawn = some::<T>(draw, &shape);
    let (x, form) = (&drawn.lazy, Form::any(draw, shape.len()));
    // Products of floats overflow in some orders and not in others.
    let kinds = if T::DTYPE.is_float() { 11 } else { 12 };
    let which = draw.below(kinds);
    let ddof = draw.below(2) as f64;
    let got = match which {
        0 => reduced_by!(x, form, sum sum_axis sum_axes sum_keepdims),
        1 => reduced_by!(x, form, min min_axis min_axes min_keepdims),
        2 => reduced_by!(x, form, max max_axis max_axes max_keepdims),
        3 => reduced_by!(x, form, mean mean_axis mean_axes mean_keepdims),
        4 => reduced_by!(x, form, any any_axis any_axes any_keepdims),
        5 => reduced_by!(x, form, all all_axis all_axes all_keepdims),
        6 => reduced_by!(x, form, argmin argmin_axis argmin_axes argmin_keepdims),
        7 => reduced_by!(x, form, argmax argmax_axis argmax_axes argmax_keepdims),
        8 => reduced_by!(x, form, var var_axis var_axes var_keepdims ddof),
        9 => reduced_by!(x, form, std std_axis std_axes std_keepdims ddof),
        10 => counted(x, form),
        _ => reduced_by!(x, form, prod prod_axis prod_axes prod_keepdims),
    };
    let out = form.shape(&shape);
    let empty = form.axis().map_or(shape.contains(&0), |axis| shape[axis] == 0);
    let no_value = matches!(which, 6 | 7) || (matches!(which, 1 | 2) && !out.contains(&0));
    if no_value && empty {
        return Use::fails(got);
    }
    let dtype = match which {
        0 | 11 => T::DTYPE.sum_type(),
        1 | 2 => T::DTYPE,
        3 | 8 | 9 => T::DTYPE.mean_type(),
        4 | 5 => DType::Bool,
        _ => DType::I64,
    };
    let want = PlainArray::from_fn(dtype, &out, |at| {
        let slot = form.slot(at, &shape);
        let kept = slot.iter().enumerate().filter(|(_, index)| !missing(&drawn.mask, index));
        let kept: Vec<(usize, Scalar)> = kept.map(|(place, index)| (place, drawn.data.get(index))).collect();
        truth_of(which, &kept, ddof, dtype)
    });
    Use::within(1e-6 * if T::DTYPE == DType::F32 { 1.0 } else { 1e-7 }, got, want)
}

fn counted<T: Element>(x: &MaskedArray<T, IxDyn>, form: Form) -> AnyArray {
    match form {
        Form::All => x.count().into_dyn().into(),
        Form::One(axis) => x.count_axis(Axis(axis)).into(),
        Form::Several(axis) => x.count_axes(Axis(axis)).into(),
        Form::Keep(axis) => x.count_keepdims(Axis(axis)).into(),
    }
}

/// The reduction of what is not missing, with the places of the elements; 0 when there are none, or too few for a variance.
fn truth_of(which: usize, kept: &[(usize, Scalar)], ddof: f64, dtype: DType) -> Scalar {
    if kept.is_empty() || (matches!(which, 8 | 9) && kept.len() as f64 <= ddof) {
        return Scalar::zero(dtype);
    }
    let floats: Vec<f64> = kept.iter().map(|&(_, x)| float(x)).collect();
    let count = floats.len() as f64;
    let mean = floats.iter().sum::<f64>() / count;
    let squares: f64 = floats.iter().map(|x| (x - mean) * (x - mean)).sum();
    let variance = squares / (count - ddof);
    let integers = || kept.iter().filter_map(|&(_, x)| integer(x));
    let wrapped = |x: i128| eval_cast(Scalar::U64(x as u64), dtype);
    match which {
        0 if dtype.is_float() => rounded(floats.iter().sum(), dtype),
        0 => wrapped(integers().sum()),
        1 | 6 => extreme(kept, which == 6, less),
        2 | 7 => extreme(kept, which == 7, |a, b| less(b, a)),
        3 => rounded(mean, dtype),
        4 => Scalar::Bool(kept.iter().any(|&(_, x)| truth(x))),
        5 => Scalar::Bool(kept.iter().all(|&(_, x)| truth(x))),
        8 => rounded(variance, dtype),
        9 => rounded(variance.sqrt(), dtype),
        10 => Scalar::I64(kept.len() as i64),
        _ => wrapped(integers().fold(1, |all, x| (all * x) as u64 as i128)),
    }
}

/// The first extreme element, or the first NaN; or its place.
fn extreme(kept: &[(usize, Scalar)], place: bool, before: impl Fn(Scalar, Scalar) -> bool) -> Scalar {
    let nan = kept.iter().find(|&&(_, x)| is_nan(x)).copied();
    let best = || kept.iter().copied().reduce(|best, next| if before(next.1, best.1) { next } else { best });
    let (at, x) = nan.or_else(best).expect("there is an element");
    if place { Scalar::I64(at as i64) } else { x }
}
