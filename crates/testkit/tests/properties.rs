//! Random expressions against the evaluator: every operation on its own, and every way to run a whole.

use std::sync::LazyLock;

use chunkwise::{OptimizeOptions, Runtime};
use chunkwise_expr::Expr;
use chunkwise_testkit::{
    AnyArray, PlainArray, RandomExpr, Value, check_op, compute_all, eval, eval_op, random_expressions,
    same_array,
};
use proptest::prelude::*;

/// Steps of an expression at most.
const STEPS: usize = 14;

fn runtime(threads: usize, options: OptimizeOptions) -> Runtime {
    Runtime::builder().threads(threads).optimizer(options).build().expect("a few threads can be started")
}

/// Nothing rewritten, one thread: every node is a layer of tasks of its own.
static PLAIN: LazyLock<Runtime> = LazyLock::new(|| runtime(1, OptimizeOptions::none()));

/// Every other way to run.
static OTHERS: LazyLock<Vec<(&str, Runtime)>> = LazyLock::new(|| {
    vec![
        ("1 thread, optimised", runtime(1, OptimizeOptions::all())),
        ("2 threads, optimised", runtime(2, OptimizeOptions::all())),
        ("2 threads, unoptimised", runtime(2, OptimizeOptions::none())),
    ]
});

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn compute(runtime: &Runtime, exprs: &[Expr]) -> Result<Vec<PlainArray>, String> {
    let arrays: Vec<AnyArray> = exprs.iter().map(AnyArray::from_expr).collect();
    compute_all(runtime, &arrays).map_err(|err| err.to_string())
}

/// The expressions of a sample whose values exist: an integer division by zero drops what it is in.
fn computable(random: &RandomExpr) -> Vec<Expr> {
    random.exprs().iter().filter(|expr| eval(expr).is_ok()).cloned().collect()
}

fn first_difference(got: &[PlainArray], want: &[PlainArray]) -> Option<String> {
    let at = got.iter().zip(want).position(|(got, want)| !same_array(got, want))?;
    Some(format!("expression {at}: got {:?}, want {:?}", got[at], want[at]))
}

/// The operation of an expression on the computed values of its inputs gives its computed value. Inputs that
/// are not in the list are literals, conversions and delayed values.
fn check_each(exprs: &[Expr], values: &[PlainArray]) -> Result<(), TestCaseError> {
    for (expr, value) in exprs.iter().zip(values) {
        let inputs: Vec<Value> =
            expr.node().inputs().iter().map(|input| value_of(input, exprs, values)).collect();
        if let Err(err) = check_op(expr.op(), &inputs.iter().collect::<Vec<_>>(), value) {
            return Err(TestCaseError::fail(format!("{err}\n  in {expr}")));
        }
    }
    Ok(())
}

/// The computed value of a listed expression, and what the evaluator makes of them between two listed ones.
fn value_of(expr: &Expr, exprs: &[Expr], values: &[PlainArray]) -> Value {
    let known = exprs.iter().position(|other| other.same(expr));
    if let Some(at) = known {
        return Value::Array(values[at].clone());
    }
    let inputs: Vec<Value> = expr.node().inputs().iter().map(|x| value_of(x, exprs, values)).collect();
    let inputs: Vec<&Value> = inputs.iter().collect();
    eval_op(expr.op(), &inputs).expect("the expression it is part of has a value")
}

proptest! {
    #![proptest_config(config())]

    /// All values in one run: every operation is right given its inputs, and every way to run gives the bits
    /// of the plain one.
    #[test]
    fn every_operation_is_right_and_every_way_to_run_gives_its_bits(random in random_expressions(STEPS)) {
        let exprs = computable(&random);
        let plain = compute(&PLAIN, &exprs).map_err(TestCaseError::fail)?;
        check_each(&exprs, &plain)?;
        for (name, runtime) in OTHERS.iter() {
            let other = compute(runtime, &exprs).map_err(TestCaseError::fail)?;
            let difference = first_difference(&other, &plain);
            prop_assert!(difference.is_none(), "{}: {}", name, difference.unwrap_or_default());
        }
    }

    /// Only the last value is asked for, so that passes may fuse and drop the others.
    #[test]
    fn root_alone_has_the_bits_of_a_run_that_keeps_everything(random in random_expressions(STEPS)) {
        let exprs = computable(&random);
        let root = exprs.last().expect("sources are computable").clone();
        let all = compute(&PLAIN, &exprs).map_err(TestCaseError::fail)?;
        let want = &all[all.len() - 1..];
        for (name, runtime) in OTHERS.iter() {
            let alone = compute(runtime, std::slice::from_ref(&root)).map_err(TestCaseError::fail)?;
            let difference = first_difference(&alone, want);
            prop_assert!(difference.is_none(), "{}: {}", name, difference.unwrap_or_default());
        }
    }

    /// What has no value is an error or, where the fault lies in elements that nothing needs, the value
    /// without it; never a panic, never a hang.
    #[test]
    fn faults_are_errors(random in random_expressions(STEPS)) {
        for expr in random.exprs().iter().filter(|expr| eval(expr).is_err()) {
            for (_, runtime) in OTHERS.iter() {
                let result = compute(runtime, std::slice::from_ref(expr));
                let skipped = |values: &[PlainArray]| values[0].shape() == expr.shape();
                prop_assert!(result.as_deref().map_or(true, skipped));
            }
        }
    }
}
