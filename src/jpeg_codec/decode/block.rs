//! Reads the AC coefficients of a block.

use super::bits::Bits;
use super::runs::{RunCodes, Symbol};

/// Coefficients of a block, and those that may be written behind them.
pub(super) const MAX_VALUES: usize = 64 + 2;

/// Reads the AC coefficients of a block. Returns a bit for each that is not 0.
#[inline(always)]
pub(super) fn read_ac(
    bits: &mut Bits<'_>,
    codes: &RunCodes,
    values: &mut [i16; MAX_VALUES],
) -> Option<u64> {
    let (mut k, mut n, mut non_zero) = (1_u32, 0_usize, 0_u64);
    while k < 64 {
        bits.refill();
        let run = codes.run(bits.peek());
        if run.n_bits() != 0 && k + run.n_places() <= 64 {
            bits.skip(run.n_bits());
            non_zero |= run.non_zero(k);
            [values[n & 63], values[(n & 63) + 1]] = run.values();
            n += run.n();
            k += run.n_places();
            if run.is_end() {
                break;
            }
            continue;
        }
        // One at a time: a long code, or the last coefficients of a block.
        let (symbol, n_bits) = codes.codes.run_symbol(bits.peek())?;
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

/// Goes over the AC coefficients of a block.
#[inline(always)]
pub(super) fn skip_ac(bits: &mut Bits<'_>, codes: &RunCodes) -> Option<()> {
    let mut k = 1_u32;
    while k < 64 {
        bits.refill();
        let run = codes.run(bits.peek());
        if run.n_bits() != 0 && k + run.n_places() <= 64 {
            bits.skip(run.n_bits());
            k += run.n_places();
            if run.is_end() {
                break;
            }
            continue;
        }
        let (symbol, n_bits) = codes.codes.run_symbol(bits.peek())?;
        bits.skip(n_bits);
        match symbol {
            Symbol::End => break,
            Symbol::Zeros => k += 16,
            Symbol::Value(n_zeros, _) => k += n_zeros + 1,
        }
    }
    (k <= 64).then_some(())
}
