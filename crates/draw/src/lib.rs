//! Boxes with text and arrows between them, drawn in layers: what plans are shown as.
//!
//! ```text
//! diagram    what is drawn: boxes, and for each the boxes that it takes
//! layers     a layer for each box, below those of its inputs; bends where an arrow passes a layer
//! order      the order within each layer, with few crossings
//! place      coordinates: no two boxes overlap, arrows as straight as that allows
//! layout     the four steps together, and the way of each arrow
//! svg        the picture as text
//! ```
//!
//! The steps are those of Sugiyama, Tagawa and Toda (IEEE Transactions on Systems, Man, and Cybernetics 11, 1981). Nothing
//! here knows arrays. The same diagram gives the same text everywhere.
//!
//! ```
//! use chunkwise_draw::{Diagram, Look, svg};
//! let mut diagram = Diagram::new("a sum");
//! let x = diagram.add(Look::Source, ["x", "4 numbers"], &[]);
//! diagram.add(Look::Result, ["sum"], &[x]);
//! let picture = svg(&[diagram]);
//! assert!(picture.starts_with("<svg") && picture.contains(">4 numbers</text>"));
//! ```

#![forbid(unsafe_code)]

mod diagram;
mod layers;
mod layout;
mod order;
mod place;
mod svg;

pub use diagram::{BoxId, Diagram, Look, MOST_BENDS, MOST_BOXES};
pub use layout::{Layout, Rect};
pub use svg::svg;
