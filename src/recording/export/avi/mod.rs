//! AVI with one JPEG a frame.
//!
//! Up to 1 GiB it follows Microsoft's "AVI RIFF File Reference": one RIFF with
//! an index `idx1`. A larger file goes on in further RIFFs, as in "OpenDML AVI
//! File Format Extensions" 1.02: each RIFF has an index `ix00`, and the head has
//! an index of these, `indx`. The first RIFF has `idx1` too, for players that do
//! not know OpenDML.
//!
//! An AVI has one frame rate. It is the mean of the recording without its gaps, so
//! the total duration is right, while a single frame may be shown for a longer or
//! shorter time than it lasted in the recording.

mod head;
mod index;

use std::io::{self, Write};

use head::{FRAME, IndexPlace, N_CHUNK_HEAD, N_LIST_HEAD, open_list};
use index::Entry;

use super::pace::{Pace, Rate};
use super::{Export, PlannedFrame, TooManyFrames, fill};

/// The largest size of one RIFF. A larger file continues in another RIFF.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of frames and indexes together.
    pub(super) n_bytes: u32,
    pub(super) n_frames: u32,
}

impl Limits {
    /// 1 GiB, less 1 MiB for the head and its index of indexes (16 bytes for
    /// each further RIFF). The index of the frames takes 1 MiB of memory, enough
    /// for over an hour at 30 fps.
    pub(super) const STANDARD: Self = Self { n_bytes: (1 << 30) - (1 << 20), n_frames: 1 << 17 };
}

/// What the head says of the whole file.
#[derive(Clone, Copy, Debug)]
struct Summary {
    size: (u16, u16),
    rate: Rate,
    n_frames: u32,
    /// Frames in the first RIFF.
    n_first: u32,
    /// Bytes of the largest chunk.
    largest: u32,
}

/// The frames of one RIFF.
#[derive(Clone, Copy, Debug, Default)]
struct Riff {
    n_frames: u32,
    /// Bytes of their chunks.
    n_bytes: u32,
}

/// An AVI while it is planned and written.
#[derive(Debug)]
pub(super) struct Avi {
    limits: Limits,
    pace: Pace,
    riffs: Vec<Riff>,
    n_frames: u32,
    largest: u32,
    /// How many RIFFs were begun, and the planned room that is left in the last one.
    n_begun: usize,
    room: Riff,
    entries: Vec<Entry>,
    /// Bytes written so far, and the place of the last word `movi`.
    at: u64,
    movi_at: u64,
}

impl Avi {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            pace: Pace::default(),
            riffs: vec![Riff::default()],
            n_frames: 0,
            largest: 0,
            n_begun: 0,
            room: Riff::default(),
            entries: Vec::new(),
            at: 0,
            movi_at: 0,
        }
    }

    fn is_open_dml(&self) -> bool {
        self.riffs.len() > 1
    }

    /// Length of the list `movi` behind its first twelve bytes.
    fn n_movi(&self, riff: Riff) -> u32 {
        riff.n_bytes + if self.is_open_dml() { index::n_standard(riff.n_frames) } else { 0 }
    }

    /// The bytes of RIFF number `i`, with its head.
    fn n_riff(&self, i: usize) -> u64 {
        let (riff, n_headers) = (self.riffs[i], self.n_headers());
        let first = if i == 0 { n_headers + u64::from(index::n_old(riff.n_frames)) } else { 0 };
        // The head of the RIFF, and that of its list `movi`.
        2 * N_LIST_HEAD + u64::from(self.n_movi(riff)) + first
    }

    fn n_headers(&self) -> u64 {
        head::n_headers(self.is_open_dml().then_some(self.riffs.len()))
    }

    /// Where the index of each RIFF will be.
    fn indexes(&self) -> Vec<IndexPlace> {
        let mut start = 0;
        let place = |(i, riff): (usize, &Riff)| {
            let head = 2 * N_LIST_HEAD + if i == 0 { self.n_headers() } else { 0 };
            let at = start + head + u64::from(riff.n_bytes);
            start += self.n_riff(i);
            IndexPlace { at, n_bytes: index::n_standard(riff.n_frames), n_frames: riff.n_frames }
        };
        self.riffs.iter().enumerate().map(place).collect()
    }

    fn write(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.at += bytes.len() as u64;
        out.write_all(bytes)
    }

    /// Begins a RIFF: its head, `headers` and the head of its list of frames.
    fn begin_riff(&mut self, headers: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let riff = self.riffs[self.n_begun];
        let kind = if self.n_begun == 0 { b"AVI " } else { b"AVIX" };
        let n_riff = u32::try_from(self.n_riff(self.n_begun) - N_LIST_HEAD).unwrap_or(u32::MAX);
        let movi = open_list(b"LIST", b"movi", self.n_movi(riff));
        let head = [open_list(b"RIFF", kind, n_riff).as_slice(), headers, &movi].concat();
        self.write(&head, out)?;
        // The word `movi` is the last one written. The indexes count from it.
        self.movi_at = self.at - 4;
        self.n_begun += 1;
        self.room = riff;
        self.entries = Vec::with_capacity(riff.n_frames as usize);
        Ok(())
    }

    /// Ends a RIFF: fills the place of missing frames and writes its indexes.
    fn end_riff(&mut self, out: &mut dyn Write) -> io::Result<()> {
        // The head has announced the number of frames, so the index must have that many.
        while self.room.n_frames > 0 {
            self.repeat(out)?;
        }
        // `fits` has kept the room either 0 or large enough for the head of this chunk.
        if let Some(n_junk) = self.room.n_bytes.checked_sub(N_CHUNK_HEAD) {
            self.write(&[*b"JUNK", n_junk.to_le_bytes()].concat(), out)?;
            fill(0, n_junk.into(), out)?;
            self.at += u64::from(n_junk);
        }
        if self.is_open_dml() {
            self.write(&index::standard(&self.entries, self.movi_at), out)?;
        }
        if self.n_begun == 1 {
            self.write(&index::old(&self.entries), out)?;
        }
        Ok(())
    }

    /// Goes on to the RIFF that has room for the next frame. `false`: none has.
    fn make_room(&mut self, out: &mut dyn Write) -> io::Result<bool> {
        if self.room.n_frames == 0 && self.n_begun < self.riffs.len() {
            self.end_riff(out)?;
            self.begin_riff(&[], out)?;
        }
        Ok(self.room.n_frames > 0)
    }

    /// Whether a chunk fits, and leaves no room or enough for the head of a
    /// `JUNK` chunk, which fills the room of missing frames.
    fn fits(&self, n_chunk: u32) -> bool {
        let rest = self.room.n_bytes.checked_sub(n_chunk);
        rest.is_some_and(|rest| rest == 0 || rest >= N_CHUNK_HEAD)
    }

    /// Writes a frame without bytes: the index points to the frame before again.
    /// An index cannot point into another RIFF, so at the start of one it is an
    /// empty chunk.
    fn repeat(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.entries.is_empty() && self.fits(N_CHUNK_HEAD) {
            return self.put(&[], out);
        }
        let none = Entry { offset: 4, n_jpeg: 0 };
        self.entries.push(self.entries.last().copied().unwrap_or(none));
        self.room.n_frames -= 1;
        Ok(())
    }

    fn put(&mut self, jpeg: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let n_jpeg = u32::try_from(jpeg.len()).unwrap_or(u32::MAX);
        let offset = u32::try_from(self.at - self.movi_at).unwrap_or(u32::MAX);
        self.entries.push(Entry { offset, n_jpeg });
        self.room.n_frames -= 1;
        self.room.n_bytes -= n_chunk(n_jpeg);
        self.write(&[*FRAME, n_jpeg.to_le_bytes()].concat(), out)?;
        self.write(jpeg, out)?;
        // Chunks must begin at even places.
        self.write(&[0][..jpeg.len() % 2], out)
    }
}

/// Length of a frame's chunk.
fn n_chunk(n_jpeg: u32) -> u32 {
    N_CHUNK_HEAD + n_jpeg.next_multiple_of(2)
}

impl Export for Avi {
    fn plan(&mut self, frame: &PlannedFrame) -> Result<(), TooManyFrames> {
        // The head counts frames in 32 bits.
        let most = u64::from(u32::MAX - self.limits.n_frames);
        if u64::from(self.n_frames) == most {
            return Err(TooManyFrames { max: most });
        }
        self.pace.add(frame.captured, frame.is_after_gap);
        let n_chunk = n_chunk(frame.n_jpeg);
        let n_indexes = index::N_STANDARD_ENTRY + index::N_OLD_ENTRY;
        let is_full = |riff: &Riff| {
            let n_bytes = riff.n_bytes + n_chunk + (riff.n_frames + 1) * n_indexes;
            let is_over = n_bytes > self.limits.n_bytes || riff.n_frames == self.limits.n_frames;
            riff.n_frames > 0 && is_over
        };
        if self.riffs.last().is_none_or(is_full) {
            self.riffs.push(Riff::default());
        }
        if let Some(riff) = self.riffs.last_mut() {
            riff.n_frames += 1;
            riff.n_bytes += n_chunk;
        }
        self.n_frames += 1;
        self.largest = self.largest.max(n_chunk);
        Ok(())
    }

    fn n_bytes(&self) -> u64 {
        (0..self.riffs.len()).map(|i| self.n_riff(i)).sum()
    }

    fn begin(&mut self, size: (u16, u16), out: &mut dyn Write) -> io::Result<()> {
        let summary = Summary {
            size,
            rate: self.pace.rate(),
            n_frames: self.n_frames,
            n_first: self.riffs[0].n_frames,
            largest: self.largest,
        };
        let headers = head::headers(&summary, &self.indexes());
        self.begin_riff(&headers, out)
    }

    fn frame(&mut self, _: u64, jpeg: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if !self.make_room(out)? {
            return Ok(());
        }
        let fits =
            u32::try_from(jpeg.len()).is_ok_and(|n| n <= self.largest && self.fits(n_chunk(n)));
        if fits { self.put(jpeg, out) } else { self.repeat(out) }
    }

    fn missing(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.make_room(out)? { self.repeat(out) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.end_riff(out)?;
        while self.n_begun < self.riffs.len() {
            self.begin_riff(&[], out)?;
            self.end_riff(out)?;
        }
        Ok(())
    }
}
