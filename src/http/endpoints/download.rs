//! `/download`: a stretch of the recording as one file, in a format of the
//! client's choice.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::http::context::Context;
use crate::http::recorded::{nothing, recording};
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::transport::Connection;
use crate::jpeg;
use crate::recording::{
    Cursor, END, Entry, Export, Format, Library, Micros, Planned, TooMany, micros, rfc3339,
};

/// Bytes that are collected before they are sent.
const PIECE: usize = 64 << 10;
/// Pieces smaller than this are sent with the next one.
const SMALL: usize = 4 << 10;

/// # Errors
/// 404 where nothing was recorded, 400 for a value that cannot be or too many
/// pictures.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let query = request.query();
    let name = query.text("format");
    let format = Format::parse(name.as_deref().unwrap_or("avi"))
        .ok_or_else(|| Reply::bad_request("format: use avi, mjpeg or zip"))?;
    let period = query.period()?;
    let recording = recording(&request.camera)?;
    let now = SystemTime::now();
    let (from, to) = period.resolve(now)?;
    // What is recorded from now on would make it longer than it says.
    let stretch = Stretch { library: recording.library(), from, to: to.min(micros(now)) };
    let mut export = format.export();
    let first = stretch.plan(&mut *export)?.ok_or_else(|| nothing(recording, "in this time"))?;
    let n_scratch_bytes = export.n_scratch_bytes();
    if n_scratch_bytes > 0 {
        let file = recording.library().scratch(n_scratch_bytes).map_err(|e| {
            let format = format.name();
            let text = format!(
                "a {format} of so many pictures needs room for its list: {e}; choose a shorter \
                 time, or format=mjpeg"
            );
            Reply::text(Code::Unavailable, &text)
        })?;
        export.take_scratch(file);
    }
    let name =
        format!("attachment; filename=\"{}.{}\"", rfc3339(first).replace(':', "-"), format.name());
    let head = context
        .head(Code::Ok)
        .with("Content-Type", format.content_type())
        .with("Content-Length", &export.n_bytes().to_string())
        .with("Content-Disposition", &name)
        .with("Cache-Control", "no-store")
        .finish();
    let (connection, timeout) = (&request.connection, context.config.write_timeout);
    if request.is_head() {
        request.log_end(connection.write(&head, &[], timeout));
        return Ok(());
    }
    let mut out = Sending { connection, timeout, waiting: head };
    request.log_end(stretch.write(&mut *export, first, &mut out).and_then(|()| out.flush()));
    Ok(())
}

/// The frames from one moment to another.
struct Stretch<'a> {
    library: &'a Arc<Library>,
    from: Micros,
    to: Micros,
}

impl Stretch<'_> {
    /// Announces all frames to a file. Returns when the first one was taken, or
    /// `None` if there is none.
    fn plan(&self, export: &mut dyn Export) -> Result<Option<Micros>, Reply> {
        let Some(mut cursor) = self.library.seek(self.from) else { return Ok(None) };
        let mut first = None;
        while let Some(Entry { record, is_after_gap, .. }) = self.next(&mut cursor) {
            let (captured, n_jpeg) = (record.captured, record.n_jpeg());
            // A record that is unsound now is skipped by `write` too.
            if !cursor.is_sound(&record) {
                continue;
            }
            first = first.or(Some(captured));
            export.plan(&Planned { captured, n_jpeg, is_after_gap }).map_err(|TooMany(n)| {
                let text = format!("this is more than {n} pictures; choose less, or format=mjpeg");
                Reply::bad_request(&text)
            })?;
        }
        Ok(first)
    }

    /// Writes all frames.
    fn write(
        &self,
        export: &mut dyn Export,
        first: Micros,
        out: &mut Sending<'_>,
    ) -> io::Result<()> {
        let mut part = Vec::new();
        let mut has_begun = false;
        // Frames that were deleted meanwhile are missing at the beginning; later
        // ones do not move up, as the length was announced.
        let mut cursor = self.library.seek(first.max(self.from));
        while let Some(cursor) = &mut cursor
            && let Some(Entry { record, .. }) = self.next(cursor)
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
            let jpeg = &part[record.n_head.into()..part.len() - END.len()];
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

    fn next(&self, cursor: &mut Cursor) -> Option<Entry> {
        cursor.next().filter(|entry| entry.record.captured <= self.to)
    }
}

/// Puts small pieces together.
struct Sending<'a> {
    connection: &'a Connection,
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
            self.connection.write(&self.waiting, bytes, self.timeout)?;
            self.waiting.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.connection.write(&self.waiting, &[], self.timeout)?;
        self.waiting.clear();
        Ok(())
    }
}
