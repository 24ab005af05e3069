//! A zip archive of JPEGs, each named by the moment it was taken, in UTC:
//! `2026-11-21T10-15-30.123456Z.jpg`.
//!
//! After PKWARE's APPNOTE 6.3.10, whose section numbers are cited: entries are
//! stored (4.4.5), and lengths and places that do not fit into 32 bits take
//! their zip64 form (4.3.14, 4.3.15, 4.5.3).

mod headers;
mod names;

use std::io::{self, Write};

use headers::{Facts, Tail, central_header, local_header, n_central, n_local};
use names::Names;

use super::{Export, PlannedFrame, TooManyFrames, fill};

/// The central directory at the end repeats the header of each entry, so 16 bytes of
/// each entry are kept until then: 256 KiB at most, however long the recording is. A
/// larger limit would need a temporary file, and the disk may be full.
const MAX_FRAMES: u64 = 1 << 14;

/// A zip archive while it is planned and written.
#[derive(Debug, Default)]
pub(super) struct Zip {
    planned: Extent,
    written: Extent,
    names: Names,
    /// The facts of each entry that was written.
    facts: Vec<Facts>,
}

/// How large an archive is, without its tail.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    n_frames: u64,
    /// Entries with what stands before them; the place of the next one.
    n_bytes: u64,
    n_directory: u64,
}

impl Extent {
    fn with(self, name: &str, n_jpeg: u32) -> Self {
        Self {
            n_frames: self.n_frames + 1,
            n_bytes: self.n_bytes + n_local(name) + u64::from(n_jpeg),
            n_directory: self.n_directory + n_central(name, self.n_bytes),
        }
    }

    fn total(self) -> u64 {
        self.n_bytes + self.n_directory
    }
}

impl Zip {
    fn is_zip64(&self) -> bool {
        self.planned.total() >= u32::MAX.into()
    }

    fn write_directory(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut names = Names::default();
        let mut at = 0;
        for facts in &self.facts {
            let name = names.next(facts.captured);
            out.write_all(&central_header(&name, *facts, at))?;
            at += n_local(&name) + u64::from(facts.n_jpeg);
        }
        Ok(())
    }
}

impl Export for Zip {
    fn plan(&mut self, frame: &PlannedFrame) -> Result<(), TooManyFrames> {
        if self.planned.n_frames == MAX_FRAMES {
            return Err(TooManyFrames { max: MAX_FRAMES });
        }
        self.planned = self.planned.with(&self.names.next(frame.captured), frame.n_jpeg);
        Ok(())
    }

    fn n_bytes(&self) -> u64 {
        self.planned.total() + Tail::length(self.is_zip64())
    }

    fn begin(&mut self, _: (u16, u16), _: &mut dyn Write) -> io::Result<()> {
        self.names = Names::default();
        // Growing step by step would take up to twice the memory.
        self.facts.reserve_exact(usize::try_from(self.planned.n_frames).unwrap_or(0));
        Ok(())
    }

    fn frame(&mut self, captured: u64, jpeg: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let Ok(n_jpeg) = u32::try_from(jpeg.len()) else { return Ok(()) };
        // Take the name from a copy: an entry that does not fit must not use up its
        // name, or the names of the entries behind it would differ from the plan.
        let mut names = self.names;
        let name = names.next(captured);
        let with = self.written.with(&name, n_jpeg);
        if with.total() > self.planned.total() || with.n_frames > self.planned.n_frames {
            return Ok(());
        }
        let facts = Facts { captured, crc: crc32fast::hash(jpeg), n_jpeg };
        out.write_all(&local_header(&name, facts))?;
        out.write_all(jpeg)?;
        (self.written, self.names) = (with, names);
        self.facts.push(facts);
        Ok(())
    }

    fn missing(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        // The tail says where the directory begins, and the directory where
        // each entry begins, so readers ignore the bytes between the last
        // entry and the directory.
        let directory_at = self.planned.total() - self.written.n_directory;
        fill(0, directory_at - self.written.n_bytes, out)?;
        self.write_directory(out)?;
        let tail = Tail {
            n_frames: self.written.n_frames,
            n_directory: self.written.n_directory,
            directory_at,
        };
        out.write_all(&tail.to_bytes(self.is_zip64()))
    }
}
