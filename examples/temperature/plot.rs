//! The plot: both scenarios by year, thin, with their moving averages.

use std::error::Error;
use std::path::Path;

use chunkwise::ndarray::Array1;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::{ATTRIBUTION, FIRST_YEAR, Summary, THRESHOLD, WINDOW};

const SIZE: (u32, u32) = (960, 560);
const YEARS: std::ops::Range<f64> = 1860.0..2108.0;
const KELVIN: std::ops::Range<f64> = 284.0..291.0;
const INK: RGBColor = RGBColor(60, 60, 67);
const PALE: RGBColor = RGBColor(228, 228, 231);
const WARM: RGBColor = RGBColor(200, 60, 40);
const COOL: RGBColor = RGBColor(30, 105, 170);
const FONT: &str = "sans-serif";

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), Box<dyn Error>>;

pub(crate) fn draw(path: &Path, a1b: &Summary, e1: &Summary) -> Drawn {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    write_around(&root)?;
    let mut chart = ChartBuilder::on(&root)
        .margin_top(74)
        .margin_right(24)
        .margin_bottom(36)
        .margin_left(20)
        .x_label_area_size(28)
        .y_label_area_size(44)
        .build_cartesian_2d(YEARS, KELVIN)?;
    axes(&mut chart)?;
    threshold(&mut chart, &[(a1b, WARM), (e1, COOL)])?;
    scenario(&mut chart, a1b, WARM, "A1B")?;
    scenario(&mut chart, e1, COOL, "E1")?;
    root.present()?;
    Ok(())
}

fn write_around(root: &Area<'_>) -> Drawn {
    let title = (FONT, 22).into_font().style(FontStyle::Bold).color(&INK);
    root.draw(&Text::new("Mean air temperature of North America", (20, 18), title))?;
    let small = (FONT, 14).into_font().color(&INK);
    let legend = format!("Kelvin, by year under two emission scenarios, with {WINDOW}-year moving averages");
    root.draw(&Text::new(legend, (20, 46), small))?;
    let smallest = (FONT, 10).into_font().color(&INK.mix(0.7));
    root.draw(&Text::new(ATTRIBUTION, (20, SIZE.1 as i32 - 22), smallest))?;
    Ok(())
}

fn axes(chart: &mut Chart<'_, '_>) -> Drawn {
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .axis_style(INK.mix(0.4))
        .label_style((FONT, 13).into_font().color(&INK))
        .x_labels(13)
        .x_label_formatter(&|year| format!("{year:.0}"))
        .y_labels(8)
        .y_label_formatter(&|kelvin| format!("{kelvin:.0}"))
        .draw()?;
    Ok(())
}

/// The threshold as a dashed line, and a dot with the year where a moving average first passes it.
fn threshold(chart: &mut Chart<'_, '_>, scenarios: &[(&Summary, RGBColor)]) -> Drawn {
    let ends = [(YEARS.start, THRESHOLD), (YEARS.end, THRESHOLD)];
    chart.draw_series(DashedLineSeries::new(ends, 5, 4, INK.mix(0.6).stroke_width(1)))?;
    let text = (FONT, 13).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Bottom));
    chart.draw_series([Text::new(format!("{THRESHOLD} K"), (YEARS.start + 3.0, THRESHOLD + 0.08), text)])?;
    for (summary, color) in scenarios {
        let Some(year) = summary.passes else { continue };
        let at = (year as f64, summary.smooth[year - FIRST_YEAR - (WINDOW - 1)]);
        chart.draw_series([Circle::new(at, 5, color.filled())])?;
        let above = *color == WARM;
        let pos = if above { Pos::new(HPos::Right, VPos::Bottom) } else { Pos::new(HPos::Left, VPos::Top) };
        let place = if above { (at.0 - 3.0, at.1 + 0.1) } else { (at.0 + 2.0, at.1 - 0.25) };
        let text = (FONT, 14).into_font().style(FontStyle::Bold).color(color).pos(pos);
        chart.draw_series([Text::new(year.to_string(), place, text)])?;
    }
    Ok(())
}

fn scenario(chart: &mut Chart<'_, '_>, summary: &Summary, color: RGBColor, name: &str) -> Drawn {
    chart.draw_series(LineSeries::new(by_year(&summary.yearly, 0), color.mix(0.3)))?;
    chart.draw_series(LineSeries::new(by_year(&summary.smooth, WINDOW - 1), color.stroke_width(3)))?;
    let Some((year, kelvin)) = by_year(&summary.smooth, WINDOW - 1).last() else { return Ok(()) };
    let text = (FONT, 15).into_font().style(FontStyle::Bold).color(&color);
    let text = text.pos(Pos::new(HPos::Left, VPos::Center));
    chart.draw_series([Text::new(name.to_owned(), (year + 1.5, kelvin), text)])?;
    Ok(())
}

fn by_year(values: &Array1<f64>, skipped: usize) -> impl Iterator<Item = (f64, f64)> + '_ {
    values.iter().enumerate().map(move |(i, &kelvin)| ((FIRST_YEAR + skipped + i) as f64, kelvin))
}
