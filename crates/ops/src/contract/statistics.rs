//! Covariances and correlations of variables.
//!
//! The observations are centred first: the difference of the mean of products and the product of means, which would need
//! one pass less, loses all digits where the means are large against the deviations (T. F. Chan, G. H. Golub and
//! R. J. LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983).

use std::panic::Location;

use chunkwise_chunk::{DType, Scalar, View};
use chunkwise_expr::{BinaryOp, Expr, ExprError, ReduceKind, UnaryOp, eval_cast};

use super::build::contraction;
use super::repeated::Repeated;
use super::terms::Asked;

type Origin = &'static Location<'static>;

/// The covariances of the rows of a matrix in [`DType::double_type`], as `numpy.cov`: sums of products of deviations,
/// the second ones conjugated, divided by the number of columns less `ddof`, or by 0 where that is negative.
pub fn cov(x: &Expr, ddof: f64, at: Origin) -> Expr {
    covariances("cov", x, ddof, at)
}

/// The correlations of the rows of a matrix in [`DType::double_type`], as `numpy.corrcoef`.
pub fn corrcoef(x: &Expr, at: Origin) -> Expr {
    let name = "corrcoef";
    let covariances = covariances(name, x, 1.0, at);
    if covariances.error().is_some() {
        return covariances;
    }
    let variances = Expr::blockwise(Repeated::new(name, &[0, 0]), &[&covariances], at);
    let unary = |op: UnaryOp, x: &Expr| Expr::element(op.into(), &[x], at);
    let binary = |op: BinaryOp, a: &Expr, b: &Expr| Expr::element(op.into(), &[a, b], at);
    // A real number does not divide a complex one: the parts are divided, and limited, by themselves.
    let is_complex = covariances.dtype().is_some_and(DType::is_complex);
    let part = |of: UnaryOp, x: &Expr| if is_complex { unary(of, x) } else { x.clone() };
    let deviations = unary(UnaryOp::Sqrt, &part(UnaryOp::Re, &variances));
    let along = |axis: usize| Expr::view(name, &deviations, View::insert_axis(deviations.shape(), axis), at);
    let scaled = |covariances: Expr| {
        let divided = [along(1), along(0)]
            .iter()
            .fold(covariances, |quotient, deviation| binary(BinaryOp::Div, &quotient, deviation));
        // Rounding may lead beyond the ends.
        let limited = binary(BinaryOp::Minimum, &divided, &number(1.0, DType::F64, at));
        binary(BinaryOp::Maximum, &limited, &number(-1.0, DType::F64, at))
    };
    let re = scaled(part(UnaryOp::Re, &covariances));
    if is_complex { binary(BinaryOp::Complex, &re, &scaled(unary(UnaryOp::Im, &covariances))) } else { re }
}

fn number(value: f64, dtype: DType, at: Origin) -> Expr {
    Expr::literal(eval_cast(Scalar::F64(value), dtype), at)
}

fn covariances(name: &'static str, x: &Expr, ddof: f64, at: Origin) -> Expr {
    if x.error().is_some() {
        return x.clone();
    }
    let &[_, observations] = x.shape() else {
        let text = format!("shape {:?} is no matrix of variables and observations", x.shape());
        return Expr::invalid(name, ExprError::Message(text), at);
    };
    if !ddof.is_finite() {
        let text = format!("ddof is {ddof}; it must be a finite number");
        return Expr::invalid(name, ExprError::Message(text), at);
    }
    let dtype = x.dtype().map_or(DType::F64, DType::double_type);
    let wide = x.cast(dtype, at);
    let means = wide.reduce(ReduceKind::Mean, Some(&[1]), true, 0.0, at);
    let centred = Expr::element(BinaryOp::Sub.into(), &[&wide, &means], at);
    let conjugated = match dtype.is_complex() {
        true => Expr::element(UnaryOp::Conj.into(), &[&centred], at),
        false => centred.clone(),
    };
    let products =
        contraction(Asked { name, at }, &[&centred, &conjugated], vec![vec![0, 2], vec![1, 2]], &[0, 1]);
    let divisor = number((observations as f64 - ddof).max(0.0), dtype, at);
    Expr::element(BinaryOp::Div.into(), &[&products, &divisor], at)
}
