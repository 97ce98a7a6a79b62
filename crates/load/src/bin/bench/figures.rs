//! Medians, and the table in which they end up.

use std::fmt;
use std::time::Duration;

/// Figures of several repeats, in order of size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl FromIterator<f64> for Figures {
    fn from_iter<T: IntoIterator<Item = f64>>(figures: T) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }
}

impl Figures {
    /// The one in the middle.
    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The one below or at which so many hundredths of them are; not a number when there are none.
    pub(crate) fn percentile(&self, hundredths: usize) -> f64 {
        let rank = (self.0.len() * hundredths).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or(f64::NAN)
    }
}

/// Milliseconds of each.
pub(crate) fn millis<'a>(durations: impl IntoIterator<Item = &'a Duration>) -> Figures {
    durations.into_iter().map(|it| it.as_secs_f64() * 1000.0).collect()
}

/// Whether a figure is to stay below its goal or to reach it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// Shown for what it explains.
    None,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    what: String,
    goal: Goal,
    measured: f64,
    unit: &'static str,
}

impl Table {
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        goal: Goal,
        measured: f64,
        unit: &'static str,
    ) {
        let row = Row { what: what.into(), goal, measured, unit };
        eprintln!("{row}");
        self.0.push(row);
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, goal, measured, unit } = self;
        let (goal, verdict) = match goal {
            Goal::AtMost(most) => (format!("<= {most}"), measured <= most),
            Goal::AtLeast(least) => (format!(">= {least}"), measured >= least),
            Goal::None => (String::new(), true),
        };
        let verdict = if verdict { "" } else { "MISSED" };
        let measured = match measured.abs() {
            100.0.. => format!("{measured:.0}"),
            _ => format!("{measured:.2}"),
        };
        write!(f, "{what:<58} {goal:>9} {measured:>9} {unit:<9} {verdict}")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<58} {:>9} {:>9}", "", "goal", "measured")?;
        self.0.iter().try_for_each(|row| writeln!(f, "{}", row.to_string().trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let figures: Figures = (1..=10).map(f64::from).collect();
        assert_eq!(figures.median(), 5.0);
        assert_eq!(figures.percentile(90), 9.0);
        assert_eq!(figures.percentile(100), 10.0);
        assert!(Figures::default().median().is_nan());
    }

    #[test]
    fn a_missed_goal_is_said() {
        let mut table = Table::default();
        table.add("slow", Goal::AtMost(1.0), 2.0, "ms");
        table.add("fast", Goal::AtLeast(1.0), 2.0, "/s");
        let text = table.to_string();
        assert_eq!(text.matches("MISSED").count(), 1, "{text}");
    }
}
