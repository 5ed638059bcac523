//! The header of a `.npy` file: reading any that NumPy writes, writing version 1.0 or 2.0.
//!
//! ```text
//! \x93NUMPY  major minor  length (2 bytes in 1.0, 4 later)  {'descr': '<f4', 'fortran_order': False, 'shape': (3,), }  \n
//! ```

use chunkwise_chunk::{DType, Shape};

use crate::bounds::checked_nbytes;
use crate::bytes::ByteOrder;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The data starts at a multiple of this.
const ALIGN: usize = 64;

/// NumPy's own limit.
const MAX_NDIM: usize = 64;

/// The element types and the codes NumPy gives them.
const CODES: [(&str, DType); 13] = [
    ("b1", DType::Bool),
    ("i1", DType::I8),
    ("i2", DType::I16),
    ("i4", DType::I32),
    ("i8", DType::I64),
    ("u1", DType::U8),
    ("u2", DType::U16),
    ("u4", DType::U32),
    ("u8", DType::U64),
    ("f4", DType::F32),
    ("f8", DType::F64),
    ("c8", DType::C64),
    ("c16", DType::C128),
];

/// What a header says.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) dtype: DType,
    pub(super) order: ByteOrder,
    /// True when the first axis varies fastest in the file.
    pub(super) fortran: bool,
    pub(super) shape: Shape,
    /// Offset of the first element in the file.
    pub(super) data_start: usize,
}

impl Header {
    /// Reads the header of a whole file and checks that the file holds all its elements.
    pub(super) fn parse(file: &[u8]) -> Result<Header, String> {
        let (text, data_start) = split(file)?;
        let (dtype, order, fortran, shape) = Literal { text, at: 0 }.dictionary()?;
        let expected = checked_nbytes(dtype, &shape).map_err(|e| e.to_string())?;
        let found = file.len() - data_start;
        if found < expected {
            return Err(format!(
                "is truncated: shape {shape:?} of {dtype} needs {expected} bytes of data, the file has {found}"
            ));
        }
        Ok(Header { dtype, order, fortran, shape, data_start })
    }

    /// The bytes before the data of a file in C order and the byte order of this machine.
    pub(super) fn render(dtype: DType, shape: &[usize]) -> Vec<u8> {
        let axes: String = shape.iter().map(|n| format!("{n}, ")).collect();
        let axes = if shape.len() == 1 { axes.trim_end() } else { axes.trim_end_matches(", ") };
        let order = match ByteOrder::NATIVE {
            _ if dtype.itemsize() == 1 => '|',
            ByteOrder::Little => '<',
            ByteOrder::Big => '>',
        };
        let code = code(dtype);
        let text = format!("{{'descr': '{order}{code}', 'fortran_order': False, 'shape': ({axes}), }}");
        // The text ends with a line feed at a multiple of ALIGN.
        let total =
            |length_bytes: usize| (MAGIC.len() + 2 + length_bytes + text.len() + 1).next_multiple_of(ALIGN);
        let short = u16::try_from(total(2) - MAGIC.len() - 4);
        let mut bytes = MAGIC.to_vec();
        match short {
            Ok(length) => {
                bytes.extend([1, 0]);
                bytes.extend(length.to_le_bytes());
            }
            Err(_) => {
                bytes.extend([2, 0]);
                bytes.extend(((total(4) - MAGIC.len() - 6) as u32).to_le_bytes());
            }
        }
        let end = total(if short.is_ok() { 2 } else { 4 });
        bytes.extend(text.as_bytes());
        bytes.resize(end - 1, b' ');
        bytes.push(b'\n');
        bytes
    }
}

/// NumPy's code of an element type, without the byte order.
fn code(dtype: DType) -> &'static str {
    let row = CODES.iter().find(|(_, known)| *known == dtype);
    row.expect("the table has every element type").0
}

/// The text of the header and where the data starts.
fn split(file: &[u8]) -> Result<(&[u8], usize), String> {
    let rest = file.strip_prefix(MAGIC).ok_or("is not an npy file: it does not start with \\x93NUMPY")?;
    let (&[major, minor], rest) = rest.split_first_chunk().ok_or("is truncated in its version")?;
    let (length, text) = match major {
        1 => rest.split_first_chunk().map(|(&b, rest)| (u16::from_le_bytes(b) as usize, rest)),
        2 | 3 => rest.split_first_chunk().map(|(&b, rest)| (u32::from_le_bytes(b) as usize, rest)),
        _ => return Err(format!("has npy version {major}.{minor}; known are 1.0, 2.0 and 3.0")),
    }
    .ok_or("is truncated in the length of its header")?;
    let found = text.len();
    let text = text.get(..length).ok_or_else(|| {
        format!("is truncated: its header has {length} bytes, but only {found} bytes follow")
    })?;
    Ok((text, file.len() - found + length))
}

/// A reader of the one Python literal a header is.
struct Literal<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Literal<'a> {
    fn dictionary(mut self) -> Result<(DType, ByteOrder, bool, Shape), String> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.accept(b'}') {
            let key = self.string("a key")?;
            self.expect(b':')?;
            let twice = match key {
                b"descr" => descr.replace(self.descr()?).is_some(),
                b"fortran_order" => fortran.replace(self.boolean()?).is_some(),
                b"shape" => shape.replace(self.shape()?).is_some(),
                other => return Err(format!("has an unknown key '{}' in its header", lossy(other))),
            };
            if twice {
                return Err(format!("has the key '{}' twice in its header", lossy(key)));
            }
            if !self.accept(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        self.end()?;
        let missing = |key: &str| format!("has no '{key}' in its header");
        let (dtype, order) = descr.ok_or_else(|| missing("descr"))?;
        let fortran = fortran.ok_or_else(|| missing("fortran_order"))?;
        Ok((dtype, order, fortran, shape.ok_or_else(|| missing("shape"))?))
    }

    fn descr(&mut self) -> Result<(DType, ByteOrder), String> {
        if matches!(self.peek(), Some(b'[' | b'(' | b'{')) {
            return Err("has a structured element type; only plain numbers and bool can be read".into());
        }
        let descr = self.string("an element type")?;
        let (order, code) = match descr.split_first() {
            Some((b'<', code)) => (ByteOrder::Little, code),
            Some((b'>', code)) => (ByteOrder::Big, code),
            Some((b'|' | b'=', code)) => (ByteOrder::NATIVE, code),
            _ => (ByteOrder::NATIVE, descr),
        };
        let known = CODES.iter().find(|(known, _)| known.as_bytes() == code);
        let (_, dtype) = known.ok_or_else(|| {
            let names: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
            format!("has element type '{}'; known are {}", lossy(descr), names.join(", "))
        })?;
        Ok((*dtype, order))
    }

    fn boolean(&mut self) -> Result<bool, String> {
        self.peek();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("True or False"))
    }

    fn shape(&mut self) -> Result<Shape, String> {
        let mut shape = Shape::new();
        self.expect(b'(')?;
        while !self.accept(b')') {
            if shape.len() == MAX_NDIM {
                return Err(format!("has more than {MAX_NDIM} axes"));
            }
            shape.push(self.length()?);
            if !self.accept(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }

    /// One length; Python 2 wrote long ones with an `L`.
    fn length(&mut self) -> Result<usize, String> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.unexpected("the length of an axis"));
        }
        let mut length = 0usize;
        while let Some(digit) = self.text.get(self.at).filter(|b| b.is_ascii_digit()) {
            let next = length.checked_mul(10).and_then(|n| n.checked_add(usize::from(digit - b'0')));
            length = next.ok_or("has an axis longer than this machine can address")?;
            self.at += 1;
        }
        self.accept(b'L');
        Ok(length)
    }

    fn string(&mut self, what: &str) -> Result<&'a [u8], String> {
        let quote = self.peek().filter(|b| matches!(b, b'\'' | b'"')).ok_or_else(|| self.unexpected(what))?;
        let start = self.at + 1;
        let len = self.text[start..].iter().position(|&b| b == quote);
        let len = len.ok_or_else(|| format!("has an unclosed string for {what} in its header"))?;
        self.at = start + len + 1;
        Ok(&self.text[start..start + len])
    }

    /// Nothing but white space may follow.
    fn end(&mut self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end")),
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.accept(byte) { Ok(()) } else { Err(self.unexpected(&format!("'{}'", byte as char))) }
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.text.get(self.at).copied()
    }

    fn unexpected(&mut self, expected: &str) -> String {
        match self.peek() {
            Some(found) => {
                format!(
                    "has '{}' in its header at byte {}, expected {expected}",
                    found.escape_ascii(),
                    self.at
                )
            }
            None => format!("has a header that ends early, expected {expected}"),
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(text: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    fn message(text: &str) -> String {
        Header::parse(&file(text)).unwrap_err()
    }

    #[test]
    fn every_spelling_is_read() {
        for text in [
            "{'descr': '|b1', 'fortran_order': True, 'shape': (0, 2), }   \n",
            "{'shape':(0L,2L),'fortran_order':True,'descr':'b1'}",
            " { \"descr\" : \"=b1\" , \"shape\" : ( 0 , 2 , ) , \"fortran_order\" : True } ",
        ] {
            let header = Header::parse(&file(text)).unwrap();
            assert_eq!(
                (header.dtype, header.fortran, header.shape.as_slice()),
                (DType::Bool, true, &[0, 2][..])
            );
        }
    }

    #[test]
    fn malformed_headers_say_what_is_wrong() {
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }";
        for (text, says) in [
            ("", "ends early, expected '{'"),
            ("{", "ends early, expected a key"),
            ("{}", "has no 'descr'"),
            ("{'descr': '<f4', 'shape': ()}", "has no 'fortran_order'"),
            ("{'descr': '<f4', 'descr': '<f4'}", "the key 'descr' twice"),
            ("{'color': 1}", "unknown key 'color'"),
            ("{'descr': '<f2'}", "has element type '<f2'; known are b1, i1"),
            ("{'descr': '|O'}", "has element type '|O'"),
            ("{'descr': [('a', '<f4')]}", "structured element type"),
            ("{'descr': '<f4}", "unclosed string"),
            ("{'fortran_order': 1}", "has '1' in its header at byte 18, expected True or False"),
            ("{'shape': 3}", "expected '('"),
            ("{'shape': (-3,)}", "has '-' in its header at byte 11, expected the length of an axis"),
            ("{'shape': (3 4)}", "has '4' in its header"),
            ("{'shape': (99999999999999999999,)}", "longer than this machine"),
            (&format!("{good}x"), "expected the end"),
            (&good.replace("()", "(4294967296, 4294967296)"), "can address"),
            (&good.replace("()", "(0, 4294967296, 4294967296)"), "can address"),
            (&good.replace("()", "(3,)"), "needs 12 bytes of data, the file has 0"),
        ] {
            assert!(message(text).contains(says), "{text}: {}", message(text));
        }
        assert!(message(&good.replace("()", &format!("({})", "1,".repeat(65)))).contains("64 axes"));
    }

    #[test]
    fn truncated_files_say_where_they_end() {
        let whole = Header::render(DType::F32, &[]);
        for (bytes, says) in [
            (&whole[..0], "is not an npy file"),
            (&b"PK\x03\x04"[..], "is not an npy file"),
            (&whole[..7], "in its version"),
            (&whole[..9], "in the length of its header"),
            (&whole[..50], "only 40 bytes follow"),
            (&whole[..], "needs 4 bytes of data"),
            (&b"\x93NUMPY\x09\x01\x00\x00"[..], "version 9.1"),
        ] {
            let message = Header::parse(bytes).unwrap_err();
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn long_headers_are_version_two() {
        let text = format!("{{'descr': '<f4',{}'fortran_order': False, 'shape': (0,)}}", " ".repeat(70_000));
        let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
        assert_eq!(Header::parse(&bytes).unwrap().data_start, bytes.len());
    }

    proptest! {
        #[test]
        fn rendered_headers_are_read_back(axes in prop::collection::vec(0usize..5, 0..6), at in 0..DType::ALL.len()) {
            let dtype = DType::ALL[at];
            let mut bytes = Header::render(dtype, &axes);
            let data_start = bytes.len();
            prop_assert_eq!(data_start % ALIGN, 0);
            bytes.resize(data_start + axes.iter().product::<usize>() * dtype.itemsize(), 0);
            let header = Header::parse(&bytes).unwrap();
            let order = ByteOrder::NATIVE;
            let want = Header { dtype, order, fortran: false, shape: axes.into(), data_start };
            prop_assert_eq!(header, want);
        }

        #[test]
        fn changed_headers_never_panic(at in 0usize..80, byte: u8, cut in 0usize..200) {
            let mut bytes = Header::render(DType::F64, &[3, 4]);
            bytes.resize(200, 0);
            bytes[at] = byte;
            drop(Header::parse(&bytes));
            drop(Header::parse(&bytes[..cut]));
        }

        #[test]
        fn any_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..120)) {
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((text.len() as u16).to_le_bytes());
            bytes.extend(text);
            drop(Header::parse(&bytes));
        }
    }
}
