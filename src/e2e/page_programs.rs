//! "Use this camera in other programs": configurations, and the buttons that copy them.

use serde_json::Value;

use crate::support::{Browser, Daemon, TempDir, eventually_is};

/// Opens a page with its panel, at a host name of the network: there is no
/// `navigator.clipboard` for such a page.
fn open(daemon: &Daemon, path: &str) -> Browser {
    let browser = Browser::start_with_names("MAP *.lan 127.0.0.1");
    browser.open(&format!("http://{}{path}", host(daemon)));
    open_panel(&browser);
    browser
}

/// Opens the panel with the configurations, once nothing moves it any more.
fn open_panel(browser: &Browser) {
    eventually_is("the camera is named", || !browser.text("source").is_empty());
    let is_complete = "return document.querySelectorAll('#controls legend').length > 0
        && !document.getElementById('motion').hidden";
    eventually_is("all is there", || browser.run(is_complete) == true);
    browser.click("#elsewhere > summary");
    let is_open = "return document.getElementById('elsewhere').open";
    eventually_is("it is open", || browser.run(is_open) == true);
}

fn host(daemon: &Daemon) -> String {
    format!("shed.lan:{}", daemon.address().port())
}

/// The configuration for a program.
fn configuration(browser: &Browser, program: &str) -> String {
    browser.run(&format!(
        "const list = document.getElementById('program');
         list.value = [...list.options].map((o) => o.value).find((v) => v.startsWith('{program}'));
         list.onchange();"
    ));
    browser.text("configuration")
}

#[test]
fn configurations_have_host_prefix_and_camera() {
    let cameras = ["--camera", "Front-Door=pattern:64x48@20", "--camera", "back=pattern:64x48@20"];
    let daemon = Daemon::start(&cameras);
    let browser = open(&daemon, "/webcam/Front-Door/");
    let base = format!("http://{}/webcam/Front-Door", host(&daemon));
    for (program, lines) in [
        (
            "OctoPrint",
            &["  classicwebcam:", "    stream: @/stream", "    snapshot: @/snapshot"][..],
        ),
        ("Moonraker", &["[webcam front_door]", "stream_url: @/stream", "snapshot_url: @/snapshot"]),
        ("Home Assistant", &["MJPEG URL: @/stream", "Still image URL: @/snapshot"]),
        (
            "Frigate",
            &[
                "    front_door: \"ffmpeg:@/stream#video=h264#hardware\"",
                "  front_door:",
                "        - path: rtsp://127.0.0.1:8554/front_door",
            ],
        ),
        ("go2rtc", &["streams:", "  front_door: @/stream"]),
    ] {
        let text = configuration(&browser, program);
        for line in lines {
            let line = line.replace('@', &base);
            assert!(text.lines().any(|own| own == line), "{line} is not in {text}");
        }
        assert!(!text.contains("password"), "{text}");
    }
    let hidden = "return document.getElementById('program-login').hidden";
    assert_eq!(browser.run(hidden), true);
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
}

#[test]
fn button_copies_without_a_clipboard_of_the_browser() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let browser = open(&daemon, "/");
    assert_eq!(browser.run("return String(navigator.clipboard)"), "undefined");
    browser.run(
        "document.addEventListener('copy', () => {
             window.copied = document.activeElement.value;
         })",
    );
    let text = configuration(&browser, "go2rtc");
    browser.click(".program button");
    eventually_is("it says so", || browser.text("note") == "Copied: configuration");
    assert_eq!(browser.run("return window.copied"), text.as_str());
    assert!(text.contains(&format!("http://{}/stream", host(&daemon))), "{text}");
    browser.click("#elsewhere li button");
    eventually_is("it says so", || browser.text("note") == "Copied: Stream for programs");
    assert_eq!(browser.run("return window.copied"), format!("http://{}/stream", host(&daemon)));
}

#[test]
fn login_is_left_to_be_filled_in() {
    let dir = TempDir::new();
    let users = dir.write("users", "me:secret\n");
    let args = ["--camera", "pattern:64x48@20", "--auth-file", users.to_str().unwrap()];
    let daemon = Daemon::start(&args);
    let browser = Browser::start_with_names("MAP *.lan 127.0.0.1");
    browser.open(&format!("http://me:secret@{}/", host(&daemon)));
    open_panel(&browser);
    let asks = "return !document.getElementById('program-login').hidden";
    eventually_is("it knows of the login", || browser.run(asks) == true);
    for (program, text) in [
        ("OctoPrint", "    snapshotUsername: user"),
        ("Moonraker", "snapshot_url: http://user:password@shed.lan"),
        ("Home Assistant", "Password: password"),
        ("Frigate", "\"ffmpeg:http://user:password@shed.lan"),
        ("go2rtc", ": http://user:password@shed.lan"),
    ] {
        let seen = configuration(&browser, program);
        assert!(seen.contains(text) && !seen.contains("secret"), "{seen}");
    }
}
