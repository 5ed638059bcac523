//! Scans.

use chunkwise::Ewm;
use chunkwise::prelude::*;
use chunkwise_chunk::{Element, Float, Scalar};
use chunkwise_expr::eval_cast;
use chunkwise_ops::scan::ScanKind;

use super::{Method, Use, array};
use crate::PlainArray;
use crate::eager::number::{float, is_nan};
use crate::eager::rules::scan::join;
use crate::generate::draw::Draw;
use crate::generate::rules::scan::composed;

macro_rules! running {
    ($($name:ident $flat:ident $kind:ident $types:ident $missing:expr;)*) => {
        &[
            $(Method {
                name: stringify!($name),
                draw: |draw| running!($types draw, $kind, $missing,
                    |x, axis| x.$name(axis).into_dyn(), |x| x.$flat().into_dyn()),
            },
            Method {
                name: stringify!($flat),
                draw: |draw| running!($types draw, $kind, $missing,
                    |x, axis| x.$name(axis).into_dyn(), |x| x.$flat().into_dyn()),
            },)*
            Method { name: "scan_with", draw: scan_with },
            Method { name: "forward_fill", draw: |draw| fill(draw, false) },
            Method { name: "backward_fill", draw: |draw| fill(draw, true) },
            Method { name: "ewm_mean", draw: ewm },
        ]
    };
    (any $draw:ident, $kind:ident, $missing:expr, $along:expr, $flat:expr) => {
        match $draw.below(5) {
            0 => used::<bool, _>($draw, ScanKind::$kind, $missing, $along, $flat),
            1 => used::<u8, _>($draw, ScanKind::$kind, $missing, $along, $flat),
            2 => used::<i32, _>($draw, ScanKind::$kind, $missing, $along, $flat),
            3 => used::<f32, _>($draw, ScanKind::$kind, $missing, $along, $flat),
            _ => used::<f64, _>($draw, ScanKind::$kind, $missing, $along, $flat),
        }
    };
    (float $draw:ident, $kind:ident, $missing:expr, $along:expr, $flat:expr) => {
        match $draw.below(2) {
            0 => used::<f32, _>($draw, ScanKind::$kind, $missing, $along, $flat),
            _ => used::<f64, _>($draw, ScanKind::$kind, $missing, $along, $flat),
        }
    };
}

pub(super) const METHODS: &[Method] = running! {
    cumsum cumsum_flat Sum any None;
    cumprod cumprod_flat Prod any None;
    cummax cummax_flat Max any None;
    cummin cummin_flat Min any None;
    nan_cumsum nan_cumsum_flat Sum float Some(0.0);
    nan_cumprod nan_cumprod_flat Prod float Some(1.0);
    nan_cummax nan_cummax_flat FMax float None;
    nan_cummin nan_cummin_flat FMin float None;
};

/// An array of small integers, for products powers of two, which no order of joining rounds; a few of them NaN in floats.
fn tame<T: Element>(draw: &mut Draw, kind: &ScanKind, ndim: usize) -> (LazyArrayD<T>, PlainArray) {
    let (lazy, plain) = array::<u8>(draw, ndim);
    let product = *kind == ScanKind::Prod;
    let number = move |x: u8| if product { 1 << (x % 3) } else { x % 3 };
    let some = draw.one_in(3) && T::DTYPE.is_float();
    let most = if some { number(2) } else { u8::MAX };
    let element = move |x: u8| if number(x) == most { f64::NAN } else { f64::from(number(x)) };
    let lazy = lazy.mapv(element).cast();
    let plain = PlainArray::from_fn(T::DTYPE, plain.shape(), |index| match plain.get(index) {
        Scalar::U8(x) => eval_cast(Scalar::F64(element(x)), T::DTYPE),
        other => unreachable!("{other} is no element of an array of u8"),
    });
    (lazy, plain)
}

/// A use along an axis, along one that is not there, or of the elements in C order.
fn used<T: Element, U: Element>(
    draw: &mut Draw,
    kind: ScanKind,
    missing: Option<f64>,
    along: impl Fn(&LazyArrayD<T>, Axis) -> LazyArrayD<U>,
    flat: impl Fn(&LazyArrayD<T>) -> LazyArrayD<U>,
) -> Use
where
    LazyArrayD<U>: Into<crate::AnyArray>,
{
    let ndim = 1 + draw.below(3);
    let (x, plain) = tame::<T>(draw, &kind, ndim);
    let plain = PlainArray::from_fn(U::DTYPE, plain.shape(), |index| {
        let x = eval_cast(plain.get(index), U::DTYPE);
        let nan = is_nan(x);
        missing.filter(|_| nan).map_or(x, |x| eval_cast(Scalar::F64(x), U::DTYPE))
    });
    if draw.one_in(4) {
        let line = plain.with_shape(&[plain.data().len()]);
        return Use::exact(flat(&x), before(&line, 0, |a, b| join(&kind, a, b)));
    }
    let axis = any_axis(draw, ndim);
    if axis == ndim {
        return Use::fails(along(&x, Axis(axis)));
    }
    Use::exact(along(&x, Axis(axis)), before(&plain, axis, |a, b| join(&kind, a, b)))
}

/// An axis, or now and then one that is not there.
pub(super) fn any_axis(draw: &mut Draw, ndim: usize) -> usize {
    let beyond = usize::from(draw.one_in(6));
    draw.below(ndim + beyond)
}

/// Each element joined with all before it along an axis, one by one.
fn before(x: &PlainArray, axis: usize, join: impl Fn(Scalar, Scalar) -> Scalar) -> PlainArray {
    PlainArray::from_fn(x.dtype(), x.shape(), |index| {
        let mut at = index.to_vec();
        let elements = (0..=index[axis]).map(|i| {
            at[axis] = i;
            x.get(&at)
        });
        elements.reduce(&join).expect("an element is among those before it")
    })
}

fn scan_with(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = array::<u64>(draw, ndim);
    let axis = any_axis(draw, ndim);
    let got = x.scan_with(Axis(axis), 1 << 32, composed);
    if axis == ndim {
        return Use::fails(got);
    }
    let join = |a: Scalar, b: Scalar| match (a, b) {
        (Scalar::U64(a), Scalar::U64(b)) => Scalar::U64(composed(a, b)),
        _ => a,
    };
    Use::exact(got, before(&plain, axis, join))
}

fn fill(draw: &mut Draw, backward: bool) -> Use {
    let double = draw.one_in(2);
    if double { fill_of::<f64>(draw, backward) } else { fill_of::<f32>(draw, backward) }
}

fn fill_of<T: Float>(draw: &mut Draw, backward: bool) -> Use
where
    LazyArrayD<T>: Into<crate::AnyArray>,
{
    let ndim = 1 + draw.below(3);
    let (x, plain) = tame::<T>(draw, &ScanKind::Prod, ndim);
    let axis = any_axis(draw, ndim);
    let limit = draw.one_in(2).then(|| draw.below(4));
    let got = if backward { x.backward_fill(Axis(axis), limit) } else { x.forward_fill(Axis(axis), limit) };
    if axis == ndim {
        return Use::fails(got);
    }
    let len = plain.shape()[axis];
    let want = PlainArray::from_fn(plain.dtype(), plain.shape(), |index| {
        let mut at = index.to_vec();
        let reach = limit.unwrap_or(len).min(len) as i64;
        let step = if backward { 1 } else { -1 };
        let near = (0..=reach).map(|far| index[axis] as i64 + step * far);
        let near = near.filter_map(|i| usize::try_from(i).ok().filter(|&i| i < len));
        let mut near = near.map(|i| {
            at[axis] = i;
            plain.get(&at)
        });
        let found = near.find(|&x| !is_nan(x));
        found.unwrap_or_else(|| eval_cast(Scalar::F64(f64::NAN), plain.dtype()))
    });
    Use::exact(got, want)
}

fn ewm(draw: &mut Draw) -> Use {
    let ndim = 1 + draw.below(3);
    let (x, plain) = tame::<f64>(draw, &ScanKind::Prod, ndim);
    let axis = any_axis(draw, ndim);
    let (alpha, recursive) = (*draw.pick(&[0.5, 0.125, 1.0, 0.0, 1.5]), draw.one_in(2));
    let weights = if recursive { Ewm::alpha(alpha).recursive() } else { Ewm::alpha(alpha) };
    let got = x.ewm_mean(weights, Axis(axis));
    if axis == ndim || !(alpha > 0.0 && alpha <= 1.0) {
        return Use::fails(got);
    }
    let want = PlainArray::from_fn(plain.dtype(), plain.shape(), |index| {
        let mut at = index.to_vec();
        let (mut sum, mut weights, mut first) = (0.0, 0.0, true);
        for i in 0..=index[axis] {
            at[axis] = i;
            let x = float(plain.get(&at));
            (sum, weights) = (sum * (1.0 - alpha), weights * (1.0 - alpha));
            if !x.is_nan() {
                let weight = if recursive && !first { alpha } else { 1.0 };
                (sum, weights, first) = (sum + weight * x, weights + weight, false);
            }
        }
        Scalar::F64(sum / weights)
    });
    Use::within(1e-12, got, want)
}
