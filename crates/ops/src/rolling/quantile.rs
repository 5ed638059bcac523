//! Quantiles of moving windows: two sorted blocks as linked lists.
//!
//! ```text
//! lane      | block A              | block B              |
//! windows          [ rest of A     ][ start of B ]
//! ```
//!
//! Each block of as many elements as a window has is sorted once and made a linked list in that order. A step takes one
//! element out of the list of A and puts one into that of B: the elements of B were all taken out in the reverse order, so
//! that each finds its neighbours where they were. In both lists a mark separates the elements below the quantile from
//! the others; it moves by a step or two for each window. So n windows of w elements take O(n log w), all of it for
//! sorting (Suomela, "Median filtering is equivalent to sorting", 2014).

/// The elements of a block in order, some of them taken out.
#[derive(Default)]
struct Block {
    /// The elements, and an infinity for the end of the list.
    values: Vec<f64>,
    /// Place of each element in the order; that of the end of the list is beyond all.
    rank: Vec<u32>,
    next: Vec<u32>,
    prev: Vec<u32>,
    /// First element in the list that is not below the quantile, or the end of it.
    mark: usize,
    /// Elements in the list before the mark.
    below: usize,
    /// Keys and places while they are sorted.
    order: Vec<(u64, u32)>,
}

/// A number whose order is that of the floats, but for NaN.
fn key(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Block {
    /// Takes elements, all of them in the list but NaN.
    fn load(&mut self, values: impl Iterator<Item = f64>) {
        self.values.clear();
        self.values.extend(values);
        self.order.clear();
        let numbers = self.values.iter().zip(0u32..).filter(|(x, _)| !x.is_nan());
        self.order.extend(numbers.map(|(&x, at)| (key(x), at)));
        self.order.sort_unstable_by_key(|&(key, _)| key);
        let end = self.values.len();
        self.values.push(f64::INFINITY);
        for links in [&mut self.rank, &mut self.next, &mut self.prev] {
            links.resize(end + 1, 0);
        }
        let mut last = end;
        for (&(_, at), rank) in self.order.iter().zip(0u32..) {
            self.next[last] = at;
            self.prev[at as usize] = last as u32;
            self.rank[at as usize] = rank;
            last = at as usize;
        }
        self.next[last] = end as u32;
        self.prev[end] = last as u32;
        self.rank[end] = u32::MAX;
        (self.mark, self.below) = (self.next[end] as usize, 0);
    }

    /// What stands for the end of the list.
    fn end(&self) -> usize {
        self.values.len() - 1
    }

    /// Takes all elements out of the list.
    fn empty(&mut self) {
        let end = self.end();
        for at in (0..end).rev() {
            if !self.values[at].is_nan() {
                self.unlink(at);
            }
        }
        (self.mark, self.below) = (end, 0);
    }

    fn unlink(&mut self, at: usize) {
        let (prev, next) = (self.prev[at], self.next[at]);
        self.next[prev as usize] = next;
        self.prev[next as usize] = prev;
    }

    /// Takes an element out; true when it was in.
    fn remove(&mut self, at: usize) -> bool {
        if self.values[at].is_nan() {
            return false;
        }
        self.unlink(at);
        if at == self.mark {
            self.mark = self.next[at] as usize;
        } else {
            self.below -= usize::from(self.rank[at] < self.rank[self.mark]);
        }
        true
    }

    /// Puts the element back that was taken out last; true when it is a number.
    fn restore(&mut self, at: usize) -> bool {
        if self.values[at].is_nan() {
            return false;
        }
        let (prev, next) = (self.prev[at], self.next[at]);
        self.next[prev as usize] = at as u32;
        self.prev[next as usize] = at as u32;
        self.below += usize::from(self.rank[at] < self.rank[self.mark]);
        true
    }

    /// The first element that is not below; infinite when there is none.
    fn first_above(&self) -> f64 {
        self.values[self.mark]
    }

    /// The one after it; infinite when there is none.
    fn second_above(&self) -> f64 {
        if self.mark == self.end() { f64::INFINITY } else { self.values[self.next[self.mark] as usize] }
    }

    /// The last element below; infinite when there is none.
    fn last_below(&self) -> f64 {
        if self.below == 0 { f64::NEG_INFINITY } else { self.values[self.prev[self.mark] as usize] }
    }

    fn advance(&mut self) {
        self.mark = self.next[self.mark] as usize;
        self.below += 1;
    }

    fn retreat(&mut self) {
        self.mark = self.prev[self.mark] as usize;
        self.below -= 1;
    }
}

/// Positions between two questions whether to go on.
const ASK: usize = 4096;

/// Which quantile, and of how many numbers at least.
#[derive(Clone, Copy)]
pub(super) struct Quantile {
    pub(super) q: f64,
    pub(super) min_count: usize,
}

/// The quantiles of lanes, one after the other, with memory that they share.
pub(super) struct Quantiles {
    quantile: Quantile,
    window: usize,
    a: Block,
    b: Block,
    /// Numbers in the window.
    count: usize,
}

impl Quantiles {
    pub(super) fn new(quantile: Quantile, window: usize) -> Quantiles {
        Quantiles { quantile, window, a: Block::default(), b: Block::default(), count: 0 }
    }

    /// The quantiles of the windows from each of `len` positions on. Asks at the first one and now and then whether to go on.
    ///
    /// # Errors
    /// That of `go_on`.
    pub(super) fn run<E>(
        &mut self,
        len: usize,
        get: impl Fn(usize) -> f64,
        mut put: impl FnMut(usize, f64),
        go_on: impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        go_on()?;
        let (window, end) = (self.window, len + self.window - 1);
        self.b.load((0..window).map(&get));
        self.count = self.b.order.len();
        self.a.load(std::iter::empty());
        put(0, self.value());
        for start in (1..len).step_by(window) {
            std::mem::swap(&mut self.a, &mut self.b);
            let from = start + window - 1;
            self.b.load((from..end.min(from + window)).map(&get));
            self.b.empty();
            for at in 0..window.min(len - start) {
                if (start + at).is_multiple_of(ASK) {
                    go_on()?;
                }
                self.count -= usize::from(self.a.remove(at));
                self.count += usize::from(self.b.restore(at));
                put(start + at, self.value());
            }
        }
        Ok(())
    }

    /// The quantile of the elements in both lists, interpolated between two of them.
    fn value(&mut self) -> f64 {
        if self.count < self.quantile.min_count.max(1) {
            return f64::NAN;
        }
        let place = self.quantile.q * (self.count - 1) as f64;
        let below = (place as usize).min(self.count - 1);
        self.settle(below);
        let (a, b) = (self.a.first_above(), self.b.first_above());
        let part = place - below as f64;
        if part == 0.0 {
            return a.min(b);
        }
        let high = if b < a { self.b.second_above().min(a) } else { self.a.second_above().min(b) };
        between(a.min(b), high, part)
    }

    /// Moves the marks so that `wanted` elements lie below them, none of which is above one that does not.
    fn settle(&mut self, wanted: usize) {
        let (a, b) = (&mut self.a, &mut self.b);
        loop {
            let below = a.below + b.below;
            if below < wanted {
                // Of two infinities one may be the end of its list.
                let of_b = b.first_above() < a.first_above() || a.mark == a.end();
                if of_b { b.advance() } else { a.advance() }
            } else if below > wanted {
                let of_b = b.last_below() > a.last_below() || a.below == 0;
                if of_b { b.retreat() } else { a.retreat() }
            } else if a.last_below() > b.first_above() {
                a.retreat();
                b.advance();
            } else if b.last_below() > a.first_above() {
                b.retreat();
                a.advance();
            } else {
                return;
            }
        }
    }
}

/// The value a part of the way from one number to a larger one.
pub(super) fn between(low: f64, high: f64, part: f64) -> f64 {
    match () {
        () if part == 0.0 || low == high => low,
        () if part == 0.5 => (low + high) / 2.0,
        () if part < 0.5 => low + (high - low) * part,
        () => high - (high - low) * (1.0 - part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(x: &[f64], quantile: Quantile) -> f64 {
        let mut numbers: Vec<f64> = x.iter().copied().filter(|x| !x.is_nan()).collect();
        if numbers.len() < quantile.min_count.max(1) {
            return f64::NAN;
        }
        numbers.sort_by(f64::total_cmp);
        let place = quantile.q * (numbers.len() - 1) as f64;
        let below = place as usize;
        between(numbers[below], numbers[(below + 1).min(numbers.len() - 1)], place - below as f64)
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_windows() {
        for step in [1, 7, 13, 50] {
            for window in [1, 2, 3, 10, 11, 40] {
                for (q, min_count) in [(0.5, window), (0.5, 1), (0.0, 1), (1.0, 2), (0.3, 1)] {
                    let quantile = Quantile { q, min_count: min_count.min(window) };
                    let x: Vec<f64> = (0..200)
                        .map(|i| if i * i % 11 == 3 { f64::NAN } else { (i * step % 50) as f64 })
                        .collect();
                    let len = x.len() + 1 - window;
                    let mut got = vec![0.0; len];
                    Quantiles::new(quantile, window)
                        .run(len, |i| x[i], |i, value| got[i] = value, || Ok::<(), ()>(()))
                        .unwrap();
                    for (i, &got) in got.iter().enumerate() {
                        let want = plain(&x[i..i + window], quantile);
                        assert!(got == want || (got.is_nan() && want.is_nan()), "{got} at {i}, not {want}");
                    }
                }
            }
        }
    }
}
