//! Zones and masks that people draw on the page. They come in addition to those of the
//! configuration, which nobody can take away there.

use std::fmt::Write;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use mjpegd_motion_detector::{Polygon, Settings};
use serde_json::{Map, Value};

use crate::config::{MAX_CORNERS, MAX_POLYGONS};

/// More than any file of this program has.
const MAX_BYTES: u64 = 256 << 10;

/// Where motion counts, and where not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Areas {
    pub(crate) zones: Vec<Polygon>,
    pub(crate) masks: Vec<Polygon>,
}

impl Areas {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { zones: settings.zones.clone(), masks: settings.masks.clone() }
    }

    /// These and others.
    pub(super) fn and(mut self, others: Self) -> Self {
        self.zones.extend(others.zones);
        self.masks.extend(others.masks);
        self
    }

    /// Takes what an object names, `zones` or `masks` or both, in place of what there was.
    ///
    /// # Errors
    /// What would be right.
    pub(crate) fn change(&mut self, json: &[u8]) -> Result<(), String> {
        let right = || {
            format!(
                "send zones, masks or both, {MAX_POLYGONS} of each at most, as lists of 3 to \
                 {MAX_CORNERS} corners from 0 to 1, such as \
                 {{\"masks\": [[[0,0.5],[1,0.5],[1,1],[0,1]]]}} for the lower half"
            )
        };
        let map: Map<String, Value> =
            serde_json::from_slice(json).map_err(|e| format!("{}: {e}", right()))?;
        let mut new = self.clone();
        for (key, value) in &map {
            let place = match &**key {
                "zones" => &mut new.zones,
                "masks" => &mut new.masks,
                _ => return Err(format!("{}: {key:?} is neither", right())),
            };
            *place = polygons(value).ok_or_else(right)?;
        }
        *self = new;
        Ok(())
    }

    /// The inside of an object, as [`Areas::change`] reads it.
    pub(crate) fn json(&self) -> String {
        let mut text = String::from("\"zones\":[");
        append(&mut text, &self.zones);
        text += "],\"masks\":[";
        append(&mut text, &self.masks);
        text + "]"
    }

    /// What is in a file; nothing where there is none.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let read = || -> io::Result<Vec<u8>> {
            let file = fs::metadata(path)?;
            // A pipe that somebody put there would never end.
            if !file.is_file() || file.len() > MAX_BYTES {
                return Err(ErrorKind::InvalidInput.into());
            }
            let mut json = Vec::new();
            File::open(path)?.take(MAX_BYTES).read_to_end(&mut json)?;
            Ok(json)
        };
        let mut areas = Self::default();
        match read() {
            Ok(json) => areas.change(&json).map(|()| areas),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(areas),
            Err(e) => Err(e.to_string()),
        }
    }

    /// Writes the file, and its folder if that is missing.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        // Two at most, as of a recording: a missing one above may be the mount point of a
        // disk that is not there.
        for folder in [folder.parent().filter(|outer| *outer != Path::new("")), Some(folder)] {
            let made = folder.map_or(Ok(()), |f| fs::DirBuilder::new().mode(0o750).create(f));
            if let Err(e) = made
                && e.kind() != ErrorKind::AlreadyExists
            {
                return Err(e);
            }
        }
        let unfinished = folder.join("motion.tmp");
        let removed = fs::remove_file(&unfinished);
        removed.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        // Renamed when it is on disk, so that a power cut leaves the old ones or the new.
        let how = OpenOptions::new().write(true).create_new(true).mode(0o640).clone();
        let mut file = how.open(&unfinished)?;
        file.write_all(format!("{{{}}}\n", self.json()).as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        File::open(folder)?.sync_all()
    }
}

fn append(text: &mut String, polygons: &[Polygon]) {
    let round = |share: f32| (f64::from(share) * 10_000.0).round() / 10_000.0;
    for (n, Polygon(corners)) in polygons.iter().enumerate() {
        *text += if n > 0 { ",[" } else { "[" };
        for (n, (x, y)) in corners.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            // Writing to a String does not fail.
            let _ = write!(text, "{comma}[{},{}]", round(*x), round(*y));
        }
        *text += "]";
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a picture has fewer pixels than digits")]
fn polygons(value: &Value) -> Option<Vec<Polygon>> {
    let share = |value: &Value| {
        let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share))?;
        Some(share as f32)
    };
    let corner = |value: &Value| match &**value.as_array()? {
        [x, y] => Some((share(x)?, share(y)?)),
        _ => None,
    };
    let polygon = |value: &Value| {
        let corners = value.as_array().filter(|all| (3..=MAX_CORNERS).contains(&all.len()))?;
        corners.iter().map(corner).collect::<Option<_>>().map(Polygon)
    };
    let list = value.as_array().filter(|list| list.len() <= MAX_POLYGONS)?;
    list.iter().map(polygon).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: &str = "[[[0,0],[0.5,0],[0.5,1],[0,1]]]";

    fn areas(json: &str) -> Result<Areas, String> {
        let mut areas = Areas::default();
        areas.change(json.as_bytes()).map(|()| areas)
    }

    #[test]
    fn areas_are_read_from_json_and_what_is_not_named_stays() {
        let mut both = areas(&format!("{{\"zones\": {LEFT}, \"masks\": {LEFT}}}")).unwrap();
        assert_eq!(both.zones[0].0[1], (0.5, 0.0));
        assert_eq!(areas(&format!("{{{}}}", both.json())).unwrap(), both);
        both.change(b"{\"zones\": []}").unwrap();
        assert_eq!((both.zones.len(), both.masks.len()), (0, 1));
        let many = vec!["[[0,0],[1,0],[1,1]]"; MAX_POLYGONS + 1].join(",");
        for wrong in [
            "",
            "[]",
            "{\"zone\": []}",
            "{\"zones\": 5}",
            "{\"zones\": [[[0,0],[1,1]]]}",
            "{\"zones\": [[[0,0],[1,1],[2,0]]]}",
            "{\"zones\": [[[0,0],[1,1],[0]]]}",
            "{\"zones\": [[[0,0],[1,1],[null,0]]]}",
            &format!("{{\"masks\": [], \"zones\": [{many}]}}"),
        ] {
            let fault = both.change(wrong.as_bytes()).unwrap_err();
            assert!(fault.contains("send zones, masks or both"), "{wrong}: {fault}");
            assert_eq!(both.masks.len(), 1, "{wrong}");
        }
    }

    #[test]
    fn file_is_read_back_and_a_broken_one_is_told() {
        let dir = std::env::temp_dir().join(format!("mjpegd-areas-{}", std::process::id()));
        let path = dir.join("front/motion.json");
        assert_eq!(Areas::read(&path), Ok(Areas::default()));
        for zones in [LEFT, "[]"] {
            let drawn = areas(&format!("{{\"zones\": {zones}}}")).unwrap();
            drawn.write(&path).unwrap();
            assert_eq!(Areas::read(&path), Ok(drawn));
        }
        fs::write(&path, "{\"zones\":").unwrap();
        Areas::read(&path).unwrap_err();
        fs::remove_dir_all(&dir).unwrap();
        let missing = dir.join("disk/front/motion.json");
        assert_eq!(Areas::default().write(&missing).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
