//! Words, and how they look on a terminal. Where there is none, or `NO_COLOR` is set, they have no
//! colour.

use console::Style;

/// `1 product`, `2 products`.
pub(in crate::commands) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// `4.5 MB`: how large something is, in steps of 1024 as files are shown.
pub(in crate::commands) fn bytes(number: u64) -> String {
    const UNITS: [&str; 3] = ["GB", "MB", "KB"];
    let mut unit = 1024_u64.pow(3);
    for name in UNITS {
        if number >= unit {
            // To a tenth, rounded.
            let tenths = number.saturating_mul(10).saturating_add(unit / 2);
            let tenths = tenths.checked_div(unit).unwrap_or_default();
            return match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                rest => format!("{}.{rest} {name}", tenths / 10),
            };
        }
        unit /= 1024;
    }
    count(usize::try_from(number).unwrap_or(usize::MAX), "byte")
}

/// `2 held, 1 failed`: how many there are of each, where there are any.
pub(in crate::commands) fn counts(of_each: &[(usize, &str)]) -> String {
    let said = of_each.iter().filter(|(count, _)| *count > 0);
    let said: Vec<String> = said
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    said.join(", ")
}

/// What follows what a dry run would have done.
pub(in crate::commands) const DRY_RUN: &str = "Dry run: nothing was written.\n";

/// How a heading looks.
pub(in crate::commands) fn heading(text: &str) -> String {
    Style::new().bold().apply_to(text).to_string()
}

/// How what matters less looks.
pub(in crate::commands) fn dim(text: &str) -> String {
    Style::new().dim().apply_to(text).to_string()
}

/// How what is well looks.
pub(in crate::commands) fn good(text: &str) -> String {
    Style::new().green().apply_to(text).to_string()
}

/// How what somebody should know looks.
pub(in crate::commands) fn notable(text: &str) -> String {
    Style::new().yellow().apply_to(text).to_string()
}

/// How what somebody should do something about looks.
pub(in crate::commands) fn bad(text: &str) -> String {
    Style::new().red().apply_to(text).to_string()
}
