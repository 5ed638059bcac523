//! Every loop of the kernels on operands that stay in the cache: what the benches time and the gate watches.
//!
//! A case is one operation and one element type. Operations come from the tables, so a new row is a new case.
//! A call costs some hundred nanoseconds, and a larger cache than the first one hides a slow loop of a cheap operation:
//! so the loops of single operations are run many times in a call, and over a block that stays in the first-level
//! cache; the others are of larger blocks.

mod elementwise;
mod folds;
mod moves;
mod random;

use std::fmt;
use std::sync::Mutex;

use chunkwise_chunk::{Chunk, DType, Element, Room, Scalar, dispatch};
use chunkwise_expr::eval_cast;
use chunkwise_kernels::Kernel;
use ndarray::{ArrayD, IxDyn};

/// One loop, or some, with the operands.
pub struct Case {
    name: String,
    elements: usize,
    run: Box<dyn Fn() + Send + Sync>,
}

impl Case {
    /// `elements` is what a run computes: elements of the block times operations.
    fn new(name: String, elements: usize, run: impl Fn() + Send + Sync + 'static) -> Case {
        Case { name, elements, run: Box::new(run) }
    }

    /// A name without spaces, as in `sqrt.f64`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many elements a run computes.
    pub fn elements(&self) -> usize {
        self.elements
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

/// All cases, by name. Their loops are those of the instruction set that is chosen when they are made, and where they
/// are run.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    elementwise::add_to(&mut cases);
    folds::add_to(&mut cases);
    moves::add_to(&mut cases);
    random::add_to(&mut cases);
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// A kernel over operands, of `operations` that count; the block it makes is recycled.
fn map(name: String, kernel: Kernel, operands: Vec<Chunk>, shape: [usize; 2], operations: usize) -> Case {
    let room = Mutex::new(None);
    Case::new(name, shape[0] * shape[1] * operations, move || {
        let earlier = room.lock().ok().and_then(|mut room| room.take());
        let earlier = earlier.unwrap_or_else(|| Room::new(kernel.output()));
        let made = kernel.map_in(&operands, &shape, earlier).expect("the operands have a result");
        if let Ok(mut room) = room.lock() {
            *room = made.into_room();
        }
    })
}

/// Irregular numbers from `low` to `high`, which integers truncate and bool takes as true; other seeds, other numbers.
fn numbers(dtype: DType, shape: [usize; 2], [low, high]: [f64; 2], seed: usize) -> Chunk {
    let uniform = crate::uniform(shape[0] * shape[1] * 2);
    let number = |i: usize| low + (high - low) * uniform[(i * 2 + seed) % uniform.len()];
    dispatch!(dtype, T => {
        let element = |i| T::of_scalar(eval_cast(Scalar::F64(number(i)), dtype)).unwrap_or_default();
        let elements: Vec<T> = (0..shape[0] * shape[1]).map(element).collect();
        Chunk::from_array(ArrayD::from_shape_vec(IxDyn(&shape), elements).expect("as many as the shape has"))
    })
}
