//! What connected cells look like: how large they are, and whether they are a thing, light or a
//! shadow.

use super::around::straight;
use super::background::Cell;
use super::shade;
use super::texture::texture;

/// One of this strength stands out from noise and from what light leaves.
const STRONG: f32 = 2.0;
/// The light on a wall changes little from cell to cell, a thing has an edge: two cells
/// across its border it is gone. Below this share of the blob's own ratio, a border is
/// soft.
const SHARP: f32 = 0.7;
/// A strip of this thickness is thin, in cells.
const THIN: usize = 2;
/// The shadow of a cloud begins as a strip of this share of the border, before anything is
/// seen of how soft it is.
const LONG: f32 = 0.3;
/// It has no such contrast there, as a share of the brightness.
const CLOUD: f32 = 0.25;
/// The evidence for a shadow that is enough, and the one from which a blob may be either.
const SHADOW: f32 = 5.0;
const PERHAPS: f32 = 2.0;
/// A small thing covers less than this share of the picture.
const SMALL: f32 = 0.05;

/// Some connected cells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blob {
    /// Its middle, in cells.
    pub(super) x: f32,
    pub(super) y: f32,
    /// First and last column and row.
    pub(super) columns: (usize, usize),
    pub(super) rows: (usize, usize),
    pub(super) n_cells: usize,
    /// How many of its cells differ by far more than the least that counts.
    pub(super) n_strong: usize,
    /// How many of its cells are not at its border. A drop of rain is too thin to have one.
    pub(super) n_inside: usize,
    /// How many of its cells differ from the picture before.
    pub(super) n_changed: usize,
    pub(super) look: Look,
    /// How much more likely a shadow is than a thing, as a logarithm.
    pub(super) shade: f32,
    /// Whether it has an edge.
    pub(super) is_sharp: bool,
}

/// What a blob looks like in one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// Things have an edge, or hide the texture behind them.
    Thing,
    /// May be either, as a strip at the border.
    Either,
    /// Light and shadows may have no edge...
    Light,
    /// ...or leave the texture as it is.
    Shadow,
}

impl Blob {
    /// Whether it is a strip at the border of the picture, of this length or more as a share
    /// of the border.
    fn is_strip(&self, width: usize, height: usize, length: f32) -> bool {
        let ((left, right), (top, bottom)) = (self.columns, self.rows);
        let (across, down) = (right + 1 - left, bottom + 1 - top);
        let is_beside = left == 0 || right + 1 == width;
        let is_above = top == 0 || bottom + 1 == height;
        let is_thin = |thick, long, of| thick <= THIN && long as f32 >= of as f32 * length;
        is_beside && is_thin(across, down, height) || is_above && is_thin(down, across, width)
    }

    /// Measures the members, which have this label in the labels of all cells.
    pub(super) fn measure(
        seen: &[Cell],
        width: usize,
        (members, labels, label): (&[usize], &[u16], u16),
    ) -> Self {
        let mut blob = Blob {
            x: 0.0,
            y: 0.0,
            columns: (usize::MAX, 0),
            rows: (usize::MAX, 0),
            n_cells: members.len(),
            n_strong: 0,
            n_inside: 0,
            n_changed: 0,
            look: Look::Light,
            shade: 0.0,
            is_sharp: false,
        };
        let is_full = |cell: usize| seen[cell].strength >= 1.0;
        let (mut total, mut steps, mut n_steps) = (0.0, 0.0, 0.0);
        for cell in members.iter().copied() {
            let (x, y) = (cell % width, cell / width);
            blob.columns = (blob.columns.0.min(x), blob.columns.1.max(x));
            blob.rows = (blob.rows.0.min(y), blob.rows.1.max(y));
            blob.x += x as f32;
            blob.y += y as f32;
            blob.n_strong += usize::from(seen[cell].strength >= STRONG);
            let mut around = straight(cell, width, seen.len(), 1);
            blob.n_inside += usize::from(is_full(cell) && around.all(is_full));
            blob.n_changed += usize::from(seen[cell].is_changed());
            total += seen[cell].ratio.abs();
            // Two cells further, as a border that runs through a cell makes it half.
            for other in straight(cell, width, seen.len(), 2) {
                if labels[other] != label {
                    steps += (seen[cell].ratio - seen[other].ratio).abs();
                    n_steps += 1.0;
                }
            }
        }
        let n = members.len() as f32;
        (blob.x, blob.y) = (blob.x / n, blob.y / n);
        // One that fills the picture has no border, and so no edge.
        let is_weak = total / n < CLOUD;
        let is_sharp = n_steps > 0.0 && steps / n_steps >= SHARP * total / n;
        let height = seen.len() / width;
        let is_strip = blob.is_strip(width, height, LONG / 2.0);
        let is_in = |cell: usize| labels[cell] == label;
        let texture = texture(seen, width, members, is_in, is_strip);
        let is_inside = |cell| straight(cell, width, seen.len(), 1).all(is_in);
        let is_small = n < SMALL * seen.len() as f32;
        let shade = shade::evidence(seen, members, is_inside, is_small);
        (blob.shade, blob.is_sharp) = (shade, is_sharp);
        blob.look = match texture {
            Some(texture) if texture.is_kept() => Look::Shadow,
            Some(texture) if texture.is_lost() => Look::Thing,
            _ if shade > SHADOW => Look::Shadow,
            _ if !is_sharp => Look::Light,
            _ if shade > PERHAPS => Look::Either,
            _ if blob.is_strip(width, height, LONG) && is_weak => Look::Either,
            _ => Look::Thing,
        };
        blob
    }
}
