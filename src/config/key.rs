//! The keys of the file. Each has the name of its option, so that an option means the
//! same in both places and none is missing in the file.

use super::table::{self, Opt, Scope};
use crate::short_sort::sort_short;

/// Keys that only the table of a camera has.
pub(super) const NAME: &str = "name";
pub(super) const SOURCE: &str = "source";
/// The table of a camera.
pub(super) const CAMERA: &str = "camera";

/// The option of a key that can stand in the file.
pub(super) fn find(key: &str) -> Option<&'static Opt> {
    table::of_file().find(|option| option.name == key)
}

/// Why a key cannot stand in this place of the file, and what can.
pub(super) fn explain_refusal(key: &str, is_in_camera: bool) -> String {
    if is_in_camera && find(key).is_some() {
        return format!("{key} is no option of a camera; put it above the first [[camera]]");
    }
    if !is_in_camera && [NAME, SOURCE].contains(&key) {
        return format!("{key} is an option of a camera; put it under a line [[camera]]");
    }
    let mut known: Vec<_> = table::of_file()
        .filter(|option| !is_in_camera || option.scope == Scope::Camera)
        .map(|option| option.name)
        .chain(if is_in_camera { &[NAME, SOURCE][..] } else { &[CAMERA] }.iter().copied())
        .collect();
    // People write idle_timeout, as in other files.
    let written = key.replace('_', "-");
    let distance = |known: &str| strsim::osa_distance(&written, known);
    let nearest = known.iter().copied().min_by_key(|known| distance(known));
    // A key with more typing errors than this could be any option.
    match nearest.filter(|nearest| distance(nearest) <= 1 + written.len() / 4) {
        Some(CAMERA) => {
            format!("there is no option {key}; a camera begins with the line [[camera]]")
        }
        Some(nearest) => format!("there is no option {key}; did you mean {nearest}?"),
        None => {
            sort_short(&mut known, Ord::cmp);
            format!("there is no option {key}; there are: {}", known.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_key_is_answered_with_the_nearest_that_can_stand_there() {
        for (key, is_in_camera, says) in [
            ("fsp", true, "did you mean fps?"),
            ("idle_timeout", true, "did you mean idle-timeout?"),
            ("soruce", true, "did you mean source?"),
            ("threds", false, "did you mean threads?"),
            ("bind", true, "above the first [[camera]]"),
            ("threads", true, "above the first [[camera]]"),
            ("name", false, "under a line [[camera]]"),
            ("cameras", false, "begins with the line [[camera]]"),
            ("zzz", false, "there are: allow-origin, allow-truncated, auth-file, bind, camera,"),
            ("zzz", true, "every, flip, format, fps, idle-timeout,"),
            ("config", false, "there is no option config"),
        ] {
            let said = explain_refusal(key, is_in_camera);
            assert!(said.contains(says), "{key}: {said}");
        }
        assert!(!explain_refusal("zzz", true).contains("bind"));
    }
}
