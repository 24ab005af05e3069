//! Inputs: each becomes a camera.

use super::{Draft, Kind, Plugin, raspicam};

/// A camera of this program.
pub(super) struct Camera {
    pub(super) source: String,
    pub(super) options: Vec<(&'static str, String)>,
    pub(super) notes: Vec<String>,
}

/// The camera that an input is here.
///
/// # Errors
/// What cannot be had, and what to do instead.
pub(super) fn camera(plugin: &Plugin, mut draft: Draft) -> Result<Camera, String> {
    let source = match plugin.kind {
        Kind::Device => device(&mut draft),
        Kind::Raspicam => raspicam::source(&mut draft),
        Kind::Folder => folder(&mut draft)?,
        Kind::Http => http(&draft),
        Kind::TestPicture => test_picture(&draft),
        Kind::Listener | Kind::Files | Kind::None(_) => return Err("this is no input".into()),
    };
    Ok(Camera { source, options: draft.camera, notes: draft.notes })
}

fn device(draft: &mut Draft) -> String {
    draft.set_size();
    // The rate of the software is a limit of the rate of the device here. -1
    // leaves it to the device.
    let fps = draft.kept("softfps").or(draft.kept("fps")).map(str::to_owned);
    draft.camera.extend(fps.filter(|fps| is_positive(fps)).map(|fps| ("fps", fps)));
    let raw = [("uyvy", "UYVY"), ("yuv", "YUYV")].into_iter();
    let raw = raw.filter(|(name, _)| draft.kept(name).is_some()).map(|(_, format)| format).next();
    let format = draft.kept("fourcc").or(raw).map(str::to_owned);
    draft.camera.extend(format.map(|format| ("format", format)));
    if let Some(value) = draft.kept("ex").map(str::to_owned) {
        exposure(draft, &value);
    }
    if let Some(value) = draft.kept("wb").map(str::to_owned) {
        // A fixed value holds only while the automatic is off.
        draft.set_control("white_balance_automatic", if value == "auto" { "1" } else { "0" });
        if value != "auto" {
            draft.set_control("white_balance_temperature", &value);
        }
    }
    format!("v4l2:{}", draft.kept("device").unwrap_or("/dev/video0"))
}

/// The menu of `V4L2_CID_EXPOSURE_AUTO`: 0 automatic, 1 manual, 2 shutter
/// priority, 3 aperture priority (Linux, Documentation/userspace-api/media/v4l).
fn exposure(draft: &mut Draft, value: &str) {
    let menu = match value {
        "auto" => "0",
        "shutter-auto" => "2",
        // Misspelt there.
        "aperature-auto" | "aperture-auto" => "3",
        _ => "1",
    };
    draft.set_control("auto_exposure", menu);
    if menu == "1" {
        draft.set_control("exposure_time_absolute", value);
    }
}

fn folder(draft: &mut Draft) -> Result<String, String> {
    let folder = draft.kept("folder").ok_or("-f lacks; name the folder with -f DIR")?;
    let source = format!("images:{folder}");
    let delay = draft.kept("delay").and_then(|delay| delay.parse::<f64>().ok());
    if draft.kept("existing").is_some() {
        // The file of a still camera is shown again and again.
        let fps = delay.filter(|delay| *delay > 0.0).map(|delay| 1.0 / delay);
        draft.camera.extend(fps.map(|fps| ("fps", fps.clamp(0.001, 1000.0).to_string())));
        if draft.kept("remove").is_some() {
            draft.note("-remove", "with -e no file is deleted");
        }
    } else {
        draft.camera.push(("watch", "true".into()));
        if draft.kept("remove").is_some() {
            draft.camera.push(("remove-shown", "true".into()));
        }
    }
    Ok(source)
}

fn http(draft: &Draft) -> String {
    let host = draft.kept("host").unwrap_or("localhost");
    let port = draft.kept("port").unwrap_or("8080");
    let path = draft.kept("uri").unwrap_or("/?action=stream");
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("http://{host}:{port}{slash}{path}")
}

fn test_picture(draft: &Draft) -> String {
    let size = draft.kept("resolution").unwrap_or("640x480");
    let delay = draft.kept("delay").and_then(|delay| delay.parse::<f64>().ok());
    let fps = delay.filter(|ms| *ms > 0.0).map_or(1.0, |ms| (1000.0 / ms).clamp(0.001, 1000.0));
    format!("pattern:{size}@{fps}")
}

fn is_positive(number: &str) -> bool {
    number.parse::<f64>().is_ok_and(|n| n > 0.0)
}
