//! Blocks one by one: lazily as arrays of their own, and computed in order.

use std::ops::Range;

use chunkwise_chunk::{AxisChunks, ChunkError, ChunkGrid, Chunks, Element, Region, View};
use chunkwise_expr::{Expr, ExprError};
use ndarray::{Axis, Dimension, RemoveAxis, SliceInfoElem};

use super::here;
use super::layout::{Origin, check_axis, part};
use crate::{BlocksIter, LazyArray, Result, Runtime};

impl<T: Element, D: Dimension> LazyArray<T, D> {
    /// One block, by its number along each axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 5, 1, 2);
    /// assert_eq!(x.block(&[1]).compute()?, ndarray::arr1(&[2, 3]));
    /// assert!(x.block(&[3]).check().is_err());
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn block(&self, index: &[usize]) -> LazyArray<T, D> {
        let ranges: Vec<Range<usize>> = index.iter().map(|&i| i..i.saturating_add(1)).collect();
        LazyArray::wrap(blocks_at("block", self.expr(), &ranges, here()))
    }

    /// Neighbouring blocks, by a range of numbers along each axis.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 5, 1, 2);
    /// assert_eq!(x.block_range(&[1..3]).compute()?, ndarray::arr1(&[2, 3, 4]));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn block_range(&self, ranges: &[Range<usize>]) -> LazyArray<T, D> {
        LazyArray::wrap(blocks_at("block_range", self.expr(), ranges, here()))
    }

    /// All blocks in C order of the grid, each an array of its own. Of an array that cannot be built, that array.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let lengths: Vec<usize> = LazyArray::arange(0_i32, 5, 1, 2).blocks().map(|block| block.len()).collect();
    /// assert_eq!(lengths, [2, 2, 1]);
    /// ```
    #[track_caller]
    pub fn blocks(&self) -> impl Iterator<Item = LazyArray<T, D>> + use<T, D> {
        let (at, expr, grid) = (here(), self.expr().clone(), self.chunks());
        grid.blocks().map(move |index| {
            let ranges: Vec<Range<usize>> = index.iter().map(|&i| i..i + 1).collect();
            LazyArray::wrap(blocks_at("blocks", &expr, &ranges, at))
        })
    }

    /// Computes the blocks one after the other, in C order of the grid, on the global runtime: for programs that take an
    /// array larger than memory piece by piece. Blocks are computed ahead as far as the memory limit lets them; a block that
    /// was taken belongs to the program and counts no more. Dropping the iterator cancels the rest.
    ///
    /// While it is there the iterator holds memory, half of what is free of the limit or what the array needs at least. A
    /// computation that the program starts in between, inside the loop or on any other thread, is planned for the rest; one
    /// that needs more is an error at once, for it might wait for ever. Persisted arrays are not moved to disk meanwhile.
    ///
    /// # Errors
    /// When the system refuses a thread. Everything else is an error of the iterator's.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0.0_f64, 5.0, 1.0, 2);
    /// for block in x.sqrt().blocks_iter()? {
    ///     let (at, values) = block?;
    ///     assert_eq!(values[0], (at.start[0] as f64).sqrt());
    /// }
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn blocks_iter(&self) -> Result<BlocksIter<T, D>> {
        Runtime::global()?.blocks_iter(self)
    }

    /// [`rechunk`](LazyArray::rechunk) to as many blocks, of lengths that differ by one at most.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 10, 1, 10);
    /// assert_eq!(x.rechunk(9).chunks().to_string(), "(9,)");
    /// assert_eq!(x.rechunk_balanced(9).chunks().to_string(), "(5,)");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rechunk_balanced(&self, chunks: impl Into<Chunks>) -> LazyArray<T, D> {
        LazyArray::wrap(balanced(self.expr(), &chunks.into(), here()))
    }
}

impl<T: Element, D: RemoveAxis> LazyArray<T, D> {
    /// The elements of an axis in order, each an array without it. As ndarray's `axis_iter`; of an axis that does not exist,
    /// one array that holds the error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::from_ndarray(ndarray::arr2(&[[1, 2], [3, 4]]), 1);
    /// let sums: Vec<_> = x.axis_iter(Axis(0)).map(|row| row.sum()).collect();
    /// assert_eq!(chunkwise::compute(sums)?, [3_i64, 7]);
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    #[track_caller]
    pub fn axis_iter(&self, axis: Axis) -> impl Iterator<Item = LazyArray<T, D::Smaller>> + use<T, D> {
        let (at, expr) = (here(), self.expr().clone());
        let count = self.shape().get(axis.index()).map_or(1, |&len| len);
        (0..count).map(move |i| LazyArray::wrap(at_index(&expr, axis.index(), i, at)))
    }

    /// Parts of so many elements along an axis, the last one shorter. As ndarray's `axis_chunks_iter`; where there are no
    /// such parts, one array that holds the error.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let x = LazyArray::arange(0_i32, 5, 1, 2);
    /// let lengths: Vec<usize> = x.axis_chunks_iter(Axis(0), 3).map(|part| part.len()).collect();
    /// assert_eq!(lengths, [3, 2]);
    /// ```
    #[track_caller]
    pub fn axis_chunks_iter(
        &self,
        axis: Axis,
        size: usize,
    ) -> impl Iterator<Item = LazyArray<T, D>> + use<T, D> {
        let at = here();
        let expr = match size {
            0 => part_of_nothing(self.expr(), at),
            _ => self.expr().clone(),
        };
        let len = expr.shape().get(axis.index()).copied();
        let count = len.map_or(1, |len| len.div_ceil(size.max(1)));
        (0..count).map(move |i| {
            let start = i * size;
            LazyArray::wrap(part(
                "axis_chunks_iter",
                &expr,
                axis.index(),
                start,
                start.saturating_add(size),
                at,
            ))
        })
    }
}

fn part_of_nothing(x: &Expr, at: Origin) -> Expr {
    match x.error() {
        Some(_) => x.clone(),
        None => {
            let text = "parts must have at least one element".into();
            Expr::invalid("axis_chunks_iter", ExprError::Message(text), at)
        }
    }
}

/// An element of an axis, which vanishes.
fn at_index(x: &Expr, axis: usize, index: usize, at: Origin) -> Expr {
    let view = check_axis(axis, x.shape()).and_then(|()| {
        let mut elems: Vec<SliceInfoElem> = vec![(..).into(); x.shape().len()];
        elems[axis] = SliceInfoElem::Index(index.try_into().unwrap_or(isize::MAX));
        View::slice(x.shape(), &elems)
    });
    Expr::view("axis_iter", x, view, at)
}

fn blocks_at(name: &str, x: &Expr, ranges: &[Range<usize>], at: Origin) -> Expr {
    let Some(grid) = x.grid() else { return x.clone() };
    let view = region_of(grid, ranges).and_then(|region| {
        let elem = |axis: usize| SliceInfoElem::Slice {
            start: region.start()[axis] as isize,
            end: Some(region.end(axis) as isize),
            step: 1,
        };
        let elems: Vec<SliceInfoElem> = (0..grid.ndim()).map(elem).collect();
        Ok(View::slice(grid.shape(), &elems)?)
    });
    Expr::view(name, x, view, at)
}

/// Where neighbouring blocks lie.
fn region_of(grid: &ChunkGrid, ranges: &[Range<usize>]) -> std::result::Result<Region, ExprError> {
    if ranges.len() != grid.ndim() {
        let (given, ndim) = (ranges.len(), grid.ndim());
        return Err(ExprError::Message(format!("blocks are numbered along {ndim} axes, not {given}")));
    }
    let mut region = Region::whole(grid.shape());
    for (axis, range) in ranges.iter().enumerate() {
        let cut = grid.axis(axis);
        if range.end > cut.count() || range.start > range.end {
            let counts = grid.block_counts();
            let text = format!("blocks {range:?} along axis {axis} are not among the {counts:?} blocks");
            return Err(ExprError::Message(text));
        }
        let start = if range.start == cut.count() { cut.len() } else { cut.range(range.start).start };
        let end = if range.is_empty() { start } else { cut.range(range.end - 1).end };
        region.set_axis(axis, start, end - start);
    }
    Ok(region)
}

fn balanced(x: &Expr, chunks: &Chunks, at: Origin) -> Expr {
    let (Some(grid), Some(dtype)) = (x.grid(), x.dtype()) else { return x.clone() };
    let even = chunks.grid(grid.shape(), dtype.itemsize()).and_then(|grid| {
        let cuts = grid.axes().iter().map(even);
        Ok(ChunkGrid::new(cuts.collect::<std::result::Result<Vec<_>, ChunkError>>()?))
    });
    match even {
        Ok(grid) => x.rechunk(&Chunks::Grid(grid), at),
        Err(cause) => Expr::invalid("rechunk_balanced", cause.into(), at),
    }
}

/// As many blocks, of lengths that differ by one at most.
fn even(cut: &AxisChunks) -> std::result::Result<AxisChunks, ChunkError> {
    let (len, count) = (cut.len(), cut.count());
    if len.is_multiple_of(count) && len > 0 {
        return Ok(AxisChunks::regular(len, len / count));
    }
    let sizes: Vec<usize> = (0..count).map(|i| len / count + usize::from(i < len % count)).collect();
    AxisChunks::explicit(len, &sizes)
}
