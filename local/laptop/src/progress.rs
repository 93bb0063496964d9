//! How far the start of the shop has come.

use std::sync::Arc;

/// Called before each step: how many are done, of how many, and what is next.
pub type Progress = Arc<dyn Fn(usize, usize, &str) + Send + Sync>;
