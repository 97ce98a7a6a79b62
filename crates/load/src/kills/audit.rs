//! Reads what the server has and holds it against the ledger. Nobody else may call meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use longshore_wire::ecs;

use super::ledger::Ledger;
use super::load::{CLUSTER, SPARE_CLUSTER};
use super::seen::{LastStatus, Seen};
use super::takes::{Live, Takes};
use longshore_simulated_fleet::{CallError, Client};

/// The most names of one Describe call.
const CHUNK: usize = 100;

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Live tasks, all instances that have tasks, and what was acknowledged since the last audit.
    Recent,
    /// Everything that was ever acknowledged.
    Everything,
}

pub(super) struct Audit<'a> {
    pub(super) client: &'a Client,
    pub(super) ledger: &'a Mutex<Ledger>,
}

impl Audit<'_> {
    /// Notes what is wrong in the ledger.
    pub(super) async fn run(&self, scope: Scope) -> Result<(), CallError> {
        let everything = scope == Scope::Everything;
        self.clusters(everything).await?;
        self.definitions(everything).await?;
        let mut wanted = self.ledger().take_tasks(everything);
        wanted.extend(self.listed_tasks("RUNNING").await?);
        if everything {
            wanted.extend(self.listed_tasks("STOPPED").await?);
        }
        let tasks = self.tasks(&wanted).await?;
        self.instances(everything, &tasks).await
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn clusters(&self, everything: bool) -> Result<(), CallError> {
        let names = self.ledger().clusters.take(everything);
        for chunk in names.chunks(CHUNK) {
            let request = ecs::DescribeClustersRequest {
                clusters: Some(chunk.to_vec()),
                ..ecs::DescribeClustersRequest::default()
            };
            let answer = self.client.call(&request).await?;
            let found = answer.clusters.unwrap_or_default();
            let found: BTreeSet<String> =
                found.into_iter().filter_map(|it| it.cluster_name).collect();
            for name in chunk.iter().filter(|it| !found.contains(*it)) {
                self.ledger().find(format!("cluster {name} is lost"));
            }
        }
        Ok(())
    }

    async fn definitions(&self, everything: bool) -> Result<(), CallError> {
        let known = self.ledger().definitions.take(everything);
        for definition in known {
            let request = ecs::DescribeTaskDefinitionRequest {
                task_definition: definition.task_definition_arn.clone(),
                ..ecs::DescribeTaskDefinitionRequest::default()
            };
            match self.client.call(&request).await {
                Ok(answer) if answer.task_definition.as_ref() == Some(&definition) => {}
                Ok(answer) => {
                    self.ledger().find(format!("{definition:?} has become {answer:?}"));
                }
                Err(error @ CallError::Refused { .. }) => {
                    self.ledger().find(format!("{definition:?} is lost: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn listed_tasks(&self, desired_status: &str) -> Result<Vec<String>, CallError> {
        let mut arns = Vec::new();
        let mut next_token = None;
        loop {
            let request = ecs::ListTasksRequest {
                cluster: Some(CLUSTER.into()),
                desired_status: Some(desired_status.into()),
                next_token,
                ..ecs::ListTasksRequest::default()
            };
            let page = self.client.call(&request).await?;
            arns.extend(page.task_arns.unwrap_or_default());
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(arns);
            }
        }
    }

    async fn tasks(&self, arns: &BTreeSet<String>) -> Result<Vec<ecs::Task>, CallError> {
        let arns: Vec<String> = arns.iter().cloned().collect();
        let mut tasks = Vec::with_capacity(arns.len());
        for chunk in arns.chunks(CHUNK) {
            let request = ecs::DescribeTasksRequest {
                cluster: Some(CLUSTER.into()),
                tasks: Some(chunk.to_vec()),
                ..ecs::DescribeTasksRequest::default()
            };
            let answer = self.client.call(&request).await?;
            let mut ledger = self.ledger();
            for failure in answer.failures.unwrap_or_default() {
                let arn = failure.arn.unwrap_or_default();
                ledger.missing(&arn, &failure.reason.unwrap_or_default());
            }
            for task in answer.tasks.unwrap_or_default() {
                let floor = ledger.floor(task.task_arn.as_deref().unwrap_or_default());
                ledger.saw(&task, floor);
                tasks.push(task);
            }
        }
        Ok(tasks)
    }

    /// The tasks are at least all live ones.
    async fn instances(&self, everything: bool, tasks: &[ecs::Task]) -> Result<(), CallError> {
        let lives = lives(tasks, self.ledger().definitions.all());
        let mut by_cluster: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (cluster, arn) in self.ledger().instances.all() {
            by_cluster.entry(cluster.clone()).or_default().push(arn.clone());
        }
        if !everything {
            by_cluster.remove(SPARE_CLUSTER);
        }
        for (cluster, arns) in by_cluster {
            for chunk in arns.chunks(CHUNK) {
                let request = ecs::DescribeContainerInstancesRequest {
                    cluster: Some(cluster.clone()),
                    container_instances: Some(chunk.to_vec()),
                    ..ecs::DescribeContainerInstancesRequest::default()
                };
                let answer = self.client.call(&request).await?;
                let mut ledger = self.ledger();
                for failure in answer.failures.unwrap_or_default() {
                    ledger.find(format!("an instance is lost: {failure:?}"));
                }
                for instance in answer.container_instances.unwrap_or_default() {
                    ledger.saw_instance(&instance);
                    let arn = instance.container_instance_arn.as_deref().unwrap_or_default();
                    let live = lives.get(arn).cloned().unwrap_or_default();
                    if let Some(problem) = live.disagreement(&instance) {
                        ledger.find(format!("{arn}: {problem}"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The live tasks by the instance that they are on.
fn lives(tasks: &[ecs::Task], definitions: &[ecs::TaskDefinition]) -> HashMap<String, Live> {
    let definition = |it: &ecs::TaskDefinition| it.task_definition_arn.clone();
    let definitions: HashMap<_, _> = definitions.iter().map(|it| (definition(it), it)).collect();
    let mut lives: HashMap<String, Live> = HashMap::new();
    for task in tasks {
        let Some(seen) = Seen::read(task) else { continue };
        let Some(definition) = definitions.get(&task.task_definition_arn) else { continue };
        if seen.last_status != LastStatus::Stopped {
            let takes = Takes::of(definition, task.overrides.as_ref());
            let is_running = seen.last_status == LastStatus::Running;
            lives.entry(seen.instance).or_default().add(&takes, is_running);
        }
    }
    lives
}
