//! Operations that compute each block of their result from regions of their inputs: an open set.
//!
//! What rearranges, windows, scans or contracts is not part of this crate: it implements [`BlockRule`] elsewhere, and a
//! node holds it as [`Blockwise`]. The graph and the lowering know of such an operation what the trait says, and no
//! more: which regions a block needs, and how the block comes of them.
//!
//! ```text
//! one step      needs(block, 0) -> regions -> compute -> block
//! several       needs(block, 0) -> regions -> compute -> before
//!               needs(block, 1) -> regions, before -> compute -> .. -> block        a task each, one after the other
//! ```
//!
//! Steps are for operations that fold more regions than memory should hold at once, such as the products of a
//! contraction: each step takes what the last one gave, and may change it in place.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chunkwise_chunk::{Chunk, Region, Window, Written};

use crate::{ExprError, Meta, Needs};

/// What may go wrong with a block.
pub type BlockError = Box<dyn std::error::Error + Send + Sync>;

/// What one step of a block is computed from.
pub struct Step<'a> {
    /// Where the block lies in the result. Never empty.
    pub block: &'a Region,
    /// Which step it is.
    pub number: usize,
    /// What the step before gave; `None` at the first one.
    pub before: Option<Chunk>,
    /// The regions that were asked for, in that order.
    pub operands: Vec<Chunk>,
    /// What is known of the inputs.
    pub inputs: &'a [&'a Meta],
    /// Whether the result is no longer wanted. Long computations ask now and then, and give an error.
    pub cancelled: &'a dyn Fn() -> bool,
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (block, number, operands) = (&self.block, &self.number, &self.operands);
        f.debug_struct("Step")
            .field("block", block)
            .field("number", number)
            .field("operands", operands)
            .finish_non_exhaustive()
    }
}

/// An operation that computes each block of its result from regions of its inputs.
///
/// `Eq` and `Hash` of the type tell equal operations from others: of equal ones with equal inputs only one is kept. What
/// holds a function compares its address ([`Arc::ptr_eq`]), and hashes nothing of it. `Display` is what plans show.
pub trait BlockRule: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// Name for plans and errors: that of the public method.
    fn name(&self) -> &str;

    /// Type and grid of the result.
    ///
    /// # Errors
    /// When the inputs do not fit the operation.
    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError>;

    /// Number of steps of each block, at least 1.
    fn steps(&self, inputs: &[&Meta]) -> usize {
        let _ = inputs;
        1
    }

    /// The regions that a step of a block needs, none of them empty. Asked only for whole, non-empty blocks of the
    /// result's grid, and several times for each.
    fn needs(&self, block: &Region, step: usize, inputs: &[&Meta]) -> Needs;

    /// Computes a step: the last one gives the block, of the type and shape that were inferred.
    ///
    /// # Errors
    /// When elements have no result.
    fn compute(&self, step: Step<'_>) -> Result<Chunk, BlockError>;

    /// Bytes that computing a block takes beside its operands and its result: an upper bound.
    fn scratch_bytes(&self, block: &Region, inputs: &[&Meta]) -> u64 {
        let _ = (block, inputs);
        0
    }

    /// Whether the last step can write into memory that is lent to it.
    fn fills(&self) -> bool {
        false
    }

    /// The last step, computed into `window`, which has the shape of the block. Asked only of what
    /// [`fills`](BlockRule::fills).
    ///
    /// # Errors
    /// As [`compute`](BlockRule::compute).
    fn fill<'w>(&self, step: Step<'_>, window: Window<'w>) -> Result<Written<'w>, BlockError> {
        let _ = (step, window);
        Err("this operation does not write in place".into())
    }

    /// Whether any box of the result may be asked for in the place of a block, and its elements have the bits they have in
    /// every other box. A slice of the result then computes no more than it shows, which must leave out no error and no call
    /// of a user's function.
    fn by_regions(&self) -> bool {
        false
    }

    /// Whether each element of the result is an element of the only input, chosen by its place alone.
    fn takes(&self) -> bool {
        false
    }

    /// Whether computing a block again costs no more than writing it to disk and reading it back.
    fn is_cheap(&self) -> bool {
        true
    }
}

/// What the equality of two rules of unknown type needs.
trait DynRule: BlockRule {
    fn equals(&self, other: &dyn Any) -> bool;
    fn hash_into(&self, state: &mut dyn Hasher);
    fn as_any(&self) -> &dyn Any;
}

impl<T: BlockRule + Eq + Hash> DynRule for T {
    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>().is_some_and(|other| self == other)
    }

    fn hash_into(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A [`BlockRule`] as nodes hold it.
///
/// ```
/// use chunkwise_chunk::{Chunk, Region};
/// use chunkwise_expr::{BlockError, BlockRule, Blockwise, ExprError, Meta, Need, Needs, Step};
///
/// /// Each block as it is.
/// #[derive(Debug, PartialEq, Eq, Hash)]
/// struct Same;
///
/// impl std::fmt::Display for Same {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("same")
///     }
/// }
///
/// impl BlockRule for Same {
///     fn name(&self) -> &str {
///         "same"
///     }
///     fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
///         Ok(inputs[0].clone())
///     }
///     fn needs(&self, block: &Region, _: usize, _: &[&Meta]) -> Needs {
///         std::iter::once(Need { input: 0, region: block.clone() }).collect()
///     }
///     fn compute(&self, mut step: Step<'_>) -> Result<Chunk, BlockError> {
///         Ok(step.operands.swap_remove(0))
///     }
/// }
///
/// let op = Blockwise::new(Same);
/// assert_eq!(op, Blockwise::new(Same));
/// assert!(op.is::<Same>() && op.name() == "same");
/// ```
#[derive(Clone)]
pub struct Blockwise(Arc<dyn DynRule>);

impl Blockwise {
    /// Wraps a rule.
    pub fn new(rule: impl BlockRule + Eq + Hash) -> Blockwise {
        Blockwise(Arc::new(rule))
    }

    /// The rule, when it is of this type.
    pub fn downcast<T: BlockRule>(&self) -> Option<&T> {
        self.0.as_any().downcast_ref()
    }

    /// Whether the rule is of this type.
    pub fn is<T: BlockRule>(&self) -> bool {
        self.downcast::<T>().is_some()
    }

    /// The regions that all steps of a block need.
    pub(crate) fn all_needs(&self, block: &Region, inputs: &[&Meta]) -> Needs {
        (0..self.steps(inputs)).flat_map(|step| self.needs(block, step, inputs)).collect()
    }
}

impl std::ops::Deref for Blockwise {
    type Target = dyn BlockRule;

    fn deref(&self) -> &dyn BlockRule {
        &*self.0
    }
}

impl PartialEq for Blockwise {
    fn eq(&self, other: &Blockwise) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.equals(other.0.as_any())
    }
}

impl Eq for Blockwise {}

impl Hash for Blockwise {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
        self.0.hash_into(state);
    }
}

impl fmt::Debug for Blockwise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Blockwise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.0, f)
    }
}
