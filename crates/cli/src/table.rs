//! A table on standard output: columns as wide as what is in them.

use std::fmt;

/// Rows below a heading.
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.map(str::to_owned)] }
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|it| it.get(at));
            cells.map(|it| it.chars().count()).max().unwrap_or_default()
        };
        for row in &self.rows {
            let cells = row.iter().enumerate();
            let cells = cells.map(|(at, cell)| format!("{cell:<width$}", width = width(at)));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["ID", "NOTE"]);
        table.row(["LSJT1".into(), "rack 7".into()]);
        table.row(["é".into(), String::new()]);
        assert_eq!(table.to_string(), "ID     NOTE\nLSJT1  rack 7\né\n");
    }
}
