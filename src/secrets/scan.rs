//! Finds secrets in a text: which bytes to hide.

use std::ops::Range;

use super::name::{is_header, is_identity, is_query_name, is_secret};
use super::words::{Word, words};

/// The secrets of a text, in order, without overlaps.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let words = words(text);
    let mut found = unclear_logins(text);
    // `-pSECRET` is a password to these two programs, and a port or a path to most others.
    let mut takes_attached = false;
    for (i, word) in words.iter().enumerate() {
        let before = i.checked_sub(1).map_or("", |i| &text[words[i].range.clone()]);
        found.extend(value_of_option(text, word, before));
        found.extend(attached(&text[word.range.clone()], word.range.start, takes_attached));
        found.extend(assignments(text, word, words.get(i + 1)));
        let program = text[word.range.clone()].rsplit('/').next().unwrap_or("");
        takes_attached |= program == "sshpass" || program.starts_with("mysql");
    }
    merged(found)
}

fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.retain(|range| !range.is_empty());
    found.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match merged.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => merged.push(range),
        }
    }
    merged
}

/// A word behind an option that takes a secret, without its quotes.
fn value_of_option(text: &str, word: &Word, option: &str) -> Option<Range<usize>> {
    let name = option.strip_prefix('-')?;
    let value = &text[word.content()];
    let is_option = value.starts_with('-');
    let hides = match name {
        // `python -u SCRIPT` has the same form.
        "u" => !is_option && (value.contains(':') || !value.contains(['/', '.'])),
        "U" | "p" | "P" => !is_option,
        // Of curl, wget and httpie: USER:PASSWORD, CERTIFICATE:PASSWORD.
        "a" | "E" | "-cert" => value.contains(':'),
        // Cookies of curl; without an equals sign it is a file of them.
        "b" => value.contains('='),
        // Several options in one word, as in `curl -su me:secret`.
        _ if name.len() <= 4 && name.ends_with('u') && value.contains(':') => true,
        _ => {
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                && is_secret(name)
        }
    };
    hides.then(|| word.content())
}

/// The value in the same word as its short option, as in `-ume:secret`.
fn attached(word: &str, start: usize, takes_attached: bool) -> Option<Range<usize>> {
    let value = word.get(2..)?;
    let is_login = word.starts_with("-u") && value.contains(':') && !value.contains("://");
    let is_password = word.starts_with("-p") && takes_attached;
    (is_login || is_password).then_some(start + 2..start + word.len())
}

/// The values of all `name=value` and `name: value` in a word whose name says
/// that the value is secret.
fn assignments(text: &str, word: &Word, next: Option<&Word>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in word.range.clone().filter(|at| matches!(text.as_bytes()[*at], b'=' | b':')) {
        let name = name_before(text, word.range.start, at);
        let is_quoted = text[..at].ends_with(['"', '\'']);
        let before = text[..name.start].chars().next_back();
        let is_in_query = matches!(before, Some('?' | '&' | ';' | '/')) && !is_quoted;
        let name = &text[name];
        if text.as_bytes()[at] == b'=' {
            if is_secret(name) || is_in_query && is_query_name(name) {
                found.push(value(text, word, at + 1, is_in_query));
            }
        } else if has_value(name, before, is_quoted) {
            let value = value(text, word, at + 1, false);
            match next.filter(|_| value.is_empty()) {
                // Unquoted, as a program prints it: `Authorization: Basic xyz`.
                Some(next) if is_header(name) => found.push(next.range.start..text.len()),
                Some(next) => found.push(next.content()),
                None => found.push(value),
            }
        }
    }
    found
}

/// Whether a colon behind this name begins a secret. In sentences a colon follows
/// anything, such as the path of a file.
fn has_value(name: &str, before: Option<char>, is_quoted: bool) -> bool {
    let is_in_sentence = is_identity(name) || name.contains('.') || before == Some('/');
    is_secret(name) && before != Some('=') && (is_quoted || !is_in_sentence)
}

/// The name in front of a sign, without quotes around it.
fn name_before(text: &str, from: usize, at: usize) -> Range<usize> {
    let end = from + text[from..at].trim_end_matches(['"', '\'', '\\']).len();
    let is_of_name = |c: char| c.is_alphanumeric() || "_.%-[]".contains(c);
    from + text[from..end].trim_end_matches(is_of_name).len()..end
}

/// The value that begins here.
fn value(text: &str, word: &Word, from: usize, is_in_query: bool) -> Range<usize> {
    let limit = word.end_of_quotes(from).unwrap_or(word.range.end);
    let start = limit - text[from.min(limit)..limit].trim_start_matches([' ', '\\']).len();
    let rest = &text[start..limit];
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = &rest[1..];
        let end = inner.find(quote).unwrap_or(inner.len());
        return start + 1..start + 1 + inner[..end].trim_end_matches('\\').len();
    }
    let mut len = if is_in_query { query_value(rest) } else { rest.len() };
    if start + len == word.range.end {
        // Signs of the sentence around it.
        len = rest[..len].trim_end_matches([',', ';', ':', '.', ')']).len();
    }
    start..start + len
}

/// How long the value of a query is. A piece without a name may belong to it: a
/// password can hold an ampersand.
fn query_value(rest: &str) -> usize {
    let next = rest.match_indices('&').find(|(at, _)| {
        let piece = &rest[at + 1..];
        piece[..piece.find('&').unwrap_or(piece.len())].contains('=')
    });
    let end = next.map_or(rest.len(), |(at, _)| at);
    rest[..end].find(['"', '\'', '<', '>']).unwrap_or(end)
}

/// Logins with a sign in the password that ends an address: what looks like a
/// port is none, and there is an @ further on.
fn unclear_logins(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        let rest = &rest[..rest.find("://").unwrap_or(rest.len())];
        let is_end = |c: char| c.is_whitespace() || "/?#\"'".contains(c);
        let authority = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
        let is_port = port.bytes().all(|b| b.is_ascii_digit()) || port.ends_with(']');
        if let Some(at) = rest.rfind('@').filter(|_| !is_port && !authority.contains('@')) {
            found.push(start..start + at);
        }
    }
    found
}

/// User and password of each address in a command.
pub(super) fn logins(command: &str) -> Vec<Range<usize>> {
    let login = |at: usize| {
        let start = at + 3;
        let rest = &command[start..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        Some(start..start + rest[..end.unwrap_or(rest.len())].rfind('@')?)
    };
    command.match_indices("://").filter_map(|(at, _)| login(at)).collect()
}
