//! How long windows are, and where they lie.

/// How long windows are, which index their value has, and how many numbers they must have.
///
/// A number of elements is the [`valid`](MovingWindow::valid) part.
///
/// ```
/// use chunkwise_ops::rolling::MovingWindow;
/// assert_eq!(MovingWindow::from(5), MovingWindow::valid(5));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MovingWindow {
    len: usize,
    place: Place,
    min_count: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place {
    Valid,
    Trailing,
    Centred,
}

impl MovingWindow {
    /// Only windows that lie in the array: the result is shorter than that by `len - 1`, and the value of the elements
    /// `i .. i + len` has index `i`.
    pub fn valid(len: usize) -> MovingWindow {
        MovingWindow { len, place: Place::Valid, min_count: None }
    }

    /// For each element the window that ends with it. Those at the start of an axis have fewer elements.
    pub fn trailing(len: usize) -> MovingWindow {
        MovingWindow { len, place: Place::Trailing, min_count: None }
    }

    /// For each element `i` the window `i - len / 2 .. i - len / 2 + len`: with the element in the middle, or after it
    /// when there is none. Those at the ends of an axis have fewer elements.
    pub fn centred(len: usize) -> MovingWindow {
        MovingWindow { len, place: Place::Centred, min_count: None }
    }

    /// Leaves NaN out: the value is that of the other elements, and NaN when there are fewer than `count` of them.
    /// Without this, and with the length of the window, all elements must be there: one NaN makes the value NaN.
    #[must_use]
    pub fn min_count(self, count: usize) -> MovingWindow {
        MovingWindow { min_count: Some(count), ..self }
    }

    /// Whether windows have a value only where all of their elements are numbers.
    ///
    /// ```
    /// use chunkwise_ops::rolling::MovingWindow;
    /// assert!(MovingWindow::valid(3).is_strict() && !MovingWindow::valid(3).min_count(1).is_strict());
    /// ```
    pub fn is_strict(self) -> bool {
        self.required() == self.len()
    }

    pub(super) fn len(self) -> usize {
        self.len
    }

    pub(super) fn is_valid(self) -> bool {
        self.place == Place::Valid
    }

    pub(super) fn required(self) -> usize {
        self.min_count.unwrap_or(self.len)
    }

    /// The window on an axis of so many elements: what lies beyond both ends for every element is cut off, so that no
    /// work and no sum of lengths depends on it.
    pub(super) fn reach(self, len: usize) -> Reach {
        let (before, after) = match self.place {
            Place::Valid => return Reach { before: 0, window: self.len },
            Place::Trailing => (self.len - 1, 0),
            Place::Centred => (self.len / 2, self.len - 1 - self.len / 2),
        };
        let before = before.min(len);
        Reach { before, window: before + 1 + after.min(len) }
    }
}

impl From<usize> for MovingWindow {
    fn from(len: usize) -> MovingWindow {
        MovingWindow::valid(len)
    }
}

/// Elements of a window, and how many of them are before the one whose index its value has.
pub(super) struct Reach {
    pub(super) before: usize,
    pub(super) window: usize,
}
