//! The evaluator against values written by hand: the truth must be true before anything is compared with it.

use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, DType, Element, ReadUnit, Scalar, View};
use chunkwise_expr::{
    BinaryOp, Call, Collect, ElementOp, Expr, ExprGraph, FromObject, Object, Op, ProgramBuilder, ReduceKind,
    UnaryOp,
};
use chunkwise_testkit::{EagerError, PlainArray, TestSource, eval};
use ndarray::s;

fn array<T: Element>(shape: &[usize], values: &[T]) -> Expr {
    TestSource::new(&PlainArray::of(shape, values), ChunkGrid::whole(shape), ReadUnit::Any).into_expr()
}

fn value(expr: &Expr) -> PlainArray {
    eval(expr).expect("a value").array().expect("an array").clone()
}

fn reduced(x: &Expr, kind: ReduceKind, axes: Option<&[usize]>, keepdims: bool, ddof: f64) -> PlainArray {
    value(&x.reduce(kind, axes, keepdims, ddof, Location::caller()))
}

fn whole(x: &Expr, kind: ReduceKind) -> Scalar {
    reduced(x, kind, None, false, 0.0).data()[0]
}

#[test]
fn elements_broadcast_from_the_end() {
    let (row, column) = (array(&[3], &[1, 2, 3]), array(&[2, 1], &[10, 20]));
    let sum = Expr::element(BinaryOp::Add.into(), &[&row, &column], Location::caller());
    assert_eq!(value(&sum), PlainArray::of(&[2, 3], &[11, 12, 13, 21, 22, 23]));
    let (none, one) = (array::<f64>(&[0], &[]), array(&[1], &[1.0]));
    let sum = Expr::element(BinaryOp::Add.into(), &[&none, &one], Location::caller());
    assert_eq!(value(&sum).shape(), [0]);
}

#[test]
fn selection_and_cast_follow_the_element() {
    let (mask, a, b) = (array(&[2], &[true, false]), array(&[2], &[1.9, 2.9]), array(&[1], &[-1.9]));
    let chosen = Expr::element(ElementOp::Select, &[&mask, &a, &b], Location::caller());
    assert_eq!(value(&chosen), PlainArray::of(&[2], &[1.9, -1.9]));
    assert_eq!(value(&chosen.cast(DType::I8, Location::caller())), PlainArray::of(&[2], &[1i8, -1]));
}

#[test]
fn division_by_integer_zero_is_a_fault() {
    let (a, b) = (array(&[2], &[1, 2]), array(&[2], &[1, 0]));
    let quotient = Expr::element(BinaryOp::Div.into(), &[&a, &b], Location::caller());
    let err = eval(&quotient).unwrap_err();
    assert_eq!(err.to_string(), "div: no value for 2, 0");
}

#[test]
fn reductions_of_small_integers_widen_and_wrap() {
    assert_eq!(whole(&array(&[2], &[200u8, 100]), ReduceKind::Sum), Scalar::U64(300));
    assert_eq!(whole(&array(&[3], &[true; 3]), ReduceKind::Sum), Scalar::I64(3));
    assert_eq!(whole(&array(&[2], &[i64::MAX, 1]), ReduceKind::Sum), Scalar::I64(i64::MIN));
    assert_eq!(whole(&array(&[3], &[-2i8, 3, 100]), ReduceKind::Prod), Scalar::I64(-600));
    assert_eq!(whole(&array(&[3], &[1i64 << 62; 3]), ReduceKind::Mean), Scalar::F64(4.611686018427388e18));
}

#[test]
fn nan_wins_and_the_first_of_equals_is_taken() {
    let x = array(&[4], &[1.0, f64::NAN, 3.0, f64::NAN]);
    assert!(matches!(whole(&x, ReduceKind::Max), Scalar::F64(max) if max.is_nan()));
    assert_eq!(whole(&x, ReduceKind::ArgMin), Scalar::I64(1));
    let ties = array(&[2, 2], &[1, 0, 0, 1]);
    assert_eq!(whole(&ties, ReduceKind::ArgMin), Scalar::I64(1));
    let along = reduced(&ties, ReduceKind::ArgMax, Some(&[0]), false, 0.0);
    assert_eq!(along, PlainArray::of(&[2], &[0i64, 1]));
    assert_eq!(whole(&array(&[1], &[f64::NAN]), ReduceKind::Any), Scalar::Bool(true));
}

#[test]
fn reductions_of_nothing_have_their_value_or_none() {
    let none = array::<f64>(&[0], &[]);
    assert_eq!(whole(&none, ReduceKind::Sum), Scalar::F64(0.0));
    assert_eq!(whole(&none, ReduceKind::Prod), Scalar::F64(1.0));
    assert_eq!(whole(&none, ReduceKind::All), Scalar::Bool(true));
    assert_eq!(whole(&none, ReduceKind::Any), Scalar::Bool(false));
    assert!(matches!(whole(&none, ReduceKind::Var), Scalar::F64(var) if var.is_nan()));
    let min = none.reduce(ReduceKind::Min, None, false, 0.0, Location::caller());
    assert!(matches!(eval(&min), Err(EagerError::Build(_))));
    let rows = array::<f64>(&[0, 3], &[]);
    assert_eq!(reduced(&rows, ReduceKind::Min, Some(&[1]), false, 0.0).shape(), [0]);
}

#[test]
fn variance_follows_ddof_down_to_nothing() {
    let var = |values: &[f64], ddof| {
        let x = array(&[values.len()], values);
        match reduced(&x, ReduceKind::Var, None, false, ddof).data()[0] {
            Scalar::F64(var) => var,
            other => panic!("variance of f64 is f64, not {other}"),
        }
    };
    assert_eq!(var(&[1.0, 2.0, 3.0, 4.0], 1.0), 5.0 / 3.0);
    assert_eq!(var(&[1e9, 1e9 + 1.0, 1e9 + 2.0], 0.0), 2.0 / 3.0);
    assert_eq!(var(&[1.0, 2.0], 2.0), f64::INFINITY);
    assert_eq!(var(&[1.0, 2.0], 3.0), f64::INFINITY);
    assert!(var(&[5.0], 1.0).is_nan());
    let x = array(&[4], &[1.0, 2.0, 3.0, 4.0]);
    let std = reduced(&x, ReduceKind::Std, None, false, 1.0);
    assert_eq!(std, PlainArray::of(&[], &[1.2909944487358056]));
}

#[test]
fn axes_go_or_stay_with_length_one() {
    let x = array(&[2, 3, 2], &(0..12).collect::<Vec<i64>>());
    let sums = reduced(&x, ReduceKind::Sum, Some(&[2, 0]), false, 0.0);
    assert_eq!(sums, PlainArray::of(&[3], &[14i64, 22, 30]));
    let kept = reduced(&x, ReduceKind::Max, Some(&[1]), true, 0.0);
    assert_eq!(kept, PlainArray::of(&[2, 1, 2], &[4i64, 5, 10, 11]));
    let position = reduced(&x, ReduceKind::ArgMax, Some(&[1, 2]), false, 0.0);
    assert_eq!(position, PlainArray::of(&[2], &[5i64, 5]));
}

#[test]
fn structure_moves_elements() {
    let at = Location::caller();
    let x = array(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    let slice = View::slice(&[2, 3], s![1, ..;-2].as_ref());
    assert_eq!(value(&Expr::view("slice", &x, slice, at)), PlainArray::of(&[2], &[6, 4]));
    let t = Expr::view("t", &x, View::permute(&[2, 3], &[1, 0]), at);
    assert_eq!(value(&t.reshape(&[6], at)), PlainArray::of(&[6], &[1, 4, 2, 5, 3, 6]));
    let none = array::<i32>(&[2, 0], &[]);
    let joined = Expr::concat(&[&none, &x, &x], 1, at);
    assert_eq!(value(&joined), PlainArray::of(&[2, 6], &[1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]));
    assert_eq!(value(&x.rechunk(&1.into(), at)), value(&x));
}

#[test]
fn delayed_values_pass_through() {
    let at = Location::caller();
    let sum = |chunk: chunkwise_chunk::Chunk| chunk.to_array::<i32>().map_or(0, |a| a.sum());
    let collect = Op::Collect(Collect::new(move |chunk| Arc::new(sum(chunk)) as Object));
    let total = Expr::new(collect, &[&array(&[3], &[1, 2, 3])], at);
    let double = Call::new("double", |args: &[Object]| {
        Arc::new(args[0].downcast_ref::<i32>().map_or(0, |x| 2 * x)) as Object
    });
    let from = FromObject::new(DType::I32, ChunkGrid::whole(&[]), |object| {
        let x = object.downcast_ref::<i32>().ok_or("not an i32")?;
        Ok(PlainArray::of(&[], &[*x]).to_chunk())
    });
    let back = Expr::new(Op::FromObject(from), &[&Expr::new(Op::Call(double), &[&total], at)], at);
    assert_eq!(value(&back), PlainArray::of(&[], &[12]));
}

#[test]
fn fused_program_is_run_instruction_by_instruction() {
    let mut builder = ProgramBuilder::new();
    let (x, y) = (builder.input(DType::F64), builder.input(DType::F64));
    let half = builder.constant(Scalar::F64(0.5));
    let root = builder.push(UnaryOp::Sqrt.into(), &[x]).unwrap();
    let scaled = builder.push(BinaryOp::Mul.into(), &[root, half]).unwrap();
    let sum = builder.push(BinaryOp::Add.into(), &[scaled, y]).unwrap();
    let op = Op::Fused(Arc::new(builder.finish(sum)), ChunkGrid::whole(&[2]));
    let fused = Expr::new(op, &[&array(&[2], &[4.0, 16.0]), &array(&[1], &[1.0])], Location::caller());
    assert_eq!(value(&fused), PlainArray::of(&[2], &[2.0, 3.0]));
}

#[test]
fn shared_nodes_are_evaluated_once() {
    let at = Location::caller();
    let mut x = array(&[1], &[1u64]);
    for _ in 0..63 {
        x = Expr::element(BinaryOp::Add.into(), &[&x, &x], at);
    }
    assert_eq!(value(&x), PlainArray::of(&[1], &[1u64 << 63]));
    assert_eq!(ExprGraph::import(&[x]).unwrap().len(), 64);
}
