//! CreateCluster, DeleteCluster, DescribeClusters and ListClusters.

use super::{Attachment, Failure, KeyValuePair, Tag};
use crate::shape::shape;

shape! {
    pub struct CreateClusterRequest {
        cluster_name: Option<String> = "clusterName",
        settings: Option<Vec<ClusterSetting>> = "settings",
        tags: Option<Vec<Tag>> = "tags",
    }

    pub struct CreateClusterResponse {
        cluster: Option<Cluster> = "cluster",
    }

    pub struct DeleteClusterRequest {
        cluster: Option<String> = "cluster",
    }

    pub struct DeleteClusterResponse {
        cluster: Option<Cluster> = "cluster",
    }

    pub struct DescribeClustersRequest {
        clusters: Option<Vec<String>> = "clusters",
        /// What to show besides: `ATTACHMENTS`, `CONFIGURATIONS`, `SETTINGS`, `STATISTICS`, `TAGS`.
        include: Option<Vec<String>> = "include",
    }

    pub struct DescribeClustersResponse {
        clusters: Option<Vec<Cluster>> = "clusters",
        failures: Option<Vec<Failure>> = "failures",
    }

    pub struct ListClustersRequest {
        next_token: Option<String> = "nextToken",
        max_results: Option<i32> = "maxResults",
    }

    pub struct ListClustersResponse {
        cluster_arns: Option<Vec<String>> = "clusterArns",
        next_token: Option<String> = "nextToken",
    }

    /// A cluster. What follows `active_services_count` joined after June 2017.
    pub struct Cluster {
        cluster_arn: Option<String> = "clusterArn",
        cluster_name: Option<String> = "clusterName",
        status: Option<String> = "status",
        registered_container_instances_count: Option<i32> = "registeredContainerInstancesCount",
        running_tasks_count: Option<i32> = "runningTasksCount",
        pending_tasks_count: Option<i32> = "pendingTasksCount",
        active_services_count: Option<i32> = "activeServicesCount",
        statistics: Option<Vec<KeyValuePair>> = "statistics",
        tags: Option<Vec<Tag>> = "tags",
        settings: Option<Vec<ClusterSetting>> = "settings",
        /// Always there and always empty: Ansible's `ecs_cluster` fails without it.
        capacity_providers: Option<Vec<String>> = "capacityProviders",
        /// As above.
        default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>> =
            "defaultCapacityProviderStrategy",
        attachments: Option<Vec<Attachment>> = "attachments",
    }

    /// Never sent, since there is no capacity provider.
    pub struct CapacityProviderStrategyItem {
        capacity_provider: Option<String> = "capacityProvider",
        weight: Option<i32> = "weight",
        base: Option<i32> = "base",
    }

    /// Such as `containerInsights`, which is `enabled`, `enhanced` or `disabled`.
    pub struct ClusterSetting {
        name: Option<String> = "name",
        value: Option<String> = "value",
    }
}
