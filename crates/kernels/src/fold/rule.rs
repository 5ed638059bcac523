//! What a reduction is to the loops: how elements become a state, and states a value.

use chunkwise_chunk::Element;
use chunkwise_expr::ReduceKind;

use crate::KernelError;

/// How a variance or a higher moment is finished.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divisor {
    /// What is subtracted from the count.
    pub(super) ddof: f64,
    /// Whether the square root is wanted.
    pub(super) root: bool,
    /// Which value is made of third and fourth moments.
    pub(super) moment: HighMoment,
}

impl Divisor {
    pub(super) fn new(kind: &ReduceKind, ddof: f64) -> Divisor {
        let root = matches!(kind, ReduceKind::Std | ReduceKind::NanStd);
        let moment = match kind {
            ReduceKind::Moment4 => HighMoment::Fourth,
            ReduceKind::Skew => HighMoment::Skew,
            ReduceKind::Kurtosis => HighMoment::Kurtosis,
            _ => HighMoment::Third,
        };
        Divisor { ddof, root, moment }
    }
}

/// A value that is made of moments up to the fourth.
#[derive(Clone, Copy, Debug)]
pub(super) enum HighMoment {
    /// The third central moment.
    Third,
    /// The fourth central moment.
    Fourth,
    /// The third standardised moment.
    Skew,
    /// The fourth standardised moment less 3.
    Kurtosis,
}

/// A reduction of elements of one type.
///
/// The loops call it with segments of a row, or with rows of a panel whose columns are reduced. Both cut
/// elements by position alone, so a rule may add them up in any fixed order.
pub(super) trait Rule: 'static {
    /// What is reduced.
    type Item: Element;
    /// What is known of some elements.
    type State: Copy + Default + Send + Sync + 'static;
    /// What comes out.
    type Out: Element;

    /// Whether the loops are compiled for every instruction set rather than for the baseline alone. Each
    /// version costs time to build and bytes to ship, and only reductions of floats are often the bottleneck.
    const WIDE: bool;

    /// The state of a segment: one element at least, the first at position `at`.
    fn segment(items: &[Self::Item], at: u64) -> Self::State;

    /// The state of each column of at least one row; the rows are as long as `states`, and the first is at
    /// position `at`.
    fn columns(rows: &[&[Self::Item]], at: u64, states: &mut [Self::State]);

    /// The state of both; `a` comes first and stands for `na` elements, `b` for `nb`, both at least 1.
    fn merge(a: Self::State, na: u64, b: Self::State, nb: u64) -> Self::State;

    /// The state with positions as `position` translates them.
    fn moved(state: Self::State, position: impl Fn(u64) -> u64) -> Self::State {
        let _ = position;
        state
    }

    /// True where [`moved`](Rule::moved) changes anything.
    const HAS_POSITION: bool = false;

    /// Why a state that stands for elements has no value, if so.
    fn fault(state: Self::State) -> Option<KernelError> {
        let _ = state;
        None
    }

    /// The value of a state that stands for `count` elements, at least 1.
    fn value(state: Self::State, count: u64, divisor: Divisor) -> Self::Out;

    /// The value of no elements.
    fn nothing() -> Self::Out;
}
