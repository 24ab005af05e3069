//! How many blobs come by chance, of each size and in each part of the picture. It is
//! learnt from those that lead to nothing: rain, noise, what sways.

use super::blob::{Blob, Look};
use super::track::Track;

/// No chance counts as less than this.
const LEAST_CHANCE: f32 = 1e-6;
/// Blobs by chance in a picture, where none were seen so far.
const FEWEST: f32 = 0.003;
/// The same of those with some strong cells, and of those with so many that no noise gives
/// any: two pictures of them are enough.
const FEWEST_FIRM: f32 = 0.000_3;
pub(super) const N_FIRM: usize = 7;
const FEWEST_STRONG: f32 = 0.000_01;
const N_STRONG: usize = 12;
/// How long blobs by chance are remembered, in pictures: rain that begins, rain that goes on.
const MEMORY: [f32; 2] = [20.0, 1500.0];
/// So many blobs at once may all be things.
const N_FREE: usize = 3;
/// So many times as many blobs as usual come at once.
const SUDDEN: f32 = 4.0;
/// Sizes of blobs, by powers of two: of all their cells, and of those inside.
const N_SIZES: usize = 11;
const N_MEASURES: usize = 2;
/// Parts of the picture, across and down: drops are seen before what is dark alone.
const N_PARTS: (usize, usize) = (8, 6);

/// Blobs of at least each size, by each measure.
type Counts<T> = [[T; N_SIZES]; N_MEASURES];
/// In each part of the picture, and in all of them.
type Parts = [Counts<f32>; N_PARTS.0 * N_PARTS.1 + 1];

#[derive(Debug, Default)]
pub(super) struct Chances {
    /// Blobs in a picture, for each memory; and how full it is: 1 when more pictures than it
    /// holds were seen.
    counts: Vec<Parts>,
    filled: [f32; MEMORY.len()],
    /// Of the pictures.
    size: (usize, usize),
    /// Blobs in this picture.
    n_at_once: Counts<usize>,
}

impl Chances {
    /// Takes the blobs of the next picture, and forgets a little.
    pub(super) fn next_picture(&mut self, blobs: &[Blob], size: (usize, usize)) {
        const NONE: Parts = [[[0.0; N_SIZES]; N_MEASURES]; N_PARTS.0 * N_PARTS.1 + 1];
        self.size = size;
        self.counts.resize(MEMORY.len(), NONE);
        let memories = self.counts.iter_mut().zip(&mut self.filled).zip(MEMORY);
        for ((counts, filled), memory) in memories {
            let all = counts.as_flattened_mut().as_flattened_mut();
            all.iter_mut().for_each(|count| *count *= 1.0 - 1.0 / memory);
            *filled += (1.0 - *filled) / memory;
        }
        self.n_at_once = Counts::default();
        for blob in blobs.iter().filter(|blob| blob.look != Look::Shadow) {
            for (counts, size) in self.n_at_once.iter_mut().zip(sizes(blob)) {
                counts[..=size].iter_mut().for_each(|count| *count += 1);
            }
        }
    }

    /// In how many parts of the picture blobs are, if these are far more than usual; else 0.
    pub(super) fn n_parts_at_once(&self, blobs: &[Blob]) -> usize {
        let mut is_hit = [false; N_PARTS.0 * N_PARTS.1];
        let sharp = || blobs.iter().filter(|blob| blob.look != Look::Shadow);
        sharp().for_each(|blob| is_hit[self.parts(blob)[0]] = true);
        let all = self.counts.iter().zip(self.filled);
        let usual = all.map(|(counts, filled)| counts[N_PARTS.0 * N_PARTS.1][0][0] / filled);
        let is_sudden = sharp().count() as f32 > SUDDEN * usual.fold(0.0, f32::max);
        if is_sudden { is_hit.iter().filter(|is_hit| **is_hit).count() } else { 0 }
    }

    /// How unlikely it is (as a logarithm) that one of the blobs that come by chance follows the
    /// track within this reach.
    pub(super) fn score(&self, track: &Track, blob: &Blob, reach: f32) -> f32 {
        let fewest = match track.blob.n_strong.min(blob.n_strong) {
            N_STRONG.. => FEWEST_STRONG,
            N_FIRM.. => FEWEST_FIRM,
            _ => FEWEST,
        };
        // By the measure in which it is rarer: a person in rain is none of its drops.
        let [before, now] = [sizes(&track.blob), sizes(blob)];
        let n_by_chance = (0..N_MEASURES)
            .map(|measure| self.by_chance(track, blob, measure, before[measure].min(now[measure])))
            .fold(f32::INFINITY, f32::min);
        let n_cells = (self.size.0 * self.size.1) as f32;
        let share = (std::f32::consts::PI * reach * reach / n_cells).min(1.0);
        // Any of the pictures that it was missing in could have had one.
        let n_chances = (1 + track.n_missed) as f32;
        let chance = 1.0 - (-(n_by_chance + fewest) * share * n_chances).exp();
        -chance.max(LEAST_CHANCE).ln()
    }

    /// How many blobs of at least this size come by chance in a picture.
    fn by_chance(&self, track: &Track, blob: &Blob, measure: usize, size: usize) -> f32 {
        let parts = (N_PARTS.0 * N_PARTS.1) as f32;
        let memories = self.counts.iter().zip(self.filled).zip(MEMORY);
        let others = memories.map(|((counts, filled), memory)| {
            let [here, all] = self.parts(blob).map(|part| counts[part][measure][size]);
            let own = track.n_counted / memory;
            f32::max(all - own, (here - own) * parts) / filled
        });
        // Rain that begins is known by how much there is of it at once.
        let at_once = self.n_at_once[measure][size].saturating_sub(N_FREE) as f32;
        others.fold(at_once, f32::max)
    }

    /// Counts a blob of a track as chance.
    pub(super) fn count(&mut self, track: &mut Track, blob: &Blob) {
        track.n_counted += 1.0;
        self.add(blob, 1.0);
    }

    /// What is counted of the track was no chance.
    pub(super) fn uncount(&mut self, track: &mut Track) {
        self.add(&track.blob, -track.n_counted);
        track.n_counted = 0.0;
    }

    fn add(&mut self, blob: &Blob, n: f32) {
        let parts = self.parts(blob);
        for (counts, memory) in self.counts.iter_mut().zip(MEMORY) {
            for part in parts {
                for (counts, size) in counts[part].iter_mut().zip(sizes(blob)) {
                    for count in &mut counts[..=size] {
                        *count = (*count + n / memory).max(0.0);
                    }
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
}

/// The class of a blob's size by each measure, from 0.
fn sizes(blob: &Blob) -> [usize; N_MEASURES] {
    let class = |n: usize| n.checked_ilog2().map_or(0, |log| log as usize + 1).min(N_SIZES - 1);
    [blob.n_cells, blob.n_inside].map(class)
}
