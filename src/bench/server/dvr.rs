//! Playback: how quickly a seek in a long recording shows a picture, and
//! whether playback disturbs live viewers.

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::children::daemon;
use crate::pictures::{self, Pictures};
use crate::receivers::{Receivers, read_opening};
use crate::record::{FPS, PICTURE_BYTES};
use crate::request::get;
use crate::shared::noise::Noise;
use crate::shared::numbers::{Series, millis};
use crate::shared::part::part_head;
use crate::shared::process::Server;
use crate::shared::procfs;
use crate::shared::settings::Settings;
use crate::shared::table::{Row, Table};

/// Goals of issue 5.
const SEEK_P99_MS: f64 = 50.0;
const RESIDENT_MB: f64 = 20.0;
const START_MS: f64 = 1000.0;
const LATER_MS: f64 = 20.0;

/// A long recording of tiny pictures.
const N_FRAMES: u64 = 1_000_000;
const N_SEEKS: u64 = 1000;
/// Frames in a minute at 30 a second.
const PER_SEGMENT: u64 = 1800;
const N_DVR_VIEWERS: usize = 10;
/// Until TCP windows have grown and buffers are allocated.
pub(crate) const WARM_UP: Duration = Duration::from_millis(1500);

pub(crate) fn measure(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    past_and_live(pictures, settings, table)?;
    seeks(pictures, table)
}

/// A folder for `--record`; removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn make() -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("mjpegd-bench-rec-{}", std::process::id()));
        fs::create_dir_all(dir.join("camera"))?;
        Ok(Self(dir))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A leftover folder is one for temporary files, so an error does not
        // matter.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The age of pictures at a live viewer, alone and beside playback.
fn past_and_live(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let folder = Folder::make()?;
    let jpegs: Vec<Vec<u8>> =
        pictures::files(&pictures.dir).iter().map(fs::read).collect::<Result<_, _>>()?;
    let n = u64::from(FPS) * 4 * (settings.turn.as_secs() + 8);
    let start = write(&folder, n, |i| &jpegs[i % jpegs.len()])?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..settings.n_rounds {
        let server = daemon(pictures, &["--record", folder.path(), "--record-max-size", "1TiB"])?;
        wait_for_frames(server.address, n)?;
        alone.push(p95(&server, pictures, settings)?);
        let dvr = Dvr::connect(server.address, &start)?;
        beside.push(p95(&server, pictures, settings)?);
        let n_frames = dvr.end()?;
        ensure!(n_frames > u64::from(FPS), "playback sent too few frames: {n_frames}");
    }
    let later: Series = beside.iter().zip(&alone).map(|(with, without)| with - without).collect();
    let alone: Series = alone.into_iter().collect();
    let mjpegd = format!("{:.2} ms", alone.median());
    let what = "live viewer, age p95".to_owned();
    table.add(Row { what, mjpegd, remark: alone.spread(), ..Row::default() });
    let what = format!("  later beside {N_DVR_VIEWERS} at speed 4");
    table.at_most(&what, later.median(), LATER_MS, "ms", &later.spread());
    Ok(())
}

fn p95(server: &Server, pictures: &Pictures, settings: &Settings) -> Result<f64> {
    let live = Receivers::connect(server.address, 1, pictures.part)?;
    thread::sleep(WARM_UP);
    live.take()?;
    thread::sleep(settings.turn);
    let ages: Series = live.take()?[0].ages.iter().map(|age| millis(*age)).collect();
    Ok(ages.percentile(95))
}

/// Viewers of the recording that discard what they get.
struct Dvr(Vec<(TcpStream, JoinHandle<u64>)>);

impl Dvr {
    fn connect(server: SocketAddr, start: &str) -> Result<Self> {
        let mut viewers = Vec::new();
        for _ in 0..N_DVR_VIEWERS {
            let mut stream = get(server, &format!("/stream?from={start}&speed=4"))?;
            read_opening(&mut stream)?;
            let mut reading = stream.try_clone()?;
            let read = move || {
                let (mut buffer, mut n) = (vec![0; 64 << 10], 0);
                while let Ok(more) = reading.read(&mut buffer)
                    && more > 0
                {
                    n += more as u64;
                }
                n / PICTURE_BYTES as u64
            };
            viewers.push((stream, thread::spawn(read)));
        }
        Ok(Self(viewers))
    }

    /// Ends them. Returns how many pictures all of them got together.
    fn end(self) -> Result<u64> {
        let mut n = 0;
        for (stream, thread) in self.0 {
            let _ = stream.shutdown(Shutdown::Both);
            n += thread.join().ok().context("a playback viewer panicked")?;
        }
        Ok(n)
    }
}

/// Start, memory and seeks of a recording of a million pictures.
fn seeks(pictures: &Pictures, table: &mut Table) -> Result<()> {
    let folder = Folder::make()?;
    // No decoder accepts this picture, but the daemon does not decode.
    let tiny: Vec<u8> = [&[0xFF, 0xD8][..], &[0; 96], &[0xFF, 0xD9]].concat();
    let start: f64 = write(&folder, N_FRAMES, |_| &tiny)?.parse()?;
    let begun = Instant::now();
    let server = daemon(pictures, &["--record", folder.path(), "--record-max-size", "1TiB"])?;
    wait_for_frames(server.address, N_FRAMES)?;
    let started = begun.elapsed();
    let length = N_FRAMES as f64 / f64::from(FPS);
    let mut times = Vec::new();
    let mut noise = Noise::new(1);
    for _ in 0..N_SEEKS {
        let at = start + length * ((noise.next() >> 11) as f64 / (1_u64 << 53) as f64);
        let begun = Instant::now();
        let mut stream = get(server.address, &format!("/stream?from={at:.6}"))?;
        read_opening(&mut stream)?;
        stream.read_exact(&mut [0; 100])?;
        times.push(millis(begun.elapsed()));
    }
    let times: Series = times.into_iter().collect();
    let what = "a million frames: seek to first frame, p99";
    table.at_most(what, times.percentile(99), SEEK_P99_MS, "ms", &times.spread());
    let resident = procfs::resident(server.pid())? as f64 / 1e6;
    table.at_most("  resident memory", resident, RESIDENT_MB, "MB", "");
    table.at_most("  process start to all of it listed", millis(started), START_MS, "ms", "");
    Ok(())
}

fn wait_for_frames(server: SocketAddr, n: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut reply = String::new();
        get(server, "/status")?.read_to_string(&mut reply)?;
        let found = reply.split_once("\"recording\":{").and_then(|(_, rest)| {
            let (_, rest) = rest.split_once("\"frames\":")?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        });
        if found.is_some_and(|found| found >= n) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the recording is not indexed: {found:?} of {n} frames");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Writes a recording that ended ten minutes ago, with its indexes. Returns its
/// start in seconds since 1970.
fn write<'a>(folder: &Folder, n: u64, jpeg: impl Fn(usize) -> &'a Vec<u8>) -> Result<String> {
    let _ = fs::remove_dir_all(folder.0.join("camera"));
    fs::create_dir_all(folder.0.join("camera"))?;
    let interval = Duration::from_secs(1) / FPS;
    let length = interval * u32::try_from(n)?;
    let start = SystemTime::now() - length - Duration::from_secs(600);
    let mut written = 0;
    while written < n {
        let id = written / PER_SEGMENT + 1;
        let times = (written..n.min(written + PER_SEGMENT))
            .map(|i| Ok((usize::try_from(i)?, start + interval * u32::try_from(i)?)));
        written += PER_SEGMENT;
        segment(&folder.0.join("camera"), id, times.collect::<Result<Vec<_>>>()?, &jpeg)?;
    }
    let since = start.duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(format!("{}.{:06}", since.as_secs(), since.subsec_micros()))
}

fn segment<'a>(
    dir: &Path,
    id: u64,
    frames: Vec<(usize, SystemTime)>,
    jpeg: impl Fn(usize) -> &'a Vec<u8>,
) -> Result<()> {
    let (_, first) = frames.first().context("a segment without a frame")?;
    let time = humantime::format_rfc3339_seconds(*first).to_string().replace(':', "-");
    let path = |ending| dir.join(format!("{time}_{id:06}.{ending}"));
    let mut data = BufWriter::new(fs::File::create(path("mjpeg"))?);
    let mut index = BufWriter::new(fs::File::create(path("idx"))?);
    index.write_all(b"mjpegd index 1, 32 bytes a frame")?;
    let mut offset: u64 = 0;
    for (number, captured) in frames {
        let jpeg = jpeg(number);
        let head = format!("--frame\r\n{}", part_head(jpeg.len(), captured));
        for piece in [head.as_bytes(), jpeg, b"\r\n"] {
            data.write_all(piece)?;
        }
        let length = u32::try_from(head.len() + jpeg.len() + 2)?;
        let us = u64::try_from(captured.duration_since(SystemTime::UNIX_EPOCH)?.as_micros())?;
        index.write_all(&offset.to_le_bytes())?;
        index.write_all(&us.to_le_bytes())?;
        index.write_all(&0_u64.to_le_bytes())?;
        index.write_all(&length.to_le_bytes())?;
        index.write_all(&u16::try_from(head.len())?.to_le_bytes())?;
        index.write_all(&[0; 2])?;
        offset += u64::from(length);
    }
    data.flush()?;
    Ok(index.flush()?)
}
