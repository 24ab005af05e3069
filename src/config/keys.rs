//! The options as keys of the file: they are those of the command line, so
//! that none is forgotten here and each means the same in both.

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::args::Args;

/// What an option is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scope {
    /// One camera.
    Camera,
    /// The program: it can stand in the file only once.
    Server,
}

/// The headings of the help under which the options of a camera stand.
const OF_CAMERA: [&str; 3] = ["Camera", "Device", "Recording"];

/// What only a camera's table has.
pub(super) const NAME: &str = "name";
pub(super) const SOURCE: &str = "source";
/// The table of a camera.
pub(super) const CAMERA: &str = "camera";

/// All options that can stand in the file, and their scope.
pub(super) struct Keys(Command);

impl Keys {
    pub(super) fn new() -> Self {
        Self(Args::command())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Scope, &Arg)> {
        self.0.get_arguments().filter_map(|arg| {
            let key = arg.get_long().filter(|key| *key != CAMERA && *key != "config")?;
            let scope = match arg.get_help_heading()? {
                heading if OF_CAMERA.contains(&heading) => Scope::Camera,
                _ => Scope::Server,
            };
            Some((key, scope, arg))
        })
    }

    pub(super) fn find(&self, key: &str) -> Option<(Scope, &Arg)> {
        self.all().find(|(known, ..)| *known == key).map(|(_, scope, arg)| (scope, arg))
    }

    /// What is wrong with a key that cannot stand at a place, and what can.
    pub(super) fn refusal(&self, key: &str, is_in_camera: bool) -> String {
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
        let written = key.replace('_', "-");
        let distance = |known: &str| strsim::osa_distance(&written, known);
        let nearest = known.iter().copied().min_by_key(|known| distance(known));
        match nearest.filter(|nearest| distance(nearest) <= 1 + written.len() / 4) {
            Some(CAMERA) => {
                format!("there is no option {key}; a camera begins with the line [[camera]]")
            }
            Some(nearest) => format!("there is no option {key}; did you mean {nearest}?"),
            None => {
                known.sort_unstable();
                format!("there is no option {key}; there are: {}", known.join(", "))
            }
        }
    }
}

/// Whether an option takes several values.
pub(super) fn takes_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Whether an option may stand without a value, which means yes.
pub(super) fn is_switch(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|n| n.min_values() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_scope() {
        let keys = Keys::new();
        for arg in keys.0.get_arguments().filter_map(Arg::get_long) {
            assert!(keys.find(arg).is_some() || [CAMERA, "config"].contains(&arg), "{arg}");
        }
        assert_eq!(keys.find("fps").unwrap().0, Scope::Camera);
        assert_eq!(keys.find("quality").unwrap().0, Scope::Camera);
        assert_eq!(keys.find("bind").unwrap().0, Scope::Server);
        assert!(keys.find(CAMERA).is_none() && keys.find("config").is_none());
    }

    #[test]
    fn unknown_key_is_told_the_nearest_that_can_stand_there() {
        let keys = Keys::new();
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
            ("zzz", true, "control, format, fps, idle-timeout,"),
            ("config", false, "there is no option config"),
        ] {
            let said = keys.refusal(key, is_in_camera);
            assert!(said.contains(says), "{key}: {said}");
        }
        assert!(!keys.refusal("zzz", true).contains("bind"));
    }
}
