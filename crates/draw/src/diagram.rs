//! What is drawn.

/// Boxes above which a diagram is not laid out: nobody could read it.
pub const MOST_BOXES: usize = 600;

/// Bends of all arrows, one for each layer that an arrow passes, above which a diagram is not laid out.
pub const MOST_BENDS: usize = 20_000;

/// What a box is, which gives it its colour.
///
/// ```
/// assert_ne!(chunkwise_draw::Look::Source, chunkwise_draw::Look::Result);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Look {
    /// Something that is there.
    Source,
    /// Something that is made on the way.
    Step,
    /// Something that is asked for.
    Result,
}

/// A box of a diagram.
///
/// ```
/// use chunkwise_draw::{Diagram, Look};
/// let mut diagram = Diagram::new("");
/// let (a, b) = (diagram.add(Look::Source, ["a"], &[]), diagram.add(Look::Source, ["b"], &[]));
/// assert_ne!(a, b);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoxId(pub(crate) usize);

/// Boxes, each with lines of text and the boxes that it takes. There are no cycles: a box takes boxes that were added
/// before.
///
/// ```
/// use chunkwise_draw::{Diagram, Look};
/// let mut diagram = Diagram::new("twice");
/// let x = diagram.add(Look::Source, ["x"], &[]);
/// diagram.add(Look::Result, ["x + x"], &[x, x]);
/// assert_eq!((diagram.len(), diagram.arrows()), (2, 2));
/// ```
#[derive(Clone, Debug)]
pub struct Diagram {
    pub(crate) title: String,
    pub(crate) boxes: Vec<TextBox>,
}

#[derive(Clone, Debug)]
pub(crate) struct TextBox {
    pub(crate) look: Look,
    pub(crate) lines: Vec<String>,
    pub(crate) inputs: Vec<usize>,
}

impl Diagram {
    /// A diagram without boxes.
    ///
    /// ```
    /// assert!(chunkwise_draw::Diagram::new("empty").is_empty());
    /// ```
    pub fn new(title: impl Into<String>) -> Diagram {
        Diagram { title: title.into(), boxes: Vec::new() }
    }

    /// Adds a box with these lines of text, and an arrow from each of `inputs` to it. Boxes that this diagram does not
    /// have are left out of them.
    ///
    /// ```
    /// use chunkwise_draw::{Diagram, Look};
    /// let mut diagram = Diagram::new("");
    /// let x = diagram.add(Look::Source, ["x"], &[]);
    /// assert_eq!(Diagram::new("").add(Look::Step, ["y"], &[x]), x); // the first of another one, without arrows
    /// ```
    pub fn add<S: Into<String>>(
        &mut self,
        look: Look,
        lines: impl IntoIterator<Item = S>,
        inputs: &[BoxId],
    ) -> BoxId {
        let id = self.boxes.len();
        let inputs = inputs.iter().map(|input| input.0).filter(|&input| input < id).collect();
        self.boxes.push(TextBox { look, lines: lines.into_iter().map(Into::into).collect(), inputs });
        BoxId(id)
    }

    /// Number of boxes.
    pub fn len(&self) -> usize {
        self.boxes.len()
    }

    /// Whether there are no boxes.
    pub fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// Number of arrows.
    pub fn arrows(&self) -> usize {
        self.boxes.iter().map(|from| from.inputs.len()).sum()
    }
}
