//! What a fleet has seen so far, as a line a second and as a summary.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::events::AgentEvent;

/// More kinds of trouble than these are counted, but not shown.
const KINDS: usize = 50;

/// Counts of events.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// ARNs of the instances that were registered.
    pub(crate) instances: Vec<String>,
    pub(crate) connected: u32,
    told_to_run: u64,
    /// By manifests.
    listed: u64,
    /// Of those told to run and those listed, the ones of connections that are gone.
    told_before: u64,
    told_to_stop: u64,
    running: u64,
    stopped: u64,
    refused: u64,
    unanswered: u64,
    /// How often each kind of trouble came.
    trouble: BTreeMap<String, u64>,
}

impl Progress {
    /// Takes an event in. Says what is to be shown of it: the first trouble of its kind.
    pub(crate) fn heard(&mut self, event: AgentEvent) -> Option<String> {
        match event {
            AgentEvent::Registered { instance } => self.instances.push(instance),
            AgentEvent::Connected => self.connected += 1,
            AgentEvent::Disconnected { told_to_run } => {
                self.connected = self.connected.saturating_sub(1);
                self.told_before += told_to_run;
            }
            AgentEvent::Told { desired_status, .. } if desired_status == "STOPPED" => {
                self.told_to_stop += 1;
            }
            AgentEvent::Told { .. } => self.told_to_run += 1,
            AgentEvent::Listed { tasks } => self.listed += tasks,
            AgentEvent::Reported { status: "STOPPED", .. } => self.stopped += 1,
            AgentEvent::Reported { .. } => self.running += 1,
            AgentEvent::Refused { what } => {
                self.refused += 1;
                return self.first_of_its_kind(format!("refused: {what}"));
            }
            AgentEvent::NoAnswer { what } => {
                self.unanswered += 1;
                return self.first_of_its_kind(format!("no answer, tried again: {what}"));
            }
        }
        None
    }

    /// Reports that were acknowledged.
    pub(crate) fn reports(&self) -> u64 {
        self.running + self.stopped
    }

    /// Whether all agents are connected and have been told, on these connections, of as many tasks
    /// as they run.
    pub(crate) fn is_in_agreement(&self, agents: u32) -> bool {
        let told = (self.told_to_run + self.listed).saturating_sub(self.told_before);
        self.connected == agents && told >= self.running.saturating_sub(self.stopped)
    }

    fn first_of_its_kind(&mut self, what: String) -> Option<String> {
        let kind = kind(&what);
        if let Some(count) = self.trouble.get_mut(&kind) {
            *count += 1;
            return None;
        }
        if self.trouble.len() >= KINDS {
            return None;
        }
        self.trouble.insert(kind, 1);
        Some(what)
    }

    /// One line; the rate is of the time since the last.
    pub(crate) fn line(&self, agents: u32, reports_before: u64, elapsed: Duration) -> String {
        let reports = self.reports().saturating_sub(reports_before) as f64;
        let rate = reports / elapsed.as_secs_f64().max(0.001);
        format!(
            "simulated: {} of {agents} agents connected, {self}, {rate:.0} reports/s",
            self.connected
        )
    }

    /// What went wrong how often.
    pub(crate) fn trouble(&self) -> impl Iterator<Item = String> + '_ {
        self.trouble.iter().map(|(kind, count)| format!("{count} times {kind}"))
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "told to run {} and to stop {} tasks, reported {} RUNNING and {} STOPPED, \
             {} calls refused, {} unanswered",
            self.told_to_run,
            self.told_to_stop,
            self.running,
            self.stopped,
            self.refused,
            self.unanswered
        )
    }
}

/// The same for all troubles that differ only in ids and numbers.
fn kind(what: &str) -> String {
    let words = what.split_whitespace();
    let mapped = words.map(|it| if it.contains('/') && !it.contains("://") { "..." } else { it });
    mapped.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_shown_once_of_each_kind_and_counted() {
        let mut progress = Progress::default();
        let mut refused = |what: &str| progress.heard(AgentEvent::Refused { what: what.into() });
        let first = "SubmitTaskStateChange arn:x/1 RUNNING: ServerException";
        assert_eq!(refused(first), Some(format!("refused: {first}")));
        assert_eq!(refused("SubmitTaskStateChange arn:x/2 RUNNING: ServerException"), None);
        assert!(refused("DiscoverPollEndpoint: ServerException").is_some());
        let trouble: Vec<String> = progress.trouble().collect();
        let expect = [
            "1 times refused: DiscoverPollEndpoint: ServerException",
            "2 times refused: SubmitTaskStateChange ... RUNNING: ServerException",
        ];
        assert_eq!(trouble, expect);
    }

    #[test]
    fn agents_that_come_back_agree_once_they_are_told_of_what_they_run() {
        let mut progress = Progress::default();
        let told = || AgentEvent::Told {
            instance: "i".into(),
            task: "t".into(),
            desired_status: "RUNNING".into(),
        };
        let reported = AgentEvent::Reported { task: "t".into(), status: "RUNNING" };
        let mut seen = Vec::new();
        let back = || [AgentEvent::Disconnected { told_to_run: 1 }, AgentEvent::Connected];
        let listed = AgentEvent::Listed { tasks: 1 };
        let course = [AgentEvent::Connected, told(), reported].into_iter().chain(back());
        for event in course.chain([told()]).chain(back()).chain([listed]) {
            progress.heard(event);
            seen.push(progress.is_in_agreement(1));
        }
        assert_eq!(seen, [true, true, true, false, false, true, false, false, true]);
    }

    #[test]
    fn a_line_says_that_it_is_simulated_and_how_fast() {
        let mut progress = Progress::default();
        let report = |status| AgentEvent::Reported { task: "t".into(), status };
        for event in [AgentEvent::Connected, report("RUNNING"), report("STOPPED")] {
            assert_eq!(progress.heard(event), None);
        }
        let line = progress.line(5, 0, Duration::from_millis(500));
        assert_eq!(
            line,
            "simulated: 1 of 5 agents connected, told to run 0 and to stop 0 tasks, reported \
             1 RUNNING and 1 STOPPED, 0 calls refused, 0 unanswered, 4 reports/s"
        );
    }
}
