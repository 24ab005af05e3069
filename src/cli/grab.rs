//! `mjpegd grab`: pictures of a stream as files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use mjpegd::client::{Client, ClientError, Frame};
use mjpegd::config::GrabArgs;

use super::line::Line;

/// Looks whether the pictures can be written, and makes the folder.
///
/// # Errors
/// A picture of that name is there already, or the folder cannot be made.
pub(crate) fn check(args: &GrabArgs) -> Result<()> {
    let dir = &args.output;
    fs::create_dir_all(dir).with_context(|| format!("--output {}", dir.display()))?;
    let there = (1..=args.n).map(|i| file(dir, i)).find(|file| !args.overwrite && file.exists());
    ensure!(
        there.is_none(),
        "{} is already there; use another folder with -o, or --overwrite",
        there.unwrap_or_default().display()
    );
    Ok(())
}

/// Writes as many pictures as wanted, each one that comes, and says how many.
///
/// # Errors
/// No picture came for too long, and why; or one could not be written.
pub(crate) fn run(client: &Client, args: &GrabArgs) -> Result<String> {
    let mut line = Line::new();
    let (mut n_done, mut n_bytes) = (0, 0);
    let begun = Instant::now();
    let mut last = begun;
    for frame in client.clone().timeout(args.timeout).frames() {
        match frame {
            Ok(frame) => {
                n_done += 1;
                n_bytes += frame.jpeg().len() as u64;
                last = Instant::now();
                write(&file(&args.output, n_done), &frame, args.overwrite)?;
                line.show(|| bar(n_done, args.n));
                if n_done == args.n {
                    break;
                }
            }
            Err(error) => {
                let is_lost = is_lost(&error, n_done) && last.elapsed() < args.timeout;
                if !is_lost {
                    line.clear();
                    let error = anyhow::Error::new(error);
                    return Err(match n_done {
                        0 => error,
                        n => error.context(format!("{n} of {} pictures", args.n)),
                    });
                }
            }
        }
    }
    line.clear();
    let dir = args.output.display();
    let seconds = begun.elapsed().as_secs_f64();
    Ok(format!("{n_done} pictures, {n_bytes} bytes, in {seconds:.1} s: {dir}\n"))
}

/// Whether it may go on with the next connection: what fails before the first
/// picture is wrong, rather than lost.
fn is_lost(error: &ClientError, n_done: u32) -> bool {
    n_done > 0 && !matches!(error, ClientError::Unusable(_) | ClientError::Denied(_))
}

fn file(dir: &Path, n: u32) -> PathBuf {
    dir.join(format!("{n:06}.jpg"))
}

/// Writes one picture, whole or not at all, as far as a file system can.
fn write(path: &Path, frame: &Frame, overwrite: bool) -> Result<()> {
    let file = if overwrite { File::create(path) } else { File::create_new(path) };
    let named = || path.display().to_string();
    let mut file = file.with_context(named)?;
    file.write_all(frame.jpeg()).with_context(|| {
        // Half a picture looks like a damaged one.
        let _ = fs::remove_file(path);
        named()
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
