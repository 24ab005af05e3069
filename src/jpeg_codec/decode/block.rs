//! Reads the AC coefficients of a block.

use super::ac_table::{AcTable, Symbol};
use super::bits::BitReader;

/// Coefficients of a block, and those that may be written behind them.
pub(super) const MAX_VALUES: usize = 64 + 2;

/// Reads the AC coefficients of a block. Returns a bit for each that is not 0.
#[inline(always)]
pub(super) fn read_ac(
    bits: &mut BitReader<'_>,
    table: &AcTable,
    values: &mut [i16; MAX_VALUES],
) -> Option<u64> {
    let (mut k, mut n, mut non_zero) = (1_u32, 0_usize, 0_u64);
    while k < 64 {
        bits.refill();
        let entry = table.entry(bits.peek());
        if entry.n_bits() != 0 && k + entry.n_places() <= 64 {
            bits.skip(entry.n_bits());
            non_zero |= entry.non_zero(k);
            [values[n & 63], values[(n & 63) + 1]] = entry.values();
            n += entry.n();
            k += entry.n_places();
            if entry.is_end() {
                break;
            }
            continue;
        }
        // A long code or the end of a block: decode one symbol.
        let (symbol, n_bits) = table.symbols.coefficient(bits.peek())?;
        bits.skip(n_bits);
        match symbol {
            Symbol::End => break,
            Symbol::Zeros => k += 16,
            Symbol::Value(n_zeros, value) => {
                k += n_zeros;
                if k > 63 {
                    return None;
                }
                non_zero |= 1 << k;
                values[n & 63] = value;
                n += 1;
                k += 1;
            }
        }
    }
    (k <= 64).then_some(non_zero)
}

/// Skips the AC coefficients of a block.
#[inline(always)]
pub(super) fn skip_ac(bits: &mut BitReader<'_>, table: &AcTable) -> Option<()> {
    let mut k = 1_u32;
    while k < 64 {
        bits.refill();
        let entry = table.entry(bits.peek());
        if entry.n_bits() != 0 && k + entry.n_places() <= 64 {
            bits.skip(entry.n_bits());
            k += entry.n_places();
            if entry.is_end() {
                break;
            }
            continue;
        }
        let (symbol, n_bits) = table.symbols.coefficient(bits.peek())?;
        bits.skip(n_bits);
        match symbol {
            Symbol::End => break,
            Symbol::Zeros => k += 16,
            Symbol::Value(n_zeros, _) => k += n_zeros + 1,
        }
    }
    (k <= 64).then_some(())
}
