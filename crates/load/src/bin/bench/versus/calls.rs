//! The calls that are compared, and whom they are made to.

use std::fmt;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use longshore_load::Client;
use longshore_wire::ecs;
use serde::de::DeserializeOwned;

use crate::world::{TASKS_A_CALL, definition, run_request};

/// A call that is made again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    DescribeTasks(usize),
    ListTasks,
    RegisterTaskDefinition,
    RunTask(u32),
}

impl Call {
    /// Those that only read come first, while both servers have the same tasks.
    pub(crate) const ALL: [Self; 6] = [
        Self::DescribeTasks(1),
        Self::DescribeTasks(100),
        Self::ListTasks,
        Self::RegisterTaskDefinition,
        Self::RunTask(1),
        Self::RunTask(10),
    ];

    /// Whether its caller waits until it is on disk.
    pub(crate) fn is_durable(self) -> bool {
        matches!(self, Self::RegisterTaskDefinition | Self::RunTask(_))
    }

    /// Whether an answer holds all that was asked for.
    pub(crate) fn check(self, body: &[u8]) -> anyhow::Result<()> {
        let (found, asked) = match self {
            Self::DescribeTasks(asked) => {
                (read::<ecs::DescribeTasksResponse>(body)?.tasks.map(|it| it.len()), asked)
            }
            Self::ListTasks => {
                (read::<ecs::ListTasksResponse>(body)?.task_arns.map(|it| it.len()), 100)
            }
            Self::RegisterTaskDefinition => {
                let answer: ecs::RegisterTaskDefinitionResponse = read(body)?;
                (answer.task_definition.and_then(|it| it.revision).map(|_| 1), 1)
            }
            Self::RunTask(asked) => (
                read::<ecs::RunTaskResponse>(body)?.tasks.map(|it| it.len()),
                usize::try_from(asked)?,
            ),
        };
        if found != Some(asked) {
            bail!("an answer holds {found:?} instead of {asked}");
        }
        Ok(())
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DescribeTasks(count) => write!(f, "DescribeTasks of {count}"),
            Self::ListTasks => write!(f, "ListTasks of 100"),
            Self::RegisterTaskDefinition => write!(f, "RegisterTaskDefinition"),
            Self::RunTask(count) => write!(f, "RunTask of {count}"),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(body)
        .with_context(|| format!("{} cannot be read", String::from_utf8_lossy(body)))
}

/// A server that holds some tasks.
pub(crate) struct Target {
    client: Client,
    pid: u32,
    tasks: Vec<String>,
}

impl Target {
    /// Runs so many tasks on it.
    pub(crate) async fn prepare(
        client: Client,
        pid: Option<u32>,
        tasks: u32,
    ) -> anyhow::Result<Self> {
        let mut target =
            Self { client, pid: pid.context("the server has ended")?, tasks: Vec::new() };
        for _ in 0..tasks / TASKS_A_CALL {
            let answer = target.client.call(&run_request(TASKS_A_CALL)).await?;
            let made = answer.tasks.unwrap_or_default();
            target.tasks.extend(made.into_iter().filter_map(|it| it.task_arn));
        }
        Ok(target)
    }

    pub(crate) fn name(&self) -> &str {
        self.client.authority()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.client.authority().parse()?)
    }

    /// The bytes of this call.
    pub(crate) fn request(&self, call: Call) -> anyhow::Result<Vec<u8>> {
        match call {
            Call::DescribeTasks(count) => self.client.signed_bytes(&ecs::DescribeTasksRequest {
                tasks: Some(self.tasks.iter().take(count).cloned().collect()),
                ..ecs::DescribeTasksRequest::default()
            }),
            Call::ListTasks => self.client.signed_bytes(&ecs::ListTasksRequest::default()),
            Call::RegisterTaskDefinition => {
                self.client.signed_bytes(&ecs::RegisterTaskDefinitionRequest {
                    family: Some("registered".into()),
                    ..definition()
                })
            }
            Call::RunTask(count) => self.client.signed_bytes(&run_request(count)),
        }
    }
}
