//! A clock that tests can set.

use std::fs;
use std::path::Path;

/// The library that fakes the wall clock.
pub(crate) fn faketime() -> String {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
    let of_debian = fs::read_dir("/usr/lib").unwrap().filter_map(|e| Some(e.ok()?.path()));
    let all = folders.into_iter().map(Path::to_owned).chain(of_debian);
    let files = all.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    let file = files.into_iter().find(|file| file.exists());
    file.expect("libfaketime is needed: apt install libfaketime").display().to_string()
}
