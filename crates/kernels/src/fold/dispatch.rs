//! The loops of a rule, compiled for each instruction set.
#![allow(unsafe_code)]

use super::rule::Rule;
use crate::isa::per_isa;

/// The loops of a rule for this processor.
pub(super) struct Loops<R: Rule> {
    segment: SegmentFn<R::Item, R::State>,
    short: ShortFn<R::Item, R::State>,
    columns: ColumnsFn<R::Item, R::State>,
    merge: MergeFn<R::State>,
}

type SegmentFn<T, S> = unsafe fn(&[T], u64) -> S;
type ShortFn<T, S> = unsafe fn(&[T], usize, &mut Vec<S>);
type ColumnsFn<T, S> = unsafe fn(&[&[T]], u64, &mut [S]);
type MergeFn<S> = unsafe fn(&mut [S], u64, &[S], u64);

impl<R: Rule> Loops<R> {
    /// The best version of rules that are [`WIDE`](Rule::WIDE), and the one version of others.
    pub(super) fn new() -> Loops<R> {
        if R::WIDE {
            Loops {
                segment: segment::<R>(),
                short: short::<R>(),
                columns: columns::<R>(),
                merge: merge::<R>(),
            }
        } else {
            Loops {
                segment: segment_body::<R>,
                short: short_body::<R>,
                columns: columns_body::<R>,
                merge: merge_body::<R>,
            }
        }
    }

    /// [`Rule::segment`].
    #[inline]
    pub(super) fn segment(&self, items: &[R::Item], at: u64) -> R::State {
        // SAFETY: the body is safe, and the processor has the instructions it was picked for.
        unsafe { (self.segment)(items, at) }
    }

    /// The states of rows of `len` elements each, every one of them a segment.
    pub(super) fn short(&self, items: &[R::Item], len: usize, states: &mut Vec<R::State>) {
        // SAFETY: as for `segment`.
        unsafe { (self.short)(items, len, states) }
    }

    /// [`Rule::columns`].
    pub(super) fn columns(&self, rows: &[&[R::Item]], at: u64, states: &mut [R::State]) {
        // SAFETY: as for `segment`.
        unsafe { (self.columns)(rows, at, states) }
    }

    /// [`Rule::merge`] of each state of `a` with that of `b`.
    pub(super) fn merge(&self, a: &mut [R::State], na: u64, b: &[R::State], nb: u64) {
        // SAFETY: as for `segment`.
        unsafe { (self.merge)(a, na, b, nb) }
    }
}

/// # Safety
/// None is needed; the loops of a table have one form.
#[inline(always)]
unsafe fn segment_body<R: Rule>(items: &[R::Item], at: u64) -> R::State {
    R::segment(items, at)
}

/// # Safety
/// None is needed.
#[inline(always)]
unsafe fn short_body<R: Rule>(items: &[R::Item], len: usize, states: &mut Vec<R::State>) {
    for row in items.chunks_exact(len) {
        states.push(R::segment(row, 0));
    }
}

/// # Safety
/// None is needed.
#[inline(always)]
unsafe fn columns_body<R: Rule>(rows: &[&[R::Item]], at: u64, states: &mut [R::State]) {
    R::columns(rows, at, states);
}

/// # Safety
/// None is needed.
#[inline(always)]
unsafe fn merge_body<R: Rule>(a: &mut [R::State], na: u64, b: &[R::State], nb: u64) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = R::merge(*a, na, b, nb);
    }
}

per_isa! { fn segment<R: [Rule]>(items: &[R::Item], at: u64) -> R::State = segment_body::<R> }
per_isa! { fn short<R: [Rule]>(items: &[R::Item], len: usize, states: &mut Vec<R::State>) = short_body::<R> }
per_isa! { fn columns<R: [Rule]>(rows: &[&[R::Item]], at: u64, states: &mut [R::State]) = columns_body::<R> }
per_isa! { fn merge<R: [Rule]>(a: &mut [R::State], na: u64, b: &[R::State], nb: u64) = merge_body::<R> }
