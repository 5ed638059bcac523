//! The order in which several operands are contracted, two at a time.
//!
//! What a product of two costs is the number of its multiplications: the product of the lengths of all labels of both.
//! Up to [`MOST_OPTIMAL`] operands the cheapest order of all is found, by dynamic programming over their subsets; for
//! more, the pair whose product is smallest against what it takes away is contracted first, over and over. Both are as
//! in D. G. A. Smith and J. Gray, "opt_einsum - A Python package for optimizing contraction order for einsum-like
//! expressions", Journal of Open Source Software 3(26), 753, 2018, <https://doi.org/10.21105/joss.00753>.

use super::subscripts::Label;

/// Operands up to which all orders are compared: 3^8 pairs of subsets.
const MOST_OPTIMAL: usize = 8;

/// A set of labels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Labels(u128);

impl Labels {
    fn of(labels: &[Label]) -> Labels {
        Labels(labels.iter().fold(0, |set, &label| set | 1 << label))
    }

    /// The product of the lengths of all members.
    fn size(self, length: &dyn Fn(Label) -> usize) -> f64 {
        let members = (0..128u8).filter(|&label| self.0 >> label & 1 == 1);
        members.map(|label| length(label) as f64).product()
    }
}

/// Pairs of operands to contract, in turn: the first of each pair is replaced by the product, the second one goes.
pub(super) fn find(
    operands: &[Vec<Label>],
    result: &[Label],
    length: &dyn Fn(Label) -> usize,
) -> Vec<(usize, usize)> {
    let sets: Vec<Labels> = operands.iter().map(|labels| Labels::of(labels)).collect();
    let result = Labels::of(result);
    match sets.len() {
        0 | 1 => Vec::new(),
        n if n <= MOST_OPTIMAL => optimal(&sets, result, length),
        _ => greedy(sets, result, length),
    }
}

/// How a subset of the operands is best contracted.
#[derive(Clone, Copy)]
struct Best {
    /// Multiplications.
    cost: f64,
    /// Elements of the largest product on the way.
    largest: f64,
    /// One of the two subsets that are contracted last; 0 for a single operand.
    part: usize,
}

fn optimal(sets: &[Labels], result: Labels, length: &dyn Fn(Label) -> usize) -> Vec<(usize, usize)> {
    let all = (1usize << sets.len()) - 1;
    let joined = |subset: usize| {
        let members = (0..sets.len()).filter(|i| subset >> i & 1 == 1);
        members.fold(0, |set, i| set | sets[i].0)
    };
    // The labels of a contracted subset: those that the other operands or the result have, too.
    let kept: Vec<Labels> =
        (0..=all).map(|subset| Labels(joined(subset) & (joined(all & !subset) | result.0))).collect();
    let mut best = vec![Best { cost: 0.0, largest: 0.0, part: 0 }; all + 1];
    for subset in (1..=all).filter(|subset| !subset.is_power_of_two()) {
        best[subset] = best_split(subset, &best, &kept, length);
    }
    let mut pairs = Vec::new();
    replay(all, &best, &mut pairs);
    pairs
}

/// The best way to cut a subset in two; the first one of equals.
fn best_split(subset: usize, best: &[Best], kept: &[Labels], length: &dyn Fn(Label) -> usize) -> Best {
    let lowest = subset & subset.wrapping_neg();
    let elements = kept[subset].size(length);
    let mut found: Option<Best> = None;
    // All proper subsets that hold the first operand.
    let mut part = (subset - 1) & subset;
    while part > 0 {
        if part & lowest != 0 {
            let (a, b) = (best[part], best[subset & !part]);
            let product = Labels(kept[part].0 | kept[subset & !part].0).size(length);
            let way = Best {
                cost: a.cost + b.cost + product,
                largest: a.largest.max(b.largest).max(elements),
                part,
            };
            let is_better = |than: &Best| (way.cost, way.largest) < (than.cost, than.largest);
            if found.as_ref().is_none_or(is_better) {
                found = Some(way);
            }
        }
        part = (part - 1) & subset;
    }
    found.expect("a subset of two or more operands can be cut in two")
}

/// The pairs of a subset in turn; returns the place of the product, which is that of its first operand.
fn replay(subset: usize, best: &[Best], pairs: &mut Vec<(usize, usize)>) -> usize {
    let part = best[subset].part;
    if part == 0 {
        return subset.trailing_zeros() as usize;
    }
    let (first, second) = (replay(part, best, pairs), replay(subset & !part, best, pairs));
    pairs.push((first, second));
    first
}

fn greedy(sets: Vec<Labels>, result: Labels, length: &dyn Fn(Label) -> usize) -> Vec<(usize, usize)> {
    let mut left: Vec<Option<Labels>> = sets.into_iter().map(Some).collect();
    let mut pairs = Vec::new();
    while let Some((first, second, product)) = cheapest(&left, result, length) {
        left[first] = Some(product);
        left[second] = None;
        pairs.push((first, second));
    }
    pairs
}

/// The pair whose product grows least, then costs least, and its labels; `None` when one operand is left.
fn cheapest(
    left: &[Option<Labels>],
    result: Labels,
    length: &dyn Fn(Label) -> usize,
) -> Option<(usize, usize, Labels)> {
    let there: Vec<(usize, Labels)> =
        left.iter().enumerate().filter_map(|(i, set)| set.map(|set| (i, set))).collect();
    let pairs = there.iter().enumerate().flat_map(|(at, a)| there[at + 1..].iter().map(move |b| (*a, *b)));
    let weighed = pairs.map(|((i, a), (j, b))| {
        let others = there.iter().filter(|(k, _)| *k != i && *k != j);
        let needed = others.fold(result.0, |set, (_, other)| set | other.0);
        let product = Labels((a.0 | b.0) & needed);
        let growth = product.size(length) - a.size(length) - b.size(length);
        ((growth, Labels(a.0 | b.0).size(length)), (i, j, product))
    });
    weighed.min_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))).map(|(_, pair)| pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiplications of the path that is found for a chain of matrices with these lengths.
    fn cost_of_chain(lengths: &[usize]) -> f64 {
        let operands: Vec<Vec<Label>> =
            (0..lengths.len() - 1).map(|i| vec![i as Label, i as Label + 1]).collect();
        let result = [0, lengths.len() as Label - 1];
        let length = |label: Label| lengths[label as usize];
        let mut left: Vec<Option<Vec<Label>>> = operands.iter().cloned().map(Some).collect();
        let mut cost = 0.0;
        for (i, j) in find(&operands, &result, &length) {
            let (a, b) = (left[i].take().unwrap(), left[j].take().unwrap());
            cost += Labels(Labels::of(&a).0 | Labels::of(&b).0).size(&length);
            let ends = |labels: &[Label]| (*labels.iter().min().unwrap(), *labels.iter().max().unwrap());
            let ((a0, a1), (b0, b1)) = (ends(&a), ends(&b));
            left[i] = Some(vec![a0.min(b0), a1.max(b1)]);
        }
        assert_eq!(left.iter().flatten().count(), 1);
        cost
    }

    #[test]
    fn chain_of_matrices_costs_what_the_textbook_says() {
        // Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", section 15.2: 15125 multiplications.
        let lengths = [30, 35, 15, 5, 10, 20, 25];
        assert_eq!(cost_of_chain(&lengths), 15125.0);
    }

    #[test]
    fn many_operands_are_contracted_greedily_and_each_once() {
        assert_eq!(cost_of_chain(&[10; 13]), 11.0 * 1000.0);
    }

    #[test]
    fn vector_first_makes_a_chain_of_matrices_cheap() {
        let operands = vec![vec![0, 1], vec![1, 2], vec![2]];
        assert_eq!(find(&operands, &[0], &|_| 100), [(1, 2), (0, 1)]);
    }
}
