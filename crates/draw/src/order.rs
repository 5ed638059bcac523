//! The order within each layer: few crossings.
//!
//! Items go where the mean of their neighbours in the next layer is (barycentres), layer by layer, down and up in turn. The
//! best of all orders that come by is kept. A crossing is an inversion, counted in O(links log items).

use crate::layers::Layers;

/// Sweeps down and up.
const SWEEPS: usize = 24;

/// Sorts the items of each layer.
pub(crate) fn order(all: &mut Layers) {
    let mut place = vec![0; all.items.len()];
    let mut best = (all.layers.clone(), u64::MAX);
    for sweep in 0..=SWEEPS {
        for layer in &all.layers {
            layer.iter().enumerate().for_each(|(at, &item)| place[item] = at);
        }
        let crossings = crossings(all, &place);
        if crossings < best.1 {
            best = (all.layers.clone(), crossings);
        }
        if crossings == 0 || sweep == SWEEPS {
            break;
        }
        let (down, count) = (sweep % 2 == 0, all.layers.len());
        for at in 1..count {
            let layer = if down { at } else { count - 1 - at };
            let near = if down { &all.above } else { &all.below };
            sort(&mut all.layers[layer], near, &mut place);
        }
    }
    all.layers = best.0;
}

/// Sorts a layer by the mean place of neighbours; items without any stay where they are.
fn sort(layer: &mut [usize], near: &[Vec<usize>], place: &mut [usize]) {
    let mean = |item: usize| match near[item].len() {
        0 => place[item] as f64,
        count => near[item].iter().map(|&other| place[other] as f64).sum::<f64>() / count as f64,
    };
    let mut keyed: Vec<(f64, usize)> = layer.iter().map(|&item| (mean(item), item)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at, (_, item)) in keyed.into_iter().enumerate() {
        layer[at] = item;
        place[item] = at;
    }
}

/// Pairs of links that cross.
fn crossings(all: &Layers, place: &[usize]) -> u64 {
    let most = all.layers.iter().map(Vec::len).max().unwrap_or(0);
    let mut sum = 0;
    for layer in &all.layers {
        // Ends in the layer below of all links so far, as a Fenwick tree.
        let (mut tree, mut links) = (vec![0u64; most + 1], 0);
        for &item in layer {
            let mut ends: Vec<usize> = all.below[item].iter().map(|&to| place[to] + 1).collect();
            ends.sort_unstable();
            sum += ends.iter().map(|&end| links - up_to(&tree, end)).sum::<u64>();
            links += ends.len() as u64;
            ends.into_iter().for_each(|end| add(&mut tree, end));
        }
    }
    sum
}

fn up_to(tree: &[u64], mut at: usize) -> u64 {
    let mut sum = 0;
    while at > 0 {
        sum += tree[at];
        at &= at - 1;
    }
    sum
}

fn add(tree: &mut [u64], mut at: usize) {
    while at < tree.len() {
        tree[at] += 1;
        at += at & at.wrapping_neg();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::layers;
    use crate::{Diagram, Look};

    #[test]
    fn crossed_links_are_uncrossed() {
        let mut diagram = Diagram::new("");
        let [a, b, c] = [(); 3].map(|()| diagram.add(Look::Source, ["x"], &[]));
        for input in [c, b, a] {
            diagram.add(Look::Result, ["y"], &[input]);
        }
        let mut all = layers(&diagram).unwrap();
        assert_eq!(crossings(&all, &[0, 1, 2, 0, 1, 2]), 3);
        order(&mut all);
        assert_eq!(all.layers[1], [5, 4, 3]);
    }

    #[test]
    fn every_pair_that_crosses_counts_once() {
        let mut diagram = Diagram::new("");
        let [a, b] = [(); 2].map(|()| diagram.add(Look::Source, ["x"], &[]));
        diagram.add(Look::Result, ["y"], &[a, b]);
        diagram.add(Look::Result, ["z"], &[a, b]);
        assert_eq!(crossings(&layers(&diagram).unwrap(), &[0, 1, 0, 1]), 1);
    }
}
