//! The real control plane over its journal, started and stopped as a process is.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use longshore_control::Control;
use longshore_control::lost::Absences;
use longshore_model::{Clock, Ids, Owner};
use longshore_server::{Connection, InProcess};
use longshore_store::{Commit, State, Store, Watch};
use longshore_wire::ErrorBody;
use longshore_wire::ecs::Request;

use crate::checks::Violation;
use crate::journal::{FragileJournal, Soundness};
use crate::network::LinkId;
use crate::stage::Stage;

/// The control plane, whether it runs or not.
pub(crate) struct ControlPlane {
    pub(crate) owner: Owner,
    pub(crate) journal: FragileJournal,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    running: Option<Running>,
    /// What was durable at the start of the process, or at its end.
    view: Arc<State>,
}

struct Running {
    control: Control,
    doors: InProcess,
    watch: Watch,
    /// `None` once it could not be saved that a task was given up: then nobody looks any more.
    absences: Option<Absences>,
    connections: BTreeMap<LinkId, Connection>,
}

/// Why a call was not answered well.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Nobody is there.
    Down,
    /// The control plane says no.
    Refused(ErrorBody),
    /// What must hold does not.
    Violation(Violation),
}

impl ControlPlane {
    /// A control plane that does not run yet, on an empty journal.
    pub(crate) fn new(stage: &Stage) -> Self {
        Self {
            owner: Owner { region: "us-east-1".into(), account: "123456789012".into() },
            journal: FragileJournal::default(),
            clock: Arc::clone(&stage.plane_clock) as Arc<dyn Clock>,
            ids: Arc::clone(&stage.ids) as Arc<dyn Ids>,
            running: None,
            view: Arc::default(),
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// What is durable, as far as anybody could see it.
    pub(crate) fn view(&self) -> Arc<State> {
        match &self.running {
            Some(running) => running.control.view(),
            None => Arc::clone(&self.view),
        }
    }

    /// What was durable when the process started, before it did anything.
    pub(crate) fn durable_at_start(&self) -> Arc<State> {
        Arc::clone(&self.view)
    }

    /// Starts the process.
    pub(crate) fn start(&mut self) -> Result<(), Violation> {
        let failed = |error: longshore_store::StoreError| {
            Violation::new(format!("the control plane cannot start: {error}"))
        };
        let store = Store::open_inline(self.journal.clone()).map_err(failed)?;
        let watch = store.watch();
        let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        let control = Control::new(store, clock, ids, self.owner.clone());
        self.view = control.view();
        let doors = at_once(InProcess::open(control.clone())).map_err(failed)?;
        let (absences, connections) = (Some(Absences::of(&control.view())), BTreeMap::new());
        self.running = Some(Running { control, doors, watch, absences, connections });
        Ok(())
    }

    /// Ends the process, at any moment and with no warning. Says which connections it had.
    pub(crate) fn stop(&mut self) -> Vec<LinkId> {
        self.view = self.view();
        let connections = self.running.take().map(|it| it.connections).unwrap_or_default();
        connections.into_keys().collect()
    }

    /// Makes a call, as bytes through the door and back.
    pub(crate) fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, CallError> {
        let Some(running) = &self.running else { return Err(CallError::Down) };
        let before = running.control.view().revision();
        let body = serde_json::to_vec(request).expect("a shape can be written");
        let answer = at_once(running.doors.answer(R::OPERATION.target(), &body));
        let after = running.control.view().revision();
        let is_read = R::OPERATION.name().starts_with("Describe")
            || R::OPERATION.name().starts_with("List")
            || R::OPERATION.name().starts_with("Discover");
        if let Soundness::Failed { .. } | Soundness::Misused = self.journal.soundness()
            && (after != before || (answer.is_ok() && !is_read))
        {
            let operation = R::OPERATION.name();
            return Err(CallError::Violation(Violation::new(format!(
                "{operation} was acknowledged, or showed, although the journal had failed"
            ))));
        }
        let answer = answer.map_err(CallError::Refused)?;
        let parsed = longshore_wire::parse::<R::Response>(&answer).map_err(|error| {
            CallError::Violation(Violation::new(format!(
                "the answer of {} cannot be read: {error}",
                R::OPERATION.name()
            )))
        })?;
        Ok(parsed.shape)
    }

    /// Takes an agent's connection in, if it may connect.
    pub(crate) fn connect(&mut self, link: LinkId, query: &str) -> bool {
        let Some(running) = &mut self.running else { return false };
        match at_once(running.doors.connect(query)) {
            Ok(connection) => {
                running.connections.insert(link, connection);
                true
            }
            Err(_refusal) => false,
        }
    }

    /// An agent's connection, as long as this side has it.
    pub(crate) fn connection(&mut self, link: LinkId) -> Option<&mut Connection> {
        self.running.as_mut()?.connections.get_mut(&link)
    }

    /// What a connection has to say now.
    pub(crate) fn frames(&mut self, link: LinkId) -> Vec<String> {
        let connection = self.running.as_mut().and_then(|it| it.connections.get_mut(&link));
        connection.map_or(Vec::new(), |it| at_once(it.frames()))
    }

    /// The connections that this side has.
    pub(crate) fn links(&self) -> Vec<LinkId> {
        self.running.iter().flat_map(|it| it.connections.keys().copied()).collect()
    }

    /// Ends a connection. A store that is closed says so elsewhere.
    pub(crate) fn disconnect(&mut self, link: LinkId) {
        if let Some(connection) = self.running.as_mut().and_then(|it| it.connections.remove(&link))
        {
            let _ = at_once(connection.end());
        }
    }

    /// Forgets old tasks, as the server does from time to time.
    pub(crate) fn reap(&mut self) {
        if let Some(running) = &self.running {
            let _ = at_once(running.control.reap());
        }
    }

    /// Gives up tasks on machines that stay away, as the server does when their time is over.
    pub(crate) fn lose(&mut self) {
        if let Some(running) = &mut self.running
            && let Some(absences) = &mut running.absences
            && at_once(running.control.lose_tasks(absences)).is_err()
        {
            running.absences = None;
        }
    }

    /// In how many milliseconds that is to be done next.
    pub(crate) fn loses_in(&self) -> Option<i64> {
        let running = self.running.as_ref()?;
        let at = running.absences.as_ref()?.wake_at()?;
        Some(at.millis().saturating_sub(running.control.now().millis()).max(0))
    }

    /// The commits since the last time, which also wake the connections that they concern.
    pub(crate) fn commits(&mut self) -> Result<Vec<Arc<Commit>>, Violation> {
        let mut commits = Vec::new();
        let Some(running) = &mut self.running else { return Ok(commits) };
        while let Poll::Ready(commit) = poll(pin!(running.watch.next())) {
            let commit = commit.map_err(|it| Violation::new(it.to_string()))?;
            if let Some(absences) = &mut running.absences {
                absences.follow(&commit, &running.control.view());
            }
            commits.push(commit);
        }
        if !commits.is_empty() {
            running.doors.pass_on();
        }
        Ok(commits)
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The outcome of a future that waits for nothing.
fn at_once<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("the store commits inline, so nothing ever waits"),
    }
}
