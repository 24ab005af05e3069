//! What the options of another program add up to, until it is a command line of
//! this one.

use super::getopt::Typed;
use super::table::{Meaning, Print, Rule, Value};
use crate::config::{Credentials, Password, Translated, TranslatedCamera};

/// Options that were typed, by what they mean here.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) server: Vec<(&'static str, String)>,
    pub(super) camera: Vec<(&'static str, String)>,
    /// Those that have to be combined, by their own names; the last of a name
    /// counts.
    kept: Vec<(&'static str, String)>,
    /// Lines for the log.
    pub(super) notes: Vec<String>,
    pub(super) print: Option<Print>,
}

impl Draft {
    /// Sorts the options by their meaning.
    ///
    /// # Errors
    /// The first that is refused, and what to do instead.
    pub(super) fn new(typed: Vec<Typed>, dashes: &str) -> Result<Self, String> {
        let mut draft = Self::default();
        for (row, value) in typed {
            let name = || format!("{dashes}{}", row.name);
            match &row.meaning {
                Meaning::Mapped(_, rule) => {
                    // A flag that is mapped to an option switches it on.
                    let is_flag = row.value == Value::Flag;
                    draft.map(rule, row.name, if is_flag { "true".into() } else { value });
                }
                Meaning::Accepted(why) => draft.note(&name(), why),
                Meaning::Refused(why) => return Err(format!("{}: {why}", name())),
                // The first one ends their programs too.
                Meaning::Prints(_, print) => {
                    draft.print.get_or_insert(*print);
                    break;
                }
            }
        }
        Ok(draft)
    }

    fn map(&mut self, rule: &Rule, name: &'static str, value: String) {
        match rule {
            Rule::Server(key) => set(&mut self.server, key, value),
            Rule::Camera(key) => set(&mut self.camera, key, value),
            Rule::Control(control, automatic) => self.control(control, *automatic, &value),
            Rule::Keep => set(&mut self.kept, name, value),
        }
    }

    /// Sets a control, or the one that sets it automatically.
    pub(super) fn control(&mut self, control: &str, automatic: Option<&str>, value: &str) {
        match (value, automatic) {
            ("auto", Some(automatic)) => self.set_control(automatic, "1"),
            _ => self.set_control(control, value),
        }
    }

    /// Sets the size of a device's pictures: the one that was typed, or the default of
    /// both programs, unless it is that of the signal.
    pub(super) fn set_size(&mut self) {
        let is_of_signal = self.camera.iter().any(|(key, _)| *key == "dv-timings");
        let default = Some("640x480").filter(|_| !is_of_signal);
        let size = self.kept("resolution").or(default).map(str::to_owned);
        self.camera.extend(size.map(|size| ("resolution", size)));
    }

    /// Replaces a value of the same control.
    pub(super) fn set_control(&mut self, control: &str, value: &str) {
        let is_it = |text: &str| text.split('=').next() == Some(control);
        self.camera.retain(|(key, text)| *key != "control" || !is_it(text));
        self.camera.push(("control", format!("{control}={value}")));
    }

    /// The last value of an option that has to be combined with others.
    pub(super) fn kept(&self, name: &str) -> Option<&str> {
        self.kept.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn note(&mut self, option: &str, why: &str) {
        let note = format!("{option}: {why}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The last value of an option counts.
fn set(list: &mut Vec<(&'static str, String)>, key: &'static str, value: String) {
    list.retain(|(known, _)| *known != key);
    list.push((key, value));
}

/// The options of a server and of its cameras as a command line of this program.
pub(super) fn translate(
    server: Vec<(&'static str, String)>,
    cameras: Vec<(String, Vec<(&'static str, String)>)>,
    users: Vec<(String, String)>,
) -> Translated {
    let users: Vec<_> = users.into_iter().map(|(u, p)| (u, Password::Plain(p))).collect();
    let camera = |(source, options)| TranslatedCamera { source, options };
    Translated {
        server,
        cameras: cameras.into_iter().map(camera).collect(),
        defaults: Vec::new(),
        credentials: (!users.is_empty()).then_some(Credentials(users)),
    }
}

/// What the log says of a password that was typed.
pub(super) const TYPED_PASSWORD: &str = "the password stands in the list of processes, which all \
     users of this machine can read; --auth-file of mjpegd reads it from a file";

/// `HOST:PORT` as `--bind` reads it. An empty host means all addresses.
pub(super) fn bind(host: &str, port: &str) -> String {
    match host.trim_start_matches('[').trim_end_matches(']') {
        // As the C library reads it: the address 0.0.0.0.
        "0" => format!("0.0.0.0:{port}"),
        host if host.contains(':') => format!("[{host}]:{port}"),
        host => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_all_kinds_are_bound() {
        for (host, bound) in [
            ("127.0.0.1", "127.0.0.1:80"),
            ("0", "0.0.0.0:80"),
            ("::", "[::]:80"),
            ("[::1]", "[::1]:80"),
            ("localhost", "localhost:80"),
            ("", ":80"),
        ] {
            assert_eq!(bind(host, "80"), bound);
        }
    }

    #[test]
    fn last_value_of_an_option_and_of_a_control_counts() {
        let mut draft = Draft::default();
        draft.map(&Rule::Camera("fps"), "desired-fps", "5".into());
        draft.map(&Rule::Camera("fps"), "desired-fps", "7".into());
        draft.set_control("hue", "default");
        draft.set_control("gain", "1");
        draft.control("hue", Some("hue_automatic"), "3");
        draft.control("gain", Some("gain_automatic"), "auto");
        let text = |(key, value): &(&str, String)| format!("{key} {value}");
        let all: Vec<_> = draft.camera.iter().map(text).collect();
        assert_eq!(all, ["fps 7", "control gain=1", "control hue=3", "control gain_automatic=1"]);
    }
}
