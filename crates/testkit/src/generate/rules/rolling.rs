//! Windows: random steps.

use std::panic::Location;

use chunkwise_chunk::DType;
use chunkwise_expr::Expr;
use chunkwise_ops::rolling::{MovingWindow, Statistic, moving};

use crate::generate::draw::Draw;
use crate::generate::elementwise::cast_to;
use crate::generate::{Pool, Step};

pub(in crate::generate) const STEPS: &[(usize, Step)] = &[(4, windows)];

/// Any statistic of windows of any length and place; what it does not take is converted.
fn windows(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let at = Location::caller();
    let x = pool.find(draw, |x| !x.shape().is_empty())?;
    let axis = draw.below(x.shape().len());
    let statistic = *draw.pick(&[
        Statistic::Sum,
        Statistic::Mean,
        Statistic::Min,
        Statistic::Max,
        Statistic::Var(0.0),
        Statistic::Std(1.0),
        Statistic::Median,
        Statistic::Quantile(0.3),
    ]);
    let x = if statistic.takes(x.dtype()?) { x } else { cast_to(&x, DType::F64) };
    Some(moving(&x, statistic, any_window(draw, x.shape()[axis]), axis, at))
}

/// A window that may be longer than the axis, or too long for it.
pub(crate) fn any_window(draw: &mut Draw, len: usize) -> MovingWindow {
    let beyond = if draw.one_in(8) { 3 } else { 0 };
    let wide = 1 + draw.below(len + beyond);
    let place = *draw.pick(&[
        MovingWindow::valid as fn(usize) -> MovingWindow,
        MovingWindow::valid,
        MovingWindow::trailing,
        MovingWindow::centred,
    ]);
    let window = place(wide);
    if draw.one_in(2) { window } else { window.min_count(draw.below(wide + 1)) }
}
