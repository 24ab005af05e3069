//! `mjpegd --motion` serves clips, and Debian's motion looks at them through HTTP: both see the
//! same pictures at the same time.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use crate::clips::{self, Clip, FPS, N_FIRST, Truth};
use crate::procfs::usage;
use crate::results::Results;
use crate::scene::{Canvas, Scene, Thing};

pub(crate) const ROLE: &str = "play";
/// Clips at a time. With more of them motion does not keep up.
const N_AT_ONCE: usize = 3;
/// Motion that stops for less is one.
const HOLD: f64 = 5.0;

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Plays a file of JPEGs at its rate to the standard output, and notes when each came.
pub(crate) fn play(file: &str, times: &str) -> io::Result<()> {
    let bytes = fs::read(file)?;
    let starts: Vec<usize> = memchr::memmem::find_iter(&bytes, b"\xFF\xD8\xFF\xE0").collect();
    let (mut out, mut times) = (io::stdout().lock(), fs::File::create(times)?);
    let start = Instant::now();
    for (n, at) in starts.iter().enumerate() {
        let due = Duration::from_secs_f32(n as f32 / FPS);
        thread::sleep(due.saturating_sub(start.elapsed()));
        writeln!(times, "{:.3}", now())?;
        out.write_all(&bytes[*at..starts.get(n + 1).copied().unwrap_or(bytes.len())])?;
        out.flush()?;
    }
    // The last one again and again, so that the camera is not taken for lost.
    let last = &bytes[starts.last().copied().unwrap_or(0)..];
    loop {
        thread::sleep(Duration::from_secs_f32(1.0 / FPS));
        out.write_all(last)?;
        out.flush()?;
    }
}

/// A process that is killed at the end, with those that it has started.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has already ended.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

impl Process {
    /// User and system time of its threads so far, in seconds.
    fn cpu(&self) -> io::Result<f64> {
        usage(self.0.id()).map(|usage| usage.cpu.as_secs_f64()).map_err(io::Error::other)
    }
}

/// Both programs on some clips.
struct Pair {
    mjpegd: Process,
    motion: Process,
    port: u16,
}

fn mjpegd() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release/mjpegd");
    env::var_os("MJPEGD").map_or(default, PathBuf::from)
}

impl Pair {
    /// Starts them on these files of pictures of this size. mjpegd serves them to motion, or
    /// both read them from a server at this port.
    fn start(
        dir: &Path,
        names: &[String],
        size: (usize, usize),
        server: Option<u16>,
    ) -> io::Result<Self> {
        let (mjpegd, port) =
            daemon(names, &["--motion", "--motion-fps", "30"], |name| match server {
                Some(port) => Ok(format!("http://127.0.0.1:{port}/{name}/stream")),
                None => player(dir, name),
            })?;
        let served = server.unwrap_or(port);
        let mut config = fs::read_to_string("/etc/motion/motion.conf")?;
        // As Debian has it, but for what is needed to run it here. It writes no films.
        let (width, height) = size;
        write!(
            config,
            "\nlog_file {0}/motion.log\ntarget_dir {0}\nmovie_output off\nwebcontrol_port 0\n\
             stream_port 0\nwidth {width}\nheight {height}\n",
            dir.display()
        )
        .map_err(io::Error::other)?;
        for (i, name) in names.iter().enumerate() {
            let file = dir.join(format!("{name}.conf"));
            let found = dir.join(format!("{name}.found"));
            let _ = fs::remove_file(&found);
            fs::write(
                &file,
                format!(
                    "camera_id {}\nnetcam_url http://127.0.0.1:{served}/{name}/stream\n\
                     on_motion_detected date +%s.%N >> {}\n",
                    i + 1,
                    found.display()
                ),
            )?;
            writeln!(config, "camera {}", file.display()).map_err(io::Error::other)?;
        }
        let file = dir.join("motion.conf");
        fs::write(&file, config)?;
        let mut command = Command::new("motion");
        command.arg("-n").arg("-c").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { mjpegd, motion: Process(command.spawn()?), port })
    }

    /// When mjpegd has found something begin.
    fn found(&self, name: &str) -> io::Result<Vec<f64>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let request = format!(
            "GET /{name}/events?type=motion-begin&limit=10000 HTTP/1.1\r\nHost: localhost\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let times = text.split("\"time\":").skip(1);
        Ok(times.filter_map(|rest| rest.split(',').next()?.parse().ok()).collect())
    }
}

/// The camera that plays a file.
fn player(dir: &Path, name: &str) -> io::Result<String> {
    let (exe, at) = (env::current_exe()?, dir.join(name));
    let (exe, at) = (exe.display(), at.display());
    Ok(format!("exec:exec {exe} {ROLE} {at}.mjpeg {at}.times"))
}

/// Starts mjpegd. Returns its port, too.
fn daemon(
    names: &[String],
    options: &[&str],
    camera: impl Fn(&str) -> io::Result<String>,
) -> io::Result<(Process, u16)> {
    let mut command = Command::new(mjpegd());
    command.args(["--bind", "127.0.0.1:0"]).args(options);
    for name in names {
        command.arg("--camera").arg(format!("{name}={}", camera(name)?));
    }
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let output = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let process = Process(child);
    Ok((process, port(output)?))
}

fn port(output: impl Read + Send + 'static) -> io::Result<u16> {
    let mut output = BufReader::new(output);
    loop {
        let mut line = String::new();
        if output.read_line(&mut line)? == 0 {
            return Err(io::Error::other("mjpegd did not start"));
        }
        let port = line.rsplit_once("listening on http://127.0.0.1:");
        let port = port.and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok());
        if let Some(port) = port {
            // A full pipe would block it.
            thread::spawn(move || io::copy(&mut output, &mut io::sink()));
            return Ok(port);
        }
    }
}

fn numbers(path: &Path) -> Vec<f64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// Prints the table of all clips.
pub(crate) fn quality(results: &mut Results) -> io::Result<()> {
    let dir = env::temp_dir().join(format!("mjpegd-bench-motion-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let only = env::var("CLIPS").unwrap_or_default();
    let clips: Vec<Clip> = clips::all().into_iter().filter(|c| c.name.contains(&only)).collect();
    println!("\n| 640x480, {FPS} pictures a second | mjpegd | motion |\n| --- | --- | --- |");
    for (i, some) in clips.chunks(N_AT_ONCE).enumerate() {
        let names: Vec<_> = (0..some.len()).map(|n| format!("clip{}", i * N_AT_ONCE + n)).collect();
        let mut truths = Vec::new();
        for (clip, name) in some.iter().zip(&names) {
            truths.push(clip.write(&dir.join(format!("{name}.mjpeg")))?);
        }
        let pair = Pair::start(&dir, &names, (640, 480), None)?;
        let longest = truths.iter().map(|truth| truth.n_pictures).max().unwrap_or(0);
        thread::sleep(Duration::from_secs_f32(longest as f32 / FPS + 5.0));
        for ((clip, name), truth) in some.iter().zip(&names).zip(truths) {
            let times = numbers(&dir.join(format!("{name}.times")));
            let theirs = numbers(&dir.join(format!("{name}.found")));
            let [ours, theirs] = [pair.found(name)?, theirs].map(|at| result(&at, &times, truth));
            println!("| {} | {ours} | {theirs} |", clip.name);
            results.add(format!("{}: mjpegd", clip.name), ours);
            results.add(format!("{}: motion", clip.name), theirs);
        }
    }
    fs::remove_dir_all(&dir)
}

/// What was found, by the times of the pictures.
fn result(found: &[f64], pictures: &[f64], truth: Truth) -> String {
    let Some(first_that_counts) = pictures.get(N_FIRST) else { return "no pictures".into() };
    let begin = truth.crossing.and_then(|(begin, _)| pictures.get(begin));
    // It is seen within seconds, or not at all.
    let last_picture = pictures.last().copied().unwrap_or(0.0) + 2.0;
    let end = begin.copied().unwrap_or(last_picture);
    let (mut n_false, mut last) = (0, f64::NEG_INFINITY);
    for at in found.iter().copied().filter(|at| at > first_that_counts && *at < end) {
        n_false += usize::from(at > last + HOLD);
        last = at;
    }
    let Some((_, whole)) = truth.crossing else {
        return match n_false {
            0 => "no false alarm".into(),
            1 => "1 false alarm".into(),
            n => format!("{n} false alarms"),
        };
    };
    let Some(first) = found.iter().find(|at| (end..last_picture).contains(*at)) else {
        return "not found".into();
    };
    // The picture that came last before it was found.
    let seen = pictures.iter().filter(|at| *at <= first).count();
    match seen.saturating_sub(whole) {
        0 => "before it is whole".into(),
        1 => "1st picture".into(),
        2 => "2nd picture".into(),
        3 => "3rd picture".into(),
        n => format!("{n}th picture"),
    }
}

/// Prints what both programs take of the processor on the same stream.
pub(crate) fn cpu(results: &mut Results) -> io::Result<()> {
    const N_SECONDS: usize = 20;
    let dir = env::temp_dir().join(format!("mjpegd-bench-motion-cpu-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    for size in [(1920, 1080), (640, 480)] {
        let mut scene = Scene::new(8, Canvas { width: size.0, height: size.1, sigma: 3.0 });
        let mut bytes = Vec::new();
        for n in 0..(N_SECONDS + 20) * FPS as usize {
            let x = (n % 80) as f32 - 20.0;
            let person = Thing { x, y: 12.0, width: 3.0, height: 8.0, brightness: 20.0 };
            scene.draw(&[person], |_, _, b| b);
            bytes.extend(clips::jpeg(&scene, 80)?);
        }
        fs::write(dir.join("cpu.mjpeg"), bytes)?;
        let mut rounds = Vec::new();
        for _ in 0..3 {
            let names = ["cpu".to_owned()];
            let (_server, port) = daemon(&names, &[], |name| player(&dir, name))?;
            let pair = Pair::start(&dir, &names, size, Some(port))?;
            thread::sleep(Duration::from_secs(10));
            let start = [pair.mjpegd.cpu()?, pair.motion.cpu()?];
            thread::sleep(Duration::from_secs(N_SECONDS as u64));
            let ours = pair.mjpegd.cpu()? - start[0];
            let theirs = pair.motion.cpu()? - start[1];
            println!(
                "{}x{} at {FPS} fps, CPU in {N_SECONDS} s: mjpegd --motion {ours:.2} s, motion {theirs:.2} s: {:.2} x",
                size.0,
                size.1,
                ours / theirs
            );
            rounds.push((ours, theirs));
        }
        rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (ours, theirs) = rounds[1];
        let name = format!("{}x{}: CPU in {N_SECONDS} s", size.0, size.1);
        results.add(format!("{name}: x motion"), format!("{:.2}", ours / theirs));
        results.add(format!("{name}: mjpegd"), format!("{ours:.2}"));
        results.add(format!("{name}: motion"), format!("{theirs:.1}"));
    }
    fs::remove_dir_all(&dir)
}
