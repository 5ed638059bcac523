//! The interpreter: runs compiled code over runs of elements.
//!
//! ```text
//! once           fill the registers of the constants
//! for each tile [o, o + n):
//!     stop       when the result is no longer wanted
//!     load       address[r] = place in the operand, or gather or compute into register r
//!     run        f(address[args], register[to], n);  address[to] = register[to]
//!     result     the last step writes into the caller's memory when it gave some
//! ```
//!
//! A tile is small enough that its registers stay in the first-level cache, and large enough that the cost of
//! a step (some nanoseconds) vanishes. What the elements are never depends on the tile: every operation is of
//! one element, and sums are made of segments that the caller cuts.
#![allow(unsafe_code)]

mod output;
mod panels;

use chunkwise_chunk::{DType, Element, Formula, Region, Scalar, Tile, TileMut, dispatch, for_each_dtype};
use smallvec::SmallVec;

use crate::KernelError;
use crate::buffer::Buffer;
use crate::compile::{Code, SEGMENT, Step};
use crate::layout::Layout;
use crate::loops::RunFn;
use crate::operand::OperandRef;
use crate::stop::{Stop, Watch};
use crate::strip::STRIP_BYTES;

/// Most rows that [`Machine::run_rows`] evaluates at once.
pub(crate) const ROWS: usize = 64;

/// Most columns that [`Machine::run_rows`] evaluates at once.
pub(crate) const COLUMNS: usize = 256;

/// Rows of equal length.
pub(crate) type Rows<'m, T> = SmallVec<[&'m [T]; ROWS]>;

/// One evaluation of compiled code over a block.
pub(crate) struct Machine<'a> {
    code: &'a Code,
    operands: SmallVec<[Reader<'a>; 4]>,
    /// Elements of the block.
    len: usize,
    /// Elements of a tile.
    tile: usize,
    /// Length of the rows at whose ends tiles end: the operands lie in memory row by row. The block, if they do not.
    row: usize,
    register_bytes: usize,
    /// Asked before every tile.
    watch: Watch<'a>,
    /// All registers, then the rows of each result.
    scratch: Buffer,
    /// Whether rows are written past the caches.
    streaming: bool,
    /// Where the elements of each register are at present: in the register or in an operand.
    address: Vec<*const u8>,
    /// Elements of the run that was evaluated last; 0 when rows were.
    evaluated: usize,
    /// Elements of a row that was evaluated last.
    row_len: usize,
    /// For each result where its rows are; see [`Machine::run_rows`].
    rows: Vec<Vec<*const u8>>,
}

/// How an operand is read.
#[allow(clippy::large_enum_variant, reason = "there are few, and most are blocks")]
enum Reader<'a> {
    Block(Layout<'a>),
    /// Written into the register, in C order of the region, which is the order of the walk.
    Formula(DType, &'a dyn Formula, &'a Region),
}

impl<'a> Reader<'a> {
    fn new(operand: OperandRef<'a>, shape: &[usize], order: &[usize], with_rows: bool) -> Reader<'a> {
        match operand {
            OperandRef::Chunk(chunk) => Reader::Block(Layout::new(chunk, shape, order).with_strip(with_rows)),
            OperandRef::Formula(dtype, formula, region) => {
                assert_eq!(region.shape(), shape, "formulas of other shapes are written out before");
                Reader::Formula(dtype, formula, region)
            }
        }
    }

    /// Length of the rows that are read where they are, or in a strip.
    fn row_len(&self) -> Option<usize> {
        match self {
            Reader::Block(layout) => layout.row_len(),
            Reader::Formula(..) => None,
        }
    }

    fn dtype(&self) -> DType {
        match self {
            Reader::Block(layout) => layout.dtype(),
            Reader::Formula(dtype, ..) => *dtype,
        }
    }
}

impl<'a> Machine<'a> {
    /// An evaluation over the elements of `shape` with its axes taken in the given order.
    ///
    /// # Panics
    /// When number, types or shapes of the operands do not fit, which is a fault of the caller.
    pub(crate) fn new(
        code: &'a Code,
        operands: &[OperandRef<'a>],
        shape: &[usize],
        order: &[usize],
        with_rows: bool,
        stop: Stop<'a>,
    ) -> Machine<'a> {
        let operands: SmallVec<[Reader<'a>; 4]> =
            operands.iter().map(|&operand| Reader::new(operand, shape, order, with_rows)).collect();
        let given = operands.iter().map(Reader::dtype);
        assert!(
            given.eq(code.inputs.iter().copied()),
            "operands must have the types of the program's inputs"
        );
        let len: usize = shape.iter().product();
        let tile = code.tile().min(len.next_multiple_of(SEGMENT)).max(SEGMENT);
        let register_bytes = code.register_bytes(tile);
        let scratch = Buffer::new(scratch_bytes(code, tile, with_rows));
        let address = vec![std::ptr::null(); code.registers];
        let row_lens = operands.iter().filter_map(Reader::row_len).filter(|&row| row >= SEGMENT);
        let row = row_lens.min().unwrap_or(len.max(1));
        let rows = vec![Vec::new(); if with_rows { code.results.len() } else { 0 }];
        let mut machine = Machine {
            code,
            operands,
            len,
            tile,
            row,
            register_bytes,
            watch: Watch::new(stop),
            scratch,
            streaming: false,
            address,
            evaluated: 0,
            row_len: 0,
            rows,
        };
        if len > 0 {
            machine.fill_constants();
        }
        machine
    }

    /// Elements of a tile: the longest run [`items`](Machine::items) gives.
    pub(crate) fn tile(&self) -> usize {
        self.tile
    }

    /// Elements of the run that was evaluated last; 0 when rows were.
    pub(crate) fn evaluated(&self) -> usize {
        self.evaluated
    }

    /// Elements of each row that was evaluated last.
    pub(crate) fn row_len(&self) -> usize {
        self.row_len
    }

    /// Evaluates the run `[o, o + n)`, at most a tile; [`items`](Machine::items) are its results.
    pub(crate) fn run_tile(&mut self, o: usize, n: usize) -> Result<(), KernelError> {
        assert!(n <= self.tile, "a run is at most a tile");
        assert!(o + n <= self.len, "a run lies in the block");
        self.evaluated = 0;
        self.rows.iter_mut().for_each(Vec::clear);
        // SAFETY: the run was checked.
        unsafe { self.evaluate(o, n, None)? };
        self.evaluated = n;
        Ok(())
    }

    /// Result number `result` of the run that was evaluated last.
    pub(crate) fn items<T: Element>(&self, result: usize) -> &[T] {
        let place = self.code.results[result];
        assert_eq!(T::DTYPE, place.dtype, "results are read as what they are");
        if self.evaluated == 0 {
            return &[];
        }
        // SAFETY: every result of the last run is as many initialised elements of its type, which stay valid
        // until the next evaluation, which needs the machine mutably.
        unsafe {
            std::slice::from_raw_parts(self.address[place.register as usize].cast::<T>(), self.evaluated)
        }
    }

    /// Panics unless the run lies in the block and the results are of this type.
    fn check<T: Element>(&self, o: usize, n: usize) {
        assert!(o + n <= self.len, "a run lies in the block");
        assert_eq!(T::DTYPE, self.code.output, "results are read as what they are");
    }

    /// Evaluates one tile and says where the results are: at `dst` when it is given. Nothing is evaluated where the
    /// result is no longer wanted.
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
        self.watch.spend(n.saturating_mul(code.work))?;
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
                if fine { Ok(()) } else { Err(fault.clone()) }
            }
            Step::Load { input, to } => {
                let register = self.register(*to);
                self.address[*to as usize] = match &mut self.operands[*input as usize] {
                    // SAFETY: the run lies in the block, and the destination has room for it.
                    Reader::Block(operand) => unsafe { operand.read(o, n, direct.unwrap_or(register)) },
                    // Never the caller's memory, which may be uninitialised.
                    Reader::Formula(dtype, formula, region) => {
                        // SAFETY: a register has room for a tile of the widest type.
                        formula.fill(region, o, unsafe { tile_mut(*dtype, register, n) });
                        register
                    }
                };
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

/// Bytes of the strips of operands that are transposed, as many as may be: a strip is no larger than its operand, which
/// has two axes.
pub(crate) fn strip_bytes(code: &Code, shape: &[usize]) -> usize {
    if shape.iter().filter(|&&len| len > 1).count() < 2 {
        return 0;
    }
    let len = shape.iter().fold(1usize, |n, &len| n.saturating_mul(len));
    code.inputs.iter().map(|dtype| len.saturating_mul(dtype.itemsize()).min(STRIP_BYTES)).sum()
}

/// Bytes of registers and, where they are asked for, rows.
pub(crate) fn scratch_bytes(code: &Code, tile: usize, with_rows: bool) -> usize {
    let row: usize = code.results.iter().map(|place| COLUMNS * place.dtype.itemsize()).sum();
    code.registers * code.register_bytes(tile) + if with_rows { ROWS * row } else { 0 }
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
        /// `ptr` must be valid for writing `n` initialised elements of any type of this width, and nothing else may
        /// use them. Those of `bool` are zeroed first: what another type left there need not be one.
        unsafe fn tile_mut<'t>(dtype: DType, ptr: *mut u8, n: usize) -> TileMut<'t> {
            // SAFETY: passed on; zero is `false`, and any bytes are a number.
            unsafe {
                if dtype == DType::Bool {
                    ptr.write_bytes(0, n);
                }
                match dtype {
                    $(DType::$v => TileMut::$v(std::slice::from_raw_parts_mut(ptr.cast::<$t>(), n)),)*
                }
            }
        }
    };
}
for_each_dtype!(define_tiles);
