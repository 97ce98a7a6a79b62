//! What came of the comparison, as a table, and how to read it.

use std::fmt;
use std::time::Duration;

use super::calls::Call;
use super::{INSTANCES, TASKS, median};
use crate::figures::{Figures, millis};

/// How many times moto's rate is wanted.
const GOAL: f64 = 50.0;

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) call: Call,
    pub(crate) connections: usize,
}

/// One measurement of one server.
pub(crate) struct Side {
    pub(crate) wall: Duration,
    /// Of the server, meanwhile.
    pub(crate) cpu: Duration,
    /// Of each call.
    pub(crate) latencies: Vec<Duration>,
}

impl Side {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.wall.as_secs_f64()
    }

    fn cpu_by_wall(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64()
    }

    fn cpu_micros_a_call(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.latencies.len() as f64
    }
}

/// Two measurements, one after the other.
pub(crate) struct Pair {
    pub(crate) ours: Side,
    pub(crate) theirs: Side,
}

#[derive(Default)]
pub(crate) struct Report {
    /// Milliseconds of one before each repeat.
    pub(crate) fsyncs: Vec<f64>,
    rows: Vec<(Row, Vec<Pair>)>,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row, pair: Pair) {
        let ratio = pair.ours.rate() / pair.theirs.rate();
        eprintln!("{} by {}: {ratio:.1} times", row.call, row.connections);
        match self.rows.iter_mut().find(|(it, _)| *it == row) {
            Some((_, pairs)) => pairs.push(pair),
            None => self.rows.push((row, vec![pair])),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.rows.first().map_or(0, |(_, pairs)| pairs.len());
        writeln!(
            f,
            "\nLongshore and moto_server, the same calls by the same client on {} cores: medians of \
             {pairs} pairs.\n",
            std::thread::available_parallelism().map_or(0, |it| it.get()),
        )?;
        writeln!(
            f,
            "{:<29}{:>17}{:>8}{:>37}{:>14}{:>23}",
            "", "calls/s", "", "milliseconds, p50 / p99", "CPU s a s", "server CPU us a call",
        )?;
        writeln!(
            f,
            "{:<23}{:>6}{:>10}{:>7}{:>8}{:>16}{:>21}{:>8}{:>6}{:>8}{:>7}{:>8}",
            "call",
            "conns",
            "Longshore",
            "moto",
            "times",
            "Longshore",
            "moto",
            "L.",
            "moto",
            "L.",
            "moto",
            "times",
        )?;
        self.rows.iter().try_for_each(|(row, pairs)| line(f, *row, pairs))?;
        write!(f, "\n{}", self.notes())
    }
}

fn line(f: &mut fmt::Formatter<'_>, row: Row, pairs: &[Pair]) -> fmt::Result {
    let of = |figure: &dyn Fn(&Pair) -> f64| median(pairs.iter().map(figure));
    let times = of(&|it| it.ours.rate() / it.theirs.rate());
    let text = format!(
        "{:<23}{:>6}{:>10.0}{:>7.0}{:>8.1}{:>16}{:>21}{:>8.2}{:>6.2}{:>8.0}{:>7.0}{:>8.1}  {}",
        row.call.to_string(),
        row.connections,
        of(&|it| it.ours.rate()),
        of(&|it| it.theirs.rate()),
        times,
        percentiles(pairs.iter().map(|it| &it.ours)),
        percentiles(pairs.iter().map(|it| &it.theirs)),
        of(&|it| it.ours.cpu_by_wall()),
        of(&|it| it.theirs.cpu_by_wall()),
        of(&|it| it.ours.cpu_micros_a_call()),
        of(&|it| it.theirs.cpu_micros_a_call()),
        of(&|it| it.theirs.cpu_micros_a_call() / it.ours.cpu_micros_a_call()),
        if times < GOAL { "MISSED" } else { "" },
    );
    writeln!(f, "{}", text.trim_end())
}

fn percentiles<'a>(sides: impl Iterator<Item = &'a Side>) -> String {
    let latencies: Figures = millis(sides.flat_map(|it| &it.latencies));
    format!("{:.2} / {:.2}", latencies.median(), latencies.percentile(99))
}

impl Report {
    fn notes(&self) -> String {
        let fsync = median(self.fsyncs.iter().copied());
        let durable = self.rows.iter().filter(|(row, _)| row.call.is_durable());
        let moto = durable.filter(|(row, _)| row.connections == 1);
        let moto = moto.flat_map(|(_, pairs)| pairs).map(|it| it.theirs.rate());
        let most = 1000.0 / fsync;
        format!(
            "State at the start of each repeat, of both: {TASKS} tasks, {INSTANCES} container \
             instances. The tasks that RunTask makes stay.\n\
             Longshore checks every signature, writes to its journal on disk before it answers, and \
             tells simulated agents of their tasks, which share the cores.\n\
             moto does not: it checks no signature, keeps its state in memory only, has no agents \
             and runs nothing. Its container instances have a fixed size; ListTasks has no pages. \
             It closes each connection after one answer.\n\
             An fsync took {fsync:.2} ms just before (median), so that one caller who waits for each \
             write makes at most {most:.0} calls/s, {:.0} times moto's rate, however fast the \
             server is.\n",
            most / median(moto),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(calls: usize, cpu_millis: u64) -> Side {
        Side {
            wall: Duration::from_secs(1),
            cpu: Duration::from_millis(cpu_millis),
            latencies: vec![Duration::from_millis(2); calls],
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_pairs() {
        let mut report = Report { fsyncs: vec![1.0], rows: Vec::new() };
        let row = Row { call: Call::RunTask(1), connections: 1 };
        for (ours, theirs) in [(600, 10), (300, 10), (1000, 10)] {
            report.add(row, Pair { ours: side(ours, 600), theirs: side(theirs, 1000) });
        }
        let text = report.to_string();
        let line = text.lines().find(|it| it.starts_with("RunTask of 1 ")).unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        let expected =
            "RunTask of 1 1 600 10 60.0 2.00 / 2.00 2.00 / 2.00 0.60 1.00 1000 100000 100.0";
        assert_eq!(words.join(" "), expected);
        assert!(text.contains("at most 1000 calls/s, 100 times"), "{text}");
    }
}
