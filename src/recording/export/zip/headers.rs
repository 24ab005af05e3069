//! The records of a zip archive, field by field, little endian.

/// What both headers of an entry hold.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    /// When it was taken, microseconds since 1970.
    pub(super) captured: u64,
    pub(super) crc: u32,
    pub(super) n_jpeg: u32,
}

/// Version of the format that a reader must know (4.4.3.2).
const VERSION_STORED: u16 = 10;
const VERSION_ZIP64: u16 = 45;
/// Length of the extra field that holds a place above 4 GiB (4.5.3).
const N_ZIP64_EXTRA: u16 = 12;

/// Bytes of the fixed fields of each record.
const N_LOCAL_FIELDS: u64 = 30;
const N_CENTRAL_FIELDS: u64 = 46;
const N_END_RECORD: u64 = 22;
const N_ZIP64_END_RECORD: u64 = 56;
const N_ZIP64_LOCATOR: u64 = 20;

/// Length of the header before a file.
pub(super) fn n_local(name: &str) -> u64 {
    N_LOCAL_FIELDS + name.len() as u64
}

/// Length of the directory record of a file that begins at byte `at`.
pub(super) fn n_central(name: &str, at: u64) -> u64 {
    N_CENTRAL_FIELDS + name.len() as u64 + u64::from(n_extra(at))
}

fn n_extra(at: u64) -> u16 {
    if at >= u32::MAX.into() { N_ZIP64_EXTRA } else { 0 }
}

fn put(bytes: &mut Vec<u8>, fields: &[&[u8]]) {
    fields.iter().for_each(|field| bytes.extend_from_slice(field));
}

/// Local file header (4.3.7).
pub(super) fn local_header(name: &str, facts: Facts) -> Vec<u8> {
    let mut header = b"PK\x03\x04".to_vec();
    put_common(&mut header, name, facts, VERSION_STORED);
    put(&mut header, &[&[0; 2], name.as_bytes()]);
    header
}

/// Central directory header (4.3.12).
pub(super) fn central_header(name: &str, facts: Facts, at: u64) -> Vec<u8> {
    let n_extra = n_extra(at);
    let version = if n_extra > 0 { VERSION_ZIP64 } else { VERSION_STORED };
    let place = u32::try_from(at).unwrap_or(u32::MAX).to_le_bytes();
    let mut header = b"PK\x01\x02".to_vec();
    put(&mut header, &[&version.to_le_bytes()]);
    put_common(&mut header, name, facts, version);
    // No comment, first disk, no attributes.
    put(&mut header, &[&n_extra.to_le_bytes(), &[0; 10], &place, name.as_bytes()]);
    if n_extra > 0 {
        put(&mut header, &[&1_u16.to_le_bytes(), &8_u16.to_le_bytes(), &at.to_le_bytes()]);
    }
    header
}

/// The fields that both headers share, from the needed version to the length of
/// the name.
fn put_common(header: &mut Vec<u8>, name: &str, facts: Facts, version: u16) {
    let (time, date) = dos_time(name);
    let n_jpeg = facts.n_jpeg.to_le_bytes();
    // Flags 0, method 0: stored.
    put(header, &[&version.to_le_bytes(), &[0; 4], &time.to_le_bytes(), &date.to_le_bytes()]);
    put(header, &[&facts.crc.to_le_bytes(), &n_jpeg, &n_jpeg]);
    header.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
}

/// Time and date in the form of MS-DOS (4.4.6): from 1980 on, exact to two
/// seconds, without a time zone. This is UTC, as in the name.
fn dos_time(name: &str) -> (u16, u16) {
    let part = |range| name.get(range).and_then(|text: &str| text.parse().ok()).unwrap_or(0_u16);
    let time = part(11..13) << 11 | part(14..16) << 5 | (part(17..19) / 2);
    let date = (part(0..4).clamp(1980, 2107) - 1980) << 9 | part(5..7) << 5 | part(8..10);
    (time, date)
}

/// The records that end an archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    pub(super) n_frames: u64,
    pub(super) n_directory: u64,
    pub(super) directory_at: u64,
}

impl Tail {
    pub(super) fn length(is_zip64: bool) -> u64 {
        let n_zip64 = if is_zip64 { N_ZIP64_END_RECORD + N_ZIP64_LOCATOR } else { 0 };
        n_zip64 + N_END_RECORD
    }

    pub(super) fn to_bytes(self, is_zip64: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        if is_zip64 {
            self.put_zip64(&mut bytes);
        }
        // All bits are set where the zip64 record holds the number (4.4.1.4).
        let n = if is_zip64 { u16::MAX } else { u16::try_from(self.n_frames).unwrap_or(u16::MAX) };
        let small =
            |number| if is_zip64 { u32::MAX } else { u32::try_from(number).unwrap_or(u32::MAX) };
        // End of central directory record (4.3.16), no comment.
        put(&mut bytes, &[b"PK\x05\x06", &[0; 4], &n.to_le_bytes(), &n.to_le_bytes()]);
        let (size, place) = (small(self.n_directory), small(self.directory_at));
        put(&mut bytes, &[&size.to_le_bytes(), &place.to_le_bytes(), &[0; 2]]);
        bytes
    }

    /// Zip64 end of central directory record (4.3.14) and locator (4.3.15).
    fn put_zip64(self, bytes: &mut Vec<u8>) {
        let version = VERSION_ZIP64.to_le_bytes();
        put(bytes, &[b"PK\x06\x06", &44_u64.to_le_bytes(), &version, &version, &[0; 8]]);
        for number in [self.n_frames, self.n_frames, self.n_directory, self.directory_at] {
            bytes.extend(number.to_le_bytes());
        }
        let end_at = self.directory_at + self.n_directory;
        put(bytes, &[b"PK\x06\x07", &[0; 4], &end_at.to_le_bytes(), &1_u32.to_le_bytes()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_time_is_that_of_the_name() {
        let (time, date) = dos_time("2026-11-21T10-15-31.123456Z.jpg");
        assert_eq!((time >> 11, time >> 5 & 63, (time & 31) * 2), (10, 15, 30));
        assert_eq!(((date >> 9) + 1980, date >> 5 & 15, date & 31), (2026, 11, 21));
        assert_eq!(dos_time("1970-01-01T00-00-00.000000Z.jpg").1 >> 9, 0);
        assert_eq!(dos_time("9999-12-31T23-59-59.000000Z.jpg").1 >> 9, 127);
    }

    #[test]
    fn headers_have_the_announced_length() {
        let facts = Facts::default();
        for at in [0, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 40] {
            assert_eq!(central_header("name", facts, at).len() as u64, n_central("name", at));
        }
        assert_eq!(local_header("name", facts).len() as u64, n_local("name"));
        let tail = Tail { n_frames: 1, n_directory: 2, directory_at: 3 };
        for is_zip64 in [false, true] {
            assert_eq!(tail.to_bytes(is_zip64).len() as u64, Tail::length(is_zip64));
        }
    }
}
