//! Sets what was asked of a device's controls, each time it is opened: some
//! devices forget when they are closed, all when they are unplugged.

use v4l::control::{Control, Value};

use super::nodes::Opened;
use super::sys;

/// A name as people type it: "White Balance, Automatic" is
/// `white_balance_automatic`, as v4l2-ctl has it.
pub(super) fn typed(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}

/// Sets all controls in the order in which they were asked for. One that
/// cannot be set is no reason to show no picture: it is said and left.
pub(super) fn apply(of: &Opened, wanted: &[(String, i64)]) {
    if wanted.is_empty() {
        return;
    }
    let known = sys::controls(&of.device);
    for (name, value) in wanted {
        let path = of.path.display();
        let Some(control) = known.iter().find(|c| typed(&c.name) == typed(name)) else {
            let names: Vec<_> = known.iter().map(|c| typed(&c.name)).collect();
            log::warn!("{path}: there is no control {name}; there are {}", names.join(", "));
            continue;
        };
        match of.device.set_control(Control { id: control.id, value: Value::Integer(*value) }) {
            Ok(()) => log::info!("{path}: {} is {value}", control.name),
            Err(e) => log::warn!(
                "{path}: {} cannot be {value} ({} to {}): {e}",
                control.name,
                control.minimum,
                control.maximum
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_typed_as_v4l2_ctl_has_them() {
        assert_eq!(typed("White Balance, Automatic"), "white_balance_automatic");
        assert_eq!(typed("brightness"), "brightness");
        assert_eq!(typed("Gain (dB)"), "gain_db");
    }
}
