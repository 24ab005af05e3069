//! Which events a request asks for.

use super::reply::Reply;
use super::request::Request;
use crate::events::{Filter, Kind};

/// The filter of a query: `camera`, or the camera in the address, and `type`.
///
/// # Errors
/// 400, with the types that there are.
pub(super) fn filter(request: &Request) -> Result<Filter, Reply> {
    let query = request.query();
    let named = request.is_named.then(|| request.camera.name.clone());
    let camera = query.text("camera").map(std::borrow::Cow::into_owned).or(named);
    let kinds = query.text("type").map(|text| kinds(&text)).transpose()?;
    Ok(Filter { camera, kinds: kinds.unwrap_or_default(), ..Filter::default() })
}

fn kinds(text: &str) -> Result<Vec<Kind>, Reply> {
    let kind = |name: &str| {
        let wrong = || Reply::bad_request(&format!("type: use some of {}", Kind::names()));
        Kind::parse(name.trim()).ok_or_else(wrong)
    };
    text.split(',').map(kind).collect()
}
