//! The world: one control plane, some machines, the network between them, and the clients.
//!
//! One event after another, each at its time; after each, all that must hold is looked at.

use std::collections::BTreeMap;

use longshore_store::{Change, Commit};
use longshore_wire::ecs::{CreateClusterRequest, StopTaskRequest};

use crate::checks::{self, Checks, Violation, settled};
use crate::control_plane::{CallError, ControlPlane};
use crate::event::{Event, Life, ToLife};
use crate::faults::Fault;
use crate::journal::Soundness;
use crate::machine::Machine;
use crate::network::{Link, LinkId};
use crate::stage::{Stage, Trace};
use crate::workload::{ClientCall, Workload, policy};

/// Between two rounds of forgetting old tasks.
const REAP_EVERY_MILLIS: i64 = 60_000;

/// The clusters that machines join.
const CLUSTERS: [&str; 2] = ["default", "other"];

/// All there is.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) plane: ControlPlane,
    pub(crate) machines: Vec<Machine>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) link_count: LinkId,
    pub(crate) workload: Workload,
    pub(crate) checks: Checks,
    /// The clients call until then.
    busy_until_millis: i64,
    /// How long they called, once they have ceased to.
    pub(crate) busy_millis: i64,
    /// They do nothing until then.
    idle_until_millis: i64,
    /// When the control plane is to give up tasks, as far as that is in the queue.
    loses_at_millis: Option<i64>,
    /// A test wants a failure after so many events.
    pub(crate) fails_after: Option<u64>,
    /// The control plane has lost its journal and is about to stop.
    is_stopping: bool,
}

impl World {
    /// The world that a seed makes, before anything has happened.
    pub(crate) fn new(seed: u64, trace: Trace) -> Self {
        let mut stage = Stage::new(seed, trace);
        let machines = (0..stage.profile.machines).map(|it| Machine::new(it, &mut stage)).collect();
        Self {
            plane: ControlPlane::new(&stage),
            machines,
            links: BTreeMap::new(),
            link_count: 0,
            workload: Workload::default(),
            checks: Checks::default(),
            busy_until_millis: stage.now_millis + stage.profile.busy_millis,
            busy_millis: 0,
            idle_until_millis: stage.now_millis,
            loses_at_millis: None,
            fails_after: None,
            is_stopping: false,
            stage,
        }
    }

    /// Lets everything happen: trouble, then calm, then the end of every task.
    pub(crate) fn run(&mut self) -> Result<(), Violation> {
        self.begin()?;
        let begun_millis = self.stage.now_millis;
        while self.stage.now_millis < self.busy_until_millis {
            self.run_until(self.busy_until_millis)?;
        }
        self.busy_millis = self.stage.now_millis - begun_millis;
        self.calm_down();
        self.run_for_secs(1_800)?;
        self.checks.state(&self.plane.view())?;
        let (state, owner) = (self.plane.view(), &self.plane.owner);
        settled::all_agree(&self.machines, &state, owner)?;

        self.stop_every_task()?;
        self.run_for_secs(600)?;
        settled::all_agree(&self.machines, &self.plane.view(), &self.plane.owner)?;
        settled::nothing_is_taken(&self.machines, &self.plane.view())?;

        let kept_secs = i64::from(self.stage.profile.policy.cleanup_wait_secs);
        // The control plane's clock may be ten minutes off for each time that it was set.
        self.run_for_secs(kept_secs.max(3_600) + 12 * 3_600)?;
        let may_lose = [Fault::AgentDiesInStep, Fault::PowerFails];
        let may_leave_containers = self.stage.profile.faults.iter().any(|it| may_lose.contains(it));
        settled::nothing_is_left(&self.machines, &self.plane.view(), may_leave_containers)
    }

    fn begin(&mut self) -> Result<(), Violation> {
        self.stage.note(|| "the beginning".to_owned());
        self.plane.start()?;
        for cluster in CLUSTERS {
            self.plane
                .call(&create_cluster(cluster, self.stage.profile.lost_after))
                .map_err(|it| Violation::new(format!("no cluster: {it:?}")))?;
        }
        for machine in 0..self.machines.len() {
            let delay = self.stage.random.between(0, 2_000);
            self.stage.after(delay, Event::Boot(machine));
        }
        self.stage.after(500, Event::Client);
        self.stage.after(3_000, Event::Fault);
        self.stage.after(REAP_EVERY_MILLIS, Event::Reap);
        self.settle()
    }

    /// From now on nothing goes wrong. What is broken is not mended for that: it must recover.
    /// Only clusters that were deleted are made again; the last calls of before may delete them.
    fn calm_down(&mut self) {
        self.stage.note(|| "CALM".to_owned());
        self.stage.calm = true;
        for machine in &mut self.machines {
            machine.dies_in_step = false;
            machine.cut_off_until_millis = 0;
        }
        if matches!(self.plane.journal.soundness(), Soundness::AboutToFail { .. }) {
            self.plane.journal.set(Soundness::Sound);
        }
        for delay in [0, 100_000, 300_000] {
            for cluster in CLUSTERS {
                let policy = self.stage.profile.lost_after;
                let call = ClientCall::CreateCluster(create_cluster(cluster, policy));
                self.stage.after(delay, Event::ClientCalls(call));
            }
        }
    }

    fn stop_every_task(&mut self) -> Result<(), Violation> {
        self.stage.note(|| "every task is stopped".to_owned());
        let state = self.plane.view();
        for task in state.all_tasks() {
            let request = StopTaskRequest {
                cluster: Some(task.cluster.to_string()),
                task: Some(task.id.to_string()),
                reason: None,
            };
            self.stop_task(&request)?;
            self.settle()?;
        }
        Ok(())
    }

    fn run_for_secs(&mut self, secs: i64) -> Result<(), Violation> {
        self.run_until(self.stage.now_millis + secs * 1000)
    }

    fn run_until(&mut self, until_millis: i64) -> Result<(), Violation> {
        while let Some(event) = self.stage.next(until_millis) {
            checks::hold(!self.stage.stands_still(), || {
                "so much happens at one moment that the time stands still".to_owned()
            })?;
            checks::hold(self.fails_after.is_none_or(|it| self.stage.events < it), || {
                "a failure that was asked for".to_owned()
            })?;
            let is_dockers = matches!(event, Event::Docker { .. });
            self.happen(event)?;
            self.settle()?;
            if is_dockers {
                self.checks.only_live_tasks_run(&self.machines, &self.plane.view())?;
            }
        }
        Ok(())
    }

    /// After anything happened: what became durable is checked and wakes whom it concerns.
    pub(crate) fn settle(&mut self) -> Result<(), Violation> {
        let commits = self.plane.commits()?;
        let state = self.plane.view();
        for commit in &commits {
            self.note_changes(commit);
            self.checks.commit(commit, &self.machines, &self.plane.owner, &state)?;
        }
        if !commits.is_empty() {
            // It looks at every task, and is dear: what it finds does not go away by itself.
            let is_new = |it: &Change| matches!(it, Change::Task { before: None, .. });
            if commits.iter().any(|it| it.revision % 4 == 0 || it.changes.iter().any(is_new)) {
                self.checks.state(&state)?;
            }
            self.checks.only_live_tasks_run(&self.machines, &state)?;
            self.give_turns();
        }
        if let Some(millis) = self.plane.loses_in() {
            let at = self.stage.now_millis + millis;
            if self.loses_at_millis.is_none_or(|it| at < it) {
                self.loses_at_millis = Some(at);
                self.stage.after(millis, Event::Lose);
            }
        }
        match self.plane.journal.soundness() {
            Soundness::Sound | Soundness::AboutToFail { .. } => Ok(()),
            Soundness::Misused => Err(Violation::new("a store used its journal after it failed")),
            Soundness::Failed { .. } => {
                if self.plane.is_up() && !std::mem::replace(&mut self.is_stopping, true) {
                    let delay = self.stage.random.between(0, 300);
                    self.stage.after(delay, Event::PlaneStops);
                }
                Ok(())
            }
        }
    }

    fn note_changes(&mut self, commit: &Commit) {
        for change in &commit.changes {
            if let Change::Task { after: Some(task), .. } = change {
                self.stage.note(|| {
                    let containers = task.containers.iter();
                    let containers: Vec<_> = containers.map(|it| it.last_status.as_str()).collect();
                    let (last, desired) = (task.last_status.as_str(), task.desired_status.as_str());
                    let (id, version) = (task.id, task.version);
                    format!("durable {id} version {version}: {last} ({desired}) {containers:?}")
                });
            }
        }
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Client => self.think_of_a_call(),
            Event::ClientCalls(call) => return self.answer_client(call),
            Event::Fault => {
                if !self.stage.calm {
                    self.go_wrong()?;
                    let most = self.stage.profile.fault_pause_millis;
                    let is_idle = self.stage.now_millis < self.idle_until_millis;
                    let most = if is_idle { most * 100 } else { most };
                    let pause = self.stage.random.between(1, most);
                    self.stage.after(pause, Event::Fault);
                }
            }
            Event::Lose => {
                self.loses_at_millis = None;
                self.plane.lose();
            }
            Event::Reap => {
                self.plane.lose();
                self.plane.reap();
                self.reinstall_machines();
                self.stage.after(REAP_EVERY_MILLIS, Event::Reap);
            }
            Event::PlaneStops => return self.stop_plane(),
            Event::PlaneStarts => return self.start_plane(),
            Event::Turn(link) => self.take_turn(link),
            Event::ToAgent(link, frame) => return self.tell_agent(link, &frame),
            Event::ToPlane(link, frame) => self.tell_plane(link, &frame),
            Event::PlaneLoses(link) => self.plane_loses(link),
            Event::AgentLoses(link) => self.agent_loses(link),
            Event::Boot(machine) => {
                self.stage.note(|| format!("agent {machine} boots"));
                if let Some(machine) = self.machines.get_mut(machine) {
                    machine.boot(&mut self.stage);
                }
            }
            Event::Died(machine, link) => {
                self.stage.note(|| format!("agent {machine} died in a step"));
                self.agent_died(machine, link);
            }
            Event::Agent(life, what) => return self.happen_to(life, what),
            Event::Docker { machine, boot, work } => {
                let Some(machine) = self.machines.get_mut(machine) else { return Ok(()) };
                if !machine.docker.is_of(boot) {
                    return Ok(());
                }
                if let Some((life, task, input)) = machine.docker.perform(work, &mut self.stage)?
                    && machine.is_alive(life)
                {
                    machine.advance(&task, input, &mut self.stage)?;
                }
            }
        }
        Ok(())
    }

    fn happen_to(&mut self, life: Life, what: ToLife) -> Result<(), Violation> {
        // What was under way to the control plane arrives there, whoever sent it.
        match what {
            ToLife::Calls { number, call, signed_at } => {
                return self.answer_agent(life, number, call, signed_at);
            }
            ToLife::Handshake { attempt, query } => {
                self.shake_hands(life, attempt, &query);
                return Ok(());
            }
            ToLife::HandshakeOver { attempt, link } => {
                self.end_handshake(life, attempt, link);
                return Ok(());
            }
            _ if !self.is_alive(life) => return Ok(()),
            _ => {}
        }
        let Some(machine) = self.machines.get_mut(life.machine) else { return Ok(()) };
        let stage = &mut self.stage;
        match what {
            ToLife::Resumed => machine.resume(stage),
            ToLife::Input { task, input } => machine.advance(&task, input, stage),
            ToLife::Hears { number, answer } => machine.hear(number, answer, stage),
            ToLife::RegisterAgain => {
                machine.register(stage);
                Ok(())
            }
            ToLife::SubmitAgain { task, pause } => {
                machine.submit_again(&task, pause, stage);
                Ok(())
            }
            ToLife::Connect => {
                machine.connect(stage);
                Ok(())
            }
            ToLife::Calls { .. } | ToLife::Handshake { .. } | ToLife::HandshakeOver { .. } => {
                Ok(())
            }
        }
    }

    fn start_plane(&mut self) -> Result<(), Violation> {
        if self.plane.is_up() {
            return Ok(());
        }
        let before = self.plane.view();
        let is_doubtful = self.plane.journal.soundness() == Soundness::Failed { kept: true };
        self.plane.journal.set(Soundness::Sound);
        self.is_stopping = false;
        self.plane.start()?;
        self.stage.note(|| "the control plane starts".to_owned());
        let after = self.plane.durable_at_start();
        self.checks.restarted(&before, &after, is_doubtful)
    }

    fn think_of_a_call(&mut self) {
        if self.stage.calm {
            return;
        }
        let pause = match self.stage.random.chance(self.stage.profile.idle_percent) {
            true => {
                let idle = self.stage.random.between(3_600_000, 5_000_000);
                self.busy_until_millis += idle;
                self.idle_until_millis = self.stage.now_millis + idle;
                idle
            }
            false if self.workload.is_new() => self.stage.random.between(1, 500),
            false => self.stage.random.between(1, self.stage.profile.work_pause_millis),
        };
        self.stage.after(pause, Event::Client);
        self.look_at_instances();
        let call = self.workload.next(&mut self.stage.random);
        if self.stage.mishap(self.stage.profile.repeat_percent) {
            let delay = self.stage.random.between(1, 60_000);
            self.stage.after(delay, Event::ClientCalls(call.clone()));
        }
        if !self.stage.mishap(self.stage.profile.loss_percent) {
            let delay = self.stage.latency();
            self.stage.after(delay, Event::ClientCalls(call));
        }
    }

    fn look_at_instances(&mut self) {
        let (state, owner) = (self.plane.view(), &self.plane.owner);
        for instance in state.all_instances() {
            let arn = instance.arn(owner);
            self.workload.instances.insert((arn, instance.cluster.to_string()));
        }
    }

    /// Which refusals may be.
    pub(crate) fn check_refusal(&self, error: CallError) -> Result<(), Violation> {
        match error {
            CallError::Down => Ok(()),
            CallError::Violation(violation) => Err(violation),
            CallError::Refused(error) => checks::hold(
                error.code != "ServerException"
                    || matches!(self.plane.journal.soundness(), Soundness::Failed { .. }),
                || format!("a call failed for no reason: {}", error.message),
            ),
        }
    }
}

fn create_cluster(name: &str, lost_after: Option<&str>) -> CreateClusterRequest {
    CreateClusterRequest {
        cluster_name: Some(name.to_owned()),
        tags: lost_after.map(policy),
        ..Default::default()
    }
}
