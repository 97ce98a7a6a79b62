//! Callers that keep the server busy and note in the ledger what they are answered.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use longshore_wire::ecs;

use super::ledger::Ledger;
use longshore_simulated_fleet::{AgentSpec, CallError, Client, Plan, Random, registration};

/// Where the tasks run.
pub(super) const CLUSTER: &str = "default";

/// Where instances join that nobody uses: their registrations must be kept like any other.
pub(super) const SPARE_CLUSTER: &str = "spare";

/// Between two attempts to reach a server that is away.
const RETRY: Duration = Duration::from_millis(5);

/// What all callers share.
pub(super) struct Load {
    pub(super) client: Client,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) is_over: AtomicBool,
    pub(super) serial: AtomicU64,
}

impl Load {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// One caller, until the load is over.
    pub(super) async fn run(self: Arc<Self>, mut random: Random) {
        while !self.is_over.load(Ordering::Relaxed) {
            let answer = match random.between(0, 99) {
                0..=49 => self.run_task(&mut random).await,
                50..=69 => self.stop_task(&mut random).await,
                70..=87 => self.describe_task(&mut random).await,
                88..=93 => self.register_task_definition(&mut random).await,
                94..=96 => self.create_cluster().await,
                _ => self.register_container_instance().await,
            };
            match answer {
                Ok(()) => tokio::time::sleep(Duration::from_micros(random.between(0, 4000))).await,
                Err(CallError::NoAnswer(_)) => tokio::time::sleep(RETRY).await,
                Err(error) => self.ledger().find(format!("a caller was refused: {error}")),
            }
        }
    }

    async fn run_task(&self, random: &mut Random) -> Result<(), CallError> {
        let known = self.ledger().definitions.all().to_vec();
        let Some(definition) = random.choose(&known) else {
            return self.register_task_definition(random).await;
        };
        let count = i32::try_from(random.between(1, 10)).unwrap_or(1);
        let mark = format!("run-{}", self.serial());
        let changed = ecs::ContainerOverride {
            name: Some("main".into()),
            cpu: i32::try_from(random.between(64, 512)).ok(),
            ..ecs::ContainerOverride::default()
        };
        let overrides = ecs::TaskOverride {
            container_overrides: Some(vec![changed]),
            ..ecs::TaskOverride::default()
        };
        let request = ecs::RunTaskRequest {
            cluster: Some(CLUSTER.into()),
            task_definition: definition.task_definition_arn.clone(),
            count: Some(count),
            started_by: Some(mark.clone()),
            overrides: Some(overrides).filter(|_| random.one_in(4)),
            ..ecs::RunTaskRequest::default()
        };
        self.ledger().run_begins(&mark, usize::try_from(count).unwrap_or(0));
        match self.client.call(&request).await {
            Ok(answer) => self.ledger().run_answered(&mark, &answer),
            // Before the first agent has joined.
            Err(CallError::Refused { error, .. })
                if error.message == "No Container Instances were found in your cluster." =>
            {
                self.ledger().run_refused(&mark);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn stop_task(&self, random: &mut Random) -> Result<(), CallError> {
        let Some((arn, floor)) = self.live_task(random) else { return Ok(()) };
        let request = ecs::StopTaskRequest {
            cluster: Some(CLUSTER.into()),
            task: Some(arn),
            reason: Some(format!("stop {}", self.serial())),
        };
        let answer = self.client.call(&request).await?;
        match answer.task {
            Some(task) => self.ledger().stop_answered(&task, floor),
            None => self.ledger().find("StopTask answered without a task".into()),
        }
        Ok(())
    }

    async fn describe_task(&self, random: &mut Random) -> Result<(), CallError> {
        let Some((arn, floor)) = self.live_task(random) else { return Ok(()) };
        let request = ecs::DescribeTasksRequest {
            cluster: Some(CLUSTER.into()),
            tasks: Some(vec![arn.clone()]),
            ..ecs::DescribeTasksRequest::default()
        };
        let answer = self.client.call(&request).await?;
        match answer.tasks.as_deref() {
            Some([task]) => self.ledger().saw(task, floor),
            _ => self.ledger().missing(&arn, "it is not described"),
        }
        Ok(())
    }

    fn live_task(&self, random: &mut Random) -> Option<(String, super::seen::Floor)> {
        let ledger = self.ledger();
        let last = ledger.live().len().checked_sub(1)?;
        let chosen = usize::try_from(random.between(0, last as u64)).unwrap_or(0);
        let arn = ledger.live().iter().nth(chosen)?.clone();
        let floor = ledger.floor(&arn);
        Some((arn, floor))
    }

    async fn register_task_definition(&self, random: &mut Random) -> Result<(), CallError> {
        let number = |it: u64| i32::try_from(it).ok();
        let port = ecs::PortMapping {
            container_port: Some(80),
            host_port: number(random.between(8080, 8083)),
            protocol: Some("tcp".into()),
            name: None,
        };
        let main = ecs::ContainerDefinition {
            name: Some("main".into()),
            image: Some("image".into()),
            cpu: number(random.between(64, 1024)),
            memory: number(random.between(64, 1024)),
            port_mappings: Some(vec![port]).filter(|_| random.one_in(3)),
            ..ecs::ContainerDefinition::default()
        };
        let side = ecs::ContainerDefinition {
            name: Some("side".into()),
            image: Some("image".into()),
            memory: Some(64),
            essential: Some(false),
            ..ecs::ContainerDefinition::default()
        };
        let mut containers = vec![main];
        containers.extend(Some(side).filter(|_| random.one_in(3)));
        let request = ecs::RegisterTaskDefinitionRequest {
            family: Some(format!("family-{}", random.between(0, 9))),
            container_definitions: Some(containers),
            ..ecs::RegisterTaskDefinitionRequest::default()
        };
        let answer = self.client.call(&request).await?;
        let mut ledger = self.ledger();
        ledger.counts.registrations += 1;
        if let Some(definition) = answer.task_definition {
            ledger.definitions.keep(definition);
        }
        Ok(())
    }

    async fn create_cluster(&self) -> Result<(), CallError> {
        let name = format!("cluster-{}", self.serial());
        let request =
            ecs::CreateClusterRequest { cluster_name: Some(name.clone()), ..Default::default() };
        self.client.call(&request).await?;
        let mut ledger = self.ledger();
        ledger.counts.registrations += 1;
        ledger.clusters.keep(name);
        Ok(())
    }

    async fn register_container_instance(&self) -> Result<(), CallError> {
        if !self.ledger().clusters.all().iter().any(|it| it == SPARE_CLUSTER) {
            let name = Some(SPARE_CLUSTER.to_owned());
            let create = ecs::CreateClusterRequest { cluster_name: name, ..Default::default() };
            self.client.call(&create).await?;
            self.ledger().clusters.keep(SPARE_CLUSTER.into());
        }
        let spec = AgentSpec::boundless(Some(Plan::RUN));
        let answer = self.client.call(&registration(SPARE_CLUSTER, &spec, None)).await?;
        let arn = answer.container_instance.and_then(|it| it.container_instance_arn);
        let mut ledger = self.ledger();
        ledger.counts.registrations += 1;
        match arn {
            Some(arn) => ledger.instances.keep((SPARE_CLUSTER.into(), arn)),
            None => ledger.find("a registration was answered without an instance".into()),
        }
        Ok(())
    }
}
