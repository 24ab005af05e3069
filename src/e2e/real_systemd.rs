//! The units under a real systemd, booted in namespaces of this machine: as process 1 of its
//! own, over a copy of the root file system that is thrown away. It needs root and overlayfs,
//! so `make test` leaves it out and `make test-systemd` runs it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{Faults, PATIENCE, TempDir, eventually, eventually_is};

/// Makes the root file system of the machine and becomes systemd. `$0` is a folder with what
/// is put into it.
const BOOT: &str = r#"
set -e
mount --make-rprivate /
box="$0/box" root="$0/box/root"
mkdir "$box"
mount -t tmpfs tmpfs "$box"
mkdir "$box/upper" "$box/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$box/upper,workdir=$box/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/dev"
for name in null zero full random urandom tty; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/shm"
# Of all that the distribution starts, only the journal.
units="$root/usr/lib/systemd/system"
for unit in "$units"/*.target.wants/* "$root"/etc/systemd/system/*.wants/*; do
    case $unit in *systemd-journald*) ;; *) rm -f "$unit" ;; esac
done
ln -sf /dev/null "$root/etc/systemd/system/tmp.mount"
: > "$root/etc/fstab"
cp "$0/mjpegd" "$0/fault.so" "$root/usr/local/bin/"
cp "$0"/units/* "$root/etc/systemd/system/"
cp "$0/options" "$root/etc/default/mjpegd"
cp "$0/mjpegd.toml" "$root/etc/mjpegd.toml"
mkdir "$root/var/lib/faults" "$root/old"
cd "$root"
pivot_root . old
umount -l /old
ip link set lo up
exec env -i container=test PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --unit=basic.target
"#;

/// A running systemd. Dropping it ends all its processes.
struct Machine {
    unshare: Child,
    _dir: TempDir,
}

impl Machine {
    /// Boots one whose service has these options, and these lines in addition to its unit.
    fn boot(options: &str, service: &str) -> Self {
        let (dir, faults) = (TempDir::new(), Faults::new());
        let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/deploy/systemd");
        for name in ["mjpegd.service", "mjpegd.socket"] {
            let text = fs::read_to_string(units.join(name)).unwrap();
            let more = if name.ends_with("service") { service } else { "" };
            dir.write(
                &format!("units/{name}"),
                text.replace("[Install]", &format!("{more}\n[Install]")),
            );
        }
        dir.write("options", options);
        dir.write("mjpegd.toml", "[[camera]]\nname = 'front'\nsource = 'pattern:64x48@20'\n");
        fs::copy(env!("CARGO_BIN_EXE_mjpegd"), dir.path().join("mjpegd")).unwrap();
        fs::copy(faults.library(), dir.path().join("fault.so")).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork"]);
        command.args(["--kill-child", "sh", "-c", BOOT]).arg(dir.path()).stdin(Stdio::null());
        let unshare = command.spawn().expect("unshare is needed: apt install util-linux");
        let mut machine = Self { unshare, _dir: dir };
        eventually_is("systemd is up", || {
            let ended = machine.unshare.try_wait().unwrap();
            assert!(ended.is_none(), "it did not boot, which needs root and overlayfs: {ended:?}");
            let state = machine.tried("systemctl is-system-running");
            ["running\n", "degraded\n"].contains(&&*state.1)
        });
        machine
    }

    /// The exit code and the output of a script in the machine.
    fn tried(&self, script: &str) -> (Option<i32>, String) {
        let unshare = self.unshare.id();
        let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"));
        let systemd = children.unwrap_or_default().trim().to_owned();
        let mut command = Command::new("nsenter");
        command.args(["--target", &systemd, "-m", "-u", "-i", "-n", "-p", "-C", "--"]);
        command.args(["sh", "-c", script]).stderr(Stdio::inherit());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The output of a script that must succeed.
    fn run(&self, script: &str) -> String {
        let (code, output) = self.tried(script);
        assert_eq!(code, Some(0), "{script}: {output}\n{}", self.journal());
        output
    }

    fn journal(&self) -> String {
        self.tried("journalctl --no-pager -o cat -u mjpegd.service").1
    }

    /// A property of the service.
    fn shows(&self, property: &str) -> String {
        let shown = self.run(&format!("systemctl show --value -p {property} mjpegd.service"));
        shown.trim().to_owned()
    }

    fn wait_for(&self, property: &str, value: &str) {
        eventually_is(&format!("{property} is {value}"), || self.shows(property) == value);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The death of process 1 ends all others.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

#[test]
#[ignore = "it needs root; make test-systemd runs it"]
fn service_records_reloads_and_is_restarted_when_it_hangs() {
    let options = "MJPEGD_CONFIG=/etc/mjpegd.toml\nMJPEGD_RECORD=/var/lib/mjpegd\n\
        LD_PRELOAD=/usr/local/bin/fault.so\nFAULTS=/var/lib/faults\n";
    let machine = Machine::boot(options, "WatchdogSec=8");
    machine.run("systemctl start mjpegd.service");
    assert_eq!(machine.run("curl -sf http://127.0.0.1:5000/healthz"), "ok\n");
    assert!(machine.shows("StatusText").contains("viewers; front: "), "it says how it is");
    eventually_is("it records in its sandbox", || {
        machine.tried("ls /var/lib/mjpegd/front/*.mjpeg").0 == Some(0)
    });
    assert_ne!(machine.run("stat -c %U /proc/$(pidof -s mjpegd)").trim(), "root");
    let process = machine.shows("MainPID");
    machine.run(
        "printf \"[[camera]]\\nname = 'back'\\nsource = 'pattern:64x48@20'\\n\" >> /etc/mjpegd.toml; \
         systemctl reload mjpegd.service",
    );
    let status = machine.run("curl -sf http://127.0.0.1:5000/status");
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["cameras"][1]["name"], "back", "{status}");
    assert_eq!(machine.shows("MainPID"), process, "it was not started again");
    // No thread of it accepts a connection any more.
    machine.run("touch /var/lib/faults/held");
    machine.tried("curl -s --max-time 1 http://127.0.0.1:5000/healthz");
    eventually_is("it is started again", || machine.shows("NRestarts") != "0");
    machine.run("rm /var/lib/faults/held");
    for says in ["the watchdog is not fed: no answer at", "Watchdog timeout"] {
        eventually_is(says, || machine.journal().contains(says));
    }
    eventually("it answers", || {
        let (code, answer) = machine.tried("curl -sf --max-time 5 http://127.0.0.1:5000/healthz");
        (code == Some(0)).then_some(answer)
    });
    assert_ne!(machine.shows("MainPID"), process);
    machine.run("systemctl stop mjpegd.service");
    assert_eq!(machine.shows("Result"), "success", "{}", machine.journal());
}

#[test]
#[ignore = "it needs root; make test-systemd runs it"]
fn socket_starts_the_service_again_and_again_and_loses_no_request() {
    let options = "CAMERA=pattern:64x48@20\nMJPEGD_EXIT_ON_NO_VIEWERS=1s\n";
    let machine = Machine::boot(options, "");
    machine.run("systemctl start mjpegd.socket");
    assert_eq!(machine.shows("ActiveState"), "inactive");
    let first =
        machine.run("curl -sf -o /dev/null -w '%{http_code}' http://127.0.0.1:5000/snapshot");
    assert_eq!(first, "200");
    machine.wait_for("ActiveState", "inactive");
    assert_eq!(machine.run("systemctl is-active mjpegd.socket"), "active\n");
    // More starts than systemd takes for a service that fails (five in ten seconds).
    let seconds = PATIENCE.as_secs().min(20);
    let failed = machine.run(&format!(
        "end=$(($(date +%s) + {seconds})); \
         while [ $(date +%s) -lt $end ]; do \
             curl -sf --max-time 20 -o /dev/null http://127.0.0.1:5000/status || echo failed; \
         done"
    ));
    assert_eq!(failed, "", "{}", machine.journal());
    let n_starts = machine.journal().matches("at the sockets of the supervisor").count();
    assert!(n_starts > 6, "{n_starts} starts: {}", machine.journal());
    assert_eq!(machine.run("systemctl is-active mjpegd.socket"), "active\n");
}
