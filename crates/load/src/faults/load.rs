//! Callers who run and stop tasks, few at a time: the machine is to have time for the faults.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use longshore_simulated_fleet::{CallError, Client, Random};
use longshore_wire::ecs;

use super::ledger::{Kind, Ledger};

/// Between two attempts to reach a server that is away.
const RETRY: Duration = Duration::from_millis(100);

/// Tasks that are to run at a time.
const MOST: usize = 10;

/// The definitions of tasks that stay: one container; one that needs a second to stop; and one
/// that has another beside it, which starts before it and does not matter to it.
const STAYING: [&str; 3] = ["stays", "slow", "pair"];

/// What all callers share.
pub(super) struct Load {
    pub(super) client: Client,
    pub(super) cluster: String,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) is_over: AtomicBool,
}

/// Makes the cluster and the definitions.
pub(super) async fn prepare(client: &Client, cluster: &str, image: &str) -> anyhow::Result<()> {
    let create = ecs::CreateClusterRequest {
        cluster_name: Some(cluster.into()),
        ..ecs::CreateClusterRequest::default()
    };
    client.call(&create).await?;
    let container = |name: &str, command: &[&str]| ecs::ContainerDefinition {
        name: Some(name.into()),
        image: Some(image.into()),
        memory: Some(8),
        essential: Some(name == "main"),
        command: Some(command.iter().copied().map(Into::into).collect()),
        ..ecs::ContainerDefinition::default()
    };
    let after_side = ecs::ContainerDependency {
        container_name: Some("side".into()),
        condition: Some("START".into()),
    };
    let main = ecs::ContainerDefinition {
        depends_on: Some(vec![after_side]),
        ..container("main", &["sleep", "3600"])
    };
    let definitions = [
        ("stays", vec![container("main", &["sleep", "3600"])]),
        ("slow", vec![container("main", &["sleep", "3600", "--term-delay", "1"])]),
        ("pair", vec![main, container("side", &["sleep", "3600"])]),
        ("ends", vec![container("main", &["exit", "0"])]),
    ];
    for (family, containers) in definitions {
        let register = ecs::RegisterTaskDefinitionRequest {
            family: Some(family.into()),
            network_mode: Some("none".into()),
            container_definitions: Some(containers),
            ..ecs::RegisterTaskDefinitionRequest::default()
        };
        client.call(&register).await?;
    }
    Ok(())
}

impl Load {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One caller, until the load is over.
    pub(super) async fn run(self: Arc<Self>, mut random: Random) {
        while !self.is_over.load(Ordering::Relaxed) {
            let lasting = self.ledger().lasting();
            let stop = lasting.len() >= MOST || lasting.len() > MOST / 2 && random.one_in(2);
            let answer = match random.choose(&lasting).filter(|_| stop) {
                Some(task) => self.stop_task(task).await,
                None => self.run_task(&mut random).await,
            };
            match answer {
                Ok(()) => {}
                Err(CallError::NoAnswer(_)) => self.ledger().no_answer(),
                Err(error) => self.ledger().find(format!("a caller was refused: {error}")),
            }
            tokio::time::sleep(Duration::from_millis(random.between(100, 600))).await;
        }
    }

    async fn run_task(&self, random: &mut Random) -> Result<(), CallError> {
        let code = i32::try_from(random.between(0, 99)).unwrap_or_default();
        let (family, kind) = match random.choose(&STAYING).filter(|_| random.one_in(2)) {
            Some(family) => (*family, Kind::Stays),
            None => ("ends", Kind::Ends(code)),
        };
        let after_secs = random.between(0, 2).to_string();
        let ends = ecs::ContainerOverride {
            name: Some("main".into()),
            command: Some(vec!["exit".into(), code.to_string(), "--after".into(), after_secs]),
            ..ecs::ContainerOverride::default()
        };
        let overrides = ecs::TaskOverride {
            container_overrides: Some(vec![ends]),
            ..ecs::TaskOverride::default()
        };
        let request = ecs::RunTaskRequest {
            cluster: Some(self.cluster.clone()),
            task_definition: Some(family.into()),
            started_by: Some(kind.mark()),
            overrides: Some(overrides).filter(|_| kind != Kind::Stays),
            ..ecs::RunTaskRequest::default()
        };
        let answer = self.client.call(&request).await?;
        for task in answer.tasks.unwrap_or_default() {
            self.ledger().found(&task.task_arn.unwrap_or_default());
        }
        Ok(())
    }

    /// Asks until it is answered: what is to stop must come to do so.
    async fn stop_task(&self, task: &str) -> Result<(), CallError> {
        self.ledger().stopping(task);
        let (cluster, task) = (Some(self.cluster.clone()), Some(task.to_owned()));
        let request = ecs::StopTaskRequest { cluster, task, reason: None };
        loop {
            match self.client.call(&request).await {
                Err(CallError::NoAnswer(_)) => self.ledger().no_answer(),
                answered => return answered.map(drop),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
