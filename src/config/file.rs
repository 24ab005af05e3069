//! The file of `--config`: its keys and values, each with its line. Here only
//! keys and types are checked; the values are checked by the code that checks
//! the command line.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::{self, CAMERA, NAME, SOURCE};
use super::table::{Form, Scope};
use super::text_file::{self, Encoding};

/// The content of the file.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    /// Options of the server, and of all cameras whose tables do not set them.
    pub(super) top: Vec<Entry>,
    pub(super) cameras: Vec<Table>,
}

/// The table of a camera in the file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) line: usize,
    pub(super) name: Option<Entry>,
    pub(super) source: Option<Entry>,
    pub(super) entries: Vec<Entry>,
}

/// One key of the file with its values.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) values: Vec<String>,
    pub(super) line: usize,
}

type Item<'a> = (&'a Spanned<Cow<'a, str>>, &'a Spanned<DeValue<'a>>);

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// Its first error, with the line.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = text_file::read(path, Encoding::Utf8)
            .with_context(|| format!("--config {}", path.display()))?;
        Self::parse(path, &text)
    }

    /// As [`File::read`], for the text of a file.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        let parser = FileParser { path, text };
        // Not by serde: it forgets the line of a value once its type is right, and most
        // errors are about values.
        let table = DeTable::parse(text).map_err(|e| {
            // The message has several lines, and the log takes one.
            let what = e.message().lines().collect::<Vec<_>>().join(", ");
            parser.error_at(&e.span().unwrap_or_default(), &what)
        })?;
        let mut file = Self { path: path.to_owned(), top: Vec::new(), cameras: Vec::new() };
        for (key, value) in table.get_ref() {
            if key.get_ref() == CAMERA {
                file.cameras = parser.cameras(value)?;
            } else {
                file.top.push(parser.entry((key, value), false)?);
            }
        }
        Ok(file)
    }

    /// A line of the file, as errors name it.
    pub(super) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

struct FileParser<'a> {
    path: &'a Path,
    text: &'a str,
}

impl FileParser<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        1 + memchr::memchr_iter(b'\n', before).count()
    }

    fn error_at(&self, span: &Range<usize>, what: &str) -> anyhow::Error {
        anyhow!("{}:{}: {what}", self.path.display(), self.line(span))
    }

    fn cameras(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<Table>> {
        let usage = "a camera begins with a line [[camera]], and its name = \"...\" stands below";
        let error = |span| self.error_at(&span, usage);
        let tables = value.get_ref().as_array().ok_or_else(|| error(value.span()))?;
        tables
            .iter()
            .map(|table| {
                let items = table.get_ref().as_table().ok_or_else(|| error(table.span()))?;
                self.camera(self.line(&table.span()), items)
            })
            .collect()
    }

    fn camera(&self, line: usize, items: &DeTable<'_>) -> Result<Table> {
        let mut table = Table { line, name: None, source: None, entries: Vec::new() };
        for (key, value) in items {
            let text = || -> Result<Entry> {
                let text = value.get_ref().as_str();
                let text = text.ok_or_else(|| self.error_at(&key.span(), &must_be(key, "text")))?;
                Ok(self.new_entry(key, vec![text.to_owned()]))
            };
            match &**key.get_ref() {
                NAME => table.name = Some(text()?),
                SOURCE => table.source = Some(text()?),
                _ => table.entries.push(self.entry((key, value), true)?),
            }
        }
        Ok(table)
    }

    fn new_entry(&self, key: &Spanned<Cow<'_, str>>, values: Vec<String>) -> Entry {
        Entry { key: key.get_ref().to_string(), values, line: self.line(&key.span()) }
    }

    fn entry(&self, (written, value): Item<'_>, is_in_camera: bool) -> Result<Entry> {
        let name = written.get_ref();
        let known = key::find(name);
        let known = known.filter(|option| !is_in_camera || option.scope == Scope::Camera);
        let Some(option) = known else {
            return Err(self.error_at(&written.span(), &key::explain_refusal(name, is_in_camera)));
        };
        let is_switch = option.form == Form::Switch;
        let values = match value.get_ref() {
            DeValue::Boolean(is_on) if is_switch => Ok(vec![is_on.to_string()]),
            value if is_switch => single(value).map_err(|_| "true or false"),
            value if option.takes_many() => several(value, option.has_names()),
            value => single(value),
        };
        let values = values.map_err(|right| {
            // At the key: the value may begin on another line.
            self.error_at(
                &written.span(),
                &format!("{}, not {}", must_be(written, right), kind(value)),
            )
        })?;
        Ok(self.new_entry(written, values))
    }
}

/// The error about a value of the wrong type.
fn must_be(key: &Spanned<Cow<'_, str>>, right: &str) -> String {
    format!("{} must be {right}", key.get_ref())
}

fn kind(value: &Spanned<DeValue<'_>>) -> String {
    format!("of the kind {}", value.get_ref().type_str())
}

/// A value as it would be typed on the command line.
fn single(value: &DeValue<'_>) -> Result<Vec<String>, &'static str> {
    let text = match value {
        DeValue::String(text) => text.to_string(),
        // TOML takes 0x10 and 1_000, which clap does not.
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => n.to_string(),
            Err(_) => return Err("a number of at most 63 bits"),
        },
        // As it is written, so that an error repeats what people look for in the file.
        DeValue::Float(n) => n.as_str().to_owned(),
        _ => return Err("text or a number"),
    };
    Ok(vec![text])
}

/// The values of an option that takes several: a list, or names and values.
fn several(value: &DeValue<'_>, has_names: bool) -> Result<Vec<String>, &'static str> {
    let usage = match has_names {
        true => "text, [\"NAME=VALUE\", ...] or { NAME = VALUE, ... }",
        false => "text or a list of texts",
    };
    let one = |value: &Spanned<DeValue<'_>>| single(value.get_ref()).map_err(|_| usage);
    match value {
        DeValue::Array(values) => {
            Ok(values.iter().map(one).collect::<Result<Vec<_>, _>>()?.concat())
        }
        DeValue::Table(pairs) if has_names => pairs
            .iter()
            .map(|(name, value)| Ok(format!("{}={}", name.get_ref(), one(value)?.concat())))
            .collect(),
        value => single(value).map_err(|_| usage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File> {
        File::parse(Path::new("c.toml"), text)
    }

    fn error(text: &str) -> String {
        format!("{:#}", parse(text).unwrap_err())
    }

    #[test]
    fn values_are_what_would_be_typed() {
        let file = parse(
            "threads = 0x10\nfps = 12.50\n[[camera]]\nname = \"a\"\nsource = 'exec:x=\"1\"'\n\
             control = { brightness = -4, gain = 2 }\n[[camera]]\ncontrol = [\"a=1\", \"b=2\"]\n",
        )
        .unwrap();
        let of = |entries: &[Entry], key: &str| {
            let entry = entries.iter().find(|entry| entry.key == key).unwrap();
            (entry.values.join(" "), entry.line)
        };
        assert_eq!(of(&file.top, "threads"), ("16".into(), 1));
        assert_eq!(of(&file.top, "fps"), ("12.50".into(), 2));
        let [a, b] = &file.cameras[..] else { panic!("not two cameras") };
        assert_eq!((a.line, a.name.as_ref().unwrap().values[0].as_str()), (3, "a"));
        assert_eq!(a.source.as_ref().unwrap().values, ["exec:x=\"1\""]);
        assert_eq!(of(&a.entries, "control"), ("brightness=-4 gain=2".into(), 6));
        let switch = parse("tls-insecure = true").unwrap();
        assert_eq!(of(&switch.top, "tls-insecure"), ("true".into(), 1));
        assert!(b.name.is_none() && b.line == 7);
        assert_eq!(of(&b.entries, "control"), ("a=1 b=2".into(), 8));
    }

    #[test]
    fn error_has_its_line_and_what_would_be_right() {
        for (text, says) in [
            ("\nfsp = 1", "c.toml:2: there is no option fsp; did you mean fps?"),
            ("[[camera]]\n\nthreads = 2", "c.toml:3: threads is no option of a camera"),
            ("fps = true", "c.toml:1: fps must be text or a number, not of the kind boolean"),
            ("tls-insecure = [1]", "c.toml:1: tls-insecure must be true or false"),
            ("fps = [1]", "c.toml:1: fps must be text or a number"),
            ("bind = { a = 1 }", "c.toml:1: bind must be text or a list of texts, not of the kind"),
            ("[[camera]]\nname = 1", "c.toml:2: name must be text"),
            ("[[camera]]\ncontrol = [[1]]", "c.toml:2: control must be text, [\"NAME=VALUE\""),
            ("[camera]\nname = 'a'", "c.toml:1: a camera begins with a line [[camera]]"),
            ("camera = 'demo'", "c.toml:1: a camera begins with a line [[camera]]"),
            ("camera = ['demo']", "c.toml:1: a camera begins with a line [[camera]]"),
            ("[server]\nbind = ':80'", "c.toml:1: there is no option server"),
            ("fps = 1\nfps = 2", "c.toml:2: "),
            ("bind = 127.0.0.1", "c.toml:1: "),
            ("# fine\nfps = ", "c.toml:2: "),
        ] {
            let error = error(text);
            assert!(error.starts_with(says) || error.contains(says), "{text:?}: {error}");
            assert!(!error.contains('\n'), "{text:?}: one line, not {error}");
        }
    }

    #[test]
    fn damaged_file_is_an_error_and_no_panic() {
        let text = b"bind = ':80'\nfps = 1.5\n[[camera]]\nname = \"a\"\ncontrol = { b = [1] }\n";
        let mut seed = 1_u32;
        let mut random = |n: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % n.max(1)
        };
        for _ in 0..20_000 {
            let mut damaged = text.to_vec();
            for _ in 0..=random(3) {
                let at = random(damaged.len());
                if damaged.len() < 2 {
                    break;
                }
                match random(3) {
                    0 => damaged[at] = b"[]{}=\"'\n.,#\\0 \xC3"[random(15)],
                    1 => {
                        damaged.remove(at);
                    }
                    _ => damaged.truncate(at.max(1)),
                }
            }
            let _ = parse(&String::from_utf8_lossy(&damaged));
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&format!("control = {}", "[".repeat(100_000))).is_err());
    }
}
