//! Several results of one run.

use std::sync::Arc;

use chunkwise_chunk::{Chunk, Element};
use chunkwise_expr::{Expr, Object};

use crate::delayed::shared_value;
use crate::{Delayed, LazyArray, LazyDim, Result, Runtime};

/// Computes several lazy values in one run on the global runtime: work they share is done once. Files they share are
/// decoded once where the blocks kept for it fit into a quarter of the memory limit, else once for each user.
///
/// Takes lazy arrays and [`Delayed`] values, by value or reference, in tuples of up to twelve, vectors and arrays,
/// nested as you like; the results come back in the same form.
///
/// # Errors
/// When an expression cannot be built, does not fit into the memory limit, or a task fails.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(1.0_f64, 5.0, 1.0, 2);
/// let (sum, product) = chunkwise::compute((x.sum(), x.prod()))?;
/// assert_eq!((sum, product), (10.0, 24.0));
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub fn compute<C: Compute>(values: C) -> Result<C::Output> {
    Runtime::global()?.compute(values)
}

/// The plan of [computing](compute) several lazy values in one run, as text; see [`Plan`](crate::Plan) for what it says.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::<f64, _>::ones(64, 4);
/// assert!(chunkwise::explain((x.mean(), x.max())).contains("folded with %1"));
/// ```
pub fn explain<C: Compute>(values: C) -> String {
    match Runtime::global().and_then(|runtime| runtime.plan(values)) {
        Ok(plan) => plan.to_string(),
        Err(err) => format!("cannot be planned: {err}\n"),
    }
}

/// What [`compute`] takes. Sealed by its hidden methods.
///
/// ```
/// use chunkwise::prelude::*;
/// fn both<A: Compute, B: Compute>(a: A, b: B) -> chunkwise::Result<(A::Output, B::Output)> {
///     chunkwise::compute((a, b))
/// }
/// let x = LazyArray::arange(0_i32, 4, 1, 2);
/// assert_eq!(both(x.max(), vec![x.min(), x.max()])?, (3, vec![0, 3]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait Compute {
    /// What it becomes.
    type Output;

    /// Appends the expressions to compute.
    #[doc(hidden)]
    fn roots(&self, roots: &mut Vec<Expr>);

    /// Takes as many results as [`roots`](Compute::roots) has appended.
    #[doc(hidden)]
    fn collect(&self, results: &mut Results) -> Result<Self::Output>;
}

/// Results of a run, in the order of its roots.
#[doc(hidden)]
#[derive(Debug)]
pub struct Results(std::vec::IntoIter<Output>);

/// One result.
pub(crate) enum Output {
    Array(Chunk),
    Object(Object),
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Output::Array(chunk) => write!(f, "{chunk:?}"),
            Output::Object(_) => f.write_str("Object"),
        }
    }
}

impl Results {
    pub(crate) fn new(outputs: Vec<Output>) -> Results {
        Results(outputs.into_iter())
    }

    fn array(&mut self) -> Chunk {
        match self.0.next() {
            Some(Output::Array(chunk)) => chunk,
            other => unreachable!("a run gives one result per root, of its kind; found {other:?}"),
        }
    }

    fn object(&mut self) -> Object {
        match self.0.next() {
            Some(Output::Object(object)) => object,
            other => unreachable!("a run gives one result per root, of its kind; found {other:?}"),
        }
    }
}

impl<T: Element, D: LazyDim> Compute for LazyArray<T, D> {
    type Output = D::Computed<T>;

    fn roots(&self, roots: &mut Vec<Expr>) {
        roots.push(self.expr().clone());
    }

    fn collect(&self, results: &mut Results) -> Result<D::Computed<T>> {
        let array = results.array().into_array::<T>();
        Ok(D::computed(array.expect("the element type of an expression is that of its type")))
    }
}

impl<T: Send + Sync + 'static> Compute for Delayed<T> {
    type Output = Arc<T>;

    fn roots(&self, roots: &mut Vec<Expr>) {
        roots.push(self.expr().clone());
    }

    fn collect(&self, results: &mut Results) -> Result<Arc<T>> {
        Ok(shared_value(&results.object()))
    }
}

impl<C: Compute + ?Sized> Compute for &C {
    type Output = C::Output;

    fn roots(&self, roots: &mut Vec<Expr>) {
        (**self).roots(roots);
    }

    fn collect(&self, results: &mut Results) -> Result<C::Output> {
        (**self).collect(results)
    }
}

impl<C: Compute> Compute for [C] {
    type Output = Vec<C::Output>;

    fn roots(&self, roots: &mut Vec<Expr>) {
        self.iter().for_each(|value| value.roots(roots));
    }

    fn collect(&self, results: &mut Results) -> Result<Vec<C::Output>> {
        self.iter().map(|value| value.collect(results)).collect()
    }
}

impl<C: Compute> Compute for Vec<C> {
    type Output = Vec<C::Output>;

    fn roots(&self, roots: &mut Vec<Expr>) {
        self.as_slice().roots(roots);
    }

    fn collect(&self, results: &mut Results) -> Result<Vec<C::Output>> {
        self.as_slice().collect(results)
    }
}

impl<C: Compute, const N: usize> Compute for [C; N] {
    type Output = Vec<C::Output>;

    fn roots(&self, roots: &mut Vec<Expr>) {
        self.as_slice().roots(roots);
    }

    fn collect(&self, results: &mut Results) -> Result<Vec<C::Output>> {
        self.as_slice().collect(results)
    }
}

macro_rules! tuples {
    ($($($c:ident $i:tt),+;)*) => { $(
        impl<$($c: Compute),+> Compute for ($($c,)+) {
            type Output = ($($c::Output,)+);

            fn roots(&self, roots: &mut Vec<Expr>) {
                $(self.$i.roots(roots);)+
            }

            fn collect(&self, results: &mut Results) -> Result<Self::Output> {
                Ok(($(self.$i.collect(results)?,)+))
            }
        }
    )* };
}
tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11;
}
