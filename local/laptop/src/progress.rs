//! How far the start of the shop has come.

use std::sync::Arc;

/// Hears of each step before it is taken: how many are done, of how many, and what is next.
pub type Progress = Arc<dyn Fn(usize, usize, &str) + Send + Sync>;
