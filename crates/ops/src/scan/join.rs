//! The loops of scans, for each function that joins two elements.

use chunkwise_chunk::{Chunk, ChunkError, Complex, DType, Element, Window, Written, dispatch};
use chunkwise_expr::{Arith, BlockError, Order, Program};
use chunkwise_kernels::Kernel;
use ndarray::{ArrayD, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, ArrayViewMutD, Axis, Zip};

use super::ScanKind;
use super::lanes::planes;
use crate::ends::Ends;

/// The loops of one function on elements of one type.
pub(super) trait Loops {
    /// All elements along an axis joined, in an axis of length 1; the identity where there are none.
    fn totals(&self, x: Option<&Chunk>, shape: &[usize], axis: usize) -> Result<Chunk, BlockError>;

    /// Each element joined with all before it, the first ones with what is carried.
    fn scan(&self, x: Chunk, carried: Option<&Chunk>, axis: usize) -> Result<Chunk, BlockError>;

    /// [`scan`](Loops::scan) into memory that is lent.
    fn fill<'w>(
        &self,
        x: &Chunk,
        carried: Option<&Chunk>,
        axis: usize,
        window: Window<'w>,
    ) -> Result<Written<'w>, BlockError>;
}

/// The loops of a kind, when elements of this type can be joined.
pub(super) fn loops(kind: &ScanKind, dtype: DType) -> Option<Box<dyn Loops + '_>> {
    match kind {
        ScanKind::Sum => match dtype {
            DType::I64 => joined(0_i64, Arith::plus),
            DType::U64 => joined(0_u64, Arith::plus),
            // The zero that changes no element: adding 0.0 would make 0.0 of -0.0.
            DType::F64 => joined(-0.0_f64, Arith::plus),
            DType::C128 => joined(Complex::new(-0.0_f64, -0.0), Arith::plus),
            _ => None,
        },
        ScanKind::Prod => match dtype {
            DType::I64 => joined(1_i64, Arith::times),
            DType::U64 => joined(1_u64, Arith::times),
            DType::F64 => joined(1.0_f64, Arith::times),
            DType::C128 => joined(Complex::new(1.0_f64, 0.0), Arith::times),
            _ => None,
        },
        ScanKind::Max => extreme(dtype, true),
        ScanKind::Min => extreme(dtype, false),
        ScanKind::FMax => extreme_number(dtype, true),
        ScanKind::FMin => extreme_number(dtype, false),
        ScanKind::Latest => number(dtype, latest, latest),
        ScanKind::Call(function) => dispatch!(dtype, T => {
            let function = function.typed::<T>()?;
            joined(function.identity, |a, b| (function.join)(a, b))
        }),
    }
}

fn latest<T: Order>(a: T, b: T) -> T {
    if b.unordered() { a } else { b }
}

/// The largest elements or the smallest ones. One loop does for both: which of them is asked for is no type.
fn extreme<'a>(dtype: DType, largest: bool) -> Option<Box<dyn Loops + 'a>> {
    fn join<T: Order>(largest: bool) -> impl Fn(T, T) -> T {
        move |a, b| if largest { a.maximum(b) } else { a.minimum(b) }
    }
    dispatch!(Ordered: dtype,
        T => joined(if largest { T::LEAST } else { T::LARGEST }, join::<T>(largest)),
        _ => None
    )
}

/// The same of those that are not NaN.
fn extreme_number<'a>(dtype: DType, largest: bool) -> Option<Box<dyn Loops + 'a>> {
    fn join<T: Order>(largest: bool) -> impl Fn(T, T) -> T {
        move |a, b| if largest { a.fmax(b) } else { a.fmin(b) }
    }
    number(dtype, join(largest), join(largest))
}

/// What joins floats that are not NaN: NaN is the identity.
fn number<'a>(
    dtype: DType,
    single: impl Fn(f32, f32) -> f32 + 'a,
    double: impl Fn(f64, f64) -> f64 + 'a,
) -> Option<Box<dyn Loops + 'a>> {
    match dtype {
        DType::F32 => joined(f32::NAN, single),
        DType::F64 => joined(f64::NAN, double),
        _ => None,
    }
}

struct Joined<T, F> {
    identity: T,
    join: F,
}

#[allow(clippy::unnecessary_wraps)] // so that rows of the tables above are one call
fn joined<'a, T: Element, F: Fn(T, T) -> T + 'a>(identity: T, join: F) -> Option<Box<dyn Loops + 'a>> {
    Some(Box::new(Joined { identity, join }))
}

impl<T: Element, F: Fn(T, T) -> T> Loops for Joined<T, F> {
    fn totals(&self, x: Option<&Chunk>, shape: &[usize], axis: usize) -> Result<Chunk, BlockError> {
        let mut totals = ArrayD::from_elem(shape, self.identity);
        if let Some(x) = x {
            planes(x.typed::<T>()?.view(), totals.view_mut(), axis, &mut |x, mut totals| {
                if x.ncols() == 1 {
                    totals[[0, 0]] = self.lane_total(x.column(0));
                } else {
                    self.row_totals(x, totals.row_mut(0));
                }
            });
        }
        Ok(Chunk::from_array(totals))
    }

    fn scan(&self, x: Chunk, carried: Option<&Chunk>, axis: usize) -> Result<Chunk, BlockError> {
        let mut out = x.into_array::<T>()?;
        self.scan_array(out.view_mut(), carried, axis)?;
        Ok(Chunk::from_array(out))
    }

    fn fill<'w>(
        &self,
        x: &Chunk,
        carried: Option<&Chunk>,
        axis: usize,
        window: Window<'w>,
    ) -> Result<Written<'w>, BlockError> {
        let mut out = copy_to::<T>(x, window)?;
        self.scan_array(out.view_mut(), carried, axis)?;
        Ok(T::written(out))
    }
}

impl<T: Element, F: Fn(T, T) -> T> Joined<T, F> {
    /// Scans an array in place.
    fn scan_array(
        &self,
        mut out: ArrayViewMutD<'_, T>,
        carried: Option<&Chunk>,
        axis: usize,
    ) -> Result<(), ChunkError> {
        let mut each =
            |carried: ArrayView2<'_, T>, out: ArrayViewMut2<'_, T>| self.scan_plane(carried.row(0), out);
        match carried {
            Some(carried) => planes(carried.typed::<T>()?.view(), out, axis, &mut each),
            None => {
                // The first elements are as they are: joined with an identity they might not be.
                let (first, rest) = out.view_mut().split_at(Axis(axis), 1);
                planes(first.view(), rest, axis, &mut each);
            }
        }
        Ok(())
    }

    /// The total of a lane. Its length alone says in which order elements are joined: not how they lie in memory.
    fn lane_total(&self, lane: ArrayView1<'_, T>) -> T {
        match lane.as_slice() {
            _ if lane.len() < 8 => lane.iter().copied().reduce(&self.join).unwrap_or(self.identity),
            Some(x) => self.total_of_runs(x.len(), |i| x[i]),
            None => self.total_of_runs(lane.len(), |i| lane[i]),
        }
    }

    /// The total of at least four elements: of four runs side by side, which do not wait for one another, in order.
    #[inline(always)]
    fn total_of_runs(&self, len: usize, x: impl Fn(usize) -> T) -> T {
        let (join, run) = (&self.join, len / 4);
        let mut totals = (x(0), x(run), x(2 * run), x(3 * run));
        for i in 1..run {
            totals = (
                join(totals.0, x(i)),
                join(totals.1, x(run + i)),
                join(totals.2, x(2 * run + i)),
                join(totals.3, x(3 * run + i)),
            );
        }
        let last = (4 * run..len).fold(totals.3, |total, i| join(total, x(i)));
        join(join(join(totals.0, totals.1), totals.2), last)
    }

    fn row_totals(&self, x: ArrayView2<'_, T>, mut totals: ArrayViewMut1<'_, T>) {
        let mut rows = x.rows().into_iter();
        if let Some(first) = rows.next() {
            totals.assign(&first);
        }
        for row in rows {
            Zip::from(&mut totals).and(&row).for_each(|total, &x| *total = (self.join)(*total, x));
        }
    }

    fn scan_plane(&self, carried: ArrayView1<'_, T>, mut out: ArrayViewMut2<'_, T>) {
        if out.ncols() == 1 {
            let mut total = carried[0];
            for x in out.column_mut(0) {
                total = (self.join)(total, *x);
                *x = total;
            }
            return;
        }
        let mut before = carried.to_owned();
        for mut row in out.rows_mut() {
            Zip::from(&mut row).and(&mut before).for_each(|x, before| {
                *before = (self.join)(*before, *x);
                *x = *before;
            });
        }
    }
}

/// The elements of a block, copied to memory of another place.
pub(crate) fn copy_to<'w, T: Element>(
    x: &Chunk,
    window: Window<'w>,
) -> Result<ArrayViewMutD<'w, T>, BlockError> {
    let copy = Kernel::new(&Program::identity(T::DTYPE));
    let written = copy.fill(std::slice::from_ref(x), window)?;
    T::of_written(written).ok_or_else(|| "memory of another kind was lent than was asked for".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_do_not_depend_on_how_a_lane_lies_in_memory() {
        let x = ndarray::Array1::from_iter((0..103).map(|i| 1.0 / f64::from(i + 1)));
        let twice = ndarray::Array1::from_iter(x.iter().flat_map(|&x| [x, -x]));
        let sum = Joined { identity: -0.0, join: |a: f64, b: f64| a + b };
        for len in [0, 1, 7, 8, 11, 103] {
            let strided = twice.slice_axis(Axis(0), ndarray::Slice::new(0, Some(2 * len as isize), 2));
            let total = sum.lane_total(x.slice_axis(Axis(0), (0..len).into()));
            assert_eq!(total.to_bits(), sum.lane_total(strided).to_bits(), "{len} elements");
        }
    }
}
