//! Results in lent and in recycled memory, and operands that are formulas, against plain blocks, bit for bit.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

mod common;

use std::mem::MaybeUninit;
use std::sync::Arc;

use chunkwise_chunk::{
    Chunk, ChunkGrid, ChunkSource, DType, Element, Formula, ReadCost, Region, Room, Scalar, SourceError,
    TileMut, View, dispatch,
};
use chunkwise_expr::{
    Arg, BinaryOp, ElementFn, ElementOp, Program, ProgramBuilder, Reduce, ReduceKind, UnaryOp, eval_cast,
    eval_element,
};
use chunkwise_kernels::{Fold, Kernel, KernelError, Operand, Stop};
use common::{LAYOUTS, all_same, block, elements, held, single, special};
use ndarray::{ArrayD, ArrayViewMutD, Axis, IxDyn, Slice};
use proptest::prelude::*;

const TYPES: [DType; 7] =
    [DType::F64, DType::F32, DType::I32, DType::U8, DType::Bool, DType::C64, DType::C128];

// --- Values, formulas ---

/// A small number, the same for the same place.
fn hash(place: usize, seed: u64) -> i64 {
    let mixed = (place as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as i64 % 61 - 20
}

/// Small halves, and now and then a special value.
fn values(dtype: DType, len: usize, seed: u64) -> Vec<Scalar> {
    let special = special(dtype);
    let value = |i: usize| match hash(i, !seed) {
        -20 => special[i % special.len()],
        _ => eval_cast(Scalar::F64(hash(i, seed) as f64 / 2.0), dtype),
    };
    (0..len).map(value).collect()
}

/// Hashes of the places of an array.
#[derive(Debug)]
struct Hashes {
    dtype: DType,
    shape: Vec<usize>,
    seed: u64,
    /// The place that panics, if any does.
    poison: Option<usize>,
}

impl Hashes {
    fn at(&self, index: &[usize]) -> Scalar {
        let place = index.iter().zip(&self.shape).fold(0, |place, (&i, &len)| place * len + i);
        assert_ne!(Some(place), self.poison, "no value at {place}");
        eval_cast(Scalar::I64(hash(place, self.seed)), self.dtype)
    }
}

impl ChunkSource for Hashes {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        "hashes".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        let place = |at: IxDyn| -> Vec<usize> {
            ndarray::Dimension::slice(&at).iter().zip(region.start()).map(|(i, start)| i + start).collect()
        };
        Ok(dispatch!(self.dtype, T => Chunk::from_array(ArrayD::from_shape_fn(region.shape(), |at| {
            T::of_scalar(self.at(&place(at))).unwrap()
        }))))
    }
}

impl Formula for Hashes {
    fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
        dispatch!(self.dtype, T => {
            for (i, x) in T::of_tile_mut(out).unwrap().iter_mut().enumerate() {
                let (mut rest, mut index) = (at + i, region.start().to_vec());
                for axis in (0..region.ndim()).rev() {
                    index[axis] += rest % region.shape()[axis];
                    rest /= region.shape()[axis];
                }
                assert_eq!(rest, 0, "a run lies in its region");
                *x = T::of_scalar(self.at(&index)).unwrap();
            }
        });
    }
}

/// A formula of a part of an array that is larger, and the block of it.
fn formula(dtype: DType, shape: &[usize], seed: u64) -> (Operand, Chunk) {
    let start: Vec<usize> = (0..shape.len()).map(|axis| (seed as usize >> axis) % 4).collect();
    let whole = shape.iter().zip(&start).map(|(len, start)| len + start + 1).collect();
    let source: Arc<dyn ChunkSource> = Arc::new(Hashes { dtype, shape: whole, seed, poison: None });
    let region = Region::new(&start, shape);
    (Operand::of_formula(&source, &region).unwrap(), source.read(&region).unwrap())
}

// --- Programs ---

/// A program of some steps, each chosen by its numbers; of none it is the identity.
fn program(inputs: &[DType], steps: &[(u8, usize, usize)]) -> Program {
    let mut b = ProgramBuilder::new();
    let mut known: Vec<(Arg, DType)> = inputs.iter().map(|&dtype| (b.input(dtype), dtype)).collect();
    known.push((b.constant(Scalar::F32(1.5)), DType::F32));
    let mut result = known[0].0;
    for &(kind, first, second) in steps {
        // The later half of what is known is chosen more often: programs are rather deep than wide.
        let (x, dtype) = known[known.len() - 1 - first % known.len()];
        let (y, from) = known[second % known.len()];
        let mut cast = |arg: Arg, from: DType, to: DType| {
            let taken = ElementOp::Cast(to).output(&[from]).is_some();
            let (arg, from) = match taken {
                true => (arg, from),
                false => (b.push(UnaryOp::Re.into(), &[arg]).unwrap(), from.real_type()),
            };
            if from == to { arg } else { b.push(ElementOp::Cast(to), &[arg]).unwrap() }
        };
        let (op, args, output) = match kind {
            0 if !dtype.is_complex() => (BinaryOp::Lt.into(), vec![x, cast(y, from, dtype)], DType::Bool),
            0 | 1 => (BinaryOp::Ne.into(), vec![x, cast(y, from, dtype)], DType::Bool),
            2 => {
                let which = cast(y, from, DType::Bool);
                let other = cast(known[0].0, known[0].1, dtype);
                (ElementOp::Select, vec![which, x, other], dtype)
            }
            3 => {
                let to = TYPES[second % TYPES.len()];
                let to = if dtype.is_complex() && !to.is_complex() { DType::Bool } else { to };
                (ElementOp::Cast(to), vec![x], to)
            }
            4 => call(x, dtype, second),
            5 if !dtype.is_complex() => (BinaryOp::Maximum.into(), vec![x, cast(y, from, dtype)], dtype),
            _ => {
                let op = if dtype == DType::Bool { BinaryOp::BitXor } else { BinaryOp::Add };
                (op.into(), vec![x, cast(y, from, dtype)], dtype)
            }
        };
        result = b.push(op, &args).unwrap();
        known.push((result, output));
    }
    b.finish(result)
}

/// A closure of one element.
fn call(x: Arg, dtype: DType, kind: usize) -> (ElementOp, Vec<Arg>, DType) {
    let f = dispatch!(dtype, T => match kind % 3 {
        0 => ElementFn::unary("mapv", is_not_zero::<T>),
        1 => ElementFn::unary("mapv", |x: T| if is_not_zero(x) { x } else { T::default() }),
        _ => ElementFn::unary("mapv", |x: T| if is_not_zero(x) { 2.5f32 } else { -1.0 }),
    });
    let output = f.output();
    (ElementOp::Call(f), vec![x], output)
}

fn is_not_zero<T: Element>(x: T) -> bool {
    x != T::default()
}

/// The program element by element, over operands of one shape.
fn truth(program: &Program, operands: &[Vec<Scalar>], len: usize) -> Vec<Scalar> {
    let at = |i: usize| {
        let mut values: Vec<Scalar> = Vec::new();
        let arg = |arg: Arg, values: &[Scalar]| match arg {
            Arg::Input(n) => operands[n as usize][i],
            Arg::Const(n) => program.consts()[n as usize],
            Arg::Value(n) => values[n as usize],
        };
        for instr in program.instrs() {
            let args: Vec<Scalar> = instr.args.iter().map(|&a| arg(a, &values)).collect();
            values.push(eval_element(&instr.op, &args).unwrap());
        }
        arg(program.result(), &values)
    };
    (0..len).map(at).collect()
}

// --- Windows ---

/// Ways a window lies in an array.
const WINDOWS: usize = 7;

/// Where a window lies in an array: its axes in the order they are stored in, and on each axis what lies before it
/// and after it, and its step.
struct Placed {
    shape: Vec<usize>,
    order: Vec<usize>,
    margin: Vec<(usize, usize)>,
    step: Vec<isize>,
}

impl Placed {
    /// In C order, part of a larger array, with its axes turned round, backwards, every second element, all of these,
    /// with a margin along the first axis alone.
    fn new(shape: &[usize], way: usize) -> Placed {
        let n = shape.len();
        let placed = |order: Vec<usize>, margin: (usize, usize), step: isize| Placed {
            shape: shape.to_vec(),
            order,
            margin: vec![margin; n],
            step: vec![step; n],
        };
        let in_order: Vec<usize> = (0..n).collect();
        match way {
            0 => placed(in_order, (0, 0), 1),
            1 => placed(in_order, (1, 2), 1),
            2 => placed(in_order.into_iter().rev().collect(), (0, 0), 1),
            3 => placed(in_order, (0, 0), -1),
            4 => placed(in_order, (1, 1), 2),
            5 => {
                let mut placed = placed((0..n).map(|axis| (axis + 1) % n).collect(), (2, 1), 1);
                placed.step.iter_mut().step_by(2).for_each(|step| *step = -2);
                placed
            }
            _ => {
                let mut placed = placed(in_order, (0, 0), 1);
                placed.margin.iter_mut().take(1).for_each(|margin| *margin = (3, 1));
                placed.step.iter_mut().take(1).for_each(|step| *step = -1);
                placed
            }
        }
    }

    /// Elements along an axis from the first one of the window to the last.
    fn span(&self, axis: usize) -> usize {
        self.shape[axis].checked_sub(1).map_or(0, |steps| steps * self.step[axis].unsigned_abs() + 1)
    }

    /// The array around the window: what lies there does not matter, but must stay.
    fn array<T: Element>(&self, flip: bool) -> ArrayD<T> {
        let len = |&axis: &usize| self.margin[axis].0 + self.span(axis) + self.margin[axis].1;
        let shape: Vec<usize> = self.order.iter().map(len).collect();
        let mut number = 0;
        ArrayD::from_shape_simple_fn(shape, || {
            number += 1;
            let noise = if flip { !hash(number, 7) } else { hash(number, 7) };
            let value = match T::DTYPE {
                DType::Bool => Scalar::Bool((noise & 1 == 1) != flip),
                dtype => eval_cast(Scalar::I64(noise), dtype),
            };
            T::of_scalar(value).unwrap()
        })
    }

    /// The window.
    fn view<'a, T>(&self, array: &'a mut ArrayD<T>) -> ArrayViewMutD<'a, T> {
        let mut axes = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(stored, &axis)| axes[axis] = stored);
        let mut view = array.view_mut().permuted_axes(axes);
        for axis in 0..self.shape.len() {
            let start = self.margin[axis].0;
            let slice = Slice::from(start..start + self.span(axis)).step_by(self.step[axis]);
            view.slice_axis_inplace(Axis(axis), slice);
        }
        assert_eq!(view.shape(), self.shape);
        view
    }
}

/// Fills a window, and checks every element of it and around it.
fn check_fill(kernel: &Kernel, operands: &[Operand], want: &Chunk, way: usize, streaming: bool) {
    dispatch!(kernel.output(), T => {
        let placed = Placed::new(want.shape(), way);
        for flip in [false, true] {
            let mut expected: ArrayD<T> = placed.array(flip);
            let mut memory = expected.mapv(MaybeUninit::new);
            placed.view(&mut expected).assign(want.typed::<T>().unwrap());
            let window = T::window(placed.view(&mut memory));
            let written = match streaming {
                true => kernel.fill_streaming(operands, window),
                false => kernel.fill(operands, window),
            };
            let written = T::of_written(written.unwrap()).unwrap();
            assert_eq!(written.shape(), want.shape());
            let got: Vec<Scalar> = written.iter().map(|&x| x.into_scalar()).collect();
            assert!(all_same(&got, &elements(want)), "window {way}, streaming {streaming}");
            // SAFETY: every element was written when the array was made.
            let after: Vec<Scalar> = memory.iter().map(|x| unsafe { x.assume_init() }.into_scalar()).collect();
            let expected: Vec<Scalar> = expected.iter().map(|&x| x.into_scalar()).collect();
            assert!(all_same(&after, &expected), "around window {way}, streaming {streaming}");
        }
    });
}

/// Maps into rooms that are too small, just large enough, larger, and of an earlier block.
fn check_rooms(kernel: &Kernel, operands: &[Operand], want: &Chunk) {
    let same = |got: &Chunk| got.shape() == want.shape() && all_same(&elements(got), &elements(want));
    let dtype = kernel.output();
    for len in [want.len() / 2, want.len(), want.len() + 100] {
        let room = Chunk::zeros(dtype, &[len]).into_room().unwrap();
        assert!(same(&kernel.map_in(operands, want.shape(), room).unwrap()));
    }
    let earlier = kernel.map_in(operands, want.shape(), Room::new(dtype)).unwrap();
    let at = address(&earlier);
    let room = earlier.into_room().unwrap();
    let bytes = room.nbytes();
    assert!(bytes >= want.nbytes());
    let again = kernel.map_in(operands, want.shape(), room).unwrap();
    assert!(same(&again));
    assert!(want.is_empty() || address(&again) == at, "room that is large enough is used");
    assert_eq!(again.into_room().unwrap().nbytes(), bytes);
}

fn address(chunk: &Chunk) -> usize {
    dispatch!(chunk.dtype(), T => chunk.typed::<T>().unwrap().as_ptr() as usize)
}

/// Shapes of up to four axes: short, long and empty rows, ones.
fn shapes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        prop::collection::vec(0usize..9, 0..5),
        prop::collection::vec(1usize..3, 0..5),
        (prop::collection::vec(1usize..4, 0..4), 250usize..700).prop_map(|(mut shape, row)| {
            shape.push(row);
            shape
        }),
        (200usize..600, prop::collection::vec(1usize..4, 0..4)).prop_map(|(first, mut shape)| {
            shape.insert(0, first);
            shape.truncate(4);
            shape
        }),
        prop::collection::vec(30usize..70, 2..3),
        prop::collection::vec(1usize..9000, 1..2),
    ]
}

/// The shape of an operand that is broadcast: some leading axes dropped, some of length 1.
fn broadcast_from(shape: &[usize], drop: usize, flat: &[bool]) -> Vec<usize> {
    let axes = shape.iter().zip(flat).skip(drop.min(shape.len()));
    axes.map(|(&len, &flat)| if flat { 1 } else { len }).collect()
}

/// What an operand is at choice: a block in some layout, broadcast by strides of 0, or a formula; and its block.
fn operand(dtype: DType, own: &[usize], shape: &[usize], layout: usize, seed: u64) -> (Operand, Chunk) {
    match layout {
        0..LAYOUTS => {
            let chunk = held(&block(dtype, &values(dtype, own.iter().product(), seed), own), layout);
            (chunk.clone().into(), chunk)
        }
        LAYOUTS => {
            let chunk = block(dtype, &values(dtype, own.iter().product(), seed), own);
            let chunk = chunk.view(&View::broadcast(own, shape).unwrap());
            (chunk.clone().into(), chunk)
        }
        _ => formula(dtype, own, seed),
    }
}

/// The elements of an operand, broadcast.
fn spread(chunk: &Chunk, shape: &[usize]) -> Vec<Scalar> {
    elements(&chunk.view(&View::broadcast(chunk.shape(), shape).unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the program, its operands and the memory its results are written to, they are the same elements, and
    /// nothing else is written.
    #[test]
    fn results_do_not_depend_on_the_memory_they_are_written_to(
        shape in shapes(),
        types in [0..TYPES.len(), 0..TYPES.len()],
        steps in prop::collection::vec((0u8..8, 0usize..4, 0usize..20), 0..6),
        drop in [0usize..3, 0usize..3],
        flat in any::<[[bool; 4]; 2]>(),
        whole in any::<bool>(),
        layouts in [0..LAYOUTS + 3, 0..LAYOUTS + 2],
        way in 0..WINDOWS,
        seed in any::<u64>(),
    ) {
        let types = types.map(|i| TYPES[i]);
        let own = |i: usize| broadcast_from(&shape, drop[i], &flat[i]);
        let first = if whole { shape.clone() } else { own(0) };
        let (x, x_block) = operand(types[0], &first, &shape, layouts[0], seed);
        let (y, y_block) = operand(types[1], &own(1), &shape, layouts[1], !seed);
        let program = program(&types, &steps);
        let kernel = Kernel::new(&program);
        let want = kernel.map(&[x_block.clone(), y_block.clone()], &shape).unwrap();
        let len = shape.iter().product();
        let plain = truth(&program, &[spread(&x_block, &shape), spread(&y_block, &shape)], len);
        prop_assert!(all_same(&elements(&want), &plain), "{}", program);
        let operands = [x, y];
        prop_assert!(all_same(&elements(&kernel.map(&operands, &shape).unwrap()), &plain), "{}", program);
        check_rooms(&kernel, &operands, &want);
        check_fill(&kernel, &operands, &want, way, false);
        check_fill(&kernel, &operands, &want, way, true);
    }

    /// Folding a formula, alone or in a program, is folding the block that it gives: in any order of the axes, and where
    /// the formula is broadcast.
    #[test]
    fn folds_of_formulas_are_folds_of_their_blocks(
        shape in prop_oneof![
            prop::collection::vec(0usize..9, 1..5),
            prop::collection::vec(20usize..90, 2..3),
            prop::collection::vec(1usize..6000, 1..2),
        ],
        axes in any::<[bool; 4]>(),
        kind in 0..ReduceKind::ALL.len(),
        dtype in 0..TYPES.len(),
        fused in any::<bool>(),
        flat in any::<[[bool; 4]; 2]>(),
        drop in 0usize..3,
        seed in any::<u64>(),
    ) {
        let (kind, dtype) = (ReduceKind::ALL[kind].clone(), TYPES[dtype]);
        let axes: Vec<usize> = (0..shape.len()).filter(|&axis| axes[axis]).collect();
        let reduced: usize = axes.iter().map(|&axis| shape[axis]).product();
        prop_assume!((!kind.needs_elements() || reduced > 0) && kind.takes(dtype));
        let (x, x_block) = formula(dtype, &shape, seed);
        let (y, y_block) = formula(dtype, &broadcast_from(&shape, drop, &flat[0]), !seed);
        let w = block(dtype, &values(dtype, shape.iter().product(), seed), &shape);
        let reduce = Reduce {
            kind,
            axes: axes.as_slice().into(),
            keepdims: false,
            ddof: 0.0,
            space: ChunkGrid::whole(&shape),
            program: fused.then(|| Arc::new(three(dtype))),
        };
        let fold = Fold::new(&reduce, dtype);
        let all = Region::whole(&shape);
        let (formulas, blocks) = match fused {
            true => (vec![x, y, w.clone().into()], vec![x_block, y_block, w]),
            false => (vec![x], vec![x_block]),
        };
        let (got, want) = (fold.fold(&formulas, &all).unwrap(), fold.fold(&blocks, &all).unwrap());
        // Positions among nothing but NaN are an error.
        let finish = |part| fold.stoppable(Stop::never()).finish_one(0, &[part]);
        match (finish(&got), finish(&want)) {
            (Ok(got), Ok(want)) => {
                prop_assert_eq!(got.shape(), want.shape());
                prop_assert!(all_same(&elements(&got), &elements(&want)), "{:?}", reduce);
            }
            (got, want) => prop_assert_eq!(got.err(), want.err()),
        }
    }
}

/// The largest of three inputs, of complex ones the sum.
fn three(dtype: DType) -> Program {
    let mut b = ProgramBuilder::new();
    let (x, y, w) = (b.input(dtype), b.input(dtype), b.input(dtype));
    let join = if dtype.is_complex() { BinaryOp::Add } else { BinaryOp::Maximum };
    let larger = b.push(join.into(), &[x, y]).unwrap();
    let largest = b.push(join.into(), &[w, larger]).unwrap();
    b.finish(largest)
}

#[test]
fn formulas_of_huge_blocks_are_folded_in_pieces() {
    let shape = [3, 5, 200_000];
    let (x, x_block) = formula(DType::F32, &shape, 11);
    let (y, y_block) = formula(DType::F32, &[5, 1], 12);
    let w = Chunk::filled(Scalar::F32(-7.5), &[]);
    for (kind, axes) in [
        (ReduceKind::Sum, &[0usize, 1, 2][..]),
        (ReduceKind::Var, &[2]),
        (ReduceKind::ArgMin, &[0, 1, 2]),
        (ReduceKind::Max, &[0]),
        (ReduceKind::Mean, &[1, 2]),
    ] {
        let space = ChunkGrid::whole(&shape);
        let program = Some(Arc::new(three(DType::F32)));
        let reduce = Reduce { kind, axes: axes.into(), keepdims: true, ddof: 1.0, space, program };
        let (fold, all) = (Fold::new(&reduce, DType::F32), Region::whole(&shape));
        let got = fold.fold(&[x.clone(), y.clone(), w.clone().into()], &all).unwrap();
        let want = fold.fold(&[x_block.clone(), y_block.clone(), w.clone()], &all).unwrap();
        let (got, want) = (fold.finish(&[&got]), fold.finish(&[&want]));
        assert_eq!(fold.pieces(&all) > 1, axes.contains(&2), "pieces are cut along reduced axes");
        assert!(all_same(&elements(&got), &elements(&want)), "{} along {axes:?}", reduce.kind);
    }
}

#[test]
fn room_of_another_type_is_a_fault_of_the_caller() {
    let copy = Kernel::new(&Program::identity(DType::F64));
    let x = Chunk::zeros(DType::F64, &[3]);
    let run = || copy.map_in(std::slice::from_ref(&x), &[3], Room::new(DType::I64));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    let mut memory = ndarray::Array1::<u64>::uninit(3).into_dyn();
    let fill = || copy.fill(std::slice::from_ref(&x), u64::window(memory.view_mut())).is_ok();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(fill)).is_err());
}

#[test]
fn fault_in_a_late_tile_is_an_error_wherever_results_go() {
    let kernel = Kernel::new(&single(BinaryOp::Div.into(), &[DType::I32, DType::I32]).unwrap());
    for shape in [[5, 7000], [7000, 5]] {
        let mut divisors = vec![Scalar::I32(2); 35_000];
        divisors[34_321] = Scalar::I32(0);
        let operands = [Chunk::filled(Scalar::I32(7), &[]), block(DType::I32, &divisors, &shape)];
        let fault = KernelError::IntegerDivisionByZero { op: "div" };
        let room = Chunk::zeros(DType::I32, &[40_000]).into_room().unwrap();
        assert_eq!(kernel.map_in(&operands, &shape, room).unwrap_err(), fault);
        for way in 0..WINDOWS {
            let placed = Placed::new(&shape, way);
            let mut memory = placed.array::<i32>(false).mapv(MaybeUninit::new);
            assert_eq!(kernel.fill(&operands, i32::window(placed.view(&mut memory))).unwrap_err(), fault);
            let streamed = kernel.fill_streaming(&operands, i32::window(placed.view(&mut memory)));
            assert_eq!(streamed.unwrap_err(), fault);
        }
    }
}

#[test]
fn formula_that_panics_leaves_what_is_around_the_window_alone() {
    let copy = Kernel::new(&Program::identity(DType::U8));
    for shape in [vec![40, 600], vec![600, 40], vec![24_000]] {
        let poisoned = Hashes { dtype: DType::U8, shape: shape.clone(), seed: 1, poison: Some(20_001) };
        let source: Arc<dyn ChunkSource> = Arc::new(poisoned);
        let operand = Operand::of_formula(&source, &Region::whole(&shape)).unwrap();
        for way in 0..WINDOWS {
            let placed = Placed::new(&shape, way);
            let mut before = placed.array::<u8>(false);
            let mut memory = before.mapv(MaybeUninit::new);
            let window = u8::window(placed.view(&mut memory));
            let fill = || copy.fill(std::slice::from_ref(&operand), window).is_ok();
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(fill)).is_err());
            // SAFETY: every element was written when the array was made.
            let mut after = memory.mapv(|x| unsafe { x.assume_init() });
            // What the window holds now does not matter.
            placed.view(&mut before).fill(0);
            placed.view(&mut after).fill(0);
            assert_eq!(before, after);
        }
    }
}
