//! The slow eager evaluator: one loop per operation over plain lists of scalars, with nothing in common with
//! the kernels but the scalar meaning of the operation tables.
//!
//! It knows no chunk, no task and no optimisation, so what it gives is the truth for every chunking, thread
//! count and pass. Cost: O(elements) scalars per node, all kept until the end.

mod array;
mod element;
pub(crate) mod number;
pub(crate) mod reduce;
pub(crate) mod rules;
mod structure;
mod sum;

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Region, Scalar, SourceError};
use chunkwise_expr::{BuildError, Expr, ExprGraph, NodeId, Object, Op, Reduce};

pub use array::PlainArray;
pub(crate) use array::{indices, to_ndarray};
pub use sum::exact_sum;

/// What an expression evaluates to.
///
/// ```
/// use chunkwise_testkit::{PlainArray, Value};
/// let value = Value::Array(PlainArray::of(&[], &[1.0]));
/// assert_eq!(value.array().unwrap().shape(), [0usize; 0]);
/// ```
#[derive(Clone)]
pub enum Value {
    /// An array.
    Array(PlainArray),
    /// A value of any type, as `Delayed` makes them.
    Object(Object),
}

impl Value {
    /// The array, when it is one.
    pub fn array(&self) -> Option<&PlainArray> {
        match self {
            Value::Array(array) => Some(array),
            Value::Object(_) => None,
        }
    }

    /// The object, when it is one.
    pub fn object(&self) -> Option<&Object> {
        match self {
            Value::Array(_) => None,
            Value::Object(object) => Some(object),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Array(array) => array.fmt(f),
            Value::Object(_) => f.write_str("Object"),
        }
    }
}

/// Why an expression has no value.
///
/// ```
/// use chunkwise_testkit::EagerError;
/// let err = EagerError::NoElements { op: "min".to_owned() };
/// assert_eq!(err.to_string(), "min: no elements to reduce");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EagerError {
    /// The expression cannot be built.
    Build(Arc<BuildError>),
    /// The operation is an error for these values, as in an integer division by zero.
    Fault {
        /// The operation.
        op: &'static str,
        /// Its arguments.
        args: Vec<Scalar>,
    },
    /// Types, shapes or kinds of the inputs do not fit the operation.
    Inputs {
        /// The operation.
        op: String,
        /// The inputs.
        inputs: String,
    },
    /// A reduction of elements that it has no value for, such as none.
    NoElements {
        /// The operation.
        op: String,
    },
    /// A rule that nobody has written down.
    NoReference {
        /// The operation.
        op: String,
    },
    /// A source could not be read.
    Source(SourceError),
    /// A delayed value does not fit the array it is made into.
    Object(String),
}

impl EagerError {
    fn types(op: &str, inputs: &[&PlainArray]) -> EagerError {
        let shown: Vec<String> = inputs.iter().map(|x| format!("{}{:?}", x.dtype(), x.shape())).collect();
        EagerError::Inputs { op: op.to_owned(), inputs: shown.join(", ") }
    }
}

impl fmt::Display for EagerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EagerError::Build(err) => err.fmt(f),
            EagerError::Fault { op, args } => {
                let args: Vec<String> = args.iter().map(Scalar::to_string).collect();
                write!(f, "{op}: no value for {}", args.join(", "))
            }
            EagerError::Inputs { op, inputs } => write!(f, "{op}: inputs {inputs} do not fit"),
            EagerError::NoElements { op } => write!(f, "{op}: no elements to reduce"),
            EagerError::NoReference { op } => write!(f, "{op}: there is no reference for it"),
            EagerError::Source(err) => err.fmt(f),
            EagerError::Object(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for EagerError {}

/// The value of an expression.
///
/// # Errors
/// When it cannot be built, an operation is an error for its values, or a source cannot be read.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::{Expr, UnaryOp};
/// let at = Location::caller();
/// let two = Expr::element(UnaryOp::Sqrt.into(), &[&Expr::literal(Scalar::F64(4.0), at)], at);
/// let value = chunkwise_testkit::eval(&two).unwrap();
/// assert_eq!(value.array().unwrap().data(), [Scalar::F64(2.0)]);
/// ```
pub fn eval(expr: &Expr) -> Result<Value, EagerError> {
    let graph = ExprGraph::import(std::slice::from_ref(expr)).map_err(EagerError::Build)?;
    let values = eval_graph(&graph)?;
    Ok(values[graph.roots()[0].index()].clone())
}

/// The values of all nodes of a graph, in the order of their ids. The graph may be one that passes have
/// rewritten: fused programs and reductions are run instruction by instruction.
///
/// # Errors
/// As of [`eval`].
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::{BinaryOp, Expr, ExprGraph};
/// let at = Location::caller();
/// let one = Expr::literal(Scalar::I32(1), at);
/// let graph = ExprGraph::import(&[Expr::element(BinaryOp::Add.into(), &[&one, &one], at)]).unwrap();
/// let values = chunkwise_testkit::eval_graph(&graph).unwrap();
/// assert_eq!(values[1].array().unwrap().data(), [Scalar::I32(2)]);
/// ```
pub fn eval_graph(graph: &ExprGraph) -> Result<Vec<Value>, EagerError> {
    let mut values: Vec<Value> = Vec::with_capacity(graph.len());
    for id in graph.ids() {
        let inputs: Vec<&Value> =
            graph.inputs(id).iter().map(|input: &NodeId| &values[input.index()]).collect();
        let value = eval_op(&graph.node(id).op, &inputs)?;
        values.push(value);
    }
    Ok(values)
}

/// The value of one operation.
///
/// # Errors
/// As of [`eval`], and when the inputs do not fit the operation.
///
/// ```
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::{Concat, Op};
/// use chunkwise_testkit::{PlainArray, Value, eval_op};
/// let x = Value::Array(PlainArray::of(&[1], &[7u8]));
/// let twice = eval_op(&Op::Concat(Concat { axis: 0 }), &[&x, &x]).unwrap();
/// assert_eq!(twice.array().unwrap(), &PlainArray::of(&[2], &[7u8, 7]));
/// ```
pub fn eval_op(op: &Op, inputs: &[&Value]) -> Result<Value, EagerError> {
    match op {
        Op::Call(call) => Ok(Value::Object(call.run(&objects(op, inputs)?))),
        Op::FromObject(from) => {
            let chunk = from.run(&objects(op, inputs)?[0]).map_err(EagerError::Object)?;
            Ok(Value::Array(PlainArray::from_chunk(&chunk)))
        }
        Op::Collect(collect) => Ok(Value::Object(collect.run(arrays(op, inputs)?[0].to_chunk()))),
        op => eval_array_op(op, &arrays(op, inputs)?).map(Value::Array),
    }
}

fn eval_array_op(op: &Op, inputs: &[&PlainArray]) -> Result<PlainArray, EagerError> {
    match op {
        Op::Source(source) => {
            let whole = Region::whole(source.source().shape());
            let chunk = source.source().read(&whole).map_err(EagerError::Source)?;
            Ok(PlainArray::from_chunk(&chunk))
        }
        Op::Literal(value) => Ok(PlainArray::new(value.dtype(), &[], vec![*value])),
        Op::Element(op) => element::element(op, inputs),
        Op::Fused(program, grid) => element::program(program, inputs, grid.shape()),
        Op::Reduce(op) => reduce::reduce(op, &reduced_space(op, inputs)?),
        Op::View(view) => Ok(structure::view(view, inputs[0])),
        Op::Reshape(_) => Ok(structure::reshape(op, inputs[0])),
        Op::Concat(concat) => structure::concat(concat.axis, inputs),
        Op::Rechunk(_) => Ok(inputs[0].clone()),
        Op::Blockwise(op) => rules::blockwise(op, inputs),
        Op::Call(_) | Op::Collect(_) | Op::FromObject(_) => Err(EagerError::types(op.name(), inputs)),
    }
}

/// The array that is folded: the input, or what the fused program makes of the inputs.
fn reduced_space(reduce: &Reduce, inputs: &[&PlainArray]) -> Result<PlainArray, EagerError> {
    match &reduce.program {
        Some(program) => element::program(program, inputs, reduce.space.shape()),
        None => Ok(inputs[0].clone()),
    }
}

fn arrays<'a>(op: &Op, inputs: &[&'a Value]) -> Result<Vec<&'a PlainArray>, EagerError> {
    inputs.iter().map(|value| value.array().ok_or_else(|| wrong_kind(op, "an object"))).collect()
}

fn objects(op: &Op, inputs: &[&Value]) -> Result<Vec<Object>, EagerError> {
    inputs.iter().map(|value| value.object().cloned().ok_or_else(|| wrong_kind(op, "an array"))).collect()
}

fn wrong_kind(op: &Op, kind: &str) -> EagerError {
    EagerError::Inputs { op: op.name().to_owned(), inputs: kind.to_owned() }
}
