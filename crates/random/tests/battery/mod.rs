//! The statistical battery: what is tested of every distribution, with any number of draws.
//!
//! Seeds are fixed, so a test passes always or never. Of a right generator a test fails for one seed in a million: scores
//! (of moments, correlations and chi-square, in standard deviations) must be below 5 (`2 erfc(5 / sqrt 2) = 6e-7`),
//! Kolmogorov's `sqrt(n) D` below 2.69 (`2 exp(-2 2.69^2) = 1e-6`). The battery has about 200 tests.
#![allow(clippy::unwrap_used)]

use std::f64::consts::{PI, SQRT_2};

use chunkwise_chunk::{Chunk, ChunkSource, DType, Element, Region, Scalar, dispatch};
use chunkwise_random::{Distribution, RandomSource};

/// Scores from here on are failures.
const SCORE: f64 = 5.0;
/// Of Kolmogorov's statistic.
const KOLMOGOROV: f64 = 2.69;

/// What was found.
pub(crate) struct Report {
    pub(crate) lines: Vec<String>,
    pub(crate) failures: usize,
}

impl Report {
    fn add(&mut self, what: &str, test: &str, statistic: f64, limit: f64) {
        // A NaN fails.
        let passed = statistic.abs() < limit;
        self.failures += usize::from(!passed);
        let verdict = if passed { "" } else { "   FAILED" };
        self.lines.push(format!("{what:32} {test:24} {statistic:8.3} (below {limit}){verdict}"));
    }
}

/// Runs everything with `n` draws a test.
pub(crate) fn run(n: usize) -> Report {
    let mut report = Report { lines: vec![], failures: 0 };
    continuous(&mut report, n);
    discrete(&mut report, n);
    permutations(&mut report, n);
    independence(&mut report, n);
    report
}

/// Draws as f64.
fn draws(distribution: Distribution, seed: u64, stream: u32, n: usize) -> Vec<f64> {
    let source = RandomSource::new(distribution, seed, stream, &[n]).unwrap();
    let chunk = source.read(&Region::whole(&[n])).unwrap();
    dispatch!(chunk.dtype(), T => chunk.typed::<T>().unwrap().iter().map(|&x| number(x)).collect())
}

fn number<T: Element>(x: T) -> f64 {
    match x.into_scalar() {
        Scalar::Bool(x) => u8::from(x).into(),
        other => other.to_string().parse().unwrap(),
    }
}

/// Mean, variance and third central moment of a distribution, and its distribution function.
struct Truth {
    moments: [f64; 3],
    cdf: Box<dyn Fn(f64) -> f64>,
}

fn truth(moments: [f64; 3], cdf: impl Fn(f64) -> f64 + 'static) -> Truth {
    Truth { moments, cdf: Box::new(cdf) }
}

fn continuous(report: &mut Report, n: usize) {
    let floats = [DType::F64, DType::F32];
    for (i, dtype) in floats.into_iter().enumerate() {
        let stream = 100 * i as u32;
        let mut test = |offset: u32, distribution: Distribution, truth: Truth| {
            let what = format!("{distribution} {dtype}");
            let x = draws(distribution, 2026, stream + offset, n);
            moments(report, &what, &x, truth.moments);
            report.add(&what, "kolmogorov", kolmogorov(x, &truth.cdf), KOLMOGOROV);
        };
        let uniform = Distribution::Uniform { dtype, low: -3.0, high: 5.0 };
        test(0, uniform, truth([1.0, 64.0 / 12.0, 0.0], |x| (x + 3.0) / 8.0));
        let normal = Distribution::Normal { dtype, mean: 2.0, std: 3.0 };
        test(1, normal, truth([2.0, 9.0, 0.0], |x| normal_cdf((x - 2.0) / 3.0)));
        let exponential = Distribution::Exponential { dtype, scale: 2.0 };
        test(2, exponential, truth([2.0, 4.0, 16.0], |x| -(-x / 2.0).exp_m1()));
        let lognormal = Distribution::LogNormal { dtype, mean: 0.25, sigma: 0.5 };
        let w = 0.25f64.exp();
        let (mean, variance) = ((0.25f64 + 0.125).exp(), (w - 1.0) * (0.5f64 + 0.25).exp());
        let third = variance.powf(1.5) * (w + 2.0) * (w - 1.0).sqrt();
        test(3, lognormal, truth([mean, variance, third], |x| normal_cdf((x.ln() - 0.25) / 0.5)));
        for (k, shape) in [0.1, 0.5, 0.999, 1.0, 2.5, 30.0].into_iter().enumerate() {
            let gamma = Distribution::Gamma { dtype, shape, scale: 2.0 };
            let moments = [2.0 * shape, 4.0 * shape, 16.0 * shape];
            test(4 + k as u32, gamma, truth(moments, move |x| gamma_cdf(shape, x / 2.0)));
        }
    }
    for (i, shape) in [9e4, 1.1e5, 1e9, 1e15].into_iter().enumerate() {
        let gamma = Distribution::Gamma { dtype: DType::F64, shape, scale: 1.0 };
        let what = gamma.to_string();
        let x = draws(gamma, 2026, 300 + i as u32, n);
        // Cornish and Fisher's first term; the next is of the order of 1 / shape.
        let z = |x: f64| (x - shape) / shape.sqrt();
        let cdf = move |x: f64| normal_cdf(z(x) - (z(x).powi(2) - 1.0) / (3.0 * shape.sqrt()));
        moments(report, &what, &x, [shape, shape, 2.0 * shape]);
        report.add(&what, "kolmogorov", kolmogorov(x, &cdf), KOLMOGOROV);
    }
}

/// Scores of the first three central moments, with deviations estimated from the draws.
fn moments(report: &mut Report, what: &str, x: &[f64], expected: [f64; 3]) {
    let n = x.len() as f64;
    for (k, name) in ["mean", "variance", "third moment"].into_iter().enumerate() {
        let power = |x: &f64| (x - expected[0]).powi(k as i32 + 1);
        let mean = x.iter().map(power).sum::<f64>() / n;
        let variance = x.iter().map(|x| (power(x) - mean).powi(2)).sum::<f64>() / n;
        let wanted = if k == 0 { 0.0 } else { expected[k] };
        report.add(what, name, (mean - wanted) / (variance / n).sqrt(), SCORE);
    }
}

fn kolmogorov(mut x: Vec<f64>, cdf: &dyn Fn(f64) -> f64) -> f64 {
    x.sort_by(f64::total_cmp);
    let n = x.len() as f64;
    let distance = |(i, &x): (usize, &f64)| {
        let p = cdf(x);
        f64::max(p - i as f64 / n, (i + 1) as f64 / n - p)
    };
    x.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// The score of Pearson's statistic, after Wilson and Hilferty (1931). Neighbours of small probability go together.
fn chi_square(counts: &[f64], probabilities: &[f64]) -> f64 {
    let n: f64 = counts.iter().sum();
    let (mut statistic, mut cells) = (0.0, 0.0);
    let (mut seen, mut expected, mut left) = (0.0, 0.0, probabilities.iter().sum::<f64>());
    for (&count, &p) in counts.iter().zip(probabilities) {
        (seen, expected, left) = (seen + count, expected + n * p, left - p);
        if expected >= 20.0 && n * left >= 20.0 {
            statistic += (seen - expected).powi(2) / expected;
            (cells, seen, expected) = (cells + 1.0, 0.0, 0.0);
        }
    }
    if expected > 0.0 {
        statistic += (seen - expected).powi(2) / expected;
        cells += 1.0;
    }
    let freedom: f64 = cells - 1.0;
    let spread = 2.0 / (9.0 * freedom);
    ((statistic / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// How often each of `0..cells` is drawn.
fn counts(x: &[f64], cells: usize) -> Vec<f64> {
    let mut counts = vec![0.0; cells];
    x.iter().for_each(|&x| counts[(x as usize).min(cells - 1)] += 1.0);
    counts
}

fn discrete(report: &mut Report, n: usize) {
    let even = |cells: usize| vec![1.0 / cells as f64; cells];
    let mut stream = 1000;
    let mut test = |distribution: Distribution, cells: &dyn Fn(f64) -> f64, p: &[f64]| {
        let what = format!("{distribution} {}", distribution.dtype());
        let x: Vec<f64> = draws(distribution, 2026, stream, n).into_iter().map(cells).collect();
        stream += 1;
        report.add(&what, "chi-square", chi_square(&counts(&x, p.len()), p), SCORE);
    };
    let integers = |dtype, low: i128, last: i128| Distribution::Integers { dtype, low, last };
    test(integers(DType::U8, 0, 255), &|x| x, &even(256));
    test(integers(DType::I8, -3, 3), &|x| x + 3.0, &even(7));
    test(integers(DType::I16, -30_000, 29_999), &|x| ((x + 30_000.0) / 600.0).floor(), &even(100));
    test(integers(DType::U32, 0, u32::MAX.into()), &|x| (x / 2f64.powi(26)).floor(), &even(64));
    let third = 3_000_000_000i128;
    test(integers(DType::U32, 0, third - 1), &|x| (x / 3e7).floor(), &even(100));
    test(integers(DType::I64, -(1 << 62), (1 << 63) - 1), &|x| (x / 2f64.powi(60) + 4.0).floor(), &even(12));
    test(integers(DType::U64, 0, u64::MAX.into()), &|x| (x / 2f64.powi(58)).floor(), &even(64));
    test(integers(DType::I64, 0, 999_999_999_999), &|x| x % 7.0, &even(7));

    for p in [0.5, 0.3, 0.001] {
        test(Distribution::Bernoulli { p }, &|x| x, &[1.0 - p, p]);
    }
    let values = |n: i64| Chunk::from_array(ndarray::Array1::from_iter(0..n).into_dyn());
    test(Distribution::Choice { values: values(37), weights: None }, &|x| x, &even(37));
    let weights: Vec<f64> = (0..40).map(|i| f64::from(i % 7) * f64::from(i)).collect();
    let sum: f64 = weights.iter().sum();
    let p: Vec<f64> = weights.iter().map(|w| w / sum).collect();
    test(Distribution::Choice { values: values(40), weights: Some(weights) }, &|x| x, &p);
    for lam in [0.01, 0.5, 4.0, 30.0, 63.9, 64.0, 100.0, 1234.5, 1e4] {
        let most = (lam + 12.0 * f64::sqrt(lam) + 20.0) as usize;
        let p: Vec<f64> = (0..most).map(|k| poisson_probability(k as f64, lam)).collect();
        test(Distribution::Poisson { lam }, &|x| x, &p);
    }
    for (i, lam) in [1e7, 1e12, 1e17].into_iter().enumerate() {
        let x = draws(Distribution::Poisson { lam }, 2026, 1100 + i as u32, n);
        moments(report, &format!("poisson({lam})"), &x, [lam, lam, lam]);
    }
}

fn permutations(report: &mut Report, n: usize) {
    // All orders of five, by their number.
    let seeds = n / 20;
    let order = |seed: usize| {
        let x = draws(Distribution::Permutation { n: 5 }, seed as u64, 9, 5);
        let rank = |i: usize| x[i + 1..].iter().filter(|&&y| y < x[i]).count();
        (0..5).fold(0, |number, i| number * (5 - i) + rank(i)) as f64
    };
    let x: Vec<f64> = (0..seeds).map(order).collect();
    report.add("permutation(5)", "orders", chi_square(&counts(&x, 120), &[1.0 / 120.0; 120]), SCORE);
    // Where the ends and the middle of a network's permutation go.
    let length = 5000;
    for place in [0, 2500, 4999] {
        let value = |seed: usize| {
            let distribution = Distribution::Permutation { n: length };
            let source = RandomSource::new(distribution, seed as u64, 9, &[length]).unwrap();
            number(source.read(&Region::new(&[place], &[1])).unwrap().to_array::<i64>().unwrap()[[0]])
        };
        let x: Vec<f64> = (0..seeds).map(|seed| (value(seed) / 50.0).floor()).collect();
        let what = format!("permutation({length}) at {place}");
        report.add(&what, "values", chi_square(&counts(&x, 100), &[0.01; 100]), SCORE);
    }
    let x = draws(Distribution::Permutation { n }, 2026, 9, n);
    report.add(&format!("permutation({n})"), "neighbours", correlation(&x[1..], &x[..n - 1]), SCORE);
    let places: Vec<f64> = (0..n).map(|i| i as f64).collect();
    report.add(&format!("permutation({n})"), "values and places", correlation(&x, &places), SCORE);
}

fn independence(report: &mut Report, n: usize) {
    let f64 = DType::F64;
    let distributions = [
        Distribution::Uniform { dtype: f64, low: 0.0, high: 1.0 },
        Distribution::Uniform { dtype: DType::F32, low: 0.0, high: 1.0 },
        Distribution::Normal { dtype: f64, mean: 0.0, std: 1.0 },
        Distribution::Normal { dtype: DType::F32, mean: 0.0, std: 1.0 },
        Distribution::Gamma { dtype: f64, shape: 0.7, scale: 1.0 },
        Distribution::Poisson { lam: 100.0 },
        Distribution::Poisson { lam: 5.0 },
        Distribution::Integers { dtype: DType::I32, low: 0, last: 999_999 },
        Distribution::Bernoulli { p: 0.5 },
    ];
    for distribution in distributions {
        let what = format!("{distribution} {}", distribution.dtype());
        let x = draws(distribution.clone(), 2026, 2000, n);
        for lag in [1, 2, 3, 4, 7] {
            report.add(&what, &format!("lag {lag}"), correlation(&x[lag..], &x[..n - lag]), SCORE);
        }
        // Of normal pairs the squares would show a common radius.
        let squares: Vec<f64> = x.iter().map(|x| x * x).collect();
        report.add(&what, "squares, lag 1", correlation(&squares[1..], &squares[..n - 1]), SCORE);
        let stream = draws(distribution.clone(), 2026, 2001, n);
        report.add(&what, "next stream", correlation(&x, &stream), SCORE);
        let seed = draws(distribution, 2027, 2000, n);
        report.add(&what, "next seed", correlation(&x, &seed), SCORE);
    }
    // Every pair of neighbours, in a square of 32 x 32.
    let x = draws(Distribution::Uniform { dtype: f64, low: 0.0, high: 32.0 }, 2026, 2100, n);
    let pairs: Vec<f64> = x.chunks_exact(2).map(|p| p[0].floor() * 32.0 + p[1].floor()).collect();
    report.add(
        "uniform pairs",
        "chi-square",
        chi_square(&counts(&pairs, 1024), &[1.0 / 1024.0; 1024]),
        SCORE,
    );
}

/// The score of the correlation of two samples.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt() * n.sqrt()
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * (1.0 + chunkwise_math::erf(z / SQRT_2))
}

/// The regularised incomplete gamma function: by its series below the mean, by Lentz's continued fraction above.
fn gamma_cdf(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut sum, mut term) = (1.0 / a, 1.0 / a);
        for k in 1..1000 {
            term *= x / (a + f64::from(k));
            sum += term;
            if term < sum * 1e-13 {
                break;
            }
        }
        return front * sum;
    }
    let (mut b, mut c) = (x + 1.0 - a, 1e300);
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..1000 {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        h *= c * d;
        if (c * d - 1.0).abs() < 1e-13 {
            break;
        }
    }
    1.0 - front * h
}

/// The logarithm of the gamma function: Stirling's series, after shifting the argument.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 15.0 {
        shift += x.ln();
        x += 1.0;
    }
    let series =
        (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * x * x)) / (x * x)) / (x * x)) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - shift
}

fn poisson_probability(k: f64, mean: f64) -> f64 {
    (k * mean.ln() - mean - ln_gamma(k + 1.0)).exp()
}
