//! A region as runs of neighbours in the C order of the whole array.

use chunkwise_chunk::{Region, Shape};

/// Calls `f(start, len)` for the rows that hold elements `at..at + count` of the region, in its C order: `start` is a
/// row's place in the C order of the array of this shape. Axes that the region takes whole are part of a row.
pub(crate) fn for_each_row(
    shape: &[usize],
    region: &Region,
    at: usize,
    count: usize,
    mut f: impl FnMut(u64, usize),
) {
    if count == 0 {
        return;
    }
    let (mut outer, mut row, mut stride) = (region.ndim(), 1usize, 1u64);
    let mut whole = true;
    let mut strides: Shape = shape.iter().map(|_| 0).collect();
    let mut start = 0u64;
    for axis in (0..region.ndim()).rev() {
        strides[axis] = stride as usize;
        start += region.start()[axis] as u64 * stride;
        if whole {
            outer = axis;
            row *= region.shape()[axis];
            whole = region.shape()[axis] == shape[axis];
        }
        stride *= shape[axis] as u64;
    }
    // The index in the region of the row that holds `at`, and the row's place.
    let mut index: Shape = region.shape()[..outer].into();
    let mut rest = at / row;
    for axis in (0..outer).rev() {
        index[axis] = rest % region.shape()[axis];
        rest /= region.shape()[axis];
        start += (index[axis] * strides[axis]) as u64;
    }
    let (mut offset, mut left) = (at % row, count);
    loop {
        let len = left.min(row - offset);
        f(start + offset as u64, len);
        left -= len;
        if left == 0 {
            return;
        }
        offset = 0;
        for axis in (0..outer).rev() {
            index[axis] += 1;
            start += strides[axis] as u64;
            if index[axis] < region.shape()[axis] {
                break;
            }
            start -= (index[axis] * strides[axis]) as u64;
            index[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(shape: &[usize], region: &Region, at: usize, count: usize) -> Vec<(u64, usize)> {
        let mut rows = vec![];
        for_each_row(shape, region, at, count, |start, len| rows.push((start, len)));
        rows
    }

    /// The place of every element of the region, one by one.
    fn places(shape: &[usize], region: &Region) -> Vec<u64> {
        let all = ndarray::ArrayD::from_shape_fn(ndarray::IxDyn(region.shape()), |at| {
            (0..shape.len()).fold(0, |place, a| place * shape[a] as u64 + (region.start()[a] + at[a]) as u64)
        });
        all.into_iter().collect()
    }

    #[test]
    fn whole_axes_are_one_row() {
        assert_eq!(rows(&[4, 5], &Region::whole(&[4, 5]), 3, 10), [(3, 10)]);
        assert_eq!(rows(&[4, 5], &Region::new(&[1, 0], &[2, 5]), 0, 10), [(5, 10)]);
        assert_eq!(rows(&[4, 5], &Region::new(&[1, 2], &[2, 1]), 0, 2), [(7, 1), (12, 1)]);
        assert_eq!(rows(&[], &Region::whole(&[]), 0, 1), [(0, 1)]);
        assert_eq!(rows(&[3, 0], &Region::whole(&[3, 0]), 0, 0), []);
    }

    #[test]
    fn rows_cover_the_elements_asked_for_in_order() {
        let shape = [3, 4, 5];
        for start in places(&shape, &Region::whole(&shape)) {
            let start = [start as usize / 20, start as usize / 5 % 4, start as usize % 5];
            let shape_of = |a: usize, cut: usize| (shape[a] - start[a]).saturating_sub(cut).max(1);
            for cut in 0..2 {
                let region = Region::new(&start, &[shape_of(0, 0), shape_of(1, cut), shape_of(2, cut)]);
                let truth = places(&shape, &region);
                for at in 0..truth.len() {
                    for count in [1, 3, truth.len() - at] {
                        let count = count.min(truth.len() - at);
                        let found = rows(&shape, &region, at, count);
                        let found: Vec<u64> =
                            found.iter().flat_map(|&(start, len)| start..start + len as u64).collect();
                        assert_eq!(found, truth[at..at + count], "{region} {at} {count}");
                    }
                }
            }
        }
    }
}
