//! Which camera a node belongs to, without opening it: its model and serial
//! number, and the socket that it is plugged into.
//!
//! Cheap webcams of one model all have the same serial number, so the model
//! alone does not tell two of them apart. The socket does.

use std::fs;
use std::path::Path;

const CLASS: &str = "/sys/class/video4linux";

/// A node of a USB camera.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Identity {
    /// The folder of the USB interface and the number of the node in it. It is
    /// the same each time that something is plugged into this socket.
    place: String,
    /// Vendor, product and serial number, with the part of the camera that this
    /// node is: some have a node for infrared beside the one for colours.
    model: String,
}

impl Identity {
    /// `None` for nodes that are not USB cameras, or gone.
    pub(super) fn of(node: &Path) -> Option<Self> {
        let node = node.canonicalize().ok()?;
        Self::from_class(&Path::new(CLASS).join(node.file_name()?))
    }

    fn from_class(class: &Path) -> Option<Self> {
        let interface = class.join("device").canonicalize().ok()?;
        let usb = interface.parent()?;
        let text = |folder: &Path, name: &str| {
            fs::read_to_string(folder.join(name)).map(|text| text.trim().to_owned())
        };
        let index = text(class, "index").ok()?;
        let ids = [text(usb, "idVendor").ok()?, text(usb, "idProduct").ok()?];
        // Many cameras have no serial number, which is one number for them all.
        let serial = text(usb, "serial").unwrap_or_default();
        // `1-2:1.0`, behind the colon configuration and interface.
        let part = interface.file_name()?.to_str()?.split_once(':')?.1.to_owned();
        Some(Self {
            place: format!("{} {index}", interface.display()),
            model: format!("{}:{} {serial} {part} {index}", ids[0], ids[1]),
        })
    }

    #[cfg(test)]
    pub(super) fn test(place: &str, serial: &str) -> Self {
        Self { place: place.into(), model: serial.into() }
    }

    /// Whether the other may be this camera in another socket, or is a second
    /// one of the same model and serial number.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.model == other.model && self.place != other.place
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    /// A `/sys` with one node, plugged into this socket.
    fn node(root: &Path, name: &str, socket: &str, serial: Option<&str>) -> PathBuf {
        let usb = root.join("devices/usb1").join(socket);
        let interface = usb.join(format!("{socket}:1.0"));
        let class = root.join("class").join(name);
        fs::create_dir_all(&interface).unwrap();
        fs::create_dir_all(&class).unwrap();
        fs::write(usb.join("idVendor"), "1d6b\n").unwrap();
        fs::write(usb.join("idProduct"), "0102\n").unwrap();
        if let Some(serial) = serial {
            fs::write(usb.join("serial"), serial).unwrap();
        }
        fs::write(class.join("index"), "0\n").unwrap();
        symlink(&interface, class.join("device")).unwrap();
        class
    }

    #[test]
    fn two_of_one_serial_number_differ_by_their_socket() {
        let root = std::env::temp_dir().join(format!("mjpegd-identity-{}", std::process::id()));
        let of = |name: &str, socket: &str, serial| {
            Identity::from_class(&node(&root, name, socket, serial)).unwrap()
        };
        let first = of("video0", "1-1", Some("0001\n"));
        let twin = of("video2", "1-2", Some("0001\n"));
        let again = of("video4", "1-1", Some("0001\n"));
        let other = of("video6", "1-3", Some("0002\n"));
        let (bare, bare_twin) = (of("video8", "1-4", None), of("video9", "1-5", None));
        fs::remove_dir_all(&root).unwrap();
        assert!(first.is_like(&twin) && first != twin);
        assert_eq!(first, again);
        assert!(!first.is_like(&other) && !first.is_like(&again));
        assert!(bare.is_like(&bare_twin) && !bare.is_like(&first));
        assert_eq!(Identity::of(Path::new("/dev/null")), None);
    }
}
