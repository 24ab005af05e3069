//! An archive in a real object store: daemon, copier and store are killed at random, and
//! in the end each segment is in the bucket and can be played by another daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Daemon, Dir, TempDir, all_frames, eventually_is, free_port, of_camera, segments,
};

/// How long things are killed; `FLEET_SECONDS` sets it.
const SECONDS: u64 = 60;
/// How long the daemon may take to hand over what waits then. Its pause is up to a minute.
const CATCH_UP: Duration = Duration::from_secs(300);
const LOGIN: &str = r#"{"identities":[{"name":"test","credentials":[{"accessKey":"test","secretKey":"testtest"}],"actions":["Admin","Read","Write","List"]}]}"#;

fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fleet/bin").join(name)
}

/// `SeaweedFS` on ports of its own, which keeps its data over kills.
struct Store {
    folder: TempDir,
    ports: [u16; 4],
    child: Option<Child>,
}

impl Store {
    fn new() -> Self {
        let folder = TempDir::new();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("login.json"), LOGIN).unwrap();
        // Each has a second port, 10000 above.
        let mut store = Self { folder, ports: [(); 4].map(|()| free_port()), child: None };
        store.start();
        store
    }

    fn start(&mut self) {
        let [master, volume, filer, s3] = self.ports;
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let log = fs::File::create(path("log")).unwrap();
        let child = Command::new(tool("weed"))
            .args(["-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"])
            .args(["-filer", "-s3", "-volume.max=20", "-master.volumeSizeLimitMB=64"])
            .args([format!("-dir={}", path("data")), format!("-s3.config={}", path("login.json"))])
            .args([format!("-master.port={master}"), format!("-volume.port={volume}")])
            .args([format!("-filer.port={filer}"), format!("-s3.port={s3}")])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What rclone needs to know, as variables.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let endpoint = format!("http://127.0.0.1:{}", self.ports[3]);
        [
            ("RCLONE_CONFIG", "/dev/null"),
            ("RCLONE_CONFIG_S3_TYPE", "s3"),
            ("RCLONE_CONFIG_S3_PROVIDER", "SeaweedFS"),
            ("RCLONE_CONFIG_S3_ACCESS_KEY_ID", "test"),
            ("RCLONE_CONFIG_S3_SECRET_ACCESS_KEY", "testtest"),
            ("RCLONE_CONFIG_S3_ENDPOINT", &endpoint),
            // The daemon tries again.
            ("RCLONE_RETRIES", "1"),
            ("RCLONE_LOW_LEVEL_RETRIES", "1"),
            ("RCLONE_CONTIMEOUT", "2s"),
            ("RCLONE_TIMEOUT", "5s"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }

    fn rclone(&self, args: &[&str]) -> bool {
        let mut command = Command::new(tool("rclone"));
        command.args(args).envs(self.variables()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap().success()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Records, and hands the segments to rclone.
fn archiver(store: &Store, dir: &Dir, to: &Path) -> Daemon {
    let copy = format!(
        "{} copyto \"$MJPEGD_SEGMENT\" \"s3:bucket/$MJPEGD_CAMERA/$(basename \"$MJPEGD_SEGMENT\")\"",
        tool("rclone").display()
    );
    let (camera, to) = (dir.camera(), to.to_str().unwrap());
    let args = ["--camera", &*camera, "--fps", "20", "--record", to, "--record-segment", "1s"];
    let mut command = Daemon::command(&[&args[..], &["--on-segment", &copy]].concat());
    command.envs(store.variables());
    Daemon::spawn(command)
}

/// The copiers that run now, of segments in this folder.
fn copiers(to: &Path) -> Vec<Pid> {
    let mark = format!("MJPEGD_SEGMENT={}", to.display());
    let is_it = |entry: &fs::DirEntry| {
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let is_rclone = read("comm").starts_with(b"rclone");
        is_rclone && memchr::memmem::find(&read("environ"), mark.as_bytes()).is_some()
    };
    let all = fs::read_dir("/proc").unwrap().flatten().filter(is_it);
    all.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// How often each was killed.
#[derive(Debug, Default)]
struct Kills {
    daemon: usize,
    copier: usize,
    store: usize,
}

/// Kills daemon, copier and store, one or the other, and starts it again.
fn kill_at_random(
    store: &mut Store,
    daemon: &mut Daemon,
    start: &dyn Fn(&Store) -> Daemon,
    to: &Path,
) {
    let seconds = std::env::var("FLEET_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS));
    let (mut kills, mut seed) = (Kills::default(), 1_u64);
    while Instant::now() < until {
        // Knuth's generator: the same kills at each run, as far as the machine allows.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(500 + (seed >> 33) % 2000));
        match (seed >> 40) % 3 {
            0 => {
                daemon.signal(Signal::KILL);
                daemon.wait();
                *daemon = start(store);
                kills.daemon += 1;
            }
            1 => {
                // One runs for a moment in each second.
                let soon = Instant::now() + Duration::from_secs(2);
                let found =
                    (0..).map(|_| copiers(to)).find(|p| !p.is_empty() || Instant::now() > soon);
                let killed = found.into_iter().flatten().map(|pid| kill_process(pid, Signal::KILL));
                kills.copier += killed.filter(Result::is_ok).count();
            }
            _ => {
                store.kill();
                thread::sleep(Duration::from_millis((seed >> 50) % 1000));
                store.start();
                kills.store += 1;
            }
        }
    }
    eprintln!("{kills:?}");
}

#[test]
#[ignore = "part of make test-fleet"]
fn each_segment_reaches_the_bucket_whatever_is_killed() {
    let (dir, to, mut store) = (Dir::numbered(40, 10_000), TempDir::new(), Store::new());
    eventually_is("the store has a bucket", || store.rclone(&["mkdir", "s3:bucket"]));
    let start = |store: &Store| archiver(store, &dir, to.path());
    let mut daemon = start(&store);
    kill_at_random(&mut store, &mut daemon, &start, to.path());
    // Nothing grows any more, and nothing is killed.
    assert_eq!(daemon.request("POST", "/record/stop", &[]).code, 200);
    let begun = Instant::now();
    let figure = |name: &str| daemon.figure(&format!("/recording/on_segment/{name}"));
    while figure("waiting") > 0 || daemon.status()["recording"]["state"] != "off" {
        assert!(begun.elapsed() < CATCH_UP, "{}", daemon.status()["recording"]);
        thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(figure("lost"), 0);
    let copy = TempDir::new();
    let back = of_camera(copy.path());
    // A store that has just been started again may refuse it once.
    let fetch = || store.rclone(&["copy", "s3:bucket/camera", back.to_str().unwrap()]);
    eventually_is("all is fetched", fetch);
    let on_disk = segments(to.path());
    eprintln!("{} segments", on_disk.len());
    assert_eq!(segments(copy.path()).len(), on_disk.len());
    for path in &on_disk {
        let copied = back.join(path.file_name().unwrap());
        assert!(fs::read(path).unwrap() == fs::read(&copied).unwrap(), "{}", copied.display());
    }
    // And somebody else plays all of it.
    let caches = TempDir::new();
    let mut command = Daemon::command(&["--camera", &format!("recording:{}", back.display())]);
    command.env_remove("CACHE_DIRECTORY").env("XDG_CACHE_HOME", caches.path());
    let viewer = Daemon::spawn(command);
    let n_frames = all_frames(to.path()).len() as u64;
    eventually_is("all is found", || viewer.figure("/recording/frames") == n_frames);
}
