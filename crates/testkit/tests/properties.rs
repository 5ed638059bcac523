//! Random expressions against the evaluator: every operation on its own, and every way to run a whole.

use std::sync::LazyLock;

use chunkwise::{ErrorKind, LazyArrayD, OptimizeOptions, Runtime};
use chunkwise_expr::Expr;
use chunkwise_testkit::{
    AnyArray, EagerError, PlainArray, RandomExpr, Value, check_op, compute_all, eval, eval_op,
    random_expressions, same_array,
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
        ("3 threads, siblings apart", runtime(3, OptimizeOptions::all().without("fuse_siblings"))),
        ("2 threads, nothing but siblings", runtime(2, OptimizeOptions::none().with("fuse_siblings"))),
    ]
});

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn compute(runtime: &Runtime, exprs: &[Expr]) -> Result<Vec<PlainArray>, String> {
    let arrays: Vec<AnyArray> = exprs.iter().map(AnyArray::from_expr).collect();
    compute_all(runtime, &arrays).map_err(|err| err.to_string())
}

/// Expressions and what the plain run computes for them.
#[derive(Default)]
struct Computed {
    exprs: Vec<Expr>,
    values: Vec<PlainArray>,
}

impl Computed {
    /// The expressions that have a value, computed in one plain run.
    fn of(random: &RandomExpr) -> Result<Computed, TestCaseError> {
        let exprs: Vec<Expr> = random.exprs().iter().filter(|expr| eval(expr).is_ok()).cloned().collect();
        match compute(&PLAIN, &exprs) {
            Ok(values) => Ok(Computed { exprs, values }),
            Err(_) => Computed::one_by_one(&exprs),
        }
    }

    /// The same, without those that fail for a reason. There is one now and then in what has a true value: a
    /// mean that is rounded down instead of up before it becomes an integer can make a divisor zero.
    fn one_by_one(exprs: &[Expr]) -> Result<Computed, TestCaseError> {
        let mut computed = Computed::default();
        for expr in exprs {
            match compute(&PLAIN, std::slice::from_ref(expr)) {
                Ok(mut value) => {
                    computed.values.append(&mut value);
                    computed.exprs.push(expr.clone());
                }
                Err(_) if computed.value_of(expr).is_err() => {}
                Err(err) => return Err(TestCaseError::fail(err)),
            }
        }
        Ok(computed)
    }

    /// The computed value, or what the evaluator makes of the computed values in front of it.
    fn value_of(&self, expr: &Expr) -> Result<Value, EagerError> {
        match self.exprs.iter().position(|other| other.same(expr)) {
            Some(at) => Ok(Value::Array(self.values[at].clone())),
            None => eval_op(expr.op(), &self.inputs_of(expr)?.iter().collect::<Vec<_>>()),
        }
    }

    fn inputs_of(&self, expr: &Expr) -> Result<Vec<Value>, EagerError> {
        expr.node().inputs().iter().map(|input| self.value_of(input)).collect()
    }

    /// The operation of every expression on the computed values of its inputs gives its computed value.
    fn check(&self) -> Result<(), TestCaseError> {
        for (expr, value) in self.exprs.iter().zip(&self.values) {
            let at = |err: &dyn std::fmt::Display| TestCaseError::fail(format!("{err}\n  in {expr}"));
            let inputs = self.inputs_of(expr).map_err(|err| at(&err))?;
            check_op(expr.op(), &inputs.iter().collect::<Vec<_>>(), value).map_err(|err| at(&err))?;
        }
        Ok(())
    }
}

fn first_difference(got: &[PlainArray], want: &[PlainArray]) -> Option<String> {
    let at = got.iter().zip(want).position(|(got, want)| !same_array(got, want))?;
    Some(format!("expression {at}: got {:?}, want {:?}", got[at], want[at]))
}

proptest! {
    #![proptest_config(config())]

    /// All values in one run: every operation is right given its inputs, and every way to run gives the bits
    /// of the plain one.
    #[test]
    fn every_operation_is_right_and_every_way_to_run_gives_its_bits(random in random_expressions(STEPS)) {
        let plain = Computed::of(&random)?;
        plain.check()?;
        for (name, runtime) in OTHERS.iter() {
            let other = compute(runtime, &plain.exprs).map_err(TestCaseError::fail)?;
            let difference = first_difference(&other, &plain.values);
            prop_assert!(difference.is_none(), "{}: {}", name, difference.unwrap_or_default());
        }
    }

    /// Only the last value is asked for, so that passes may fuse and drop the others.
    #[test]
    fn root_alone_has_the_bits_of_a_run_that_keeps_everything(random in random_expressions(STEPS)) {
        let all = Computed::of(&random)?;
        let last = all.exprs.len() - 1;
        for (name, runtime) in OTHERS.iter() {
            let alone = compute(runtime, &all.exprs[last..]).map_err(TestCaseError::fail)?;
            let difference = first_difference(&alone, &all.values[last..]);
            prop_assert!(difference.is_none(), "{}: {}", name, difference.unwrap_or_default());
        }
    }

    /// Some of the values are asked for together, so that passes may fuse, drop and fold together what they share.
    #[test]
    fn some_roots_have_the_bits_of_a_run_that_keeps_everything(
        random in random_expressions(STEPS),
        wanted in any::<u64>(),
    ) {
        let all = Computed::of(&random)?;
        let is_wanted = |at: &usize| *at + 1 == all.exprs.len() || wanted >> (at % 64) & 1 == 1;
        let places: Vec<usize> = (0..all.exprs.len()).filter(is_wanted).collect();
        let exprs: Vec<Expr> = places.iter().map(|&at| all.exprs[at].clone()).collect();
        let values: Vec<PlainArray> = places.iter().map(|&at| all.values[at].clone()).collect();
        for (name, runtime) in OTHERS.iter() {
            let some = compute(runtime, &exprs).map_err(TestCaseError::fail)?;
            let difference = first_difference(&some, &values);
            prop_assert!(difference.is_none(), "{}: {}", name, difference.unwrap_or_default());
        }
    }

    /// Whichever passes run, the bits are those of none.
    #[test]
    fn every_subset_of_passes_keeps_the_bits(
        random in random_expressions(STEPS),
        on in any::<u32>(),
        wanted in any::<u64>(),
    ) {
        let all = Computed::of(&random)?;
        let names = chunkwise_optimize::passes().into_iter().map(|pass| pass.name()).filter(|name| *name != "fast_math");
        let chosen: Vec<&str> = names.enumerate().filter(|(at, _)| on >> at & 1 == 1).map(|(_, name)| name).collect();
        let options = chosen.iter().fold(OptimizeOptions::none(), |options, name| options.with(name));
        let is_wanted = |at: &usize| *at + 1 == all.exprs.len() || wanted >> (at % 64) & 3 == 3;
        let places: Vec<usize> = (0..all.exprs.len()).filter(is_wanted).collect();
        let exprs: Vec<Expr> = places.iter().map(|&at| all.exprs[at].clone()).collect();
        let values: Vec<PlainArray> = places.iter().map(|&at| all.values[at].clone()).collect();
        let some = compute(&runtime(1, options), &exprs).map_err(TestCaseError::fail)?;
        let difference = first_difference(&some, &values);
        prop_assert!(difference.is_none(), "{:?}: {}", chosen, difference.unwrap_or_default());
    }

    /// A plan that says it stays within a memory limit does, whatever is read twice or kept for it, and gives the same
    /// bits; one that does not is refused before anything runs.
    #[test]
    fn plan_within_a_memory_limit_runs_within_it(random in random_expressions(STEPS), share in 1u64..5) {
        let all = Computed::of(&random)?;
        let last = all.exprs.len() - 1;
        let root = LazyArrayD::<u8>::from_expr(all.exprs[last].clone());
        let peak = PLAIN.plan(&root).map_err(|err| TestCaseError::fail(err.to_string()))?.peak_bytes();
        let limit = peak * share / 4;
        let limited = Runtime::builder().threads(2).memory_limit_bytes(limit).build().expect("a thread can be started");
        match limited.plan(&root) {
            Ok(plan) => {
                prop_assert!(plan.peak_bytes() <= limit, "{} > {}", plan.peak_bytes(), limit);
                let got = compute(&limited, &all.exprs[last..]).map_err(TestCaseError::fail)?;
                let difference = first_difference(&got, &all.values[last..]);
                prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
            }
            Err(err) => prop_assert_eq!(err.kind(), ErrorKind::Memory),
        }
    }

    /// An operation that is an error for its computed inputs fails when its result is asked for. What is built
    /// on it fails as well or, where the fault lies in elements that nothing needs, has the right shape.
    /// Nothing panics.
    #[test]
    fn faults_are_errors(random in random_expressions(STEPS)) {
        let computed = Computed::of(&random)?;
        for expr in random.exprs().iter().filter(|expr| eval(expr).is_err()) {
            let inputs = computed.inputs_of(expr);
            let must_fail = inputs.is_ok() && computed.value_of(expr).is_err();
            for (name, runtime) in OTHERS.iter() {
                let result = compute(runtime, std::slice::from_ref(expr));
                let right_shape = |values: &[PlainArray]| values[0].shape() == expr.shape();
                let message = result.as_ref().err().cloned().unwrap_or_default();
                prop_assert!(!message.contains("panicked"), "{}: {}", name, message);
                prop_assert!(result.is_err() || !must_fail, "{}: a value for {}", name, expr);
                prop_assert!(result.as_deref().map_or(true, right_shape), "{}: shape of {}", name, expr);
            }
        }
    }
}
