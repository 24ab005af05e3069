//! How it goes, for people. A build without the feature has these types too.

/// How many watch the camera of this name. Viewers belong to a room further down.
pub(crate) type CountViewers = Box<dyn Fn(&str) -> usize + Send>;

/// The broker and how it goes, for people.
pub(crate) struct Report {
    /// Its address, without secrets.
    pub(crate) broker: String,
    pub(crate) prefix: String,
    pub(crate) is_connected: bool,
    /// Messages that were sent.
    pub(crate) n_published: u64,
    /// Events that the broker has not acknowledged.
    pub(crate) n_waiting: usize,
    /// Events that were lost, as too many waited.
    pub(crate) n_lost: u64,
    /// Connections that failed or broke.
    pub(crate) n_failures: u64,
    /// Why the last one did; `None` while there is one.
    pub(crate) error: Option<String>,
}
