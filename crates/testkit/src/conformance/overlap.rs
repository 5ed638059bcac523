//! Operations on neighbourhoods, by name.

use chunkwise_chunk::for_each_dtype;

use super::Refusal;
use super::case::CaseStep;
use crate::AnyArray;

macro_rules! define_typed {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// Dispatches on the element type.
        macro_rules! with_array {
            ($any:expr, $x:ident => $body:expr) => {
                match $any { $(AnyArray::$v($x) => $body,)* }
            };
        }
    };
}
for_each_dtype!(define_typed);

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    match (step.op.as_str(), args) {
        ("coarsen", &[x]) => Some(coarsen(step, x)),
        _ => None,
    }
}

fn coarsen(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let factors: Vec<usize> =
        step.required_integers("factors")?.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
    let how = step.param("how").and_then(|how| how.as_str()).unwrap_or_default();
    Ok(match how {
        "sum" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.sum_axes(axes)).into()),
        "mean" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.mean_axes(axes)).into()),
        "min" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.min_axes(axes)).into()),
        "max" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.max_axes(axes)).into()),
        "prod" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.prod_axes(axes)).into()),
        "any" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.any_axes(axes)).into()),
        "all" => with_array!(x, x => x.coarsen(&factors, |boxes, axes| boxes.all_axes(axes)).into()),
        _ => return Err(Refusal::malformed(format!("coarsen does not know how {how:?}"))),
    })
}
