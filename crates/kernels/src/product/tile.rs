//! The inner loop of a product: a tile of the result in registers, for each instruction set.
//!
//! A tile is as large as registers allow: every row of B that is loaded is used for all its rows, every element of A
//! for all its columns. Its vectors are more than the multiplications that are under way at a time, so none waits.

use std::ops::Add;

use chunkwise_chunk::Element;
use chunkwise_math::dispatch::InstructionSet;

/// Most rows of a tile.
pub(super) const MOST_ROWS: usize = 6;

/// Most columns of a vector.
pub(super) const MOST_LANES: usize = 16;

/// The elements that [`add_product`](super::add_product) multiplies.
pub trait Factor: Element + Add<Output = Self> + Tiled {}

impl Factor for f32 {}
impl Factor for f64 {}

/// Seals [`Factor`]: what has a tile.
pub trait Tiled: Sized {
    /// The tile of the best instruction set.
    fn tile() -> Tile<Run<Self>>;
}

/// Adds a product to a tile of C. `depth` elements are summed; the tile has all its rows and so many columns as whole
/// vectors have.
///
/// # Safety
/// The processor has the instructions, and the operands have these elements.
pub(super) type Run<T> = unsafe fn(depth: usize, a: Strided<T>, b: Strided<T>, c: *mut T, row: isize);

/// A matrix in memory: its first element, from one row or column of the tile to the next, and from one summed element to
/// the next. The columns of B are neighbours.
#[derive(Debug)]
pub struct Strided<T> {
    pub(super) at: *const T,
    pub(super) line: isize,
    pub(super) step: isize,
}

impl<T> Clone for Strided<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Strided<T> {}

/// Vectors across the widest tile.
pub(super) const ACROSS: usize = 4;

/// Loops for one to [`ACROSS`] vectors across, and the size of their tile.
#[derive(Clone, Copy, Debug)]
pub struct Tile<R> {
    pub(super) rows: usize,
    pub(super) lanes: usize,
    pub(super) across: usize,
    pub(super) runs: [R; ACROSS],
}

impl<R> Tile<R> {
    pub(super) fn columns(&self) -> usize {
        self.across * self.lanes
    }
}

/// Neighbours in a register.
trait Vector: Copy {
    type Element: Copy;
    const LANES: usize = size_of::<Self>() / size_of::<Self::Element>();

    /// # Safety
    /// The processor must have the vector, here and below.
    unsafe fn of(x: Self::Element) -> Self;

    /// # Safety
    /// There are so many elements at `at`, here and below.
    unsafe fn load(at: *const Self::Element) -> Self;

    /// # Safety
    /// As above.
    unsafe fn store(self, at: *mut Self::Element);

    /// # Safety
    /// As above.
    unsafe fn plus(self, other: Self) -> Self;

    /// `self + a * b`, rounded once where the processor can.
    ///
    /// # Safety
    /// As above.
    unsafe fn plus_product(self, a: Self, b: Self) -> Self;
}

/// # Safety
/// That of [`Run`].
#[inline(always)]
unsafe fn run<V: Vector, const ROWS: usize, const ACROSS: usize>(
    depth: usize,
    a: Strided<V::Element>,
    b: Strided<V::Element>,
    c: *mut V::Element,
    row: isize,
) where
    V::Element: Default,
{
    // SAFETY: the caller vouches for the elements, and for the processor.
    unsafe {
        let mut tile = [[V::of(V::Element::default()); ACROSS]; ROWS];
        let (mut at_a, mut at_b) = (a.at, b.at);
        for _ in 0..depth {
            let mut across = [tile[0][0]; ACROSS];
            for (v, to) in across.iter_mut().enumerate() {
                *to = V::load(at_b.add(v * V::LANES));
            }
            for (i, sums) in tile.iter_mut().enumerate() {
                let factor = V::of(*at_a.offset(i as isize * a.line));
                for (sum, &b) in sums.iter_mut().zip(&across) {
                    *sum = sum.plus_product(factor, b);
                }
            }
            at_a = at_a.wrapping_offset(a.step);
            at_b = at_b.wrapping_offset(b.step);
        }
        for (i, sums) in tile.iter().enumerate() {
            let c = c.offset(i as isize * row);
            for (v, &sum) in sums.iter().enumerate() {
                let c = c.add(v * V::LANES);
                V::load(c).plus(sum).store(c);
            }
        }
    }
}

/// The loops of an instruction set: `name: vector of element, rows by vectors across, what it is compiled with`.
macro_rules! tiles {
    ($($name:ident: $vector:ty, $t:ty, $rows:literal by $across:literal $(, $features:literal)?;)*) => { $(
        const _: () = assert!($rows <= MOST_ROWS && <$vector as Vector>::LANES <= MOST_LANES);

        pub(super) fn $name() -> Tile<Run<$t>> {
            $(#[target_feature(enable = $features)])?
            unsafe fn compiled<const N: usize>(
                depth: usize, a: Strided<$t>, b: Strided<$t>, c: *mut $t, row: isize,
            ) {
                // SAFETY: the contract is passed on.
                unsafe { run::<$vector, $rows, N>(depth, a, b, c, row) }
            }
            let runs: [Run<$t>; ACROSS] = match $across {
                2 => [compiled::<1>, compiled::<2>, compiled::<2>, compiled::<2>],
                _ => [compiled::<1>, compiled::<2>, compiled::<3>, compiled::<4>],
            };
            Tile { rows: $rows, lanes: <$vector as Vector>::LANES, across: $across, runs }
        }
    )* };
}

/// Vectors of every processor: 128 bits.
#[derive(Clone, Copy)]
struct Plain<T, const LANES: usize>([T; LANES]);

macro_rules! plain {
    ($($t:ty, $lanes:literal;)*) => { $(
        impl Vector for Plain<$t, $lanes> {
            type Element = $t;
            #[inline(always)]
            unsafe fn of(x: $t) -> Self {
                Plain([x; $lanes])
            }
            #[inline(always)]
            unsafe fn load(at: *const $t) -> Self {
                // SAFETY: the elements are there, says the caller.
                Plain(unsafe { at.cast::<[$t; $lanes]>().read() })
            }
            #[inline(always)]
            unsafe fn store(self, at: *mut $t) {
                // SAFETY: as above.
                unsafe { at.cast::<[$t; $lanes]>().write(self.0) };
            }
            #[inline(always)]
            unsafe fn plus(self, other: Self) -> Self {
                Plain(std::array::from_fn(|lane| self.0[lane] + other.0[lane]))
            }
            #[inline(always)]
            unsafe fn plus_product(self, a: Self, b: Self) -> Self {
                Plain(std::array::from_fn(|lane| match cfg!(target_arch = "aarch64") {
                    true => a.0[lane].mul_add(b.0[lane], self.0[lane]),
                    false => self.0[lane] + a.0[lane] * b.0[lane],
                }))
            }
        }
    )* };
}
plain! {
    f32, 4;
    f64, 2;
}
#[cfg(target_arch = "aarch64")]
tiles! {
    plain_f32: Plain<f32, 4>, f32, 6 by 4;
    plain_f64: Plain<f64, 2>, f64, 6 by 4;
}
#[cfg(not(target_arch = "aarch64"))]
tiles! {
    plain_f32: Plain<f32, 4>, f32, 4 by 2;
    plain_f64: Plain<f64, 2>, f64, 4 by 2;
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::*;

    use super::*;

    macro_rules! vectors {
        ($($vector:ident, $t:ty: $of:ident $load:ident $store:ident $plus:ident $plus_product:ident;)*) => { $(
            impl Vector for $vector {
                type Element = $t;
                #[inline(always)]
                unsafe fn of(x: $t) -> Self {
                    // SAFETY: the processor has the vector, says the caller.
                    unsafe { $of(x) }
                }
                #[inline(always)]
                unsafe fn load(at: *const $t) -> Self {
                    // SAFETY: as above, and there are so many elements.
                    unsafe { $load(at) }
                }
                #[inline(always)]
                unsafe fn store(self, at: *mut $t) {
                    // SAFETY: as above.
                    unsafe { $store(at, self) };
                }
                #[inline(always)]
                unsafe fn plus(self, other: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $plus(self, other) }
                }
                #[inline(always)]
                unsafe fn plus_product(self, a: Self, b: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $plus_product(a, b, self) }
                }
            }
        )* };
    }
    vectors! {
        __m256, f32: _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_fmadd_ps;
        __m256d, f64: _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_fmadd_pd;
        __m512, f32: _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_fmadd_ps;
        __m512d, f64: _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_fmadd_pd;
    }
    tiles! {
        avx2_f32: __m256, f32, 6 by 2, "avx2,fma";
        avx2_f64: __m256d, f64, 6 by 2, "avx2,fma";
        avx512_f32: __m512, f32, 6 by 4, "avx512f,fma";
        avx512_f64: __m512d, f64, 6 by 4, "avx512f,fma";
    }
}

/// The tile of each instruction set.
macro_rules! choices {
    ($($t:ty: $plain:ident $avx2:ident $avx512:ident;)*) => { $(
        impl Tiled for $t {
            fn tile() -> Tile<Run<$t>> {
                match InstructionSet::best() {
                    InstructionSet::Baseline => $plain(),
                    #[cfg(target_arch = "x86_64")]
                    InstructionSet::Avx2 => x86_64::$avx2(),
                    #[cfg(target_arch = "x86_64")]
                    InstructionSet::Avx512 => x86_64::$avx512(),
                }
            }
        }
    )* };
}
choices! {
    f32: plain_f32 avx2_f32 avx512_f32;
    f64: plain_f64 avx2_f64 avx512_f64;
}
