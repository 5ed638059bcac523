//! Rows of `u32` in two flat arrays: the edges of a graph, without an allocation per task.
//!
//! It owns the layout. What the rows mean (inputs or users) is the caller's.

/// Row `i` is `items[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Csr {
    offsets: Vec<u32>,
    items: Vec<u32>,
}

impl Csr {
    pub(crate) fn new() -> Self {
        Self { offsets: vec![0], items: Vec::new() }
    }

    pub(crate) fn reserve(&mut self, rows: usize, items: usize) {
        self.offsets.reserve(rows);
        self.items.reserve(items);
    }

    /// Appends a row. The caller keeps the number of items within `u32`.
    pub(crate) fn push_row(&mut self, row: impl IntoIterator<Item = u32>) {
        self.items.extend(row);
        let end = u32::try_from(self.items.len()).expect("the caller keeps the items within u32");
        self.offsets.push(end);
    }

    #[inline]
    pub(crate) fn row(&self, row: u32) -> &[u32] {
        let row = row as usize;
        &self.items[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// Positions of a row in the list of all items.
    #[inline]
    pub(crate) fn range_of(&self, row: u32) -> std::ops::Range<u32> {
        let row = row as usize;
        self.offsets[row]..self.offsets[row + 1]
    }

    /// Items at these positions.
    #[inline]
    pub(crate) fn slice(&self, positions: std::ops::Range<u32>) -> &[u32] {
        &self.items[positions.start as usize..positions.end as usize]
    }

    #[inline]
    pub(crate) fn len_of(&self, row: u32) -> u32 {
        let row = row as usize;
        self.offsets[row + 1] - self.offsets[row]
    }

    /// The rows in their order.
    #[inline]
    pub(crate) fn iter_rows(&self) -> impl Iterator<Item = &[u32]> {
        self.offsets.windows(2).map(|ends| &self.items[ends[0] as usize..ends[1] as usize])
    }

    /// Rows without items, ascending.
    pub(crate) fn empty_rows(&self) -> Vec<u32> {
        let is_empty = |ends: &&[u32]| ends[0] == ends[1];
        let mut rows = Vec::with_capacity(self.offsets.windows(2).filter(is_empty).count());
        let all = (0..).zip(self.offsets.windows(2));
        rows.extend(all.filter(|(_, ends)| is_empty(ends)).map(|(row, _): (u32, _)| row));
        rows
    }

    pub(crate) fn row_lens(&self) -> Vec<u32> {
        self.offsets.windows(2).map(|ends| ends[1] - ends[0]).collect()
    }

    pub(crate) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn items(&self) -> usize {
        self.items.len()
    }

    /// The reverse edges: row `j` lists, in ascending order, each row `i` once for every `j` in it.
    pub(crate) fn transposed(&self) -> Self {
        // `offsets[j + 1]` is first the start of row `j`, then the place of its next item, in the end its end.
        let mut offsets = vec![0_u32; self.rows() + 2];
        for &item in &self.items {
            offsets[item as usize + 2] += 1;
        }
        let mut end = 0;
        for offset in &mut offsets {
            end += *offset;
            *offset = end;
        }
        offsets.pop();
        let mut items = vec![0_u32; self.items.len()];
        for (row, ends) in self.offsets.windows(2).enumerate() {
            for &item in &self.items[ends[0] as usize..ends[1] as usize] {
                let at = &mut offsets[item as usize + 1];
                items[*at as usize] = row as u32;
                *at += 1;
            }
        }
        Self { offsets, items }
    }

    /// Row `order[i]` as row `i`, and each item `j` as `rank[j]`.
    pub(crate) fn renumbered(&self, order: &[u32], rank: &[u32]) -> Self {
        let mut offsets = Vec::with_capacity(order.len() + 1);
        offsets.push(0);
        let mut items = Vec::with_capacity(self.items.len());
        for &old in order {
            items.extend(self.row(old).iter().map(|&item| rank[item as usize]));
            offsets.push(items.len() as u32);
        }
        Self { offsets, items }
    }

    /// Row `row` for reordering.
    pub(crate) fn row_mut(&mut self, row: u32) -> &mut [u32] {
        let row = row as usize;
        &mut self.items[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposed_lists_every_edge_once_in_ascending_order() {
        let mut inputs = Csr::new();
        inputs.push_row([]);
        inputs.push_row([0, 0]);
        inputs.push_row([1, 0]);
        let users = inputs.transposed();
        assert_eq!(users.row(0), [1, 1, 2]);
        assert_eq!(users.row(1), [2]);
        assert!(users.row(2).is_empty());
        assert_eq!(users.items(), inputs.items());
    }

    #[test]
    fn rows_come_in_their_order_and_empty_ones_are_found() {
        let mut rows = Csr::new();
        assert!(rows.empty_rows().is_empty());
        [vec![], vec![3, 1], vec![], vec![0]].into_iter().for_each(|row| rows.push_row(row));
        assert_eq!(rows.empty_rows(), [0, 2]);
        assert_eq!(rows.iter_rows().map(<[u32]>::len).collect::<Vec<_>>(), [0, 2, 0, 1]);
    }

    #[test]
    fn renumbered_moves_rows_and_renames_items() {
        let mut inputs = Csr::new();
        inputs.push_row([]);
        inputs.push_row([0]);
        inputs.push_row([]);
        inputs.push_row([2, 1, 2]);
        let renumbered = inputs.renumbered(&[2, 0, 1, 3], &[1, 2, 0, 3]);
        assert_eq!(renumbered.row(2), [1]);
        assert_eq!(renumbered.row(3), [0, 2, 0]);
        assert_eq!((renumbered.rows(), renumbered.items()), (4, 4));
    }
}
