//! Values of any type in the same graph as arrays.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{ChunkError, ChunkGrid, Element};
use chunkwise_expr::{Call, Collect, Expr, FromObject, Object, Op};
use ndarray::{Array, Dimension, IntoDimension};

use crate::array::here;
use crate::{LazyArray, LazyDim, Result, RunHandle, Runtime};

/// A value of any type that is computed when asked for, once however often it is used.
///
/// ```
/// use chunkwise::prelude::*;
/// let words = delayed(|| "to be or not to be".to_owned());
/// let count = words.map(|text| text.split(' ').count());
/// assert_eq!(*count.compute()?, 6);
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub struct Delayed<T> {
    expr: Expr,
    typed: PhantomData<fn() -> T>,
}

impl<T> Clone for Delayed<T> {
    fn clone(&self) -> Self {
        Delayed { expr: self.expr.clone(), typed: PhantomData }
    }
}

impl<T> fmt::Debug for Delayed<T> {
    /// The type, never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delayed<{}>", std::any::type_name::<T>())
    }
}

/// The value of a call of `f`, when asked for. The call is made once per run that needs it.
///
/// ```
/// use chunkwise::prelude::*;
/// assert_eq!(*delayed(|| 6 * 7).compute()?, 42);
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[track_caller]
pub fn delayed<T: Send + Sync + 'static>(f: impl Fn() -> T + Send + Sync + 'static) -> Delayed<T> {
    let call = Call::new("delayed", move |_| Arc::new(f()) as Object);
    Delayed::wrap(Expr::new(Op::Call(call), &[], here()))
}

/// The value of a call of `f` with the values of the arguments: a tuple of up to six [`Delayed`] values and lazy
/// arrays, which arrive as ndarrays (a plain value for a scalar).
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(0.0_f64, 4.0, 1.0, 2);
/// let unit = delayed(|| "K".to_owned());
/// let text = delayed_with((x.mean(), &unit), |mean, unit| format!("{mean} {unit}"));
/// assert_eq!(*text.compute()?, "1.5 K");
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[track_caller]
pub fn delayed_with<A, F, T>(args: A, f: F) -> Delayed<T>
where
    A: DelayedArgs<F, T>,
    F: Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    let at = here();
    let inputs = args.exprs(at);
    let call = Call::new("delayed_with", move |values| Arc::new(A::call(&f, values)) as Object);
    Delayed::wrap(Expr::new(Op::Call(call), &inputs.iter().collect::<Vec<_>>(), at))
}

impl<T: Send + Sync + 'static> Delayed<T> {
    fn wrap(expr: Expr) -> Delayed<T> {
        Delayed { expr, typed: PhantomData }
    }

    pub(crate) fn expr(&self) -> &Expr {
        &self.expr
    }

    /// A function of the value.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(*delayed(|| 6).map(|x| x * 7).compute()?, 42);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn map<U: Send + Sync + 'static>(&self, f: impl Fn(&T) -> U + Send + Sync + 'static) -> Delayed<U> {
        let call = Call::new("map", move |values| Arc::new(f(value_of(&values[0]))) as Object);
        Delayed::wrap(Expr::new(Op::Call(call), &[&self.expr], here()))
    }

    /// Both values.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let sum = delayed(|| 2).zip(&delayed(|| 3)).map(|(a, b)| **a + **b);
    /// assert_eq!(*sum.compute()?, 5);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn zip<U: Send + Sync + 'static>(&self, other: &Delayed<U>) -> Delayed<(Arc<T>, Arc<U>)> {
        let call = Call::new("zip", |values| {
            Arc::new((shared_value::<T>(&values[0]), shared_value::<U>(&values[1]))) as Object
        });
        Delayed::wrap(Expr::new(Op::Call(call), &[&self.expr, &other.expr], here()))
    }

    /// Computes the value on the global runtime. It comes shared, as other parts of the graph may hold it too.
    ///
    /// # Errors
    /// When a closure panics or an array it depends on cannot be computed.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert!(delayed(|| -> u8 { panic!("no") }).compute().unwrap_err().to_string().contains("no"));
    /// ```
    pub fn compute(&self) -> Result<Arc<T>> {
        Runtime::global()?.compute(self)
    }

    /// Computes the value in the background; see [`LazyArray::submit`].
    ///
    /// # Errors
    /// When the system refuses a thread. All other errors come from the handle.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// assert_eq!(*delayed(|| 6).map(|n| n * 7).submit()?.wait()?, 42);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn submit(&self) -> Result<RunHandle<Arc<T>>> {
        Runtime::global()?.submit(self.clone())
    }
}

impl<T: Element, D: Dimension + 'static> LazyArray<T, D> {
    /// The array that a delayed value will be; its shape must be told. It is one block; a value of another shape is an
    /// error when run.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let read = delayed(|| ndarray::arr1(&[1.0_f64, 2.0, 3.0])); // a reader of some other library
    /// let x = LazyArray::from_delayed(read, 3);
    /// assert_eq!(x.sum().compute()?, 6.0);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn from_delayed<S: IntoDimension<Dim = D>>(
        value: impl Borrow<Delayed<Array<T, D>>>,
        shape: S,
    ) -> LazyArray<T, D> {
        let shape = shape.into_dimension();
        let wanted = shape.clone();
        let convert = move |object: &Object| {
            let array: &Array<T, D> = value_of(object);
            if array.raw_dim() != wanted {
                return Err(format!("the value has shape {:?}, not {:?}", array.shape(), wanted.slice()));
            }
            Ok(T::into_chunk(array.to_shared().into_dyn()))
        };
        let from = FromObject::new(T::DTYPE, ChunkGrid::whole(shape.slice()), convert);
        LazyArray::wrap(Expr::new(Op::FromObject(from), &[&value.borrow().expr], here()))
    }
}

fn value_of<T: 'static>(object: &Object) -> &T {
    object.downcast_ref().expect("the value is of the type its Delayed says")
}

pub(crate) fn shared_value<T: Send + Sync + 'static>(object: &Object) -> Arc<T> {
    object.clone().downcast().expect("the value is of the type its Delayed says")
}

mod sealed {
    /// Closes [`DelayedInput`](super::DelayedInput) to other crates, and with it the tuples of
    /// [`DelayedArgs`](super::DelayedArgs).
    pub trait Input {}
}

impl<T> sealed::Input for Delayed<T> {}
impl<T, D> sealed::Input for LazyArray<T, D> {}
impl<A: sealed::Input> sealed::Input for &A {}

/// What [`delayed_with`] takes as one argument: a [`Delayed`] value or a lazy array. Sealed.
///
/// ```
/// use chunkwise::prelude::*;
/// let n = delayed_with((LazyArray::<f64, _>::zeros(3, 2),), |x| x.len());
/// assert_eq!(*n.compute()?, 3);
/// # Ok::<(), chunkwise::Error>(())
/// ```
pub trait DelayedInput: sealed::Input {
    /// What the closure gets a reference to.
    type Value: 'static;

    /// The expression of the value.
    #[doc(hidden)]
    fn object(&self, origin: &'static Location<'static>) -> Expr;
}

impl<T: Send + Sync + 'static> DelayedInput for Delayed<T> {
    type Value = T;

    fn object(&self, _: &'static Location<'static>) -> Expr {
        self.expr.clone()
    }
}

impl<T: Element, D: LazyDim> DelayedInput for LazyArray<T, D>
where
    D::Computed<T>: Send + Sync + 'static,
{
    type Value = D::Computed<T>;

    fn object(&self, origin: &'static Location<'static>) -> Expr {
        let collect = Collect::new(|chunk| {
            let array: Result<_, ChunkError> = chunk.into_array::<T>();
            Arc::new(D::computed(array.expect("blocks are of the array's element type"))) as Object
        });
        let whole = self.expr().rechunk(&(..).into(), origin);
        Expr::new(Op::Collect(collect), &[&whole], origin)
    }
}

impl<A: DelayedInput> DelayedInput for &A {
    type Value = A::Value;

    fn object(&self, origin: &'static Location<'static>) -> Expr {
        (**self).object(origin)
    }
}

/// The arguments of [`delayed_with`] for a closure `F` that takes references to their values and gives a `T`: a tuple
/// of up to six.
///
/// ```
/// use chunkwise::prelude::*;
/// let (a, b) = (delayed(|| 2), delayed(|| 3));
/// assert_eq!(*delayed_with((a, b), |a, b| a * b).compute()?, 6);
/// # Ok::<(), chunkwise::Error>(())
/// ```
// The closure is a parameter of the trait, not the implementor: so the compiler finds the implementation from the tuple
// alone, and with it the types of the closure's arguments.
pub trait DelayedArgs<F, T> {
    /// The expressions of the arguments.
    #[doc(hidden)]
    fn exprs(&self, origin: &'static Location<'static>) -> Vec<Expr>;

    /// Calls the closure.
    #[doc(hidden)]
    fn call(f: &F, values: &[Object]) -> T;
}

macro_rules! tuples {
    ($($($a:ident $i:tt),+;)*) => { $(
        impl<Func, Out, $($a: DelayedInput),+> DelayedArgs<Func, Out> for ($($a,)+)
        where
            Func: Fn($(&$a::Value),+) -> Out,
        {
            fn exprs(&self, origin: &'static Location<'static>) -> Vec<Expr> {
                vec![$(self.$i.object(origin)),+]
            }

            fn call(f: &Func, values: &[Object]) -> Out {
                f($(value_of::<$a::Value>(&values[$i])),+)
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
}
