//! `/recordings/frames.csv`: a row a recorded frame, made while it is sent.

use std::fmt::Write;
use std::io;

use crate::http::context::Context;
use crate::http::recorded::{nothing, recording};
use crate::http::reply::{Code, Reply};
use crate::http::request::{Request, TIMEOUT};
use crate::http::stretch;
use crate::recording::rfc3339;

/// Rows are sent when they fill this.
const BATCH_BYTES: usize = 16 << 10;

/// # Errors
/// 404 where there is nothing to list.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let recording = recording(&request.camera)?;
    let (from, to) = stretch::period(context, request)?;
    let none = || nothing(recording, "in this time");
    let mut cursor = recording.store().seek(from).ok_or_else(none)?;
    let mut entry = cursor.next().filter(|entry| entry.record.captured <= to);
    // The first row is looked up before the head is sent, while a 404 can still be
    // said.
    if entry.is_none() {
        return Err(none());
    }
    let head = context
        .head(Code::Ok)
        // No Content-Length: the rows are made while they are sent, and the end of the
        // connection ends them. A list of a million frames has some 90 MB.
        .with("Content-Type", "text/csv; charset=utf-8; header=present")
        .with("Cache-Control", "no-store")
        .finish();
    if request.is_head() {
        request.send(&head, &[], TIMEOUT);
        return Ok(());
    }
    let mut rows = Rows { request, head, text: HEADINGS.to_owned() };
    let (mut name, mut named) = (String::new(), None);
    while let Some(found) = entry {
        let record = found.record;
        if named != Some(found.segment) {
            // Made once a segment and not once a row, as it is formatted from its time.
            name = cursor.segment_name().unwrap_or_default();
            named = Some(found.segment);
        }
        // Writing to a String does not fail.
        let _ = write!(
            rows.text,
            "{},{},{},{name},{},{}\r\n",
            rfc3339(record.captured),
            record.seq,
            record.n_jpeg(),
            record.offset,
            u8::from(found.is_after_gap)
        );
        if rows.text.len() >= BATCH_BYTES
            && let Err(e) = rows.send()
        {
            request.log_end(Err(e));
            return Ok(());
        }
        entry = cursor.next().filter(|entry| entry.record.captured <= to);
    }
    request.log_end(rows.send());
    Ok(())
}

const HEADINGS: &str = "time,seq,jpeg_bytes,segment,offset,gap\r\n";

/// Rows that were not sent yet; before the first ones the head.
struct Rows<'a> {
    request: &'a Request,
    head: Vec<u8>,
    text: String,
}

impl Rows<'_> {
    fn send(&mut self) -> io::Result<()> {
        self.request.connection.write(&self.head, self.text.as_bytes(), TIMEOUT)?;
        self.head.clear();
        self.text.clear();
        Ok(())
    }
}
