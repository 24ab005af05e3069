//! Distinguishes the second pictures of a file from the next picture of a stream.
//!
//! Phones put previews and gain maps behind the main picture, as separate JPEGs. In a
//! stream of such files they must be left out, or the view would jump between two
//! sizes. Most of these files have an index (MPF) that lists them. Without an index, a
//! picture that is much smaller than the one before it counts as a second picture, but
//! at most two in a row: after that, the camera was set to another size.

use super::check::segment;
use super::{APP2, is_frame_header, mpf};

/// A second picture has at least this many times fewer pixels. When the user sets a
/// camera to the next smaller size, the ratio is lower.
const MIN_RATIO: u32 = 4;
/// The most second pictures behind one picture, if no index lists them.
const MAX_IN_A_ROW: u32 = 2;

/// What is known of the last main picture.
#[derive(Debug, Default)]
pub(super) struct SecondPictures {
    n_pixels: u32,
    /// Where its second pictures begin in the stream, by its index.
    listed: Vec<u64>,
    n_in_a_row: u32,
}

impl SecondPictures {
    /// Whether this picture is a second picture of the one before it. `start` is its
    /// place in the stream.
    pub(super) fn is_second(&mut self, jpeg: &[u8], start: u64) -> bool {
        let info = HeaderInfo::at(jpeg);
        // A picture with an index is a main picture, even at a listed place: another
        // program removed the second pictures, and the next file begins there.
        if info.others.is_empty() && self.listed.contains(&start) {
            return true;
        }
        let is_small = info.n_pixels > 0 && info.n_pixels <= self.n_pixels / MIN_RATIO;
        if is_small && self.n_in_a_row < MAX_IN_A_ROW {
            self.n_in_a_row += 1;
            return true;
        }
        self.n_in_a_row = 0;
        self.n_pixels = info.n_pixels;
        self.listed = info.others.into_iter().map(|at| start + at).collect();
        false
    }
}

/// The size of a picture and the places of its second pictures, from its headers.
struct HeaderInfo {
    n_pixels: u32,
    others: Vec<u64>,
}

impl HeaderInfo {
    fn at(jpeg: &[u8]) -> Self {
        let (mut info, mut at) = (Self { n_pixels: 0, others: Vec::new() }, 2);
        // Only up to the first scan, so the cost does not depend on the size of the
        // picture.
        while let Ok(Some((marker, body))) = segment(jpeg, at) {
            at = body.end;
            let content_at = body.start + 2;
            match (marker, &jpeg[body]) {
                (APP2, [_, _, content @ ..]) if content.starts_with(mpf::NAME) => {
                    info.others = mpf::other_pictures(content, content_at);
                }
                (m, [_, _, _, h1, h0, w1, w0, ..]) if is_frame_header(m) => {
                    let side = |bytes| u32::from(u16::from_be_bytes(bytes));
                    info.n_pixels = side([*w1, *w0]) * side([*h1, *h0]);
                }
                _ => {}
            }
        }
        info
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of a JPEG of this size, with an index of others if given.
    fn jpeg((width, height): (u16, u16), index: &[(u32, u32)]) -> Vec<u8> {
        let mut jpeg = vec![0xFF, 0xD8];
        if !index.is_empty() {
            let content = mpf::tests::index(index);
            let length = u16::try_from(content.len() + 2).unwrap();
            jpeg.extend([&[0xFF, APP2][..], &length.to_be_bytes(), &content].concat());
        }
        let [h, w] = [height, width].map(u16::to_be_bytes);
        jpeg.extend([&[0xFF, 0xC0, 0, 11, 8][..], &h, &w, &[1, 1, 0x11, 0, 0xFF, 0xDA]].concat());
        jpeg
    }

    /// Which of these pictures, one after the other, are second ones.
    fn seconds(pictures: &[Vec<u8>]) -> Vec<bool> {
        let (mut seconds, mut at) = (SecondPictures::default(), 0);
        let judge = |jpeg: &Vec<u8>| {
            let is_second = seconds.is_second(jpeg, at);
            at += jpeg.len() as u64;
            is_second
        };
        pictures.iter().map(judge).collect()
    }

    #[test]
    fn far_smaller_ones_are_second_pictures() {
        let sizes = [(640, 480), (320, 240), (160, 120), (640, 480), (160, 120)];
        let seen = seconds(&sizes.map(|size| jpeg(size, &[])));
        assert_eq!(seen, [false, true, true, false, true]);
    }

    #[test]
    fn camera_that_is_set_to_another_size_is_shown() {
        let sizes = [(640, 480), (64, 48), (64, 48), (64, 48), (64, 48), (640, 480), (480, 640)];
        let seen = seconds(&sizes.map(|size| jpeg(size, &[])));
        assert_eq!(seen, [false, true, true, false, false, false, false]);
        let near = [(1920, 1080), (1280, 720), (1920, 1080), (1279, 719)];
        assert_eq!(seconds(&near.map(|size| jpeg(size, &[]))), [false; 4]);
    }

    #[test]
    fn pictures_in_the_index_are_second_pictures_of_any_size() {
        let other = jpeg((640, 480), &[]);
        let n = u32::try_from(other.len()).unwrap();
        // Where the index begins to count.
        let base = 2 + 4 + 4;
        let len = u32::try_from(jpeg((640, 480), &[(1, 0), (1, 1)]).len()).unwrap();
        let first = jpeg((640, 480), &[(len, 0), (n, len - base)]);
        let all = [&first, &other, &first, &other, &other].map(Vec::clone);
        assert_eq!(seconds(&all), [false, true, false, true, false]);
        assert_eq!(seconds(&[first.clone(), first]), [false, false], "the others are gone");
    }
}
