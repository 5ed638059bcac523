//! Values of any type in the same graph: calls, arrays made into values, values made into arrays.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, DType};

use crate::Meta;

/// A value of any type.
pub type Object = Arc<dyn Any + Send + Sync>;

type CallFn = dyn Fn(&[Object]) -> Object + Send + Sync;
type CollectFn = dyn Fn(Chunk) -> Object + Send + Sync;
type FromObjectFn = dyn Fn(&Object) -> Result<Chunk, String> + Send + Sync;

macro_rules! identity_of_the_closure {
    ($($t:ident)*) => { $(
        impl PartialEq for $t {
            fn eq(&self, other: &$t) -> bool {
                Arc::ptr_eq(&self.f, &other.f)
            }
        }

        impl Eq for $t {}

        impl Hash for $t {
            // Not the address: it differs from run to run.
            fn hash<H: Hasher>(&self, state: &mut H) {
                stringify!($t).hash(state);
            }
        }

        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($t))
            }
        }
    )* };
}
identity_of_the_closure!(Call Collect FromObject);

/// Calls a function of the values of its inputs. Equal only to itself.
///
/// ```
/// use std::sync::Arc;
/// use chunkwise_expr::{Call, Object};
/// let call = Call::new("delayed", |_| Arc::new(7) as Object);
/// assert_eq!(call.run(&[]).downcast_ref::<i32>(), Some(&7));
/// ```
#[derive(Clone)]
pub struct Call {
    name: &'static str,
    f: Arc<CallFn>,
}

impl Call {
    /// A call of `f`, named in plans and errors.
    pub fn new(name: &'static str, f: impl Fn(&[Object]) -> Object + Send + Sync + 'static) -> Call {
        Call { name, f: Arc::new(f) }
    }

    /// Name for plans and errors.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Calls the function.
    pub fn run(&self, inputs: &[Object]) -> Object {
        (self.f)(inputs)
    }
}

/// Makes a value of a whole array. Equal only to itself.
///
/// ```
/// use std::sync::Arc;
/// use chunkwise_chunk::{Chunk, Scalar};
/// use chunkwise_expr::{Collect, Object};
/// let len = Collect::new(|chunk: Chunk| Arc::new(chunk.len()) as Object);
/// let chunk = Chunk::filled(Scalar::U8(0), &[3]);
/// assert_eq!(len.run(chunk).downcast_ref::<usize>(), Some(&3));
/// ```
#[derive(Clone)]
pub struct Collect {
    f: Arc<CollectFn>,
}

impl Collect {
    /// Gives the array, in one block, to `f`.
    pub fn new(f: impl Fn(Chunk) -> Object + Send + Sync + 'static) -> Collect {
        Collect { f: Arc::new(f) }
    }

    /// Calls the function.
    pub fn run(&self, chunk: Chunk) -> Object {
        (self.f)(chunk)
    }
}

/// Makes an array of one block of a value. Equal only to itself.
///
/// ```
/// use std::sync::Arc;
/// use chunkwise_chunk::{Chunk, ChunkGrid, DType, Scalar};
/// use chunkwise_expr::{FromObject, Object};
/// let from = FromObject::new(DType::U8, ChunkGrid::whole(&[2]), |_| Ok(Chunk::filled(Scalar::U8(1), &[2])));
/// assert_eq!(from.run(&(Arc::new(()) as Object)).unwrap().len(), 2);
/// ```
#[derive(Clone)]
pub struct FromObject {
    dtype: DType,
    grid: ChunkGrid,
    f: Arc<FromObjectFn>,
}

impl FromObject {
    /// An array of this type and grid, made by `f`, which says in words when the value does not fit.
    pub fn new(
        dtype: DType,
        grid: ChunkGrid,
        f: impl Fn(&Object) -> Result<Chunk, String> + Send + Sync + 'static,
    ) -> FromObject {
        FromObject { dtype, grid, f: Arc::new(f) }
    }

    /// Calls the function.
    ///
    /// # Errors
    /// When the value does not fit, in words.
    pub fn run(&self, object: &Object) -> Result<Chunk, String> {
        (self.f)(object)
    }

    pub(crate) fn meta(&self) -> Meta {
        Meta::Array { dtype: self.dtype, grid: self.grid.clone() }
    }
}
