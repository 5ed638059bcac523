//! Elementwise operations by name: one arm for each row of the operation tables, made from the tables, and
//! NumPy's rules for the types that a row does not take.

use std::panic::Location;

use chunkwise::prelude::*;
use chunkwise_chunk::{Element, dispatch, for_each_dtype};
use chunkwise_expr::{BinaryOp, Expr, UnaryOp, for_each_binary, for_each_unary};

use super::Refusal;
use super::case::{CaseStep, dtype_named, scalar};
use crate::AnyArray;
use crate::eager::number::float;

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
    (Element $($rest:tt)*) => { with_types!($($rest)*; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Ordered $($rest:tt)*) => { with_types!($($rest)*; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Number $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 C64 C128) };
    (Real $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 U8 U16 U32 U64 F32 F64) };
    (Signed $($rest:tt)*) => { with_types!($($rest)*; I8 I16 I32 I64 F32 F64 C64 C128) };
    (Inexact $($rest:tt)*) => { with_types!($($rest)*; F32 F64 C64 C128) };
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
    (operator Complex $name:ident $a:ident $b:ident) => { LazyArray::from_parts($a, $b) };
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
    if let Some(done) = composed(step, args) {
        return Some(done);
    }
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

/// The methods that are made of several operations; `None` for other names.
fn composed(step: &CaseStep, args: &[&AnyArray]) -> Option<Result<AnyArray, Refusal>> {
    let done = match *args {
        [index, ref choices @ ..] if step.op == "choose" => choose_among(index, choices),
        [x] => composed_of_one(step, x)?,
        [a, b] => composed_of_two(step, a, b)?,
        [first, second, a, b, ref default @ ..] if step.op == "select" => {
            select_first([first, second], [a, b], default)
        }
        _ => return None,
    };
    Some(done.ok_or_else(|| Refusal::types(&step.op, args)))
}

fn composed_of_one(step: &CaseStep, x: &AnyArray) -> Option<Option<AnyArray>> {
    let bound = |name: &str| step.param(name).and_then(|x| scalar(x, DType::F64).ok()).map_or(0.0, float);
    let decimals = step.integer("decimals").ok().flatten().unwrap_or(0) as i32;
    Some(match step.op.as_str() {
        "logical_not" => with_class!(Element x, x.logical_not()),
        "round" => with_class!(Real x, x.round_to(decimals)),
        "sinc" => with_class!(Float x, x.sinc()),
        "frexp_mantissa" => with_class!(Float x, x.frexp().0),
        "frexp_exponent" => with_class!(Float x, x.frexp().1),
        "modf_fraction" => with_class!(Float x, x.modf().0),
        "modf_whole" => with_class!(Float x, x.modf().1),
        "is_sign_positive" => with_class!(Float x, x.is_sign_positive()),
        "is_pos_inf" => with_class!(Float x, x.is_pos_inf()),
        "is_neg_inf" => with_class!(Float x, x.is_neg_inf()),
        "nan_to_num" if step.param("nan").is_some() => {
            let AnyArray::F64(x) = x else { return Some(None) };
            Some(x.nan_to_num_with(bound("nan"), bound("posinf"), bound("neginf")).into())
        }
        _ => return None,
    })
}

fn composed_of_two(step: &CaseStep, a: &AnyArray, b: &AnyArray) -> Option<Option<AnyArray>> {
    let number = |name: &str, default: f64| step.param(name).and_then(|x| x.as_f64()).unwrap_or(default);
    Some(match step.op.as_str() {
        "logical_and" => with_class!(Element a, b, a.logical_and(b)),
        "logical_or" => with_class!(Element a, b, a.logical_or(b)),
        "logical_xor" => with_class!(Element a, b, a.logical_xor(b)),
        "is_close" => {
            let (rtol, atol) = (number("rtol", 1e-5), number("atol", 1e-8));
            let equal_nan = step.flag("equal_nan").unwrap_or(false);
            with_class!(Element a, b, a.is_close(b, rtol, atol, equal_nan))
        }
        "all_close" => {
            let (rtol, atol) = (number("rtol", 1e-5), number("atol", 1e-8));
            with_class!(Element a, b, a.all_close(b, rtol, atol, false).into_dyn())
        }
        "true_div" => true_div(a, b),
        "float_power" => with_class!(Ordered a, b, a.float_power(b)),
        "divmod_quotient" => with_class!(Real a, b, a.divmod(b).0),
        "divmod_rest" => with_class!(Real a, b, a.divmod(b).1),
        "left_shift" => with_class!(Integer a, b, a.left_shift(b)),
        "right_shift" => with_class!(Integer a, b, a.right_shift(b)),
        "heaviside" => with_class!(Float a, b, a.heaviside(b)),
        "log2_add_exp2" => with_class!(Float a, b, a.log2_add_exp2(b)),
        "ldexp" => match (a, b) {
            (AnyArray::F64(x), AnyArray::I32(n)) => Some(x.ldexp(n).into()),
            (AnyArray::F32(x), AnyArray::I32(n)) => Some(x.ldexp(n).into()),
            _ => None,
        },
        name => masked(step, name.strip_prefix("masked_")?, a, b)?,
    })
}

fn true_div(a: &AnyArray, b: &AnyArray) -> Option<AnyArray> {
    match (a, b) {
        (AnyArray::F32(a), AnyArray::F32(b)) => Some(a.true_div(b).into()),
        _ => with_class!(Element a, b, AnyArray::from_expr(a.true_div(b).expr())),
    }
}

/// A reduction of the elements of `x` that `mask` does not hide, as NumPy's `ma`; 0 where there are none.
fn masked(step: &CaseStep, name: &str, x: &AnyArray, mask: &AnyArray) -> Option<Option<AnyArray>> {
    macro_rules! over {
        ($x:ident, $all:ident $one:ident $($ddof:expr)?) => {
            match step.integer("axis").ok()? {
                None => AnyArray::from_expr($x.$all($($ddof)?).filled(Default::default()).expr()),
                Some(axis) => {
                    let axis = Axis(axis as usize);
                    AnyArray::from_expr($x.$one(axis $(, $ddof)?).filled(Default::default()).expr())
                }
            }
        };
    }
    let AnyArray::Bool(mask) = mask else { return Some(None) };
    let ddof = step.number("ddof").ok()?;
    macro_rules! of_any {
        ($class:ident $all:ident $one:ident $($ddof:expr)?) => {
            with_class!($class x, { let x = x.masked_where(mask); over!(x, $all $one $($ddof)?) })
        };
    }
    Some(match name {
        "sum" => of_any!(Element sum sum_axis),
        "prod" => of_any!(Element prod prod_axis),
        "min" => of_any!(Ordered min min_axis),
        "max" => of_any!(Ordered max max_axis),
        "mean" => of_any!(Element mean mean_axis),
        "var" => of_any!(Element var var_axis ddof),
        "std" => of_any!(Element std std_axis ddof),
        "any" => of_any!(Element any any_axis),
        "all" => of_any!(Element all all_axis),
        "argmin" => of_any!(Ordered argmin argmin_axis),
        "argmax" => of_any!(Ordered argmax argmax_axis),
        _ => return None,
    })
}

/// Choices of `f64` by an index of any integer type.
fn choose_among(index: &AnyArray, choices: &[&AnyArray]) -> Option<AnyArray> {
    let choices = of_f64(choices)?;
    with_class!(Integer index, index.choose(&choices))
}

fn select_first(
    conditions: [&AnyArray; 2],
    choices: [&AnyArray; 2],
    default: &[&AnyArray],
) -> Option<AnyArray> {
    let [AnyArray::Bool(first), AnyArray::Bool(second)] = conditions else { return None };
    let choices = of_f64(&choices)?;
    let conditions = [first.clone(), second.clone()];
    match *default {
        [] => Some(chunkwise::select(&conditions, &choices, 0.0).into()),
        [AnyArray::F64(default)] => Some(chunkwise::select(&conditions, &choices, default).into()),
        _ => None,
    }
}

fn of_f64(arrays: &[&AnyArray]) -> Option<Vec<LazyArrayD<f64>>> {
    arrays.iter().map(|x| if let AnyArray::F64(x) = x { Some(x.clone()) } else { None }).collect()
}

/// An operation of one array, with NumPy's rules for types that the API does not take.
pub(super) fn unary(op: UnaryOp, x: &AnyArray) -> Result<AnyArray, Refusal> {
    use UnaryOp::{Ceil, Floor, Neg, Round, RoundTiesEven, Trunc};
    if let Some(done) = apply_unary(op, x) {
        return Ok(done);
    }
    match op {
        op if x.dtype().is_complex() => Err(Refusal::types(op.name(), &[x])),
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
        (BinaryOp::Div, dtype) if !dtype.is_float() && !dtype.is_complex() => both(BinaryOp::Div, DType::F64),
        (BinaryOp::Add, DType::Bool) => both(BinaryOp::BitOr, DType::Bool),
        (BinaryOp::Mul, DType::Bool) => both(BinaryOp::BitAnd, DType::Bool),
        (BinaryOp::Sub, DType::Bool) => Err(refused()),
        (op, dtype) if a.dtype() == b.dtype() && op.output(dtype).is_none() && !dtype.is_complex() => {
            both(op, DType::F64)
        }
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
