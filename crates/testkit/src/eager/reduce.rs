//! Reductions by collecting the elements of one result in a list and looping over it.

use chunkwise_chunk::{DType, Scalar, Tile, for_each_dtype};
use chunkwise_expr::{Reduce, ReduceKind, UserReduction};

use super::array::{PlainArray, indices};
use super::number::{float, integer, is_nan, less, parts, rounded, rounded_complex, truth};
use super::{EagerError, sum::exact_sum};

/// Reduces `input`, an array of the whole space of `reduce`.
pub(crate) fn reduce(reduce: &Reduce, input: &PlainArray) -> Result<PlainArray, EagerError> {
    let dtype = reduce.kind.output(input.dtype());
    let data = slots(reduce, input).into_iter().map(|slot| {
        fold(&reduce.kind, reduce.ddof, input.dtype(), &slot)
            .ok_or_else(|| EagerError::NoElements { op: reduce.kind.name().to_owned() })
    });
    Ok(PlainArray::new(dtype, &result_shape(reduce, input.shape()), data.collect::<Result<_, _>>()?))
}

/// Shape of the result: reduced axes have length 1 or are gone.
pub(crate) fn result_shape(reduce: &Reduce, shape: &[usize]) -> Vec<usize> {
    let kept = |axis: &usize| reduce.keepdims || !reduce.axes.contains(axis);
    let len = |axis: usize| if reduce.axes.contains(&axis) { 1 } else { shape[axis] };
    (0..shape.len()).filter(kept).map(len).collect()
}

/// The elements that make each result, in C order of the reduced axes; results in C order.
pub(crate) fn slots(reduce: &Reduce, input: &PlainArray) -> Vec<Vec<Scalar>> {
    let lengths = |reduced: bool| -> Vec<usize> {
        let shape = input.shape().iter().enumerate();
        shape.map(|(axis, &n)| if reduce.axes.contains(&axis) == reduced { n } else { 1 }).collect()
    };
    let along = indices(&lengths(true));
    let slot = |kept: &Vec<usize>| {
        let index = |moved: &Vec<usize>| kept.iter().zip(moved).map(|(a, b)| a + b).collect::<Vec<usize>>();
        along.iter().map(|moved| input.get(&index(moved))).collect()
    };
    indices(&lengths(false)).iter().map(slot).collect()
}

/// One result; `None` when there is none for these elements.
pub(crate) fn fold(kind: &ReduceKind, ddof: f64, dtype: DType, slot: &[Scalar]) -> Option<Scalar> {
    let out = kind.output(dtype);
    if dtype.is_complex() {
        return complex(kind, ddof, out, slot);
    }
    let floats = || slot.iter().map(|&x| float(x)).collect::<Vec<f64>>();
    Some(match kind {
        ReduceKind::Sum if dtype.is_float() => rounded(exact_sum(&floats()), out),
        ReduceKind::Prod if dtype.is_float() => rounded(floats().iter().product(), out),
        ReduceKind::Sum => wrapped(slot, 0, u64::wrapping_add, out),
        ReduceKind::Prod => wrapped(slot, 1, u64::wrapping_mul, out),
        ReduceKind::Mean => rounded(mean(slot), out),
        ReduceKind::Var => rounded(variance(&floats(), mean(slot), ddof), out),
        ReduceKind::Std => rounded(variance(&floats(), mean(slot), ddof).sqrt(), out),
        ReduceKind::Moment3 => rounded(central(&floats(), mean(slot), 3), out),
        ReduceKind::Moment4 => rounded(central(&floats(), mean(slot), 4), out),
        ReduceKind::Skew => rounded(skew(&floats(), mean(slot)), out),
        ReduceKind::Kurtosis => rounded(kurtosis(&floats(), mean(slot)), out),
        ReduceKind::Any => Scalar::Bool(slot.iter().any(|&x| truth(x))),
        ReduceKind::All => Scalar::Bool(slot.iter().all(|&x| truth(x))),
        ReduceKind::Min => slot[first_extreme(slot, less)?],
        ReduceKind::Max => slot[first_extreme(slot, |a, b| less(b, a))?],
        ReduceKind::ArgMin => Scalar::I64(first_extreme(slot, less)? as i64),
        ReduceKind::ArgMax => Scalar::I64(first_extreme(slot, |a, b| less(b, a))? as i64),
        ReduceKind::NanMin
        | ReduceKind::NanMax
        | ReduceKind::NanArgMin
        | ReduceKind::NanArgMax
        | ReduceKind::NanVar
        | ReduceKind::NanStd => skipping_nan(kind, ddof, dtype, slot)?,
        ReduceKind::User(reduction) => user(reduction, slot)?,
    })
}

/// One result of complex numbers, most of them part by part; `None` for what they have not.
fn complex(kind: &ReduceKind, ddof: f64, out: DType, slot: &[Scalar]) -> Option<Scalar> {
    let count = slot.len() as f64;
    let part = |i: usize| slot.iter().map(|&x| parts(x)[i]).collect::<Vec<f64>>();
    let by_part = |f: &dyn Fn(&[f64]) -> f64| [0, 1].map(|i| f(&part(i)));
    let spread = || {
        // The divisor of both parts is one: 1 for each.
        let [re, im] = by_part(&|part| variance(part, exact_sum(part) / count, count - 1.0));
        (re + im) / (count - ddof).max(0.0)
    };
    Some(match kind {
        ReduceKind::Sum => rounded_complex(by_part(&exact_sum), out),
        ReduceKind::Mean => rounded_complex(by_part(&|part| exact_sum(part) / count), out),
        ReduceKind::Prod => rounded_complex(product(slot), out),
        ReduceKind::Var => rounded(spread(), out),
        ReduceKind::Std => rounded(spread().sqrt(), out),
        ReduceKind::Any => Scalar::Bool(slot.iter().any(|&x| truth(x))),
        ReduceKind::All => Scalar::Bool(slot.iter().all(|&x| truth(x))),
        ReduceKind::User(reduction) => user(reduction, slot)?,
        _ => return None,
    })
}

/// The product of complex numbers from left to right.
fn product(slot: &[Scalar]) -> [f64; 2] {
    let step = |[a, b]: [f64; 2], [c, d]: [f64; 2]| [a * c - b * d, a * d + b * c];
    slot.iter().map(|&x| parts(x)).reduce(step).unwrap_or([1.0, 0.0])
}

/// Places of the elements that are not NaN.
fn present(slot: &[Scalar]) -> Vec<usize> {
    (0..slot.len()).filter(|&at| !is_nan(slot[at])).collect()
}

/// The same reduction of the elements that are not NaN; `None` where a position or an extreme of nothing is asked for.
fn skipping_nan(kind: &ReduceKind, ddof: f64, dtype: DType, slot: &[Scalar]) -> Option<Scalar> {
    let places = present(slot);
    let numbers: Vec<Scalar> = places.iter().map(|&at| slot[at]).collect();
    let nan = rounded(f64::NAN, kind.output(dtype));
    match kind {
        ReduceKind::NanVar | ReduceKind::NanStd
            if dtype.is_float() && numbers.len() as f64 <= ddof.max(0.0) =>
        {
            Some(nan)
        }
        ReduceKind::NanMin | ReduceKind::NanMax if numbers.is_empty() && !slot.is_empty() => Some(nan),
        _ => match fold(&kind.clone().without_nan(), ddof, dtype, &numbers)? {
            Scalar::I64(at) if kind.is_position() => Some(Scalar::I64(places[at as usize] as i64)),
            value => Some(value),
        },
    }
}

macro_rules! define_user {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// A user's reduction, given one element at a time; `None` where it gives no value.
        fn user(reduction: &UserReduction, slot: &[Scalar]) -> Option<Scalar> {
            let mut state = reduction.states(1);
            for &x in slot {
                match x { $(Scalar::$v(x) => reduction.fold_rows(&mut state, 0, Tile::$v(&[x]), 1),)* }
            }
            reduction.finish(&state, &[]).ok()?.scalar()
        }
    };
}
for_each_dtype!(define_user);

/// Sums and products of integers in 64 bits. Signed and unsigned wrap to the same bits.
fn wrapped(slot: &[Scalar], start: u64, step: fn(u64, u64) -> u64, out: DType) -> Scalar {
    let bits = slot.iter().filter_map(|&x| integer(x)).fold(start, |sum, x| step(sum, x as u64));
    if out == DType::U64 { Scalar::U64(bits) } else { Scalar::I64(bits as i64) }
}

/// The mean, rounded after the sum and after the division; NaN for no elements.
fn mean(slot: &[Scalar]) -> f64 {
    let count = slot.len() as f64;
    let whole: Option<i128> = slot.iter().map(|&x| integer(x)).sum();
    match whole {
        Some(sum) => sum as f64 / count,
        None => exact_sum(&slot.iter().map(|&x| float(x)).collect::<Vec<_>>()) / count,
    }
}

/// The mean of a power of the deviations.
fn central(values: &[f64], mean: f64, power: i32) -> f64 {
    let powers: Vec<f64> = values.iter().map(|x| (x - mean).powi(power)).collect();
    exact_sum(&powers) / values.len() as f64
}

/// SciPy's `skew`, biased; NaN for elements that are all equal.
fn skew(values: &[f64], mean: f64) -> f64 {
    if all_equal(values) {
        return f64::NAN;
    }
    central(values, mean, 3) / central(values, mean, 2).powf(1.5)
}

/// SciPy's `kurtosis`, biased; NaN for elements that are all equal.
fn kurtosis(values: &[f64], mean: f64) -> f64 {
    if all_equal(values) {
        return f64::NAN;
    }
    central(values, mean, 4) / central(values, mean, 2).powi(2) - 3.0
}

fn all_equal(values: &[f64]) -> bool {
    values.iter().all(|x| *x == values[0])
}

/// The corrected two-pass variance; the divisor is clamped at 0, as in NumPy.
fn variance(values: &[f64], mean: f64, ddof: f64) -> f64 {
    let count = values.len() as f64;
    let away: Vec<f64> = values.iter().map(|x| x - mean).collect();
    let squares: Vec<f64> = away.iter().map(|d| d * d).collect();
    let rest = exact_sum(&away);
    let correction = if rest == 0.0 { 0.0 } else { rest * rest / count };
    (exact_sum(&squares) - correction) / (count - ddof).max(0.0)
}

/// Position of the first NaN, or of the first element that none comes before.
fn first_extreme(slot: &[Scalar], before: impl Fn(Scalar, Scalar) -> bool) -> Option<usize> {
    if let Some(nan) = slot.iter().position(|&x| is_nan(x)) {
        return Some(nan);
    }
    (0..slot.len()).find(|&i| slot.iter().all(|&x| !before(x, slot[i])))
}
