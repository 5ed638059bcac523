//! `conformance FILE..`: runs files of conformance cases and says what failed.
//!
//! Exit code 0 when all that ran passed, 1 when a case failed, 2 when a file could not be read.

use std::path::Path;
use std::process::ExitCode;

use chunkwise_testkit::conformance::{Report, Runner};

fn run(paths: &[String]) -> Result<Report, String> {
    if paths.is_empty() {
        return Err("usage: conformance FILE..".to_owned());
    }
    let runner = Runner::new().map_err(|err| err.to_string())?;
    let mut all = Report::default();
    for path in paths {
        all.merge(runner.run_file(Path::new(path))?);
    }
    Ok(all)
}

fn main() -> ExitCode {
    // Panics are caught and reported as failures: one line each, not a backtrace each.
    std::panic::set_hook(Box::new(|_| {}));
    let paths: Vec<String> = std::env::args().skip(1).collect();
    match run(&paths) {
        Ok(report) => {
            println!("{report}");
            if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
