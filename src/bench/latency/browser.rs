//! Chromium, Firefox and WebKit, each with a display of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::children::{Running, command, find};
use crate::page::Page;
use crate::picture::Pictures;
use crate::screen::{SIZE, Screen};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Chromium,
    Firefox,
    WebKit,
}

/// A browser that shows the page.
pub(crate) struct Desk {
    pub(crate) kind: Kind,
    pub(crate) page: Page,
    pub(crate) screen: Screen,
    _browser: Running,
}

const START_PATIENCE: Duration = Duration::from_secs(30);
/// Nothing that asks something, or asks the Internet.
const FIREFOX_PREFERENCES: &str = r#"user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.link.open_newwindow.restriction", 0);
user_pref("dom.disable_open_during_load", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "http://127.0.0.1:9/");
"#;
/// Debian keeps it where only libraries are, once for each architecture.
const MINI_BROWSERS: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "/usr/libexec/webkit2gtk-4.1/MiniBrowser",
];

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// The command that opens the address in a window that fills the display.
    fn command(self, home: &Path, url: &str) -> Result<Command> {
        let (width, height) = SIZE;
        Ok(match self {
            Self::Chromium => {
                let mut chromium = command(find(&["chromium", "chromium-browser"])?);
                chromium.arg(format!("--user-data-dir={}", home.display()));
                chromium.arg(format!("--window-size={width},{height}")).arg(format!("--app={url}"));
                chromium.args([
                    "--window-position=0,0",
                    "--no-sandbox",
                    // Without it, a bar over the page warns of the line above.
                    "--test-type",
                    "--disable-gpu",
                    "--disable-popup-blocking",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--disable-dev-shm-usage",
                ]);
                chromium
            }
            Self::Firefox => {
                fs::write(home.join("user.js"), FIREFOX_PREFERENCES)?;
                let mut firefox = command(find(&["firefox-esr", "firefox"])?);
                firefox.args(["--no-remote", "--new-instance", "--kiosk", "--profile"]);
                firefox.arg(home).arg(url);
                firefox
            }
            Self::WebKit => {
                let mut webkit = command(find(&MINI_BROWSERS)?);
                webkit.arg("--javascript-can-open-windows-automatically=TRUE");
                webkit.arg(format!("--geometry={width}x{height}")).arg(url);
                webkit
            }
        })
    }
}

impl Desk {
    pub(crate) fn open(kind: Kind, pictures: &Pictures) -> Result<Self> {
        let home = pictures.folder.join(format!("{kind:?}"));
        fs::create_dir_all(&home)?;
        let page = Page::open()?;
        let screen = Screen::open(&home.join("screen"))?;
        let mut browser = kind.command(&home, &format!("http://{}/", page.address))?;
        browser.env("DISPLAY", &screen.name).env("HOME", &home).env_remove("WAYLAND_DISPLAY");
        browser.env_remove("DBUS_SESSION_BUS_ADDRESS").env("NO_AT_BRIDGE", "1");
        let browser = Running::start(&mut browser, &home.join("log"))?;
        let desk = Self { kind, page, screen, _browser: browser };
        desk.page.show("blank", "").with_context(|| format!("{kind:?} does not open the page"))?;
        desk.screen.wait_until_blank(START_PATIENCE)?;
        Ok(desk)
    }
}
