//! Records that tests begin with.

use longshore_model::container_definition::{PortMapping, Protocol};
use longshore_model::{
    Cluster, ClusterStatus, Container, ContainerDefinition, ContainerId, ContainerInstance,
    DefinitionKey, DesiredStatus, InstanceId, InstanceKey, InstanceKeyId, InstanceStatus,
    JoinToken, JoinTokenId, LastStatus, PlacementFailure, Resources, Task, TaskDefinition, TaskId,
    Timestamp, Unplaced,
};

use crate::error::StoreError;
use crate::store::Store;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_500_000_000_000);

pub(crate) fn cluster(name: &str) -> Cluster {
    Cluster {
        name: name.parse().unwrap(),
        status: ClusterStatus::Active,
        created_at: NOW,
        deleted_at: None,
        placement_failures: 0,
        tags: Default::default(),
    }
}

pub(crate) fn definition(family: &str, revision: u32) -> TaskDefinition {
    let container = |name: &str, ports: Vec<PortMapping>| -> ContainerDefinition {
        let mut container: ContainerDefinition = serde_json::from_value(serde_json::json!({
            "name": name, "image": "busybox", "cpu_units": 10, "memory_mib": 128,
            "port_mappings": [], "essential": true, "environment": [["KEY", "value"]],
            "mount_points": [], "volumes_from": [],
        }))
        .unwrap();
        container.port_mappings = ports;
        container
    };
    let (container_port, host_port, protocol) = (80, 8080, Protocol::Tcp);
    let port = PortMapping { container_port, host_port, protocol, name: None };
    let ports = if family == "ported" { vec![port] } else { vec![] };
    let key = DefinitionKey { family: family.parse().unwrap(), revision };
    TaskDefinition::new(key, vec![container("one", ports), container("other", vec![])], NOW)
}

pub(crate) fn instance_id(number: u32) -> InstanceId {
    InstanceId::new(NOW, number.into())
}

pub(crate) fn instance(number: u32, cluster: &str) -> ContainerInstance {
    ContainerInstance {
        id: instance_id(number),
        arn_form: Default::default(),
        cluster: cluster.parse().unwrap(),
        status: InstanceStatus::Active,
        agent_connected: false,
        connected_at: None,
        away_since: None,
        version: 1,
        registered: Resources { cpu_units: 1024, memory_mib: 4096 },
        reserved_ports_tcp: [22].into(),
        reserved_ports_udp: [].into(),
        attributes: vec![],
        ec2_instance_id: None,
        version_info: Default::default(),
        registered_at: NOW,
        deregistered_at: None,
        tags: Default::default(),
    }
}

pub(crate) fn task_id(number: u32) -> TaskId {
    TaskId::new(NOW, number.into())
}

/// A task of `web:1` on the instance of that number.
pub(crate) fn task(number: u32, cluster: &str, instance: u32) -> Task {
    let definition = definition("web", 1);
    let container = |name| Container {
        id: ContainerId::new(NOW, number.into()),
        name,
        last_status: LastStatus::Pending,
        exit_code: None,
        reason: None,
        network_bindings: Box::default(),
        runtime_id: None,
        image_digest: None,
        health: None,
        health_since: None,
    };
    Task {
        id: task_id(number),
        arn_form: Default::default(),
        cluster: cluster.parse().unwrap(),
        definition: definition.key,
        container_instance: instance_id(instance),
        overrides: None,
        last_status: LastStatus::Pending,
        desired_status: DesiredStatus::Running,
        containers: definition.containers.into_iter().map(|it| container(it.name)).collect(),
        started_by: Some("test".into()),
        group: "family:web".into(),
        tags: Default::default(),
        launch_type: Default::default(),
        client_token: None,
        version: 1,
        stopped_reason: None,
        stop_code: None,
        created_at: NOW,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        execution_stopped_at: None,
        lost: None,
    }
}

/// What is remembered of that many calls that could not place `web:1` in the group of that number.
pub(crate) fn placement_failure(cluster: &str, group: u32, calls: u64) -> PlacementFailure {
    let last = Unplaced {
        definition: definition("web", 1).key,
        group: format!("group-{group}").into(),
        started_by: Some("test".into()),
        asked: 2,
        reasons: [("RESOURCE:MEMORY".into(), 3)].into(),
    };
    PlacementFailure {
        cluster: cluster.parse().unwrap(),
        fingerprint: last.fingerprint(),
        last,
        calls,
        first_at: NOW,
        last_at: NOW.plus_secs(60),
    }
}

/// A token of that number, that many machines having joined with it.
pub(crate) fn join_token(number: u32, cluster: &str, used: u32) -> JoinToken {
    JoinToken {
        id: JoinTokenId::from_bits(number.into()),
        cluster: cluster.parse().unwrap(),
        uses: 10,
        used,
        note: Some("rack 7".into()),
        created_at: NOW,
        expires_at: NOW.plus_secs(3600),
        revoked_at: None,
    }
}

/// The key of that number, whose agent has registered the instance of that number, if any.
pub(crate) fn instance_key(number: u32, cluster: &str, instance: Option<u32>) -> InstanceKey {
    InstanceKey {
        id: InstanceKeyId::from_bits(number.into()),
        cluster: cluster.parse().unwrap(),
        token: JoinTokenId::from_bits(1),
        instance: instance.map(instance_id),
        created_at: NOW,
        revoked_at: None,
    }
}

/// Puts the cluster `default`, `web:1` and instance 1.
pub(crate) async fn prepare(store: &Store) -> Result<(), StoreError> {
    store
        .update(|tx| {
            tx.put_cluster(cluster("default"));
            tx.put_definition(definition("web", 1));
            tx.put_instance(instance(1, "default"));
            Ok(())
        })
        .await
}

/// Puts a task of `web:1` on instance 1.
pub(crate) async fn put_task(store: &Store, number: u32) -> Result<(), StoreError> {
    store
        .update(|tx| {
            tx.put_task(task(number, "default", 1));
            Ok(())
        })
        .await
}
