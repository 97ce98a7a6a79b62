//! Task metadata: what a container learns of itself and its task, by asking its agent.
//! Source: Amazon ECS Developer Guide, "Task metadata endpoint version 4" and those before it.
//!
//! [`reach`] is how a container gets here, [`route`] what its question means, [`shape`] how the
//! answer reads. What is told comes from the board and, at the moment of the question, from Docker.
//! Only a container of ours can know an id; a question without one is answered by its address.

mod link_local;
pub(crate) mod reach;
mod route;
pub(crate) mod shape;
mod tags;
mod throttle;

use std::collections::BTreeMap;
use std::net::IpAddr;

use bollard::models::ContainerStatsResponse;
use futures_util::future::join_all;
use http::StatusCode;
use longshore_client::Client;
use tokio::time::Instant;

use crate::board::{Board, ContainerView, Found, TaskView};
use crate::engine::ContainerStatus;
use crate::local_http::{Answer, Door, Question};
use crate::runtime::{Compared, Daemon, LookError, Sight};
use crate::telemetry::Usage;
use route::{Aspect, Route, Version};
use throttle::Throttle;

/// Answers containers' questions.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// As configured.
    pub(crate) cluster: String,
    pub(crate) board: Board,
    pub(crate) daemon: Daemon,
    pub(crate) usage: Usage,
    pub(crate) api: Client,
    pub(crate) throttle: Throttle,
}

/// Why a question has no answer: the status, and what the asker reads.
type Unanswered = (StatusCode, String);

impl Door for Metadata {
    async fn answer(&self, question: Question) -> Answer {
        let Some(route) = route::parse(&question.path) else {
            return refusal(StatusCode::NOT_FOUND, format!("no such path: {}", question.path));
        };
        let answer = match route {
            Route::ById { version, id, aspect } => self.by_id(&question, version, id, aspect).await,
            Route::ByAddress { aspect, docker_id } => {
                self.by_address(question.peer, aspect, docker_id).await
            }
        };
        answer.unwrap_or_else(|(status, text)| refusal(status, text))
    }
}

fn refusal(status: StatusCode, text: String) -> Answer {
    Answer::json_with(status, &text)
}

impl Metadata {
    async fn by_id(
        &self,
        question: &Question,
        version: Version,
        id: &str,
        aspect: Aspect,
    ) -> Result<Answer, Unanswered> {
        let found = self.board.find(|it| !id.is_empty() && it.metadata_id == id);
        // Containers of a host's own network all have its address: each counts for itself.
        let asker = found.as_ref().map_or_else(|| question.peer.to_string(), |_| id.to_owned());
        self.admit(asker)?;
        let found = found.ok_or_else(|| {
            let text = format!("no container of this instance has the metadata id {id}");
            (StatusCode::NOT_FOUND, text)
        })?;
        self.tell(version, &found, aspect).await
    }

    /// In bridge mode a container's address is its own.
    async fn by_address(
        &self,
        peer: IpAddr,
        aspect: Aspect,
        docker_id: Option<&str>,
    ) -> Result<Answer, Unanswered> {
        self.admit(peer.to_string())?;
        let unknown = |text: String| (StatusCode::NOT_FOUND, text);
        let not_yet = || unknown("this container instance is not registered yet".to_owned());
        let arn = self.board.container_instance().ok_or_else(not_yet)?;
        let sights = self.daemon.look_around(&arn).await.map_err(unseen)?;
        let address = peer.to_string();
        let is_asker = |it: &ContainerView| {
            let sight = it.docker_id.as_ref().and_then(|id| sights.get(id));
            sight.is_some_and(|it| it.has_address(&address))
        };
        let found = self.board.find(is_asker).ok_or_else(|| {
            unknown(format!(
                "no task of this instance has the address {address}: containers in host mode ask \
                 by the address in their environment"
            ))
        })?;
        let Some(docker_id) = docker_id else {
            return self.tell(Version::Two, &found, aspect).await;
        };
        let is_it = |it: &ContainerView| it.docker_id.as_deref() == Some(docker_id);
        let sibling = self.board.find(is_it).filter(|it| it.task.arn == found.task.arn);
        let sibling = sibling.ok_or_else(|| {
            unknown(format!("the asker's task has no container with the Docker id {docker_id}"))
        })?;
        let aspect = match aspect {
            Aspect::Task | Aspect::TaskWithTags | Aspect::Container => Aspect::Container,
            Aspect::Stats | Aspect::TaskStats => Aspect::Stats,
        };
        self.tell(Version::Two, &sibling, aspect).await
    }

    fn admit(&self, asker: String) -> Result<(), Unanswered> {
        if self.throttle.admits(asker, Instant::now()) {
            return Ok(());
        }
        let text = "too many requests: at most 40 a second are answered".to_owned();
        Err((StatusCode::TOO_MANY_REQUESTS, text))
    }

    async fn tell(
        &self,
        version: Version,
        found: &Found,
        aspect: Aspect,
    ) -> Result<Answer, Unanswered> {
        let task = &*found.task;
        match aspect {
            Aspect::Container => {
                let sight = self.sight(found.container()).await?;
                Ok(Answer::json(&shape::Container::new(version, task, found.container(), &sight)))
            }
            Aspect::Task => {
                let sights = self.sights(task).await?;
                Ok(Answer::json(&shape::Task::new(version, &self.cluster, task, &sights)))
            }
            Aspect::TaskWithTags => {
                let instance = self.board.container_instance();
                let tags = tags::read(&self.api, &task.arn, instance.as_deref());
                let (sights, tags) = tokio::join!(self.sights(task), tags);
                let sights = sights?;
                let answer = shape::Task::new(version, &self.cluster, task, &sights);
                Ok(Answer::json(&answer.with_tags(tags)))
            }
            Aspect::Stats => match self.stats(found.container()).await {
                Ok(stats) => Ok(Answer::json(&stats)),
                Err(error) => Err(unseen(error)),
            },
            Aspect::TaskStats => {
                let stats = task.containers.iter().map(async |it| {
                    let id = it.docker_id.clone()?;
                    Some((id, self.stats(it).await.ok()))
                });
                let stats: BTreeMap<_, _> = join_all(stats).await.into_iter().flatten().collect();
                Ok(Answer::json(&stats))
            }
        }
    }

    async fn sights(&self, task: &TaskView) -> Result<Vec<Sight>, Unanswered> {
        join_all(task.containers.iter().map(|it| self.sight(it))).await.into_iter().collect()
    }

    /// Of a container that is not made yet, or is removed already, there is nothing to see.
    async fn sight(&self, container: &ContainerView) -> Result<Sight, Unanswered> {
        let Some(docker_id) = &container.docker_id else { return Ok(Sight::default()) };
        match self.daemon.look(docker_id).await {
            Err(LookError::NoSuchContainer) => Ok(Sight::default()),
            seen => seen.map_err(unseen),
        }
    }

    /// Docker's own: those of the sampler's last look, or else of this moment, for which Docker
    /// waits a second or two.
    async fn stats(&self, container: &ContainerView) -> Result<ContainerStatsResponse, LookError> {
        let docker_id = container.docker_id.as_ref();
        let docker_id = docker_id.filter(|_| container.known == ContainerStatus::Running);
        let docker_id = docker_id.ok_or(LookError::NotRunning)?;
        match self.usage.latest(docker_id) {
            Some(stats) => Ok(stats),
            None => self.daemon.stats(docker_id, Compared::WithASecondBefore).await,
        }
    }
}

fn unseen(error: LookError) -> Unanswered {
    let status = match error {
        LookError::NoSuchContainer | LookError::NotRunning => StatusCode::NOT_FOUND,
        LookError::Refused(_) | LookError::Away => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.to_string())
}
