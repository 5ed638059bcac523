//! What lies beyond the ends of an array, and how deep a margin is.

use chunkwise_chunk::{Element, Scalar};
use chunkwise_expr::ExprError;

use super::AxisMargin;

/// What lies beyond the ends of an axis.
///
/// | | beyond the end of `a b c d` | NumPy's `pad` | `scipy.ndimage` |
/// |---|---|---|---|
/// | `Reflect` | `c b \| a b c d \| c b` | `reflect` | `mirror` |
/// | `Symmetric` | `b a \| a b c d \| d c` | `symmetric` | `reflect` |
/// | `Periodic` | `c d \| a b c d \| a b` | `wrap` | `wrap` |
/// | `Nearest` | `a a \| a b c d \| d d` | `edge` | `nearest` |
/// | `Constant(k)` | `k k \| a b c d \| k k` | `constant` | `constant` |
/// | `None` | nothing: blocks at the ends have less of a margin | | |
///
/// A margin may be deeper than the axis is long: the pattern goes on.
///
/// ```
/// use chunkwise::Boundary;
/// assert_eq!(Boundary::<f64>::default(), Boundary::Symmetric);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Boundary<T> {
    /// Mirrored at the last element, which is not repeated.
    Reflect,
    /// Mirrored behind the last element, which is repeated.
    #[default]
    Symmetric,
    /// The other end of the axis.
    Periodic,
    /// The last element.
    Nearest,
    /// A value. Where several axes are beyond their ends, the last of them says which.
    Constant(T),
    /// Nothing.
    None,
}

impl<T: Element> Boundary<T> {
    /// The same for elements whose type is known only when run.
    fn untyped(self) -> Boundary<Scalar> {
        match self {
            Boundary::Reflect => Boundary::Reflect,
            Boundary::Symmetric => Boundary::Symmetric,
            Boundary::Periodic => Boundary::Periodic,
            Boundary::Nearest => Boundary::Nearest,
            Boundary::Constant(value) => Boundary::Constant(value.into_scalar()),
            Boundary::None => Boundary::None,
        }
    }
}

/// What lies beyond the ends of each axis: one [`Boundary`] for all, or an array or `Vec` with one for each.
///
/// ```
/// use chunkwise::{Boundaries, Boundary};
/// assert_eq!(Boundaries::from(Boundary::Constant(1.0)), Boundary::Constant(1.0).into());
/// assert_ne!(Boundaries::<f64>::from([Boundary::None]), Boundary::None.into());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Boundaries<T>(PerAxis<Boundary<T>>);

/// How deep a margin is: a number for all axes, an array or `Vec` of numbers for each, or of pairs of how deep it is
/// before and after.
///
/// ```
/// use chunkwise::Depth;
/// assert_eq!(Depth::from([1, 2]), Depth::from([(1, 1), (2, 2)]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth(PerAxis<(usize, usize)>);

/// One value for all axes, or an array or `Vec` with one for each.
///
/// ```
/// use chunkwise::PerAxis;
/// assert_eq!(PerAxis::from([1.0, 2.0]), PerAxis::Each(vec![1.0, 2.0]));
/// assert_eq!(PerAxis::from(1.0), PerAxis::Every(1.0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PerAxis<T> {
    /// The same for every axis.
    Every(T),
    /// One for each axis.
    Each(Vec<T>),
}

impl<T> From<T> for PerAxis<T> {
    fn from(every: T) -> PerAxis<T> {
        PerAxis::Every(every)
    }
}

impl<T, const N: usize> From<[T; N]> for PerAxis<T> {
    fn from(each: [T; N]) -> PerAxis<T> {
        PerAxis::Each(each.into())
    }
}

impl<T> From<Vec<T>> for PerAxis<T> {
    fn from(each: Vec<T>) -> PerAxis<T> {
        PerAxis::Each(each)
    }
}

impl<T: Clone> PerAxis<T> {
    /// The value of every axis of an array of this shape; `what` are given, for the error.
    ///
    /// # Errors
    /// When they are given for another number of axes.
    pub fn axes(&self, what: &str, shape: &[usize]) -> Result<Vec<T>, ExprError> {
        match self {
            PerAxis::Every(one) => Ok(vec![one.clone(); shape.len()]),
            PerAxis::Each(each) if each.len() == shape.len() => Ok(each.clone()),
            PerAxis::Each(each) => {
                let (given, ndim) = (each.len(), shape.len());
                let text = format!("{what} for {given} axes, but shape {shape:?} has {ndim}");
                Err(ExprError::Message(text))
            }
        }
    }
}

impl<T> From<Boundary<T>> for Boundaries<T> {
    fn from(boundary: Boundary<T>) -> Boundaries<T> {
        Boundaries(PerAxis::Every(boundary))
    }
}

impl<T, const N: usize> From<[Boundary<T>; N]> for Boundaries<T> {
    fn from(each: [Boundary<T>; N]) -> Boundaries<T> {
        Boundaries(PerAxis::Each(each.into()))
    }
}

impl<T> From<Vec<Boundary<T>>> for Boundaries<T> {
    fn from(each: Vec<Boundary<T>>) -> Boundaries<T> {
        Boundaries(PerAxis::Each(each))
    }
}

impl From<usize> for Depth {
    fn from(depth: usize) -> Depth {
        Depth(PerAxis::Every((depth, depth)))
    }
}

impl From<Vec<(usize, usize)>> for Depth {
    fn from(each: Vec<(usize, usize)>) -> Depth {
        Depth(PerAxis::Each(each))
    }
}

impl From<Vec<usize>> for Depth {
    fn from(each: Vec<usize>) -> Depth {
        each.into_iter().map(|depth| (depth, depth)).collect::<Vec<_>>().into()
    }
}

impl<const N: usize> From<[usize; N]> for Depth {
    fn from(each: [usize; N]) -> Depth {
        each.to_vec().into()
    }
}

impl<const N: usize> From<[(usize, usize); N]> for Depth {
    fn from(each: [(usize, usize); N]) -> Depth {
        each.to_vec().into()
    }
}

impl<T: Element> Boundaries<T> {
    /// The margin of every axis of an array of this shape.
    ///
    /// # Errors
    /// When they are given for another number of axes, or a margin is too deep for any memory.
    pub fn margins(&self, depth: &Depth, shape: &[usize]) -> Result<Vec<AxisMargin>, ExprError> {
        let depths = depth.0.axes("depths are given", shape)?;
        self.around(depths, shape)
    }

    /// [`margins`](Boundaries::margins) that are as deep at the ends as elsewhere: not with [`Boundary::None`].
    ///
    /// # Errors
    /// As there, and when nothing lies beyond an end.
    pub fn full(&self, depths: Vec<(usize, usize)>, shape: &[usize]) -> Result<Vec<AxisMargin>, ExprError> {
        let margins = self.around(depths, shape)?;
        match margins.iter().any(|margin| margin.boundary == Boundary::None) {
            true => Err(ExprError::Message(
                "neighbourhoods at the ends need a boundary; None has no elements there".into(),
            )),
            false => Ok(margins),
        }
    }

    fn around(&self, depths: Vec<(usize, usize)>, shape: &[usize]) -> Result<Vec<AxisMargin>, ExprError> {
        let depths = PerAxis::Each(depths).axes("depths are given", shape)?;
        let boundaries = self.0.axes("boundaries are given", shape)?;
        if let Some((before, after)) = depths.iter().find(|depth| depth.0.max(depth.1) > MOST) {
            let text = format!("a margin of {before} and {after} elements is deeper than any memory");
            return Err(ExprError::Message(text));
        }
        let both = depths.into_iter().zip(boundaries);
        both.map(|((before, after), boundary)| {
            let turns = matches!(boundary, Boundary::Periodic | Boundary::Symmetric | Boundary::Reflect);
            if turns && before.max(after) > MOST_TURNED {
                let text = format!(
                    "a margin of {before} and {after} elements that repeats or mirrors the array is deeper than \
                     {MOST_TURNED}; take a smaller depth, or the boundary Constant or Nearest"
                );
                return Err(ExprError::Message(text));
            }
            Ok(AxisMargin { before, after, boundary: boundary.untyped() })
        })
        .collect()
    }
}

/// Elements of the deepest margin: sums of it and lengths do not overflow.
const MOST: usize = isize::MAX as usize / 64;

/// Elements of the deepest margin that is looked at element by element.
const MOST_TURNED: usize = 1 << 26;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_that_are_listed_have_a_bound() {
        let made = |boundary: Boundary<f64>| Boundaries::from(boundary).margins(&(1 << 27).into(), &[10]);
        assert!(made(Boundary::Periodic).is_err());
        assert!(made(Boundary::Reflect).is_err());
        assert!(made(Boundary::Nearest).is_ok());
    }
}
