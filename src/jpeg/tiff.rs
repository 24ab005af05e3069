//! The part of TIFF that EXIF and MPF use (TIFF 6.0, section 2): a header with the byte
//! order, and directories of 12-byte entries.
//!
//! Offsets come from outside and cannot be trusted: a read beyond the bytes returns
//! `None`, and only the first directory is read, so that there is no loop.

/// A block of TIFF, from its header on.
pub(super) struct Tiff<'a> {
    bytes: &'a [u8],
    is_little: bool,
    /// Where the first directory begins.
    directory: usize,
}

/// One entry of a directory.
pub(super) struct Entry {
    pub(super) tag: u16,
    pub(super) kind: u16,
    pub(super) count: u32,
    /// Where the value begins if it is at most four bytes long, or where the
    /// offset of the value stands.
    pub(super) value_at: usize,
}

const ENTRY_BYTES: usize = 12;

impl<'a> Tiff<'a> {
    /// Reads the header; `None` if it is not one of TIFF.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let is_little = match bytes {
            [b'I', b'I', 42, 0, ..] => true,
            [b'M', b'M', 0, 42, ..] => false,
            _ => return None,
        };
        let mut tiff = Self { bytes, is_little, directory: 0 };
        // Of 32 bits, which a 16-bit machine would not hold.
        tiff.directory = usize::try_from(tiff.u32(4)?).ok()?;
        Some(tiff)
    }

    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// A value as this block writes it.
    #[cfg(feature = "daemon")]
    pub(super) fn bytes_of_u16(&self, value: u16) -> [u8; 2] {
        if self.is_little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    /// As [`Self::bytes_of_u16`].
    #[cfg(feature = "daemon")]
    pub(super) fn bytes_of_u32(&self, value: u32) -> [u8; 4] {
        if self.is_little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    /// The entries of the first directory, up to the first that is cut off.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        // The count may lie: what counts is where the bytes end.
        let n = self.u16(self.directory).unwrap_or(0);
        let first = self.directory.saturating_add(2);
        (0..usize::from(n)).map_while(move |nth| {
            let at = first.checked_add(nth * ENTRY_BYTES)?;
            Some(Entry {
                tag: self.u16(at)?,
                kind: self.u16(at + 2)?,
                count: self.u32(at + 4)?,
                value_at: at + 8,
            })
        })
    }
}
