//! Other MJPEG servers, as packages install them, as cameras of the daemon.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::support::{Daemon, Dir, PATIENCE, eventually, eventually_is, number, size};

/// A running server. Its whole process group is killed on drop.
pub(crate) struct Server(Child);

impl Server {
    /// Starts it, and waits for a line on standard error that contains `mark`.
    pub(crate) fn start(command: &mut Command, package: &str, mark: &str) -> (Self, String) {
        use std::os::unix::process::CommandExt;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn();
        let mut child = child.unwrap_or_else(|e| panic!("apt install {package}: {e}"));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let server = Self(child);
        let (sender, marked) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // The receiver is gone once the mark has come; that is no
                // error.
                let _ = sender.send(line);
            }
        });
        let mut all = String::new();
        while let Ok(line) = marked.recv_timeout(PATIENCE) {
            if line.contains(mark) {
                return (server, line);
            }
            all += &line;
            all.push('\n');
        }
        panic!("{package} does not say {mark:?}:\n{all}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// The tutorial's server: a generator that yields parts without a length.
const TUTORIAL: &str = r#"
import time
from flask import Flask, Response
app = Flask(__name__)
frames = [open(f"{n:06}.jpg", "rb").read() for n in range(3)]

def gen():
    while True:
        for frame in frames:
            time.sleep(0.03)
            yield (b'--frame\r\n'
                   b'Content-Type: image/jpeg\r\n\r\n' + frame + b'\r\n')

@app.route('/video_feed')
def video_feed():
    return Response(gen(), mimetype='multipart/x-mixed-replace; boundary=frame')
"#;

#[test]
fn tutorials_server_under_gunicorn_is_a_camera() {
    let dir = Dir::numbered(3, 20_000);
    std::fs::write(dir.path().join("app.py"), TUTORIAL).unwrap();
    let mut command = Command::new("gunicorn");
    command.args(["--threads", "5", "--workers", "1", "--bind", "127.0.0.1:0", "app:app"]);
    command.current_dir(dir.path());
    let (server, line) = Server::start(&mut command, "gunicorn python3-flask", "Listening at: ");
    let url = line.split("Listening at: ").nth(1).unwrap().split(' ').next().unwrap();
    let camera = format!("{url}/video_feed");
    let daemon = Daemon::start(&["--camera", &camera, "--idle-timeout", "300ms"]);
    let mut viewer = daemon.watch("/stream");
    for _ in 0..10 {
        let jpeg = viewer.next().jpeg;
        let n = number(&jpeg).unwrap_or_else(|| panic!("{}", daemon.status()["camera"]));
        assert!(jpeg == dir.pictures[n]);
    }
    drop(server);
    eventually_is("a status picture", || number(&viewer.next().jpeg).is_none());
}

#[test]
fn ffmpegs_own_listener_is_a_camera() {
    // An address that no other test uses, so that the port stays free between
    // the two starts.
    let address = TcpListener::bind("127.0.0.72:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/");
    let daemon = Daemon::start(&["--camera", &url]);
    let mut viewer = daemon.watch("/stream");
    let mut command = Command::new("ffmpeg");
    // ffmpeg waits for its only client before it prints "Input #0".
    command.args(["-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=15"]);
    command.args(["-t", "60", "-f", "mpjpeg", "-listen", "1", &url]);
    let (_server, _) = Server::start(&mut command, "ffmpeg", "Input #0");
    daemon.wait_for_state("live");
    eventually_is("pictures of ffmpeg", || size(&viewer.next().jpeg) == (320, 240));
    eventually_is("they go on", || daemon.figure("/camera/frames/captured") > 10);
}

/// A handwritten Python server: lines end with LF only, the boundary is quoted,
/// and the login follows RFC 7617 or RFC 7616.
const LOGIN: &str = r#"
import base64, hashlib, http.server, re, sys, time
scheme, pictures = sys.argv[1:]
frames = [open(f"{pictures}/{n:06}.jpg", "rb").read() for n in range(3)]
REALM, NONCE = "a camera", "dcd98b7102dd2f0e8b11d0f600bfb0c093"

class Handler(http.server.BaseHTTPRequestHandler):
    def md5(self, *parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    def may(self):
        given = self.headers.get("Authorization", "")
        if scheme == "basic":
            return given == "Basic " + base64.b64encode(b"me:se:cret").decode()
        login = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        if login.get("uri") != self.path or login.get("nonce") != NONCE:
            return False
        a1 = self.md5("me", REALM, "se:cret")
        a2 = self.md5("GET", self.path)
        return login["response"] == self.md5(a1, NONCE, login["nc"], login["cnonce"], "auth", a2)

    def do_GET(self):
        if not self.may():
            self.send_response(401)
            if scheme == "basic":
                self.send_header("WWW-Authenticate", f'Basic realm="{REALM}"')
            else:
                self.send_header("WWW-Authenticate",
                                 f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth", algorithm=MD5')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-type", 'multipart/x-mixed-replace; boundary="=_odd-1.5"')
        self.end_headers()
        try:
            while True:
                for frame in frames:
                    time.sleep(0.03)
                    self.wfile.write(b"--=_odd-1.5\nContent-type: image/jpeg\n\n" + frame + b"\n")
        except OSError:
            pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("port", server.server_port, file=sys.stderr, flush=True)
server.serve_forever()
"#;

#[test]
fn login_is_basic_or_digest_as_the_server_asks() {
    let dir = Dir::numbered(3, 3_000);
    for scheme in ["basic", "digest"] {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", LOGIN, scheme]).arg(dir.path());
        let (_server, line) = Server::start(&mut command, "python3", "port ");
        let address = format!("127.0.0.1:{}", line.strip_prefix("port ").unwrap());
        let camera = |login: &str| format!("http://{login}@{address}/cgi/mjpg?a=b&c");
        let daemon = Daemon::start(&["--camera", &camera("me:se%3Acret")]);
        let mut viewer = daemon.watch("/stream");
        for _ in 0..5 {
            let jpeg = viewer.next().jpeg;
            let n = number(&jpeg).unwrap_or_else(|| panic!("{}", daemon.status()["camera"]));
            assert!(jpeg == dir.pictures[n], "{scheme}");
        }
        let wrong = Daemon::start(&["--camera", &camera("me:wrong")]);
        let _viewer = wrong.watch("/stream");
        let cause = eventually("the cause", || {
            Some(wrong.status()["camera"]["cause"].as_str()?.to_owned())
        });
        assert_eq!(cause, "user and password are wrong (401)", "{scheme}");
        assert!(wrong.figure("/camera/faults/denied") >= 1);
    }
}
