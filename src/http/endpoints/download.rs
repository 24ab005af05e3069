//! `/download`: a stretch of the recording as one file, in a format of the
//! client's choice.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::http::context::Context;
use crate::http::recorded::{nothing, recording};
use crate::http::reply::{Code, RECORDED_PICTURES, Reply};
use crate::http::request::Request;
use crate::http::stretch;
use crate::http::transport::Connection;
use crate::jpeg;
use crate::recording::{
    Cursor, Export, Format, Micros, PlannedFrame, Store, StoredFrame, TooManyFrames, micros,
    rfc3339,
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
    let recording = recording(&request.camera)?;
    let (from, to) = stretch::period(context, request)?;
    // What is recorded from now on would make it longer than it says.
    let stretch = Stretch { store: recording.store(), from, to: to.min(micros(SystemTime::now())) };
    // All frames are planned before the first byte goes out: the length is announced,
    // so that a client sees a broken download, and no file is kept here meanwhile.
    let mut export = format.export();
    let first =
        stretch.plan(&mut *export, format)?.ok_or_else(|| nothing(recording, "in this time"))?;
    let name =
        format!("attachment; filename=\"{}.{}\"", rfc3339(first).replace(':', "-"), format.name());
    let head = context
        .head(Code::Ok)
        .with("Content-Type", format.content_type())
        .with("Content-Length", &export.n_bytes().to_string())
        .with("Content-Disposition", &name)
        .with("Cache-Control", RECORDED_PICTURES)
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
    store: &'a Arc<Store>,
    from: Micros,
    to: Micros,
}

impl Stretch<'_> {
    /// Announces all frames to a file. Returns when the first one was taken, or
    /// `None` if there is none.
    fn plan(&self, export: &mut dyn Export, format: Format) -> Result<Option<Micros>, Reply> {
        let Some(mut cursor) = self.store.seek(self.from) else { return Ok(None) };
        let mut first = None;
        while let Some(StoredFrame { record, is_after_gap, .. }) = self.next(&mut cursor) {
            let (captured, n_jpeg) = (record.captured, record.n_jpeg());
            // A record that is unsound now is skipped by `write` too.
            if !cursor.is_sound(&record) {
                continue;
            }
            first = first.or(Some(captured));
            export
                .plan(&PlannedFrame { captured, n_jpeg, is_after_gap })
                .map_err(|e| Reply::bad_request(&too_many(format, e)))?;
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
