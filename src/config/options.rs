//! All options and their scope: which of them can differ from camera to camera,
//! and which can stand in the file.
//!
//! A key of the file has the name of its option, so that an option means the
//! same in both places and none is missing in the file.

use clap::{Arg, ArgAction, Command};

use super::args;
use crate::short_sort::sort_short;

/// What an option applies to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scope {
    /// One camera: the file can set it at its top for all cameras, and in the
    /// table of one camera.
    Camera,
    /// The whole program: the file can set it at its top only.
    Server,
    /// The command line: it cannot stand in the file.
    CommandLine,
}

/// The scope of each option. It is written down here and not derived from the
/// headings of the help, because those are for the reader of the help only. A
/// test compares the table with the command line.
const SCOPES: &[(&str, Scope)] = &[
    // In the file a camera is a table [[camera]].
    ("camera", Scope::CommandLine),
    ("config", Scope::CommandLine),
    ("print-config", Scope::CommandLine),
    ("max-viewers", Scope::Camera),
    ("fps", Scope::Camera),
    ("resolution", Scope::Camera),
    ("snapshot-resolution", Scope::Camera),
    ("format", Scope::Camera),
    ("input", Scope::Camera),
    ("tv-standard", Scope::Camera),
    ("dv-timings", Scope::Camera),
    ("quality", Scope::Camera),
    ("encoder", Scope::Camera),
    ("control", Scope::Camera),
    ("warmup", Scope::Camera),
    ("stall-timeout", Scope::Camera),
    ("tls-ca", Scope::Camera),
    ("tls-insecure", Scope::Camera),
    ("max-frame-size", Scope::Camera),
    ("min-frame-size", Scope::Camera),
    ("every", Scope::Camera),
    ("drop-same-frames", Scope::Camera),
    ("allow-truncated", Scope::Camera),
    ("rotate", Scope::Camera),
    ("flip", Scope::Camera),
    ("overlay", Scope::Camera),
    ("overlay-position", Scope::Camera),
    ("overlay-size", Scope::Camera),
    ("overlay-box", Scope::Camera),
    ("watch", Scope::Camera),
    ("remove-shown", Scope::Camera),
    ("idle-timeout", Scope::Camera),
    ("record", Scope::Camera),
    ("record-fps", Scope::Camera),
    ("record-max-size", Scope::Camera),
    ("record-max-age", Scope::Camera),
    ("record-sync", Scope::Camera),
    ("record-segment", Scope::Camera),
    ("on-segment", Scope::Camera),
    ("motion", Scope::Camera),
    ("motion-sensitivity", Scope::Camera),
    ("motion-fps", Scope::Camera),
    ("motion-min-size", Scope::Camera),
    ("motion-hold", Scope::Camera),
    ("motion-zone", Scope::Camera),
    ("motion-mask", Scope::Camera),
    ("on", Scope::Server),
    ("on-timeout", Scope::Server),
    ("webhook", Scope::Server),
    ("webhook-key-file", Scope::Server),
    ("mqtt", Scope::Server),
    ("mqtt-password-file", Scope::Server),
    ("mqtt-snapshot", Scope::Server),
    ("mqtt-discovery", Scope::Server),
    ("bind", Scope::Server),
    ("unix-mode", Scope::Server),
    ("threads", Scope::Server),
    ("max-variants", Scope::Server),
    ("write-timeout", Scope::Server),
    ("head-timeout", Scope::Server),
    ("max-head", Scope::Server),
    ("max-connections", Scope::Server),
    ("max-leaks", Scope::Server),
    ("exit-on-lost", Scope::Server),
    ("exit-on-device-error", Scope::Server),
    ("exit-on-no-viewers", Scope::Server),
    ("drain-timeout", Scope::Server),
    ("www", Scope::Server),
    ("lost-snapshot", Scope::Server),
    ("instance-id", Scope::Server),
    ("lock-controls", Scope::Server),
    ("auth-file", Scope::Server),
    ("trusted-proxy", Scope::Server),
    ("allow-origin", Scope::Server),
];

/// Keys that only the table of a camera has.
pub(super) const NAME: &str = "name";
pub(super) const SOURCE: &str = "source";
/// The table of a camera.
pub(super) const CAMERA: &str = "camera";

/// The options of the command line that can stand in the file.
pub(super) struct Options(Command);

impl Options {
    pub(super) fn new() -> Self {
        Self(args::command())
    }

    /// The options that can stand in the file, by name, with their scope.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Scope, &Arg)> {
        self.0.get_arguments().filter_map(|arg| {
            let name = arg.get_long()?;
            let scope = scope(name).filter(|scope| *scope != Scope::CommandLine)?;
            Some((name, scope, arg))
        })
    }

    /// Whether there is an option of this name, in whatever place.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get_arguments().any(|arg| arg.get_long() == Some(name))
    }

    pub(super) fn find(&self, key: &str) -> Option<(Scope, &Arg)> {
        self.all().find(|(known, ..)| *known == key).map(|(_, scope, arg)| (scope, arg))
    }

    /// Why a key cannot stand in this place of the file, and what can.
    pub(super) fn explain_refusal(&self, key: &str, is_in_camera: bool) -> String {
        if is_in_camera && self.find(key).is_some() {
            return format!("{key} is no option of a camera; put it above the first [[camera]]");
        }
        if !is_in_camera && [NAME, SOURCE].contains(&key) {
            return format!("{key} is an option of a camera; put it under a line [[camera]]");
        }
        let all = self.all();
        let mut known: Vec<_> = all
            .filter(|(_, scope, _)| !is_in_camera || *scope == Scope::Camera)
            .map(|(key, ..)| key)
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
}

fn scope(option: &str) -> Option<Scope> {
    SCOPES.iter().find(|(name, _)| *name == option).map(|(_, scope)| *scope)
}

/// Whether an option may stand without a value: it is on or off.
pub(super) fn is_switch(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|n| n.min_values() == 0)
}

/// Whether an option takes several values.
pub(super) fn takes_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Whether the values of an option are pairs, which its help says.
pub(super) fn has_names(arg: &Arg) -> bool {
    arg.get_value_names().into_iter().flatten().any(|name| name.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_exactly_one_scope() {
        let options = Options::new();
        let mut typed: Vec<_> = options.0.get_arguments().filter_map(Arg::get_long).collect();
        let mut listed: Vec<_> = SCOPES.iter().map(|(name, _)| *name).collect();
        typed.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, typed);
        // And each of them can stand where its scope says.
        for (name, scope) in SCOPES {
            let found = options.find(name).map(|(scope, _)| scope);
            assert_eq!(found, Some(*scope).filter(|s| *s != Scope::CommandLine), "{name}");
        }
    }

    #[test]
    fn unknown_key_is_answered_with_the_nearest_that_can_stand_there() {
        let options = Options::new();
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
            let said = options.explain_refusal(key, is_in_camera);
            assert!(said.contains(says), "{key}: {said}");
        }
        assert!(!options.explain_refusal("zzz", true).contains("bind"));
    }
}
