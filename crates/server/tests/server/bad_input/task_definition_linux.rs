//! RegisterTaskDefinition: what the kernel gives containers, and the namespaces that they share.

use longshore_wire::Operation::RegisterTaskDefinition;
use serde_json::{Value, json};

use super::{CLIENT, check, check_accepted, with, world};

/// A definition of one container with these members besides a name, an image and its memory.
fn container(members: Value) -> Value {
    let main = with(json!({"name": "main", "image": "busybox", "memory": 64}), members);
    json!({"family": "f", "containerDefinitions": [main]})
}

fn linux(parameters: Value) -> Value {
    container(json!({"linuxParameters": parameters}))
}

fn invalid(member: &str, rule: &str) -> String {
    format!("Invalid '{member}' setting for container 'main'. {rule}")
}

async fn check_linux(rows: &[(Value, &str, &str)]) {
    let world = world().await;
    for (parameters, member, rule) in rows {
        let message = invalid(member, rule);
        let row = (linux(parameters.clone()), CLIENT, message.as_str());
        check(&world, RegisterTaskDefinition, &[row]).await;
    }
}

#[tokio::test]
async fn capabilities_have_names() {
    const ADD: &str = "capabilities.add";
    check_linux(&[
        (
            json!({"capabilities": {"add": ["NET_ADMIN", "CAP_CHOWN"]}}),
            ADD,
            "'CAP_CHOWN' is not the name of a Linux capability.",
        ),
        (json!({"capabilities": {"add": [""]}}), ADD, "'' is not the name of a Linux capability."),
        (
            json!({"capabilities": {"drop": ["chown"]}}),
            "capabilities.drop",
            "'chown' is not the name of a Linux capability.",
        ),
    ])
    .await;
    let both = json!({"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}});
    check_accepted(&world().await, RegisterTaskDefinition, &[linux(both)]).await;
}

#[tokio::test]
async fn devices_have_paths_and_permissions() {
    let devices = |device: Value| json!({"devices": [device]});
    const PATH: &str = "It must be an absolute path.";
    check_linux(&[
        (devices(json!({})), "devices.hostPath", "It must be there."),
        (devices(json!({"hostPath": "dev/null"})), "devices.hostPath", PATH),
        (
            devices(json!({"hostPath": "/dev/null", "containerPath": "null"})),
            "devices.containerPath",
            PATH,
        ),
        (
            devices(json!({"hostPath": "/dev/null", "permissions": ["rw"]})),
            "devices.permissions",
            "They must be of [read,write,mknod].",
        ),
    ])
    .await;
    let bodies = [
        linux(devices(json!({"hostPath": "/dev/null"}))),
        linux(devices(json!({"hostPath": "/dev/null", "permissions": ["read", "mknod"]}))),
    ];
    check_accepted(&world().await, RegisterTaskDefinition, &bodies).await;
}

#[tokio::test]
async fn file_systems_in_memory_have_a_path_a_size_and_options_that_mount_knows() {
    let tmpfs = |tmpfs: Value| json!({"tmpfs": [tmpfs]});
    let options =
        |option: &str| tmpfs(json!({"containerPath": "/t", "size": 1, "mountOptions": [option]}));
    const PATH: &str = "It must be an absolute path.";
    const UNKNOWN: &str = "is not an option that ECS knows.";
    let unknown = |option: &str| format!("'{option}' {UNKNOWN}");
    check_linux(&[
        (tmpfs(json!({"size": 1})), "tmpfs.containerPath", "It must be there."),
        (tmpfs(json!({"containerPath": "t", "size": 1})), "tmpfs.containerPath", PATH),
        (tmpfs(json!({"containerPath": "/t:ro", "size": 1})), "tmpfs.containerPath", PATH),
        (tmpfs(json!({"containerPath": "/t"})), "tmpfs.size", "It must be there."),
        (
            tmpfs(json!({"containerPath": "/t", "size": 0})),
            "tmpfs.size",
            "It must be at least 1 MiB.",
        ),
        (options("sloppy"), "tmpfs.mountOptions", &unknown("sloppy")),
        (options("size=1k"), "tmpfs.mountOptions", &unknown("size=1k")),
        (options("mode"), "tmpfs.mountOptions", &unknown("mode")),
        (options("mode="), "tmpfs.mountOptions", &unknown("mode=")),
        (options("mode=755,size=1"), "tmpfs.mountOptions", &unknown("mode=755,size=1")),
    ])
    .await;
    let bodies = [linux(options("noexec")), linux(options("mode=755"))];
    check_accepted(&world().await, RegisterTaskDefinition, &bodies).await;
}

#[tokio::test]
async fn swap_stands_beside_a_hard_limit_and_swappiness_beside_swap() {
    check_linux(&[
        (json!({"maxSwap": 64, "swappiness": 101}), "swappiness", "It must be 0 to 100."),
        (json!({"maxSwap": 64, "swappiness": -1}), "swappiness", "It must be 0 to 100."),
        (json!({"swappiness": 60}), "swappiness", "It needs a 'maxSwap' setting."),
        (json!({"sharedMemorySize": 0}), "sharedMemorySize", "It must be at least 1 MiB."),
    ])
    .await;
    let world = world().await;
    let soft = |linux: Value| {
        container(json!({"memory": null, "memoryReservation": 64, "linuxParameters": linux}))
    };
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (
                linux(json!({"maxSwap": -1})),
                CLIENT,
                "Invalid 'maxSwap' setting for container 'main'.",
            ),
            (
                soft(json!({"maxSwap": 0})),
                CLIENT,
                &invalid("maxSwap", "It needs a 'memory' setting."),
            ),
        ],
    )
    .await;
    let bodies = [
        linux(json!({"maxSwap": 0})),
        linux(json!({"maxSwap": 64, "swappiness": 0, "sharedMemorySize": 1})),
        linux(json!({})),
    ];
    check_accepted(&world, RegisterTaskDefinition, &bodies).await;
}

fn controls(list: Value) -> Value {
    container(json!({"systemControls": list}))
}

fn control(namespace: &str) -> Value {
    json!({"namespace": namespace, "value": "1"})
}

#[tokio::test]
async fn system_controls_are_those_of_namespaces() {
    const NAMESPACE: &str = "The namespace must be one of net.*, fs.mqueue.*, kernel.msgmax, kernel.msgmnb, kernel.msgmni, kernel.sem, kernel.shm_rmid_forced, kernel.shmall, kernel.shmmax, kernel.shmmni.";
    const MEMBER: &str = "systemControls";
    let world = world().await;
    let twice = json!([control("net.core.somaxconn"), control("net.core.somaxconn")]);
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (controls(json!([control("vm.swappiness")])), CLIENT, &invalid(MEMBER, NAMESPACE)),
            (controls(json!([control("kernel.panic")])), CLIENT, &invalid(MEMBER, NAMESPACE)),
            (
                controls(json!([{"value": "1"}])),
                CLIENT,
                &invalid(MEMBER, "The namespace must be there."),
            ),
            (
                controls(json!([{"namespace": "net.core.somaxconn"}])),
                CLIENT,
                &invalid(MEMBER, "The value must be there."),
            ),
            (controls(twice), CLIENT, "System control 'net.core.somaxconn' is set more than once."),
            (
                with(
                    controls(json!([control("net.core.somaxconn")])),
                    json!({"networkMode": "host"}),
                ),
                CLIENT,
                &invalid(MEMBER, "It is not supported when networkMode=host."),
            ),
            (
                with(controls(json!([control("kernel.shmmax")])), json!({"ipcMode": "host"})),
                CLIENT,
                &invalid(MEMBER, "It is not supported when ipcMode=host."),
            ),
        ],
    )
    .await;
    check_accepted(
        &world,
        RegisterTaskDefinition,
        &[
            controls(json!([control("net.core.somaxconn"), control("kernel.shmmax")])),
            with(controls(json!([control("fs.mqueue.msg_max")])), json!({"networkMode": "host"})),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_containers_share_is_set_once() {
    let share = |mode: &str| json!({"ipcMode": mode, "pidMode": "task"});
    let side = json!({
        "name": "side", "image": "busybox", "memory": 64, "essential": false,
        "systemControls": [control("kernel.shmmax")]
    });
    let both = |mode: &str| {
        let mut body = with(controls(json!([control("kernel.shmmax")])), share(mode));
        body["containerDefinitions"].as_array_mut().unwrap().push(side.clone());
        body
    };
    let memory = |mode: &str| with(linux(json!({"sharedMemorySize": 64})), share(mode));
    let modes = |modes: Value| with(container(json!({})), modes);
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (both("task"), CLIENT, "System control 'kernel.shmmax' is set more than once."),
            (
                memory("none"),
                CLIENT,
                &invalid("sharedMemorySize", "It is not supported when ipcMode=none."),
            ),
            (
                memory("host"),
                CLIENT,
                &invalid("sharedMemorySize", "It is not supported when ipcMode=host."),
            ),
            (modes(json!({"pidMode": "none"})), CLIENT, "PID mode should be one of [host,task]"),
            (
                modes(json!({"ipcMode": "shareable"})),
                CLIENT,
                "IPC mode should be one of [host,task,none]",
            ),
        ],
    )
    .await;
    check_accepted(
        &world,
        RegisterTaskDefinition,
        &[both(""), modes(share("host")), modes(json!({"pidMode": "", "ipcMode": ""}))],
    )
    .await;
}
