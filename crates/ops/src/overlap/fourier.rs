//! Long weights along one axis, multiplied in the frequency domain: overlap-save.
//!
//! A lane of the padded block is cut into overlapping segments of `n` elements. Each is transformed, multiplied by the
//! spectrum of the weights, and transformed back; the first `k - 1` results of it are those of a circle and dropped, the
//! others are sums of the neighbourhoods (Press et al., "Numerical Recipes", section 13.1). With `n` about four times `k`
//! an element costs a number of operations that grows with the logarithm of `k`.
//!
//! Each sum errs by some `eps log2(n)` times the root of the sum of squares of the segment times that of the weights,
//! whatever the sum itself is: where neighbours differ by many orders of magnitude, small sums lose digits that the direct
//! loop keeps. A segment with an infinity or a NaN is summed directly, so that these stay where they are, and so is one
//! whose transform overflows.

use chunkwise_chunk::{Chunk, DType};
use chunkwise_expr::BlockError;

use super::Weights;

#[cfg(not(feature = "fft"))]
mod without {
    use super::*;

    /// The weights in the frequency domain, where they are long; never without the feature `fft`.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub(crate) struct Spectrum;

    impl Spectrum {
        pub(crate) fn of(_: &Weights, _: DType) -> Spectrum {
            Spectrum
        }

        /// Whether sums are always direct.
        pub(crate) fn is_unused(&self) -> bool {
            true
        }

        pub(crate) fn correlate(
            &self,
            _: &Chunk,
            _: &Weights,
            _: &[usize],
            _: &dyn Fn() -> bool,
        ) -> Result<Option<Chunk>, BlockError> {
            Ok(None)
        }

        pub(crate) fn scratch_bytes(&self) -> u64 {
            0
        }
    }
}
#[cfg(not(feature = "fft"))]
pub(super) use without::Spectrum;

#[cfg(feature = "fft")]
mod with {
    use std::fmt;
    use std::hash::{Hash, Hasher};
    use std::sync::{Arc, OnceLock};

    use chunkwise_chunk::{Float, Scalar};
    use chunkwise_expr::{Arith, Parts};
    use ndarray::{ArrayD, ArrayViewMut1, Axis, IxDyn};
    use rustfft::num_complex::Complex;
    use rustfft::{Fft, FftNum, FftPlanner};

    use super::*;

    /// Weights that are fewer are summed directly.
    pub(crate) const LEAST_WEIGHTS: usize = 128;

    /// A float or a complex number of floats.
    trait Sample: Parts + Arith {
        type Part: Float + FftNum;
        fn complex(self) -> Complex<Self::Part>;
        fn of(z: Complex<Self::Part>) -> Self;
    }

    macro_rules! samples {
        ($($t:ty)*) => { $(
            impl Sample for $t {
                type Part = $t;
                fn complex(self) -> Complex<$t> { Complex::new(self, 0.0) }
                fn of(z: Complex<$t>) -> $t { z.re }
            }

            impl Sample for Complex<$t> {
                type Part = $t;
                fn complex(self) -> Complex<$t> { self }
                fn of(z: Complex<$t>) -> Complex<$t> { z }
            }
        )* };
    }
    samples!(f32 f64);

    /// The weights in the frequency domain, where they are long and inexact along one axis.
    ///
    /// It follows from the weights, so all are equal.
    #[derive(Clone)]
    pub(crate) struct Spectrum(Option<Arc<Long>>);

    struct Long {
        axis: usize,
        size: usize,
        single: OnceLock<Transform<f32>>,
        double: OnceLock<Transform<f64>>,
    }

    struct Transform<T> {
        forward: Arc<dyn Fft<T>>,
        backward: Arc<dyn Fft<T>>,
        weights: Vec<Complex<T>>,
    }

    impl PartialEq for Spectrum {
        fn eq(&self, _: &Spectrum) -> bool {
            true
        }
    }

    impl Eq for Spectrum {}

    impl Hash for Spectrum {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }

    impl fmt::Debug for Spectrum {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Spectrum({:?})", self.0.as_ref().map(|long| long.size))
        }
    }

    impl Spectrum {
        /// Whether sums are always direct.
        pub(crate) fn is_unused(&self) -> bool {
            self.0.is_none()
        }

        pub(crate) fn of(weights: &Weights, dtype: DType) -> Spectrum {
            let count = weights.values().len();
            let axis = weights.shape().iter().position(|&len| len == count);
            let finite = |weight: &Scalar| match *weight {
                Scalar::F32(weight) => weight.all_finite(),
                Scalar::F64(weight) => weight.all_finite(),
                Scalar::C64(weight) => weight.all_finite(),
                Scalar::C128(weight) => weight.all_finite(),
                _ => true,
            };
            let inexact = dtype.is_float() || dtype.is_complex();
            let is_long = count >= LEAST_WEIGHTS && inexact && weights.values().iter().all(finite);
            let long = axis.filter(|_| is_long).map(|axis| {
                let size = count.saturating_mul(4).next_power_of_two();
                Arc::new(Long { axis, size, single: OnceLock::new(), double: OnceLock::new() })
            });
            Spectrum(long)
        }

        /// The sums of a padded block; `None` where they are to be added up directly.
        pub(crate) fn correlate(
            &self,
            padded: &Chunk,
            weights: &Weights,
            shape: &[usize],
            cancelled: &dyn Fn() -> bool,
        ) -> Result<Option<Chunk>, BlockError> {
            let Some(long) = &self.0 else { return Ok(None) };
            match padded.dtype() {
                DType::F32 => long.lanes::<f32>(&long.single, padded, weights, shape, cancelled),
                DType::F64 => long.lanes::<f64>(&long.double, padded, weights, shape, cancelled),
                DType::C64 => long.lanes::<Complex<f32>>(&long.single, padded, weights, shape, cancelled),
                DType::C128 => long.lanes::<Complex<f64>>(&long.double, padded, weights, shape, cancelled),
                _ => return Ok(None),
            }
            .map(Some)
        }

        /// The segments in flight and the weights.
        pub(crate) fn scratch_bytes(&self) -> u64 {
            let size = self.0.as_ref().map_or(0, |long| long.size);
            (size as u64).saturating_mul(4 * 16)
        }
    }

    impl Long {
        fn lanes<T: Sample>(
            &self,
            transform: &OnceLock<Transform<T::Part>>,
            padded: &Chunk,
            weights: &Weights,
            shape: &[usize],
            cancelled: &dyn Fn() -> bool,
        ) -> Result<Chunk, BlockError> {
            let typed: Vec<T> = weights.typed::<T>()?;
            let transform = transform.get_or_init(|| Transform::new(&typed, self.size));
            let array = padded.typed::<T>()?;
            let mut sums = ArrayD::<T>::default(IxDyn(shape));
            let mut work = Work::new(transform);
            let lanes = array.lanes(Axis(self.axis)).into_iter();
            for (sums, lane) in sums.lanes_mut(Axis(self.axis)).into_iter().zip(lanes) {
                work.lane::<T>(transform, &typed, &lane.to_vec(), sums, cancelled)?;
            }
            Ok(Chunk::from_array(sums))
        }
    }

    impl<T: Float + FftNum> Transform<T> {
        /// The weights in reverse, so that a product of spectra is a correlation; scaled by what the way back adds.
        fn new(weights: &[impl Sample<Part = T>], size: usize) -> Transform<T> {
            let mut planner = FftPlanner::new();
            let (forward, backward) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
            let scale = T::from(size).unwrap_or_else(T::one);
            let reversed = weights.iter().rev().map(|weight| weight.complex() / scale);
            let mut spectrum: Vec<Complex<T>> = reversed.collect();
            spectrum.resize(size, Complex::new(T::zero(), T::zero()));
            forward.process(&mut spectrum);
            Transform { forward, backward, weights: spectrum }
        }
    }

    /// The memory of one segment.
    struct Work<T> {
        segment: Vec<Complex<T>>,
        scratch: Vec<Complex<T>>,
    }

    impl<T: Float + FftNum> Work<T> {
        fn new(transform: &Transform<T>) -> Work<T> {
            let zero = Complex::new(T::zero(), T::zero());
            let forward = transform.forward.get_inplace_scratch_len();
            let scratch = forward.max(transform.backward.get_inplace_scratch_len());
            Work { segment: vec![zero; transform.weights.len()], scratch: vec![zero; scratch] }
        }

        /// The sums along a padded lane, segment by segment.
        fn lane<S: Sample<Part = T>>(
            &mut self,
            transform: &Transform<T>,
            weights: &[S],
            lane: &[S],
            mut sums: ArrayViewMut1<'_, S>,
            cancelled: &dyn Fn() -> bool,
        ) -> Result<(), BlockError> {
            let each = self.segment.len() - (weights.len() - 1);
            let mut done = 0;
            while done < sums.len() {
                if cancelled() {
                    return Err("stopped: the run was cancelled".into());
                }
                let count = each.min(sums.len() - done);
                let part = &lane[done..done + count + weights.len() - 1];
                match self.made(transform, part, weights.len() - 1, count) {
                    Some(made) => (0..count).for_each(|i| sums[done + i] = S::of(made[i])),
                    None => (0..count).for_each(|i| sums[done + i] = summed(weights, &part[i..])),
                }
                done += count;
            }
            Ok(())
        }

        /// The `count` sums of a segment after those of a circle; `None` where one of its elements or of them is not finite.
        fn made<S: Sample<Part = T>>(
            &mut self,
            transform: &Transform<T>,
            part: &[S],
            dropped: usize,
            count: usize,
        ) -> Option<&[Complex<T>]> {
            if !part.iter().all(|x| x.all_finite()) {
                return None;
            }
            self.segment(transform, part);
            let made = &self.segment[dropped..dropped + count];
            made.iter().all(|&x| S::of(x).all_finite()).then_some(made)
        }

        fn segment(&mut self, transform: &Transform<T>, part: &[impl Sample<Part = T>]) {
            self.segment.fill(Complex::new(T::zero(), T::zero()));
            for (to, x) in self.segment.iter_mut().zip(part) {
                *to = x.complex();
            }
            transform.forward.process_with_scratch(&mut self.segment, &mut self.scratch);
            for (x, &weight) in self.segment.iter_mut().zip(&transform.weights) {
                *x = *x * weight;
            }
            transform.backward.process_with_scratch(&mut self.segment, &mut self.scratch);
        }
    }

    fn summed<T: Arith>(weights: &[T], from: &[T]) -> T {
        weights.iter().zip(from).fold(T::zero(), |sum, (weight, &x)| sum.plus(weight.times(x)))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn sums_are_those_of_the_loop_but_for_rounding_and_keep_nans_in_place() {
            let weights: Vec<f64> = (0..200).map(|k| ((k * 37 % 101) as f64 - 50.0) / 50.0).collect();
            let mut x: Vec<f64> = (0..3000).map(|i| ((i * 91 % 257) as f64 - 128.0) / 64.0).collect();
            x[2500] = f64::NAN;
            let spectrum = Spectrum::of(&Weights::new(&[200], weights.iter().copied()), DType::F64);
            let padded = Chunk::from_array(ndarray::Array1::from(x.clone()).into_dyn());
            let made =
                spectrum.correlate(&padded, &Weights::new(&[200], weights.clone()), &[2801], &|| false);
            let made = made.unwrap().unwrap().to_array::<f64>().unwrap();
            for (i, &got) in made.iter().enumerate() {
                let want = summed(&weights, &x[i..]);
                assert!((got - want).abs() < 1e-12 || (got.is_nan() && want.is_nan()), "{i}: {got} {want}");
            }
        }

        #[test]
        fn sums_of_complex_numbers_are_those_of_the_loop() {
            let number = |i: usize, period: usize| (i * 91 % period) as f64 / 64.0 - 1.0;
            let weights: Vec<_> = (0..200).map(|k| Complex::new(number(k, 101), number(k, 67))).collect();
            let mut x: Vec<_> = (0..1500).map(|i| Complex::new(number(i, 257), number(i, 199))).collect();
            x[900].im = f64::INFINITY;
            let weighted = Weights::new(&[200], weights.iter().copied());
            let padded = Chunk::from_array(ndarray::Array1::from(x.clone()).into_dyn());
            let made = Spectrum::of(&weighted, DType::C128).correlate(&padded, &weighted, &[1301], &|| false);
            let made = made.unwrap().unwrap().to_array::<Complex<f64>>().unwrap();
            for (i, &got) in made.iter().enumerate() {
                let want = summed(&weights, &x[i..]);
                let near = (got - want).norm() < 1e-11;
                assert!(near || (!want.all_finite() && !got.all_finite()), "{i}: {got} {want}");
            }
        }

        #[test]
        fn a_transform_that_overflows_gives_way_to_the_loop() {
            let weights = Weights::new(&[200], [1.0_f32 / 200.0; 200]);
            let padded = Chunk::filled(Scalar::F32(1e36), &[1000]);
            let made = Spectrum::of(&weights, DType::F32).correlate(&padded, &weights, &[801], &|| false);
            let made = made.unwrap().unwrap().to_array::<f32>().unwrap();
            assert!(made.iter().all(|sum| (sum / 1e36 - 1.0).abs() < 1e-4), "{:?}", made.first());
        }

        #[test]
        fn weights_that_are_not_finite_have_no_spectrum() {
            assert!(Spectrum::of(&Weights::new(&[200], [f64::INFINITY; 200]), DType::F64).0.is_none());
        }

        #[test]
        fn short_weights_and_integers_have_no_spectrum() {
            assert!(Spectrum::of(&Weights::new(&[5], [1.0; 5]), DType::F64).0.is_none());
            assert!(Spectrum::of(&Weights::new(&[16, 16], [1.0; 256]), DType::F64).0.is_none());
            assert!(Spectrum::of(&Weights::new(&[256], [1; 256]), DType::I32).0.is_none());
        }
    }
}
#[cfg(feature = "fft")]
pub(super) use with::Spectrum;
