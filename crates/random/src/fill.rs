//! From a law to the elements of a region: runs of neighbours, and elements picked one by one.
//!
//! ```text
//! run     for b in blocks:    out[S b ..][..S], open = attempt(0, words(b))      then the open ones
//! gather  for i in indices:   out[i], open = attempt(0, words(i / S))[i % S]     then the open ones
//! open    for t in 1..:       gather those with attempt(t, ..), until none is open
//! fill    region -> rows; long rows are runs, short ones are gathered together
//! ```
//!
//! The loops of `attempt` have no branches, so that those of runs become vector instructions. What is rejected there (of
//! integers, Poisson and gamma numbers) is drawn again, all that is open in a tile together, by words with other draw
//! numbers: which attempt gives an element depends on the element alone.
#![allow(unsafe_code)]

use std::fmt;

use chunkwise_chunk::{Chunk, DType, Element, Region, TileMut};
use chunkwise_math::{Isa, per_isa};
use ndarray::{ArrayD, IxDyn};

use crate::philox::{Block, Philox};
use crate::rows::for_each_row;

/// What a block of random words becomes at an attempt.
pub(crate) struct Lanes<T> {
    /// The elements; of a law with fewer than four to a block the first ones count.
    pub(crate) values: [T; 4],
    /// Which of them have no value yet.
    pub(crate) open: [bool; 4],
}

impl<T: Element> Lanes<T> {
    /// Values for all.
    #[inline(always)]
    pub(crate) fn all(values: [T; 4]) -> Lanes<T> {
        Lanes { values, open: [false; 4] }
    }

    /// Two values for a law of two elements to a block.
    #[inline(always)]
    pub(crate) fn two(values: [T; 2]) -> Lanes<T> {
        Lanes::all([values[0], values[1], T::default(), T::default()])
    }
}

/// What a lane has. The choice is said to be unpredictable, or LLVM would compute only the lane that is wanted, behind
/// a branch, and the loop would not be a vector one.
#[inline(always)]
fn lane<T: Copy>([a, b, c, d]: [T; 4], lane: u64, share: usize) -> T {
    use std::hint::select_unpredictable as select;
    let odd = lane & 1 == 1;
    match share {
        1 => a,
        2 => select(odd, b, a),
        _ => select(lane & 2 == 2, select(odd, d, c), select(odd, b, a)),
    }
}

/// A distribution: what random words become.
pub(crate) trait Law: fmt::Debug + Send + Sync + 'static {
    /// Type of the elements.
    type Value: Element;
    /// How many neighbours share a block of words: 1, 2 or 4.
    const SHARE: usize;
    /// Whether an attempt may leave elements open.
    const RETRIES: bool = false;
    /// Draws that belong to an attempt: its first is this times its number.
    const DRAWS: u32 = 1;

    /// An attempt at the elements of a block, without branches. `words` are those of the attempt's first draw.
    fn attempt<I: Isa>(&self, number: u32, words: [u64; 4], block: Block<'_>) -> Lanes<Self::Value>;
}

/// Elements that can be computed from their numbers in C order.
pub(crate) trait Elements: fmt::Debug + Send + Sync {
    /// Type of the elements.
    type Value: Element;

    /// The elements from number `start` on.
    fn run(&self, start: u64, out: &mut [Self::Value]);

    /// The elements of these numbers, as many as `out` has.
    fn gather(&self, at: &[u64], out: &mut [Self::Value]);
}

/// Elements of a type that is known only when run.
pub(crate) trait Fill: fmt::Debug + Send + Sync {
    /// Type of the elements.
    fn dtype(&self) -> DType;

    /// The elements of the region from its number `at` on.
    fn fill(&self, shape: &[usize], region: &Region, at: usize, out: TileMut<'_>);

    /// The block of a region.
    fn read(&self, shape: &[usize], region: &Region) -> Chunk;
}

/// Indices computed at once, and elements whose openness is known at once.
pub(crate) const TILE: usize = 256;
/// Rows from this length on are runs of their own.
const LONG: usize = 32;

impl<E: Elements> Fill for E {
    fn dtype(&self) -> DType {
        E::Value::DTYPE
    }

    fn fill(&self, shape: &[usize], region: &Region, at: usize, out: TileMut<'_>) {
        let wanted = E::Value::DTYPE;
        let out =
            E::Value::of_tile_mut(out).unwrap_or_else(|| panic!("a tile of another type than {wanted}"));
        fill(self, shape, region, at, out);
    }

    fn read(&self, shape: &[usize], region: &Region) -> Chunk {
        let mut elements = vec![E::Value::default(); region.len()];
        fill(self, shape, region, 0, &mut elements);
        let array = ArrayD::from_shape_vec(IxDyn(region.shape()), elements);
        Chunk::from_array(array.expect("one element an index"))
    }
}

fn fill<E: Elements>(elements: &E, shape: &[usize], region: &Region, at: usize, out: &mut [E::Value]) {
    let (mut indices, mut held, mut done) = ([0u64; TILE], 0, 0);
    let total = out.len();
    for_each_row(shape, region, at, total, |start, len| {
        if len >= LONG {
            elements.gather(&indices[..held], &mut out[done..done + held]);
            done += held;
            held = 0;
            elements.run(start, &mut out[done..done + len]);
            done += len;
            return;
        }
        for index in start..start + len as u64 {
            indices[held] = index;
            held += 1;
            if held == TILE {
                elements.gather(&indices, &mut out[done..done + TILE]);
                done += TILE;
                held = 0;
            }
        }
    });
    elements.gather(&indices[..held], &mut out[done..]);
}

/// The elements of a law.
#[derive(Debug)]
pub(crate) struct Drawn<L> {
    law: L,
    philox: Philox,
}

impl<L: Law> Drawn<L> {
    pub(crate) fn new(law: L, philox: &Philox) -> Drawn<L> {
        Drawn { law, philox: philox.clone() }
    }
}

impl<L: Law> Elements for Drawn<L> {
    type Value = L::Value;

    fn run(&self, start: u64, out: &mut [L::Value]) {
        let share = L::SHARE as u64;
        let head = ((share - start % share) % share).min(out.len() as u64) as usize;
        let (head, rest) = out.split_at_mut(head);
        let (whole, tail) = rest.split_at_mut(rest.len() - rest.len() % L::SHARE);
        self.few(start, head);
        let start = start + head.len() as u64;
        // SAFETY: the loop is for this processor, and has no other conditions.
        unsafe { run::<L>()(&self.law, &self.philox, start / share, whole) };
        self.few(start + whole.len() as u64, tail);
    }

    fn gather(&self, at: &[u64], out: &mut [L::Value]) {
        if !at.is_empty() {
            // SAFETY: the loop is for this processor, and has no other conditions.
            unsafe { gather::<L>()(&self.law, &self.philox, at, out) };
        }
    }
}

impl<L: Law> Drawn<L> {
    /// The ends of a run: fewer elements than share a block.
    fn few(&self, start: u64, out: &mut [L::Value]) {
        let at: [u64; 4] = std::array::from_fn(|i| start.wrapping_add(i as u64));
        self.gather(&at[..out.len()], out);
    }
}

/// Random words of some blocks, each of the four by itself.
type Words = [[u64; TILE / 2]; 4];

/// # Safety
/// None beyond the instruction set.
#[inline(always)]
unsafe fn run_body<I: Isa, L: Law>(law: &L, philox: &Philox, block: u64, out: &mut [L::Value]) {
    let (mut a, mut b): (Words, Words) = ([[0; TILE / 2]; 4], [[0; TILE / 2]; 4]);
    let mut open = [false; TILE];
    let mut block = block;
    for out in out.chunks_mut(TILE) {
        let count = out.len() / L::SHARE;
        let half = count.div_ceil(2);
        words(philox, block, half, &mut a, &mut b);
        let (out_a, out_b) = out.split_at_mut(half * L::SHARE);
        let (open_a, open_b) = open.split_at_mut(half * L::SHARE);
        for (first, words, out, open) in [(0, &a, out_a, open_a), (half, &b, out_b, open_b)] {
            apply::<I, L>(law, philox, block + first as u64, words, out, open);
        }
        if L::RETRIES && open[..out.len()].contains(&true) {
            let first = block * L::SHARE as u64;
            let at: [u64; TILE] = std::array::from_fn(|i| first + i as u64);
            // SAFETY: the loop is for this processor, and has no other conditions.
            unsafe { close::<L>()(law, philox, &at, &open, out) };
        }
        block += count as u64;
    }
}

/// The first words of `half` blocks from `block` on, and those of as many blocks after them.
#[inline(always)]
fn words(philox: &Philox, block: u64, half: usize, a: &mut Words, b: &mut Words) {
    let (a, b) = (a.each_mut().map(|a| &mut a[..half]), b.each_mut().map(|b| &mut b[..half]));
    for i in 0..half {
        let [of_a, of_b] = philox.pair(block + i as u64, block + (half + i) as u64);
        for word in 0..4 {
            a[word][i] = of_a[word];
            b[word][i] = of_b[word];
        }
    }
}

/// The first attempt at the elements of consecutive blocks.
#[inline(always)]
fn apply<I: Isa, L: Law>(
    law: &L,
    philox: &Philox,
    block: u64,
    words: &Words,
    out: &mut [L::Value],
    open: &mut [bool],
) {
    let count = out.len() / L::SHARE;
    let [w0, w1, w2, w3] = words.each_ref().map(|words| &words[..count]);
    let places = out.chunks_exact_mut(L::SHARE).zip(open.chunks_exact_mut(L::SHARE));
    for (i, (out, open)) in places.enumerate() {
        let words = [w0[i], w1[i], w2[i], w3[i]];
        let lanes = law.attempt::<I>(0, words, philox.block(block + i as u64));
        out.copy_from_slice(&lanes.values[..L::SHARE]);
        if L::RETRIES {
            open.copy_from_slice(&lanes.open[..L::SHARE]);
        }
    }
}

/// # Safety
/// None beyond the instruction set.
#[inline(always)]
unsafe fn gather_body<I: Isa, L: Law>(law: &L, philox: &Philox, at: &[u64], out: &mut [L::Value]) {
    let mut tile = Tile::default();
    for (at, out) in at.chunks(TILE).zip(out.chunks_mut(TILE)) {
        pick::<I, L>(law, philox, 0, at, &mut tile);
        out.copy_from_slice(&tile.values[..at.len()]);
        if L::RETRIES && tile.open[..at.len()].contains(&true) {
            // SAFETY: the loop is for this processor, and has no other conditions.
            unsafe { close::<L>()(law, philox, at, &tile.open, out) };
        }
    }
}

/// What an attempt makes of some indices. Nothing else points here, which loops that write to it need to be vector ones.
struct Tile<T> {
    values: [T; TILE],
    open: [bool; TILE],
}

impl<T: Element> Default for Tile<T> {
    fn default() -> Tile<T> {
        Tile { values: [T::default(); TILE], open: [false; TILE] }
    }
}

/// An attempt at the elements of at most [`TILE`] indices.
#[inline(always)]
fn pick<I: Isa, L: Law>(law: &L, philox: &Philox, number: u32, at: &[u64], tile: &mut Tile<L::Value>) {
    let share = L::SHARE as u64;
    let (values, open) = (&mut tile.values[..at.len()], &mut tile.open[..at.len()]);
    for (i, &index) in at.iter().enumerate() {
        let block = philox.block(index / share);
        let lanes = law.attempt::<I>(number, block.words(number.wrapping_mul(L::DRAWS)), block);
        values[i] = lane(lanes.values, index % share, L::SHARE);
        if L::RETRIES {
            open[i] = lane(lanes.open, index % share, L::SHARE);
        }
    }
}

/// # Safety
/// None beyond the instruction set.
#[inline(always)]
unsafe fn close_body<I: Isa, L: Law>(
    law: &L,
    philox: &Philox,
    at: &[u64],
    open: &[bool; TILE],
    out: &mut [L::Value],
) {
    let (mut places, mut count) = ([0; TILE], 0);
    for (place, &open) in open[..out.len()].iter().enumerate() {
        places[count] = place;
        count += usize::from(open);
    }
    let (mut indices, mut tile) = ([0; TILE], Tile::default());
    let mut number = 0;
    while count > 0 {
        number += 1;
        indices.iter_mut().zip(&places[..count]).for_each(|(index, &place)| *index = at[place]);
        pick::<I, L>(law, philox, number, &indices[..count], &mut tile);
        let tried = std::mem::take(&mut count);
        for i in 0..tried {
            let place = places[i];
            out[place] = tile.values[i];
            places[count] = place;
            count += usize::from(tile.open[i]);
        }
    }
}

per_isa! {
    /// The elements of consecutive blocks.
    fn run<L: [Law]>(law: &L, philox: &Philox, block: u64, out: &mut [L::Value])
        = run_body::<Arithmetic, L>
}

per_isa! {
    /// The elements of some indices.
    fn gather<L: [Law]>(law: &L, philox: &Philox, at: &[u64], out: &mut [L::Value])
        = gather_body::<Arithmetic, L>
}

per_isa! {
    /// Further attempts at the open elements of a tile, until all have a value.
    fn close<L: [Law]>(law: &L, philox: &Philox, at: &[u64], open: &[bool; TILE], out: &mut [L::Value])
        = close_body::<Arithmetic, L>
}
