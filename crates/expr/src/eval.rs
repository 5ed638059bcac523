//! Elementwise operations of single values, straight from the tables: the meaning every kernel must match,
//! used to fold constants and as the truth of tests.

use chunkwise_chunk::{Element, Scalar, Tile, TileMut, dispatch};

use crate::{
    Arith, BinaryOp, ElementOp, Order, Parts, RealArith, UnaryOp, cast, for_each_binary, for_each_unary,
};

/// Evaluates `$body` when the scalar's type is in the class.
#[rustfmt::skip]
macro_rules! with_class {
    (Element, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Ordered, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Number, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Real, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Signed, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; I8 I16 I32 I64 F32 F64 C64 C128) };
    (Inexact, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; F32 F64 C64 C128) };
    (Float, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; F32 F64) };
    (Bits, $s:expr, $x:ident, $body:expr) => { with_types!($s, $x, $body; Bool I8 I16 I32 I64 U8 U16 U32 U64) };
}

macro_rules! with_types {
    ($s:expr, $x:ident, $body:expr; $($v:ident)*) => {
        match $s {
            $(Scalar::$v($x) => Some(Scalar::from($body)),)*
            #[allow(unreachable_patterns)]
            _ => None,
        }
    };
}

#[rustfmt::skip]
macro_rules! with_class2 {
    (Element, $p:expr, $a:ident, $b:ident, $f:expr, $body:expr) => { with_types2!($p, $a, $b, $f, $body; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Ordered, $p:expr, $a:ident, $b:ident, $f:expr, $body:expr) => { with_types2!($p, $a, $b, $f, $body; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Number, $p:expr, $a:ident, $b:ident, $f:expr, $body:expr) => { with_types2!($p, $a, $b, $f, $body; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Real, $p:expr, $a:ident, $b:ident, $f:expr, $body:expr) => { with_types2!($p, $a, $b, $f, $body; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Float, $p:expr, $a:ident, $b:ident, $f:expr, $body:expr) => { with_types2!($p, $a, $b, $f, $body; F32 F64) };
    (Bits, $p:expr, $a:ident, $b:ident, $f:expr, $body:expr) => { with_types2!($p, $a, $b, $f, $body; Bool I8 I16 I32 I64 U8 U16 U32 U64) };
    (Integer, $p:expr, $a:ident, $b:ident, $f:expr, $body:expr) => { with_types2!($p, $a, $b, $f, $body; I8 I16 I32 I64 U8 U16 U32 U64) };
}

macro_rules! with_types2 {
    ($p:expr, $a:ident, $b:ident, $f:expr, $body:expr; $($v:ident)*) => {
        match $p {
            $((Scalar::$v($a), Scalar::$v($b)) => if $f { None } else { Some(Scalar::from($body)) },)*
            _ => None,
        }
    };
}

macro_rules! define_eval_unary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$x:ident| $body:expr,
        $form:ident $(via $math:ident)?, eg $eg:expr => $res:expr;)*) => {
        /// The value of a unary operation; `None` when it does not take this type.
        ///
        /// ```
        /// use chunkwise_chunk::Scalar;
        /// use chunkwise_expr::{UnaryOp, eval_unary};
        /// assert_eq!(eval_unary(UnaryOp::Sqrt, Scalar::F64(9.0)), Some(Scalar::F64(3.0)));
        /// ```
        pub fn eval_unary(op: UnaryOp, x: Scalar) -> Option<Scalar> {
            match op { $(UnaryOp::$variant => with_class!($class, x, $x, $body),)* }
        }
    };
}
for_each_unary!(define_eval_unary);

macro_rules! define_eval_binary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$a:ident, $b:ident| $body:expr,
        faults $fault:expr, $form:ident $(via $math:ident)?, eg $ea:expr, $eb:expr => $res:expr;)*) => {
        /// The value of a binary operation; `None` when it does not take these types, or is an error for
        /// these values.
        ///
        /// ```
        /// use chunkwise_chunk::Scalar;
        /// use chunkwise_expr::{BinaryOp, eval_binary};
        /// assert_eq!(eval_binary(BinaryOp::Div, Scalar::I32(1), Scalar::I32(0)), None);
        /// ```
        #[allow(unused_variables)]
        pub fn eval_binary(op: BinaryOp, a: Scalar, b: Scalar) -> Option<Scalar> {
            match op { $(BinaryOp::$variant => with_class2!($class, (a, b), $a, $b, $fault, $body),)* }
        }
    };
}
for_each_binary!(define_eval_binary);

/// The value converted to another type; see [`cast`].
///
/// ```
/// use chunkwise_chunk::{DType, Scalar};
/// use chunkwise_expr::eval_cast;
/// assert_eq!(eval_cast(Scalar::F64(-1.9), DType::I32), Scalar::I32(-1));
/// ```
pub fn eval_cast(x: Scalar, to: chunkwise_chunk::DType) -> Scalar {
    dispatch!(to, U => match x {
        Scalar::Bool(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::I8(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::I16(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::I32(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::I64(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::U8(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::U16(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::U32(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::U64(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::F32(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::F64(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::C64(x) => Scalar::from(cast::<_, U>(x)),
        Scalar::C128(x) => Scalar::from(cast::<_, U>(x)),
    })
}

/// The value of any elementwise operation; `None` when the types do not fit or the values are an error.
///
/// ```
/// use chunkwise_chunk::Scalar;
/// use chunkwise_expr::{ElementFn, ElementOp, eval_element};
/// let double = ElementOp::Call(ElementFn::unary("mapv", |x: i32| 2 * x));
/// assert_eq!(eval_element(&double, &[Scalar::I32(4)]), Some(Scalar::I32(8)));
/// ```
pub fn eval_element(op: &ElementOp, args: &[Scalar]) -> Option<Scalar> {
    match (op, args) {
        (ElementOp::Unary(op), &[x]) => eval_unary(*op, x),
        (ElementOp::Binary(op), &[a, b]) => eval_binary(*op, a, b),
        (ElementOp::Select, &[Scalar::Bool(which), a, b]) => Some(if which { a } else { b }),
        (ElementOp::Cast(to), &[x]) => op.output(&[x.dtype()]).map(|_| eval_cast(x, *to)),
        (ElementOp::Call(f), args) if args.iter().map(|x| x.dtype()).eq(f.inputs().iter().copied()) => {
            let tiles: Vec<OneElement> = args.iter().map(|&x| OneElement::new(x)).collect();
            let runs: Vec<Tile<'_>> = tiles.iter().map(OneElement::tile).collect();
            let mut out = OneElement::new(Scalar::zero(f.output()));
            f.call(&runs, out.tile_mut());
            Some(out.value())
        }
        _ => None,
    }
}

macro_rules! define_one_element {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// A run of one element.
        enum OneElement { $($v([$t; 1]),)* }

        impl OneElement {
            fn new(x: Scalar) -> OneElement {
                match x { $(Scalar::$v(x) => OneElement::$v([x]),)* }
            }

            fn tile(&self) -> Tile<'_> {
                match self { $(OneElement::$v(x) => Tile::$v(x),)* }
            }

            fn tile_mut(&mut self) -> TileMut<'_> {
                match self { $(OneElement::$v(x) => TileMut::$v(x),)* }
            }

            fn value(&self) -> Scalar {
                match self { $(OneElement::$v(x) => x[0].into_scalar(),)* }
            }
        }
    };
}
chunkwise_chunk::for_each_dtype!(define_one_element);
