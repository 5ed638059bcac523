//! Arrays larger than memory for programs that take one block after the other.
//!
//! The run goes on in the background, and each block waits for the program in one of its tasks (`lower::deliver`). It
//! computes ahead as far as its budget lets it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::mpsc::{Receiver, sync_channel};

use chunkwise_chunk::{Chunk, ChunkGrid, Element};
use ndarray::{Array, Dimension};

use super::{Runtime, typed};
use crate::lower::Target;
use crate::{BlockInfo, Error, LazyArray, Result, RunHandle};

/// The computed blocks of an array in C order of its grid, each with its place in the array. Made by
/// [`LazyArray::blocks_iter`].
///
/// Dropping it cancels what is not computed yet. After an error there are no more blocks.
///
/// ```
/// use chunkwise::prelude::*;
/// let x = LazyArray::arange(0, 5, 1, 2);
/// let starts: Vec<usize> = x.blocks_iter()?.map(|block| block.map(|(at, _)| at.start[0])).collect::<Result<_, _>>()?;
/// assert_eq!(starts, [0, 2, 4]);
/// # Ok::<(), chunkwise::Error>(())
/// ```
#[must_use = "the blocks are computed for nobody"]
pub struct BlocksIter<T, D> {
    grid: ChunkGrid,
    next: usize,
    /// Dropped before the run: the task that waits for its block to be taken then ends.
    blocks: Receiver<Chunk>,
    run: Option<RunHandle<()>>,
    /// What went wrong after the last block.
    failed: Option<Error>,
    typed: PhantomData<fn() -> (T, D)>,
}

impl<T: Element, D: Dimension> Iterator for BlocksIter<T, D> {
    type Item = Result<(BlockInfo, Array<T, D>)>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.blocks.recv() {
            Ok(block) => {
                let index = self.grid.block(self.next);
                let region = self.grid.region(&index);
                self.next += 1;
                if self.next == self.grid.num_blocks() {
                    // It has nothing left to do, and gives its memory back before the program goes on.
                    self.failed = self.run.take().and_then(|run| run.wait().err());
                }
                let info = BlockInfo {
                    start: region.start().into(),
                    shape: region.shape().into(),
                    index: index.to_vec(),
                    blocks: self.grid.block_counts().to_vec(),
                };
                Some(Ok((info, typed(block))))
            }
            // The run has ended, with the last block or an error.
            Err(_) => match self.run.take() {
                Some(run) => run.wait().err().map(Err),
                None => self.failed.take().map(Err),
            },
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // One more for an error.
        (0, Some(self.grid.num_blocks().saturating_sub(self.next).saturating_add(1)))
    }
}

impl<T: Element, D: Dimension> std::iter::FusedIterator for BlocksIter<T, D> {}

impl<T, D> fmt::Debug for BlocksIter<T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (taken, of) = (self.next, self.grid.num_blocks());
        f.debug_struct("BlocksIter").field("taken", &taken).field("of", &of).finish_non_exhaustive()
    }
}

impl Runtime {
    /// The computed blocks of an array, one after the other; see [`LazyArray::blocks_iter`].
    ///
    /// # Errors
    /// When the system refuses a thread. Everything else is an error of the iterator's.
    ///
    /// ```
    /// use chunkwise::prelude::*;
    /// let rt = Runtime::builder().threads(2).memory_limit("1 MiB").build()?;
    /// let x = LazyArray::<f64, _>::ones(1 << 20, 1 << 13); // 8 MiB
    /// let mut sum = 0.0;
    /// for block in rt.blocks_iter(&x)? {
    ///     let (_, block) = block?;
    ///     sum += block.sum();
    /// }
    /// assert_eq!(sum, f64::from(1 << 20));
    /// # Ok::<(), chunkwise::Error>(())
    /// ```
    pub fn blocks_iter<T: Element, D: Dimension>(&self, array: &LazyArray<T, D>) -> Result<BlocksIter<T, D>> {
        let (taker, blocks) = sync_channel(0);
        let expr = array.expr().clone();
        let mut runtime = self.clone();
        runtime.terms.stream = true;
        let run = runtime.submit_with(move |runtime| {
            let graph = runtime.optimized(&[expr])?.graph;
            runtime.execute(&graph, &[Target::Stream(taker)], 0)?;
            Ok(())
        })?;
        Ok(BlocksIter {
            grid: array.chunks(),
            next: 0,
            blocks,
            run: Some(run),
            failed: None,
            typed: PhantomData,
        })
    }
}
