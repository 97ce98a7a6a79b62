//! What the agent says to the control plane: registration, reports, and its connection.

use std::collections::BTreeMap;

use longshore_agent::engine::{Input, Report};
use longshore_agent::submission;
use longshore_model::Timestamp;
use longshore_wire::ecs::{Attribute, RegisterContainerInstanceRequest, Resource};

use super::Machine;
use crate::checks::Violation;
use crate::event::{AgentCall, Answer, Event, ToLife};
use crate::network::{self, LinkId};
use crate::stage::Stage;

/// A connection that lasted this long was a good one.
const GOOD_MILLIS: i64 = 60_000;

/// A smaller difference from the control plane's clock is not why a signature was refused.
const LEAST_CORRECTION_SECS: i64 = 300;

/// Calls whose answers are waited for.
#[derive(Default)]
pub(super) struct Calls {
    waiting: BTreeMap<u64, About>,
    counter: u64,
}

/// What a call was about.
enum About {
    Registration,
    Report(String),
}

impl Calls {
    fn number(&mut self, about: About) -> u64 {
        self.counter += 1;
        self.waiting.insert(self.counter, about);
        self.counter
    }
}

/// The agent's side of its connection.
pub(crate) enum Session {
    /// There is none, and none is being made.
    Off,
    /// The answer to this attempt is waited for.
    Connecting { attempt: u64 },
    /// It is up.
    On { link: LinkId, since_millis: i64 },
}

impl Machine {
    /// Registers, as the instance that it was if it was one.
    pub(crate) fn register(&mut self, stage: &mut Stage) {
        let request = self.registration();
        let life = self.life();
        let Some(agent) = &mut self.agent else { return };
        let number = agent.calls.number(About::Registration);
        let signed_at = self.signs_at(stage);
        network::call(stage, life, number, AgentCall::Register(Box::new(request)), signed_at);
    }

    fn registration(&self) -> RegisterContainerInstanceRequest {
        let integer = |name: &str, value: i32| Resource {
            name: Some(name.to_owned()),
            kind: Some("INTEGER".to_owned()),
            integer_value: Some(value),
            ..Resource::default()
        };
        let reserved = Resource {
            name: Some("PORTS".to_owned()),
            kind: Some("STRINGSET".to_owned()),
            string_set_value: Some(vec!["22".to_owned(), "51678".to_owned()]),
            ..Resource::default()
        };
        let attribute = |name: &str, value: Option<&str>| Attribute {
            name: Some(name.to_owned()),
            value: value.map(str::to_owned),
            ..Attribute::default()
        };
        let zone = ["a", "b", "c"].get(self.index % 3).copied();
        let mut attributes = vec![attribute("zone", zone)];
        for minor in 17..=25 {
            let name = format!("com.amazonaws.ecs.capability.docker-remote-api.1.{minor}");
            attributes.push(attribute(&name, None));
        }
        for name in [
            "container-health-check",
            "container-ordering",
            "container-restart-policy",
            "task-cpu-mem-limit",
        ] {
            attributes.push(attribute(&format!("ecs.capability.{name}"), None));
        }
        // Agents of three ages: an old one, one of later years, and Longshore's own.
        if self.index % 4 >= 1 {
            attributes.push(attribute("ecs.capability.full-sync", None));
        }
        if self.index % 4 >= 2 {
            attributes.push(attribute("io.longshore.capability.task-resend", None));
        }
        // Some of those in the default cluster are outside of AWS.
        if self.index % 3 == 1 {
            attributes.push(attribute("ecs.capability.external", None));
        }
        let size = i32::try_from(self.index % 3 + 1).unwrap_or(1);
        RegisterContainerInstanceRequest {
            cluster: Some(self.cluster.to_owned()),
            container_instance_arn: self.disk.identity.clone(),
            total_resources: Some(vec![
                integer("CPU", 1024 * size),
                integer("MEMORY", 1536 * size),
                reserved,
            ]),
            attributes: Some(attributes),
            ..RegisterContainerInstanceRequest::default()
        }
    }

    /// By which time it signs.
    fn signs_at(&self, stage: &Stage) -> Timestamp {
        let correction_secs = self.agent.as_ref().map_or(0, |it| it.correction_secs);
        self.clock.now(stage).plus_secs(correction_secs)
    }

    /// Sends a report.
    pub(super) fn submit(&mut self, task: &str, report: Report, stage: &mut Stage) {
        let correction_secs = self.agent.as_ref().map_or(0, |it| it.correction_secs);
        let request = submission(self.cluster, task, report, correction_secs);
        let (life, signed_at) = (self.life(), self.signs_at(stage));
        let Some(agent) = &mut self.agent else { return };
        let number = agent.calls.number(About::Report(task.to_owned()));
        network::call(stage, life, number, AgentCall::Submit(Box::new(request)), signed_at);
    }

    /// Hears what came of a call; the first that is heard counts.
    pub(crate) fn hear(
        &mut self,
        number: u64,
        answer: Answer,
        stage: &mut Stage,
    ) -> Result<(), Violation> {
        let (life, own) = (self.life(), self.clock.now(stage).millis() / 1000);
        let Some(agent) = &mut self.agent else { return Ok(()) };
        let Some(about) = agent.calls.waiting.remove(&number) else { return Ok(()) };
        if let Answer::WrongTime(theirs) = &answer {
            let ahead = theirs.millis() / 1000 - own;
            agent.correction_secs = if ahead.abs() < LEAST_CORRECTION_SECS { 0 } else { ahead };
        }
        match (about, answer) {
            (About::Registration, Answer::Registered(arn)) => {
                self.disk.identity = Some(arn);
                stage.after(0, Event::Agent(life, ToLife::Connect));
            }
            (About::Registration, _) => {
                let pause = stage.random.between(250, 30_000);
                stage.after(pause, Event::Agent(life, ToLife::RegisterAgain));
            }
            (About::Report(task), Answer::Accepted) => {
                return self.advance(&task, Input::ReportAccepted, stage);
            }
            (About::Report(task), _) => {
                if let Some(worker) = agent.workers.get_mut(&task) {
                    worker.pause = Some(number);
                    let again = ToLife::SubmitAgain { task, pause: number };
                    let delay = stage.random.between(1_000, 30_000);
                    stage.after(delay, Event::Agent(life, again));
                }
            }
        }
        Ok(())
    }

    /// Reports again, if that is what is still waited for.
    pub(crate) fn submit_again(&mut self, task: &str, pause: u64, stage: &mut Stage) {
        let Some(agent) = &mut self.agent else { return };
        let Some(worker) = agent.workers.get_mut(task) else { return };
        if worker.pause != Some(pause) {
            return;
        }
        worker.pause = None;
        if let Some(report) = worker.state.outbox.front().cloned() {
            self.submit(task, report, stage);
        }
    }

    /// Opens a connection, unless there is one.
    pub(crate) fn connect(&mut self, stage: &mut Stage) {
        let life = self.life();
        let (Some(agent), Some(arn)) = (&mut self.agent, &self.disk.identity) else { return };
        if !matches!(agent.session, Session::Off) {
            return;
        }
        agent.calls.counter += 1;
        let attempt = agent.calls.counter;
        agent.session = Session::Connecting { attempt };
        let query = format!(
            "agentHash=longshore&agentVersion=0.1.0&clusterArn={}&containerInstanceArn={}\
             &protocolVersion=2&seqNum=1",
            self.cluster,
            arn.replace(':', "%3A").replace('/', "%2F"),
        );
        if !stage.mishap(stage.profile.loss_percent) {
            let delay = stage.latency();
            stage.after(delay, Event::Agent(life, ToLife::Handshake { attempt, query }));
        }
        let too_late = ToLife::HandshakeOver { attempt, link: None };
        stage.after(15_000, Event::Agent(life, too_late));
    }

    /// Hears what came of an attempt to connect. Says whether the connection is used.
    pub(crate) fn connected(
        &mut self,
        attempt: u64,
        link: Option<LinkId>,
        stage: &mut Stage,
    ) -> bool {
        let life = self.life();
        let Some(agent) = &mut self.agent else { return false };
        if !matches!(agent.session, Session::Connecting { attempt: it } if it == attempt) {
            return false;
        }
        let Some(link) = link else {
            agent.session = Session::Off;
            let pause = stage.random.between(250, 20_000);
            stage.after(pause, Event::Agent(life, ToLife::Connect));
            return false;
        };
        agent.session = Session::On { link, since_millis: stage.now_millis };
        agent.timeline = 0;
        // The control plane is reached anew: a good moment for the reports that wait.
        let paused = agent.workers.iter().filter_map(|(task, it)| Some((task.clone(), it.pause?)));
        for (task, pause) in paused.collect::<Vec<_>>() {
            self.submit_again(&task, pause, stage);
        }
        true
    }

    /// Finds out that its connection is over.
    pub(crate) fn disconnected(&mut self, link: LinkId, stage: &mut Stage) {
        let life = self.life();
        let Some(agent) = &mut self.agent else { return };
        let Session::On { link: current, since_millis } = agent.session else { return };
        if current != link {
            return;
        }
        agent.session = Session::Off;
        let lasted = stage.now_millis - since_millis;
        let pause = if lasted > GOOD_MILLIS { 0 } else { stage.random.between(250, 20_000) };
        stage.after(pause, Event::Agent(life, ToLife::Connect));
    }

    /// The connection that it has.
    pub(crate) fn link(&self) -> Option<LinkId> {
        match self.agent.as_ref()?.session {
            Session::On { link, .. } => Some(link),
            Session::Off | Session::Connecting { .. } => None,
        }
    }

    /// Whether a frame on this connection is heard.
    pub(crate) fn is_on(&self, link: LinkId) -> bool {
        let session = self.agent.as_ref().map(|it| &it.session);
        matches!(session, Some(Session::On { link: it, .. }) if *it == link)
    }
}
