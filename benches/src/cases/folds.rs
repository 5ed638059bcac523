//! Reductions, along rows and along columns, and some of them in one pass.

use std::hint::black_box;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region};
use chunkwise_expr::{BinaryOp, ProgramBuilder, Reduce, ReduceKind, UnaryOp};
use chunkwise_kernels::Fold;

use super::elementwise::push;
use super::{Case, numbers};

/// Few results, and many elements to each.
const ROWS: [usize; 2] = [4, 4096];

/// As many results as elements to each.
const COLUMNS: [usize; 2] = [128, 128];

pub(super) fn add_to(cases: &mut Vec<Case>) {
    for &dtype in DType::ALL.iter().filter(|dtype| !dtype.is_complex()) {
        for kind in ReduceKind::ALL {
            for (walk, axis, shape) in [("rows", 1, ROWS), ("columns", 0, COLUMNS)] {
                let fold = Fold::new(&reduce(kind.clone(), axis, shape), dtype);
                cases.push(case(format!("{kind}.{walk}.{dtype}"), fold, dtype, shape));
            }
        }
    }
    cases.extend([DType::F32, DType::F64].map(siblings));
}

fn reduce(kind: ReduceKind, axis: usize, shape: [usize; 2]) -> Reduce {
    let (axes, space) = ([axis].into_iter().collect(), ChunkGrid::whole(&shape));
    Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None }
}

fn case(name: String, fold: Fold, dtype: DType, shape: [usize; 2]) -> Case {
    let operand: [Chunk; 1] = [numbers(dtype, shape, [1.0, 100.0], 1)];
    Case::new(name, shape[0] * shape[1], move || {
        black_box(fold.fold(&operand, &Region::whole(&shape)).expect("no operation can fail"));
    })
}

/// Mean, deviation and maximum of `sqrt(x) + sin(x)`.
fn siblings(dtype: DType) -> Case {
    let mut b = ProgramBuilder::new();
    let x = b.input(dtype);
    let root = push(&mut b, UnaryOp::Sqrt, &[x]);
    let sine = push(&mut b, UnaryOp::Sin, &[x]);
    let sum = push(&mut b, BinaryOp::Add, &[root, sine]);
    let program = Arc::new(b.finish(sum));
    let reduces = [ReduceKind::Mean, ReduceKind::Std, ReduceKind::Max]
        .map(|kind| Reduce { program: Some(program.clone()), ..reduce(kind, 1, ROWS) });
    let fold = Fold::siblings(&reduces.each_ref(), &[dtype]);
    case(format!("siblings.{dtype}"), fold, dtype, ROWS)
}
