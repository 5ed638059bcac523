//! Reductions that users write: what they say of themselves, and how nodes and kernels hold them.
//!
//! Owns the trait and its form without types. Which elements are folded when is up to the kernels; that the tree of
//! merges follows the grid is up to the lowering.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, DType, Element, Tile};

use crate::BlockError;

/// Most elements that [`Reduction::fold`] is given at once.
const RUN: usize = 256;

/// A reduction of your own: how elements become a state, states one state, and a state a value.
///
/// It runs as the built-in ones do: elementwise operations in front of it are computed tile by tile and never are an
/// array, it shares its pass over the elements with other reductions of them, huge blocks are folded in pieces, and
/// partial results are merged by a tree that follows the grid alone.
///
/// ```text
/// a block     state = identity(); fold(state, run) for its runs in C order
/// the array   merge(state, later) of neighbouring blocks in C order of the grid, by eights
/// at last     finish(state)
/// ```
///
/// Runs have 256 elements at most, fewer where a row ends; how they are cut depends on the shape and the grid, not on
/// threads, memory or what is fused. So the bits of the result depend on neither. For a value that does not depend on
/// the grid, `merge` of the states of two stretches must be the state of both together.
///
/// A panic in any of the functions is caught and comes back as an error that names the reduction and the line that
/// used it. Memory: a task declares [`state_bytes`](Reduction::state_bytes) for each state it holds.
///
/// ```
/// use chunkwise_expr::{BlockError, Reduction};
///
/// /// Length of the vector of all elements, which does not overflow where its square would.
/// struct Length;
///
/// impl Reduction for Length {
///     type Item = f64;
///     type State = f64;
///     type Output = f64;
///
///     fn identity(&self) -> f64 {
///         0.0
///     }
///     fn fold(&self, state: &mut f64, items: &[f64]) {
///         *state = items.iter().fold(*state, |length, x| length.hypot(*x));
///     }
///     fn merge(&self, state: &mut f64, later: &f64) {
///         *state = state.hypot(*later);
///     }
///     fn finish(&self, state: &f64) -> Result<f64, BlockError> {
///         Ok(*state)
///     }
/// }
///
/// let mut state = Length.identity();
/// Length.fold(&mut state, &[3.0, 4.0]);
/// Length.merge(&mut state, &12.0);
/// assert_eq!(Length.finish(&state).unwrap(), 13.0);
/// ```
pub trait Reduction: Send + Sync + 'static {
    /// What is reduced.
    type Item: Element;
    /// What is known of some elements.
    type State: Clone + Send + Sync + 'static;
    /// What comes out.
    type Output: Element;

    /// Name for plans and errors.
    fn name(&self) -> &str {
        "reduce_with"
    }

    /// The state of no elements.
    fn identity(&self) -> Self::State;

    /// Takes a run of elements, at least one.
    fn fold(&self, state: &mut Self::State, items: &[Self::Item]);

    /// Takes the state of elements that come later.
    fn merge(&self, state: &mut Self::State, later: &Self::State);

    /// The value of all elements, which may be none.
    ///
    /// # Errors
    /// When there is no value; it becomes the error of `compute()`.
    fn finish(&self, state: &Self::State) -> Result<Self::Output, BlockError>;

    /// Bytes of a state, as the memory plan counts them. Says more than the size of the type when states own memory.
    fn state_bytes(&self) -> usize {
        size_of::<Self::State>()
    }

    /// Where the object is that says all this: what tells one reduction from another.
    #[doc(hidden)]
    fn object(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

/// What is shared is one reduction, whoever holds it.
impl<R: Reduction> Reduction for Arc<R> {
    type Item = R::Item;
    type State = R::State;
    type Output = R::Output;

    fn name(&self) -> &str {
        (**self).name()
    }

    fn identity(&self) -> R::State {
        (**self).identity()
    }

    fn fold(&self, state: &mut R::State, items: &[R::Item]) {
        (**self).fold(state, items);
    }

    fn merge(&self, state: &mut R::State, later: &R::State) {
        (**self).merge(state, later);
    }

    fn finish(&self, state: &R::State) -> Result<R::Output, BlockError> {
        (**self).finish(state)
    }

    fn state_bytes(&self) -> usize {
        (**self).state_bytes()
    }

    fn object(&self) -> *const () {
        (**self).object()
    }
}

/// The states of a user's reduction, one for each kept element, of a type that only the reduction knows.
pub struct UserStates(Box<dyn Any + Send + Sync>);

impl UserStates {
    fn of<S: Send + Sync + 'static>(states: Vec<S>) -> UserStates {
        UserStates(Box::new(states))
    }

    fn get<S: 'static>(&self) -> &[S] {
        self.0.downcast_ref::<Vec<S>>().expect("states go back to the reduction that made them")
    }

    fn get_mut<S: 'static>(&mut self) -> &mut [S] {
        self.0.downcast_mut::<Vec<S>>().expect("states go back to the reduction that made them")
    }
}

impl fmt::Debug for UserStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserStates")
    }
}

/// A [`Reduction`] without its types.
trait DynReduction: Send + Sync {
    fn name(&self) -> &str;
    fn object(&self) -> *const ();
    fn item(&self) -> DType;
    fn output(&self) -> DType;
    fn state_bytes(&self) -> usize;
    fn states(&self, count: usize) -> UserStates;
    fn copied(&self, states: &UserStates) -> UserStates;
    fn fold_rows(&self, states: &mut UserStates, first: usize, items: Tile<'_>, len: usize);
    fn fold_columns(&self, states: &mut UserStates, first: usize, rows: &[Tile<'_>]);
    fn merge(&self, states: &mut UserStates, later: &UserStates, range: Range<usize>);
    fn finish(&self, states: &UserStates, shape: &[usize]) -> Result<Chunk, BlockError>;
}

/// The elements of a tile that the kernels made for this reduction.
fn items<T: Element>(tile: Tile<'_>) -> &[T] {
    T::of_tile(tile).expect("elements are of the type that was checked when the expression was built")
}

impl<R: Reduction> DynReduction for R {
    fn name(&self) -> &str {
        Reduction::name(self)
    }

    fn object(&self) -> *const () {
        Reduction::object(self)
    }

    fn item(&self) -> DType {
        R::Item::DTYPE
    }

    fn output(&self) -> DType {
        R::Output::DTYPE
    }

    fn state_bytes(&self) -> usize {
        Reduction::state_bytes(self)
    }

    fn states(&self, count: usize) -> UserStates {
        UserStates::of((0..count).map(|_| self.identity()).collect())
    }

    fn copied(&self, states: &UserStates) -> UserStates {
        UserStates::of(states.get::<R::State>().to_vec())
    }

    fn fold_rows(&self, states: &mut UserStates, first: usize, tile: Tile<'_>, len: usize) {
        let rows = items::<R::Item>(tile).chunks(len);
        for (state, row) in states.get_mut::<R::State>()[first..].iter_mut().zip(rows) {
            row.chunks(RUN).for_each(|run| self.fold(state, run));
        }
    }

    fn fold_columns(&self, states: &mut UserStates, first: usize, rows: &[Tile<'_>]) {
        let rows: Vec<&[R::Item]> = rows.iter().map(|&row| items(row)).collect();
        let columns = rows.first().map_or(0, |row| row.len());
        let mut column = Vec::with_capacity(rows.len());
        for (at, state) in states.get_mut::<R::State>()[first..][..columns].iter_mut().enumerate() {
            column.clear();
            column.extend(rows.iter().map(|row| row[at]));
            column.chunks(RUN).for_each(|run| self.fold(state, run));
        }
    }

    fn merge(&self, states: &mut UserStates, later: &UserStates, range: Range<usize>) {
        let later = &later.get::<R::State>()[range.clone()];
        for (state, later) in states.get_mut::<R::State>()[range].iter_mut().zip(later) {
            Reduction::merge(self, state, later);
        }
    }

    fn finish(&self, states: &UserStates, shape: &[usize]) -> Result<Chunk, BlockError> {
        let values = states.get::<R::State>().iter().map(|state| Reduction::finish(self, state));
        Ok(Chunk::from_elements(values.collect::<Result<Vec<R::Output>, BlockError>>()?, shape))
    }
}

/// A [`Reduction`] as nodes hold it. Equal only to itself: to what was made of the same object, shared in an `Arc`.
///
/// ```
/// use std::sync::Arc;
/// use chunkwise_chunk::{Chunk, DType, Scalar, Tile};
/// use chunkwise_expr::{BlockError, Reduction, UserReduction};
///
/// struct Count;
/// impl Reduction for Count {
///     type Item = f32;
///     type State = i64;
///     type Output = i64;
///     fn identity(&self) -> i64 {
///         0
///     }
///     fn fold(&self, state: &mut i64, items: &[f32]) {
///         *state += items.len() as i64;
///     }
///     fn merge(&self, state: &mut i64, later: &i64) {
///         *state += later;
///     }
///     fn finish(&self, state: &i64) -> Result<i64, BlockError> {
///         Ok(*state)
///     }
/// }
///
/// let shared = Arc::new(Count);
/// let count = UserReduction::new(shared.clone());
/// assert_eq!((count.item(), count.output(), count.state_bytes()), (DType::F32, DType::I64, 8));
/// let mut states = count.states(1);
/// count.fold_rows(&mut states, 0, Tile::F32(&[1.0, 2.0, 3.0]), 3);
/// assert_eq!(count.finish(&states, &[]).unwrap().scalar(), Some(Scalar::I64(3)));
/// assert_eq!(count, UserReduction::new(shared));
/// assert_ne!(count, UserReduction::new(Count));
/// ```
#[derive(Clone)]
pub struct UserReduction(Arc<dyn DynReduction>);

impl UserReduction {
    /// Hides the types of a reduction.
    pub fn new(reduction: impl Reduction) -> UserReduction {
        UserReduction(Arc::new(reduction))
    }

    /// Name for plans and errors.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Type of the elements it takes.
    pub fn item(&self) -> DType {
        self.0.item()
    }

    /// Type of the results.
    pub fn output(&self) -> DType {
        self.0.output()
    }

    /// Bytes of a state.
    pub fn state_bytes(&self) -> usize {
        self.0.state_bytes()
    }

    /// States of no elements.
    pub fn states(&self, count: usize) -> UserStates {
        self.0.states(count)
    }

    /// The same states again.
    pub fn copied(&self, states: &UserStates) -> UserStates {
        self.0.copied(states)
    }

    /// Folds rows of `len` elements, each into its state, from state `first` on. A tile shorter than that is one row.
    pub fn fold_rows(&self, states: &mut UserStates, first: usize, items: Tile<'_>, len: usize) {
        self.0.fold_rows(states, first, items, len);
    }

    /// Folds the columns of rows of one length, each into its state, from state `first` on.
    pub fn fold_columns(&self, states: &mut UserStates, first: usize, rows: &[Tile<'_>]) {
        self.0.fold_columns(states, first, rows);
    }

    /// Merges some of the states with those of later elements.
    pub fn merge(&self, states: &mut UserStates, later: &UserStates, range: Range<usize>) {
        self.0.merge(states, later, range);
    }

    /// The values of all states.
    ///
    /// # Errors
    /// Those of the reduction.
    pub fn finish(&self, states: &UserStates, shape: &[usize]) -> Result<Chunk, BlockError> {
        self.0.finish(states, shape)
    }
}

impl PartialEq for UserReduction {
    fn eq(&self, other: &UserReduction) -> bool {
        self.0.object() == other.0.object()
    }
}

impl Eq for UserReduction {}

impl Hash for UserReduction {
    // Not the address: it differs from run to run.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for UserReduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserReduction({})", self.name())
    }
}
