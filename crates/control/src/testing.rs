//! Values that tests begin with.

use longshore_model::ContainerDefinition;

/// A container with 128 MiB and nothing else set.
pub(crate) fn container(name: &str) -> ContainerDefinition {
    ContainerDefinition {
        name: name.parse().expect("a test's name is valid"),
        image: "image".into(),
        cpu_units: 0,
        memory_mib: Some(128),
        memory_reservation_mib: None,
        links: None,
        port_mappings: vec![],
        essential: true,
        entry_point: None,
        command: None,
        environment: vec![],
        mount_points: vec![],
        volumes_from: vec![],
        hostname: None,
        user: None,
        working_directory: None,
        disable_networking: None,
        privileged: None,
        readonly_root_filesystem: None,
        dns_servers: None,
        dns_search_domains: None,
        extra_hosts: None,
        docker_security_options: None,
        docker_labels: None,
        ulimits: None,
        log_configuration: None,
    }
}
