//! Strips: some rows of an operand whose rows are columns in memory.
//!
//! ```text
//!             columns of the space                     K rows of it at once:
//!           +-----------------------> step of            the bytes of a cache line that several rows have
//!      rows |  a0  b0  c0  d0         several lines      elements in are read together, and the rows then lie
//!           |  a1  b1  c1  d1                            in the strip without gaps
//!   step of |
//!  some bytes  (memory: a0 a1 .. | b0 b1 .. | ..)
//! ```
//!
//! Read row by row, each element of a transposed operand costs a cache line, which has left the cache when the next
//! row wants its neighbour. A strip is a copy of the next K rows, or of the next K rows of a panel of columns, made
//! when an element is asked for that it does not have. The elements of a block are asked for in order, so each is
//! copied once.
#![allow(unsafe_code)]

use crate::buffer::Buffer;
use crate::isa::per_isa;

/// Bytes of a strip at most: it stays in the second-level cache beside the registers.
pub(crate) const STRIP_BYTES: usize = 128 << 10;

/// Most rows of a strip.
const ROWS: usize = 64;

/// Fewest rows that are worth a copy.
const FEWEST_ROWS: usize = 4;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Rows and columns of an operand: two joined axes of the space, the second innermost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane {
    /// Numbers of rows and of columns.
    pub(crate) len: [usize; 2],
    /// Bytes from row to row and from column to column.
    pub(crate) step: [isize; 2],
    /// Bytes of an element.
    pub(crate) itemsize: usize,
}

impl Plane {
    /// Whether neighbouring rows share cache lines and neighbouring columns do not.
    fn is_transposed(&self) -> bool {
        let [rows, columns] = self.step.map(isize::unsigned_abs);
        rows != 0 && rows <= LINE / 2 && columns >= LINE
    }
}

/// The rows of a plane that were copied last.
pub(crate) struct Strip {
    plane: Plane,
    /// Rows and columns of a strip at most.
    rows: usize,
    width: usize,
    /// What is held: from this row of the space and this column, so many rows and columns.
    row: usize,
    column: usize,
    held: [usize; 2],
    elements: Buffer,
    copy: CopyFn,
}

/// Copies rows and columns of a plane: source, plane, numbers of both, destination.
type CopyFn = unsafe fn(*const u8, Plane, [usize; 2], *mut u8);

impl Strip {
    /// A strip for the plane, of at most so many columns, where it is worth having one.
    pub(crate) fn new(plane: Plane, widest: usize) -> Option<Strip> {
        let width = plane.len[1].min(widest).max(1);
        let fitting = (STRIP_BYTES / (width * plane.itemsize)).min(ROWS).min(plane.len[0]);
        let rows = if fitting >= BLOCK { fitting / BLOCK * BLOCK } else { fitting };
        if !plane.is_transposed() || rows < FEWEST_ROWS {
            return None;
        }
        let copy = vectors::copy(plane.itemsize);
        let elements = Buffer::new(rows * width * plane.itemsize);
        Some(Strip { plane, rows, width, row: 0, column: 0, held: [0, 0], elements, copy })
    }

    /// Where the element of a row and a column is, and how many elements in C order follow without a gap, it
    /// included. `place` gives the address of an element that is not held.
    ///
    /// # Safety
    /// The row and the column must lie in the space, and `place` must return the address of the element of the
    /// operand there, the rows and columns of the plane behind it being valid for reading.
    pub(crate) unsafe fn at(
        &mut self,
        row: usize,
        column: usize,
        place: impl FnOnce() -> *const u8,
    ) -> (*const u8, usize) {
        if !self.holds(row, column) {
            let len = self.plane.len;
            // A strip of whole rows begins with a row.
            let first = if self.width == len[1] { 0 } else { column };
            (self.row, self.column) = (row, first);
            self.held = [self.rows.min(len[0] - row % len[0]), self.width.min(len[1] - first)];
            // SAFETY: the rows and columns end inside the plane; the buffer has room for them. The address of
            // the first column is that many steps before that of the asked one.
            unsafe {
                let src = place().offset((first as isize - column as isize) * self.plane.step[1]);
                (self.copy)(src, self.plane, self.held, self.elements.as_mut_ptr());
            }
        }
        let [rows, width] = self.held;
        let at = (row - self.row) * width + (column - self.column);
        let follow =
            if width == self.plane.len[1] { rows * width - at } else { width - (column - self.column) };
        // SAFETY: the element lies in the strip.
        (unsafe { self.elements.as_mut_ptr().add(at * self.plane.itemsize) }, follow)
    }

    fn holds(&self, row: usize, column: usize) -> bool {
        let inside = |at: usize, start: usize, len: usize| at >= start && at - start < len;
        inside(row, self.row, self.held[0]) && inside(column, self.column, self.held[1])
    }
}

/// Columns that are copied together, and the rows of a strip come in multiples of it.
const BLOCK: usize = 16;

/// # Safety
/// `src` must be valid for reading so many rows and columns of the plane, of elements as wide as those of the vector;
/// `dst` for writing them without gaps, aligned, and apart. The processor must have the vector.
#[inline(always)]
unsafe fn copy_plane_body<V: Vector>(
    src: *const u8,
    plane: Plane,
    [rows, columns]: [usize; 2],
    dst: *mut u8,
) {
    let dst = dst.cast::<V::Element>();
    let [down, right] = plane.step;
    let at = |row: usize, column: usize| src.wrapping_offset(row as isize * down + column as isize * right);
    // From element to element of a column: 1 and 2 are done by vectors.
    let stride = down / size_of::<V::Element>() as isize;
    let (whole, blocks) = (rows / V::LANES * V::LANES, columns / BLOCK * BLOCK);
    // A few columns at a time, so that their lines stay in the first-level cache from row to row.
    for start in (0..columns).step_by(BLOCK) {
        let end = columns.min(start + BLOCK);
        let transposed = if (1..=2).contains(&stride) && start < blocks { whole } else { 0 };
        for row in (0..transposed).step_by(V::LANES) {
            for column in (start..end).step_by(V::LANES) {
                let to = row * columns + column;
                // SAFETY: the block lies in the rows and columns; the last element that is read is its last one.
                unsafe {
                    if stride == 1 {
                        transpose::<V>(|i| dense(at(row, column + i)), dst.add(to), columns);
                    } else {
                        transpose::<V>(|i| every_second(at(row, column + i)), dst.add(to), columns);
                    }
                }
            }
        }
        for row in transposed..rows {
            for column in start..end {
                // SAFETY: the element lies in the rows and columns.
                unsafe { dst.add(row * columns + column).write(at(row, column).cast::<V::Element>().read()) };
            }
        }
    }
}

/// Elements in a row.
///
/// # Safety
/// `src` must be valid for reading them. The processor must have the vector.
#[inline(always)]
unsafe fn dense<V: Vector>(src: *const u8) -> V {
    // SAFETY: passed on.
    unsafe { src.cast::<V>().read_unaligned() }
}

/// Every second element; the second half is read so that it ends with the last one.
///
/// # Safety
/// `src` must be valid for reading from the first to the last. The processor must have the vector.
#[inline(always)]
unsafe fn every_second<V: Vector>(src: *const u8) -> V {
    let second = src.wrapping_add((V::LANES - 1) * size_of::<V::Element>());
    // SAFETY: passed on.
    unsafe { V::even_odd(dense(src), dense(second)) }
}

/// Transposes a block of as many rows and columns as the vector has elements, its columns being given.
///
/// Interleaving the first half of the vectors with the second, element by element, moves the highest bit of an
/// element's vector number to the lowest of its place; after as many rounds as there are bits, number and place are
/// exchanged.
///
/// # Safety
/// `dst` must be valid for writing as many vectors, `pitch` elements apart. The processor must have the vector.
#[inline(always)]
unsafe fn transpose<V: Vector>(column: impl Fn(usize) -> V, dst: *mut V::Element, pitch: usize) {
    let half = V::LANES / 2;
    let mut v: [V; BLOCK] = std::array::from_fn(|i| column(i % V::LANES));
    // SAFETY: passed on.
    unsafe {
        for _ in 0..V::LANES.ilog2() {
            let pairs: [_; BLOCK] = std::array::from_fn(|i| V::interleave(v[i % half], v[i % half + half]));
            v = std::array::from_fn(|i| if i % 2 == 0 { pairs[i / 2].0 } else { pairs[i / 2].1 });
        }
        for (i, &v) in v[..V::LANES].iter().enumerate() {
            dst.add(i * pitch).cast::<V>().write_unaligned(v);
        }
    }
}

/// At most [`BLOCK`] elements, a power of two.
trait Vector: Copy + 'static {
    type Element: Copy;
    const LANES: usize = size_of::<Self>() / size_of::<Self::Element>();

    /// The elements of two vectors in turn.
    ///
    /// # Safety
    /// The processor must have the vector.
    unsafe fn interleave(a: Self, b: Self) -> (Self, Self);

    /// The elements 0, 2, 4 .. of the first vector, then 1, 3, 5 .. of the second.
    ///
    /// # Safety
    /// The processor must have the vector.
    unsafe fn even_odd(a: Self, b: Self) -> Self;
}

per_isa! {
    /// The copy of rows and columns by vectors that every processor has.
    fn copy_plane<V: [Vector]>(src: *const u8, plane: Plane, len: [usize; 2], dst: *mut u8)
        = copy_plane_body::<V>
}

#[cfg(not(target_arch = "x86_64"))]
mod vectors {
    /// The copy for elements of this width.
    pub(super) fn copy(itemsize: usize) -> super::CopyFn {
        match itemsize {
            1 => super::copy_plane::<[u8; 16]>(),
            2 => super::copy_plane::<[u16; 8]>(),
            4 => super::copy_plane::<[u32; 4]>(),
            _ => super::copy_plane::<[u64; 2]>(),
        }
    }

    impl<W: Copy + 'static, const N: usize> super::Vector for [W; N] {
        type Element = W;
        #[inline(always)]
        unsafe fn interleave(a: Self, b: Self) -> (Self, Self) {
            let turn = |i: usize| if i.is_multiple_of(2) { a[i / 2] } else { b[i / 2] };
            (std::array::from_fn(turn), std::array::from_fn(|i| turn(i + N)))
        }
        #[inline(always)]
        unsafe fn even_odd(a: Self, b: Self) -> Self {
            std::array::from_fn(|i| if i < N / 2 { a[2 * i] } else { b[2 * i + 1 - N] })
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    #[allow(clippy::wildcard_imports)] // the names begin with _mm
    use std::arch::x86_64::*;

    use super::{CopyFn, Plane, Vector, copy_plane, copy_plane_body};
    use chunkwise_math::dispatch::InstructionSet as Isa;

    /// The copy for elements of this width.
    pub(super) fn copy(itemsize: usize) -> CopyFn {
        match (itemsize, Isa::best()) {
            (1, _) => copy_plane::<Bytes>(),
            (2, _) => copy_plane::<Shorts>(),
            (4, Isa::Avx512) => copy_wide::<WideWords>,
            (4, _) => copy_plane::<Words>(),
            (_, Isa::Avx512) => copy_wide::<WideLongs>,
            (_, _) => copy_plane::<Longs>(),
        }
    }

    /// The copy by vectors of 32 and 64 bytes.
    ///
    /// # Safety
    /// That of [`copy_plane_body`].
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl")]
    unsafe fn copy_wide<V: Vector>(src: *const u8, plane: Plane, len: [usize; 2], dst: *mut u8) {
        // SAFETY: passed on.
        unsafe { copy_plane_body::<V>(src, plane, len, dst) };
    }

    macro_rules! vectors {
        ($($name:ident $element:ident $vector:ident |$a:ident, $b:ident| $low:expr, $high:expr, $even_odd:expr;)*) => { $(
            #[derive(Clone, Copy)]
            struct $name($vector);

            impl Vector for $name {
                type Element = $element;
                #[inline(always)]
                unsafe fn interleave($name($a): $name, $name($b): $name) -> ($name, $name) {
                    // SAFETY: the processor has the vector, says the caller.
                    unsafe { ($name($low), $name($high)) }
                }
                #[inline(always)]
                unsafe fn even_odd($name($a): $name, $name($b): $name) -> $name {
                    // SAFETY: as above.
                    unsafe { $name($even_odd) }
                }
            }
        )* };
    }
    #[rustfmt::skip]
    vectors! {
        Bytes u8 __m128i |a, b| _mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b),
            _mm_packus_epi16(_mm_and_si128(a, _mm_set1_epi16(255)), _mm_srli_epi16(b, 8));
        Shorts u16 __m128i |a, b| _mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b),
            _mm_packs_epi32(_mm_srai_epi32(_mm_slli_epi32(a, 16), 16), _mm_srai_epi32(b, 16));
        Words u32 __m128i |a, b| _mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b),
            _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0b11_01_10_00));
        Longs u64 __m128i |a, b| _mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b),
            _mm_castpd_si128(_mm_shuffle_pd(_mm_castsi128_pd(a), _mm_castsi128_pd(b), 0b10));
        WideWords u32 __m256i |a, b|
            _mm256_permutex2var_epi32(a, _mm256_set_epi32(11, 3, 10, 2, 9, 1, 8, 0), b),
            _mm256_permutex2var_epi32(a, _mm256_set_epi32(15, 7, 14, 6, 13, 5, 12, 4), b),
            _mm256_permutex2var_epi32(a, _mm256_set_epi32(15, 13, 11, 9, 6, 4, 2, 0), b);
        WideLongs u64 __m512i |a, b|
            _mm512_permutex2var_epi64(a, _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), b),
            _mm512_permutex2var_epi64(a, _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4), b),
            _mm512_permutex2var_epi64(a, _mm512_set_epi64(15, 13, 11, 9, 6, 4, 2, 0), b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that differ, as wide as any plane of these tests needs.
    fn bytes() -> Vec<u64> {
        (0..40_000_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect()
    }

    /// Reads elements in C order and out of order, and compares each run with the memory it stands for.
    fn check(bytes: &[u64], plane: Plane, widest: usize, start: usize) {
        let Some(mut strip) = Strip::new(plane, widest) else { panic!("{plane:?} has a strip") };
        let src = bytes.as_ptr().cast::<u8>();
        let element = |row: usize, column: usize| {
            let offset = row as isize * plane.step[0] + column as isize * plane.step[1];
            src.wrapping_add(start).wrapping_offset(offset)
        };
        let (rows, columns) = (plane.len[0], plane.len[1]);
        let places = (0..rows * columns).chain([columns - 1, rows * columns - 1, 0, rows * columns / 2]);
        for o in places.filter(|o| o % 5 == 0 || o % columns < 2) {
            let (row, column) = (o / columns, o % columns);
            // SAFETY: the element lies in the plane, and the plane in the bytes.
            unsafe {
                let (ptr, follow) = strip.at(row, column, || element(row, column));
                assert!(follow > 0 && o + follow <= rows * columns);
                for i in [0, follow / 2, follow - 1] {
                    let want = element((o + i) / columns, (o + i) % columns);
                    let got = ptr.add(i * plane.itemsize);
                    let [got, want] = [got, want].map(|ptr| std::slice::from_raw_parts(ptr, plane.itemsize));
                    assert_eq!(got, want, "{plane:?}, element {o} + {i}");
                }
            }
        }
    }

    #[test]
    fn strips_hold_what_the_memory_holds() {
        let bytes = bytes();
        for itemsize in [1, 2, 4, 8] {
            for len in [[4, 1], [16, 16], [37, 50], [64, 33], [20, 129], [5, 300]] {
                for step in [1, 2, 3, -1, -2] {
                    let down = step * itemsize as isize;
                    if down.unsigned_abs() > LINE / 2 {
                        continue;
                    }
                    let pitch = (len[0] * down.unsigned_abs()).next_multiple_of(8).max(LINE) as isize;
                    for right in [pitch, -pitch] {
                        let extent = |n: usize, step: isize| (n as isize - 1) * step.min(0);
                        let start = -(extent(len[0], down) + extent(len[1], right)) as usize;
                        let plane = Plane { len, step: [down, right], itemsize };
                        check(&bytes, plane, usize::MAX, start);
                        check(&bytes, plane, 48, start);
                    }
                }
            }
        }
    }

    #[test]
    fn only_transposed_planes_have_strips() {
        let strip = |step, len| Strip::new(Plane { len, step, itemsize: 8 }, usize::MAX).is_some();
        assert!(strip([8, 8000], [1000, 1000]));
        assert!(strip([-16, 8000], [500, 1000]));
        assert!(!strip([8000, 8], [1000, 1000]), "rows are dense");
        assert!(!strip([0, 8000], [1000, 1000]), "rows repeat");
        assert!(!strip([8, 0], [1000, 1000]), "columns repeat");
        assert!(!strip([64, 8000], [1000, 1000]), "rows share no line");
        assert!(!strip([8, 8000], [1000, 100_000]), "too few rows fit");
        assert!(!strip([8, 8000], [2, 1000]), "too few rows");
    }
}
