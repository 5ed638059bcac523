//! A compiled program and its evaluation over one block.

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, DType, Shape, dispatch};
use chunkwise_expr::Program;
use ndarray::{ArrayD, IxDyn};

use crate::KernelError;
use crate::compile::{Code, CompileOptions};
use crate::machine::{Machine, scratch_bytes};

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
    pub fn map(&self, operands: &[Chunk], shape: &[usize]) -> Result<Chunk, KernelError> {
        let order: Shape = (0..shape.len()).collect();
        let mut machine = Machine::new(&self.0, operands, shape, &order, false);
        dispatch!(self.0.output, T => {
            let elements = machine.collect::<T>()?;
            let block = ArrayD::from_shape_vec(IxDyn(shape), elements);
            Ok(Chunk::from_array(block.expect("one result was collected per element of the shape")))
        })
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

    /// Bytes of the registers of one evaluation, beside operands and result. Each transposed operand takes up to
    /// 128 KiB more.
    ///
    /// ```
    /// # use chunkwise_chunk::DType;
    /// # use chunkwise_expr::Program;
    /// # use chunkwise_kernels::Kernel;
    /// assert_eq!(Kernel::new(&Program::identity(DType::F64)).scratch_bytes(), 8192);
    /// ```
    pub fn scratch_bytes(&self) -> usize {
        scratch_bytes(&self.0, self.0.tile(), false)
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
