//! Rows of results, side by side: what a fold along an outer axis reads.
//!
//! A panel is up to [`ROWS`] rows of up to [`COLUMNS`] elements. Rows of an operand that nothing is computed from are read
//! where they are; others are computed into memory behind the registers, one panel for each result.
#![allow(unsafe_code)]

use chunkwise_chunk::Element;

use super::{COLUMNS, Machine, ROWS, Reader, Rows};
use crate::KernelError;

impl Machine<'_> {
    /// Evaluates `count` rows of `n` elements, the first at `o` and each `stride` after the one before;
    /// [`rows`](Machine::rows) are their results. Rows of an operand that nothing is computed from are given
    /// where they are.
    pub(crate) fn run_rows(
        &mut self,
        o: usize,
        stride: usize,
        count: usize,
        n: usize,
    ) -> Result<(), KernelError> {
        assert!((1..=ROWS).contains(&count) && n <= COLUMNS, "rows are asked for in panels");
        assert!(o + (count - 1) * stride + n <= self.len, "rows lie in the block");
        self.evaluated = 0;
        self.rows.iter_mut().for_each(Vec::clear);
        // SAFETY: the runs were checked, and rows are written at their own place in the panel of their result.
        unsafe {
            match self.code.results.len() {
                1 => self.rows_of_one(o, stride, count, n)?,
                _ => self.rows_of_several(o, stride, count, n)?,
            }
        }
        self.row_len = n;
        Ok(())
    }

    /// The rows of result number `result` that were evaluated last.
    pub(crate) fn rows<T: Element>(&self, result: usize) -> Rows<'_, T> {
        assert_eq!(T::DTYPE, self.code.results[result].dtype, "results are read as what they are");
        // SAFETY: every row is as many initialised elements, in a panel or in an operand; they are borrowed from the
        // machine, so nothing is evaluated while they are read.
        let row = |&ptr: &*const u8| unsafe { std::slice::from_raw_parts(ptr.cast::<T>(), self.row_len) };
        self.rows[result].iter().map(row).collect()
    }

    /// # Safety
    /// The rows must lie in the block, and be no more and no longer than a panel has room for.
    unsafe fn rows_of_one(
        &mut self,
        o: usize,
        stride: usize,
        count: usize,
        n: usize,
    ) -> Result<(), KernelError> {
        let (panel, bytes) = (self.panel(0), n * self.code.output.itemsize());
        // SAFETY: passed on.
        unsafe {
            if stride == n && self.code.passes_through().is_none() {
                self.write(o, count * n, panel)?;
                self.rows[0].extend((0..count).map(|row| panel.add(row * bytes).cast_const()));
            } else {
                for row in 0..count {
                    let start = self.place_row(o + row * stride, n, panel.add(row * bytes))?;
                    self.rows[0].push(start);
                }
            }
        }
        Ok(())
    }

    /// The results of a run are in registers, which the next run takes: they are copied to their panels. A copy of
    /// what is in the cache costs little beside what computes it.
    ///
    /// # Safety
    /// That of [`rows_of_one`](Machine::rows_of_one).
    unsafe fn rows_of_several(
        &mut self,
        o: usize,
        stride: usize,
        count: usize,
        n: usize,
    ) -> Result<(), KernelError> {
        // Rows that follow each other without a gap are one run, as long as a tile.
        let (runs, len, at_once) =
            if stride == n { (1, count * n, self.tile) } else { (count, n, n.min(self.tile)) };
        for run in 0..runs {
            for done in (0..len).step_by(at_once) {
                let part = at_once.min(len - done);
                // SAFETY: a part of the caller's rows.
                unsafe { self.evaluate(o + run * stride + done, part, None)? };
                for result in 0..self.code.results.len() {
                    let place = self.code.results[result];
                    let (from, itemsize) = (self.address[place.register as usize], place.dtype.itemsize());
                    // SAFETY: the panel has room for all rows, and is apart from registers and operands.
                    unsafe {
                        let to = self.panel(result).add((run * n + done) * itemsize);
                        std::ptr::copy_nonoverlapping(from, to, part * itemsize);
                    }
                }
            }
        }
        for result in 0..self.code.results.len() {
            let (panel, bytes) = (self.panel(result), n * self.code.results[result].dtype.itemsize());
            // SAFETY: rows lie in the panel.
            self.rows[result].extend((0..count).map(|row| unsafe { panel.add(row * bytes).cast_const() }));
        }
        Ok(())
    }

    /// First byte of the rows of a result, behind the registers.
    fn panel(&mut self, result: usize) -> *mut u8 {
        let registers = self.code.registers * self.register_bytes;
        let before = &self.code.results[..result];
        let panels: usize = before.iter().map(|place| ROWS * COLUMNS * place.dtype.itemsize()).sum();
        // SAFETY: the buffer has the registers and, where rows are asked for, the panels behind them.
        unsafe { self.scratch.as_mut_ptr().add(registers + panels) }
    }

    /// Where a row is: in an operand, or written to `to`.
    ///
    /// # Safety
    /// The run must lie in the block, and `to` be valid for writing it.
    unsafe fn place_row(&mut self, o: usize, n: usize, to: *mut u8) -> Result<*const u8, KernelError> {
        // SAFETY: passed on.
        unsafe {
            if let Some(operand) = self.code.passes_through()
                && let Reader::Block(layout) = &self.operands[operand]
                && let Some(ptr) = layout.in_place(o, n)
            {
                self.watch.spend(n)?;
                return Ok(ptr);
            }
            self.write(o, n, to)?;
        }
        Ok(to)
    }
}
