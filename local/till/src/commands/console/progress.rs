//! How far the work is, on a terminal's stderr; `indicatif` shows nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for `length` steps of work.
pub(in crate::commands) fn progress(length: usize, what: &'static str) -> ProgressBar {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    styled(
        ProgressBar::new(length),
        "{msg:>12} {bar:28} {pos}/{len}  {eta}",
    )
    .with_message(what)
}

/// A counter for work whose length nobody knows.
pub(in crate::commands) fn counter(what: &'static str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg} {pos}").with_message(what)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
