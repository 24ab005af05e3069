//! Lists the cameras of this machine with their formats and controls, as JSON and as
//! text: the output of `mjpegd devices`.

use std::fmt::Write;

use serde::Serialize;
use v4l::FourCC;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;

use super::nodes::{self, Opened};
use super::sys::{formats, inputs};
use super::{controls, signal};
use crate::controls::Control;

/// One camera.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    path: String,
    /// A link that stays the same when the camera is plugged in again.
    lasting_path: Option<String>,
    name: String,
    driver: String,
    bus: String,
    inputs: Vec<Input>,
    formats: Vec<Format>,
    controls: Vec<Control>,
}

/// What can be chosen by `--input`.
#[derive(Debug, Serialize)]
struct Input {
    number: u32,
    name: String,
    /// The names of the standards for `--tv-standard`.
    tv_standards: Vec<&'static str>,
    /// Whether `--dv-timings` has a meaning.
    dv_timings: bool,
}

#[derive(Debug, Serialize)]
struct Format {
    fourcc: String,
    description: String,
    sizes: Vec<Size>,
}

/// One size, or a range of sizes from `width` x `height` to the largest.
#[derive(Debug, Serialize)]
struct Size {
    width: u32,
    height: u32,
    max_width: u32,
    max_height: u32,
    /// Frames a second; both ends if it is a range.
    fps: Vec<f64>,
}

/// All nodes that are usable cameras, in the order of their numbers.
pub(crate) fn list_devices() -> Vec<Device> {
    nodes::all()
        .iter()
        .filter_map(|path| nodes::open(path).ok())
        .map(|opened| Device::new(&opened))
        .collect()
}

/// The devices as text for people.
pub(crate) fn devices_to_text(devices: &[Device]) -> String {
    if devices.is_empty() {
        return "no camera is plugged in\n".into();
    }
    devices.iter().map(Device::text).collect::<Vec<_>>().join("\n")
}

impl Device {
    fn new(opened: &Opened) -> Self {
        let formats = formats::formats(&opened.device, opened.caps.capture()).into_iter();
        Self {
            path: opened.path.display().to_string(),
            lasting_path: nodes::lasting_name(&opened.path).map(|p| p.display().to_string()),
            name: opened.caps.card.clone(),
            driver: opened.caps.driver.clone(),
            bus: opened.caps.bus.clone(),
            inputs: signal::all(opened).into_iter().map(Input::new).collect(),
            formats: formats
                .map(|(fourcc, description)| Format {
                    fourcc: String::from_utf8_lossy(&fourcc).into_owned(),
                    description,
                    sizes: sizes(opened, FourCC::new(&fourcc)),
                })
                .collect(),
            controls: controls::list(opened),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({})\n", self.path, self.name);
        // Writing to a String cannot fail.
        let mut line = |line: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "  {line}");
        };
        line(format_args!(
            "use       --camera v4l2:{}",
            self.lasting_path.as_ref().unwrap_or(&self.path)
        ));
        line(format_args!("driver    {}, {}", self.driver, self.bus));
        // A webcam has one, and nothing to choose.
        let is_plain = |input: &&Input| input.tv_standards.is_empty() && !input.dv_timings;
        if self.inputs.len() > 1 || !self.inputs.iter().all(|input| is_plain(&input)) {
            self.inputs.iter().for_each(|input| line(format_args!("input     {}", input.text())));
        }
        for format in &self.formats {
            line(format_args!("format    {} ({})", format.fourcc, format.description));
            format.sizes.iter().for_each(|size| line(format_args!("          {}", size.text())));
        }
        for c in &self.controls {
            let menu: Vec<_> = c.menu.iter().map(|i| format!("{} {}", i.index, i.label)).collect();
            line(format_args!(
                "control   {} ({}), {}, {} to {}, default {}{}{}",
                c.name,
                c.label,
                c.kind,
                c.min,
                c.max,
                c.default,
                if menu.is_empty() { "" } else { ": " },
                menu.join(", ")
            ));
        }
        text
    }
}

impl Input {
    fn new(input: inputs::Input) -> Self {
        let has = |capability| input.capabilities & capability != 0;
        let standards = if has(inputs::HAS_STANDARDS) { input.standards } else { 0 };
        Self {
            number: input.index,
            tv_standards: signal::standards(standards),
            dv_timings: has(inputs::HAS_DV_TIMINGS),
            name: input.name,
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({})", self.number, self.name);
        if !self.tv_standards.is_empty() {
            text = format!("{text}, --tv-standard {}", self.tv_standards.join(", "));
        }
        if self.dv_timings {
            text += ", --dv-timings";
        }
        text
    }
}

fn sizes(opened: &Opened, fourcc: FourCC) -> Vec<Size> {
    let size = |size: v4l::framesize::FrameSize| {
        let (width, height, max_width, max_height) = match size.size {
            FrameSizeEnum::Discrete(s) => (s.width, s.height, s.width, s.height),
            FrameSizeEnum::Stepwise(s) => (s.min_width, s.min_height, s.max_width, s.max_height),
        };
        // For a range the rates of its largest size, which are the lowest: they hold for all.
        let fps = rates(opened, fourcc, max_width, max_height);
        Size { width, height, max_width, max_height, fps }
    };
    // Some drivers do not list sizes. Their cameras can be used all the same.
    opened.device.enum_framesizes(fourcc).unwrap_or_default().into_iter().map(size).collect()
}

fn rates(opened: &Opened, fourcc: FourCC, width: u32, height: u32) -> Vec<f64> {
    let rate = |interval: &v4l::fraction::Fraction| {
        f64::from(interval.denominator) / f64::from(interval.numerator.max(1))
    };
    let intervals = opened.device.enum_frameintervals(fourcc, width, height).unwrap_or_default();
    let rates = intervals.into_iter().flat_map(|interval| match interval.interval {
        FrameIntervalEnum::Discrete(interval) => vec![rate(&interval)],
        // The longest interval is the lowest rate, which people expect first.
        FrameIntervalEnum::Stepwise(range) => vec![rate(&range.max), rate(&range.min)],
    });
    // 30000/1001 is shown as 29.97. --fps is exact to a thousandth too.
    rates.map(|fps| (fps * 1000.0).round() / 1000.0).collect()
}

impl Size {
    fn text(&self) -> String {
        let rates: Vec<_> = self.fps.iter().map(f64::to_string).collect();
        let from = format!("{}x{}", self.width, self.height);
        let is_one = (self.width, self.height) == (self.max_width, self.max_height);
        let to = if is_one {
            String::new()
        } else {
            format!(" to {}x{}", self.max_width, self.max_height)
        };
        format!("{from}{to} at {} fps", rates.join(", "))
    }
}
