//! Truth for tests: a slow eager evaluator, random expressions, the conformance runner.
