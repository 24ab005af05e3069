//! The tables of a source, as its segments define them.

use super::codes::{Codes, RunCodes};
use crate::annex_k;
use crate::error::TranscodeError;

/// Tables of one kind that a picture may have.
const N_TABLES: usize = 4;

/// What DHT, DQT and DRI have said.
pub(super) struct Tables {
    divisors: [Option<[u16; 64]>; N_TABLES],
    dc: [Kept<Codes>; N_TABLES],
    ac: [Kept<RunCodes>; N_TABLES],
    /// MCUs between two restart markers; 0 for none.
    pub(super) interval: usize,
}

/// A Huffman table that is kept from picture to picture: cameras send the same one with
/// each, and to make it takes longer than to read a small picture.
struct Kept<T> {
    /// Counts and symbols, as in DHT.
    made_of: Vec<u8>,
    table: Option<Box<T>>,
    /// Whether this picture has it.
    is_set: bool,
}

impl<T> Kept<T> {
    fn new() -> Self {
        Self { made_of: Vec::new(), table: None, is_set: false }
    }

    fn set(
        &mut self,
        content: &[u8],
        make: impl FnOnce(&[u8; 16], &[u8]) -> Result<T, TranscodeError>,
    ) -> Result<(), TranscodeError> {
        self.is_set = true;
        if self.table.is_none() || self.made_of != content {
            self.table = None;
            let Some((lengths, symbols)) = content.split_first_chunk() else { return SHORT };
            self.table = Some(Box::new(make(lengths, symbols)?));
            self.made_of.clear();
            self.made_of.extend_from_slice(content);
        }
        Ok(())
    }
}

const SHORT: Result<(), TranscodeError> = Err(TranscodeError::Damaged("a segment is too short"));

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            divisors: [None; N_TABLES],
            dc: std::array::from_fn(|_| Kept::new()),
            ac: std::array::from_fn(|_| Kept::new()),
            interval: 0,
        }
    }

    /// As at the start of a picture: none are set.
    pub(super) fn reset(&mut self) {
        self.divisors = [None; N_TABLES];
        self.dc.iter_mut().for_each(|kept| kept.is_set = false);
        self.ac.iter_mut().for_each(|kept| kept.is_set = false);
        self.interval = 0;
    }

    /// Reads a DQT segment.
    pub(super) fn quantization(&mut self, mut content: &[u8]) -> Result<(), TranscodeError> {
        while let Some((which, rest)) = content.split_first() {
            let Some(place) = self.divisors.get_mut(usize::from(which & 15)) else {
                return Err(TranscodeError::Damaged("a quantization table of a number above 3"));
            };
            let n_bytes = if which >> 4 == 0 { 1 } else { 2 };
            let Some((values, rest)) = rest.split_at_checked(64 * n_bytes) else { return SHORT };
            let mut divisors = [0; 64];
            for (divisor, bytes) in divisors.iter_mut().zip(values.chunks(n_bytes)) {
                *divisor = bytes.iter().fold(0, |value, byte| value << 8 | u16::from(*byte));
            }
            if divisors.contains(&0) {
                return Err(TranscodeError::Damaged("a quantization table with a zero"));
            }
            *place = Some(divisors);
            content = rest;
        }
        Ok(())
    }

    /// Reads a DHT segment.
    pub(super) fn huffman(&mut self, mut content: &[u8]) -> Result<(), TranscodeError> {
        while let Some((which, rest)) = content.split_first() {
            let n = 16 + rest.iter().take(16).map(|n| usize::from(*n)).sum::<usize>();
            let Some((table, rest)) = rest.split_at_checked(n) else { return SHORT };
            let nth = usize::from(which & 15);
            match (which >> 4, self.dc.get_mut(nth), self.ac.get_mut(nth)) {
                (0, Some(place), _) => place.set(table, Codes::new)?,
                (1, _, Some(place)) => place.set(table, RunCodes::new)?,
                _ => return Err(TranscodeError::Damaged("a Huffman table of an unknown kind")),
            }
            content = rest;
        }
        Ok(())
    }

    pub(super) fn divisors(&self, nth: u8) -> Option<[u16; 64]> {
        self.divisors.get(usize::from(nth)).copied().flatten()
    }

    /// Sees to it that the tables of a scan's component are there: many cameras leave out
    /// those of annex K.
    pub(super) fn complete(&mut self, dc: usize, ac: usize) -> Result<(), TranscodeError> {
        if let Some(place) = self.dc.get_mut(dc).filter(|place| !place.is_set)
            && let Some(content) = annex_k::huffman(0, dc)
        {
            place.set(content, Codes::new)?;
        }
        if let Some(place) = self.ac.get_mut(ac).filter(|place| !place.is_set)
            && let Some(content) = annex_k::huffman(1, ac)
        {
            place.set(content, RunCodes::new)?;
        }
        Ok(())
    }

    /// The Huffman tables of these numbers.
    pub(super) fn codes(
        &self,
        dc: usize,
        ac: usize,
    ) -> Result<(&Codes, &RunCodes), TranscodeError> {
        let dc = self.dc.get(dc).filter(|kept| kept.is_set).and_then(|kept| kept.table.as_deref());
        let ac = self.ac.get(ac).filter(|kept| kept.is_set).and_then(|kept| kept.table.as_deref());
        dc.zip(ac).ok_or(TranscodeError::Damaged("a Huffman table is missing"))
    }
}
