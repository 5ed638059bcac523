//! Before/after checks for passes.

use std::panic::Location;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkGrid, ChunkSource, Chunks, DType, ReadCost, Region, Scalar, SourceError};
use chunkwise_expr::{BlockError, BlockRule, Expr, ExprError, ExprGraph, Meta, Need, Needs, Step};

use crate::{Notes, Pass};

#[derive(Debug)]
struct Named(&'static str, Vec<usize>, Option<Scalar>, ReadCost);

impl ChunkSource for Named {
    fn dtype(&self) -> DType {
        DType::F64
    }

    fn shape(&self) -> &[usize] {
        &self.1
    }

    fn name(&self) -> String {
        self.0.to_owned()
    }

    fn cost(&self) -> ReadCost {
        self.3
    }

    fn constant(&self) -> Option<Scalar> {
        self.2
    }

    fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
        Ok(Chunk::zeros(DType::F64, region.shape()))
    }
}

/// Takes the first elements of a vector; beyond its end the last one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct First(pub(crate) usize);

impl std::fmt::Display for First {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "first {}", self.0)
    }
}

impl BlockRule for First {
    fn name(&self) -> &str {
        "first"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Meta, ExprError> {
        Ok(Meta::Array { dtype: inputs[0].dtype(), grid: ChunkGrid::whole(&[self.0]) })
    }

    fn needs(&self, _: &Region, _: usize, inputs: &[&Meta]) -> Needs {
        Needs::from_iter([Need { input: 0, region: Region::whole(inputs[0].grid().shape()) }])
    }

    fn compute(&self, _: Step<'_>) -> Result<Chunk, BlockError> {
        Err("graphs of these tests are not run".into())
    }

    fn takes(&self) -> bool {
        true
    }
}

/// An array of this name, shape and block shape.
pub(crate) fn source(name: &'static str, shape: &[usize], chunk: &[usize]) -> Expr {
    named(Named(name, shape.to_vec(), None, ReadCost::Free), chunk)
}

/// An array that must be decoded.
pub(crate) fn stored(name: &'static str, shape: &[usize], chunk: &[usize]) -> Expr {
    named(Named(name, shape.to_vec(), None, ReadCost::Decode), chunk)
}

/// An array of one value.
pub(crate) fn constant(value: f64, shape: &[usize], chunk: &[usize]) -> Expr {
    named(Named("constant", shape.to_vec(), Some(Scalar::F64(value)), ReadCost::Free), chunk)
}

fn named(source: Named, chunk: &[usize]) -> Expr {
    let chunks = Chunks::Grid(ChunkGrid::regular(&source.1, chunk));
    Expr::source("test", Arc::new(source), Some(&chunks), Location::caller())
}

/// A literal.
pub(crate) fn lit(x: f64) -> Expr {
    Expr::literal(Scalar::F64(x), Location::caller())
}

/// Runs the pass; the graph it gives must hold each of these texts, and at least one rewrite must be reported.
pub(crate) fn check(pass: &dyn Pass, expr: Expr, after: &[&str]) {
    check_all(pass, &[expr], after);
}

/// [`check`] of several results.
pub(crate) fn check_all(pass: &dyn Pass, exprs: &[Expr], after: &[&str]) {
    let mut notes = Notes::default();
    let before = ExprGraph::import(exprs).unwrap();
    let graph = pass.run(&before, &mut notes).unwrap_or(before);
    let text = graph.to_string();
    assert!(notes.rewrites() > 0, "{} did nothing:\n{text}", pass.name());
    for part in after {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

/// Runs the pass, which must not change anything.
pub(crate) fn unchanged(pass: &dyn Pass, expr: Expr) {
    unchanged_all(pass, &[expr]);
}

/// [`unchanged`] of several results.
pub(crate) fn unchanged_all(pass: &dyn Pass, exprs: &[Expr]) {
    let before = ExprGraph::import(exprs).unwrap();
    let mut notes = Notes::default();
    let after = pass.run(&before, &mut notes).map(|after| after.to_string());
    assert_eq!((after, notes.rewrites()), (None, 0), "{} must not fire", pass.name());
}
