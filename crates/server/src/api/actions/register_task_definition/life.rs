//! Health check, dependencies and restarts of a container. The bounds are those of the Amazon ECS
//! API Reference.

use longshore_model::ContainerName;
use longshore_model::container_definition::{Condition, Dependency, HealthCheck, RestartPolicy};
use longshore_wire::ecs;

use super::unfit::{Unfit, required, within};

/// `None` for an object that asks for nothing.
pub(super) fn health_check(sent: ecs::HealthCheck) -> Result<Option<HealthCheck>, Unfit> {
    if sent == ecs::HealthCheck::default() {
        return Ok(None);
    }
    let command = sent.command.unwrap_or_default();
    let has_form = matches!(command.first().map(String::as_str), Some("CMD" | "CMD-SHELL"));
    if !has_form || command.get(1).is_none_or(String::is_empty) {
        return Err(Unfit::because(
            "healthCheck.command",
            "It must begin with CMD or CMD-SHELL, and a command must follow.",
        ));
    }
    Ok(Some(HealthCheck {
        command,
        interval_secs: within(sent.interval, 5..=300, "healthCheck.interval")?,
        timeout_secs: within(sent.timeout, 2..=120, "healthCheck.timeout")?,
        retries: within(sent.retries, 1..=10, "healthCheck.retries")?,
        start_period_secs: within(sent.start_period, 0..=300, "healthCheck.startPeriod")?,
    }))
}

pub(super) fn dependency(sent: ecs::ContainerDependency) -> Result<Dependency, Unfit> {
    let name = required(sent.container_name, "dependsOn.containerName")?;
    let container: ContainerName =
        name.parse().map_err(|_| Unfit::of("dependsOn.containerName"))?;
    let condition = Condition::parse(sent.condition.as_deref().unwrap_or_default());
    let condition = condition.ok_or_else(|| {
        Unfit::because("dependsOn.condition", "It must be one of [START,COMPLETE,SUCCESS,HEALTHY].")
    })?;
    Ok(Dependency { container, condition })
}

/// `None` for an object that asks for nothing.
pub(super) fn restart_policy(
    sent: ecs::ContainerRestartPolicy,
) -> Result<Option<RestartPolicy>, Unfit> {
    const MAX_CODES: usize = 50;
    if sent == ecs::ContainerRestartPolicy::default() {
        return Ok(None);
    }
    let enabled =
        sent.enabled.ok_or_else(|| Unfit::because("restartPolicy.enabled", "It must be there."))?;
    if sent.ignored_exit_codes.as_ref().is_some_and(|it| it.len() > MAX_CODES) {
        return Err(Unfit::because(
            "restartPolicy.ignoredExitCodes",
            "There can be at most 50 exit codes.",
        ));
    }
    Ok(Some(RestartPolicy {
        enabled,
        ignored_exit_codes: sent.ignored_exit_codes,
        restart_attempt_period_secs: within(
            sent.restart_attempt_period,
            60..=1800,
            "restartPolicy.restartAttemptPeriod",
        )?,
    }))
}
