//! Straight-line code over elements: what a fused group of elementwise operations is.
//!
//! A program has inputs (one run of elements each), constants and instructions in single-assignment form.
//! It says nothing of registers or tiles; `kernels` decides those.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;

use chunkwise_chunk::{DType, Scalar};
use smallvec::SmallVec;

use crate::ElementOp;

/// An operand of an instruction.
///
/// ```
/// use chunkwise_expr::Arg;
/// assert_eq!(Arg::Input(0).to_string(), "x0");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Arg {
    /// An input of the program.
    Input(u32),
    /// A constant of the program.
    Const(u32),
    /// The result of an earlier instruction.
    Value(u32),
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Input(i) => write!(f, "x{i}"),
            Arg::Const(i) => write!(f, "c{i}"),
            Arg::Value(i) => write!(f, "r{i}"),
        }
    }
}

/// One instruction; instruction `i` defines `Arg::Value(i)`.
///
/// ```
/// use chunkwise_chunk::DType;
/// use chunkwise_expr::{Arg, Instr, UnaryOp};
/// let i = Instr { op: UnaryOp::Sqrt.into(), args: [Arg::Input(0)].into_iter().collect(), dtype: DType::F64 };
/// assert_eq!(i.op.name(), "sqrt");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Instr {
    /// What is done.
    pub op: ElementOp,
    /// To what.
    pub args: SmallVec<[Arg; 3]>,
    /// Type of the result.
    pub dtype: DType,
}

/// Straight-line code over elements.
///
/// ```
/// use chunkwise_chunk::{DType, Scalar};
/// use chunkwise_expr::{BinaryOp, ProgramBuilder, UnaryOp};
/// let mut b = ProgramBuilder::new();
/// let x = b.input(DType::F64);
/// let two = b.constant(Scalar::F64(2.0));
/// let r = b.push(UnaryOp::Sqrt.into(), &[x]).unwrap();
/// let r = b.push(BinaryOp::Mul.into(), &[r, two]).unwrap();
/// let program = b.finish(r);
/// assert_eq!(program.to_string(), "r0 = sqrt x0; r1 = mul r0 2.0");
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    inputs: Vec<DType>,
    consts: Vec<Scalar>,
    instrs: Vec<Instr>,
    result: Arg,
    origins: Vec<&'static Location<'static>>,
}

impl Program {
    /// The program that returns its only input.
    pub fn identity(dtype: DType) -> Program {
        Program {
            inputs: vec![dtype],
            consts: Vec::new(),
            instrs: Vec::new(),
            result: Arg::Input(0),
            origins: Vec::new(),
        }
    }

    /// Types of the inputs.
    pub fn inputs(&self) -> &[DType] {
        &self.inputs
    }

    /// The constants.
    pub fn consts(&self) -> &[Scalar] {
        &self.consts
    }

    /// The instructions in order.
    pub fn instrs(&self) -> &[Instr] {
        &self.instrs
    }

    /// Where the result is.
    pub fn result(&self) -> Arg {
        self.result
    }

    /// The lines of the user's program that the instructions come from, each once; the first few of a long program.
    pub fn origins(&self) -> &[&'static Location<'static>] {
        &self.origins
    }

    /// Type of an operand.
    pub fn dtype_of(&self, arg: Arg) -> DType {
        match arg {
            Arg::Input(i) => self.inputs[i as usize],
            Arg::Const(i) => self.consts[i as usize].dtype(),
            Arg::Value(i) => self.instrs[i as usize].dtype,
        }
    }

    /// Type of the result.
    pub fn output(&self) -> DType {
        self.dtype_of(self.result)
    }
}

impl PartialEq for Program {
    /// Equal code; where it was written does not matter.
    fn eq(&self, other: &Program) -> bool {
        self.inputs == other.inputs
            && self.consts == other.consts
            && self.instrs == other.instrs
            && self.result == other.result
    }
}

impl Eq for Program {}

impl Hash for Program {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.instrs.hash(state);
        self.result.hash(state);
    }
}

impl fmt::Display for Program {
    /// All instructions on one line; the middle of a long program is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 24;
        for (i, instr) in self.instrs.iter().enumerate() {
            if self.instrs.len() > SHOWN && i == SHOWN / 2 {
                write!(f, "; .. {} more ..", self.instrs.len() - SHOWN)?;
            }
            if self.instrs.len() > SHOWN && (SHOWN / 2..self.instrs.len() - SHOWN / 2).contains(&i) {
                continue;
            }
            let semicolon = if i == 0 { "" } else { "; " };
            write!(f, "{semicolon}r{i} = {}", instr.op.name())?;
            if let ElementOp::Cast(to) = instr.op {
                write!(f, "<{to}>")?;
            }
            for &arg in &instr.args {
                match arg {
                    Arg::Const(c) => write!(f, " {}", self.consts[c as usize])?,
                    arg => write!(f, " {arg}")?,
                }
            }
        }
        Ok(())
    }
}

/// Makes a [`Program`]; equal instructions of equal operands become one.
///
/// ```
/// use chunkwise_chunk::DType;
/// use chunkwise_expr::{BinaryOp, ProgramBuilder, UnaryOp};
/// let mut b = ProgramBuilder::new();
/// let x = b.input(DType::F64);
/// let once = b.push(UnaryOp::Exp.into(), &[x]);
/// assert_eq!(once, b.push(UnaryOp::Exp.into(), &[x]));
/// ```
#[derive(Debug, Default)]
pub struct ProgramBuilder {
    inputs: Vec<DType>,
    consts: Vec<Scalar>,
    instrs: Vec<Instr>,
    origins: Vec<&'static Location<'static>>,
    known_consts: HashMap<Scalar, u32>,
    known_instrs: HashMap<Instr, u32>,
}

impl ProgramBuilder {
    /// A program without inputs or instructions.
    pub fn new() -> ProgramBuilder {
        ProgramBuilder::default()
    }

    /// Another input.
    pub fn input(&mut self, dtype: DType) -> Arg {
        self.inputs.push(dtype);
        Arg::Input(index(self.inputs.len()))
    }

    /// A constant.
    pub fn constant(&mut self, value: Scalar) -> Arg {
        let consts = &mut self.consts;
        let i = *self.known_consts.entry(value).or_insert_with(|| {
            consts.push(value);
            index(consts.len())
        });
        Arg::Const(i)
    }

    /// Another instruction; `None` when the types do not fit.
    pub fn push(&mut self, op: ElementOp, args: &[Arg]) -> Option<Arg> {
        let types: SmallVec<[DType; 3]> = args.iter().map(|&arg| self.dtype_of(arg)).collect();
        let dtype = op.output(&types)?;
        let instr = Instr { op, args: args.into(), dtype };
        let instrs = &mut self.instrs;
        let i = *self.known_instrs.entry(instr.clone()).or_insert_with(|| {
            instrs.push(instr);
            index(instrs.len())
        });
        Some(Arg::Value(i))
    }

    /// The instructions of a program whose inputs are these operands, and where its result is now. Instructions that
    /// are there already are not repeated.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// use chunkwise_expr::{BinaryOp, ProgramBuilder, UnaryOp};
    /// let mut inner = ProgramBuilder::new();
    /// let x = inner.input(DType::F64);
    /// let root = inner.push(UnaryOp::Sqrt.into(), &[x]).unwrap();
    /// let root_of = inner.finish(root);
    ///
    /// let mut b = ProgramBuilder::new();
    /// let x = b.input(DType::F64);
    /// let (once, twice) = (b.inline(&root_of, &[x]), b.inline(&root_of, &[x]));
    /// assert_eq!(once, twice);
    /// let fourth = b.inline(&root_of, &[once]);
    /// assert_eq!(b.finish(fourth).to_string(), "r0 = sqrt x0; r1 = sqrt r0");
    /// ```
    ///
    /// # Panics
    /// When number or types of the operands are not those of the program's inputs.
    pub fn inline(&mut self, program: &Program, inputs: &[Arg]) -> Arg {
        let given = inputs.iter().map(|&arg| self.dtype_of(arg));
        assert!(given.eq(program.inputs.iter().copied()), "operands have the types of the program's inputs");
        let consts: Vec<Arg> = program.consts.iter().map(|&value| self.constant(value)).collect();
        let mut values: Vec<Arg> = Vec::with_capacity(program.instrs.len());
        let place = |arg: Arg, values: &[Arg]| match arg {
            Arg::Input(i) => inputs[i as usize],
            Arg::Const(i) => consts[i as usize],
            Arg::Value(i) => values[i as usize],
        };
        for instr in &program.instrs {
            let args: SmallVec<[Arg; 3]> = instr.args.iter().map(|&arg| place(arg, &values)).collect();
            let value = self.push(instr.op.clone(), &args);
            values.push(value.expect("the types are those the program was checked with"));
        }
        program.origins.iter().for_each(|origin| self.written_at(origin));
        place(program.result, &values)
    }

    /// Notes that an instruction comes from this line of the user's program.
    pub fn written_at(&mut self, origin: &'static Location<'static>) {
        const KEPT: usize = 8;
        if self.origins.len() < KEPT && !self.origins.contains(&origin) {
            self.origins.push(origin);
        }
    }

    /// The program with this result.
    pub fn finish(self, result: Arg) -> Program {
        let ProgramBuilder { inputs, consts, instrs, origins, .. } = self;
        Program { inputs, consts, instrs, result, origins }
    }

    fn dtype_of(&self, arg: Arg) -> DType {
        match arg {
            Arg::Input(i) => self.inputs[i as usize],
            Arg::Const(i) => self.consts[i as usize].dtype(),
            Arg::Value(i) => self.instrs[i as usize].dtype,
        }
    }
}

/// Index of the entry that was just pushed.
fn index(len: usize) -> u32 {
    u32::try_from(len - 1).expect("a program is built from a graph of fewer than 2^32 nodes")
}
