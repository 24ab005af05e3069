//! All options of the daemon, one row each: an option of the command line is also an
//! environment variable and a key of the file.
//!
//! What its value means is checked by the file of this room that reads it.

mod access;
mod camera;
mod device;
mod events;
mod limits;
mod motion;
mod recording;
mod server;

/// One option.
pub(super) struct Opt {
    /// Without its dashes.
    pub(super) name: &'static str,
    /// So that a container or a unit can set it.
    pub(super) env: &'static str,
    pub(super) form: Form,
    /// What stands for its value in the help.
    pub(super) value: &'static str,
    /// What counts where nothing was given. `None`: the file that reads it says.
    pub(super) default: Option<&'static str>,
    pub(super) scope: Scope,
    pub(super) help: &'static str,
}

/// How an option is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    Text,
    Path,
    /// On or off; without a value it is on.
    Switch,
    /// It may be given several times, or once with this between its values.
    List(Option<char>),
    OneOf(&'static [&'static str]),
}

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

/// The headings of `--help`, with what stands below them.
pub(super) const GROUPS: [(&str, &[Opt]); 8] = [
    ("Camera", camera::OPTIONS),
    ("Device", device::OPTIONS),
    ("Recording", recording::OPTIONS),
    ("Motion", motion::OPTIONS),
    ("Events", events::OPTIONS),
    ("Server", server::OPTIONS),
    ("Limits", limits::OPTIONS),
    ("Access", access::OPTIONS),
];

/// What most options have in common.
const OF_CAMERA: Opt = Opt {
    name: "",
    env: "",
    form: Form::Text,
    value: "",
    default: None,
    scope: Scope::Camera,
    help: "",
};
const OF_SERVER: Opt = Opt { scope: Scope::Server, ..OF_CAMERA };

/// All options.
pub(super) fn all() -> impl Iterator<Item = &'static Opt> {
    GROUPS.iter().flat_map(|(_, options)| options.iter())
}

/// The options that can stand in the file.
pub(super) fn of_file() -> impl Iterator<Item = &'static Opt> {
    all().filter(|option| option.scope != Scope::CommandLine)
}

pub(super) fn find(name: &str) -> Option<&'static Opt> {
    all().find(|option| option.name == name)
}

impl Opt {
    /// Whether it takes pairs, which its help says.
    pub(super) fn has_names(&self) -> bool {
        self.value.contains('=')
    }

    pub(super) fn takes_many(&self) -> bool {
        matches!(self.form, Form::List(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_also_an_environment_variable() {
        for option in all() {
            let due = format!("MJPEGD_{}", option.name.to_uppercase().replace('-', "_"));
            // `make run` takes the camera by this short name.
            let due = if option.name == "camera" { "CAMERA".into() } else { due };
            assert_eq!(option.env, due);
        }
    }

    #[test]
    fn every_name_is_there_once() {
        for option in all() {
            assert_eq!(all().filter(|other| other.name == option.name).count(), 1);
        }
    }
}
