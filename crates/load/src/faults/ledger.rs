//! What was asked for, what became of it, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use longshore_wire::ecs;

/// What a task is meant to do; its `startedBy` says so, so that a task whose RunTask was never
/// answered speaks for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It runs until it is stopped.
    Stays,
    /// It ends by itself with this code.
    Ends(i32),
}

impl Kind {
    pub(super) fn mark(self) -> String {
        match self {
            Self::Stays => "stays".into(),
            Self::Ends(code) => format!("ends-{code}"),
        }
    }

    pub(super) fn of(task: &ecs::Task) -> Option<Self> {
        match task.started_by.as_deref()? {
            "stays" => Some(Self::Stays),
            other => other.strip_prefix("ends-")?.parse().ok().map(Self::Ends),
        }
    }
}

/// How much went on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tasks that there were.
    pub tasks: usize,
    /// Of them, those that were asked to stop.
    pub stops: usize,
    /// Of them, those whose ends were held against what Docker said.
    pub ends: usize,
    /// RunTask and StopTask calls without an answer.
    pub unanswered: usize,
}

/// What callers and audits know together.
#[derive(Default)]
pub(super) struct Ledger {
    /// Not known to have ended: what was last seen of each.
    live: BTreeMap<String, Option<ecs::Task>>,
    /// Ended, and found to have ended well.
    settled: BTreeSet<String>,
    /// Somebody began to ask for their stop.
    stopping: BTreeSet<String>,
    /// By task and name: the container of it that was started, and when.
    started: BTreeMap<(String, String), (String, String)>,
    unanswered: usize,
    findings: Vec<String>,
}

impl Ledger {
    pub(super) fn found(&mut self, arn: &str) {
        if !self.settled.contains(arn) {
            self.live.entry(arn.to_owned()).or_default();
        }
    }

    pub(super) fn saw(&mut self, task: &ecs::Task) {
        if let Some(seen) = task.task_arn.as_ref().and_then(|it| self.live.get_mut(it)) {
            *seen = Some(task.clone());
        }
    }

    pub(super) fn settled(&mut self, arn: &str) {
        self.live.remove(arn);
        self.settled.insert(arn.to_owned());
    }

    pub(super) fn stopping(&mut self, arn: &str) {
        self.stopping.insert(arn.to_owned());
    }

    pub(super) fn is_stopping(&self, arn: &str) -> bool {
        self.stopping.contains(arn)
    }

    /// Of the tasks that nobody has asked to stop.
    pub(super) fn lasting(&self) -> Vec<String> {
        self.live.keys().filter(|it| !self.stopping.contains(*it)).cloned().collect()
    }

    /// Whether the task is known to stay until it is stopped.
    pub(super) fn stays(&self, arn: &str) -> bool {
        let seen = self.live.get(arn).and_then(Option::as_ref);
        seen.and_then(Kind::of) == Some(Kind::Stays)
    }

    pub(super) fn live(&self) -> Vec<String> {
        self.live.keys().cloned().collect()
    }

    pub(super) fn describe_live(&self) -> Vec<&ecs::Task> {
        self.live.values().flatten().collect()
    }

    pub(super) fn all_run_or_have_ended(&self) -> bool {
        self.live.iter().all(|(arn, seen)| {
            let seen = seen.as_ref();
            let runs = seen.is_some_and(|it| it.last_status.as_deref() == Some("RUNNING"));
            runs && seen.and_then(Kind::of) == Some(Kind::Stays) && !self.stopping.contains(arn)
        })
    }

    /// A container of a task was started: it is the only one, and it was started once.
    pub(super) fn started(&mut self, task: &str, name: &str, id: &str, started_at: &str) {
        let now = (id.to_owned(), started_at.to_owned());
        let first = self.started.entry((task.into(), name.into())).or_insert_with(|| now.clone());
        if *first != now {
            let text = format!("{name} of {task} was started twice: {first:?}, {now:?}");
            self.find(text);
        }
    }

    pub(super) fn was_started(&self, task: &str, name: &str) -> bool {
        self.started.contains_key(&(task.to_owned(), name.to_owned()))
    }

    pub(super) fn no_answer(&mut self) {
        self.unanswered += 1;
    }

    pub(super) fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }

    pub(super) fn take_findings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.findings)
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            tasks: self.live.len() + self.settled.len(),
            stops: self.stopping.len(),
            ends: self.settled.len(),
            unanswered: self.unanswered,
        }
    }
}
