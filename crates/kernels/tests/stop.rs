//! Evaluations that are stopped half way: they end with the answer, and nothing half done is given out.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

mod common;

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chunkwise_chunk::{
    Chunk, ChunkGrid, ChunkSource, DType, Element, Formula, ReadCost, Region, Scalar, SourceError, TileMut,
};
use chunkwise_expr::{BinaryOp, ElementFn, Program, ProgramBuilder, Reduce, ReduceKind, UnaryOp};
use chunkwise_kernels::{Fold, Kernel, KernelError, Operand, Stop};
use common::{LAYOUTS, all_same, elements, held, single};
use ndarray::{Array2, ArrayD, s};

/// Elements that may be computed between two questions: what is asked for, and a tile of the smallest type or a panel.
const BETWEEN: usize = (1 << 15) + (1 << 14);

/// Shapes of a hundred thousand elements and more: one row, long rows, short rows, a few columns.
const SHAPES: [&[usize]; 5] = [&[120_000], &[12, 10_000], &[400, 300], &[6000, 20], &[40_000, 3]];

// --- Questions ---

/// Says yes from the question of this number on, and counts questions.
struct Answers {
    yes: usize,
    asks: Cell<usize>,
}

impl Answers {
    fn new(yes: usize) -> Answers {
        Answers { yes, asks: Cell::new(0) }
    }

    fn ask(&self) -> bool {
        self.asks.replace(self.asks.get() + 1) >= self.yes
    }
}

/// How many questions an evaluation asks when none is answered yes.
fn asks<R>(run: &impl Fn(Stop<'_>) -> Result<R, KernelError>) -> usize {
    let answers = Answers::new(usize::MAX);
    assert!(run(Stop::when(&|| answers.ask())).is_ok());
    answers.asks.get()
}

/// Stops an evaluation at its first questions, in the middle and at its last one: that question is the last. Gives
/// the number of all.
fn stops_when_asked<R>(run: impl Fn(Stop<'_>) -> Result<R, KernelError>) -> usize {
    let all = asks(&run);
    for yes in [0, 1, all / 2, all - 1].into_iter().filter(|&yes| yes < all) {
        let answers = Answers::new(yes);
        assert_eq!(run(Stop::when(&|| answers.ask())).err(), Some(KernelError::Stopped), "{yes} of {all}");
        assert_eq!(answers.asks.get(), yes + 1, "nothing is asked after a yes");
    }
    all
}

// --- Operands and programs ---

/// Numbers that differ from their neighbours, in C order.
fn numbers(shape: &[usize]) -> Chunk {
    let mut number = 0.0;
    Chunk::from_array(ArrayD::<f64>::from_shape_simple_fn(shape, || {
        number += 0.5;
        number
    }))
}

fn square_root() -> Program {
    single(UnaryOp::Sqrt.into(), &[DType::F64]).unwrap()
}

fn sum_of_two() -> Program {
    single(BinaryOp::Add.into(), &[DType::F64, DType::F64]).unwrap()
}

/// Counts the elements that are computed.
#[derive(Debug)]
struct Counted {
    shape: Vec<usize>,
    computed: AtomicUsize,
}

impl Counted {
    fn new(shape: &[usize]) -> Arc<Counted> {
        Arc::new(Counted { shape: shape.into(), computed: AtomicUsize::new(0) })
    }

    fn computed(&self) -> usize {
        self.computed.load(Ordering::Relaxed)
    }

    fn operand(self: &Arc<Counted>) -> Operand {
        let source: Arc<dyn ChunkSource> = self.clone();
        Operand::of_formula(&source, &Region::whole(&self.shape)).unwrap()
    }
}

impl ChunkSource for Counted {
    fn dtype(&self) -> DType {
        DType::F64
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        "counted".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, _: &Region) -> Result<Chunk, SourceError> {
        Err(SourceError::message("kernels take the formula"))
    }
}

impl Formula for Counted {
    fn fill(&self, _: &Region, at: usize, out: TileMut<'_>) {
        let TileMut::F64(out) = out else { panic!("the type is f64") };
        self.computed.fetch_add(out.len(), Ordering::Relaxed);
        out.iter_mut().zip(at..).for_each(|(x, i)| *x = i as f64);
    }
}

fn reduce(kind: ReduceKind, shape: &[usize], axes: &[usize], program: Option<Program>) -> Reduce {
    let (space, program) = (ChunkGrid::whole(shape), program.map(Arc::new));
    Reduce { kind, axes: axes.into(), keepdims: false, ddof: 0.0, space, program }
}

// --- Maps ---

#[test]
fn map_of_every_layout_stops() {
    for shape in SHAPES {
        let x = numbers(shape);
        for layout in 0..LAYOUTS {
            let operands = [held(&x, layout)];
            for program in [Program::identity(DType::F64), square_root()] {
                let kernel = Kernel::new(&program);
                let run = |stop: Stop<'_>| kernel.stoppable(stop).map(&operands, shape);
                assert!(stops_when_asked(run) >= x.len() / BETWEEN);
                let run = |stop: Stop<'_>| {
                    let room = Chunk::zeros(DType::F64, shape).into_room().unwrap();
                    kernel.stoppable(stop).map_in(&operands, shape, room)
                };
                stops_when_asked(run);
            }
        }
    }
}

#[test]
fn window_of_a_stopped_kernel_is_not_written_and_its_surroundings_stay() {
    let kernel = Kernel::new(&square_root());
    for (rows, columns) in [(20, 15_000), (3000, 100), (60_000, 5)] {
        let x = numbers(&[rows, columns]);
        for streaming in [false, true] {
            stops_when_asked(|stop| {
                let mut memory = Array2::<f64>::from_elem((rows, columns + 8), -1.0).mapv(MaybeUninit::new);
                let window = f64::window(memory.slice_mut(s![.., 4..4 + columns]).into_dyn());
                let (kernel, operands) = (kernel.stoppable(stop), std::slice::from_ref(&x));
                let written = match streaming {
                    true => kernel.fill_streaming(operands, window),
                    false => kernel.fill(operands, window),
                };
                let written = written.map(drop);
                // SAFETY: every element was written when the array was made.
                let around = |x: &MaybeUninit<f64>| unsafe { x.assume_init() } == -1.0;
                assert!(memory.slice(s![.., ..4]).iter().all(around));
                assert!(memory.slice(s![.., 4 + columns..]).iter().all(around));
                written
            });
        }
    }
}

#[test]
fn nothing_is_computed_after_a_yes_and_little_before_it() {
    for shape in SHAPES {
        let kernel = Kernel::new(&sum_of_two());
        let wide: Vec<usize> = [&[2], shape].concat();
        // Walked in C order; and repeated, so written out before.
        for shape_of_result in [shape, &wide] {
            let source = Counted::new(shape);
            let operands = [source.operand(), numbers(shape).into()];
            let (asks, at_last) = (Cell::new(0), Cell::new(0));
            for yes in 0..3 {
                asks.set(0);
                at_last.set(source.computed());
                let asked = || {
                    assert!(source.computed() - at_last.replace(source.computed()) <= BETWEEN);
                    asks.replace(asks.get() + 1) == yes
                };
                let stopped = kernel.stoppable(Stop::when(&asked)).map(&operands, shape_of_result);
                assert_eq!(stopped.unwrap_err(), KernelError::Stopped);
                assert_eq!(source.computed(), at_last.get());
            }
        }
    }
}

#[test]
fn slow_closure_is_asked_about_at_every_tile() {
    const TILE: usize = 1024;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let slow = ElementFn::unary("slow", move |x: f64| {
        counted.fetch_add(1, Ordering::Relaxed);
        x
    });
    let kernel = Kernel::new(&single(chunkwise_expr::ElementOp::Call(slow), &[DType::F64]).unwrap());
    let asks = Cell::new(0);
    let asked = || {
        assert!(calls.swap(0, Ordering::Relaxed) <= TILE);
        asks.set(asks.get() + 1);
        false
    };
    let x = numbers(&[20_000]);
    let y = kernel.stoppable(Stop::when(&asked)).map(std::slice::from_ref(&x), &[20_000]).unwrap();
    assert!(all_same(&elements(&x), &elements(&y)));
    assert!(asks.get() >= 20_000 / TILE);
}

#[test]
fn long_program_is_asked_about_more_often() {
    let mut b = ProgramBuilder::new();
    let x = b.input(DType::F64);
    let y = (0..1000).fold(x, |y, _| b.push(UnaryOp::Sqrt.into(), &[y]).unwrap());
    let (long, short) = (Kernel::new(&b.finish(y)), Kernel::new(&square_root()));
    let x = [numbers(&[100_000])];
    let count = |kernel: &Kernel| asks(&|stop: Stop<'_>| kernel.stoppable(stop).map(&x, &[100_000]));
    assert!(count(&long) >= 90);
    assert!(count(&short) <= 10);
}

// --- Reductions ---

#[test]
fn fold_of_every_layout_stops() {
    for shape in SHAPES {
        let x = numbers(shape);
        let every_axis: Vec<usize> = (0..shape.len()).collect();
        for axes in [&every_axis[..], &[0], &every_axis[shape.len() - 1..], &[]] {
            for program in [None, Some(square_root())] {
                let folded = |kind| reduce(kind, shape, axes, program.clone());
                let kinds = [ReduceKind::Sum, ReduceKind::Var, ReduceKind::ArgMax].map(folded);
                let together = Fold::siblings(&kinds.iter().collect::<Vec<_>>(), &[DType::F64]);
                for fold in [Fold::new(&kinds[2], DType::F64), together] {
                    for layout in 0..LAYOUTS {
                        let (operands, all) = ([held(&x, layout)], Region::whole(shape));
                        let run = |stop: Stop<'_>| fold.stoppable(stop).fold(&operands, &all);
                        assert!(stops_when_asked(run) >= x.len() / BETWEEN);
                    }
                }
            }
        }
    }
}

#[test]
fn huge_block_in_pieces_stops_and_computes_nothing_more() {
    let shape = [3 << 20];
    let fold = Fold::new(&reduce(ReduceKind::Mean, &shape, &[0], None), DType::F64);
    let (source, all) = (Counted::new(&shape), Region::whole(&shape));
    assert!(fold.pieces(&all) > 1);
    let operands = [source.operand()];
    assert!(stops_when_asked(|stop| fold.stoppable(stop).fold(&operands, &all)) >= shape[0] / BETWEEN);
    let before = source.computed();
    let answers = Answers::new(3);
    assert!(fold.stoppable(Stop::when(&|| answers.ask())).fold(&operands, &all).is_err());
    assert!(source.computed() - before <= 3 * BETWEEN);
}

#[test]
fn formula_that_is_written_out_for_a_fold_stops() {
    let shape = [100_000, 3];
    let fold = Fold::new(&reduce(ReduceKind::Sum, &shape, &[0], None), DType::F64);
    let (source, all) = (Counted::new(&shape), Region::whole(&shape));
    assert!(!fold.walks_in_order(&all));
    let answers = Answers::new(2);
    let operands = [source.operand()];
    assert!(fold.stoppable(Stop::when(&|| answers.ask())).fold(&operands, &all).is_err());
    assert!(source.computed() <= 2 * BETWEEN);
}

#[test]
fn merging_and_finishing_many_states_stops() {
    let kept = 200_000;
    let (shape, all) = ([2, kept], Region::whole(&[2, kept]));
    for kind in [ReduceKind::Sum, ReduceKind::Std, ReduceKind::ArgMin, ReduceKind::Any] {
        // A result of another type than the fold works in is converted, which stops too.
        for dtype in [DType::F64, DType::I8] {
            let copy = Kernel::new(&Program::identity(DType::F64)).map(&[numbers(&shape)], &shape).unwrap();
            let reduce = reduce(
                kind.clone(),
                &shape,
                &[0],
                single(chunkwise_expr::ElementOp::Cast(dtype), &[DType::F64]),
            );
            let fold = Fold::new(&reduce, DType::F64);
            let part = fold.fold(&[copy], &all).unwrap();
            let parts = [&part, &part, &part];
            let least = kept / BETWEEN;
            assert!(stops_when_asked(|stop| fold.stoppable(stop).merge(&parts)) >= least);
            assert!(stops_when_asked(|stop| fold.stoppable(stop).finish_one(0, &parts)) >= 2 * least);
            assert!(stops_when_asked(|stop| fold.stoppable(stop).finish_one(0, &parts[..1])) >= least);
            let nine = || (0..9).map(|_| fold.merge(&[&part])).collect();
            assert!(stops_when_asked(|stop| fold.stoppable(stop).merge_by_eights(nine())) >= 2 * least);
        }
    }
}

#[test]
fn states_of_nothing_stop() {
    let (shape, all) = ([0, 200_000], Region::whole(&[0, 200_000]));
    let fold = Fold::new(&reduce(ReduceKind::Sum, &shape, &[0], None), DType::F64);
    let none = [Chunk::zeros(DType::F64, &shape)];
    stops_when_asked(|stop| fold.stoppable(stop).fold(&none, &all));
    let part = fold.fold(&none, &all).unwrap();
    stops_when_asked(|stop| fold.stoppable(stop).merge(&[&part, &part]));
    assert!(elements(&fold.finish(&[&part])).iter().all(|&x| x == Scalar::F64(0.0)));
}

// --- Whether it shows ---

#[test]
fn question_that_is_answered_no_shows_in_no_bit() {
    for shape in SHAPES {
        let (x, all) = (numbers(shape), Region::whole(shape));
        let kernel = Kernel::new(&square_root());
        let operands = std::slice::from_ref(&x);
        let plain = kernel.map(operands, shape).unwrap();
        let asked = kernel.stoppable(Stop::when(&|| false)).map(operands, shape).unwrap();
        assert!(all_same(&elements(&plain), &elements(&asked)));

        let fold = Fold::new(&reduce(ReduceKind::Std, shape, &[0], Some(square_root())), DType::F64);
        let plain = fold.fold(operands, &all).unwrap();
        let stoppable = fold.stoppable(Stop::when(&|| false));
        let asked = stoppable.fold(operands, &all).unwrap();
        let plain = fold.finish(&[&plain, &plain]);
        let asked = stoppable.finish_one(0, &[&asked, &asked]).unwrap();
        assert!(all_same(&elements(&plain), &elements(&asked)));
    }
}

#[test]
fn block_without_elements_is_computed_without_a_question() {
    let kernel = Kernel::new(&square_root());
    let none = [Chunk::zeros(DType::F64, &[0])];
    let block = kernel.stoppable(Stop::when(&|| true)).map(&none, &[0]).unwrap();
    assert_eq!(block.shape(), [0]);
}
