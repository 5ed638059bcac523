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
use std::hint::black_box;
use std::sync::Mutex;

use chunkwise_chunk::{Chunk, DType, Element, Room, Scalar, dispatch};
use chunkwise_expr::{Arith, eval_cast};
use chunkwise_kernels::Kernel;
use ndarray::{Array1, IxDyn, s};

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

/// Additions one by one, with the names of the kernels that they are without vectors: what nobody may take for those.
pub fn lost() -> Vec<Case> {
    macro_rules! lost {
        ($($t:ident)*) => { vec![$({
            let (mut r, y) = ([1 as $t; 1024], [2 as $t; 1024]);
            let r = Mutex::new(move || {
                for _ in 0..64 {
                    add_one_by_one(&mut r, black_box(&y), |a, b| Arith::plus(a, b));
                }
            });
            Case::new(concat!("add.", stringify!($t)).into(), 64 * 1024, move || {
                if let Ok(mut r) = r.lock() {
                    r();
                }
            })
        }),*] };
    }
    lost!(i8 i32 f32 f64)
}

/// What stands between two elements keeps the compiler from making them a vector.
#[inline(never)]
fn add_one_by_one<T: Copy>(r: &mut [T], y: &[T], add: impl Fn(T, T) -> T) {
    for (r, &y) in r.iter_mut().zip(y) {
        *r = add(*r, y);
        black_box(());
    }
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
/// They begin at a cache line: elsewhere the vectors that cross one may double the time, as memory happens to lie.
fn numbers(dtype: DType, shape: [usize; 2], [low, high]: [f64; 2], seed: usize) -> Chunk {
    let count = shape[0] * shape[1];
    let uniform = crate::uniform(count * 2);
    let number = |i: usize| low + (high - low) * uniform[(i * 2 + seed) % uniform.len()];
    dispatch!(dtype, T => {
        let element = |i| T::of_scalar(eval_cast(Scalar::F64(number(i)), dtype)).unwrap_or_default();
        let mut elements = Array1::<T>::default(count + LINE);
        let first = elements.as_ptr().align_offset(LINE);
        let places = elements.slice_mut(s![first..first + count]);
        places.into_iter().enumerate().for_each(|(i, place)| *place = element(i));
        let block = elements.slice_move(s![first..first + count]).into_shape_with_order(IxDyn(&shape));
        Chunk::from_array(block.expect("as many as the shape has"))
    })
}

/// Bytes of a cache line.
const LINE: usize = 64;
