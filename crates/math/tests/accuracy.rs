//! Errors against the reference, at a reduced count; `examples/sweep.rs` is the same in full.

#[allow(dead_code)]
mod reference;

use reference::cases::{cases, cases_of_two};

#[test]
fn errors_are_within_the_documented_bounds() {
    for case in cases() {
        for (worst, isa) in case.sweep(4_000).iter().zip(["plain", "fused"]) {
            assert!(worst.ulps <= case.bound, "{} {isa}: {worst:?}", case.name);
        }
    }
    for case in cases_of_two() {
        for (worst, isa) in case.sweep(4_000).iter().zip(["plain", "fused"]) {
            assert!(worst.ulps <= case.bound, "{} {isa}: {worst:?}", case.name);
        }
    }
}

#[test]
fn errors_of_f32_are_below_half_an_ulp_and_a_hundredth() {
    for case in cases() {
        let worst = case.sweep_f32(4_000);
        assert!(worst.ulps <= 0.51, "{}: {worst:?}", case.name);
    }
    for case in cases_of_two() {
        let worst = case.sweep_f32(4_000);
        assert!(worst.ulps <= 0.51, "{}: {worst:?}", case.name);
    }
}
