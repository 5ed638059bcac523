//! `argmin` and `argmax`: the first extreme in C order of the reduced axes, or the first NaN; those that skip NaN find it
//! only where there is nothing else, which is an error.
//!
//! ```text
//! segment   extreme as in `lanes`, then the first element that equals it
//! columns   row by row:  if x beats best[c]:  best[c] = x, at[c] = row
//! merge     NaN before numbers (after them where it is skipped), then the better value, then the smaller position
//! ```
//!
//! Positions count elements of a block until it is done, then elements of the whole space: ties are decided
//! by where elements lie, not by which block came first.

use std::marker::PhantomData;

use super::lanes::{Extreme, Lanes, Side};
use super::rule::{Divisor, Rule};
use super::summed::Ordered;
use crate::KernelError;
use crate::machine::COLUMNS;

/// An element and where it is.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Found<T> {
    value: T,
    at: u64,
}

/// `argmin` and `argmax`, and those that skip NaN.
pub(super) struct Position<T, S>(PhantomData<(T, S)>);

impl<T: Ordered, S: Side> Rule for Position<T, S> {
    type Item = T;
    type State = Found<T>;
    type Out = i64;

    const WIDE: bool = T::FLOAT;
    const HAS_POSITION: bool = true;

    #[inline(always)]
    fn segment(items: &[T], at: u64) -> Found<T> {
        let value = Lanes::<Extreme<T, S>>::segment(items, at);
        Found { value, at: at + first_like(items, value) as u64 }
    }

    #[inline(always)]
    fn columns(rows: &[&[T]], at: u64, states: &mut [Found<T>]) {
        let n = states.len();
        let (mut best, mut found) = ([T::default(); COLUMNS], [0u32; COLUMNS]);
        let (best, found) = (&mut best[..n], &mut found[..n]);
        best.copy_from_slice(&rows[0][..n]);
        for (r, row) in rows.iter().enumerate().skip(1) {
            for ((&x, best), found) in row.iter().zip(&mut *best).zip(&mut *found) {
                let beats = S::beats(x, *best);
                *best = if beats { x } else { *best };
                *found = if beats { r as u32 } else { *found };
            }
        }
        for (state, (&value, &row)) in states.iter_mut().zip(best.iter().zip(&*found)) {
            *state = Found { value, at: at + u64::from(row) };
        }
    }

    #[inline(always)]
    fn merge(a: Found<T>, _: u64, b: Found<T>, _: u64) -> Found<T> {
        let (first, second) = if a.at <= b.at { (a, b) } else { (b, a) };
        if S::beats(second.value, first.value) { second } else { first }
    }

    fn moved(state: Found<T>, position: impl Fn(u64) -> u64) -> Found<T> {
        Found { at: position(state.at), ..state }
    }

    fn fault(state: Found<T>) -> Option<KernelError> {
        (S::SKIPS_NAN && state.value.unordered()).then_some(KernelError::OnlyNan)
    }

    fn value(state: Found<T>, _: u64, _: Divisor) -> i64 {
        state.at as i64
    }

    fn nothing() -> i64 {
        0
    }
}

/// Position of the first element that equals `value`, or of the first NaN when it is NaN: found a vector's
/// worth at a time, because a loop that may stop at any element is not vectorised (1.5 against .5 ns).
#[inline(always)]
fn first_like<T: Ordered>(items: &[T], value: T) -> usize {
    const BLOCK: usize = 32;
    let like = |x: T| (x == value) | (x.unordered() & value.unordered());
    let block = items.chunks(BLOCK).position(|block| block.iter().fold(false, |any, &x| any | like(x)));
    let start = block.unwrap_or(0) * BLOCK;
    start + items[start..].iter().position(|&x| like(x)).unwrap_or(0)
}
