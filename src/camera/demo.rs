//! The demo camera: three built-in pictures, 1, 2 and 3, one a second, so that the
//! program shows something without any camera or option.

use super::kinds::{Kind, Openable, Source, openable};
use super::pacer::Pacer;
use super::{Driver, Error};
use crate::config::CameraConfig;
use crate::frame::{FrameBuf, Timestamp};
use crate::mode::Mode;
use crate::shutdown::Shutdown;

pub(super) const KIND: Kind = Kind {
    form: "demo",
    help: "three pictures, 1 2 3, one a second unless --fps says otherwise",
    read: |text| (text == "demo").then(|| Ok(Box::new(BuiltIn) as Box<dyn Source>)),
};

const PICTURES: [&[u8]; 3] =
    [include_bytes!("demo/1.jpg"), include_bytes!("demo/2.jpg"), include_bytes!("demo/3.jpg")];

struct BuiltIn;

impl Source for BuiltIn {
    fn camera(self: Box<Self>, config: CameraConfig, _: &str) -> Openable {
        openable(move || Ok(Demo::open(config.fps)))
    }
}

#[derive(Debug)]
struct Demo {
    pacer: Pacer,
    pictures: std::iter::Cycle<std::slice::Iter<'static, &'static [u8]>>,
}

impl Demo {
    /// `fps` is in frames a second, one if not given.
    fn open(fps: Option<f64>) -> Self {
        Self { pacer: Pacer::new(fps.unwrap_or(1.0)), pictures: PICTURES.iter().cycle() }
    }
}

impl Driver for Demo {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        self.pacer.wait(stop)?;
        frame.extend(self.pictures.next().expect("a cycle over three pictures has no end"));
        Ok(Timestamp::now())
    }

    fn mode(&self) -> Mode {
        Mode::paced(self.pacer.fps())
    }
}
