//! What a container definition says, seen in the container.

use serde_json::{Value, json};

use crate::support::World;

#[track_caller]
fn assert_holds(container: &Value, expect: Value) {
    for (pointer, value) in expect.as_object().unwrap() {
        assert_eq!(container.pointer(pointer), Some(value), "{pointer}");
    }
}

#[tokio::test]
async fn every_member_reaches_docker() {
    let world = World::begin().await;
    let config = json!({
        "Hostname": "berth", "User": "1000", "WorkingDir": "/tmp", "NetworkDisabled": false,
        "Labels": {"team": "docks"},
    });
    let host_config = json!({
        "MemoryReservation": 33554432, "NetworkMode": "bridge", "Privileged": true,
        "ReadonlyRootfs": true, "Dns": ["10.0.0.1"], "DnsSearch": ["example.test"],
        "ExtraHosts": ["crane:10.0.0.2"], "SecurityOpt": ["no-new-privileges"],
        "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
    });
    let task = world.run(json!([{
        "command": ["wait"], "entryPoint": ["/guest"], "cpu": 10, "memory": 64,
        "environment": {"A": "1", "B": "two words"},
        "portMappings": [{"containerPort": 80, "hostPort": 0}],
        "dockerConfig": {"config": config.to_string(), "hostConfig": host_config.to_string(),
                         "version": "1.21"},
    }]));
    world.wait(&task, "RUNNING").await;
    let container = json!(world.container(&task).await);
    assert_holds(
        &container,
        json!({
            "/Config/Cmd": ["wait"], "/Config/Entrypoint": ["/guest"],
            "/Config/Hostname": "berth", "/Config/User": "1000", "/Config/WorkingDir": "/tmp",
            "/Config/Labels/team": "docks",
            "/HostConfig/CpuShares": 10, "/HostConfig/Memory": 67108864,
            "/HostConfig/MemoryReservation": 33554432, "/HostConfig/NetworkMode": "bridge",
            "/HostConfig/Privileged": true, "/HostConfig/ReadonlyRootfs": true,
            "/HostConfig/Dns": ["10.0.0.1"], "/HostConfig/DnsSearch": ["example.test"],
            "/HostConfig/ExtraHosts": ["crane:10.0.0.2"],
            "/HostConfig/Ulimits/0": {"Name": "nofile", "Soft": 100, "Hard": 200},
            "/HostConfig/LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        }),
    );
    let env = container["Config"]["Env"].as_array().unwrap();
    assert!(env.contains(&json!("A=1")) && env.contains(&json!("B=two words")));
    let options = container["HostConfig"]["SecurityOpt"].as_array().unwrap();
    assert!(options.contains(&json!("no-new-privileges")));
    world.end().await;
}

#[tokio::test]
async fn nothing_said_is_dockers_default() {
    let world = World::begin().await;
    let task = world.run(json!([{}]));
    world.wait(&task, "RUNNING").await;
    let container = json!(world.container(&task).await);
    assert_holds(
        &container,
        json!({"/HostConfig/CpuShares": 2, "/HostConfig/Memory": 0,
               "/HostConfig/Privileged": false, "/HostConfig/LogConfig/Type": "json-file"}),
    );
    world.end().await;
}

#[tokio::test]
async fn the_environment_and_the_command_reach_the_program() {
    let world = World::begin().await;
    let container = json!({"command": ["env", "A", "x=y z"], "environment": {"A": "x=y z"}});
    assert_eq!(world.run_to_the_end(container).await["exitCode"], 0);
    world.end().await;
}

#[tokio::test]
async fn a_link_is_a_name_inside_the_container() {
    let world = World::begin().await;
    let task = world.run(json!([
        {"name": "web", "command": ["finds", "store"], "links": ["db:store"]},
        {"name": "db", "command": ["wait"]},
    ]));
    world.wait(&task, "STOPPED").await;
    let history = world.history(&task).join("\n");
    assert!(history.contains("web=STOPPED(0)"), "{history}");
    world.end().await;
}

#[tokio::test]
async fn containers_share_a_docker_volume_a_host_path_and_each_others_volumes() {
    let world = World::begin().await;
    let host_path = world.dir.path().join("shared");
    let volumes = json!([
        {"name": "scratch", "host": {}},
        {"name": "host", "host": {"sourcePath": host_path.to_str().unwrap()}},
    ]);
    let mounts = json!([
        {"sourceVolume": "scratch", "containerPath": "/scratch"},
        {"sourceVolume": "host", "containerPath": "/host"},
    ]);
    // The reader starts after the writer runs, thanks to the link.
    let run = |path: &str| {
        world.run_with(json!({"volumes": volumes, "containers": [
            {"name": "writer", "command": ["write", path], "mountPoints": mounts},
            {"name": "reader", "command": ["waits-for", path], "links": ["writer"],
             "volumesFrom": [{"sourceContainer": "writer", "readOnly": true}]},
        ]}))
    };
    for path in ["/scratch/mark", "/host/mark"] {
        let task = run(path);
        world.wait(&task, "STOPPED").await;
        let history = world.history(&task).join("\n");
        assert!(history.contains("reader=STOPPED(0)"), "{path}: {history}");
    }
    assert!(host_path.join("mark").exists(), "the host's path outlives the task");
    world.end().await;
}

#[tokio::test]
async fn a_read_only_mount_takes_no_writes() {
    let world = World::begin().await;
    let task = world.run_with(json!({
        "volumes": [{"name": "v", "host": {}}],
        "containers": [{
            "command": ["write", "/v/x"],
            "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": true}],
        }],
    }));
    let report = world.wait(&task, "STOPPED").await;
    assert_eq!(report["containers"][0]["exitCode"], 101);
    world.end().await;
}
