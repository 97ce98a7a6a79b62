use std::time::Duration;

use http::StatusCode;
use longshore_client::{Credentials, Signer, Trust};
use longshore_wire::ErrorBody;

use super::*;
use crate::config::{DEFAULT_RESERVED_PORTS, ImagePullBehavior, TaskMetadata};

fn config() -> AgentConfig {
    AgentConfig {
        endpoint: "http://127.0.0.1:1".parse().unwrap(),
        cluster: "default".into(),
        trust: Trust::default(),
        signer: Signer::new(
            Credentials {
                access_key_id: "AK".into(),
                secret_access_key: "s".into(),
                session_token: None,
            },
            "us-east-1".into(),
        ),
        data_dir: "/nowhere".into(),
        docker_host: None,
        stop_timeout: Duration::from_secs(30),
        task_cleanup_wait: Duration::from_secs(3 * 3600),
        starts_at_once: None,
        stopped_tasks_kept: 1000,
        least_task_cleanup_wait: Duration::from_secs(60),
        image_pull_behavior: ImagePullBehavior::default(),
        image_cleanup: None,
        registry_auth_file: None,
        reserved_memory_mib: 100,
        reserved_ports: DEFAULT_RESERVED_PORTS.to_vec(),
        reserved_ports_udp: vec![],
        attributes: vec![("stack".into(), "dev".into())],
        privileged_disabled: false,
        introspection_port: 0,
        task_metadata: TaskMetadata::Off,
        metrics_disabled: true,
        available_logging_drivers: vec!["json-file".into()],
    }
}

fn facts() -> Facts {
    Facts {
        docker_version: "20.10".into(),
        api_version: (1, 19),
        cpus: 2,
        memory_mib: 1000,
        architecture: "x86_64".into(),
        cgroup_driver: None,
        cgroup_version: None,
        volume_drivers: vec!["local".into()],
    }
}

fn request_of(config: &AgentConfig, facts: &Facts, arn: Option<&str>) -> Request {
    request(&Abilities { config, facts, limits_tasks: false }, arn)
}

type Request = ecs::RegisterContainerInstanceRequest;

#[test]
fn resources_are_the_hosts_less_what_is_reserved() {
    let resources = request_of(&config(), &facts(), None).total_resources.unwrap();
    assert_eq!(
        serde_json::to_string(&resources).unwrap(),
        r#"[{"name":"CPU","type":"INTEGER","integerValue":2048},{"name":"MEMORY","type":"INTEGER","integerValue":900},{"name":"PORTS","type":"STRINGSET","stringSetValue":["22","2375","2376","51678","51679"]},{"name":"PORTS_UDP","type":"STRINGSET","stringSetValue":[]}]"#
    );
}

fn names(request: &ecs::RegisterContainerInstanceRequest) -> Vec<&str> {
    let attributes = request.attributes.as_deref().unwrap();
    attributes.iter().map(|it| it.name.as_deref().unwrap()).collect()
}

#[test]
fn capabilities_are_those_of_the_engine_and_the_configuration() {
    let expect = [
        "stack",
        "com.amazonaws.ecs.capability.privileged-container",
        "com.amazonaws.ecs.capability.docker-remote-api.1.17",
        "com.amazonaws.ecs.capability.docker-remote-api.1.18",
        "com.amazonaws.ecs.capability.docker-remote-api.1.19",
        "com.amazonaws.ecs.capability.logging-driver.json-file",
        "ecs.capability.full-sync",
        "ecs.capability.container-ordering",
        "ecs.capability.container-restart-policy",
        "io.longshore.capability.registry-auth",
        "io.longshore.capability.task-resend",
        "ecs.capability.docker-plugin.local",
        "ecs.os-type",
        "ecs.os-family",
        "ecs.cpu-architecture",
    ];
    assert_eq!(names(&request_of(&config(), &facts(), None)), expect);
}

#[test]
fn registering_again_says_who_we_are_and_leaves_custom_attributes_to_the_control_plane() {
    let request = request_of(&config(), &facts(), Some("arn"));
    assert_eq!(request.container_instance_arn.as_deref(), Some("arn"));
    assert!(!names(&request).contains(&"stack"));
}

#[test]
fn registering_again_keeps_the_zone() {
    let zone = ("ecs.availability-zone".to_owned(), "one".to_owned());
    let config = AgentConfig { attributes: vec![zone], ..config() };
    let request = request_of(&config, &facts(), Some("arn"));
    assert_eq!(names(&request)[0], "ecs.availability-zone");
}

#[test]
fn privileged_containers_can_be_disabled() {
    let config = AgentConfig { privileged_disabled: true, ..config() };
    let request = request_of(&config, &facts(), None);
    assert!(!names(&request).iter().any(|it| it.contains("privileged")));
}

#[test]
fn an_instance_that_is_not_ours_any_more_is_told_from_other_errors() {
    let refused = |message: &str| CallError::Refused {
        status: StatusCode::BAD_REQUEST,
        error: ErrorBody::new("ClientException", message),
    };
    assert!(is_not_ours(&refused("Container instance ID is inactive.")));
    assert!(is_not_ours(&refused("The container instance was not found.")));
    assert!(!is_not_ours(&refused("Cluster not found.")));
    assert!(!is_not_ours(&refused("The referenced cluster was inactive.")));
    let denied = |message: &str| CallError::Refused {
        status: StatusCode::BAD_REQUEST,
        error: ErrorBody::new("AccessDeniedException", message),
    };
    assert!(is_not_ours(&denied("LSIK1 is the key of the agent of container instance 2.")));
    assert!(!is_not_ours(&denied("Plain text is spoken with this server's own machine alone.")));
    assert!(!is_not_ours(&CallError::NoAnswer("container instance inactive".into())));
}

#[test]
fn what_only_some_hosts_can_is_said_of_those_only() {
    let has = |limits_tasks: bool, minor: u32, name: &str| {
        let (config, facts) = (config(), Facts { api_version: (1, minor), ..facts() });
        let request = request(&Abilities { config: &config, facts: &facts, limits_tasks }, None);
        names(&request).contains(&name)
    };
    assert!(has(true, 24, "ecs.capability.task-cpu-mem-limit"));
    assert!(!has(false, 24, "ecs.capability.task-cpu-mem-limit"));
    assert!(has(true, 24, "ecs.capability.container-health-check"));
    assert!(!has(true, 23, "ecs.capability.container-health-check"));
}

#[test]
fn the_architecture_is_called_as_ecs_calls_it() {
    assert_eq!(architecture("aarch64"), "arm64");
    assert_eq!(architecture("x86_64"), "x86_64");
}
