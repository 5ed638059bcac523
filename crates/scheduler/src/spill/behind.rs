//! Keeps written data from filling the page cache, which counts as memory of the control group.
//!
//! It owns the list of ranges that were written lately. A range is hinted twice: when it is written, so that the system
//! starts to write it out, and again when so much has followed that its pages are likely clean and can be dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::disk::SegmentFile;
use crate::sync::Mutex;

/// Shorter ranges are left to the system.
const LONG: u64 = 1 << 20;

/// Written bytes that may wait for their second hint.
const LAG: u64 = 64 << 20;

/// A range of a file that may be closed by now.
struct Range {
    file: Weak<dyn SegmentFile>,
    offset: u64,
    len: u64,
}

impl Range {
    fn uncache(&self) {
        if let Some(file) = self.file.upgrade() {
            file.uncache(self.offset, self.len);
        }
    }
}

#[derive(Default)]
struct Recent {
    ranges: VecDeque<Range>,
    bytes: u64,
}

impl Recent {
    /// The oldest range if too much has followed it.
    fn pop(&mut self) -> Option<Range> {
        if self.bytes <= LAG {
            return None;
        }
        let range = self.ranges.pop_front()?;
        self.bytes -= range.len;
        Some(range)
    }
}

/// The ranges written lately.
pub(super) struct WriteBehind(Mutex<Recent>);

impl WriteBehind {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Recent::default()))
    }

    /// The range has been written.
    pub(super) fn wrote(&self, file: &Arc<dyn SegmentFile>, offset: u64, len: u64) {
        if len < LONG {
            return;
        }
        let range = Range { file: Arc::downgrade(file), offset, len };
        range.uncache();
        let mut recent = self.0.lock();
        recent.bytes += len;
        recent.ranges.push_back(range);
        drop(recent);
        while let Some(range) = self.pop() {
            range.uncache();
        }
    }

    fn pop(&self) -> Option<Range> {
        self.0.lock().pop()
    }
}
