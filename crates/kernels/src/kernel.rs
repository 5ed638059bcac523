//! A compiled program and its evaluation over one block.

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, DType, Element, Room, Shape, Window, Written, dispatch};
use chunkwise_expr::Program;

use crate::KernelError;
use crate::compile::{Code, CompileOptions};
use crate::machine::{Machine, scratch_bytes, strip_bytes};
use crate::operand::{AsOperand, Prepared};
use crate::stop::{Stop, Stoppable};

/// A compiled program: registers are assigned and loops chosen once, then shared by all blocks and threads.
///
/// ```
/// use chunkwise_chunk::{Chunk, DType};
/// use chunkwise_expr::{ProgramBuilder, UnaryOp};
/// use chunkwise_kernels::Kernel;
///
/// let mut b = ProgramBuilder::new();
/// let x = b.input(DType::F64);
/// let root = b.push(UnaryOp::Sqrt.into(), &[x]).unwrap();
/// let kernel = Kernel::new(&b.finish(root));
///
/// let block = Chunk::from_array(ndarray::arr1(&[4.0, 9.0]).into_dyn());
/// let roots = kernel.map(&[block], &[2]).unwrap();
/// assert_eq!(roots.to_array::<f64>().unwrap(), ndarray::arr1(&[2.0, 3.0]).into_dyn());
/// ```
#[derive(Clone)]
pub struct Kernel(Arc<Code>);

impl Kernel {
    /// Compiles a program in time linear in its length.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::Kernel;
    /// assert_eq!(Kernel::new(&Program::identity(DType::I8)).output(), DType::I8);
    /// ```
    pub fn new(program: &Program) -> Kernel {
        Kernel::of(Code::new(program))
    }

    /// Compiles a program in a chosen way; the results are the same bits in all of them.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::{CompileOptions, Kernel};
    ///
    /// let program = Program::identity(DType::I8);
    /// let kernel = Kernel::with_options(&program, CompileOptions::default().with_pairs(false));
    /// assert_eq!(kernel.output(), DType::I8);
    /// ```
    pub fn with_options(program: &Program, options: CompileOptions) -> Kernel {
        Kernel::of(Code::with_options(program, program.output(), options))
    }

    /// The kernel of compiled code.
    pub(crate) fn of(code: Code) -> Kernel {
        Kernel(Arc::new(code))
    }

    /// The block of the results. Operands are broadcast to `shape`: their axes align at the end, and length 1
    /// repeats. They may lie in memory in any order; only what must be is copied, tile by tile.
    ///
    /// # Errors
    /// When an operation has no result for some element, such as an integer division by zero.
    ///
    /// # Panics
    /// When number, types or shapes of the operands do not fit the program and the shape, which whoever
    /// built the expression has checked.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType, Scalar};
    /// use chunkwise_expr::{BinaryOp, ProgramBuilder};
    /// use chunkwise_kernels::{Kernel, KernelError};
    ///
    /// let mut b = ProgramBuilder::new();
    /// let (x, y) = (b.input(DType::I32), b.input(DType::I32));
    /// let quotient = b.push(BinaryOp::Div.into(), &[x, y]).unwrap();
    /// let kernel = Kernel::new(&b.finish(quotient));
    ///
    /// let (seven, two) = (Chunk::filled(Scalar::I32(7), &[3, 1]), Chunk::filled(Scalar::I32(2), &[4]));
    /// let block = kernel.map(&[seven.clone(), two], &[3, 4]).unwrap();
    /// assert!(block.to_array::<i32>().unwrap().iter().all(|&x| x == 3));
    ///
    /// let zero = Chunk::zeros(DType::I32, &[]);
    /// let err = kernel.map(&[seven, zero], &[3, 4]).unwrap_err();
    /// assert_eq!(err, KernelError::IntegerDivisionByZero { op: "div" });
    /// ```
    pub fn map<O: AsOperand>(&self, operands: &[O], shape: &[usize]) -> Result<Chunk, KernelError> {
        self.map_in(operands, shape, Room::new(self.output()))
    }

    /// [`map`](Kernel::map) into the memory of an earlier block, where that is large enough.
    ///
    /// # Errors
    /// As [`map`](Kernel::map).
    ///
    /// # Panics
    /// As [`map`](Kernel::map), and when the room is for elements of another type.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::Kernel;
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let earlier = Chunk::zeros(DType::F64, &[2]).into_room().unwrap();
    /// let block = Chunk::from_array(ndarray::arr1(&[4.0, 9.0]).into_dyn());
    /// let result = copy.map_in(&[block], &[2], earlier).unwrap();
    /// assert_eq!(result.to_array::<f64>().unwrap(), ndarray::arr1(&[4.0, 9.0]).into_dyn());
    /// ```
    pub fn map_in<O: AsOperand>(
        &self,
        operands: &[O],
        shape: &[usize],
        room: Room,
    ) -> Result<Chunk, KernelError> {
        self.stoppable(Stop::never()).map_in(operands, shape, room)
    }

    /// [`map`](Kernel::map) into memory that is lent for the block, which has its shape.
    ///
    /// # Errors
    /// As [`map`](Kernel::map).
    ///
    /// # Panics
    /// As [`map`](Kernel::map), and when the window is for elements of another type.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType, Window, Written};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::Kernel;
    /// let mut memory = ndarray::Array1::<f64>::uninit(2).into_dyn();
    /// let block = Chunk::from_array(ndarray::arr1(&[4.0, 9.0]).into_dyn());
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let Written::F64(written) = copy.fill(&[block], Window::F64(memory.view_mut())).unwrap() else { panic!() };
    /// assert_eq!(written, ndarray::arr1(&[4.0, 9.0]).into_dyn());
    /// ```
    pub fn fill<'w, O: AsOperand>(
        &self,
        operands: &[O],
        window: Window<'w>,
    ) -> Result<Written<'w>, KernelError> {
        self.stoppable(Stop::never()).fill(operands, window)
    }

    /// [`fill`](Kernel::fill) past the caches: for results that are larger than those, in memory that was written
    /// before. The lines are not read before they are written, which saves a third of the traffic of a map.
    ///
    /// # Errors
    /// As [`map`](Kernel::map).
    ///
    /// # Panics
    /// As [`fill`](Kernel::fill).
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType, Window, Written};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::Kernel;
    /// let mut memory = ndarray::Array1::<f64>::uninit(1000).into_dyn();
    /// let block = Chunk::from_array(ndarray::Array1::<f64>::ones(1000).into_dyn());
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let written = copy.fill_streaming(&[block], Window::F64(memory.view_mut())).unwrap();
    /// assert!(matches!(written, Written::F64(ones) if ones.sum() == 1000.0));
    /// ```
    pub fn fill_streaming<'w, O: AsOperand>(
        &self,
        operands: &[O],
        window: Window<'w>,
    ) -> Result<Written<'w>, KernelError> {
        self.stoppable(Stop::never()).fill_streaming(operands, window)
    }

    /// The kernel, for results that may turn out not to be wanted.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::{Kernel, KernelError, Stop};
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let result = copy.stoppable(Stop::when(&|| true)).map(&[Chunk::zeros(DType::F64, &[2])], &[2]);
    /// assert_eq!(result.unwrap_err(), KernelError::Stopped);
    /// ```
    pub fn stoppable<'s>(&'s self, stop: Stop<'s>) -> Stoppable<'s, Kernel> {
        Stoppable { of: self, stop }
    }

    /// Type of the results.
    ///
    /// ```
    /// # use chunkwise_chunk::DType;
    /// # use chunkwise_expr::{ProgramBuilder, UnaryOp};
    /// # use chunkwise_kernels::Kernel;
    /// let mut b = ProgramBuilder::new();
    /// let x = b.input(DType::F32);
    /// let nan = b.push(UnaryOp::IsNan.into(), &[x]).unwrap();
    /// assert_eq!(Kernel::new(&b.finish(nan)).output(), DType::Bool);
    /// ```
    pub fn output(&self) -> DType {
        self.0.output
    }

    /// Bytes of one evaluation over a block of this shape, beside operands and result: registers and, of operands that
    /// may be transposed, strips of 128 KiB at most.
    ///
    /// ```
    /// # use chunkwise_chunk::DType;
    /// # use chunkwise_expr::Program;
    /// # use chunkwise_kernels::Kernel;
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// assert_eq!(copy.scratch_bytes(&[1_000_000]), 8192);
    /// assert_eq!(copy.scratch_bytes(&[1000, 1000]), 8192 + (128 << 10));
    /// ```
    pub fn scratch_bytes(&self, shape: &[usize]) -> usize {
        scratch_bytes(&self.0, self.0.tile(), false) + strip_bytes(&self.0, shape)
    }
}

impl Stoppable<'_, Kernel> {
    /// [`Kernel::map`], unless it is stopped.
    ///
    /// # Errors
    /// As [`Kernel::map`], and [`KernelError::Stopped`].
    ///
    /// # Panics
    /// As [`Kernel::map`].
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::{Kernel, Stop};
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let result = copy.stoppable(Stop::when(&|| false)).map(&[Chunk::zeros(DType::F64, &[2])], &[2]);
    /// assert_eq!(result.unwrap().shape(), [2]);
    /// ```
    pub fn map<O: AsOperand>(&self, operands: &[O], shape: &[usize]) -> Result<Chunk, KernelError> {
        self.map_in(operands, shape, Room::new(self.of.output()))
    }

    /// [`Kernel::map_in`], unless it is stopped; the memory is then given back to the system.
    ///
    /// # Errors
    /// As [`Kernel::map`], and [`KernelError::Stopped`].
    ///
    /// # Panics
    /// As [`Kernel::map_in`].
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::{Kernel, Stop};
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let earlier = Chunk::zeros(DType::F64, &[2]).into_room().unwrap();
    /// let block = Chunk::zeros(DType::F64, &[2]);
    /// let result = copy.stoppable(Stop::when(&|| false)).map_in(&[block], &[2], earlier);
    /// assert_eq!(result.unwrap().shape(), [2]);
    /// ```
    pub fn map_in<O: AsOperand>(
        &self,
        operands: &[O],
        shape: &[usize],
        room: Room,
    ) -> Result<Chunk, KernelError> {
        let code = &*self.of.0;
        let order: Shape = (0..shape.len()).collect();
        let prepared = Prepared::new(operands, shape, &order, self.stop)?;
        let mut machine = Machine::new(code, &prepared.operands(), shape, &order, false, self.stop);
        dispatch!(code.output, T => {
            let vec = room.into_vec::<T>().expect("room is made for the type of the results");
            Ok(Chunk::from_elements(machine.collect(vec)?, shape))
        })
    }

    /// [`Kernel::fill`], unless it is stopped: the window then has elements in some of its places, and counts as not
    /// written.
    ///
    /// # Errors
    /// As [`Kernel::map`], and [`KernelError::Stopped`].
    ///
    /// # Panics
    /// As [`Kernel::fill`].
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType, Window};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::{Kernel, KernelError, Stop};
    /// let mut memory = ndarray::Array1::<f64>::uninit(2).into_dyn();
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let copy = copy.stoppable(Stop::when(&|| true));
    /// let result = copy.fill(&[Chunk::zeros(DType::F64, &[2])], Window::F64(memory.view_mut()));
    /// assert_eq!(result.unwrap_err(), KernelError::Stopped);
    /// ```
    pub fn fill<'w, O: AsOperand>(
        &self,
        operands: &[O],
        window: Window<'w>,
    ) -> Result<Written<'w>, KernelError> {
        self.fill_by(operands, window, false)
    }

    /// [`Kernel::fill_streaming`], unless it is stopped, as [`fill`](Stoppable::fill).
    ///
    /// # Errors
    /// As [`Kernel::map`], and [`KernelError::Stopped`].
    ///
    /// # Panics
    /// As [`Kernel::fill`].
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType, Window};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::{Kernel, Stop};
    /// let mut memory = ndarray::Array1::<f64>::uninit(1000).into_dyn();
    /// let copy = Kernel::new(&Program::identity(DType::F64));
    /// let copy = copy.stoppable(Stop::when(&|| false));
    /// let block = Chunk::zeros(DType::F64, &[1000]);
    /// assert!(copy.fill_streaming(&[block], Window::F64(memory.view_mut())).is_ok());
    /// ```
    pub fn fill_streaming<'w, O: AsOperand>(
        &self,
        operands: &[O],
        window: Window<'w>,
    ) -> Result<Written<'w>, KernelError> {
        self.fill_by(operands, window, true)
    }

    fn fill_by<'w, O: AsOperand>(
        &self,
        operands: &[O],
        window: Window<'w>,
        streaming: bool,
    ) -> Result<Written<'w>, KernelError> {
        let code = &*self.of.0;
        let shape: Shape = window.shape().into();
        let order: Shape = (0..shape.len()).collect();
        let prepared = Prepared::new(operands, &shape, &order, self.stop)?;
        let mut machine = Machine::new(code, &prepared.operands(), &shape, &order, false, self.stop);
        dispatch!(code.output, T => {
            let memory = T::of_window(window).expect("windows are lent for the type of the results");
            Ok(T::written(machine.fill_window(memory, streaming)?))
        })
    }
}

impl fmt::Debug for Kernel {
    /// The numbers that cost something, not the steps: a program may have a million of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("inputs", &self.0.inputs)
            .field("output", &self.0.output)
            .field("steps", &self.0.steps.len())
            .field("registers", &self.0.registers)
            .finish()
    }
}
