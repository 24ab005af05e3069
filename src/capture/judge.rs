//! What bad pictures mean for the camera that gives them: one is dropped, many
//! in a row are a loss, and those without an end are shown if none are better.

use std::time::{Duration, Instant};

use crate::camera::{Cause, Error};
use crate::jpeg::Fault;

/// A camera that gives nothing but damaged pictures for so long is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same of one that has given no other since it was opened, so that a
/// snapshot, which waits for 4 seconds, says why.
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(3);
/// The same of pictures of a kind that cannot be shown: the next are no better.
const PATIENCE_WITH_KIND: Duration = Duration::from_secs(1);
/// Fewer in a row are chance, however long ago the last good one was.
const MIN_IN_A_ROW: u32 = 3;
/// Without a whole picture for so long, those without an end are shown.
const CUT_AFTER: Duration = Duration::from_secs(2);

/// The pictures of one opening of the camera.
pub(super) struct Judge {
    good_at: Instant,
    has_good: bool,
    n_bad: u32,
    /// When the last whole one came, if any did.
    whole_at: Option<Instant>,
    /// How many without an end came since then.
    n_cut: u32,
}

impl Judge {
    pub(super) fn new() -> Self {
        Self { good_at: Instant::now(), has_good: false, n_bad: 0, whole_at: None, n_cut: 0 }
    }

    /// Whether a picture without its end is to be shown now.
    pub(super) fn takes_cut(&self) -> bool {
        let is_long_ago = self.whole_at.is_none_or(|at| at.elapsed() >= CUT_AFTER);
        is_long_ago && self.n_cut + 1 >= MIN_IN_A_ROW
    }

    /// One was shown, whole or not.
    pub(super) fn good(&mut self, is_whole: bool) {
        (self.good_at, self.has_good, self.n_bad) = (Instant::now(), true, 0);
        if is_whole {
            (self.whole_at, self.n_cut) = (Some(self.good_at), 0);
        }
    }

    /// One was dropped. Gives why the camera is lost by that, if it is.
    pub(super) fn bad(&mut self, fault: Fault) -> Option<Error> {
        self.n_bad += 1;
        self.n_cut += u32::from(fault == Fault::Truncated);
        let waited = self.good_at.elapsed();
        let patience = if self.has_good { PATIENCE } else { PATIENCE_AT_FIRST };
        if self.n_bad < MIN_IN_A_ROW {
            None
        } else if fault.is_permanent() && waited >= PATIENCE_WITH_KIND {
            let right = "set the camera to baseline JPEG, or convert by exec:ffmpeg";
            let cause = format!("only pictures that cannot be shown come, the last: {fault}");
            Some(Error::lost(Cause::Unsupported, format!("{cause}; {right}")))
        } else if waited >= patience {
            let cause = format!("only damaged pictures come, the last: {fault}");
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
            if judge.takes_cut() { judge.good(false) } else { drop(judge.bad(Fault::Truncated)) }
        }
        assert_eq!(shown, [false, false, true, true]);
        judge.good(true);
        for _ in 0..9 {
            assert!(!judge.takes_cut(), "a whole one has just come");
            judge.bad(Fault::Truncated);
        }
        judge.whole_at = long_ago();
        assert!(judge.takes_cut());
    }

    #[test]
    fn only_many_in_a_row_over_a_while_are_a_loss() {
        let mut judge = Judge::new();
        judge.good_at = long_ago().unwrap();
        assert_eq!((judge.bad(Fault::NotJpeg), judge.bad(Fault::NotJpeg)), (None, None));
        let lost = judge.bad(Fault::NotJpeg).unwrap().to_string();
        assert_eq!(lost, "only damaged pictures come, the last: not a JPEG");
        judge.good(true);
        assert!((0..9).all(|_| judge.bad(Fault::NotJpeg).is_none()));
    }

    #[test]
    fn kind_that_cannot_be_shown_is_a_loss_sooner_and_says_so() {
        let mut judge = Judge::new();
        judge.good_at = Instant::now().checked_sub(PATIENCE_WITH_KIND).unwrap();
        assert_eq!((judge.bad(Fault::Arithmetic), judge.bad(Fault::Arithmetic)), (None, None));
        let Some(Error::Lost(Cause::Unsupported, why)) = judge.bad(Fault::Arithmetic) else {
            panic!("no loss");
        };
        assert!(why.contains("arithmetic coding") && why.contains("baseline"), "{why}");
    }
}
