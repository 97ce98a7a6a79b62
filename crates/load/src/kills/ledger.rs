//! What the server has acknowledged and shown so far: what it must stand by.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem;

use longshore_wire::ecs;

use super::seen::{DesiredStatus, Floor, LastStatus, Seen};
use longshore_simulated_fleet::AgentEvent;

/// Everything acknowledged and shown. All methods note what contradicts it as a finding.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By ARN.
    tasks: HashMap<String, TaskRecord>,
    /// Those not yet seen STOPPED.
    live: BTreeSet<String>,
    /// Those of which something was acknowledged since the last audit.
    touched: HashSet<String>,
    /// RunTask calls, answered or not, by their mark in `startedBy`.
    runs: HashMap<String, Run>,
    /// Acknowledged names.
    pub(super) clusters: Kept<String>,
    /// Acknowledged definitions.
    pub(super) definitions: Kept<ecs::TaskDefinition>,
    /// Acknowledged instances: the cluster and the ARN.
    pub(super) instances: Kept<(String, String)>,
    /// What an agent was last told of a task: by whom, and whether to stop it.
    told: HashMap<String, (String, bool)>,
    /// The highest version shown of each instance.
    instance_versions: HashMap<String, i64>,
    findings: Vec<String>,
    pub(super) counts: Counts,
}

/// How much was acknowledged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Tasks that RunTask answered with.
    pub tasks: u64,
    /// StopTask calls.
    pub stops: u64,
    /// Agents' reports.
    pub reports: u64,
    /// RegisterTaskDefinition, RegisterContainerInstance and CreateCluster calls.
    pub registrations: u64,
    /// RunTask calls that nobody answered, so that they may or may not have happened.
    pub unanswered_runs: u64,
    /// Tasks that such calls made.
    pub found_tasks: u64,
}

/// A list of acknowledged things, some of which were not audited yet.
#[derive(Debug)]
pub(super) struct Kept<T> {
    all: Vec<T>,
    audited: usize,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { all: Vec::new(), audited: 0 }
    }
}

impl<T: Clone> Kept<T> {
    pub(super) fn keep(&mut self, it: T) {
        self.all.push(it);
    }

    pub(super) fn all(&self) -> &[T] {
        &self.all
    }

    /// What is to be audited now: all, or what is new.
    pub(super) fn take(&mut self, everything: bool) -> Vec<T> {
        let from = if everything { 0 } else { self.audited };
        self.audited = self.all.len();
        self.all.get(from..).unwrap_or_default().to_vec()
    }
}

#[derive(Debug, Default)]
struct TaskRecord {
    floor: Floor,
    /// The latest that was shown.
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Run {
    count: usize,
    answered: bool,
    tasks: BTreeSet<String>,
}

impl Ledger {
    /// What was found wrong since the last time.
    pub(super) fn findings(&mut self) -> Vec<String> {
        mem::take(&mut self.findings)
    }

    pub(super) fn find(&mut self, what: String) {
        self.findings.push(what);
    }

    /// A RunTask call is about to be made.
    pub(super) fn run_begins(&mut self, mark: &str, count: usize) {
        self.counts.unanswered_runs += 1;
        self.runs.insert(mark.to_owned(), Run { count, answered: false, tasks: BTreeSet::new() });
    }

    /// It was answered.
    pub(super) fn run_answered(&mut self, mark: &str, answer: &ecs::RunTaskResponse) {
        let tasks = answer.tasks.as_deref().unwrap_or_default();
        let arns: BTreeSet<String> = tasks.iter().filter_map(|it| it.task_arn.clone()).collect();
        let failures = answer.failures.as_ref().map_or(0, Vec::len);
        let Some(run) = self.runs.get_mut(mark) else { return };
        run.answered = true;
        run.tasks.extend(arns.iter().cloned());
        let fits = arns.len() == tasks.len()
            && (arns.len() == run.count || (arns.len() < run.count && failures > 0));
        if !fits {
            let count = run.count;
            self.find(format!("{mark} asked for {count} tasks and got {answer:?}"));
        }
        self.counts.unanswered_runs -= 1;
        self.counts.tasks += arns.len() as u64;
        for task in tasks {
            let arn = task.task_arn.as_deref().unwrap_or_default();
            if self.tasks.get(arn).is_some_and(|it| it.seen.is_some()) {
                self.find(format!("{mark} was given {arn}, which was there before"));
            }
            self.saw(task, Floor::default());
        }
    }

    /// It was refused: it did nothing.
    pub(super) fn run_refused(&mut self, mark: &str) {
        self.counts.unanswered_runs -= 1;
        if let Some(run) = self.runs.get_mut(mark) {
            run.answered = true;
        }
    }

    /// StopTask was answered; the floor is from before it was asked for.
    pub(super) fn stop_answered(&mut self, task: &ecs::Task, floor: Floor) {
        self.counts.stops += 1;
        self.saw(task, Floor { desired_status: DesiredStatus::Stopped, ..floor });
    }

    /// Something happened to an agent.
    pub(super) fn heard(&mut self, event: AgentEvent, cluster: &str) {
        match event {
            AgentEvent::Registered { instance } => {
                self.counts.registrations += 1;
                let entry = (cluster.to_owned(), instance);
                if !self.instances.all().contains(&entry) {
                    self.instances.keep(entry);
                }
            }
            AgentEvent::Told { instance, task, desired_status } => {
                let stop = desired_status == "STOPPED";
                let before = self.told.insert(task.clone(), (instance.clone(), stop));
                if let Some((other, was_to_stop)) = before
                    && (other != instance || (was_to_stop && !stop))
                {
                    self.find(format!(
                        "{other} was told of {task} (to stop it: {was_to_stop}), then {instance} \
                         (to stop it: {stop})"
                    ));
                }
            }
            AgentEvent::Reported { task, status } => {
                self.counts.reports += 1;
                let Some(status) = LastStatus::parse(status) else { return };
                self.touched.insert(task.clone());
                let record = self.tasks.entry(task.clone()).or_default();
                record.floor.last_status = record.floor.last_status.max(status);
                if status == LastStatus::Stopped {
                    record.floor.desired_status = DesiredStatus::Stopped;
                } else if record.seen.is_none() {
                    self.live.insert(task);
                }
            }
            AgentEvent::Refused { what } => self.find(what),
            // Of a server that is killed that is expected.
            AgentEvent::Connected
            | AgentEvent::Disconnected { .. }
            | AgentEvent::Listed { .. }
            | AgentEvent::NoAnswer { .. } => {}
        }
    }

    /// Below which later answers must not fall.
    pub(super) fn floor(&self, arn: &str) -> Floor {
        self.tasks.get(arn).map(|it| it.floor).unwrap_or_default()
    }

    /// A task was shown; the floor is from before it was asked for.
    pub(super) fn saw(&mut self, task: &ecs::Task, floor: Floor) {
        let Some(arn) = task.task_arn.clone() else {
            return self.find(format!("a task without ARN: {task:?}"));
        };
        let Some(seen) = Seen::read(task) else {
            return self.find(format!("an incomplete task: {task:?}"));
        };
        let record = self.tasks.entry(arn.clone()).or_default();
        let contradiction = record.seen.as_ref().and_then(|it| seen.contradiction(it));
        let fallen = seen.fall_below(floor);
        record.floor.raise(&seen);
        if record.floor.last_status == LastStatus::Stopped {
            self.live.remove(&arn);
        } else {
            self.live.insert(arn.clone());
        }
        self.touched.insert(arn.clone());
        for problem in contradiction.into_iter().chain(fallen) {
            self.find(format!("{arn} {problem}"));
        }
        self.belongs(&arn, &seen.started_by);
        if let Some(record) = self.tasks.get_mut(&arn)
            && record.seen.as_ref().is_none_or(|it| it.version <= seen.version)
        {
            record.seen = Some(seen);
        }
    }

    /// Each task is one that a call asked for, and of an answered call one it was answered with.
    fn belongs(&mut self, arn: &str, mark: &str) {
        let Some(run) = self.runs.get_mut(mark) else {
            return self.find(format!("{arn} is of {mark:?}, which was never asked for"));
        };
        if run.tasks.contains(arn) {
            return;
        }
        run.tasks.insert(arn.to_owned());
        if run.answered || run.tasks.len() > run.count {
            let (count, tasks) = (run.count, run.tasks.clone());
            self.find(format!("{arn} is one too many of {mark} for {count}: {tasks:?}"));
        }
        self.counts.found_tasks += 1;
    }

    /// A task that must be there is not.
    pub(super) fn missing(&mut self, arn: &str, reason: &str) {
        let record = self.tasks.get(arn);
        self.find(format!("{arn} is lost ({reason}); what was known: {record:?}"));
    }

    /// An instance was shown.
    pub(super) fn saw_instance(&mut self, instance: &ecs::ContainerInstance) {
        let arn = instance.container_instance_arn.clone().unwrap_or_default();
        let version = instance.version.unwrap_or_default();
        let before = self.instance_versions.insert(arn.clone(), version).unwrap_or_default();
        if version < before {
            self.find(format!("{arn} had version {before} and has {version}"));
        }
    }

    /// Tasks that are not known to have ended.
    pub(super) fn live(&self) -> &BTreeSet<String> {
        &self.live
    }

    /// The tasks to audit: all, or those that live or of which something was acknowledged since
    /// the last audit.
    pub(super) fn take_tasks(&mut self, everything: bool) -> BTreeSet<String> {
        let touched = mem::take(&mut self.touched);
        if everything {
            self.tasks.keys().cloned().collect()
        } else {
            touched.into_iter().chain(self.live.iter().cloned()).collect()
        }
    }
}
