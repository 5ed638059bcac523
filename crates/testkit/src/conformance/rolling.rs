//! Statistics of moving windows, by name.

use chunkwise::MovingWindow;

use super::Refusal;
use super::case::CaseStep;
use super::structure::axis_of;
use crate::AnyArray;

/// The result of a step; `None` when it is not one of these.
pub(super) fn apply(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    let &[x] = args else { return None };
    step.op.starts_with("moving_").then(|| moving(step, x))
}

fn moving(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let axis = axis_of(step.integer("axis")?.unwrap_or(0), x.shape().len());
    let window = window(step)?;
    let number = |name: &str| step.param(name).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
    let (ddof, q) = (number("ddof"), number("q"));
    macro_rules! with_real {
        ($x:ident => $body:expr, $($v:ident)*) => {
            match x {
                $(AnyArray::$v($x) => Ok($body.into()),)*
                #[allow(unreachable_patterns)] // of complex numbers
                other => Err(Refusal::types(&step.op, &[other])),
            }
        };
        ($x:ident => $body:expr) => {
            with_real!($x => $body, Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64)
        };
    }
    macro_rules! with_any {
        ($x:ident => $body:expr) => {
            with_real!($x => $body, Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128)
        };
    }
    match step.op.as_str() {
        "moving_sum" => with_any!(x => x.moving_sum(window, axis)),
        "moving_mean" => with_any!(x => x.moving_mean(window, axis)),
        "moving_min" => with_real!(x => x.moving_min(window, axis)),
        "moving_max" => with_real!(x => x.moving_max(window, axis)),
        "moving_var" => with_real!(x => x.moving_var(window, ddof, axis)),
        "moving_std" => with_real!(x => x.moving_std(window, ddof, axis)),
        "moving_median" => with_real!(x => x.moving_median(window, axis)),
        "moving_quantile" => with_real!(x => x.moving_quantile(window, q, axis)),
        "moving_count" => with_any!(x => x.moving_count(window, axis)),
        other => Err(Refusal::Unsupported(other.to_owned())),
    }
}

/// `window`, `place` (valid, trailing, centred) and `min_count`.
fn window(step: &CaseStep) -> Result<MovingWindow, Refusal> {
    let len = usize::try_from(step.required_integer("window")?).unwrap_or(0);
    let place = step.param("place").and_then(serde_json::Value::as_str).unwrap_or("valid");
    let window = match place {
        "trailing" => MovingWindow::trailing(len),
        "centred" => MovingWindow::centred(len),
        "valid" => MovingWindow::valid(len),
        other => return Err(Refusal::malformed(format!("no place of windows is named {other:?}"))),
    };
    let least = step.integer("min_count")?.map(|count| usize::try_from(count).unwrap_or(0));
    Ok(least.map_or(window, |count| window.min_count(count)))
}
