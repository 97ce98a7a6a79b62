//! What a payload holds: every override merged, and all else in Docker's own JSON.

use expect_test::{Expect, expect};
use longshore_wire::Operation::{RegisterTaskDefinition, RunTask};
use longshore_wire::acs::{Container, Task};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

/// The task that an agent is told after this definition is run with these overrides.
async fn told(definition: Value, overrides: Value) -> Task {
    let roles = Machine {
        attributes: &[
            "ecs.capability.container-health-check",
            "ecs.capability.container-ordering",
            "ecs.capability.container-restart-policy",
            "ecs.capability.docker-plugin.local",
            "ecs.capability.pid-ipc-namespace-sharing",
            "ecs.capability.task-cpu-mem-limit",
        ],
        capabilities: &[
            "docker-remote-api.1.17",
            "docker-remote-api.1.18",
            "docker-remote-api.1.19",
            "docker-remote-api.1.20",
            "docker-remote-api.1.21",
            "docker-remote-api.1.22",
            "docker-remote-api.1.24",
            "docker-remote-api.1.25",
            "docker-remote-api.1.29",
            "logging-driver.json-file",
            "privileged-container",
            "selinux",
        ],
        ..Machine::default()
    };
    let mut fleet = Fleet::of(&[roles]).await;
    fleet.world.ask(RegisterTaskDefinition, definition).await;
    let body = json!({"taskDefinition": "f", "overrides": overrides});
    fleet.check(RunTask, body, "a").await;
    fleet.agent('a').task().await
}

/// One container with these members besides a name and an image.
async fn container(members: Value, entry: Value) -> Container {
    let mut main = json!({"name": "main", "image": "busybox", "memory": 300});
    main.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let definition = json!({"family": "f", "containerDefinitions": [main]});
    let told = told(definition, json!({"containerOverrides": [entry]})).await;
    let mut container = told.containers.into_iter().next().unwrap();
    // What it is is seen where a whole task is.
    assert!(container.container_arn.take().is_some_and(|it| it.contains(":container/default/")));
    container
}

#[track_caller]
fn check(value: &impl serde::Serialize, expected: Expect) {
    expected.assert_eq(&serde_json::to_string_pretty(value).unwrap());
}

#[tokio::test]
async fn overrides_are_merged_before_the_agent_hears_of_them() {
    let members = json!({
        "cpu": 100, "memory": 300, "memoryReservation": 128, "command": ["serve"],
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    });
    let entry = json!({
        "name": "main", "command": ["once"], "cpu": 256, "memory": 512,
        "environment": [{"name": "B", "value": "9"}, {"name": "C", "value": "3"}]
    });
    check(
        &container(members, entry).await,
        expect![[r#"
        {
          "name": "main",
          "image": "busybox",
          "command": [
            "once"
          ],
          "entryPoint": [],
          "cpu": 256,
          "memory": 512,
          "essential": true,
          "environment": {
            "A": "1",
            "B": "9",
            "C": "3"
          },
          "links": [],
          "portMappings": [],
          "mountPoints": [],
          "volumesFrom": [],
          "overrides": "{}",
          "dockerConfig": {
            "config": "{}",
            "hostConfig": "{\"MemoryReservation\":134217728}",
            "version": "1.21"
          }
        }"#]],
    );
}

#[tokio::test]
async fn what_is_not_set_is_left_to_the_image_and_to_docker() {
    check(
        &container(json!({}), json!({})).await,
        expect![[r#"
        {
          "name": "main",
          "image": "busybox",
          "command": [],
          "entryPoint": [],
          "cpu": 0,
          "memory": 300,
          "essential": true,
          "environment": {},
          "links": [],
          "portMappings": [],
          "mountPoints": [],
          "volumesFrom": [],
          "overrides": "{}",
          "dockerConfig": {
            "config": "{}",
            "hostConfig": "{}",
            "version": "1.17"
          }
        }"#]],
    );
}

#[tokio::test]
async fn an_overridden_reservation_reaches_docker() {
    let container = container(json!({}), json!({"name": "main", "memoryReservation": 64})).await;
    assert_eq!(container.memory, 300);
    let docker = container.docker_config.unwrap();
    assert_eq!(docker.host_config.as_deref(), Some(r#"{"MemoryReservation":67108864}"#));
    assert_eq!(docker.version.as_deref(), Some("1.21"));
}

#[tokio::test]
async fn an_overridden_hard_limit_of_zero_is_none() {
    let members = json!({"memoryReservation": 64});
    assert_eq!(container(members, json!({"name": "main", "memory": 0})).await.memory, 0);
}

#[tokio::test]
async fn every_member_of_a_definition_reaches_the_agent() {
    let main = json!({
        "name": "main", "image": "app:1.0", "memory": 64, "links": ["side:db"],
        "portMappings": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 53, "protocol": "udp"}],
        "entryPoint": ["/bin/sh", "-c"],
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": true}],
        "volumesFrom": [{"sourceContainer": "side"}],
        "hostname": "app", "user": "1000", "workingDirectory": "/srv", "disableNetworking": false,
        "privileged": true, "readonlyRootFilesystem": true,
        "dnsServers": ["10.0.0.2"], "dnsSearchDomains": ["example.com"],
        "extraHosts": [{"hostname": "db", "ipAddress": "10.0.0.9"}],
        "dockerSecurityOptions": ["label:disable"], "dockerLabels": {"team": "a"},
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
        "logConfiguration": {"logDriver": "json-file", "options": {"max-size": "10m"}}
    });
    let side = json!({"name": "side", "image": "busybox", "memory": 32, "essential": false});
    let definition = json!({
        "family": "f", "networkMode": "bridge",
        "volumes": [{"name": "scratch"}, {"name": "logs", "host": {"sourcePath": "/var/log"}}],
        "containerDefinitions": [main, side]
    });
    check(
        &told(definition, json!({})).await,
        expect![[r#"
            {
              "arn": "arn:aws:ecs:us-east-1:111122223333:task/default/015caac4247b00000000000000000003",
              "family": "f",
              "version": "1",
              "desiredStatus": "RUNNING",
              "containers": [
                {
                  "name": "main",
                  "image": "app:1.0",
                  "command": [],
                  "entryPoint": [
                    "/bin/sh",
                    "-c"
                  ],
                  "cpu": 0,
                  "memory": 64,
                  "essential": true,
                  "environment": {},
                  "links": [
                    "side:db"
                  ],
                  "portMappings": [
                    {
                      "containerPort": 80,
                      "hostPort": 8080,
                      "protocol": "tcp"
                    },
                    {
                      "containerPort": 53,
                      "hostPort": 0,
                      "protocol": "udp"
                    }
                  ],
                  "mountPoints": [
                    {
                      "sourceVolume": "scratch",
                      "containerPath": "/scratch",
                      "readOnly": true
                    }
                  ],
                  "volumesFrom": [
                    {
                      "sourceContainer": "side",
                      "readOnly": false
                    }
                  ],
                  "overrides": "{}",
                  "dockerConfig": {
                    "config": "{\"Hostname\":\"app\",\"Labels\":{\"team\":\"a\"},\"NetworkDisabled\":false,\"User\":\"1000\",\"WorkingDir\":\"/srv\"}",
                    "hostConfig": "{\"Dns\":[\"10.0.0.2\"],\"DnsSearch\":[\"example.com\"],\"ExtraHosts\":[\"db:10.0.0.9\"],\"LogConfig\":{\"Config\":{\"max-size\":\"10m\"},\"Type\":\"json-file\"},\"NetworkMode\":\"bridge\",\"Privileged\":true,\"ReadonlyRootfs\":true,\"SecurityOpt\":[\"label:disable\"],\"Ulimits\":[{\"Hard\":4096,\"Name\":\"nofile\",\"Soft\":1024}]}",
                    "version": "1.19"
                  },
                  "containerArn": "arn:aws:ecs:us-east-1:111122223333:container/default/015caac4247b00000000000000000003/015caac4-247b-0000-0000-000000000004",
                  "secretLogOptions": []
                },
                {
                  "name": "side",
                  "image": "busybox",
                  "command": [],
                  "entryPoint": [],
                  "cpu": 0,
                  "memory": 32,
                  "essential": false,
                  "environment": {},
                  "links": [],
                  "portMappings": [],
                  "mountPoints": [],
                  "volumesFrom": [],
                  "overrides": "{}",
                  "dockerConfig": {
                    "config": "{}",
                    "hostConfig": "{\"NetworkMode\":\"bridge\"}",
                    "version": "1.17"
                  },
                  "containerArn": "arn:aws:ecs:us-east-1:111122223333:container/default/015caac4247b00000000000000000003/015caac4-247b-0000-0000-000000000005"
                }
              ],
              "volumes": [
                {
                  "name": "scratch",
                  "host": {}
                },
                {
                  "name": "logs",
                  "host": {
                    "sourcePath": "/var/log"
                  }
                }
              ],
              "overrides": "{}",
              "launchType": "EC2"
            }"#]],
    );
}

#[tokio::test]
async fn a_payload_says_whose_it_is() {
    let mut fleet = Fleet::of(&[Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    let task = fleet.start("job", "a").await.remove(0);
    let payload = fleet.agent('a').payload().await;
    assert_eq!(payload.cluster_arn, "arn:aws:ecs:us-east-1:111122223333:cluster/default");
    assert_eq!(payload.container_instance_arn, fleet.arn('a'));
    let (number, millis) = (1_497_513_600_123_000, 1_497_513_600_123);
    assert_eq!((payload.seq_num, payload.generated_at), (number, millis));
    assert!(!payload.message_id.is_empty());
    assert_eq!(payload.tasks[0].arn, task);
}

/// The member of the container's `HostConfig`, or of its `Config`, after this definition is run.
async fn docker(members: Value, member: &str) -> Value {
    let docker = container(members, json!({})).await.docker_config.unwrap();
    let read = |text: Option<String>| -> Value { serde_json::from_str(&text.unwrap()).unwrap() };
    let (config, host_config) = (read(docker.config), read(docker.host_config));
    config.get(member).or(host_config.get(member)).cloned().unwrap_or_default()
}

#[tokio::test]
async fn members_of_today_reach_docker_in_its_own_words() {
    let linux = |parameters: Value| json!({"linuxParameters": parameters});
    let health = json!({"healthCheck": {"command": ["CMD-SHELL", "true"]}});
    let devices = json!({"devices": [
        {"hostPath": "/dev/zero"},
        {"hostPath": "/dev/null", "containerPath": "/dev/nil", "permissions": ["read", "mknod"]}
    ]});
    let tmpfs = json!({"tmpfs": [
        {"containerPath": "/a", "size": 1},
        {"containerPath": "/b", "size": 2, "mountOptions": ["noexec", "mode=700"]}
    ]});
    let controls = json!([{"namespace": "net.core.somaxconn", "value": "512"}]);
    for (members, member, expected) in [
        (
            health,
            "Healthcheck",
            json!({
                "Test": ["CMD-SHELL", "true"], "Interval": 30_000_000_000_u64,
                "Timeout": 5_000_000_000_u64, "Retries": 3
            }),
        ),
        (json!({"pseudoTerminal": true}), "Tty", json!(true)),
        (json!({"interactive": true}), "OpenStdin", json!(true)),
        (linux(json!({"capabilities": {"add": ["CHOWN"]}})), "CapAdd", json!(["CHOWN"])),
        (linux(json!({"capabilities": {"drop": ["ALL"]}})), "CapDrop", json!(["ALL"])),
        (
            linux(devices),
            "Devices",
            json!([
                {
                    "PathOnHost": "/dev/zero", "PathInContainer": "/dev/zero",
                    "CgroupPermissions": "rwm"
                },
                {
                    "PathOnHost": "/dev/null", "PathInContainer": "/dev/nil",
                    "CgroupPermissions": "rm"
                }
            ]),
        ),
        (linux(json!({"initProcessEnabled": true})), "Init", json!(true)),
        (linux(json!({"sharedMemorySize": 8})), "ShmSize", json!(8 << 20)),
        (
            linux(tmpfs),
            "Tmpfs",
            json!({"/a": "size=1048576", "/b": "size=2097152,noexec,mode=700"}),
        ),
        (linux(json!({"maxSwap": 100})), "MemorySwap", json!(400 << 20)),
        (linux(json!({"maxSwap": 0, "swappiness": 7})), "MemorySwappiness", json!(7)),
        (json!({"systemControls": controls}), "Sysctls", json!({"net.core.somaxconn": "512"})),
    ] {
        assert_eq!(docker(members, member).await, expected, "{member}");
    }
}

#[tokio::test]
async fn an_overridden_limit_leaves_room_for_the_same_swap() {
    let members = json!({"linuxParameters": {"maxSwap": 100}});
    let container = container(members, json!({"name": "main", "memory": 500})).await;
    let docker = container.docker_config.unwrap();
    assert_eq!(docker.host_config.as_deref(), Some(r#"{"MemorySwap":629145600}"#));
}

#[tokio::test]
async fn members_of_today_reach_the_agent() {
    let definition = json!({
        "family": "f", "cpu": "0.5 vCPU", "memory": "512", "pidMode": "task", "ipcMode": "host",
        "volumes": [{"name": "cache", "dockerVolumeConfiguration": {"scope": "shared"}}],
        "containerDefinitions": [
            {
                "name": "main", "image": "busybox", "stopTimeout": 5, "startTimeout": 30,
                "dependsOn": [{"containerName": "side", "condition": "HEALTHY"}],
                "restartPolicy": {"enabled": true, "ignoredExitCodes": [3]}
            },
            {
                "name": "side", "image": "busybox", "essential": false,
                "healthCheck": {"command": ["CMD", "true"], "startPeriod": 1}
            }
        ]
    });
    let task = told(definition, json!({})).await;
    let host_config = task.containers[0].docker_config.clone().unwrap().host_config;
    assert_eq!(host_config.as_deref(), Some(r#"{"IpcMode":"host"}"#));
    let seen = json!({
        "cpu": task.cpu, "memory": task.memory, "pidMode": task.pid_mode, "ipcMode": task.ipc_mode,
        "volumes": task.volumes,
        "main": {
            "memory": task.containers[0].memory,
            "dependsOn": task.containers[0].depends_on,
            "startTimeout": task.containers[0].start_timeout,
            "stopTimeout": task.containers[0].stop_timeout,
            "restartPolicy": task.containers[0].restart_policy,
        },
        "side": {
            "healthCheckType": task.containers[1].health_check_type,
            "version": task.containers[1].docker_config.clone().unwrap().version,
        },
    });
    check(
        &seen,
        expect![[r#"
            {
              "cpu": 0.5,
              "ipcMode": null,
              "main": {
                "dependsOn": [
                  {
                    "condition": "HEALTHY",
                    "containerName": "side"
                  }
                ],
                "memory": 0,
                "restartPolicy": {
                  "enabled": true,
                  "ignoredExitCodes": [
                    3
                  ],
                  "restartAttemptPeriod": 300
                },
                "startTimeout": 30,
                "stopTimeout": 5
              },
              "memory": 512,
              "pidMode": "task",
              "side": {
                "healthCheckType": "docker",
                "version": "1.29"
              },
              "volumes": [
                {
                  "dockerVolumeConfiguration": {
                    "autoprovision": false,
                    "driver": "local",
                    "scope": "shared"
                  },
                  "name": "cache",
                  "type": "docker"
                }
              ]
            }"#]],
    );
}
