//! A simulated Docker Engine: it takes time, refuses some wishes, and its containers end.
//!
//! It outlives the agent: what an agent has asked for still happens after its death. Wishes about
//! one container are granted one after another, as the Engine's lock on it sees to. What a
//! container does is told by its image's name.

mod container;
mod image;

use std::collections::{BTreeMap, BTreeSet};

use longshore_agent::engine::{
    ContainerSpec, CreateOutcome, Failure, Found, Input, Marks, PortSpec, Reason, StartOutcome,
};
use longshore_model::container_definition::Protocol;
use longshore_model::{NetworkBinding, Timestamp};

use crate::checks::Violation;
use crate::event::{Event, Life, ToLife};
use crate::stage::Stage;
use container::tell_watcher;
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
    Exit {
        docker_name: String,
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
            Work::Exit { docker_name, exit_code, reason } => {
                self.exit(&docker_name, exit_code, reason, stage);
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
            return CreateOutcome::Created { docker_id: ours.id.clone() };
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
            image: spec.image.clone(),
            ports: spec.ports.clone(),
            bindings: Vec::new(),
            standing: Standing::Created,
            stop_asked: false,
            watcher: None,
        };
        self.containers.insert(docker_name, container);
        CreateOutcome::Created { docker_id: id }
    }

    fn start(&mut self, docker_name: &str, stage: &mut Stage) -> Result<StartOutcome, Violation> {
        let failed = |text: &str| StartOutcome::Failed(Failure::CannotStartContainer.because(text));
        let Some(container) = self.containers.get(docker_name) else {
            return Ok(failed("the container is gone"));
        };
        if container.standing == Standing::Running {
            return Ok(StartOutcome::Started { network_bindings: container.bindings.clone() });
        }
        let behaviour = behaviour(&container.image);
        if behaviour == Behaviour::Unstartable || stage.mishap(stage.profile.docker_failure_percent)
        {
            return Ok(failed("no"));
        }
        let bindings = self.bind(&container.ports, docker_name)?;
        let Some(container) = self.containers.get_mut(docker_name) else {
            return Ok(failed("the container is gone"));
        };
        container.standing = Standing::Running;
        container.bindings.clone_from(&bindings);
        let fate = self.fates.entry((container.task.clone(), container.name.clone())).or_default();
        fate.starts += 1;
        // Of one that somebody removed by hand an agent may know nothing.
        if fate.starts > 1 && !fate.is_lost {
            let (task, name) = (&container.task, &container.name);
            return Err(Violation::new(format!("container {name} of {task} was started twice")));
        }
        let end = match behaviour {
            Behaviour::Works(code) => Some((stage.random.between(200, 120_000), code, None)),
            Behaviour::Crashes => Some((stage.random.between(1, 400), 1, None)),
            Behaviour::RunsOutOfMemory => {
                Some((stage.random.between(500, 20_000), 137, Some(Reason::out_of_memory())))
            }
            _ => None,
        };
        if let Some((lives_millis, exit_code, reason)) = end {
            let docker_name = docker_name.to_owned();
            self.begin(stage, lives_millis, Work::Exit { docker_name, exit_code, reason });
        }
        Ok(StartOutcome::Started { network_bindings: bindings })
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

    fn exit(&mut self, docker_name: &str, code: i32, reason: Option<Reason>, stage: &mut Stage) {
        let Some(container) = self.containers.get_mut(docker_name) else { return };
        if container.standing != Standing::Running {
            return;
        }
        stage.note(|| format!("docker {docker_name} exits with {code}"));
        container.standing = Standing::Exited { exit_code: Some(code), reason };
        container.bindings.clear();
        let fate = self.fates.entry((container.task.clone(), container.name.clone())).or_default();
        fate.exit_code = Some(code);
        tell_watcher(container, stage);
    }

    /// Sends SIGTERM, and SIGKILL when the time is up.
    pub(crate) fn stop(&mut self, docker_name: &str, stage: &mut Stage) {
        let Some(container) = self.containers.get_mut(docker_name) else { return };
        if container.standing != Standing::Running || container.stop_asked {
            return;
        }
        container.stop_asked = true;
        let (takes_millis, exit_code) = match behaviour(&container.image) {
            Behaviour::ServesStubbornly => (STOP_TIMEOUT_MILLIS, 137),
            _ => (stage.random.between(1, 3_000), 143),
        };
        let docker_name = docker_name.to_owned();
        self.begin(stage, takes_millis, Work::Exit { docker_name, exit_code, reason: None });
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
                let input = Input::Exited { container, exit_code: None, reason };
                stage.after(1, Event::Agent(life, ToLife::Input { task: task.to_owned(), input }));
            }
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
            Standing::Exited { exit_code, reason } => Found::Exited { marks, exit_code, reason },
        }
    }

    /// The machine loses its power and comes back: containers end, work is lost.
    pub(crate) fn lose_power(&mut self) {
        self.boot += 1;
        self.busy_until.clear();
        for container in self.containers.values_mut() {
            container.watcher = None;
            if container.standing == Standing::Running {
                container.standing = Standing::Exited { exit_code: Some(137), reason: None };
                container.bindings.clear();
                let key = (container.task.clone(), container.name.clone());
                self.fates.entry(key).or_default().exit_code = Some(137);
            }
        }
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
            let input = Input::Exited { container: index, exit_code: None, reason };
            stage.after(5, Event::Agent(life, ToLife::Input { task: container.task, input }));
        }
    }
}
