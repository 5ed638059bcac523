//! Times of the kernels on one thread, in nanoseconds per element.
//!
//! ```text
//! cargo run --release -p chunkwise-kernels --example kernel_times            reductions and maps
//! cargo run --release -p chunkwise-kernels --example kernel_times tables     every operation of every type
//! ```
//!
//! The best and the median of several passes over inputs that are in memory before the clock starts. Plain
//! loops over slices, which the compiler vectorises for the baseline of the target, stand beside them.

// A measurement that cannot be taken may panic.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use chunkwise_chunk::{Chunk, ChunkGrid, DType, Element, Region, Scalar, SliceElem, View, dispatch};
use chunkwise_expr::{BinaryOp, ElementOp, Program, ProgramBuilder, Reduce, ReduceKind, UnaryOp, eval_cast};
use chunkwise_kernels::{CompileOptions, Fold, Kernel};
use ndarray::{ArrayD, IxDyn};

const PASSES: usize = 25;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("tables") {
        return rows_of_tables();
    }
    println!("{:<44} {:>8} {:>8}", "ns per element", "best", "median");
    rows_of_one_block();
    rows_of_matrices();
    rows_of_maps();
}

fn rows_of_one_block() {
    let n = 1_000_000;
    // One block, four times: it stays in a second-level cache of 2 MiB.
    let x: Vec<Chunk> = vec![ramp(&[n / 4], 1); 4];
    let roots = root_of_square(DType::F64);
    for (name, kind) in [
        ("mean", ReduceKind::Mean),
        ("var", ReduceKind::Var),
        ("max", ReduceKind::Max),
        ("argmax", ReduceKind::ArgMax),
    ] {
        let plain = reduce(kind.clone(), &[n / 4], &[0], None);
        let fused = reduce(kind, &[n / 4], &[0], Some(roots.clone()));
        time(&format!("{name}(x), 4 blocks of 250k f64"), n, || fold_blocks(&plain, &x));
        time(&format!("{name}(sqrt(x * x)), 4 blocks of 250k f64"), n, || fold_blocks(&fused, &x));
    }
    time("  plain loop: mean(sqrt(x * x))", n, || {
        for block in &x {
            let block = block.typed::<f64>().unwrap();
            black_box(fused_loop(block.as_slice().unwrap()));
        }
    });
    let wide: Vec<Chunk> = vec![ramp(&[10 * n], 1)];
    let plain = reduce(ReduceKind::Mean, &[10 * n], &[0], None);
    let fused = reduce(ReduceKind::Mean, &[10 * n], &[0], Some(roots));
    time("mean(x), 10M f64 in memory", 10 * n, || fold_blocks(&plain, &wide));
    time("mean(sqrt(x * x)), 10M f64 in memory", 10 * n, || fold_blocks(&fused, &wide));
}

/// What a program fused by hand would do: no intermediate, 32 accumulators.
fn fused_loop(x: &[f64]) -> f64 {
    let mut sums = [0.0; 32];
    for block in x.as_chunks::<32>().0 {
        for (sum, x) in sums.iter_mut().zip(block) {
            *sum += (x * x).sqrt();
        }
    }
    sums.iter().sum()
}

fn rows_of_matrices() {
    let shape = [1000, 1000];
    let x = vec![ramp(&shape, 3)];
    let t = vec![x[0].view(&View::permute(&shape, &[1, 0]).unwrap())];
    for kind in [ReduceKind::Sum, ReduceKind::Var, ReduceKind::Max, ReduceKind::ArgMax] {
        for axis in [0, 1] {
            let fold = reduce(kind.clone(), &shape, &[axis], None);
            time(&format!("{kind} axis {axis} of 1000x1000 f64"), 1_000_000, || fold_blocks(&fold, &x));
        }
    }
    for axis in [0, 1] {
        let fold = reduce(ReduceKind::Sum, &shape, &[axis], None);
        time(&format!("sum axis {axis} of its transpose"), 1_000_000, || fold_blocks(&fold, &t));
        let fold = reduce(ReduceKind::Mean, &shape, &[axis], Some(root_of_square(DType::F64)));
        time(&format!("mean(sqrt(x * x)) axis {axis}"), 1_000_000, || fold_blocks(&fold, &x));
    }
    let thin = vec![ramp(&[250_000, 4], 0)];
    for axis in [0, 1] {
        let fold = reduce(ReduceKind::Sum, &[250_000, 4], &[axis], None);
        time(&format!("sum axis {axis} of 250000x4 f64"), 1_000_000, || fold_blocks(&fold, &thin));
    }
}

fn rows_of_maps() {
    let shape = [500, 500];
    let x = ramp(&shape, 3);
    let t = x.view(&View::permute(&shape, &[1, 0]).unwrap());
    let square = unary(UnaryOp::Square, DType::F64);
    time("square(x), 250k f64", 250_000, || map(&square, std::slice::from_ref(&x), &shape));
    time("sqrt(x * x), 250k f64", 250_000, || {
        map(&Kernel::new(&root_of_square(DType::F64)), std::slice::from_ref(&x), &shape);
    });
    for (name, program) in
        [("polynomial of 8 operations", polynomial()), ("sqrt(x * x)", root_of_square(DType::F64))]
    {
        for pairs in [false, true] {
            let kernel = Kernel::with_options(&program, CompileOptions::default().with_pairs(pairs));
            let x = ramp(&[16_384], 3);
            let name = format!("{name}, 16k f64, {}", if pairs { "in pairs" } else { "singly" });
            time(&name, 16_384, || map(&kernel, std::slice::from_ref(&x), &[16_384]));
        }
    }
    let add = binary(BinaryOp::Add, DType::F64);
    time("x + y, 250k f64", 250_000, || map(&add, &[x.clone(), x.clone()], &shape));
    time("x + x.T, 500x500 f64", 250_000, || map(&add, &[x.clone(), t.clone()], &shape));
    let row = ramp(&[500], 1);
    time("x + row, 500x500 f64", 250_000, || map(&add, &[x.clone(), row.clone()], &shape));
    for dtype in [DType::U8, DType::I16, DType::F32] {
        let convert = Kernel::new(&scaled(dtype, false));
        let scale = Kernel::new(&scaled(dtype, true));
        let plain = Kernel::new(&scaled(DType::F32, true));

        let (x, y) = (ones(dtype, 16_384), ones(DType::F32, 16_384));
        let wide = ones(dtype, 32_768);
        let slice = SliceElem::Slice { start: 0, end: None, step: 2 };
        let even = wide.view(&View::slice(wide.shape(), &[slice]).unwrap());
        time(&format!("x as f32, 16k {dtype}"), 16_384, || {
            map(&convert, std::slice::from_ref(&x), &[16_384])
        });
        time("  x * a + b, 16k f32", 16_384, || map(&plain, std::slice::from_ref(&y), &[16_384]));
        time(&format!("x as f32 * a + b, 16k {dtype}"), 16_384, || {
            map(&scale, std::slice::from_ref(&x), &[16_384])
        });
        time(&format!("x[::2] as f32 * a + b, 16k {dtype}"), 16_384, || {
            map(&scale, std::slice::from_ref(&even), &[16_384]);
        });
    }
    let identity = Kernel::new(&Program::identity(DType::F64));
    for step in [1_isize, 2, 3, 5, -1] {
        let wide = ramp(&[16_384 * step.unsigned_abs()], 1);
        let slice = SliceElem::Slice { start: 0, end: None, step };
        let view = wide.view(&View::slice(wide.shape(), &[slice]).unwrap());
        time(&format!("x[::{step}], 16k f64"), 16_384, || {
            map(&identity, std::slice::from_ref(&view), &[16_384])
        });
    }
    let large = ramp(&[1000, 1000], 2);
    let large_t = large.view(&View::permute(&[1000, 1000], &[1, 0]).unwrap());
    time("x + y, 1000x1000 f64", 1_000_000, || map(&add, &[large.clone(), large.clone()], &[1000, 1000]));
    time("x + x.T, 1000x1000 f64", 1_000_000, || map(&add, &[large.clone(), large_t.clone()], &[1000, 1000]));
    let sum = sum_of_two();
    let [even, even_t] = [&large, &large_t].map(|x| x.view(&every_second_row(&[1000, 1000])));
    for axis in [0, 1] {
        let fold = |shape: &[usize]| reduce(ReduceKind::Mean, shape, &[axis], Some(sum.clone()));
        let (whole, half) = (fold(&[1000, 1000]), fold(&[500, 1000]));
        let (a, b) = (&large, &large_t);
        time(&format!("mean(x + y) axis {axis}, 1000x1000 f64"), 1_000_000, || fold_pair(&whole, a, a));
        time(&format!("mean(x + x.T) axis {axis}, 1000x1000 f64"), 1_000_000, || fold_pair(&whole, a, b));
        time(&format!("mean(x + x.T)[::2] axis {axis}"), 500_000, || fold_pair(&half, &even, &even_t));
    }
    for dtype in [DType::U8, DType::I32, DType::F32] {
        let kernel = binary(BinaryOp::Add, dtype);
        let x = ones(dtype, 250_000);
        time(&format!("x + y, 250k {dtype}"), 250_000, || map(&kernel, &[x.clone(), x.clone()], &[250_000]));
    }
}

/// Every loop of the tables over a block that stays in the second-level cache; a lost vectorisation shows here.
fn rows_of_tables() {
    println!(
        "best ns per element\n{:<16} {}",
        "",
        DType::ALL.iter().map(|d| format!("{d:>7}")).collect::<String>()
    );
    let unary = UnaryOp::ALL.iter().map(|&op| (op.name().to_owned(), ElementOp::from(op), 1));
    let binary = BinaryOp::ALL.iter().map(|&op| (op.name().to_owned(), ElementOp::from(op), 2));
    let casts = DType::ALL.iter().map(|&to| (format!("to {to}"), ElementOp::Cast(to), 1));
    for (name, op, arity) in unary.chain(binary).chain(casts) {
        let cells = DType::ALL.iter().map(|&dtype| cell(&op, &vec![dtype; arity]));
        println!("{name:<16} {}", cells.collect::<String>());
    }
    let cells = DType::ALL.iter().map(|&dtype| cell(&ElementOp::Select, &[DType::Bool, dtype, dtype]));
    println!("{:<16} {}", "where", cells.collect::<String>());
}

/// The time of one operation, or a dash where it does not take these types.
fn cell(op: &ElementOp, types: &[DType]) -> String {
    const N: usize = 16_384;
    let mut b = ProgramBuilder::new();
    let args: Vec<_> = types.iter().map(|&dtype| b.input(dtype)).collect();
    let Some(result) = b.push(op.clone(), &args) else { return format!("{:>7}", "-") };
    let kernel = Kernel::new(&b.finish(result));
    let number = |dtype, i: usize| eval_cast(Scalar::F64((i * 7 % 61 + 1) as f64 / 2.0 + 0.5), dtype);
    let operands: Vec<Chunk> = types
        .iter()
        .enumerate()
        .map(|(seed, &dtype)| {
            dispatch!(dtype, T => {
                let elements = (0..N).map(|i| T::of_scalar(number(dtype, i + 11 * seed)).unwrap()).collect();
                Chunk::from_array(ArrayD::from_shape_vec(IxDyn(&[N]), elements).unwrap())
            })
        })
        .collect();
    format!("{:>7.3}", times(N, || map(&kernel, &operands, &[N]))[0])
}

fn time(name: &str, elements: usize, pass: impl FnMut()) {
    let times = times(elements, pass);
    println!("{name:<44} {:>8.3} {:>8.3}", times[0], times[PASSES / 2]);
}

/// Nanoseconds per element of several passes, the best first.
fn times(elements: usize, mut pass: impl FnMut()) -> Vec<f64> {
    pass();
    let mut times: Vec<f64> = (0..PASSES)
        .map(|_| {
            let start = Instant::now();
            pass();
            start.elapsed().as_secs_f64() * 1e9 / elements as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn fold_blocks(fold: &Fold, blocks: &[Chunk]) {
    let parts: Vec<_> = blocks
        .iter()
        .map(|block| fold.fold(std::slice::from_ref(block), &Region::whole(block.shape())).unwrap())
        .collect();
    black_box(fold.finish(&parts.iter().collect::<Vec<_>>()));
}

fn map(kernel: &Kernel, operands: &[Chunk], shape: &[usize]) {
    black_box(kernel.map(operands, shape).unwrap());
}

fn ramp(shape: &[usize], offset: usize) -> Chunk {
    let n = shape.iter().product();
    let elements = (0..n).map(|i| ((i + offset) % 1013) as f64).collect();
    Chunk::from_array(ArrayD::from_shape_vec(IxDyn(shape), elements).unwrap())
}

fn reduce(kind: ReduceKind, shape: &[usize], axes: &[usize], program: Option<Program>) -> Fold {
    let reduce = Reduce {
        kind,
        axes: axes.into(),
        keepdims: false,
        ddof: 0.0,
        space: ChunkGrid::whole(shape),
        program: program.map(Into::into),
    };
    Fold::new(&reduce, DType::F64)
}

fn root_of_square(dtype: DType) -> Program {
    let mut b = ProgramBuilder::new();
    let x = b.input(dtype);
    let square = b.push(BinaryOp::Mul.into(), &[x, x]).unwrap();
    let root = b.push(UnaryOp::Sqrt.into(), &[square]).unwrap();
    b.finish(root)
}

/// The elements as `f32`, and times a number plus another.
fn scaled(dtype: DType, scale: bool) -> Program {
    let mut b = ProgramBuilder::new();
    let x = b.input(dtype);
    let mut y = if dtype == DType::F32 { x } else { b.push(ElementOp::Cast(DType::F32), &[x]).unwrap() };
    if scale {
        for (op, number) in [(BinaryOp::Mul, 0.5), (BinaryOp::Add, 3.0)] {
            let number = b.constant(Scalar::F32(number));
            y = b.push(op.into(), &[y, number]).unwrap();
        }
    }
    b.finish(y)
}

/// Horner's rule.
fn polynomial() -> Program {
    let mut b = ProgramBuilder::new();
    let x = b.input(DType::F64);
    let mut p = b.constant(Scalar::F64(0.5));
    for i in 0..4 {
        let c = b.constant(Scalar::F64(f64::from(i) - 1.5));
        p = b.push(BinaryOp::Mul.into(), &[p, x]).unwrap();
        p = b.push(BinaryOp::Add.into(), &[p, c]).unwrap();
    }
    b.finish(p)
}

fn sum_of_two() -> Program {
    let mut b = ProgramBuilder::new();
    let (x, y) = (b.input(DType::F64), b.input(DType::F64));
    let sum = b.push(BinaryOp::Add.into(), &[x, y]).unwrap();
    b.finish(sum)
}

fn every_second_row(shape: &[usize]) -> View {
    let range = |step| SliceElem::Slice { start: 0, end: None, step };
    View::slice(shape, &[range(2), range(1)]).unwrap()
}

fn fold_pair(fold: &Fold, x: &Chunk, y: &Chunk) {
    let part = fold.fold(&[x.clone(), y.clone()], &Region::whole(x.shape())).unwrap();
    black_box(fold.finish(&[&part]));
}

fn unary(op: UnaryOp, dtype: DType) -> Kernel {
    let mut b = ProgramBuilder::new();
    let x = b.input(dtype);
    let y = b.push(op.into(), &[x]).unwrap();
    Kernel::new(&b.finish(y))
}

fn binary(op: BinaryOp, dtype: DType) -> Kernel {
    let mut b = ProgramBuilder::new();
    let (x, y) = (b.input(dtype), b.input(dtype));
    let z = b.push(op.into(), &[x, y]).unwrap();
    Kernel::new(&b.finish(z))
}

fn ones(dtype: DType, n: usize) -> Chunk {
    dispatch!(dtype, T => {
        let one = T::of_scalar(Scalar::one(dtype)).unwrap();
        Chunk::from_array(ArrayD::from_shape_vec(IxDyn(&[n]), vec![one; n]).unwrap())
    })
}
