//! Secrets in texts that were typed or that a command has written, hidden in
//! everything that is shown: log, status, page, errors, output.
//!
//! One rule serves addresses, command lines and free text, because a camera's
//! source can be all of these at once. What may be a secret is hidden: a value
//! hidden for nothing costs less than a password in a log that is published.
//! Names stay, so that it can be seen what was hidden: `user=***`.

mod name;
mod scan;
mod words;

use crate::short_sort::sort_short;
use std::borrow::Cow;
use std::ops::Range;

/// What stands in place of a secret.
pub(crate) const HIDDEN: &str = "***";
/// Shorter values are no good words to search for in other texts.
const MIN_VALUE_LEN: usize = 4;

/// The text with its secrets replaced: values of queries and assignments whose
/// name says that they are secret, of such options of commands, of such HTTP
/// headers. User and password in front of a host are hidden by
/// [`crate::url::mask`], which calls this.
pub(crate) fn hide(text: &str) -> Cow<'_, str> {
    without(text, scan::secrets(text))
}

/// As [`hide`], again and again until it changes nothing: what is hidden can
/// bring two parts of a damaged text together that look like another secret.
pub(crate) fn hide_all(text: &str) -> Cow<'_, str> {
    const MAX_ROUNDS: usize = 16;
    let mut hidden = hide(text);
    for _ in 0..MAX_ROUNDS {
        let next = hide(&hidden);
        if next == hidden {
            return hidden;
        }
        hidden = Cow::Owned(next.into_owned());
    }
    Cow::Borrowed(HIDDEN)
}

/// As [`hide`], for one address as it was typed: blanks and quotes, which an
/// address cannot have, do not end a secret.
pub(crate) fn hide_in_address(text: &str) -> Cow<'_, str> {
    let mut shadow = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '"' | '\'') {
            shadow.extend(std::iter::repeat_n('_', c.len_utf8()));
        } else {
            shadow.push(c);
        }
    }
    without(text, scan::secrets(&shadow))
}

fn without(text: &str, ranges: Vec<Range<usize>>) -> Cow<'_, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut hidden = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        hidden.push_str(&text[end..range.start]);
        hidden.push_str(HIDDEN);
        end = range.end;
    }
    hidden.push_str(&text[end..]);
    Cow::Owned(hidden)
}

/// The secrets of a command, to be hidden wherever they come up in what it
/// writes: programs print addresses and logins in forms of their own.
#[derive(Debug, Default)]
pub(crate) struct Known(Vec<String>);

impl Known {
    pub(crate) fn of(command: &str) -> Self {
        let ranges = scan::secrets(command).into_iter().chain(scan::logins(command));
        let mut values: Vec<String> = Vec::new();
        for Range { start, end } in ranges {
            let value = command[start..end].trim_matches(['"', '\'', ' ']);
            // `user:password`, and `Basic dXNlcjpwYXNz`.
            let parts = value.split([':', ' ']).chain([value]);
            values.extend(parts.filter(|part| part.len() >= MIN_VALUE_LEN).map(str::to_owned));
        }
        // The longest first, so that no part of a value is left over.
        sort_short(&mut values, |a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Self(values)
    }

    pub(crate) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, value| text.replace(value, HIDDEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts, and what is shown of them.
    const CASES: &[(&str, &str)] = &[
        ("plain", "plain"),
        ("http://h/a?x=1&fps=5", "http://h/a?x=1&fps=5"),
        ("http://h/v.cgi?user=admin&pwd=SECRET", "http://h/v.cgi?user=***&pwd=***"),
        ("http://h/?PASSWORD=SECRET&x=1", "http://h/?PASSWORD=***&x=1"),
        ("http://h/?a=1;Access_Token=SECRET#top", "http://h/?a=1;Access_Token=***"),
        ("http://h/?p%77d=SECRET", "http://h/?p%77d=***"),
        ("http://h/?pwd=SE&CRET&x=1", "http://h/?pwd=***&x=1"),
        ("http://h/?loginuse=SECRET&loginpas=SECRET", "http://h/?loginuse=***&loginpas=***"),
        ("http://h/?X-Amz-Signature=SECRET", "http://h/?X-Amz-Signature=***"),
        ("http://h/?api.key=SECRET: no", "http://h/?api.key=***: no"),
        ("rtsp://h:554/user=SECRET_password=SECRET_channel=1", "rtsp://h:554/user=***"),
        ("curl -s -u me:SECRET http://h/", "curl -s -u *** http://h/"),
        ("curl -ume:SECRET http://h/", "curl -u*** http://h/"),
        ("curl -su me:SECRET http://h/", "curl -su *** http://h/"),
        ("curl --user 'me:SE CRET' http://h/", "curl --user '***' http://h/"),
        ("curl --user=me:SECRET http://h/", "curl --user=*** http://h/"),
        ("curl --proxy-user me:SECRET", "curl --proxy-user ***"),
        ("x --password \"SE CRET\" y", "x --password \"***\" y"),
        ("x -p SECRET y", "x -p *** y"),
        ("sshpass -pX1Y2 ssh cam", "sshpass -p*** ssh cam"),
        ("curl -H 'Authorization: Basic SECRET' h", "curl -H 'Authorization: ***' h"),
        ("curl -H \"X-Api-Key:SECRET\" h", "curl -H \"X-Api-Key:***\" h"),
        ("curl -H 'Accept: image/jpeg' h", "curl -H 'Accept: image/jpeg' h"),
        ("curl --oauth2-bearer SECRET h", "curl --oauth2-bearer *** h"),
        ("curl -b 'sid=SECRET' h", "curl -b '***' h"),
        (
            "ffmpeg -headers $'Authorization: Bearer SECRET\\r\\n' -i http://h/ -b:v 2M",
            "ffmpeg -headers $'Authorization: ***' -i http://h/ -b:v 2M",
        ),
        ("PASSWORD=SECRET cam | cat", "PASSWORD=*** cam | cat"),
        ("PASSWORD='SE CRET' cam", "PASSWORD='***' cam"),
        ("export CAM_PW=\"SECRET\"; cam", "export CAM_PW=\"***\"; cam"),
        (
            "gst-launch-1.0 rtspsrc user-id=SECRET user-pw=SECRET !",
            "gst-launch-1.0 rtspsrc user-id=*** user-pw=*** !",
        ),
        (
            "curl -d '{\"password\": \"SECRET\", \"n\": 1}'",
            "curl -d '{\"password\": \"***\", \"n\": 1}'",
        ),
        ("vlc :rtsp-pwd=SECRET", "vlc :rtsp-pwd=***"),
        ("python3 -u cam.py --fps 5", "python3 -u cam.py --fps 5"),
        ("rpicam-vid -t 0 --codec mjpeg -o -", "rpicam-vid -t 0 --codec mjpeg -o -"),
        (
            "ffmpeg -i a -vf \"fps=5\" -preset x -pix_fmt yuv420p -",
            "ffmpeg -i a -vf \"fps=5\" -preset x -pix_fmt yuv420p -",
        ),
        ("/etc/passwd: No such file", "/etc/passwd: No such file"),
        ("cat: secret.jpg: No such file", "cat: secret.jpg: No such file"),
        ("/tmp/users: no user in it", "/tmp/users: no user in it"),
        ("--auth-file /tmp/users", "--auth-file /tmp/users"),
        ("add the user to the group video", "add the user to the group video"),
        ("it's here: token=SECRET", "it's here: token=***"),
        ("http://me:a SECRET@h/x", "http://***@h/x"),
        ("--user", "--user"),
        ("--password=", "--password="),
        ("token=***", "token=***"),
    ];

    #[test]
    fn secrets_are_hidden_and_names_stay() {
        for (text, hidden) in CASES {
            assert_eq!(hide(text), *hidden);
            assert_eq!(hide(hidden), *hidden, "twice: {text}");
        }
    }

    #[test]
    fn values_are_known_wherever_they_come_up() {
        let known = Known::of("curl -u me:TOPSECRET 'rtsp://you:other-one@h/?token=abcdef' -p xy");
        assert_eq!(
            known.hide("login as me with TOPSECRET, you:other-one, abcdef; xyz"),
            "login as me with ***, ***, ***; xyz"
        );
        let known = Known::of("curl -H 'Authorization: Basic bWU6c2VjcmV0' h");
        assert_eq!(known.hide("< bWU6c2VjcmV0"), "< ***");
    }
}
