//! The settings of the camera: brightness, exposure and so on, stored as in a real camera.
//!
//! Called by `main` for class requests to the control interface. Ids: UVC 1.1, tables.

/// Entity ids, used in the descriptors and in each request.
pub(crate) const CAMERA_TERMINAL: u8 = 1;
pub(crate) const PROCESSING_UNIT: u8 = 2;
/// Entity 0 is the interface itself; its selector 2 gives the reason why the last request was refused.
const INTERFACE: u8 = 0;
const ERROR_CODE: u8 = 2;
/// bRequestErrorCode "invalid control" and "invalid request".
const INVALID_CONTROL: u8 = 6;
const INVALID_REQUEST: u8 = 7;

const SET_CUR: u8 = 0x01;
const GET_CUR: u8 = 0x81;

/// One setting. `selector` is its id in requests, `bit` its position in the descriptor, `bytes` its width on the wire.
struct Control {
    name: &'static str,
    entity: u8,
    selector: u8,
    bit: u8,
    bytes: usize,
    min: i32,
    max: i32,
    /// For the exposure mode, a bitmap, UVC uses this field for the modes that exist.
    step: i32,
    default: i32,
    value: i32,
}

#[rustfmt::skip]
const CONTROLS: [Control; 9] = [
    control("brightness", PROCESSING_UNIT, 0x02, 0, 2, (-64, 64, 1, 0)),
    control("contrast", PROCESSING_UNIT, 0x03, 1, 2, (0, 95, 1, 32)),
    control("saturation", PROCESSING_UNIT, 0x07, 3, 2, (0, 128, 2, 64)),
    control("white_balance_temperature", PROCESSING_UNIT, 0x0a, 6, 2, (2800, 6500, 10, 4600)),
    control("white_balance_automatic", PROCESSING_UNIT, 0x0b, 12, 1, (0, 1, 1, 1)),
    // 1 is manual and 8 aperture priority, the two modes that most webcams have.
    control("auto_exposure", CAMERA_TERMINAL, 0x02, 1, 1, (1, 8, 0x09, 8)),
    control("exposure_time_absolute", CAMERA_TERMINAL, 0x04, 3, 4, (3, 2047, 1, 166)),
    control("focus_absolute", CAMERA_TERMINAL, 0x06, 5, 2, (0, 250, 5, 0)),
    control("focus_automatic", CAMERA_TERMINAL, 0x08, 17, 1, (0, 1, 1, 1)),
];

const fn control(
    name: &'static str,
    entity: u8,
    selector: u8,
    bit: u8,
    bytes: usize,
    (min, max, step, default): (i32, i32, i32, i32),
) -> Control {
    Control { name, entity, selector, bit, bytes, min, max, step, default, value: default }
}

/// The bmControls of one entity.
pub(crate) fn bitmap(entity: u8) -> u32 {
    CONTROLS
        .iter()
        .filter(|control| control.entity == entity)
        .fold(0, |bits, control| bits | 1 << control.bit)
}

/// All settings with their current values.
pub(crate) struct Controls {
    controls: [Control; 9],
    last_error: u8,
}

impl Controls {
    pub(crate) fn new() -> Self {
        Self { controls: CONTROLS, last_error: 0 }
    }

    /// Answers a GET request for a control. `None` is a stall.
    pub(crate) fn get(&mut self, request: u8, entity: u8, selector: u8) -> Option<Vec<u8>> {
        if (request, entity, selector) == (GET_CUR, INTERFACE, ERROR_CODE) {
            return Some(vec![self.last_error]);
        }
        let Some(control) =
            self.controls.iter().find(|c| (c.entity, c.selector) == (entity, selector))
        else {
            self.last_error = INVALID_CONTROL;
            return None;
        };
        let value = match request {
            GET_CUR => control.value,
            0x82 => control.min,
            0x83 => control.max,
            0x84 => control.step,
            // The length of a value, always in two bytes.
            0x85 => return Some(vec![u8::try_from(control.bytes).expect("at most 4"), 0]),
            // The supported requests: read and write.
            0x86 => return Some(vec![0x03]),
            0x87 => control.default,
            _ => {
                self.last_error = INVALID_REQUEST;
                return None;
            }
        };
        Some(value.to_le_bytes()[..control.bytes].to_vec())
    }

    /// Takes a new value and returns "name value" for the log; `None` is a stall. With `refuses`, nothing changes.
    pub(crate) fn set(
        &mut self,
        request: u8,
        entity: u8,
        selector: u8,
        data: &[u8],
        refuses: bool,
    ) -> Option<String> {
        let known = self.controls.iter_mut().find(|c| (c.entity, c.selector) == (entity, selector));
        let Some(control) = known.filter(|c| request == SET_CUR && c.bytes == data.len()) else {
            self.last_error = INVALID_CONTROL;
            return None;
        };
        if refuses {
            self.last_error = INVALID_REQUEST;
            return None;
        }
        control.value = match *data {
            [a] => i32::from(a),
            [a, b] => i32::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
            _ => return None,
        };
        Some(format!("{} {}", control.name, control.value))
    }
}
