//! Neighbours in two dimensions: the length of a gradient, and heat that spreads.

use chunkwise::Boundary;
use chunkwise::prelude::*;
use chunkwise_benches::uniform;
use ndarray::{ArcArray2, Array2};
use rayon::prelude::*;

use crate::versus::{Versus, agree};

const SIDE: usize = 4000;

fn image() -> ArcArray2<f64> {
    let image = Array2::from_shape_vec((SIDE, SIDE), uniform(SIDE * SIDE));
    image.expect("as many elements as the shape has").into_shared()
}

pub(crate) fn gradient(versus: &Versus) -> chunkwise::Result<f64> {
    let data = image();
    let x = LazyArray::from_ndarray(&data, "auto");
    let ours = || (x.gradient(Axis(0), 1.0).square() + x.gradient(Axis(1), 1.0).square()).sqrt().compute();
    let slice = data.as_slice().unwrap_or_default();
    versus.report(|| lengths(slice), ours, |hand, ours| agree(hand, ours, 1e-12))
}

fn lengths(x: &[f64]) -> Vec<f64> {
    const TILE: usize = 16;
    let row = |i: usize| &x[i * SIDE..][..SIDE];
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(TILE * SIDE).enumerate().for_each(|(tile, out)| {
        for (i, out) in (tile * TILE..).zip(out.chunks_exact_mut(SIDE)) {
            let (above, below) = (i.saturating_sub(1), (i + 1).min(SIDE - 1));
            let scale = 1.0 / (below - above) as f64;
            length_of_row(row(i), row(above), row(below), scale, out);
        }
    });
    out
}

fn length_of_row(x: &[f64], above: &[f64], below: &[f64], scale: f64, out: &mut [f64]) {
    let last = SIDE - 1;
    let length = |along: f64, j: usize| {
        let down = (below[j] - above[j]) * scale;
        (along * along + down * down).sqrt()
    };
    out[0] = length(x[1] - x[0], 0);
    out[last] = length(x[last] - x[last - 1], last);
    let vertical = below[1..last].iter().zip(&above[1..last]);
    let horizontal = x[2..].iter().zip(&x[..last - 1]);
    for (out, ((below, above), (right, left))) in out[1..last].iter_mut().zip(vertical.zip(horizontal)) {
        let (down, along) = ((below - above) * scale, (right - left) * 0.5);
        *out = (along * along + down * down).sqrt();
    }
}

const STEPS: usize = 10;
const RATE: f64 = 0.1;

pub(crate) fn heat(versus: &Versus) -> chunkwise::Result<f64> {
    let data = image();
    let start = LazyArray::from_ndarray(&data, "auto");
    let ours = || {
        let step = |x: LazyArray2<f64>, _| {
            x.stencil([1, 1], Boundary::Nearest, |n| {
                let around = n[[-1, 0]] + n[[1, 0]] + n[[0, -1]] + n[[0, 1]];
                n[[0, 0]] + RATE * (around - 4.0 * n[[0, 0]])
            })
        };
        (0..STEPS).fold(start.clone(), step).compute()
    };
    let slice = data.as_slice().unwrap_or_default();
    versus.report(|| spread(slice), ours, |hand, ours| agree(hand, ours, 1e-12))
}

/// Rows and columns of a tile: with its margin, two of them are 650 KiB.
const TILE: (usize, usize) = (125, 250);

fn spread(x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    // Threads write bands of rows, tile by tile.
    out.par_chunks_mut(TILE.0 * SIDE).enumerate().for_each_init(Tile::default, |tile, (band, out)| {
        for left in (0..SIDE).step_by(TILE.1) {
            tile.load(x, Axes { start: band * TILE.0, len: TILE.0 }, Axes { start: left, len: TILE.1 });
            (1..=STEPS).for_each(|step| tile.step(step));
            tile.store(&mut out[left..]);
        }
    });
    out
}

/// Part of an axis.
#[derive(Clone, Copy, Default)]
struct Axes {
    start: usize,
    len: usize,
}

/// Where a tile with its margin lies on an axis, as far as the array has it.
#[derive(Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
    /// Elements of the tile itself, after so many of the margin.
    before: usize,
    len: usize,
}

impl Span {
    fn new(axis: Axes) -> Span {
        let start = axis.start.saturating_sub(STEPS);
        let end = (axis.start + axis.len + STEPS).min(SIDE);
        Span { start, end, before: axis.start - start, len: axis.len }
    }

    fn elements(self) -> usize {
        self.end - self.start
    }

    /// Which elements are known after a step: one less at each side that has a neighbour.
    fn known(self, step: usize) -> std::ops::Range<usize> {
        let from = if self.start == 0 { 0 } else { step };
        let to = if self.end == SIDE { self.elements() } else { self.elements() - step };
        from..to
    }
}

/// A tile with its margin, and a ring of what lies beyond the ends of the array.
#[derive(Default)]
struct Tile {
    now: Vec<f64>,
    next: Vec<f64>,
    rows: Span,
    columns: Span,
}

impl Tile {
    fn width(&self) -> usize {
        self.columns.elements() + 2
    }

    fn load(&mut self, x: &[f64], rows: Axes, columns: Axes) {
        (self.rows, self.columns) = (Span::new(rows), Span::new(columns));
        let (width, len) = (self.width(), self.columns.elements());
        self.now.resize((self.rows.elements() + 2) * width, 0.0);
        self.next.resize(self.now.len(), 0.0);
        for (i, row) in (self.rows.start..self.rows.end).zip(self.now[width..].chunks_exact_mut(width)) {
            row[1..=len].copy_from_slice(&x[i * SIDE + self.columns.start..][..len]);
        }
    }

    fn step(&mut self, step: usize) {
        self.fill_ring();
        let (width, columns) = (self.width(), self.columns.known(step));
        let len = columns.len();
        for i in self.rows.known(step) {
            let at = (i + 1) * width + 1 + columns.start;
            let around = |at: usize| &self.now[at..at + len];
            let vertical = around(at - width).iter().zip(around(at + width));
            let horizontal = around(at - 1).iter().zip(around(at + 1));
            let x = around(at).iter().zip(vertical.zip(horizontal));
            for (out, (x, ((above, below), (left, right)))) in self.next[at..at + len].iter_mut().zip(x) {
                *out = x + RATE * (above + below + left + right - 4.0 * x);
            }
        }
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// What lies beyond an end is what lies at it.
    fn fill_ring(&mut self) {
        let (width, height) = (self.width(), self.rows.elements() + 2);
        if self.rows.start == 0 {
            self.now.copy_within(width..2 * width, 0);
        }
        if self.rows.end == SIDE {
            self.now.copy_within((height - 2) * width..(height - 1) * width, (height - 1) * width);
        }
        for row in self.now.chunks_exact_mut(width) {
            if self.columns.start == 0 {
                row[0] = row[1];
            }
            if self.columns.end == SIDE {
                row[width - 1] = row[width - 2];
            }
        }
    }

    fn store(&self, out: &mut [f64]) {
        let width = self.width();
        for i in 0..self.rows.len {
            let from = (self.rows.before + i + 1) * width + 1 + self.columns.before;
            out[i * SIDE..][..self.columns.len].copy_from_slice(&self.now[from..][..self.columns.len]);
        }
    }
}
