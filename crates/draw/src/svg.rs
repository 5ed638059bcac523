//! A picture as text.

use std::fmt::Write as _;

use crate::diagram::TextBox;
use crate::layout::{FONT, LINE, PAD, cut};
use crate::{Diagram, Layout, Look, Rect};

/// Room around everything, and between diagrams.
const MARGIN: f64 = 24.0;
/// Height of a title.
const TITLE: f64 = 28.0;
/// A width up to which diagrams are put side by side.
const WIDE: f64 = 1800.0;

/// Diagrams as one picture: side by side where that is not too wide, else one below the other. One with too many boxes or
/// arrows to be laid out (see [`Layout::of`]) is a single box that says so.
///
/// ```
/// use chunkwise_draw::{Diagram, Look, svg};
/// let mut diagram = Diagram::new("a < b");
/// diagram.add(Look::Source, ["\"a\" & b"], &[]);
/// let picture = svg(&[diagram]);
/// assert!(picture.contains("a &lt; b") && picture.contains("&quot;a&quot; &amp; b"));
/// ```
pub fn svg(diagrams: &[Diagram]) -> String {
    let drawn: Vec<(std::borrow::Cow<'_, Diagram>, Layout)> = diagrams.iter().map(laid_out).collect();
    let widths = drawn.iter().map(|(diagram, layout)| width(diagram, layout));
    let beside = widths.clone().sum::<f64>() <= WIDE;
    let (mut x, mut y) = (MARGIN, MARGIN);
    let (mut right, mut bottom) = (0.0_f64, 0.0_f64);
    let mut body = String::new();
    for ((diagram, layout), width) in drawn.iter().zip(widths) {
        draw(&mut body, diagram, layout, (x, y));
        let height = TITLE + layout.size().1;
        (right, bottom) = (right.max(x + width), bottom.max(y + height));
        match beside {
            true => x += width + 2.0 * MARGIN,
            false => y += height + 2.0 * MARGIN,
        }
    }
    let (width, height) = ((right + MARGIN).ceil(), (bottom + MARGIN).ceil());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"{FONT}\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn laid_out(diagram: &Diagram) -> (std::borrow::Cow<'_, Diagram>, Layout) {
    if let Some(layout) = Layout::of(diagram) {
        return (std::borrow::Cow::Borrowed(diagram), layout);
    }
    let mut summary = Diagram::new(diagram.title.clone());
    let boxes = format!("{} boxes, {} arrows", diagram.len(), diagram.arrows());
    summary.add(Look::Step, [boxes.as_str(), "too many to be drawn"], &[]);
    let layout = Layout::of(&summary).expect("a diagram of one box is laid out");
    (std::borrow::Cow::Owned(summary), layout)
}

fn width(diagram: &Diagram, layout: &Layout) -> f64 {
    let title = diagram.title.chars().count() as f64 * FONT * 0.8;
    layout.size().0.max(title)
}

fn draw(out: &mut String, diagram: &Diagram, layout: &Layout, (x, y): (f64, f64)) {
    let _ = writeln!(out, "<g transform=\"translate({x:.0} {y:.0})\">");
    let _ = writeln!(
        out,
        "<text y=\"{FONT}\" font-size=\"15\" font-weight=\"bold\">{}</text>",
        escaped(&diagram.title)
    );
    let _ = writeln!(out, "<g transform=\"translate(0 {TITLE})\">");
    for way in layout.arrows() {
        let _ = writeln!(
            out,
            "<path d=\"{}\" fill=\"none\" stroke=\"#555\" marker-end=\"url(#tip)\"/>",
            path(way)
        );
    }
    for (text, rect) in diagram.boxes.iter().zip(layout.rects()) {
        draw_box(out, text, rect);
    }
    out.push_str("</g>\n</g>\n");
}

fn draw_box(out: &mut String, text: &TextBox, rect: &Rect) {
    let fill = match text.look {
        Look::Source => "#e3eefb",
        Look::Step => "#f7f7f7",
        Look::Result => "#e2f3e0",
    };
    let Rect { x, y, width, height } = rect;
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"4\" fill=\"{fill}\" \
         stroke=\"#555\"/>"
    );
    for (number, line) in text.lines.iter().enumerate() {
        let (x, y) = (x + PAD, y + PAD + number as f64 * LINE + FONT);
        let weight = if number == 0 { " font-weight=\"bold\"" } else { "" };
        let line = escaped(&cut(line));
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\"{weight}>{line}</text>");
    }
}

/// Straight down along boxes, curved between layers.
fn path(way: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (number, &(x, y)) in way.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| way[before]);
        let _ = match before {
            None => write!(path, "M{x:.1} {y:.1}"),
            Some((at, _)) if (at - x).abs() < 0.05 => write!(path, "V{y:.1}"),
            Some((at, top)) => {
                let middle = (top + y) / 2.0;
                write!(path, "C{at:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}")
            }
        };
    }
    path
}

/// Text of XML; characters that it cannot have are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push(' '),
            c if (c as u32) < 0x20 || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
