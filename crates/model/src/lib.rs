//! The nouns of ECS and the rules that they carry by themselves.
//!
//! Invariant: a constructed value is valid, and nothing downstream checks it again. There is no
//! I/O here, no runtime, no clock and no JSON of the API; the serde derives are the form in which
//! `store` keeps records.

pub mod access_key;
pub mod account_settings;
pub mod arn;
pub mod attribute;
pub mod clock;
pub mod cluster;
pub mod container_definition;
pub mod container_instance;
pub mod demand;
pub mod id;
pub mod launch_type;
pub mod lost_after;
pub mod names;
pub mod occupancy;
pub mod overrides;
pub mod placement_failure;
pub mod resources;
pub mod status;
pub mod tags;
pub mod task;
pub mod task_definition;
pub mod task_size;

pub use access_key::{InstanceKey, InstanceKeyId, JoinToken, JoinTokenId, JoinTokenStatus};
pub use account_settings::AccountSettings;
pub use arn::{Arn, ArnError, ArnForm, Owner};
pub use attribute::Attribute;
pub use clock::{Clock, Ids, Timestamp};
pub use cluster::Cluster;
pub use container_definition::ContainerDefinition;
pub use container_instance::ContainerInstance;
pub use demand::Demand;
pub use id::{ContainerId, InstanceId, TaskId};
pub use launch_type::{LaunchKind, LaunchType};
pub use lost_after::LostAfter;
pub use names::{ClusterName, ContainerName, Family, ServiceName};
pub use occupancy::Occupancy;
pub use overrides::{ContainerOverride, Overrides};
pub use placement_failure::{PlacementFailure, Unplaced};
pub use resources::Resources;
pub use status::{ClusterStatus, DefinitionStatus, DesiredStatus, InstanceStatus, LastStatus};
pub use tags::{Tag, TagError, Tags};
pub use task::{
    ClientToken, Container, HealthStatus, LaunchFailure, Lost, NetworkBinding, StopCode, Task,
};
pub use task_definition::{DefinitionKey, DeletedRevisions, TaskDefinition};
