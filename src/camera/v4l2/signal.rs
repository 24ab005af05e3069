//! What comes into a device: its input, the standard of an analogue signal, the timings
//! of a digital one. Watches whether it changes or ends.
//!
//! Nothing of this is asked of a device unless an option of it was given.

use std::io;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::super::{Cause, Error};
use super::nodes::{self, Opened};
use super::sys::inputs::{self, Input, Timings};
use crate::config::{InputConfig, TvStandard};

/// How often a driver is asked whether there is a signal. Not all of them report it.
const CHECK: Duration = Duration::from_secs(1);

/// The signal of an opened device.
pub(super) struct Signal {
    input: u32,
    /// Of a digital signal whose changes the driver reports.
    timings: Option<Timings>,
    checked: Instant,
}

/// Width and height.
type Size = (u32, u32);

/// Sets up what comes in, and returns what watches it. The size is that of a digital
/// signal.
///
/// # Errors
/// The device has no such input or standard, or there is no signal.
pub(super) fn set_up(
    opened: &Opened,
    config: &InputConfig,
) -> Result<(Option<Signal>, Option<Size>), Error> {
    if *config == InputConfig::default() {
        return Ok((None, None));
    }
    let device = &opened.device;
    if let Some(number) = config.number {
        inputs::set_input(device, number).map_err(|e| no_input(opened, number, &e))?;
    }
    let number = inputs::current_input(device).unwrap_or_default();
    let mut signal = Signal { input: number, timings: None, checked: Instant::now() };
    if let Some(standard) = config.standard {
        set_standard(opened, number, standard)?;
    }
    if !config.dv_timings {
        signal.check_status(opened)?;
        return Ok((Some(signal), None));
    }
    // Before the timings are read, so that no change in between is missed.
    let is_reported = inputs::report_source_changes(device, number).is_ok();
    let timings = Timings::query(device).map_err(|e| no_timings(opened, number, &e))?;
    timings.set(device).map_err(|e| nodes::error(&opened.path, "setting the timings", &e))?;
    signal.timings = Some(timings).filter(|_| is_reported);
    let (width, height) = timings.size();
    let kind = if timings.is_interlaced() { "interlaced" } else { "progressive" };
    log::info!("{}: the signal is {width}x{height}, {kind}", opened.path.display());
    Ok((Some(signal), Some((width, height))))
}

impl Signal {
    /// Whether the pictures are still those of the signal that was there at the opening.
    ///
    /// # Errors
    /// There is none any more, or another one.
    pub(super) fn check(&mut self, opened: &Opened) -> Result<(), Error> {
        if let Some(timings) = &self.timings
            && inputs::has_source_changed(&opened.device)
        {
            let now = Timings::query(&opened.device);
            let now = now.map_err(|e| no_timings(opened, self.input, &e))?;
            // Some drivers also report that timings were set.
            if !now.is_like(timings) {
                let why = format!("{}: another signal comes in", opened.path.display());
                return Err(Error::Reopen(why));
            }
        }
        if self.checked.elapsed() < CHECK {
            return Ok(());
        }
        self.checked = Instant::now();
        self.check_status(opened)
    }

    fn check_status(&self, opened: &Opened) -> Result<(), Error> {
        let Ok(input) = inputs::input(&opened.device, self.input) else { return Ok(()) };
        match input.status {
            status if status & inputs::NO_POWER != 0 => {
                Err(no_signal(opened, &input, "it has no power"))
            }
            status if status & inputs::NO_SIGNAL != 0 => {
                Err(no_signal(opened, &input, "is the source connected and switched on?"))
            }
            _ => Ok(()),
        }
    }
}

/// The error of an input without a signal.
fn no_signal(opened: &Opened, input: &Input, hint: &str) -> Error {
    let (path, input) = (opened.path.display(), describe(input));
    Error::lost(Cause::NoSignal, format!("{path}: no signal at input {input}; {hint}"))
}

/// An input as its number and name.
pub(super) fn describe(input: &Input) -> String {
    format!("{} ({})", input.index, input.name)
}

/// All inputs of a device.
pub(super) fn all(opened: &Opened) -> Vec<Input> {
    // A driver that never ends the list is faulty.
    (0..64).map_while(|index| inputs::input(&opened.device, index).ok()).collect()
}

fn no_input(opened: &Opened, number: u32, error: &io::Error) -> Error {
    if !is(error, &[Errno::INVAL, Errno::NOTTY]) {
        return nodes::error(&opened.path, "setting the input", error);
    }
    let all: Vec<_> = all(opened).iter().map(describe).collect();
    let (path, all) = (opened.path.display(), all.join(", "));
    let there_are = if all.is_empty() {
        "inputs cannot be chosen".to_owned()
    } else {
        format!("there are {all}")
    };
    Error::lost(Cause::Unsupported, format!("{path}: there is no input {number}; {there_are}"))
}

/// The bits of a standard (`V4L2_STD_*`).
fn bits(standard: TvStandard) -> u64 {
    match standard {
        TvStandard::Pal => 0x0000_00FF,
        TvStandard::Ntsc => 0x0000_B000,
        TvStandard::Secam => 0x00FF_0000,
    }
}

/// The names of the standards that are in these bits.
pub(super) fn standards(known: u64) -> Vec<&'static str> {
    let has = TvStandard::ALL.into_iter().filter(|standard| known & bits(*standard) != 0);
    has.map(TvStandard::name).collect()
}

fn set_standard(opened: &Opened, number: u32, standard: TvStandard) -> Result<(), Error> {
    let input = inputs::input(&opened.device, number).ok();
    let known = input.as_ref().map_or(u64::MAX, |input| input.standards);
    let set = match bits(standard) & known {
        0 => Err(Errno::INVAL.into()),
        wanted => inputs::set_standard(&opened.device, wanted),
    };
    set.map_err(|e| {
        if !is(&e, &[Errno::INVAL, Errno::NODATA, Errno::NOTTY]) {
            return nodes::error(&opened.path, "setting the standard", &e);
        }
        let has = standards(known);
        let input = input.as_ref().map_or_else(|| number.to_string(), describe);
        let takes = match (is(&e, &[Errno::INVAL]), has.is_empty()) {
            (true, false) => format!("it takes {}", has.join(", ")),
            _ => {
                "it takes no analogue signal, so leave --tv-standard out or choose another --input"
                    .into()
            }
        };
        let (path, name) = (opened.path.display(), standard.name());
        Error::lost(Cause::Unsupported, format!("{path}: input {input} has no {name}; {takes}"))
    })
}

/// The error of a digital signal whose timings cannot be read.
fn no_timings(opened: &Opened, number: u32, error: &io::Error) -> Error {
    let path = opened.path.display();
    let input = inputs::input(&opened.device, number).ok();
    let input = input.as_ref().map_or_else(|| number.to_string(), describe);
    let lost = |cause, why: &str| Error::lost(cause, format!("{path}: {why}"));
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOLINK) => lost(
            Cause::NoSignal,
            &format!("no signal at input {input}; is the source connected and switched on?"),
        ),
        Some(Errno::NOLCK) => lost(
            Cause::NoSignal,
            &format!(
                "no stable signal at input {input}; is it encrypted (HDCP), or the cable bad?"
            ),
        ),
        Some(Errno::RANGE) => lost(
            Cause::NoSignal,
            &format!(
                "the signal at input {input} is one that the device cannot take; choose another size or rate at the source"
            ),
        ),
        Some(Errno::NODATA | Errno::NOTTY) => lost(
            Cause::Unsupported,
            &format!(
                "input {input} takes no digital signal, so leave --dv-timings out or choose another --input"
            ),
        ),
        _ => nodes::error(&opened.path, "reading the timings", error),
    }
}

fn is(error: &io::Error, errors: &[Errno]) -> bool {
    error.raw_os_error().is_some_and(|code| errors.contains(&Errno::from_raw_os_error(code)))
}
