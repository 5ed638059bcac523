//! Sums of products: random steps.

use std::panic::Location;

use chunkwise_chunk::DType;
use chunkwise_expr::Expr;
use chunkwise_ops::contract::{Axes, Contract, Limits, einsum};

use crate::generate::draw::Draw;
use crate::generate::elementwise::cast_to;
use crate::generate::{Pool, Step};

pub(in crate::generate) const STEPS: &[(usize, Step)] = &[(2, contract), (2, named)];

/// Multiplications of a step at most: the evaluator is slow.
const MOST_PRODUCTS: usize = 4000;

/// What sums in any order are equal of.
const EXACT: &[DType] = &[DType::I8, DType::I32, DType::U64, DType::Bool];

/// Two arrays of which some axes of equal length are paired, in blocks and steps of a few elements.
fn contract(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let at = Location::caller();
    let a = pool.pick(draw);
    let b = cast_to(&pool.find(draw, |b| products(&a, b) <= MOST_PRODUCTS)?, a.dtype()?);
    let (mut left, mut right) = (Axes::default(), Axes::default());
    let mut rest: Vec<usize> = draw.shuffled((0..b.shape().len()).collect());
    for axis in draw.shuffled((0..a.shape().len()).collect::<Vec<usize>>()) {
        let partner = rest.iter().position(|&other| b.shape()[other] == a.shape()[axis]);
        let Some(partner) = partner.filter(|_| !draw.one_in(4)) else {
            left.free.push(axis);
            continue;
        };
        let partner = rest.swap_remove(partner);
        let (of_a, of_b) = match draw.one_in(3) {
            true => (&mut left.batch, &mut right.batch),
            false => (&mut left.summed, &mut right.summed),
        };
        of_a.push(axis);
        of_b.push(partner);
    }
    right.free = rest;
    let rule = Contract::new("matmul", (left, a.meta()), (right, b.meta()), &small_limits(draw)).ok()?;
    Some(Expr::blockwise(rule, &[&a, &b], at))
}

fn products(a: &Expr, b: &Expr) -> usize {
    let len = |x: &Expr| x.shape().iter().product::<usize>();
    len(a).saturating_mul(len(b))
}

fn small_limits(draw: &mut Draw) -> Limits {
    let mut one_of = |most| 1 + draw.below(most);
    Limits {
        side: one_of(4),
        least: one_of(4),
        step: one_of(16),
        least_summed: one_of(3),
        products: one_of(8),
        blocks: one_of(8),
        steps: one_of(2),
    }
}

/// One to three arrays with letters: a letter again where a length comes again, and a result of some of them. Whole
/// numbers only: this makes several nodes, and with floats the errors of the first would count against the last.
fn named(draw: &mut Draw, pool: &Pool) -> Option<Expr> {
    let at = Location::caller();
    let first = pool.pick(draw);
    let first = if EXACT.contains(&first.dtype()?) { first } else { cast_to(&first, *draw.pick(EXACT)) };
    let mut operands = vec![first.clone()];
    for _ in 0..draw.below(3) {
        operands.push(cast_to(&pool.pick(draw), first.dtype()?));
    }
    let mut lengths: Vec<usize> = Vec::new();
    let mut terms = Vec::new();
    for operand in &operands {
        let letters: String = operand.shape().iter().map(|&len| letter(draw, &mut lengths, len)).collect();
        terms.push(letters);
    }
    if lengths.iter().fold(1usize, |n, &len| n.saturating_mul(len)) > MOST_PRODUCTS {
        return None;
    }
    let some = lengths.iter().enumerate().map(|(i, _)| char::from(b'a' + i as u8));
    let some: Vec<char> = some.filter(|_| draw.one_in(2)).collect();
    let result: String = draw.shuffled(some).into_iter().collect();
    let arrow = if draw.one_in(5) { String::new() } else { format!("->{result}") };
    Some(einsum(&format!("{}{arrow}", terms.join(",")), &operands.iter().collect::<Vec<_>>(), at))
}

/// The letter of an axis: mostly one that stands for its length already.
fn letter(draw: &mut Draw, lengths: &mut Vec<usize>, len: usize) -> char {
    let known: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] == len).collect();
    let at = match known.is_empty() || draw.one_in(4) {
        true => {
            lengths.push(len);
            lengths.len() - 1
        }
        false => *draw.pick(&known),
    };
    char::from(b'a' + at as u8)
}
