//! What random expressions must be to be worth anything: varied, shared, deterministic, mostly computable.

use std::collections::BTreeMap;

use chunkwise_expr::{BinaryOp, ReduceKind, UnaryOp};
use chunkwise_testkit::{RandomExpr, eval};

/// Expressions of one to four sources and 12 steps.
fn samples(count: u64) -> impl Iterator<Item = RandomExpr> {
    (0..count).map(|i| {
        let sources: Vec<u64> = (0..1 + i % 4).map(|k| i * 1000 + k).collect();
        let steps: Vec<u64> = (0..12).map(|k| i * 1000 + 100 + k).collect();
        RandomExpr::grow(&sources, &steps)
    })
}

fn histogram(count: u64) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for expr in samples(count).flat_map(|random| random.exprs().to_vec()) {
        *seen.entry(expr.op().name().to_owned()).or_insert(0) += 1;
    }
    seen
}

#[test]
fn every_operation_is_drawn() {
    let seen = histogram(3000);
    let tables = UnaryOp::ALL.iter().map(|op| op.name()).chain(BinaryOp::ALL.iter().map(|op| op.name()));
    let structure = ["view", "reshape", "concatenate", "rechunk", "where_", "cast", "mapv", "zip_mapv"];
    // `choose` makes `index_of`, for what is an index: `methods` draws it.
    let tables = tables.filter(|&name| name != BinaryOp::IndexOf.name());
    for name in tables.chain(ReduceKind::ALL.iter().map(|kind| kind.name())).chain(structure) {
        assert!(seen.contains_key(name), "{name} is never drawn: {seen:?}");
    }
}

#[test]
fn most_expressions_have_a_value() {
    let (mut values, mut elements) = (0, 0);
    for random in samples(300) {
        if let Ok(value) = eval(random.root()) {
            values += 1;
            elements += usize::from(!value.array().unwrap().data().is_empty());
        }
    }
    assert!(values >= 250, "{values} of 300 have a value");
    assert!(elements >= 200, "{elements} of 300 have elements");
}

#[test]
fn equal_seeds_make_equal_values() {
    for (a, b) in samples(50).zip(samples(50)) {
        let shown = |random: &RandomExpr| format!("{:?}", eval(random.root()));
        assert_eq!(shown(&a), shown(&b));
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
    }
}
