//! Work in the background that can be watched, stopped, and that tries again what failed.
//!
//! ```text
//! cargo run --release -p chunkwise-examples --example cancel_and_retry
//! ```
//!
//! 1. A long computation is submitted, watched, and cancelled; so is the store of a file, which then does not appear.
//! 2. Blocks are read from an instrument that does not always answer: each is asked again, after a pause, until it does.
//!
//! A program that is to end well at Ctrl-C cancels the token of its handles in its signal handler. One that is killed
//! leaves no half-written file under its name either.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use chunkwise::ndarray::Array1;
use chunkwise::prelude::*;
use chunkwise::random::Generator;
use chunkwise::{ErrorKind, Retry, RunHandle};

fn main() -> Result<(), Box<dyn Error>> {
    cancel_a_computation()?;
    cancel_a_store()?;
    retry()
}

/// Forty billion random numbers take minutes; a few hundred milliseconds are enough to see that.
fn cancel_a_computation() -> Result<(), Box<dyn Error>> {
    let x = Generator::new(1).normal(0.0, 1.0, (200_000, 200_000), 1000);
    let run = x.sin().std(0.0).submit()?;
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(100));
        let progress = run.progress();
        println!(
            "{} of {} blocks, {:.4} %",
            progress.finished(),
            progress.tasks(),
            progress.fraction() * 100.0
        );
    }
    stop("the computation", run)
}

fn cancel_a_store() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("chunkwise-cancelled-{}.npy", std::process::id()));
    let x = Generator::new(2).uniform(0.0, 1.0, (100_000, 10_000), 1000);
    let target = path.clone();
    let run = Runtime::global()?.submit_with(move |rt| rt.store_npy(&x, target))?;
    thread::sleep(Duration::from_millis(100));
    stop("the store", run)?;
    let left = if Path::new(&path).exists() { "there" } else { "not there" };
    println!("{} is {left}", path.display());
    if left == "there" { Err("a cancelled store left a file".into()) } else { Ok(()) }
}

/// Cancels a run and waits until it is over.
fn stop<T: Send + 'static>(what: &str, run: RunHandle<T>) -> Result<(), Box<dyn Error>> {
    let asked = Instant::now();
    run.cancel();
    match run.wait() {
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            println!(
                "{what} ended {:.1} ms after it was asked to: {error}\n",
                asked.elapsed().as_secs_f64() * 1e3
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err("it was done before it was cancelled".into()),
    }
}

/// The mean of what an instrument says that times out at every third question.
fn retry() -> Result<(), Box<dyn Error>> {
    let questions = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&questions);
    let readings = LazyArray::try_from_blocks(1_000_000, 10_000, move |block| {
        if asked.fetch_add(1, Relaxed) % 3 == 2 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the instrument does not answer"));
        }
        let hours = block.start[0]..block.start[0] + block.shape[0];
        Ok(hours.map(|hour| 15.0 + (hour % 24) as f64).collect::<Array1<f64>>())
    });

    match Runtime::builder().build()?.compute(readings.mean()) {
        Err(error) => println!("without a second attempt: {error}"),
        Ok(mean) => return Err(format!("a mean of {mean} without an answer").into()),
    }

    questions.store(0, Relaxed);
    let patient = Runtime::builder().retry(Retry::times(5).delay(Duration::from_millis(2))).build()?;
    let mean = patient.compute(readings.mean())?;
    println!(
        "with up to five more: mean {mean:.4} after {} questions for 100 blocks",
        questions.load(Relaxed)
    );
    // A million hours end after two thirds of a day: 16 more readings of hours 0 to 15.
    if (mean - 26.499_936).abs() < 1e-9 { Ok(()) } else { Err(format!("the mean is {mean}").into()) }
}
