//! RegisterContainerInstance: what this host has, and what its Docker Engine can do.

mod attributes;

pub(crate) use attributes::missing_log_drivers;
use longshore_client::{CallError, Client};
use longshore_wire::ecs;
use tracing::{error, info, warn};

use crate::agent::dismissal;
use crate::backoff::{Backoff, DENIED, is_denied};
use crate::config::AgentConfig;
use crate::runtime::Facts;

/// What is to be registered.
pub(crate) struct Abilities<'a> {
    pub(crate) config: &'a AgentConfig,
    pub(crate) facts: &'a Facts,
    /// Whether a task can be limited as a whole.
    pub(crate) limits_tasks: bool,
}

/// What the control plane made of a registration.
#[derive(Debug)]
pub(crate) enum Registration {
    /// The container instance's ARN.
    Accepted(String),
    /// The instance that we say we are is not known there, or was deregistered.
    NotOurs(CallError),
}

/// Registers, as the instance of `arn` if there is one; waits while the control plane is away.
///
/// # Errors
/// When the control plane refuses for a reason that only people can remove.
pub(crate) async fn register(
    api: &Client,
    abilities: &Abilities<'_>,
    arn: Option<&str>,
) -> Result<Registration, CallError> {
    let config = abilities.config;
    let request = request(abilities, arn);
    let mut backoff = Backoff::towards(api.endpoint());
    let mut denied = Backoff::of_denied();
    let (mut told, mut denied_told) = (false, false);
    loop {
        let error = match api.call(&request).await {
            Ok(response) => match response
                .container_instance
                .and_then(|it| it.container_instance_arn)
            {
                Some(arn) => return Ok(Registration::Accepted(arn)),
                None => CallError::NoAnswer("the answer names no container instance".to_owned()),
            },
            Err(error) if arn.is_some() && is_not_ours(&error) => {
                return Ok(Registration::NotOurs(error));
            }
            Err(error) if is_missing_default_cluster(config, &error) => {
                info!("there is no default cluster: creating it");
                let create = ecs::CreateClusterRequest {
                    cluster_name: Some(config.cluster.clone()),
                    ..Default::default()
                };
                match api.call(&create).await {
                    Ok(_) => continue,
                    Err(error) if error.is_final() => return Err(error),
                    Err(error) => error,
                }
            }
            Err(error) if dismissal(&error).is_some() => return Err(error),
            // Its tasks go on; only people can help, and nobody needs it to ask often.
            Err(error) if arn.is_some() && is_denied(&error) => {
                if !std::mem::replace(&mut denied_told, true) {
                    let endpoint = &config.endpoint;
                    error!(%endpoint, %error, "{DENIED}");
                }
                tokio::time::sleep(denied.delay()).await;
                continue;
            }
            Err(error) if error.is_final() => return Err(error),
            Err(error) => error,
        };
        if !std::mem::replace(&mut told, true) {
            let endpoint = &config.endpoint;
            warn!(%endpoint, %error, "cannot register yet: waiting for the control plane");
        }
        tokio::time::sleep(backoff.delay()).await;
    }
}

/// The default cluster comes into being when its first instance wants to join it.
fn is_missing_default_cluster(config: &AgentConfig, error: &CallError) -> bool {
    let CallError::Refused { error, .. } = error else { return false };
    config.cluster == "default"
        && (error.code == "ClusterNotFoundException" || error.message == "Cluster not found.")
}

/// ECS has no exception of its own for this, so the text must tell.
fn is_not_ours(error: &CallError) -> bool {
    let CallError::Refused { error, .. } = error else { return false };
    // The machine has joined anew, and its new key is good for a new instance. Of what else can be
    // denied, plain text say, nothing follows for who we are.
    if error.code == "AccessDeniedException" {
        return error.message.contains(" is the key of ");
    }
    let message = error.message.to_ascii_lowercase();
    message.contains("container instance")
        && ["inactive", "not found", "unknown", "does not exist", "could not be found"]
            .iter()
            .any(|it| message.contains(it))
}

fn request(abilities: &Abilities<'_>, arn: Option<&str>) -> ecs::RegisterContainerInstanceRequest {
    let Abilities { config, facts, .. } = abilities;
    let memory_mib = facts.memory_mib.saturating_sub(config.reserved_memory_mib);
    ecs::RegisterContainerInstanceRequest {
        cluster: Some(config.cluster.clone()),
        container_instance_arn: arn.map(str::to_owned),
        instance_identity_document: Some(String::new()),
        instance_identity_document_signature: Some(String::new()),
        total_resources: Some(vec![
            integer("CPU", facts.cpus.saturating_mul(1024)),
            integer("MEMORY", memory_mib),
            ports("PORTS", &config.reserved_ports),
            ports("PORTS_UDP", &config.reserved_ports_udp),
        ]),
        attributes: Some(attributes::of(abilities, arn.is_none())),
        ..Default::default()
    }
}

fn integer(name: &str, value: u32) -> ecs::Resource {
    ecs::Resource {
        name: Some(name.to_owned()),
        kind: Some("INTEGER".to_owned()),
        integer_value: Some(i32::try_from(value).unwrap_or(i32::MAX)),
        ..Default::default()
    }
}

fn ports(name: &str, ports: &[u16]) -> ecs::Resource {
    ecs::Resource {
        name: Some(name.to_owned()),
        kind: Some("STRINGSET".to_owned()),
        string_set_value: Some(ports.iter().map(u16::to_string).collect()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests;
