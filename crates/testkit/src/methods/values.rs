//! Elementwise methods.

use chunkwise::{LazyArrayD, select};
use chunkwise_chunk::{DType, Element, Float, Integer, Number, Ordered, Scalar};
use chunkwise_expr::eval_cast;

use super::{Method, Use, array, array_of_shape};
use crate::eager::number::{float, integer, is_nan, rounded, truth};
use crate::generate::data::{grid, mild_value, shape_of_rank};
use crate::generate::draw::Draw;
use crate::{AnyArray, PlainArray};

/// Draws a use for elements of some type.
type DrawUse = fn(&mut Draw) -> Use;

pub(super) const METHODS: &[Method] = &[
    Method { name: "logical_and", draw: |draw| any_type(draw, &[logic::<f64>, logic::<i8>, logic::<bool>]) },
    Method { name: "logical_or", draw: |draw| any_type(draw, &[logic::<f32>, logic::<u64>, logic::<bool>]) },
    Method { name: "logical_xor", draw: |draw| any_type(draw, &[logic::<f64>, logic::<u8>, logic::<i64>]) },
    Method { name: "logical_not", draw: |draw| any_type(draw, &[not::<f64>, not::<i16>, not::<bool>]) },
    Method {
        name: "is_close",
        draw: |draw| any_type(draw, &[close::<f64>, close::<f32>, close::<i32>, close::<bool>]),
    },
    Method { name: "all_close", draw: |draw| any_type(draw, &[all_close::<f64>, all_close::<u8>]) },
    Method {
        name: "true_div",
        draw: |draw| any_type(draw, &[true_div::<f64>, true_div::<f32>, true_div::<i64>, true_div::<bool>]),
    },
    Method {
        name: "float_power",
        draw: |draw| any_type(draw, &[float_power::<f32>, float_power::<i32>, float_power::<u8>]),
    },
    Method { name: "divmod", draw: |draw| any_type(draw, &[divmod::<i8>, divmod::<i64>, divmod::<u16>]) },
    Method { name: "divmod", draw: divmod_floats },
    Method { name: "fmod", draw: |draw| any_type(draw, &[fmod::<i8>, fmod::<i64>, fmod::<u16>]) },
    Method {
        name: "round_to",
        draw: |draw| any_type(draw, &[round_integers::<i8>, round_integers::<u8>, round_integers::<i16>]),
    },
    Method {
        name: "round_to",
        draw: |draw| any_type(draw, &[round_integers::<u16>, round_integers::<i64>, round_integers::<u64>]),
    },
    Method { name: "round_to", draw: |draw| any_type(draw, &[round_floats::<f64>, round_floats::<f32>]) },
    Method { name: "clip_min", draw: |draw| any_type(draw, &[clip::<f64>, clip::<i32>, clip::<u64>]) },
    Method { name: "clip_max", draw: |draw| any_type(draw, &[clip::<f32>, clip::<i8>, clip::<bool>]) },
    Method {
        name: "left_shift",
        draw: |draw| any_type(draw, &[shift::<i8>, shift::<u8>, shift::<i64>, shift::<u32>]),
    },
    Method {
        name: "right_shift",
        draw: |draw| any_type(draw, &[shift::<i16>, shift::<u16>, shift::<i32>, shift::<u64>]),
    },
    Method { name: "nan_to_num_with", draw: |draw| any_type(draw, &[nan_to_num::<f64>, nan_to_num::<f32>]) },
    Method { name: "sinc", draw: |draw| any_type(draw, &[sinc::<f64>, sinc::<f32>]) },
    Method { name: "heaviside", draw: |draw| any_type(draw, &[heaviside::<f64>, heaviside::<f32>]) },
    Method { name: "ldexp", draw: |draw| any_type(draw, &[ldexp::<f64>, ldexp::<f32>]) },
    Method { name: "frexp", draw: |draw| any_type(draw, &[frexp::<f64>, frexp::<f32>]) },
    Method { name: "modf", draw: |draw| any_type(draw, &[modf::<f64>, modf::<f32>]) },
    Method { name: "is_sign_positive", draw: |draw| any_type(draw, &[signs::<f64>, signs::<f32>]) },
    Method { name: "is_pos_inf", draw: |draw| any_type(draw, &[signs::<f64>, signs::<f32>]) },
    Method { name: "is_neg_inf", draw: |draw| any_type(draw, &[signs::<f64>, signs::<f32>]) },
    Method {
        name: "log2_add_exp2",
        draw: |draw| any_type(draw, &[log2_add_exp2::<f64>, log2_add_exp2::<f32>]),
    },
    Method {
        name: "choose",
        draw: |draw| any_type(draw, &[choose::<i64, f64>, choose::<u8, bool>, choose::<i8, i16>]),
    },
    Method { name: "select", draw: |draw| any_type(draw, &[select_first::<f64>, select_first::<u32>]) },
    Method { name: "piecewise", draw: |draw| any_type(draw, &[piecewise::<f64>, piecewise::<f32>]) },
];

fn any_type(draw: &mut Draw, draws: &[DrawUse]) -> Use {
    draw.pick(draws)(draw)
}

/// A random array of up to three axes.
fn some<T: Element>(draw: &mut Draw) -> (LazyArrayD<T>, PlainArray) {
    let ndim = draw.below(4);
    array(draw, ndim)
}

/// A shape that broadcasts to `shape`: fewer axes, some of them of length 1.
fn narrower(draw: &mut Draw, shape: &[usize]) -> Vec<usize> {
    let lead = draw.below(shape.len() + 1);
    shape[lead..].iter().map(|&n| if draw.one_in(4) { 1 } else { n }).collect()
}

/// An array and one that broadcasts to its shape.
fn two<T: Element, U: Element>(
    draw: &mut Draw,
) -> ((LazyArrayD<T>, PlainArray), (LazyArrayD<U>, PlainArray)) {
    let a = some(draw);
    let shape = narrower(draw, a.1.shape());
    (a, array_of_shape(draw, &shape))
}

/// What a method of two arrays gives for some that do not broadcast; `None` where these always do.
fn misfit<T: Element, U: Element, R: Into<AnyArray>>(
    draw: &mut Draw,
    f: impl Fn(&LazyArrayD<T>, &LazyArrayD<U>) -> R,
) -> Option<Use> {
    let (a, plain) = some::<T>(draw);
    let last = plain.shape().last().filter(|&&n| n != 1)?;
    let (b, _) = array_of_shape::<U>(draw, &[last + 2]);
    Some(Use::fails(f(&a, &b)))
}

/// The values of a function of the elements of arrays that broadcast to the first one's shape.
fn each(dtype: DType, arrays: &[&PlainArray], f: impl Fn(&[Scalar]) -> Scalar) -> PlainArray {
    PlainArray::from_fn(dtype, arrays[0].shape(), |index| {
        let elements: Vec<Scalar> = arrays.iter().map(|x| x.get_broadcast(index)).collect();
        f(&elements)
    })
}

fn value<T: Element>(x: Scalar) -> T {
    T::of_scalar(eval_cast(x, T::DTYPE)).expect("it was converted to this type")
}

/// A float of `T`'s type, correctly rounded.
fn to_float<T: Element>(x: f64) -> Scalar {
    rounded(x, T::DTYPE)
}

/// An integer of `T`'s type; it wraps.
fn to_integer<T: Element>(x: i128) -> Scalar {
    eval_cast(Scalar::U64(x as u64), T::DTYPE)
}

fn logic<T: Element>(draw: &mut Draw) -> Use {
    if draw.one_in(8)
        && let Some(misfit) = misfit::<T, T, _>(draw, |a, b| a.logical_and(b))
    {
        return misfit;
    }
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let which = draw.below(3);
    let got = match which {
        0 => a.logical_and(&b),
        1 => a.logical_or(&b),
        _ => a.logical_xor(&b),
    };
    let want = each(DType::Bool, &[&pa, &pb], |x| {
        let (a, b) = (truth(x[0]), truth(x[1]));
        Scalar::Bool(match which {
            0 => a && b,
            1 => a || b,
            _ => a != b,
        })
    });
    Use::exact(got, want)
}

fn not<T: Element>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    Use::exact(x.logical_not(), each(DType::Bool, &[&plain], |x| Scalar::Bool(!truth(x[0]))))
}

/// What NumPy documents, in the precision of the type.
fn is_close(a: Scalar, b: Scalar, tolerance: (f64, f64), equal_nan: bool) -> bool {
    let (x, y, (rtol, atol)) = (float(a), float(b), tolerance);
    if is_nan(a) || is_nan(b) {
        return equal_nan && is_nan(a) && is_nan(b);
    }
    if x.is_infinite() || y.is_infinite() {
        return x == y;
    }
    if a.dtype() == DType::F32 {
        let (x, y) = (x as f32, y as f32);
        return (x - y).abs() <= y.abs() * rtol as f32 + atol as f32;
    }
    (x - y).abs() <= y.abs() * rtol + atol || integer(a).is_some_and(|a| Some(a) == integer(b))
}

fn close<T: Element>(draw: &mut Draw) -> Use {
    if draw.one_in(8)
        && let Some(misfit) = misfit::<T, T, _>(draw, |a, b| a.is_close(b, 0.0, 0.0, true))
    {
        return misfit;
    }
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let tolerance = (*draw.pick(&[0.0, 1e-5, 0.5]), *draw.pick(&[0.0, 1e-8, 2.0]));
    let equal_nan = draw.one_in(2);
    let want = each(DType::Bool, &[&pa, &pb], |x| Scalar::Bool(is_close(x[0], x[1], tolerance, equal_nan)));
    Use::exact(a.is_close(&b, tolerance.0, tolerance.1, equal_nan), want)
}

fn all_close<T: Element>(draw: &mut Draw) -> Use {
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let tolerance = (*draw.pick(&[0.0, 1.0]), *draw.pick(&[0.0, 30.0]));
    let one = each(DType::Bool, &[&pa, &pb], |x| Scalar::Bool(is_close(x[0], x[1], tolerance, true)));
    let all = one.data().iter().all(|&x| truth(x));
    Use::exact(a.all_close(&b, tolerance.0, tolerance.1, true).into_dyn(), PlainArray::of(&[], &[all]))
}

fn true_div<T: Element>(draw: &mut Draw) -> Use {
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    // The quotient of two `f32` in `f64`, rounded to `f32`, is the rounded quotient.
    let want =
        each(<T::Mean as Element>::DTYPE, &[&pa, &pb], |x| to_float::<T::Mean>(float(x[0]) / float(x[1])));
    Use::exact(AnyArray::from_expr(a.true_div(&b).expr()), want)
}

fn float_power<T: Ordered>(draw: &mut Draw) -> Use {
    let ((a, pa), _) = two::<T, T>(draw);
    let exponent = *draw.pick(&[-2_i8, -1, 0, 1, 2, 3]);
    let exponent: T = value(Scalar::I8(exponent));
    let power = float(exponent.into());
    let want = each(DType::F64, &[&pa], |x| Scalar::F64(float(x[0]).powf(power)));
    Use::within(1e-13, a.float_power(exponent), want)
}

fn divmod<T: Integer>(draw: &mut Draw) -> Use {
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let which = draw.below(2);
    let (quotient, rest) = a.divmod(&b);
    let got = if which == 0 { quotient } else { rest };
    let zero = pb.data().iter().any(|&b| !truth(b));
    if zero && pa.shape().iter().all(|&n| n > 0) {
        return Use::fails(AnyArray::from_expr(got.expr()));
    }
    let want = each(T::DTYPE, &[&pa, &pb], |x| {
        let [a, b] = [x[0], x[1]].map(|x| integer(x).expect("it is an integer"));
        let rest = ((a % b) + b) % b;
        to_integer::<T>(if which == 0 { (a - rest) / b } else { rest })
    });
    Use::exact(AnyArray::from_expr(got.expr()), want)
}

fn fmod<T: Integer>(draw: &mut Draw) -> Use {
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let got = a.fmod(&b);
    if pb.data().iter().any(|&b| !truth(b)) && pa.shape().iter().all(|&n| n > 0) {
        return Use::fails(AnyArray::from_expr(got.expr()));
    }
    let want = each(T::DTYPE, &[&pa, &pb], |x| {
        let [a, b] = [x[0], x[1]].map(|x| integer(x).expect("it is an integer"));
        to_integer::<T>(a % b)
    });
    Use::exact(AnyArray::from_expr(got.expr()), want)
}

fn divmod_floats(draw: &mut Draw) -> Use {
    let (x, plain) = some::<f64>(draw);
    let (quotient, rest) = x.divmod(4.0);
    let back = quotient * 4.0 + rest;
    // Powers of two: all steps are exact, but where the quotient has no value.
    let want = each(DType::F64, &[&plain], |x| match float(x[0]) {
        x if x.is_infinite() => Scalar::F64(f64::NAN),
        x if x.abs() < 1e-300 && x != 0.0 => Scalar::F64(if x < 0.0 { 0.0 } else { x }),
        x => Scalar::F64(x + 0.0),
    });
    Use::within(1e-15, back, want)
}

fn round_integers<T: Integer>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let decimals = draw.between(-21, 2) as i32;
    let decimals = if draw.one_in(2) { decimals / 6 } else { decimals };
    let want = each(T::DTYPE, &[&plain], |x| {
        let x = integer(x[0]).expect("it is an integer");
        let power = 10_i128.pow(decimals.min(0).unsigned_abs());
        let rest = x.rem_euclid(power);
        let down = x - rest;
        let odd = (down / power) % 2 != 0;
        to_integer::<T>(if 2 * rest > power || (2 * rest == power && odd) { down + power } else { down })
    });
    Use::exact(AnyArray::from_expr(x.round_to(decimals).expr()), want)
}

fn round_floats<T: Float>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let decimals: i32 = *draw.pick(&[-400, -2, -1, 0, 1, 2, 3, 30, 400]);
    let want = each(T::DTYPE, &[&plain], |x| {
        let x: T = value(x[0]);
        let two = T::one() + T::one();
        let ten = two * two * two + two;
        let power = ten.powi(decimals.abs());
        let even = |x: T| value::<T>(Scalar::F64(float(x.into()).round_ties_even()));
        let rounded = match decimals {
            0 => even(x),
            1.. if (x * power).is_finite() => even(x * power) / power,
            1.. => x,
            _ if power.is_finite() => even(x / power) * power,
            _ => x * T::zero(),
        };
        rounded.into_scalar()
    });
    // Powers of ten beyond 10^10 are no floats of 32 bits.
    Use::within(
        if T::DTYPE == DType::F32 { 1e-6 } else { 1e-15 },
        AnyArray::from_expr(x.round_to(decimals).expr()),
        want,
    )
}

fn clip<T: Ordered>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let bound: T = value(mild_value(draw, T::DTYPE));
    let low = draw.one_in(2);
    let got = if low { x.clip_min(bound) } else { x.clip_max(bound) };
    let want = each(T::DTYPE, &[&plain], |x| {
        let element = float(x[0]);
        let beyond = if low { element < float(bound.into()) } else { element > float(bound.into()) };
        if beyond { bound.into() } else { x[0] }
    });
    Use::exact(AnyArray::from_expr(got.expr()), want)
}

fn shift<T: Integer>(draw: &mut Draw) -> Use {
    if draw.one_in(8)
        && let Some(misfit) = misfit::<T, T, _>(draw, |a, b| AnyArray::from_expr(a.left_shift(b).expr()))
    {
        return misfit;
    }
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let got = match draw.below(4) {
        0 => (true, a.left_shift(&b)),
        1 => (true, a << b),
        2 => (false, a.right_shift(&b)),
        _ => (false, &a >> &b),
    };
    let bits = 8 * T::DTYPE.itemsize() as i128;
    let want = each(T::DTYPE, &[&pa, &pb], |x| {
        let [x, n] = [x[0], x[1]].map(|x| integer(x).expect("it is an integer"));
        let n = if (0..bits).contains(&n) { n } else { bits };
        to_integer::<T>(if got.0 { x << n } else { x >> n })
    });
    Use::exact(AnyArray::from_expr(got.1.expr()), want)
}

fn nan_to_num<T: Float>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let by: [T; 3] = std::array::from_fn(|_| value(mild_value(draw, T::DTYPE)));
    let want = each(T::DTYPE, &[&plain], |x| match float(x[0]) {
        x if x.is_nan() => by[0].into(),
        f64::INFINITY => by[1].into(),
        f64::NEG_INFINITY => by[2].into(),
        _ => x[0],
    });
    Use::exact(AnyArray::from_expr(x.nan_to_num_with(by[0], by[1], by[2]).expr()), want)
}

fn sinc<T: Float>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let want = each(T::DTYPE, &[&plain], |x| {
        // The angle is rounded as the method rounds it: large ones have other sines else.
        let angle = value::<T>(x[0]) * value(Scalar::F64(std::f64::consts::PI));
        let angle = float(angle.into());
        to_float::<T>(if angle == 0.0 { 1.0 } else { angle.sin() / angle })
    });
    let tolerance = if T::DTYPE == DType::F32 { 1e-6 } else { 1e-14 };
    Use::within(tolerance, AnyArray::from_expr(x.sinc().expr()), want)
}

fn heaviside<T: Float>(draw: &mut Draw) -> Use {
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let want = each(T::DTYPE, &[&pa, &pb], |x| match float(x[0]) {
        0.0 => x[1],
        x if x.is_nan() => to_float::<T>(x),
        x => to_float::<T>(if x < 0.0 { 0.0 } else { 1.0 }),
    });
    Use::exact(AnyArray::from_expr(a.heaviside(&b).expr()), want)
}

fn ldexp<T: Float>(draw: &mut Draw) -> Use {
    let ((a, pa), (n, pn)) = two::<T, i32>(draw);
    let want = each(T::DTYPE, &[&pa, &pn], |x| {
        let n = integer(x[1]).expect("it is an integer");
        if n.abs() < 1000 {
            // Twice 2^(n / 2): exact but for the last product, where the values are not below the normal ones.
            let half = 2f64.powi((n / 2) as i32);
            return to_float::<T>(float(x[0]) * half * 2f64.powi((n - n / 2) as i32));
        }
        let limit = if n > 0 { f64::INFINITY } else { 0.0 };
        let x = float(x[0]);
        to_float::<T>(if x == 0.0 || !x.is_finite() { x } else { limit.copysign(x) })
    });
    Use::exact(AnyArray::from_expr(a.ldexp(&n).expr()), want)
}

fn frexp<T: Float>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let parts = |x: Scalar| {
        let (mut mantissa, mut exponent) = (float(x), 0);
        if mantissa == 0.0 || !mantissa.is_finite() {
            return (mantissa, 0);
        }
        while mantissa.abs() >= 1.0 {
            (mantissa, exponent) = (mantissa / 2.0, exponent + 1);
        }
        while mantissa.abs() < 0.5 {
            (mantissa, exponent) = (mantissa * 2.0, exponent - 1);
        }
        (mantissa, exponent)
    };
    let (mantissa, exponent) = x.frexp();
    if draw.one_in(2) {
        return Use::exact(exponent, each(DType::I32, &[&plain], |x| Scalar::I32(parts(x[0]).1)));
    }
    let want = each(T::DTYPE, &[&plain], |x| to_float::<T>(parts(x[0]).0));
    Use::exact(AnyArray::from_expr(mantissa.expr()), want)
}

fn modf<T: Float>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let (fraction, whole) = x.modf();
    let (first, got) = if draw.one_in(2) { (true, fraction) } else { (false, whole) };
    let want = each(T::DTYPE, &[&plain], |x| {
        let x = float(x[0]);
        let rest = if x.is_infinite() { 0.0 } else { (x - x.trunc()).abs() };
        to_float::<T>(if first { rest.copysign(x) } else { x.trunc() })
    });
    Use::exact(AnyArray::from_expr(got.expr()), want)
}

fn signs<T: Float>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let which = draw.below(3);
    let got = match which {
        0 => x.is_sign_positive(),
        1 => x.is_pos_inf(),
        _ => x.is_neg_inf(),
    };
    let want = each(DType::Bool, &[&plain], |x| {
        let x = float(x[0]);
        Scalar::Bool(match which {
            0 => x.is_sign_positive(),
            1 => x.is_infinite() && x > 0.0,
            _ => x.is_infinite() && x < 0.0,
        })
    });
    Use::exact(got, want)
}

fn log2_add_exp2<T: Float>(draw: &mut Draw) -> Use {
    let ((a, pa), (b, pb)) = two::<T, T>(draw);
    let want = each(T::DTYPE, &[&pa, &pb], |x| {
        let (a, b) = (float(x[0]), float(x[1]));
        if a.is_nan() || b.is_nan() {
            return to_float::<T>(f64::NAN);
        }
        let (most, least) = (a.max(b), a.min(b));
        let less = if most == least { 0.0 } else { least - most };
        to_float::<T>(most + less.exp2().ln_1p() / std::f64::consts::LN_2)
    });
    let tolerance = if T::DTYPE == DType::F32 { 1e-6 } else { 1e-14 };
    Use::within(tolerance, AnyArray::from_expr(a.log2_add_exp2(&b).expr()), want)
}

fn choose<I: Integer, T: Element>(draw: &mut Draw) -> Use {
    let (index, _) = some::<I>(draw);
    let shape = index.shape().to_vec();
    let count = draw.below(4);
    let choices: Vec<_> = (0..count)
        .map(|_| {
            let shape = narrower(draw, &shape);
            array_of_shape::<T>(draw, &shape)
        })
        .collect();
    let lazy: Vec<LazyArrayD<T>> = choices.iter().map(|(lazy, _)| lazy.clone()).collect();
    // Broadcast arrays have one rank when it is known only at run time.
    let any = |x: LazyArrayD<T>| AnyArray::from_expr(x.expr());
    if count == 0 {
        return Use::fails(any(index.choose(&lazy)));
    }
    let (which, plain) = indices::<I>(draw, &shape, count);
    let outside = plain.data().iter().any(|&i| integer(i).is_none_or(|i| !(0..count as i128).contains(&i)));
    if outside {
        return Use::fails(any(which.choose(&lazy)));
    }
    let want = PlainArray::from_fn(T::DTYPE, &shape, |at| {
        let chosen = integer(plain.get(at)).expect("it is an integer");
        choices[chosen as usize].1.get_broadcast(at)
    });
    Use::exact(any(which.choose(&lazy)), want)
}

/// Numbers below `count`, once in a while with one that is not.
fn indices<I: Integer>(draw: &mut Draw, shape: &[usize], count: usize) -> (LazyArrayD<I>, PlainArray) {
    let most = if draw.one_in(4) { count } else { count - 1 };
    let plain = PlainArray::from_fn(I::DTYPE, shape, |_| {
        eval_cast(Scalar::I64(draw.between(0, most as i64)), I::DTYPE)
    });
    let lazy = AnyArray::from_plain(&plain, grid(draw, shape));
    (LazyArrayD::from_expr(lazy.expr().clone()), plain)
}

fn select_first<T: Number>(draw: &mut Draw) -> Use {
    let count = draw.below(4);
    let whole = draw.below(4);
    let shape = shape_of_rank(draw, whole);
    // The first condition has the whole shape, so that the result has it.
    let shapes: Vec<Vec<usize>> =
        (0..count).map(|k| if k == 0 { shape.clone() } else { narrower(draw, &shape) }).collect();
    let conditions: Vec<_> = shapes.iter().map(|shape| array_of_shape::<bool>(draw, shape)).collect();
    let choices: Vec<_> = shapes.iter().map(|shape| array_of_shape::<T>(draw, shape)).collect();
    let lazy_conditions: Vec<_> = conditions.iter().map(|(lazy, _)| lazy.clone()).collect();
    let lazy_choices: Vec<_> = choices.iter().map(|(lazy, _)| lazy.clone()).collect();
    let default: T = value(mild_value(draw, T::DTYPE));
    let any = |x: LazyArrayD<T>| AnyArray::from_expr(x.expr());
    if count == 0 {
        return Use::fails(any(select(&lazy_conditions, &lazy_choices, default)));
    }
    if draw.one_in(8) {
        return Use::fails(any(select(&lazy_conditions, &lazy_choices[1..], default)));
    }
    let other = draw.one_in(2).then(|| {
        let shape = narrower(draw, &shape);
        array_of_shape::<T>(draw, &shape)
    });
    let want = PlainArray::from_fn(T::DTYPE, &shape, |at| {
        let first = conditions.iter().position(|(_, condition)| truth(condition.get_broadcast(at)));
        let otherwise = || other.as_ref().map_or(default.into(), |(_, plain)| plain.get_broadcast(at));
        first.map_or_else(otherwise, |k| choices[k].1.get_broadcast(at))
    });
    let got = match &other {
        Some((other, _)) => select(&lazy_conditions, &lazy_choices, other),
        None => select(&lazy_conditions, &lazy_choices, default),
    };
    Use::exact(any(got), want)
}

fn piecewise<T: Float>(draw: &mut Draw) -> Use {
    let (x, plain) = some::<T>(draw);
    let zero = T::zero();
    let got = x.piecewise(
        &[(&x.le(zero), &|x| x.floor()), (&x.ge(zero), &|x| x.recip()), (&x.is_infinite(), &|x| x.abs())],
        |x| x.copysign(T::one()),
    );
    let want = each(T::DTYPE, &[&plain], |x| {
        let x: T = value(x[0]);
        let value = match x {
            x if x.is_infinite() => x.abs(),
            x if x >= zero => x.recip(),
            x if x <= zero => x.floor(),
            x => x.copysign(T::one()),
        };
        value.into_scalar()
    });
    Use::exact(AnyArray::from_expr(got.expr()), want)
}
