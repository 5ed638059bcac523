//! The loops of a rule, compiled for each instruction set.
#![allow(unsafe_code)]

use super::rule::Rule;
use crate::isa::per_isa;

/// The loops of a rule for this processor.
pub(super) struct Loops<R: Rule> {
    segments: SegmentsFn<R::Item, R::State>,
    columns: ColumnsFn<R::Item, R::State>,
    merge: MergeFn<R::State>,
}

type SegmentsFn<T, S> = unsafe fn(&[T], usize, [u64; 2], &mut Vec<S>);
type ColumnsFn<T, S> = unsafe fn(&[&[T]], u64, &mut [S]);
type MergeFn<S> = unsafe fn(&mut [S], u64, &[S], u64);

impl<R: Rule> Loops<R> {
    /// The best version of rules that are [`WIDE`](Rule::WIDE), and the one version of others.
    pub(super) fn new() -> Loops<R> {
        if R::WIDE {
            Loops { segments: segments::<R>(), columns: columns::<R>(), merge: merge::<R>() }
        } else {
            Loops { segments: segments_body::<R>, columns: columns_body::<R>, merge: merge_body::<R> }
        }
    }

    /// Adds the state of each run of `len` elements, the last one shorter; positions start at `at[0]` and
    /// advance by `at[1]` from run to run. See [`Rule::segment`].
    pub(super) fn segments(&self, items: &[R::Item], len: usize, at: [u64; 2], states: &mut Vec<R::State>) {
        // SAFETY: the body is safe, and the processor has the instructions it was picked for.
        unsafe { (self.segments)(items, len, at, states) }
    }

    /// [`Rule::columns`].
    pub(super) fn columns(&self, rows: &[&[R::Item]], at: u64, states: &mut [R::State]) {
        // SAFETY: as for `segments`.
        unsafe { (self.columns)(rows, at, states) }
    }

    /// [`Rule::merge`] of each state of `a` with that of `b`.
    pub(super) fn merge(&self, a: &mut [R::State], na: u64, b: &[R::State], nb: u64) {
        // SAFETY: as for `segments`.
        unsafe { (self.merge)(a, na, b, nb) }
    }
}

/// # Safety
/// None is needed; the loops of a table have one form.
#[inline(always)]
unsafe fn segments_body<R: Rule>(items: &[R::Item], len: usize, at: [u64; 2], states: &mut Vec<R::State>) {
    for (i, run) in items.chunks(len).enumerate() {
        states.push(R::segment(run, at[0] + i as u64 * at[1]));
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

per_isa! {
    fn segments<R: [Rule]>(items: &[R::Item], len: usize, at: [u64; 2], states: &mut Vec<R::State>)
        = segments_body::<R>
}
per_isa! { fn columns<R: [Rule]>(rows: &[&[R::Item]], at: u64, states: &mut [R::State]) = columns_body::<R> }
per_isa! { fn merge<R: [Rule]>(a: &mut [R::State], na: u64, b: &[R::State], nb: u64) = merge_body::<R> }
