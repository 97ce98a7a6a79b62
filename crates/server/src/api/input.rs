//! Members of requests, parsed into types. Each rule about a single value stands here once.

mod account_settings;
mod launch_type;
mod run_task;
mod tags;
mod task_size;

use std::sync::Arc;

use longshore_control::container_instances::{MAX_CUSTOM, TargetAttribute};
use longshore_control::placement::{Constraint, MAX_CONSTRAINTS, MAX_STRATEGIES, Strategy};
use longshore_control::reference;
use longshore_control::tasks::{Launch, LaunchTags};
use longshore_model::{
    Arn, Attribute, ClientToken, ClusterName, ContainerName, ContainerOverride, Family, InstanceId,
    InstanceStatus, Overrides, Owner, arn,
};
use longshore_wire::ecs;
use longshore_wire::{Parsed, Shape, Unknown};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::contract;
use super::exception::Exception;

pub(super) use account_settings::{check_principal, parse_setting, required_setting};
use launch_type::launch_on;
pub(super) use launch_type::{parse_launch_type, usable_launch_type};
pub(crate) use run_task::run_task;
pub(super) use tags::{launch_tags, parse_tags};
pub(super) use task_size::parse_size;

/// The most characters of `overrides` as compact JSON.
const MAX_OVERRIDES: usize = 8192;

/// Reads a body and refuses, by name, every member that this server does not know and that asks
/// for something: an empty list or text, `false` and the like ask for nothing. Of what an agent
/// says, see [`contract::passes_over_unknown_members`].
pub(super) fn read<T: ecs::Request>(body: &[u8]) -> Result<T, Exception> {
    if contract::passes_over_unknown_members(T::OPERATION) {
        return Ok(longshore_wire::parse(body)?.shape);
    }
    read_whole(body)
}

/// Reads a report of an agent. What makes no sense in it never will, and an agent repeats for ever
/// what is refused, so that is left out; of a report of which nothing can be read, nothing is known.
///
/// # Errors
/// Where the body is no JSON object: it may have been cut on its way, and come whole next time.
pub(super) fn read_report<T: ecs::Request>(body: &[u8]) -> Result<T, Exception> {
    match longshore_wire::salvage::<T>(body) {
        Ok((report, left_out)) => {
            for mismatch in left_out {
                let (operation, member) = (T::OPERATION, mismatch.path());
                tracing::warn!(%operation, member, %mismatch, "left out of an agent's report");
            }
            Ok(report)
        }
        Err(mismatch) if mismatch.path().is_empty() => Err(mismatch.into()),
        Err(mismatch) => {
            let operation = T::OPERATION;
            tracing::warn!(%operation, %mismatch, "an agent's report cannot be read");
            Ok(T::default())
        }
    }
}

/// Reads a body of which every member must be known, or ask for nothing.
pub(crate) fn read_whole<T: Shape>(body: &[u8]) -> Result<T, Exception> {
    let Parsed { shape, unknown } = longshore_wire::parse(body)?;
    match unknown.iter().find(|it| asks_for_something(it)) {
        None => Ok(shape),
        Some(member) => Err(Exception::invalid(format!(
            "Longshore cannot honour the member '{}'. Leave it out.",
            member.path
        ))),
    }
}

fn asks_for_something(member: &Unknown) -> bool {
    match &member.value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) | Value::Number(_) => true,
        Value::String(text) => !matches!(text.as_str(), "" | "NONE"),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// A text that must be there.
pub(super) fn required(text: Option<String>, what: &str) -> Result<String, Exception> {
    text.filter(|it| !it.is_empty())
        .ok_or_else(|| Exception::invalid(format!("{what} can not be blank.")))
}

/// The text that names a task definition, which must be there.
pub(super) fn required_definition(text: Option<String>) -> Result<String, Exception> {
    text.filter(|it| !it.is_empty())
        .ok_or_else(|| Exception::client("TaskDefinition can not be blank."))
}

/// A whole family, or the beginning of some, to filter by.
pub(super) fn family_prefix(text: Option<String>) -> Result<Option<Family>, Exception> {
    let text = text.filter(|it| !it.is_empty());
    let family = text.map(|it| it.parse()).transpose();
    family.map_err(|_| Exception::invalid(r"familyPrefix must match ^[a-zA-Z0-9\-_]+$"))
}

/// Container instances that a request names: at least one of them.
pub(super) fn container_instances(
    named: Option<Vec<String>>,
    most: usize,
    cluster: &ClusterName,
    owner: &Owner,
) -> Result<Vec<InstanceId>, Exception> {
    let named = named.unwrap_or_default();
    if named.is_empty() {
        return Err(Exception::client("Container Instances cannot be empty."));
    }
    if named.len() > most {
        return Err(Exception::invalid(format!("instanceIds can have at most {most} items.")));
    }
    let parse = |it: &String| reference::container_instance(it, cluster, owner);
    Ok(named.iter().map(parse).collect::<Result<_, _>>()?)
}

/// The status of a container instance that is in use.
pub(super) fn instance_status(text: &str) -> Result<InstanceStatus, Exception> {
    InstanceStatus::parse(text).filter(|it| *it != InstanceStatus::Inactive).ok_or_else(|| {
        Exception::invalid("Container instance status should be one of [ACTIVE, DRAINING]")
    })
}

/// Custom attributes, each with the container instance whose it is.
pub(super) fn target_attributes(
    sent: Option<Vec<ecs::Attribute>>,
    cluster: &ClusterName,
    owner: &Owner,
) -> Result<Vec<TargetAttribute>, Exception> {
    let sent = sent.unwrap_or_default();
    if sent.is_empty() {
        return Err(Exception::invalid("attributes can not be empty"));
    }
    if sent.len() > MAX_CUSTOM {
        return Err(Exception::invalid(format!("attributes can have at most {MAX_CUSTOM} items.")));
    }
    let mut attributes: Vec<TargetAttribute> = Vec::new();
    for sent in sent {
        let new = target_attribute(sent, cluster, owner)?;
        let is_same = |it: &TargetAttribute| {
            it.target == new.target && it.attribute.name == new.attribute.name
        };
        if attributes.iter().any(is_same) {
            let name = new.attribute.name;
            return Err(Exception::invalid(format!("Attribute {name} is there twice.")));
        }
        attributes.push(new);
    }
    Ok(attributes)
}

fn target_attribute(
    sent: ecs::Attribute,
    cluster: &ClusterName,
    owner: &Owner,
) -> Result<TargetAttribute, Exception> {
    let attribute = Attribute::parse(&sent.name.unwrap_or_default(), sent.value.as_deref())?;
    if attribute.is_reserved() {
        return Err(Exception::invalid(format!(
            "Attribute name {} is reserved: names beginning 'ecs.', 'com.amazonaws.' or 'io.longshore.' are not custom attributes.",
            attribute.name
        )));
    }
    let target = required(sent.target_id, "targetId")?;
    match sent.target_type.filter(|it| !it.is_empty()) {
        Some(target_type) => check_target_type(&target_type)?,
        None if Arn::is_meant_by(&target) => {}
        None => {
            return Err(Exception::invalid(
                "targetType can not be blank, unless targetId is a full ARN.",
            ));
        }
    }
    Ok(TargetAttribute {
        target: reference::container_instance(&target, cluster, owner)?,
        attribute,
    })
}

/// The one kind of target that attributes have.
pub(super) fn check_target_type(text: &str) -> Result<(), Exception> {
    match text {
        "container-instance" => Ok(()),
        _ => Err(Exception::invalid("targetType should be one of [container-instance]")),
    }
}

/// A number from 1 to `most`, or `default`.
pub(super) fn bounded(
    number: Option<i32>,
    default: u32,
    most: u32,
    what: &str,
) -> Result<u32, Exception> {
    match number.map(u32::try_from) {
        None => Ok(default),
        Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
        Some(Ok(number)) if number > most => {
            Err(Exception::invalid(format!("{what} must be at most {most}")))
        }
        Some(_) => Err(Exception::invalid(format!("{what} must be at least 1"))),
    }
}

/// Which extras an answer should carry: known words only.
pub(super) fn include(words: Option<Vec<String>>, known: &[&str]) -> Result<(), Exception> {
    let words = words.unwrap_or_default();
    if words.iter().all(|it| known.contains(&it.as_str())) {
        return Ok(());
    }
    Err(Exception::invalid(format!("include should be one of [{}]", known.join(","))))
}

/// Whether an answer should carry this extra.
pub(super) fn is_included(words: Option<&Vec<String>>, extra: &str) -> bool {
    words.is_some_and(|it| it.iter().any(|word| word == extra))
}

/// What RunTask and StartTask have in common.
pub(super) fn launch(
    cluster: Option<String>,
    task_definition: Option<String>,
    overrides: Option<ecs::TaskOverride>,
    started_by: Option<String>,
    group: Option<String>,
    tags: LaunchTags,
    owner: &Owner,
) -> Result<Launch, Exception> {
    let cluster = reference::cluster(cluster.as_deref(), owner)?;
    let definition = required_definition(task_definition)?;
    Ok(Launch {
        cluster,
        definition: reference::definition(&definition, owner)?,
        overrides: overrides
            .map(|it| parse_overrides(it, owner))
            .transpose()?
            .flatten()
            .map(Arc::new),
        started_by: parse_started_by(started_by)?,
        group: parse_group(group)?,
        tags,
    })
}

/// `startedBy`, as a mark of a new task or as a filter. Beyond what ECS documents a space is
/// allowed: fabfuel's ecs-deploy marks every task that it runs with `ECS Deploy`.
pub(super) fn parse_started_by(text: Option<String>) -> Result<Option<Arc<str>>, Exception> {
    const MAX: usize = 128;
    let Some(text) = text.filter(|it| !it.is_empty()) else { return Ok(None) };
    if text.chars().count() > MAX {
        return Err(Exception::invalid("startedBy longer than 128."));
    }
    let allowed = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '/' | ' ');
    if !text.chars().all(allowed) {
        return Err(Exception::invalid(
            "startedBy contains invalid characters. Letters, digits, hyphens, underscores, slashes and spaces are allowed.",
        ));
    }
    Ok(Some(text.into()))
}

fn parse_group(text: Option<String>) -> Result<Option<Arc<str>>, Exception> {
    const MAX: usize = 255;
    let Some(text) = text.filter(|it| !it.is_empty()) else { return Ok(None) };
    if text.chars().count() > MAX {
        return Err(Exception::invalid("group longer than 255."));
    }
    match text.split_once(':') {
        Some((namespace, _)) if namespace != "family" => {
            Err(Exception::invalid("Invalid namespace for group."))
        }
        _ => Ok(Some(text.into())),
    }
}

fn parse_overrides(sent: ecs::TaskOverride, owner: &Owner) -> Result<Option<Overrides>, Exception> {
    let length = serde_json::to_string(&sent).map_or(usize::MAX, |it| it.chars().count());
    if length > MAX_OVERRIDES {
        return Err(Exception::invalid("Container Overrides length must be at most 8192"));
    }
    let containers = sent
        .container_overrides
        .unwrap_or_default()
        .into_iter()
        .filter(|it| *it != ecs::ContainerOverride::default())
        .map(parse_container_override)
        .collect::<Result<Vec<_>, _>>()?;
    let task_role_arn = sent.task_role_arn.filter(|it| !it.is_empty());
    let task_role_arn = task_role_arn.map(|it| parse_role(&it, owner)).transpose()?;
    let size = parse_size(sent.cpu, sent.memory)?;
    let overrides = Overrides { containers, task_role_arn, size };
    Ok(Some(overrides).filter(|it| *it != Overrides::default()))
}

fn parse_container_override(sent: ecs::ContainerOverride) -> Result<ContainerOverride, Exception> {
    let name = required(sent.name, "Container override name")?;
    let name: ContainerName = name.parse().map_err(|_| {
        Exception::invalid(format!(
            "Override for container named {name} is not a container in the TaskDefinition."
        ))
    })?;
    let amount = |number: Option<i32>, member: &str| match number.map(u32::try_from) {
        None => Ok(None),
        Some(Ok(amount)) => Ok(Some(amount)),
        Some(Err(_)) => {
            Err(Exception::invalid(format!("Invalid '{member}' setting for container '{name}'.")))
        }
    };
    let environment = sent.environment.map(|all| {
        all.into_iter().map(|it| parse_variable(it).map_err(Exception::invalid)).collect()
    });
    Ok(ContainerOverride {
        command: sent.command,
        environment: environment.transpose()?,
        cpu_units: amount(sent.cpu, "cpu")?,
        memory_mib: amount(sent.memory, "memory")?,
        memory_reservation_mib: amount(sent.memory_reservation, "memoryReservation")?,
        name,
    })
}

/// An environment variable; the error is a message.
pub(super) fn parse_variable(pair: ecs::KeyValuePair) -> Result<(String, String), String> {
    let name = pair.name.unwrap_or_default();
    let value = pair.value.unwrap_or_default();
    if name.is_empty() {
        return Err("Environment variable name can not be blank.".into());
    }
    if name.contains(['=', '\0']) || value.contains('\0') {
        return Err(format!(
            "Environment variable '{}' contains characters that no process can be given.",
            name.escape_debug()
        ));
    }
    Ok((name, value))
}

/// The ARN of a role, given by that or by its name, which may carry its path.
pub(super) fn parse_role(text: &str, owner: &Owner) -> Result<String, Exception> {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "_+=,.@-/:".contains(it);
    let role = owner.role_arn(text);
    if text.len() <= 2048 && text.chars().all(allowed) && arn::is_role(&role) {
        Ok(role)
    } else {
        Err(Exception::client("Role is not valid"))
    }
}

/// The mark of a call, and a digest of all else that it asks for.
fn client_token(request: &ecs::RunTaskRequest) -> Result<Option<ClientToken>, Exception> {
    let Some(token) = request.client_token.as_deref().filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    if token.len() > 64 || !token.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(Exception::invalid("clientToken must be 1 to 64 printable ASCII characters."));
    }
    let unmarked = ecs::RunTaskRequest { client_token: None, ..request.clone() };
    let digest = Sha256::digest(serde_json::to_vec(&unmarked).unwrap_or_default());
    let parameters = hex::encode(digest.get(..16).unwrap_or_default());
    Ok(Some(ClientToken {
        token: token.into(),
        parameters: parameters.into(),
        failures: Box::default(),
    }))
}

pub(super) fn constraints(
    sent: Option<Vec<ecs::PlacementConstraint>>,
) -> Result<Vec<Constraint>, Exception> {
    let sent = sent.unwrap_or_default();
    if sent.len() > MAX_CONSTRAINTS {
        return Err(Exception::invalid(format!(
            "Maximum number of constraints is {MAX_CONSTRAINTS}"
        )));
    }
    let parse = |it: &ecs::PlacementConstraint| {
        Constraint::parse(it.kind.as_deref().unwrap_or_default(), it.expression.as_deref())
            .map_err(|error| Exception::invalid(error.to_string()))
    };
    sent.iter().map(parse).collect()
}

fn strategies(sent: Option<Vec<ecs::PlacementStrategy>>) -> Result<Vec<Strategy>, Exception> {
    let sent = sent.unwrap_or_default();
    if sent.len() > MAX_STRATEGIES {
        return Err(Exception::invalid(format!(
            "Maximum number of strategies is {MAX_STRATEGIES}"
        )));
    }
    let parse = |it: &ecs::PlacementStrategy| {
        Strategy::parse(it.kind.as_deref().unwrap_or_default(), it.field.as_deref())
            .map_err(|error| Exception::invalid(error.to_string()))
    };
    sent.iter().map(parse).collect()
}
