//! Programs compiled with two operations in a loop, and with one: the same bits.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

mod common;

use chunkwise_chunk::{Chunk, DType, Scalar};
use chunkwise_expr::{BinaryOp, ElementOp, Program, ProgramBuilder, UnaryOp, eval_cast};
use chunkwise_kernels::{CompileOptions, Kernel};
use common::{all_same, block, elements, special};
use proptest::prelude::*;

/// Operations that pair, and some that do not; none tells the sign of a NaN, which is not defined.
const OPS: &[(ElementOp, usize)] = &[
    (ElementOp::Binary(BinaryOp::Add), 2),
    (ElementOp::Binary(BinaryOp::Sub), 2),
    (ElementOp::Binary(BinaryOp::Mul), 2),
    (ElementOp::Binary(BinaryOp::Div), 2),
    (ElementOp::Binary(BinaryOp::Maximum), 2),
    (ElementOp::Binary(BinaryOp::Minimum), 2),
    (ElementOp::Binary(BinaryOp::Fmax), 2),
    (ElementOp::Unary(UnaryOp::Square), 1),
    (ElementOp::Unary(UnaryOp::Sqrt), 1),
    (ElementOp::Unary(UnaryOp::Abs), 1),
    (ElementOp::Unary(UnaryOp::Neg), 1),
    (ElementOp::Unary(UnaryOp::Floor), 1),
];

/// A program of two inputs: each number chooses an operation and its operands, mostly the last value.
fn program(dtype: DType, choices: &[u32]) -> Program {
    let mut b = ProgramBuilder::new();
    let mut values = vec![b.input(dtype), b.input(dtype)];
    for constant in [0.3, -7.0, f64::NAN, 1e-300] {
        values.push(b.constant(eval_cast(Scalar::F64(constant), dtype)));
    }
    for &choice in choices {
        let (op, arity) = &OPS[choice as usize % OPS.len()];
        let earlier = values[(choice >> 8) as usize % values.len()];
        let last = values[values.len() - 1];
        let args = if choice & 1 << 30 == 0 { [last, earlier] } else { [earlier, last] };
        let next = b.push(op.clone(), &args[..*arity]).unwrap();
        values.push(next);
    }
    b.finish(values[values.len() - 1])
}

fn run(program: &Program, pairs: bool, operands: &[Chunk]) -> Chunk {
    let options = CompileOptions::default().with_pairs(pairs);
    Kernel::with_options(program, options).map(operands, operands[0].shape()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pairs_do_not_show_in_the_bits(choices in prop::collection::vec(any::<u32>(), 1..30), single in any::<bool>()) {
        let dtype = if single { DType::F32 } else { DType::F64 };
        let x = special(dtype);
        let (a, b): (Vec<Scalar>, Vec<Scalar>) = x.iter().flat_map(|&a| x.iter().map(move |&b| (a, b))).unzip();
        let operands = [a, b].map(|x| block(dtype, &x, &[x.len()]));
        let program = program(dtype, &choices);
        let [paired, plain] = [true, false].map(|pairs| elements(&run(&program, pairs, &operands)));
        prop_assert!(all_same(&paired, &plain), "{program}");
    }
}

#[test]
fn multiplication_and_addition_round_one_by_one() {
    let mut b = ProgramBuilder::new();
    let (x, one) = (b.input(DType::F64), b.constant(Scalar::F64(-1.0)));
    let square = b.push(UnaryOp::Square.into(), &[x]).unwrap();
    let less = b.push(BinaryOp::Add.into(), &[square, one]).unwrap();
    let x = 1.0 + 2f64.powi(-30);
    let got = run(&b.finish(less), true, &[Chunk::filled(Scalar::F64(x), &[600])]);
    assert!(got.to_array::<f64>().unwrap().iter().all(|&got| got == x * x - 1.0));
    assert_ne!(x * x - 1.0, x.mul_add(x, -1.0));
}
