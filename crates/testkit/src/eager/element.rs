//! Elementwise operations: one call of the scalar meaning for every element.

use chunkwise_chunk::Scalar;
use chunkwise_expr::{Arg, ElementOp, Program, eval_element};

use super::{EagerError, PlainArray};

/// Applies an operation to arrays that broadcast.
pub(crate) fn element(op: &ElementOp, inputs: &[&PlainArray]) -> Result<PlainArray, EagerError> {
    let types: Vec<_> = inputs.iter().map(|x| x.dtype()).collect();
    let dtype = op.output(&types).ok_or_else(|| EagerError::types(op.name(), inputs))?;
    PlainArray::try_from_fn(dtype, &common_shape(op.name(), inputs)?, |index| {
        let args: Vec<Scalar> = inputs.iter().map(|x| x.get_broadcast(index)).collect();
        apply(op, args)
    })
}

/// Runs a program over arrays that broadcast to `shape`.
pub(crate) fn program(
    program: &Program,
    inputs: &[&PlainArray],
    shape: &[usize],
) -> Result<PlainArray, EagerError> {
    PlainArray::try_from_fn(program.output(), shape, |index| {
        let args: Vec<Scalar> = inputs.iter().map(|x| x.get_broadcast(index)).collect();
        run(program, &args)
    })
}

/// The instructions one after the other on one element of each input.
fn run(program: &Program, inputs: &[Scalar]) -> Result<Scalar, EagerError> {
    let mut values: Vec<Scalar> = Vec::new();
    let operand = |arg: Arg, values: &[Scalar]| match arg {
        Arg::Input(i) => inputs[i as usize],
        Arg::Const(i) => program.consts()[i as usize],
        Arg::Value(i) => values[i as usize],
    };
    for instr in program.instrs() {
        let args = instr.args.iter().map(|&arg| operand(arg, &values)).collect();
        values.push(apply(&instr.op, args)?);
    }
    Ok(operand(program.result(), &values))
}

fn apply(op: &ElementOp, args: Vec<Scalar>) -> Result<Scalar, EagerError> {
    eval_element(op, &args).ok_or(EagerError::Fault { op: op.name(), args })
}

/// The shape that all inputs broadcast to: axes align at the end, length 1 gives way.
fn common_shape(op: &'static str, inputs: &[&PlainArray]) -> Result<Vec<usize>, EagerError> {
    let ndim = inputs.iter().map(|x| x.shape().len()).max().unwrap_or(0);
    let mut common = vec![1; ndim];
    for input in inputs {
        let lead = ndim - input.shape().len();
        for (axis, &n) in input.shape().iter().enumerate() {
            let at = &mut common[lead + axis];
            match (*at, n) {
                (_, 1) => {}
                (1, n) => *at = n,
                (a, b) if a == b => {}
                _ => return Err(EagerError::types(op, inputs)),
            }
        }
    }
    Ok(common)
}
