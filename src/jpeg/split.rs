//! Splits a stream of JPEGs that stand one after the other.
//!
//! The splitter walks over markers: an EOI inside an APP segment (a thumbnail) and the
//! bytes FF D9 inside a table do not end a picture. The second pictures in the files of
//! phones are left out.

use memchr::memmem;

use super::second_pictures::SecondPictures;
use super::walk::{Walk, Walked};
use super::{Error, START};

/// SOI and the start of the next marker. SOI alone is too often found in other bytes.
const PICTURE_START: [u8; 3] = [START[0], START[1], 0xFF];

/// A JPEG among the bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found<'a> {
    pub(crate) jpeg: &'a [u8],
    /// Whether it ends with EOI. Otherwise the next JPEG began inside its scan.
    pub(crate) is_whole: bool,
}

/// Takes bytes in pieces of any size and returns whole JPEGs.
#[derive(Debug)]
pub(crate) struct Splitter {
    /// The largest JPEG to return. It bounds the memory, whatever a source sends.
    max_bytes: usize,
    buf: Vec<u8>,
    /// How many bytes at the front of `buf` are not needed any more.
    n_dead: usize,
    /// Where the current JPEG begins, once its SOI was found.
    start: Option<usize>,
    walk: Walk,
    /// The search for the next SOI continues here.
    searched_to: usize,
    /// Where the JPEG ends that was returned last. The next call drops it.
    taken_to: usize,
    /// How many bytes of the stream came before those in `buf`.
    n_removed: u64,
    second_pictures: SecondPictures,
}

impl Splitter {
    /// A splitter that gives up on a JPEG of more than `max_bytes`.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            buf: Vec::new(),
            n_dead: 0,
            start: None,
            walk: Walk::default(),
            searched_to: 0,
            taken_to: 0,
            n_removed: 0,
            second_pictures: SecondPictures::default(),
        }
    }

    /// The largest JPEG to return.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Adds the next bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Whether a JPEG has begun and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        self.start.is_some()
    }

    /// The next JPEG: whole, or up to where another one begins inside it. `None` if more
    /// bytes are needed.
    ///
    /// # Errors
    /// Bytes that begin like a JPEG but are not one. They are skipped: the next call
    /// continues behind them.
    pub(crate) fn next_jpeg(&mut self) -> Result<Option<Found<'_>>, Error> {
        loop {
            self.n_dead = self.n_dead.max(self.taken_to);
            let Some((start, is_whole)) = self.find_one()? else {
                self.remove_dead();
                return Ok(None);
            };
            let at = self.n_removed + start as u64;
            if !is_whole || !self.second_pictures.is_second(&self.buf[start..self.taken_to], at) {
                return Ok(Some(Found { jpeg: &self.buf[start..self.taken_to], is_whole }));
            }
        }
    }

    /// The start of a JPEG whose rest will not come, as the stream ended. `None` if there
    /// is no such JPEG, or too little of it to show.
    pub(crate) fn take_rest(&mut self) -> Option<&[u8]> {
        let start = self.start.filter(|_| self.walk.has_scan())?;
        self.start = None;
        self.taken_to = self.buf.len();
        self.searched_to = self.taken_to;
        Some(&self.buf[start..])
    }

    /// Where the next JPEG begins, and whether it is whole. It ends at `taken_to`.
    fn find_one(&mut self) -> Result<Option<(usize, bool)>, Error> {
        let Some(start) = self.start.or_else(|| self.find_start()) else { return Ok(None) };
        // Walk over no more than the largest JPEG. Otherwise an EOI behind this limit
        // would be found or not, depending on how many bytes have arrived.
        let jpeg = &self.buf[start..];
        let jpeg = &jpeg[..jpeg.len().min(self.max_bytes.saturating_add(1))];
        let (len, is_whole) = match self.walk.advance(jpeg) {
            Walked::More if jpeg.len() <= self.max_bytes => return Ok(None),
            Walked::More => return Err(self.give_up(start, Error::TooLarge)),
            Walked::End(len) if len > self.max_bytes => {
                return Err(self.give_up(start, Error::TooLarge));
            }
            Walked::End(len) => (len, true),
            Walked::Bad(Error::Truncated) if self.walk.has_scan() => (self.walk.at(), false),
            Walked::Bad(error) => return Err(self.give_up(start, error)),
        };
        self.start = None;
        self.taken_to = start + len;
        self.searched_to = self.taken_to;
        Ok(Some((start, is_whole)))
    }

    /// Removes the bytes that are not needed any more, if they are more than the others.
    /// Removing means to move all bytes behind them, so after each small picture it would
    /// cost the whole buffer; this way each byte is moved once on average.
    fn remove_dead(&mut self) {
        let n = self.n_dead;
        if n <= self.buf.len() / 2 {
            return;
        }
        self.buf.drain(..n);
        // Once a JPEG has begun, this stands where the search for it was, which may be removed.
        self.searched_to = self.searched_to.saturating_sub(n);
        self.start = self.start.map(|start| start - n);
        self.n_removed += n as u64;
        (self.n_dead, self.taken_to) = (0, 0);
    }

    /// Continues the search behind the start of a JPEG that cannot be read. What the walk
    /// went over is not searched again, or a stream of nothing but starts would be walked
    /// over from each of them; except for its last segment: where a picture was cut off
    /// inside its headers, the next picture begins there.
    fn give_up(&mut self, start: usize, error: Error) -> Error {
        self.start = None;
        self.searched_to = start + self.walk.resume_at();
        error
    }

    fn find_start(&mut self) -> Option<usize> {
        let Some(offset) = memmem::find(&self.buf[self.searched_to..], &PICTURE_START) else {
            // The last two bytes may be the start of the three that are searched for.
            self.searched_to = self.buf.len().saturating_sub(2).max(self.searched_to);
            self.n_dead = self.searched_to;
            return None;
        };
        let start = self.searched_to + offset;
        // The bytes before SOI are not needed, and must not accumulate.
        self.n_dead = start;
        self.walk = Walk::default();
        self.start = Some(start);
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::{EOI, SOI};

    impl Splitter {
        /// The memory that it holds, in bytes.
        pub(crate) fn n_bytes_held(&self) -> usize {
            self.buf.len()
        }
    }

    const A: &[u8] = include_bytes!("../camera/demo/1.jpg");
    const B: &[u8] = include_bytes!("../camera/demo/2.jpg");

    fn split(chunks: impl Iterator<Item = Vec<u8>>) -> (Vec<Vec<u8>>, usize) {
        let (mut splitter, mut found, mut n_bad) = (Splitter::new(1 << 20), Vec::new(), 0);
        for chunk in chunks {
            splitter.push(&chunk);
            loop {
                match splitter.next_jpeg() {
                    Ok(Some(Found { jpeg, is_whole: true })) => found.push(jpeg.to_vec()),
                    Ok(Some(_)) => n_bad += 1,
                    Ok(None) => break,
                    Err(_) => n_bad += 1,
                }
            }
        }
        (found, n_bad)
    }

    #[test]
    fn pictures_come_out_as_they_went_in_whatever_the_chunks() {
        let stream = [b"junk", A, B, b"\0\0\0", A].concat();
        for size in [1, 2, 3, 7, 100, 4096, stream.len()] {
            let (found, n_bad) = split(stream.chunks(size).map(<[u8]>::to_vec));
            assert_eq!(found, [A, B, A], "chunks of {size}");
            assert_eq!(n_bad, 0);
        }
    }

    #[test]
    fn thumbnail_does_not_end_a_picture() {
        let exif = [&[0xFF, 0xE1, 0, 8], &b"Ex"[..], &[0xFF, SOI, 0xFF, EOI]].concat();
        let with = [&A[..2], &exif, &A[2..]].concat();
        let (found, _) = split([[with.as_slice(), B].concat()].into_iter());
        assert_eq!(found, [with.as_slice(), B]);
    }

    #[test]
    fn cut_picture_is_skipped_and_the_next_found() {
        for len in [3, 20, 200, A.len() / 2, A.len() - 1] {
            let (found, n_bad) = split([[&A[..len], B, B].concat()].into_iter());
            assert!(found.ends_with(&[B.to_vec()]), "cut at {len}: {} found", found.len());
            assert!(n_bad > 0 || found.len() == 2, "cut at {len}");
        }
    }

    #[test]
    fn picture_that_is_too_large_is_skipped_whole() {
        let mut splitter = Splitter::new(B.len());
        let comment = [&[0xFF, 0xFE, 0xFF, 0xFF], [0; 0xFFFD].as_slice()].concat();
        splitter.push(&[&A[..2], &comment, &A[2..], B].concat());
        assert_eq!(splitter.next_jpeg(), Err(Error::TooLarge));
        assert_eq!(splitter.next_jpeg(), Ok(Some(Found { jpeg: B, is_whole: true })));
        assert_eq!(splitter.next_jpeg(), Ok(None));
    }

    #[test]
    fn cut_picture_is_returned_up_to_the_cut() {
        let cut = &A[..A.len() / 2];
        let mut splitter = Splitter::new(1 << 20);
        splitter.push(&[cut, B, cut].concat());
        assert_eq!(splitter.next_jpeg(), Ok(Some(Found { jpeg: cut, is_whole: false })));
        assert_eq!(splitter.next_jpeg(), Ok(Some(Found { jpeg: B, is_whole: true })));
        assert_eq!(splitter.next_jpeg(), Ok(None));
        assert_eq!(splitter.take_rest(), Some(cut));
        assert_eq!(splitter.take_rest(), None);
        splitter.push(&A[..100]);
        assert_eq!(splitter.next_jpeg(), Ok(None));
        assert_eq!(splitter.take_rest(), None, "headers alone");
    }

    #[test]
    fn second_pictures_of_a_file_are_left_out() {
        let mut small = A.to_vec();
        let sof = memmem::find(&small, &[0xFF, 0xC0]).unwrap();
        small[sof + 5..sof + 9].copy_from_slice(&[0, 120, 0, 160]);
        let file = [A, &small].concat();
        for size in [1, 1000, file.len()] {
            let (found, n_bad) = split(file.repeat(3).chunks(size).map(<[u8]>::to_vec));
            assert_eq!((found, n_bad), (vec![A.to_vec(); 3], 0), "chunks of {size}");
        }
    }

    /// Bytes in which each of many starts would be walked over to the end, and moved to
    /// the front: with the square of their number this test would run for hours.
    #[test]
    fn time_grows_only_with_the_number_of_bytes() {
        const N: usize = 1 << 18;
        // Each comment holds the start of another picture, whose comments are the same.
        let nested = [&A[..2], &[0xFF, 0xFE, 0, 4, 0xFF, SOI].repeat(N)].concat();
        let comments = [&A[..2], &[0xFF, 0xFE, 0, 5, 0xFF, SOI, 0xFF].repeat(N)].concat();
        for bytes in [&nested, &comments, &[0xFF, SOI, 0xFF].repeat(N)] {
            let mut splitter = Splitter::new(1 << 20);
            splitter.push(bytes);
            while !matches!(splitter.next_jpeg(), Ok(None)) {}
        }
    }

    #[test]
    fn endless_picture_is_given_up() {
        let mut splitter = Splitter::new(1 << 20);
        splitter.push(&A[..A.len() - 2]);
        assert_eq!(splitter.next_jpeg(), Ok(None));
        splitter.push(&[0; 1 << 20]);
        assert_eq!(splitter.next_jpeg(), Err(Error::TooLarge));
        splitter.push(&[0; 1024]);
        while splitter.next_jpeg().is_err() {}
        assert!(splitter.buf.len() < 1024, "{} bytes kept", splitter.buf.len());
    }
}
