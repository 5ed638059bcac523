//! What a plan says: the expression, what each pass makes of it by which rule, and what will be done.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example explain -- out        # the folder for explain.svg
//! ```
//!
//! A field of temperatures is compared with its mean, on a part of the map: views are pushed to the source, arithmetic is
//! fused, reductions of the same elements are folded together. The plan is made with each pass by itself left out, too.

use std::error::Error;
use std::path::PathBuf;

use chunkwise::OptimizeOptions;
use chunkwise::prelude::*;
use chunkwise::random::Generator;

const DAYS: usize = 365;
const PLACES: (usize, usize) = (180, 360);

fn main() -> Result<(), Box<dyn Error>> {
    let celsius = Generator::new(1).normal(288.0, 15.0, (DAYS, PLACES.0, PLACES.1), (73, 90, 90)) - 273.15;
    let europe = celsius.slice(s![.., 30..60, 170..220]);
    let anomaly = &europe - europe.mean_axis(Axis(0)).insert_axis(Axis(0));
    let results =
        (anomaly.max(), anomaly.std(0.0), (celsius.slice(s![.., 30..60, 170..220]) * 1.8 + 32.0).mean());

    let plan = Runtime::global()?.plan(&results)?;
    println!("{plan}");

    println!("without a pass");
    for pass in ["simplify", "cse", "push_views", "fuse_maps", "fuse_reductions", "fuse_siblings"] {
        let rt = Runtime::builder().optimizer(OptimizeOptions::all().without(pass)).build()?;
        println!("  {pass}: {} tasks instead of {}", rt.plan(&results)?.tasks(), plan.tasks());
    }
    let none = Runtime::builder().optimizer(OptimizeOptions::none()).build()?.plan(&results)?;
    if none.tasks() <= plan.tasks() {
        return Err("passes should save tasks".into());
    }

    let (max, std, fahrenheit) = chunkwise::compute(&results)?;
    println!("largest anomaly {max:.1}, deviation {std:.2}, mean {fahrenheit:.1} °F");
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("explain.svg");
    plan.visualize(&path)?;
    println!("drawn to {}", path.display());
    Ok(())
}
