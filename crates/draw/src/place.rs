//! Where in its layer an item lies.
//!
//! Each layer in turn, its items go as near to the median of their neighbours as their order and widths allow: the least sum
//! of squares under `x[i + 1] - x[i] >= distance`, found exactly by merging neighbours that push each other (the pool of
//! adjacent violators). Bends count more than boxes, so that long arrows are straight. So no sweep can make boxes overlap.

use crate::layers::{Item, Layers};

/// Sweeps down and up.
const SWEEPS: usize = 16;

/// How much more than a box a bend wants its place.
const BEND_WEIGHT: f64 = 4.0;

/// The middle of each item, so that neighbours are at least their half widths and `gap` apart; the least left edge is 0.
pub(crate) fn place(all: &Layers, width: &[f64], gap: f64) -> Vec<f64> {
    let mut x = vec![0.0; all.items.len()];
    for layer in &all.layers {
        let all: f64 = layer.iter().map(|&item| width[item] + gap).sum();
        let mut right = -all / 2.0;
        for &item in layer {
            x[item] = right + width[item] / 2.0;
            right += width[item] + gap;
        }
    }
    for sweep in 0..SWEEPS {
        let count = all.layers.len();
        for at in 0..count {
            let layer = &all.layers[if sweep % 2 == 0 { at } else { count - 1 - at }];
            settle(all, layer, sweep, width, gap, &mut x);
        }
    }
    let left = (0..x.len()).map(|item| x[item] - width[item] / 2.0).fold(f64::INFINITY, f64::min);
    x.iter().map(|x| x - left).collect()
}

fn settle(all: &Layers, layer: &[usize], sweep: usize, width: &[f64], gap: f64, x: &mut [f64]) {
    // The last sweeps look at both sides, so that what lies between two others comes to rest in the middle.
    let both = sweep + 4 >= SWEEPS;
    let near = |item: usize| {
        let (first, second) =
            if sweep.is_multiple_of(2) { (&all.above, &all.below) } else { (&all.below, &all.above) };
        let second = if both || first[item].is_empty() { &second[item][..] } else { &[] };
        first[item].iter().chain(second)
    };
    // Offsets take the distances out: what is left must not descend.
    let mut offset = 0.0;
    let mut wishes = Vec::with_capacity(layer.len());
    let mut offsets = Vec::with_capacity(layer.len());
    for (at, &item) in layer.iter().enumerate() {
        if at > 0 {
            offset += (width[layer[at - 1]] + width[item]) / 2.0 + gap;
        }
        let wish = median(near(item).map(|&other| x[other]).collect()).unwrap_or(x[item]);
        let weight = if let Item::Bend(_) = all.items[item] { BEND_WEIGHT } else { 1.0 };
        wishes.push((wish - offset, weight));
        offsets.push(offset);
    }
    for ((&item, offset), at) in layer.iter().zip(offsets).zip(ascending(&wishes)) {
        x[item] = at + offset;
    }
}

/// The median, which one arrow from far away does not move.
fn median(mut of: Vec<f64>) -> Option<f64> {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    let upper = *of.get(middle)?;
    Some(if of.len() % 2 == 1 { upper } else { (of[middle - 1] + upper) / 2.0 })
}

/// The numbers nearest to these (each with a weight), in least squares, that do not descend.
fn ascending(wishes: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for &(wish, weight) in wishes {
        let mut pool = (wish, weight, 1);
        while let Some(&(mean, other, count)) = pools.last()
            && mean > pool.0
        {
            let sum = other + pool.1;
            pool = ((mean * other + pool.0 * pool.1) / sum, sum, count + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(mean, _, count)| std::iter::repeat_n(mean, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_weighted_means() {
        let plain = |wishes: &[f64]| ascending(&wishes.iter().map(|&wish| (wish, 1.0)).collect::<Vec<_>>());
        assert_eq!(plain(&[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
        assert_eq!(plain(&[3.0, 1.0, 5.0]), [2.0, 2.0, 5.0]);
        assert_eq!(plain(&[5.0, 4.0, 0.0]), [3.0, 3.0, 3.0]);
        assert_eq!(ascending(&[(3.0, 3.0), (1.0, 1.0)]), [2.5, 2.5]);
    }
}
