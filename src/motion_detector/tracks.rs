//! Blobs from picture to picture. A thing that moves gives a blob near the last one, again
//! and again; rain and noise give blobs anywhere.
//!
//! A track gets a score for each blob that follows: how unlikely it is that one of the
//! blobs that come by chance lies there. How many come by chance is learnt from those that
//! lead to nothing, so that in rain a small blob needs a longer track and a large one,
//! which rain never gives, does not.

use super::blobs::Blob;

/// A track with this score is a thing: one chance in a hundred thousand.
const ENOUGH: f32 = 12.0;
/// Blobs by chance in a picture, where none were seen so far.
const FEWEST: f32 = 0.003;
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

#[derive(Clone, Debug)]
struct Track {
    blob: Blob,
    /// Cells a picture; `None` before the second blob.
    speed: Option<(f32, f32)>,
    score: f32,
    n_missed: u32,
    /// How many of its blobs are counted as chance.
    n_counted: f32,
    is_thing: bool,
}

#[derive(Debug, Default)]
pub(super) struct Tracker {
    tracks: Vec<Track>,
    /// Blobs by chance in a picture, of at least each size, for each memory.
    chances: [[f32; N_SIZES]; MEMORY.len()],
    /// Blobs in this picture of at least each size.
    n_at_once: [usize; N_SIZES],
}

impl Tracker {
    /// Takes the blobs of a picture of so many cells. Returns those of things that move.
    pub(super) fn follow(&mut self, blobs: &[Blob], width: usize, n_cells: usize) -> Vec<Blob> {
        for (chances, memory) in self.chances.iter_mut().zip(MEMORY) {
            chances.iter_mut().for_each(|chance| *chance *= 1.0 - 1.0 / memory);
        }
        self.n_at_once = std::array::from_fn(|class| {
            blobs.iter().filter(|blob| size(blob.n_cells) >= class).count()
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
            let is_evidence = track.is_evidence(&blobs[i]);
            if is_evidence {
                // Chance until the track has enough.
                if !track.is_thing {
                    self.count(track, &blobs[i]);
                }
                track.score += self.score(track, &blobs[i], reach, n_cells);
            }
            track.take(&blobs[i]);
            if !track.is_thing && track.score >= ENOUGH {
                track.is_thing = true;
                // It was no chance.
                self.uncount(track);
            }
            if track.is_thing && is_evidence {
                moving.push(blobs[i].clone());
            }
        }
        tracks.retain(|track| track.n_missed <= MAX_MISSED);
        for (blob, _) in blobs.iter().zip(is_taken).filter(|(_, is_taken)| !is_taken) {
            if tracks.len() < MAX_TRACKS {
                let mut track = Track::new(blob);
                self.count(&mut track, blob);
                tracks.push(track);
            }
        }
        self.tracks = tracks;
        moving
    }

    /// Forgets the tracks, but not how much comes by chance.
    pub(super) fn restart(&mut self) {
        self.tracks.clear();
    }

    fn score(&self, track: &Track, blob: &Blob, reach: f32, n_cells: usize) -> f32 {
        let size = size(track.blob.n_cells.min(blob.n_cells));
        let others = self.chances.iter().zip(MEMORY);
        let others = others.map(|(chances, memory)| chances[size] - track.n_counted / memory);
        // Rain that begins is known by how much there is of it at once.
        let at_once = self.n_at_once[size].saturating_sub(N_FREE) as f32;
        let n_by_chance = others.fold(at_once, f32::max) + FEWEST;
        let share = (std::f32::consts::PI * reach * reach / n_cells as f32).min(1.0);
        // Any of the pictures that it was missing in could have had one.
        let n_chances = (1 + track.n_missed) as f32;
        let chance = 1.0 - (-n_by_chance * share * n_chances).exp();
        -chance.max(1e-5).ln()
    }

    fn count(&mut self, track: &mut Track, blob: &Blob) {
        track.n_counted += 1.0;
        self.add(blob, 1.0);
    }

    fn add(&mut self, blob: &Blob, n: f32) {
        for (chances, memory) in self.chances.iter_mut().zip(MEMORY) {
            for chance in &mut chances[..=size(blob.n_cells)] {
                *chance = (*chance + n / memory).max(0.0);
            }
        }
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
    fn is_evidence(&self, blob: &Blob) -> bool {
        // Not by where its middle is: what is absorbed into the background shrinks.
        blob.n_changed * 20 >= blob.n_cells.max(20)
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
    }
}

/// The class of a size.
fn size(n_cells: usize) -> usize {
    (n_cells.max(1).ilog2() as usize).min(N_SIZES - 1)
}
