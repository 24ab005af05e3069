//! The newest records of the segment that grows, which are not in its index
//! yet. They are written together before each sync, because one write a frame
//! costs more than it saves: after a kill the next start finds the frames
//! without their records.

use parking_lot::Mutex;

use super::index_record::IndexRecord;

/// Shared by the recorder, which fills and empties it, and by all readers.
#[derive(Debug, Default)]
pub(crate) struct IndexTail(Mutex<Unwritten>);

#[derive(Debug, Default)]
struct Unwritten {
    /// The place of the first record in the segment.
    first: u64,
    records: Vec<IndexRecord>,
}

/// Where the record of a frame is.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    InIndex,
    InTail(IndexRecord),
    Nowhere,
}

impl IndexTail {
    /// Adds a record, and returns how many are here now.
    pub(crate) fn push(&self, record: IndexRecord) -> usize {
        let mut tail = self.0.lock();
        tail.records.push(record);
        tail.records.len()
    }

    pub(crate) fn find(&self, place: u64) -> Found {
        let tail = self.0.lock();
        let Some(nth) = place.checked_sub(tail.first) else { return Found::InIndex };
        let record = usize::try_from(nth).ok().and_then(|nth| tail.records.get(nth));
        record.map_or(Found::Nowhere, |record| Found::InTail(*record))
    }

    /// How many records are in the index.
    pub(crate) fn n_written(&self) -> u64 {
        self.0.lock().first
    }

    /// The records here as the index holds them.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().records.iter().flat_map(|record| record.to_bytes()).collect()
    }

    /// Removes all records, after they were written to the index.
    pub(crate) fn clear_written(&self) {
        let mut tail = self.0.lock();
        tail.first += tail.records.len() as u64;
        tail.records.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_is_in_the_tail_until_it_is_written() {
        let tail = IndexTail::default();
        let records = [7, 8, 9].map(|seq| IndexRecord { seq, ..IndexRecord::default() });
        assert_eq!(tail.find(0), Found::Nowhere);
        assert_eq!((tail.push(records[0]), tail.push(records[1])), (1, 2));
        assert_eq!(tail.bytes(), [records[0].to_bytes(), records[1].to_bytes()].concat());
        assert_eq!((tail.find(1), tail.find(2)), (Found::InTail(records[1]), Found::Nowhere));
        tail.clear_written();
        assert_eq!((tail.n_written(), tail.push(records[2])), (2, 1));
        assert_eq!((tail.find(1), tail.find(2)), (Found::InIndex, Found::InTail(records[2])));
        assert_eq!(tail.find(u64::MAX), Found::Nowhere);
    }
}
