//! From a program in single-assignment form to steps over registers.
//!
//! ```text
//! live    = what the result needs, found backwards
//! last[v] = index of the last live instruction that reads v
//! for each live instruction i:
//!     for each argument not in a register yet:      load the input, or fill the constant, into a free one
//!     destination = a free register                 taken before any is given back: never a source
//!     give back the registers of arguments whose last use is i
//! ```
//!
//! Every value is touched a constant number of times, so a program of a million instructions compiles in time
//! linear in its length. Two cheap instructions of which the second is the only use of the first, and follows it,
//! become one step: a loop of [`pairs`](crate::pairs). Free registers are a stack: the one given back last is
//! still in the cache.
//!
//! Constants are filled once per evaluation, before the first tile, unless there are so many that the
//! registers they hold would cost more than filling them tile by tile.

use chunkwise_chunk::{DType, Scalar};
use chunkwise_expr::{Arg, ElementFn, ElementOp, Instr, Program, UnaryOp};
use smallvec::SmallVec;

use crate::KernelError;
use crate::loops::RunFn;
use crate::pairs::pair_run;
use crate::stop::ASK_EVERY;
use crate::table::{binary_run, cast_run, select_run, unary_run};
use chunkwise_math::dispatch::InstructionSet;

/// Elements of a segment: the unit of every tile and of every sum, and part of the value's definition.
pub(crate) const SEGMENT: usize = 256;

/// Most constants that keep a register for the whole evaluation.
const RESIDENT_CONSTS: usize = 16;

/// Bytes the registers should fit in, so that intermediates stay in the first-level cache.
const FILE_BYTES: usize = 32 << 10;

/// Bytes of one register at most: beyond this the cost of a step per tile no longer shows.
const REGISTER_BYTES: usize = 8 << 10;

/// What loops without a fault predicate would report, which they never do.
const NO_FAULT: KernelError = KernelError::NegativeIntegerPower;

/// No register.
const NOWHERE: u32 = u32::MAX;

/// How a program is compiled. The results are the same bits in every way.
///
/// ```
/// use chunkwise_kernels::CompileOptions;
/// assert_ne!(CompileOptions::default().with_pairs(false), CompileOptions::default());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CompileOptions {
    pairs: bool,
}

impl CompileOptions {
    /// Whether two cheap operations may share a loop, as they do by default.
    #[must_use]
    pub fn with_pairs(self, pairs: bool) -> CompileOptions {
        CompileOptions { pairs, ..self }
    }
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions { pairs: true }
    }
}

/// A program over registers.
#[derive(Debug)]
pub(crate) struct Code {
    /// Types of the operands.
    pub(crate) inputs: Vec<DType>,
    /// Type of the result.
    pub(crate) output: DType,
    /// Steps done once, before the first tile.
    pub(crate) prologue: Vec<Step>,
    /// Steps done for every tile; the last one that writes [`result`](Code::result) defines the result.
    pub(crate) steps: Vec<Step>,
    /// Number of registers.
    pub(crate) registers: usize,
    /// Register of the result; of the first one where there are several.
    pub(crate) result: u32,
    /// All results, of which code of several is never evaluated into the caller's memory.
    pub(crate) results: SmallVec<[CodeResult; 1]>,
    /// Units of work for an element: its steps, and for a closure, which may take any time, what is a question a tile.
    pub(crate) work: usize,
    /// Bytes of the widest element in a register.
    width: usize,
}

/// Where a result is, and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeResult {
    pub(crate) register: u32,
    pub(crate) dtype: DType,
}

/// One step of the interpreter; numbers are registers.
pub(crate) enum Step {
    /// A constant.
    Fill { value: Scalar, to: u32 },
    /// A run of an operand: its address when the run lies in memory without gaps, else a copy.
    Load { input: u32, to: u32 },
    /// A loop of the tables.
    Run { run: RunFn, args: [u32; 3], to: u32, fault: KernelError },
    /// A user's closure.
    Call { f: ElementFn, args: SmallVec<[u32; 3]>, to: u32 },
}

impl Step {
    /// Units of work for an element.
    fn work(&self) -> usize {
        if matches!(self, Step::Call { .. }) { ASK_EVERY } else { 1 }
    }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::Fill { value, to } => write!(f, "r{to} = {value}"),
            Step::Load { input, to } => write!(f, "r{to} = x{input}"),
            Step::Run { args, to, .. } => write!(f, "r{to} = run {args:?}"),
            Step::Call { f: call, args, to } => write!(f, "r{to} = {call:?} {args:?}"),
        }
    }
}

impl Code {
    /// Compiles a program.
    pub(crate) fn new(program: &Program) -> Code {
        Code::with_output(program, program.output())
    }

    /// Compiles a program, and a conversion of its result to another type where that is another one.
    pub(crate) fn with_output(program: &Program, output: DType) -> Code {
        Code::with_options(program, output, CompileOptions::default())
    }

    /// The same, compiled in a chosen way.
    pub(crate) fn with_options(program: &Program, output: DType, options: CompileOptions) -> Code {
        Compiler::new(program).compile(&[program.result()], Some(output), options)
    }

    /// Compiles a program with several results, at least one; what they share is computed once, and all are kept
    /// to the end of a tile.
    pub(crate) fn with_results(program: &Program, results: &[Arg]) -> Code {
        Compiler::new(program).compile(results, None, CompileOptions::default())
    }

    /// Elements of a tile: a multiple of [`SEGMENT`], as large as the registers allow.
    pub(crate) fn tile(&self) -> usize {
        let fair = FILE_BYTES / (self.registers.max(1) * self.width);
        let most = REGISTER_BYTES / self.width;
        fair.min(most) / SEGMENT * SEGMENT + if fair < SEGMENT { SEGMENT } else { 0 }
    }

    /// Bytes of one register for tiles of this many elements, a multiple of a cache line.
    pub(crate) fn register_bytes(&self, tile: usize) -> usize {
        (tile * self.width).next_multiple_of(64)
    }

    /// The operand that is the result as it is, when there is nothing to compute.
    pub(crate) fn passes_through(&self) -> Option<usize> {
        match self.steps[..] {
            [Step::Load { input, .. }] if self.results.len() == 1 => Some(input as usize),
            _ => None,
        }
    }
}

/// Two instructions in one step.
struct Pair {
    run: RunFn,
    /// Operands of the first, then the other one of the second.
    args: [Arg; 3],
    /// The second instruction.
    last: usize,
}

/// State of a compilation. Operands of instructions are numbered inputs first, then constants, then values.
struct Compiler<'p> {
    program: &'p Program,
    live: Vec<bool>,
    /// Instruction that reads the operand last; `usize::MAX` when it is kept to the end.
    last: Vec<usize>,
    /// How often live instructions read the operand, or the result does.
    uses: Vec<u32>,
    /// Register of the operand, or [`NOWHERE`].
    place: Vec<u32>,
    free: Vec<u32>,
    registers: u32,
    prologue: Vec<Step>,
    steps: Vec<Step>,
}

impl<'p> Compiler<'p> {
    fn new(program: &'p Program) -> Compiler<'p> {
        let operands = program.inputs().len() + program.consts().len() + program.instrs().len();
        Compiler {
            program,
            live: vec![false; operands],
            last: vec![0; operands],
            uses: vec![0; operands],
            place: vec![NOWHERE; operands],
            free: Vec::new(),
            registers: 0,
            prologue: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// `output` is the type the first result is converted to.
    fn compile(mut self, results: &[Arg], output: Option<DType>, options: CompileOptions) -> Code {
        let program = self.program;
        self.find_live(results);
        self.find_last_uses(results);
        self.fill_resident_consts(results);
        let mut rest =
            (0..program.instrs().len()).filter(|&i| self.is_live(i)).collect::<Vec<_>>().into_iter();
        while let Some(i) = rest.next() {
            let pair = rest.as_slice().first().and_then(|&next| self.pair(i, next));
            match pair.filter(|_| options.pairs) {
                Some(pair) => {
                    rest.next();
                    self.emit_pair(&pair);
                }
                None => self.emit(i, &program.instrs()[i]),
            }
        }
        let result = |this: &mut Self, &arg: &Arg| CodeResult {
            register: this.in_register(arg),
            dtype: program.dtype_of(arg),
        };
        let mut results: SmallVec<[CodeResult; 1]> =
            results.iter().map(|arg| result(&mut self, arg)).collect();
        let first = &mut results[0];
        if let Some(output) = output.filter(|&output| output != first.dtype) {
            *first =
                CodeResult { register: self.convert(first.register, first.dtype, output), dtype: output };
        }
        Code {
            inputs: program.inputs().to_vec(),
            output: results[0].dtype,
            prologue: self.prologue,
            work: self.steps.iter().fold(0, |sum: usize, step| sum.saturating_add(step.work())).max(1),
            steps: self.steps,
            registers: self.registers as usize,
            result: results[0].register,
            width: widest(program).max(results[0].dtype.itemsize()),
            results,
        }
    }

    fn convert(&mut self, from_register: u32, from: DType, output: DType) -> u32 {
        let to = self.take();
        let run = cast_run(from, output).expect("every type converts to the one it is reduced in");
        self.steps.push(Step::Run { run, args: [from_register, 0, 0], to, fault: NO_FAULT });
        to
    }

    fn number(&self, arg: Arg) -> usize {
        match arg {
            Arg::Input(i) => i as usize,
            Arg::Const(i) => self.program.inputs().len() + i as usize,
            Arg::Value(i) => self.program.inputs().len() + self.program.consts().len() + i as usize,
        }
    }

    fn find_live(&mut self, results: &[Arg]) {
        for &result in results {
            let result = self.number(result);
            self.live[result] = true;
        }
        for (i, instr) in self.program.instrs().iter().enumerate().rev() {
            if self.live[self.number(Arg::Value(i as u32))] {
                for &arg in &instr.args {
                    let arg = self.number(arg);
                    self.live[arg] = true;
                }
            }
        }
    }

    fn find_last_uses(&mut self, results: &[Arg]) {
        for (i, instr) in self.program.instrs().iter().enumerate() {
            if self.live[self.number(Arg::Value(i as u32))] {
                for &arg in &instr.args {
                    let arg = self.number(arg);
                    self.last[arg] = i;
                    self.uses[arg] += 1;
                }
            }
        }
        for &result in results {
            let result = self.number(result);
            self.last[result] = usize::MAX;
            self.uses[result] += 1;
        }
    }

    fn is_live(&self, i: usize) -> bool {
        self.live[self.number(Arg::Value(i as u32))]
    }

    fn fill_resident_consts(&mut self, results: &[Arg]) {
        let consts = self.program.consts();
        let is_result = |i: u32| results.contains(&Arg::Const(i));
        let resident: Vec<u32> = (0..consts.len() as u32)
            .filter(|&i| self.live[self.number(Arg::Const(i))] && !is_result(i))
            .collect();
        if resident.len() > RESIDENT_CONSTS {
            return;
        }
        for i in resident {
            let (number, to) = (self.number(Arg::Const(i)), self.take());
            self.prologue.push(Step::Fill { value: consts[i as usize], to });
            self.place[number] = to;
            self.last[number] = usize::MAX;
        }
    }

    fn emit(&mut self, i: usize, instr: &Instr) {
        let args: SmallVec<[u32; 3]> = instr.args.iter().map(|&arg| self.in_register(arg)).collect();
        let to = self.take();
        self.steps.push(step(self.program, instr, args, to));
        self.define(i, to);
        self.give_back(&instr.args, i);
    }

    /// The one step of instruction `i` and the next live one, where the latter alone reads the former.
    fn pair(&self, i: usize, next: usize) -> Option<Pair> {
        let [first, second] = [i, next].map(|i| &self.program.instrs()[i]);
        let between = Arg::Value(i as u32);
        let at = second.args.iter().position(|&arg| arg == between)?;
        if self.uses[self.number(between)] != 1 || first.dtype != second.dtype {
            return None;
        }
        if let ElementOp::Unary(op) = second.op
            && special_run(op, second.dtype).is_some()
        {
            return None;
        }
        let run = pair_run(&first.op, &second.op, at + 1 == second.args.len() && at > 0, first.dtype)?;
        let other = second.args.iter().copied().find(|&arg| arg != between);
        let (a, b) = (first.args[0], *first.args.last().unwrap_or(&first.args[0]));
        Some(Pair { run, args: [a, b, other.unwrap_or(a)], last: next })
    }

    fn emit_pair(&mut self, pair: &Pair) {
        let args = pair.args.map(|arg| self.in_register(arg));
        let to = self.take();
        self.steps.push(Step::Run { run: pair.run, args, to, fault: NO_FAULT });
        self.define(pair.last, to);
        self.give_back(&pair.args, pair.last);
    }

    fn define(&mut self, i: usize, to: u32) {
        let value = self.number(Arg::Value(i as u32));
        self.place[value] = to;
    }

    /// Gives back the registers of operands that nothing after instruction `i` reads.
    fn give_back(&mut self, args: &[Arg], i: usize) {
        for &arg in args {
            let arg = self.number(arg);
            if self.last[arg] <= i && self.place[arg] != NOWHERE {
                self.free.push(self.place[arg]);
                self.place[arg] = NOWHERE;
            }
        }
    }

    /// The register an operand is in; inputs and constants are brought there at their first use.
    fn in_register(&mut self, arg: Arg) -> u32 {
        let number = self.number(arg);
        if self.place[number] == NOWHERE {
            let to = self.take();
            self.place[number] = to;
            match arg {
                Arg::Input(input) => self.steps.push(Step::Load { input, to }),
                Arg::Const(i) => self.steps.push(Step::Fill { value: self.program.consts()[i as usize], to }),
                Arg::Value(_) => unreachable!("a program defines every value before it reads it"),
            }
        }
        self.place[number]
    }

    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.registers += 1;
            self.registers - 1
        })
    }
}

/// The step of one instruction.
fn step(program: &Program, instr: &Instr, args: SmallVec<[u32; 3]>, to: u32) -> Step {
    let input = |i: usize| program.dtype_of(instr.args[i]);
    let (run, fault) = match &instr.op {
        ElementOp::Unary(op) => (special_run(*op, input(0)).or_else(|| unary_run(*op, input(0))), None),
        ElementOp::Binary(op) => (binary_run(*op, input(0)), Some(KernelError::of(*op))),
        ElementOp::Select => (Some(select_run(instr.dtype)), None),
        ElementOp::Cast(dtype) => (cast_run(input(0), *dtype), None),
        ElementOp::Call(f) => return Step::Call { f: f.clone(), args, to },
    };
    let run = run.expect("types were checked when the program was built");
    let fault = fault.unwrap_or(NO_FAULT);
    let mut three = [0; 3];
    three[..args.len()].copy_from_slice(&args);
    Step::Run { run, args: three, to, fault }
}

/// The loop of an operation that has a better one on this processor than the compiler makes.
fn special_run(op: UnaryOp, dtype: DType) -> Option<RunFn> {
    #[cfg(target_arch = "x86_64")]
    if (op, dtype, InstructionSet::best()) == (UnaryOp::Sqrt, DType::F64, InstructionSet::Avx512) {
        return Some(crate::sqrt::sqrt_run);
    }
    let _ = (op, dtype);
    None
}

fn widest(program: &Program) -> usize {
    let inputs = program.inputs().iter().copied();
    let consts = program.consts().iter().map(|c| c.dtype());
    let values = program.instrs().iter().map(|instr| instr.dtype);
    inputs.chain(consts).chain(values).map(DType::itemsize).max().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_expr::{BinaryOp, ProgramBuilder, UnaryOp};

    #[test]
    fn chain_needs_two_registers_and_reads_never_what_it_writes() {
        let mut b = ProgramBuilder::new();
        let mut x = b.input(DType::F64);
        for i in 0..100 {
            let op = if i % 2 == 0 { UnaryOp::Sqrt } else { UnaryOp::Sin };
            x = b.push(op.into(), &[x]).unwrap();
        }
        let code = Code::new(&b.finish(x));
        assert_eq!((code.registers, code.steps.len()), (2, 101));
        for step in &code.steps {
            if let Step::Run { args, to, .. } = step {
                assert_ne!(args[0], *to);
            }
        }
    }

    #[test]
    fn results_share_what_they_have_in_common_and_keep_their_registers() {
        let mut b = ProgramBuilder::new();
        let x = b.input(DType::F64);
        let root = b.push(UnaryOp::Sqrt.into(), &[x]).unwrap();
        let sine = b.push(UnaryOp::Sin.into(), &[root]).unwrap();
        let cosine = b.push(UnaryOp::Cos.into(), &[sine]).unwrap();
        let code = Code::with_results(&b.finish(cosine), &[sine, root, x]);
        // one load, one root, one sine; the cosine is no result
        assert_eq!(code.steps.len(), 3);
        let mut registers: Vec<u32> = code.results.iter().map(|result| result.register).collect();
        registers.sort_unstable();
        assert_eq!(registers, [0, 1, 2]);
        assert_eq!(code.passes_through(), None);
    }

    #[test]
    fn instructions_the_result_does_not_need_are_left_out() {
        let mut b = ProgramBuilder::new();
        let x = b.input(DType::F64);
        let y = b.input(DType::F64);
        b.push(BinaryOp::Add.into(), &[x, y]).unwrap();
        let r = b.push(UnaryOp::Sqrt.into(), &[x]).unwrap();
        b.push(UnaryOp::Exp.into(), &[r]).unwrap();
        assert_eq!(Code::new(&b.finish(r)).steps.len(), 2);
    }

    #[test]
    fn million_instructions_with_as_many_constants_compile() {
        let mut b = ProgramBuilder::new();
        let mut x = b.input(DType::F64);
        for i in 0..1_000_000 {
            let c = b.constant(Scalar::F64(f64::from(i)));
            x = b.push(BinaryOp::Add.into(), &[x, c]).unwrap();
        }
        let program = b.finish(x);
        let single = Code::with_options(&program, DType::F64, CompileOptions::default().with_pairs(false));
        assert_eq!((single.registers, single.prologue.len()), (3, 0));
        let code = Code::new(&program);
        assert_eq!((code.registers, code.prologue.len()), (4, 0));
        assert!(code.steps.len() < single.steps.len());
    }

    #[test]
    fn tile_is_a_multiple_of_the_segment_and_shrinks_with_registers() {
        let mut b = ProgramBuilder::new();
        let inputs: Vec<Arg> = (0..40).map(|_| b.input(DType::F64)).collect();
        let roots: Vec<Arg> = inputs.iter().map(|&x| b.push(UnaryOp::Sqrt.into(), &[x]).unwrap()).collect();
        let sum = roots.into_iter().reduce(|a, x| b.push(BinaryOp::Add.into(), &[a, x]).unwrap());
        assert_eq!(Code::new(&b.finish(sum.unwrap())).tile(), SEGMENT);
        assert_eq!(Code::new(&Program::identity(DType::F64)).tile(), 1024);
        assert_eq!(Code::new(&Program::identity(DType::U8)).tile(), 8192);
    }
}
