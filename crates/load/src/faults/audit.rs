//! Holds what the API says, what Docker says now and what it said before the fault against each
//! other. Callers go on meanwhile, so the order of looking matters: the API is asked before Docker.

use std::sync::{Mutex, MutexGuard, PoisonError};

use longshore_simulated_fleet::Client;
use longshore_wire::{Timestamp, ecs};

use super::containers::{Container, Containers, Snapshot, Stage};
use super::ledger::{Kind, Ledger};

/// The most names of one DescribeTasks call.
const CHUNK: usize = 100;

/// By how much `executionStoppedAt` may differ from what Docker says of the essential container.
const TOLERANCE_MILLIS: i64 = 50;

/// What stopping ends a container with: on SIGTERM, on SIGKILL where that was not heard, or, where
/// SIGTERM came before the container's own program, as runc ends then.
const STOPPED: [i32; 3] = [143, 137, 2];

/// Which tasks are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those that are to run, and those that are not known to have ended.
    Recent,
    /// All.
    Everything,
}

pub(super) struct Audit<'a> {
    pub(super) client: &'a Client,
    pub(super) cluster: &'a str,
    pub(super) ledger: &'a Mutex<Ledger>,
    pub(super) containers: &'a Containers,
}

impl Audit<'_> {
    /// Notes what is wrong in the ledger.
    pub(super) async fn run(&self, before: &Snapshot, scope: Scope) -> anyhow::Result<()> {
        let mut wanted = vec!["RUNNING"];
        wanted.extend(Some("STOPPED").filter(|_| scope == Scope::Everything));
        for desired_status in wanted {
            self.find_tasks(desired_status).await?;
        }
        let tasks = self.describe_live().await?;
        let now = self.containers.look().await?;
        let mut ledger = self.ledger();
        undisturbed(&mut ledger, before, &now);
        for (id, container) in &now {
            if let Stage::Running { started_at, .. } | Stage::Exited { started_at, .. } =
                &container.stage
            {
                ledger.started(&container.task, &container.name, id, started_at);
            }
        }
        for task in &tasks {
            ledger.saw(task);
            check(&mut ledger, task, &now);
        }
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find_tasks(&self, desired_status: &str) -> anyhow::Result<()> {
        let mut next_token = None;
        loop {
            let request = ecs::ListTasksRequest {
                cluster: Some(self.cluster.to_owned()),
                desired_status: Some(desired_status.to_owned()),
                next_token,
                ..ecs::ListTasksRequest::default()
            };
            let page = self.client.call(&request).await?;
            let mut ledger = self.ledger();
            page.task_arns.unwrap_or_default().iter().for_each(|it| ledger.found(it));
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(());
            }
        }
    }

    async fn describe_live(&self) -> anyhow::Result<Vec<ecs::Task>> {
        let arns = self.ledger().live();
        let mut tasks = Vec::new();
        for chunk in arns.chunks(CHUNK) {
            let request = ecs::DescribeTasksRequest {
                cluster: Some(self.cluster.to_owned()),
                tasks: Some(chunk.to_vec()),
                ..ecs::DescribeTasksRequest::default()
            };
            let answer = self.client.call(&request).await?;
            for failure in answer.failures.unwrap_or_default() {
                self.ledger().find(format!("a task is lost: {failure:?}"));
            }
            tasks.extend(answer.tasks.unwrap_or_default());
        }
        Ok(tasks)
    }
}

/// What ran before, and nobody has asked to stop, runs: the same process, started at the same time.
fn undisturbed(ledger: &mut Ledger, before: &Snapshot, now: &Snapshot) {
    for (id, was) in before {
        let is = now.get(id);
        let may_end = ledger.is_stopping(&was.task) || !ledger.stays(&was.task);
        if matches!(was.stage, Stage::Running { .. }) && !may_end && is != Some(was) {
            ledger.find(format!("the container {id} was disturbed: {was:?} has become {is:?}"));
        }
    }
}

/// Whether the API says of a task what Docker says of its containers.
fn check(ledger: &mut Ledger, task: &ecs::Task, now: &Snapshot) {
    let (Some(arn), Some(kind)) = (task.task_arn.as_deref(), Kind::of(task)) else {
        return ledger.find(format!("a task is odd: {task:?}"));
    };
    let there: Vec<&Container> = now.values().filter(|it| it.task == arn).collect();
    let running = there.iter().filter(|it| matches!(it.stage, Stage::Running { .. })).count();
    let containers = task.containers.as_deref().unwrap_or_default();
    let is_stopping = ledger.is_stopping(arn);
    match task.last_status.as_deref() {
        Some("STOPPED") => {
            if running > 0 {
                ledger.find(format!("of a task that is STOPPED, {there:?} run: {task:?}"));
            }
            if let Some(wrong) = wrong_end(ledger, task, kind, &there) {
                ledger.find(format!("{wrong}: {task:?}, of which Docker has {there:?}"));
            }
            ledger.settled(arn);
        }
        Some("RUNNING") if kind == Kind::Stays && !is_stopping && running != containers.len() => {
            ledger.find(format!("of a RUNNING task there are {there:?}: {task:?}"));
        }
        _ => {}
    }
}

/// What is wrong with how a task's end is told, if something is.
fn wrong_end(
    ledger: &Ledger,
    task: &ecs::Task,
    kind: Kind,
    there: &[&Container],
) -> Option<&'static str> {
    let arn = task.task_arn.as_deref().unwrap_or_default();
    let containers = task.containers.as_deref().unwrap_or_default();
    for told in containers {
        let name = told.name.as_deref().unwrap_or_default();
        let of_docker = there.iter().find_map(|it| match &it.stage {
            Stage::Exited { code, finished_at, .. } if it.name == name => {
                Some((i32::try_from(*code).ok(), finished_at))
            }
            _ => None,
        });
        match of_docker {
            Some((code, _)) if told.exit_code != code => return Some("an exit code is wrong"),
            None if told.exit_code.is_none() && ledger.was_started(arn, name) => {
                return Some("an exit code is missing");
            }
            _ => {}
        }
        if name != "main" {
            continue;
        }
        if let (Some((_, finished_at)), Some(at)) = (of_docker, task.execution_stopped_at)
            && !is_about(finished_at, at)
        {
            return Some("executionStoppedAt is not when the essential container ended");
        }
        let expected = |code: i32| match kind {
            Kind::Ends(own) if code == own => true,
            _ => ledger.is_stopping(arn) && STOPPED.contains(&code),
        };
        match told.exit_code {
            Some(code) if !expected(code) => return Some("an exit code was not to be expected"),
            None if !ledger.is_stopping(arn) => return Some("a task did not run"),
            _ => {}
        }
    }
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    let by_itself = !ledger.is_stopping(arn);
    (by_itself && reason != "Essential container in task exited").then_some("the reason is wrong")
}

fn is_about(of_docker: &str, told: Timestamp) -> bool {
    let finished_at: Option<jiff::Timestamp> = of_docker.parse().ok();
    finished_at.is_some_and(|it| (it.as_millisecond() - told.millis()).abs() <= TOLERANCE_MILLIS)
}
