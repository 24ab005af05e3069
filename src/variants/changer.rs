//! One picture into another, as a wish says.

use super::cost::{Costs, Outcome};
use super::wish::Wish;
use crate::jpeg::{Simd, TranscodeError, Transcoder, check_whole};

/// Changes pictures, one after the other in the same memory.
pub(super) struct Changer {
    transcoder: Box<Transcoder>,
    wish: Wish,
    costs: Costs,
}

impl Changer {
    pub(super) fn new(wish: Wish, costs: Costs) -> Self {
        Self { transcoder: transcoder(), wish, costs }
    }

    pub(super) fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Appends the picture to `out` that `jpeg`, which ends with EOI, becomes; nothing
    /// if it is damaged.
    pub(super) fn change(&mut self, jpeg: &[u8], out: &mut Vec<u8>) -> Outcome {
        let Self { transcoder, wish, costs } = self;
        costs.count(|| {
            let outcome = transcode(transcoder, *wish, jpeg, out);
            if let Outcome::Passed(_) = outcome {
                out.extend_from_slice(jpeg);
            }
            outcome
        })
    }
}

// Not inlined, nor the next: a transcoder has tables of tens of kB, which would be taken from
// the stack of each viewer, whatever it asks for.
#[inline(never)]
fn transcoder() -> Box<Transcoder> {
    Box::new(Transcoder::new(Simd::best()))
}

#[inline(never)]
fn transcode(transcoder: &mut Transcoder, wish: Wish, jpeg: &[u8], out: &mut Vec<u8>) -> Outcome {
    let Ok(info) = check_whole(jpeg) else { return Outcome::Damaged };
    let Some(edit) = wish.edit(info.shown_size()) else {
        return Outcome::Passed("it is no wider than what was asked for");
    };
    match transcoder.read(jpeg, &edit) {
        Ok(_) => {
            transcoder.write(out);
            Outcome::Made
        }
        // A browser shows it, so it is better than no picture.
        Err(TranscodeError::Unsupported(why)) => Outcome::Passed(why),
        Err(TranscodeError::TooLarge) => Outcome::Passed("it has too many pixels"),
        Err(TranscodeError::Damaged(_)) => Outcome::Damaged,
    }
}
