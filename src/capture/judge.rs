//! What bad pictures mean for their camera: a single one is dropped, many in a
//! row are a loss, and pictures without an end are shown if none are better.

use std::time::{Duration, Instant};

use crate::camera::{Cause, Error};
use crate::jpeg;

/// A camera that gives only damaged pictures for this long is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for a camera that has given no good picture since it was opened. It is
/// shorter than the 9 seconds that a snapshot waits for a first picture, and than the
/// 5 seconds after which OctoPrint gives up, so that the snapshot can name the cause.
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(3);
/// The same for pictures of a kind that cannot be shown, as the next ones are of
/// the same kind.
const PATIENCE_WITH_KIND: Duration = Duration::from_secs(1);
/// Fewer bad pictures in a row are chance, however long ago the last good one came:
/// at a frame a minute a single one lasts longer than `PATIENCE`.
const MIN_IN_A_ROW: u32 = 3;
/// After this time without a whole picture, those without an end are shown.
const CUT_AFTER: Duration = Duration::from_secs(2);

/// The pictures of one opening of the camera.
pub(super) struct Judge {
    good_at: Instant,
    has_good: bool,
    n_bad: u32,
    /// When the last whole picture came, if any did.
    whole_at: Option<Instant>,
    /// How many pictures without an end came since then.
    n_cut: u32,
}

impl Judge {
    pub(super) fn new() -> Self {
        Self { good_at: Instant::now(), has_good: false, n_bad: 0, whole_at: None, n_cut: 0 }
    }

    /// Whether to show a picture without its end now.
    pub(super) fn takes_cut(&self) -> bool {
        // The count first: asked of every picture, and a read of the clock costs more.
        self.n_cut + 1 >= MIN_IN_A_ROW && self.whole_at.is_none_or(|at| at.elapsed() >= CUT_AFTER)
    }

    /// Notes that a picture was shown, whole or not.
    pub(super) fn good(&mut self, is_whole: bool) {
        (self.good_at, self.has_good, self.n_bad) = (Instant::now(), true, 0);
        if is_whole {
            (self.whole_at, self.n_cut) = (Some(self.good_at), 0);
        }
    }

    /// Notes that a picture was dropped. Returns why the camera is lost, if it is
    /// lost by this.
    pub(super) fn bad(&mut self, why: jpeg::Error) -> Option<Error> {
        self.n_bad += 1;
        // Only pictures without an end can be shown if no better ones come. Those with other
        // faults would show nothing in a browser.
        self.n_cut += u32::from(why == jpeg::Error::Truncated);
        let waited = self.good_at.elapsed();
        let patience = if self.has_good { PATIENCE } else { PATIENCE_AT_FIRST };
        if self.n_bad < MIN_IN_A_ROW {
            None
        } else if why.is_permanent() && waited >= PATIENCE_WITH_KIND {
            let usage = "set the camera to baseline JPEG, or convert it with exec:ffmpeg";
            let cause = format!("only pictures that cannot be shown come, the last: {why}");
            Some(Error::lost(Cause::Unsupported, format!("{cause}; {usage}")))
        } else if waited >= patience {
            let cause = format!("only damaged pictures come, the last: {why}");
            Some(Error::lost(Cause::NoSignal, cause))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: Duration = Duration::from_secs(100);

    fn long_ago() -> Option<Instant> {
        Instant::now().checked_sub(LONG_AGO)
    }

    #[test]
    fn third_without_an_end_is_shown_unless_whole_ones_come() {
        let mut judge = Judge::new();
        let mut shown = Vec::new();
        for _ in 0..4 {
            shown.push(judge.takes_cut());
            if judge.takes_cut() {
                judge.good(false);
            } else {
                drop(judge.bad(jpeg::Error::Truncated));
            }
        }
        assert_eq!(shown, [false, false, true, true]);
        judge.good(true);
        for _ in 0..9 {
            assert!(!judge.takes_cut(), "a whole one has just come");
            judge.bad(jpeg::Error::Truncated);
        }
        judge.whole_at = long_ago();
        assert!(judge.takes_cut());
    }

    #[test]
    fn only_many_in_a_row_over_a_while_are_a_loss() {
        let mut judge = Judge::new();
        judge.good_at = long_ago().unwrap();
        assert_eq!(
            (judge.bad(jpeg::Error::NotJpeg), judge.bad(jpeg::Error::NotJpeg)),
            (None, None)
        );
        let lost = judge.bad(jpeg::Error::NotJpeg).unwrap().to_string();
        assert_eq!(lost, "only damaged pictures come, the last: not a JPEG");
        judge.good(true);
        assert!((0..9).all(|_| judge.bad(jpeg::Error::NotJpeg).is_none()));
    }

    #[test]
    fn kind_that_cannot_be_shown_is_a_loss_sooner_and_says_so() {
        let mut judge = Judge::new();
        judge.good_at = Instant::now().checked_sub(PATIENCE_WITH_KIND).unwrap();
        assert_eq!(
            (judge.bad(jpeg::Error::Arithmetic), judge.bad(jpeg::Error::Arithmetic)),
            (None, None)
        );
        let Some(Error::Lost(Cause::Unsupported, why)) = judge.bad(jpeg::Error::Arithmetic) else {
            panic!("no loss");
        };
        assert!(why.contains("arithmetic coding") && why.contains("baseline"), "{why}");
    }
}
