//! A block as bytes, for memory that has to wait on the disk.
//!
//! ```text
//! "CWB1"  dtype  (3 zeros)  rank: u64  bytes of the elements: u64  length of each axis: u64 ...  elements in C order
//! ```
//!
//! Everything is in the byte order of this machine, since the bytes never leave the process: this is no file format.
//! Elements keep their bits, those of NaN and -0.0 too. This file owns neither files nor compression; checksums
//! are the business of who stores the bytes.

use std::io::{self, Read, Write};

use bytemuck::{NoUninit, Pod};
use ndarray::{ArcArray, ArrayView1, IxDyn};

use crate::{Chunk, DType, Element, Shape, for_each_dtype};

const MAGIC: [u8; 4] = *b"CWB1";

/// Bytes before the lengths of the axes.
const PREFIX: usize = 24;

/// More axes than any block has.
const MAX_NDIM: usize = 1024;

/// Bytes that are gathered before they are written, and bytes that are read at once: they stay in the cache.
const PIECE: usize = 128 << 10;

macro_rules! codec {
    ($($v:ident $t:ty, $name:literal;)*) => {
        impl Chunk {
            /// Writes the elements in C order as they are in memory, without a header.
            ///
            /// A block in C order is written as one slice. Any other is gathered in pieces of 128 KiB, which is all
            /// that is allocated.
            ///
            /// # Errors
            /// Those of `out`.
            ///
            /// ```
            /// use chunkwise_chunk::{Chunk, View};
            /// let chunk = Chunk::from_array(ndarray::arr2(&[[1u8, 2], [3, 4]]).into_dyn());
            /// let mut bytes = Vec::new();
            /// chunk.view(&View::permute(&[2, 2], &[1, 0]).unwrap()).write_elements(&mut bytes).unwrap();
            /// assert_eq!(bytes, [1, 3, 2, 4]);
            /// ```
            pub fn write_elements(&self, out: &mut dyn Write) -> io::Result<()> {
                match self { $(Chunk::$v(array) => write_array(array, out),)* }
            }
        }

        fn read_elements(dtype: DType, shape: &[usize], input: &mut dyn Read) -> io::Result<Chunk> {
            match dtype { $(DType::$v => Ok(Chunk::from_elements(read_vec!($v $t, shape, input)?, shape)),)* }
        }
    };
}

/// The elements of one type: bits for numbers, checked bytes for bool.
macro_rules! read_vec {
    (Bool $t:ty, $shape:expr, $input:expr) => {
        read_bools($shape.iter().product(), $input)
    };
    ($v:ident $t:ty, $shape:expr, $input:expr) => {
        read_numbers::<$t>($shape.iter().product(), $input)
    };
}
for_each_dtype!(codec);

impl Chunk {
    /// Writes the block: a short header, then the elements as [`write_elements`](Chunk::write_elements) does.
    ///
    /// # Errors
    /// Those of `out`, and `InvalidInput` for more than 1024 axes.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// let mut bytes = Vec::new();
    /// Chunk::zeros(DType::F32, &[2, 3]).write_to(&mut bytes).unwrap();
    /// assert_eq!(bytes.len(), 24 + 2 * 8 + 6 * 4);
    /// ```
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let (shape, code) = (self.shape(), self.dtype() as u8);
        if shape.len() > MAX_NDIM {
            let message = format!("a block of {} axes cannot be written, only of {MAX_NDIM}", shape.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let mut header = Vec::with_capacity(PREFIX + 8 * shape.len());
        header.extend(MAGIC);
        header.extend([code, 0, 0, 0]);
        for number in [shape.len(), self.nbytes()].iter().chain(shape) {
            header.extend((*number as u64).to_ne_bytes());
        }
        out.write_all(&header)?;
        self.write_elements(out)
    }

    /// Reads a block that [`write_to`](Chunk::write_to) wrote, and nothing that follows it.
    ///
    /// The elements are allocated once and read into their place.
    ///
    /// # Errors
    /// Those of `input`, `UnexpectedEof` when it ends too early, `InvalidData` when it holds no block, and
    /// `OutOfMemory` when there is no memory for the elements.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, Scalar};
    /// let mut bytes = Vec::new();
    /// Chunk::filled(Scalar::F64(-0.0), &[3]).write_to(&mut bytes).unwrap();
    /// let read = Chunk::read_from(&mut &bytes[..]).unwrap();
    /// assert!(read.to_array::<f64>().unwrap().iter().all(|x| x.is_sign_negative()));
    /// ```
    pub fn read_from(input: &mut dyn Read) -> io::Result<Chunk> {
        let (dtype, shape) = read_header(input)?;
        read_elements(dtype, &shape, input)
    }
}

fn read_header(input: &mut dyn Read) -> io::Result<(DType, Shape)> {
    let mut start = [0; 8];
    input.read_exact(&mut start)?;
    let [m0, m1, m2, m3, code, 0, 0, 0] = start else { return Err(invalid("its header is damaged")) };
    if [m0, m1, m2, m3] != MAGIC {
        return Err(invalid("it does not start like one"));
    }
    let dtype = *DType::ALL.get(usize::from(code)).ok_or_else(|| invalid("its element type is unknown"))?;
    let ndim = read_length(input)?;
    let nbytes = read_length(input)?;
    if ndim > MAX_NDIM {
        return Err(invalid("it has too many axes"));
    }
    let shape = (0..ndim).map(|_| read_length(input)).collect::<io::Result<Shape>>()?;
    if checked_nbytes(dtype, &shape) != Some(nbytes) {
        return Err(invalid("its shape and its number of bytes differ"));
    }
    Ok((dtype, shape))
}

fn read_length(input: &mut dyn Read) -> io::Result<usize> {
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    usize::try_from(u64::from_ne_bytes(bytes)).map_err(|_| invalid("a length is beyond this machine"))
}

/// Bytes of the elements, where ndarray can have such a shape: axes of length 0 count as 1 in the check for overflow.
fn checked_nbytes(dtype: DType, shape: &[usize]) -> Option<usize> {
    let most = shape.iter().try_fold(dtype.itemsize(), |bytes, &n| bytes.checked_mul(n.max(1)))?;
    isize::try_from(most).ok()?;
    Some(if shape.contains(&0) { 0 } else { most })
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("these bytes are no block: {what}"))
}

fn write_array<T: Element + NoUninit>(array: &ArcArray<T, IxDyn>, out: &mut dyn Write) -> io::Result<()> {
    if let Some(elements) = array.as_slice() {
        return out.write_all(bytemuck::cast_slice(elements));
    }
    let mut gather = Gather { piece: Vec::with_capacity(PIECE / size_of::<T>()), out };
    array.rows().into_iter().try_for_each(|row| gather.push(row))?;
    gather.flush()
}

/// Elements on their way to `out`, a piece at a time.
struct Gather<'a, T> {
    piece: Vec<T>,
    out: &'a mut dyn Write,
}

impl<T: Element + NoUninit> Gather<'_, T> {
    fn push(&mut self, row: ArrayView1<'_, T>) -> io::Result<()> {
        match row.to_slice() {
            // As long as a piece or longer: written from where it lies.
            Some(elements) if size_of_val(elements) >= PIECE => {
                self.flush()?;
                self.out.write_all(bytemuck::cast_slice(elements))
            }
            Some(elements) => {
                if self.room() < elements.len() {
                    self.flush()?;
                }
                self.piece.extend_from_slice(elements);
                Ok(())
            }
            None => self.push_strided(row.iter()),
        }
    }

    fn push_strided<'e>(&mut self, mut elements: impl ExactSizeIterator<Item = &'e T>) -> io::Result<()> {
        while elements.len() > 0 {
            if self.room() == 0 {
                self.flush()?;
            }
            let room = self.room();
            self.piece.extend(elements.by_ref().take(room));
        }
        Ok(())
    }

    fn room(&self) -> usize {
        PIECE / size_of::<T>() - self.piece.len()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(bytemuck::cast_slice(&self.piece))?;
        self.piece.clear();
        Ok(())
    }
}

/// Numbers of any bits. Memory is cleared a piece ahead of the reading, while the piece is in the cache.
fn read_numbers<T: Element + Pod>(len: usize, input: &mut dyn Read) -> io::Result<Vec<T>> {
    let mut elements = reserved(len)?;
    while elements.len() < len {
        let (start, end) = (elements.len(), len.min(elements.len() + PIECE / size_of::<T>()));
        elements.resize(end, T::default());
        input.read_exact(bytemuck::cast_slice_mut(&mut elements[start..]))?;
    }
    Ok(elements)
}

/// Bools, of which a byte can be only two.
fn read_bools(len: usize, input: &mut dyn Read) -> io::Result<Vec<bool>> {
    let mut elements = reserved(len)?;
    let mut bytes = [0; 4096];
    while elements.len() < len {
        let piece = &mut bytes[..(len - elements.len()).min(4096)];
        input.read_exact(piece)?;
        let piece = bytemuck::checked::try_cast_slice::<u8, bool>(piece)
            .map_err(|_| invalid("a bool is neither 0 nor 1"))?;
        elements.extend_from_slice(piece);
    }
    Ok(elements)
}

fn reserved<T>(len: usize) -> io::Result<Vec<T>> {
    let mut elements = Vec::new();
    elements.try_reserve_exact(len).map_err(|_| {
        let message = format!("no memory for a block of {len} elements of {} bytes", size_of::<T>());
        io::Error::new(io::ErrorKind::OutOfMemory, message)
    })?;
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Region, View, dispatch};
    use ndarray::ArrayD;
    use proptest::prelude::*;

    fn bytes_of(chunk: &Chunk) -> Vec<u8> {
        let mut bytes = Vec::new();
        chunk.write_to(&mut bytes).unwrap();
        bytes
    }

    fn kind(bytes: &[u8]) -> io::ErrorKind {
        Chunk::read_from(&mut &*bytes).unwrap_err().kind()
    }

    /// A block whose elements are any bits.
    fn noise(dtype: DType, shape: &[usize], seed: u64) -> Chunk {
        let len: usize = shape.iter().product();
        let mut state = seed | 1;
        let bytes = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let byte = (state >> 56) as u8;
            if dtype == DType::Bool { byte & 1 } else { byte }
        });
        let bytes: Vec<u8> = bytes.take(len * dtype.itemsize()).collect();
        read_elements(dtype, shape, &mut &bytes[..]).unwrap()
    }

    /// What is in a block, without the layout.
    fn elements(chunk: &Chunk) -> Vec<u8> {
        let mut bytes = Vec::new();
        dispatch!(chunk.dtype(), T => {
            let in_order: ArrayD<T> = chunk.to_array::<T>().unwrap();
            let copy = ArrayD::from_shape_vec(IxDyn(chunk.shape()), in_order.iter().copied().collect()).unwrap();
            Chunk::from_array(copy).write_elements(&mut bytes).unwrap();
        });
        bytes
    }

    fn check_round_trip(chunk: &Chunk) {
        let bytes = bytes_of(chunk);
        let mut input = &bytes[..];
        let read = Chunk::read_from(&mut input).unwrap();
        assert!(input.is_empty());
        assert_eq!((read.dtype(), read.shape()), (chunk.dtype(), chunk.shape()));
        assert_eq!(elements(&read), elements(chunk));
    }

    /// Counts the calls of `write`.
    struct Calls(Vec<usize>);

    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn block_in_c_order_is_written_at_once() {
        let mut calls = Calls(Vec::new());
        let chunk = Chunk::zeros(DType::F64, &[300, 1000]);
        chunk.write_to(&mut calls).unwrap();
        assert_eq!(calls.0, [PREFIX + 16, 2_400_000]);
    }

    #[test]
    fn block_in_another_order_is_written_in_pieces() {
        let mut calls = Calls(Vec::new());
        let chunk = noise(DType::F64, &[300, 1000], 1);
        let turned = chunk.view(&View::permute(&[300, 1000], &[1, 0]).unwrap());
        turned.write_elements(&mut calls).unwrap();
        assert_eq!(calls.0.iter().sum::<usize>(), 2_400_000);
        assert!(calls.0.iter().all(|&n| n <= PIECE) && calls.0.len() <= 2_400_000 / PIECE + 1);
        check_round_trip(&turned);
        // Short rows, rows that end in the middle of a piece, and rows longer than one.
        check_round_trip(&chunk.part(&Region::new(&[1, 3], &[299, 7])));
        check_round_trip(&chunk.part(&Region::new(&[1, 3], &[299, 900])));
        check_round_trip(&noise(DType::U8, &[3, 300_000], 2).part(&Region::new(&[0, 1], &[3, 200_000])));
    }

    #[test]
    fn element_that_is_repeated_is_written_as_often() {
        let one = Chunk::from_array(ndarray::arr2(&[[7u16], [8]]).into_dyn());
        let wide = one.view(&View::broadcast(&[2, 1], &[3, 2, 4]).unwrap());
        assert_eq!(bytes_of(&wide).len(), PREFIX + 24 + 48);
        check_round_trip(&wide);
    }

    #[test]
    fn blocks_without_axes_and_without_elements_come_back() {
        for &dtype in DType::ALL {
            for shape in [&[][..], &[0], &[3, 0, 2], &[1, 1, 1, 1, 1, 1, 1, 5]] {
                check_round_trip(&noise(dtype, shape, 3));
            }
        }
    }

    #[test]
    fn bits_of_floats_are_kept() {
        let bits = [f64::NAN.to_bits() | 0xdead, (-0.0f64).to_bits(), 0x7ff0_0000_0000_0001, 1];
        let chunk = Chunk::from_elements(bits.map(f64::from_bits).to_vec(), &[4]);
        let read = Chunk::read_from(&mut &bytes_of(&chunk)[..]).unwrap().to_array::<f64>().unwrap();
        assert_eq!(read.mapv(f64::to_bits).as_slice().unwrap(), bits);
    }

    #[test]
    fn blocks_that_follow_each_other_are_read_one_by_one() {
        let (a, b) = (noise(DType::I16, &[5], 4), noise(DType::Bool, &[2, 9000], 5));
        let bytes = [bytes_of(&a), bytes_of(&b)].concat();
        let mut input = &bytes[..];
        assert_eq!(elements(&Chunk::read_from(&mut input).unwrap()), elements(&a));
        assert_eq!(elements(&Chunk::read_from(&mut input).unwrap()), elements(&b));
        assert_eq!(kind(input), io::ErrorKind::UnexpectedEof);
    }

    /// A header of these numbers.
    fn header(code: u8, ndim: u64, nbytes: u64, shape: &[u64]) -> Vec<u8> {
        let numbers = [ndim, nbytes];
        let numbers = numbers.iter().chain(shape).flat_map(|n| n.to_ne_bytes());
        MAGIC.iter().copied().chain([code, 0, 0, 0]).chain(numbers).collect()
    }

    #[test]
    fn damaged_headers_are_refused_before_anything_is_allocated() {
        let f64 = DType::F64 as u8;
        for bytes in [
            header(DType::ALL.len() as u8, 0, 8, &[]),
            header(255, 0, 8, &[]),
            header(f64, u64::MAX, 8, &[]),
            header(f64, 1025, 8, &[]),
            header(f64, 1, 16, &[3]),
            header(f64, 2, 0, &[1 << 32, 1 << 32]),
            header(f64, 3, 0, &[1 << 32, 1 << 32, 0]),
            header(f64, 1, u64::MAX, &[u64::MAX]),
            header(f64, 1, 1 << 63, &[1 << 60]),
            b"not a block at all, is it".to_vec(),
        ] {
            assert_eq!(kind(&bytes), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        let bytes = header(DType::F64 as u8, 1, 1 << 62, &[1 << 59]);
        assert_eq!(kind(&bytes), io::ErrorKind::OutOfMemory);
    }

    #[test]
    fn bool_of_another_byte_is_refused() {
        let mut bytes = bytes_of(&Chunk::zeros(DType::Bool, &[5000]));
        *bytes.last_mut().unwrap() = 2;
        assert_eq!(kind(&bytes), io::ErrorKind::InvalidData);
    }

    #[test]
    fn too_many_axes_are_refused() {
        let chunk = Chunk::zeros(DType::U8, &[1; 1025]);
        assert_eq!(chunk.write_to(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    proptest! {
        #[test]
        fn every_block_comes_back(
            at in 0..DType::ALL.len(),
            axes in prop::collection::vec((0usize..6, 0usize..3, 0isize..4), 0..5),
            turn in 0usize..5,
            seed: u64,
        ) {
            let shape: Vec<usize> = axes.iter().map(|(len, margin, _)| len + margin).collect();
            let mut chunk = noise(DType::ALL[at], &shape, seed);
            let mut region = Region::whole(&shape);
            for (axis, &(len, margin, _)) in axes.iter().enumerate() {
                region.set_axis(axis, margin.min(1), len);
            }
            chunk = chunk.part(&region);
            let slices: Vec<crate::SliceElem> = axes
                .iter()
                .map(|&(.., step)| crate::SliceElem::Slice { start: 0, end: None, step: [1, 2, -1, -3][step as usize] })
                .collect();
            chunk = chunk.view(&View::slice(chunk.shape(), &slices).unwrap());
            let mut order: Vec<usize> = (0..axes.len()).collect();
            order.rotate_left(turn.min(axes.len()));
            chunk = chunk.view(&View::permute(chunk.shape(), &order).unwrap());
            check_round_trip(&chunk);
        }

        #[test]
        fn changed_or_shortened_bytes_never_panic(at in 0..DType::ALL.len(), flip in 0usize..64, bit in 0u8..8, cut in 0usize..80) {
            let whole = bytes_of(&noise(DType::ALL[at], &[2, 3], 6));
            let mut bytes = whole.clone();
            let flip = flip % bytes.len();
            bytes[flip] ^= 1 << bit;
            drop(Chunk::read_from(&mut &bytes[..]));
            if cut < whole.len() {
                prop_assert_eq!(kind(&whole[..cut]), io::ErrorKind::UnexpectedEof);
            }
        }

        #[test]
        fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(Chunk::read_from(&mut &bytes[..]));
            drop(Chunk::read_from(&mut &[&MAGIC[..], &[0, 0, 0, 0], &bytes].concat()[..]));
        }
    }
}
