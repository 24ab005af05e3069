//! A test pattern that moves: colour bars, a sliding block, the frame number and the
//! time of day in UTC.

use std::time::SystemTime;

use anyhow::{Result, bail};

use super::canvas::{Canvas, Colour};
use super::kinds::{Kind, Openable, Source, openable};
use super::pacer::Pacer;
use super::{Cause, Driver, Error};
use crate::config::{CameraConfig, parse_size};
use crate::frame::{FrameBuf, Timestamp};
use crate::mode::Mode;
use crate::shutdown::Shutdown;
use crate::text::Face;

pub(super) const KIND: Kind = Kind {
    form: "pattern[:WxH][@FPS]",
    help: "a drawn moving test picture",
    read: |text| {
        let rest = text.strip_prefix("pattern")?;
        let is_of_kind = rest.is_empty() || rest.starts_with([':', '@']);
        is_of_kind.then(|| read(rest).map(|source| Box::new(source) as Box<dyn Source>))
    },
};

/// The size unless one is given.
const SIZE: (u16, u16) = (640, 480);
const FPS: f64 = 30.0;
const QUALITY: u8 = 80;

struct Drawn {
    size: (u16, u16),
    fps: Option<f64>,
}

/// Reads `[:WxH][@FPS]`.
fn read(text: &str) -> Result<Drawn> {
    let (size, fps) = match text.split_once('@') {
        Some((size, fps)) => (size, Some(fps)),
        None => (text, None),
    };
    let fps = fps
        .map(|fps| match fps.parse::<f64>() {
            // `parse` takes "inf" and "nan" too, and no range holds those.
            Ok(n) if (0.001..=1000.0).contains(&n) => Ok(n),
            _ => bail!("{fps:?} is no number of pictures a second; use pattern:640x480@30"),
        })
        .transpose()?;
    let size = size.strip_prefix(':').map_or(Ok(SIZE), parse_size)?;
    Ok(Drawn { size, fps })
}

impl Source for Drawn {
    fn camera(self: Box<Self>, config: CameraConfig, _: &str) -> Openable {
        let (width, height) = self.size;
        // A rate in the source is meant for this camera, --fps perhaps for all.
        let fps = self.fps.or(config.fps);
        openable(move || Ok(Pattern::open(width, height, fps)))
    }
}

#[derive(Debug)]
struct Pattern {
    /// The bars, drawn once: copying them is cheaper than drawing them.
    background: Canvas,
    canvas: Canvas,
    face: Face,
    pacer: Pacer,
    n_drawn: usize,
}

impl Pattern {
    /// `width` and `height` are in pixels, `fps` in frames a second.
    fn open(width: u16, height: u16, fps: Option<f64>) -> Self {
        let background = bars(width, height);
        let pacer = Pacer::new(fps.unwrap_or(FPS));
        let face = Face::new(width / 36);
        Self { canvas: background.clone(), background, face, pacer, n_drawn: 0 }
    }

    fn draw(&mut self, now: SystemTime) {
        let (w, h) = (self.canvas.width(), self.canvas.height());
        self.canvas.copy_from(&self.background);
        // At 30 fps the block crosses the picture in four seconds.
        let side = h / 8;
        let x = self.n_drawn * (w / 120).max(1) % w;
        self.canvas.fill(x, h * 5 / 8, side, side, Colour::WHITE);
        let line = self.face.height();
        let lines =
            [format!("frame {}", self.n_drawn), humantime::format_rfc3339_millis(now).to_string()];
        for (i, text) in lines.iter().enumerate() {
            let y = h * 3 / 4 + line / 2 + i * line;
            self.canvas.text(line / 2, y, &mut self.face, text, Colour::WHITE);
        }
        self.n_drawn += 1;
    }
}

impl Driver for Pattern {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        self.pacer.wait(stop)?;
        let timestamp = Timestamp::now();
        self.draw(timestamp.wall);
        self.canvas.encode(QUALITY, frame).map_err(|e| Error::lost(Cause::Io, e.to_string()))?;
        frame.mark_walked();
        Ok(timestamp)
    }

    fn mode(&self) -> Mode {
        Mode { quality: Some(QUALITY), ..Mode::paced(self.pacer.fps()) }
    }
}

/// Colour bars of 75 % in the order of SMPTE ECR 1-1978, above black.
fn bars(width: u16, height: u16) -> Canvas {
    let mut canvas = Canvas::new(width, height, Colour::BLACK);
    let (w, h) = (canvas.width(), canvas.height());
    let on = |bit: u8, i: u8| if (7 - i) & bit != 0 { 191 } else { 0 };
    for i in 0..7 {
        let (left, right) = (w * usize::from(i) / 7, w * (usize::from(i) + 1) / 7);
        canvas.fill(left, 0, right - left, h * 5 / 8, Colour::rgb(on(2, i), on(4, i), on(1, i)));
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown;

    #[test]
    fn size_and_rate_may_be_left_out() {
        let of = |text| read(text).map(|drawn| (drawn.size, drawn.fps)).unwrap();
        assert_eq!(of(""), (SIZE, None));
        assert_eq!(of("@5"), (SIZE, Some(5.0)));
        assert_eq!(of(":1280x720@12.5"), ((1280, 720), Some(12.5)));
    }

    #[test]
    fn every_picture_differs_from_the_one_before() {
        let (_trigger, stop) = shutdown::channel();
        for (width, height) in [(32, 32), (640, 480)] {
            let mut camera = Pattern::open(width, height, Some(1000.0));
            let mut last = Vec::new();
            for _ in 0..3 {
                let mut frame = FrameBuf::new();
                camera.next_frame(&mut frame, &stop).unwrap();
                assert!(frame.jpeg() != last);
                last = frame.jpeg().to_vec();
            }
        }
    }
}
