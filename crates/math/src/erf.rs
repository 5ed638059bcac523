//! erf, the error function.
//!
//! ```text
//! erf a = a + a P(a^2)                               a < 1
//!       = 1 - e^(-a^2) Q(t),  t = (a - 3)/(a + 3)    1 <= a < 6, and 1 from there on
//! ```
//!
//! `P` is the Chebyshev interpolant of erf(a)/a - 1. `Q` is a minimax polynomial of the scaled complement
//! e^(a^2) erfc(a) weighted by e^(-a^2), in the variable of Shepherd and Laframboise, "Chebyshev approximation of
//! (1 + 2x) exp(x^2) erfc x" (1981). Both errors are below 2^-56.

use crate::Isa;
use crate::exp::{Reduced, beyond_r, reduce};
use crate::num::{fma, poly, scale, select};

#[inline(always)]
pub(crate) fn erf<I: Isa>(x: f64) -> f64 {
    let a = select(x.abs() > 6.0, 6.0, x.abs());
    let z = a * a;
    let p = poly!(I, z;
        -7.795_898_827_002_142e-10, 1.372_006_454_677_768_6e-8, -1.620_848_380_187_170_5e-7,
        1.644_742_470_331_736_2e-6, -1.492_473_690_741_966e-5, 1.205_529_490_483_970_7e-4,
        -8.548_325_975_389_692e-4, 5.223_977_607_116_422_5e-3, -2.686_617_064_323_777e-2,
        1.128_379_167_094_500_6e-1, -3.761_263_890_318_354_3e-1, 1.283_791_670_955_125_6e-1);
    let near = fma::<I>(a, p, a);

    let t = (a - 3.0) / (a + 3.0);
    let q = poly!(I, t;
        1.520_681_870_836_777e-5, 1.029_630_765_787_946_8e-4, 7.640_974_894_640_729e-5,
        -5.810_795_458_973_376e-4, 7.131_817_314_805_229e-4, 4.270_355_953_868_763_5e-3,
        -2.439_232_740_546_360_6e-2, 7.166_585_019_574_864e-2, -1.501_159_363_385_563_3e-1,
        2.456_038_016_644_663e-1, -3.262_335_600_459_047e-1, 1.790_011_511_813_535_7e-1);
    let Reduced { shifted, r, tail } = reduce::<I>(-z);
    let gauss = scale(1.0 + (r + beyond_r::<I>(r, tail)), shifted, false);
    let far = fma::<I>(-gauss, q, 1.0);

    select(a < 1.0, near, far).copysign(x)
}
