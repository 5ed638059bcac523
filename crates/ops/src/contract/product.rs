//! The product of two matrices in memory, added to a third: C += A B.
//!
//! Floats have the loops of `chunkwise_kernels`, complex numbers those of `matrixmultiply`, through ndarray's
//! `general_mat_mul`. Both take any strides: a transposed operand costs nothing. Integers wrap in their own type, and of
//! truth values the sum is "or" and the product "and", as in NumPy; these have the loop of this file.

use chunkwise_chunk::{Complex, Element};
use chunkwise_kernels::{KernelError, product_scratch_bytes};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};

/// Below so many multiplications packing the operands takes longer than multiplying them.
const SMALL: usize = 1 << 10;

/// Rows of the right operand that are packed at a time.
const PACKED_ROWS: usize = 64;

/// Columns of the right operand that are packed at a time: with the rows at most 256 KiB.
const PACKED_COLUMNS: usize = 512;

/// Elements that are multiplied and summed.
pub(super) trait Product: Element {
    /// `self + a * b`.
    fn plus_product(self, a: Self, b: Self) -> Self;

    /// C += A B, of at least one element each.
    ///
    /// # Errors
    /// When the shapes do not fit.
    fn add_product(
        c: ArrayViewMut2<'_, Self>,
        a: ArrayView2<'_, Self>,
        b: ArrayView2<'_, Self>,
    ) -> Result<(), KernelError>;
}

macro_rules! by_blocks {
    ($($t:ty: |$c:ident, $a:ident, $b:ident| $sum:expr;)*) => { $(
        impl Product for $t {
            #[inline]
            fn plus_product(self, $a: $t, $b: $t) -> $t {
                let $c = self;
                $sum
            }

            fn add_product(
                c: ArrayViewMut2<'_, $t>,
                a: ArrayView2<'_, $t>,
                b: ArrayView2<'_, $t>,
            ) -> Result<(), KernelError> {
                match c.len() * a.ncols() <= SMALL {
                    true => small(c, a, b),
                    false => blocked(c, a, b),
                }
                Ok(())
            }
        }
    )* };
}
by_blocks! {
    bool: |c, a, b| c | (a & b);
    i8: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
    i16: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
    i32: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
    i64: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
    u8: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
    u16: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
    u32: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
    u64: |c, a, b| c.wrapping_add(a.wrapping_mul(b));
}

macro_rules! by_tiles {
    ($($t:ty)*) => { $(
        impl Product for $t {
            #[inline]
            fn plus_product(self, a: $t, b: $t) -> $t {
                self + a * b
            }

            fn add_product(
                c: ArrayViewMut2<'_, $t>,
                a: ArrayView2<'_, $t>,
                b: ArrayView2<'_, $t>,
            ) -> Result<(), KernelError> {
                chunkwise_kernels::add_product(c, a, b)
            }
        }
    )* };
}
by_tiles!(f32 f64);

macro_rules! by_general_mat_mul {
    ($($t:ty)*) => { $(
        impl Product for $t {
            #[inline]
            fn plus_product(self, a: $t, b: $t) -> $t {
                self + a * b
            }

            fn add_product(
                mut c: ArrayViewMut2<'_, $t>,
                a: ArrayView2<'_, $t>,
                b: ArrayView2<'_, $t>,
            ) -> Result<(), KernelError> {
                match c.len() * a.ncols() <= SMALL {
                    true => small(c, a, b),
                    false => general_mat_mul(<$t>::ONE, &a, &b, <$t>::ONE, &mut c),
                }
                Ok(())
            }
        }
    )* };
}
by_general_mat_mul!(Complex<f32> Complex<f64>);

/// Bytes that [`Product::add_product`] takes beside its operands, at most.
///
/// `matrixmultiply` packs 64 rows of the left operand and 1024 columns of the right one, 256 summed elements at a time,
/// rounded up to whole tiles.
pub(super) fn scratch_bytes(m: usize, n: usize, k: usize, itemsize: usize) -> u64 {
    let of_tiles = product_scratch_bytes((m, n, k), itemsize);
    let (rows, columns, depth) = (m.min(64) + 32, n.min(1024) + 32, k.min(256));
    let packed = (rows + columns) * depth;
    let of_blocks = packed.max(PACKED_ROWS * PACKED_COLUMNS.min(n)) * itemsize + 4096;
    of_tiles.max(of_blocks) as u64
}

fn small<T: Product>(mut c: ArrayViewMut2<'_, T>, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) {
    for (mut c, a) in c.rows_mut().into_iter().zip(a.rows()) {
        for (&a, b) in a.iter().zip(b.rows()) {
            c.iter_mut().zip(b).for_each(|(c, &b)| *c = c.plus_product(a, b));
        }
    }
}

/// Packs a part of the right operand, so that its rows have no gaps, and adds it to every row of the result.
fn blocked<T: Product>(mut c: ArrayViewMut2<'_, T>, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) {
    let (depth, columns) = b.dim();
    let mut packed = Vec::with_capacity(PACKED_ROWS.min(depth) * PACKED_COLUMNS.min(columns));
    for left in (0..columns).step_by(PACKED_COLUMNS) {
        let across = Slice::from(left..columns.min(left + PACKED_COLUMNS));
        let mut c = c.slice_axis_mut(Axis(1), across);
        for top in (0..depth).step_by(PACKED_ROWS) {
            let down = Slice::from(top..depth.min(top + PACKED_ROWS));
            packed.clear();
            packed.extend(b.slice_axis(Axis(0), down).slice_axis(Axis(1), across).iter().copied());
            for (mut c, a) in c.rows_mut().into_iter().zip(a.slice_axis(Axis(1), down).rows()) {
                let c = c.as_slice_mut().expect("the result is in C order");
                add_rows(c, a.iter().copied(), &packed);
            }
        }
    }
}

/// Adds rows times factors to a row, four at a time: the row is read and written once for four rows.
fn add_rows<T: Product>(c: &mut [T], mut factors: impl Iterator<Item = T>, rows: &[T]) {
    let mut fours = rows.chunks_exact(4 * c.len());
    for four in &mut fours {
        let (front, back) = four.split_at(2 * c.len());
        let ((r0, r1), (r2, r3)) = (front.split_at(c.len()), back.split_at(c.len()));
        let mut factor = || factors.next().expect("there is a factor for each row");
        let (a0, a1, a2, a3) = (factor(), factor(), factor(), factor());
        for ((((c, &r0), &r1), &r2), &r3) in c.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
            *c = c.plus_product(a0, r0).plus_product(a1, r1).plus_product(a2, r2).plus_product(a3, r3);
        }
    }
    for (row, a) in fours.remainder().chunks_exact(c.len()).zip(factors) {
        c.iter_mut().zip(row).for_each(|(c, &r)| *c = c.plus_product(a, r));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// A product by the definition.
    fn truth<T: Product>(a: &Array2<T>, b: &Array2<T>) -> Array2<T> {
        Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
            (0..a.ncols()).fold(T::default(), |sum, k| sum.plus_product(a[[i, k]], b[[k, j]]))
        })
    }

    fn check<T: Product>(m: usize, k: usize, n: usize, value: impl Fn(usize) -> T) {
        let matrix = |rows, columns, salt| {
            Array2::from_shape_fn((rows, columns), |(i, j)| value(i * 31 + j * 17 + salt))
        };
        let (a, b) = (matrix(m, k, 1), matrix(k, n, 2));
        let want = truth(&a, &b);
        let mut c = Array2::default((m, n));
        T::add_product(c.view_mut(), a.view(), b.view()).unwrap();
        assert_eq!(c, want, "{m} {k} {n}");
        let a = a.reversed_axes().as_standard_layout().into_owned();
        let (mut forward, mut back) = (b.view(), b.clone());
        forward.invert_axis(Axis(0));
        back.assign(&forward);
        let mut c = Array2::default((m, n));
        back.invert_axis(Axis(0));
        T::add_product(c.view_mut(), a.t(), back.view()).unwrap();
        assert_eq!(c, want, "{m} {k} {n} by strides");
    }

    #[test]
    fn every_type_and_layout_gives_the_product() {
        for (m, k, n) in [(1, 1, 1), (2, 3, 5), (7, 70, 9), (65, 129, 33), (3, 67, 515)] {
            check(m, k, n, |x| x as i8);
            check(m, k, n, |x| x as u16);
            check(m, k, n, |x| x as i32 * 65_537);
            check(m, k, n, |x| x as u64);
            check(m, k, n, |x| x % 41 == 0);
            check(m, k, n, |x| (x % 13) as f32 - 6.0);
            check(m, k, n, |x| (x % 13) as f64 - 6.0);
        }
    }

    #[test]
    fn nan_times_zero_is_nan() {
        for n in [1, 40] {
            let (a, b) = (Array2::from_elem((n, n), f64::NAN), Array2::zeros((n, n)));
            let mut c = Array2::zeros((n, n));
            f64::add_product(c.view_mut(), a.view(), b.view()).unwrap();
            assert!(c.iter().all(|x: &f64| x.is_nan()));
        }
    }
}
