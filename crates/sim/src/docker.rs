//! A simulated Docker Engine: it takes time, refuses some wishes, and its containers end.
//!
//! It outlives the agent: what an agent has asked for still happens after its death. Wishes about
//! one container are granted one after another, as the Engine's lock on it sees to. What a
//! container does is told by its image's name.

mod container;
mod image;

use std::collections::{BTreeMap, BTreeSet};

use longshore_agent::engine::{
    ContainerSpec, CreateOutcome, Exit, Failure, Found, Input, Marks, PortSpec, Reason,
    StartOutcome,
};
use longshore_model::container_definition::Protocol;
use longshore_model::{HealthStatus, NetworkBinding, Timestamp};

use crate::checks::Violation;
use crate::event::{Event, Life, ToLife};
use crate::stage::Stage;
use container::{tell_follower, tell_watcher};
use image::{Behaviour, behaviour};

pub(crate) use container::{Container, Fate, Standing};
pub(crate) use image::IMAGES;

/// The Docker Engine of one machine.
pub(crate) struct Docker {
    machine: usize,
    /// Which time the machine runs; what an earlier one began is lost.
    boot: u64,
    containers: BTreeMap<String, Container>,
    /// Until when each container, by its name, is being worked at.
    busy_until: BTreeMap<String, i64>,
    images: BTreeSet<String>,
    /// What has become of each container of each task, kept for the checks.
    pub(crate) fates: BTreeMap<(String, String), Fate>,
    counter: u64,
}

/// Something that the Engine is at, and for whom.
pub(crate) enum Work {
    Prepare {
        life: Life,
        task: String,
    },
    Pull {
        life: Life,
        task: String,
        container: usize,
        image: String,
        started_at: Timestamp,
    },
    Create {
        life: Life,
        task: String,
        container: usize,
        docker_name: String,
        spec: Box<ContainerSpec>,
    },
    Start {
        life: Life,
        task: String,
        container: usize,
        docker_name: String,
    },
    Health {
        docker_name: String,
        run: u32,
        status: HealthStatus,
    },
    Exit {
        docker_name: String,
        run: u32,
        exit_code: i32,
        reason: Option<Reason>,
    },
    CleanUp {
        life: Life,
        task: String,
        containers: Vec<String>,
    },
}

/// What the Engine has to say, to whom.
pub(crate) type Said = Option<(Life, String, Input)>;

const STOP_TIMEOUT_MILLIS: i64 = 30_000;

impl Docker {
    pub(crate) fn new(machine: usize) -> Self {
        Self {
            machine,
            boot: 0,
            containers: BTreeMap::new(),
            busy_until: BTreeMap::new(),
            images: BTreeSet::new(),
            fates: BTreeMap::new(),
            counter: 0,
        }
    }

    /// Whether the work was begun since the machine was last switched on.
    pub(crate) fn is_of(&self, boot: u64) -> bool {
        self.boot == boot
    }

    /// The containers, by their names in Docker.
    pub(crate) fn containers(&self) -> impl Iterator<Item = (&String, &Container)> {
        self.containers.iter()
    }

    /// Whether a container of a task runs.
    pub(crate) fn runs(&self, task: &str, name: &str) -> bool {
        let mut of_task = self.containers.values().filter(|it| it.task == task && it.name == name);
        of_task.any(|it| it.standing == Standing::Running)
    }

    /// What the health check of a running container of a task says.
    pub(crate) fn health(&self, task: &str, name: &str) -> HealthStatus {
        let mut of_task = self.containers.values().filter(|it| it.task == task && it.name == name);
        let running = of_task.find(|it| it.standing == Standing::Running);
        running.map(|it| it.health).unwrap_or_default()
    }

    /// Takes a wish that needs no container yet.
    pub(crate) fn begin(&self, stage: &mut Stage, takes_millis: i64, work: Work) {
        let (machine, boot) = (self.machine, self.boot);
        stage.after(takes_millis, Event::Docker { machine, boot, work });
    }

    /// Takes a wish about a container; it waits for those before it.
    pub(crate) fn begin_at(
        &mut self,
        stage: &mut Stage,
        docker_name: &str,
        takes_millis: i64,
        work: Work,
    ) {
        let free_at = self.busy_until.get(docker_name).copied().unwrap_or(stage.now_millis);
        let done_at = free_at.max(stage.now_millis) + takes_millis;
        self.busy_until.insert(docker_name.to_owned(), done_at);
        self.begin(stage, done_at - stage.now_millis, work);
    }

    /// When everything that is being worked at now can be looked at.
    pub(crate) fn quiet_at(&self, now_millis: i64) -> i64 {
        self.busy_until.values().copied().max().unwrap_or(now_millis).max(now_millis)
    }

    /// Does what was wished for.
    pub(crate) fn perform(&mut self, work: Work, stage: &mut Stage) -> Result<Said, Violation> {
        match work {
            Work::Prepare { life, task } => Ok(Some((life, task, Input::Prepared(Ok(()))))),
            Work::Pull { life, task, container, image, started_at } => {
                let fails = behaviour(&image) == Behaviour::Unpullable
                    || stage.mishap(stage.profile.docker_failure_percent);
                let outcome = match fails {
                    true => Err(Failure::CannotPullContainer.because("no such image")),
                    false => Ok(()),
                };
                if outcome.is_ok() {
                    self.images.insert(image);
                }
                let started_at = Some(started_at);
                Ok(Some((life, task, Input::Pulled { container, started_at, outcome })))
            }
            Work::Create { life, task, container, docker_name, spec } => {
                let outcome = self.create(&task, docker_name, &spec, stage);
                Ok(Some((life, task, Input::Created { container, outcome })))
            }
            Work::Start { life, task, container, docker_name } => {
                let outcome = self.start(&docker_name, stage)?;
                Ok(Some((life, task, Input::Started { container, outcome })))
            }
            Work::Health { docker_name, run, status } => {
                if let Some(container) = self.running(&docker_name, run) {
                    container.health = status;
                    tell_follower(container, stage);
                }
                Ok(None)
            }
            Work::Exit { docker_name, run, exit_code, reason } => {
                self.exit(&docker_name, run, exit_code, reason, stage);
                Ok(None)
            }
            Work::CleanUp { life, task, containers } => {
                for name in &containers {
                    let found = self.containers.get(name);
                    if found.is_some_and(|it| it.standing == Standing::Running) {
                        let text = format!("{name} of {task} runs, but its agent cleans it up");
                        return Err(Violation::new(text));
                    }
                    self.containers.remove(name);
                }
                Ok(Some((life, task, Input::CleanedUp)))
            }
        }
    }

    fn create(
        &mut self,
        task: &str,
        docker_name: String,
        spec: &ContainerSpec,
        stage: &mut Stage,
    ) -> CreateOutcome {
        if let Some(ours) = self.containers.get(&docker_name) {
            return CreateOutcome::Created { docker_id: ours.id.clone(), image_digest: None };
        }
        let behaviour = behaviour(&spec.image);
        if !self.images.contains(&spec.image) {
            let text = format!("no such image: {}", spec.image);
            return CreateOutcome::ImageMissing(Failure::CannotCreateContainer.because(text));
        }
        if behaviour == Behaviour::Uncreatable || stage.mishap(stage.profile.docker_failure_percent)
        {
            return CreateOutcome::Failed(Failure::CannotCreateContainer.because("no"));
        }
        self.counter += 1;
        let id = format!("{:032x}{:032x}", self.machine, self.counter);
        let container = Container {
            id: id.clone(),
            task: task.to_owned(),
            name: spec.name.clone(),
            spec: spec.clone(),
            bindings: Vec::new(),
            standing: Standing::Created,
            stop_asked: false,
            run: 0,
            started_millis: 0,
            health: HealthStatus::Unknown,
            watcher: None,
            follower: None,
        };
        self.containers.insert(docker_name, container);
        CreateOutcome::Created { docker_id: id, image_digest: None }
    }

    fn start(&mut self, docker_name: &str, stage: &mut Stage) -> Result<StartOutcome, Violation> {
        let failed = |text: &str| StartOutcome::Failed(Failure::CannotStartContainer.because(text));
        let Some(container) = self.containers.get(docker_name) else {
            return Ok(failed("the container is gone"));
        };
        if container.standing == Standing::Running {
            return Ok(StartOutcome::Started { network_bindings: container.bindings.clone() });
        }
        let behaviour = behaviour(&container.spec.image);
        if behaviour == Behaviour::Unstartable || stage.mishap(stage.profile.docker_failure_percent)
        {
            return Ok(failed("no"));
        }
        let bindings = self.bind(&container.spec.ports, docker_name)?;
        let Some(container) = self.containers.get_mut(docker_name) else {
            return Ok(failed("the container is gone"));
        };
        let before = std::mem::replace(&mut container.standing, Standing::Running);
        container.bindings.clone_from(&bindings);
        container.run += 1;
        container.started_millis = stage.now_millis;
        container.stop_asked = false;
        container.health = HealthStatus::Unknown;
        tell_follower(container, stage);
        let runs_again =
            |exit: &Exit| container.spec.restart_policy.as_ref().is_some_and(|it| it.allows(exit));
        let may_run_again = matches!(&before, Standing::Exited(exit) if runs_again(exit));
        let (run, is_checked) = (container.run, container.spec.has_health_check);
        let fate = self.fates.entry((container.task.clone(), container.name.clone())).or_default();
        fate.starts += 1;
        // Of one that somebody removed by hand an agent may know nothing.
        if fate.starts > 1 && !fate.is_lost && !may_run_again {
            let (task, name) = (&container.task, &container.name);
            return Err(Violation::new(format!("container {name} of {task} was started twice")));
        }
        let end = match behaviour {
            // Shorter each time, so that no restart policy goes on for ever.
            Behaviour::Works(code) => {
                Some((stage.random.between(200, 120_000 / i64::from(run)), code, None))
            }
            Behaviour::Crashes => Some((stage.random.between(1, 400), 1, None)),
            Behaviour::RunsOutOfMemory => {
                Some((stage.random.between(500, 20_000), 137, Some(Reason::out_of_memory())))
            }
            _ => None,
        };
        if let Some((lives_millis, exit_code, reason)) = end {
            let docker_name = docker_name.to_owned();
            self.begin(stage, lives_millis, Work::Exit { docker_name, run, exit_code, reason });
        }
        if is_checked {
            self.check_health(docker_name, run, stage);
        }
        Ok(StartOutcome::Started { network_bindings: bindings })
    }

    /// In the end every check passes; some fail for a while.
    fn check_health(&self, docker_name: &str, run: u32, stage: &mut Stage) {
        let mut at_millis = stage.random.between(500, 20_000);
        let verdicts: &[HealthStatus] = match stage.random.chance(30) {
            true => &[HealthStatus::Healthy, HealthStatus::Unhealthy, HealthStatus::Healthy],
            false => &[HealthStatus::Healthy],
        };
        for status in verdicts {
            let (docker_name, status) = (docker_name.to_owned(), *status);
            self.begin(stage, at_millis, Work::Health { docker_name, run, status });
            at_millis += stage.random.between(500, 60_000);
        }
    }

    /// The container, if this run of it is not over.
    fn running(&mut self, docker_name: &str, run: u32) -> Option<&mut Container> {
        let container = self.containers.get_mut(docker_name)?;
        (container.standing == Standing::Running && container.run == run).then_some(container)
    }

    /// Binds ports; one that another running container has must never have been promised.
    fn bind(&self, ports: &[PortSpec], for_name: &str) -> Result<Vec<NetworkBinding>, Violation> {
        let running = self.containers.values().filter(|it| it.standing == Standing::Running);
        let taken: BTreeSet<(Protocol, u16)> =
            running.flat_map(|it| &it.bindings).map(|it| (it.protocol, it.host_port)).collect();
        let mut bound: Vec<NetworkBinding> = Vec::new();
        for port in ports {
            let is_free = |host_port: u16| {
                !taken.contains(&(port.protocol, host_port))
                    && bound
                        .iter()
                        .all(|it| (it.protocol, it.host_port) != (port.protocol, host_port))
            };
            let host_port = match port.host_port {
                0 => (32_768..u16::MAX).find(|it| is_free(*it)).unwrap_or(u16::MAX),
                fixed => fixed,
            };
            if !is_free(host_port) {
                let text = format!(
                    "port {host_port} of machine {} is taken, and {for_name} is started for it",
                    self.machine
                );
                return Err(Violation::new(text));
            }
            bound.push(NetworkBinding {
                bind_ip: "0.0.0.0".into(),
                container_port: port.container_port,
                host_port,
                protocol: port.protocol,
            });
        }
        Ok(bound)
    }

    fn exit(
        &mut self,
        docker_name: &str,
        run: u32,
        code: i32,
        reason: Option<Reason>,
        stage: &mut Stage,
    ) {
        let Some(container) = self.running(docker_name, run) else { return };
        stage.note(|| format!("docker {docker_name} exits with {code}"));
        container.standing = Standing::Exited(container.exit(code, reason, stage.now_millis));
        container.bindings.clear();
        tell_watcher(container, stage);
        let key = (container.task.clone(), container.name.clone());
        self.fates.entry(key).or_default().exit_code = Some(code);
    }

    /// Sends SIGTERM, and SIGKILL when the time is up.
    pub(crate) fn stop(&mut self, docker_name: &str, stage: &mut Stage) {
        let Some(container) = self.containers.get_mut(docker_name) else { return };
        if container.standing != Standing::Running || container.stop_asked {
            return;
        }
        container.stop_asked = true;
        let run = container.run;
        let (takes_millis, exit_code) = match behaviour(&container.spec.image) {
            Behaviour::ServesStubbornly => (STOP_TIMEOUT_MILLIS, 137),
            _ => (stage.random.between(1, 3_000), 143),
        };
        let docker_name = docker_name.to_owned();
        let reason = None;
        self.begin(stage, takes_millis, Work::Exit { docker_name, run, exit_code, reason });
    }

    /// Tells this life of the agent when the container ends, or that it has.
    pub(crate) fn watch(
        &mut self,
        life: Life,
        task: &str,
        container: usize,
        docker_name: &str,
        stage: &mut Stage,
    ) {
        match self.containers.get_mut(docker_name) {
            Some(it) => {
                it.watcher = Some((life, container));
                if it.standing != Standing::Running {
                    tell_watcher(it, stage);
                }
            }
            None => {
                let reason = Some(Reason::vanished());
                let input = Input::Exited { container, exit: Exit { reason, ..Exit::default() } };
                stage.after(1, Event::Agent(life, ToLife::Input { task: task.to_owned(), input }));
            }
        }
    }

    /// Tells this life of the agent when the container's health is not this any more.
    pub(crate) fn follow(
        &mut self,
        follower: (Life, usize, HealthStatus),
        docker_name: &str,
        stage: &mut Stage,
    ) {
        if let Some(container) = self.containers.get_mut(docker_name) {
            container.follower = Some(follower);
            tell_follower(container, stage);
        }
    }

    /// All containers by task and name, as a listing shows them: of two with the same labels the
    /// oldest comes last.
    pub(crate) fn inventory(&self) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
        let mut all: Vec<_> = self.containers.iter().collect();
        all.sort_by(|one, other| other.1.id.cmp(&one.1.id));
        let mut inventory: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (docker_name, it) in all {
            let of_task = inventory.entry(it.task.clone()).or_default();
            of_task.entry(it.name.clone()).or_default().push(docker_name.clone());
        }
        inventory
    }

    /// How a container stands.
    pub(crate) fn find(&self, docker_name: &str) -> Found {
        let Some(container) = self.containers.get(docker_name) else { return Found::Missing };
        let marks = Marks { docker_name: docker_name.to_owned(), docker_id: container.id.clone() };
        match container.standing.clone() {
            Standing::Created => Found::Created(marks),
            Standing::Running => {
                Found::Running { marks, network_bindings: container.bindings.clone() }
            }
            Standing::Exited(exit) => Found::Exited { marks, exit },
        }
    }

    /// The machine loses its power and comes back: containers end, work is lost.
    pub(crate) fn lose_power(&mut self, now_millis: i64) {
        self.boot += 1;
        self.busy_until.clear();
        for container in self.containers.values_mut() {
            container.watcher = None;
            container.follower = None;
            if container.standing == Standing::Running {
                container.standing = Standing::Exited(container.exit(137, None, now_millis));
                container.bindings.clear();
                let key = (container.task.clone(), container.name.clone());
                self.fates.entry(key).or_default().exit_code = Some(137);
            }
        }
    }

    /// The machine is installed anew: containers and images are gone.
    pub(crate) fn reinstall(&mut self, now_millis: i64) {
        self.lose_power(now_millis);
        self.containers.clear();
        self.images.clear();
    }

    /// All that it had is gone: what ran, what had ended, and the images.
    pub(crate) fn lose_everything(&mut self, now_millis: i64) {
        for container in self.containers.values() {
            let key = (container.task.clone(), container.name.clone());
            self.fates.entry(key).or_default().is_lost = true;
        }
        self.reinstall(now_millis);
    }

    /// Somebody removes a container by hand, whatever it does.
    pub(crate) fn lose(&mut self, docker_name: &str, stage: &mut Stage) {
        let Some(container) = self.containers.remove(docker_name) else { return };
        let key = (container.task.clone(), container.name.clone());
        self.fates.entry(key).or_default().is_lost = true;
        if let Some((life, index)) = container.watcher
            && container.standing == Standing::Running
        {
            let reason = Some(Reason::vanished());
            let exit = Exit { reason, ..Exit::default() };
            let input = Input::Exited { container: index, exit };
            stage.after(5, Event::Agent(life, ToLife::Input { task: container.task, input }));
        }
    }
}
