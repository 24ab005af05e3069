//! The guide: how each part of mjpegd is used, what it promises and why it is
//! built this way. The README is the short way in; these chapters are the
//! reference behind it.
//!
//! | chapter | answers |
//! | --- | --- |
//! | [`install`] | what it runs on, kernels, systemd |
//! | [`options`] | what each option does, its unit, default and place |
//! | [`addresses`] | each HTTP address: methods, parameters, replies |
//! | [`status`] | what the figures of `/status` and `/metrics` mean |
//! | [`recording`] | times in queries, playback, downloads, an archive, files on disk |
//! | [`events`] | what happened; commands and servers that get it; motion |
//! | [`page`] | what the page shows, its keys, smaller pictures |
//! | [`cameras`] | each driver, turned pictures, text over them, why a camera is lost |
//! | [`drop_in`] | command lines of uStreamer and mjpg-streamer, each option |
//! | [`tools`] | `mjpegd probe`, `grab`, `devices`, `check-config`, `health`; the library |
//! | [`security`] | passwords, other sites, trusted proxies, limits |
//! | [`scale`] | relays behind a balancer, draining, how many viewers they serve |
//! | [`design`] | why threads, why the newest frame only, what is absent |
//! | [`measurements`] | memory, CPU and delay, with the commands |
//! | [`troubleshooting`] | why a viewer got 503, why a camera is lost, ... |
//! | [`glossary`] | the words that the program and its texts use |
//!
//! The texts are Markdown files in `src/guide`, so that they are also read
//! where the source is. There, links between chapters name files. Here,
//! `links.md` stands before each chapter and gives the same labels as items of
//! this crate: Markdown takes the first definition of a label, and rustdoc
//! fails on an item that does not exist.

macro_rules! chapters {
    ($($name:ident)*) => { $(
        #[doc = include_str!("links.md")]
        #[doc = include_str!(concat!(stringify!($name), ".md"))]
        pub mod $name {}
    )* };
}

chapters! {
    install options addresses status recording events page cameras tools security scale design
    measurements troubleshooting glossary
}

// Not in the list above, as a module has no dash in its name.
#[doc = include_str!("links.md")]
#[doc = include_str!("drop-in.md")]
pub mod drop_in {}
