//! How a user says what blocks an array shall have.

use std::ops::RangeFull;

use crate::{AxisChunks, ChunkError, ChunkGrid};

/// Bytes of a block when nothing else is said: large enough that a task costs far more than scheduling
/// it, small enough that a block and its result stay in the second-level cache of current processors.
const AUTO_BYTES: usize = 2 << 20;

/// How to cut an array into blocks.
///
/// | written | meaning |
/// |---|---|
/// | `1000` | blocks of 1000 along every axis |
/// | `(1000, 500)` or `[1000, 500]` | block length per axis |
/// | `(1000, ..)` | `..` is the whole axis |
/// | `(vec![3, 4, 3], 500)` | explicit lengths on one axis |
/// | `vec![vec![3, 4, 3], vec![500]]` | explicit lengths on all axes |
/// | `..` | one block |
/// | `"auto"`, `Chunks::Auto` | blocks of about 2 MiB |
/// | `"64 MiB"`, `Chunks::Bytes(n)` | blocks of about that many bytes |
///
/// ```
/// use chunkwise_chunk::Chunks;
/// let grid = Chunks::from((4, ..)).grid(&[10, 6], 8).unwrap();
/// assert_eq!(grid.to_string(), "(4, 6)");
/// let grid = Chunks::from("1 KiB").grid(&[1000], 8).unwrap();
/// assert_eq!(grid.to_string(), "(128,)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunks {
    /// The same for every axis.
    Every(AxisSpec),
    /// One entry per axis.
    Each(Vec<AxisSpec>),
    /// Blocks of a size the library thinks good.
    Auto,
    /// Blocks of about this many bytes, as near to cubes as the shape allows.
    Bytes(usize),
    /// A grid made before; its shape must be the array's.
    Grid(ChunkGrid),
    /// A text that is not a size; an error when used.
    Unreadable(String),
}

/// How to cut one axis.
///
/// ```
/// use chunkwise_chunk::AxisSpec;
/// assert_eq!(AxisSpec::from(..), AxisSpec::Whole);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AxisSpec {
    /// Blocks of this length, the last one shorter.
    Size(usize),
    /// Blocks of these lengths.
    Sizes(Vec<usize>),
    /// One block.
    Whole,
}

impl AxisSpec {
    fn cut(&self, len: usize) -> Result<AxisChunks, ChunkError> {
        match self {
            AxisSpec::Size(0) => Err(ChunkError::ZeroChunk),
            AxisSpec::Size(size) => Ok(AxisChunks::regular(len, *size)),
            AxisSpec::Sizes(sizes) => AxisChunks::explicit(len, sizes),
            AxisSpec::Whole => Ok(AxisChunks::whole(len)),
        }
    }
}

impl Chunks {
    /// The grid this means for an array of `shape` with elements of `itemsize` bytes.
    ///
    /// # Errors
    /// When the specification does not fit the shape.
    pub fn grid(&self, shape: &[usize], itemsize: usize) -> Result<ChunkGrid, ChunkError> {
        match self {
            Chunks::Every(spec) => Ok(ChunkGrid::new(cut_all(shape, std::iter::repeat(spec))?)),
            Chunks::Each(specs) if specs.len() == shape.len() => {
                Ok(ChunkGrid::new(cut_all(shape, specs.iter())?))
            }
            Chunks::Each(specs) => {
                Err(ChunkError::ChunkRank { given: specs.len(), ndim: shape.len(), shape: shape.to_vec() })
            }
            Chunks::Auto => Ok(near_cubes(shape, AUTO_BYTES / itemsize)),
            Chunks::Bytes(bytes) => Ok(near_cubes(shape, bytes / itemsize)),
            Chunks::Grid(grid) if grid.shape() == shape => Ok(grid.clone()),
            Chunks::Grid(grid) => {
                Err(ChunkError::Broadcast { left: grid.shape().into(), right: shape.into() })
            }
            Chunks::Unreadable(text) => Err(ChunkError::ChunkText(text.clone())),
        }
    }
}

fn cut_all<'a>(
    shape: &[usize],
    specs: impl Iterator<Item = &'a AxisSpec>,
) -> Result<Vec<AxisChunks>, ChunkError> {
    shape.iter().zip(specs).map(|(&len, spec)| spec.cut(len)).collect()
}

/// Blocks of at most `elements` elements with sides as equal as the shape allows: short axes are taken
/// whole, and what they leave is shared among the others.
fn near_cubes(shape: &[usize], elements: usize) -> ChunkGrid {
    let mut order: Vec<usize> = (0..shape.len()).collect();
    order.sort_by_key(|&axis| shape[axis]);
    let mut chunk = vec![1; shape.len()];
    let mut left = elements.max(1) as f64;
    for (done, &axis) in order.iter().enumerate() {
        chunk[axis] = shape[axis].min(root(left, (shape.len() - done) as i32)).max(1);
        left /= chunk[axis] as f64;
    }
    ChunkGrid::regular(shape, &chunk)
}

/// The largest whole number whose `n`-th power is at most `x`.
fn root(x: f64, n: i32) -> usize {
    let side = x.powf(1.0 / f64::from(n)).floor();
    let larger = side + 1.0; // the power may have been rounded down
    if larger.powi(n) <= x { larger as usize } else { side as usize }
}

/// Reads a size in bytes: decimal and binary prefixes, an optional `B`; `None` for anything else and for 0.
///
/// ```
/// use chunkwise_chunk::parse_bytes;
/// assert_eq!(parse_bytes("64 MiB"), Some(64 << 20));
/// assert_eq!(parse_bytes("1.5 GB"), Some(1_500_000_000));
/// assert_eq!(parse_bytes("much"), None);
/// ```
pub fn parse_bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim().to_ascii_lowercase().trim_end_matches('b') {
        "" => 1u64,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * scale as f64;
    (bytes >= 1.0 && bytes < usize::MAX as f64).then_some(bytes as usize)
}

impl std::str::FromStr for Chunks {
    type Err = ChunkError;

    /// Reads `"auto"` or a size in bytes.
    fn from_str(text: &str) -> Result<Chunks, ChunkError> {
        if text.trim().eq_ignore_ascii_case("auto") {
            return Ok(Chunks::Auto);
        }
        parse_bytes(text).map(Chunks::Bytes).ok_or_else(|| ChunkError::ChunkText(text.to_owned()))
    }
}

impl From<&str> for Chunks {
    /// A text that cannot be read is kept and becomes an error when the grid is asked for.
    fn from(text: &str) -> Chunks {
        text.parse().unwrap_or_else(|_| Chunks::Unreadable(text.to_owned()))
    }
}

impl From<usize> for AxisSpec {
    fn from(size: usize) -> AxisSpec {
        AxisSpec::Size(size)
    }
}

impl From<RangeFull> for AxisSpec {
    fn from(_: RangeFull) -> AxisSpec {
        AxisSpec::Whole
    }
}

impl From<Vec<usize>> for AxisSpec {
    fn from(sizes: Vec<usize>) -> AxisSpec {
        AxisSpec::Sizes(sizes)
    }
}

impl<const N: usize> From<[usize; N]> for AxisSpec {
    fn from(sizes: [usize; N]) -> AxisSpec {
        AxisSpec::Sizes(sizes.to_vec())
    }
}

impl From<usize> for Chunks {
    fn from(size: usize) -> Chunks {
        Chunks::Every(AxisSpec::Size(size))
    }
}

impl From<RangeFull> for Chunks {
    fn from(_: RangeFull) -> Chunks {
        Chunks::Every(AxisSpec::Whole)
    }
}

impl From<ChunkGrid> for Chunks {
    fn from(grid: ChunkGrid) -> Chunks {
        Chunks::Grid(grid)
    }
}

impl From<&ChunkGrid> for Chunks {
    fn from(grid: &ChunkGrid) -> Chunks {
        Chunks::Grid(grid.clone())
    }
}

impl<const N: usize> From<[usize; N]> for Chunks {
    fn from(sizes: [usize; N]) -> Chunks {
        Chunks::Each(sizes.into_iter().map(AxisSpec::Size).collect())
    }
}

impl From<Vec<usize>> for Chunks {
    fn from(sizes: Vec<usize>) -> Chunks {
        Chunks::Each(sizes.into_iter().map(AxisSpec::Size).collect())
    }
}

impl From<Vec<Vec<usize>>> for Chunks {
    fn from(sizes: Vec<Vec<usize>>) -> Chunks {
        Chunks::Each(sizes.into_iter().map(AxisSpec::Sizes).collect())
    }
}

impl From<Vec<AxisSpec>> for Chunks {
    fn from(specs: Vec<AxisSpec>) -> Chunks {
        Chunks::Each(specs)
    }
}

macro_rules! tuple_specs {
    ($($($t:ident $i:tt),+;)*) => { $(
        impl<$($t: Into<AxisSpec>),+> From<($($t,)+)> for Chunks {
            fn from(specs: ($($t,)+)) -> Chunks {
                Chunks::Each(vec![$(specs.$i.into()),+])
            }
        }
    )* };
}
tuple_specs! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(chunks: impl Into<Chunks>, shape: &[usize]) -> String {
        match chunks.into().grid(shape, 8) {
            Ok(grid) => grid.to_string(),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(shown(3, &[10, 6]), "(3, 3)");
        assert_eq!(shown((5, 2), &[10, 6]), "(5, 2)");
        assert_eq!(shown((5, ..), &[10, 6]), "(5, 6)");
        assert_eq!(shown((vec![3, 0, 7], 2), &[10, 6]), "([3, 0, 7], 2)");
        assert_eq!(shown(vec![vec![10], vec![1, 5]], &[10, 6]), "(10, [1, 5])");
        assert_eq!(shown(.., &[10, 6]), "(10, 6)");
        assert_eq!(shown("auto", &[1 << 20, 2]), "(131072, 2)");
        assert_eq!(shown("1 KiB", &[10, 60]), "(10, 12)");
        assert_eq!(shown("2 MiB", &[1000, 1000, 1000]), "(64, 64, 64)");
    }

    #[test]
    fn bad_specifications_say_what_is_wrong() {
        assert_eq!(shown(0, &[4]), "a chunk size must be at least 1, and a list of chunks must not be empty");
        assert!(shown((1, 2, 3), &[10, 6]).contains("chunks are given for 3 axes"));
        assert!(shown("64 bananas", &[4]).contains("64 bananas"));
        assert!(shown((vec![1, 2],), &[4]).contains("sum to 3"));
    }

    #[test]
    fn sizes_in_bytes_are_read() {
        assert_eq!(parse_bytes("64 MiB"), Some(64 << 20));
        assert_eq!(parse_bytes("1.5kB"), Some(1500));
        assert_eq!(parse_bytes("2G"), Some(2_000_000_000));
        assert_eq!(parse_bytes("-1"), None);
        assert_eq!(parse_bytes("0"), None);
    }
}
