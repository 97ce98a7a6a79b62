//! The tasks of a fleet, and what is to be reported of them when. Pure: it is told what happened
//! and when, and says what to report and by when it wants to be asked again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use crate::plan::{Life, Plan};

/// A status that agents report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Stopped { exit_code: Option<i32> },
}

/// What is to be said of a task.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) task: Arc<str>,
    pub(crate) containers: Arc<[String]>,
    pub(crate) status: Status,
}

/// How an agent carries out a task that it is told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) plan: Plan,
    /// Whether it says again what is known, and what is not true any more.
    pub(crate) is_clumsy: bool,
}

/// Every task that has not ended, by ARN.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    tasks: HashMap<Arc<str>, Task>,
    /// When tasks start or end by themselves. One that was stopped meanwhile has moved on and is
    /// passed over.
    timers: BinaryHeap<Reverse<(Instant, Arc<str>)>>,
    /// The names of containers last seen; most tasks are of few definitions.
    containers: Option<Arc<[String]>>,
}

#[derive(Debug)]
struct Task {
    containers: Arc<[String]>,
    life: Life,
    is_clumsy: bool,
    phase: Phase,
}

/// In this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    /// The report is on its way.
    ReportingRunning {
        is_to_stop: bool,
    },
    Running,
    ReportingStopped,
}

impl Tasks {
    /// An agent was told that the task shall run.
    pub(crate) fn run(
        &mut self,
        task: &str,
        containers: impl Iterator<Item = String>,
        manner: Manner,
        now: Instant,
    ) -> Option<Report> {
        if let Some(known) = self.tasks.get(task) {
            let again = known.is_clumsy && known.phase == Phase::Running;
            return again.then(|| known.report(task.into(), Status::Running));
        }
        let arn: Arc<str> = task.into();
        let life = manner.plan.life(task);
        let containers = self.interned(containers);
        let phase = Phase::Starting;
        let entry = Task { containers, life, is_clumsy: manner.is_clumsy, phase };
        self.tasks.insert(Arc::clone(&arn), entry);
        if life.starts_after.is_zero() {
            return self.started(&arn);
        }
        self.timers.push(Reverse((now + life.starts_after, arn)));
        None
    }

    /// An agent was told that the task shall stop. It may not know it.
    pub(crate) fn stop(
        &mut self,
        task: &str,
        containers: impl Iterator<Item = String>,
    ) -> Option<Report> {
        let Some(known) = self.tasks.get_mut(task) else {
            let containers = self.interned(containers);
            let status = Status::Stopped { exit_code: Some(0) };
            return Some(Report { task: task.into(), containers, status });
        };
        match known.phase {
            Phase::Starting | Phase::Running => Some(known.end(task.into(), Some(0))),
            Phase::ReportingRunning { .. } => {
                known.phase = Phase::ReportingRunning { is_to_stop: true };
                None
            }
            Phase::ReportingStopped => None,
        }
    }

    /// A report was answered. Says what is to be reported next.
    pub(crate) fn reported(&mut self, report: &Report, now: Instant) -> Vec<Report> {
        let Some(task) = self.tasks.get_mut(&report.task) else { return Vec::new() };
        match (report.status, task.phase) {
            (Status::Running, Phase::ReportingRunning { is_to_stop: true }) => {
                vec![task.end(Arc::clone(&report.task), Some(0))]
            }
            (Status::Running, Phase::ReportingRunning { is_to_stop: false }) => {
                task.phase = Phase::Running;
                if let Some(runs_for) = task.life.runs_for {
                    self.timers.push(Reverse((now + runs_for, Arc::clone(&report.task))));
                }
                Vec::new()
            }
            (Status::Stopped { .. }, Phase::ReportingStopped) => {
                let is_clumsy = task.is_clumsy;
                self.tasks.remove(&report.task);
                // Neither may change anything.
                let late = [Status::Stopped { exit_code: Some(1) }, Status::Running];
                let late = late.into_iter().filter(|_| is_clumsy);
                late.map(|status| Report { status, ..report.clone() }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// When a task starts or ends next.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// What is to be reported of a task whose time has come; to be asked until it says `None`.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Report> {
        while self.next_at().is_some_and(|at| at <= now) {
            let Reverse((_, arn)) = self.timers.pop()?;
            let report = match self.tasks.get(&arn).map(|it| it.phase) {
                Some(Phase::Starting) => self.started(&arn),
                Some(Phase::Running) => {
                    self.tasks.get_mut(&arn).map(|it| it.end(Arc::clone(&arn), Some(0)))
                }
                _ => None,
            };
            if report.is_some() {
                return report;
            }
        }
        None
    }

    fn started(&mut self, arn: &Arc<str>) -> Option<Report> {
        let task = self.tasks.get_mut(arn)?;
        if task.life.fails {
            return Some(task.end(Arc::clone(arn), None));
        }
        task.phase = Phase::ReportingRunning { is_to_stop: false };
        Some(task.report(Arc::clone(arn), Status::Running))
    }

    fn interned(&mut self, containers: impl Iterator<Item = String>) -> Arc<[String]> {
        let containers: Arc<[String]> = containers.collect();
        match &self.containers {
            Some(known) if *known == containers => Arc::clone(known),
            _ => Arc::clone(self.containers.insert(containers)),
        }
    }
}

impl Task {
    fn end(&mut self, arn: Arc<str>, exit_code: Option<i32>) -> Report {
        self.phase = Phase::ReportingStopped;
        self.report(arn, Status::Stopped { exit_code })
    }

    fn report(&self, task: Arc<str>, status: Status) -> Report {
        Report { task, containers: Arc::clone(&self.containers), status }
    }
}

#[cfg(test)]
mod tests;
