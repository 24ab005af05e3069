//! The control channel: runs shell scripts in the guest and moves files, through busybox httpd.
//!
//! Called by `machine`. It knows the two CGI programs in `guest/` and nothing else of the guest.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest time that a script may take. Longer than every deadline in the tests.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a script printed (stdout and stderr together) and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) status: i32,
}

/// A client of the httpd at `address`, with a connection per call.
pub(crate) struct Control {
    pub(crate) address: SocketAddr,
}

impl Control {
    /// Runs a script in the guest's shell and waits for its end.
    pub(crate) fn run(&self, script: &str) -> Result<Outcome> {
        self.cgi("run", script.as_bytes())
            .with_context(|| format!("running in the guest: {script}"))
    }

    /// Writes a file of the guest atomically.
    pub(crate) fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let outcome = self.cgi(&format!("put?{path}"), content)?;
        ensure!(outcome.status == 0, "writing {path} in the guest: {}", outcome.text);
        Ok(())
    }

    /// Fetches a file of the guest. Not for /proc and /sys, whose files report no length.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>> {
        let (head, body) = self.exchange(&format!("GET {path} HTTP/1.0\r\n\r\n"), &[])?;
        ensure!(
            head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"),
            "{path} in the guest: {head}"
        );
        Ok(body)
    }

    fn cgi(&self, program: &str, body: &[u8]) -> Result<Outcome> {
        let length = body.len();
        let (_, answer) = self.exchange(
            &format!("POST /cgi-bin/{program} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n"),
            body,
        )?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        // The CGI programs end with "\nstatus N\n". Without it the reply was cut off.
        let (text, status) =
            answer.rsplit_once("\nstatus ").with_context(|| format!("no status in '{answer}'"))?;
        Ok(Outcome { text: text.to_string(), status: status.trim().parse()? })
    }

    /// Sends a request and reads until the guest closes the connection. Returns head and body of the reply.
    fn exchange(&self, head: &str, body: &[u8]) -> Result<(String, Vec<u8>)> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&[head.as_bytes(), body].concat())?;
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .with_context(|| format!("no answer from the guest in {PATIENCE:?}"))?;
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .context("the guest sent no HTTP answer")?;
        let body = answer.split_off(end + 4);
        Ok((String::from_utf8_lossy(&answer).into_owned(), body))
    }
}
