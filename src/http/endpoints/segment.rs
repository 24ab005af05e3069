//! `/recordings/NAME`: a segment as it is on disk, or a range of its bytes
//! (RFC 9110 14).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use crate::http::context::Context;
use crate::http::recorded::recording;
use crate::http::reply::{Code, IMMUTABLE, RECORDED_PICTURES, Reply};
use crate::http::request::Request;
use crate::http::transport::Connection;
use crate::recording::Segment;

/// Bytes that are read and sent at once.
const PIECE: usize = 64 << 10;

/// # Errors
/// 404 where there is no such segment, 416 where it has no such range.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let name = request.path_behind("/recordings/");
    let store = recording(&request.camera)?.store();
    let file = store.segment_file(name).ok_or_else(|| {
        Reply::text(Code::NotFound, "no such segment; names are in /recordings?segments=1")
    })?;
    let n_bytes = file.segment.n_bytes;
    let connection = &request.connection;
    // No other segment ever has its name, and a finished one keeps its size.
    let tag = store
        .is_finished(file.segment.id)
        .then(|| format!("\"{}-{n_bytes}\"", name.trim_end_matches(Segment::DATA)));
    let caching = if tag.is_some() { IMMUTABLE } else { RECORDED_PICTURES };
    if let Some(tag) = tag.as_deref().filter(|tag| request.has(tag)) {
        context.send_not_modified(request, tag, caching);
        return Ok(());
    }
    let is_same = |condition: &str| tag.as_deref() == Some(condition.trim());
    let wanted =
        connection.header("Range").filter(|_| connection.header("If-Range").is_none_or(is_same));
    let (code, from, to) = match wanted.map_or(Range::Whole, |text| Range::parse(text, n_bytes)) {
        Range::Whole => (Code::Ok, 0, n_bytes),
        Range::Part(from, to) => (Code::PartialContent, from, to),
        Range::Outside => {
            let text = format!("the segment has {n_bytes} bytes");
            return Err(Reply::text(Code::RangeNotSatisfiable, &text)
                .with("Content-Range", format!("bytes */{n_bytes}")));
        }
    };
    let mut head = context
        .head(code)
        .with("Content-Type", "application/octet-stream")
        .with("Content-Length", &(to - from).to_string())
        .with("Content-Disposition", &format!("attachment; filename=\"{}\"", file.segment.name()))
        .with("Accept-Ranges", "bytes")
        .with("Cache-Control", caching);
    if let Some(tag) = &tag {
        head = head.with("ETag", tag);
    }
    if code == Code::PartialContent {
        head = head.with("Content-Range", &format!("bytes {from}-{}/{n_bytes}", to - 1));
    }
    let timeout = context.config.write_timeout;
    let mut sent = connection.write(&head.finish(), &[], timeout);
    if !request.is_head() {
        sent = sent.and_then(|()| copy(&file.data, from, to, connection, timeout));
    }
    request.log_end(sent);
    Ok(())
}

fn copy(
    file: &File,
    mut at: u64,
    to: u64,
    connection: &Connection,
    timeout: Duration,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    while at < to {
        let room = usize::try_from(to - at).unwrap_or(PIECE).min(PIECE);
        let n = file.read_at(&mut piece[..room], at)?;
        if n == 0 {
            // The cleaner deletes whole files, which an open descriptor outlives. A
            // file that got shorter was cut by somebody else.
            return Err(io::Error::other("the segment was cut while it was sent"));
        }
        connection.write(&piece[..n], &[], timeout)?;
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
