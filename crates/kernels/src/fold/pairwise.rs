//! The order of merging inside a block: like carrying in a binary counter.
//!
//! ```text
//! push(s):   k = number pushed so far, s included
//!            while k is even: s = merge(pop, s), k = k / 2
//!            push s on the stack
//! finish:    merge the stack from the top down
//! ```
//!
//! The error of a sum grows with the logarithm of the number of parts, the stack holds as many, and the tree
//! depends only on how many parts there are.

/// States of a growing number of parts.
pub(super) struct Pairwise<S> {
    /// States with the number of elements each stands for.
    stack: Vec<(S, u64)>,
    pushed: u64,
}

impl<S> Pairwise<S> {
    /// No parts.
    pub(super) fn new() -> Pairwise<S> {
        Pairwise { stack: Vec::new(), pushed: 0 }
    }

    /// Adds a part that stands for `count` elements. `merge(a, na, b, nb)` merges `b` into the earlier `a`.
    #[inline]
    pub(super) fn push(&mut self, part: S, count: u64, merge: impl Fn(S, u64, S, u64) -> S) {
        let mut top = (part, count);
        self.pushed += 1;
        for _ in 0..self.pushed.trailing_zeros() {
            let Some((before, n)) = self.stack.pop() else { break };
            top = (merge(before, n, top.0, top.1), n + top.1);
        }
        self.stack.push(top);
    }

    /// The state of all parts, and leaves none; `None` when there were none.
    #[inline]
    pub(super) fn finish(&mut self, merge: impl Fn(S, u64, S, u64) -> S) -> Option<S> {
        self.pushed = 0;
        let (mut all, mut count) = self.stack.pop()?;
        while let Some((before, n)) = self.stack.pop() {
            all = merge(before, n, all, count);
            count += n;
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_order_and_the_tree_is_balanced() {
        let merge = |a: String, _: u64, b: String, _: u64| format!("({a}{b})");
        let mut parts = Pairwise::new();
        for part in ["a", "b", "c", "d", "e", "f", "g"] {
            parts.push(part.to_owned(), 1, merge);
        }
        assert_eq!(parts.finish(merge).as_deref(), Some("(((ab)(cd))((ef)g))"));
        assert_eq!(parts.finish(merge), None);
    }
}
