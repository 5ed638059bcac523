//! Choices among arrays, element by element: by an index, by the first condition that holds, piece by piece.

use chunkwise_chunk::{DType, Element, Integer};
use chunkwise_expr::{BinaryOp, Expr, ExprError};
use ndarray::{DimMax, Dimension};

use super::here;
use super::values_expr::Elementwise;
use crate::{LazyArray, Operand};

impl<I: Integer, D: Dimension> LazyArray<I, D> {
    /// Of several arrays the element of the one whose number this array holds there; all broadcast. An index that is
    /// negative or too large is an error when it is met: `clip` or `modulo` before this method give what NumPy calls
    /// the modes `clip` and `wrap`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let which = LazyArray::from_ndarray(ndarray::arr1(&[0, 2, 1]), 2);
    /// let rows = [10, 20, 30].map(|x| LazyArray::<i32, _>::full(3, x, 3));
    /// assert_eq!(which.choose(&rows).compute()?, ndarray::arr1(&[10, 30, 20]));
    /// assert!((which + 1).choose(&rows).compute().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn choose<T: Element, E: Dimension>(
        &self,
        choices: &[LazyArray<T, E>],
    ) -> LazyArray<T, <D as DimMax<E>>::Output>
    where
        D: DimMax<E>,
    {
        let choices: Vec<&Expr> = choices.iter().map(LazyArray::expr).collect();
        LazyArray::wrap(choose(self.expr(), &choices, Elementwise(here())))
    }
}

/// Of several arrays the element of the first whose condition is true there, else that of `default`, a number or an array
/// of no more axes; all broadcast.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(0, 6, 1, 4);
/// let y = chunkwise::select(&[x.lt(2), x.lt(4)], &[&x * 10, -&x], 7);
/// assert_eq!(y.compute()?, ndarray::arr1(&[0, 10, -2, -3, 7, 7]));
/// let y = chunkwise::select(&[x.lt(4)], &[-&x], x.square());
/// assert_eq!(y.compute()?, ndarray::arr1(&[0, -1, -2, -3, 16, 25]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn select<T: Element, D, O: Operand<T>>(
    conditions: &[LazyArray<bool, D>],
    choices: &[LazyArray<T, D>],
    default: O,
) -> LazyArray<T, D>
where
    D: Dimension + DimMax<O::Dim, Output = D>,
{
    let at = here();
    if conditions.is_empty() || conditions.len() != choices.len() {
        let text = format!("{} conditions for {} arrays", conditions.len(), choices.len());
        return LazyArray::wrap(Expr::invalid("select", ExprError::Message(text), at));
    }
    let pieces: Vec<_> =
        conditions.iter().map(LazyArray::expr).zip(choices.iter().map(LazyArray::expr)).collect();
    let make = Elementwise(at);
    LazyArray::wrap(first_of(&pieces, default.operand(at), make))
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// A function of these elements that is put together of pieces: where a condition is true, its function, and
    /// elsewhere `otherwise`; of several true ones the last counts, as in NumPy. Every function is a function of the
    /// whole array, and all are computed for all elements.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr1(&[-2.0, -1.0, 0.0, 4.0]), 2);
    /// let y = x.piecewise(&[(&x.lt(0.0), &|x| x.abs()), (&x.gt(1.0), &|x| x.sqrt())], |x| x + 7.0);
    /// assert_eq!(y.compute()?, ndarray::arr1(&[2.0, 1.0, 7.0, 2.0]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[allow(clippy::type_complexity)] // a condition and a function
    pub fn piecewise(
        &self,
        pieces: &[(&LazyArray<bool, D>, &dyn Fn(&Self) -> Self)],
        otherwise: impl FnOnce(&Self) -> Self,
    ) -> Self {
        let values: Vec<Self> = pieces.iter().map(|(_, function)| function(self)).collect();
        let pieces =
            pieces.iter().zip(&values).map(|((condition, _), value)| (condition.expr(), value.expr()));
        let pieces: Vec<_> = pieces.rev().collect();
        LazyArray::wrap(first_of(&pieces, otherwise(self).expr().clone(), Elementwise(here())))
    }
}

fn choose(index: &Expr, choices: &[&Expr], make: Elementwise) -> Expr {
    let Some((&last, _)) = choices.split_last() else {
        let text = "there must be at least one array to choose from".to_owned();
        return Expr::invalid("choose", ExprError::Message(text), make.0);
    };
    // Narrow types may not hold the number of choices; what `i64` does not hold becomes negative.
    let index = make.cast(index, DType::I64);
    let index = make.with(BinaryOp::IndexOf, &index, choices.len() as u64);
    // One choice is compared as well, so that the index is looked at.
    let compared = choices.len().max(2) - 1;
    let is_this = |k: usize| make.with(BinaryOp::Eq, &index, k as u64);
    let conditions: Vec<Expr> = (0..compared).map(is_this).collect();
    let pieces: Vec<_> = conditions.iter().zip(choices.iter().copied()).collect();
    first_of(&pieces, last.clone(), make)
}

/// The value of the first piece whose condition is true.
fn first_of(pieces: &[(&Expr, &Expr)], default: Expr, make: Elementwise) -> Expr {
    pieces.iter().rev().fold(default, |rest, (condition, value)| make.select(condition, value, &rest))
}
