//! Stopping half way: who is asked whether a result is still wanted, and how often.
//!
//! ```text
//! Stop       the question, as the caller puts it
//! Stoppable  a kernel or a fold with the question
//! Watch      one evaluation: counts its work, and asks before the first and after every 32,768 units of it
//! ```
//!
//! A unit is a step of a program over one element, or one state that is merged or finished. It knows nothing of runs and
//! tasks, nor of what becomes of a result that is not finished.

use std::fmt;
use std::ops::Range;

use crate::KernelError;

/// Units of work between two questions. Some tiles of a cheap program: a question is a call, and shall be
/// rare beside the loops.
pub(crate) const ASK_EVERY: usize = 1 << 15;

/// Whether a result is still wanted: a question that long evaluations ask now and then.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use chunkwise_chunk::{Chunk, DType};
/// use chunkwise_expr::Program;
/// use chunkwise_kernels::{Kernel, KernelError, Stop};
///
/// let cancelled = AtomicBool::new(false);
/// let asked = || cancelled.load(Ordering::Relaxed);
/// let (copy, x) = (Kernel::new(&Program::identity(DType::F64)), [Chunk::zeros(DType::F64, &[4])]);
///
/// let copy = copy.stoppable(Stop::when(&asked));
/// assert_eq!(copy.map(&x, &[4]).unwrap().len(), 4);
/// cancelled.store(true, Ordering::Relaxed);
/// assert_eq!(copy.map(&x, &[4]).unwrap_err(), KernelError::Stopped);
/// ```
#[derive(Clone, Copy)]
pub struct Stop<'s>(Option<&'s dyn Fn() -> bool>);

impl<'s> Stop<'s> {
    /// The result is wanted to the end.
    ///
    /// ```
    /// use chunkwise_kernels::Stop;
    /// assert_eq!(format!("{:?}", Stop::never()), "Stop::never()");
    /// ```
    #[must_use]
    pub fn never() -> Stop<'s> {
        Stop(None)
    }

    /// The result is no longer wanted when the closure says true. It is asked on the thread that evaluates, often:
    /// the load of an atomic is what it should be.
    ///
    /// ```
    /// use chunkwise_kernels::Stop;
    /// assert_eq!(format!("{:?}", Stop::when(&|| true)), "Stop::when(..)");
    /// ```
    #[must_use]
    pub fn when(asked: &'s dyn Fn() -> bool) -> Stop<'s> {
        Stop(Some(asked))
    }
}

impl fmt::Debug for Stop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Stop::when(..)" } else { "Stop::never()" })
    }
}

/// A [`Kernel`](crate::Kernel) or a [`Fold`](crate::Fold) that gives up when its results are no longer wanted, with
/// [`KernelError::Stopped`].
///
/// It asks before the first element of a block and then once for some ten thousand of them, fewer where an element
/// takes long; at every tile where a closure of the user is called. What it computes is the same bits as without.
///
/// ```
/// use chunkwise_chunk::DType;
/// use chunkwise_expr::Program;
/// use chunkwise_kernels::{Kernel, Stop, Stoppable};
/// let copy = Kernel::new(&Program::identity(DType::F64));
/// let copy: Stoppable<'_, Kernel> = copy.stoppable(Stop::when(&|| false));
/// assert!(format!("{copy:?}").ends_with("stop: Stop::when(..) }"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stoppable<'s, K> {
    pub(crate) of: &'s K,
    pub(crate) stop: Stop<'s>,
}

/// Asks, for one evaluation.
pub(crate) struct Watch<'s> {
    stop: Stop<'s>,
    /// Units of work to the next question.
    left: usize,
}

impl<'s> Watch<'s> {
    /// One that asks before anything is done.
    pub(crate) fn new(stop: Stop<'s>) -> Watch<'s> {
        Watch { stop, left: 0 }
    }

    /// To be called before so much work; an error when its result is no longer wanted.
    #[inline]
    pub(crate) fn spend(&mut self, work: usize) -> Result<(), KernelError> {
        match self.left.checked_sub(work) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.ask(work),
        }
    }

    #[cold]
    fn ask(&mut self, work: usize) -> Result<(), KernelError> {
        self.left = ASK_EVERY.saturating_sub(work);
        match self.stop.0 {
            Some(asked) if asked() => Err(KernelError::Stopped),
            _ => Ok(()),
        }
    }

    /// Calls `each` with one run of `0..len` after the other, and asks before each.
    pub(crate) fn runs(&mut self, len: usize, mut each: impl FnMut(Range<usize>)) -> Result<(), KernelError> {
        for start in (0..len).step_by(ASK_EVERY) {
            let run = start..len.min(start + ASK_EVERY);
            self.spend(run.len())?;
            each(run);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn question_comes_before_the_first_unit_and_then_once_for_many() {
        let asks = Cell::new(0);
        let asked = || {
            asks.set(asks.get() + 1);
            false
        };
        let mut watch = Watch::new(Stop::when(&asked));
        watch.spend(1).unwrap();
        assert_eq!(asks.get(), 1);
        (1..ASK_EVERY).for_each(|_| watch.spend(1).unwrap());
        assert_eq!(asks.get(), 1);
        watch.spend(1).unwrap();
        assert_eq!(asks.get(), 2);
        // More than is ever left, and no work at all.
        (0..3).for_each(|_| watch.spend(usize::MAX).unwrap());
        watch.spend(0).unwrap();
        assert_eq!(asks.get(), 5);
    }

    #[test]
    fn runs_follow_each_other_until_the_answer_is_yes() {
        let asks = Cell::new(0);
        let asked = || asks.replace(asks.get() + 1) == 2;
        let mut watch = Watch::new(Stop::when(&asked));
        let mut seen = Vec::new();
        assert_eq!(watch.runs(usize::MAX, |run| seen.push(run)), Err(KernelError::Stopped));
        assert_eq!(seen, [0..ASK_EVERY, ASK_EVERY..2 * ASK_EVERY]);

        let mut seen = Vec::new();
        Watch::new(Stop::never()).runs(ASK_EVERY + 1, |run| seen.push(run)).unwrap();
        assert_eq!(seen, [0..ASK_EVERY, ASK_EVERY..ASK_EVERY + 1]);
    }
}
