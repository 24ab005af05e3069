//! Finds the end of a JPEG by its markers, while its bytes still arrive.

use memchr::memchr;

use super::{EOI, Error, SOI, SOS, stands_alone};

/// A walk over the markers of one JPEG. The contents of a segment (the end of a
/// thumbnail, FF D9 in a table) do not end the picture.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The bytes before this were walked over.
    at: usize,
    /// Where the segment begins that was walked over last.
    segment_at: usize,
    in_scan: bool,
    has_scan: bool,
}

/// The result of a walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Walked {
    /// The bytes do not contain the end yet.
    More,
    /// The end of the JPEG: one past EOI.
    End(usize),
    /// The bytes are no JPEG, or a damaged one.
    Bad(Error),
}

impl Default for Walk {
    /// A walk that begins behind SOI.
    fn default() -> Self {
        Self::from(2)
    }
}

impl Walk {
    /// A walk that begins at the marker at `at`.
    pub(super) fn from(at: usize) -> Self {
        Self { at, segment_at: at, in_scan: false, has_scan: false }
    }

    /// Where the walk stands: after `End` at EOI, after `Bad` at the damage.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Where a search for the next JPEG continues if this one cannot be read: at the last
    /// segment, whose length may be wrong, or in the scan, which was searched already.
    pub(super) fn resume_at(&self) -> usize {
        if self.has_scan { self.at } else { self.segment_at }
    }

    /// Whether it stands in a scan, which can break off at any byte.
    pub(super) fn is_in_scan(&self) -> bool {
        self.in_scan
    }

    /// Whether some bytes of a scan came, so that a decoder shows something.
    pub(super) fn has_scan(&self) -> bool {
        self.has_scan
    }

    /// Continues the walk. `jpeg` holds the bytes from SOI on, as far as they have
    /// arrived: those of the previous call, and perhaps more.
    pub(crate) fn advance(&mut self, jpeg: &[u8]) -> Walked {
        loop {
            let step = if self.in_scan {
                self.advance_in_scan(jpeg)
            } else {
                self.advance_over_segment(jpeg)
            };
            if let Some(end) = step {
                return end;
            }
        }
    }

    fn advance_over_segment(&mut self, jpeg: &[u8]) -> Option<Walked> {
        let rest = jpeg.get(self.at..).unwrap_or_default();
        match rest {
            // Fill bytes may precede any marker (T.81 B.1.1.2).
            [0xFF, 0xFF, ..] => self.at += 1,
            [0xFF, EOI, ..] => return Some(Walked::End(self.at + 2)),
            [0xFF, SOI | 0x00, ..] => return Some(Walked::Bad(Error::Truncated)),
            [0xFF, m, ..] if stands_alone(*m) => self.at += 2,
            [0xFF, m, l1, l0, ..] => {
                let len = 2 + usize::from(u16::from_be_bytes([*l1, *l0]));
                // A length counts its own two bytes. Less is damage, and would let the walk
                // stand still.
                if len < 4 {
                    return Some(Walked::Bad(Error::NotJpeg));
                }
                if rest.len() < len {
                    return Some(Walked::More);
                }
                self.in_scan = *m == SOS;
                self.segment_at = self.at;
                self.at += len;
            }
            [] | [0xFF, ..] => return Some(Walked::More),
            _ => return Some(Walked::Bad(Error::NotJpeg)),
        }
        None
    }

    /// Walks over entropy-coded data. There, FF is followed by 00 or by a restart marker;
    /// any other marker ends the data (T.81 B.1.1.5). A marker that cannot stand behind
    /// a scan is damage, which is skipped as decoders do.
    fn advance_in_scan(&mut self, jpeg: &[u8]) -> Option<Walked> {
        // Each byte of each picture passes here, so the search is the vectorised one.
        let Some(offset) = memchr(0xFF, jpeg.get(self.at..).unwrap_or_default()) else {
            self.has_scan |= self.at < jpeg.len();
            self.at = jpeg.len();
            return Some(Walked::More);
        };
        self.at += offset;
        let begun_at = self.at;
        match jpeg[self.at..] {
            [_, 0x00 | 0xD0..=0xD7, ..] => self.at += 2,
            [_, 0xFF, ..] => self.at += 1,
            // The marker itself is read by the next step, as one between segments.
            [_, m, ..] if may_follow_a_scan(m) => self.in_scan = false,
            [_, _, ..] => self.at += 2,
            _ => {
                self.has_scan |= offset > 0;
                return Some(Walked::More);
            }
        }
        self.has_scan |= offset > 0 || self.at > begun_at + 1;
        None
    }
}

/// Whether a marker can follow a scan: tables, another scan, a comment, EOI; and SOI,
/// if the rest of the picture was lost and another picture begins.
fn may_follow_a_scan(marker: u8) -> bool {
    matches!(marker, 0xC4 | 0xCC | 0xD8..=0xEF | 0xFE)
}
