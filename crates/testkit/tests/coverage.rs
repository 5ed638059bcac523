//! That nothing is without a reference: lists the public operations from the sources and looks for each.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chunkwise_testkit::{method_names, reference_names};

/// Methods that compute nothing of their own: they say what an array is, run it, read it or write it.
const NOT_OPERATIONS: &[&str] = &[
    "attribute",
    "attributes",
    "check",
    "chunks",
    "compute",
    "compute_into",
    "compute_option",
    "dtype",
    "explain",
    "expr",
    "from_expr",
    "into_dimensionality",
    "into_dyn",
    "is_empty",
    "len",
    "len_of",
    "nbytes",
    "ndim",
    "open",
    "open_npy",
    "open_zarr",
    "packing",
    "persist",
    "plan",
    "plan_persist",
    "plan_store_npy",
    "plan_store_zarr_with",
    "shape",
    "store_npy",
    "store_zarr",
    "store_zarr_with",
    "stored",
    "submit",
    "to_dot",
    "visualize",
];

/// Methods that make one node each of the kinds that random expressions are made of.
const ONE_NODE: &[&str] = &[
    "broadcast",
    "cast",
    "concatenate",
    "flip",
    "from_ndarray",
    "full",
    "index_axis",
    "insert_axis",
    "mapv",
    "permuted_axes",
    "rechunk",
    "remove_axis",
    "reshape",
    "reshape_dyn",
    "slice",
    "slice_dyn",
    "squeeze",
    "stack",
    "t",
    "where_",
    "zip_mapv",
];

/// Methods whose values `lazy/tests/results.rs`, `bars.rs`, `missing.rs` and their examples check.
const TESTED_THERE: &[&str] = &[
    "arange",
    "clamp",
    "clip",
    "decoded",
    "eye",
    "eye_offset",
    "from_blocks",
    "from_fn",
    "is_all_infinite",
    "is_all_nan",
    "is_any_infinite",
    "is_any_nan",
    "linspace",
    "log",
    "ones",
    "pow2",
    "powf",
    "powi",
    "sin_cos",
    "try_from_blocks",
    "zeros",
];

fn sources(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("the sources can be listed").path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.sort();
    found
}

/// The identifiers that follow `before` in the sources of a folder.
fn named(folder: &str, before: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in sources(folder) {
        let text = fs::read_to_string(path).expect("a source is text");
        for line in text.lines().map(str::trim_start) {
            let Some(rest) = line.strip_prefix(before) else { continue };
            names.insert(rest.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect::<String>());
        }
    }
    names.remove("");
    names
}

#[test]
fn every_rule_has_a_reference() {
    let known: BTreeSet<String> = reference_names().into_iter().map(str::to_owned).collect();
    let rules = named("../ops/src", "impl BlockRule for ");
    let missing: Vec<&String> = rules.difference(&known).collect();
    assert!(missing.is_empty(), "rules without a reference in testkit/src/eager/rules: {missing:?}");
}

#[test]
fn every_public_method_is_used_somewhere() {
    let lists = [NOT_OPERATIONS, ONE_NODE, TESTED_THERE].concat();
    let known: BTreeSet<&str> = lists.into_iter().chain(method_names()).collect();
    let methods = named("../lazy/src/array", "pub fn ");
    let missing: Vec<&String> = methods.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "methods without a row in testkit/src/methods: {missing:?}");
}
