//! Reductions that users write, as methods: a type that says how, or four closures.

use std::marker::PhantomData;

use chunkwise_chunk::Element;
use chunkwise_expr::{BlockError, ReduceKind, Reduction, UserReduction};
use ndarray::{Axis, RemoveAxis};

use super::here;
use crate::{IntoAxes, LazyArray, LazyArrayD, LazyScalar};

impl<T: Element, D> LazyArray<T, D> {
    /// A reduction of your own over all elements; see [`Reduction`]. Runs as the built-in ones do: fused with what is
    /// in front of it, together with other reductions of the same elements, in parallel, the same bits on any number of
    /// threads.
    ///
    /// Two uses of one `Arc` of it are one reduction, computed once; two values are two.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::Reduction;
    ///
    /// /// The smallest and the largest element, one less the other.
    /// struct Spread;
    ///
    /// impl Reduction for Spread {
    ///     type Item = f64;
    ///     type State = Option<(f64, f64)>;
    ///     type Output = f64;
    ///
    ///     fn name(&self) -> &str {
    ///         "spread"
    ///     }
    ///     fn identity(&self) -> Self::State {
    ///         None
    ///     }
    ///     fn fold(&self, state: &mut Self::State, items: &[f64]) {
    ///         for &x in items {
    ///             let (low, high) = state.unwrap_or((x, x));
    ///             *state = Some((low.min(x), high.max(x)));
    ///         }
    ///     }
    ///     fn merge(&self, state: &mut Self::State, later: &Self::State) {
    ///         if let &Some((low, high)) = later {
    ///             self.fold(state, &[low, high]);
    ///         }
    ///     }
    ///     fn finish(&self, state: &Self::State) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
    ///         let (low, high) = state.ok_or("there are no elements")?;
    ///         Ok(high - low)
    ///     }
    /// }
    ///
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 4.0, 16.0]), 2);
    /// assert_eq!(x.sqrt().reduce_with(Spread).compute()?, 3.0);
    /// assert!(x.slice(s![..0]).reduce_with(Spread).compute().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reduce_with<R: Reduction<Item = T>>(&self, reduction: R) -> LazyScalar<R::Output> {
        let kind = ReduceKind::User(UserReduction::new(reduction));
        LazyArray::wrap(self.expr().reduce(kind, None, false, 0.0, here()))
    }

    /// [`reduce_with`](LazyArray::reduce_with) along one axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::reduction;
    /// let longest = reduction(0, |n, items: &[i32]| *n += items.len(), |n, m| *n += m, |&n| n as i64);
    /// let x = LazyArray::<i32, _>::zeros((2, 3), 2);
    /// assert_eq!(x.reduce_with_axis(Axis(1), longest).compute()?, ndarray::arr1(&[3, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reduce_with_axis<R: Reduction<Item = T>>(
        &self,
        axis: Axis,
        reduction: R,
    ) -> LazyArray<R::Output, D::Smaller>
    where
        D: RemoveAxis,
    {
        let kind = ReduceKind::User(UserReduction::new(reduction));
        LazyArray::wrap(self.expr().reduce(kind, Some(&[axis.index()]), false, 0.0, here()))
    }

    /// [`reduce_with`](LazyArray::reduce_with) along several axes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::reduction;
    /// let count = reduction(0, |n, items: &[i32]| *n += items.len(), |n, m| *n += m, |&n| n as i64);
    /// let x = LazyArray::<i32, _>::zeros((2, 3, 4), 2);
    /// assert_eq!(x.reduce_with_axes([Axis(0), Axis(2)], count).compute()?[[1]], 8);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reduce_with_axes<R: Reduction<Item = T>>(
        &self,
        axes: impl IntoAxes,
        reduction: R,
    ) -> LazyArrayD<R::Output> {
        let kind = ReduceKind::User(UserReduction::new(reduction));
        LazyArray::wrap(self.expr().reduce(kind, Some(&axes.into_axes()), false, 0.0, here()))
    }

    /// [`reduce_with`](LazyArray::reduce_with) along some axes, which stay with length 1.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// use chunkwise::reduction;
    /// let count = reduction(0, |n, items: &[i32]| *n += items.len(), |n, m| *n += m, |&n| n as i64);
    /// let x = LazyArray::<i32, _>::zeros((2, 3), 2);
    /// assert_eq!(x.reduce_with_keepdims(Axis(1), count).shape(), [2, 1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reduce_with_keepdims<R: Reduction<Item = T>>(
        &self,
        axes: impl IntoAxes,
        reduction: R,
    ) -> LazyArray<R::Output, D> {
        let kind = ReduceKind::User(UserReduction::new(reduction));
        LazyArray::wrap(self.expr().reduce(kind, Some(&axes.into_axes()), true, 0.0, here()))
    }

    /// A reduction of four closures over all elements: `init` is the state of no elements, `fold` takes runs of elements,
    /// `merge` the state of later elements, `finish` gives the value. See [`Reduction`]; along axes it is
    /// [`reduce_with_axis`](LazyArray::reduce_with_axis) and the like of a [`reduction`].
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[3_u8, 5, 6]), 2);
    /// let parity = x.fold_with(
    ///     0,
    ///     |bits, items| items.iter().for_each(|x| *bits ^= x),
    ///     |bits, later| *bits ^= later,
    ///     |bits: &u8| *bits == 0,
    /// );
    /// assert!(parity.compute()?);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn fold_with<S, U>(
        &self,
        init: S,
        fold: impl Fn(&mut S, &[T]) + Send + Sync + 'static,
        merge: impl Fn(&mut S, &S) + Send + Sync + 'static,
        finish: impl Fn(&S) -> U + Send + Sync + 'static,
    ) -> LazyScalar<U>
    where
        S: Clone + Send + Sync + 'static,
        U: Element,
    {
        self.reduce_with(Closures { name: "fold_with", init, fold, merge, finish, typed: PhantomData })
    }

    /// [`fold_with`](LazyArray::fold_with) along one axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[3, 8], [7, 0]]), 1);
    /// let bits = x.fold_with_axis(
    ///     Axis(1),
    ///     0_u32,
    ///     |count, items: &[u32]| *count += items.iter().map(|x| x.count_ones()).sum::<u32>(),
    ///     |count, later| *count += later,
    ///     |count| *count,
    /// );
    /// assert_eq!(bits.compute()?, ndarray::arr1(&[3, 3]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn fold_with_axis<S, U>(
        &self,
        axis: Axis,
        init: S,
        fold: impl Fn(&mut S, &[T]) + Send + Sync + 'static,
        merge: impl Fn(&mut S, &S) + Send + Sync + 'static,
        finish: impl Fn(&S) -> U + Send + Sync + 'static,
    ) -> LazyArray<U, D::Smaller>
    where
        D: RemoveAxis,
        S: Clone + Send + Sync + 'static,
        U: Element,
    {
        let name = "fold_with_axis";
        self.reduce_with_axis(axis, Closures { name, init, fold, merge, finish, typed: PhantomData })
    }

    /// [`fold_with`](LazyArray::fold_with) along several axes.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[3, 8], [7, 1]]), 1);
    /// let last = x.fold_with_axes(
    ///     [Axis(0), Axis(1)],
    ///     0,
    ///     |last, items: &[i32]| *last = items[items.len() - 1],
    ///     |last, later| *last = *later,
    ///     |last| *last,
    /// );
    /// assert_eq!(last.compute()?[[]], 1);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn fold_with_axes<S, U>(
        &self,
        axes: impl IntoAxes,
        init: S,
        fold: impl Fn(&mut S, &[T]) + Send + Sync + 'static,
        merge: impl Fn(&mut S, &S) + Send + Sync + 'static,
        finish: impl Fn(&S) -> U + Send + Sync + 'static,
    ) -> LazyArrayD<U>
    where
        S: Clone + Send + Sync + 'static,
        U: Element,
    {
        let name = "fold_with_axes";
        self.reduce_with_axes(axes, Closures { name, init, fold, merge, finish, typed: PhantomData })
    }
}

/// A [`Reduction`] of four closures: what it starts with, how runs of elements are folded into it, how the state of later
/// elements is, and what comes out.
///
/// ```
/// use chunkwise::prelude::*;
/// let bits = chunkwise::reduction(
///     0_u32,
///     |count, items: &[u32]| *count += items.iter().map(|x| x.count_ones()).sum::<u32>(),
///     |count, later| *count += later,
///     |count| *count,
/// );
/// let x = LazyArray::from_ndarray(ndarray::arr2(&[[3, 8], [7, 0]]), 1);
/// assert_eq!(x.reduce_with_axis(Axis(1), bits).compute()?, ndarray::arr1(&[3, 3]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub fn reduction<T, S, U>(
    init: S,
    fold: impl Fn(&mut S, &[T]) + Send + Sync + 'static,
    merge: impl Fn(&mut S, &S) + Send + Sync + 'static,
    finish: impl Fn(&S) -> U + Send + Sync + 'static,
) -> impl Reduction<Item = T, State = S, Output = U>
where
    T: Element,
    S: Clone + Send + Sync + 'static,
    U: Element,
{
    Closures { name: "reduction", init, fold, merge, finish, typed: PhantomData }
}

/// A reduction of closures.
struct Closures<S, T, U, F, M, G> {
    name: &'static str,
    init: S,
    fold: F,
    merge: M,
    finish: G,
    typed: PhantomData<fn(T) -> U>,
}

impl<S, T, U, F, M, G> Reduction for Closures<S, T, U, F, M, G>
where
    S: Clone + Send + Sync + 'static,
    T: Element,
    U: Element,
    F: Fn(&mut S, &[T]) + Send + Sync + 'static,
    M: Fn(&mut S, &S) + Send + Sync + 'static,
    G: Fn(&S) -> U + Send + Sync + 'static,
{
    type Item = T;
    type State = S;
    type Output = U;

    fn name(&self) -> &str {
        self.name
    }

    fn identity(&self) -> S {
        self.init.clone()
    }

    fn fold(&self, state: &mut S, items: &[T]) {
        (self.fold)(state, items);
    }

    fn merge(&self, state: &mut S, later: &S) {
        (self.merge)(state, later);
    }

    fn finish(&self, state: &S) -> Result<U, BlockError> {
        Ok((self.finish)(state))
    }
}
