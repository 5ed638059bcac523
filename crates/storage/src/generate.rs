//! Arrays given by a formula: one value, ranges, the identity matrix.
//!
//! An element depends on its index in the whole array only, so it is the same however the array is cut.

use chunkwise_chunk::{
    Chunk, ChunkSource, Complex, DType, Element, Float, Formula, ReadCost, Real, Region, Scalar, Shape,
    SourceError, TileMut, dispatch,
};

use crate::bounds::check_region;

/// One value everywhere.
///
/// ```
/// use chunkwise_chunk::{ChunkSource, Region, Scalar};
/// use chunkwise_storage::FillSource;
/// let ones = FillSource::new(Scalar::F32(1.0), &[1000, 1000]);
/// let part = ones.read(&Region::new(&[10, 10], &[1, 2])).unwrap();
/// assert_eq!(part.to_array::<f32>().unwrap(), ndarray::arr2(&[[1.0, 1.0]]).into_dyn());
/// ```
#[derive(Debug, Clone)]
pub struct FillSource {
    value: Scalar,
    shape: Shape,
}

impl FillSource {
    /// The array of this shape whose every element is `value`.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkSource, Scalar};
    /// use chunkwise_storage::FillSource;
    /// let (a, b) = (FillSource::new(Scalar::U8(7), &[5]), FillSource::new(Scalar::U8(7), &[5]));
    /// assert_eq!(a.key(), b.key());
    /// ```
    pub fn new(value: Scalar, shape: &[usize]) -> FillSource {
        FillSource { value, shape: shape.into() }
    }

    /// The value.
    ///
    /// ```
    /// use chunkwise_chunk::Scalar;
    /// assert_eq!(chunkwise_storage::FillSource::new(Scalar::I8(3), &[2]).value(), Scalar::I8(3));
    /// ```
    pub fn value(&self) -> Scalar {
        self.value
    }
}

impl ChunkSource for FillSource {
    fn dtype(&self) -> DType {
        self.value.dtype()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        format!("fill {}", self.value)
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn constant(&self) -> Option<Scalar> {
        Some(self.value)
    }

    fn key(&self) -> Option<String> {
        Some(format!("fill {} {:?}", exact(self.value), self.shape.as_slice()))
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        read(self, self, region)
    }
}

impl Formula for FillSource {
    fn fill(&self, _: &Region, _: usize, out: TileMut<'_>) {
        dispatch!(self.dtype(), T => run::<T>(out).fill(value(self.value)));
    }
}

/// `start + i * step`, in the arithmetic of the element type; integers wrap.
///
/// ```
/// use chunkwise_chunk::{ChunkSource, Region};
/// use chunkwise_storage::ArangeSource;
/// let tens = ArangeSource::new(0i64, 10, 1_000_000);
/// let part = tens.read(&Region::new(&[999_998], &[2])).unwrap();
/// assert_eq!(part.to_array::<i64>().unwrap(), ndarray::arr1(&[9_999_980, 9_999_990]).into_dyn());
/// ```
#[derive(Debug, Clone)]
pub struct ArangeSource {
    start: Scalar,
    step: Scalar,
    shape: [usize; 1],
}

impl ArangeSource {
    /// The range of `len` elements.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkSource, Region};
    /// use chunkwise_storage::ArangeSource;
    /// let down = ArangeSource::new(1.0f64, -0.5, 3).read(&Region::whole(&[3])).unwrap();
    /// assert_eq!(down.to_array::<f64>().unwrap(), ndarray::arr1(&[1.0, 0.5, 0.0]).into_dyn());
    /// ```
    pub fn new<T: Real>(start: T, step: T, len: usize) -> ArangeSource {
        ArangeSource { start: start.into_scalar(), step: step.into_scalar(), shape: [len] }
    }
}

impl ChunkSource for ArangeSource {
    fn dtype(&self) -> DType {
        self.start.dtype()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        format!("arange from {} by {}", self.start, self.step)
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn key(&self) -> Option<String> {
        Some(format!("arange {} {} {}", exact(self.start), exact(self.step), self.shape[0]))
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        read(self, self, region)
    }
}

impl Formula for ArangeSource {
    fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
        dispatch!(self.dtype(), T => {
            let (start, step) = (value::<T>(self.start), value::<T>(self.step));
            each(run(out), region.start()[0] + at, |i| T::ramp(start, step, i));
        });
    }
}

/// `n` values at equal distances from `start` to `stop`, both included.
///
/// Element `i` is `start + i * ((stop - start) / (n - 1))` computed in f64, and the last is `stop` itself, as
/// in NumPy's `linspace`; a single value is `start`.
///
/// ```
/// use chunkwise_chunk::{ChunkSource, Region};
/// use chunkwise_storage::LinspaceSource;
/// let x = LinspaceSource::new(0.0f64, 1.0, 5).read(&Region::whole(&[5])).unwrap();
/// assert_eq!(x.to_array::<f64>().unwrap(), ndarray::arr1(&[0.0, 0.25, 0.5, 0.75, 1.0]).into_dyn());
/// ```
#[derive(Debug, Clone)]
pub struct LinspaceSource {
    start: Scalar,
    stop: Scalar,
    shape: [usize; 1],
}

impl LinspaceSource {
    /// `n` values from `start` to `stop`.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkSource, Region, Scalar};
    /// use chunkwise_storage::LinspaceSource;
    /// let one = LinspaceSource::new(3.0f32, 9.0, 1).read(&Region::whole(&[1])).unwrap();
    /// assert_eq!(one.scalar(), Some(Scalar::F32(3.0)));
    /// ```
    pub fn new<T: Float>(start: T, stop: T, n: usize) -> LinspaceSource {
        LinspaceSource { start: start.into_scalar(), stop: stop.into_scalar(), shape: [n] }
    }
}

impl ChunkSource for LinspaceSource {
    fn dtype(&self) -> DType {
        self.start.dtype()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        format!("linspace from {} to {}", self.start, self.stop)
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn key(&self) -> Option<String> {
        Some(format!("linspace {} {} {}", exact(self.start), exact(self.stop), self.shape[0]))
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        read(self, self, region)
    }
}

impl Formula for LinspaceSource {
    fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
        let last = self.shape[0].saturating_sub(1);
        let (start, stop) = (as_f64(self.start), as_f64(self.stop));
        let step = (stop - start) / last.max(1) as f64;
        let element = |i: usize| if i == last && last > 0 { stop } else { start + i as f64 * step };
        let first = region.start()[0] + at;
        match self.dtype() {
            DType::F32 => each(run::<f32>(out), first, |i| element(i) as f32),
            _ => each(run::<f64>(out), first, element),
        }
    }
}

/// Ones on a diagonal and zeros elsewhere (`true` and `false` for bool).
///
/// ```
/// use chunkwise_chunk::{ChunkSource, DType, Region};
/// use chunkwise_storage::EyeSource;
/// let eye = EyeSource::new(DType::U8, 2, 3, 1).read(&Region::whole(&[2, 3])).unwrap();
/// assert_eq!(eye.to_array::<u8>().unwrap(), ndarray::arr2(&[[0, 1, 0], [0, 0, 1]]).into_dyn());
/// ```
#[derive(Debug, Clone)]
pub struct EyeSource {
    dtype: DType,
    shape: [usize; 2],
    diagonal: isize,
}

impl EyeSource {
    /// The `rows` x `columns` matrix with ones where column - row is `diagonal`.
    ///
    /// ```
    /// use chunkwise_chunk::{ChunkSource, DType, Region};
    /// use chunkwise_storage::EyeSource;
    /// let below = EyeSource::new(DType::Bool, 2, 2, -1).read(&Region::whole(&[2, 2])).unwrap();
    /// let want = ndarray::arr2(&[[false, false], [true, false]]).into_dyn();
    /// assert_eq!(below.to_array::<bool>().unwrap(), want);
    /// ```
    pub fn new(dtype: DType, rows: usize, columns: usize, diagonal: isize) -> EyeSource {
        EyeSource { dtype, shape: [rows, columns], diagonal }
    }
}

impl ChunkSource for EyeSource {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn name(&self) -> String {
        if self.diagonal == 0 { "eye".into() } else { format!("eye of diagonal {}", self.diagonal) }
    }

    fn cost(&self) -> ReadCost {
        ReadCost::Generate
    }

    fn key(&self) -> Option<String> {
        Some(format!("eye {} {:?} {}", self.dtype, self.shape, self.diagonal))
    }

    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        read(self, self, region)
    }
}

impl Formula for EyeSource {
    fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
        dispatch!(self.dtype, T => {
            let (run, columns) = (run::<T>(out), region.shape()[1]);
            run.fill(T::default());
            for row in at / columns..(at + run.len()).div_ceil(columns) {
                let column = (region.start()[0] + row).checked_add_signed(self.diagonal);
                let column = column.and_then(|c| c.checked_sub(region.start()[1])).filter(|&c| c < columns);
                let place = column.and_then(|c| (row * columns + c).checked_sub(at));
                if let Some(one) = place.and_then(|place| run.get_mut(place)) {
                    *one = value(Scalar::one(self.dtype));
                }
            }
        });
    }
}

/// The range in the arithmetic of one element type.
trait Ramp: Element {
    fn ramp(start: Self, step: Self, i: usize) -> Self;
}

macro_rules! ramp {
    (wrapping: $($int:ty)*) => { $(impl Ramp for $int {
        // A truncated index wraps as the product does.
        fn ramp(start: $int, step: $int, i: usize) -> $int { start.wrapping_add((i as $int).wrapping_mul(step)) }
    })* };
    (rounding: $($float:ty)*) => { $(impl Ramp for $float {
        fn ramp(start: $float, step: $float, i: usize) -> $float { start + i as $float * step }
    })* };
}
ramp!(wrapping: i8 i16 i32 i64 u8 u16 u32 u64);
ramp!(rounding: f32 f64);

macro_rules! no_ramp {
    ($($t:ty)*) => { $(impl Ramp for $t {
        /// Never asked for: the constructor takes real numbers.
        fn ramp(start: $t, _: $t, _: usize) -> $t {
            start
        }
    })* };
}
no_ramp!(bool Complex<f32> Complex<f64>);

/// The block of a formula at a region.
fn read(source: &dyn ChunkSource, formula: &dyn Formula, region: &Region) -> Result<Chunk, SourceError> {
    check_region(region, source.shape())?;
    Ok(dispatch!(source.dtype(), T => {
        let mut elements = vec![T::default(); region.len()];
        if !elements.is_empty() {
            formula.fill(region, 0, T::tile_mut(&mut elements));
        }
        Chunk::from_elements(elements, region.shape())
    }))
}

/// The elements of a run that is of the source's type.
fn run<T: Element>(out: TileMut<'_>) -> &mut [T] {
    T::of_tile_mut(out).expect("a formula is asked for elements of the source's type")
}

/// Writes the elements from global index `first` on.
fn each<T>(run: &mut [T], first: usize, at: impl Fn(usize) -> T) {
    run.iter_mut().zip(first..).for_each(|(element, i)| *element = at(i));
}

/// The value inside a scalar that is known to be of type `T`.
fn value<T: Element>(scalar: Scalar) -> T {
    T::of_scalar(scalar).expect("dispatched on the scalar's own type")
}

fn as_f64(scalar: Scalar) -> f64 {
    match scalar {
        Scalar::F32(x) => f64::from(x),
        Scalar::F64(x) => x,
        other => unreachable!("linspace is made of floats, not {}", other.dtype()),
    }
}

/// The value with its type, to the bit: NaNs that differ read differently.
fn exact(scalar: Scalar) -> String {
    match scalar {
        Scalar::F32(x) => format!("f32:{:#x}", x.to_bits()),
        Scalar::F64(x) => format!("f64:{:#x}", x.to_bits()),
        Scalar::C64(x) => format!("c64:{:#x}:{:#x}", x.re.to_bits(), x.im.to_bits()),
        Scalar::C128(x) => format!("c128:{:#x}:{:#x}", x.re.to_bits(), x.im.to_bits()),
        other => format!("{}:{other}", other.dtype()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Ix2;

    fn all<T: Element>(source: &dyn ChunkSource) -> Vec<T> {
        source.read(&Region::whole(source.shape())).unwrap().to_array::<T>().unwrap().into_iter().collect()
    }

    #[test]
    fn arange_wraps_and_steps_down() {
        assert_eq!(all::<u8>(&ArangeSource::new(250u8, 3, 4)), [250, 253, 0, 3]);
        assert_eq!(all::<i32>(&ArangeSource::new(1i32, -2, 3)), [1, -1, -3]);
        assert_eq!(all::<f64>(&ArangeSource::new(0.5f64, 0.25, 3)), [0.5, 0.75, 1.0]);
        assert!(all::<f64>(&ArangeSource::new(0.5f64, 0.25, 0)).is_empty());
        let far = ArangeSource::new(5u8, 1, 1000).read(&Region::new(&[300], &[1])).unwrap();
        assert_eq!(far.scalar(), Some(Scalar::U8((305 % 256) as u8)));
    }

    #[test]
    fn linspace_ends_on_stop() {
        for n in [2, 3, 7, 50, 1001] {
            assert_eq!(all::<f64>(&LinspaceSource::new(0.1f64, 0.7, n)).last(), Some(&0.7));
            assert_eq!(all::<f32>(&LinspaceSource::new(0.1f32, 0.7, n)).last(), Some(&0.7));
        }
        assert_eq!(all::<f64>(&LinspaceSource::new(3.0, 9.0, 1)), [3.0]);
        assert!(all::<f64>(&LinspaceSource::new(3.0, 9.0, 0)).is_empty());
    }

    #[test]
    fn eye_of_any_block_is_the_block_of_eye() {
        for diagonal in [-7, -2, 0, 1, 3, 9] {
            let eye = EyeSource::new(DType::I16, 6, 5, diagonal);
            for (r, c) in [(0, 0), (2, 1), (5, 4), (3, 0)] {
                let block = eye.read(&Region::new(&[r, c], &[6 - r, 5 - c])).unwrap();
                let block = block.to_array::<i16>().unwrap().into_dimensionality::<Ix2>().unwrap();
                for ((i, j), &x) in block.indexed_iter() {
                    let on = (c + j) as isize - (r + i) as isize == diagonal;
                    assert_eq!(x, i16::from(on));
                }
            }
        }
        assert_eq!(all::<bool>(&EyeSource::new(DType::Bool, 1, 2, 0)), [true, false]);
    }

    #[test]
    fn runs_of_a_formula_are_those_of_its_block() {
        let sources: [Box<dyn ChunkSource>; 4] = [
            Box::new(EyeSource::new(DType::F64, 6, 5, 1)),
            Box::new(EyeSource::new(DType::F64, 6, 5, -4)),
            Box::new(FillSource::new(Scalar::F64(2.5), &[6, 5])),
            Box::new(FillSource::new(Scalar::F64(-0.0), &[3, 2])),
        ];
        for source in &sources {
            let shape = source.shape();
            let region = Region::new(&[1, 1], &[shape[0] - 2, shape[1] - 1]);
            let whole = source.read(&region).unwrap().to_array::<f64>().unwrap().into_raw_vec_and_offset().0;
            for at in 0..whole.len() {
                for end in at + 1..=whole.len() {
                    let mut out = vec![9.0; end - at];
                    source.formula().unwrap().fill(&region, at, f64::tile_mut(&mut out));
                    assert_eq!(out, whole[at..end]);
                }
            }
        }
        let ranges: [Box<dyn ChunkSource>; 2] =
            [Box::new(ArangeSource::new(0.5, 0.1, 40)), Box::new(LinspaceSource::new(0.5, 0.1, 40))];
        for source in ranges {
            let (whole, mut out) = (all::<f64>(&*source), [0.0; 7]);
            source.formula().unwrap().fill(&Region::new(&[20], &[20]), 13, TileMut::F64(&mut out));
            assert_eq!(out, whole[33..]);
        }
    }

    #[test]
    fn keys_tell_types_and_bits_apart() {
        let key = |x: Scalar| FillSource::new(x, &[2]).key().unwrap();
        assert_eq!(key(Scalar::F64(0.5)), key(Scalar::F64(0.5)));
        assert_ne!(key(Scalar::F64(0.0)), key(Scalar::F64(-0.0)));
        assert_ne!(key(Scalar::I32(1)), key(Scalar::I64(1)));
        assert_ne!(key(Scalar::F64(f64::NAN)), key(Scalar::F64(-f64::NAN)));
        assert_ne!(FillSource::new(Scalar::I8(1), &[2]).key(), FillSource::new(Scalar::I8(1), &[3]).key());
    }
}
