//! RegisterTaskDefinition: each member parsed by itself; how they fit together is `control`'s.

mod container;
mod life;
mod linux_parameters;
mod secrets;
mod unfit;
mod volume;

use longshore_control::placement::Constraint;
use longshore_control::task_definitions::Registration;
use longshore_model::names::NameError;
use longshore_model::tags::Bearer;
use longshore_model::task_definition::{
    CpuArchitecture, IpcMode, NetworkMode, PidMode, RuntimePlatform,
};
use longshore_model::{ContainerDefinition, Family, LaunchKind};
use longshore_wire::ecs::{self, RegisterTaskDefinitionRequest, RegisterTaskDefinitionResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

/// The longest definition, in bytes of its JSON.
const MAX_BYTES: usize = 64 * 1024;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<RegisterTaskDefinitionResponse, Exception> {
    if body.len() > MAX_BYTES {
        return Err(Exception::client("Task definition can have at most 65536 bytes."));
    }
    let registration = parse(input::read(body)?, call)?;
    if call.secrets.is_none()
        && let Some(member) = secret_member(&registration.containers)
    {
        return Err(Exception::client(format!(
            "Longshore cannot honour the member '{member}' without a secrets file. Start the server with --secrets-file, or leave it out."
        )));
    }
    let definition = call.control.register_task_definition(registration).await?;
    let shown = render::task_definition(&definition, call.owner());
    let tags = Some(render::tags(&definition.tags)).filter(|it| !it.is_empty());
    Ok(RegisterTaskDefinitionResponse { task_definition: Some(shown), tags })
}

/// The launch types that the definition is checked against: FARGATE needs the size of the task.
fn compatibilities(
    request: &RegisterTaskDefinitionRequest,
    has_fargate: bool,
) -> Result<Option<Vec<LaunchKind>>, Exception> {
    let Some(sent) = &request.requires_compatibilities else { return Ok(None) };
    let mut kinds = Vec::new();
    for text in sent {
        let kind = input::usable_launch_type(text, has_fargate)?;
        for (member, text) in [("cpu", &request.cpu), ("memory", &request.memory)] {
            if kind == LaunchKind::Fargate && text.as_ref().is_none_or(String::is_empty) {
                return Err(Exception::client(format!(
                    "Fargate requires that '{member}' be defined at the task level."
                )));
            }
        }
        kinds.push(kind);
    }
    Ok(Some(kinds))
}

fn parse(
    mut request: RegisterTaskDefinitionRequest,
    call: &Call<'_>,
) -> Result<Registration, Exception> {
    let family = parse_family(request.family.take())?;
    let requires_compatibilities = compatibilities(&request, call.control.has_fargate())?;
    let network_mode =
        one_of(request.network_mode, NetworkMode::parse, "Network mode", "bridge,host,none")?;
    let containers = request.container_definitions.unwrap_or_default();
    let containers = containers.into_iter().map(|it| container::parse(it, network_mode));
    let role = |text: Option<String>| {
        let text = text.filter(|it| !it.is_empty());
        text.map(|it| input::parse_role(&it, call.owner())).transpose()
    };
    let volumes = request.volumes.unwrap_or_default().into_iter().map(volume::parse);
    Ok(Registration {
        family,
        containers: containers.collect::<Result<_, _>>()?,
        volumes: volumes.collect::<Result<_, _>>()?,
        task_role_arn: role(request.task_role_arn)?,
        execution_role_arn: role(request.execution_role_arn)?,
        network_mode,
        tags: input::parse_tags(request.tags, Bearer::HasTasks)?,
        member_of: parse_constraints(request.placement_constraints)?,
        size: input::parse_size(request.cpu, request.memory)?,
        pid_mode: one_of(request.pid_mode, PidMode::parse, "PID mode", "host,task")?,
        ipc_mode: one_of(request.ipc_mode, IpcMode::parse, "IPC mode", "host,task,none")?,
        runtime_platform: request.runtime_platform.map(parse_platform).transpose()?.flatten(),
        requires_compatibilities,
        registered_by: Some(call.owner().root_arn()),
    })
}

/// The first member that needs a secret.
fn secret_member(containers: &[ContainerDefinition]) -> Option<String> {
    let member = |it: &ContainerDefinition| {
        let log = it.log_configuration.as_ref();
        if it.secrets.iter().flatten().next().is_some() {
            Some("secrets")
        } else if it.repository_credentials.is_some() {
            Some("repositoryCredentials")
        } else if log.is_some_and(|it| it.secret_options.iter().flatten().next().is_some()) {
            Some("logConfiguration.secretOptions")
        } else {
            None
        }
    };
    let mut places = containers.iter().enumerate();
    places.find_map(|(at, it)| Some(format!("containerDefinitions[{at}].{}", member(it)?)))
}

fn parse_family(text: Option<String>) -> Result<Family, Exception> {
    text.unwrap_or_default().parse().map_err(|error| match error {
        NameError::Empty => Exception::client("Family should not be null or empty."),
        NameError::Invalid => Exception::client("Family contains invalid characters."),
    })
}

/// A word of a closed list; the empty one counts as none.
fn one_of<T>(
    text: Option<String>,
    parse: impl FnOnce(&str) -> Option<T>,
    what: &str,
    words: &str,
) -> Result<Option<T>, Exception> {
    let Some(text) = text.filter(|it| !it.is_empty()) else { return Ok(None) };
    let refusal = || Exception::client(format!("{what} should be one of [{words}]"));
    parse(&text).map(Some).ok_or_else(refusal)
}

fn parse_constraints(
    sent: Option<Vec<ecs::PlacementConstraint>>,
) -> Result<Vec<longshore_control::placement::Query>, Exception> {
    let only_expressions = |it| match it {
        Constraint::MemberOf(query) => Ok(query),
        Constraint::DistinctInstance => {
            Err(Exception::client("constraint.type 'distinctInstance' is not supported."))
        }
    };
    let constraints = input::constraints(sent)?;
    constraints.into_iter().map(only_expressions).collect()
}

fn parse_platform(sent: ecs::RuntimePlatform) -> Result<Option<RuntimePlatform>, Exception> {
    let cpu_architecture =
        one_of(sent.cpu_architecture, CpuArchitecture::parse, "CPU architecture", "X86_64,ARM64")?;
    let is_linux = match sent.operating_system_family.as_deref() {
        None | Some("") => false,
        Some("LINUX") => true,
        Some(other) => {
            return Err(Exception::client(format!(
                "operatingSystemFamily {other} is not available here: Longshore runs Linux containers. Use LINUX, or leave it out."
            )));
        }
    };
    let platform = RuntimePlatform { cpu_architecture, is_linux };
    Ok(Some(platform).filter(|it| *it != RuntimePlatform::default()))
}
