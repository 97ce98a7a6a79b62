//! A container of a task definition. What follows `log_configuration` joined after June 2017.

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

        health_check: Option<HealthCheck> = "healthCheck",
        linux_parameters: Option<LinuxParameters> = "linuxParameters",
        system_controls: Option<Vec<SystemControl>> = "systemControls",
        pseudo_terminal: Option<bool> = "pseudoTerminal",
        interactive: Option<bool> = "interactive",
        depends_on: Option<Vec<ContainerDependency>> = "dependsOn",
        /// Seconds.
        start_timeout: Option<i32> = "startTimeout",
        /// Seconds.
        stop_timeout: Option<i32> = "stopTimeout",
        restart_policy: Option<ContainerRestartPolicy> = "restartPolicy",
        secrets: Option<Vec<Secret>> = "secrets",
        repository_credentials: Option<RepositoryCredentials> = "repositoryCredentials",
        /// `enabled` or `disabled`.
        version_consistency: Option<String> = "versionConsistency",
    }

    pub struct PortMapping {
        container_port: Option<i32> = "containerPort",
        /// 0 or absent lets Docker choose, in bridge mode.
        host_port: Option<i32> = "hostPort",
        protocol: Option<String> = "protocol",
        /// Joined after June 2017.
        name: Option<String> = "name",
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
        /// Joined after June 2017.
        secret_options: Option<Vec<Secret>> = "secretOptions",
    }

    /// Times are in seconds.
    pub struct HealthCheck {
        command: Option<Vec<String>> = "command",
        interval: Option<i32> = "interval",
        timeout: Option<i32> = "timeout",
        retries: Option<i32> = "retries",
        start_period: Option<i32> = "startPeriod",
    }

    pub struct LinuxParameters {
        capabilities: Option<KernelCapabilities> = "capabilities",
        devices: Option<Vec<Device>> = "devices",
        init_process_enabled: Option<bool> = "initProcessEnabled",
        /// MiB.
        shared_memory_size: Option<i32> = "sharedMemorySize",
        tmpfs: Option<Vec<Tmpfs>> = "tmpfs",
        /// MiB.
        max_swap: Option<i32> = "maxSwap",
        swappiness: Option<i32> = "swappiness",
    }

    /// Names without `CAP_`.
    pub struct KernelCapabilities {
        add: Option<Vec<String>> = "add",
        drop: Option<Vec<String>> = "drop",
    }

    pub struct Device {
        host_path: Option<String> = "hostPath",
        container_path: Option<String> = "containerPath",
        /// `read`, `write`, `mknod`.
        permissions: Option<Vec<String>> = "permissions",
    }

    pub struct Tmpfs {
        container_path: Option<String> = "containerPath",
        /// MiB.
        size: Option<i32> = "size",
        mount_options: Option<Vec<String>> = "mountOptions",
    }

    pub struct SystemControl {
        namespace: Option<String> = "namespace",
        value: Option<String> = "value",
    }

    pub struct ContainerDependency {
        container_name: Option<String> = "containerName",
        /// `START`, `COMPLETE`, `SUCCESS` or `HEALTHY`.
        condition: Option<String> = "condition",
    }

    pub struct ContainerRestartPolicy {
        enabled: Option<bool> = "enabled",
        ignored_exit_codes: Option<Vec<i32>> = "ignoredExitCodes",
        /// Seconds.
        restart_attempt_period: Option<i32> = "restartAttemptPeriod",
    }

    /// A name, and where its secret value is to be found.
    pub struct Secret {
        name: Option<String> = "name",
        value_from: Option<String> = "valueFrom",
    }

    pub struct RepositoryCredentials {
        /// Names the secret that holds `username` and `password`.
        credentials_parameter: Option<String> = "credentialsParameter",
    }
}
