//! `mjpegd grab`: pictures of a stream as files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};

use super::Error;
use super::output::Progress;
use crate::client::{Client, ClientError, Frame};
use crate::config::GrabArgs;

/// Writes the wanted number of pictures, one file for each that comes, and
/// returns how many and how large they were, as text.
///
/// # Errors
/// The address is none, or a file is there already or cannot be written; or no
/// picture came within the timeout, and why. The pictures before stay.
pub(super) fn run(args: &GrabArgs) -> Result<String, Error> {
    let client = Client::new(&args.url).map_err(|e| Error::Usage(e.into()))?;
    prepare(args).map_err(Error::Usage)?;
    Ok(grab(&client.timeout(args.timeout), args)?)
}

/// Makes the folder, and checks that no picture in it would be written over:
/// before the first connection, so that a mistake costs no wait.
fn prepare(args: &GrabArgs) -> Result<()> {
    let dir = &args.output;
    fs::create_dir_all(dir).with_context(|| format!("--output {}", dir.display()))?;
    let existing = (1..=args.n).map(|i| path(dir, i)).find(|path| !args.overwrite && path.exists());
    ensure!(
        existing.is_none(),
        "{} is already there; use another folder with -o, or --overwrite",
        existing.unwrap_or_default().display()
    );
    Ok(())
}

fn grab(client: &Client, args: &GrabArgs) -> Result<String> {
    let mut progress = Progress::new();
    let (mut n_done, mut n_bytes) = (0, 0);
    let start = Instant::now();
    let mut last = start;
    for frame in client.frames() {
        // What is drawn while a camera is lost belongs in no series.
        let lost = frame.as_ref().ok().and_then(Frame::lost_camera);
        let (error, may_retry) = match frame {
            Ok(frame) if lost.is_none() => {
                n_done += 1;
                n_bytes += frame.jpeg().len() as u64;
                last = Instant::now();
                write(&path(&args.output, n_done), &frame, args.overwrite)?;
                progress.show(|| bar(n_done, args.n));
                if n_done == args.n {
                    break;
                }
                continue;
            }
            Ok(_) => (anyhow!("the camera is lost: {}", lost.unwrap_or_default()), true),
            // A camera that restarts costs no picture of a series.
            Err(error) => {
                let may_retry = is_lost_connection(&error, n_done);
                (error.into(), may_retry)
            }
        };
        // A script must not wait for ever, though.
        if !may_retry || last.elapsed() >= args.timeout {
            // The bar is cleared first, or the error would stand behind it.
            progress.clear();
            return Err(match n_done {
                0 => error,
                n => error.context(format!("{n} of {} pictures", args.n)),
            });
        }
    }
    progress.clear();
    let dir = args.output.display();
    let seconds = start.elapsed().as_secs_f64();
    Ok(format!("{n_done} pictures, {n_bytes} bytes, in {seconds:.1} s: {dir}\n"))
}

/// Whether the next connection may bring more: a failure before the first
/// picture is a wrong address rather than a lost connection.
fn is_lost_connection(error: &ClientError, n_done: u32) -> bool {
    n_done > 0 && !matches!(error, ClientError::Unusable(_) | ClientError::Denied(_))
}

fn path(dir: &Path, n: u32) -> PathBuf {
    // With zeroes in front a list by name is in order. Six digits are nine hours at 30 fps.
    dir.join(format!("{n:06}.jpg"))
}

/// Writes one picture. If that fails, it removes the file, because half a
/// picture would look like a damaged one.
fn write(path: &Path, frame: &Frame, overwrite: bool) -> Result<()> {
    // The folder was checked before, but another grab may write there by now: the
    // system decides, not the earlier look.
    let file = if overwrite { File::create(path) } else { File::create_new(path) };
    let name = || path.display().to_string();
    let mut file = file.with_context(name)?;
    file.write_all(frame.jpeg()).with_context(|| {
        let _ = fs::remove_file(path);
        name()
    })
}

/// `[#####-----] 5 of 10`
fn bar(n_done: u32, n: u32) -> String {
    const WIDTH: u64 = 40;
    let n_full = u64::from(n_done) * WIDTH / u64::from(n.max(1));
    let cells: String = (0..WIDTH).map(|i| if i < n_full { '#' } else { '-' }).collect();
    format!("[{cells}] {n_done} of {n}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_as_full_as_the_work_is_done() {
        assert!(bar(0, 10).starts_with("[-----"));
        assert!(bar(5, 10).contains("####--------------------] 5 of 10"));
        assert!(bar(u32::MAX, u32::MAX).contains("#] "));
    }
}
