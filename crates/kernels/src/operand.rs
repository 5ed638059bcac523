//! What a kernel reads: blocks in memory, and formulas, whose elements are made tile by tile.
//!
//! ```text
//! Chunk                 -> Layout      in place, or gathered
//! formula of a region   -> Formula     filled into a register, when the region is walked in its own order
//!                       -> Layout      else: written out first, once
//! ```

use std::fmt;
use std::sync::Arc;

use chunkwise_chunk::{Chunk, ChunkSource, DType, Formula, Region, dispatch};
use smallvec::SmallVec;

use crate::KernelError;
use crate::stop::{Stop, Watch};

/// What a program reads: a block, or the formula of one.
///
/// ```
/// use chunkwise_chunk::Chunk;
/// use chunkwise_kernels::Operand;
/// let block = Chunk::from_array(ndarray::arr1(&[1.0, 2.0]).into_dyn());
/// assert_eq!(format!("{:?}", Operand::from(block)), "Chunk<f64>[2]");
/// ```
#[derive(Clone)]
pub struct Operand(Kind);

#[derive(Clone)]
enum Kind {
    Chunk(Chunk),
    Formula(Arc<dyn ChunkSource>, Region),
}

impl Operand {
    /// The elements of a region of a source that computes them; `None` for other sources.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use chunkwise_chunk::{Chunk, ChunkSource, DType, Formula, ReadCost, Region, SourceError, TileMut};
    /// use chunkwise_expr::Program;
    /// use chunkwise_kernels::{Kernel, Operand};
    ///
    /// #[derive(Debug)]
    /// struct Index;
    /// impl Formula for Index {
    ///     fn fill(&self, region: &Region, at: usize, out: TileMut<'_>) {
    ///         let TileMut::U64(out) = out else { panic!("indices are u64") };
    ///         out.iter_mut().zip(region.start()[0] + at..).for_each(|(x, i)| *x = i as u64);
    ///     }
    /// }
    /// impl ChunkSource for Index {
    ///     # fn dtype(&self) -> DType { DType::U64 }
    ///     # fn shape(&self) -> &[usize] { &[100] }
    ///     # fn name(&self) -> String { "index".into() }
    ///     # fn cost(&self) -> ReadCost { ReadCost::Generate }
    ///     # fn read(&self, _: &Region) -> Result<Chunk, SourceError> { Err(SourceError::message("not read")) }
    ///     fn formula(&self) -> Option<&dyn Formula> { Some(self) }
    ///     // ..
    /// }
    /// let source: Arc<dyn ChunkSource> = Arc::new(Index);
    /// let operand = Operand::of_formula(&source, &Region::new(&[40], &[3])).unwrap();
    /// let block = Kernel::new(&Program::identity(DType::U64)).map(&[operand], &[3]).unwrap();
    /// assert_eq!(block.to_array::<u64>().unwrap(), ndarray::arr1(&[40, 41, 42]).into_dyn());
    /// ```
    pub fn of_formula(source: &Arc<dyn ChunkSource>, region: &Region) -> Option<Operand> {
        source.formula()?;
        Some(Operand(Kind::Formula(source.clone(), region.clone())))
    }

    /// The block, where the operand is one.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_kernels::Operand;
    /// assert!(Operand::from(Chunk::zeros(DType::I8, &[2])).into_chunk().is_some());
    /// ```
    pub fn into_chunk(self) -> Option<Chunk> {
        match self.0 {
            Kind::Chunk(chunk) => Some(chunk),
            Kind::Formula(..) => None,
        }
    }
}

impl From<Chunk> for Operand {
    fn from(chunk: Chunk) -> Operand {
        Operand(Kind::Chunk(chunk))
    }
}

impl fmt::Debug for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Chunk(chunk) => chunk.fmt(f),
            Kind::Formula(source, region) => write!(f, "{} at {region}", source.name()),
        }
    }
}

/// What kernels take: [`Chunk`]s, or [`Operand`]s where some are formulas.
pub trait AsOperand: sealed::Sealed {}

impl<O: sealed::Sealed> AsOperand for O {}

/// An operand by reference.
#[derive(Clone, Copy)]
#[allow(
    missing_debug_implementations,
    unreachable_pub,
    reason = "named by a trait that nobody else can name"
)]
pub enum OperandRef<'a> {
    Chunk(&'a Chunk),
    Formula(DType, &'a dyn Formula, &'a Region),
}

impl sealed::Sealed for Chunk {
    fn as_operand(&self) -> OperandRef<'_> {
        OperandRef::Chunk(self)
    }

    fn part_in(&self, place: &Region) -> Operand {
        self.part(&part_of(self.shape(), place)).into()
    }
}

impl sealed::Sealed for Operand {
    fn as_operand(&self) -> OperandRef<'_> {
        match &self.0 {
            Kind::Chunk(chunk) => OperandRef::Chunk(chunk),
            Kind::Formula(source, region) => {
                let formula = source.formula().expect("asked for when the operand was made");
                OperandRef::Formula(source.dtype(), formula, region)
            }
        }
    }

    fn part_in(&self, place: &Region) -> Operand {
        match &self.0 {
            Kind::Chunk(chunk) => chunk.part_in(place),
            Kind::Formula(source, region) => {
                let mut part = part_of(region.shape(), place);
                for axis in 0..part.ndim() {
                    let (start, len) = (part.start()[axis], part.shape()[axis]);
                    part.set_axis(axis, region.start()[axis] + start, len);
                }
                Operand(Kind::Formula(source.clone(), part))
            }
        }
    }
}

/// What a part of a space takes of an operand of this shape that is broadcast to it.
fn part_of(shape: &[usize], place: &Region) -> Region {
    let lead = place.ndim().checked_sub(shape.len()).expect("operands broadcast to the space");
    let mut part = Region::whole(shape);
    for axis in (0..shape.len()).filter(|&axis| shape[axis] != 1) {
        part.set_axis(axis, place.start()[lead + axis], place.shape()[lead + axis]);
    }
    part
}

pub(crate) mod sealed {
    use super::{Operand, OperandRef, Region};

    #[allow(unreachable_pub, reason = "a bound of a public trait, which nobody else can name")]
    pub trait Sealed {
        /// The operand by reference.
        fn as_operand(&self) -> OperandRef<'_>;

        /// The part of the operand that a part of the space it is broadcast to takes.
        fn part_in(&self, place: &Region) -> Operand;
    }
}

/// Operands for one walk over a block.
pub(crate) type Operands<'a> = SmallVec<[OperandRef<'a>; 4]>;

/// The operands, and the blocks of those formulas that the walk cannot take as they are.
pub(crate) struct Prepared<'a> {
    operands: Operands<'a>,
    /// For each operand its block, where it was written out.
    written: SmallVec<[Option<Chunk>; 4]>,
}

impl<'a> Prepared<'a> {
    /// Writes out formulas that are repeated, or are not walked in C order.
    pub(crate) fn new<O: AsOperand>(
        operands: &'a [O],
        shape: &[usize],
        order: &[usize],
        stop: Stop<'_>,
    ) -> Result<Prepared<'a>, KernelError> {
        let operands: Operands<'a> = operands.iter().map(sealed::Sealed::as_operand).collect();
        let in_order = in_order(order);
        let write = |operand: &OperandRef<'a>| match *operand {
            OperandRef::Formula(dtype, formula, region) if !in_order || region.shape() != shape => {
                written_out(dtype, formula, region, stop).map(Some)
            }
            _ => Ok(None),
        };
        let written = operands.iter().map(write).collect::<Result<_, _>>()?;
        Ok(Prepared { operands, written })
    }

    /// The operands as the walk takes them.
    pub(crate) fn operands(&self) -> Operands<'_> {
        let operands = self.operands.iter().zip(&self.written);
        operands.map(|(&operand, written)| written.as_ref().map_or(operand, OperandRef::Chunk)).collect()
    }
}

/// Whether axes are taken as they are.
pub(crate) fn in_order(order: &[usize]) -> bool {
    order.iter().enumerate().all(|(i, &axis)| i == axis)
}

/// The block of a formula, unless it is stopped.
fn written_out(
    dtype: DType,
    formula: &dyn Formula,
    region: &Region,
    stop: Stop<'_>,
) -> Result<Chunk, KernelError> {
    dispatch!(dtype, T => {
        let mut elements = vec![T::default(); region.len()];
        Watch::new(stop).runs(region.len(), |run| {
            let (at, run) = (run.start, &mut elements[run]);
            formula.fill(region, at, <T as chunkwise_chunk::Element>::tile_mut(run));
        })?;
        Ok(Chunk::from_elements(elements, region.shape()))
    })
}
