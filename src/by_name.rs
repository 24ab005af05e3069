//! Figures with their names, as an object of JSON.
//!
//! Not a map: building one sorts, and each type of its entries would have its own copy
//! of the standard library's sort in the program.

use serde::{Serialize, Serializer};

/// Figures with their names, in the order of the list.
#[derive(Debug)]
pub(crate) struct ByName(pub(crate) Vec<(&'static str, u64)>);

impl Serialize for ByName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
