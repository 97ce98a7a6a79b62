//! RegisterContainerInstance: an agent joins, or joins again.

use std::collections::BTreeSet;

use longshore_control::container_instances::Registration;
use longshore_control::reference;
use longshore_model::container_instance::VersionInfo;
use longshore_model::tags::Bearer;
use longshore_model::{Attribute, Resources};
use longshore_wire::ecs::{
    self, RegisterContainerInstanceRequest, RegisterContainerInstanceResponse,
};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<RegisterContainerInstanceResponse, Exception> {
    let registration = parse(body, call)?;
    let instance = call.control.register_container_instance(registration, call.caller).await?;
    tracing::info!(instance = %instance.id, cluster = %instance.cluster, "container instance registered");
    let occupancy = call.control.view().occupancy(instance.id);
    let shown = ecs::ContainerInstance {
        tags: Some(render::tags(&instance.tags)).filter(|it| !it.is_empty()),
        ..render::container_instance(&instance, &occupancy, call.owner())
    };
    Ok(RegisterContainerInstanceResponse { container_instance: Some(shown) })
}

fn parse(body: &[u8], call: &Call<'_>) -> Result<Registration, Exception> {
    let request: RegisterContainerInstanceRequest = input::read(body)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let named = request.container_instance_arn.filter(|it| !it.is_empty());
    let container_instance =
        named.map(|it| reference::container_instance(&it, &cluster, owner)).transpose()?;
    let totals = request.total_resources.unwrap_or_default();
    let identity = Identity::read(request.instance_identity_document.as_deref());
    let attributes = request.attributes.unwrap_or_default();
    if attributes.iter().any(|it| it.target_type.is_some() || it.target_id.is_some()) {
        return Err(Exception::client(
            "attributes: an instance registers its own. Leave 'targetType' and 'targetId' out.",
        ));
    }
    // One that is not valid is not in the answer, as ECS does; official agents name it, and end.
    let valid = |it: ecs::Attribute| {
        let name = it.name.unwrap_or_default();
        let attribute = Attribute::parse(&name, it.value.as_deref());
        attribute
            .inspect_err(
                |error| tracing::warn!(name, %error, "an instance's attribute is left out"),
            )
            .ok()
    };
    let sent = attributes.into_iter().filter_map(valid);
    let versions = request.version_info.unwrap_or_default();
    Ok(Registration {
        cluster,
        container_instance,
        resources: Resources {
            cpu_units: integer(&totals, "CPU")?,
            memory_mib: integer(&totals, "MEMORY")?,
        },
        reserved_ports_tcp: ports(&totals, "PORTS")?,
        reserved_ports_udp: ports(&totals, "PORTS_UDP")?,
        attributes: sent.chain(identity.attributes).collect(),
        ec2_instance_id: identity.instance_id,
        version_info: VersionInfo {
            agent_version: versions.agent_version,
            agent_hash: versions.agent_hash,
            docker_version: versions.docker_version,
        },
        tags: input::parse_tags(request.tags, Bearer::ContainerInstance)?,
    })
}

fn integer(totals: &[ecs::Resource], name: &str) -> Result<u32, Exception> {
    match total(totals, name, "INTEGER")?.and_then(|it| it.integer_value).map(u32::try_from) {
        Some(Ok(amount)) => Ok(amount),
        Some(Err(_)) => {
            Err(Exception::client(format!("totalResources: {name} must be at least 0")))
        }
        None => Err(Exception::client(format!("totalResources: {name} can not be blank."))),
    }
}

fn ports(totals: &[ecs::Resource], name: &str) -> Result<BTreeSet<u16>, Exception> {
    let total = total(totals, name, "STRINGSET")?;
    let texts = total.and_then(|it| it.string_set_value.as_deref()).unwrap_or_default();
    let parse = |it: &String| {
        it.parse().map_err(|_| {
            let text: String = it.chars().take(32).collect();
            Exception::client(format!("totalResources: {name} holds '{text}', which is no port"))
        })
    };
    texts.iter().map(parse).collect()
}

/// The total of that name. Its type says which of its values counts, and each name has one type.
fn total<'a>(
    totals: &'a [ecs::Resource],
    name: &str,
    kind: &str,
) -> Result<Option<&'a ecs::Resource>, Exception> {
    let found = totals.iter().find(|it| it.name.as_deref() == Some(name));
    let given = found.and_then(|it| it.kind.as_deref()).filter(|it| !it.is_empty());
    if given.is_some_and(|it| it != kind) {
        return Err(Exception::client(format!("totalResources: {name} must be of type {kind}.")));
    }
    Ok(found)
}

/// What an instance identity document tells; a machine outside EC2 has none.
#[derive(Default)]
struct Identity {
    instance_id: Option<String>,
    attributes: Vec<Attribute>,
}

impl Identity {
    fn read(document: Option<&str>) -> Self {
        let document: serde_json::Value =
            document.and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
        let text = |member: &str| document.get(member).and_then(|it| it.as_str());
        let attributes = [
            ("ecs.availability-zone", "availabilityZone"),
            ("ecs.instance-type", "instanceType"),
            ("ecs.ami-id", "imageId"),
        ];
        Self {
            instance_id: text("instanceId").map(Into::into),
            attributes: attributes
                .into_iter()
                .filter_map(|(name, member)| Some(Attribute::with_value(name, text(member)?)))
                .collect(),
        }
    }
}
