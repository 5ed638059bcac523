//! Where the rows of a window start.

use smallvec::SmallVec;

/// The longest rows of a window that have no gaps, in C order.
pub(crate) struct RowStarts {
    /// Elements of a row.
    len: usize,
    /// Length and stride of the other axes, the innermost last.
    outer: SmallVec<[(usize, isize); 6]>,
}

impl RowStarts {
    /// The rows of an array of this shape, which is not empty, with these strides in elements.
    pub(crate) fn new(shape: &[usize], strides: &[isize]) -> RowStarts {
        let mut outer: SmallVec<[(usize, isize); 6]> =
            shape.iter().copied().zip(strides.iter().copied()).filter(|&(len, _)| len != 1).collect();
        let mut len = 1;
        while let Some(&(axis, stride)) = outer.last()
            && stride == len as isize
        {
            len *= axis;
            outer.pop();
        }
        RowStarts { len, outer }
    }

    /// Elements of a row.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Elements from the first one of the window to that of a row.
    pub(crate) fn start(&self, mut row: usize) -> isize {
        let mut start = 0;
        for &(len, stride) in self.outer.iter().rev() {
            start += (row % len) as isize * stride;
            row /= len;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, s};

    #[test]
    fn rows_hold_every_element_in_c_order() {
        let all = Array::from_shape_fn((4, 5, 6), |(i, j, k)| i * 100 + j * 10 + k);
        for view in [
            all.view(),
            all.slice(s![1..3, .., 2..5]),
            all.slice(s![.., ..;2, ..]),
            all.t(),
            all.slice(s![..;-1, 2..3, ..]),
        ] {
            let rows = RowStarts::new(view.shape(), view.strides());
            let mut seen = Vec::new();
            for row in 0..view.len() / rows.len() {
                // SAFETY: none is needed: the offsets are turned into positions in the whole array.
                let first = all.as_slice().unwrap().element_offset(view.first().unwrap()).unwrap() as isize;
                let start = (first + rows.start(row)) as usize;
                seen.extend_from_slice(&all.as_slice().unwrap()[start..start + rows.len()]);
            }
            assert_eq!(seen, view.iter().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn array_without_gaps_is_one_row() {
        assert_eq!(RowStarts::new(&[3, 1, 4], &[4, 9, 1]).len(), 12);
        assert_eq!(RowStarts::new(&[3, 4], &[10, 1]).len(), 4);
        assert_eq!(RowStarts::new(&[], &[]).len(), 1);
    }
}
