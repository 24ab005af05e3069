//! Texts that say why a control was not set.

use std::io;

use rustix::io::Errno;

use crate::controls::Control;

/// The least similarity (0 to 1) at which a name is suggested for a mistyped one.
const SIMILAR: f64 = 0.6;

/// The text for a name that no control has.
pub(super) fn unknown(known: &[Control], name: &str) -> String {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(known, name);
    let near = known.iter().map(|control| (likeness(&control.name), &control.name));
    // Names differ from driver to driver, so most that are unknown were typed for another
    // camera, and a list of all says more than a far-fetched guess.
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((similar, near)) if similar >= SIMILAR => {
            format!("there is no such control; did you mean {near}?")
        }
        _ => {
            let names: Vec<_> = known.iter().map(|control| control.name.as_str()).collect();
            format!("there is no such control; there are {}", names.join(", "))
        }
    }
}

/// The text for a value that a control does not have.
pub(super) fn choice(control: &Control, value: &str) -> String {
    match control.kind {
        "menu" | "intmenu" => {
            let items = control.menu.iter().map(|item| format!("{} ({})", item.index, item.label));
            format!("there is no item {value}; there are {}", items.collect::<Vec<_>>().join(", "))
        }
        "bool" => format!("{value} is neither 0 nor 1"),
        "bitmask" => format!("{value} has bits that are not in {}", control.max),
        _ => format!("{value} is out of range: use {} to {}", control.min, control.max),
    }
}

/// The text for a control that is overridden by another one, if that is known.
pub(super) fn inactive(automatic: Option<&Control>) -> String {
    let Some(automatic) = automatic else {
        return "inactive: another control, usually an automatic one, must be switched off first"
            .into();
    };
    // The kernel has no flag for the item that switches an automatic control off, so search
    // the labels for it.
    let manual = automatic.menu.iter().find(|item| {
        let label = item.label.to_ascii_lowercase();
        label.contains("manual") || label.contains("off")
    });
    let name = &automatic.name;
    match manual {
        Some(item) => format!("inactive: set {name} to {} ({}) first", item.index, item.label),
        None => format!("inactive: switch {name} off first"),
    }
}

/// The text for an error of the kernel.
pub(super) fn refused(control: &Control, value: i64, e: &io::Error) -> String {
    match e.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::BUSY) => "it cannot be changed while the camera is on".into(),
        Some(Errno::RANGE | Errno::INVAL) => format!(
            "the device refused {value}, although it reports a range of {} to {}",
            control.min, control.max
        ),
        Some(Errno::NODEV | Errno::NXIO) => "the camera was unplugged".into(),
        _ => format!("the device refused it: {e}"),
    }
}

/// Whether an error means that the device does not answer at all.
pub(super) fn is_silent(e: &io::Error) -> bool {
    use Errno as E;
    let errno = e.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(E::TIMEDOUT | E::NODEV | E::NXIO))
}
