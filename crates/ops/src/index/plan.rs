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
    /// cells than points or the points ascend, else O(n log n).
    ///
    /// # Errors
    /// When there are more cells than can be numbered.
    pub(super) fn new(
        points: &[Vec<usize>],
        cells: &[AxisChunks],
        cut: AxisChunks,
    ) -> Result<Plan, ExprError> {
        let most = cells.iter().fold(1usize, |n, cell| n.saturating_mul(cell.count()));
        if most >= u32::MAX as usize {
            return Err(ExprError::TooManyBlocks { blocks: most });
        }
        let n = points[0].len();
        let mut plan = Plan {
            cut,
            first_groups: vec![0],
            groups: Vec::new(),
            places: Vec::with_capacity(n),
            sources: Vec::with_capacity(n * points.len()),
            steps: 1,
        };
        let mut order = Order::new(most);
        for block in 0..plan.cut.count() {
            let range = plan.cut.range(block);
            let points: Vec<&[usize]> = points.iter().map(|axis| &axis[range.clone()]).collect();
            match &points[..] {
                [axis] if axis.is_sorted() => plan.add_ascending(axis, &cells[0]),
                _ => plan.add_block(&points, cells, &mut order),
            }
            let before = plan.first_groups[plan.first_groups.len() - 1];
            plan.steps = plan.steps.max(plan.groups.len() - before);
            plan.first_groups.push(plan.groups.len());
        }
        Ok(plan)
    }

    /// Points of one axis that are in the order of cells already.
    fn add_ascending(&mut self, axis: &[usize], cells: &AxisChunks) {
        let mut rest = axis;
        while let [low, ..] = *rest {
            let end = cells.range(cells.block_of(low)).end;
            let (group, others) = rest.split_at(rest.partition_point(|&at| at < end));
            let first = (axis.len() - rest.len()) as u32;
            let region = Region::new(&[low], &[group[group.len() - 1] - low + 1]);
            self.groups.push(Group { region, first: self.places.len() });
            self.places.extend(first..first + group.len() as u32);
            self.sources.extend(group.iter().map(|&at| (at - low) as u32));
            rest = others;
        }
    }

    fn add_block(&mut self, points: &[&[usize]], cells: &[AxisChunks], order: &mut Order) {
        order.sort(points, cells);
        for group in order.groups() {
            self.add_group(points, cells, group);
        }
    }

    fn add_group(&mut self, points: &[&[usize]], cells: &[AxisChunks], group: &[u32]) {
        let starts: Shape = points
            .iter()
            .zip(cells)
            .map(|(axis, cells)| cells.range(cells.block_of(axis[group[0] as usize])).start)
            .collect();
        let first = self.sources.len();
        self.sources.resize(first + group.len() * points.len(), 0);
        for (i, (axis, start)) in points.iter().zip(&starts).enumerate() {
            let own = self.sources[first + i..].iter_mut().step_by(points.len());
            // Cells have at most 2^32 places along an axis.
            own.zip(group).for_each(|(at, &place)| *at = (axis[place as usize] - start) as u32);
        }
        let region = moved_to_bounding_box(&mut self.sources[first..], &starts);
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

/// The points of a block in the order of their cells. Its memory serves one block after the other.
#[derive(Debug)]
struct Order {
    /// Number of cells.
    most: usize,
    /// For each point the number of its cell in C order.
    cells: Vec<u32>,
    /// Points in ascending order of cells, those of one cell as they come.
    places: Vec<u32>,
    /// Where the points of each cell end among `places`; of each cell that has some, or of each.
    ends: Vec<u32>,
}

impl Order {
    fn new(most: usize) -> Order {
        Order { most, cells: Vec::new(), places: Vec::new(), ends: Vec::new() }
    }

    /// Takes up the points of a block.
    fn sort(&mut self, points: &[&[usize]], cells: &[AxisChunks]) {
        self.cells.clear();
        self.cells.resize(points[0].len(), 0);
        for (axis, cells) in points.iter().zip(cells) {
            number(&mut self.cells, axis, cells);
        }
        self.ends.clear();
        match self.most > self.cells.len() {
            true => self.sort_few(),
            false => self.count(),
        }
    }

    /// Fewer points than cells.
    fn sort_few(&mut self) {
        let Order { cells, places, ends, .. } = self;
        places.clear();
        // Blocks of results have at most 2^32 points.
        places.extend(0..cells.len() as u32);
        let cell = |place: u32| cells[place as usize];
        places.sort_unstable_by_key(|&place| (cell(place), place));
        let groups = places.chunk_by(|&a, &b| cell(a) == cell(b));
        ends.extend(groups.scan(0, |end, group| {
            *end += group.len() as u32;
            Some(*end)
        }));
    }

    /// A counting sort.
    fn count(&mut self) {
        let Order { most, cells, places, ends } = self;
        // Where the next point of a cell goes, which in the end is where they end.
        ends.resize(*most + 1, 0);
        cells.iter().for_each(|&cell| ends[cell as usize + 1] += 1);
        (0..*most).for_each(|cell| ends[cell + 1] += ends[cell]);
        places.resize(cells.len(), 0);
        for (place, &cell) in (0..).zip(cells.iter()) {
            let next = &mut ends[cell as usize];
            places[*next as usize] = place;
            *next += 1;
        }
    }

    /// The points of each cell that has some.
    fn groups(&self) -> impl Iterator<Item = &[u32]> {
        let groups = self.ends.iter().scan(0, |start, &end| {
            let range = *start as usize..end as usize;
            *start = end;
            Some(&self.places[range])
        });
        groups.filter(|group| !group.is_empty())
    }
}

/// Adds an axis to the numbers of cells in C order, of which there are fewer than 2^32.
fn number(numbers: &mut [u32], axis: &[usize], cells: &AxisChunks) {
    let count = cells.count() as u32;
    let add = |(number, cell): (&mut u32, usize)| *number = *number * count + cell as u32;
    match cells.regular_chunk() {
        // The common case without a look at the cells for each point.
        Some(chunk) => numbers.iter_mut().zip(axis.iter().map(|at| at / chunk)).for_each(add),
        None => numbers.iter_mut().zip(axis.iter().map(|&at| cells.block_of(at))).for_each(add),
    }
}

/// The smallest box that holds some places, a number for each axis that counts from `starts`; then they count from the
/// start of the box.
fn moved_to_bounding_box(sources: &mut [u32], starts: &[usize]) -> Region {
    let mut region = Region::whole(starts);
    for (axis, &start) in starts.iter().enumerate() {
        let own = sources[axis..].iter().step_by(starts.len());
        let (low, high) = own.fold((u32::MAX, 0), |(low, high), &at| (low.min(at), high.max(at)));
        sources[axis..].iter_mut().step_by(starts.len()).for_each(|at| *at -= low);
        region.set_axis(axis, start + low as usize, (high - low) as usize + 1);
    }
    region
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
