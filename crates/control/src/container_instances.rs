//! Operations on container instances.

mod attributes;
mod deregister;
mod update;

use std::collections::BTreeSet;
use std::sync::Arc;

use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    ArnForm, Attribute, ClusterName, ContainerInstance, InstanceId, InstanceStatus, Resources,
    TagError, Tags, Timestamp,
};
use longshore_placement::Candidate;
use longshore_store::{State, StoreError};

pub use attributes::{
    AttributePlace, AttributesError, ListAttributes, MAX_CUSTOM, TargetAttribute, list_attributes,
};
pub use deregister::DeregisterError;
pub use update::{UpdateAgentError, UpdateRefusal, UpdateStateError, update_agent};

use crate::Control;
use crate::access::{self, AccessDenied, Caller, Deed};
use crate::clusters::{self, ClusterError};
use crate::{joining, lost};

/// What an agent registers.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Into which cluster.
    pub cluster: ClusterName,
    /// The instance that it was before, if it was one.
    pub container_instance: Option<InstanceId>,
    /// CPU and memory in all.
    pub resources: Resources,
    /// TCP host ports that no task may have.
    pub reserved_ports_tcp: BTreeSet<u16>,
    /// UDP host ports that no task may have.
    pub reserved_ports_udp: BTreeSet<u16>,
    /// Its attributes, and those from its identity document.
    pub attributes: Vec<Attribute>,
    /// From the identity document.
    pub ec2_instance_id: Option<String>,
    /// What runs there.
    pub version_info: VersionInfo,
    /// Tags to begin with, or to have besides those it had.
    pub tags: Tags,
}

/// Why an agent cannot register.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The named instance is not known here.
    #[error("Container instance not found.")]
    Unknown,
    /// The named instance was deregistered and does not come back.
    #[error("Container instance ID is inactive.")]
    Inactive,
    /// The named instance is of another type now.
    #[error(
        "Container instance type changes are not supported. Container instance ID was previously registered as {0}."
    )]
    TypeChanged(String),
    /// Tags for an instance with a short ARN.
    #[error(
        "The new ARN and resource ID format must be enabled to add tags to the container instance. Opt in to the new format and try again."
    )]
    ShortArn,
    /// Whoever registers may not, or not as that instance or in that cluster.
    #[error(transparent)]
    Access(#[from] AccessDenied),
    /// The key's own instance does not come back, and a key is good for one instance.
    #[error(
        "The container instance that this machine joined as was deregistered. Join the machine again, with a new token: longshore token create"
    )]
    Ended,
    /// With those that it had there are too many tags.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An instance that a request names and that is not there. Text as the other operations send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Container instance not found.")]
pub struct NotFound;

/// The instance of this id, if it is one of the cluster.
pub fn find<'a>(
    state: &'a State,
    cluster: &ClusterName,
    id: InstanceId,
) -> Option<&'a Arc<ContainerInstance>> {
    state.instance(id).filter(|it| it.cluster == *cluster)
}

/// An instance as placement sees it.
pub fn candidate(state: &State, instance: &Arc<ContainerInstance>) -> Candidate {
    Candidate { instance: Arc::clone(instance), occupancy: state.occupancy(instance.id) }
}

/// The instances of a cluster that are listed: ACTIVE and DRAINING ones, after the one given.
pub fn listed<'a>(
    state: &'a State,
    cluster: &ClusterName,
    after: Option<InstanceId>,
) -> impl Iterator<Item = &'a Arc<ContainerInstance>> {
    state.instances_after(cluster, after).filter(|it| it.status != InstanceStatus::Inactive)
}

/// The attributes of an instance that registers: all that it sends, and of what it had the custom
/// ones that it does not send any more. Each name is there once; the first one sent counts.
fn renewed_attributes(had: &[Attribute], sent: Vec<Attribute>) -> Vec<Attribute> {
    let kept = had.iter().filter(|it| !it.is_reserved()).cloned();
    let mut attributes: Vec<Attribute> = Vec::new();
    for attribute in sent.into_iter().chain(kept) {
        if attributes.iter().all(|it| it.name != attribute.name) {
            attributes.push(attribute);
        }
    }
    attributes
}

const INSTANCE_TYPE: &str = "ecs.instance-type";

impl Control {
    /// RegisterContainerInstance: a new instance, or the same one again with what it has now. The
    /// key of an agent that has joined is bound to its first instance, and means that one
    /// whenever it names none.
    pub async fn register_container_instance(
        &self,
        registration: Registration,
        caller: Caller,
    ) -> Result<Arc<ContainerInstance>, RegisterError> {
        let now = self.now();
        let new_id = InstanceId::new(now, self.ids.next_bits());
        self.store
            .update(|tx| {
                let named = registration.container_instance;
                access::may(caller, &Deed::Register(registration.cluster.clone(), named), tx)?;
                clusters::active(tx, &registration.cluster)?;
                let bound = joining::instance_of(caller, tx);
                let instance = match named.or(bound) {
                    None => {
                        let arn_form = tx.account_settings().container_instance_arns();
                        check_taggable(arn_form, &registration)?;
                        created(registration, new_id, arn_form, now)
                    }
                    Some(id) => {
                        let known = find(tx, &registration.cluster, id);
                        let renewed = known
                            .ok_or(RegisterError::Unknown)
                            .and_then(|known| renewed(known, registration, now));
                        match renewed {
                            Err(RegisterError::Unknown | RegisterError::Inactive)
                                if named.is_none() =>
                            {
                                return Err(RegisterError::Ended);
                            }
                            renewed => renewed?,
                        }
                    }
                };
                let instance = Arc::new(instance);
                tx.put_instance(Arc::clone(&instance));
                joining::bind(caller, instance.id, tx);
                Ok(instance)
            })
            .await
    }

    /// Records that an instance's control connection is up, or down, in the order of the calls.
    /// Says whether there is such an instance in use.
    pub fn set_agent_connected(
        &self,
        id: InstanceId,
        connected: bool,
        versions: Option<VersionInfo>,
    ) -> impl Future<Output = Result<bool, StoreError>> {
        let now = self.now();
        self.store.update(move |tx| {
            let known = tx.instance(id).filter(|it| it.status != InstanceStatus::Inactive);
            let Some(instance) = known.map(Arc::clone) else { return Ok(false) };
            let mut after = ContainerInstance::clone(&instance);
            if connected && !instance.agent_connected {
                after.connected_at = Some(now);
            }
            after.away_since = match connected {
                true => None,
                false if instance.agent_connected => Some(now),
                false => instance.away_since.or(Some(now)),
            };
            after.agent_connected = connected;
            if let Some(versions) = versions {
                after.version_info = versions;
            }
            if after != *instance {
                after.version += 1;
                tx.put_instance(after);
            }
            Ok(true)
        })
    }

    /// Records that no agent is connected, as is so when the control plane starts. As it was the
    /// control plane that was away, each agent has the time to return before it counts as away.
    pub async fn forget_connections(&self) -> Result<(), StoreError> {
        let away_since = Some(self.now().plus_secs(lost::RETURN_SECS));
        self.store
            .update(|tx| {
                let matters = |it: &&Arc<ContainerInstance>| {
                    it.agent_connected || lost::is_away_with_tasks(it, tx)
                };
                let away: Vec<_> = tx.all_instances().filter(matters).map(Arc::clone).collect();
                for instance in away {
                    let mut after = ContainerInstance::clone(&instance);
                    after.agent_connected = false;
                    after.away_since = away_since;
                    after.version += u64::from(instance.agent_connected);
                    tx.put_instance(after);
                }
                Ok(())
            })
            .await
    }
}

/// Tags need the long form.
fn check_taggable(arn_form: ArnForm, registration: &Registration) -> Result<(), RegisterError> {
    match arn_form {
        ArnForm::Short if !registration.tags.is_empty() => Err(RegisterError::ShortArn),
        ArnForm::Short | ArnForm::Long => Ok(()),
    }
}

fn created(
    registration: Registration,
    id: InstanceId,
    arn_form: ArnForm,
    now: Timestamp,
) -> ContainerInstance {
    ContainerInstance {
        id,
        arn_form,
        cluster: registration.cluster,
        status: InstanceStatus::Active,
        agent_connected: false,
        connected_at: None,
        away_since: Some(now),
        version: 1,
        registered: registration.resources,
        reserved_ports_tcp: registration.reserved_ports_tcp,
        reserved_ports_udp: registration.reserved_ports_udp,
        attributes: renewed_attributes(&[], registration.attributes),
        ec2_instance_id: registration.ec2_instance_id,
        version_info: registration.version_info,
        registered_at: now,
        deregistered_at: None,
        tags: registration.tags,
    }
}

fn renewed(
    known: &ContainerInstance,
    registration: Registration,
    now: Timestamp,
) -> Result<ContainerInstance, RegisterError> {
    if known.status == InstanceStatus::Inactive {
        return Err(RegisterError::Inactive);
    }
    let type_now = registration.attributes.iter().find(|it| &*it.name == INSTANCE_TYPE);
    // People may call their own machines something else, or give them more memory.
    let type_before = known.attribute(INSTANCE_TYPE).filter(|_| known.ec2_instance_id.is_some());
    if let (Some(before), Some(now)) = (type_before, type_now.and_then(|it| it.value.as_deref()))
        && before != now
    {
        return Err(RegisterError::TypeChanged(before.into()));
    }
    check_taggable(known.arn_form, &registration)?;
    Ok(ContainerInstance {
        // An agent that registers is there, and about to connect.
        away_since: known.away_since.max(Some(now)).filter(|_| !known.agent_connected),
        // An agent sends the tags of its configuration each time; what callers put on stays.
        tags: known.tags.with(&registration.tags)?,
        version: known.version + 1,
        registered: registration.resources,
        reserved_ports_tcp: registration.reserved_ports_tcp,
        reserved_ports_udp: registration.reserved_ports_udp,
        attributes: renewed_attributes(&known.attributes, registration.attributes),
        ec2_instance_id: registration.ec2_instance_id.or(known.ec2_instance_id.clone()),
        // An agent of 2017 tells its versions only when it connects.
        version_info: match registration.version_info {
            untold if untold == VersionInfo::default() => known.version_info.clone(),
            told => told,
        },
        ..known.clone()
    })
}
