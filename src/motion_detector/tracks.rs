//! Blobs from picture to picture. A thing that moves gives a blob near the last one, again
//! and again; rain and noise give blobs anywhere.
//!
//! A track gets a score for each blob that follows: how unlikely it is that one of the
//! blobs that come by chance lies there. How many come by chance is learnt from those that
//! lead to nothing, so that in rain a small blob needs a longer track and a large one,
//! which rain never gives, does not.

use super::background::Cell;
use super::blobs::{Blob, Look};

/// A track with this score is a thing: one chance in a hundred thousand.
const ENOUGH: f32 = 12.0;
/// No chance counts as less than this.
const LEAST_CHANCE: f32 = 1e-6;
/// So many more of its blobs must look like one than like a shadow.
const N_SHARP: i32 = 2;
/// What was a shadow for long may still turn out to be a thing, and the other way.
const LEAST_SHARP: i32 = -2;
const MOST_SHARP: i32 = 4;
/// How alike what changes and what differs may be, as a cosine.
const ALIKE: f32 = 0.9;
const MOST: f32 = 3.0;
/// Blobs by chance in a picture, where none were seen so far.
const FEWEST: f32 = 0.003;
/// The same of those with at least this number of strong cells: no noise gives any, so two pictures
/// are enough.
const FEWEST_STRONG: f32 = 0.000_01;
const N_STRONG: usize = 12;
/// How long blobs by chance are remembered, in pictures: rain that begins, rain that goes on.
const MEMORY: [f32; 2] = [20.0, 1500.0];
/// So many blobs at once may all be things.
const N_FREE: usize = 3;
/// What a score is worth a picture later: many small ones are no large one.
const FADE: f32 = 0.9;
/// How far a thing may go from one picture to the next, as a share of the picture's width,
/// while its speed is not known, and how far from where it is due afterwards, in cells.
const FIRST_REACH: f32 = 0.3;
const REACH: f32 = 2.5;
/// Pictures in which a thing may be hidden.
const MAX_MISSED: u32 = 2;
const MAX_TRACKS: usize = 64;
/// Sizes of blobs, by powers of two.
const N_SIZES: usize = 10;
/// Parts of the picture, across and down: drops are seen before what is dark alone.
const N_PARTS: (usize, usize) = (8, 6);

/// Blobs by chance in a picture, of at least each size: in each part, and in all of them.
type Chances = [[f32; N_SIZES]; N_PARTS.0 * N_PARTS.1 + 1];

#[derive(Clone, Debug)]
struct Track {
    blob: Blob,
    /// Cells a picture; `None` before the second blob.
    speed: Option<(f32, f32)>,
    score: f32,
    n_missed: u32,
    /// How many of its blobs are counted as chance.
    n_counted: f32,
    /// How many more of its blobs look like a thing than like a shadow.
    n_sharp: i32,
    is_thing: bool,
}

#[derive(Debug, Default)]
pub(super) struct Tracker {
    tracks: Vec<Track>,
    /// For each memory, and how full it is: 1 when more pictures than it holds were seen.
    chances: Vec<Chances>,
    filled: [f32; MEMORY.len()],
    /// Of the pictures.
    size: (usize, usize),
    /// Blobs in this picture of at least each size.
    n_at_once: [usize; N_SIZES],
}

impl Tracker {
    /// Takes the blobs of a picture with this number of cells. Returns those of things that move.
    pub(super) fn follow(&mut self, blobs: &[Blob], seen: &[Cell], width: usize) -> Vec<Blob> {
        let n_cells = seen.len();
        self.size = (width, n_cells / width);
        self.chances.resize(MEMORY.len(), [[0.0; N_SIZES]; N_PARTS.0 * N_PARTS.1 + 1]);
        for (chances, memory) in self.chances.iter_mut().zip(MEMORY) {
            let all = chances.as_flattened_mut();
            all.iter_mut().for_each(|chance| *chance *= 1.0 - 1.0 / memory);
        }
        for (filled, memory) in self.filled.iter_mut().zip(MEMORY) {
            *filled += (1.0 - *filled) / memory;
        }
        self.n_at_once = std::array::from_fn(|class| {
            let is_one = |blob: &&Blob| blob.look != Look::Shadow && size(blob.n_cells) >= class;
            blobs.iter().filter(is_one).count()
        });
        let mut is_taken = vec![false; blobs.len()];
        let mut moving = Vec::new();
        // Those that are most likely things choose first.
        self.tracks.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        let mut tracks = std::mem::take(&mut self.tracks);
        for track in &mut tracks {
            let reach = track.reach(width);
            track.score *= FADE;
            let nearest = (0..blobs.len())
                .filter(|i| !is_taken[*i] && track.may_be(&blobs[*i]))
                .map(|i| (i, track.distance(&blobs[i])))
                .filter(|(_, distance)| *distance <= reach)
                .min_by(|a, b| a.1.total_cmp(&b.1));
            let Some((i, _)) = nearest else {
                track.n_missed += 1;
                continue;
            };
            is_taken[i] = true;
            // No evidence of a thing, but where it is next.
            if blobs[i].look == Look::Shadow {
                track.take(&blobs[i]);
                continue;
            }
            let is_evidence = track.is_evidence(&blobs[i], seen, width);
            if is_evidence {
                // Chance until the track has enough.
                if !track.is_thing {
                    self.count(track, &blobs[i]);
                }
                track.score += self.score(track, &blobs[i], reach, n_cells);
            }
            track.take(&blobs[i]);
            if !track.is_thing && track.score >= ENOUGH && track.n_sharp >= N_SHARP {
                track.is_thing = true;
                // It was no chance.
                self.uncount(track);
            }
            if track.is_thing && is_evidence && blobs[i].look == Look::Thing {
                moving.push(blobs[i].clone());
            }
        }
        tracks.retain(|track| track.n_missed <= MAX_MISSED);
        let new = blobs.iter().zip(is_taken).filter(|(_, is_taken)| !is_taken);
        new.for_each(|(blob, _)| self.begin(&mut tracks, blob));
        self.tracks = tracks;
        moving
    }

    fn begin(&mut self, tracks: &mut Vec<Track>, blob: &Blob) {
        if tracks.len() < MAX_TRACKS {
            let mut track = Track::new(blob);
            if blob.look != Look::Shadow {
                self.count(&mut track, blob);
            }
            tracks.push(track);
        }
    }

    /// Forgets the tracks, but not how much comes by chance.
    pub(super) fn restart(&mut self) {
        self.tracks.clear();
    }

    fn score(&self, track: &Track, blob: &Blob, reach: f32, n_cells: usize) -> f32 {
        let size = size(track.blob.n_cells.min(blob.n_cells));
        let parts = (N_PARTS.0 * N_PARTS.1) as f32;
        let memories = self.chances.iter().zip(self.filled).zip(MEMORY);
        let others = memories.map(|((chances, filled), memory)| {
            let [here, all] = self.parts(blob).map(|part| chances[part][size]);
            let own = track.n_counted / memory;
            f32::max(all - own, (here - own) * parts) / filled
        });
        // Rain that begins is known by how much there is of it at once.
        let at_once = self.n_at_once[size].saturating_sub(N_FREE) as f32;
        let is_strong = track.blob.n_strong.min(blob.n_strong) >= N_STRONG;
        let fewest = if is_strong { FEWEST_STRONG } else { FEWEST };
        let n_by_chance = others.fold(at_once, f32::max) + fewest;
        let share = (std::f32::consts::PI * reach * reach / n_cells as f32).min(1.0);
        // Any of the pictures that it was missing in could have had one.
        let n_chances = (1 + track.n_missed) as f32;
        let chance = 1.0 - (-n_by_chance * share * n_chances).exp();
        -chance.max(LEAST_CHANCE).ln()
    }

    fn count(&mut self, track: &mut Track, blob: &Blob) {
        track.n_counted += 1.0;
        self.add(blob, 1.0);
    }

    fn add(&mut self, blob: &Blob, n: f32) {
        let parts = self.parts(blob);
        for (chances, memory) in self.chances.iter_mut().zip(MEMORY) {
            for part in parts {
                for chance in &mut chances[part][..=size(blob.n_cells)] {
                    *chance = (*chance + n / memory).max(0.0);
                }
            }
        }
    }

    /// The part of the picture that a blob is in, and the one that stands for all.
    fn parts(&self, blob: &Blob) -> [usize; 2] {
        let part = |ends: (usize, usize), of: usize, n: usize| {
            ((ends.0 + ends.1) / 2 * n / of.max(1)).min(n - 1)
        };
        let column = part(blob.columns, self.size.0, N_PARTS.0);
        let row = part(blob.rows, self.size.1, N_PARTS.1);
        [row * N_PARTS.0 + column, N_PARTS.0 * N_PARTS.1]
    }

    fn uncount(&mut self, track: &mut Track) {
        self.add(&track.blob, -track.n_counted);
        track.n_counted = 0.0;
    }
}

impl Track {
    fn new(blob: &Blob) -> Self {
        Self {
            blob: blob.clone(),
            speed: None,
            score: 0.0,
            n_missed: 0,
            n_counted: 0.0,
            n_sharp: sharp(blob),
            is_thing: false,
        }
    }

    /// How far from where it is due the next blob may be.
    fn reach(&self, width: usize) -> f32 {
        let size = (self.blob.n_cells as f32).sqrt();
        match self.speed {
            None => FIRST_REACH * width as f32,
            Some((x, y)) => REACH + 0.5 * x.hypot(y) + 0.5 * size,
        }
    }

    fn distance(&self, blob: &Blob) -> f32 {
        let (x, y) = self.speed.unwrap_or_default();
        let n = (1 + self.n_missed) as f32;
        (blob.x - self.blob.x - x * n).hypot(blob.y - self.blob.y - y * n)
    }

    /// Whether the sizes fit. A thing that enters the picture grows.
    fn may_be(&self, blob: &Blob) -> bool {
        let (small, large) =
            (self.blob.n_cells.min(blob.n_cells), self.blob.n_cells.max(blob.n_cells));
        large <= 6 * small + 8
    }

    /// Whether something has moved in the blob. What appears and stays, such as the light of
    /// a lamp, is no motion after its first picture.
    fn is_evidence(&self, blob: &Blob, seen: &[Cell], width: usize) -> bool {
        // Not by where its middle is: what is absorbed into the background shrinks.
        blob.n_changed * 20 >= blob.n_cells.max(20) && !self.is_fade(blob, seen, width)
    }

    /// Whether all of it becomes stronger or weaker where it is, as a light that is turned up
    /// or the shadow of a tree when the sun comes out. What moves changes at its ends, and
    /// where it was.
    fn is_fade(&self, blob: &Blob, seen: &[Cell], width: usize) -> bool {
        let both = |a: (usize, usize), b: (usize, usize), end: usize| {
            a.0.min(b.0).saturating_sub(1)..(a.1.max(b.1) + 2).min(end)
        };
        let columns = both(self.blob.columns, blob.columns, width);
        let rows = both(self.blob.rows, blob.rows, seen.len() / width);
        let (mut product, mut changes, mut differences) = (0.0, 0.0, 0.0);
        for cell in rows.flat_map(|y| &seen[y * width..][columns.clone()]) {
            let is_different = cell.strength >= 0.5;
            if is_different || cell.is_changed() {
                // No cell counts much more than the others: what is behind a thing varies.
                let share = |value: f32| value.clamp(-MOST, MOST);
                let difference =
                    if is_different { share(cell.strength.copysign(cell.ratio)) } else { 0.0 };
                let change = share(cell.change);
                product += difference * change;
                changes += change * change;
                differences += difference * difference;
            }
        }
        product.abs() >= ALIKE * (changes * differences).sqrt()
    }

    fn take(&mut self, blob: &Blob) {
        let n = (1 + self.n_missed) as f32;
        let step = ((blob.x - self.blob.x) / n, (blob.y - self.blob.y) / n);
        self.speed = Some(match self.speed {
            None => step,
            Some((x, y)) => ((x + step.0) / 2.0, (y + step.1) / 2.0),
        });
        self.blob = blob.clone();
        self.n_missed = 0;
        self.n_sharp = (self.n_sharp + sharp(blob)).clamp(LEAST_SHARP, MOST_SHARP);
        if self.n_sharp <= 0 {
            self.is_thing = false;
        }
    }
}

/// The class of a size.
fn size(n_cells: usize) -> usize {
    (n_cells.max(1).ilog2() as usize).min(N_SIZES - 1)
}

/// How a blob counts for a thing.
fn sharp(blob: &Blob) -> i32 {
    match blob.look {
        Look::Thing => 1,
        Look::Either | Look::Light => 0,
        Look::Shadow => -1,
    }
}
