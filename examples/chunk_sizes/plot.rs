//! The plot: milliseconds over chunk sizes, the latter on a logarithmic axis.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::Point;

const SIZE: (u32, u32) = (860, 480);
const INK: RGBColor = RGBColor(60, 60, 67);
const PALE: RGBColor = RGBColor(228, 228, 231);
const LINE: RGBColor = RGBColor(30, 105, 170);
const FONT: &str = "sans-serif";

pub(crate) fn draw(path: &Path, points: &[Point]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = (FONT, 22).into_font().style(FontStyle::Bold).color(&INK);
    root.draw(&Text::new("mean(sqrt(x^2)) of ten million numbers", (20, 16), title))?;
    let small = (FONT, 14).into_font().color(&INK);
    root.draw(&Text::new("milliseconds, by elements in a chunk", (20, 44), small))?;
    let most = points.iter().map(|point| point.milliseconds).fold(1.0, f64::max) * 1.15;
    let mut chart = ChartBuilder::on(&root)
        .margin_top(76)
        .margin_right(40)
        .margin_bottom(16)
        .margin_left(16)
        .x_label_area_size(32)
        .y_label_area_size(48)
        .build_cartesian_2d((700.0..14e6).log_scale(), 0.0..most)?;
    chart
        .configure_mesh()
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .axis_style(INK.mix(0.4))
        .label_style((FONT, 13).into_font().color(&INK))
        .x_label_formatter(&|chunk| elements(*chunk))
        .y_label_formatter(&|ms| format!("{ms:.0}"))
        .draw()?;
    let curve = || points.iter().map(|point| (point.chunk as f64, point.milliseconds));
    chart.draw_series(LineSeries::new(curve(), LINE.stroke_width(3)))?;
    chart.draw_series(curve().map(|at| Circle::new(at, 4, LINE.filled())))?;
    root.present()?;
    Ok(())
}

/// As in `10k` and `5M`.
fn elements(chunk: f64) -> String {
    if chunk >= 1e6 { format!("{:.0}M", chunk / 1e6) } else { format!("{:.0}k", chunk / 1e3) }
}
