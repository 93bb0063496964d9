//! What commands say and ask: words or JSON on stdout, everything about the work itself on stderr.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use clap::Args;
use console::{Style, Term, measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
pub(super) use shared::plain::line as plain;
use shared::plain::{self, is_plain};

/// How to print results.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Console {
    /// Print JSON on stdout instead of words
    #[arg(long)]
    json: bool,
}

/// Whether to ask before doing what cannot be taken back.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Consent {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Console {
    /// Prints a result: as JSON if that is asked for, else in words.
    pub(super) fn show(
        self,
        result: &impl Serialize,
        words: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            let json = serde_json::to_string_pretty(result)
                .context("the result cannot be written as JSON")?;
            print(&format!("{}\n", plain::json(&json)))
        } else {
            print(&words())
        }
    }

    /// Says something about the work, on stderr: stdout is for its result.
    pub(super) fn note(self, text: &str) {
        // Nobody can be told if stderr is gone.
        let _ = writeln!(std::io::stderr(), "{}", for_terminal(text));
    }

    /// A bar for `length` steps of work, on a terminal; elsewhere nothing.
    pub(super) fn progress(self, length: usize, what: &'static str) -> ProgressBar {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let bar = hidden_unless_terminal(ProgressBar::new(length));
        if let Ok(style) = ProgressStyle::with_template("{msg:>12} {bar:28} {pos}/{len}  {eta}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }

    /// A counter for work whose length nobody knows.
    pub(super) fn counter(self, what: &'static str) -> ProgressBar {
        let bar = hidden_unless_terminal(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }
}

fn hidden_unless_terminal(bar: ProgressBar) -> ProgressBar {
    if std::io::stderr().is_terminal() {
        bar
    } else {
        ProgressBar::hidden()
    }
}

impl Consent {
    /// Goes on only with a yes, typed or piped in.
    pub(super) fn ask(self, question: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        let stdin = std::io::stdin();
        let mut stderr = std::io::stderr();
        write!(stderr, "{} [y/N] ", for_terminal(question))
            .and_then(|()| stderr.flush())
            .context("cannot ask on standard error")?;
        let mut answer = String::new();
        stdin
            .read_line(&mut answer)
            .context("cannot read the answer")?;
        if !stdin.is_terminal() {
            // What was typed at a terminal shows there; this would not.
            let _ = writeln!(stderr, "{}", plain(answer.trim()));
        }
        if answer.is_empty() {
            bail!("there is nobody to ask: say --yes");
        }
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            Ok(())
        } else {
            bail!("nothing was done")
        }
    }
}

/// Writes words to stdout.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    write_out(&for_terminal(text))
}

/// Writes to stdout as it is. That a reader has seen enough and is gone is not an error.
pub(super) fn write_out(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// How a heading looks.
pub(super) fn heading(text: &str) -> String {
    Style::new().bold().apply_to(text).to_string()
}

/// How what matters less looks.
pub(super) fn dim(text: &str) -> String {
    Style::new().dim().apply_to(text).to_string()
}

/// How what is well looks.
pub(super) fn good(text: &str) -> String {
    Style::new().green().apply_to(text).to_string()
}

/// How what somebody should know looks.
pub(super) fn notable(text: &str) -> String {
    Style::new().yellow().apply_to(text).to_string()
}

/// How what somebody should do something about looks.
pub(super) fn bad(text: &str) -> String {
    Style::new().red().apply_to(text).to_string()
}

/// What commands write, as it goes to a terminal: of what is not plain only line breaks and the
/// weights and colours of letters. What names and files could do to a line itself, [`plain()`] undoes
/// where the line is made.
pub(super) fn for_terminal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let style = style(rest).unwrap_or_default();
        if style.is_empty() {
            let fine = is_plain(c) || c == '\n';
            shown.push(if fine { c } else { char::REPLACEMENT_CHARACTER });
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        } else {
            shown.push_str(style);
            rest = rest.get(style.len()..).unwrap_or_default();
        }
    }
    shown
}

/// The code at the beginning of `text` that sets a weight or a colour, or none again. None of
/// these hides anything.
fn style(text: &str) -> Option<&str> {
    let (code, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let harmless = matches!(code, "0" | "1" | "2" | "3" | "4")
        || matches!(code.as_bytes(), [b'3', b'1'..=b'7']);
    let length = code.len().saturating_add("\u{1b}[m".len());
    text.get(..length).filter(|_| harmless)
}

/// Writes logs [`for_terminal`].
pub(super) struct Log;

impl std::io::Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        std::io::stderr().write_all(for_terminal(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// `1 product`, `2 products`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Columns, as wide as what is in them and together no wider than the terminal.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

struct Row {
    cells: Vec<String>,
    /// A line below it that minds no columns.
    note: Option<String>,
}

/// A column's heading and manner.
#[derive(Clone, Copy)]
pub(super) struct Column {
    title: &'static str,
    right: bool,
    gives_way: bool,
}

impl Column {
    /// Of words.
    pub(super) fn left(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            gives_way: false,
        }
    }

    /// Of amounts.
    pub(super) fn right(title: &'static str) -> Self {
        Self {
            title,
            right: true,
            gives_way: false,
        }
    }

    /// Is cut where the terminal is too narrow for all.
    pub(super) fn giving_way(self) -> Self {
        Self {
            gives_way: true,
            ..self
        }
    }
}

impl Table {
    /// Without rows.
    pub(super) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// One more row, a cell for each column.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A row is one line, whatever is in its cells.
        let cells = cells.into_iter().map(|cell| cell.replace('\n', "\u{fffd}"));
        self.rows.push(Row {
            cells: cells.collect(),
            note: None,
        });
    }

    /// A line below the last row that is never cut.
    pub(super) fn note(&mut self, text: String) {
        if let Some(row) = self.rows.last_mut() {
            row.note = Some(text);
        }
    }

    /// As lines; nothing at all without rows.
    pub(super) fn text(&self) -> String {
        let terminal = Term::stdout();
        let most = terminal.is_term().then(|| usize::from(terminal.size().1));
        self.within(most)
    }

    fn within(&self, most: Option<usize>) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| {
                let cells = self.rows.iter().filter_map(|row| row.cells.get(place));
                let widest = cells.map(|cell| measure_text_width(cell)).max();
                widest.unwrap_or_default().max(column.title.len())
            })
            .collect();
        if let Some(most) = most {
            self.narrow(&mut widths, most);
        }
        let titles = self.columns.iter().map(|column| column.title.to_owned());
        let head = self.line(&titles.collect::<Vec<_>>(), &widths);
        let mut text = format!("{}\n", dim(&head));
        for row in &self.rows {
            text.push_str(&self.line(&row.cells, &widths));
            text.push('\n');
            if let Some(note) = &row.note {
                text.push_str(&format!("{GAP}{}\n", dim(note)));
            }
        }
        text
    }

    /// Takes what is too much from the columns that give way, each down to its title.
    fn narrow(&self, widths: &mut [usize], most: usize) {
        let gaps = GAP.len().saturating_mul(widths.len().saturating_sub(1));
        let needed = widths.iter().sum::<usize>().saturating_add(gaps);
        let mut excess = needed.saturating_sub(most);
        for (column, width) in self.columns.iter().zip(widths) {
            if column.gives_way {
                let spare = width.saturating_sub(column.title.len().max(8)).min(excess);
                *width = width.saturating_sub(spare);
                excess = excess.saturating_sub(spare);
            }
        }
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let cells = self
            .columns
            .iter()
            .zip(cells)
            .zip(widths)
            .map(|((column, cell), width)| {
                let cell = truncate_str(cell, *width, "…");
                let side = if column.right {
                    console::Alignment::Right
                } else {
                    console::Alignment::Left
                };
                console::pad_str(&cell, *width, side, None).into_owned()
            });
        let line = cells.collect::<Vec<_>>().join(GAP);
        line.trim_end().to_owned()
    }
}

/// Between columns.
const GAP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::left("ID"),
            Column::left("NAME").giving_way(),
            Column::right("PRICE"),
        ]);
        table.row(["mug", "Stoneware mug", "15.00 USD"].map(str::to_owned));
        table.row(["poster", "Lighthouse poster", "2400 JPY"].map(str::to_owned));
        table
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        assert_eq!(
            table().within(None),
            "ID      NAME                   PRICE\n\
             mug     Stoneware mug      15.00 USD\n\
             poster  Lighthouse poster   2400 JPY\n"
        );
    }

    #[test]
    fn a_terminal_gets_colours_and_lines_and_no_other_commands() {
        let styled = Style::new().red().bold().force_styling(true);
        let ours = format!("{}\n{}\n", styled.apply_to("fail"), dim("?"));
        assert_eq!(for_terminal(&ours), ours);
        for theirs in [
            "\u{1b}[2J",
            "\u{1b}[8m",
            "\u{1b}[38;5;0m",
            "\u{1b}]0;t\u{7}",
            "\u{1b}[",
            "\u{1b}[+1m",
            "\r",
            "\u{9b}2J",
            "\u{202e}",
            "\u{200b}",
        ] {
            let shown = for_terminal(&format!("Mug{theirs}m"));
            assert!(shown.starts_with("Mug\u{fffd}"), "{shown:?}");
            assert!(shown.chars().all(is_plain), "{shown:?}");
        }
    }

    #[test]
    fn a_narrow_terminal_cuts_names_and_never_amounts() {
        assert_eq!(
            table().within(Some(29)),
            "ID      NAME            PRICE\n\
             mug     Stoneware…  15.00 USD\n\
             poster  Lighthous…   2400 JPY\n"
        );
    }
}
