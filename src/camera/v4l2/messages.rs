//! Why a control was not set, in sentences.

use std::io;

use rustix::io::Errno;

use crate::controls::Control;

/// A name is taken for another from this similarity on, of 1.
const SIMILAR: f64 = 0.6;

/// For a name that no control has.
pub(super) fn unknown(known: &[Control], name: &str) -> String {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(known, name);
    let near = known.iter().map(|control| (likeness(&control.name), &control.name));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((similar, near)) if similar >= SIMILAR => {
            format!("there is no such control; is {near} meant?")
        }
        _ => {
            let names: Vec<_> = known.iter().map(|control| control.name.as_str()).collect();
            format!("there is no such control; there are {}", names.join(", "))
        }
    }
}

/// For a value that a control does not have.
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

/// For a control that another one holds, as far as it is known which.
pub(super) fn inactive(automatic: Option<&Control>) -> String {
    let Some(automatic) = automatic else {
        return "inactive: another control, mostly an automatic one, is to be switched off first"
            .into();
    };
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

/// For what the kernel says.
pub(super) fn refused(control: &Control, value: i64, e: &io::Error) -> String {
    match e.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::BUSY) => "it cannot be changed while the camera is on".into(),
        Some(Errno::RANGE | Errno::INVAL) => format!(
            "the device does not take {value}, though it says {} to {}",
            control.min, control.max
        ),
        Some(Errno::NODEV | Errno::NXIO) => "the camera was unplugged".into(),
        _ => format!("the device refused it: {e}"),
    }
}

/// Whether a device answers nothing at all.
pub(super) fn is_silent(e: &io::Error) -> bool {
    use Errno as E;
    let errno = e.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(E::TIMEDOUT | E::NODEV | E::NXIO))
}
