//! Tables, a row to a line, as `grep` and `awk` like them.

use std::collections::BTreeMap;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row, Width};
use console::Term;

use super::words::dim;

/// Between columns.
const GAP: u16 = 2;

/// Columns, as wide as what is in them and together no wider than the terminal.
pub(in crate::commands) struct Table {
    table: comfy_table::Table,
    /// Lines below rows, by the row's number, that mind no columns and are never cut.
    notes: BTreeMap<usize, String>,
}

/// A column's heading and manner.
#[derive(Clone, Copy)]
pub(in crate::commands) struct Column {
    title: &'static str,
    alignment: CellAlignment,
    room: Room,
}

/// What becomes of a column if there is too little room for all.
#[derive(Clone, Copy)]
enum Room {
    Stays,
    GivesWay,
    IfWide,
}

/// From how many characters a terminal is wide.
const WIDE: u16 = 110;

impl Column {
    /// Of words.
    pub(in crate::commands) fn left(title: &'static str) -> Self {
        Self {
            title,
            alignment: CellAlignment::Left,
            room: Room::Stays,
        }
    }

    /// Of amounts.
    pub(in crate::commands) fn right(title: &'static str) -> Self {
        Self {
            alignment: CellAlignment::Right,
            ..Self::left(title)
        }
    }

    /// Is cut where the terminal is too narrow for all.
    pub(in crate::commands) fn giving_way(self) -> Self {
        Self {
            room: Room::GivesWay,
            ..self
        }
    }

    /// Is left out of a terminal of up to 109 characters.
    pub(in crate::commands) fn if_wide(self) -> Self {
        Self {
            room: Room::IfWide,
            ..self
        }
    }

    /// In a terminal of this width, if it is one.
    fn constraint(self, terminal: Option<u16>) -> ColumnConstraint {
        match self.room {
            Room::Stays => ColumnConstraint::ContentWidth,
            Room::GivesWay => {
                let least = u16::try_from(self.title.len().max(8)).unwrap_or(u16::MAX);
                ColumnConstraint::LowerBoundary(Width::Fixed(least))
            }
            Room::IfWide if terminal.is_some_and(|width| width < WIDE) => ColumnConstraint::Hidden,
            Room::IfWide => ColumnConstraint::ContentWidth,
        }
    }
}

impl Table {
    /// Without rows.
    pub(in crate::commands) fn new<const N: usize>(columns: [Column; N]) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            // It takes a terminal that does not tell its width for one without any.
            .force_no_tty()
            .set_truncation_indicator("…")
            .set_header(columns.map(|column| dim(column.title)));
        let terminal = Term::stdout().size_checked().map(|(_, width)| width);
        if let Some(width) = terminal {
            table.set_width(width);
        }
        for (place, (column, shown)) in columns.iter().zip(table.column_iter_mut()).enumerate() {
            let is_last = place.saturating_add(1) == N;
            shown.set_padding((0, if is_last { 0 } else { GAP }));
            shown.set_cell_alignment(column.alignment);
            shown.set_constraint(column.constraint(terminal));
            // A cell is cut where the space ends, not where a word does.
            shown.set_delimiter('\n');
        }
        Self {
            table,
            notes: BTreeMap::new(),
        }
    }

    /// One more row, a cell for each column.
    pub(in crate::commands) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A row is one line, whatever is in its cells.
        let cells = cells.into_iter().map(|cell| cell.replace('\n', "\u{fffd}"));
        let mut row = Row::from(cells.collect::<Vec<_>>());
        row.max_height(1);
        self.table.add_row(row);
    }

    /// A line below the last row.
    pub(in crate::commands) fn note(&mut self, text: String) {
        self.notes.insert(self.table.row_count(), text);
    }

    /// As lines; without rows, `none`.
    pub(in crate::commands) fn text_or(&self, none: &str) -> String {
        match self.table.is_empty() {
            true => format!("{none}\n"),
            false => self.text(),
        }
    }

    /// As lines; nothing at all without rows.
    pub(in crate::commands) fn text(&self) -> String {
        if self.table.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        // The first line, the heading's, has the number 0.
        for (number, line) in self.table.lines().enumerate() {
            text.push_str(line.trim_end());
            text.push('\n');
            if let Some(note) = self.notes.get(&number) {
                text.push_str(&format!("  {}\n", dim(note)));
            }
        }
        text
    }
}

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
            table().text(),
            "ID      NAME                   PRICE\n\
             mug     Stoneware mug      15.00 USD\n\
             poster  Lighthouse poster   2400 JPY\n"
        );
    }

    #[test]
    fn a_note_stays_below_its_row() {
        let mut table = table();
        table.note("sold out".to_owned());
        table.row(["cap", "Cap", "9.00 USD"].map(str::to_owned));
        let text = table.text();
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines[1], "  sold out");
        assert!(lines[2].starts_with("cap"), "{text}");
    }

    #[test]
    fn a_narrow_terminal_cuts_names_and_never_amounts() {
        let mut table = table();
        table.table.set_width(29);
        assert_eq!(
            table.text(),
            "ID      NAME            PRICE\n\
             mug     Stoneware…  15.00 USD\n\
             poster  Lighthous…   2400 JPY\n"
        );
    }
}
