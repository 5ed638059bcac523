//! Random expressions: a few sources, and steps that each build on what is there already, so that
//! subexpressions are shared.
//!
//! A step is a seed. Shrinking drops steps and sources; what is left draws the same choices as before
//! wherever its inputs are still there.

pub(crate) mod data;
pub(crate) mod draw;
mod elementwise;
mod reduction;
pub(crate) mod rules;
mod structure;

use std::fmt;

use chunkwise_expr::Expr;
use proptest::collection::vec;
use proptest::prelude::*;

use data::MOST_ELEMENTS;
use draw::Draw;

/// Makes an expression of what is there, or nothing where it does not fit.
type Step = fn(&mut Draw, &Pool) -> Option<Expr>;

/// What steps do, and how often.
const STEPS: &[(usize, Step)] = &[
    (4, elementwise::unary),
    (6, elementwise::binary),
    (1, elementwise::cast),
    (1, elementwise::select),
    (1, elementwise::closure),
    (3, structure::slice),
    (1, structure::permute),
    (1, structure::flip),
    (1, structure::insert_axis),
    (1, structure::remove_axis),
    (1, structure::broadcast),
    (2, structure::reshape),
    (2, structure::concat),
    (2, structure::rechunk),
    (5, structure::reduce),
    (3, structure::sibling),
    (1, structure::delayed),
];

/// A random expression with everything it was built from.
///
/// ```
/// use chunkwise_testkit::{RandomExpr, eval};
/// let random = RandomExpr::grow(&[1, 2], &[3, 4, 5]);
/// assert!(!random.exprs().is_empty());
/// assert_eq!(random.root().to_string(), RandomExpr::grow(&[1, 2], &[3, 4, 5]).root().to_string());
/// ```
#[derive(Clone)]
pub struct RandomExpr {
    pool: Pool,
    sources: Vec<u64>,
    steps: Vec<u64>,
}

impl RandomExpr {
    /// The expression that these seeds make: one source each, then one step each.
    pub fn grow(sources: &[u64], steps: &[u64]) -> RandomExpr {
        let first = sources.first().copied().unwrap_or_default();
        let seeds = std::iter::once(first).chain(sources.iter().skip(1).copied());
        let mut pool = Pool { exprs: seeds.map(|seed| data::source(&mut Draw::new(seed))).collect() };
        let all: Vec<(usize, Step)> =
            STEPS.iter().chain(rules::TOPICS.iter().copied().flatten()).copied().collect();
        for &seed in steps {
            let mut draw = Draw::new(seed);
            let step = draw.weighted(&all);
            if let Some(expr) = step(&mut draw, &pool) {
                pool.add(expr);
            }
        }
        RandomExpr { pool, sources: sources.to_vec(), steps: steps.to_vec() }
    }

    /// Every expression on the way, sources first; all of them can be built.
    pub fn exprs(&self) -> &[Expr] {
        &self.pool.exprs
    }

    /// The last expression.
    pub fn root(&self) -> &Expr {
        self.pool.last()
    }
}

impl fmt::Debug for RandomExpr {
    /// The call that makes it again, and what each step built.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "RandomExpr::grow(&{:?}, &{:?})", self.sources, self.steps)?;
        self.exprs().iter().try_for_each(|expr| {
            let (grid, dtype) = (expr.grid(), expr.dtype());
            writeln!(f, "  {}: {dtype:?}{:?} in {grid:?}", expr.op().name(), expr.shape())
        })
    }
}

/// Random expressions of one to four sources and up to `steps` steps.
///
/// ```
/// use proptest::prelude::*;
/// use chunkwise_testkit::{eval, random_expressions};
/// proptest!(ProptestConfig::with_cases(8), |(random in random_expressions(5))| {
///     prop_assert!(random.root().error().is_none());
/// });
/// ```
pub fn random_expressions(steps: usize) -> impl Strategy<Value = RandomExpr> {
    (vec(any::<u64>(), 1..=4), vec(any::<u64>(), 0..=steps))
        .prop_map(|(sources, steps)| RandomExpr::grow(&sources, &steps))
}

/// The expressions that are there to build on.
#[derive(Clone)]
struct Pool {
    exprs: Vec<Expr>,
}

impl Pool {
    fn last(&self) -> &Expr {
        self.exprs.last().expect("there is at least one source")
    }

    /// One of them, the latest most often, so that expressions grow deep.
    fn pick(&self, draw: &mut Draw) -> Expr {
        let latest = self.exprs.len().saturating_sub(2);
        let from = if draw.one_in(2) { latest } else { 0 };
        self.exprs[from + draw.below(self.exprs.len() - from)].clone()
    }

    /// One that fits, starting the search anywhere.
    fn find(&self, draw: &mut Draw, fits: impl Fn(&Expr) -> bool) -> Option<Expr> {
        let start = draw.below(self.exprs.len());
        self.exprs[start..].iter().chain(&self.exprs[..start]).find(|expr| fits(expr)).cloned()
    }

    /// Keeps an expression that can be built, is an array and not too large.
    fn add(&mut self, expr: Expr) {
        let small = expr.shape().len() <= 5 && expr.shape().iter().product::<usize>() <= MOST_ELEMENTS;
        if expr.grid().is_some() && small {
            self.exprs.push(expr);
        }
    }
}
