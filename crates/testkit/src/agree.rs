//! Whether a computed array is what the evaluator says, operation by operation.
//!
//! Each operation is compared on its own, given its *computed* inputs: no error grows from one operation to
//! the next, so the tolerance of one operation is all that is needed, and the first operation that is wrong
//! is the one that is named. By induction the whole expression is right when every operation is.

use std::fmt;

use chunkwise_chunk::Scalar;
use chunkwise_expr::Op;

use crate::eager::number::{is_nan, parts};
use crate::slack::{Slack, slacks};
use crate::{EagerError, PlainArray, Value, eval_op};

/// True when both are the same value of the same type: NaN equals any NaN, `0.0` differs from `-0.0`. Complex numbers are
/// compared part by part.
///
/// ```
/// use chunkwise_chunk::Scalar;
/// use chunkwise_testkit::same_value;
/// assert!(same_value(Scalar::F64(f64::NAN), Scalar::F64(-f64::NAN)));
/// assert!(!same_value(Scalar::F64(0.0), Scalar::F64(-0.0)));
/// ```
pub fn same_value(a: Scalar, b: Scalar) -> bool {
    let same = |(a, b): (f64, f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    a == b
        || (a.dtype() == b.dtype() && is_nan(a) && is_nan(b) && parts(a).into_iter().zip(parts(b)).all(same))
}

/// True when both have the same type, shape and values; see [`same_value`].
///
/// ```
/// use chunkwise_testkit::{PlainArray, same_array};
/// let x = PlainArray::of(&[2], &[1.0, f64::NAN]);
/// assert!(same_array(&x, &x));
/// ```
pub fn same_array(a: &PlainArray, b: &PlainArray) -> bool {
    let values = || a.data().iter().zip(b.data()).all(|(&a, &b)| same_value(a, b));
    a.dtype() == b.dtype() && a.shape() == b.shape() && values()
}

/// A computed array that is not what the evaluator says.
///
/// ```
/// use chunkwise_expr::{Concat, Op};
/// use chunkwise_testkit::{PlainArray, Value, check_op};
/// let (x, wrong) = (PlainArray::of(&[1], &[1]), PlainArray::of(&[1], &[2]));
/// let err = check_op(&Op::Concat(Concat { axis: 0 }), &[&Value::Array(x)], &wrong).unwrap_err();
/// assert_eq!(err.to_string(), "concatenate: element 0 is 2, should be 1");
/// ```
#[derive(Clone, Debug)]
pub struct Disagreement {
    op: String,
    what: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.op, self.what)
    }
}

impl std::error::Error for Disagreement {}

/// Compares what was computed for one operation with what it gives for the same inputs.
///
/// Equal means the same bits but for NaN, except where the definition leaves the order of additions open or
/// a function is not rounded correctly:
///
/// | operations | tolerance |
/// |---|---|
/// | `sum`, `prod`, `mean`, `var`, `std`, `nan_var`, `nan_std`, higher moments of floats and complex numbers | the rounding errors of any order |
/// | `min`, `max`, `nan_min`, `nan_max` of floats | `0.0` and `-0.0` are equal |
/// | `exp`, `sin`, `pow` and the like of floats | 4 units in the last place |
///
/// # Errors
/// When the arrays differ, or the operation has no value.
///
/// ```
/// use chunkwise_expr::{Concat, Op};
/// use chunkwise_testkit::{PlainArray, Value, check_op};
/// let x = PlainArray::of(&[1], &[1]);
/// assert!(check_op(&Op::Concat(Concat { axis: 0 }), &[&Value::Array(x.clone())], &x).is_ok());
/// ```
pub fn check_op(op: &Op, inputs: &[&Value], got: &PlainArray) -> Result<(), Disagreement> {
    let differs = |what: String| Disagreement { op: op.name().to_owned(), what };
    let want =
        eval_op(op, inputs).map_err(|err: EagerError| differs(format!("should be the error {err}")))?;
    let want = want.array().ok_or_else(|| differs("should be an object".to_owned()))?;
    if (got.dtype(), got.shape()) != (want.dtype(), want.shape()) {
        let shown = |x: &PlainArray| format!("{}{:?}", x.dtype(), x.shape());
        return Err(differs(format!("is {}, should be {}", shown(got), shown(want))));
    }
    let slacks = slacks(op, inputs, want);
    for (i, (&got, &want)) in got.data().iter().zip(want.data()).enumerate() {
        let slack = slacks.get(i).copied().unwrap_or(Slack::Exact);
        if !slack.allows(got, want) {
            return Err(differs(format!("element {i} is {got}, should be {want}{slack}")));
        }
    }
    Ok(())
}

impl Slack {
    fn allows(self, got: Scalar, want: Scalar) -> bool {
        let near = |slack: f64| {
            let pairs = || parts(got).into_iter().zip(parts(want));
            got.dtype() == want.dtype()
                && pairs().all(|(got, want)| {
                    (got - want).abs() <= slack || got == want || (got.is_nan() && want.is_nan())
                })
        };
        same_value(got, want)
            || match self {
                Slack::Exact => false,
                Slack::Within(slack) => near(slack),
                Slack::Anything => true,
            }
    }
}
