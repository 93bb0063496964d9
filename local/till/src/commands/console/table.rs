//! Tables, a row to a line, as `grep` and `awk` like them.

use console::{Term, measure_text_width, truncate_str};

use super::words::dim;

/// Columns, as wide as what is in them and together no wider than the terminal.
pub(in crate::commands) struct Table {
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
pub(in crate::commands) struct Column {
    title: &'static str,
    right: bool,
    gives_way: bool,
}

impl Column {
    /// Of words.
    pub(in crate::commands) fn left(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            gives_way: false,
        }
    }

    /// Of amounts.
    pub(in crate::commands) fn right(title: &'static str) -> Self {
        Self {
            title,
            right: true,
            gives_way: false,
        }
    }

    /// Is cut where the terminal is too narrow for all.
    pub(in crate::commands) fn giving_way(self) -> Self {
        Self {
            gives_way: true,
            ..self
        }
    }
}

impl Table {
    /// Without rows.
    pub(in crate::commands) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// One more row, a cell for each column.
    pub(in crate::commands) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A row is one line, whatever is in its cells.
        let cells = cells.into_iter().map(|cell| cell.replace('\n', "\u{fffd}"));
        self.rows.push(Row {
            cells: cells.collect(),
            note: None,
        });
    }

    /// A line below the last row that is never cut.
    pub(in crate::commands) fn note(&mut self, text: String) {
        if let Some(row) = self.rows.last_mut() {
            row.note = Some(text);
        }
    }

    /// As lines; without rows, `none`.
    pub(in crate::commands) fn text_or(&self, none: &str) -> String {
        match self.rows.is_empty() {
            true => format!("{none}\n"),
            false => self.text(),
        }
    }

    /// As lines; nothing at all without rows.
    pub(in crate::commands) fn text(&self) -> String {
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
    fn a_narrow_terminal_cuts_names_and_never_amounts() {
        assert_eq!(
            table().within(Some(29)),
            "ID      NAME            PRICE\n\
             mug     Stoneware…  15.00 USD\n\
             poster  Lighthous…   2400 JPY\n"
        );
    }
}
