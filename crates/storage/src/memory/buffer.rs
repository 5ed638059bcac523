//! An array under construction: allocated once without being filled, written block by block from many
//! threads, then handed out as a `Vec`. One of the two modules of this crate with unsafe code.
//!
//! The invariants everything here rests on:
//!
//! 1. `ptr` is a live allocation of `capacity >= len` elements of `T`, made by `Vec`, until `taken` is set.
//! 2. An element is written only under the [`Claim`] of its block. A block has at most one claim at a time, and
//!    none after it is complete; blocks of a [`ChunkGrid`] do not overlap. So no two threads write one element.
//! 3. When [`Claims::check_complete`] succeeds, completed blocks hold `len` elements, hence all of them, and
//!    no further claim can be had.
//!
//! Why unsafe at all: safe Rust has no way to lend strided windows of one allocation to several threads whose
//! order is not known beforehand, short of a lock around every copy. What it gains: 128 MiB of f64 in 16 blocks from
//! two threads take 1/1.9 to 1/3.0 of the time of two threads that copy halves into a zeroed `Vec` (six paired runs
//! on two shared cores of a Xeon, `cargo run --release -p chunkwise-storage --example bandwidth`). The gain is that
//! of huge pages: without them the blocks take 1.1 times as long as the halves.
//!
//! [`Claim`]: crate::claims::Claim
//! [`ChunkGrid`]: chunkwise_chunk::ChunkGrid

#![allow(unsafe_code)]

use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;

use chunkwise_chunk::{ChunkGrid, Element, Filler, Lent, Region, SourceError};
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, IxDyn, ShapeBuilder, Zip};

use crate::bounds::checked_nbytes;
use crate::claims::Claims;
use crate::sync::{AtomicBool, Ordering};

/// Allocations from this size on ask for huge pages.
const HUGE_PAGE: usize = 2 << 20;

/// Rows shorter than this are copied element by element: setting up a row costs more than it saves.
const SHORT_ROW: usize = 16;

/// The unfilled array.
pub(super) struct BlockBuffer<T> {
    ptr: NonNull<T>,
    len: usize,
    capacity: usize,
    claims: Claims,
    taken: AtomicBool,
    lent: Lent,
}

// SAFETY: the buffer owns its allocation like a `Vec<T>`, and `T: Send`.
unsafe impl<T: Send> Send for BlockBuffer<T> {}
// SAFETY: `&self` gives no reference to an element. `write` touches only elements under its claim (invariant
// 2), and `take` moves the whole out after all writes (invariant 3); both only move `T: Send` across threads.
unsafe impl<T: Send> Sync for BlockBuffer<T> {}

impl<T: Element> BlockBuffer<T> {
    /// The array the grid cuts, not filled: in this memory if it is large enough, else in fresh memory.
    pub(super) fn new(grid: &ChunkGrid, mut vec: Vec<T>) -> Result<BlockBuffer<T>, SourceError> {
        let nbytes = checked_nbytes(T::DTYPE, grid.shape())?;
        let claims = Claims::new(grid)?;
        vec.clear();
        let lent = if vec.capacity() >= nbytes / size_of::<T>() { Lent::Used } else { Lent::Fresh };
        if lent == Lent::Fresh {
            vec = Vec::new(); // not grown: what is too small goes back before there is more
        }
        vec.try_reserve_exact(nbytes / size_of::<T>()).map_err(|_| {
            let shape = grid.shape();
            SourceError::message(format!("no memory for an array of shape {shape:?}: {nbytes} bytes"))
        })?;
        if lent == Lent::Fresh {
            advise_huge_pages(vec.spare_capacity_mut());
        }
        let mut vec = ManuallyDrop::new(vec);
        let ptr = NonNull::new(vec.as_mut_ptr()).expect("a Vec's pointer is never null");
        let (len, capacity) = (nbytes / size_of::<T>(), vec.capacity());
        Ok(BlockBuffer { ptr, len, capacity, claims, taken: AtomicBool::new(false), lent })
    }

    /// Whether the memory was written before.
    pub(super) fn lent(&self) -> Lent {
        self.lent
    }

    /// Copies one block of the grid into its place.
    pub(super) fn write(&self, region: &Region, source: ArrayViewD<'_, T>) -> Result<(), SourceError> {
        debug_assert_eq!(region.shape(), source.shape());
        let claim = self.claims.claim(region)?;
        if !claim.is_empty() {
            // SAFETY: the claim is held to the end of this function.
            copy(source, unsafe { self.window(region) });
            claim.complete();
        }
        Ok(())
    }

    /// Lends the place of one block to `fill`; see [`ChunkSink::fill`](chunkwise_chunk::ChunkSink::fill).
    pub(super) fn fill(&self, region: &Region, fill: &mut Filler<'_>) -> Result<(), SourceError> {
        let claim = self.claims.claim(region)?;
        if claim.is_empty() {
            return Ok(());
        }
        // SAFETY: the claim is held to the end of this function, and the window does not outlive it: `fill` takes a
        // window of any lifetime, so it cannot keep one.
        let window = unsafe { self.window(region) };
        let lent = (window.as_ptr().cast::<T>(), window.strides().to_vec());
        match fill(T::window(window)).map(T::of_written) {
            // Nothing was written, or not all of it: the block is free again.
            None => Ok(()),
            // A view of initialised elements at this very place can only be what was lent: it is written.
            Some(Some(w))
                if (w.as_ptr(), w.strides()) == (lent.0, &lent.1) && w.shape() == region.shape() =>
            {
                claim.complete();
                Ok(())
            }
            Some(_) => Err(SourceError::message(format!("other memory was given back for block {region}"))),
        }
    }

    /// The place of a block.
    ///
    /// # Safety
    /// The block must be claimed for as long as the window lives.
    unsafe fn window(&self, region: &Region) -> ArrayViewMutD<'_, MaybeUninit<T>> {
        let strides = strides(self.claims.grid().shape());
        let offset: usize = region.start().iter().zip(&strides).map(|(start, stride)| start * stride).sum();
        let layout = IxDyn(region.shape()).strides(IxDyn(&strides));
        // SAFETY: the claim has checked that the region is a block, so it lies inside the array and `offset` and
        // every element reached by the strides lie inside the allocation (invariant 1): the block is not
        // complete, so the array is not and was not taken. No one else touches these elements while
        // the claim lives (invariant 2). `MaybeUninit` makes no claim about what is there.
        unsafe { ArrayViewMutD::from_shape_ptr(layout, self.ptr.as_ptr().add(offset).cast()) }
    }

    /// Checks that every block was written.
    pub(super) fn check_complete(&self) -> Result<(), SourceError> {
        self.claims.check_complete()
    }

    /// The finished array, once.
    pub(super) fn take(&self) -> Result<ArrayD<T>, SourceError> {
        self.claims.check_complete()?;
        // Relaxed: `check_complete` has ordered the writes before this; the swap only picks one taker.
        if self.taken.swap(true, Ordering::Relaxed) {
            return Err(SourceError::message("the finished array was taken already"));
        }
        // SAFETY: pointer and capacity come from a `Vec<T>` (invariant 1), all `len` elements were written
        // (invariant 3), and `taken` was false, so this is the only owner from now on: `drop` leaves it alone.
        let vec = unsafe { Vec::from_raw_parts(self.ptr.as_ptr(), self.len, self.capacity) };
        let shape = self.claims.grid().shape();
        Ok(ArrayD::from_shape_vec(IxDyn(shape), vec).expect("the buffer has just the elements of its shape"))
    }
}

impl<T> Drop for BlockBuffer<T> {
    fn drop(&mut self) {
        if !self.taken.load(Ordering::Relaxed) {
            // SAFETY: pointer and capacity come from a `Vec<T>` (invariant 1) that no one took. Length 0: elements
            // are `Copy`, there is nothing to drop but the memory.
            drop(unsafe { Vec::from_raw_parts(self.ptr.as_ptr(), 0, self.capacity) });
        }
    }
}

/// Strides of an array in C order.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Copies `source` into `window`, in whole or by rows where both are contiguous.
fn copy<T: Element>(source: ArrayViewD<'_, T>, mut window: ArrayViewMutD<'_, MaybeUninit<T>>) {
    let long_rows = source.shape().last().is_some_and(|&n| n >= SHORT_ROW);
    if let (Some(from), Some(to)) = (source.to_slice(), window.as_slice_mut()) {
        copy_slice(from, to);
    } else if long_rows {
        Zip::from(window.rows_mut()).and(source.rows()).for_each(|mut to, from| {
            match (from.to_slice(), to.as_slice_mut()) {
                (Some(from), Some(to)) => copy_slice(from, to),
                _ => from.assign_to(to),
            }
        });
    } else {
        source.assign_to(window);
    }
}

fn copy_slice<T: Copy>(from: &[T], to: &mut [MaybeUninit<T>]) {
    for (to, &from) in to.iter_mut().zip(from) {
        to.write(from);
    }
}

/// Asks the system to back the memory with huge pages, where it can.
///
/// Fresh memory is mapped page by page as it is first written; 2 MiB pages need 512 times fewer faults.
#[cfg(target_os = "linux")]
fn advise_huge_pages<T>(memory: &mut [MaybeUninit<T>]) {
    let bytes = size_of_val(memory);
    let address = memory.as_mut_ptr() as usize;
    let aligned = address.next_multiple_of(HUGE_PAGE);
    let end = (address + bytes) / HUGE_PAGE * HUGE_PAGE;
    if bytes < HUGE_PAGE || end <= aligned {
        return;
    }
    let start = memory.as_mut_ptr().cast::<u8>().wrapping_add(aligned - address);
    // SAFETY: `start..start + (end - aligned)` lies inside `memory`, which is borrowed here. The advice
    // changes no content; when the system refuses it, nothing happens, so the result is not used.
    unsafe { libc::madvise(start.cast(), end - aligned, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise_huge_pages<T>(_: &mut [MaybeUninit<T>]) {}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::{Window, Written};
    use ndarray::{Array, s};

    fn numbers(shape: (usize, usize)) -> ArrayD<u16> {
        Array::from_shape_fn(shape, |(i, j)| (i * 100 + j) as u16).into_dyn()
    }

    #[test]
    fn blocks_land_in_their_place() {
        for shape in [(5, 7), (3, 40)] {
            let all = numbers(shape);
            let grid = ChunkGrid::regular(all.shape(), &[2, 20]);
            let buffer = BlockBuffer::new(&grid, Vec::new()).unwrap();
            for block in grid.blocks() {
                let r = grid.region(&block);
                let part = all.slice(s![r.start()[0]..r.end(0), r.start()[1]..r.end(1)]).into_dyn();
                buffer.write(&r, part).unwrap();
            }
            assert_eq!(buffer.take().unwrap(), all);
            assert!(buffer.take().unwrap_err().to_string().contains("taken already"));
        }
    }

    /// Writes ones, as whoever fills a window does.
    fn ones(window: Window<'_>) -> Option<Written<'_>> {
        let mut memory = u16::of_window(window)?;
        memory.fill(MaybeUninit::new(1));
        // SAFETY: every element was just written.
        Some(u16::written(unsafe { memory.assume_init() }))
    }

    #[test]
    fn memory_is_used_again_where_it_is_large_enough() {
        let grid = ChunkGrid::whole(&[3]);
        let used = BlockBuffer::new(&grid, vec![5u16; 4]).unwrap();
        assert_eq!(used.lent(), Lent::Used);
        assert!(used.take().is_err());
        used.fill(&Region::whole(&[3]), &mut ones).unwrap();
        assert_eq!(used.take().unwrap(), ndarray::arr1(&[1, 1, 1]).into_dyn());
        assert_eq!(BlockBuffer::new(&grid, vec![5u16; 2]).unwrap().lent(), Lent::Fresh);
    }

    #[test]
    fn blocks_are_filled_in_place() {
        let grid = ChunkGrid::regular(&[3, 5], &[2, 2]);
        let buffer = BlockBuffer::<u16>::new(&grid, Vec::new()).unwrap();
        for block in grid.blocks() {
            buffer.fill(&grid.region(&block), &mut ones).unwrap();
        }
        assert!(buffer.fill(&grid.region(&[0, 0]), &mut ones).is_err());
        assert_eq!(buffer.take().unwrap(), ArrayD::from_elem(IxDyn(&[3, 5]), 1));
    }

    #[test]
    fn block_that_was_not_filled_stays_to_be_written() {
        let grid = ChunkGrid::whole(&[2]);
        let buffer = BlockBuffer::<u16>::new(&grid, Vec::new()).unwrap();
        let all = Region::whole(&[2]);
        buffer.fill(&all, &mut |_| None).unwrap();
        let mut other = ndarray::arr1(&[7u16, 7]).into_dyn();
        let other: &'static mut ArrayD<u16> = Box::leak(Box::new(std::mem::take(&mut other)));
        let mut other = Some(other.view_mut());
        let message = buffer.fill(&all, &mut |_| other.take().map(u16::written)).unwrap_err().to_string();
        assert_eq!(message, "other memory was given back for block [0..2]");
        assert!(buffer.take().is_err());
        buffer.fill(&all, &mut ones).unwrap();
        assert_eq!(buffer.take().unwrap(), ndarray::arr1(&[1, 1]).into_dyn());
    }

    #[test]
    fn transposed_blocks_are_written_as_they_read() {
        let all = numbers((20, 30)).reversed_axes();
        let buffer = BlockBuffer::new(&ChunkGrid::whole(all.shape()), Vec::new()).unwrap();
        buffer.write(&Region::whole(all.shape()), all.view()).unwrap();
        assert_eq!(buffer.take().unwrap(), all);
    }

    #[test]
    fn unfinished_array_cannot_be_taken() {
        let grid = ChunkGrid::regular(&[4], &[2]);
        let buffer = BlockBuffer::<u8>::new(&grid, Vec::new()).unwrap();
        buffer.write(&grid.region(&[1]), ArrayViewD::from_shape(IxDyn(&[2]), &[1, 2]).unwrap()).unwrap();
        assert!(buffer.take().is_err());
    }

    #[test]
    fn empty_and_scalar_arrays_are_taken() {
        assert_eq!(
            BlockBuffer::<f64>::new(&ChunkGrid::whole(&[0, 3]), Vec::new()).unwrap().take().unwrap().shape(),
            [0, 3]
        );
        let scalar = BlockBuffer::new(&ChunkGrid::whole(&[]), Vec::new()).unwrap();
        scalar.write(&Region::whole(&[]), ndarray::arr0(7i64).into_dyn().view()).unwrap();
        assert_eq!(scalar.take().unwrap(), ndarray::arr0(7).into_dyn());
    }

    #[test]
    fn threads_write_blocks_side_by_side() {
        let grid = ChunkGrid::regular(&[8, 3], &[1, 3]);
        let buffer = BlockBuffer::<u32>::new(&grid, Vec::new()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (buffer, grid) = (&buffer, &grid);
                scope.spawn(move || {
                    for row in (thread..8).step_by(4) {
                        let block = ArrayD::from_elem(IxDyn(&[1, 3]), row as u32);
                        buffer.write(&grid.region(&[row, 0]), block.view()).unwrap();
                    }
                });
            }
        });
        let want = Array::from_shape_fn((8, 3), |(i, _)| i as u32).into_dyn();
        assert_eq!(buffer.take().unwrap(), want);
    }
}
