//! Covariances and correlations of variables.
//!
//! The observations are centred first: the difference of the mean of products and the product of means, which would need
//! one pass less, loses all digits where the means are large against the deviations (T. F. Chan, G. H. Golub and
//! R. J. LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983).

use std::panic::Location;

use chunkwise_chunk::{DType, Scalar, View};
use chunkwise_expr::{BinaryOp, Expr, ExprError, ReduceKind, UnaryOp};

use super::build::contraction;
use super::repeated::Repeated;
use super::terms::Asked;

type Origin = &'static Location<'static>;

/// The covariances of the rows of a matrix in `f64`, as `numpy.cov`: sums of products of deviations, divided by the
/// number of columns less `ddof`, or by 0 where that is negative.
pub fn cov(x: &Expr, ddof: f64, at: Origin) -> Expr {
    covariances("cov", x, ddof, at)
}

/// The correlations of the rows of a matrix in `f64`, as `numpy.corrcoef`.
pub fn corrcoef(x: &Expr, at: Origin) -> Expr {
    let name = "corrcoef";
    let covariances = covariances(name, x, 1.0, at);
    if covariances.error().is_some() {
        return covariances;
    }
    let variances = Expr::blockwise(Repeated::new(name, &[0, 0]), &[&covariances], at);
    let deviations = Expr::element(UnaryOp::Sqrt.into(), &[&variances], at);
    let along = |axis: usize| Expr::view(name, &deviations, View::insert_axis(deviations.shape(), axis), at);
    let divided = [along(1), along(0)].iter().fold(covariances, |quotient, deviation| {
        Expr::element(BinaryOp::Div.into(), &[&quotient, deviation], at)
    });
    // Rounding may lead beyond the ends.
    let limited = Expr::element(BinaryOp::Minimum.into(), &[&divided, &number(1.0, at)], at);
    Expr::element(BinaryOp::Maximum.into(), &[&limited, &number(-1.0, at)], at)
}

fn number(value: f64, at: Origin) -> Expr {
    Expr::literal(Scalar::F64(value), at)
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
    let wide = x.cast(DType::F64, at);
    let means = wide.reduce(ReduceKind::Mean, Some(&[1]), true, 0.0, at);
    let centred = Expr::element(BinaryOp::Sub.into(), &[&wide, &means], at);
    let products =
        contraction(Asked { name, at }, &[&centred, &centred], vec![vec![0, 2], vec![1, 2]], &[0, 1]);
    let divisor = (observations as f64 - ddof).max(0.0);
    Expr::element(BinaryOp::Div.into(), &[&products, &number(divisor, at)], at)
}
