//! Runs a case: builds its program from the public API, computes it, compares.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::case::{Case, CaseStep};
use super::compare::{Difference, compare};
use super::config::{Chunking, Machine};
use super::elementwise::elementwise;
use super::reduce::reduction;
use super::structure::structural;
use super::{Failure, Refusal, Verdict, contract, indexing, layout, overlap, rolling, scan};
use crate::{AnyArray, PlainArray, compute_all};

/// A case that takes longer than this under all configurations together is said to hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a case under every configuration, on a thread of its own: a case that hangs is a failure.
pub(super) fn run_case(case: &Arc<Case>, machines: &Arc<Vec<Machine>>) -> Verdict {
    let (sender, receiver) = sync_channel(1);
    let (own_case, own_machines) = (Arc::clone(case), Arc::clone(machines));
    let run = move || {
        // Nobody listens any more when this comes too late.
        let _ = sender.send(run_everywhere(&own_case, &own_machines));
    };
    let hung = |what: &str| Verdict::Failed(vec![Failure::of_case(case, what)]);
    if std::thread::Builder::new().name(case.id.clone()).spawn(run).is_err() {
        return hung("a thread to run it on");
    }
    match receiver.recv_timeout(PATIENCE) {
        Ok(verdict) => verdict,
        Err(RecvTimeoutError::Timeout) => hung("no end within two minutes"),
        Err(RecvTimeoutError::Disconnected) => hung("a panic of the runner"),
    }
}

fn run_everywhere(case: &Case, machines: &[Machine]) -> Verdict {
    let mut failures = Vec::new();
    for chunking in Chunking::ALL.into_iter().filter(|chunking| chunking.suits(case)) {
        for machine in machines {
            let difference = match run_once(case, chunking, machine) {
                Ok(None) => continue,
                Ok(Some(difference)) => difference,
                Err(Refusal::Unsupported(op)) => return Verdict::Skipped(op),
                Err(refusal) => Difference { got: refusal.to_string(), want: wanted(case) },
            };
            failures.push(Failure::new(case, &format!("{chunking}, {}", machine.name()), difference));
        }
    }
    if failures.is_empty() { Verdict::Passed } else { Verdict::Failed(failures) }
}

/// What differs under one configuration.
fn run_once(case: &Case, chunking: Chunking, machine: &Machine) -> Result<Option<Difference>, Refusal> {
    let computed = catch_unwind(AssertUnwindSafe(|| compute(case, chunking, machine)));
    let got = match computed {
        Ok(computed) => computed?,
        Err(panic) => return Ok(Some(Difference { got: panic_message(&*panic), want: wanted(case) })),
    };
    match (got, case.error) {
        (Ok(got), false) => compare(case, &got),
        (Err(_), true) => Ok(None),
        (Ok(got), true) => Ok(Some(Difference { got: format!("{} results", got.len()), want: wanted(case) })),
        (Err(err), false) => Ok(Some(Difference { got: format!("error: {err}"), want: wanted(case) })),
    }
}

type Computed = Result<Vec<PlainArray>, String>;

/// All outputs in one compute. What the types of the API rule out is an error like one of `compute`.
fn compute(case: &Case, chunking: Chunking, machine: &Machine) -> Result<Computed, Refusal> {
    let values = match build(case, chunking) {
        Err(Refusal::Types(text)) => return Ok(Err(text)),
        values => values?,
    };
    let missing = |at: &usize| Refusal::malformed(format!("there is no value {at}"));
    let outputs = case.outputs.iter().map(|at| values.get(*at).cloned().ok_or_else(|| missing(at)));
    let outputs = outputs.collect::<Result<Vec<AnyArray>, Refusal>>()?;
    Ok(compute_all(machine.runtime(), &outputs).map_err(|err| err.to_string()))
}

/// The values of a program, inputs first.
fn build(case: &Case, chunking: Chunking) -> Result<Vec<AnyArray>, Refusal> {
    let mut values = Vec::new();
    for input in &case.inputs {
        let array = input.to_plain()?;
        values.push(AnyArray::from_plain(&array, chunking.chunks(array.shape())));
    }
    for step in &case.steps {
        values.push(apply(step, &values)?);
    }
    Ok(values)
}

fn apply(step: &CaseStep, values: &[AnyArray]) -> Result<AnyArray, Refusal> {
    let missing = |at: &usize| Refusal::malformed(format!("{}: there is no value {at}", step.op));
    let args = step.args.iter().map(|at| values.get(*at).ok_or_else(|| missing(at)));
    let args = args.collect::<Result<Vec<&AnyArray>, Refusal>>()?;
    elementwise(step, &args)
        .or_else(|| reduction(step, &args))
        .or_else(|| structural(step, &args))
        .or_else(|| contract::apply(step, &args))
        .or_else(|| indexing::apply(step, &args))
        .or_else(|| layout::apply(step, &args))
        .or_else(|| overlap::apply(step, &args))
        .or_else(|| rolling::apply(step, &args))
        .or_else(|| scan::apply(step, &args))
        .unwrap_or_else(|| Err(Refusal::Unsupported(step.op.clone())))
}

fn wanted(case: &Case) -> String {
    if case.error {
        return "an error".to_owned();
    }
    let shown: Vec<String> = case.expect.iter().map(|x| format!("{}{:?}", x.dtype, x.shape)).collect();
    shown.join(", ")
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("of unknown kind");
    format!("panic: {text}")
}
