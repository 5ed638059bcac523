//! Elementwise operations as data: enums made from the tables, closures, and their dtype rules.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chunkwise_chunk::{DType, Element, Tile, TileMut};

use crate::{for_each_binary, for_each_unary};

/// Whether a class of the tables holds an element type.
#[rustfmt::skip]
macro_rules! in_class {
    (Element, $d:expr) => { true };
    (Ordered, $d:expr) => { !$d.is_complex() };
    (Number, $d:expr) => { $d != DType::Bool };
    (Real, $d:expr) => { $d != DType::Bool && !$d.is_complex() };
    (Signed, $d:expr) => { $d != DType::Bool && !$d.is_unsigned() };
    (Inexact, $d:expr) => { $d.is_float() || $d.is_complex() };
    (Float, $d:expr) => { $d.is_float() };
    (Bits, $d:expr) => { !$d.is_float() && !$d.is_complex() };
    (Integer, $d:expr) => { $d.is_integer() };
}

#[rustfmt::skip]
macro_rules! output {
    (Same, $d:expr) => { Some($d) };
    (Bool, $d:expr) => { Some(DType::Bool) };
    (Real, $d:expr) => { Some($d.real_type()) };
    (Complex, $d:expr) => { $d.complex_type() };
}

macro_rules! define_unary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$x:ident| $body:expr,
        $form:ident $(via $math:ident)?, eg $eg:expr => $res:expr;)*) => {
        /// An operation of one element.
        ///
        /// ```
        /// use chunkwise_chunk::DType;
        /// use chunkwise_expr::UnaryOp;
        /// assert_eq!(UnaryOp::IsNan.output(DType::F32), Some(DType::Bool));
        /// assert_eq!(UnaryOp::Sqrt.output(DType::I32), None);
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum UnaryOp { $($(#[$doc])* $variant,)* }

        impl UnaryOp {
            /// Every row of the table.
            pub const ALL: &'static [UnaryOp] = &[$(UnaryOp::$variant),*];

            /// Name of the method.
            pub fn name(self) -> &'static str {
                match self { $(UnaryOp::$variant => stringify!($name),)* }
            }

            /// Type of the result; `None` when elements of this type are not taken.
            pub fn output(self, input: DType) -> Option<DType> {
                match self { $(UnaryOp::$variant => if in_class!($class, input) { output!($out, input) } else { None },)* }
            }
        }
    };
}
for_each_unary!(define_unary);

macro_rules! define_binary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$a:ident, $b:ident| $body:expr,
        faults $fault:expr, $form:ident $(via $math:ident)?, eg $ea:expr, $eb:expr => $res:expr;)*) => {
        /// An operation of two elements of one type.
        ///
        /// ```
        /// use chunkwise_chunk::DType;
        /// use chunkwise_expr::BinaryOp;
        /// assert_eq!(BinaryOp::Lt.output(DType::F32), Some(DType::Bool));
        /// assert_eq!(BinaryOp::Add.output(DType::Bool), None);
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum BinaryOp { $($(#[$doc])* $variant,)* }

        impl BinaryOp {
            /// Every row of the table.
            pub const ALL: &'static [BinaryOp] = &[$(BinaryOp::$variant),*];

            /// Name of the method.
            pub fn name(self) -> &'static str {
                match self { $(BinaryOp::$variant => stringify!($name),)* }
            }

            /// Whether every pair of elements of this type has a result. Floats and complex numbers always have one.
            ///
            /// ```
            /// use chunkwise_chunk::DType;
            /// use chunkwise_expr::BinaryOp;
            /// assert!(BinaryOp::Mul.is_total(DType::I32) && BinaryOp::Div.is_total(DType::F32));
            /// assert!(!BinaryOp::Div.is_total(DType::I32));
            /// ```
            pub fn is_total(self, input: DType) -> bool {
                input.is_float()
                    || input.is_complex()
                    || match self { $(BinaryOp::$variant => stringify!($fault) == "false",)* }
            }

            /// Type of the result; `None` when elements of this type are not taken.
            pub fn output(self, input: DType) -> Option<DType> {
                match self { $(BinaryOp::$variant => if in_class!($class, input) { output!($out, input) } else { None },)* }
            }
        }
    };
}
for_each_binary!(define_binary);

/// A user's closure over runs of elements. Two are equal only when they are the same object, so a closure is
/// never merged with another one.
///
/// ```
/// use chunkwise_chunk::DType;
/// use chunkwise_expr::ElementFn;
/// let f = ElementFn::unary("mapv", |x: f64| x as i32);
/// assert_eq!((f.inputs(), f.output()), (&[DType::F64][..], DType::I32));
/// ```
#[derive(Clone)]
pub struct ElementFn(Arc<Closure>);

struct Closure {
    name: &'static str,
    inputs: Vec<DType>,
    output: DType,
    call: Box<RunFn>,
}

type RunFn = dyn Fn(&[Tile<'_>], TileMut<'_>) + Send + Sync;

impl ElementFn {
    /// A closure of one element.
    pub fn unary<T: Element, U: Element>(
        name: &'static str,
        f: impl Fn(T) -> U + Send + Sync + 'static,
    ) -> ElementFn {
        let call = move |inputs: &[Tile<'_>], out: TileMut<'_>| {
            for (to, &x) in run_mut::<U>(out).iter_mut().zip(run::<T>(inputs[0])) {
                *to = f(x);
            }
        };
        ElementFn(Arc::new(Closure { name, inputs: vec![T::DTYPE], output: U::DTYPE, call: Box::new(call) }))
    }

    /// A closure of two elements.
    pub fn binary<A: Element, B: Element, U: Element>(
        name: &'static str,
        f: impl Fn(A, B) -> U + Send + Sync + 'static,
    ) -> ElementFn {
        let call = move |inputs: &[Tile<'_>], out: TileMut<'_>| {
            let pairs = run::<A>(inputs[0]).iter().zip(run::<B>(inputs[1]));
            for (to, (&a, &b)) in run_mut::<U>(out).iter_mut().zip(pairs) {
                *to = f(a, b);
            }
        };
        let inputs = vec![A::DTYPE, B::DTYPE];
        ElementFn(Arc::new(Closure { name, inputs, output: U::DTYPE, call: Box::new(call) }))
    }

    /// Types of the arguments.
    pub fn inputs(&self) -> &[DType] {
        &self.0.inputs
    }

    /// Type of the result.
    pub fn output(&self) -> DType {
        self.0.output
    }

    /// Name of the method that made it.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Applies the closure to runs of equal length, of the types of [`inputs`](ElementFn::inputs).
    pub fn call(&self, inputs: &[Tile<'_>], out: TileMut<'_>) {
        (self.0.call)(inputs, out);
    }
}

fn run<T: Element>(tile: Tile<'_>) -> &[T] {
    T::of_tile(tile).expect("types were checked when the expression was built")
}

fn run_mut<T: Element>(tile: TileMut<'_>) -> &mut [T] {
    T::of_tile_mut(tile).expect("types were checked when the expression was built")
}

impl PartialEq for ElementFn {
    fn eq(&self, other: &ElementFn) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ElementFn {}

impl Hash for ElementFn {
    // Not the address: it differs from run to run.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
        self.0.inputs.hash(state);
        self.0.output.hash(state);
    }
}

impl fmt::Debug for ElementFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?} -> {})", self.0.name, self.0.inputs, self.0.output)
    }
}

/// An elementwise operation.
///
/// ```
/// use chunkwise_chunk::DType;
/// use chunkwise_expr::ElementOp;
/// let out = ElementOp::Select.output(&[DType::Bool, DType::I8, DType::I8]);
/// assert_eq!(out, Some(DType::I8));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ElementOp {
    /// A row of the unary table.
    Unary(UnaryOp),
    /// A row of the binary table.
    Binary(BinaryOp),
    /// `where`: the second argument where the first is true, else the third.
    Select,
    /// Conversion to another element type; complex numbers convert to complex ones and bool only.
    Cast(DType),
    /// A user's closure.
    Call(ElementFn),
}

impl ElementOp {
    /// Name for plans and errors.
    pub fn name(&self) -> &'static str {
        match self {
            ElementOp::Unary(op) => op.name(),
            ElementOp::Binary(op) => op.name(),
            ElementOp::Select => "where_",
            ElementOp::Cast(_) => "cast",
            ElementOp::Call(f) => f.name(),
        }
    }

    /// Whether every element has a result, and nothing but this library says which: the operation can be done for more
    /// or fewer elements, and nobody sees it. The type is that of the first argument.
    ///
    /// ```
    /// use chunkwise_chunk::DType;
    /// use chunkwise_expr::{BinaryOp, ElementFn, ElementOp, UnaryOp};
    /// assert!(ElementOp::from(UnaryOp::Sqrt).is_total(DType::F64));
    /// assert!(!ElementOp::from(BinaryOp::Rem).is_total(DType::U8));
    /// assert!(!ElementOp::Call(ElementFn::unary("mapv", |x: f64| x)).is_total(DType::F64));
    /// ```
    pub fn is_total(&self, input: DType) -> bool {
        match self {
            ElementOp::Unary(_) | ElementOp::Select | ElementOp::Cast(_) => true,
            ElementOp::Binary(op) => op.is_total(input),
            ElementOp::Call(_) => false,
        }
    }

    /// Type of the result; `None` when number or types of the arguments do not fit.
    pub fn output(&self, inputs: &[DType]) -> Option<DType> {
        match (self, inputs) {
            (ElementOp::Unary(op), &[x]) => op.output(x),
            (ElementOp::Binary(op), &[a, b]) if a == b => op.output(a),
            (ElementOp::Select, &[DType::Bool, a, b]) if a == b => Some(a),
            (ElementOp::Cast(to), &[from]) => converts(from, *to).then_some(*to),
            (ElementOp::Call(f), types) if f.inputs() == types => Some(f.output()),
            _ => None,
        }
    }
}

/// Whether elements of one type have a value in another: only complex numbers do not, in a real type.
fn converts(from: DType, to: DType) -> bool {
    !from.is_complex() || to.is_complex() || to == DType::Bool
}

impl From<UnaryOp> for ElementOp {
    fn from(op: UnaryOp) -> ElementOp {
        ElementOp::Unary(op)
    }
}

impl From<BinaryOp> for ElementOp {
    fn from(op: BinaryOp) -> ElementOp {
        ElementOp::Binary(op)
    }
}
