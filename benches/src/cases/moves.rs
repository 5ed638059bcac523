//! Operands that do not lie as they are read, and results that are written into memory that is lent.

use std::hint::black_box;
use std::sync::Mutex;

use chunkwise_chunk::{Chunk, DType, Element, Region, View, Window, Written, dispatch};
use chunkwise_expr::{BinaryOp, Program, ProgramBuilder};
use chunkwise_kernels::{Kernel, KernelError};
use ndarray::{Array2, SliceInfoElem, s};

use super::elementwise::push;
use super::{Case, map, numbers};

/// A block that is gathered.
const SHAPE: [usize; 2] = [128, 128];

pub(super) fn add_to(cases: &mut Vec<Case>) {
    for dtype in [DType::F64, DType::F32, DType::U8] {
        gathers(cases, dtype);
    }
    for dtype in [DType::F64, DType::F32] {
        for (name, shape) in [("long", [16, 1024]), ("short", [512, 32])] {
            cases.push(window(format!("fill.{name}.{dtype}"), dtype, shape, Kernel::fill));
        }
        cases.push(window(format!("fill.streaming.{dtype}"), dtype, [16, 1024], Kernel::fill_streaming));
    }
}

fn gathers(cases: &mut Vec<Case>, dtype: DType) {
    let copy = Kernel::new(&Program::identity(dtype));
    let mut add = |name: &str, operand| {
        cases.push(map(format!("{name}.{dtype}"), copy.clone(), vec![operand], SHAPE, 1));
    };
    let square = numbers(dtype, SHAPE, [1.0, 100.0], 1);
    let transposed = square.view(&View::permute(&SHAPE, &[1, 0]).expect("two axes"));
    add("transposed", transposed);
    add("repeated", numbers(dtype, [SHAPE[0], 1], [1.0, 100.0], 1));
    let wide = [SHAPE[0], 3 * SHAPE[1]];
    let source = numbers(dtype, wide, [1.0, 100.0], 1);
    for (name, step) in [("every_second", 2), ("every_third", 3), ("reversed", -1)] {
        let steps = [1, step].map(|step| SliceInfoElem::Slice { start: 0, end: None, step });
        let view = View::slice(&wide, &steps).expect("both axes have elements");
        add(name, source.view(&view).part(&Region::whole(&SHAPE)));
    }
}

/// How a kernel writes into a window.
type Fill = for<'w> fn(&Kernel, &[Chunk], Window<'w>) -> Result<Written<'w>, KernelError>;

/// A sum written into the middle of a matrix.
fn window(name: String, dtype: DType, shape: [usize; 2], fill: Fill) -> Case {
    let mut b = ProgramBuilder::new();
    let (x, y) = (b.input(dtype), b.input(dtype));
    let sum = push(&mut b, BinaryOp::Add, &[x, y]);
    let kernel = Kernel::new(&b.finish(sum));
    let operands = [1, 2].map(|seed| numbers(dtype, shape, [1.0, 100.0], seed));
    dispatch!(dtype, T => {
        let memory = Mutex::new(Array2::<T>::default((shape[0], shape[1] + 16)).mapv(std::mem::MaybeUninit::new));
        Case::new(name, shape[0] * shape[1], move || {
            let Ok(mut memory) = memory.lock() else { return };
            let part = memory.slice_mut(s![.., 8..8 + shape[1]]).into_dyn();
            black_box(fill(&kernel, &operands, T::window(part)).expect("no operation can fail"));
        })
    })
}
