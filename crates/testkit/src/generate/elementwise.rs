//! Steps that work element by element.

use std::panic::Location;

use chunkwise_chunk::{DType, Element, Scalar, dispatch};
use chunkwise_expr::{BinaryOp, ElementFn, ElementOp, Expr, UnaryOp};

use super::Pool;
use super::data::{DTYPES, mild_value};
use super::draw::Draw;

fn element(op: impl Into<ElementOp>, inputs: &[&Expr]) -> Expr {
    Expr::element(op.into(), inputs, Location::caller())
}

/// The elements converted, of complex ones the real parts where another type is wanted.
pub(in crate::generate) fn cast_to(expr: &Expr, dtype: DType) -> Expr {
    let complex = expr.dtype().is_some_and(DType::is_complex);
    let expr = if complex && !dtype.is_complex() { element(UnaryOp::Re, &[expr]) } else { expr.clone() };
    expr.cast(dtype, Location::caller())
}

pub(super) fn unary(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    let dtype = x.dtype()?;
    // Most operations take floats only: convert other types often enough to reach them.
    let x =
        if draw.one_in(2) && !dtype.is_float() && !dtype.is_complex() { cast_to(&x, DType::F64) } else { x };
    let dtype = x.dtype()?;
    let taken: Vec<UnaryOp> = UnaryOp::ALL.iter().copied().filter(|op| op.output(dtype).is_some()).collect();
    (!taken.is_empty()).then(|| element(*draw.pick(&taken), &[&x]))
}

pub(super) fn binary(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let a = pool.pick(draw);
    let dtype = a.dtype()?;
    // An index is checked against one number, and is an error where it is not below: see the method `choose`.
    let usable = |op: &BinaryOp| op.output(dtype).is_some() && *op != BinaryOp::IndexOf;
    let taken: Vec<BinaryOp> = BinaryOp::ALL.iter().copied().filter(usable).collect();
    let op = *draw.pick(&taken);
    let b = partner(draw, pool, &a);
    let b =
        if dtype.is_float() || dtype.is_complex() || draw.one_in(3) { b } else { harmless(op, &b, dtype) };
    let swap = draw.one_in(2) && !is_partial(op);
    Some(if swap { element(op, &[&b, &a]) } else { element(op, &[&a, &b]) })
}

/// True for operations that are an error for some right-hand integers.
fn is_partial(op: BinaryOp) -> bool {
    use BinaryOp::{Div, FloorDiv, Modulo, Pow, Rem};
    matches!(op, Div | Rem | FloorDiv | Modulo | Pow)
}

/// A right-hand side without zeros for divisions, without negative numbers for powers.
fn harmless(op: BinaryOp, b: &Expr, dtype: DType) -> Expr {
    let literal = |value: i64| {
        let value = chunkwise_expr::eval_cast(Scalar::I64(value), dtype);
        Expr::literal(value, Location::caller())
    };
    match op {
        BinaryOp::Pow => element(BinaryOp::BitAnd, &[b, &literal(3)]),
        op if is_partial(op) => element(BinaryOp::BitOr, &[b, &literal(1)]),
        _ => b.clone(),
    }
}

/// Something of `a`'s type that broadcasts with it: an array, or a number.
fn partner(draw: &mut Draw, pool: &Pool, a: &Expr) -> Expr {
    let dtype = a.dtype().expect("the pool holds arrays");
    let found = if draw.one_in(6) { None } else { pool.find(draw, |b| broadcasts(a.shape(), b.shape())) };
    match found {
        Some(b) => cast_to(&b, dtype),
        None => Expr::literal(mild_value(draw, dtype), Location::caller()),
    }
}

/// Whether two shapes broadcast.
fn broadcasts(a: &[usize], b: &[usize]) -> bool {
    a.iter().rev().zip(b.iter().rev()).all(|(&a, &b)| a == b || a == 1 || b == 1)
}

pub(super) fn cast(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let x = pool.pick(draw);
    Some(cast_to(&x, *draw.pick(DTYPES)))
}

pub(super) fn select(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let a = pool.pick(draw);
    let b = partner(draw, pool, &a);
    let mask = pool.find(draw, |mask| broadcasts(a.shape(), mask.shape()))?;
    let chosen = element(ElementOp::Select, &[&cast_to(&mask, DType::Bool), &a, &b]);
    Some(chosen)
}

/// A user's function of one or two elements.
pub(super) fn closure(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let a = pool.pick(draw);
    let b = partner(draw, pool, &a);
    let which = draw.below(3);
    dispatch!(a.dtype()?, T => Some(match which {
        0 => element(ElementOp::Call(ElementFn::unary("mapv", |x: T| x != T::default())), &[&a]),
        1 => element(ElementOp::Call(ElementFn::unary("mapv", |x: T| first_of(T::default(), x))), &[&a]),
        _ => element(ElementOp::Call(ElementFn::binary("zip_mapv", first_of::<T>)), &[&a, &b]),
    }))
}

/// The first unless it is zero: not symmetric, and defined for every type.
fn first_of<T: Element>(a: T, b: T) -> T {
    if a != T::default() { a } else { b }
}
