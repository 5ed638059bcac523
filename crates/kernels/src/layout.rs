//! Where the elements of an operand are: an odometer over its strides.
//!
//! The elements of a block are numbered in C order of the space that is evaluated, whatever their order in
//! memory. A run `[o, o + n)` of these numbers is read
//!
//! ```text
//! in place   when it lies in memory without gaps
//! in strips  when the innermost axis strides over cache lines and the next one walks along them
//! gathered   else: for each piece of the innermost axis     stride of one element -> copy
//!                                                            stride 0             -> fill
//!                                                            any other            -> strided loop
//! ```
//!
//! Axes of length 1 are dropped and neighbouring axes joined where one stride walks both, so a contiguous
//! operand has one axis and a scalar that repeats has one axis of stride 0.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use chunkwise_chunk::{Chunk, DType, dispatch};
use smallvec::SmallVec;

use crate::isa::per_isa;
use crate::machine::COLUMNS;
use crate::strip::{Plane, Strip};

/// An operand as the space sees it.
pub(crate) struct Layout<'a> {
    ptr: *const u8,
    itemsize: usize,
    dtype: DType,
    /// Joined axes, the innermost last; empty for a single element.
    axes: SmallVec<[Stride; 6]>,
    /// Rows copied together.
    strip: Option<Strip>,
    /// The chunk whose elements `ptr` points into.
    _elements: PhantomData<&'a Chunk>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Stride {
    len: usize,
    /// Bytes from one element to the next.
    step: isize,
}

impl<'a> Layout<'a> {
    /// The operand broadcast to `shape`, with the axes of the space taken in the given order.
    ///
    /// # Panics
    /// When the operand does not broadcast to the shape.
    pub(crate) fn new(chunk: &'a Chunk, shape: &[usize], order: &[usize]) -> Layout<'a> {
        dispatch!(chunk.dtype(), T => {
            let array = chunk.typed::<T>().expect("dispatched on the chunk's own type");
            let itemsize = size_of::<T>();
            let steps = broadcast(array.shape(), array.strides(), shape);
            let axes = order.iter().map(|&axis| Stride { len: shape[axis], step: steps[axis] * itemsize as isize });
            Layout {
                ptr: array.as_ptr().cast(),
                itemsize,
                dtype: chunk.dtype(),
                axes: joined(axes),
                strip: None,
                _elements: PhantomData,
            }
        })
    }

    /// Reads a transposed operand in strips: of whole rows, or of the columns of a panel.
    pub(crate) fn with_strip(self, panels: bool) -> Layout<'a> {
        let strip = match self.axes[..] {
            // Vectors of words: complex numbers are gathered.
            [.., rows, columns] if !self.dtype.is_complex() => {
                let (len, step) = ([rows.len, columns.len], [rows.step, columns.step]);
                let plane = Plane { len, step, itemsize: self.itemsize };
                Strip::new(plane, if panels { COLUMNS } else { usize::MAX })
            }
            _ => None,
        };
        Layout { strip, ..self }
    }

    /// Length of the rows of several that are read where they are, or in a strip.
    pub(crate) fn row_len(&self) -> Option<usize> {
        match self.axes[..] {
            [.., _, row] if row.step == self.itemsize as isize || self.strip.is_some() => Some(row.len),
            _ => None,
        }
    }

    /// Type of the elements.
    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    /// Address of element `o` when the run of `n` elements from it has no gaps.
    ///
    /// # Safety
    /// The run must lie in the space, and `n` must not be 0.
    #[inline]
    pub(crate) unsafe fn in_place(&self, o: usize, n: usize) -> Option<*const u8> {
        let Some((inner, outer)) = self.axes.split_last() else { return Some(self.ptr) };
        if n > 1 && inner.step != self.itemsize as isize {
            return None;
        }
        if outer.is_empty() {
            // SAFETY: the element lies in the operand by the caller's promise.
            return Some(unsafe { self.ptr.offset(o as isize * inner.step) });
        }
        let (row, at) = (o / inner.len, o % inner.len);
        if at + n > inner.len {
            return None;
        }
        let (base, _) = self.row(row);
        // SAFETY: as above; `base` is the row's offset and the run ends inside the row.
        Some(unsafe { self.ptr.offset(base + at as isize * inner.step) })
    }

    /// Where the run of `n` elements from element `o` is: in place, in a strip, or copied to `dst`.
    ///
    /// # Safety
    /// The run must lie in the space, and `n` must not be 0; `dst` must be valid for writing `n` elements, and
    /// aligned.
    pub(crate) unsafe fn read(&mut self, o: usize, n: usize, dst: *mut u8) -> *const u8 {
        // SAFETY: passed on.
        unsafe {
            if let Some(ptr) = self.in_place(o, n) {
                return ptr;
            }
            match self.strip.take() {
                Some(mut strip) => {
                    let ptr = self.read_strip(&mut strip, o, n, dst);
                    self.strip = Some(strip);
                    ptr
                }
                None => {
                    self.gather(o, n, dst);
                    dst
                }
            }
        }
    }

    /// A run that crosses the end of a strip is put together from its parts.
    ///
    /// # Safety
    /// That of [`read`](Layout::read); the strip must be the operand's.
    unsafe fn read_strip(&self, strip: &mut Strip, o: usize, n: usize, dst: *mut u8) -> *const u8 {
        let columns = self.axes[self.axes.len() - 1];
        let mut done = 0;
        while done < n {
            let (row, column) = ((o + done) / columns.len, (o + done) % columns.len);
            let place = || self.ptr.wrapping_offset(self.row(row).0 + column as isize * columns.step);
            // SAFETY: the element lies in the space, and the operand has the whole plane around it; the part
            // that is copied lies in the run.
            unsafe {
                let (ptr, follow) = strip.at(row, column, place);
                if done == 0 && follow >= n {
                    return ptr;
                }
                let piece = follow.min(n - done);
                let to = dst.add(done * self.itemsize);
                std::ptr::copy_nonoverlapping(ptr, to, piece * self.itemsize);
                done += piece;
            }
        }
        dst
    }

    /// Copies the run of `n` elements from element `o`.
    ///
    /// # Safety
    /// The run must lie in the space; `dst` must be valid for writing `n` elements, and aligned.
    pub(crate) unsafe fn gather(&self, o: usize, n: usize, dst: *mut u8) {
        // SAFETY: passed on; the width is that of the elements.
        unsafe {
            match (self.itemsize, self.dtype) {
                // Words as wide as the parts: complex numbers are aligned no better.
                (_, DType::C64) => gather_as::<[u32; 2]>()(self, o, n, dst),
                (_, DType::C128) => gather_as::<[u64; 2]>()(self, o, n, dst),
                (1, _) => gather_as::<u8>()(self, o, n, dst),
                (2, _) => gather_as::<u16>()(self, o, n, dst),
                (4, _) => gather_as::<u32>()(self, o, n, dst),
                _ => gather_as::<u64>()(self, o, n, dst),
            }
        }
    }

    /// Byte offset and index of a row: of all axes but the innermost.
    fn row(&self, mut row: usize) -> (isize, SmallVec<[usize; 6]>) {
        let outer = &self.axes[..self.axes.len() - 1];
        let mut index = SmallVec::from_elem(0, outer.len());
        let mut base = 0;
        for (axis, stride) in outer.iter().enumerate().rev() {
            index[axis] = row % stride.len;
            row /= stride.len;
            base += index[axis] as isize * stride.step;
        }
        (base, index)
    }
}

/// # Safety
/// That of [`gather`](Layout::gather), with elements as wide as `W`.
#[inline(always)]
unsafe fn gather_body<W: Copy>(layout: &Layout<'_>, o: usize, n: usize, dst: *mut u8) {
    let dst = dst.cast::<W>();
    let Some((inner, outer)) = layout.axes.split_last() else {
        // SAFETY: a space of one element; the run is that element.
        return unsafe { copy_run(layout.ptr.cast::<W>(), 0, n, dst) };
    };
    let (mut at, mut done) = (o % inner.len, 0);
    let (mut base, mut index) = layout.row(o / inner.len);
    while done < n {
        let piece = (inner.len - at).min(n - done);
        // SAFETY: the piece lies in a row of the operand and in the run.
        unsafe {
            let src = layout.ptr.offset(base + at as isize * inner.step);
            copy_run(src.cast::<W>(), inner.step, piece, dst.add(done));
        }
        (at, done) = (0, done + piece);
        base += step_row(outer, &mut index);
    }
}

per_isa! {
    /// The copy of a run of elements as wide as `W`.
    fn gather_as<W: [Copy]>(layout: &Layout<'_>, o: usize, n: usize, dst: *mut u8) = gather_body::<W>
}

/// Advances the index by one row and returns how many bytes that moves; past the end it wraps to the start.
#[inline]
fn step_row(outer: &[Stride], index: &mut [usize]) -> isize {
    let mut moved = 0;
    for (stride, i) in outer.iter().zip(index).rev() {
        *i += 1;
        moved += stride.step;
        if *i < stride.len {
            break;
        }
        moved -= stride.len as isize * stride.step;
        *i = 0;
    }
    moved
}

/// # Safety
/// `src` must be valid for reading `n` elements `step` bytes apart, `dst` for writing `n` in a row.
#[inline(always)]
unsafe fn copy_run<W: Copy>(src: *const W, step: isize, n: usize, dst: *mut W) {
    // SAFETY: every `i` is less than `n`, for which the caller vouches.
    unsafe {
        if step == size_of::<W>() as isize {
            std::ptr::copy_nonoverlapping(src, dst, n);
        } else if step == 0 {
            std::slice::from_raw_parts_mut(dst.cast::<std::mem::MaybeUninit<W>>(), n)
                .fill(std::mem::MaybeUninit::new(src.read()));
        } else {
            copy_strided(src, step, n, dst);
        }
    }
}

/// Constant small steps become shuffles of vectors: the compiler is told them one by one.
///
/// # Safety
/// That of [`copy_run`].
#[inline(always)]
unsafe fn copy_strided<W: Copy>(src: *const W, step: isize, n: usize, dst: *mut W) {
    let each = |by: isize| {
        for i in 0..n {
            // SAFETY: every `i` is less than `n`, for which the caller vouches.
            unsafe { dst.add(i).write(src.byte_offset(i as isize * by).read()) };
        }
    };
    let width = size_of::<W>() as isize;
    match step / width {
        2 => each(2 * width),
        3 => each(3 * width),
        4 => each(4 * width),
        -1 => each(-width),
        _ => each(step),
    }
}

/// Strides of an operand of shape `from` seen as `to`: axes align at the end, length 1 repeats.
fn broadcast(from: &[usize], strides: &[isize], to: &[usize]) -> SmallVec<[isize; 6]> {
    let lead = to.len().checked_sub(from.len());
    let fits = lead.is_some_and(|lead| from.iter().zip(&to[lead..]).all(|(&n, &m)| n == m || n == 1));
    assert!(fits, "operand of shape {from:?} does not broadcast to {to:?}: the caller aligns operands");
    let lead = to.len() - from.len();
    let mut steps = SmallVec::from_elem(0, to.len());
    for (axis, (&n, &stride)) in from.iter().zip(strides).enumerate() {
        if n > 1 {
            steps[lead + axis] = stride;
        }
    }
    steps
}

/// Without axes of length 1, and with neighbours joined where one stride walks both.
fn joined(axes: impl Iterator<Item = Stride>) -> SmallVec<[Stride; 6]> {
    let mut joined: SmallVec<[Stride; 6]> = SmallVec::new();
    for axis in axes.filter(|axis| axis.len != 1) {
        match joined.last_mut() {
            Some(outer) if outer.step == axis.step * axis.len as isize => {
                *outer = Stride { len: outer.len * axis.len, step: axis.step };
            }
            _ => joined.push(axis),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkwise_chunk::View;
    use ndarray::{Array, IxDyn};

    fn chunk(shape: &[usize]) -> Chunk {
        let n: usize = shape.iter().product();
        Chunk::from_array(Array::from_shape_vec(IxDyn(shape), (0..n as u32).collect()).unwrap())
    }

    fn read(layout: &Layout<'_>, o: usize, n: usize) -> Vec<u32> {
        let mut out = vec![0u32; n];
        // SAFETY: the tests ask for runs inside the space.
        unsafe { layout.gather(o, n, out.as_mut_ptr().cast()) };
        out
    }

    #[test]
    fn every_run_of_every_layout_is_in_c_order_of_the_space() {
        let x = chunk(&[3, 4, 5]);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
            let view = View::permute(&[3, 4, 5], &order).unwrap();
            let want = x.view(&view).to_contiguous().to_array::<u32>().unwrap().into_raw_vec_and_offset().0;
            let layout = Layout::new(&x, &[3, 4, 5], &order);
            for o in 0..60 {
                for n in 1..=60 - o {
                    assert_eq!(read(&layout, o, n), want[o..o + n]);
                }
            }
        }
    }

    #[test]
    fn transposed_operands_are_read_in_c_order_from_any_element() {
        let shape = [3, 37, 50];
        let x = chunk(&shape);
        for order in [[0, 2, 1], [2, 1, 0], [2, 0, 1], [1, 2, 0]] {
            let view = View::permute(&shape, &order).unwrap();
            let want = x.view(&view).to_contiguous().to_array::<u32>().unwrap().into_raw_vec_and_offset().0;
            for panels in [false, true] {
                let mut layout = Layout::new(&x, &shape, &order).with_strip(panels);
                for (n, by) in [(50, 50), (64, 64), (37, 37), (1, 7), (900, 613), (300, 4099)] {
                    for o in (0..40).map(|i| i * by % (want.len() - n)) {
                        let mut out = vec![0_u32; n];
                        // SAFETY: the run lies in the space, and `out` has room for it.
                        let got = unsafe {
                            let ptr = layout.read(o, n, out.as_mut_ptr().cast());
                            std::slice::from_raw_parts(ptr.cast::<u32>(), n)
                        };
                        assert_eq!(got, &want[o..o + n], "order {order:?}, from {o}");
                    }
                }
            }
        }
    }

    #[test]
    fn contiguous_and_repeated_operands_have_one_axis() {
        let x = chunk(&[2, 1, 6]);
        assert_eq!(Layout::new(&x, &[2, 1, 6], &[0, 1, 2]).axes.len(), 1);
        let one = chunk(&[1]);
        assert_eq!(Layout::new(&one, &[4, 7], &[0, 1]).axes[..], [Stride { len: 28, step: 0 }]);
        assert_eq!(read(&Layout::new(&chunk(&[2, 1]), &[2, 2, 2], &[0, 1, 2]), 1, 6), [0, 1, 1, 0, 0, 1]);
    }

    #[test]
    #[should_panic(expected = "does not broadcast")]
    fn shapes_that_do_not_fit_are_not_read() {
        Layout::new(&chunk(&[3]), &[4], &[0]);
    }
}
