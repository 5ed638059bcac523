//! The runner must find what is wrong: a runner that lets a wrong answer pass is worse than none.

use chunkwise_testkit::conformance::{Report, Runner};

/// The report on one case of these fields.
fn run(fields: &str) -> Report {
    let runner = Runner::new().expect("a few threads can be started");
    runner.run_text(&format!(r#"[{{"id": "case", {fields}}}]"#)).expect("the case follows the format")
}

/// The report on a program over `[3, 1, 2]` of type f64.
fn run_on_floats(steps_and_rest: &str) -> Report {
    let input = r#""inputs": [{"dtype": "f64", "shape": [3], "data": [3, "-0.0", 2]}]"#;
    run(&format!("{input}, {steps_and_rest}"))
}

fn counts(report: &Report) -> String {
    report.to_string().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn right_answers_pass_in_every_configuration() {
    let report = run_on_floats(
        r#""steps": [{"op": "slice", "args": [0], "slices": [[null, null, -1]]}, {"op": "argmin", "args": [1]}],
           "outputs": [2, 1],
           "expect": [{"dtype": "index", "shape": [], "data": [1]},
                      {"dtype": "f64", "shape": [3], "data": [2, "-0.0", 3]}]"#,
    );
    assert_eq!(report.to_string(), "1 passed, 0 failed, 0 skipped");
}

#[test]
fn wrong_values_shapes_types_and_signs_of_zero_fail_everywhere() {
    for expect in [
        r#"{"dtype": "f64", "shape": [3], "data": [3, "-0.0", 4]}"#,
        r#"{"dtype": "f64", "shape": [3], "data": [3, 0.0, 2]}"#,
        r#"{"dtype": "f32", "shape": [3], "data": [3, "-0.0", 2]}"#,
        r#"{"dtype": "f64", "shape": [3, 1], "data": [3, "-0.0", 2]}"#,
        r#"{"dtype": "f64", "shape": [3], "data": [3, "NaN", 2]}"#,
    ] {
        let report = run_on_floats(&format!(r#""steps": [], "outputs": [0], "expect": [{expect}]"#));
        assert_eq!(counts(&report), "0 passed, 1 failed, 0 skipped");
        assert_eq!(report.failures().len(), 16, "four chunkings, two thread counts, optimiser on and off");
    }
}

#[test]
fn errors_must_come_and_must_not() {
    let bad_axis = r#""steps": [{"op": "sum", "args": [0], "axis": 1}], "outputs": [1]"#;
    assert!(run_on_floats(&format!(r#"{bad_axis}, "error": true"#)).is_ok());
    let report =
        run_on_floats(&format!(r#"{bad_axis}, "expect": [{{"dtype": "f64", "shape": [], "data": [5]}}]"#));
    assert!(report.failures()[0].to_string().contains("got error: sum: axis 1 is out of range"));
    let fine = run_on_floats(r#""steps": [], "outputs": [0], "error": true"#);
    assert!(fine.failures()[0].to_string().ends_with("want an error"));
}

#[test]
fn calls_that_types_rule_out_are_errors() {
    let report = run(r#""inputs": [{"dtype": "bool", "shape": [1], "data": [true]}],
        "steps": [{"op": "sub", "args": [0, 0]}], "outputs": [1], "error": true"#);
    assert!(report.is_ok());
}

#[test]
fn malformed_cases_fail() {
    for fields in [
        r#""steps": [{"op": "flip", "args": [7], "axis": 0}], "outputs": [1], "error": true"#,
        r#""steps": [{"op": "slice", "args": [0]}], "outputs": [1], "error": true"#,
        r#""steps": [], "outputs": [0], "expect": []"#,
    ] {
        let report = run_on_floats(fields);
        assert!(report.failures()[0].to_string().contains("malformed"), "{report}");
    }
}

#[test]
fn lacking_operations_are_counted_by_name() {
    let report = run_on_floats(r#""steps": [{"op": "fft", "args": [0]}], "outputs": [1], "error": true"#);
    assert_eq!(report.to_string(), "unsupported: fft (1 case)\n0 passed, 0 failed, 1 skipped");
}

#[test]
fn numpys_types_are_followed_where_the_api_is_stricter() {
    let input = r#""inputs": [{"dtype": "u8", "shape": [2], "data": [1, 2]}]"#;
    for (op, args, dtype, data) in [
        ("div", "[0, 0]", "f64", "[1, 1]"),
        ("neg", "[0]", "u8", "[255, 254]"),
        ("floor", "[0]", "u8", "[1, 2]"),
        ("not_", "[0]", "bool", "[false, false]"),
        ("and_", "[0, 0]", "bool", "[true, true]"),
        ("ptp", "[0]", "u8", "1"),
    ] {
        let (data, shape) =
            if data.starts_with('[') { (data.to_owned(), "[2]") } else { (format!("[{data}]"), "[]") };
        let report = run(&format!(
            r#"{input}, "steps": [{{"op": "{op}", "args": {args}}}], "outputs": [1],
               "expect": [{{"dtype": "{dtype}", "shape": {shape}, "data": {data}}}]"#
        ));
        assert!(report.is_ok(), "{op}: {report}");
    }
}

#[test]
fn roll_and_diff_are_made_of_slices() {
    let report = run_on_floats(
        r#""steps": [{"op": "roll", "args": [0], "shift": -4, "axis": 0}, {"op": "diff", "args": [0], "n": 2}],
           "outputs": [1, 2],
           "expect": [{"dtype": "f64", "shape": [3], "data": ["-0.0", 2, 3]},
                      {"dtype": "f64", "shape": [1], "data": [5]}]"#,
    );
    assert!(report.is_ok(), "{report}");
}
