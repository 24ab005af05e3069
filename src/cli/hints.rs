//! Options of other programs that newcomers type, and what they are here.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Names without dashes, and what to type.
const HINTS: [(&[&str], &str); 7] = [
    (&["port", "host", "listen", "address", "p"], "--bind ADDRESS:PORT, such as 0.0.0.0:8080"),
    (&["device", "source", "input-device", "url", "d", "i"], "--camera, such as --camera v4l2"),
    (&["size", "width", "height", "r"], "--resolution WIDTHxHEIGHT"),
    (&["framerate", "rate", "f"], "--fps N"),
    (&["verbose", "debug", "log-level"], "the variable RUST_LOG, such as RUST_LOG=debug"),
    (&["user", "password", "passwd", "auth"], "--auth-file FILE with a line user:password"),
    (&["output", "recordings"], "--record DIR"),
];

/// What to type in place of what clap does not know.
pub(super) fn of(error: &clap::Error) -> Option<String> {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let name = of(ContextKind::InvalidArg)?.trim_start_matches('-');
            let (_, right) = HINTS.iter().find(|(names, _)| names.contains(&name))?;
            Some(["mjpegd: here this is ", right].concat())
        }
        ErrorKind::InvalidSubcommand => {
            let word = of(ContextKind::InvalidSubcommand)?;
            let kind = if word.starts_with("/dev/") { "v4l2:" } else { "" };
            Some(["mjpegd: a camera is chosen with --camera ", kind, word].concat())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::CommandLine;

    #[test]
    fn options_of_other_programs_have_a_hint() {
        for (word, says) in [
            ("--port", "here this is --bind ADDRESS:PORT"),
            ("-d", "here this is --camera"),
            ("--password", "--auth-file FILE"),
            ("pattern", "with --camera pattern"),
            ("/dev/video0", "with --camera v4l2:/dev/video0"),
        ] {
            let error = CommandLine::parse_from(["mjpegd".into(), word.into()], "").unwrap_err();
            assert!(super::of(&error).unwrap().contains(says), "{word}");
        }
        let error =
            CommandLine::parse_from(["mjpegd".into(), "--nonsense".into()], "").unwrap_err();
        assert_eq!(super::of(&error), None);
    }
}
