//! The product of two matrices of floats, added to a third: C += A B.
//!
//! ```text
//! for columns of B, by as many as fill half of a second-level cache:
//!     for rows of B, 256 at a time:
//!         pack that part of B: panels of a tile's width, each row after row
//!         for rows of A, by the height of a tile:
//!             for each panel:
//!                 tile = 0;  for each of the 256:  tile += column * row       all in registers
//!                 C += tile
//! ```
//!
//! Packing makes the vectors that are read neighbours, and costs little where A has many rows; where it has few, B is left
//! in place. Of A single elements are read: rows are taken where they are, and packed where they are not contiguous. What
//! is beyond the ends of A and B is packed as zeros, and a tile that reaches beyond C goes through memory of its own.
//!
//! So an element of C is, for each 256 elements that are summed, `c + s` with `s` a chain of fused multiplications and
//! additions from zero, in the order of the sum. Neither the size of tiles and panels nor the strides are in that, so
//! every processor with fused multiplication and addition gives the same bits.
#![allow(unsafe_code)]

mod tile;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

use crate::buffer::Buffer;
use crate::error::KernelError;
pub use tile::Factor;
use tile::{ACROSS, MOST_LANES, MOST_ROWS, Run, Strided, Tile};

/// Summed elements of a tile: their products are added to C together.
const DEPTH: usize = 256;

/// Bytes of the part of B that is packed at a time: about half of a second-level cache.
const PACKED_BYTES: usize = 512 << 10;

/// With at most so many tiles in a column B is not packed, and with so many in a row A is read by columns as well.
const FEW: usize = 4;

/// C += A B. Complexity: m n k multiplications, and [`product_scratch_bytes`] of memory.
///
/// Any strides are taken as they are; the rows of C should be contiguous, or its columns.
///
/// ```
/// use ndarray::array;
/// let (a, b, mut c) = (array![[1.0, 2.0]], array![[3.0], [4.0]], array![[0.5]]);
/// chunkwise_kernels::add_product(c.view_mut(), a.view(), b.view())?;
/// assert_eq!(c, array![[11.5]]);
/// # Ok::<(), chunkwise_kernels::KernelError>(())
/// ```
///
/// # Errors
/// When the shapes are not those of a product.
pub fn add_product<T: Factor>(
    mut c: ArrayViewMut2<'_, T>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
) -> Result<(), KernelError> {
    let ((m, n), depth) = (c.dim(), a.ncols());
    if a.dim() != (m, depth) || b.dim() != (depth, n) {
        return Err(KernelError::Shapes { left: a.dim(), right: b.dim(), result: c.dim() });
    }
    if c.strides()[1] != 1 && c.strides()[0] == 1 {
        return add_product(c.reversed_axes(), b.reversed_axes(), a.reversed_axes());
    }
    let tile = T::tile();
    let width = columns_at_a_time(&tile, size_of::<T>());
    let mut scratch = Buffer::new(scratch_elements(&tile, (m, n, depth), width) * size_of::<T>());
    let packed = scratch.as_mut_ptr().cast::<T>();
    for left in (0..n).step_by(width) {
        let columns = left..n.min(left + width);
        for top in (0..depth).step_by(DEPTH) {
            let summed = top..depth.min(top + DEPTH);
            let a = a.slice_axis(Axis(1), summed.clone().into());
            let b = b.slice_axis(Axis(0), summed.into());
            let b = b.slice_axis(Axis(1), columns.clone().into());
            let c = c.slice_axis_mut(Axis(1), columns.clone().into());
            // SAFETY: the scratch memory has room for panels that hold the columns, for a tile's rows, and for a tile.
            unsafe { add_panels(&tile, c, a, b, packed) };
        }
    }
    Ok(())
}

/// Bytes that [`add_product`] takes beside its operands, at most, for matrices of m x k and k x n elements.
///
/// ```
/// assert!(chunkwise_kernels::product_scratch_bytes((4000, 4000, 4000), 8) < 1 << 20);
/// assert!(chunkwise_kernels::product_scratch_bytes((2, 2, 2), 8) < 1 << 14);
/// ```
pub fn product_scratch_bytes((m, n, depth): (usize, usize, usize), itemsize: usize) -> usize {
    let largest = Tile { rows: MOST_ROWS, lanes: MOST_LANES, across: ACROSS, runs: [(); ACROSS] };
    // Of C by columns the transpose is computed.
    let of = |m, n| scratch_elements(&largest, (m, n, depth), PACKED_BYTES / (DEPTH * itemsize.max(1)));
    of(m, n).max(of(n, m)).saturating_mul(itemsize)
}

/// Whole panels of at most [`PACKED_BYTES`].
fn columns_at_a_time<R>(tile: &Tile<R>, itemsize: usize) -> usize {
    (PACKED_BYTES / (DEPTH * itemsize) / tile.columns()).max(1) * tile.columns()
}

/// Elements of packed panels of B, of packed rows of A, and of a tile.
fn scratch_elements<R>(tile: &Tile<R>, (_, n, depth): (usize, usize, usize), width: usize) -> usize {
    let columns = n.min(width).next_multiple_of(tile.columns());
    (columns + tile.rows) * depth.min(DEPTH) + tile.rows * tile.columns()
}

/// A part of B: panels of the widest tile, then one of as many vectors as the other columns need.
struct Panels<T> {
    /// Columns of all panels but the last.
    whole: usize,
    /// Columns of the last panel.
    last: usize,
    /// The panels, one after the other.
    packed: *const T,
    /// The first element of B and from row to row, where all panels but the last are left in place.
    in_place: Option<(*const T, isize)>,
}

impl<T: Factor> Panels<T> {
    /// # Safety
    /// `packed` has room for the columns in whole panels.
    unsafe fn new(tile: &Tile<Run<T>>, b: ArrayView2<'_, T>, in_place: bool, packed: *mut T) -> Panels<T> {
        let (depth, n) = b.dim();
        let whole = n - n % tile.columns();
        let last = (n - whole).next_multiple_of(tile.lanes);
        let (panels, rest) = b.split_at(Axis(1), whole);
        // SAFETY: the last panel follows the others, which have `depth` elements for each column.
        unsafe {
            if !in_place {
                pack(panels.reversed_axes(), tile.columns(), packed);
            }
            pack(rest.reversed_axes(), last, packed.add(whole * depth));
        }
        Panels { whole, last, packed, in_place: in_place.then(|| (b.as_ptr(), b.strides()[0])) }
    }

    /// The panel from a column on, and its width.
    ///
    /// # Safety
    /// The column is the first one of a panel of so many rows.
    unsafe fn panel(&self, tile: &Tile<Run<T>>, left: usize, depth: usize) -> (Strided<T>, usize) {
        let width = if left < self.whole { tile.columns() } else { self.last };
        // SAFETY: the column is there, says the caller.
        let (at, step) = unsafe {
            match self.in_place {
                Some((b, row)) if left < self.whole => (b.add(left), row),
                _ => (self.packed.add(left * depth), width as isize),
            }
        };
        (Strided { at, line: 1, step }, width)
    }
}

/// C += A B for at most [`DEPTH`] summed elements.
///
/// # Safety
/// `scratch` points to so many elements as [`scratch_elements`] says.
unsafe fn add_panels<T: Factor>(
    tile: &Tile<Run<T>>,
    mut c: ArrayViewMut2<'_, T>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    scratch: *mut T,
) {
    let ((m, n), depth) = (c.dim(), a.ncols());
    let in_place = b.strides()[1] == 1 && m <= FEW * tile.rows;
    // SAFETY: panels that hold all columns are followed by a tile's rows, and these by a tile, says the caller.
    let (panels, rows, apart) = unsafe {
        let rows = scratch.add(n.next_multiple_of(tile.columns()) * depth);
        (Panels::new(tile, b, in_place, scratch), rows, rows.add(tile.rows * depth))
    };
    for top in (0..m).step_by(tile.rows) {
        let height = tile.rows.min(m - top);
        let a = a.slice_axis(Axis(0), (top..top + height).into());
        // SAFETY: there is room for a tile's rows.
        let a = unsafe { lines(a, tile.rows, n <= FEW * tile.columns(), rows) };
        for left in (0..n).step_by(tile.columns()) {
            // SAFETY: a panel starts at every tile.
            let (b, width) = unsafe { panels.panel(tile, left, depth) };
            let run = tile.runs[width / tile.lanes - 1];
            let mut c = c.slice_mut(s![top..top + height, left..n.min(left + width)]);
            let strides = [c.strides()[0], c.strides()[1]];
            // SAFETY: A has a tile's rows, B its columns, and C both, or there is a tile of memory apart.
            unsafe {
                if c.dim() == (tile.rows, width) && strides[1] == 1 {
                    run(depth, a, b, c.as_mut_ptr(), strides[0]);
                } else {
                    apart.write_bytes(0, tile.rows * width);
                    run(depth, a, b, apart, width as isize);
                    c.indexed_iter_mut().for_each(|((i, j), c)| *c = *c + *apart.add(i * width + j));
                }
            }
        }
    }
}

/// Rows of A: where they are, if they fill a tile and are contiguous, or few tiles want them and they are neighbours; else
/// packed.
///
/// # Safety
/// `packed` has room for a tile's rows.
unsafe fn lines<T: Factor>(a: ArrayView2<'_, T>, height: usize, few: bool, packed: *mut T) -> Strided<T> {
    let (line, step) = (a.strides()[0], a.strides()[1]);
    if a.nrows() == height && (step == 1 || (few && line == 1)) {
        return Strided { at: a.as_ptr(), line, step };
    }
    // SAFETY: the caller vouches for the room.
    unsafe { pack(a, height, packed) };
    Strided { at: packed, line: 1, step: height as isize }
}

/// Packs the rows of a matrix by `height`: their first elements, then their second ones, and so on, with zeros for rows
/// beyond the last.
///
/// # Safety
/// `to` has room for all columns of so many rows, in whole groups of `height`.
unsafe fn pack<T: Factor>(rows: ArrayView2<'_, T>, height: usize, to: *mut T) {
    let (count, depth) = rows.dim();
    let (row, column) = (rows.strides()[0], rows.strides()[1]);
    let from = rows.as_ptr();
    // Of no rows the height may be zero, which is no step.
    for top in (0..count).step_by(height.max(1)) {
        let lines = height.min(count - top);
        // SAFETY: the matrix has an element at every row and column below its lengths, where its strides say, and a group
        // has `height` elements for every column.
        unsafe {
            let (from, to) = (from.offset(top as isize * row), to.add(top * depth));
            if lines < height {
                to.write_bytes(0, height * depth);
            }
            if row == 1 && lines == MOST_ROWS {
                // So many neighbours are few enough to be copied without a call.
                for q in 0..depth {
                    let column = from.offset(q as isize * column).cast::<[T; MOST_ROWS]>();
                    to.add(q * height).cast::<[T; MOST_ROWS]>().write(*column);
                }
                continue;
            }
            if row == 1 && lines > MOST_ROWS {
                for q in 0..depth {
                    to.add(q * height).copy_from_nonoverlapping(from.offset(q as isize * column), lines);
                }
                continue;
            }
            for i in 0..lines {
                let (from, to) = (from.offset(i as isize * row), to.add(i));
                for q in 0..depth {
                    *to.add(q * height) = *from.offset(q as isize * column);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chunkwise_math::dispatch::InstructionSet;
    use ndarray::{Array2, ShapeBuilder, Slice};

    use super::tile::Tiled;
    use super::*;

    /// What the module says an element is.
    fn defined<T: Factor + exact::Float>(c: &mut Array2<T>, a: &Array2<T>, b: &Array2<T>, fused: bool) {
        for ((i, j), c) in c.indexed_iter_mut() {
            for top in (0..a.ncols()).step_by(DEPTH) {
                let summed = top..a.ncols().min(top + DEPTH);
                let sum = summed.fold(T::ZERO, |sum, q| T::plus_product(sum, a[[i, q]], b[[q, j]], fused));
                *c = *c + sum;
            }
        }
    }

    mod exact {
        pub(super) trait Float {
            const ZERO: Self;
            fn plus_product(self, a: Self, b: Self, fused: bool) -> Self;
            fn bits(self) -> u64;
            fn noise(seed: usize) -> Self;
        }
        macro_rules! floats {
            ($($t:ty)*) => { $(impl Float for $t {
                const ZERO: $t = 0.0;
                fn plus_product(self, a: $t, b: $t, fused: bool) -> $t {
                    if fused { a.mul_add(b, self) } else { self + a * b }
                }
                fn bits(self) -> u64 {
                    self.to_bits().into()
                }
                fn noise(seed: usize) -> $t {
                    let bits = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                    bits as $t / 8_388_608.0 - 1.0
                }
            })* };
        }
        floats!(f32 f64);
    }

    fn noise<T: Factor + exact::Float>(rows: usize, columns: usize, seed: usize) -> Array2<T> {
        Array2::from_shape_fn((rows, columns), |(i, j)| T::noise((i * columns + j) * 3 + seed))
    }

    /// The same elements in other places of memory.
    fn laid_out<T: Factor>(x: &Array2<T>, layout: usize) -> Array2<T> {
        let (rows, columns) = x.dim();
        let shape = [(rows, columns), (columns, rows), (2 * rows, 2 * columns)][layout.min(2)];
        let mut array = Array2::from_elem(shape, x[[0, 0]]);
        match layout {
            0 => {}
            1 => array = array.reversed_axes(),
            _ => {
                array.slice_axis_inplace(Axis(0), Slice::new(0, None, -2));
                array.slice_axis_inplace(Axis(1), Slice::new(1, None, 2));
            }
        }
        array.assign(x);
        array
    }

    fn check<T: Factor + exact::Float>((m, k, n): (usize, usize, usize), set: InstructionSet) {
        let (a, b) = (noise::<T>(m, k, 1), noise::<T>(k, n, 2));
        let fused = set > InstructionSet::Baseline || cfg!(target_arch = "aarch64");
        let mut want = noise::<T>(m, n, 3);
        let before = want.clone();
        defined(&mut want, &a, &b, fused);
        for layouts in 0..27 {
            let mut c = laid_out(&before, layouts / 9);
            let (a, b) = (laid_out(&a, layouts / 3 % 3), laid_out(&b, layouts % 3));
            set.with(|| add_product(c.view_mut(), a.view(), b.view())).unwrap();
            let same = c.iter().zip(&want).all(|(c, want)| c.bits() == want.bits());
            assert!(same, "{m} {k} {n} in layouts {layouts} with {set:?}");
        }
    }

    /// Tiles, parts of tiles, panels and depths, each one less and one more.
    #[test]
    fn every_instruction_set_and_layout_gives_the_bits_of_the_definition() {
        for set in InstructionSet::available() {
            for m in [1, 5, 6, 7, 24, 25] {
                for n in [1, 7, 8, 31, 32, 33, 65] {
                    check::<f32>((m, 3, n), set);
                    check::<f64>((m, 3, n), set);
                }
            }
            for shape in [(3, 257, 5), (26, 256, 40), (7, 600, 33), (13, 40, 300), (1, 300, 530)] {
                check::<f32>(shape, set);
                check::<f64>(shape, set);
            }
        }
    }

    #[test]
    fn empty_products_change_nothing() {
        let mut c = noise::<f64>(3, 4, 0);
        let before = c.clone();
        let (a, b) = (Array2::zeros((3, 0)), Array2::zeros((0, 4)));
        add_product(c.view_mut(), a.view(), b.view()).unwrap();
        assert_eq!(c, before);
        let mut c = Array2::<f64>::zeros((0, 4).f());
        add_product(c.view_mut(), Array2::zeros((0, 2)).view(), Array2::ones((2, 4)).view()).unwrap();
    }

    #[test]
    fn shapes_that_do_not_fit_are_an_error() {
        let x = Array2::<f32>::zeros((2, 3));
        let mut c = Array2::zeros((2, 2));
        let err = add_product(c.view_mut(), x.view(), x.view()).unwrap_err();
        assert!(err.to_string().contains("(2, 3)"), "{err}");
    }

    #[test]
    fn scratch_bytes_bound_every_tile() {
        for set in InstructionSet::available() {
            let tile = set.with(f64::tile);
            for n in [1, 30, 257, 5000] {
                let of_tile = scratch_elements(&tile, (9, n, 700), columns_at_a_time(&tile, 8)) * 8;
                assert!(of_tile <= product_scratch_bytes((9, n, 700), 8));
            }
        }
    }
}
