//! Why a device may not be opened: whose it is, and how this user gets into its group.

use std::os::unix::fs::MetadataExt;

use rustix::process::{getegid, geteuid, getgroups};

use super::system::System;

/// What a process may be.
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gids: Vec<u32>,
}

impl User {
    /// The one who runs this.
    pub(super) fn own() -> Self {
        let mut gids: Vec<_> =
            getgroups().unwrap_or_default().iter().map(|gid| gid.as_raw()).collect();
        gids.push(getegid().as_raw());
        Self { uid: geteuid().as_raw(), gids }
    }
}

/// What helps a user who may not open a device.
pub(super) fn advice(system: &System, device: &str, user: &User) -> String {
    let gid = system.path(device).metadata().map_or(0, |file| file.gid());
    let tables = ["/etc/passwd", "/etc/group"].map(|table| system.text(table).unwrap_or_default());
    let (name, _) = row(tables[0], user.uid);
    let (group, members) = row(tables[1], gid);
    let pieces: &[&str] = if gid == 0 || group.is_empty() {
        // A node of root's group: udev did not see to it, as in a container.
        &["sudo chgrp video ", device, " && sudo chmod 660 ", device]
    } else if user.gids.contains(&gid) {
        &["sudo chmod g+rw ", device]
    } else if members.split(',').any(|member| member == name) {
        &["log out and in again, as the group ", group, " is new; or: newgrp ", group]
    } else {
        &["sudo usermod -aG ", group, " ", name, ", then log out and in again"]
    };
    pieces.concat()
}

/// First and fourth field of the row with this number, in a table such as `/etc/group`.
fn row(table: &str, number: u32) -> (&str, &str) {
    let number = number.to_string();
    let line = table.lines().find(|line| field(line, 2) == number).unwrap_or_default();
    (field(line, 0), field(line, 3))
}

fn field(line: &str, n: usize) -> &str {
    line.split(':').nth(n).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::system::Fake;
    use super::*;

    #[test]
    fn advice_depends_on_group_and_session() {
        let fake = Fake::new(&[("/dev/video0", "")]);
        let gid = fake.path("/dev/video0").metadata().unwrap().gid();
        // Files of a fake system belong to whoever runs the test, which may be root's group.
        if gid == 0 {
            std::os::unix::fs::chown(fake.path("/dev/video0"), None, Some(44)).unwrap();
        }
        let gid = if gid == 0 { 44 } else { gid };
        fake.write("/etc/passwd", "root:x:0:0::/:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\n");
        let pi = |gids: &[u32]| User { uid: 1000, gids: gids.to_vec() };
        fake.write("/etc/group", &format!("root:x:0:\nvideo:x:{gid}:joe,pia\n"));
        assert_eq!(
            advice(&fake, "/dev/video0", &pi(&[1000])),
            "sudo usermod -aG video pi, then log out and in again"
        );
        fake.write("/etc/group", &format!("video:x:{gid}:joe,pi\n"));
        assert!(advice(&fake, "/dev/video0", &pi(&[1000])).starts_with("log out and in again"));
        assert_eq!(advice(&fake, "/dev/video0", &pi(&[gid])), "sudo chmod g+rw /dev/video0");
        assert!(advice(&fake, "/dev/none", &pi(&[])).starts_with("sudo chgrp video /dev/none"));
    }
}
