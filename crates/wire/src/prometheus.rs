//! A page of metrics, for Prometheus and whoever reads its text format, version 0.0.4.
//! Source: Prometheus' documentation, "Exposition formats".

use std::fmt::Write;

/// What a page is sent as.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page under way.
#[derive(Clone, Debug, Default)]
pub struct Page {
    text: String,
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from a start on; by custom its name ends with `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How many of something were at most so large: its samples are
    /// [parts](Metric::part), `_bucket` by the label `le`, `_sum` and `_count`.
    Histogram,
}

/// A metric on a page, and its samples so far.
#[derive(Debug)]
pub struct Metric<'a> {
    page: &'a mut Page,
    name: &'a str,
    kind: Kind,
    help: &'a str,
    begun: bool,
}

impl Page {
    /// Begins a metric, of which a page has each once. `help` is a sentence. One without a sample
    /// leaves no trace.
    pub fn metric<'a>(&'a mut self, name: &'a str, kind: Kind, help: &'a str) -> Metric<'a> {
        Metric { page: self, name, kind, help, begun: false }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }
}

impl Metric<'_> {
    /// Adds a sample with these labels, which no other sample of the metric has.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.part("", labels, value)
    }

    /// Adds a sample whose name is the metric's with this at its end.
    pub fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let (name, text) = (self.name, &mut self.page.text);
        if !std::mem::replace(&mut self.begun, true) {
            let kind = match self.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
            text.extend(["# HELP ", name, " ", &help, "\n# TYPE ", name, " ", kind, "\n"]);
        }
        text.extend([name, suffix]);
        for (position, (label, value)) in labels.iter().enumerate() {
            text.push(if position == 0 { '{' } else { ',' });
            text.extend([label, "=\""]);
            push_escaped(text, value);
            text.push('"');
        }
        if !labels.is_empty() {
            text.push('}');
        }
        text.push(' ');
        push_value(text, value);
        text.push('\n');
        self
    }
}

fn push_escaped(text: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn push_value(text: &mut String, value: f64) {
    if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        // Writing to a string does not fail.
        let _ = write!(text, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_each_metric_with_its_samples() {
        let mut page = Page::default();
        page.metric("tasks", Kind::Gauge, "Tasks.")
            .sample(&[("cluster", "a"), ("status", "RUNNING")], 3.0)
            .sample(&[("cluster", "a"), ("status", "STOPPED")], 0.25);
        page.metric("nothing", Kind::Gauge, "Never there.");
        page.metric("calls_total", Kind::Counter, "Calls.").sample(&[], 1e15);
        assert_eq!(
            page.finish(),
            "# HELP tasks Tasks.\n\
             # TYPE tasks gauge\n\
             tasks{cluster=\"a\",status=\"RUNNING\"} 3\n\
             tasks{cluster=\"a\",status=\"STOPPED\"} 0.25\n\
             # HELP calls_total Calls.\n\
             # TYPE calls_total counter\n\
             calls_total 1000000000000000\n"
        );
    }

    #[test]
    fn a_histogram_has_parts() {
        let mut page = Page::default();
        page.metric("took_seconds", Kind::Histogram, "Time.")
            .part("_bucket", &[("le", "0.5")], 1.0)
            .part("_bucket", &[("le", "+Inf")], 2.0)
            .part("_sum", &[], 3.5)
            .part("_count", &[], 2.0);
        assert_eq!(
            page.finish(),
            "# HELP took_seconds Time.\n\
             # TYPE took_seconds histogram\n\
             took_seconds_bucket{le=\"0.5\"} 1\n\
             took_seconds_bucket{le=\"+Inf\"} 2\n\
             took_seconds_sum 3.5\n\
             took_seconds_count 2\n"
        );
    }

    #[test]
    fn whatever_a_label_says_it_stays_one() {
        let mut page = Page::default();
        page.metric("m", Kind::Gauge, "a\\b\nc").sample(&[("l", "a\"b\\c\nd")], f64::INFINITY);
        assert_eq!(
            page.finish(),
            "# HELP m a\\\\b\\nc\n# TYPE m gauge\nm{l=\"a\\\"b\\\\c\\nd\"} +Inf\n"
        );
    }
}
