//! Creating a container, once.

use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse};
use bollard::query_parameters::CreateContainerOptions;
use tokio::join;
use tokio::time::{sleep, timeout};

use super::body::{CONTAINER_LABEL, Common, TASK_LABEL, body};
use super::daemon::{Answer, Daemon, Refusal, answer};
use crate::engine::{CreateOutcome, Failure, Reason, TaskState};

const TIME_LIMIT: Duration = Duration::from_secs(4 * 60);

/// How often, and how far apart, a name that is taken is looked at until its container shows:
/// Docker gives the name away first, and an agent that was killed may have left it at that.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A container to be created.
#[derive(Debug)]
pub(crate) struct Creation {
    task_arn: String,
    container: String,
    docker_name: String,
    body: ContainerCreateBody,
}

impl Daemon {
    /// Works out what to ask Docker for the container at this position of the task.
    pub(crate) fn creation(
        &self,
        common: &Common,
        task: &TaskState,
        container: usize,
    ) -> Result<Creation, Reason> {
        let (spec, state) = task
            .spec
            .containers
            .get(container)
            .zip(task.containers.get(container))
            .ok_or_else(|| Failure::HostConfig.because("no such container"))?;
        Ok(Creation {
            task_arn: task.spec.arn.clone(),
            container: spec.name.clone(),
            docker_name: state.docker_name.clone(),
            body: body(common, task, spec)?,
        })
    }

    /// Creates the container.
    pub(crate) async fn create(&self, creation: Result<Creation, Reason>) -> CreateOutcome {
        let creation = match creation {
            Ok(creation) => creation,
            Err(reason) => return CreateOutcome::Failed(reason),
        };
        timeout(TIME_LIMIT, self.create_once(&creation)).await.unwrap_or_else(|_| {
            let text = "Could not transition to created; timed out after waiting 4m0s";
            CreateOutcome::Failed(Failure::DockerTimeout.because(text))
        })
    }

    /// Whenever it is not known what came of the wish, the name tells: we chose it, and nobody
    /// else would.
    async fn create_once(&self, creation: &Creation) -> CreateOutcome {
        let name = &creation.docker_name;
        let failed =
            |it: Refusal| CreateOutcome::Failed(Failure::CannotCreateContainer.because(it.text));
        let mut looks = 0;
        loop {
            let options = CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
            let body = creation.body.clone();
            let (created, image_digest) = join!(
                self.docker.create_container(Some(options), body),
                self.image_digest(creation.body.image.as_deref()),
            );
            let refusal = match answer(created) {
                Answer::Done(created) => {
                    return CreateOutcome::Created { docker_id: created.id, image_digest };
                }
                Answer::Refused(refusal) if refusal.is_missing_image() => {
                    let reason = Failure::CannotCreateContainer.because(refusal.text);
                    return CreateOutcome::ImageMissing(reason);
                }
                Answer::Refused(refusal) if refusal.status == 409 => Some(refusal),
                Answer::Refused(refusal) => return failed(refusal),
                Answer::Away => None,
            };
            match (self.inspect(name).await, refusal) {
                (Ok(Some(found)), _) if creation.is_of(&found) => {
                    let docker_id = found.id.unwrap_or_default();
                    return CreateOutcome::Created { docker_id, image_digest };
                }
                (Ok(None), Some(_)) if looks < LOOKS => {
                    looks += 1;
                    sleep(BETWEEN_LOOKS).await;
                }
                (_, Some(refusal)) | (Err(refusal), None) => return failed(refusal),
                (Ok(_), None) => {}
            }
        }
    }
}

impl Refusal {
    /// A link to a container that is gone is answered by 404 too.
    fn is_missing_image(&self) -> bool {
        self.status == 404 && self.text.to_ascii_lowercase().contains("no such image")
    }
}

impl Creation {
    fn is_of(&self, found: &ContainerInspectResponse) -> bool {
        let labels = found.config.as_ref().and_then(|it| it.labels.as_ref());
        let has = |name: &str, value: &String| {
            labels.is_some_and(|labels| labels.get(name) == Some(value))
        };
        has(TASK_LABEL, &self.task_arn) && has(CONTAINER_LABEL, &self.container)
    }
}
