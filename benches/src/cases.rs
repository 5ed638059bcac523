//! Every kernel on operands that stay in the cache: what the benches time and the gate watches.
//!
//! A case is one operation and one element type, run over a block of [`ELEMENTS`] elements. Operations come from the
//! tables, so a new row is a new case.

use std::fmt;
use std::sync::Mutex;

use chunkwise_chunk::{Chunk, ChunkGrid, DType, Region, Room, Scalar, View, dispatch};
use chunkwise_expr::{BinaryOp, ElementOp, Program, ProgramBuilder, Reduce, ReduceKind, UnaryOp, eval_cast};
use chunkwise_kernels::{Fold, Kernel};
use ndarray::{ArrayD, IxDyn};

/// Elements of the block of a case.
pub const ELEMENTS: usize = 64 * 64;

/// One kernel with its operands.
pub struct Case {
    name: String,
    run: Box<dyn Fn() + Send + Sync>,
}

impl Case {
    fn new(name: String, run: impl Fn() + Send + Sync + 'static) -> Case {
        Case { name, run: Box::new(run) }
    }

    /// A name without spaces, as in `sqrt.f64`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Evaluates the block once.
    pub fn run(&self) {
        (self.run)();
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

/// All cases, by name.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &dtype in DType::ALL {
        for &op in UnaryOp::ALL {
            cases.extend(elementwise(op.into(), &[dtype]));
        }
        for &op in BinaryOp::ALL {
            cases.extend(elementwise(op.into(), &[dtype, dtype]));
        }
        cases.extend(elementwise(ElementOp::Select, &[DType::Bool, dtype, dtype]));
        for &to in DType::ALL.iter().filter(|&&to| to != dtype) {
            cases.extend(elementwise(ElementOp::Cast(to), &[dtype]));
        }
        for &kind in ReduceKind::ALL {
            cases.extend([("rows", 1), ("columns", 0)].map(|(walk, axis)| fold(kind, dtype, axis, walk)));
        }
    }
    for dtype in [DType::F64, DType::F32, DType::U8] {
        cases.extend(gathers(dtype));
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// One operation; `None` where it does not take these types.
fn elementwise(op: ElementOp, types: &[DType]) -> Option<Case> {
    let mut builder = ProgramBuilder::new();
    let args: Vec<_> = types.iter().map(|&dtype| builder.input(dtype)).collect();
    let result = builder.push(op.clone(), &args)?;
    let dtype = types[types.len() - 1];
    let name = match op {
        ElementOp::Cast(to) => format!("cast.{dtype}.{to}"),
        _ => format!("{}.{dtype}", op.name()),
    };
    let operands = types.iter().zip(1..).map(|(&dtype, seed)| block(dtype, seed)).collect();
    Some(map(name, &builder.finish(result), operands))
}

/// A program over operands; the block it makes is recycled.
fn map(name: String, program: &Program, operands: Vec<Chunk>) -> Case {
    let kernel = Kernel::new(program);
    let room = Mutex::new(None);
    Case::new(name, move || {
        let earlier = room.lock().ok().and_then(|mut room| room.take());
        let earlier = earlier.unwrap_or_else(|| Room::new(kernel.output()));
        let made = kernel.map_in(&operands, &[64, 64], earlier).expect("the operands have a result");
        if let Ok(mut room) = room.lock() {
            *room = made.into_room();
        }
    })
}

fn fold(kind: ReduceKind, dtype: DType, axis: usize, walk: &str) -> Case {
    let axes = [axis].into_iter().collect();
    let shape = if axis == 1 { [4, ELEMENTS / 4] } else { [64, 64] };
    let space = ChunkGrid::whole(&shape);
    let fold = Fold::new(&Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None }, dtype);
    let operand = [block(dtype, 1).with_shape(&shape)];
    Case::new(format!("{kind}.{walk}.{dtype}"), move || {
        let part = fold.fold(&operand, &Region::whole(&shape)).expect("no operation can fail");
        std::hint::black_box(part);
    })
}

/// Operands that do not lie as they are read.
fn gathers(dtype: DType) -> Vec<Case> {
    let copy = Program::identity(dtype);
    let tall = Chunk::filled(Scalar::zero(dtype), &[64, 192]);
    let view = |axis: &[isize]| {
        let elems: Vec<_> = axis.iter().map(|&step| slice(step)).collect();
        View::slice(&[64, 192], &elems).map(|view| tall.view(&view).part(&Region::whole(&[64, 64])))
    };
    let mut cases = vec![
        map(format!("transposed.{dtype}"), &copy, vec![transposed(&block(dtype, 1))]),
        map(format!("repeated.{dtype}"), &copy, vec![Chunk::filled(Scalar::zero(dtype), &[64, 1])]),
    ];
    for (name, step) in [("every_second", 2), ("every_third", 3), ("reversed", -1)] {
        let strided = view(&[1, step]).expect("the axes are long enough");
        cases.push(map(format!("{name}.{dtype}"), &copy, vec![strided]));
    }
    cases
}

fn slice(step: isize) -> ndarray::SliceInfoElem {
    ndarray::SliceInfoElem::Slice { start: 0, end: None, step }
}

fn transposed(block: &Chunk) -> Chunk {
    block.view(&View::permute(&[64, 64], &[1, 0]).expect("two axes"))
}

/// Irregular numbers from 1 to 100, which every operation has a result for; of functions from -1 to 1 only NaN.
fn block(dtype: DType, seed: u64) -> Chunk {
    let numbers = crate::uniform(ELEMENTS * 2);
    dispatch!(dtype, T => {
        let number = |i: usize| eval_cast(Scalar::F64(1.0 + 99.0 * numbers[(i * 2 + seed as usize) % numbers.len()]), dtype);
        let elements: Vec<T> = (0..ELEMENTS).map(|i| <T as chunkwise_chunk::Element>::of_scalar(number(i)).unwrap_or_default()).collect();
        Chunk::from_array(ArrayD::from_shape_vec(IxDyn(&[64, 64]), elements).expect("64 x 64 elements"))
    })
}
