//! What stands before every value on disk.
//!
//! It owns the layout of those bytes. What is expected is kept in memory, so a changed bit of a header is seen by
//! comparing, and so is the header of another record.

/// Length of a header.
pub(super) const HEADER: u64 = 32;

const MAGIC: [u8; 8] = *b"chnkspil";

/// What is known of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Unique in its store.
    pub(super) record: u64,
    /// Length of the value.
    pub(super) nbytes: u64,
    /// CRC-32 (IEEE) of the value.
    pub(super) crc: u32,
}

impl Header {
    /// Magic, record number, length, checksum, four zeros; numbers in little-endian order.
    pub(super) fn to_bytes(self) -> [u8; HEADER as usize] {
        let mut bytes = [0; HEADER as usize];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.record.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.nbytes.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.crc.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_bytes() {
        let bytes = Header { record: 1, nbytes: 0x0203, crc: 0xa1b2_c3d4 }.to_bytes();
        assert_eq!(&bytes[..9], b"chnkspil\x01");
        assert_eq!(bytes[16..19], [3, 2, 0]);
        assert_eq!(bytes[24..], [0xd4, 0xc3, 0xb2, 0xa1, 0, 0, 0, 0]);
    }
}
