//! Arguments that find errors: uniform, log-uniform, random bit patterns, and known hard ones.

/// A reproducible stream of random bits (Steele, Lea and Flood's SplitMix64, 2014).
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// In 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Either sign, magnitudes spread evenly over the exponents.
    pub(crate) fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        let magnitude = self.within(low, high).exp2();
        if self.bits() & 1 == 0 { magnitude } else { -magnitude }
    }
}

/// The ends of formats and intervals, and angles next to multiples of pi/2.
pub(crate) const HARD: &[f64] = &[
    0.0,
    5e-324,
    1e-310,
    2.225_073_858_507_201e-308,
    f64::MIN_POSITIVE,
    1e-300,
    1e-160,
    1e-30,
    f64::EPSILON,
    1e-9,
    0.25,
    0.346_573_590_279_972_64,
    0.414_213_562_373_095_03,
    0.5,
    0.707_106_781_186_547_5,
    std::f64::consts::FRAC_PI_4,
    1.0 - f64::EPSILON / 2.0,
    1.0,
    1.0 + f64::EPSILON,
    std::f64::consts::SQRT_2,
    std::f64::consts::FRAC_PI_2,
    2.0,
    3.0,
    std::f64::consts::PI,
    6.0,
    19.0,
    22.0,
    37.4,
    88.722_84,
    103.97,
    128.0,
    149.0,
    709.782_712_893_384,
    710.475_860_073_943_9,
    745.133_219_101_941_1,
    1_023.999_999_999_999_9,
    1074.999,
    1_048_575.9,
    1_048_576.0,
    8_388_607.9,
    8_388_608.0,
    1_073_741_823.9,
    1_073_741_824.0,
    4_503_599_627_370_495.5,
    9_007_199_254_740_993.0,
    1e22,
    1e150,
    // The doubles next to a multiple of pi/2: 6381956970095103 * 2^797 and its kind.
    5.319_372_648_326_541e255,
    8.449_351_000_586_86e101,
    2.110_622_559_811_558_5e23,
    f64::MAX / 4.0,
    f64::MAX,
];

/// Angles rounded from multiples of pi/2 and their neighbours, up to `2^bits` quadrants.
pub(crate) fn near_quadrant(random: &mut Random, bits: f64) -> f64 {
    let j = random.log_uniform(0.0, bits).round();
    let x = j * std::f64::consts::FRAC_PI_2;
    f64::from_bits(x.to_bits().wrapping_add(random.bits() % 3).wrapping_sub(1))
}

/// `count` numbers: a quarter uniform in a range, a quarter log-uniform, a quarter of any bits, a quarter next to
/// multiples of pi/2; before them the hard ones with both signs.
pub(crate) fn numbers(count: usize, low: f64, high: f64) -> impl Iterator<Item = f64> {
    let mut random = Random(count as u64 ^ low.to_bits() ^ high.to_bits().rotate_left(7));
    let drawn = (0..count).map(move |i| match i % 4 {
        0 => random.within(low, high),
        1 => random.log_uniform(-40.0, 9.6),
        2 => f64::from_bits(random.bits()),
        _ if i % 8 == 3 => near_quadrant(&mut random, 25.0),
        // Powers of two and numbers near one.
        _ => 1.0 + random.log_uniform(-53.0, -1.0),
    });
    HARD.iter().flat_map(|&x| [x, -x]).chain(drawn)
}

/// The same in f32.
pub(crate) fn numbers_f32(count: usize, low: f64, high: f64) -> impl Iterator<Item = f32> {
    let mut random = Random(1 + count as u64);
    numbers(count, low.max(-1e38), high.min(1e38)).map(move |x| {
        let any = f32::from_bits(random.bits() as u32);
        if x.abs() > 3e38 || x.abs() < 1e-45 { any } else { x as f32 }
    })
}
