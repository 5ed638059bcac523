//! Reductions whose state is one value: sums, products, extremes, truth.
//!
//! ```text
//! segment   32 accumulators:  acc[i % 32] = join(acc[i % 32], x[i])   then halved: 16, 8, 4, 2, 1
//!           fewer than 32 elements are joined one after another
//! columns   acc[c] = join(acc[c], join of 8 rows as a tree)           8 rows at a time, then one by one
//! ```
//!
//! 32 accumulators hide the latency of an addition at every vector width (2.1 against 4.8 ms for 10 million
//! doubles, and a smaller error); 8 rows a pass keep the accumulators out of the way of the loads.

use std::marker::PhantomData;

use chunkwise_chunk::Element;
use chunkwise_expr::Order;

use super::rule::{Divisor, Rule};
use super::summed::{Ordered, Summed, Total};

const LANES: usize = 32;

/// A reduction that joins values.
pub(super) trait Monoid: 'static {
    type Item: Element;
    type State: Copy + Default + Send + Sync + 'static;
    type Out: Element;

    /// As [`Rule::WIDE`].
    const WIDE: bool;

    /// A state that joining the given element, and any after it, turns into their state.
    fn start(first: Self::Item) -> Self::State;
    /// The state of one element.
    fn lift(x: Self::Item) -> Self::State;
    /// The state of both.
    fn join(a: Self::State, b: Self::State) -> Self::State;
    /// The value of a state.
    fn value(state: Self::State, count: u64) -> Self::Out;
    /// The value of no elements.
    fn nothing() -> Self::Out;
}

/// The rule of a [`Monoid`].
pub(super) struct Lanes<M>(PhantomData<M>);

impl<M: Monoid> Rule for Lanes<M> {
    type Item = M::Item;
    type State = M::State;
    type Out = M::Out;

    const WIDE: bool = M::WIDE;

    #[inline(always)]
    fn segment(items: &[M::Item], _: u64) -> M::State {
        if items.len() < LANES {
            return items.iter().fold(M::start(items[0]), |acc, &x| M::join(acc, M::lift(x)));
        }
        let mut acc = [M::start(items[0]); LANES];
        let (blocks, tail) = items.as_chunks::<LANES>();
        for block in blocks {
            for (acc, &x) in acc.iter_mut().zip(block) {
                *acc = M::join(*acc, M::lift(x));
            }
        }
        for (acc, &x) in acc.iter_mut().zip(tail) {
            *acc = M::join(*acc, M::lift(x));
        }
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                acc[i] = M::join(acc[i], acc[i + half]);
            }
            half /= 2;
        }
        acc[0]
    }

    #[inline(always)]
    fn columns(rows: &[&[M::Item]], _: u64, states: &mut [M::State]) {
        for (state, &x) in states.iter_mut().zip(rows[0]) {
            *state = M::start(x);
        }
        let (groups, tail) = rows.as_chunks::<8>();
        for group in groups {
            join_eight::<M>(group, states);
        }
        for row in tail {
            for (state, &x) in states.iter_mut().zip(*row) {
                *state = M::join(*state, M::lift(x));
            }
        }
    }

    #[inline(always)]
    fn merge(a: M::State, _: u64, b: M::State, _: u64) -> M::State {
        M::join(a, b)
    }

    fn value(state: M::State, count: u64, _: Divisor) -> M::Out {
        M::value(state, count)
    }

    fn nothing() -> M::Out {
        M::nothing()
    }
}

#[inline(always)]
fn join_eight<M: Monoid>(rows: &[&[M::Item]; 8], states: &mut [M::State]) {
    let n = states.len();
    let [a, b, c, d, e, f, g, h] = rows.map(|row| &row[..n]);
    for i in 0..n {
        let left = M::join(M::join(M::lift(a[i]), M::lift(b[i])), M::join(M::lift(c[i]), M::lift(d[i])));
        let right = M::join(M::join(M::lift(e[i]), M::lift(f[i])), M::join(M::lift(g[i]), M::lift(h[i])));
        states[i] = M::join(states[i], M::join(left, right));
    }
}

/// `sum`.
pub(super) struct Sum<T>(PhantomData<T>);

impl<T: Summed> Monoid for Sum<T> {
    type Item = T;
    type State = T::Total;
    type Out = T;

    const WIDE: bool = T::FLOAT;

    #[inline(always)]
    fn start(_: T) -> T::Total {
        T::Total::NOTHING
    }
    #[inline(always)]
    fn lift(x: T) -> T::Total {
        x.total()
    }
    #[inline(always)]
    fn join(a: T::Total, b: T::Total) -> T::Total {
        a.plus(b)
    }
    fn value(state: T::Total, _: u64) -> T {
        T::from_total(state)
    }
    fn nothing() -> T {
        T::from_total(T::Total::ZERO)
    }
}

/// `prod`.
pub(super) struct Prod<T>(PhantomData<T>);

impl<T: Summed> Monoid for Prod<T> {
    type Item = T;
    type State = T::Total;
    type Out = T;

    const WIDE: bool = false;

    #[inline(always)]
    fn start(_: T) -> T::Total {
        T::Total::ONE
    }
    #[inline(always)]
    fn lift(x: T) -> T::Total {
        x.total()
    }
    #[inline(always)]
    fn join(a: T::Total, b: T::Total) -> T::Total {
        a.times(b)
    }
    fn value(state: T::Total, _: u64) -> T {
        T::from_total(state)
    }
    fn nothing() -> T {
        T::from_total(T::Total::ONE)
    }
}

/// `mean`.
pub(super) struct Mean<T>(PhantomData<T>);

impl<T: Summed> Monoid for Mean<T> {
    type Item = T;
    type State = f64;
    type Out = T;

    const WIDE: bool = T::FLOAT;

    #[inline(always)]
    fn start(_: T) -> f64 {
        f64::NOTHING
    }
    #[inline(always)]
    fn lift(x: T) -> f64 {
        x.float()
    }
    #[inline(always)]
    fn join(a: f64, b: f64) -> f64 {
        a + b
    }
    fn value(state: f64, count: u64) -> T {
        T::from_float(state / count as f64)
    }
    fn nothing() -> T {
        T::from_float(f64::NAN)
    }
}

/// Which of two elements is wanted.
pub(super) trait Side: 'static {
    /// The wanted one; NaN when either is, the first one when they are equal.
    fn pick<T: Order>(a: T, b: T) -> T;
    /// True where `a` is wanted rather than `b`, both being numbers.
    fn better<T: Order>(a: T, b: T) -> bool;
    /// True where an element takes the place of one before it: NaN that of a number.
    #[inline(always)]
    fn beats<T: Order>(x: T, before: T) -> bool {
        Self::better(x, before) | (x.unordered() & !before.unordered())
    }
    /// Whether NaN is wanted only where there is nothing else.
    const SKIPS_NAN: bool = false;
}

/// The largest.
pub(super) struct Largest;

/// The smallest.
pub(super) struct Smallest;

impl Side for Largest {
    #[inline(always)]
    fn pick<T: Order>(a: T, b: T) -> T {
        a.maximum(b)
    }
    #[inline(always)]
    fn better<T: Order>(a: T, b: T) -> bool {
        a > b
    }
}

impl Side for Smallest {
    #[inline(always)]
    fn pick<T: Order>(a: T, b: T) -> T {
        a.minimum(b)
    }
    #[inline(always)]
    fn better<T: Order>(a: T, b: T) -> bool {
        a < b
    }
}

/// The largest, or the smallest, of the numbers; NaN when there is none.
pub(super) struct Numbers<S>(PhantomData<S>);

macro_rules! impl_numbers {
    ($($side:ident $pick:ident;)*) => { $(
        impl Side for Numbers<$side> {
            const SKIPS_NAN: bool = true;

            #[inline(always)]
            fn pick<T: Order>(a: T, b: T) -> T {
                a.$pick(b)
            }
            #[inline(always)]
            fn better<T: Order>(a: T, b: T) -> bool {
                $side::better(a, b)
            }
            #[inline(always)]
            fn beats<T: Order>(x: T, before: T) -> bool {
                Self::better(x, before) | (!x.unordered() & before.unordered())
            }
        }
    )* };
}
impl_numbers! { Largest fmax; Smallest fmin; }

/// `min` and `max`, and those that skip NaN.
pub(super) struct Extreme<T, S>(PhantomData<(T, S)>);

impl<T: Ordered, S: Side> Monoid for Extreme<T, S> {
    type Item = T;
    type State = T;
    type Out = T;

    const WIDE: bool = T::FLOAT;

    #[inline(always)]
    fn start(first: T) -> T {
        first
    }
    #[inline(always)]
    fn lift(x: T) -> T {
        x
    }
    #[inline(always)]
    fn join(a: T, b: T) -> T {
        S::pick(a, b)
    }
    fn value(state: T, _: u64) -> T {
        state
    }
    fn nothing() -> T {
        T::ABSENT
    }
}

/// `any` and `all`: the largest and the smallest truth.
///
/// Neither stops early: an element after the answer may be an error, and whether it is reported must not
/// depend on whether the program was fused.
pub(super) struct Truth<S>(PhantomData<S>);

impl<S: Side> Monoid for Truth<S> {
    type Item = bool;
    type State = bool;
    type Out = bool;

    const WIDE: bool = false;

    #[inline(always)]
    fn start(first: bool) -> bool {
        first
    }
    #[inline(always)]
    fn lift(x: bool) -> bool {
        x
    }
    #[inline(always)]
    fn join(a: bool, b: bool) -> bool {
        S::pick(a, b)
    }
    fn value(state: bool, _: u64) -> bool {
        state
    }
    fn nothing() -> bool {
        // The value that joining any other overrides.
        S::better(false, true)
    }
}
