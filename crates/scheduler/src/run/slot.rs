//! Where the value of a task waits for its users.
//!
//! It owns the rule "the last use takes the value, the others copy the handle". It does not synchronise.

/// A value and how many uses of it are still to come.
pub(crate) struct Slot<V> {
    uses: u32,
    value: Option<V>,
}

impl<V: Clone> Slot<V> {
    pub(crate) fn new(uses: u32) -> Self {
        Self { uses, value: None }
    }

    #[inline]
    pub(crate) fn fill(&mut self, value: V) {
        self.value = Some(value);
    }

    /// Whether anybody will use the value.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.uses > 0
    }

    /// One use: a copy of the handle, or the value itself when this is the last one.
    #[inline]
    pub(crate) fn consume(&mut self) -> V {
        self.uses -= 1;
        let value = if self.uses == 0 { self.value.take() } else { self.value.clone() };
        value.expect("a task runs after its inputs and each use is counted once")
    }

    /// Whether the value is gone.
    #[inline]
    pub(crate) fn is_used_up(&self) -> bool {
        self.uses == 0
    }

    /// What is left when nobody will use it any more.
    pub(crate) fn into_value(self) -> Option<V> {
        self.value
    }
}
