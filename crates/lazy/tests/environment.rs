//! The environment sets the global runtime, and a value that cannot be read is an error, not ignored.

use std::process::Command;

use chunkwise::prelude::*;

/// Runs the test `child` of this file in a process of its own and returns what it printed.
fn with(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a test knows its own path"));
    command.args(["--exact", "child", "--nocapture"]).env("CHUNKWISE_TEST_CHILD", "1");
    command.envs(variables.iter().copied());
    let output = command.output().expect("the test can be run again");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn child() {
    if std::env::var_os("CHUNKWISE_TEST_CHILD").is_none() {
        return; // only means something when the tests below start it
    }
    match LazyArray::<f64, _>::ones(10, 3).sum().compute() {
        Ok(sum) => println!("sum {sum} on {:?}", Runtime::global().unwrap()),
        Err(err) => println!("{err}"),
    }
}

#[test]
fn threads_and_memory_limit_come_from_the_environment() {
    let text = with(&[("CHUNKWISE_NUM_THREADS", "3"), ("CHUNKWISE_MEMORY_LIMIT", "1 GiB")]);
    assert!(text.contains("sum 10 on Runtime(threads 3, memory limit Some(1073741824))"), "{text}");
    assert!(with(&[("CHUNKWISE_MEMORY_LIMIT", "none")]).contains("memory limit None"));
}

#[test]
fn values_that_cannot_be_read_are_errors() {
    let text = with(&[("CHUNKWISE_NUM_THREADS", "0")]);
    assert!(text.contains("CHUNKWISE_NUM_THREADS is \"0\", it must be a number of at least 1"), "{text}");
    let text = with(&[("CHUNKWISE_MEMORY_LIMIT", "plenty")]);
    assert!(text.contains("CHUNKWISE_MEMORY_LIMIT is \"plenty\""), "{text}");
}
