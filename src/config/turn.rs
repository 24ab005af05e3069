//! How the pictures of a camera are turned.

use super::args::Args;

/// How the pictures of a camera are turned: first rotated, then flipped. Both
/// together give each of the eight ways in which a picture can lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) rotate: Rotate,
    pub(crate) flip: Flip,
}

impl Turn {
    /// Both options. Other values than these are refused by the command line.
    pub(super) fn new(args: &Args) -> Self {
        let rotate = match args.text("rotate") {
            "90" => Rotate::By90,
            "180" => Rotate::By180,
            "270" => Rotate::By270,
            "exif" => Rotate::Exif,
            _ => Rotate::None,
        };
        let flip = match args.text("flip") {
            "horizontal" => Flip::Horizontal,
            "vertical" => Flip::Vertical,
            "both" => Flip::Both,
            _ => Flip::None,
        };
        Self { rotate, flip }
    }
}

/// A rotation, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rotate {
    #[default]
    None,
    By90,
    By180,
    By270,
    /// By the picture's own orientation in EXIF, which browsers follow and other
    /// programs do not.
    Exif,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flip {
    #[default]
    None,
    /// Left becomes right.
    Horizontal,
    /// Top becomes bottom.
    Vertical,
    Both,
}
