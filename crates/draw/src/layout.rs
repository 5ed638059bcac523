//! Where the boxes of a diagram lie, and which way its arrows go.
//!
//! A layer is as high as its highest box, and boxes hang from its upper edge. Arrows go down along a box and past it
//! vertically, and sideways between layers only, where there are no boxes.

use crate::layers::{Item, Layers, layers};
use crate::order::order;
use crate::place::place;
use crate::{BoxId, Diagram};

/// Size of the font, of which a character is `CHAR` wide and a line `LINE` high.
pub(crate) const FONT: f64 = 12.0;
const CHAR: f64 = 7.4;
pub(crate) const LINE: f64 = 16.0;
/// Room around the text of a box.
pub(crate) const PAD: f64 = 8.0;
/// Room between neighbours of a layer, and between layers.
const GAP: f64 = 18.0;
const BETWEEN: f64 = 44.0;
/// Characters of a line, of which a longer one is cut.
pub(crate) const MOST_CHARS: usize = 56;

/// A rectangle; `y` grows downwards.
///
/// ```
/// let rect = chunkwise_draw::Rect { x: 0.0, y: 0.0, width: 2.0, height: 1.0 };
/// assert!(rect.overlaps(&rect));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// Whether both have a point in common that is inside of them.
    ///
    /// ```
    /// use chunkwise_draw::Rect;
    /// let rect = Rect { x: 0.0, y: 0.0, width: 2.0, height: 1.0 };
    /// assert!(!rect.overlaps(&Rect { x: 2.0, ..rect }));
    /// ```
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// The coordinates of a diagram.
///
/// ```
/// use chunkwise_draw::{Diagram, Layout, Look};
/// let mut diagram = Diagram::new("");
/// let x = diagram.add(Look::Source, ["x"], &[]);
/// let y = diagram.add(Look::Result, ["y"], &[x]);
/// let layout = Layout::of(&diagram).unwrap();
/// assert!(layout.rect(x).y < layout.rect(y).y);
/// ```
#[derive(Clone, Debug)]
pub struct Layout {
    boxes: Vec<Rect>,
    arrows: Vec<Vec<(f64, f64)>>,
    width: f64,
    height: f64,
}

impl Layout {
    /// Lays a diagram out: sources above, results below. O(s (b + k log b)) for `b` boxes and bends, `k` arrows between
    /// layers, and a constant number `s` of sweeps. `None` above [`MOST_BOXES`](crate::MOST_BOXES) boxes or
    /// [`MOST_BENDS`](crate::MOST_BENDS) bends.
    ///
    /// ```
    /// use chunkwise_draw::{Diagram, Layout};
    /// assert_eq!(Layout::of(&Diagram::new("")).unwrap().size(), (0.0, 0.0));
    /// ```
    pub fn of(diagram: &Diagram) -> Option<Layout> {
        let mut all = layers(diagram)?;
        order(&mut all);
        let size: Vec<(f64, f64)> = diagram.boxes.iter().map(|text| size(&text.lines)).collect();
        let width: Vec<f64> = all
            .items
            .iter()
            .map(|item| if let Item::Box(number) = item { size[*number].0 } else { 0.0 })
            .collect();
        let x = place(&all, &width, GAP);
        let mut boxes = vec![Rect { x: 0.0, y: 0.0, width: 0.0, height: 0.0 }; diagram.len()];
        // The upper and lower edge of each layer.
        let (mut bands, mut y) = (Vec::with_capacity(all.layers.len()), 0.0);
        for layer in &all.layers {
            let inside = layer.iter().filter(|&&item| item < diagram.len());
            let height = inside.map(|&item| size[item].1).fold(0.0, f64::max);
            for &item in layer.iter().filter(|&&item| item < diagram.len()) {
                let (width, height) = size[item];
                boxes[item] = Rect { x: x[item] - width / 2.0, y, width, height };
            }
            bands.push((y, y + height));
            y += height + BETWEEN;
        }
        let width = (0..x.len()).map(|item| x[item] + width[item] / 2.0).fold(0.0, f64::max);
        let height = bands.last().map_or(0.0, |band| band.1);
        let arrows = arrows(&all, &boxes, &x, &bands);
        Some(Layout { boxes, arrows, width, height })
    }

    /// Where a box lies; nowhere, without a size, when the diagram does not have it.
    ///
    /// ```
    /// use chunkwise_draw::{Diagram, Layout, Look};
    /// let mut diagram = Diagram::new("");
    /// let x = diagram.add(Look::Source, ["x"], &[]);
    /// assert_eq!(Layout::of(&diagram).unwrap().rect(x).y, 0.0);
    /// ```
    pub fn rect(&self, id: BoxId) -> Rect {
        self.boxes.get(id.0).copied().unwrap_or(Rect { x: 0.0, y: 0.0, width: 0.0, height: 0.0 })
    }

    /// Where all boxes lie, in the order in which they were added.
    pub fn rects(&self) -> &[Rect] {
        &self.boxes
    }

    /// The way of each arrow: points from the lower edge of a box to the upper edge of another one, arrows in the order of
    /// the boxes that they end at. From one point to the next they go straight down, or between two layers.
    pub fn arrows(&self) -> &[Vec<(f64, f64)>] {
        &self.arrows
    }

    /// Width and height.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }
}

/// Width and height of a box with these lines.
fn size(lines: &[String]) -> (f64, f64) {
    let chars = lines.iter().map(|line| cells(&cut(line))).max().unwrap_or(0);
    (chars as f64 * CHAR + 2.0 * PAD, lines.len().max(1) as f64 * LINE + 2.0 * PAD)
}

/// A line as it is drawn.
pub(crate) fn cut(line: &str) -> String {
    match line.chars().nth(MOST_CHARS) {
        None => line.to_owned(),
        Some(_) => line.chars().take(MOST_CHARS - 3).chain("...".chars()).collect(),
    }
}

/// Characters of the font that a line is wide; those beyond ASCII may be wide ones.
fn cells(line: &str) -> usize {
    line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

fn arrows(all: &Layers, boxes: &[Rect], x: &[f64], bands: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let mut layer_of = vec![0; all.items.len()];
    for (number, layer) in all.layers.iter().enumerate() {
        layer.iter().for_each(|&item| layer_of[item] = number);
    }
    let start = |way: &Vec<usize>| (way[0], x[way[1]]);
    let end = |way: &Vec<usize>| (way[way.len() - 1], x[way[way.len() - 2]]);
    let starts = ports(boxes, &all.arrows.iter().map(start).collect::<Vec<_>>());
    let ends = ports(boxes, &all.arrows.iter().map(end).collect::<Vec<_>>());
    let way = |(number, way): (usize, &Vec<usize>)| {
        let from = boxes[way[0]];
        let mut points = vec![(starts[number], from.y + from.height)];
        points.push((starts[number], bands[layer_of[way[0]]].1));
        for &bend in &way[1..way.len() - 1] {
            let (top, bottom) = bands[layer_of[bend]];
            points.extend([(x[bend], top), (x[bend], bottom)]);
        }
        points.push((ends[number], boxes[way[way.len() - 1]].y));
        points.dedup();
        points
    };
    all.arrows.iter().enumerate().map(way).collect()
}

/// Where on an edge of its box each of these (box, where it comes from or goes to) is: evenly spread, from left to right.
fn ports(boxes: &[Rect], ends: &[(usize, f64)]) -> Vec<f64> {
    let mut by_box: Vec<usize> = (0..ends.len()).collect();
    by_box.sort_by(|&a, &b| ends[a].0.cmp(&ends[b].0).then(ends[a].1.total_cmp(&ends[b].1)));
    let mut ports = vec![0.0; ends.len()];
    for group in by_box.chunk_by(|&a, &b| ends[a].0 == ends[b].0) {
        let rect = boxes[ends[group[0]].0];
        for (at, &arrow) in group.iter().enumerate() {
            ports[arrow] = rect.x + rect.width * (at + 1) as f64 / (group.len() + 1) as f64;
        }
    }
    ports
}
