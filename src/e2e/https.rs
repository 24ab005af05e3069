//! Cameras at https addresses, whose certificates nobody knows: a real TLS
//! server, and certificates made for the test. `make test-https` runs this, as
//! the program has no TLS unless it is built with the feature.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::foreign::Server;
#[cfg(feature = "mqtt")]
use crate::recording::end;
use crate::servers::lost;
#[cfg(feature = "mqtt")]
use crate::support::{Broker, Subscriber, eventually_is};
use crate::support::{Daemon, Dir, Program, TempDir, number};

/// Parts without end over TLS, as a camera sends them.
const SERVER: &str = r#"
import http.server, ssl, sys, time
frames = [open(f"{n:06}.jpg", "rb").read() for n in range(3)]

class Camera(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nno header\r\n"
                         b"Content-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n")
        while True:
            for frame in frames:
                time.sleep(0.03)
                self.wfile.write(b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                                 % len(frame) + frame + b"\r\n")

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_): pass
server = Server(("127.0.0.1", 0), Camera)
server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_port, file=sys.stderr, flush=True)
server.serve_forever()
"#;

/// A certificate and its key, in files of this name.
fn certificate(dir: &TempDir, name: &str, more: &[&str]) -> String {
    let path = |end: &str| dir.path().join(format!("{name}.{end}")).display().to_string();
    let (pem, key) = (path("pem"), path("key"));
    let args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", &key];
    let program = Program::new("openssl", "openssl").args(args).args(["-out", &pem]);
    program.args(more.iter().copied()).output();
    pem
}

/// A camera with this certificate, and its address.
fn camera(pem: &str, pictures: &Dir) -> (Server, String) {
    let key = Path::new(pem).with_extension("key");
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", SERVER, pem]).arg(key).current_dir(pictures.path());
    let (server, line) = Server::start(&mut command, "python3", "port ");
    (server, format!("https://127.0.0.1:{}/", line.trim_start_matches("port ").trim()))
}

fn daemon(url: &str, more: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", url, "--idle-timeout", "300ms"], more].concat())
}

fn shows(daemon: &Daemon) {
    let mut viewer = daemon.watch("/stream");
    for _ in 0..3 {
        let jpeg = viewer.next().jpeg;
        assert!(number(&jpeg).is_some(), "{}", daemon.status()["camera"]);
    }
}

#[test]
fn certificate_that_a_camera_made_is_taken_where_it_is_named() {
    let (dir, pictures) = (TempDir::new(), Dir::numbered(3, 3_000));
    // As cameras make them: an authority of its own, without the address.
    let pem = certificate(&dir, "camera", &["-subj", "/CN=IP Camera"]);
    let (_server, url) = camera(&pem, &pictures);
    let (cause, counted) = lost(&daemon(&url, &[]));
    assert_eq!(counted, "unsupported");
    let (why, fingerprint) =
        cause.split_once("; if this is the server's certificate, use --tls-ca ").unwrap();
    assert!(why.starts_with("TLS: invalid peer certificate"), "{cause}");
    shows(&daemon(&url, &["--tls-ca", fingerprint]));
    shows(&daemon(&url, &["--tls-ca", &pem]));
    shows(&daemon(&url, &["--tls-insecure"]));
    let asked = ["x509", "-in", &pem, "-noout", "-fingerprint", "-sha256"];
    let said = Program::new("openssl", "openssl").args(asked).text();
    let openssls = said.trim().split_once('=').unwrap().1;
    shows(&daemon(&url, &["--tls-ca", &format!("sha256:{openssls}")]));
    let config = format!(
        "[[camera]]\nname = \"a\"\nsource = \"{url}\"\ntls-insecure = true\n\
         [[camera]]\nname = \"b\"\nsource = \"{url}\"\ntls-ca = \"sha256:{}\"\n",
        "ab".repeat(32)
    );
    let file = dir.write("mjpegd.toml", config);
    let daemon = Daemon::start(&["--config", file.to_str().unwrap()]);
    assert!(number(&daemon.watch("/a/stream").next().jpeg).is_some());
    assert_eq!(daemon.get("/b/snapshot").code, 503);
}

#[test]
fn authority_vouches_for_the_name_in_the_address() {
    let (dir, pictures) = (TempDir::new(), Dir::numbered(3, 3_000));
    let ca = certificate(&dir, "ca", &["-subj", "/CN=At home"]);
    let key = Path::new(&ca).with_extension("key").display().to_string();
    let signed = ["-CA", &ca, "-CAkey", &key, "-subj", "/CN=camera", "-addext"];
    let pem = |name: &str, san: &str| {
        certificate(
            &dir,
            name,
            &[&signed[..], &[san, "-addext", "basicConstraints=CA:FALSE"]].concat(),
        )
    };
    let (_right, url) = camera(&pem("right", "subjectAltName=IP:127.0.0.1"), &pictures);
    shows(&daemon(&url, &["--tls-ca", &ca]));
    let (cause, _) = lost(&daemon(&url, &[]));
    assert!(cause.contains("UnknownIssuer"), "{cause}");
    let (_other, url) = camera(&pem("other", "subjectAltName=IP:127.0.0.2"), &pictures);
    let (cause, _) = lost(&daemon(&url, &["--tls-ca", &ca]));
    assert!(cause.contains("not valid for name"), "{cause}");
}

#[test]
#[cfg(feature = "mqtt")]
fn broker_over_tls_is_told_what_happens() {
    let dir = TempDir::new();
    let pem = certificate(&dir, "broker", &["-subj", "/CN=broker"]);
    let key = Path::new(&pem).with_extension("key").display().to_string();
    let broker =
        Broker::with(&format!("allow_anonymous true\ncertfile {pem}\nkeyfile {key}\n"), &[]);
    let url = format!("mqtts://127.0.0.1:{}/p", broker.port);
    let unknown = Daemon::start(&["--mqtt", &url]);
    let line = unknown.wait_for_log("trying again");
    let (_, rest) = line.split_once("use --tls-ca ").unwrap();
    let fingerprint = &rest[..7 + 64];
    for more in [&["--tls-ca", &*pem][..], &["--tls-ca", fingerprint], &["--tls-insecure"]] {
        // The picture is larger than what TLS takes at a time.
        let pictures = Dir::numbered(2, 300_000);
        let camera = ["--camera", &*pictures.camera(), "--idle-timeout", "0"].map(str::to_owned);
        let camera: Vec<_> = camera.iter().map(String::as_str).collect();
        let daemon = Daemon::start(&[&camera[..], &["--mqtt", &url], more].concat());
        let port = broker.port.to_string();
        let args = ["-h", "127.0.0.1", "-p", &port, "--cafile", &pem, "--insecure"];
        let all = Subscriber::start(
            &[&args[..], &["-i", "all", "-q", "1", "-t", "p/#", "-F", "%t %r %q %x"]].concat(),
        );
        all.wait_for("p/camera/snapshot", |picture| number(&picture.payload).is_some());
        eventually_is("its answers are read", || daemon.status()["mqtt"]["waiting"] == 0);
        end(daemon);
        all.wait_for_text("p/status", "offline");
    }
}

#[test]
fn server_without_tls_is_named() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    // Ends with the process: no other test asks it.
    thread::spawn(move || {
        for stream in server.incoming().map_while(Result::ok) {
            let _ = (&stream).read(&mut [0; 1024]);
            let _ = (&stream).write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let (cause, _) = lost(&daemon(&format!("https://{address}/"), &[]));
    assert!(cause.starts_with("TLS: "), "{cause}");
}
