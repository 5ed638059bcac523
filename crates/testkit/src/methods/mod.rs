//! The methods of lazy arrays: each used at random, and what it must give by the plainest loop there is.
//!
//! Random expressions test what nodes do. A method may make several nodes, or none for some arguments: here it is
//! called as users call it, on arrays in random chunks, and compared as a whole.

mod blocks;
mod complex;
mod complex_lines;
mod contract;
mod filter;
mod function;
mod indexing;
mod layout;
mod missing;
mod overlap;
mod rolling;
mod scan;
mod statistics;
mod values;

use chunkwise::{Chunks, LazyArrayD};
use chunkwise_chunk::Element;

use crate::eager::number::{magnitude, parts};
use crate::generate::data::{grid, shape_of_rank, values};
use crate::generate::draw::Draw;
use crate::{AnyArray, PlainArray, same_value};

/// A public method, and how to draw a use of it.
pub(crate) struct Method {
    /// Its name.
    pub(crate) name: &'static str,
    /// Draws arguments, calls it, and computes what it must give.
    pub(crate) draw: fn(&mut Draw) -> Use,
}

/// One use of a method.
#[derive(Clone, Debug)]
pub struct Use {
    array: AnyArray,
    /// `None` where the result must be an error.
    want: Option<PlainArray>,
    /// How far a value may be from the wanted one, relative to the largest of the wanted ones: 0 is equal.
    tolerance: f64,
}

impl Use {
    /// A use that must give exactly these values.
    pub(crate) fn exact(array: impl Into<AnyArray>, want: PlainArray) -> Use {
        Use { array: array.into(), want: Some(want), tolerance: 0.0 }
    }

    /// A use that must give these values but for rounding.
    pub(crate) fn within(tolerance: f64, array: impl Into<AnyArray>, want: PlainArray) -> Use {
        Use { array: array.into(), want: Some(want), tolerance }
    }

    /// A use that must be an error.
    pub(crate) fn fails(array: impl Into<AnyArray>) -> Use {
        Use { array: array.into(), want: None, tolerance: 0.0 }
    }

    /// What was built.
    pub fn array(&self) -> &AnyArray {
        &self.array
    }

    /// Says what is wrong with what was computed.
    ///
    /// # Errors
    /// When it is not what it must be, in words.
    pub fn check(&self, got: Result<&PlainArray, &dyn std::fmt::Display>) -> Result<(), String> {
        match (got, &self.want) {
            (Err(_), None) => Ok(()),
            (Err(error), Some(want)) => Err(format!("the error {error}, want {want:?}")),
            (Ok(got), None) => Err(format!("{got:?}, want an error")),
            (Ok(got), Some(want)) if self.is_near(got, want) => Ok(()),
            (Ok(got), Some(want)) => Err(format!("{got:?}, want {want:?}")),
        }
    }

    fn is_near(&self, got: &PlainArray, want: &PlainArray) -> bool {
        if (got.dtype(), got.shape()) != (want.dtype(), want.shape()) {
            return false;
        }
        let finite = want.data().iter().map(|&x| magnitude(x)).filter(|x| x.is_finite());
        let most = self.tolerance * finite.fold(0.0, f64::max);
        let distance = |got, want| {
            let ([a, b], [c, d]) = (parts(got), parts(want));
            (a - c).hypot(b - d)
        };
        let near = |(&got, &want)| same_value(got, want) || distance(got, want) <= most;
        got.data().iter().zip(want.data()).all(near)
    }
}

/// An array of random values in random chunks, and the same values as a plain array.
pub(crate) fn array<T: Element>(draw: &mut Draw, ndim: usize) -> (LazyArrayD<T>, PlainArray) {
    let shape = shape_of_rank(draw, ndim);
    array_of_shape(draw, &shape)
}

/// An array of a given shape, of random values in random chunks, and the same values as a plain array.
pub(crate) fn array_of_shape<T: Element>(draw: &mut Draw, shape: &[usize]) -> (LazyArrayD<T>, PlainArray) {
    let plain = values(draw, T::DTYPE, shape);
    let chunks = Chunks::from(grid(draw, shape));
    let lazy = AnyArray::from_plain(&plain, chunks);
    (LazyArrayD::from_expr(lazy.expr().clone()), plain)
}

fn methods() -> impl Iterator<Item = &'static Method> {
    let topics = [
        blocks::METHODS,
        complex::METHODS,
        complex_lines::METHODS,
        contract::METHODS,
        filter::METHODS,
        function::METHODS,
        indexing::METHODS,
        missing::METHODS,
        overlap::METHODS,
        rolling::METHODS,
        scan::METHODS,
        statistics::METHODS,
        statistics::WEIGHTED,
        statistics::BY_USERS,
        values::METHODS,
    ];
    topics.into_iter().chain(layout::METHODS.iter().copied()).flatten()
}

/// The names of the methods that can be drawn, some of them several times.
pub fn method_names() -> Vec<&'static str> {
    methods().map(|method| method.name).collect()
}

/// A use of every method, drawn from a seed.
pub fn random_uses(seed: u64) -> impl Iterator<Item = (&'static str, Use)> {
    methods().zip(0u64..).map(move |(method, at)| {
        let mut draw = Draw::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ at);
        (method.name, (method.draw)(&mut draw))
    })
}
