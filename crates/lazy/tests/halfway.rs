//! What fails half way leaves nothing behind: not a block that counts as written, not a runtime that is stuck.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use chunkwise::prelude::*;
use chunkwise::{Error, ErrorKind};
use chunkwise_chunk::{
    Chunk, ChunkGrid, ChunkSink, ChunkSource, DType, Formula, ReadCost, Region, Room, SourceError, TileMut,
};
use chunkwise_expr::{BinaryOp, ElementFn, ElementOp, Expr, Program, ProgramBuilder};
use chunkwise_kernels::{Kernel, KernelError, Operand};
use chunkwise_storage::MemorySink;
use ndarray::{Array1, Array2, ArrayD};

/// The element of a place, never 0.
fn value(row: usize, column: usize) -> i32 {
    (row * 1009 + column * 7) as i32 % 5000 + 1
}

/// Values, of which one can be made to panic.
#[derive(Debug)]
struct Values {
    shape: [usize; 2],
    poison: (usize, usize),
    armed: Arc<AtomicBool>,
}

impl ChunkSource for Values {
    fn dtype(&self) -> DType {
        DType::I32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        "values".into()
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        let mut elements = vec![0; region.len()];
        self.fill(region, 0, TileMut::I32(&mut elements));
        Ok(Chunk::from_elements(elements, region.shape()))
    }
}

impl Formula for Values {
    fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
        let TileMut::I32(out) = out else { panic!("values are i32") };
        let columns = region.shape()[1];
        for (i, x) in out.iter_mut().enumerate() {
            let place = (region.start()[0] + (at + i) / columns, region.start()[1] + (at + i) % columns);
            assert!(place != self.poison || !self.armed.load(Relaxed), "no value there");
            *x = value(place.0, place.1);
        }
    }
}

/// A late place of a block.
fn late(region: &Region) -> (usize, usize) {
    let at = |axis: usize| region.start()[axis] + region.shape()[axis] * 4 / 5;
    (at(0), at(1))
}

/// The block of the values at a region, with another one at a late place where that is given.
fn block(region: &Region, poison: Option<i32>) -> Operand {
    let mut block = Array2::from_shape_fn((region.shape()[0], region.shape()[1]), |(i, j)| {
        value(region.start()[0] + i, region.start()[1] + j)
    });
    if let Some(poison) = poison {
        let (row, column) = late(region);
        block[[row - region.start()[0], column - region.start()[1]]] = poison;
    }
    Chunk::from_array(block.into_dyn()).into()
}

/// A kernel, and its operands for a block: those that make it fail, or those that do not.
type Case = (&'static str, Kernel, fn(&[usize; 2], &Region, bool) -> Vec<Operand>);

fn kernel(op: impl Into<ElementOp>, inputs: usize) -> Kernel {
    let mut b = ProgramBuilder::new();
    let args: Vec<_> = (0..inputs).map(|_| b.input(DType::I32)).collect();
    let result = b.push(op.into(), &args).unwrap();
    Kernel::new(&b.finish(result))
}

fn cases() -> Vec<Case> {
    let closure = ElementFn::unary("mapv", |x: i32| {
        assert!(x >= 0, "no good");
        x
    });
    vec![
        ("closure", kernel(ElementOp::Call(closure), 1), |_, region, fails| {
            vec![block(region, fails.then_some(-1))]
        }),
        ("division", kernel(BinaryOp::Modulo, 2), |_, region, fails| {
            let modulus = Array2::from_elem((1, 1), i32::MAX).into_dyn();
            match fails {
                true => vec![block(region, None), block(region, Some(0))],
                false => vec![block(region, None), Chunk::from_array(modulus).into()],
            }
        }),
        ("formula", Kernel::new(&Program::identity(DType::I32)), |shape, region, fails| {
            let armed = Arc::new(AtomicBool::new(fails));
            let source: Arc<dyn ChunkSource> =
                Arc::new(Values { shape: *shape, poison: late(region), armed });
            vec![Operand::of_formula(&source, region).unwrap()]
        }),
    ]
}

/// Fills a block; whether that went well.
fn fill(sink: &MemorySink, region: &Region, kernel: &Kernel, operands: &[Operand], streaming: bool) -> bool {
    let mut failure: Option<KernelError> = None;
    let run = AssertUnwindSafe(|| {
        sink.fill(region, &mut |window| {
            let written = match streaming {
                true => kernel.fill_streaming(operands, window),
                false => kernel.fill(operands, window),
            };
            written.map_err(|error| failure = Some(error)).ok()
        })
    });
    match catch_unwind(run) {
        Ok(lent) => {
            lent.expect("the block is still to be written");
            failure.is_none()
        }
        Err(_) => false,
    }
}

#[test]
fn block_that_failed_half_way_is_free_and_is_completed_by_a_second_fill() {
    for (name, kernel, operands) in cases() {
        for (shape, blocks) in [([60, 1000], [20, 500]), ([1000, 60], [500, 20]), ([90, 300], [90, 300])] {
            for streaming in [false, true] {
                let grid = ChunkGrid::regular(&shape, &blocks);
                let sink = MemorySink::reusing(Room::I32(vec![-7; shape[0] * shape[1]]), &grid).unwrap();
                for index in grid.blocks() {
                    let region = grid.region(&index);
                    for _ in 0..2 {
                        assert!(!fill(&sink, &region, &kernel, &operands(&shape, &region, true), streaming));
                        assert!(sink.finish().is_err() && sink.take().is_err(), "{name}");
                    }
                    assert!(fill(&sink, &region, &kernel, &operands(&shape, &region, false), streaming));
                    let again = sink.fill(&region, &mut |_| panic!("a written block is not lent"));
                    assert!(again.is_err(), "{name}");
                }
                sink.finish().unwrap();
                let result: ArrayD<i32> = sink.take().unwrap().into_array().unwrap();
                let want = Array2::from_shape_fn(shape, |(i, j)| value(i, j)).into_dyn();
                assert_eq!(result, want, "{name}, streaming {streaming}");
            }
        }
    }
}

/// Computes what fails while `armed` is set, then what does not, on one runtime.
fn fails_then_works(x: &LazyArray2<i32>, armed: &AtomicBool, check: impl Fn(&Error)) {
    for threads in [1, 2, 3] {
        let rt = Runtime::builder().threads(threads).build().unwrap();
        for _ in 0..2 {
            armed.store(true, Relaxed);
            check(&rt.compute(x).unwrap_err());
            check(&rt.compute_into(x, Array2::zeros((60, 1000))).unwrap_err());
            check(&rt.compute((x, x + 1)).unwrap_err());
            check(&rt.persist(x).unwrap_err());
            assert_eq!(rt.persisted_bytes(), 0);
            armed.store(false, Relaxed);
            let want = Array2::from_shape_fn((60, 1000), |(i, j)| value(i, j));
            assert_eq!(rt.compute(x).unwrap(), want);
            assert_eq!(rt.compute_into(x, Array2::zeros((60, 1000))).unwrap(), want);
        }
    }
}

fn source(shape: [usize; 2], armed: &Arc<AtomicBool>, chunks: (usize, usize)) -> LazyArray2<i32> {
    let values = Arc::new(Values { shape, poison: (50, 800), armed: armed.clone() });
    LazyArray::from_expr(Expr::source("values", values, Some(&chunks.into()), Location::caller()))
}

#[test]
fn closure_that_panics_late_is_an_error_with_label_and_the_runtime_goes_on() {
    let armed = Arc::new(AtomicBool::new(false));
    let x = LazyArray::from_ndarray(Array2::from_shape_fn((60, 1000), |(i, j)| value(i, j)), (20, 300));
    let (poison, on) = (value(59, 899), armed.clone());
    let y = x.mapv(move |x| if x == poison && on.load(Relaxed) { panic!("no good") } else { x });
    fails_then_works(&y, &armed, |err| {
        assert_eq!(err.kind(), ErrorKind::Panic);
        let text = err.to_string();
        assert!(text.contains("mapv") && text.contains("block [") && text.contains("no good"), "{text}");
        assert!(text.contains(file!()), "{text}");
    });
}

#[test]
fn formula_that_panics_late_is_an_error_with_label_and_the_runtime_goes_on() {
    let armed = Arc::new(AtomicBool::new(false));
    let y = source([60, 1000], &armed, (20, 300)) + 1 - 1;
    fails_then_works(&y, &armed, |err| {
        assert_eq!(err.kind(), ErrorKind::Panic);
        let text = err.to_string();
        assert!(text.contains("block [2, 2]") && text.contains("no value there"), "{text}");
        assert!(text.contains("add"), "{text}");
    });
}

#[test]
fn division_by_zero_in_a_late_tile_is_an_error_and_the_runtime_goes_on() {
    let armed = Arc::new(AtomicBool::new(false));
    let x = LazyArray::from_ndarray(Array2::from_shape_fn((60, 1000), |(i, j)| value(i, j)), (20, 300));
    let on = armed.clone();
    // A function of the block, so that the divisor is another one in the next run.
    let divisor = LazyArray::from_blocks((60, 1000), (20, 300), move |block| {
        let zero = (50_usize.wrapping_sub(block.start[0]), 890_usize.wrapping_sub(block.start[1]));
        Array2::from_shape_fn((block.shape[0], block.shape[1]), |at| {
            i32::from(!(at == zero && on.load(Relaxed)))
        })
    });
    fails_then_works(&(x / divisor), &armed, |err| {
        assert_eq!(err.kind(), ErrorKind::Task);
        let text = err.to_string();
        assert!(text.contains("div") && text.contains("block [2, 2]") && text.contains(file!()), "{text}");
    });
}

#[test]
fn streamed_result_that_fails_is_an_error_and_the_next_one_is_right() {
    const LEN: usize = 9 << 20;
    let armed = Arc::new(AtomicBool::new(true));
    let on = armed.clone();
    let data = Array1::from_shape_fn(LEN, |i| i as i32);
    let x = LazyArray::from_ndarray(data, ..);
    let y = &x + 1;
    let last = LEN as i32;
    let z = y.mapv(move |x| if x == last && on.load(Relaxed) { panic!("no good") } else { x });
    let rt = Runtime::builder().threads(2).build().unwrap();
    let err = rt.compute_into(&z, Array1::zeros(LEN)).unwrap_err();
    assert!(err.kind() == ErrorKind::Panic && err.to_string().contains("no good"), "{err}");
    armed.store(false, Relaxed);
    let result = rt.compute_into(&z, Array1::zeros(LEN)).unwrap();
    assert!(result.iter().zip(1..).all(|(&got, want)| got == want));
}
