//! Values that NumPy gives for the same data, and whether ours agree.

use std::error::Error;
use std::path::Path;

use chunkwise::ndarray::ArrayView1;
use chunkwise_examples::close;
use serde_json::Value;

/// Relative: a few hundred roundings of an f64.
const TOLERANCE: f64 = 1e-12;

/// The values of `data/expected.json`; comparing with one prints a row of a table.
#[derive(Debug)]
pub(crate) struct Expected {
    values: Value,
    disagreements: usize,
}

impl Expected {
    pub(crate) fn read(path: &Path) -> Result<Expected, Box<dyn Error>> {
        let values = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        println!("{:<40} {:>19} {:>19}", "", "chunkwise", "NumPy");
        Ok(Expected { values, disagreements: 0 })
    }

    pub(crate) fn number(&mut self, name: &str, got: f64) -> Result<(), Box<dyn Error>> {
        let want = self.values[name].as_f64().ok_or_else(|| format!("no number {name} is expected"))?;
        self.row(name, got, want);
        Ok(())
    }

    pub(crate) fn array(&mut self, name: &str, got: ArrayView1<'_, f64>) -> Result<(), Box<dyn Error>> {
        let want = self.values[name].as_array().ok_or_else(|| format!("no array {name} is expected"))?;
        let want: Vec<f64> = want.iter().filter_map(Value::as_f64).collect();
        if want.len() != got.len() {
            return Err(format!("{name} has {} elements, not {}", got.len(), want.len()).into());
        }
        for (i, (&got, want)) in got.iter().zip(want).enumerate() {
            self.row(&format!("{name} [{i}]"), got, want);
        }
        Ok(())
    }

    fn row(&mut self, name: &str, got: f64, want: f64) {
        let agrees = close(got, want, TOLERANCE);
        let verdict = if agrees { "" } else { "  differs" };
        println!("{name:<40} {got:>19.14} {want:>19.14}{verdict}");
        self.disagreements += usize::from(!agrees);
    }

    /// An error when some value did not agree.
    pub(crate) fn verdict(&self) -> Result<(), Box<dyn Error>> {
        match self.disagreements {
            0 => Ok(()),
            n => Err(format!("{n} values differ from NumPy's").into()),
        }
    }
}
