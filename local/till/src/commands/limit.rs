//! How many of a list are shown.

use clap::Args;

use super::console::note;

#[derive(Args)]
pub(super) struct Limit {
    /// Show at most this many; 0 for all
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

impl Limit {
    /// Leaves out what is more than that, and returns how many there were.
    pub(super) fn cut<T>(&self, newest_first: &mut Vec<T>) -> usize {
        let found = newest_first.len();
        if self.limit > 0 {
            newest_first.truncate(self.limit);
        }
        found
    }

    /// Says how to see the rest of what was `found`, if there is any.
    pub(super) fn mention_rest(shown: usize, found: usize) {
        if found > shown {
            note(&format!(
                "Showing the newest {shown} of {found}; --limit 0 shows all."
            ));
        }
    }
}
