//! Sums of floats without rounding: the truth that sums in any order are compared with.

/// The sum of floats, rounded once.
///
/// Shewchuk's expansion of non-overlapping partial sums ("Adaptive precision floating-point arithmetic and
/// fast robust geometric predicates", 1997), as in Python's `math.fsum`. Where the partial sums overflow the
/// result is what adding from left to right gives.
///
/// ```
/// use chunkwise_testkit::exact_sum;
/// assert_eq!(exact_sum(&[1e100, 1.0, -1e100]), 1.0);
/// assert!(exact_sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
/// ```
pub fn exact_sum(values: &[f64]) -> f64 {
    let plain: f64 = values.iter().sum();
    let mut partials: Vec<f64> = Vec::new();
    for &value in values {
        let mut x = value;
        let mut kept = Vec::with_capacity(partials.len() + 1);
        for &y in &partials {
            let (high, low) = two_sum(x, y);
            if low != 0.0 {
                kept.push(low);
            }
            x = high;
        }
        kept.push(x);
        partials = kept;
    }
    if partials.iter().all(|x| x.is_finite()) { rounded_once(&partials) } else { plain }
}

/// `a + b` and what rounding lost (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let high = a + b;
    let b_part = high - a;
    (high, (a - (high - b_part)) + (b - b_part))
}

/// The sum of partial sums that grow and do not overlap. From the largest down, the first addition that
/// loses something decides the result; a tie is broken by the sign of what lies below.
fn rounded_once(partials: &[f64]) -> f64 {
    let Some((&last, rest)) = partials.split_last() else { return 0.0 };
    let (mut high, mut left) = (last, rest);
    while let Some((&next, below)) = left.split_last() {
        let (sum, low) = two_sum(high, next);
        high = sum;
        left = below;
        if low != 0.0 {
            let beneath = left.last().copied().unwrap_or(0.0);
            let doubled = low * 2.0;
            let same_side = (low < 0.0) == (beneath < 0.0) && beneath != 0.0;
            if same_side && (high + doubled) - high == doubled {
                high += doubled;
            }
            break;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancellation_loses_nothing() {
        assert_eq!(exact_sum(&[0.1; 10]), 1.0);
        assert_eq!(exact_sum(&[1e16, 1.0, 1.0, -1e16]), 2.0);
        assert_eq!(exact_sum(&[1.0, 1e-40, -1.0]), 1e-40);
        assert_eq!(exact_sum(&[]), 0.0);
    }

    #[test]
    fn half_way_is_decided_by_what_lies_below() {
        let half = f64::EPSILON / 2.0;
        assert_eq!(exact_sum(&[1.0, half]), 1.0);
        assert_eq!(exact_sum(&[1.0, half, 1e-40]), 1.0 + f64::EPSILON);
    }

    #[test]
    fn infinities_and_nan_are_as_added() {
        assert_eq!(exact_sum(&[1.0, f64::INFINITY]), f64::INFINITY);
        assert!(exact_sum(&[1.0, f64::NAN, f64::INFINITY]).is_nan());
        assert_eq!(exact_sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
    }
}
