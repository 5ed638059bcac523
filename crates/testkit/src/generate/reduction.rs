//! Reductions as users write them: whatever is folded twice, left out or merged in another order shows in their values.

use std::marker::PhantomData;

use chunkwise_chunk::{DType, Element, Scalar, dispatch};
use chunkwise_expr::{BlockError, ReduceKind, Reduction, UserReduction};

use super::draw::Draw;
use crate::eager::number::{is_nan, parts};

/// A reduction of elements of this type. Along one axis it tells in which order it has seen the elements; along several,
/// blocks come one after the other, and the order depends on the grid.
pub(super) fn user_reduction(draw: &mut Draw, dtype: DType, axes: usize) -> ReduceKind {
    let (ordered, refuses) = (axes <= 1, draw.one_in(6));
    dispatch!(dtype, T => {
        let digest = Digest::<T> { ordered, refuses, items: PhantomData };
        ReduceKind::User(UserReduction::new(digest))
    })
}

/// A number that hardly any other elements have.
struct Digest<T> {
    ordered: bool,
    /// Whether some results are refused.
    refuses: bool,
    items: PhantomData<fn(T)>,
}

/// A polynomial of the elements, and the power of its argument that shifts by so many.
#[derive(Clone)]
struct Polynomial {
    value: u64,
    power: u64,
}

const ARGUMENT: u64 = 0x9E37_79B9_7F4A_7C15;

impl<T: Element> Reduction for Digest<T> {
    type Item = T;
    type State = Polynomial;
    type Output = i16;

    fn name(&self) -> &str {
        "digest"
    }

    fn identity(&self) -> Polynomial {
        Polynomial { value: 0, power: 1 }
    }

    fn fold(&self, state: &mut Polynomial, items: &[T]) {
        for &x in items {
            let power = if self.ordered { ARGUMENT } else { 1 };
            self.merge(state, &Polynomial { value: bits(x.into_scalar()), power });
        }
    }

    fn merge(&self, state: &mut Polynomial, later: &Polynomial) {
        state.value = state.value.wrapping_mul(later.power).wrapping_add(later.value);
        state.power = state.power.wrapping_mul(later.power);
    }

    fn finish(&self, state: &Polynomial) -> Result<i16, BlockError> {
        let digest = (state.value >> 48) as i16;
        if self.refuses && digest % 5 == 0 { Err("a digest that five divides".into()) } else { Ok(digest) }
    }
}

/// Different for different elements; all NaN are one.
fn bits(x: Scalar) -> u64 {
    let [re, im] = if is_nan(x) { [f64::NAN; 2] } else { parts(x) };
    let both = re.to_bits() ^ im.to_bits().rotate_left(17);
    (both ^ (both >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9) | 1
}
