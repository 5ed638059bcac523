//! Two cheap operations of floats in one loop.
//!
//! ```text
//! for i in 0..n:  dst[i] = second(first(a[i], b[i]), c[i])        or second(c[i], first(a[i], b[i]))
//! ```
//!
//! The value between the two stays in a vector register: a store and a load of a tile are saved, and a step. Both
//! operations are the rows of the tables, rounded one after the other, so a pair gives the bits of its two loops.
//!
//! Which operations: the first ones and the second ones of differences over a scale, `a x + b`, Horner's rule, sums
//! of products, magnitudes of differences and roots of squares. Each pair is a loop for each type and each
//! instruction set, so the lists are short.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use chunkwise_chunk::{DType, Element};
use chunkwise_expr::{BinaryOp, ElementOp, UnaryOp};
use chunkwise_math::Isa;

use crate::isa::per_isa;
use crate::loops::{BinaryRow, RunFn, UnaryRow};
use crate::table::{binary_rows, unary_rows};

/// An operation of one or two elements, all of one type.
trait Row<T: Element>: 'static {
    /// Whether the second element counts.
    const TAKES_TWO: bool;
    fn apply<I: Isa>(x: T, y: T) -> T;
}

/// A unary row: of the first element.
struct One<O>(PhantomData<O>);
/// A binary row.
struct Two<O>(PhantomData<O>);
/// A binary row with its operands exchanged.
struct Exchanged<O>(PhantomData<O>);

impl<T: Element, O: UnaryRow<T, Out = T>> Row<T> for One<O> {
    const TAKES_TWO: bool = false;
    #[inline(always)]
    fn apply<I: Isa>(x: T, _: T) -> T {
        O::apply::<I>(x)
    }
}

impl<T: Element, O: BinaryRow<T, Out = T>> Row<T> for Two<O> {
    const TAKES_TWO: bool = true;
    #[inline(always)]
    fn apply<I: Isa>(x: T, y: T) -> T {
        O::apply::<I>(x, y)
    }
}

impl<T: Element, O: BinaryRow<T, Out = T>> Row<T> for Exchanged<O> {
    const TAKES_TWO: bool = true;
    #[inline(always)]
    fn apply<I: Isa>(x: T, y: T) -> T {
        O::apply::<I>(y, x)
    }
}

/// # Safety
/// That of [`RunFn`].
#[inline(always)]
unsafe fn pair_body<I: Isa, F: Row<T>, S: Row<T>, T: Element>(
    args: &[*const u8; 3],
    dst: *mut u8,
    n: usize,
) -> bool {
    let [a, b, c] = args.map(<*const u8>::cast::<T>);
    let dst = dst.cast::<T>();
    for i in 0..n {
        // SAFETY: `i < n`, for which the caller vouches; operands that do not count are not read.
        unsafe {
            let x = a.add(i).read();
            let y = if F::TAKES_TWO { b.add(i).read() } else { x };
            let t = F::apply::<I>(x, y);
            let z = if S::TAKES_TWO { c.add(i).read() } else { t };
            dst.add(i).write(S::apply::<I>(t, z));
        }
    }
    true
}

per_isa! {
    /// The loop of two rows.
    fn pair<F: [Row<T>], S: [Row<T>], T: [Element]>(args: &[*const u8; 3], dst: *mut u8, n: usize) -> bool
        = pair_body::<Arithmetic, F, S, T>
}

macro_rules! define_pairs {
    ($($v:ident $t:ty),*) => {
        /// The loop of two operations of this type, the second of which takes the result of the first as its
        /// first operand, or as its last one; `None` where there is none.
        pub(crate) fn pair_run(first: &ElementOp, second: &ElementOp, last: bool, dtype: DType) -> Option<RunFn> {
            match dtype {
                $(DType::$v => {
                    fn then<F: Row<$t>>(second: &ElementOp, last: bool) -> Option<RunFn> {
                        Some(match (second, last) {
                            (ElementOp::Unary(UnaryOp::Sqrt), _) => pair::<F, One<unary_rows::Sqrt>, $t>(),
                            (ElementOp::Unary(UnaryOp::Abs), _) => pair::<F, One<unary_rows::Abs>, $t>(),
                            (ElementOp::Unary(UnaryOp::Square), _) => pair::<F, One<unary_rows::Square>, $t>(),
                            (ElementOp::Binary(BinaryOp::Add), _) => pair::<F, Two<binary_rows::Add>, $t>(),
                            (ElementOp::Binary(BinaryOp::Mul), _) => pair::<F, Two<binary_rows::Mul>, $t>(),
                            (ElementOp::Binary(BinaryOp::Sub), false) => pair::<F, Two<binary_rows::Sub>, $t>(),
                            (ElementOp::Binary(BinaryOp::Sub), true) => pair::<F, Exchanged<binary_rows::Sub>, $t>(),
                            (ElementOp::Binary(BinaryOp::Div), false) => pair::<F, Two<binary_rows::Div>, $t>(),
                            (ElementOp::Binary(BinaryOp::Maximum), false) => pair::<F, Two<binary_rows::Maximum>, $t>(),
                            (ElementOp::Binary(BinaryOp::Minimum), false) => pair::<F, Two<binary_rows::Minimum>, $t>(),
                            _ => return None,
                        })
                    }
                    match first {
                        ElementOp::Unary(UnaryOp::Square) => then::<One<unary_rows::Square>>(second, last),
                        ElementOp::Binary(BinaryOp::Add) => then::<Two<binary_rows::Add>>(second, last),
                        ElementOp::Binary(BinaryOp::Sub) => then::<Two<binary_rows::Sub>>(second, last),
                        ElementOp::Binary(BinaryOp::Mul) => then::<Two<binary_rows::Mul>>(second, last),
                        _ => None,
                    }
                })*
                _ => None,
            }
        }
    };
}
define_pairs!(F32 f32, F64 f64);
