//! The payload: tasks as the agent gets them, with every override already merged in.
//!
//! Whatever has no member here (memory reservation, labels, log configuration, ulimits, ...)
//! travels in [`DockerConfig`] as Docker's own JSON, which wins over the typed members.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::shape::{Kind, Mismatch, Reader, Secret, Shape, shape};

shape! {
    /// Tasks to start or stop. The agent acknowledges only if it accepts every one of them.
    pub struct PayloadMessage {
        message_id: String = "messageId",
        cluster_arn: String = "clusterArn",
        container_instance_arn: String = "containerInstanceArn",
        /// Milliseconds since the epoch; informational.
        generated_at: i64 = "generatedAt",
        /// Rises from message to message. Agents before 1.73 hold a start until all stops of lower
        /// numbers are done.
        seq_num: i64 = "seqNum",
        tasks: Vec<Task> = "tasks",
    }

    /// A task to bring to `desired_status`.
    pub struct Task {
        arn: String = "arn",
        family: String = "family",
        /// The task definition's revision, as text.
        version: String = "version",
        /// `RUNNING` or `STOPPED`.
        desired_status: String = "desiredStatus",
        containers: Vec<Container> = "containers",
        volumes: Vec<Volume> = "volumes",
        /// JSON text that agents ignore: `{}`.
        overrides: Option<Overrides> = "overrides",
        role_credentials: Option<RoleCredentials> = "roleCredentials",
        task_definition_account_id: Option<String> = "taskDefinitionAccountId",
        /// A limit for all containers together, in vCPU: 0.5 is 512 units.
        cpu: Option<f64> = "cpu",
        /// A limit for all containers together, in MiB.
        memory: Option<i64> = "memory",
        /// `host` or `task`.
        pid_mode: Option<String> = "pidMode",
        /// `host`, `task` or `none`.
        ipc_mode: Option<String> = "ipcMode",
        /// `EC2` or `EXTERNAL`; agents only tell it to containers.
        launch_type: Option<String> = "launchType",
        /// Informational: `bridge`, `host` and `none` travel in [`DockerConfig`].
        network_mode: Option<String> = "networkMode",
    }

    /// A container of a task.
    pub struct Container {
        name: String = "name",
        image: String = "image",
        command: Vec<String> = "command",
        /// Empty means the image's.
        entry_point: Vec<String> = "entryPoint",
        /// Units of 1/1024 CPU.
        cpu: i64 = "cpu",
        /// Hard limit in MiB; 0 is none.
        memory: i64 = "memory",
        essential: bool = "essential",
        environment: BTreeMap<String, String> = "environment",
        /// `name` or `name:alias`.
        links: Vec<String> = "links",
        port_mappings: Vec<PortMapping> = "portMappings",
        mount_points: Vec<MountPoint> = "mountPoints",
        volumes_from: Vec<VolumeFrom> = "volumesFrom",
        overrides: Option<Overrides> = "overrides",
        docker_config: Option<DockerConfig> = "dockerConfig",
        registry_authentication: Option<RegistryAuthentication> = "registryAuthentication",
        /// `docker`: Docker runs the health check in [`DockerConfig`], and the agent follows it.
        health_check_type: Option<String> = "healthCheckType",
        /// What must have happened to other containers before this one starts.
        depends_on: Option<Vec<ContainerDependency>> = "dependsOn",
        /// Seconds for the container's dependencies to be met, before it counts as failed.
        start_timeout: Option<i64> = "startTimeout",
        /// Seconds between SIGTERM and SIGKILL.
        stop_timeout: Option<i64> = "stopTimeout",
        /// Whether the agent starts the container again when it ends.
        restart_policy: Option<RestartPolicy> = "restartPolicy",
        /// Agents only tell it to the container.
        container_arn: Option<String> = "containerArn",
        /// The names of those options of the log driver whose values are secrets. Longshore's own,
        /// which official agents pass over.
        secret_log_options: Option<Vec<String>> = "secretLogOptions",
    }

    /// Another container of the task, and how far it must be.
    pub struct ContainerDependency {
        container_name: String = "containerName",
        /// `START`, `COMPLETE`, `SUCCESS` or `HEALTHY`.
        condition: String = "condition",
    }

    /// When a container that ended is started again in place.
    pub struct RestartPolicy {
        enabled: bool = "enabled",
        /// Exit codes after which it is not.
        ignored_exit_codes: Option<Vec<i32>> = "ignoredExitCodes",
        /// Seconds that the container must have run.
        restart_attempt_period: Option<i64> = "restartAttemptPeriod",
    }

    /// A port of the container, made reachable on the host.
    pub struct PortMapping {
        container_port: i32 = "containerPort",
        /// 0 lets Docker choose.
        host_port: i32 = "hostPort",
        /// `tcp` or `udp`; absent means `tcp`.
        protocol: Option<String> = "protocol",
    }

    /// A volume of the task, seen from a container.
    pub struct MountPoint {
        source_volume: String = "sourceVolume",
        container_path: String = "containerPath",
        read_only: bool = "readOnly",
    }

    /// All volumes of another container of the task.
    pub struct VolumeFrom {
        source_container: String = "sourceContainer",
        read_only: bool = "readOnly",
    }

    /// A volume that the task's containers share.
    pub struct Volume {
        name: String = "name",
        host: Option<HostVolume> = "host",
        /// `docker` where `dockerVolumeConfiguration` says more; absent means `host`.
        kind: Option<String> = "type",
        docker_volume_configuration: Option<DockerVolumeConfiguration> =
            "dockerVolumeConfiguration",
    }

    /// A volume of Docker's, named and kept as its scope says.
    pub struct DockerVolumeConfiguration {
        /// `task`: it comes and goes with the task. `shared`: it bears the volume's own name and
        /// stays.
        scope: Option<String> = "scope",
        /// Whether a shared volume that is not there is created.
        autoprovision: bool = "autoprovision",
        driver: Option<String> = "driver",
        driver_opts: Option<BTreeMap<String, String>> = "driverOpts",
        labels: Option<BTreeMap<String, String>> = "labels",
    }

    /// Where a volume lies on the host; without a path it is Docker's to choose.
    pub struct HostVolume {
        source_path: Option<String> = "sourcePath",
    }

    /// Docker's own JSON, laid over what the agent computed from the typed members.
    pub struct DockerConfig {
        /// Text of a container `Config`.
        config: Option<String> = "config",
        /// Text of a `HostConfig`.
        host_config: Option<String> = "hostConfig",
        /// The Docker API version to create and start with, such as `1.21`.
        version: Option<String> = "version",
    }

    /// How to log in to the image's registry.
    pub struct RegistryAuthentication {
        /// `ecr`, or Longshore's own `basic`. Official agents know neither `basic` nor its data:
        /// only an instance with the attribute `io.longshore.capability.registry-auth` gets it.
        kind: Option<String> = "type",
        ecr_auth_data: Option<EcrAuthData> = "ecrAuthData",
        basic_auth_data: Option<BasicAuthData> = "basicAuthData",
    }

    /// A login, as registries take it.
    pub struct BasicAuthData {
        username: String = "username",
        password: Secret = "password",
    }

    /// Where to ask for a token of a managed registry.
    pub struct EcrAuthData {
        registry_id: Option<String> = "registryId",
        region: Option<String> = "region",
        endpoint_override: Option<String> = "endpointOverride",
    }

    /// A role's credentials, as one task has them.
    pub struct RoleCredentials {
        /// Opaque, the same for the task's whole life. It becomes part of the URL under which
        /// containers fetch the credentials: whoever knows it can do so too.
        credentials_id: Secret = "credentialsId",
        role_arn: Option<String> = "roleArn",
        access_key_id: Option<Secret> = "accessKeyId",
        secret_access_key: Option<Secret> = "secretAccessKey",
        session_token: Option<Secret> = "sessionToken",
        /// ISO 8601.
        expiration: Option<String> = "expiration",
    }
}

/// JSON text inside a string. The official agent rejects the whole task for any key but
/// `command`, so a server that merges overrides itself sends `{}` always.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Overrides(pub String);

impl Default for Overrides {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl Shape for Overrides {
    /// An object is accepted in place of its text.
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        match value {
            Value::Object(_) => Ok(Self(value.to_string())),
            other => String::read(other, reader).map(Self),
        }
    }

    fn kind() -> Kind {
        Kind::String
    }
}
