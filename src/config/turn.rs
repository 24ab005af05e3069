//! How the pictures of a camera are turned.

use clap::ValueEnum;

/// How the pictures of a camera are turned: first rotated, then flipped. Both
/// together give each of the eight ways in which a picture can lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) rotate: Rotate,
    pub(crate) flip: Flip,
}

/// A rotation, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rotate {
    #[default]
    #[value(name = "0")]
    None,
    #[value(name = "90")]
    By90,
    #[value(name = "180")]
    By180,
    #[value(name = "270")]
    By270,
    /// By the picture's own orientation in EXIF, which browsers follow and other
    /// programs do not.
    Exif,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flip {
    #[default]
    None,
    /// Left becomes right.
    Horizontal,
    /// Top becomes bottom.
    Vertical,
    Both,
}
