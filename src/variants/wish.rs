//! What somebody wishes of a camera's pictures: smaller, coarser, without colours.

use std::fmt;

use crate::jpeg::{Edit, Scale};

/// How pictures are wished. Two wishes that are equal are one variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wish {
    size: Size,
    quality: Option<u8>,
    is_gray: bool,
}

/// How large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Size {
    Scale(Scale),
    /// The smallest scale that is at least so wide, else the full size.
    Width(u16),
}

/// Scales with their names in an address, from the smallest on.
const SCALES: [(&str, Scale); 4] =
    [("1/8", Scale::Eighth), ("1/4", Scale::Quarter), ("1/2", Scale::Half), ("1", Scale::Full)];

impl Wish {
    /// `None`: the pictures as they are.
    pub(crate) fn new(size: Size, quality: Option<u8>, is_gray: bool) -> Option<Self> {
        let wish = Self { size, quality, is_gray };
        (wish != Self { size: Size::Scale(Scale::Full), quality: None, is_gray: false })
            .then_some(wish)
    }

    /// The same wish of pictures of this size, `None` where it is these pictures
    /// themselves. Widths that lead to the same size become one.
    pub(super) fn settle(self, source: Option<(u16, u16)>) -> Option<Self> {
        let (Size::Width(_), Some(source)) = (self.size, source) else { return Some(self) };
        // Still a width and no scale: the source may change its size while somebody watches.
        let size = match self.scale(source) {
            Scale::Full => Size::Scale(Scale::Full),
            scale => Size::Width(scale.apply(source.0, source.1).0),
        };
        Self::new(size, self.quality, self.is_gray)
    }

    /// Whether what it is depends on the size of the camera's pictures.
    pub(super) fn needs_size(self) -> bool {
        matches!(self.size, Size::Width(_))
    }

    /// What to change in a picture of this size; `None`: nothing.
    pub(super) fn edit(self, size: (u16, u16)) -> Option<Edit> {
        let scale = self.scale(size);
        let Self { quality, is_gray, .. } = self;
        let edit = Edit { scale, quality, is_gray, ..Edit::default() };
        (edit != Edit::default()).then_some(edit)
    }

    fn scale(self, (width, height): (u16, u16)) -> Scale {
        match self.size {
            Size::Scale(scale) => scale,
            Size::Width(n) => SCALES
                .iter()
                .map(|(_, scale)| *scale)
                .find(|scale| scale.apply(width, height).0 >= n)
                .unwrap_or_default(),
        }
    }
}

/// As it stands in an address.
impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = match self.size {
            Size::Scale(Scale::Full) => None,
            Size::Scale(scale) => {
                let name = SCALES.iter().find(|(_, known)| *known == scale);
                name.map(|(name, _)| format!("scale={name}"))
            }
            Size::Width(n) => Some(format!("width={n}")),
        };
        let quality = self.quality.map(|n| format!("quality={n}"));
        let gray = self.is_gray.then(|| "gray=1".to_owned());
        let parts: Vec<_> = [size, quality, gray].into_iter().flatten().collect();
        f.write_str(&parts.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(n: u16) -> Option<Wish> {
        Wish::new(Size::Width(n), None, false)
    }

    #[test]
    fn pictures_as_they_are_are_no_wish() {
        assert_eq!(Wish::new(Size::Scale(Scale::Full), None, false), None);
        let vga = Some((640, 480));
        assert_eq!(width(640).unwrap().settle(vga), None);
        assert_eq!(width(321).unwrap().settle(vga), None);
        let grey = Wish::new(Size::Width(640), None, true).unwrap();
        assert_eq!(grey.settle(vga).unwrap().to_string(), "gray=1");
    }

    #[test]
    fn width_is_the_next_that_fits_and_near_ones_are_one_variant() {
        let vga = Some((640, 480));
        for (n, is) in [(1, "width=80"), (80, "width=80"), (81, "width=160"), (300, "width=320")] {
            assert_eq!(width(n).unwrap().settle(vga).unwrap().to_string(), is, "{n}");
        }
        // Not known yet.
        assert_eq!(width(300).unwrap().settle(None), width(300));
        // A source that changes its size keeps the width.
        let wish = width(300).unwrap().settle(vga).unwrap();
        assert_eq!(wish.edit((640, 480)).unwrap().scale, Scale::Half);
        assert_eq!(wish.edit((1280, 720)).unwrap().scale, Scale::Quarter);
        assert_eq!(wish.edit((320, 240)), None);
    }

    #[test]
    fn it_is_shown_as_in_an_address() {
        let wish = Wish::new(Size::Scale(Scale::Eighth), Some(50), true).unwrap();
        assert_eq!(wish.to_string(), "scale=1/8&quality=50&gray=1");
    }
}
