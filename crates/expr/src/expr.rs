//! Expressions as the user builds them: reference-counted nodes with everything inferred at once.

use std::fmt;
use std::hash::Hash;
use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, ChunkSource, Chunks, DType, Scalar, View};
use smallvec::SmallVec;

use crate::ops::{BlockRule, Blockwise, Concat, Rechunk, Reduce, Reshape, SourceOp};
use crate::{BuildError, ElementOp, ExprError, Op, ReduceKind};

type Origin = &'static Location<'static>;

/// Blocks of storage that are many, and smaller than this, are read several at a time.
const TINY_BYTES: usize = 1 << 16;

/// Blocks of storage that are few, however small.
const FEW_BLOCKS: usize = 4096;

/// What is known of a value before it is computed.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::{DType, Scalar};
/// use chunkwise_expr::{Expr, Meta};
/// let one = Expr::literal(Scalar::F64(1.0), Location::caller());
/// assert!(matches!(one.meta(), Meta::Array { dtype: DType::F64, .. }));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Meta {
    /// An array.
    Array {
        /// Type of the elements.
        dtype: DType,
        /// How it is cut into blocks; holds the shape.
        grid: ChunkGrid,
    },
    /// A value of any type, as `Delayed` makes them.
    Object,
    /// Nothing: the expression cannot be built.
    Invalid(Arc<BuildError>),
}

impl Meta {
    /// The grid of an array.
    ///
    /// # Panics
    /// When it is not an array; builders check before they ask.
    pub fn grid(&self) -> &ChunkGrid {
        match self {
            Meta::Array { grid, .. } => grid,
            other => panic!("an array was checked for when the expression was built, found {other:?}"),
        }
    }

    /// The element type of an array.
    ///
    /// # Panics
    /// When it is not an array; builders check before they ask.
    pub fn dtype(&self) -> DType {
        match self {
            Meta::Array { dtype, .. } => *dtype,
            other => panic!("an array was checked for when the expression was built, found {other:?}"),
        }
    }

    /// Bytes of an array; 0 for an object, whose size nobody knows.
    pub fn nbytes(&self) -> u64 {
        match self {
            Meta::Array { dtype, grid } => {
                grid.shape().iter().fold(dtype.itemsize() as u64, |n, &len| n.saturating_mul(len as u64))
            }
            _ => 0,
        }
    }
}

/// An operation and its inputs.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::Expr;
/// let one = Expr::literal(Scalar::F64(1.0), Location::caller());
/// assert!(one.node().inputs().is_empty());
/// ```
#[derive(Debug)]
pub struct Node {
    op: Op,
    inputs: SmallVec<[Expr; 2]>,
    meta: Meta,
    origin: Origin,
}

impl Node {
    /// The operation.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Its inputs in order.
    pub fn inputs(&self) -> &[Expr] {
        &self.inputs
    }
}

impl Drop for Node {
    /// Takes the chain of inputs apart in a loop: a chain of a million operations must not overflow the stack.
    fn drop(&mut self) {
        let mut dying = std::mem::take(&mut self.inputs);
        while let Some(expr) = dying.pop() {
            if let Some(mut node) = Arc::into_inner(expr.0) {
                dying.append(&mut node.inputs);
            }
        }
    }
}

/// A lazily evaluated value: a node of a graph that is shared, never changed, and cheap to clone.
///
/// Every constructor costs O(inputs). What cannot be built becomes an expression that holds the error and
/// hands it to everything built from it.
///
/// ```
/// use std::panic::Location;
/// use chunkwise_chunk::{Scalar, View};
/// use chunkwise_expr::Expr;
/// let at = Location::caller();
/// let x = Expr::literal(Scalar::F64(1.0), at);
/// let bad = Expr::view("insert_axis", &x, View::insert_axis(x.shape(), 3), at);
/// assert!(bad.error().unwrap().to_string().contains("axis 3 is out of range"));
/// ```
#[derive(Clone)]
pub struct Expr(Arc<Node>);

impl Expr {
    /// The node.
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// The operation.
    pub fn op(&self) -> &Op {
        &self.0.op
    }

    /// What is known of the value.
    pub fn meta(&self) -> &Meta {
        &self.0.meta
    }

    /// Where the user wrote it.
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// Why it cannot be built, if so.
    pub fn error(&self) -> Option<&Arc<BuildError>> {
        match self.meta() {
            Meta::Invalid(err) => Some(err),
            _ => None,
        }
    }

    /// Shape of the array; empty for what is no array or cannot be built.
    pub fn shape(&self) -> &[usize] {
        self.grid().map_or(&[], ChunkGrid::shape)
    }

    /// Grid of the array, if it is one.
    pub fn grid(&self) -> Option<&ChunkGrid> {
        match self.meta() {
            Meta::Array { grid, .. } => Some(grid),
            _ => None,
        }
    }

    /// Element type of the array, if it is one.
    pub fn dtype(&self) -> Option<DType> {
        match self.meta() {
            Meta::Array { dtype, .. } => Some(*dtype),
            _ => None,
        }
    }

    /// True when both are the same node.
    pub fn same(&self, other: &Expr) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The address of the node, to recognise it while walking one graph. Not stable between runs.
    pub(crate) fn address(&self) -> *const Node {
        Arc::as_ptr(&self.0)
    }

    /// An operation over inputs; infers the result, or keeps the first error.
    pub fn new(op: Op, inputs: &[&Expr], origin: Origin) -> Expr {
        if let Some(err) = inputs.iter().find_map(|input| input.error()) {
            return Expr::with_error(err.clone(), origin);
        }
        let metas: SmallVec<[&Meta; 3]> = inputs.iter().map(|input| input.meta()).collect();
        match op.infer(&metas).and_then(addressable) {
            Ok(meta) => {
                let inputs = inputs.iter().map(|&input| input.clone()).collect();
                Expr(Arc::new(Node { op, inputs, meta, origin }))
            }
            Err(cause) => Expr::invalid(op.name(), cause, origin),
        }
    }

    /// An expression that cannot be built.
    pub fn invalid(op: &str, cause: ExprError, origin: Origin) -> Expr {
        Expr::with_error(Arc::new(BuildError::new(op, cause, origin)), origin)
    }

    fn with_error(err: Arc<BuildError>, origin: Origin) -> Expr {
        let op = Op::Literal(Scalar::Bool(false));
        Expr(Arc::new(Node { op, inputs: SmallVec::new(), meta: Meta::Invalid(err), origin }))
    }

    /// A value written in the program, of shape `[]`.
    pub fn literal(value: Scalar, origin: Origin) -> Expr {
        Expr::new(Op::Literal(value), &[], origin)
    }

    /// What `name` (for errors) makes: the elements of a source, in its native blocks where it has some (several of them where
    /// they are many and tiny), else as `chunks` say. A source that
    /// can only be read by blocks keeps its grid and is rechunked.
    pub fn source(name: &str, source: Arc<dyn ChunkSource>, chunks: Option<&Chunks>, origin: Origin) -> Expr {
        let (dtype, shape) = (source.dtype(), source.shape().to_vec());
        let wanted = chunks.map(|chunks| chunks.grid(&shape, dtype.itemsize())).transpose();
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(err) => return Expr::invalid(name, err.into(), origin),
        };
        let native = source.native_chunks();
        let by_block = source.unit() == chunkwise_chunk::ReadUnit::Block;
        let grid = match (&native, &wanted) {
            (Some(native), _) if by_block => native.clone(),
            (_, Some(wanted)) => wanted.clone(),
            (Some(native), None) => grouped(native, dtype.itemsize()),
            (None, None) => match Chunks::Auto.grid(&shape, dtype.itemsize()) {
                Ok(grid) => grid,
                Err(err) => return Expr::invalid(name, err.into(), origin),
            },
        };
        let read = Expr::new(Op::Source(SourceOp::new(source, grid.clone())), &[], origin);
        match wanted {
            Some(wanted) if wanted != grid => Expr::rechunk_to(&read, wanted, origin),
            _ => read,
        }
    }

    /// An elementwise operation; shapes broadcast, grids are refined to a common one.
    pub fn element(op: ElementOp, inputs: &[&Expr], origin: Origin) -> Expr {
        Expr::new(Op::Element(op), inputs, origin)
    }

    /// The elements converted to another type; nothing when they are of that type.
    pub fn cast(&self, to: DType, origin: Origin) -> Expr {
        if self.dtype() == Some(to) {
            return self.clone();
        }
        Expr::element(ElementOp::Cast(to), &[self], origin)
    }

    /// A reduction over `axes`, or over all when `None`. Elements that cannot be NaN take the simpler rule.
    pub fn reduce(
        &self,
        kind: ReduceKind,
        axes: Option<&[usize]>,
        keepdims: bool,
        ddof: f64,
        origin: Origin,
    ) -> Expr {
        let (Some(grid), Some(dtype)) = (self.grid(), self.dtype()) else { return self.clone() };
        let simpler = if dtype.is_float() { kind.clone() } else { kind.clone().without_nan() };
        match Reduce::new(simpler, axes, keepdims, ddof, grid) {
            Ok(reduce) => Expr::new(Op::Reduce(Arc::new(reduce)), &[self], origin),
            Err(cause) => Expr::invalid(kind.name(), cause, origin),
        }
    }

    /// A view, or the error of making it.
    pub fn view<E: Into<ExprError>>(name: &str, input: &Expr, view: Result<View, E>, origin: Origin) -> Expr {
        if input.error().is_some() {
            return input.clone();
        }
        match view {
            Ok(view) if view.is_identity() => input.clone(),
            Ok(view) => Expr::new(Op::View(Arc::new(view)), &[input], origin),
            Err(cause) => Expr::invalid(name, cause.into(), origin),
        }
    }

    /// The elements in C order under another shape.
    pub fn reshape(&self, shape: &[usize], origin: Origin) -> Expr {
        let Some(grid) = self.grid() else { return self.clone() };
        if grid.shape() == shape {
            return self.clone();
        }
        match Reshape::new(grid, shape) {
            Ok(reshape) => Expr::new(Op::Reshape(reshape), &[self], origin),
            Err(cause) => Expr::invalid("reshape", cause, origin),
        }
    }

    /// An operation that computes each block from regions of `inputs`.
    pub fn blockwise(rule: impl BlockRule + Eq + Hash, inputs: &[&Expr], origin: Origin) -> Expr {
        Expr::new(Op::Blockwise(Blockwise::new(rule)), inputs, origin)
    }

    /// Arrays laid end to end along `axis`.
    pub fn concat(inputs: &[&Expr], axis: usize, origin: Origin) -> Expr {
        Expr::new(Op::Concat(Concat { axis }), inputs, origin)
    }

    /// The same array in other blocks.
    pub fn rechunk(&self, chunks: &Chunks, origin: Origin) -> Expr {
        let (Some(grid), Some(dtype)) = (self.grid(), self.dtype()) else { return self.clone() };
        match chunks.grid(grid.shape(), dtype.itemsize()) {
            Ok(grid) => self.rechunk_to(grid, origin),
            Err(err) => Expr::invalid("rechunk", err.into(), origin),
        }
    }

    fn rechunk_to(&self, grid: ChunkGrid, origin: Origin) -> Expr {
        if self.grid() == Some(&grid) {
            return self.clone();
        }
        Expr::new(Op::Rechunk(Rechunk { grid }), &[self], origin)
    }
}

/// Refuses arrays whose elements cannot be counted, so that no product of lengths overflows later.
fn addressable(meta: Meta) -> Result<Meta, ExprError> {
    if let Meta::Array { grid, dtype } = &meta {
        let most = isize::MAX as usize / dtype.itemsize().max(size_of::<f64>());
        let mut lengths = grid.shape().iter().filter(|&&len| len != 0);
        let elements = lengths.try_fold(1usize, |n, &len| n.checked_mul(len));
        if elements.is_none_or(|n| n > most) {
            return Err(ChunkError::TooLarge(grid.shape().to_vec()).into());
        }
    }
    Ok(meta)
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({self})")
    }
}

/// The blocks of storage, or where they are many and tiny, boxes of so many whole ones as automatic chunks hold.
fn grouped(native: &ChunkGrid, itemsize: usize) -> ChunkGrid {
    let block = native.max_chunk();
    let bytes = block.iter().fold(itemsize, |bytes, &len| bytes.saturating_mul(len));
    if native.num_blocks() <= FEW_BLOCKS || bytes >= TINY_BYTES {
        return native.clone();
    }
    let Ok(auto) = Chunks::Auto.grid(native.shape(), itemsize) else { return native.clone() };
    ChunkGrid::new(native.axes().iter().zip(auto.axes()).map(|(own, auto)| match own.regular_chunk() {
        Some(chunk) if chunk > 0 => AxisChunks::regular(own.len(), (auto.max_chunk() / chunk).max(1) * chunk),
        _ => own.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BinaryOp;

    #[test]
    fn chain_of_a_million_operations_drops() {
        let at = Location::caller();
        let one = Expr::literal(Scalar::F64(1.0), at);
        let mut x = one.clone();
        for _ in 0..1_000_000 {
            x = Expr::element(BinaryOp::Add.into(), &[&x, &one], at);
        }
        assert_eq!(x.shape(), [0usize; 0]);
    }

    #[test]
    fn first_error_is_kept_with_its_line() {
        let at = Location::caller();
        let x = Expr::literal(Scalar::F64(1.0), at);
        let bad = x.reduce(ReduceKind::Sum, Some(&[0]), false, 0.0, at);
        let after = Expr::element(BinaryOp::Add.into(), &[&x, &bad], at);
        assert_eq!(after.error(), bad.error());
        assert!(bad.error().unwrap().to_string().starts_with("sum: axis 0 is out of range for shape []"));
    }

    #[test]
    fn element_types_are_checked_when_built() {
        let at = Location::caller();
        let x = Expr::literal(Scalar::I32(1), at);
        let bad = Expr::element(crate::UnaryOp::Sqrt.into(), &[&x], at);
        assert!(bad.error().unwrap().to_string().contains("elements of type i32 are not taken"));
    }
}
