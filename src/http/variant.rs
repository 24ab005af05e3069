//! Variants of pictures, as several addresses give them.

use super::reply::{Code, Reply};
use crate::cameras::Camera;
use crate::capture::Reader;
use crate::variants::{Past, Place, Refused, Wish};

/// A place in the variant of a wish; `None`: the camera's own pictures are what is
/// wished.
///
/// # Errors
/// The reply where there is none.
pub(super) fn enter(camera: &Camera, wish: Option<Wish>) -> Result<Option<Place>, Reply> {
    let Some(wish) = wish else { return Ok(None) };
    camera.variants.enter(wish).map_err(refusal)
}

/// A right to have recorded pictures changed, if that is wished.
///
/// # Errors
/// The reply where there is no room for one more.
pub(super) fn enter_past(camera: &Camera, wish: Option<Wish>) -> Result<Option<Past>, Reply> {
    wish.map(|wish| camera.variants.enter_past(wish)).transpose().map_err(refusal)
}

/// A reader of the variant, or of the camera itself.
pub(super) fn read(camera: &Camera, place: Option<&Place>) -> Reader {
    place.map_or_else(|| camera.capture.read(), Place::read)
}

/// Changes one recorded picture.
///
/// # Errors
/// 404 for a damaged picture, 403 where no picture is changed.
pub(super) fn change_once(camera: &Camera, wish: Wish, jpeg: &[u8]) -> Result<Vec<u8>, Reply> {
    let changed = camera.variants.change_once(wish, jpeg).map_err(refusal)?;
    changed.ok_or_else(|| {
        let text =
            "the picture of that moment is damaged; ask without scale, width, quality and gray";
        Reply::text(Code::NotFound, text)
    })
}

fn refusal(why: Refused) -> Reply {
    match why {
        Refused::Full(n) => Reply::unavailable(&format!(
            "as many variants as may be ({n}, --max-variants) are in use; try again in a moment, or \
             ask without scale, width, quality and gray"
        )),
        Refused::Off => Reply::text(
            Code::Forbidden,
            "no variants are made here (--max-variants 0); ask without scale, width, quality and gray",
        ),
        Refused::Closed => Reply::unavailable("the camera was removed, or the program stops"),
    }
}
