//! A camera's controls (brightness, exposure, focus and so on) as plain values.
//!
//! They stand in a room of their own, because a driver fills them in and `http`
//! shows them, and `http` must not see a driver. Who reads and sets them is the
//! trait `camera::Controls`.

use serde::Serialize;

/// A control with its present value. Serialized, it is an entry of `/controls`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Control {
    pub(crate) id: u32,
    /// The name that people type: `white_balance_automatic`.
    pub(crate) name: String,
    /// The device's name for it: "White Balance, Automatic".
    pub(crate) label: String,
    /// The class of controls that it belongs to: "User Controls".
    pub(crate) group: String,
    /// The type, in v4l2-ctl's terms: `int`, `bool`, `menu`, ...
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) step: u64,
    pub(crate) default: i64,
    /// `None` if it cannot be read.
    pub(crate) value: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) menu: Vec<MenuItem>,
    /// In the kernel's terms: `read_only`, `inactive`, ...
    pub(crate) flags: Vec<&'static str>,
}

/// One of the values of a menu control.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MenuItem {
    pub(crate) index: i64,
    pub(crate) label: String,
}

/// What to set a control to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SetTo {
    Value(i64),
    /// An item of a menu, by its label.
    Item(String),
    /// The device's default.
    Default,
}

/// A control's name, and what to set it to.
pub(crate) type Change = (String, SetTo);

/// A control's name, and the value that the device kept after a change, or why
/// it was not set.
pub(crate) type ChangeResult = (String, Result<i64, String>);

/// The name that stands for all controls; they can only be set to their
/// defaults together.
pub(crate) const ALL: &str = "*";

/// `V4L2_CTRL_TYPE_*`, in v4l2-ctl's terms.
pub(crate) const KINDS: [(u32, &str); 9] = [
    (1, "int"),
    (2, "bool"),
    (3, "menu"),
    (4, "button"),
    (5, "int64"),
    (6, "class"),
    (7, "string"),
    (8, "bitmask"),
    (9, "intmenu"),
];

/// `V4L2_CTRL_FLAG_*`, without "disabled": such controls are not listed.
pub(crate) const FLAGS: [(u32, &str); 10] = [
    (0x0002, "grabbed"),
    (0x0004, "read_only"),
    (0x0008, "update"),
    (0x0010, "inactive"),
    (0x0020, "slider"),
    (0x0040, "write_only"),
    (0x0080, "volatile"),
    (0x0100, "has_payload"),
    (0x0200, "execute_on_write"),
    (0x0400, "modify_layout"),
];
