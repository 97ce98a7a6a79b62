//! A container of a task definition, with the members of June 2017.

use std::collections::BTreeMap;

use super::KeyValuePair;
use crate::shape::shape;

shape! {
    pub struct ContainerDefinition {
        name: Option<String> = "name",
        image: Option<String> = "image",
        /// Units of 1/1024 CPU.
        cpu: Option<i32> = "cpu",
        /// Hard limit in MiB.
        memory: Option<i32> = "memory",
        /// Soft limit in MiB.
        memory_reservation: Option<i32> = "memoryReservation",
        /// `name` or `name:alias`.
        links: Option<Vec<String>> = "links",
        port_mappings: Option<Vec<PortMapping>> = "portMappings",
        essential: Option<bool> = "essential",
        entry_point: Option<Vec<String>> = "entryPoint",
        command: Option<Vec<String>> = "command",
        environment: Option<Vec<KeyValuePair>> = "environment",
        mount_points: Option<Vec<MountPoint>> = "mountPoints",
        volumes_from: Option<Vec<VolumeFrom>> = "volumesFrom",
        hostname: Option<String> = "hostname",
        user: Option<String> = "user",
        working_directory: Option<String> = "workingDirectory",
        disable_networking: Option<bool> = "disableNetworking",
        privileged: Option<bool> = "privileged",
        readonly_root_filesystem: Option<bool> = "readonlyRootFilesystem",
        dns_servers: Option<Vec<String>> = "dnsServers",
        dns_search_domains: Option<Vec<String>> = "dnsSearchDomains",
        extra_hosts: Option<Vec<HostEntry>> = "extraHosts",
        docker_security_options: Option<Vec<String>> = "dockerSecurityOptions",
        docker_labels: Option<BTreeMap<String, String>> = "dockerLabels",
        ulimits: Option<Vec<Ulimit>> = "ulimits",
        log_configuration: Option<LogConfiguration> = "logConfiguration",
    }

    pub struct PortMapping {
        container_port: Option<i32> = "containerPort",
        /// 0 or absent lets Docker choose, in bridge mode.
        host_port: Option<i32> = "hostPort",
        protocol: Option<String> = "protocol",
    }

    pub struct MountPoint {
        source_volume: Option<String> = "sourceVolume",
        container_path: Option<String> = "containerPath",
        read_only: Option<bool> = "readOnly",
    }

    pub struct VolumeFrom {
        source_container: Option<String> = "sourceContainer",
        read_only: Option<bool> = "readOnly",
    }

    /// A line of the container's `/etc/hosts`.
    pub struct HostEntry {
        hostname: Option<String> = "hostname",
        ip_address: Option<String> = "ipAddress",
    }

    pub struct Ulimit {
        name: Option<String> = "name",
        soft_limit: Option<i32> = "softLimit",
        hard_limit: Option<i32> = "hardLimit",
    }

    pub struct LogConfiguration {
        log_driver: Option<String> = "logDriver",
        options: Option<BTreeMap<String, String>> = "options",
    }
}
