//! The interpreter: runs compiled code over runs of elements.
//!
//! ```text
//! once           fill the registers of the constants
//! for each tile [o, o + n):
//!     load       address[r] = place in the operand, or gather into register r
//!     run        f(address[args], register[to], n);  address[to] = register[to]
//!     result     the last step writes into the caller's memory when it gave some
//! ```
//!
//! A tile is small enough that its registers stay in the first-level cache, and large enough that the cost of
//! a step (some nanoseconds) vanishes. What the elements are never depends on the tile: every operation is of
//! one element, and sums are made of segments that the caller cuts.
#![allow(unsafe_code)]

use chunkwise_chunk::{Chunk, DType, Element, Scalar, Tile, TileMut, dispatch, for_each_dtype};
use smallvec::SmallVec;

use crate::KernelError;
use crate::buffer::Buffer;
use crate::compile::{Code, SEGMENT, Step};
use crate::layout::Layout;
use crate::loops::RunFn;

/// Most rows that [`Machine::rows`] gives at once.
pub(crate) const ROWS: usize = 64;

/// Most columns that [`Machine::rows`] gives at once.
pub(crate) const COLUMNS: usize = 256;

/// Rows of equal length.
pub(crate) type Rows<'m, T> = SmallVec<[&'m [T]; ROWS]>;

/// One evaluation of compiled code over a block.
pub(crate) struct Machine<'a> {
    code: &'a Code,
    operands: SmallVec<[Layout<'a>; 4]>,
    /// Elements of the block.
    len: usize,
    /// Elements of a tile.
    tile: usize,
    /// Length of the rows at whose ends tiles end: the operands lie in memory row by row. The block, if they do not.
    row: usize,
    register_bytes: usize,
    /// All registers, then the rows of [`Machine::rows`].
    scratch: Buffer,
    /// Where the elements of each register are at present: in the register or in an operand.
    address: Vec<*const u8>,
}

impl<'a> Machine<'a> {
    /// An evaluation over the elements of `shape` with its axes taken in the given order.
    ///
    /// # Panics
    /// When number, types or shapes of the operands do not fit, which is a fault of the caller.
    pub(crate) fn new(
        code: &'a Code,
        operands: &'a [Chunk],
        shape: &[usize],
        order: &[usize],
        with_rows: bool,
    ) -> Machine<'a> {
        let operands: SmallVec<[Layout<'a>; 4]> =
            operands.iter().map(|chunk| Layout::new(chunk, shape, order).with_strip(with_rows)).collect();
        let given = operands.iter().map(Layout::dtype);
        assert!(
            given.eq(code.inputs.iter().copied()),
            "operands must have the types of the program's inputs"
        );
        let len: usize = shape.iter().product();
        let tile = code.tile().min(len.next_multiple_of(SEGMENT)).max(SEGMENT);
        let register_bytes = code.register_bytes(tile);
        let scratch = Buffer::new(scratch_bytes(code, tile, with_rows));
        let address = vec![std::ptr::null(); code.registers];
        let rows = operands.iter().filter_map(Layout::row_len).filter(|&row| row >= SEGMENT);
        let row = rows.min().unwrap_or(len.max(1));
        let mut machine = Machine { code, operands, len, tile, row, register_bytes, scratch, address };
        if len > 0 {
            machine.fill_constants();
        }
        machine
    }

    /// Elements of a tile: the longest run [`items`](Machine::items) gives.
    pub(crate) fn tile(&self) -> usize {
        self.tile
    }

    /// The results `[o, o + n)`, at most a tile of them.
    pub(crate) fn items<T: Element>(&mut self, o: usize, n: usize) -> Result<&[T], KernelError> {
        self.check::<T>(o, n);
        assert!(n <= self.tile, "a run is at most a tile");
        // SAFETY: the run was checked; the result is `n` initialised elements of the code's output type,
        // valid until the next evaluation, which needs the machine mutably.
        unsafe {
            let ptr = self.evaluate(o, n, None)?;
            Ok(std::slice::from_raw_parts(ptr.cast::<T>(), n))
        }
    }

    /// The results of `count` rows of `n` elements, the first at `o` and each `stride` after the one before.
    /// Rows of an operand that nothing is computed from are given where they are.
    pub(crate) fn rows<T: Element>(
        &mut self,
        o: usize,
        stride: usize,
        count: usize,
        n: usize,
    ) -> Result<Rows<'_, T>, KernelError> {
        assert!(count <= ROWS && n <= COLUMNS, "rows are asked for in panels");
        self.check::<T>(o, (count - 1) * stride + n);
        // SAFETY: the runs were checked; rows are written at their own place in the panel, and the slices
        // borrow the machine, so nothing is evaluated while they are read.
        unsafe {
            let panel = self.panel();
            let mut starts: SmallVec<[*const u8; ROWS]> = SmallVec::new();
            if stride == n && self.code.passes_through().is_none() {
                self.write(o, count * n, panel)?;
                starts.extend((0..count).map(|row| panel.add(row * n * size_of::<T>()).cast_const()));
            } else {
                for row in 0..count {
                    let to = panel.add(row * n * size_of::<T>());
                    starts.push(self.place_row(o + row * stride, n, to)?);
                }
            }
            Ok(starts.iter().map(|ptr| std::slice::from_raw_parts(ptr.cast::<T>(), n)).collect())
        }
    }

    /// All results in C order.
    pub(crate) fn collect<T: Element>(&mut self) -> Result<Vec<T>, KernelError> {
        let mut all: Vec<T> = Vec::with_capacity(self.len);
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

    /// Panics unless the run lies in the block and the results are of this type.
    fn check<T: Element>(&self, o: usize, n: usize) {
        assert!(o + n <= self.len, "a run lies in the block");
        assert_eq!(T::DTYPE, self.code.output, "results are read as what they are");
    }

    /// First byte of the rows, behind the registers.
    fn panel(&mut self) -> *mut u8 {
        let registers = self.code.registers * self.register_bytes;
        // SAFETY: the buffer has the registers and, where rows are asked for, the panel behind them.
        unsafe { self.scratch.as_mut_ptr().add(registers) }
    }

    /// Where a row is: in an operand, or written to `to`.
    ///
    /// # Safety
    /// The run must lie in the block, and `to` be valid for writing it.
    unsafe fn place_row(&mut self, o: usize, n: usize, to: *mut u8) -> Result<*const u8, KernelError> {
        // SAFETY: passed on.
        unsafe {
            if let Some(operand) = self.code.passes_through()
                && let Some(ptr) = self.operands[operand].in_place(o, n)
            {
                return Ok(ptr);
            }
            self.write(o, n, to)?;
        }
        Ok(to)
    }

    /// Writes the results `[o, o + n)`, tile by tile.
    ///
    /// # Safety
    /// The run must lie in the block, and `dst` be valid for writing it and aligned.
    unsafe fn write(&mut self, o: usize, n: usize, dst: *mut u8) -> Result<(), KernelError> {
        let mut done = 0;
        while done < n {
            let run = self.tile.min(self.row - (o + done) % self.row).min(n - done);
            // SAFETY: a part of the caller's run and of its memory.
            unsafe { self.evaluate(o + done, run, Some(dst.add(done * self.code.output.itemsize())))? };
            done += run;
        }
        Ok(())
    }

    /// Evaluates one tile and says where the results are: at `dst` when it is given.
    ///
    /// # Safety
    /// The run must lie in the block and be at most a tile; `dst` must be valid for writing it, aligned, and
    /// apart from operands and registers.
    unsafe fn evaluate(
        &mut self,
        o: usize,
        n: usize,
        dst: Option<*mut u8>,
    ) -> Result<*const u8, KernelError> {
        let code = self.code;
        let last = code.steps.len().wrapping_sub(1);
        for (i, step) in code.steps.iter().enumerate() {
            let direct = if i == last { dst } else { None };
            // SAFETY: the compiler made registers and types fit; the run is the caller's.
            unsafe { self.step(step, o, n, direct)? };
        }
        let result = self.address[code.result as usize];
        match dst {
            Some(dst) if dst.cast_const() != result => {
                // SAFETY: the result is `n` elements, apart from `dst`.
                unsafe { std::ptr::copy_nonoverlapping(result, dst, n * code.output.itemsize()) };
                Ok(dst)
            }
            _ => Ok(result),
        }
    }

    /// Does one step, writing to `direct` instead of the register when it is given.
    ///
    /// # Safety
    /// That of [`evaluate`](Machine::evaluate).
    #[inline]
    unsafe fn step(
        &mut self,
        step: &Step,
        o: usize,
        n: usize,
        direct: Option<*mut u8>,
    ) -> Result<(), KernelError> {
        match step {
            Step::Run { run, args, to, fault } => {
                let dst = direct.unwrap_or_else(|| self.register(*to));
                // SAFETY: the arguments hold `n` elements of the types the loop was chosen for; the
                // destination is another register or the caller's memory.
                let fine = unsafe { self.run(*run, args, dst, n) };
                self.address[*to as usize] = dst;
                if fine { Ok(()) } else { Err(*fault) }
            }
            Step::Load { input, to } => {
                let dst = direct.unwrap_or_else(|| self.register(*to));
                // SAFETY: the run lies in the block, and the destination has room for it.
                self.address[*to as usize] = unsafe { self.operands[*input as usize].read(o, n, dst) };
                Ok(())
            }
            Step::Fill { value, to } => {
                self.fill(*value, *to);
                Ok(())
            }
            Step::Call { f, args, to } => {
                let dst = self.register(*to);
                // SAFETY: as for `Run`; never the caller's memory, which may be uninitialised.
                unsafe { self.call(f, args, dst, n) };
                self.address[*to as usize] = dst;
                Ok(())
            }
        }
    }

    /// # Safety
    /// That of [`RunFn`].
    #[inline]
    unsafe fn run(&self, run: RunFn, args: &[u32; 3], dst: *mut u8, n: usize) -> bool {
        let at = |i: usize| self.address[args[i] as usize];
        // SAFETY: passed on. Unused arguments name register 0 and are not read.
        unsafe { run(&[at(0), at(1), at(2)], dst, n) }
    }

    /// # Safety
    /// The registers must hold `n` elements of the closure's types; `dst` must be a register.
    unsafe fn call(&self, f: &chunkwise_expr::ElementFn, args: &[u32], dst: *mut u8, n: usize) {
        let types = f.inputs().iter().zip(args);
        // SAFETY: passed on.
        unsafe {
            let tiles: SmallVec<[Tile<'_>; 3]> =
                types.map(|(&dtype, &arg)| tile(dtype, self.address[arg as usize], n)).collect();
            f.call(&tiles, tile_mut(f.output(), dst, n));
        }
    }

    fn register(&mut self, r: u32) -> *mut u8 {
        let offset = r as usize * self.register_bytes;
        // SAFETY: the compiler numbered the registers, and the buffer holds all of them.
        unsafe { self.scratch.as_mut_ptr().add(offset) }
    }

    fn fill_constants(&mut self) {
        for step in &self.code.prologue {
            if let Step::Fill { value, to } = step {
                self.fill(*value, *to);
            }
        }
    }

    /// Fills a register with one value.
    fn fill(&mut self, value: Scalar, to: u32) {
        let dst = self.register(to);
        dispatch!(value.dtype(), T => {
            let value = T::of_scalar(value).unwrap_or_default();
            for i in 0..self.tile {
                // SAFETY: a register has room for a tile of the widest type, and is aligned.
                unsafe { dst.cast::<T>().add(i).write(value) };
            }
        });
        self.address[to as usize] = dst;
    }
}

/// Bytes of registers and, where they are asked for, rows.
pub(crate) fn scratch_bytes(code: &Code, tile: usize, with_rows: bool) -> usize {
    let rows = if with_rows { ROWS * COLUMNS * code.output.itemsize() } else { 0 };
    code.registers * code.register_bytes(tile) + rows
}

macro_rules! define_tiles {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// # Safety
        /// `ptr` must be valid for reading `n` elements of this type.
        unsafe fn tile<'t>(dtype: DType, ptr: *const u8, n: usize) -> Tile<'t> {
            match dtype {
                // SAFETY: passed on.
                $(DType::$v => Tile::$v(unsafe { std::slice::from_raw_parts(ptr.cast::<$t>(), n) }),)*
            }
        }

        /// # Safety
        /// `ptr` must be valid for writing `n` initialised elements of this type, and nothing else may use
        /// them. Zeroed first: what another type left there need not be a value of this one.
        unsafe fn tile_mut<'t>(dtype: DType, ptr: *mut u8, n: usize) -> TileMut<'t> {
            // SAFETY: passed on; zero is a value of every element type.
            unsafe {
                ptr.write_bytes(0, n * dtype.itemsize());
                match dtype {
                    $(DType::$v => TileMut::$v(std::slice::from_raw_parts_mut(ptr.cast::<$t>(), n)),)*
                }
            }
        }
    };
}
for_each_dtype!(define_tiles);
