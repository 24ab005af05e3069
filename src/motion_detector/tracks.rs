//! Blobs from picture to picture. A thing that moves gives a blob near the last one, again
//! and again; rain and noise give blobs anywhere.
//!
//! A track gets a score for each blob that follows: how unlikely it is that one of the
//! blobs that come by chance lies there. How many come by chance is learnt from those that
//! lead to nothing, so that in rain a small blob needs a longer track and a large one,
//! which rain never gives, does not.

use super::background::Cell;
use super::blob::{Blob, Look};
use super::chance::{Chances, N_FIRM};
use super::snow::Snow;
use super::track::{Track, borders};

/// A track with this score is a thing: one chance in a hundred thousand.
const ENOUGH: f32 = 12.0;
/// So many more of its blobs must look like one than like a shadow.
const N_SHARP: i32 = 2;
/// With less than this score a track is so likely chance that a blob at the border may as well
/// be the first one of a thing that comes in.
const LIKELY: f32 = 1.0;
/// What a score is worth a picture later: many small ones are no large one.
const FADE: f32 = 0.9;
/// How far what grows from the border of the picture may be from where it was, in cells.
const REACH_AT_BORDER: f32 = 1.5;
/// Pictures in which a thing may be hidden.
const MAX_MISSED: u32 = 2;
const MAX_TRACKS: usize = 64;
/// When blobs come in so many parts of the picture at once, it begins to rain: nothing new that
/// is thin is a thing in the next pictures, or nothing new at all, until its drops are known.
const RAIN: [usize; 2] = [6, 12];
const N_LEARNING: u32 = 12;

#[derive(Debug, Default)]
pub(super) struct Tracker {
    tracks: Vec<Track>,
    chances: Chances,
    snow: Snow,
    /// For how many pictures that still is so, of what is thin and of all.
    n_held: [u32; RAIN.len()],
}

impl Tracker {
    /// Takes the blobs of a picture with these cells. Returns those of things that move.
    pub(super) fn follow(&mut self, blobs: &[Blob], seen: &[Cell], width: usize) -> Vec<Blob> {
        self.chances.next_picture(blobs, (width, seen.len() / width));
        self.snow.next_picture();
        let n_parts = self.chances.n_parts_at_once(blobs);
        for (n_held, least) in self.n_held.iter_mut().zip(RAIN) {
            *n_held = if n_parts >= least { N_LEARNING } else { n_held.saturating_sub(1) };
        }
        let [is_thin_held, is_all_held] = self.n_held.map(|n| n > 0);
        let is_held = |track: &Track| is_all_held || is_thin_held && track.is_thin();
        self.tracks.retain(|track| track.is_thing || !is_held(track));
        let mut is_taken = vec![false; blobs.len()];
        let mut moving = Vec::new();
        // Those that are most likely things choose first.
        self.tracks.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        for track in &mut self.tracks {
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
            let learnt = (&mut self.chances, &mut self.snow);
            let is_moving = step(learnt, track, &blobs[i], reach, (seen, width));
            moving.extend(is_moving.then(|| blobs[i].clone()));
        }
        self.tracks.retain(|track| track.n_missed <= MAX_MISSED);
        let new = blobs.iter().zip(is_taken).filter(|(_, is_taken)| !is_taken);
        new.for_each(|(blob, _)| self.begin(blob));
        moving
    }

    fn begin(&mut self, blob: &Blob) {
        if self.tracks.len() < MAX_TRACKS {
            let mut track = Track::new(blob);
            if blob.look != Look::Shadow {
                self.chances.count(&mut track, blob);
            }
            self.tracks.push(track);
        }
    }

    /// Forgets the tracks, but not how much comes by chance.
    pub(super) fn restart(&mut self) {
        self.tracks.clear();
    }
}

/// Takes the next blob of a track. Returns whether it is of a thing that moves.
fn step(
    (chances, snow): (&mut Chances, &mut Snow),
    track: &mut Track,
    blob: &Blob,
    reach: f32,
    (seen, width): (&[Cell], usize),
) -> bool {
    let size = (width, seen.len() / width);
    let is_evidence = blob.look != Look::Shadow && track.is_evidence(blob, seen, width);
    if is_evidence {
        // Chance until the track has enough.
        if !track.is_thing {
            chances.count(track, blob);
        }
        let comes_in = track.speed.is_none() && track.is_further_in(blob, size);
        track.score += chances.score(track, blob, if comes_in { REACH_AT_BORDER } else { reach });
        let is_at_border = borders(blob, size).contains(&true);
        let is_chance = !track.is_thing && track.score < LIKELY;
        if is_chance && blob.n_strong >= N_FIRM && is_at_border {
            track.begin_again(blob);
            return false;
        }
    }
    track.take(blob);
    let is_snow = snow.is_in(track);
    // A shadow says where it is, no more.
    if blob.look == Look::Shadow {
        return false;
    }
    let is_sure = track.score >= ENOUGH && track.n_sharp >= N_SHARP;
    if !track.is_thing && is_sure && !is_snow {
        track.is_thing = true;
        // It was no chance.
        chances.uncount(track);
    }
    track.is_thing && is_evidence && blob.look == Look::Thing
}
