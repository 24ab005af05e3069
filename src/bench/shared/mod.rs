//! What the benchmarks have in common. Each of them compiles this folder into itself.

pub(crate) mod noise;
pub(crate) mod numbers;
pub(crate) mod part;
pub(crate) mod process;
pub(crate) mod procfs;
pub(crate) mod results;
pub(crate) mod settings;
pub(crate) mod table;
