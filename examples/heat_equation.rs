//! A hot plate cools down: the heat equation by explicit steps, each a function of neighbourhoods.
//!
//! ```text
//! cargo run --release --example heat_equation
//! ```
//!
//! The edge of the unit square is kept at 0, and the plate starts as `sin(pi x) sin(pi y)`. The exact solution is that,
//! times `exp(-2 pi^2 t)`: every twenty-fifth part of the time the hottest point is printed beside it, and checked at the end.

use std::error::Error;
use std::f64::consts::PI;

use chunkwise::Boundary;
use chunkwise::prelude::*;

/// Points on each axis, without the edge.
const POINTS: usize = 127;
/// Distance of two of them.
const H: f64 = 1.0 / (POINTS as f64 + 1.0);
/// A step is stable up to a quarter of the square of the distance.
const STEP: f64 = 0.25 * H * H;
/// Steps in one computation, and how many of these there are.
const STEPS: usize = 160;
const ROUNDS: usize = 25;

fn main() -> Result<(), Box<dyn Error>> {
    let sine = |i: usize| (PI * (i as f64 + 1.0) * H).sin();
    let mut plate = LazyArray::from_fn((POINTS, POINTS), 64, move |(i, j)| sine(i) * sine(j));
    println!("{plate:?}, {STEPS} steps of {STEP:.2e} at once\n    time  hottest   exact");
    let mut error = 0.0;
    for round in 1..=ROUNDS {
        // Nothing is computed for a step: 160 of them are one plan, in which a block waits for its neighbours only.
        for _ in 0..STEPS {
            plate = step(&plate);
        }
        plate = plate.persist()?;
        let (hottest, exact) = (plate.max().compute()?, (-2.0 * PI * PI * time(round)).exp());
        println!("{:8.4} {hottest:8.5} {exact:8.5}", time(round));
        error = (hottest / exact - 1.0).abs();
    }
    println!("\noff by {:.3} %", 100.0 * error);
    if error < 1e-3 { Ok(()) } else { Err("the plate does not cool as it should".into()) }
}

fn time(round: usize) -> f64 {
    (round * STEPS) as f64 * STEP
}

/// A step in time: each point comes a little nearer to the mean of its neighbours.
fn step(plate: &LazyArray2<f64>) -> LazyArray2<f64> {
    plate.stencil([1, 1], Boundary::Constant(0.0), |u| {
        let around = u[[-1, 0]] + u[[1, 0]] + u[[0, -1]] + u[[0, 1]];
        u[[0, 0]] + STEP / (H * H) * (around - 4.0 * u[[0, 0]])
    })
}
