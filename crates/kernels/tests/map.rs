//! Kernels against the operations of single values, bit for bit.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

mod common;

use chunkwise_chunk::{Chunk, DType, Scalar, View};
use chunkwise_expr::{BinaryOp, ElementFn, ElementOp, ProgramBuilder, UnaryOp, eval_element};
use chunkwise_kernels::{Kernel, KernelError};
use common::{LAYOUTS, all_same, block, elements, held, single, special};
use proptest::prelude::*;

/// The operation element by element; `None` where some element has no result.
fn truth(op: &ElementOp, operands: &[Vec<Scalar>]) -> Option<Vec<Scalar>> {
    (0..operands[0].len())
        .map(|i| eval_element(op, &operands.iter().map(|x| x[i]).collect::<Vec<_>>()))
        .collect()
}

/// Runs one operation over operands of one shape in every layout.
fn check(op: &ElementOp, operands: &[Chunk]) {
    let types: Vec<DType> = operands.iter().map(Chunk::dtype).collect();
    let kernel = Kernel::new(&single(op.clone(), &types).unwrap());
    let want = truth(op, &operands.iter().map(elements).collect::<Vec<_>>());
    for layout in 0..LAYOUTS {
        let held: Vec<Chunk> =
            operands.iter().enumerate().map(|(i, x)| held(x, (layout + i) % LAYOUTS)).collect();
        let got = kernel.map(&held, operands[0].shape());
        match (&got, &want) {
            (Ok(got), Some(want)) => assert!(
                all_same(&elements(got), want),
                "{} of {types:?} in layout {layout}: {:?} instead of {want:?}",
                op.name(),
                elements(got)
            ),
            (Err(_), None) => {}
            _ => panic!("{} of {types:?}: {got:?} where the values are {want:?}", op.name()),
        }
    }
}

#[test]
fn every_unary_row_of_every_type() {
    for &op in UnaryOp::ALL {
        for &dtype in DType::ALL.iter().filter(|&&dtype| op.output(dtype).is_some()) {
            let x = special(dtype);
            check(&op.into(), &[block(dtype, &x, &[3, x.len() / 3])]);
        }
    }
}

#[test]
fn every_binary_row_of_every_type() {
    for &op in BinaryOp::ALL {
        for &dtype in DType::ALL.iter().filter(|&&dtype| op.output(dtype).is_some()) {
            let x = special(dtype);
            let pairs: Vec<(Scalar, Scalar)> =
                x.iter().flat_map(|&a| x.iter().map(move |&b| (a, b))).collect();
            let defined = |p: &&(Scalar, Scalar)| eval_element(&op.into(), &[p.0, p.1]).is_some();
            let (a, b): (Vec<Scalar>, Vec<Scalar>) = pairs.iter().filter(defined).copied().unzip();
            check(&op.into(), &[block(dtype, &a, &[a.len()]), block(dtype, &b, &[b.len()])]);
            if let Some(&(a, b)) = pairs.iter().find(|p| !defined(p)) {
                check(&op.into(), &[block(dtype, &[a], &[1]), block(dtype, &[b], &[1])]);
            }
        }
    }
}

#[test]
fn every_conversion() {
    for &from in DType::ALL {
        let cast = |to| ElementOp::Cast(to);
        for &to in DType::ALL.iter().filter(|&&to| cast(to).output(&[from]).is_some()) {
            let x = special(from);
            check(&cast(to), &[block(from, &x, &[x.len()])]);
        }
    }
}

#[test]
fn select_and_closures() {
    for &dtype in DType::ALL {
        let x = special(dtype);
        let which: Vec<Scalar> = (0..x.len()).map(|i| Scalar::Bool(i % 3 == 0)).collect();
        let back: Vec<Scalar> = x.iter().rev().copied().collect();
        let n = [x.len()];
        check(
            &ElementOp::Select,
            &[block(DType::Bool, &which, &n), block(dtype, &x, &n), block(dtype, &back, &n)],
        );
    }
    let x = special(DType::F64);
    let f = ElementFn::unary("mapv", |x: f64| x > 0.5);
    check(&ElementOp::Call(f), &[block(DType::F64, &x, &[x.len()])]);
    let f = ElementFn::binary("zip", |x: f64, y: bool| if y { x as i16 } else { 7 });
    let y: Vec<Scalar> = (0..x.len()).map(|i| Scalar::Bool(i % 2 == 0)).collect();
    check(&ElementOp::Call(f), &[block(DType::F64, &x, &[x.len()]), block(DType::Bool, &y, &[x.len()])]);
}

#[test]
fn faults_are_named() {
    let fault = |op: BinaryOp, b: i32| {
        let kernel = Kernel::new(&single(op.into(), &[DType::I32, DType::I32]).unwrap());
        let (a, b) = (Chunk::filled(Scalar::I32(3), &[700]), Chunk::filled(Scalar::I32(b), &[]));
        kernel.map(&[a, b], &[700]).unwrap_err()
    };
    assert_eq!(fault(BinaryOp::Modulo, 0), KernelError::IntegerDivisionByZero { op: "modulo" });
    assert_eq!(fault(BinaryOp::Pow, -1), KernelError::NegativeIntegerPower);
}

#[test]
fn inputs_and_constants_can_be_the_result() {
    let x = Chunk::from_array(ndarray::arr2(&[[1, 2, 3], [4, 5, 6]]).into_dyn());
    let t = x.view(&View::permute(&[2, 3], &[1, 0]).unwrap());
    let mut b = ProgramBuilder::new();
    let input = b.input(DType::I32);
    let kernel = Kernel::new(&b.finish(input));
    assert_eq!(elements(&kernel.map(&[t], &[3, 2]).unwrap()), [1, 4, 2, 5, 3, 6].map(Scalar::I32));
    let mut b = ProgramBuilder::new();
    b.input(DType::I32);
    let seven = b.constant(Scalar::U8(7));
    let kernel = Kernel::new(&b.finish(seven));
    assert_eq!(elements(&kernel.map(&[x], &[2, 3]).unwrap()), [Scalar::U8(7); 6]);
}

#[test]
fn long_programs_give_what_short_ones_do() {
    let mut b = ProgramBuilder::new();
    let mut x = b.input(DType::U64);
    for i in 0..20_000 {
        let c = b.constant(Scalar::U64(i));
        let op = if i % 2 == 0 { BinaryOp::Add } else { BinaryOp::BitXor };
        x = b.push(op.into(), &[x, c]).unwrap();
    }
    let kernel = Kernel::new(&b.finish(x));
    let want = |x: u64| (0..20_000).fold(x, |x, i| if i % 2 == 0 { x.wrapping_add(i) } else { x ^ i });
    let block = Chunk::from_array(ndarray::Array1::from_iter(0..600u64).into_dyn());
    let got = kernel.map(&[block], &[600]).unwrap();
    assert!(elements(&got).iter().zip(0..).all(|(&got, x)| got == Scalar::U64(want(x))));
}

proptest! {
    /// Shapes of up to four axes, operands broadcast along any of them, in any layout.
    #[test]
    fn operands_broadcast_in_every_layout(
        shape in prop::collection::vec(0usize..14, 0..5),
        flat in any::<[bool; 10]>(),
        drop in (0usize..3, 0usize..3),
        layouts in (0..LAYOUTS, 0..LAYOUTS),
    ) {
        let operand = |drop: usize, flat: &[bool], layout: usize, from: i64| {
            let axes = shape.iter().zip(flat).skip(drop.min(shape.len()));
            let own: Vec<usize> = axes.map(|(&n, &flat)| if flat { 1 } else { n }).collect();
            let values: Vec<Scalar> =
                (0..own.iter().product::<usize>() as i64).map(|i| Scalar::I64(i * from + 1)).collect();
            (held(&block(DType::I64, &values, &own), layout), own)
        };
        let (x, x_shape) = operand(drop.0, &flat[..5], layouts.0, 3);
        let (y, y_shape) = operand(drop.1, &flat[5..], layouts.1, 1000);
        let kernel = Kernel::new(&single(BinaryOp::Sub.into(), &[DType::I64, DType::I64]).unwrap());
        let got = kernel.map(&[x.clone(), y.clone()], &shape).unwrap();
        let whole = |x: &Chunk, own: &[usize]| elements(&x.view(&View::broadcast(own, &shape).unwrap()));
        let want = truth(&BinaryOp::Sub.into(), &[whole(&x, &x_shape), whole(&y, &y_shape)]);
        let want = if got.is_empty() { Vec::new() } else { want.unwrap() };
        prop_assert!(all_same(&elements(&got), &want));
    }
}
