//! The table of worked demands.

use super::*;
use crate::Timestamp;
use crate::container_definition::{ContainerDefinition, PortMapping};
use crate::overrides::ContainerOverride;
use crate::task_definition::DefinitionKey;
use crate::task_size::TaskSize;

fn container(
    name: &str,
    cpu_units: u32,
    memory_mib: Option<u32>,
    memory_reservation_mib: Option<u32>,
    ports: &[(u16, u16, Protocol)],
) -> ContainerDefinition {
    ContainerDefinition {
        cpu_units,
        memory_mib,
        memory_reservation_mib,
        port_mappings: ports
            .iter()
            .map(|&(container_port, host_port, protocol)| PortMapping {
                container_port,
                host_port,
                protocol,
                name: None,
            })
            .collect(),
        ..ContainerDefinition::new(name.parse().unwrap(), "image".into())
    }
}

fn definition(
    network_mode: Option<NetworkMode>,
    containers: Vec<ContainerDefinition>,
) -> TaskDefinition {
    let key = DefinitionKey { family: "f".parse().unwrap(), revision: 1 };
    TaskDefinition {
        network_mode,
        ..TaskDefinition::new(key, containers, Timestamp::from_millis(0))
    }
}

fn override_of(memory_mib: Option<u32>, memory_reservation_mib: Option<u32>) -> Overrides {
    Overrides {
        containers: vec![ContainerOverride {
            name: "a".parse().unwrap(),
            command: None,
            environment: None,
            cpu_units: None,
            memory_mib,
            memory_reservation_mib,
        }],
        task_role_arn: None,
        size: Default::default(),
    }
}

fn two() -> TaskDefinition {
    let a = container("a", 10, Some(500), None, &[(80, 80, Protocol::Tcp)]);
    definition(None, vec![a, container("b", 10, Some(500), None, &[])])
}

fn reserved() -> TaskDefinition {
    let ports = [(53, 53, Protocol::Udp), (53, 53, Protocol::Tcp)];
    definition(None, vec![container("a", 256, Some(300), Some(128), &ports)])
}

#[track_caller]
fn check(
    definition: &TaskDefinition,
    overrides: Option<&Overrides>,
    (cpu_units, memory_mib): (u32, u32),
    tcp: &[u16],
    udp: &[u16],
) {
    let expect = Demand {
        resources: Resources { cpu_units, memory_mib },
        ports_tcp: tcp.into(),
        ports_udp: udp.into(),
    };
    assert_eq!(Demand::of(definition, overrides), expect);
}

#[test]
fn a_task_takes_the_sum_of_its_containers() {
    check(&two(), None, (20, 1000), &[80], &[]);
}

#[test]
fn what_the_task_has_as_a_whole_counts_in_place_of_the_sum() {
    let sized = |cpu_units: Option<u32>, memory_mib: Option<u32>| TaskDefinition {
        size: TaskSize { cpu_units, memory_mib },
        ..two()
    };
    check(&sized(Some(256), Some(1024)), None, (256, 1024), &[80], &[]);
    check(&sized(Some(256), None), None, (256, 1000), &[80], &[]);
    check(&sized(None, Some(1024)), None, (20, 1024), &[80], &[]);
}

#[test]
fn a_dynamic_host_port_counts_nothing() {
    let task = container("a", 0, None, Some(64), &[(8080, 0, Protocol::Tcp)]);
    check(&definition(None, vec![task]), None, (0, 64), &[], &[]);
}

#[test]
fn the_reservation_counts_before_the_limit() {
    check(&reserved(), None, (256, 128), &[53], &[53]);
}

#[test]
fn in_host_mode_the_container_port_counts() {
    let task = container("a", 100, Some(64), None, &[(9000, 0, Protocol::Tcp)]);
    check(&definition(Some(NetworkMode::Host), vec![task]), None, (100, 64), &[9000], &[]);
}

#[test]
fn an_override_counts_where_it_replaces_what_counts() {
    check(&two(), Some(&override_of(Some(700), None)), (20, 1200), &[80], &[]);
    check(&reserved(), Some(&override_of(Some(600), None)), (256, 128), &[53], &[53]);
    check(&reserved(), Some(&override_of(None, Some(200))), (256, 200), &[53], &[53]);
}

#[test]
fn overrides_that_contradict_the_definition_are_refused() {
    assert!(override_of(None, Some(301)).check(&reserved()).is_err());
    assert!(override_of(Some(127), None).check(&reserved()).is_err());
    assert_eq!(override_of(Some(128), None).check(&reserved()), Ok(()));
    assert!(override_of(Some(3), Some(3)).check(&reserved()).is_err());
}
