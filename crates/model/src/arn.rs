//! ARNs: parsed where they enter, printed where they leave.
//!
//! Both generations are understood: the short form of 2017, and the long one of 2018, which is sent
//! unless the account has chosen otherwise before the resource was created.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{ContainerId, InstanceId, TaskId};
use crate::names::ClusterName;
use crate::task_definition::DefinitionKey;

/// The generation of a resource's ARN, which is settled when the resource is created.
/// Source: Amazon ECS Developer Guide, account settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArnForm {
    /// With the cluster's name before the id: `task/CLUSTER/ID`.
    #[default]
    Long,
    /// That of 2017, with the id alone as a UUID with hyphens: `task/UUID`.
    Short,
}

impl ArnForm {
    /// Whether it is the long one.
    pub fn is_long(&self) -> bool {
        *self == Self::Long
    }
}

/// Whose resources they are: the first part of every ARN that a control plane sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Such as `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Owner {
    fn arn(&self, resource: impl fmt::Display) -> String {
        format!("arn:aws:ecs:{}:{}:{resource}", self.region, self.account)
    }

    /// The account's root user, the only principal.
    pub fn root_arn(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account)
    }

    /// The ARN of a role that is called by its ARN, or by its name, which may carry its path.
    pub fn role_arn(&self, role: &str) -> String {
        if Arn::is_meant_by(role) {
            return role.to_owned();
        }
        format!("arn:aws:iam::{}:role/{}", self.account, role.trim_start_matches('/'))
    }

    /// The ARN of a cluster.
    pub fn cluster_arn(&self, cluster: &ClusterName) -> String {
        self.arn(format_args!("cluster/{cluster}"))
    }

    /// The ARN of a task definition.
    pub fn task_definition_arn(&self, key: &DefinitionKey) -> String {
        self.arn(format_args!("task-definition/{key}"))
    }

    /// The ARN of a container instance in this form; [`ContainerInstance::arn`] knows its own.
    ///
    /// [`ContainerInstance::arn`]: crate::ContainerInstance::arn
    pub fn container_instance_arn(
        &self,
        form: ArnForm,
        cluster: &ClusterName,
        id: InstanceId,
    ) -> String {
        match form {
            ArnForm::Long => self.arn(format_args!("container-instance/{cluster}/{id}")),
            ArnForm::Short => self.arn(format_args!("container-instance/{}", id.hyphenated())),
        }
    }

    /// The ARN of a task in this form; [`Task::arn`](crate::Task::arn) knows its own.
    pub fn task_arn(&self, form: ArnForm, cluster: &ClusterName, id: TaskId) -> String {
        match form {
            ArnForm::Long => self.arn(format_args!("task/{cluster}/{id}")),
            ArnForm::Short => self.arn(format_args!("task/{}", id.hyphenated())),
        }
    }

    /// The ARN of a container of a task, in the task's form.
    pub fn container_arn(
        &self,
        form: ArnForm,
        cluster: &ClusterName,
        task: TaskId,
        id: ContainerId,
    ) -> String {
        let id = id.hyphenated();
        match form {
            ArnForm::Long => self.arn(format_args!("container/{cluster}/{task}/{id}")),
            ArnForm::Short => self.arn(format_args!("container/{id}")),
        }
    }
}

/// An ECS ARN, taken apart: `arn:PARTITION:ecs:REGION:ACCOUNT:KIND/REST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// The account.
    pub account: String,
    /// Such as `task`.
    pub kind: String,
    /// All that follows the kind and its slash.
    pub rest: String,
}

/// Whether a text is the ARN of a role: `arn:PARTITION:iam::ACCOUNT:role/NAME`, where the name may
/// carry its path.
pub fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else { return false };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    !partition.is_empty() && !account.is_empty() && !name.is_empty() && !name.contains(':')
}

/// The text begins as an ARN does, but is none of ECS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an ECS ARN is arn:aws:ecs:REGION:ACCOUNT:KIND/NAME")]
pub struct ArnError;

impl Arn {
    /// Whether a text means to be an ARN rather than a name.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with("arn:")
    }

    /// The cluster and the last part, for the kinds whose long form has a cluster before the id.
    pub fn cluster_and_id(&self) -> (Option<&str>, &str) {
        match self.rest.split_once('/') {
            Some((cluster, id)) => (Some(cluster), id),
            None => (None, &self.rest),
        }
    }
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(ArnError);
        let (arn, partition, service, _region) = (next()?, next()?, next()?, next()?);
        let (account, resource) = (next()?, next()?);
        let (kind, rest) = resource.split_once('/').ok_or(ArnError)?;
        let known_partition = matches!(partition, "aws" | "aws-cn" | "aws-us-gov");
        if arn != "arn" || !known_partition || service != "ecs" || rest.is_empty() {
            return Err(ArnError);
        }
        Ok(Self { account: account.into(), kind: kind.into(), rest: rest.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: &str, cluster: Option<&str>, id: &str) {
        let arn: Arn = text.parse().unwrap();
        assert_eq!((arn.kind.as_str(), arn.cluster_and_id()), (kind, (cluster, id)));
    }

    #[test]
    fn both_generations_are_understood() {
        check("arn:aws:ecs:us-east-1:123456789012:task/abc", "task", None, "abc");
        check("arn:aws:ecs:us-east-1:123456789012:task/c1/abc", "task", Some("c1"), "abc");
        check("arn:aws-cn:ecs:x:1:task-definition/web:3", "task-definition", None, "web:3");
    }

    #[test]
    fn what_is_not_an_ecs_arn_is_refused() {
        for text in [
            "arn:",
            "arn:aws:ecs",
            "arn:aws:iam::1:role/x",
            "arn:aws:ecs:r:1:task",
            "arn:aws:ecs:r:1:task/",
            "arn:gcp:ecs:r:1:task/x",
        ] {
            assert_eq!(text.parse::<Arn>(), Err(ArnError), "{text}");
        }
    }

    #[test]
    fn each_form_is_printed() {
        let owner = Owner { region: "us-east-1".into(), account: "123456789012".into() };
        let cluster = "default".parse().unwrap();
        let task = TaskId::from_bits(0xab);
        assert_eq!(
            owner.task_arn(ArnForm::Long, &cluster, task),
            "arn:aws:ecs:us-east-1:123456789012:task/default/000000000000000000000000000000ab"
        );
        assert_eq!(
            owner.container_arn(ArnForm::Long, &cluster, task, ContainerId::from_bits(1)),
            "arn:aws:ecs:us-east-1:123456789012:container/default/000000000000000000000000000000ab/00000000-0000-0000-0000-000000000001"
        );
        assert_eq!(
            owner.task_arn(ArnForm::Short, &cluster, task),
            "arn:aws:ecs:us-east-1:123456789012:task/00000000-0000-0000-0000-0000000000ab"
        );
        assert_eq!(
            owner.container_instance_arn(ArnForm::Short, &cluster, InstanceId::from_bits(2)),
            "arn:aws:ecs:us-east-1:123456789012:container-instance/00000000-0000-0000-0000-000000000002"
        );
        assert_eq!(
            owner.container_arn(ArnForm::Short, &cluster, task, ContainerId::from_bits(1)),
            "arn:aws:ecs:us-east-1:123456789012:container/00000000-0000-0000-0000-000000000001"
        );
    }
}
