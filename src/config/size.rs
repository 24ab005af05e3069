//! Sizes as people type them: in bytes, and of pictures.

use anyhow::{Context, Result, ensure};

/// The units, by powers of 1000 and of 1024, as disks and memory are counted.
const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1000),
    ("kb", 1000),
    ("kib", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("t", 1_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("tib", 1 << 40),
];

/// Reads a size such as `16MB`, `16MiB` or `500k`, and returns the bytes.
pub(super) fn parse_bytes(text: &str) -> Result<u64> {
    let right = || format!("{text:?} is no size in bytes; use a number such as 500kB or 16MB");
    // Only whole numbers: 1.5GB has the exact form 1500MB.
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    // Capitals make no difference: nobody asks for thousandths of a byte.
    let unit = unit.trim().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let number = number.parse::<u64>().ok();
    number.zip(factor).and_then(|(n, factor)| n.checked_mul(factor)).with_context(right)
}

/// The smallest side of a picture: below it no line of text fits in.
const MIN_SIDE: u16 = 32;

/// Width and height, as in 640x480.
pub(crate) fn parse_size(text: &str) -> Result<(u16, u16)> {
    let right = || {
        format!(
            "{text:?} is no size; use WxH from {MIN_SIDE}x{MIN_SIDE} to 8192x8192, such as 640x480"
        )
    };
    let (width, height) = text.split_once('x').with_context(right)?;
    let side = |text: &str| -> Result<u16> {
        let n = text.parse().with_context(right)?;
        ensure!((MIN_SIDE..=8192).contains(&n), right());
        Ok(n)
    };
    Ok((side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_nonsense_has_none() {
        for (text, n) in [
            ("0", 0),
            ("500k", 500_000),
            ("16 MB", 16_000_000),
            ("16MiB", 16 << 20),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(parse_bytes(text).unwrap(), n);
        }
        for text in ["", "MB", "-1", "1.5MB", "16XB", "99999999999999999999", "99999999999999999G"]
        {
            assert!(parse_bytes(text).unwrap_err().to_string().contains("500kB"), "{text:?}");
        }
    }
}
