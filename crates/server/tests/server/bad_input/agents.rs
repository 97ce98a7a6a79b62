//! What agents call: every bad input is a ClientException.

use longshore_wire::Operation::{
    DiscoverPollEndpoint, RegisterContainerInstance, RunTask, SubmitContainerStateChange,
    SubmitTaskStateChange,
};
use serde_json::{Value, json};

use super::{CLIENT, SERIALIZATION, check, check_accepted, with, world};
use crate::harness::Machine;

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

fn machine() -> Value {
    Machine::default().registration()
}

#[tokio::test]
async fn an_instance_registers_into_a_cluster_that_is_there() {
    check(
        &world().await,
        RegisterContainerInstance,
        &[
            (with(machine(), json!({"cluster": "elsewhere"})), CLIENT, "Cluster not found."),
            (
                with(machine(), json!({"cluster": "gone"})),
                CLIENT,
                "The referenced cluster was inactive.",
            ),
            (
                with(machine(), json!({"cluster": "no blanks"})),
                CLIENT,
                r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was no blanks",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_instance_that_comes_back_must_be_known() {
    let world = world().await;
    let again = |arn: &str| with(machine(), json!({"containerInstanceArn": arn}));
    let deregistered = world.register(&Machine::default()).await;
    world.deregister(&deregistered).await;
    let other = format!("arn:aws:ecs:us-east-1:111122223333:container-instance/batch/{NOBODY}");
    check(
        &world,
        RegisterContainerInstance,
        &[
            (again(&deregistered), CLIENT, "Container instance ID is inactive."),
            (again(NOBODY), CLIENT, "Container instance not found."),
            (again("nonsense"), CLIENT, "Container Instance Identifier is invalid"),
            (
                again(&other),
                CLIENT,
                "Invalid identifier: Identifier is for cluster batch. Your cluster is default",
            ),
        ],
    )
    .await;
    check_accepted(&world, RegisterContainerInstance, &[again("")]).await;
}

#[tokio::test]
async fn an_instance_of_ec2_keeps_its_type() {
    let world = world().await;
    let of_type = |kind: &str| {
        let document = json!({"instanceId": "i-1", "instanceType": kind}).to_string();
        with(machine(), json!({"instanceIdentityDocument": document}))
    };
    let first = world.ask(RegisterContainerInstance, of_type("t2.micro")).await;
    let arn = json!({"containerInstanceArn": first["containerInstance"]["containerInstanceArn"]});
    check(&world, RegisterContainerInstance, &[(
        with(of_type("m4.large"), arn.clone()),
        CLIENT,
        "Container instance type changes are not supported. Container instance ID was previously registered as t2.micro.",
    )])
    .await;
    check_accepted(&world, RegisterContainerInstance, &[with(of_type("t2.micro"), arn)]).await;
}

#[tokio::test]
async fn a_machine_of_ones_own_may_be_called_something_else() {
    let world = world().await;
    let of_type = |kind: &str| {
        with(machine(), json!({"attributes": [{"name": "ecs.instance-type", "value": kind}]}))
    };
    let first = world.ask(RegisterContainerInstance, of_type("2cpu.24gib")).await;
    let arn = json!({"containerInstanceArn": first["containerInstance"]["containerInstanceArn"]});
    let again = world.ask(RegisterContainerInstance, with(of_type("2cpu.32gib"), arn)).await;
    let attributes = again["containerInstance"]["attributes"].as_array().unwrap();
    let kind = attributes.iter().find(|it| it["name"] == "ecs.instance-type").unwrap();
    assert_eq!(kind["value"], "2cpu.32gib");
}

#[tokio::test]
async fn an_instance_has_cpu_and_memory() {
    let resources = |list: Value| with(machine(), json!({"totalResources": list}));
    let cpu = json!({"name": "CPU", "type": "INTEGER", "integerValue": 1024});
    let memory = |mib: i64| json!({"name": "MEMORY", "type": "INTEGER", "integerValue": mib});
    let ports =
        |port: &str| json!({"name": "PORTS", "type": "STRINGSET", "stringSetValue": [port]});
    let world = world().await;
    check(
        &world,
        RegisterContainerInstance,
        &[
            (resources(json!([])), CLIENT, "totalResources: CPU can not be blank."),
            (resources(json!([cpu])), CLIENT, "totalResources: MEMORY can not be blank."),
            (
                resources(json!([cpu, memory(-1)])),
                CLIENT,
                "totalResources: MEMORY must be at least 0",
            ),
            (
                resources(json!([cpu, memory(1), ports("70000")])),
                CLIENT,
                "totalResources: PORTS holds '70000', which is no port",
            ),
            (
                resources(json!([with(cpu.clone(), json!({"type": "DOUBLE"})), memory(1)])),
                CLIENT,
                "totalResources: CPU must be of type INTEGER.",
            ),
            (
                resources(json!([cpu, memory(1), with(ports("1"), json!({"type": "INTEGER"}))])),
                CLIENT,
                "totalResources: PORTS must be of type STRINGSET.",
            ),
            (
                resources(json!([cpu, memory(1 << 40)])),
                SERIALIZATION,
                "NUMBER_VALUE cannot be converted to Integer (at totalResources[1].integerValue)",
            ),
        ],
    )
    .await;
    check_accepted(&world, RegisterContainerInstance, &[resources(json!([cpu, memory(0)]))]).await;
}

#[tokio::test]
async fn an_instance_has_no_attributes_of_others() {
    let world = world().await;
    for member in ["targetType", "targetId"] {
        let attributes = json!([{"name": "a"}, {"name": "b", member: "container-instance"}]);
        let body = with(machine(), json!({"attributes": attributes}));
        check(
            &world,
            RegisterContainerInstance,
            &[(
                body,
                CLIENT,
                "attributes: an instance registers its own. Leave 'targetType' and 'targetId' out.",
            )],
        )
        .await;
    }
}

/// An agent repeats for ever what is refused, and what makes no sense never will.
#[tokio::test]
async fn what_makes_no_sense_in_a_report_is_left_out_of_it() {
    let world = world().await;
    let agent = world.join(&Machine::default()).await;
    let ran = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = &ran["tasks"][0]["taskArn"];
    let report = |members: Value| with(json!({"cluster": "default", "task": task}), members);
    let before = world.task(task.as_str().unwrap()).await;
    let nonsense = [
        report(json!({})),
        report(json!({"status": null})),
        report(json!({"status": "DEAD", "containerName": "main"})),
        report(json!({"status": 7, "containerName": ["main"]})),
        report(json!({"containers": vec![7; 1000]})),
    ];
    check_accepted(&world, SubmitTaskStateChange, &nonsense).await;
    check_accepted(&world, SubmitContainerStateChange, &nonsense).await;
    assert_eq!(world.task(task.as_str().unwrap()).await, before);
    let containers = json!([
        {"containerName": "main", "status": "MANIFEST_PULLED"},
        {"containerName": "main", "status": "STOPPED", "exitCode": 3_221_225_786_u32},
        "main"
    ]);
    let partly = report(json!({
        "status": "STOPPED", "pullStartedAt": 1e300, "executionStoppedAt": 1_795_455_959,
        "containers": containers,
    }));
    check_accepted(&world, SubmitTaskStateChange, &[partly]).await;
    let after = world.task(task.as_str().unwrap()).await;
    assert_eq!(after["lastStatus"], "STOPPED");
    assert_eq!(after["executionStoppedAt"], 1_795_455_959.0);
    assert_eq!(after.get("pullStartedAt"), None);
    drop(agent);
}

/// What is cut on its way may come whole next time.
#[tokio::test]
async fn a_report_that_is_no_json_object_is_refused() {
    let world = world().await;
    for operation in [SubmitTaskStateChange, SubmitContainerStateChange] {
        for body in [r#"{"task": "x", "stat"#, "[]", "7"] {
            let (status, name, _) = world.call_raw(operation, body).await.refusal();
            assert_eq!((status, name.as_str()), (400, "SerializationException"));
        }
    }
}

/// An agent repeats for ever what is refused, so a report about nothing we know is taken.
#[tokio::test]
async fn a_report_about_nothing_known_is_acknowledged_and_changes_nothing() {
    let world = world().await;
    let before = world.state().revision();
    let report = |members: Value| with(json!({"status": "STOPPED"}), members);
    let reports = [
        report(json!({})),
        report(json!({"task": NOBODY})),
        report(json!({"task": "nonsense", "cluster": "default"})),
        report(json!({"task": NOBODY, "cluster": "elsewhere"})),
        report(json!({"task": NOBODY, "cluster": "no blanks"})),
    ];
    check_accepted(&world, SubmitTaskStateChange, &reports).await;
    check_accepted(&world, SubmitContainerStateChange, &reports).await;
    assert_eq!(world.state().revision(), before);
}

/// Agents of later years report more than we know of.
#[tokio::test]
async fn members_that_are_not_known_do_not_spoil_a_report() {
    let world = world().await;
    let agent = world.join(&Machine::default()).await;
    let ran = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = &ran["tasks"][0]["taskArn"];
    let body = json!({
        "cluster": "default", "task": task, "status": "RUNNING", "containerName": "main",
        "attachments": [{"attachmentArn": "arn", "status": "ATTACHED"}],
        "managedAgents": [{"containerName": "main", "managedAgentName": "ExecuteCommandAgent"}]
    });
    check_accepted(&world, SubmitTaskStateChange, std::slice::from_ref(&body)).await;
    check_accepted(&world, SubmitContainerStateChange, &[body]).await;
    let task = world.task(task.as_str().unwrap()).await;
    assert_eq!(task["lastStatus"], "RUNNING");
    assert_eq!(task["containers"][0]["lastStatus"], "RUNNING");
    check_accepted(&world, DiscoverPollEndpoint, &[json!({"neverHeardOf": true})]).await;
    let devices = json!({"platformDevices": [{"id": "GPU-1", "type": "GPU"}]});
    check_accepted(&world, RegisterContainerInstance, &[with(machine(), devices)]).await;
    drop(agent);
}

#[tokio::test]
async fn any_agent_may_ask_where_the_socket_is() {
    let bodies = [json!({}), json!({"cluster": "elsewhere", "containerInstance": "nonsense"})];
    check_accepted(&world().await, DiscoverPollEndpoint, &bodies).await;
}
