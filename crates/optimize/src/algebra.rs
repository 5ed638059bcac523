//! Identities of arithmetic that keep every bit.
//!
//! | rule | where | why the bits stay |
//! |---|---|---|
//! | `x * 1`, `1 * x`, `x / 1`, `x - 0` become `x` | real numbers | exact, and NaN stays itself |
//! | `x + -0.0` becomes `x`; of integers `x + 0`, `0 + x`, `x \\| 0`, `x ^ 0`, `x << 0`, `x >> 0` | | `-0.0 + 0.0` is `0.0`, so `x + 0.0` stays |
//! | `x / c` becomes `x * (1 / c)` | floats, `c` a power of two with a normal inverse | both round the same number |
//! | `f(f(x))` becomes `f(x)` | `abs`, `floor`, `ceil`, `trunc`, `round`, `nan_to_num`, .. | the result is one of those that `f` leaves |
//! | `abs(-x)` becomes `abs(x)` | real numbers | only the sign differs |
//! | `not (a == b)` becomes `a != b`, and back | | NaN is unequal to all: `not (a < b)` stays |
//! | `max(x, x)`, `min(x, x)`, `x & x`, `x \\| x` become `x` | | |
//!
//! What only keeps values up to rounding is in [`FastMath`](crate::FastMath). Literals are on either side, as they were
//! written; [`Simplify`](crate::Simplify) has folded those of literals before.

use chunkwise_chunk::{ChunkGrid, DType, Scalar};
use chunkwise_expr::{BinaryOp, ElementOp, ExprGraph, GraphNode, Meta, NodeId, Op, UnaryOp};
use smallvec::{SmallVec, smallvec};

use crate::rebuild::{Step, rebuild};
use crate::{Notes, Pass};

/// Applies identities of arithmetic.
///
/// ```
/// use chunkwise_optimize::{Algebra, Pass};
/// assert_eq!(Algebra.name(), "algebra");
/// ```
#[derive(Debug)]
pub struct Algebra;

impl Pass for Algebra {
    fn name(&self) -> &'static str {
        "algebra"
    }

    fn run(&self, graph: &ExprGraph, notes: &mut Notes) -> Option<ExprGraph> {
        let next = rebuild(graph, notes, |new, id, places| {
            let node = graph.node(id);
            let inputs = places.of(&graph.inputs(id));
            let step = match (&node.op, &inputs[..]) {
                (Op::Element(ElementOp::Unary(op)), &[x]) => unary(*op, node, new, x),
                (Op::Element(ElementOp::Binary(op)), &[a, b]) => {
                    binary(*op, new, a, b).or_else(|| scaled(*op, node, new, a, b))
                }
                (Op::Element(ElementOp::Cast(to)), &[x]) => {
                    (new.node(x).meta.dtype() == *to).then_some(Step::Forward("drop identity", x))
                }
                _ => None,
            };
            // What is forwarded must be what the node was: an operand may be smaller, and cut otherwise.
            match step {
                Some(Step::Forward(_, x)) if new.node(x).meta != node.meta => Step::Keep,
                step => step.unwrap_or(Step::Keep),
            }
        });
        (notes.rewrites() > 0).then_some(next)
    }
}

fn unary(op: UnaryOp, node: &GraphNode, new: &ExprGraph, x: NodeId) -> Option<Step> {
    let inner = match new.node(x).op {
        Op::Element(ElementOp::Unary(inner)) => inner,
        Op::Element(ElementOp::Binary(compared)) if op == UnaryOp::Not => {
            let other = match compared {
                BinaryOp::Eq => BinaryOp::Ne,
                BinaryOp::Ne => BinaryOp::Eq,
                _ => return None,
            };
            let op = Op::Element(other.into());
            return Some(Step::Replace(
                "compare the other way",
                GraphNode { op, ..node.clone() },
                new.inputs(x),
            ));
        }
        _ => return None,
    };
    let below = new.inputs(x)[0];
    let real = !new.node(below).meta.dtype().is_complex();
    match (op, inner) {
        (UnaryOp::Abs, UnaryOp::Neg) if real => {
            Some(Step::Replace("drop sign", node.clone(), smallvec![below]))
        }
        _ if op == inner && leaves_its_results(op) && real => Some(Step::Forward("same twice", x)),
        _ => None,
    }
}

/// Operations `f` of real numbers with `f(f(x)) = f(x)`.
fn leaves_its_results(op: UnaryOp) -> bool {
    use UnaryOp::{
        Abs, Ceil, Conj, Floor, Mantissa, NanToNum, Re, Round, RoundTiesEven, Sign, Signum, Trunc,
    };
    matches!(
        op,
        Abs | Ceil | Conj | Floor | Mantissa | NanToNum | Re | Round | RoundTiesEven | Sign | Signum | Trunc
    )
}

/// The operand that an operation leaves as it is.
fn binary(op: BinaryOp, new: &ExprGraph, a: NodeId, b: NodeId) -> Option<Step> {
    use BinaryOp::{Add, BitAnd, BitOr, BitXor, Div, Maximum, Minimum, Mul, Shl, Shr, Sub};
    let dtype = new.node(a).meta.dtype();
    if dtype.is_complex() {
        return None;
    }
    if a == b && matches!(op, Maximum | Minimum | BitAnd | BitOr) {
        return Some(Step::Forward("drop identity", a));
    }
    let is = |id: NodeId, value: Scalar| new.node(id).op.constant() == Some(value);
    let (one, zero) = (Scalar::one(dtype), Scalar::zero(dtype));
    let none_added = match dtype {
        DType::F32 => Scalar::F32(-0.0),
        DType::F64 => Scalar::F64(-0.0),
        _ => zero,
    };
    let integer = !dtype.is_float();
    let kept = match op {
        Mul | Div if dtype != DType::Bool && is(b, one) => a,
        Mul if dtype != DType::Bool && is(a, one) => b,
        Sub if is(b, zero) => a,
        Add if is(b, none_added) => a,
        Add if is(a, none_added) => b,
        BitOr | BitXor | Shl | Shr if integer && is(b, zero) => a,
        _ => return None,
    };
    Some(Step::Forward("drop identity", kept))
}

/// A division by a power of two as a multiplication, which takes a fraction of the time.
fn scaled(op: BinaryOp, node: &GraphNode, new: &mut ExprGraph, a: NodeId, b: NodeId) -> Option<Step> {
    let (BinaryOp::Div, Op::Literal(divisor)) = (op, &new.node(b).op) else { return None };
    let inverse = match *divisor {
        Scalar::F32(c) => {
            Scalar::F32(inverse_of(c.into(), f32::MIN_POSITIVE.into(), f32::MAX.into())? as f32)
        }
        Scalar::F64(c) => Scalar::F64(inverse_of(c, f64::MIN_POSITIVE, f64::MAX)?),
        _ => return None,
    };
    if inverse == Scalar::one(inverse.dtype()) {
        return None;
    }
    let meta = Meta::Array { dtype: inverse.dtype(), grid: ChunkGrid::whole(&[]) };
    let literal = GraphNode { op: Op::Literal(inverse), meta, ..new.node(b).clone() };
    let inputs: SmallVec<[NodeId; 3]> = smallvec![a, new.add(literal, &[])];
    let op = Op::Element(BinaryOp::Mul.into());
    Some(Step::Replace("multiply by the inverse", GraphNode { op, ..node.clone() }, inputs))
}

/// `1 / c` of a power of two, when it is a normal number within these bounds.
fn inverse_of(c: f64, least: f64, most: f64) -> Option<f64> {
    let inverse = 1.0 / c;
    let exact = c.to_bits() << 12 == 0 && c.is_normal();
    (exact && (least..=most).contains(&inverse.abs())).then_some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, lit, source, unchanged};
    use chunkwise_expr::Expr;
    use std::panic::Location;

    fn two(op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        Expr::element(op.into(), &[a, b], Location::caller())
    }

    fn one(op: UnaryOp, x: &Expr) -> Expr {
        Expr::element(op.into(), &[x], Location::caller())
    }

    #[test]
    fn neutral_operands_vanish() {
        let x = one(UnaryOp::Exp, &source("x", &[4], &[2]));
        for same in [
            two(BinaryOp::Mul, &x, &lit(1.0)),
            two(BinaryOp::Mul, &lit(1.0), &x),
            two(BinaryOp::Div, &x, &lit(1.0)),
            two(BinaryOp::Sub, &x, &lit(0.0)),
            two(BinaryOp::Add, &x, &lit(-0.0)),
            two(BinaryOp::Maximum, &x, &x),
        ] {
            check(&Algebra, same, &["): f64[4] chunks (2,) -> result", "= exp(%"]);
        }
    }

    #[test]
    fn zero_that_turns_a_sign_stays() {
        let x = source("x", &[4], &[2]);
        unchanged(&Algebra, two(BinaryOp::Add, &x, &lit(0.0)));
        unchanged(&Algebra, two(BinaryOp::Sub, &x, &lit(-0.0)));
        unchanged(&Algebra, two(BinaryOp::Sub, &lit(0.0), &x));
        assert_eq!((-0.0_f64 + 0.0).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn division_by_a_power_of_two_is_a_multiplication() {
        let x = source("x", &[4], &[2]);
        check(&Algebra, two(BinaryOp::Div, &x, &lit(8.0)), &["mul(%0, 0.125)"]);
        check(&Algebra, two(BinaryOp::Div, &x, &lit(-0.5)), &["mul(%0, -2.0)"]);
        let smallest = f64::from_bits(1);
        for kept in [3.0, 0.0, f64::INFINITY, f64::NAN, smallest, 2f64.powi(1023)] {
            unchanged(&Algebra, two(BinaryOp::Div, &x, &lit(kept)));
        }
        for value in [1.0, -3.7, f64::MIN_POSITIVE, 1e-310, f64::MAX, -0.0] {
            assert_eq!((value / 8.0_f64).to_bits(), (value * 0.125).to_bits());
        }
    }

    #[test]
    fn what_is_done_twice_is_done_once_where_that_is_the_same() {
        let x = source("x", &[4], &[2]);
        let floor = one(UnaryOp::Floor, &x);
        check(&Algebra, one(UnaryOp::Floor, &floor), &["%1 = floor(%0): f64[4] chunks (2,) -> result"]);
        unchanged(&Algebra, one(UnaryOp::Sqrt, &one(UnaryOp::Sqrt, &x)));
        check(&Algebra, one(UnaryOp::Abs, &one(UnaryOp::Neg, &x)), &["abs(%0)"]);
        let differs = one(UnaryOp::Not, &two(BinaryOp::Eq, &x, &lit(2.0)));
        check(&Algebra, differs, &["ne(%0, 2.0)"]);
        unchanged(&Algebra, one(UnaryOp::Not, &two(BinaryOp::Lt, &x, &lit(2.0))));
    }

    #[test]
    fn operand_that_is_smaller_than_the_result_stays() {
        let row = source("row", &[4], &[2]);
        let ones = crate::testing::constant(1.0, &[3, 4], &[3, 2]);
        unchanged(&Algebra, two(BinaryOp::Mul, &row, &ones));
    }
}
