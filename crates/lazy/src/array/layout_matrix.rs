//! Diagonals, triangles, and the indices of both.

use std::sync::Arc;

use chunkwise_chunk::{AxisChunks, ChunkGrid, ChunkSource, Chunks, DType, Element, Scalar, View};
use chunkwise_expr::{BinaryOp, ElementOp, Expr};
use chunkwise_ops::index;
use chunkwise_ops::shape::{Beyond, Extend, Walk};
use chunkwise_storage::{ArangeSource, FnSource};
use ndarray::{Dimension, IntoDimension, Ix1, Ix2, SliceInfoElem};

use super::layout::{Origin, check_axis};
use super::{here, size_checked};
use crate::{LazyArray, LazyArray1, LazyArrayD};

impl<T: Element> LazyArray<T, Ix2> {
    /// The main diagonal of a matrix, as ndarray's `diag`.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.diag().compute()?, ndarray::arr1(&[1, 4]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn diag(&self) -> LazyArray<T, Ix1> {
        LazyArray::wrap(index::diagonal(self.expr(), 0, [0, 1], here()))
    }

    /// The matrix with these elements on its `k`-th diagonal and zeros elsewhere; `k > 0` lies above the main diagonal.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(1_i32, 3, 1, 2);
    /// assert_eq!(LazyArray::from_diag(&x, 0).compute()?, ndarray::arr2(&[[1, 0], [0, 2]]));
    /// assert_eq!(LazyArray::from_diag(&x, -1).shape(), [3, 3]);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_diag(elements: &LazyArray<T, Ix1>, k: isize) -> LazyArray<T, Ix2> {
        LazyArray::wrap(from_diagonal(elements.expr(), k, here()))
    }

    /// Ones on and below the `k`-th diagonal, zeros above it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::<u8, _>::tri((2, 3), 0, 2);
    /// assert_eq!(x.compute()?, ndarray::arr2(&[[1, 0, 0], [1, 1, 0]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn tri(shape: (usize, usize), k: isize, chunks: impl Into<Chunks>) -> LazyArray<T, Ix2> {
        let at = here();
        let shape = [shape.0, shape.1];
        let grid = size_checked(&shape).and_then(|_| Ok(chunks.into().grid(&shape, T::DTYPE.itemsize())?));
        LazyArray::wrap(match grid {
            Ok(grid) => below(&grid, k, at).cast(T::DTYPE, at),
            Err(cause) => Expr::invalid("tri", cause, at),
        })
    }
}

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// The elements on and below the `k`-th diagonal of the last two axes, zeros above it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.tril(0).compute()?, ndarray::arr2(&[[1, 0], [3, 4]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tril(&self, k: isize) -> LazyArray<T, D> {
        LazyArray::wrap(triangle("tril", self.expr(), k, true, here()))
    }

    /// The elements on and above the `k`-th diagonal of the last two axes, zeros below it.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.triu(1).compute()?, ndarray::arr2(&[[0, 2], [0, 0]]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn triu(&self, k: isize) -> LazyArray<T, D> {
        LazyArray::wrap(triangle("triu", self.expr(), k, false, here()))
    }
}

/// Rows and columns of the elements on and below the `k`-th diagonal of a matrix of this shape, in C order.
///
/// ```
/// use chunkwise::prelude::*;
/// let (rows, columns) = chunkwise::tril_indices((2, 2), 0, 2);
/// assert_eq!(rows.compute()?, ndarray::arr1(&[0, 1, 1]));
/// assert_eq!(columns.compute()?, ndarray::arr1(&[0, 0, 1]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn tril_indices(
    shape: (usize, usize),
    k: isize,
    chunks: impl Into<Chunks>,
) -> (LazyArray1<i64>, LazyArray1<i64>) {
    let triangle = Triangle::new(shape, k, true);
    let (rows, columns) = triangle.indices("tril_indices", &chunks.into(), here());
    (LazyArray::wrap(rows), LazyArray::wrap(columns))
}

/// Rows and columns of the elements on and above the `k`-th diagonal of a matrix of this shape, in C order.
///
/// ```
/// use chunkwise::prelude::*;
/// let (rows, columns) = chunkwise::triu_indices((2, 2), 0, 2);
/// assert_eq!(rows.compute()?, ndarray::arr1(&[0, 0, 1]));
/// assert_eq!(columns.compute()?, ndarray::arr1(&[0, 1, 1]));
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn triu_indices(
    shape: (usize, usize),
    k: isize,
    chunks: impl Into<Chunks>,
) -> (LazyArray1<i64>, LazyArray1<i64>) {
    let triangle = Triangle::new(shape, k, false);
    let (rows, columns) = triangle.indices("triu_indices", &chunks.into(), here());
    (LazyArray::wrap(rows), LazyArray::wrap(columns))
}

/// The indices of all elements of a shape: `[i, ..]` holds those along axis `i`. The chunks are those of the shape.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = chunkwise::indices((2, 2), 1);
/// assert_eq!(x.compute()?, ndarray::arr3(&[[[0, 0], [1, 1]], [[0, 1], [0, 1]]]).into_dyn());
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn indices<S: IntoDimension>(shape: S, chunks: impl Into<Chunks>) -> LazyArrayD<i64> {
    let shape = shape.into_dimension();
    LazyArray::wrap(all_indices(shape.slice(), &chunks.into(), here()))
}

fn all_indices(shape: &[usize], chunks: &Chunks, at: Origin) -> Expr {
    let ndim = shape.len();
    let whole = [&[ndim], shape].concat();
    let grid = size_checked(&whole).and_then(|_| Ok(chunks.grid(shape, DType::I64.itemsize())?));
    match grid {
        Ok(grid) => {
            let cuts = std::iter::once(AxisChunks::regular(ndim, 1)).chain(grid.axes().iter().cloned());
            let source = FnSource::new(&whole, |index| index[1 + index[0]] as i64);
            Expr::source("indices", Arc::new(source), Some(&Chunks::Grid(ChunkGrid::new(cuts))), at)
        }
        Err(cause) => Expr::invalid("indices", cause, at),
    }
}

/// Whether elements lie on or below the `k`-th diagonal, in the blocks of a matrix.
fn below(grid: &ChunkGrid, k: isize, at: Origin) -> Expr {
    let rows = along(grid, 0, clamped(k, grid.shape()), at);
    Expr::element(BinaryOp::Ge.into(), &[&rows, &along(grid, 1, 0, at)], at)
}

/// No diagonal lies further out than the corners.
fn clamped(k: isize, shape: &[usize]) -> i64 {
    (k as i64).clamp(-(shape[0] as i64) - 1, shape[1] as i64)
}

/// `first`, `first + 1`, .. along an axis of a matrix, with length 1 along the other, in the matrix' blocks.
fn along(grid: &ChunkGrid, axis: usize, first: i64, at: Origin) -> Expr {
    let cut = grid.axis(axis).clone();
    let source = Arc::new(ArangeSource::new(first, 1_i64, cut.len()));
    let line = Expr::source("arange", source, Some(&Chunks::Grid(ChunkGrid::new([cut]))), at);
    let mut elems = [SliceInfoElem::NewAxis; 2];
    elems[axis] = (..).into();
    Expr::view("insert_axis", &line, View::slice(line.shape(), &elems), at)
}

fn triangle(name: &str, x: &Expr, k: isize, lower: bool, at: Origin) -> Expr {
    let (Some(grid), Some(dtype)) = (x.grid(), x.dtype()) else { return x.clone() };
    let ndim = grid.ndim();
    if ndim < 2 {
        let cause = check_axis(1, grid.shape()).expect_err("it has at most one axis");
        return Expr::invalid(name, cause.into(), at);
    }
    let matrix = ChunkGrid::new(grid.axes()[ndim - 2..].iter().cloned());
    let zero = Expr::literal(Scalar::zero(dtype), at);
    match lower {
        true => Expr::element(ElementOp::Select, &[&below(&matrix, k, at), x, &zero], at),
        false => {
            let below = below(&matrix, k.saturating_sub(1), at);
            Expr::element(ElementOp::Select, &[&below, &zero, x], at)
        }
    }
}

fn from_diagonal(elements: &Expr, k: isize, at: Origin) -> Expr {
    let Some(dtype) = elements.dtype() else { return elements.clone() };
    let zero = Scalar::zero(dtype);
    let line = match k {
        0 => elements.clone(),
        _ => {
            let beyond = Beyond::Fill(zero, zero);
            let walk = Walk::Extend { before: 0, after: k.unsigned_abs(), beyond };
            Expr::blockwise(Extend::new("from_diag", vec![walk]), &[elements], at)
        }
    };
    let Some(grid) = line.grid() else { return line };
    let (cut, n) = (grid.axis(0).clone(), grid.shape()[0]);
    let matrix = ChunkGrid::new([cut.clone(), cut]);
    // Elements stand in the row that they are in, or in their column where the diagonal starts below the first row.
    let elems: [SliceInfoElem; 2] = match k {
        0.. => [(..).into(), SliceInfoElem::NewAxis],
        _ => [SliceInfoElem::NewAxis, (..).into()],
    };
    let line = Expr::view("from_diag", &line, View::slice(&[n], &elems), at);
    let on_it = Expr::element(
        BinaryOp::Eq.into(),
        &[&along(&matrix, 0, clamped(k, &[n, n]), at), &along(&matrix, 1, 0, at)],
        at,
    );
    Expr::element(ElementOp::Select, &[&on_it, &line, &Expr::literal(zero, at)], at)
}

/// The elements of a matrix on one side of a diagonal, counted in C order.
#[derive(Clone, Copy)]
struct Triangle {
    shape: (usize, usize),
    k: i64,
    lower: bool,
}

impl Triangle {
    fn new(shape: (usize, usize), k: isize, lower: bool) -> Triangle {
        // The diagonal is compared with numbers below 2^62 only.
        let most = 1i64 << 62;
        Triangle { shape, k: (k as i64).clamp(-most, most), lower }
    }

    fn indices(self, name: &'static str, chunks: &Chunks, at: Origin) -> (Expr, Expr) {
        let (rows, columns) = self.shape;
        let len = match size_checked(&[rows, columns]) {
            Ok(_) => self.before(rows),
            Err(cause) => {
                let error = Expr::invalid(name, cause, at);
                return (error.clone(), error);
            }
        };
        let row = FnSource::new(&[len], move |index| self.row(index[0]) as i64);
        let column = FnSource::new(&[len], move |index| self.column(index[0]) as i64);
        let read = |source: Arc<dyn ChunkSource>| Expr::source(name, source, Some(chunks), at);
        (read(Arc::new(row)), read(Arc::new(column)))
    }

    /// The columns of a row: all from the first one, or all up to the last.
    fn in_row(self, row: usize) -> (usize, usize) {
        let columns = self.shape.1 as i64;
        let end = (row as i64 + self.k + i64::from(self.lower)).clamp(0, columns) as usize;
        if self.lower { (0, end) } else { (end, self.shape.1) }
    }

    /// The elements of the rows before this one: an arithmetic series between two constant stretches.
    fn before(self, row: usize) -> usize {
        let (rows, columns) = (row as i64, self.shape.1 as i64);
        let shift = self.k + i64::from(self.lower);
        // Rows before `first` are cut at 0, those from `full` on at the last column.
        let first = (-shift).clamp(0, rows);
        let full = (columns - shift).clamp(first, rows);
        let (from, to) = (i128::from(first + shift), i128::from(full + shift));
        let partly = (to - from) * (from + to - 1) / 2;
        let cut = (partly + i128::from(rows - full) * i128::from(columns)) as usize;
        if self.lower { cut } else { row * self.shape.1 - cut }
    }

    /// The row of an element: the last one that begins at it or before and has elements.
    fn row(self, element: usize) -> usize {
        let (mut low, mut high) = (0, self.shape.0);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.before(middle + 1) <= element { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn column(self, element: usize) -> usize {
        let row = self.row(element);
        self.in_row(row).0 + element - self.before(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_triangles_are_counted_in_c_order() {
        for (rows, columns) in [(0, 3), (3, 0), (1, 1), (4, 3), (3, 5), (5, 5)] {
            for k in -7..8 {
                for lower in [true, false] {
                    let triangle = Triangle::new((rows, columns), k, lower);
                    let inside = |&(i, j): &(usize, usize)| {
                        let above = j as isize - i as isize - k;
                        if lower { above <= 0 } else { above >= 0 }
                    };
                    let all = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
                    let want: Vec<(usize, usize)> = all.filter(inside).collect();
                    let count = triangle.before(rows);
                    let got: Vec<_> = (0..count).map(|i| (triangle.row(i), triangle.column(i))).collect();
                    assert_eq!(got, want, "{rows} x {columns}, diagonal {k}, lower {lower}");
                }
            }
        }
    }
}
