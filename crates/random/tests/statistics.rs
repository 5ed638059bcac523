//! The statistical battery with a hundred thousand draws a test; the example `battery` runs it with ten million.

mod battery;

#[test]
fn every_distribution_is_what_it_says() {
    let report = battery::run(100_000);
    let failed: Vec<&String> = report.lines.iter().filter(|line| line.contains("FAILED")).collect();
    assert!(report.failures == 0, "{failed:#?}");
    assert!(report.lines.len() > 200);
}
