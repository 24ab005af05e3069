//! Two cameras with one serial number, as all cheap webcams of one model have it: none is ever shown as the other.

use crate::machine::pictures;
use crate::machine::server::Server;
use crate::machine::{Machine, machine};
use crate::tests::daemon::start;
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{Viewer, get};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const SERIAL: &str = "0001";
const SMALL: &str = "--resolution 640x480 --fps 15 --idle-timeout 0";

/// The pictures of one of the two cameras: each has half of all.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Twin {
    First,
    Second,
}

impl Twin {
    fn pictures(self) -> &'static [Vec<u8>] {
        let all = pictures::of_size("640x480");
        let (first, second) = all.split_at(all.len() / 2);
        if self == Self::First { first } else { second }
    }

    /// Which camera took a picture; `None`: neither, so that it is a status picture.
    fn of(jpeg: &[u8]) -> Option<Self> {
        let has = |twin: &Self| twin.pictures().iter().any(|picture| picture == jpeg);
        [Self::First, Self::Second].into_iter().find(has)
    }

    fn plug_in(self, machine: &Machine, port: u32) -> Webcam<'_> {
        let folder = format!("/tmp/twin-{self:?}");
        for (name, all) in pictures::all() {
            machine.sh(&format!("mkdir -p {folder}/{name}"));
            let own = if self == Self::First { 0..all.len() / 2 } else { all.len() / 2..all.len() };
            for (n, picture) in all[own].iter().enumerate() {
                machine.write(&format!("{folder}/{name}/{n:03}.jpg"), picture);
            }
        }
        Webcam::plug_in_twin(machine, port, SERIAL, &folder)
    }
}

/// Waits for five pictures in a row of the camera, or of none.
fn until_it_is(own: Twin, viewer: &mut Viewer, shows: bool) -> Result<(), String> {
    let (end, mut n_in_a_row) = (Instant::now() + PATIENCE, 0);
    while n_in_a_row < 5 {
        let seen = Twin::of(&viewer.next());
        if seen.is_some_and(|seen| seen != own) {
            return Err(format!("{own:?} shows {seen:?}"));
        }
        n_in_a_row = if seen.is_some() == shows { n_in_a_row + 1 } else { 0 };
        if Instant::now() > end {
            return Err(format!("{own:?} has not come in {PATIENCE:?}"));
        }
    }
    Ok(())
}

/// A viewer of each camera, `a` for the first and `b` for the second.
struct Watched<'m> {
    machine: &'m Machine,
    server: Server<'m>,
    viewers: [(Twin, Viewer); 2],
}

impl<'m> Watched<'m> {
    fn new(machine: &'m Machine, a: &str, b: &str) -> Self {
        Self::with_others(machine, a, b, "")
    }

    /// `others` are options for cameras that start between the two.
    fn with_others(machine: &'m Machine, a: &str, b: &str, others: &str) -> Self {
        let options = format!("--camera a=v4l2:{a} {others} --camera b=v4l2:{b} {SMALL}");
        let server = start(machine, &options);
        let viewers = [(Twin::First, "/a/stream"), (Twin::Second, "/b/stream")]
            .map(|(twin, path)| (twin, Viewer::of(machine, path)));
        Self { machine, server, viewers }
    }

    /// Watches both until each shows its pictures, or none for `false`. No picture of the other may come meanwhile.
    fn until(&mut self, what: &str, shows: [bool; 2]) {
        // Each at its own pace: of a lost camera a picture comes now and then, and meanwhile a
        // hundred of the other one would wait to be read.
        let ends: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = self
                .viewers
                .iter_mut()
                .zip(shows)
                .map(|((own, viewer), shows)| scope.spawn(move || until_it_is(*own, viewer, shows)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for end in ends {
            end.unwrap_or_else(|why| panic!("{what}: {why}\n{}", self.state()));
        }
    }

    fn state(&self) -> String {
        let status = String::from_utf8_lossy(&get(self.machine, "/status")).into_owned();
        format!("{status}\n{}", self.server.log())
    }
}

#[test]
fn numbers_that_were_swapped_show_the_right_pictures() {
    let machine = machine();
    let (first, second) = (Twin::First.plug_in(&machine, 0), Twin::Second.plug_in(&machine, 1));
    let numbers = [first.device(), second.device()];
    let mut watched = Watched::new(&machine, &numbers[0], &numbers[1]);
    watched.until("both", [true, true]);
    first.unplug();
    watched.until("the second alone", [false, true]);
    second.unplug();
    watched.until("none", [false, false]);
    // Plugged in the other way round, so that each has the number that the other had.
    let second = Twin::Second.plug_in(&machine, 1);
    assert_eq!(second.device(), numbers[0], "the test swaps nothing");
    watched.until("the second again", [false, true]);
    let first = Twin::First.plug_in(&machine, 0);
    watched.until("both again", [true, true]);
    // A socket of its own does not make it known again: it could be a third one.
    first.unplug();
    watched.until("the second alone again", [false, true]);
    let elsewhere = Twin::First.plug_in(&machine, 2);
    for _ in 0..3 {
        watched.until("the first stays away", [false, true]);
    }
    elsewhere.unplug();
    let _first = Twin::First.plug_in(&machine, 0);
    watched.until("both in the end", [true, true]);
    watched.server.wait_for_log("two cameras have one serial number");
}

#[test]
fn link_that_moves_to_the_other_camera_is_not_followed() {
    let machine = machine();
    let link = format!("/dev/v4l/by-id/usb-mjpegd_Test_Camera_{SERIAL}-video-index0");
    let first = Twin::First.plug_in(&machine, 0);
    // The second one's socket has a name, and nothing is plugged in yet.
    let socket = first.link().replace("usb-0:1:", "usb-0:2:");
    let mut watched = Watched::new(&machine, &link, &socket);
    watched.until("the first alone", [true, false]);
    let second = Twin::Second.plug_in(&machine, 1);
    assert_eq!(machine.sh(&format!("realpath {link}")), second.device(), "the link stays");
    watched.until("both", [true, true]);
    first.unplug();
    watched.until("the second alone", [false, true]);
    let first = Twin::First.plug_in(&machine, 0);
    watched.until("both again", [true, true]);
    let text = machine.sh("mjpegd devices");
    assert!(text.contains(first.link()) && text.contains(second.link()), "{text}");
    assert!(!text.contains(&link), "a name of both: {text}");
}

#[test]
fn socket_wins_over_a_name_that_two_cameras_have() {
    let machine = machine();
    let link = format!("/dev/v4l/by-id/usb-mjpegd_Test_Camera_{SERIAL}-video-index0");
    let (_first, second) = (Twin::First.plug_in(&machine, 0), Twin::Second.plug_in(&machine, 1));
    assert_eq!(machine.sh(&format!("realpath {link}")), second.device());
    // By its name the first camera is the one that is left.
    // With so many between the two that the first is open before the last one starts.
    let others: Vec<_> = (0..40).map(|n| format!("--camera p{n}=pattern:32x32@1")).collect();
    let mut watched = Watched::with_others(&machine, &link, second.link(), &others.join(" "));
    watched.until("both", [true, true]);
}
