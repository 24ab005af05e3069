//! Checks a JPEG before it is published, and lists what must be changed in it.

use std::ops::Range;

use super::app::{self, Action};
use super::exif::{self, Orientation};
use super::{APP1, DHT, EOI, Error, SOI, SOS, Walk, Walked};
use super::{is_frame_header, stands_alone, unsupported_coding};

/// The result of a check.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Info {
    /// As the JPEG is coded, before a browser turns it.
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// How a browser turns it, if EXIF says so.
    pub(crate) orientation: Option<Orientation>,
    /// The length up to and including EOI. Behind it, cameras put padding and phones
    /// put more pictures. Without EOI, the length up to where the picture breaks off.
    pub(crate) len: usize,
    pub(crate) has_end: bool,
    /// Changes of segments that keep some clients from reading the picture, by position.
    pub(crate) edits: Vec<Edit>,
    /// Where to insert the Huffman tables, if they are missing.
    pub(crate) lacks_tables_at: Option<usize>,
}

/// A segment, and what replaces it: never more bytes than before.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) by: Vec<u8>,
}

impl Info {
    /// Width and height as a browser shows it, which turns a picture as its
    /// EXIF says.
    pub(crate) fn shown_size(&self) -> (u16, u16) {
        match self.orientation {
            Some(orientation) if orientation.swaps_sides() => (self.height, self.width),
            _ => (self.width, self.height),
        }
    }
}

/// How many bytes before a JPEG are skipped, as in ffmpeg: a second SOI, a line end, a
/// proprietary header.
const MAX_BEFORE: usize = 64;

/// The offset of the JPEG in these bytes; 0 if they contain no JPEG.
pub(crate) fn n_before(bytes: &[u8]) -> usize {
    if matches!(bytes, [0xFF, SOI, 0xFF, m, ..] if *m != SOI) {
        return 0;
    }
    let is_start = |w: &[u8]| w[..3] == [0xFF, SOI, 0xFF] && w[3] != SOI;
    bytes.windows(4).take(MAX_BEFORE + 1).position(is_start).unwrap_or(0)
}

/// Checks the headers of a JPEG, and walks over all markers to find its end.
///
/// # Errors
/// Why the bytes are no JPEG with a size and at least a part of a scan.
pub(crate) fn check(jpeg: &[u8]) -> Result<Info, Error> {
    let headers = Headers::read(jpeg)?;
    let (len, has_end) = end(jpeg, headers.end)?;
    headers.finish(len, has_end)
}

/// As [`check`], for bytes that a [`Walk`] has gone over: they end with EOI, so the
/// scan is not read again.
///
/// # Errors
/// As of [`check`].
pub(crate) fn check_whole(jpeg: &[u8]) -> Result<Info, Error> {
    Headers::read(jpeg)?.finish(jpeg.len(), true)
}

/// The contents of the segments before the first scan.
#[derive(Default)]
struct Headers {
    size: (u16, u16),
    fault: Option<Error>,
    orientation: Option<Orientation>,
    edits: Vec<Edit>,
    /// Where the parts of a colour profile are, and whether they must be removed.
    profile: Vec<Range<usize>>,
    profile_must_go: bool,
    has_tables: bool,
    /// Where the first scan begins.
    end: usize,
}

impl Headers {
    fn read(jpeg: &[u8]) -> Result<Self, Error> {
        match jpeg {
            [] => return Err(Error::Empty),
            [0xFF, SOI, 0xFF, ..] => {}
            _ => return Err(Error::NotJpeg),
        }
        let mut headers = Self { end: 2, ..Self::default() };
        while let Some((marker, segment)) = segment(jpeg, headers.end)? {
            headers.add(marker, &jpeg[segment.clone()], headers.end..segment.end)?;
            headers.end = segment.end;
        }
        Ok(headers)
    }

    /// Adds a segment: its bytes from the length on, and its place with the marker.
    fn add(&mut self, marker: u8, segment: &[u8], place: Range<usize>) -> Result<(), Error> {
        if is_frame_header(marker) {
            let [_, _, bits, h1, h0, w1, w0, ..] = *segment else { return Err(Error::NotJpeg) };
            self.size = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
            self.fault = unsupported_coding(marker, bits);
        } else if matches!(marker, 0xE0..=0xEF | 0xFE) {
            if marker == APP1 && self.orientation.is_none() {
                self.orientation = exif::orientation(segment.get(2..).unwrap_or_default());
            }
            match app::action(marker, segment, self.orientation) {
                Action::Keep => {}
                Action::Replace(by) => self.edits.push(Edit { range: place, by }),
                Action::Profile { must_go } => {
                    self.profile.push(place);
                    self.profile_must_go |= must_go;
                }
            }
        }
        self.has_tables |= marker == DHT;
        Ok(())
    }

    fn finish(mut self, len: usize, has_end: bool) -> Result<Info, Error> {
        let (width, height) = self.size;
        if width == 0 || height == 0 {
            return Err(Error::NotJpeg);
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.profile_must_go {
            let gone = self.profile.drain(..).map(|range| Edit { range, by: Vec::new() });
            self.edits.extend(gone);
            self.edits.sort_unstable_by_key(|edit| edit.range.start);
        }
        Ok(Info {
            width,
            height,
            orientation: self.orientation,
            len,
            has_end,
            edits: self.edits,
            lacks_tables_at: (!self.has_tables).then_some(self.end),
        })
    }
}

/// The marker at `at`, and the place of its segment with the length bytes; `None` if
/// the first scan begins there.
pub(super) fn segment(jpeg: &[u8], at: usize) -> Result<Option<(u8, Range<usize>)>, Error> {
    let fill = jpeg[at.min(jpeg.len())..].iter().take_while(|b| **b == 0xFF).count();
    let marker_at = at + fill;
    match (fill, jpeg.get(marker_at..)) {
        (0, Some([_, ..])) => Err(Error::NotJpeg),
        (_, Some([SOS, ..])) => Ok(None),
        // Another picture begins within the headers, which no decoder shows (libjpeg: "two
        // SOI markers"). It has no length: what follows it is no segment of that name.
        (_, Some([SOI, ..])) => Err(Error::NotJpeg),
        (_, Some([m, ..])) if stands_alone(*m) => Ok(Some((*m, marker_at + 1..marker_at + 1))),
        (_, Some([m, l1, l0, ..])) => {
            let start = marker_at + 1;
            let end = start + usize::from(u16::from_be_bytes([*l1, *l0]));
            if end > jpeg.len() { Err(Error::Truncated) } else { Ok(Some((*m, start..end))) }
        }
        _ => Err(Error::Truncated),
    }
}

/// The end of a JPEG whose first scan begins at `scan`, and whether EOI is there; it
/// is one past EOI, or where the picture breaks off.
fn end(jpeg: &[u8], scan: usize) -> Result<(usize, bool), Error> {
    let mut walk = Walk::from(scan);
    let cut = match walk.advance(jpeg) {
        Walked::End(end) => return Ok((end, true)),
        // Another picture begins inside this one, so its rest is lost.
        Walked::Bad(Error::Truncated) => walk.at(),
        // The picture was damaged in transmission. Decoders show it nevertheless, so
        // take the last EOI as its end.
        Walked::More | Walked::Bad(_) => {
            let rest = jpeg.get(walk.at()..).unwrap_or_default();
            if let Some(at) = memchr::memmem::rfind(rest, &[0xFF, EOI]) {
                return Ok((walk.at() + at + 2, true));
            }
            // Fill bytes may stand before any marker, also before EOI.
            let is_fill = rest.iter().all(|b| *b == 0xFF);
            if walk.is_in_scan() || is_fill { jpeg.len() } else { walk.at() }
        }
    };
    if walk.has_scan() { Ok((cut, false)) } else { Err(Error::Truncated) }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
