//! The rules of `chunkwise-ops`: one loop over scalars for each.

pub(crate) mod contract;
mod function;
mod index;
pub(crate) mod overlap;
pub(crate) mod rolling;
pub(crate) mod scan;
mod shape;

use chunkwise_expr::Blockwise;

use super::{EagerError, PlainArray};
use crate::slack::Slack;

/// The value of a rule for some inputs; `None` when the operation follows another rule.
pub(crate) type Truth = fn(&Blockwise, &[&PlainArray]) -> Option<Result<PlainArray, EagerError>>;

/// What a rule gives, by the plainest loop there is.
pub(crate) struct Reference {
    /// The name of the rule's type.
    pub(crate) rule: &'static str,
    /// Its value.
    pub(crate) truth: Truth,
    /// How far computed elements may be from the truth; empty where they are exact. Asked only of this rule.
    pub(crate) slack: fn(&Blockwise, &[&PlainArray], &PlainArray) -> Vec<Slack>,
}

/// No element may differ.
pub(crate) fn exact(_: &Blockwise, _: &[&PlainArray], _: &PlainArray) -> Vec<Slack> {
    Vec::new()
}

fn references() -> impl Iterator<Item = &'static Reference> {
    let topics = [
        contract::REFERENCES,
        function::REFERENCES,
        index::REFERENCES,
        overlap::REFERENCES,
        rolling::REFERENCES,
        scan::REFERENCES,
        shape::REFERENCES,
    ];
    topics.into_iter().flatten()
}

/// The names of the rules that have a reference.
pub fn names() -> Vec<&'static str> {
    references().map(|reference| reference.rule).collect()
}

pub(super) fn blockwise(op: &Blockwise, inputs: &[&PlainArray]) -> Result<PlainArray, EagerError> {
    let truth = references().find_map(|reference| (reference.truth)(op, inputs));
    truth.unwrap_or_else(|| Err(EagerError::NoReference { op: op.name().to_owned() }))
}

/// How far elements of a rule's result may be from the truth.
pub(crate) fn slacks(op: &Blockwise, inputs: &[&PlainArray], want: &PlainArray) -> Vec<Slack> {
    let own = references().find(|reference| (reference.truth)(op, inputs).is_some());
    own.map_or_else(Vec::new, |reference| (reference.slack)(op, inputs, want))
}
