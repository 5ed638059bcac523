//! Elementwise operations by name: one arm for each row of the operation tables, made from the tables, and
//! NumPy's rules for the types that a row does not take.

use std::panic::Location;

use chunkwise::prelude::*;
use chunkwise_chunk::{Element, dispatch, for_each_dtype};
use chunkwise_expr::{BinaryOp, Expr, UnaryOp, for_each_binary, for_each_unary};

use super::Refusal;
use super::case::{CaseStep, dtype_named, scalar};
use crate::AnyArray;

macro_rules! list_dtypes {
    ($($v:ident $t:ty, $name:literal;)*) => {
        /// Every element type.
        pub(super) const ALL_DTYPES: &[DType] = &[$(DType::$v),*];

        /// The elements converted to another type.
        pub(super) fn cast(x: &AnyArray, to: DType) -> AnyArray {
            match x { $(AnyArray::$v(x) => dispatch!(to, U => x.cast::<U>().into()),)* }
        }

        /// True where an element is not zero.
        pub(super) fn truth(x: &AnyArray) -> AnyArray {
            match x {
                AnyArray::Bool(x) => x.clone().into(),
                $(#[allow(unreachable_patterns)] AnyArray::$v(x) => x.ne(<$t>::default()).into(),)*
            }
        }

        /// `where(mask, a, b)`.
        fn select(mask: &LazyArrayD<bool>, a: &AnyArray, b: &AnyArray) -> Option<AnyArray> {
            match (a, b) {
                $((AnyArray::$v(a), AnyArray::$v(b)) => Some(mask.where_(a, b).into()),)*
                _ => None,
            }
        }
    };
}
for_each_dtype!(list_dtypes);

/// Evaluates `$body` for arrays of the types in a class of the tables.
#[rustfmt::skip]
macro_rules! with_class {
    (Element $($rest:tt)*) => { with_types!($($rest)*; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Number $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Signed $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 F32 F64) };
    (Float $($rest:tt)*) => { with_types!($($rest)*; F32 F64) };
    (Bits $($rest:tt)*) => { with_types!($($rest)*; Bool I8 I16 I32 I64 U8 U16 U32 U64) };
    (Integer $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 U8 U16 U32 U64) };
}

macro_rules! with_types {
    ($x:ident, $body:expr; $($v:ident)*) => {
        match $x {
            $(AnyArray::$v($x) => Some($body.into()),)*
            #[allow(unreachable_patterns)]
            _ => None,
        }
    };
    ($a:ident, $b:ident, $body:expr; $($v:ident)*) => {
        match ($a, $b) {
            $((AnyArray::$v($a), AnyArray::$v($b)) => Some($body.into()),)*
            _ => None,
        }
    };
}

/// The public way to write an operation: its method, or its operator.
#[rustfmt::skip]
macro_rules! written {
    (method $variant:ident $name:ident $x:ident) => { $x.$name() };
    (operator $variant:ident $name:ident $x:ident) => { std::ops::$variant::$name($x) };
    (method $variant:ident $name:ident $a:ident $b:ident) => { $a.$name($b) };
    (operator Add $name:ident $a:ident $b:ident) => { $a + $b };
    (operator Sub $name:ident $a:ident $b:ident) => { $a - $b };
    (operator Mul $name:ident $a:ident $b:ident) => { $a * $b };
    (operator Div $name:ident $a:ident $b:ident) => { $a / $b };
    (operator Rem $name:ident $a:ident $b:ident) => { $a % $b };
    (operator BitAnd $name:ident $a:ident $b:ident) => { $a & $b };
    (operator BitOr $name:ident $a:ident $b:ident) => { $a | $b };
    (operator BitXor $name:ident $a:ident $b:ident) => { $a ^ $b };
    (operator Shl $name:ident $a:ident $b:ident) => { $a << $b };
    (operator Shr $name:ident $a:ident $b:ident) => { $a >> $b };
    (operator IndexOf $name:ident $a:ident $b:ident) => { checked_index($a, $b) };
}

/// The operation that has neither a method nor an operator: `choose` makes it.
fn checked_index<T: Element>(a: &LazyArrayD<T>, b: &LazyArrayD<T>) -> LazyArrayD<T> {
    let inputs = [a.expr(), b.expr()];
    LazyArrayD::from_expr(Expr::element(BinaryOp::IndexOf.into(), &inputs, Location::caller()))
}

macro_rules! define_unary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$x:ident| $body:expr,
        $form:ident $(via $math:ident)?, eg $eg:expr => $res:expr;)*) => {
        /// An operation as the API has it; `None` when it does not take the type.
        fn apply_unary(op: UnaryOp, x: &AnyArray) -> Option<AnyArray> {
            match op { $(UnaryOp::$variant => with_class!($class x, written!($form $variant $name x)),)* }
        }
    };
}
for_each_unary!(define_unary);

macro_rules! define_binary {
    ($($(#[$doc:meta])* $variant:ident $name:ident: $class:ident -> $out:ident, |$a:ident, $b:ident| $body:expr,
        faults $fault:expr, $form:ident $(via $math:ident)?, eg $ea:expr, $eb:expr => $res:expr;)*) => {
        /// An operation as the API has it; `None` when it does not take the types.
        fn apply_binary(op: BinaryOp, a: &AnyArray, b: &AnyArray) -> Option<AnyArray> {
            match op { $(BinaryOp::$variant => with_class!($class a, b, written!($form $variant $name a b)),)* }
        }
    };
}
for_each_binary!(define_binary);

/// The elementwise operation of this name; `None` when it is not one.
pub(super) fn elementwise(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    Some(match (step.op.as_str(), args) {
        ("where", &[mask, a, b]) => choose(mask, a, b),
        ("cast", &[x]) => cast_step(step, x),
        ("clip", &[x]) => clip(step, x),
        ("not_", &[x]) => unary(UnaryOp::Not, &truth(x)),
        ("and_", &[a, b]) => binary(BinaryOp::BitAnd, &truth(a), &truth(b)),
        ("or_", &[a, b]) => binary(BinaryOp::BitOr, &truth(a), &truth(b)),
        ("xor_", &[a, b]) => binary(BinaryOp::BitXor, &truth(a), &truth(b)),
        ("fmod", &[a, b]) => binary(BinaryOp::Rem, a, b),
        (name, &[x]) => unary(*UnaryOp::ALL.iter().find(|op| op.name() == name)?, x),
        (name, &[a, b]) => binary(*BinaryOp::ALL.iter().find(|op| op.name() == name)?, a, b),
        _ => return None,
    })
}

/// An operation of one array, with NumPy's rules for types that the API does not take.
pub(super) fn unary(op: UnaryOp, x: &AnyArray) -> Result<AnyArray, Refusal> {
    use UnaryOp::{Ceil, Floor, Neg, Round, RoundTiesEven, Trunc};
    if let Some(done) = apply_unary(op, x) {
        return Ok(done);
    }
    match op {
        Floor | Ceil | Trunc | Round | RoundTiesEven => Ok(x.clone()),
        Neg if x.dtype().is_unsigned() => binary(BinaryOp::Sub, &number(0.0, x.dtype()), x),
        op => apply_unary(op, &cast(x, DType::F64)).ok_or_else(|| Refusal::types(op.name(), &[x])),
    }
}

/// An operation of two arrays, with NumPy's rules for types that the API does not take.
pub(super) fn binary(op: BinaryOp, a: &AnyArray, b: &AnyArray) -> Result<AnyArray, Refusal> {
    let refused = || Refusal::types(op.name(), &[a, b]);
    let both = |op, to| apply_binary(op, &cast(a, to), &cast(b, to)).ok_or_else(refused);
    match (op, a.dtype()) {
        (BinaryOp::Div, dtype) if !dtype.is_float() => both(BinaryOp::Div, DType::F64),
        (BinaryOp::Add, DType::Bool) => both(BinaryOp::BitOr, DType::Bool),
        (BinaryOp::Mul, DType::Bool) => both(BinaryOp::BitAnd, DType::Bool),
        (BinaryOp::Sub, DType::Bool) => Err(refused()),
        (op, dtype) if a.dtype() == b.dtype() && op.output(dtype).is_none() => both(op, DType::F64),
        _ => apply_binary(op, a, b).ok_or_else(refused),
    }
}

fn choose(mask: &AnyArray, a: &AnyArray, b: &AnyArray) -> Result<AnyArray, Refusal> {
    let AnyArray::Bool(mask) = truth(mask) else { return Err(Refusal::types("where", &[mask])) };
    select(&mask, a, b).ok_or_else(|| Refusal::types("where", &[a, b]))
}

fn cast_step(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let name = step.param("dtype").and_then(|value| value.as_str()).unwrap_or_default();
    Ok(cast(x, dtype_named(name)?))
}

/// Either bound may be absent.
fn clip(step: &CaseStep, x: &AnyArray) -> Result<AnyArray, Refusal> {
    let mut clipped = x.clone();
    for (name, op) in [("min", BinaryOp::Maximum), ("max", BinaryOp::Minimum)] {
        if let Some(bound) = step.param(name) {
            let bound = crate::PlainArray::new(x.dtype(), &[], vec![scalar(bound, x.dtype())?]);
            clipped = binary(op, &clipped, &AnyArray::from_plain(&bound, ..))?;
        }
    }
    Ok(clipped)
}

/// A number of any type, to broadcast.
fn number(value: f64, dtype: DType) -> AnyArray {
    let value = chunkwise_expr::eval_cast(value.into(), dtype);
    AnyArray::from_plain(&crate::PlainArray::new(dtype, &[], vec![value]), ..)
}
