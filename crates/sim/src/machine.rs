//! A container instance: Docker, a disk, and the agent's process, which comes and goes.
//!
//! The rules are the real ones, `longshore_agent::engine::step`. The shell around them is written
//! here a second time, since the real one waits for time and sockets: it performs effects, keeps
//! the files and gives outcomes back as inputs, in the order in which the real one does.

use std::collections::{BTreeMap, VecDeque};

use longshore_agent::IdsOfTask;
use longshore_agent::engine::{ContainerStatus, Effect, Found, Input, TaskState, step, wake_at};
use longshore_model::{DesiredStatus, Timestamp};
use longshore_wire::acs;

use crate::checks::Violation;
use crate::disk::Disk;
use crate::docker::{Docker, Work};
use crate::event::{Event, Life, ToLife};
use crate::network::LinkId;
use crate::stage::Stage;

mod calls;
mod clock;
mod told;

pub(crate) use calls::Session;
use clock::Clock;

/// How many tasks that are over an agent remembers.
const MOST_OVER: usize = 100;

/// A container instance.
pub(crate) struct Machine {
    pub(crate) index: usize,
    pub(crate) cluster: &'static str,
    pub(crate) disk: Disk,
    pub(crate) docker: Docker,
    /// The agent's process, while it lives.
    pub(crate) agent: Option<Agent>,
    /// How many processes there have been.
    lives: u64,
    /// The agent dies in its next step, after it asked for effects and before it saved.
    pub(crate) dies_in_step: bool,
    /// Nothing that it sends arrives until then.
    pub(crate) cut_off_until_millis: i64,
    pub(crate) clock: Clock,
}

/// The agent's process.
pub(crate) struct Agent {
    pub(crate) workers: BTreeMap<String, Worker>,
    /// Docker ids of what was there at the start, by task and container.
    inventory: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    pub(crate) session: Session,
    calls: calls::Calls,
    /// The highest number heard on this connection.
    timeline: i64,
    /// What is to be added to its clock to have the control plane's, in seconds.
    correction_secs: i64,
    /// The last tasks that are over: one that is told of again does not begin again.
    over: VecDeque<String>,
}

/// The owner of one task.
pub(crate) struct Worker {
    pub(crate) state: TaskState,
    /// Set while the next attempt at a report is waited for.
    pause: Option<u64>,
    wakes_at: Option<Timestamp>,
}

impl Machine {
    pub(crate) fn new(index: usize, stage: &mut Stage) -> Self {
        Self {
            index,
            cluster: if index % 3 == 2 { "other" } else { "default" },
            disk: Disk::default(),
            docker: Docker::new(index),
            agent: None,
            lives: 0,
            dies_in_step: false,
            cut_off_until_millis: 0,
            clock: Clock::draw(stage),
        }
    }

    /// The process that lives, or the last one.
    pub(crate) fn life(&self) -> Life {
        Life { machine: self.index, number: self.lives }
    }

    /// Whether it is this process that lives.
    pub(crate) fn is_alive(&self, life: Life) -> bool {
        self.agent.is_some() && self.lives == life.number
    }

    fn now(&self, stage: &Stage) -> Timestamp {
        self.clock.now(stage)
    }

    /// Starts the agent's process: it looks at Docker before it does anything.
    pub(crate) fn boot(&mut self, stage: &mut Stage) {
        if self.agent.is_some() {
            return;
        }
        self.lives += 1;
        self.dies_in_step = false;
        let inventory = self.docker.inventory();
        self.agent = Some(Agent {
            workers: BTreeMap::new(),
            inventory,
            session: Session::Off,
            calls: calls::Calls::default(),
            timeline: 0,
            correction_secs: 0,
            over: VecDeque::new(),
        });
        let quiet_in = self.docker.quiet_at(stage.now_millis) - stage.now_millis;
        let takes = quiet_in + stage.random.between(5, 200);
        stage.after(takes, Event::Agent(self.life(), ToLife::Resumed));
    }

    /// Kills the agent's process. Says which connection it had.
    pub(crate) fn kill(&mut self) -> Option<LinkId> {
        let link = self.link();
        self.agent = None;
        link
    }

    /// Nothing is left of what was there; the agent does not live.
    pub(crate) fn reinstall(&mut self, now_millis: i64) {
        self.disk = Disk::default();
        self.docker.reinstall(now_millis);
    }

    /// Takes over what an earlier process left, then registers.
    pub(crate) fn resume(&mut self, stage: &mut Stage) -> Result<(), Violation> {
        for state in self.disk.tasks()? {
            self.take_over(state, stage)?;
        }
        self.register(stage);
        Ok(())
    }

    /// Whether its agent has this task, or had it.
    pub(crate) fn knows(&self, task: &str) -> bool {
        self.agent
            .as_ref()
            .is_some_and(|it| it.workers.contains_key(task) || it.over.iter().any(|it| it == task))
    }

    /// Begins a task, or stops a known one. Says whether that is saved.
    pub(crate) fn assign(&mut self, task: acs::Task, stage: &mut Stage) -> Result<bool, Violation> {
        let Some(agent) = &self.agent else { return Ok(false) };
        if agent.workers.contains_key(&task.arn) {
            if DesiredStatus::parse(&task.desired_status) == Some(DesiredStatus::Stopped) {
                self.advance(&task.arn, Input::StopRequested, stage)?;
            }
            return Ok(self.agent.is_some());
        }
        if agent.over.contains(&task.arn) {
            return Ok(true);
        }
        let arn = task.arn.clone();
        let state = TaskState::load(task, &IdsOfTask::new(&arn)).map_err(|rejection| {
            let reason = rejection.reason;
            Violation::new(format!("the agent rejects {}: {reason}", rejection.arn))
        })?;
        self.take_over(state, stage)?;
        Ok(self.agent.is_some())
    }

    /// Begins with a task, whatever there is of it in Docker.
    fn take_over(&mut self, state: TaskState, stage: &mut Stage) -> Result<(), Violation> {
        let Some(agent) = &mut self.agent else { return Ok(()) };
        let task = state.spec.arn.clone();
        let there = agent.inventory.remove(&task).unwrap_or_default();
        let is_new = state.containers.iter().all(|it| it.known < ContainerStatus::Created);
        let first = match there.is_empty() && is_new {
            true => Input::Tick,
            false => {
                let containers = state.spec.containers.iter().zip(&state.containers);
                let found = containers.map(|(spec, container)| {
                    let is_settled = container.known == ContainerStatus::Stopped;
                    let names = there.get(&spec.name).filter(|_| !is_settled);
                    let all = names.into_iter().flatten().map(|it| self.docker.find(it));
                    Found::of_several(all, container.docker_id.as_deref())
                });
                Input::Adopted(found.collect())
            }
        };
        agent.workers.insert(task.clone(), Worker { state, pause: None, wakes_at: None });
        self.advance(&task, first, stage)
    }

    /// One step of a task.
    pub(crate) fn advance(
        &mut self,
        task: &str,
        input: Input,
        stage: &mut Stage,
    ) -> Result<(), Violation> {
        let now = self.now(stage);
        let Some(worker) = self.agent.as_mut().and_then(|it| it.workers.get_mut(task)) else {
            return Ok(());
        };
        stage.note(|| format!("agent {} {task} {input:?}", self.index));
        let before = Progress::of(&worker.state);
        let is_news = input != Input::Tick;
        // The clock may have been set since it was waited for.
        let wakes_again = !is_news;
        let effects = step(&mut worker.state, input, &stage.profile.policy, now);
        before.check(&worker.state)?;
        let save = is_news || !effects.is_empty();
        let (reports, deeds): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|it| matches!(it, Effect::Submit(_)));
        for deed in deeds {
            self.perform(task, deed, stage);
        }
        if save && self.dies_in_step {
            let link = self.kill();
            stage.after(0, Event::Died(self.index, link));
            return Ok(());
        }
        let Some(agent) = &mut self.agent else { return Ok(()) };
        let Some(worker) = agent.workers.get_mut(task) else { return Ok(()) };
        if worker.state.is_over() {
            self.disk.write(task, None, stage.now_millis);
            agent.workers.remove(task);
            agent.over.truncate(MOST_OVER - 1);
            agent.over.push_front(task.to_owned());
            return Ok(());
        }
        if save {
            self.disk.write(task, Some(worker.state.clone()), stage.now_millis);
        }
        let wakes_at = wake_at(&worker.state, &stage.profile.policy, now);
        let is_other = wakes_at != std::mem::replace(&mut worker.wakes_at, wakes_at);
        if (is_other || wakes_again)
            && let Some(at) = wakes_at
        {
            let task = task.to_owned();
            let tick = ToLife::Input { task, input: Input::Tick };
            stage.after(at.millis() - now.millis(), Event::Agent(self.life(), tick));
        }
        for report in reports {
            self.perform(task, report, stage);
        }
        Ok(())
    }

    fn perform(&mut self, task: &str, effect: Effect, stage: &mut Stage) {
        let (life, task) = (self.life(), task.to_owned());
        let Some(state) = self.agent.as_ref().and_then(|it| it.workers.get(&task)) else { return };
        let state = &state.state;
        let of = |container: usize| {
            let (spec, known) =
                (state.spec.containers.get(container)?, state.containers.get(container)?);
            Some((spec.clone(), known.docker_name.clone()))
        };
        stage.note(|| format!("agent {} {task} wants {effect:?}", self.index));
        match effect {
            Effect::Prepare => {
                let takes = stage.random.between(1, 500);
                self.docker.begin(stage, takes, Work::Prepare { life, task });
            }
            Effect::FollowHealth { container, known } => {
                let Some((_, docker_name)) = of(container) else { return };
                self.docker.follow((life, container, known), &docker_name, stage);
            }
            Effect::Pull(container) => {
                let Some((spec, _)) = of(container) else { return };
                let started_at = self.clock.now(stage);
                let takes = stage.random.between(50, 20_000);
                let work = Work::Pull { life, task, container, image: spec.image, started_at };
                self.docker.begin(stage, takes, work);
            }
            Effect::Create(container) => {
                let Some((spec, docker_name)) = of(container) else { return };
                let (takes, name) = (stage.random.between(5, 800), docker_name.clone());
                let spec = Box::new(spec);
                let work = Work::Create { life, task, container, docker_name, spec };
                self.docker.begin_at(stage, &name, takes, work);
            }
            Effect::Start(container) => {
                let Some((_, docker_name)) = of(container) else { return };
                let (takes, name) = (stage.random.between(5, 1_500), docker_name.clone());
                let work = Work::Start { life, task, container, docker_name };
                self.docker.begin_at(stage, &name, takes, work);
            }
            Effect::Watch(container) => {
                let Some((_, docker_name)) = of(container) else { return };
                self.docker.watch(life, &task, container, &docker_name, stage);
            }
            Effect::Stop(container) => {
                let Some((_, docker_name)) = of(container) else { return };
                self.docker.stop(&docker_name, stage);
            }
            Effect::Submit(report) => {
                if report.tells_an_end() {
                    self.disk.sync(&task);
                }
                self.submit(&task, report, stage);
            }
            Effect::CleanUp { containers, volumes: _, limits: _ } => {
                let takes = stage.random.between(50, 2_000);
                self.docker.begin(stage, takes, Work::CleanUp { life, task, containers });
            }
        }
    }
}

/// How far a task was, to see that it never goes back.
struct Progress {
    desired: DesiredStatus,
    known: Vec<ContainerStatus>,
}

impl Progress {
    fn of(task: &TaskState) -> Self {
        Self { desired: task.desired, known: task.containers.iter().map(|it| it.known).collect() }
    }

    fn check(&self, after: &TaskState) -> Result<(), Violation> {
        let forward =
            self.known.iter().zip(&after.containers).all(|(known, it)| *known <= it.known);
        if forward && self.desired <= after.desired {
            return Ok(());
        }
        Err(Violation::new(format!("{} went back in its agent", after.spec.arn)))
    }
}
