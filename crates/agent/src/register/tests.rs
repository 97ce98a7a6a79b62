use std::time::Duration;

use http::StatusCode;
use longshore_client::{Credentials, Signer, Trust};
use longshore_wire::ErrorBody;

use super::*;
use crate::config::{DEFAULT_RESERVED_PORTS, ImagePullBehavior, TaskMetadata};

pub(super) fn config() -> AgentConfig {
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
        available_logging_drivers: None,
    }
}

pub(super) fn facts() -> Facts {
    Facts {
        docker_version: "20.10".into(),
        api_version: (1, 19),
        cpus: 2,
        memory_mib: 1000,
        architecture: "x86_64".into(),
        cgroup_driver: None,
        cgroup_version: None,
        volume_drivers: vec!["local".into()],
        log_drivers: ["awslogs", "gcplogs", "json-file", "syslog"].map(Into::into).to_vec(),
        security_modules: vec!["apparmor".into(), "seccomp".into()],
        host_name: "shed-1".into(),
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

#[test]
fn registering_again_says_who_we_are() {
    let request = request_of(&config(), &facts(), Some("arn"));
    assert_eq!(request.container_instance_arn.as_deref(), Some("arn"));
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
