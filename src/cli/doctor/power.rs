//! Whether a Raspberry Pi gets enough power: too little resets cameras and damages cards.

use super::report::Report;
use super::system::{System, text};

/// Bits of `get_throttled` (Raspberry Pi's documentation of vcgencmd).
const UNDER_VOLTAGE: u32 = 1;
const HOT: u32 = 1 << 2 | 1 << 3;
/// The same, at some time since the start.
const SINCE_START: u32 = 16;

pub(super) fn look(system: &System, report: &mut Report) {
    report.topic("power");
    let bits = throttled(system).unwrap_or(0);
    let when = if has_alarm(system) || bits & UNDER_VOLTAGE != 0 {
        "gets too little voltage now"
    } else if bits & UNDER_VOLTAGE << SINCE_START != 0 {
        "got too little voltage since its start"
    } else {
        ""
    };
    if !when.is_empty() {
        let text = "the board @. Cameras then vanish for moments, and cards lose data.\n\
            use the board's own power supply and a short cable; put cameras on a powered hub";
        report.fault(text, &[when]);
    }
    if bits & HOT != 0 {
        let text = "the processor is too hot and runs slower\ngive the board air or a heat sink";
        report.note(text, &[]);
    }
}

/// The state in older kernels of Raspberry Pi OS.
fn throttled(system: &System) -> Option<u32> {
    let devices = system.folder("/sys/devices/platform/soc");
    let all = devices.iter().map(|device| text(device, "get_throttled"));
    all.filter_map(|hex| u32::from_str_radix(hex.trim_start_matches("0x"), 16).ok()).next()
}

/// Whether the driver `rpi_volt` of newer kernels, which asks every two seconds, says so.
fn has_alarm(system: &System) -> bool {
    let sensors = system.folder("/sys/class/hwmon");
    let own = sensors.iter().find(|sensor| text(sensor, "name") == "rpi_volt");
    own.is_some_and(|sensor| text(sensor, "in0_lcrit_alarm") == "1")
}

#[cfg(test)]
mod tests {
    use super::super::system::Fake;
    use super::*;

    #[test]
    fn low_voltage_is_seen_now_and_in_the_past() {
        const FILE: &str = "/sys/devices/platform/soc/soc:firmware/get_throttled";
        for (bits, says) in [
            ("50005\n", "too little voltage now"),
            ("50000", "too little voltage since its start"),
            ("4", "too hot"),
        ] {
            let said = Fake::new(&[(FILE, bits)]).says(look);
            assert!(said.contains(says), "{bits}: {said}");
        }
        assert_eq!(Fake::new(&[(FILE, "0")]).says(look), "");
        assert_eq!(Fake::new(&[]).says(look), "");
        let sensor = [
            ("/sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
            ("/sys/class/hwmon/hwmon1/name", "rpi_volt\n"),
            ("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
        ];
        assert!(Fake::new(&sensor).says(look).contains("voltage now"));
    }
}
