//! How a container stands, and waiting for its end.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum};
use bollard::query_parameters::EventsOptions;
use futures_util::StreamExt;
use tokio::time::timeout;
use tracing::warn;

use super::daemon::Daemon;
use super::instant::{instant, secs_between};
use crate::engine::{Exit, Failure, Reason};

/// Between two looks at a container of which Docker says that the wait is over while it runs.
const PAUSE: Duration = Duration::from_secs(1);

/// How long Docker may take to hear that a container was killed for its memory after it has heard
/// that it ended. The two reach it by different ways; mostly this one is first. Of some, on a busy
/// machine, it never hears.
const LATE: Duration = Duration::from_millis(500);

/// The exit code of what SIGKILL ended.
const KILLED: i32 = 137;

/// A container as inspection shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// It was never started, or starting it failed.
    Created,
    /// It runs, if only between two runs.
    Running,
    /// It ran and ended.
    Exited(Exit),
}

impl Daemon {
    /// Waits until the container has ended, however often the daemon goes away meanwhile.
    pub(crate) async fn exit(&self, docker_id: &str) -> Exit {
        loop {
            // The stream's one item is the end, well or not; what it says is in the inspection.
            Box::pin(self.patient.wait_container(docker_id, None)).next().await;
            match self.inspect(docker_id).await {
                Ok(Some(container)) => {
                    if let Standing::Exited(mut exit) = standing(&container) {
                        if may_have_run_out(&container, &exit) && self.ran_out(&container).await {
                            exit.reason = Some(Reason::out_of_memory());
                        }
                        return exit;
                    }
                }
                Ok(None) => return Exit { reason: Some(Reason::vanished()), ..Exit::default() },
                Err(refusal) => {
                    warn!(container = docker_id, error = refusal.text, "cannot inspect");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether Docker has heard, or hears in a while, that the container was killed for its memory
    /// in its latest run.
    async fn ran_out(&self, container: &ContainerInspectResponse) -> bool {
        let started_at = container.state.as_ref().and_then(|it| it.started_at.as_deref());
        let since = started_at.and_then(|it| secs_between("1970-01-01T00:00:00Z", it));
        let (Some(id), Some(since)) = (container.id.as_deref(), since) else { return false };
        let only = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        let options = EventsOptions {
            since: Some(since.to_string()),
            filters: Some(HashMap::from([only("container", id), only("event", "oom")])),
            ..EventsOptions::default()
        };
        let mut events = Box::pin(self.patient.events(Some(options)));
        matches!(timeout(LATE, events.next()).await, Ok(Some(Ok(_))))
    }
}

/// Whether it may have been killed for its memory without the inspection's saying so.
fn may_have_run_out(container: &ContainerInspectResponse, exit: &Exit) -> bool {
    let limits = container.host_config.as_ref();
    let has_limit = limits.and_then(|it| it.memory).is_some_and(|it| it > 0);
    has_limit && exit.code == Some(KILLED) && exit.reason.is_none()
}

pub(super) fn standing(container: &ContainerInspectResponse) -> Standing {
    let Some(state) = &container.state else {
        return Standing::Exited(Exit::default());
    };
    match state.status {
        Some(ContainerStateStatusEnum::CREATED) => Standing::Created,
        _ if state.running == Some(true) || state.restarting == Some(true) => Standing::Running,
        _ => exited(state),
    }
}

fn exited(state: &ContainerState) -> Standing {
    let code = state.exit_code.and_then(|it| i32::try_from(it).ok());
    let error = state.error.as_deref().filter(|it| !it.is_empty());
    let reason = match error {
        _ if state.oom_killed == Some(true) => Some(Reason::out_of_memory()),
        Some(error) => Some(Failure::DockerState.because(error)),
        None => None,
    };
    let ran = state.started_at.as_deref().zip(state.finished_at.as_deref());
    let ran_secs = ran.and_then(|(from, to)| secs_between(from, to));
    let at = state.finished_at.as_deref().and_then(instant);
    Standing::Exited(Exit { code, reason, ran_secs, at })
}

#[cfg(test)]
mod tests {
    use longshore_model::Timestamp;

    use super::*;

    #[track_caller]
    fn check(state: &str, expect: Standing) {
        let container = format!(r#"{{"State":{state}}}"#);
        assert_eq!(standing(&serde_json::from_str(&container).unwrap()), expect);
    }

    #[test]
    fn a_container_that_was_never_started_has_no_exit_code() {
        check(r#"{"Status":"created","ExitCode":127,"Error":"no"}"#, Standing::Created);
    }

    #[test]
    fn a_paused_container_runs() {
        check(r#"{"Status":"paused","Running":true,"Paused":true}"#, Standing::Running);
    }

    #[test]
    fn a_container_killed_for_its_memory_says_so() {
        let reason = Some(Reason::out_of_memory());
        check(
            r#"{"Status":"exited","ExitCode":137,"OOMKilled":true,"Error":"x"}"#,
            Standing::Exited(Exit { code: Some(137), reason, ..Exit::default() }),
        );
    }

    #[test]
    fn only_what_was_killed_without_a_reason_may_have_run_out_of_memory() {
        let check = |memory: u64, code: i64, error: &str, expect: bool| {
            let container = format!(
                r#"{{"HostConfig":{{"Memory":{memory}}},
                    "State":{{"Status":"exited","ExitCode":{code},"Error":"{error}"}}}}"#
            );
            let container = serde_json::from_str(&container).unwrap();
            let Standing::Exited(exit) = standing(&container) else { panic!("{container:?}") };
            assert_eq!(may_have_run_out(&container, &exit), expect, "{memory} {code} {error}");
        };
        check(16 << 20, 137, "", true);
        check(0, 137, "", false);
        check(16 << 20, 1, "", false);
        check(16 << 20, 137, "x", false);
    }

    #[test]
    fn dockers_own_error_is_the_reason() {
        let reason = Some(Failure::DockerState.because("x"));
        let expect = Standing::Exited(Exit { code: Some(1), reason, ..Exit::default() });
        check(r#"{"Status":"exited","ExitCode":1,"Error":"x"}"#, expect);
    }

    #[test]
    fn a_clean_end_has_no_reason() {
        check(
            r#"{"Status":"exited","ExitCode":0,"Error":"","StartedAt":"2026-11-24T05:59:58.9Z",
                "FinishedAt":"2026-11-24T06:01:00.1Z"}"#,
            Standing::Exited(Exit {
                code: Some(0),
                reason: None,
                ran_secs: Some(61),
                at: Some(Timestamp::from_millis(1_795_500_060_100)),
            }),
        );
    }
}
