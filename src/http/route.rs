//! What a request can ask for.

use std::time::Duration;

use super::recorded::Recorded;
use super::reply::Reply;
use super::times::When;

/// What is asked for, and of which camera.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) which: Which,
    pub(super) route: Route,
}

/// Which camera is meant. There may be none of that name or number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Which {
    /// None is named: the first.
    First,
    /// As mjpg-streamer counts its inputs, from 0.
    Nth(usize),
    Named(String),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Route {
    Stream(StreamRequest),
    Snapshot {
        max_delay: Option<Duration>,
    },
    /// Something of what was recorded.
    Recorded(Recorded),
    Status {
        /// Whether the address has the camera's name. The page cannot tell it
        /// from its own, as a proxy may add a prefix.
        is_named: bool,
    },
    /// The status as uStreamer gives it.
    State,
    Metrics,
    /// The camera's settings, to be read and changed.
    Controls,
    Health,
    /// The page or a file that belongs to it, by its path without query. It is
    /// empty for a camera's name with no slash behind it.
    File(String),
    /// The same path, whose last part this is, with a slash behind it.
    AddSlash(String),
    /// A value that cannot be used, and what would be right.
    Bad(String),
    /// Nothing to look up: the reply is there.
    Reply(Box<Reply>),
}

/// How one viewer wants the stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StreamRequest {
    pub(super) path: String,
    pub(super) layout: Layout,
    /// As `application/octet-stream`, since WebKit's fetch() refuses multipart.
    pub(super) is_raw: bool,
    /// At most so many pictures a second.
    pub(super) fps: Option<f64>,
    /// With uStreamer's headers in each part.
    pub(super) has_extra_headers: bool,
    /// Chosen by the viewer to find itself in the status.
    pub(super) key: String,
    /// Recorded pictures first.
    pub(super) play: Option<Play>,
}

/// From when, until when and how fast a recording is to be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Play {
    pub(super) from: When,
    pub(super) to: Option<When>,
    pub(super) speed: f64,
}

/// What stands around each JPEG.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layout {
    /// The next part's headers at once, no length: browsers paint in time.
    Advance,
    /// Length and time in each part: programs decode in time.
    Full,
}

impl Layout {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Full => "full",
        }
    }
}
