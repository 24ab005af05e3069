//! The page and the files that belong to it: from the program itself, or from
//! the folder behind `--www`.

mod early;

use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// Only the page's own files load anything, and only from here.
const POLICY: &str = "default-src 'none'; img-src 'self' blob: data:; style-src 'self'; \
    script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file without what only people need who change it, a sixth of its bytes.
macro_rules! plain {
    ($name:literal) => {{
        const TEXT: &[u8] = include_bytes!(concat!("../../../www/", $name));
        const N: usize = strip(TEXT, &mut [0; TEXT.len()]);
        static PLAIN: [u8; N] = {
            let mut plain = [0; N];
            strip(TEXT, &mut plain);
            plain
        };
        &PLAIN
    }};
}

static PAGE: &[u8] = plain!("index.html");

/// The other files in the program: path, content type, bytes.
static BUILT_IN: [(&str, &str, &[u8]); 12] = [
    // For browsers that run no scripts.
    ("/links.html", HTML, plain!("links.html")),
    ("/style.css", CSS, plain!("style.css")),
    ("/app.js", SCRIPT, plain!("app.js")),
    ("/common.js", SCRIPT, plain!("common.js")),
    ("/controls.js", SCRIPT, plain!("controls.js")),
    ("/events.js", SCRIPT, plain!("events.js")),
    ("/grid.js", SCRIPT, plain!("grid.js")),
    ("/motion.js", SCRIPT, plain!("motion.js")),
    ("/programs.js", SCRIPT, plain!("programs.js")),
    ("/recordings.js", SCRIPT, plain!("recordings.js")),
    ("/timeline.js", SCRIPT, plain!("timeline.js")),
    ("/playback.js", SCRIPT, plain!("playback.js")),
];

/// Leaves out comments behind `//`, at the beginning of a line or behind two blanks,
/// comments of a line of their own in a style, and the blanks at the beginning and the
/// end of each line. The lines stay, so that errors in a browser name the right ones.
/// Returns how many bytes are left.
const fn strip(text: &[u8], plain: &mut [u8]) -> usize {
    let (mut start, mut n) = (0, 0);
    while start < text.len() {
        while start < text.len() && text[start] == b' ' {
            start += 1;
        }
        let (mut end, mut code_end) = (start, usize::MAX);
        while end < text.len() && text[end] != b'\n' {
            let is_slashes = text[end] == b'/' && end + 1 < text.len() && text[end + 1] == b'/';
            let is_apart = end == start || text[end - 1] == b' ' && text[end - 2] == b' ';
            if is_slashes && is_apart && code_end == usize::MAX {
                code_end = end;
            }
            end += 1;
        }
        let is_style = end - start >= 4 && text[start] == b'/' && text[start + 1] == b'*';
        if is_style && text[end - 2] == b'*' && text[end - 1] == b'/' {
            code_end = start;
        }
        let mut at = start;
        while at < end && at < code_end {
            plain[n] = text[at];
            (at, n) = (at + 1, n + 1);
        }
        while at > start && plain[n - 1] == b' ' {
            (at, n) = (at - 1, n - 1);
        }
        if end < text.len() {
            plain[n] = b'\n';
            n += 1;
        }
        start = end + 1;
    }
    n
}

/// A file of a page is read whole; a larger one does not belong there.
const MAX_FILE_BYTES: u64 = 8 << 20;

/// # Errors
/// 404 where there is no such file.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let file = match context.config.www.as_deref() {
        Some(dir) => from_folder(dir, &request.path),
        None if early::is_page(request) => Some(reply(HTML, early::page(context, request, PAGE))),
        None => built_in(&request.path),
    };
    if file.is_some() {
        early::wake_camera(context, request);
    }
    let missing = || Reply::text(Code::NotFound, &format!("not found; {}", context.addresses));
    context.send(request, &file.ok_or_else(missing)?);
    Ok(())
}

fn built_in(path: &str) -> Option<Reply> {
    let (_, content_type, bytes) = BUILT_IN.iter().find(|(name, ..)| *name == path)?;
    Some(reply(content_type, *bytes))
}

fn reply(content_type: &'static str, bytes: impl Into<Cow<'static, [u8]>>) -> Reply {
    let reply = Reply::new(Code::Ok, content_type, bytes);
    // no-cache and not max-age: after an update of the program an old script beside a
    // new page would fail.
    reply.with("Cache-Control", "no-cache").with("Content-Security-Policy", POLICY)
}

fn from_folder(dir: &Path, path: &str) -> Option<Reply> {
    let file = resolve(dir, path)?;
    let mut bytes = Vec::new();
    // Bounded while it is read, as a file may grow behind a look at its length.
    fs::File::open(&file).ok()?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        log::warn!("{}: larger than 8 MiB, not served", file.display());
        return None;
    }
    let reply = Reply::new(Code::Ok, content_type(&file), Cow::Owned(bytes));
    Some(reply.with("Cache-Control", "no-cache"))
}

/// The file in `dir` that a path names. `None` for what is not a file, is
/// hidden, or lies outside, be it by dots or by a link.
fn resolve(dir: &Path, path: &str) -> Option<PathBuf> {
    let decoded = decode(path)?;
    let relative = Path::new(decoded.strip_prefix('/')?);
    let is_plain = relative.components().all(|component| match component {
        Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
        _ => false,
    });
    if !is_plain || decoded.contains('\0') {
        return None;
    }
    // Both with their links resolved, so that a link within the folder may lead to a
    // file of it, and no link out of it.
    let dir = dir.canonicalize().ok()?;
    let mut file = dir.join(relative).canonicalize().ok()?;
    if file.is_dir() {
        file = file.join("index.html").canonicalize().ok()?;
    }
    (file.starts_with(&dir) && file.is_file()).then_some(file)
}

/// Takes percent encoding back (RFC 3986 2.1).
fn decode(path: &str) -> Option<String> {
    // In a query a plus is a blank; in a path it is a plus.
    let escaped = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let (text, _) = form_urlencoded::parse(escaped.as_bytes()).next()?;
    (!text.contains(char::REPLACEMENT_CHARACTER)).then(|| text.into_owned())
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|e| e.to_str()).unwrap_or("") {
        "html" | "htm" => HTML,
        "css" => CSS,
        "js" | "mjs" => SCRIPT,
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a file, a link out of it and a hidden file.
    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("mjpegd-www-{}-{name}", std::process::id()));
        fs::create_dir_all(dir.join("sub")).unwrap();
        fs::write(dir.join("index.html"), "home").unwrap();
        fs::write(dir.join("a b+c.txt"), "text").unwrap();
        fs::write(dir.join("sub/index.html"), "sub").unwrap();
        fs::write(dir.join(".secret"), "hidden").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.join("link")).unwrap();
        std::os::unix::fs::symlink("/etc", dir.join("linked")).unwrap();
        dir
    }

    #[test]
    fn files_of_the_folder_are_found() {
        let dir = folder("found");
        let name = |path| resolve(&dir, path).map(|f| fs::read_to_string(f).unwrap());
        for (path, text) in
            [("/", "home"), ("/index.html", "home"), ("/a%20b+c.txt", "text"), ("/sub", "sub")]
        {
            assert_eq!(name(path).as_deref(), Some(text), "{path}");
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn nothing_outside_the_folder_is_reached() {
        let dir = folder("outside");
        for path in [
            "/../Cargo.toml",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/sub/../../etc/passwd",
            "//etc/passwd",
            "/link",
            "/linked/passwd",
            "/.secret",
            "/%2Esecret",
            "/index.html%00.jpg",
            "/none",
            "etc",
            "*",
            "/%ff",
        ] {
            assert_eq!(resolve(&dir, path), None, "{path}");
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn files_are_stripped_of_blanks_and_comments_and_keep_their_lines() {
        let text =
            b"// a\n  if (x) {   // y\n    /* b */\n\n    y('//  c'); // d \n /* e\n f */\n}";
        let mut plain = [0; 80];
        let n = strip(text, &mut plain);
        let due = "\nif (x) {\n\n\ny('//  c'); // d\n/* e\nf */\n}";
        assert_eq!(std::str::from_utf8(&plain[..n]), Ok(due));
    }

    #[test]
    fn page_is_in_the_program_and_no_file_is_touched_without_a_folder() {
        assert!(built_in("/app.js").is_some() && built_in("/links.html").is_some());
        assert!(built_in("/Cargo.toml").is_none() && built_in("/../Cargo.toml").is_none());
    }
}
