//! Reductions of complex numbers: sums, products and means in `Complex<f64>`, variances part by part.
//!
//! ```text
//! var(z) = mean |z - mean z|^2 = var(re z) + var(im z)
//! ```
//!
//! The order of additions and merges is that of [`lanes`](super::lanes) and [`moments`](super::moments). A segment is
//! taken apart into its real and its imaginary parts, which are then folded as floats.

use std::marker::PhantomData;

use chunkwise_chunk::{Complex, Element};
use chunkwise_expr::{ReduceKind, cast};

use super::lanes::{Lanes, Monoid};
use super::moments::{Moment, Moments};
use super::rule::{Divisor, Rule};
use super::typed::{Folder, typed};
use crate::compile::SEGMENT;
use crate::machine::{COLUMNS, ROWS};

/// What totals are kept in.
type Total = Complex<f64>;

/// The rule of a reduction of complex numbers.
pub(super) fn folder<T: Compound>(kind: &ReduceKind) -> Box<dyn Folder> {
    match kind {
        ReduceKind::Sum => typed::<Lanes<Sum<T>>>(),
        ReduceKind::Prod => typed::<Lanes<Prod<T>>>(),
        ReduceKind::Mean => typed::<Lanes<Mean<T>>>(),
        ReduceKind::Var | ReduceKind::Std => typed::<Spread<T>>(),
        other => unreachable!("{other} of complex numbers is refused, or of what they are converted to"),
    }
}

/// A complex number.
pub(super) trait Compound: Element {
    /// With parts of f64.
    fn total(self) -> Total;
    /// A total, rounded.
    fn from_total(total: Total) -> Self;
    /// A variance, rounded.
    fn real(x: f64) -> Self::Real;
}

macro_rules! impl_compound {
    ($($t:ty)*) => { $(
        impl Compound for Complex<$t> {
            #[inline(always)]
            fn total(self) -> Total { cast(self) }
            fn from_total(total: Total) -> Self { cast(total) }
            fn real(x: f64) -> $t { cast(x) }
        }
    )* };
}
impl_compound!(f32 f64);

/// `sum`.
struct Sum<T>(PhantomData<T>);

impl<T: Compound> Monoid for Sum<T> {
    type Item = T;
    type State = Total;
    type Out = T;

    const WIDE: bool = true;

    #[inline(always)]
    fn start(_: T) -> Total {
        // Changes no sum.
        Complex::new(-0.0, -0.0)
    }
    #[inline(always)]
    fn lift(x: T) -> Total {
        x.total()
    }
    #[inline(always)]
    fn join(a: Total, b: Total) -> Total {
        a + b
    }
    fn value(state: Total, _: u64) -> T {
        T::from_total(state)
    }
    fn nothing() -> T {
        T::default()
    }
}

/// `prod`.
struct Prod<T>(PhantomData<T>);

impl<T: Compound> Monoid for Prod<T> {
    type Item = T;
    type State = Total;
    type Out = T;

    const WIDE: bool = false;

    #[inline(always)]
    fn start(_: T) -> Total {
        Complex::ONE
    }
    #[inline(always)]
    fn lift(x: T) -> Total {
        x.total()
    }
    #[inline(always)]
    fn join(a: Total, b: Total) -> Total {
        a * b
    }
    fn value(state: Total, _: u64) -> T {
        T::from_total(state)
    }
    fn nothing() -> T {
        T::from_total(Complex::ONE)
    }
}

/// `mean`.
struct Mean<T>(PhantomData<T>);

impl<T: Compound> Monoid for Mean<T> {
    type Item = T;
    type State = Total;
    type Out = T;

    const WIDE: bool = true;

    #[inline(always)]
    fn start(first: T) -> Total {
        Sum::start(first)
    }
    #[inline(always)]
    fn lift(x: T) -> Total {
        x.total()
    }
    #[inline(always)]
    fn join(a: Total, b: Total) -> Total {
        a + b
    }
    fn value(state: Total, count: u64) -> T {
        T::from_total(state / count as f64)
    }
    fn nothing() -> T {
        T::from_total(Complex::new(f64::NAN, f64::NAN))
    }
}

/// `var` and `std`: the moments of the real and of the imaginary parts.
struct Spread<T>(PhantomData<T>);

type OfFloats = Moments<f64>;

impl<T: Compound> Rule for Spread<T> {
    type Item = T;
    type State = [Moment; 2];
    type Out = T::Real;

    const WIDE: bool = false;

    fn segment(items: &[T], at: u64) -> [Moment; 2] {
        let mut parts = [[0.0; SEGMENT]; 2];
        for (i, x) in items.iter().enumerate() {
            let Total { re, im } = x.total();
            (parts[0][i], parts[1][i]) = (re, im);
        }
        parts.map(|part| OfFloats::segment(&part[..items.len()], at))
    }

    /// By columns of a cache line's length, so that a panel taken apart stays in the cache.
    fn columns(rows: &[&[T]], at: u64, states: &mut [[Moment; 2]]) {
        const STEP: usize = 8;
        for (start, states) in (0..COLUMNS).step_by(STEP).zip(states.chunks_mut(STEP)) {
            let width = states.len();
            let mut moments = [[Moment::default(); STEP]; 2];
            for (part, moments) in moments.iter_mut().enumerate() {
                let mut floats = [[0.0; STEP]; ROWS];
                for (floats, row) in floats.iter_mut().zip(rows) {
                    for (float, x) in floats.iter_mut().zip(&row[start..start + width]) {
                        let Total { re, im } = x.total();
                        *float = [re, im][part];
                    }
                }
                let floats = floats.each_ref().map(|row| &row[..width]);
                OfFloats::columns(&floats[..rows.len()], at, &mut moments[..width]);
            }
            for (i, state) in states.iter_mut().enumerate() {
                *state = [moments[0][i], moments[1][i]];
            }
        }
    }

    fn merge(a: [Moment; 2], na: u64, b: [Moment; 2], nb: u64) -> [Moment; 2] {
        [0, 1].map(|part| OfFloats::merge(a[part], na, b[part], nb))
    }

    fn value(state: [Moment; 2], count: u64, divisor: Divisor) -> T::Real {
        // Together before they are divided: 0 of one part must not be NaN where the other one gives an infinity.
        let [mut both, im] = state;
        both.m2 += im.m2;
        T::real(OfFloats::value(both, count, divisor))
    }

    fn nothing() -> T::Real {
        T::real(f64::NAN)
    }
}
