//! More than one machine: the files of `src/deploy`, each checked by the engine it is
//! for, and relays behind real proxies. `make test-fleet` runs this chapter, as the
//! engines are large and 200 viewers take a whole machine.

mod crowd;
mod engines;
mod proxies;
mod relays;
mod storage;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{Client, Daemon, TempDir, eventually_is, free_port};

/// A file of `src/deploy`.
fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/deploy").join(name)
}

/// A program of `/usr/sbin`, which is not in everybody's path.
fn engine(name: &str) -> Command {
    let path = Path::new("/usr/sbin").join(name);
    Command::new(if path.exists() { path } else { name.into() })
}

/// An engine that runs until the end of the test, and where it listens.
struct Engine {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Engine {
    /// Starts an engine with a file of `src/deploy` in which some texts are replaced.
    /// `bind` is the text of its port there. `command` gets the path of the file.
    fn start(
        file: &str,
        bind: (&str, &str),
        others: &[(String, String)],
        command: impl Fn(&Path) -> Command,
    ) -> Self {
        let (folder, address) = (TempDir::new(), SocketAddr::from(([127, 0, 0, 1], free_port())));
        let mut text = fs::read_to_string(deployed(file)).unwrap();
        let bound = bind.1.replace("PORT", &address.port().to_string());
        for (from, to) in [(bind.0.to_owned(), bound)].iter().chain(others) {
            assert!(text.contains(from), "{file} has no {from:?}");
            text = text.replace(from, to);
        }
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        let child = command(&path).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let engine = Self { child, address, _folder: folder };
        eventually_is("the engine listens", || TcpStream::connect(address).is_ok());
        engine
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// HAProxy with the file of `src/deploy`, in front of these relays.
fn haproxy(relays: &[SocketAddr]) -> Engine {
    let line = |n: usize, address: &SocketAddr| {
        format!("    server relay{n} {address} cookie relay{n}\n", n = n + 1)
    };
    let servers: String = relays.iter().enumerate().map(|(n, address)| line(n, address)).collect();
    let shipped: String =
        (1..=3).map(|n| format!("    server relay{n} relay{n}:5000 cookie relay{n}\n")).collect();
    let bind = ("bind :5000", "bind 127.0.0.1:PORT");
    Engine::start("haproxy.cfg", bind, &[(shipped, servers)], |path| {
        let mut command = engine("haproxy");
        // Warnings on its standard error are of relays that a test has ended.
        command.args(["-db", "-f"]).arg(path).stderr(Stdio::null());
        command
    })
}

/// Waits until HAProxy gives streams to relay `n`, which has the fewest viewers of all.
fn wait_until_found(balancer: &Engine, n: usize) {
    let cookie = format!("MJPEGD=relay{};", n + 1);
    eventually_is(&format!("HAProxy finds relay {n}"), || {
        let mut client = Client::connect(balancer.address);
        client.request("HEAD", "/stream", &["Connection: close"]);
        client.reply("HEAD").head.contains(&cookie)
    });
}

/// Where relay `n` begins to listen: an address that no other test uses, so that its port
/// stays free while it is started again.
fn own_address(n: usize) -> String {
    format!("127.0.0.{}:0", 81 + n)
}

/// A relay of `n_seats` as the comments of the files have it. It closes its camera soon.
fn relay(origin: &Daemon, bind: &str, n_seats: usize) -> Daemon {
    let (camera, seats) = (origin.url("/stream"), n_seats.to_string());
    let fixed = ["--camera", &*camera, "--bind", bind, "--threads", &*seats];
    let rest = ["--idle-timeout", "1s", "--drain-timeout", "2s", "--trusted-proxy", "127.0.0.0/8"];
    Daemon::start(&[&fixed[..], &rest].concat())
}
