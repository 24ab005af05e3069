//! Recordings as files: a stretch in a format of the client's choice, or a
//! segment as it is.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tiny_http::Method;

use super::connection::Connection;
use super::recordings::nothing;
use super::reply::{Code, Head, Reply};
use super::times::Period;
use crate::jpeg;
use crate::recording::{
    Cursor, Export, Format, Micros, PlannedFrame, Recording, Store, StoredFrame, TooManyFrames,
    micros, rfc3339,
};

/// Read and sent at once.
const PIECE: usize = 64 << 10;
/// Pieces smaller than this are sent with the next one.
const SMALL: usize = 4 << 10;

/// `/download`: a stretch as one file.
///
/// # Errors
/// The reply where there is nothing to send.
pub(super) fn stretch(
    recording: &Recording,
    (period, format): (Period, Format),
    client: &Connection,
    (allow_origin, timeout): (Option<&str>, Duration),
) -> Result<(), Reply> {
    let now = SystemTime::now();
    let (from, to) = period.resolve(now)?;
    // What is recorded from now on would make it longer than it says.
    let stretch = Stretch { store: recording.store(), from, to: to.min(micros(now)) };
    let mut export = format.export();
    let first =
        stretch.plan(&mut *export, format)?.ok_or_else(|| nothing(recording, "in this time"))?;
    let name =
        format!("attachment; filename=\"{}.{}\"", rfc3339(first).replace(':', "-"), format.name());
    let head = Head::new(Code::Ok, allow_origin)
        .with("Content-Type", format.content_type())
        .with("Content-Length", &export.n_bytes().to_string())
        .with("Content-Disposition", &name)
        .with("Cache-Control", "no-store")
        .finish();
    if *client.method() == Method::Head {
        report(client, client.write(&head, &[], timeout));
        return Ok(());
    }
    let mut out = Sending { client, timeout, waiting: head };
    report(client, stretch.write(&mut *export, first, &mut out).and_then(|()| out.flush()));
    Ok(())
}

/// The frames from one moment to another.
struct Stretch<'a> {
    store: &'a Arc<Store>,
    from: Micros,
    to: Micros,
}

impl Stretch<'_> {
    /// Tells a file of all frames, and when the first one was taken. `None`:
    /// there is none.
    fn plan(&self, export: &mut dyn Export, format: Format) -> Result<Option<Micros>, Reply> {
        let Some(mut cursor) = self.store.seek(self.from) else { return Ok(None) };
        let mut first = None;
        while let Some(StoredFrame { record, is_after_gap, .. }) = self.next(&mut cursor) {
            let (captured, n_jpeg) = (record.captured, record.n_jpeg());
            // Of what is damaged, a glance is enough: it will be missing again.
            if !cursor.is_sound(&record) {
                continue;
            }
            first = first.or(Some(captured));
            export
                .plan(&PlannedFrame { captured, n_jpeg, is_after_gap })
                .map_err(|e| Reply::text(Code::BadRequest, &too_many(format, e)))?;
        }
        Ok(first)
    }

    /// Hands all frames over.
    fn write(
        &self,
        export: &mut dyn Export,
        first: Micros,
        out: &mut Sending<'_>,
    ) -> io::Result<()> {
        let mut part = Vec::new();
        let mut has_begun = false;
        // What was deleted meanwhile at its beginning is missing there, and not
        // replaced by what came later.
        let mut cursor = self.store.seek(first.max(self.from));
        while let Some(cursor) = &mut cursor
            && let Some(StoredFrame { record, .. }) = self.next(cursor)
        {
            if !cursor.is_sound(&record) {
                continue;
            }
            if !cursor.read(&record, &mut part) {
                if has_begun {
                    export.missing(out)?;
                }
                continue;
            }
            let jpeg = record.jpeg(&part);
            if !has_begun {
                export.begin(jpeg::check(jpeg).map_or((0, 0), |i| (i.width, i.height)), out)?;
                has_begun = true;
            }
            export.frame(record.captured, jpeg, out)?;
        }
        if !has_begun {
            export.begin((0, 0), out)?;
        }
        export.finish(out)
    }

    fn next(&self, cursor: &mut Cursor) -> Option<StoredFrame> {
        cursor.next().filter(|entry| entry.record.captured <= self.to)
    }
}

/// What to do instead, where a format cannot hold all pictures of a stretch.
fn too_many(format: Format, TooManyFrames { max }: TooManyFrames) -> String {
    let others = match format {
        Format::Zip => "format=avi, or format=mjpeg",
        Format::Avi | Format::Mjpeg => "format=mjpeg",
    };
    let name = format.name();
    format!(
        "format={name} holds at most {max} pictures, and there are more from `from` to `to`; \
         choose a shorter stretch, or {others}"
    )
}

fn report(client: &Connection, end: io::Result<()>) {
    match end {
        Ok(()) => {}
        // Said of the recording, not by the socket.
        Err(e) if e.kind() == io::ErrorKind::Other => {
            log::warn!("{}: a download was broken off: {e}", client.peer());
        }
        Err(e) => log::debug!("{}: download not taken: {e}", client.peer()),
    }
}

/// Puts small pieces together.
struct Sending<'a> {
    client: &'a Connection,
    timeout: Duration,
    waiting: Vec<u8>,
}

impl Write for Sending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() < SMALL {
            self.waiting.extend_from_slice(bytes);
            if self.waiting.len() >= PIECE {
                self.flush()?;
            }
        } else {
            self.client.write(&self.waiting, bytes, self.timeout)?;
            self.waiting.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.client.write(&self.waiting, &[], self.timeout)?;
        self.waiting.clear();
        Ok(())
    }
}

/// `/recordings/NAME`: a segment, or a range of its bytes (RFC 9110 14).
///
/// # Errors
/// The reply where there is no such segment or range.
pub(super) fn segment(
    recording: &Recording,
    name: &str,
    client: &Connection,
    (allow_origin, timeout): (Option<&str>, Duration),
) -> Result<(), Reply> {
    let file = recording.store().segment_file(name).ok_or_else(|| {
        Reply::text(Code::NotFound, "no such segment; names are in /recordings?segments=1")
    })?;
    let n_bytes = file.segment.n_bytes;
    // Without a validator of ours, If-Range never matches.
    let wanted = client.header("Range").filter(|_| client.header("If-Range").is_none());
    let (code, from, to) = match wanted.map_or(Range::Whole, |text| Range::parse(text, n_bytes)) {
        Range::Whole => (Code::Ok, 0, n_bytes),
        Range::Part(from, to) => (Code::PartialContent, from, to),
        Range::Outside => {
            let text = format!("the segment has {n_bytes} bytes");
            return Err(Reply::text(Code::RangeNotSatisfiable, &text)
                .with("Content-Range", format!("bytes */{n_bytes}")));
        }
    };
    let mut head = Head::new(code, allow_origin)
        .with("Content-Type", "application/octet-stream")
        .with("Content-Length", &(to - from).to_string())
        .with("Content-Disposition", &format!("attachment; filename=\"{}\"", file.segment.name()))
        .with("Accept-Ranges", "bytes")
        .with("Cache-Control", "no-store");
    if code == Code::PartialContent {
        head = head.with("Content-Range", &format!("bytes {from}-{}/{n_bytes}", to - 1));
    }
    let sent = client.write(&head.finish(), &[], timeout);
    if *client.method() == Method::Head {
        report(client, sent);
        return Ok(());
    }
    report(client, sent.and_then(|()| copy(&file.data, from, to, client, timeout)));
    Ok(())
}

fn copy(
    file: &std::fs::File,
    mut at: u64,
    to: u64,
    client: &Connection,
    timeout: Duration,
) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let mut piece = vec![0; PIECE];
    while at < to {
        let room = usize::try_from(to - at).unwrap_or(PIECE).min(PIECE);
        let n = file.read_at(&mut piece[..room], at)?;
        if n == 0 {
            return Err(io::Error::other("the segment was cut while it was sent"));
        }
        client.write(&piece[..n], &[], timeout)?;
        at += n as u64;
    }
    Ok(())
}

/// What a Range header asks for.
#[derive(Debug, PartialEq)]
enum Range {
    /// All, also where the header is none that we take.
    Whole,
    /// From the first byte to the one behind the last.
    Part(u64, u64),
    Outside,
}

impl Range {
    fn parse(text: &str, n_bytes: u64) -> Self {
        let Some((first, last)) = text.strip_prefix("bytes=").and_then(|r| r.split_once('-'))
        else {
            return Self::Whole;
        };
        // Several ranges may be answered by the whole (RFC 9110 14.2).
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let (from, to) = match (number(first), number(last)) {
            (Some(from), Some(last)) if last >= from => (from, last.saturating_add(1)),
            (Some(from), None) if last.trim().is_empty() => (from, n_bytes),
            (None, Some(0)) if first.trim().is_empty() => return Self::Outside,
            (None, Some(n)) if first.trim().is_empty() => (n_bytes.saturating_sub(n), n_bytes),
            _ => return Self::Whole,
        };
        if from >= n_bytes { Self::Outside } else { Self::Part(from, to.min(n_bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_standard() {
        for (text, range) in [
            ("bytes=0-0", Range::Part(0, 1)),
            ("bytes=10-19", Range::Part(10, 20)),
            ("bytes=90-", Range::Part(90, 100)),
            ("bytes=90-1000", Range::Part(90, 100)),
            ("bytes=-10", Range::Part(90, 100)),
            ("bytes=-1000", Range::Part(0, 100)),
            ("bytes=100-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=5-4", Range::Whole),
            ("bytes=0-1,5-6", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=x-y", Range::Whole),
            ("lines=0-1", Range::Whole),
            ("bytes=0-18446744073709551615", Range::Part(0, 100)),
        ] {
            assert_eq!(Range::parse(text, 100), range, "{text}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Range::Outside);
    }
}
