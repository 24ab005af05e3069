//! The tables of a source, as its segments define them.

use super::ac_table::AcTable;
use super::huffman_table::HuffmanTable;
use crate::annex_k;
use crate::error::TranscodeError;

/// Tables of one kind that a picture may have.
const N_TABLES: usize = 4;

/// What DHT, DQT and DRI have said.
pub(super) struct Tables {
    divisors: [Option<[u16; 64]>; N_TABLES],
    dc: [CachedTable<HuffmanTable>; N_TABLES],
    ac: [CachedTable<AcTable>; N_TABLES],
    /// MCUs between two restart markers; 0 for none.
    pub(super) interval: usize,
}

/// A Huffman table that is kept from picture to picture: cameras send the same table with
/// each picture, and building it takes longer than reading a small picture.
struct CachedTable<T> {
    /// Counts and symbols, as in DHT.
    content: Vec<u8>,
    /// Whether this picture has set it.
    is_set: bool,
    /// Built when a scan uses it: a damaged picture may define thousands.
    table: Option<Box<T>>,
}

impl<T> CachedTable<T> {
    fn new() -> Self {
        Self { content: Vec::new(), is_set: false, table: None }
    }

    fn set(&mut self, content: &[u8]) {
        self.is_set = true;
        if self.content != content {
            self.table = None;
            self.content.clear();
            self.content.extend_from_slice(content);
        }
    }

    /// Builds the table if necessary. Many cameras leave out those of annex K.
    fn complete(
        &mut self,
        annex_k: Option<&[u8]>,
        make: impl FnOnce(&[u8; 16], &[u8]) -> Result<T, TranscodeError>,
    ) -> Result<(), TranscodeError> {
        match annex_k {
            Some(content) if !self.is_set => self.set(content),
            _ if !self.is_set => return Err(MISSING),
            _ => {}
        }
        if self.table.is_none() {
            let Some((lengths, symbols)) = self.content.split_first_chunk() else { return SHORT };
            self.table = Some(Box::new(make(lengths, symbols)?));
        }
        Ok(())
    }
}

const MISSING: TranscodeError = TranscodeError::Damaged("a Huffman table is missing");
const SHORT: Result<(), TranscodeError> = Err(TranscodeError::Damaged("a segment is too short"));

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            divisors: [None; N_TABLES],
            dc: std::array::from_fn(|_| CachedTable::new()),
            ac: std::array::from_fn(|_| CachedTable::new()),
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
                (0, Some(place), _) => place.set(table),
                (1, _, Some(place)) => place.set(table),
                _ => return Err(TranscodeError::Damaged("a Huffman table of an unknown kind")),
            }
            content = rest;
        }
        Ok(())
    }

    pub(super) fn divisors(&self, nth: u8) -> Option<[u16; 64]> {
        self.divisors.get(usize::from(nth)).copied().flatten()
    }

    /// Builds the Huffman tables of these numbers, for a scan.
    pub(super) fn complete(&mut self, dc: usize, ac: usize) -> Result<(), TranscodeError> {
        let dc_table = self.dc.get_mut(dc).ok_or(MISSING)?;
        dc_table.complete(annex_k::huffman(0, dc), HuffmanTable::new)?;
        let ac_table = self.ac.get_mut(ac).ok_or(MISSING)?;
        ac_table.complete(annex_k::huffman(1, ac), AcTable::new)
    }

    /// The Huffman tables of these numbers, which were completed.
    pub(super) fn for_component(
        &self,
        dc: usize,
        ac: usize,
    ) -> Result<(&HuffmanTable, &AcTable), TranscodeError> {
        let dc = self.dc.get(dc).and_then(|kept| kept.table.as_deref());
        let ac = self.ac.get(ac).and_then(|kept| kept.table.as_deref());
        dc.zip(ac).ok_or(MISSING)
    }
}
