//! PutAttributes, DeleteAttributes and ListAttributes. What callers put are custom attributes,
//! which an instance keeps when it registers again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use longshore_model::{Attribute, ClusterName, ContainerInstance, InstanceId, InstanceStatus};
use longshore_store::{State, StoreError, Tx};

use super::{find, listed};
use crate::Control;
use crate::clusters::{self, ClusterError};

/// The most custom attributes of an instance. Source: Amazon ECS Developer Guide, service limits.
pub const MAX_CUSTOM: usize = 10;

/// An attribute and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetAttribute {
    /// The instance.
    pub target: InstanceId,
    /// Not a reserved one.
    pub attribute: Attribute,
}

/// Why attributes cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum AttributesError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No such instance in this cluster, or one that was deregistered.
    #[error("Could not find {0}")]
    TargetNotFound(InstanceId),
    /// There would be too many.
    #[error("A container instance can have at most {MAX_CUSTOM} custom attributes.")]
    LimitExceeded,
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The instances that a request changes, as it has made them so far.
type Targets = BTreeMap<InstanceId, ContainerInstance>;

impl Control {
    /// PutAttributes: all of them or none. One of the same name is replaced.
    pub async fn put_attributes(
        &self,
        cluster: ClusterName,
        attributes: &[TargetAttribute],
    ) -> Result<(), AttributesError> {
        self.store
            .update(|tx| {
                let mut targets = targets(tx, &cluster, attributes)?;
                for TargetAttribute { target, attribute } in attributes {
                    if let Some(instance) = targets.get_mut(target) {
                        put(&mut instance.attributes, attribute);
                    }
                }
                for instance in targets.values() {
                    let had = tx.instance(instance.id).map_or(0, |it| custom(it));
                    if custom(instance) > had.max(MAX_CUSTOM) {
                        return Err(AttributesError::LimitExceeded);
                    }
                }
                write(tx, targets);
                Ok(())
            })
            .await
    }

    /// DeleteAttributes, by name: gives those that were there. One that is there with another
    /// value than the one named stays.
    pub async fn delete_attributes(
        &self,
        cluster: ClusterName,
        attributes: &[TargetAttribute],
    ) -> Result<Vec<TargetAttribute>, AttributesError> {
        self.store
            .update(|tx| {
                let mut targets = targets(tx, &cluster, attributes)?;
                let mut deleted = Vec::new();
                for TargetAttribute { target, attribute } in attributes {
                    let Some(instance) = targets.get_mut(target) else { continue };
                    let all = &mut instance.attributes;
                    let is_meant = |it: &Attribute| attribute.is_met_by(std::slice::from_ref(it));
                    if let Some(at) = all.iter().position(is_meant) {
                        let attribute = all.remove(at);
                        deleted.push(TargetAttribute { target: *target, attribute });
                    }
                }
                write(tx, targets);
                Ok(deleted)
            })
            .await
    }
}

/// The instances that are named, all of them in use.
fn targets(
    state: &State,
    cluster: &ClusterName,
    attributes: &[TargetAttribute],
) -> Result<Targets, AttributesError> {
    clusters::active(state, cluster)?;
    let target = |&TargetAttribute { target, .. }: &TargetAttribute| {
        let found = find(state, cluster, target);
        let in_use = found.filter(|it| it.status != InstanceStatus::Inactive);
        let instance = in_use.ok_or(AttributesError::TargetNotFound(target))?;
        Ok((target, ContainerInstance::clone(instance)))
    };
    attributes.iter().map(target).collect()
}

fn put(attributes: &mut Vec<Attribute>, attribute: &Attribute) {
    match attributes.iter_mut().find(|it| it.name == attribute.name) {
        Some(known) => *known = attribute.clone(),
        None => attributes.push(attribute.clone()),
    }
}

fn custom(instance: &ContainerInstance) -> usize {
    instance.attributes.iter().filter(|it| !it.is_reserved()).count()
}

fn write(tx: &mut Tx<'_>, targets: Targets) {
    for mut instance in targets.into_values() {
        if tx.instance(instance.id).is_some_and(|it| it.attributes != instance.attributes) {
            instance.version += 1;
            tx.put_instance(instance);
        }
    }
}

/// Which attributes a ListAttributes request asks for.
#[derive(Clone, Debug)]
pub struct ListAttributes {
    /// Of instances in this cluster.
    pub cluster: ClusterName,
    /// Of this name.
    pub name: Option<String>,
    /// Of this value.
    pub value: Option<String>,
}

/// Where in the list of a cluster's attributes one stands: by instance, then by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributePlace {
    /// Whose it is.
    pub instance: InstanceId,
    /// What it is called.
    pub name: Arc<str>,
}

impl AttributePlace {
    /// The place of an attribute of this instance.
    pub fn of(instance: &ContainerInstance, attribute: &Attribute) -> Self {
        Self { instance: instance.id, name: Arc::clone(&attribute.name) }
    }
}

impl fmt::Display for AttributePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.instance, self.name)
    }
}

/// The text is not `INSTANCE NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attribute's place is INSTANCE NAME")]
pub struct AttributePlaceError;

impl FromStr for AttributePlace {
    type Err = AttributePlaceError;

    fn from_str(text: &str) -> Result<Self, AttributePlaceError> {
        let (instance, name) = text.split_once(' ').ok_or(AttributePlaceError)?;
        let instance = instance.parse().map_err(|_| AttributePlaceError)?;
        Ok(Self { instance, name: name.into() })
    }
}

/// The attributes asked for, by instance in the order of registration and then by name, after the
/// place given.
pub fn list_attributes<'a>(
    state: &'a State,
    request: &'a ListAttributes,
    after: Option<&'a AttributePlace>,
) -> impl Iterator<Item = (&'a Arc<ContainerInstance>, &'a Attribute)> {
    let begun = after.and_then(|it| find(state, &request.cluster, it.instance));
    let begun = begun.filter(|it| it.status != InstanceStatus::Inactive);
    let others = listed(state, &request.cluster, after.map(|it| it.instance));
    let is_wanted = |it: &&Attribute| {
        request.name.as_deref().is_none_or(|name| name == &*it.name)
            && request.value.as_deref().is_none_or(|value| it.value.as_deref() == Some(value))
    };
    let attributes = move |instance: &'a Arc<ContainerInstance>| {
        let mut wanted: Vec<_> = instance.attributes.iter().filter(is_wanted).collect();
        wanted.sort_by(|one, other| one.name.cmp(&other.name));
        wanted.into_iter().map(move |it| (instance, it))
    };
    let is_passed = move |instance: &ContainerInstance, it: &Attribute| {
        after.is_some_and(|after| AttributePlace::of(instance, it) <= *after)
    };
    begun
        .into_iter()
        .chain(others)
        .flat_map(attributes)
        .skip_while(move |(instance, it)| is_passed(instance, it))
}
