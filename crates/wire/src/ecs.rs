//! Requests and responses of the ECS API, one file per group of actions.
//!
//! Every member is optional, as in AWS's model: whether one must be present is decided where a
//! request is given its meaning. Requests hold the members we honour; others that a client sends
//! end up in [`Parsed::unknown`](crate::Parsed::unknown). Responses hold the members of June 2017
//! and those later ones that today's clients look for.

mod account_settings;
mod attributes;
mod clusters;
mod container_definition;
mod container_instances;
mod overrides;
mod placement;
mod state_changes;
mod tags;
mod task;
mod task_definitions;
mod tasks;

pub use account_settings::{
    DeleteAccountSettingRequest, DeleteAccountSettingResponse, ListAccountSettingsRequest,
    ListAccountSettingsResponse, PutAccountSettingDefaultRequest, PutAccountSettingDefaultResponse,
    PutAccountSettingRequest, PutAccountSettingResponse, Setting,
};
pub use attributes::{
    DeleteAttributesRequest, DeleteAttributesResponse, ListAttributesRequest,
    ListAttributesResponse, PutAttributesRequest, PutAttributesResponse,
};
pub use clusters::{
    CapacityProviderStrategyItem, Cluster, ClusterSetting, CreateClusterRequest,
    CreateClusterResponse, DeleteClusterRequest, DeleteClusterResponse, DescribeClustersRequest,
    DescribeClustersResponse, ListClustersRequest, ListClustersResponse,
};
pub use container_definition::{
    ContainerDefinition, ContainerDependency, ContainerRestartPolicy, Device, HealthCheck,
    HostEntry, KernelCapabilities, LinuxParameters, LogConfiguration, MountPoint, PortMapping,
    RepositoryCredentials, Secret, SystemControl, Tmpfs, Ulimit, VolumeFrom,
};
pub use container_instances::{
    ContainerInstance, ContainerInstanceHealthStatus, DeregisterContainerInstanceRequest,
    DeregisterContainerInstanceResponse, DescribeContainerInstancesRequest,
    DescribeContainerInstancesResponse, DiscoverPollEndpointRequest, DiscoverPollEndpointResponse,
    InstanceHealthCheckResult, ListContainerInstancesRequest, ListContainerInstancesResponse,
    RegisterContainerInstanceRequest, RegisterContainerInstanceResponse, Resource,
    UpdateContainerAgentRequest, UpdateContainerAgentResponse,
    UpdateContainerInstancesStateRequest, UpdateContainerInstancesStateResponse, VersionInfo,
};
pub use overrides::{ContainerOverride, TaskOverride};
pub use placement::{PlacementConstraint, PlacementStrategy};
pub use state_changes::{
    ContainerStateChange, SubmitContainerStateChangeRequest, SubmitContainerStateChangeResponse,
    SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse,
};
pub use tags::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, TagResourceRequest,
    TagResourceResponse, UntagResourceRequest, UntagResourceResponse,
};
pub use task::{Attachment, Container, ManagedAgent, NetworkBinding, NetworkInterface, Task};
pub use task_definitions::{
    DeleteTaskDefinitionsRequest, DeleteTaskDefinitionsResponse, DeregisterTaskDefinitionRequest,
    DeregisterTaskDefinitionResponse, DescribeTaskDefinitionRequest,
    DescribeTaskDefinitionResponse, DockerVolumeConfiguration, HostVolumeProperties,
    ListTaskDefinitionFamiliesRequest, ListTaskDefinitionFamiliesResponse,
    ListTaskDefinitionsRequest, ListTaskDefinitionsResponse, RegisterTaskDefinitionRequest,
    RegisterTaskDefinitionResponse, RuntimePlatform, TaskDefinition, Volume,
};
pub use tasks::{
    DescribeTasksRequest, DescribeTasksResponse, ListTasksRequest, ListTasksResponse,
    RunTaskRequest, RunTaskResponse, StartTaskRequest, StartTaskResponse, StopTaskRequest,
    StopTaskResponse,
};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Operation;
use crate::shape::{Kind, Shape, Structure, shape};

/// A request, bound to the operation it asks for and the response that answers it.
pub trait Request: Shape + Serialize {
    /// What is asked for.
    const OPERATION: Operation;
    /// What a success looks like.
    type Response: Shape + Serialize + DeserializeOwned;
}

macro_rules! requests {
    ($( $operation:ident: $request:ident => $response:ident, )*) => {
        $(
            impl Request for $request {
                const OPERATION: Operation = Operation::$operation;
                type Response = $response;
            }
        )*

        /// What an operation's request and response look like; `None` without shapes here.
        pub fn structures(operation: Operation) -> Option<(&'static Structure, &'static Structure)> {
            match operation {
                $(
                    Operation::$operation => {
                        Some((structure::<$request>(), structure::<$response>()))
                    }
                )*
                #[allow(unreachable_patterns, reason = "until every operation has its shapes")]
                _ => None,
            }
        }
    };
}

fn structure<T: Shape>() -> &'static Structure {
    match T::kind() {
        Kind::Structure(structure) => structure,
        other => unreachable!("a request or response is a structure, not {other:?}"),
    }
}

requests! {
    CreateCluster: CreateClusterRequest => CreateClusterResponse,
    DeleteAttributes: DeleteAttributesRequest => DeleteAttributesResponse,
    DeleteCluster: DeleteClusterRequest => DeleteClusterResponse,
    DeleteTaskDefinitions: DeleteTaskDefinitionsRequest => DeleteTaskDefinitionsResponse,
    DeregisterContainerInstance: DeregisterContainerInstanceRequest => DeregisterContainerInstanceResponse,
    DeregisterTaskDefinition: DeregisterTaskDefinitionRequest => DeregisterTaskDefinitionResponse,
    DescribeClusters: DescribeClustersRequest => DescribeClustersResponse,
    DescribeContainerInstances: DescribeContainerInstancesRequest => DescribeContainerInstancesResponse,
    DescribeTaskDefinition: DescribeTaskDefinitionRequest => DescribeTaskDefinitionResponse,
    DescribeTasks: DescribeTasksRequest => DescribeTasksResponse,
    DiscoverPollEndpoint: DiscoverPollEndpointRequest => DiscoverPollEndpointResponse,
    DeleteAccountSetting: DeleteAccountSettingRequest => DeleteAccountSettingResponse,
    ListAccountSettings: ListAccountSettingsRequest => ListAccountSettingsResponse,
    PutAccountSetting: PutAccountSettingRequest => PutAccountSettingResponse,
    PutAccountSettingDefault: PutAccountSettingDefaultRequest => PutAccountSettingDefaultResponse,
    ListAttributes: ListAttributesRequest => ListAttributesResponse,
    ListClusters: ListClustersRequest => ListClustersResponse,
    ListContainerInstances: ListContainerInstancesRequest => ListContainerInstancesResponse,
    ListTagsForResource: ListTagsForResourceRequest => ListTagsForResourceResponse,
    ListTaskDefinitionFamilies: ListTaskDefinitionFamiliesRequest => ListTaskDefinitionFamiliesResponse,
    ListTaskDefinitions: ListTaskDefinitionsRequest => ListTaskDefinitionsResponse,
    ListTasks: ListTasksRequest => ListTasksResponse,
    PutAttributes: PutAttributesRequest => PutAttributesResponse,
    RegisterContainerInstance: RegisterContainerInstanceRequest => RegisterContainerInstanceResponse,
    RegisterTaskDefinition: RegisterTaskDefinitionRequest => RegisterTaskDefinitionResponse,
    RunTask: RunTaskRequest => RunTaskResponse,
    StartTask: StartTaskRequest => StartTaskResponse,
    StopTask: StopTaskRequest => StopTaskResponse,
    SubmitContainerStateChange: SubmitContainerStateChangeRequest => SubmitContainerStateChangeResponse,
    SubmitTaskStateChange: SubmitTaskStateChangeRequest => SubmitTaskStateChangeResponse,
    TagResource: TagResourceRequest => TagResourceResponse,
    UntagResource: UntagResourceRequest => UntagResourceResponse,
    UpdateContainerAgent: UpdateContainerAgentRequest => UpdateContainerAgentResponse,
    UpdateContainerInstancesState: UpdateContainerInstancesStateRequest => UpdateContainerInstancesStateResponse,
}

shape! {
    /// Something that a successful call could not do.
    pub struct Failure {
        /// Always a full ARN, also when the caller named the thing by a short id.
        arn: Option<String> = "arn",
        reason: Option<String> = "reason",
        detail: Option<String> = "detail",
    }

    /// A name and its value: an environment variable, a statistic, a detail of an attachment.
    pub struct KeyValuePair {
        name: Option<String> = "name",
        value: Option<String> = "value",
    }

    /// A label on a resource.
    pub struct Tag {
        key: Option<String> = "key",
        value: Option<String> = "value",
    }

    /// A property of a container instance, or one that a task definition requires.
    pub struct Attribute {
        name: Option<String> = "name",
        value: Option<String> = "value",
        target_type: Option<String> = "targetType",
        target_id: Option<String> = "targetId",
    }
}

#[cfg(test)]
mod tests;
