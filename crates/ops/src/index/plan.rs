//! Which points a block of a result takes from which part of its source: points grouped by cell, once for all steps.

use chunkwise_chunk::{AxisChunks, ChunkError, Region, Shape};
use chunkwise_expr::ExprError;

/// Points that blocks of a result take, block after block, and inside a block cell after cell of the source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The blocks of the result along the axis of points.
    cut: AxisChunks,
    /// Where the groups of every block begin, and where the last ones end.
    first_groups: Vec<usize>,
    groups: Vec<Group>,
    /// For each point its place in its block of the result.
    places: Vec<u32>,
    /// For each point its place in the box of its group, a number for each axis.
    sources: Vec<u32>,
    steps: usize,
}

/// The points of a block that lie in one cell.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    /// The smallest box that holds them: where it starts, and its lengths.
    region: Region,
    /// Where they begin in the lists of the plan.
    first: usize,
}

/// The points that one step takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picks<'a> {
    /// Where they go along the axis of points.
    pub(super) places: &'a [u32],
    /// Where they are in the box that was asked for, a number for each axis.
    pub(super) sources: &'a [u32],
}

impl Plan {
    /// Groups points, given by their positions along each axis, by the cells of these axes. O(n) where there are fewer
    /// cells than points, else O(n log n).
    ///
    /// # Errors
    /// When there are more cells than can be numbered.
    pub(super) fn new(
        points: &[Vec<usize>],
        cells: &[AxisChunks],
        cut: AxisChunks,
    ) -> Result<Plan, ExprError> {
        let most = cells.iter().try_fold(1usize, |n, cell| n.checked_mul(cell.count()));
        let most = most.ok_or(ExprError::TooManyBlocks { blocks: usize::MAX })?;
        let n = points[0].len();
        let mut plan = Plan {
            cut,
            first_groups: vec![0],
            groups: Vec::new(),
            places: Vec::with_capacity(n),
            sources: Vec::with_capacity(n * points.len()),
            steps: 1,
        };
        for block in 0..plan.cut.count() {
            let range = plan.cut.range(block);
            let points: Vec<&[usize]> = points.iter().map(|axis| &axis[range.clone()]).collect();
            plan.add_block(&points, cells, most);
        }
        Ok(plan)
    }

    fn add_block(&mut self, points: &[&[usize]], cells: &[AxisChunks], most: usize) {
        let numbers = cell_numbers(points, cells);
        let order = sorted(&numbers, most);
        for group in order.chunk_by(|&a, &b| numbers[a as usize] == numbers[b as usize]) {
            self.add_group(points, group);
        }
        let before = self.first_groups[self.first_groups.len() - 1];
        self.steps = self.steps.max(self.groups.len() - before);
        self.first_groups.push(self.groups.len());
    }

    fn add_group(&mut self, points: &[&[usize]], group: &[u32]) {
        let region = bounding_box(points, group);
        for &place in group {
            let at = points.iter().zip(region.start());
            // Cells have at most 2^32 places along an axis.
            self.sources.extend(at.map(|(axis, low)| (axis[place as usize] - low) as u32));
        }
        self.groups.push(Group { region, first: self.places.len() });
        self.places.extend_from_slice(group);
    }

    /// The most groups of a block, at least 1.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// The blocks of the result along the axis of points.
    pub(super) fn cut(&self) -> &AxisChunks {
        &self.cut
    }

    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.cut.len()
    }

    /// What a step of the block that starts at point `start` takes: a box of the source, and the points in it.
    pub(super) fn group(&self, start: usize, step: usize) -> Option<(&Region, Picks<'_>)> {
        let block = self.cut.block_of(start);
        let number = self.first_groups[block] + step;
        if number >= self.first_groups[block + 1] {
            return None;
        }
        let group = &self.groups[number];
        let end = self.groups.get(number + 1).map_or(self.places.len(), |next| next.first);
        let axes = group.region.ndim();
        let sources = &self.sources[group.first * axes..end * axes];
        Some((&group.region, Picks { places: &self.places[group.first..end], sources }))
    }

    /// For each point its position along the axes, in the order of points. For tests and references.
    pub(super) fn points(&self) -> Vec<Shape> {
        let mut points = vec![Shape::new(); self.len()];
        for block in 0..self.cut.count() {
            let start = self.cut.range(block).start;
            let groups = (0..self.first_groups[block + 1] - self.first_groups[block])
                .filter_map(|step| self.group(start, step));
            for (region, picks) in groups {
                for (&place, at) in picks.places.iter().zip(picks.sources.chunks(region.ndim())) {
                    let at = at.iter().zip(region.start());
                    points[start + place as usize] = at.map(|(&at, low)| at as usize + low).collect();
                }
            }
        }
        points
    }
}

/// For each point the number of its cell in C order.
fn cell_numbers(points: &[&[usize]], cells: &[AxisChunks]) -> Vec<usize> {
    let (first, others) = points.split_first().expect("points have an axis at least");
    let mut numbers: Vec<usize> = first.iter().map(|&at| cells[0].block_of(at)).collect();
    for (axis, cells) in others.iter().zip(&cells[1..]) {
        let count = cells.count();
        for (number, &at) in numbers.iter_mut().zip(*axis) {
            *number = *number * count + cells.block_of(at);
        }
    }
    numbers
}

/// The places of the numbers in ascending order, equal ones as they come; numbers are below `most`.
fn sorted(numbers: &[usize], most: usize) -> Vec<u32> {
    // Blocks of results have at most 2^32 points.
    let mut order: Vec<u32> = (0..numbers.len() as u32).collect();
    if numbers.is_sorted() {
        return order;
    }
    if most > numbers.len() {
        order.sort_unstable_by_key(|&place| (numbers[place as usize], place));
        return order;
    }
    let mut next = vec![0u32; most + 1];
    numbers.iter().for_each(|&number| next[number + 1] += 1);
    (0..most).for_each(|number| next[number + 1] += next[number]);
    for (place, &number) in (0..).zip(numbers) {
        order[next[number] as usize] = place;
        next[number] += 1;
    }
    order
}

fn bounding_box(points: &[&[usize]], group: &[u32]) -> Region {
    let range = |axis: &&[usize]| {
        let positions = group.iter().map(|&place| axis[place as usize]);
        positions.fold((usize::MAX, 0), |(low, high), at| (low.min(at), high.max(at)))
    };
    let (low, len): (Shape, Shape) =
        points.iter().map(range).map(|(low, high)| (low, high - low + 1)).unzip();
    Region::new(&low, &len)
}

/// The blocks of so many points, of about `chunk`.
///
/// # Errors
/// When there would be more blocks than can be listed.
pub(super) fn cut_of_points(points: usize, chunk: usize) -> Result<AxisChunks, ChunkError> {
    let cut = AxisChunks::regular(points, chunk.min(u32::MAX as usize));
    match cut.count() {
        blocks if blocks <= u32::MAX as usize => Ok(cut),
        blocks => Err(ChunkError::TooManyBlocks { blocks }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(points: &[Vec<usize>], len: usize, chunk: usize, cut: usize) -> Plan {
        let cells = vec![AxisChunks::regular(len, chunk); points.len()];
        Plan::new(points, &cells, AxisChunks::regular(points[0].len(), cut)).unwrap()
    }

    #[test]
    fn points_are_grouped_by_cell_in_the_order_they_come() {
        let plan = plan(&[vec![7, 1, 6, 0, 1]], 8, 4, 5);
        let (region, picks) = plan.group(0, 0).unwrap();
        assert_eq!(
            (region.to_string(), picks.places, picks.sources),
            ("[0..2]".into(), &[1, 3, 4][..], &[1, 0, 1][..])
        );
        let (region, picks) = plan.group(0, 1).unwrap();
        assert_eq!(
            (region.to_string(), picks.places, picks.sources),
            ("[6..8]".into(), &[0, 2][..], &[1, 0][..])
        );
        assert!(plan.group(0, 2).is_none());
    }

    #[test]
    fn steps_are_the_most_cells_of_a_block() {
        assert_eq!(plan(&[(0..8).collect()], 8, 4, 2).steps(), 1);
        assert_eq!(plan(&[vec![0, 4, 1, 2]], 8, 4, 2).steps(), 2);
        assert_eq!(plan(&[vec![]], 8, 4, 2).steps(), 1);
    }

    #[test]
    fn all_points_are_in_the_plan_for_any_cells() {
        let axes = [vec![5, 0, 3, 3, 1, 7, 2], vec![0, 7, 3, 1, 1, 6, 2]];
        for chunk in [1, 2, 3, 8] {
            let plan = plan(&axes, 8, chunk, 3);
            let want: Vec<Vec<usize>> = (0..7).map(|k| vec![axes[0][k], axes[1][k]]).collect();
            let got: Vec<Vec<usize>> = plan.points().iter().map(|point| point.to_vec()).collect();
            assert_eq!(got, want, "cells of {chunk}");
        }
    }
}
