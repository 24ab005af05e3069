//! The least that reading DC coefficients can cost: a walk over the Huffman codes of a
//! picture that keeps nothing. Benchmarks measure [`DcReader`](crate::DcReader) beside it.

/// Bits of a lookup.
const LOOKUP_BITS: u32 = 12;

/// What the next bits hold: as many whole symbols as fit.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// Bits, with those of the values; 0 if no symbol fits.
    n_bits: u8,
    /// Coefficients, and whether the block ends.
    n_places: u8,
    is_end: bool,
}

/// By sixteen bits: the length of the code at their top, 0 for none, and its symbol.
struct Codes(Vec<(u8, u8)>);

impl Codes {
    fn symbol(&self, bits: u32) -> Option<(u32, u8)> {
        let (length, symbol) = *self.0.get(bits as usize)?;
        (length > 0).then(|| (u32::from(length), symbol))
    }

    /// The symbols in `bits`, of which `LOOKUP_BITS` are known. A DC has one of them.
    fn entry(&self, bits: u32, is_dc: bool) -> Entry {
        let mut entry = Entry::default();
        while !entry.is_end {
            let Some((n, symbol)) = self.symbol((bits << entry.n_bits) & 0xFFFF) else { break };
            let n_bits = u32::from(entry.n_bits) + n + u32::from(symbol & 15);
            if n_bits > LOOKUP_BITS {
                break;
            }
            entry.n_bits = u8::try_from(n_bits).unwrap_or_default();
            entry.is_end = is_dc || symbol == 0;
            entry.n_places += if symbol == 0 { 0 } else { (symbol >> 4) + 1 };
            // What could go beyond the end of a block is decoded one by one.
            if entry.n_places > 40 {
                break;
            }
        }
        entry
    }
}

struct Table {
    codes: Codes,
    entries: Vec<Entry>,
}

/// Walks over the scan of a baseline picture without restart markers. Returns how many
/// blocks it has; `None` if there is no such picture.
pub fn walk(jpeg: &[u8], kept: &mut Walk) -> Option<usize> {
    let (mut at, mut factors, mut size) = (2, [(1, 1); 3], (0, 0));
    loop {
        let [0xFF, marker, l1, l0, ..] = *jpeg.get(at..)? else { return None };
        let length = usize::from(u16::from_be_bytes([l1, l0]));
        let content = jpeg.get(at + 4..at + 2 + length)?;
        at += 2 + length;
        match marker {
            0xC0 => {
                size = (u16_at(content, 3), u16_at(content, 1));
                for (place, bytes) in factors.iter_mut().zip(content.get(6..)?.chunks(3)) {
                    *place = (usize::from(bytes[1] >> 4), usize::from(bytes[1] & 15));
                }
            }
            0xC4 => kept.tables(content)?,
            0xDA => {
                let n = usize::from(content[0]);
                kept.unstuff(jpeg.get(at..)?);
                let factors = factors.get(..n)?;
                let (across, down) = (8 * factors[0].0, 8 * factors[0].1);
                let n_mcus = size.0.div_ceil(across) * size.1.div_ceil(down);
                let blocks = factors.iter().enumerate();
                let blocks: Vec<usize> =
                    blocks.flat_map(|(i, f)| std::iter::repeat_n(i.min(1), f.0 * f.1)).collect();
                return kept.scan(n_mcus, &blocks);
            }
            _ => {}
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])
}

/// Memory and tables, kept from picture to picture.
#[derive(Default)]
pub struct Walk {
    content: [Vec<u8>; 4],
    /// DC and AC of luma, DC and AC of the colours.
    built: [Option<Table>; 4],
    bytes: Vec<u8>,
}

impl Walk {
    fn tables(&mut self, mut content: &[u8]) -> Option<()> {
        while let [which, lengths @ ..] = content {
            let (lengths, rest) = lengths.split_first_chunk::<16>()?;
            let n = lengths.iter().map(|n| usize::from(*n)).sum();
            let (symbols, rest) = rest.split_at_checked(n)?;
            let nth = usize::from((which & 1) << 1 | which >> 4);
            let whole = &content[..17 + n];
            content = rest;
            if self.content.get(nth)? == whole {
                continue;
            }
            self.content[nth] = whole.to_vec();
            let (mut codes, mut symbols) = (Vec::new(), symbols.iter());
            for (length, n) in (1_u8..).zip(lengths) {
                for symbol in symbols.by_ref().take(usize::from(*n)) {
                    codes.resize(codes.len() + (1 << (16 - length)), (length, *symbol));
                }
            }
            codes.resize(1 << 16, (0, 0));
            let codes = Codes(codes);
            let all = 0..1_u32 << LOOKUP_BITS;
            let entry = |bits: u32| codes.entry(bits << (16 - LOOKUP_BITS), which >> 4 == 0);
            let entries = all.map(entry).collect();
            self.built[nth] = Some(Table { codes, entries });
        }
        Some(())
    }

    fn unstuff(&mut self, scan: &[u8]) {
        self.bytes.clear();
        let mut rest = scan;
        while let Some(at) = memchr::memchr(0xFF, rest) {
            self.bytes.extend_from_slice(&rest[..=at]);
            if rest.get(at + 1) != Some(&0) {
                break;
            }
            rest = &rest[at + 2..];
        }
        self.bytes.extend_from_slice(&[0; 16]);
    }

    fn scan(&self, n_mcus: usize, blocks: &[usize]) -> Option<usize> {
        let [dc, ac, dc_colours, ac_colours] = &self.built;
        let (dc, ac) = (dc.as_ref()?, ac.as_ref()?);
        let colours = dc_colours.as_ref().unwrap_or(dc);
        let tables = [(dc, ac), (colours, ac_colours.as_ref().unwrap_or(ac))];
        let (mut bits, mut n) = (Bits { bytes: &self.bytes, at: 0, word: 0, n: 0 }, 0);
        for _ in 0..n_mcus {
            for which in blocks {
                let (dc, ac) = tables[*which];
                bits.symbols(dc, true, 64)?;
                let mut k = 1;
                while k < 64 {
                    let (n_places, is_end) = bits.symbols(ac, false, 64 - k)?;
                    k += n_places;
                    if is_end {
                        break;
                    }
                }
                n += 1;
            }
        }
        Some(n)
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    word: u64,
    n: u32,
}

impl Bits<'_> {
    #[inline(always)]
    fn symbols(&mut self, table: &Table, is_dc: bool, room: u32) -> Option<(u32, bool)> {
        let next = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk());
        self.word |= u64::from_be_bytes(*next?) >> (self.n & 63);
        self.at += ((63 - self.n) >> 3) as usize;
        self.n |= 56;
        let entry = table.entries[(self.word >> (64 - LOOKUP_BITS)) as usize];
        let (n_bits, n_places, is_end) = if entry.n_bits > 0 && u32::from(entry.n_places) <= room {
            (u32::from(entry.n_bits), u32::from(entry.n_places), entry.is_end)
        } else {
            let (n, symbol) = table.codes.symbol(u32::try_from(self.word >> 48).ok()?)?;
            let places = u32::from(symbol >> 4) + 1;
            (n + u32::from(symbol & 15), places, is_dc || symbol == 0)
        };
        self.word <<= n_bits;
        self.n -= n_bits;
        Some((n_places, is_end))
    }
}
