//! Scans: random steps.

use std::panic::Location;

use chunkwise_chunk::DType;
use chunkwise_expr::Expr;
use chunkwise_ops::scan::{ScanFn, ScanKind, decayed, scan};

use crate::generate::draw::Draw;
use crate::generate::elementwise::cast_to;
use crate::generate::{Pool, Step};

pub(in crate::generate) const STEPS: &[(usize, Step)] = &[(3, running), (1, decaying)];

/// A scan of any kind along any axis; what a kind does not take is converted.
fn running(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let at = Location::caller();
    let x = pool.find(draw, |x| !x.shape().is_empty())?;
    let axis = draw.below(x.shape().len());
    let kinds = [
        ScanKind::Sum,
        ScanKind::Prod,
        ScanKind::Max,
        ScanKind::Min,
        ScanKind::FMax,
        ScanKind::FMin,
        ScanKind::Latest,
        ScanKind::Call(ScanFn::new(affine(1, 0), composed)),
    ];
    let kind = draw.pick(&kinds);
    let is_complex = x.dtype()?.is_complex();
    let work = *draw.pick(match kind {
        ScanKind::Call(_) => &[DType::U64][..],
        ScanKind::Sum | ScanKind::Prod if is_complex => &[DType::C128],
        ScanKind::Sum | ScanKind::Prod => &[DType::I64, DType::U64, DType::F64],
        _ => &[DType::F64, DType::F32],
    });
    let x = if kind.takes(x.dtype()?) { x } else { cast_to(&x, work) };
    Some(scan(&x, kind, axis, at))
}

fn decaying(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let at = Location::caller();
    let x = cast_to(&pool.find(draw, |x| !x.shape().is_empty())?, DType::F64);
    let axis = draw.below(x.shape().len());
    Some(decayed(&x, *draw.pick(&[0.5, 0.9, 0.0]), axis, at))
}

/// The function `a x + b` of 32-bit integers that wrap.
fn affine(a: u32, b: u32) -> u64 {
    u64::from(a) << 32 | u64::from(b)
}

/// The one function after the other: associative, but not commutative.
pub(crate) fn composed(first: u64, then: u64) -> u64 {
    let parts = |f: u64| ((f >> 32) as u32, f as u32);
    let ((a, b), (c, d)) = (parts(first), parts(then));
    affine(c.wrapping_mul(a), c.wrapping_mul(b).wrapping_add(d))
}
