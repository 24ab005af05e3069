//! Decides whether a segment that is not needed to decode the picture is kept, removed
//! or replaced.
//!
//! Some clients search the bytes for SOI and EOI (Mainsail, Home Assistant). They cut
//! a picture at such a marker inside a segment, as in a thumbnail, preview or comment.

use super::exif::{self, Orientation};
use super::mpf;
use super::{APP1, APP2, EOI, SOI};

const APP0: u8 = 0xE0;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;

const JFIF: &[u8] = b"JFIF\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
/// A whole APP0 segment: length, name, version 1.1, square pixels, no thumbnail.
const PLAIN_JFIF: &[u8; 18] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";

/// What to do with a segment.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    Keep,
    /// Put these bytes in its place; if they are empty, remove it.
    Replace(Vec<u8>),
    /// A part of a colour profile. If one part must go, all parts must.
    Profile {
        must_go: bool,
    },
}

/// Decides by the marker of a segment and its bytes, which begin with its length.
pub(super) fn action(marker: u8, segment: &[u8], orientation: Option<Orientation>) -> Action {
    let content = segment.get(2..).unwrap_or_default();
    let has_marker = || contains_soi_or_eoi(segment);
    match marker {
        APP0 => jfif_action(segment, content),
        APP1 if exif::is_exif(content) && has_marker() => {
            let kept = orientation.map(exif::segment).unwrap_or_default();
            // `FrameBuf` has no room for a segment that grows.
            let fits = kept.len() <= segment.len() + 2;
            Action::Replace(if fits { kept } else { Vec::new() })
        }
        // The index of a multi-picture file. The other pictures are not sent.
        APP2 if content.starts_with(mpf::NAME) => Action::Replace(Vec::new()),
        APP2 if content.starts_with(ICC) => Action::Profile { must_go: has_marker() },
        // Adobe's segment says how colours are coded, so a decoder needs it.
        APP14 => Action::Keep,
        APP1..=APP15 | COM if has_marker() => Action::Replace(Vec::new()),
        _ => Action::Keep,
    }
}

/// Decides about APP0: JFIF, its extension with a thumbnail, or a JFIF segment whose
/// name is damaged. The name is repaired, because Windows and some players refuse a
/// picture without it.
fn jfif_action(segment: &[u8], content: &[u8]) -> Action {
    let is_plain_size = segment.len() == PLAIN_JFIF.len() - 2;
    let is_printable = |b: &u8| b.is_ascii_alphanumeric();
    let is_named = content.iter().take(4).filter(|b| is_printable(b)).count() == 4;
    let n_right = content.iter().zip(JFIF).filter(|(is, due)| is == due).count();
    let is_damaged = is_plain_size
        && !content.starts_with(JFIF)
        && (n_right >= 3 || (!is_named && content.get(5) == Some(&1)));
    if content.starts_with(JFIF) && contains_soi_or_eoi(segment) {
        Action::Replace(PLAIN_JFIF.to_vec())
    } else if is_damaged {
        let mut repaired = PLAIN_JFIF.to_vec();
        repaired[4 + JFIF.len()..].copy_from_slice(&content[JFIF.len()..]);
        Action::Replace(if contains_soi_or_eoi(&repaired) { PLAIN_JFIF.to_vec() } else { repaired })
    } else if contains_soi_or_eoi(segment) {
        Action::Replace(Vec::new())
    } else {
        Action::Keep
    }
}

/// Whether the bytes contain those of SOI or EOI.
fn contains_soi_or_eoi(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0xFF, bytes).any(|at| matches!(bytes.get(at + 1), Some(&SOI | &EOI)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a segment with this content.
    fn action_for(marker: u8, content: &[u8]) -> Action {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        action(marker, &[&length, content].concat(), Orientation::new(6))
    }

    const GONE: Action = Action::Replace(Vec::new());

    #[test]
    fn segments_with_second_pictures_are_removed() {
        for (marker, content) in [
            (APP0, &b"JFXX\0\x10\xFF\xD8\xFF\xD9"[..]),
            (APP1, b"http://ns.adobe.com/xap/1.0/\0\xFF\xD8"),
            (APP2, b"MPFx\xFF\xD8\xFF\xD9"),
            (APP2, b"MPF\0MM\0\x2A"),
            (APP2, b"FPXR\0\xFF\xD8"),
            (0xE3, b"Meta\0\0\xFF\xD8"),
            (0xED, b"Photoshop 3.0\x008BIM\x04\x0C\0\0\xFF\xD8\xFF"),
            (0xEF, b"\xFF\xD9"),
            (COM, b"vendor \xFF\xD9 data"),
            (COM, b"\xFF\xD8"),
        ] {
            assert_eq!(action_for(marker, content), GONE, "{marker:x} {}", content.escape_ascii());
        }
    }

    #[test]
    fn segment_without_a_picture_is_kept() {
        for (marker, content) in [
            (APP0, &b"JFIF\0\x01\x02\x01\0\x48\0\x48\0\0"[..]),
            (APP0, b"AVI1\0\0\0\0\0\0\0\0\0\0"),
            (APP0, b"JFXX\0\x13\x01\x01abc"),
            (APP1, b"Exif\0\0MM\0\x2A\0\0\0\x08\0\0"),
            (0xED, b"Photoshop 3.0\0"),
            (APP14, b"Adobe\0\x64\0\0\xFF\xD9\x02"),
            (COM, b"made by hand \xFF\x00\xFF"),
            (0xDB, b"\0\xFF\xD9"),
        ] {
            assert_eq!(action_for(marker, content), Action::Keep, "{marker:x}");
        }
        assert_eq!(action_for(APP2, b"ICC_PROFILE\0\x01\x01x"), Action::Profile { must_go: false });
        assert_eq!(
            action_for(APP2, b"ICC_PROFILE\0\x01\x01\xFF\xD8"),
            Action::Profile { must_go: true }
        );
    }

    #[test]
    fn length_that_looks_like_a_bound_counts_too() {
        assert_eq!(action_for(COM, &vec![b'x'; 0xFFD9 - 2]), GONE);
        assert_eq!(action_for(COM, &vec![b'x'; 0xFFDA - 2]), Action::Keep);
    }

    #[test]
    fn exif_leaves_its_orientation() {
        let content = [&b"Exif\0\0"[..], b"MM\0\x2A\0\0\0\x08\0\0\xFF\xD8", &[0; 40]].concat();
        let kept = exif::segment(Orientation::new(6).unwrap());
        assert_eq!(action_for(APP1, &content), Action::Replace(kept));
        assert_eq!(action_for(APP1, &content[..20]), GONE, "no room");
    }

    #[test]
    fn damaged_name_of_jfif_is_repaired() {
        let rest = b"\x01\x02\x01\0\x48\0\x48\0\0";
        let right = [&PLAIN_JFIF[..9], rest].concat();
        for name in [b"JFI\0\0", b"JFIG\0", b"jFIF\0", b"\0\0\0\0\0", b"JFIF ", b"\xFF\x00J\x80\0"]
        {
            let content = [&name[..], rest].concat();
            assert_eq!(
                action_for(APP0, &content),
                Action::Replace(right.clone()),
                "{}",
                name.escape_ascii()
            );
        }
        // Segments of other programs keep their names.
        assert_eq!(action_for(APP0, &[&b"AVI1\0"[..], rest].concat()), Action::Keep);
        let odd = [&b"JFIX\0"[..], b"\x01\x02\x01\xFF\xD8\0\x48\0\0"].concat();
        assert_eq!(action_for(APP0, &odd), Action::Replace(PLAIN_JFIF.to_vec()));
        let with_thumbnail = [JFIF, b"\x01\x02\x01\0\x48\0\x48\x01\x01\xFF\xD8\0"].concat();
        assert_eq!(action_for(APP0, &with_thumbnail), Action::Replace(PLAIN_JFIF.to_vec()));
    }
}
