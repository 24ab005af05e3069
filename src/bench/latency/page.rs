//! The page that is open in a browser all the time, and shows what the benchmark asks for.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use parking_lot::Mutex;

/// How long the browser's question for something to show is kept.
const HOLD: Duration = Duration::from_secs(5);
/// A browser that starts for the first time takes its time on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// It opens a window of its own for what is shown, as a person does: in a frame, WebKit takes
/// twice the time to paint a page that scrolls.
const PAGE: &str = r#"<!DOCTYPE html><meta charset=utf-8><title>bench</title>
<body><script>
const shown = open('/blank', 'shown', 'left=0,top=0,width=' + screen.width + ',height=' + screen.height);
(async () => {
  for (;;) {
    const [kind, url] = (await (await fetch('/next', { cache: 'no-store' })).text()).split(' ');
    if (!kind) continue;
    const clicked = performance.timeOrigin + performance.now();
    shown.location = kind === 'page' ? url : '/' + kind + (url && '?' + url);
    fetch('/clicked?' + clicked);
  }
})();
</script>"#;
const BLANK: &str = "<!DOCTYPE html><title>blank</title><body style='background: #222'>";
/// A picture alone is as large as on the daemon's page: to scale it takes the browser's time.
const ALONE: &str = "<!DOCTYPE html><title>alone</title><style>
body { margin: 0; background: #222 }
img { width: calc((100vh - 9.5rem) * 4 / 3 - 2rem) }
</style><img src='URL'>";

/// The server of the page. Its thread waits for requests until this process ends.
pub(crate) struct Page {
    pub(crate) address: SocketAddr,
    orders: Sender<String>,
    clicks: Mutex<Receiver<SystemTime>>,
}

/// What the threads of the requests share.
struct Shared {
    orders: Mutex<Receiver<String>>,
    clicks: Sender<SystemTime>,
}

impl Page {
    pub(crate) fn open() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (orders, orders_read) = channel();
        let (clicked, clicks) = channel();
        let shared = Arc::new(Shared { orders: Mutex::new(orders_read), clicks: clicked });
        thread::Builder::new().name("page".into()).spawn(move || {
            for request in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // An error: the browser has left.
                thread::spawn(move || shared.answer(&request));
            }
        })?;
        Ok(Self { address, orders, clicks: Mutex::new(clicks) })
    }

    /// Shows what is at this address: `img` a picture, `page` a whole page. Returns when the
    /// page set it.
    pub(crate) fn show(&self, kind: &str, url: &str) -> Result<SystemTime> {
        self.orders.send(format!("{kind} {url}")).context("the page's server has ended")?;
        self.clicks.lock().recv_timeout(PATIENCE).context("the browser does not obey")
    }
}

impl Shared {
    fn answer(&self, stream: &TcpStream) -> Result<()> {
        let mut input = BufReader::new(stream);
        let mut request = String::new();
        input.read_line(&mut request)?;
        let mut line = String::new();
        while input.read_line(&mut line)? > 2 {
            line.clear();
        }
        let target = request.split(' ').nth(1).context("no request")?;
        match target.split_once('?') {
            None if target == "/" => reply(stream, "text/html", PAGE),
            None if target == "/next" => self.next(stream),
            None if target == "/blank" => reply(stream, "text/html", BLANK),
            Some(("/img", url)) => reply(stream, "text/html", &ALONE.replace("URL", url)),
            Some(("/clicked", millis)) => {
                let since = Duration::from_secs_f64(millis.parse::<f64>()? / 1e3);
                reply(stream, "text/plain", "")?;
                Ok(self.clicks.send(SystemTime::UNIX_EPOCH + since)?)
            }
            _ => reply(stream, "text/plain", ""),
        }
    }

    fn next(&self, stream: &TcpStream) -> Result<()> {
        let order = self.orders.lock().recv_timeout(HOLD).unwrap_or_default();
        reply(stream, "text/plain", &order)
    }
}

fn reply(mut stream: &TcpStream, kind: &str, body: &str) -> Result<()> {
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    Ok(stream.write_all(reply.as_bytes())?)
}
