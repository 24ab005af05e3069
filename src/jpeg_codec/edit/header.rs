//! Writes the bytes before a scan.

use crate::annex_k;

/// A component as the header describes it.
#[derive(Clone, Copy)]
pub(super) struct Described<'a> {
    pub(super) id: u8,
    pub(super) factors: (usize, usize),
    pub(super) divisors: &'a [u16; 64],
    /// Number of its Huffman tables.
    pub(super) codes: u8,
}

/// Appends SOI to SOS. `kept` are whole segments.
pub(super) fn put(
    out: &mut Vec<u8>,
    kept: &[u8],
    (width, height): (u16, u16),
    components: &[Described<'_>],
) {
    out.extend_from_slice(&[0xFF, 0xD8]);
    out.extend_from_slice(kept);
    // Components with the same divisors share a table.
    let number = |of: &Described<'_>| components.iter().position(|c| c.divisors == of.divisors);
    let number = |of| number(of).unwrap_or_default() as u8;
    let mut is_baseline = true;
    for (i, component) in components.iter().enumerate() {
        if usize::from(number(component)) == i {
            is_baseline &= put_divisors(out, i as u8, component.divisors);
        }
    }
    let (n, [h1, h0], [w1, w0]) =
        (components.len() as u8, height.to_be_bytes(), width.to_be_bytes());
    let marker = if is_baseline { 0xC0 } else { 0xC1 };
    out.extend_from_slice(&[0xFF, marker, 0, 8 + 3 * n, 8, h1, h0, w1, w0, n]);
    for component in components {
        let factors = (component.factors.0 << 4 | component.factors.1) as u8;
        out.extend_from_slice(&[component.id, factors, number(component)]);
    }
    if components.iter().all(|component| component.codes == 0) {
        let tables = &annex_k::DHT[annex_k::DHT_LUMA];
        let [high, low] = (tables.len() as u16 + 2).to_be_bytes();
        out.extend_from_slice(&[0xFF, 0xC4, high, low]);
        out.extend_from_slice(tables);
    } else {
        out.extend_from_slice(&annex_k::DHT);
    }
    out.extend_from_slice(&[0xFF, 0xDA, 0, 6 + 2 * n, n]);
    for component in components {
        out.extend_from_slice(&[component.id, component.codes * 0x11]);
    }
    out.extend_from_slice(&[0, 63, 0]);
}

/// Appends DQT. Returns whether a baseline picture may have it: with 8 bits.
fn put_divisors(out: &mut Vec<u8>, number: u8, divisors: &[u16; 64]) -> bool {
    let is_short = divisors.iter().all(|divisor| *divisor < 256);
    if is_short {
        out.extend_from_slice(&[0xFF, 0xDB, 0, 67, number]);
        out.extend(divisors.iter().map(|divisor| *divisor as u8));
    } else {
        out.extend_from_slice(&[0xFF, 0xDB, 0, 131, 0x10 | number]);
        out.extend(divisors.iter().flat_map(|divisor| divisor.to_be_bytes()));
    }
    is_short
}
