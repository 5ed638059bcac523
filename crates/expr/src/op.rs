//! The operations of a node, and which input regions an output region needs.

use std::sync::Arc;

use chunkwise_chunk::{ChunkGrid, Region, Scalar, View};
use smallvec::SmallVec;

use crate::ops::{self, Blockwise, Call, Collect, Concat, FromObject, Rechunk, Reduce, Reshape, SourceOp};
use crate::{ElementOp, ExprError, Meta, Program};

/// A region of an input that some output region needs.
///
/// ```
/// use chunkwise_chunk::Region;
/// use chunkwise_expr::Need;
/// let need = Need { input: 0, region: Region::whole(&[4]) };
/// assert_eq!(need.region.len(), 4);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// Which input.
    pub input: usize,
    /// Which region of it; never empty.
    pub region: Region,
}

/// The regions one output region needs, in the order the operation takes them.
pub type Needs = SmallVec<[Need; 3]>;

/// What a node does.
///
/// ```
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::Op;
/// assert_eq!(Op::Literal(Scalar::I8(1)).name(), "literal");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// Reads an array.
    Source(SourceOp),
    /// A value written in the program.
    Literal(Scalar),
    /// One elementwise operation.
    Element(ElementOp),
    /// Several elementwise operations over a grid, made by fusion.
    Fused(Arc<Program>, ChunkGrid),
    /// A reduction, with the elementwise operations fused into it.
    Reduce(Arc<Reduce>),
    /// Renames elements.
    View(Arc<View>),
    /// Renames elements in C order.
    Reshape(Reshape),
    /// Lays arrays end to end.
    Concat(Concat),
    /// Other blocks.
    Rechunk(Rechunk),
    /// Computes each block from regions of the inputs.
    Blockwise(Blockwise),
    /// Calls a function of any values.
    Call(Call),
    /// Makes a value of an array.
    Collect(Collect),
    /// Makes an array of a value.
    FromObject(FromObject),
}

impl Op {
    /// Name for plans and errors.
    pub fn name(&self) -> &str {
        match self {
            Op::Source(_) => "source",
            Op::Literal(_) => "literal",
            Op::Element(op) => op.name(),
            Op::Fused(..) => "fused",
            Op::Reduce(reduce) => reduce.kind.name(),
            Op::View(_) => "view",
            Op::Reshape(_) => "reshape",
            Op::Concat(_) => "concatenate",
            Op::Rechunk(_) => "rechunk",
            Op::Blockwise(op) => op.name(),
            Op::Call(call) => call.name(),
            Op::Collect(_) => "collect",
            Op::FromObject(_) => "from_delayed",
        }
    }

    /// The value of every element, for literals and sources of one value.
    pub fn constant(&self) -> Option<Scalar> {
        match self {
            Op::Literal(value) => Some(*value),
            Op::Source(source) => source.source().constant(),
            _ => None,
        }
    }

    /// What the result is.
    ///
    /// # Errors
    /// When the inputs do not fit the operation.
    pub fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        match self {
            Op::Source(source) => Ok(source.meta()),
            Op::Literal(value) => Ok(Meta::Array { dtype: value.dtype(), grid: ChunkGrid::whole(&[]) }),
            Op::Element(op) => ops::element::infer(op, inputs),
            Op::Fused(program, grid) => Ok(Meta::Array { dtype: program.output(), grid: grid.clone() }),
            Op::Reduce(reduce) => reduce.infer(inputs),
            Op::View(view) => {
                Ok(Meta::Array { dtype: inputs[0].dtype(), grid: view.grid(inputs[0].grid())? })
            }
            Op::Reshape(reshape) => Ok(reshape.infer(inputs)),
            Op::Concat(concat) => concat.infer(inputs),
            Op::Rechunk(rechunk) => Ok(Meta::Array { dtype: inputs[0].dtype(), grid: rechunk.grid.clone() }),
            Op::Blockwise(op) => op.infer(inputs),
            Op::Call(_) | Op::Collect(_) => Ok(Meta::Object),
            Op::FromObject(from) => Ok(from.meta()),
        }
    }

    /// The input regions that a non-empty region of the result needs, for operations that work region by
    /// region; empty for sources, and for reductions, which fold whole blocks.
    pub fn needs(&self, region: &Region, inputs: &[&Meta]) -> Needs {
        match self {
            Op::Element(_) | Op::Fused(..) => ops::element::needs(region, inputs),
            Op::View(view) => smallvec::smallvec![Need { input: 0, region: view.pull(region).0 }],
            Op::Reshape(reshape) => reshape.needs(region, inputs),
            Op::Concat(concat) => concat.needs(region, inputs),
            Op::Rechunk(_) => smallvec::smallvec![Need { input: 0, region: region.clone() }],
            Op::Blockwise(op) => op.all_needs(region, inputs),
            _ => Needs::new(),
        }
    }
}
