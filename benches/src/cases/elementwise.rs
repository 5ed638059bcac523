//! Elementwise operations, one by one and fused.
//!
//! An operation is run [`TIMES`] times by one program. Equal instructions become one, so each needs another argument:
//!
//! ```text
//! cheap        r = op(r, y)                       nothing else is timed
//! other        r = select(never, op(r, y), x)     r is x: results of `exp` are soon infinite, those of `acosh` NaN
//! T -> bool    r = select(op(r, y), r, x)         r is x, whatever op says
//! T -> U       r = cast(op(r))                    back to T: both directions count
//! ```

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::{Arg, BinaryOp, ElementOp, Program, ProgramBuilder, UnaryOp};
use chunkwise_kernels::{CompileOptions, Kernel};

use super::{Case, map, numbers};

/// How often a program has the operation.
const TIMES: usize = 64;

/// With two operands and a few registers within the first-level cache.
const SHAPE: [usize; 2] = [1, 1024];

pub(super) fn add_to(cases: &mut Vec<Case>) {
    // Complex loops are plain ones: there are no vectors to lose.
    for &dtype in DType::ALL.iter().filter(|dtype| !dtype.is_complex()) {
        let rows = UnaryOp::ALL.iter().filter(|&op| !is_of_parts(op));
        cases.extend(rows.filter_map(|&op| case(op.into(), &[dtype])));
        // An index that is within its list only moves.
        let binary = BinaryOp::ALL.iter().filter(|&&op| op != BinaryOp::IndexOf);
        cases.extend(binary.filter_map(|&op| case(op.into(), &[dtype, dtype])));
        cases.extend(case(ElementOp::Select, &[DType::Bool, dtype, dtype]));
        let others = DType::ALL.iter().filter(|&&to| to != dtype && !to.is_complex());
        cases.extend(others.filter_map(|&to| case(ElementOp::Cast(to), &[dtype])));
    }
    for dtype in [DType::F32, DType::F64] {
        cases.push(pairs(dtype));
        cases.push(fused(dtype));
    }
}

/// Operations that are there for complex numbers: floats only move, or are squared as by another row.
fn is_of_parts(op: &UnaryOp) -> bool {
    matches!(op, UnaryOp::Re | UnaryOp::Im | UnaryOp::Conj | UnaryOp::Arg | UnaryOp::NormSqr)
}

/// One operation; `None` where it does not take these types.
fn case(op: ElementOp, types: &[DType]) -> Option<Case> {
    let program = repeated(&op, types)?;
    let dtype = types[types.len() - 1];
    let (name, operations) = match op {
        ElementOp::Cast(to) => (format!("cast.{dtype}.{to}"), 2 * TIMES),
        _ => (format!("{}.{dtype}", op.name()), TIMES),
    };
    let kernel = Kernel::with_options(&program, CompileOptions::default().with_pairs(false));
    let range = range(&op);
    let given = program.inputs().iter().enumerate();
    let operands = given.map(|(i, &dtype)| match (i, dtype) {
        (0, DType::Bool) => numbers(dtype, SHAPE, [0.0, 0.0], 0),
        _ => numbers(dtype, SHAPE, range, i),
    });
    let operands = operands.collect();
    Some(map(name, kernel, operands, SHAPE, operations))
}

/// Arguments that every row has a common result for: no fault, no overflow, nothing rare, and no NaN.
fn range(op: &ElementOp) -> [f64; 2] {
    match op {
        ElementOp::Unary(UnaryOp::Asin | UnaryOp::Acos | UnaryOp::Atanh) => [0.1, 0.9],
        _ => [1.0, 8.0],
    }
}

/// Whether an operation can be applied to its results again and again, without numbers that are slow because they are
/// tiny. The cheap ones are here, in whose time that of a `select` would be the larger part; others need not be.
fn takes_its_results(op: &ElementOp) -> bool {
    use {BinaryOp as B, UnaryOp as U};
    match op {
        ElementOp::Unary(op) => matches!(
            op,
            U::Neg
                | U::Not
                | U::Abs
                | U::Sign
                | U::Signum
                | U::Square
                | U::Recip
                | U::Sqrt
                | U::Floor
                | U::Ceil
                | U::Trunc
                | U::Round
                | U::RoundTiesEven
                | U::Fract
                | U::ToDegrees
                | U::NanToNum
        ),
        ElementOp::Binary(op) => matches!(
            op,
            B::Add
                | B::Sub
                | B::Mul
                | B::BitAnd
                | B::BitOr
                | B::BitXor
                | B::Maximum
                | B::Minimum
                | B::Fmax
                | B::Fmin
                | B::Copysign
                | B::AbsSub
        ),
        op => matches!(op, ElementOp::Select),
    }
}

/// Inputs are: which elements of a select, the argument, the other operand.
fn repeated(op: &ElementOp, types: &[DType]) -> Option<Program> {
    let dtype = types[types.len() - 1];
    if op.output(types)?.is_complex() {
        return None;
    }
    let mut b = ProgramBuilder::new();
    let (which, x, y) = (b.input(DType::Bool), b.input(dtype), b.input(dtype));
    let mut r = x;
    for _ in 0..TIMES {
        let args: &[Arg] = match types.len() {
            1 => &[r],
            2 => &[r, y],
            _ => &[which, r, y],
        };
        let result = b.push(op.clone(), args)?;
        r = match op {
            ElementOp::Cast(_) => push(&mut b, ElementOp::Cast(dtype), &[result]),
            _ if takes_its_results(op) => result,
            _ if op.output(types)? == dtype => push(&mut b, ElementOp::Select, &[which, result, x]),
            _ => push(&mut b, ElementOp::Select, &[result, r, x]),
        };
    }
    Some(b.finish(r))
}

/// `r = r y + x` again and again, which is a loop of two operations.
fn pairs(dtype: DType) -> Case {
    let mut b = ProgramBuilder::new();
    let (x, y) = (b.input(dtype), b.input(dtype));
    let mut r = x;
    for _ in 0..TIMES {
        r = push(&mut b, BinaryOp::Mul, &[r, y]);
        r = push(&mut b, BinaryOp::Add, &[r, x]);
    }
    let program = b.finish(r);
    // Small factors, for a finite result.
    let operands = [[1.0, 8.0], [0.1, 0.9]].map(|range| numbers(dtype, SHAPE, range, 1));
    map(format!("mul_add.{dtype}"), Kernel::new(&program), operands.into(), SHAPE, 2 * TIMES)
}

/// Operations as users write them, in one program over a larger block.
fn fused(dtype: DType) -> Case {
    let mut b = ProgramBuilder::new();
    let (x, y) = (b.input(dtype), b.input(dtype));
    let two = b.constant(if dtype == DType::F32 { Scalar::F32(2.0) } else { Scalar::F64(2.0) });
    let difference = push(&mut b, BinaryOp::Sub, &[x, y]);
    let scaled = push(&mut b, BinaryOp::Div, &[difference, two]);
    let square = push(&mut b, UnaryOp::Square, &[scaled]);
    let root = push(&mut b, UnaryOp::Sqrt, &[x]);
    let sum = push(&mut b, BinaryOp::Add, &[square, root]);
    let r = push(&mut b, BinaryOp::Maximum, &[sum, y]);
    let shape = [4, 4096];
    let operands = [1, 2].map(|seed| numbers(dtype, shape, [1.0, 8.0], seed));
    map(format!("fused.{dtype}"), Kernel::new(&b.finish(r)), operands.into(), shape, 6)
}

/// An instruction that takes these types.
pub(super) fn push(b: &mut ProgramBuilder, op: impl Into<ElementOp>, args: &[Arg]) -> Arg {
    b.push(op.into(), args).expect("the operation takes these types")
}
