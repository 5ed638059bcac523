//! Random diagrams: nothing overlaps, arrows go down and past boxes.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

use chunkwise_draw::{BoxId, Diagram, Layout, Look, Rect, svg};
use proptest::prelude::*;

/// For each box the lengths of its lines, and numbers that choose its inputs among those before.
type Sketch = Vec<(Vec<usize>, Vec<usize>)>;

fn sketches() -> impl Strategy<Value = Sketch> {
    let lines = proptest::collection::vec(0..70_usize, 0..5);
    let inputs = proptest::collection::vec(any::<usize>(), 0..4);
    proptest::collection::vec((lines, inputs), 0..60)
}

fn diagram(sketch: &Sketch) -> Diagram {
    let mut diagram = Diagram::new("random");
    let mut ids: Vec<BoxId> = Vec::new();
    for (lines, inputs) in sketch {
        let inputs: Vec<BoxId> = match ids.len() {
            0 => Vec::new(),
            count => inputs.iter().map(|input| ids[input % count]).collect(),
        };
        ids.push(diagram.add(Look::Step, lines.iter().map(|&len| "m".repeat(len)), &inputs));
    }
    diagram
}

/// Whether a part of an arrow, which goes straight down or lies between these points, is inside of a box.
fn crosses(rect: &Rect, (from, to): ((f64, f64), (f64, f64))) -> bool {
    let (left, right) = (from.0.min(to.0), from.0.max(to.0));
    let part =
        Rect { x: left, y: from.1, width: (right - left).max(1e-9), height: (to.1 - from.1).max(1e-9) };
    let inside =
        Rect { x: rect.x + 1e-6, y: rect.y + 1e-6, width: rect.width - 2e-6, height: rect.height - 2e-6 };
    part.overlaps(&inside)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn boxes_do_not_overlap_and_arrows_pass_between(sketch in sketches()) {
        let diagram = diagram(&sketch);
        let layout = Layout::of(&diagram).unwrap();
        let (width, height) = layout.size();
        for (number, rect) in layout.rects().iter().enumerate() {
            prop_assert!(rect.x >= -1e-6 && rect.x + rect.width <= width + 1e-6 && rect.y + rect.height <= height + 1e-6);
            let apart = Rect { width: rect.width + 10.0, ..*rect };
            for other in &layout.rects()[..number] {
                prop_assert!(!rect.overlaps(other) && (other.x <= rect.x || !apart.overlaps(other)), "{rect:?} {other:?}");
            }
        }
        prop_assert_eq!(layout.arrows().len(), diagram.arrows());
        for way in layout.arrows() {
            prop_assert!(way.windows(2).all(|pair| pair[0].1 <= pair[1].1) && way[0].1 < way[way.len() - 1].1, "{way:?}");
            for pair in way.windows(2) {
                prop_assert!(!layout.rects().iter().any(|rect| crosses(rect, (pair[0], pair[1]))), "{way:?}");
            }
        }
        prop_assert_eq!(svg(std::slice::from_ref(&diagram)), svg(&[diagram]));
    }
}

/// The longest line fits: a character of a monospaced font is 0.6 of its size wide.
#[test]
fn text_is_inside_of_its_box() {
    let mut diagram = Diagram::new("");
    let id = diagram.add(Look::Source, ["m".repeat(50), "i".repeat(500)], &[]);
    let rect = Layout::of(&diagram).unwrap().rect(id);
    assert!(rect.width >= 56.0 * 12.0 * 0.602 && rect.height >= 2.0 * 12.0, "{rect:?}");
    assert!(svg(&[diagram]).contains(&format!("{}...", "i".repeat(53))));
}

#[test]
fn too_many_boxes_become_one_that_says_so() {
    let mut diagram = Diagram::new("big");
    let mut last = diagram.add(Look::Source, ["x"], &[]);
    for _ in 0..100_000 {
        last = diagram.add(Look::Step, ["add"], &[last]);
    }
    let picture = svg(&[diagram]);
    assert!(picture.contains("100001 boxes, 100000 arrows") && picture.len() < 2000, "{picture}");
}

#[test]
fn a_small_picture_is_what_it_was() {
    let mut diagram = Diagram::new("x - mean");
    let x = diagram.add(Look::Source, ["x", "f64[4]"], &[]);
    let mean = diagram.add(Look::Step, ["mean"], &[x]);
    diagram.add(Look::Result, ["sub", "<f64>"], &[x, mean]);
    let (picture, path) = (svg(&[diagram]), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/small.svg"));
    // Written anew where that is asked for: look at the changes.
    if std::env::var_os("CHUNKWISE_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(path, &picture).unwrap();
    }
    assert_eq!(picture, std::fs::read_to_string(path).unwrap());
}
