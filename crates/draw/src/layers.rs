//! A layer for each box, and a bend for each layer that an arrow passes.
//!
//! ```text
//! a box lies one layer below the lowest of its inputs       -- longest paths
//! a box without inputs lies one layer above its first user  -- instead of at the top, far from it
//! an arrow over several layers gets a bend in each between
//! ```

use crate::Diagram;
use crate::diagram::{MOST_BENDS, MOST_BOXES};

/// A box or a bend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Box(usize),
    /// Of the arrow of this number.
    Bend(usize),
}

/// Items by layer, in some order, with links between neighbouring layers only.
#[derive(Debug)]
pub(crate) struct Layers {
    pub(crate) items: Vec<Item>,
    /// Items of each layer.
    pub(crate) layers: Vec<Vec<usize>>,
    /// For each item those of the layer above, and below, that it is linked to; once for each arrow.
    pub(crate) above: Vec<Vec<usize>>,
    pub(crate) below: Vec<Vec<usize>>,
    /// The items that each arrow passes, from box to box; arrows in the order of boxes and their inputs.
    pub(crate) arrows: Vec<Vec<usize>>,
}

/// `None` where there are too many boxes or bends.
pub(crate) fn layers(diagram: &Diagram) -> Option<Layers> {
    if diagram.len() > MOST_BOXES {
        return None;
    }
    let layer = layer_of(diagram);
    let arrows: Vec<(usize, usize)> = diagram
        .boxes
        .iter()
        .enumerate()
        .flat_map(|(to, text)| text.inputs.iter().map(move |&from| (from, to)))
        .collect();
    let bends: usize = arrows.iter().map(|&(from, to)| layer[to] - layer[from] - 1).sum();
    if bends > MOST_BENDS {
        return None;
    }
    let mut all = Layers {
        items: Vec::new(),
        layers: vec![Vec::new(); layer.iter().max().map_or(0, |most| most + 1)],
        above: Vec::new(),
        below: Vec::new(),
        arrows: Vec::with_capacity(arrows.len()),
    };
    for (number, &layer) in layer.iter().enumerate() {
        all.add(Item::Box(number), layer);
    }
    for (number, (from, to)) in arrows.into_iter().enumerate() {
        let mut way = vec![from];
        way.extend((layer[from] + 1..layer[to]).map(|layer| all.add(Item::Bend(number), layer)));
        way.push(to);
        for pair in way.windows(2) {
            all.below[pair[0]].push(pair[1]);
            all.above[pair[1]].push(pair[0]);
        }
        all.arrows.push(way);
    }
    Some(all)
}

fn layer_of(diagram: &Diagram) -> Vec<usize> {
    let mut layer = vec![0; diagram.len()];
    let mut first_user = vec![usize::MAX; diagram.len()];
    for (number, text) in diagram.boxes.iter().enumerate() {
        layer[number] = text.inputs.iter().map(|&input| layer[input] + 1).max().unwrap_or(0);
        text.inputs.iter().for_each(|&input| first_user[input] = first_user[input].min(layer[number]));
    }
    for (number, text) in diagram.boxes.iter().enumerate() {
        if text.inputs.is_empty() && first_user[number] != usize::MAX {
            layer[number] = first_user[number] - 1;
        }
    }
    layer
}

impl Layers {
    fn add(&mut self, item: Item, layer: usize) -> usize {
        self.items.push(item);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        self.layers[layer].push(self.items.len() - 1);
        self.items.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Look;

    #[test]
    fn a_late_source_is_beside_its_user_and_a_long_arrow_bends() {
        let mut diagram = Diagram::new("");
        let x = diagram.add(Look::Source, ["x"], &[]);
        let y = diagram.add(Look::Step, ["y"], &[x]);
        let z = diagram.add(Look::Step, ["z"], &[y]);
        let late = diagram.add(Look::Source, ["late"], &[]);
        diagram.add(Look::Result, ["all"], &[z, late, x]);
        let layers = layers(&diagram).unwrap();
        assert_eq!(layers.layers.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 3, 1]);
        assert_eq!(layers.arrows[2 + 1], [late.0, 4]);
        assert_eq!(layers.arrows[2 + 2].len(), 4);
    }

    #[test]
    fn what_nobody_could_read_is_refused() {
        let mut wide = Diagram::new("");
        for _ in 0..=MOST_BOXES {
            wide.add(Look::Step, ["x"], &[]);
        }
        assert!(layers(&wide).is_none());
        // A chain in which every box takes all before it.
        let mut long = Diagram::new("");
        let mut all = Vec::new();
        (0..100).for_each(|_| all.push(long.add(Look::Step, ["x"], &all)));
        assert!(layers(&long).is_none());
    }
}
