//! Typed reading of a query, with one error text for each kind of value. Keys
//! that no address reads (cache busters, mostly) are ignored.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use form_urlencoded::parse;

use super::reply::Reply;
use super::time::{Period, When};
use crate::jpeg::Scale;
use crate::variants::{Size, Wish};

/// What stands behind the `?` of a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a>(pub(crate) &'a str);

impl<'a> Query<'a> {
    /// The first value of a key, in capital or small letters: mjpg-streamer's users
    /// also type `?Action=`.
    pub(crate) fn text(self, key: &str) -> Option<Cow<'a, str>> {
        self.texts(key).next()
    }

    /// All values of a key.
    pub(crate) fn texts(self, key: &str) -> impl Iterator<Item = Cow<'a, str>> {
        parse(self.0.as_bytes())
            .filter(|(k, _)| k.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    }

    /// Whether a switch is on: there, and neither `0` nor `false`.
    pub(crate) fn is_on(self, key: &str) -> bool {
        self.text(key).is_some_and(|value| !matches!(&*value, "0" | "false"))
    }

    /// A number within a range.
    ///
    /// # Errors
    /// 400, with the range.
    pub(crate) fn number<T>(self, key: &str, range: RangeInclusive<T>) -> Result<Option<T>, Reply>
    where
        T: FromStr + PartialOrd + Display,
    {
        match self.text(key) {
            Some(text) => parse_number(key, &text, &range).map(Some),
            None => Ok(None),
        }
    }

    /// One of several words.
    ///
    /// # Errors
    /// 400, with the words.
    pub(crate) fn choice<T: Copy>(
        self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, Reply> {
        // Words are taken in small letters only, unlike keys: a value that is spelt
        // otherwise is answered with the right ones.
        let Some(text) = self.text(key) else { return Ok(None) };
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        let words = || choices.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.map(Some).ok_or_else(|| Reply::bad_request(&format!("{key}: use one of {}", words())))
    }

    /// A moment, absolute or relative to the request.
    ///
    /// # Errors
    /// 400, with the forms that a moment may have.
    pub(crate) fn moment(self, key: &str) -> Result<Option<When>, Reply> {
        let moment = self.text(key).map(|text| When::parse(&text)).transpose();
        moment.map_err(|e| Reply::bad_request(&format!("{key}: {e}")))
    }

    /// The moments `from` and `to`.
    ///
    /// # Errors
    /// As [`Query::moment`].
    pub(crate) fn period(self) -> Result<Period, Reply> {
        Ok(Period { from: self.moment("from")?, to: self.moment("to")? })
    }

    /// How pictures are to be changed by `scale` or `width`, `quality` and `gray`;
    /// `None`: not at all.
    ///
    /// # Errors
    /// 400, with what each of them may be.
    pub(crate) fn wish(self) -> Result<Option<Wish>, Reply> {
        let scales = [
            ("1", Scale::Full),
            ("1/2", Scale::Half),
            ("1/4", Scale::Quarter),
            ("1/8", Scale::Eighth),
        ];
        let size = match (self.choice("scale", &scales)?, self.number("width", 1..=u16::MAX)?) {
            (Some(_), Some(_)) => {
                return Err(Reply::bad_request("width: use it without scale"));
            }
            (scale, None) => Size::Scale(scale.unwrap_or_default()),
            (None, Some(width)) => Size::Width(width),
        };
        Ok(Wish::new(size, self.number("quality", 1..=100)?, self.is_on("gray")))
    }
}

// Not inlined: what it takes of the stack would be taken from each viewer, also
// from those that give no number.
#[inline(never)]
fn parse_number<T>(key: &str, text: &str, range: &RangeInclusive<T>) -> Result<T, Reply>
where
    T: FromStr + PartialOrd + Display,
{
    let number = text.parse().ok().filter(|number| range.contains(number));
    let (first, last) = (range.start(), range.end());
    let right = || Reply::bad_request(&format!("{key}: use a number from {first} to {last}"));
    number.ok_or_else(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::transport::Method;

    fn text_of(reply: &Reply) -> String {
        String::from_utf8(reply.body(Method::Get).to_vec()).unwrap()
    }

    #[test]
    fn values_are_read_and_other_keys_are_ignored() {
        let query = Query("fps=2.5&key=a%20b&x&raw=1&advance=0&17&fps=9");
        assert_eq!(query.number("fps", 0.001..=1000.0), Ok(Some(2.5)));
        assert_eq!(query.text("key").as_deref(), Some("a b"));
        assert!(query.is_on("raw") && query.is_on("x") && !query.is_on("advance"));
        assert!(!query.is_on("none"));
        assert_eq!(query.number::<u32>("none", 0..=1), Ok(None));
        assert_eq!(query.choice("key", &[("a", 1), ("a b", 2)]), Ok(Some(2)));
    }

    #[test]
    fn wish_is_what_is_not_as_the_camera_has_it() {
        let shown = |query| Query(query).wish().unwrap().map(|wish: Wish| wish.to_string());
        for (query, is) in [
            ("", None),
            ("scale=1&gray=0", None),
            ("scale=1%2F2", Some("scale=1/2")),
            ("Scale=1/8&quality=40&gray", Some("scale=1/8&quality=40&gray=1")),
            ("width=320", Some("width=320")),
        ] {
            assert_eq!(shown(query).as_deref(), is, "{query}");
        }
        for (query, right) in [
            ("scale=1/3", "scale: use one of 1, 1/2, 1/4, 1/8"),
            ("width=0", "width: use a number from 1 to 65535"),
            ("quality=101", "quality: use a number from 1 to 100"),
            ("width=320&scale=1/2", "width: use it without scale"),
        ] {
            assert!(text_of(&Query(query).wish().unwrap_err()).contains(right), "{query}");
        }
    }

    #[test]
    fn wrong_values_are_answered_with_what_is_right() {
        for (query, right) in [
            ("n=0", "n: use a number from 1 to 3"),
            ("n=x", "n: use a number from 1 to 3"),
            ("n=", "n: use a number from 1 to 3"),
            ("n=99999999999999999999", "n: use a number from 1 to 3"),
        ] {
            let reply = Query(query).number("n", 1..=3).unwrap_err();
            assert!(text_of(&reply).contains(right), "{query}");
        }
        assert!(Query("fps=NaN").number("fps", 0.001..=1000.0).is_err());
        let reply = Query("w=c").choice("w", &[("a", 1), ("b", 2)]).unwrap_err();
        assert!(text_of(&reply).contains("w: use one of a, b"));
        let reply = Query("from=x").period().unwrap_err();
        assert!(text_of(&reply).contains("from: \"x\" is not a time; use 2026-"));
    }
}
