//! Where blocks come from and where they go.

use std::fmt;

use crate::{Chunk, ChunkGrid, DType, Packing, Region, Scalar, SourceError, TileMut, Window, Written};

/// What it costs to read a region a second time.
///
/// ```
/// use chunkwise_chunk::ReadCost;
/// assert!(ReadCost::Free < ReadCost::Decode);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ReadCost {
    /// A view of memory that is there anyway.
    Free,
    /// A few instructions an element: constants, ranges, random numbers.
    Generate,
    /// Reading and decoding: worth sharing between readers, and cheaper to do again than to write the block elsewhere
    /// and read it from there.
    Decode,
    /// User code, which may take any time: worth sharing, and worth keeping on disk where memory is short.
    Call,
}

/// What may be read at once.
///
/// ```
/// use chunkwise_chunk::ReadUnit;
/// assert_ne!(ReadUnit::Any, ReadUnit::Block);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadUnit {
    /// Any region.
    Any,
    /// Only whole blocks of the source's own grid.
    Block,
}

/// Something an array can be read from: memory, a file, a formula.
///
/// ```
/// use chunkwise_chunk::{Chunk, ChunkSource, DType, ReadCost, Region, Scalar, SourceError};
///
/// #[derive(Debug)]
/// struct Sevens;
/// impl ChunkSource for Sevens {
///     fn dtype(&self) -> DType { DType::I32 }
///     fn shape(&self) -> &[usize] { &[100] }
///     fn name(&self) -> String { "sevens".into() }
///     fn cost(&self) -> ReadCost { ReadCost::Generate }
///     fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
///         Ok(Chunk::filled(Scalar::I32(7), region.shape()))
///     }
/// }
/// assert_eq!(Sevens.read(&Region::new(&[3], &[2])).unwrap().len(), 2);
/// ```
pub trait ChunkSource: fmt::Debug + Send + Sync {
    /// Type of the elements.
    fn dtype(&self) -> DType;

    /// Shape of the array.
    fn shape(&self) -> &[usize];

    /// A short description for plans and errors, as in `"npy soi.npy"`. Never the data.
    fn name(&self) -> String;

    /// What a second read costs.
    fn cost(&self) -> ReadCost;

    /// What may be read at once.
    fn unit(&self) -> ReadUnit {
        ReadUnit::Any
    }

    /// The blocks in which the source is stored, when it has some.
    fn native_chunks(&self) -> Option<ChunkGrid> {
        None
    }

    /// Sources with equal keys hold equal values, and may be merged into one.
    fn key(&self) -> Option<String> {
        None
    }

    /// The one value that every element has, where that is known: it is then computed with as a constant and never
    /// read.
    fn constant(&self) -> Option<Scalar> {
        None
    }

    /// What the elements stand for, as the source says itself; `None` for sources that say nothing of it.
    ///
    /// # Errors
    /// When what it says cannot be understood.
    fn packing(&self) -> Result<Option<Packing>, SourceError> {
        Ok(None)
    }

    /// The elements in runs, for sources that compute each from its place alone: an expression then computes them
    /// tile by tile with everything else, and never holds a block of them.
    fn formula(&self) -> Option<&dyn Formula> {
        None
    }

    /// Bytes that a read of the region allocates beyond the block it returns, while it runs: what a task that reads
    /// is charged besides its result. An estimate, rather too high than too low; 0 unless the source says otherwise.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkSource, DType, ReadCost, Region, SourceError};
    ///
    /// /// Halves of a file: all of it is read, and one half is kept.
    /// #[derive(Debug)]
    /// struct Halves;
    /// impl ChunkSource for Halves {
    ///     fn dtype(&self) -> DType { DType::U8 }
    ///     fn shape(&self) -> &[usize] { &[100] }
    ///     fn name(&self) -> String { "halves".into() }
    ///     fn cost(&self) -> ReadCost { ReadCost::Decode }
    ///     fn scratch(&self, _: &Region) -> u64 { 100 }
    ///     fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
    ///         Ok(Chunk::zeros(DType::U8, &[100]).part(region).to_owned_copy())
    ///     }
    /// }
    /// assert_eq!(Halves.scratch(&Region::new(&[50], &[50])), 100);
    /// ```
    fn scratch(&self, region: &Region) -> u64 {
        let _ = region;
        0
    }

    /// Reads a region, which lies inside the array; of a [`ReadUnit::Block`] source always a whole block.
    ///
    /// # Errors
    /// When the bytes cannot be had or decoded.
    fn read(&self, region: &Region) -> Result<Chunk, SourceError>;
}

/// Elements that follow from their place in the array alone.
///
/// ```
/// use chunkwise_chunk::{Formula, Region, TileMut};
///
/// /// The index along the only axis.
/// struct Index;
/// impl Formula for Index {
///     fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
///         let TileMut::U64(out) = out else { panic!("indices are u64") };
///         out.iter_mut().zip(region.start()[0] + at..).for_each(|(x, i)| *x = i as u64);
///     }
/// }
/// let mut run = [0; 3];
/// Index.fill(&Region::new(&[100], &[50]), 7, TileMut::U64(&mut run));
/// assert_eq!(run, [107, 108, 109]);
/// ```
pub trait Formula: Send + Sync {
    /// Writes the elements of the region from number `at` on, counted in C order of the region, as many as `out`
    /// has. They lie in the region, `out` is of the source's type, and what it holds before is any value.
    ///
    /// # Panics
    /// When `out` is of another type.
    fn fill(&self, region: &Region, at: usize, out: TileMut<'_>);
}

/// Memory that a sink lends.
///
/// ```
/// use chunkwise_chunk::Lent;
/// assert_ne!(Lent::Fresh, Lent::Used);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lent {
    /// Never written: the system maps it when it is.
    Fresh,
    /// Written before.
    Used,
}

/// Writes the elements of a block into memory that is lent for it.
///
/// ```
/// use chunkwise_chunk::{Filler, Window, Written};
///
/// fn give_up<'w>(_: Window<'w>) -> Option<Written<'w>> {
///     None
/// }
/// let mut give_up = give_up;
/// let filler: &mut Filler<'_> = &mut give_up;
/// let mut memory = ndarray::Array1::<f64>::uninit(3).into_dyn();
/// assert!(filler(Window::F64(memory.view_mut())).is_none());
/// ```
pub type Filler<'f> = dyn for<'w> FnMut(Window<'w>) -> Option<Written<'w>> + 'f;

/// Something an array can be written to. Regions arrive in any order and in parallel; together they
/// cover the array, and no two overlap.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use chunkwise_chunk::{Chunk, ChunkSink, Region, Scalar, SourceError};
///
/// #[derive(Debug, Default)]
/// struct Count(AtomicUsize);
/// impl ChunkSink for Count {
///     fn write(&self, region: &Region, _: &Chunk) -> Result<(), SourceError> {
///         self.0.fetch_add(region.len(), Relaxed);
///         Ok(())
///     }
///     fn finish(&self) -> Result<(), SourceError> { Ok(()) }
/// }
/// let sink = Count::default();
/// sink.write(&Region::whole(&[4]), &Chunk::filled(Scalar::Bool(true), &[4])).unwrap();
/// assert_eq!(sink.0.into_inner(), 4);
/// ```
pub trait ChunkSink: fmt::Debug + Send + Sync {
    /// The grid whose blocks must each be written by one call; `None` when any regions will do.
    fn write_grid(&self) -> Option<ChunkGrid> {
        None
    }

    /// Bytes that a write of the region allocates while it runs: what a task that writes is charged besides the
    /// block it is given. An estimate, rather too high than too low; 0 unless the sink says otherwise.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, ChunkSink, Region, SourceError};
    ///
    /// /// A sink of bytes that puts each block in order before it writes it.
    /// #[derive(Debug)]
    /// struct InOrder;
    /// impl ChunkSink for InOrder {
    ///     fn scratch(&self, region: &Region) -> u64 { region.len() as u64 }
    ///     fn write(&self, _: &Region, chunk: &Chunk) -> Result<(), SourceError> {
    ///         drop(chunk.to_contiguous());
    ///         Ok(())
    ///     }
    ///     fn finish(&self) -> Result<(), SourceError> { Ok(()) }
    /// }
    /// assert_eq!(InOrder.scratch(&Region::whole(&[8, 8])), 64);
    /// ```
    fn scratch(&self, region: &Region) -> u64 {
        let _ = region;
        0
    }

    /// Writes a block.
    ///
    /// # Errors
    /// When the bytes cannot be encoded or written.
    fn write(&self, region: &Region, chunk: &Chunk) -> Result<(), SourceError>;

    /// Whether [`fill`](ChunkSink::fill) can be called, and what memory it lends.
    fn lends(&self) -> Option<Lent> {
        None
    }

    /// Lends the memory of a block to `fill`, which writes every element and gives it back. It is called at most
    /// once; where it gives `None` instead, the block stays to be written.
    ///
    /// # Errors
    /// When the region is no block that is still to be written, or the sink does not [lend](ChunkSink::lends).
    fn fill(&self, region: &Region, fill: &mut Filler<'_>) -> Result<(), SourceError> {
        let _ = (region, fill);
        Err(SourceError::message("this destination lends no memory; write to it"))
    }

    /// Called once after every block was written: makes the result visible as a whole.
    ///
    /// # Errors
    /// When the result cannot be completed.
    fn finish(&self) -> Result<(), SourceError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Plain;

    impl ChunkSource for Plain {
        fn dtype(&self) -> DType {
            DType::U8
        }

        fn shape(&self) -> &[usize] {
            &[usize::MAX]
        }

        fn name(&self) -> String {
            "plain".into()
        }

        fn cost(&self) -> ReadCost {
            ReadCost::Generate
        }

        fn read(&self, region: &Region) -> Result<Chunk, SourceError> {
            Ok(Chunk::zeros(DType::U8, region.shape()))
        }
    }

    impl ChunkSink for Plain {
        fn write(&self, _: &Region, _: &Chunk) -> Result<(), SourceError> {
            Ok(())
        }

        fn finish(&self) -> Result<(), SourceError> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_charged_beside_the_block_by_default() {
        let all = Region::whole(&[usize::MAX]);
        assert_eq!((ChunkSource::scratch(&Plain, &all), ChunkSink::scratch(&Plain, &all)), (0, 0));
    }
}
