//! Results of a whole block: a vector of them, or their places in a window.
//!
//! Rows of a window that are longer than a segment are written in place; shorter ones are copied from the tile.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use chunkwise_chunk::Element;
use ndarray::ArrayViewMutD;

use super::Machine;
use crate::KernelError;
use crate::compile::SEGMENT;
use crate::rows::RowStarts;
use crate::streaming;

impl Machine<'_> {
    /// All results in C order, in a vector that has no elements yet.
    pub(crate) fn collect<T: Element>(&mut self, mut all: Vec<T>) -> Result<Vec<T>, KernelError> {
        all.clear();
        all.reserve_exact(self.len);
        self.check::<T>(0, self.len);
        // SAFETY: the vector has room for all results, and every one of them is written before its length is
        // set. Not zeroed before: a pass over fresh memory costs as much as the evaluation (31 against 20 ms
        // for 10 million elements).
        unsafe {
            self.write(0, self.len, all.as_mut_ptr().cast())?;
            all.set_len(self.len);
        }
        Ok(all)
    }

    /// All results, written to their places in a window of the shape of the block, walked in C order.
    pub(crate) fn fill_window<'w, T: Element>(
        &mut self,
        mut window: ArrayViewMutD<'w, MaybeUninit<T>>,
        streaming: bool,
    ) -> Result<ArrayViewMutD<'w, T>, KernelError> {
        assert_eq!(window.len(), self.len, "a window has a place for every result");
        if self.len > 0 {
            self.check::<T>(0, self.len);
            let rows = RowStarts::new(window.shape(), window.strides());
            let dst = window.as_mut_ptr().cast::<T>();
            // SAFETY: the rows are those of the window, and have room for all results of the block.
            unsafe {
                if rows.len() >= SEGMENT {
                    self.streaming = streaming;
                    let _ordered = streaming::Finish;
                    self.fill_rows(&rows, dst)?;
                } else {
                    self.scatter(&rows, dst)?;
                }
            }
        }
        // SAFETY: every row was written.
        Ok(unsafe { window.assume_init() })
    }

    /// # Safety
    /// The rows from `dst` must be valid for writing all results, and disjoint.
    unsafe fn fill_rows<T: Element>(&mut self, rows: &RowStarts, dst: *mut T) -> Result<(), KernelError> {
        for row in 0..self.len / rows.len() {
            // SAFETY: passed on.
            unsafe { self.write(row * rows.len(), rows.len(), dst.offset(rows.start(row)).cast())? };
        }
        Ok(())
    }

    /// Evaluates whole tiles and copies them to rows that are shorter.
    ///
    /// # Safety
    /// As for [`fill_rows`](Machine::fill_rows).
    unsafe fn scatter<T: Element>(&mut self, rows: &RowStarts, dst: *mut T) -> Result<(), KernelError> {
        let (len, tile) = (self.len, self.tile);
        for o in (0..len).step_by(tile) {
            self.run_tile(o, tile.min(len - o))?;
            let items = self.items::<T>(0);
            let mut done = 0;
            while done < items.len() {
                let (row, at) = ((o + done) / rows.len(), (o + done) % rows.len());
                let piece = (rows.len() - at).min(items.len() - done);
                // SAFETY: the piece lies in its row; a tile is in a register or in an operand, apart from `dst`.
                unsafe {
                    let to = dst.offset(rows.start(row)).add(at);
                    std::ptr::copy_nonoverlapping(items.as_ptr().add(done), to, piece);
                }
                done += piece;
            }
        }
        Ok(())
    }

    /// Writes the results `[o, o + n)`, tile by tile.
    ///
    /// # Safety
    /// The run must lie in the block, and `dst` be valid for writing it and aligned.
    pub(super) unsafe fn write(&mut self, o: usize, n: usize, dst: *mut u8) -> Result<(), KernelError> {
        let mut done = 0;
        while done < n {
            let run = self.tile.min(self.row - (o + done) % self.row).min(n - done);
            // SAFETY: a part of the caller's run and of its memory; a tile that is not written there directly is in a
            // register or an operand, apart from it.
            unsafe {
                let to = dst.add(done * self.code.output.itemsize());
                if self.streaming {
                    let tile = self.evaluate(o + done, run, None)?;
                    streaming::copy(tile, to, run * self.code.output.itemsize());
                } else {
                    self.evaluate(o + done, run, Some(to))?;
                }
            }
            done += run;
        }
        Ok(())
    }
}
