//! What is known of the elements of a window, and how it is joined from parts.

use chunkwise_chunk::{Element, Float};
use chunkwise_expr::{Arith, Order};

/// A statistic of a window that follows from those of its parts.
pub(super) trait Fold {
    /// Elements, and values of the statistic.
    type In: Element;
    /// What is known of a part.
    type State: Copy;

    /// What stands for an element beyond the ends of the array.
    fn missing(&self) -> Self::In;

    /// What is known of one element. The pivot is an element of each window that it is joined into.
    fn lift(&self, x: Self::In, pivot: Self::In) -> Self::State;

    /// What is known of two parts, the first one before the second one.
    fn join(&self, a: Self::State, b: Self::State) -> Self::State;

    /// The value of a whole window.
    fn value(&self, all: Self::State) -> Self::In;
}

/// The sum, NaN when an element is.
pub(super) struct Sum<T> {
    pub(super) missing: T,
}

impl<T: Arith> Fold for Sum<T> {
    type In = T;
    type State = T;

    fn missing(&self) -> T {
        self.missing
    }

    #[inline]
    fn lift(&self, x: T, _: T) -> T {
        x
    }

    #[inline]
    fn join(&self, a: T, b: T) -> T {
        a.plus(b)
    }

    #[inline]
    fn value(&self, sum: T) -> T {
        sum
    }
}

/// The mean, NaN when an element is.
pub(super) struct Mean {
    pub(super) window: f64,
}

impl Fold for Mean {
    type In = f64;
    type State = f64;

    fn missing(&self) -> f64 {
        f64::NAN
    }

    #[inline]
    fn lift(&self, x: f64, _: f64) -> f64 {
        x
    }

    #[inline]
    fn join(&self, a: f64, b: f64) -> f64 {
        a + b
    }

    #[inline]
    fn value(&self, sum: f64) -> f64 {
        sum / self.window
    }
}

/// The sum or the mean of the elements that are not NaN, where these are enough.
pub(super) struct Numbers {
    pub(super) mean: bool,
    pub(super) min_count: f64,
}

impl Fold for Numbers {
    type In = f64;
    type State = (f64, f64);

    fn missing(&self) -> f64 {
        f64::NAN
    }

    #[inline]
    fn lift(&self, x: f64, _: f64) -> (f64, f64) {
        if x.is_nan() { (-0.0, 0.0) } else { (x, 1.0) }
    }

    #[inline]
    fn join(&self, a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
        (a.0 + b.0, a.1 + b.1)
    }

    #[inline]
    fn value(&self, (sum, count): (f64, f64)) -> f64 {
        match () {
            () if count < self.min_count => f64::NAN,
            () if self.mean => sum / count,
            // The sum of no number is 0.0; adding it turns the -0.0 that stands for none into it.
            () if count == 0.0 => 0.0,
            () => sum,
        }
    }
}

/// The largest or smallest element, NaN when an element is.
pub(super) struct Extreme<T> {
    pub(super) missing: T,
    pub(super) largest: bool,
}

impl<T: Order> Fold for Extreme<T> {
    type In = T;
    type State = T;

    fn missing(&self) -> T {
        self.missing
    }

    #[inline]
    fn lift(&self, x: T, _: T) -> T {
        x
    }

    #[inline]
    fn join(&self, a: T, b: T) -> T {
        if self.largest { a.maximum(b) } else { a.minimum(b) }
    }

    #[inline]
    fn value(&self, extreme: T) -> T {
        extreme
    }
}

/// The largest or smallest of the elements that are not NaN, where these are enough.
pub(super) struct ExtremeNumber<T> {
    pub(super) missing: T,
    pub(super) largest: bool,
    pub(super) min_count: u64,
}

impl<T: Float + Order> Fold for ExtremeNumber<T> {
    type In = T;
    /// The extreme, and how many numbers there are, which `f32` could not count.
    type State = (T, u64);

    fn missing(&self) -> T {
        self.missing
    }

    #[inline]
    fn lift(&self, x: T, _: T) -> (T, u64) {
        (x, u64::from(!x.unordered()))
    }

    #[inline]
    fn join(&self, a: (T, u64), b: (T, u64)) -> (T, u64) {
        (if self.largest { a.0.fmax(b.0) } else { a.0.fmin(b.0) }, a.1 + b.1)
    }

    #[inline]
    fn value(&self, (extreme, count): (T, u64)) -> T {
        if count < self.min_count { T::nan() } else { extreme }
    }
}

/// The variance, NaN when an element is: from sums of distances to the pivot, and of their squares.
///
/// With the pivot k one of the n elements, the sum of the squares is at most n times that of the squared distances to the
/// mean: (k - mean)^2 is no larger than that sum. So the difference below loses no more than a factor of n of the
/// precision of the sums, whatever the mean is, and equal elements give 0.
pub(super) struct Variance {
    pub(super) window: f64,
    pub(super) ddof: f64,
    pub(super) root: bool,
}

impl Fold for Variance {
    type In = f64;
    type State = (f64, f64);

    fn missing(&self) -> f64 {
        f64::NAN
    }

    #[inline]
    fn lift(&self, x: f64, pivot: f64) -> (f64, f64) {
        let away = x - pivot;
        (away, away * away)
    }

    #[inline]
    fn join(&self, a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
        (a.0 + b.0, a.1 + b.1)
    }

    #[inline]
    fn value(&self, (sum, squares): (f64, f64)) -> f64 {
        let rest = squares - sum * sum / self.window;
        variance(rest, self.window, self.ddof, self.root)
    }
}

/// The variance of the elements that are not NaN, where these are enough: from counts, means and sums of squared
/// distances to them (Chan, Golub, LeVeque 1983), because no element is sure to be a number and a pivot.
pub(super) struct VarianceOfNumbers {
    pub(super) min_count: f64,
    pub(super) ddof: f64,
    pub(super) root: bool,
}

/// Count, mean, sum of squared distances to the mean.
type Moments = (f64, f64, f64);

impl Fold for VarianceOfNumbers {
    type In = f64;
    type State = Moments;

    fn missing(&self) -> f64 {
        f64::NAN
    }

    #[inline]
    fn lift(&self, x: f64, _: f64) -> Moments {
        // The distance of an infinity to itself, as this product, is NaN.
        if x.is_nan() { (0.0, 0.0, 0.0) } else { (1.0, x, 0.0 * x) }
    }

    #[inline]
    fn join(&self, a: Moments, b: Moments) -> Moments {
        if a.0 == 0.0 {
            return b;
        }
        if b.0 == 0.0 {
            return a;
        }
        let (count, away) = (a.0 + b.0, b.1 - a.1);
        let share = b.0 / count;
        (count, a.1 + away * share, a.2 + b.2 + away * away * a.0 * share)
    }

    #[inline]
    fn value(&self, (count, _, squares): Moments) -> f64 {
        if count < self.min_count { f64::NAN } else { variance(squares, count, self.ddof, self.root) }
    }
}

#[inline]
fn variance(squares: f64, count: f64, ddof: f64, root: bool) -> f64 {
    // Rounding may leave a little less than nothing; NaN stays.
    let squares = if squares <= 0.0 { 0.0 } else { squares };
    let variance = squares / (count - ddof).max(0.0);
    if root { variance.sqrt() } else { variance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_numbers_are_counted_than_an_f32_can_hold() {
        let least = 1 << 24;
        let fold = ExtremeNumber { missing: f32::NAN, largest: true, min_count: least + 1 };
        let all = fold.join((1.0, least), fold.lift(2.0, 2.0));
        assert_eq!(fold.value(all), 2.0);
        assert!(fold.value((1.0, least)).is_nan());
    }
}
