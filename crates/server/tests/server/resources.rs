//! What tasks take of an instance, as DescribeContainerInstances shows it, and when it comes back.

use longshore_wire::Operation::{
    DescribeClusters, RegisterTaskDefinition, RunTask, StopTask, SubmitTaskStateChange,
};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

async fn fleet() -> Fleet {
    let fleet = Fleet::of(&[Machine { cpu: 2048, memory: 4000, ..Machine::default() }]).await;
    let both = json!({"cpu": 100, "memory": 300, "memoryReservation": 128});
    fleet.world.define("both", both).await;
    fleet.world.define("hard", json!({"cpu": 10, "memory": 500})).await;
    fleet
}

/// What one task of the definition with these overrides takes of CPU and memory.
async fn taken(fleet: &Fleet, definition: &str, entry: Value) -> (i64, i64) {
    let before = fleet.remaining('a').await;
    let overrides = json!({"containerOverrides": [entry]});
    let body = json!({"taskDefinition": definition, "overrides": overrides});
    let answer = fleet.check(RunTask, body, "a").await;
    let after = fleet.remaining('a').await;
    fleet.world.report(answer["tasks"][0]["taskArn"].as_str().unwrap(), "STOPPED").await;
    assert_eq!(fleet.remaining('a').await, before, "all of it comes back");
    (before.0 - after.0, before.1 - after.1)
}

#[tokio::test]
async fn a_task_takes_what_is_overridden_and_the_reservation_counts_before_the_limit() {
    let fleet = fleet().await;
    for (definition, entry, expected) in [
        ("both", json!({}), (100, 128)),
        ("both", json!({"name": "main", "cpu": 256, "memory": 512}), (256, 128)),
        ("both", json!({"name": "main", "memoryReservation": 200}), (100, 200)),
        ("both", json!({"name": "main", "memory": 4000, "memoryReservation": 4000}), (100, 4000)),
        ("both", json!({"name": "main", "memoryReservation": 0}), (100, 300)),
        ("both", json!({"name": "main", "cpu": 0, "memory": 0}), (0, 128)),
        ("hard", json!({"name": "main"}), (10, 500)),
        ("hard", json!({"name": "main", "memory": 700}), (10, 700)),
        ("hard", json!({"name": "main", "memoryReservation": 64}), (10, 64)),
        ("hard", json!({"name": "main", "cpu": 2048}), (2048, 500)),
    ] {
        assert_eq!(
            taken(&fleet, definition, entry.clone()).await,
            expected,
            "{definition} {entry}"
        );
    }
}

#[tokio::test]
async fn what_an_override_makes_too_large_does_not_fit() {
    let fleet = fleet().await;
    for (entry, reason) in [
        (json!({"name": "main", "cpu": 2049}), "RESOURCE:CPU"),
        (json!({"name": "main", "memory": 4001}), "RESOURCE:MEMORY"),
        (json!({"name": "main", "cpu": i32::MAX, "memory": i32::MAX}), "RESOURCE:CPU"),
    ] {
        let overrides = json!({"containerOverrides": [entry]});
        let body = json!({"taskDefinition": "hard", "overrides": overrides});
        fleet.check(RunTask, body, &format!("| a:{reason}")).await;
    }
}

#[tokio::test]
async fn no_sum_of_containers_is_too_large_to_be_refused() {
    let fleet =
        Fleet::of(&[Machine { cpu: i32::MAX, memory: i32::MAX, ..Machine::default() }]).await;
    for (member, reason) in [("cpu", "RESOURCE:CPU"), ("memory", "RESOURCE:MEMORY")] {
        let container = |number: usize| {
            let mut it = json!({"name": format!("c{number}"), "image": "busybox", "memory": 4});
            it[member] = json!(i32::MAX);
            it
        };
        let containers: Vec<Value> = (0..10).map(container).collect();
        let body = json!({"family": "huge", "containerDefinitions": containers});
        fleet.world.ask(RegisterTaskDefinition, body).await;
        fleet.check(RunTask, json!({"taskDefinition": "huge"}), &format!("| a:{reason}")).await;
    }
}

#[tokio::test]
async fn only_the_agent_s_stopped_gives_back() {
    let fleet = fleet().await;
    let task = fleet.start("hard", "a").await.remove(0);
    let taken = (2038, 3500);
    assert_eq!(fleet.remaining('a').await, taken);
    fleet.world.report(&task, "RUNNING").await;
    assert_eq!(fleet.remaining('a').await, taken);
    fleet.world.ask(StopTask, json!({"task": task})).await;
    assert_eq!(fleet.remaining('a').await, taken, "StopTask gives nothing back");
    fleet.world.report(&task, "STOPPED").await;
    assert_eq!(fleet.remaining('a').await, (2048, 4000));
    fleet.world.report(&task, "STOPPED").await;
    assert_eq!(fleet.remaining('a').await, (2048, 4000), "and once only");
}

#[tokio::test]
async fn static_ports_are_in_use_until_the_task_has_stopped() {
    let fleet = fleet().await;
    let mappings = json!([
        {"containerPort": 80, "hostPort": 8080},
        {"containerPort": 53, "hostPort": 53, "protocol": "udp"},
        {"containerPort": 9000}
    ]);
    fleet.world.define("web", json!({"memory": 64, "portMappings": mappings})).await;
    let reserved = json!(["22", "2375", "2376", "51678", "51679"]);
    let task = fleet.start("web", "a").await.remove(0);
    let in_use = json!(["22", "2375", "2376", "8080", "51678", "51679"]);
    assert_eq!(fleet.ports('a').await, (in_use, json!(["53"])));
    fleet.check(RunTask, json!({"taskDefinition": "web"}), "| a:RESOURCE:PORTS").await;
    fleet.world.report(&task, "STOPPED").await;
    assert_eq!(fleet.ports('a').await, (reserved, json!([])));
    fleet.check(RunTask, json!({"taskDefinition": "web"}), "a").await;
}

#[tokio::test]
async fn reserved_ports_are_never_given_and_a_hundred_are_the_most() {
    let fleet = fleet().await;
    let ssh = json!([{"containerPort": 22, "hostPort": 22}]);
    fleet.world.define("ssh", json!({"memory": 64, "portMappings": ssh})).await;
    fleet.check(RunTask, json!({"taskDefinition": "ssh"}), "| a:RESOURCE:PORTS").await;
    let some = |from: u16, count: u16| -> Value {
        (from..from + count).map(|it| json!({"containerPort": it, "hostPort": it})).collect()
    };
    fleet.world.define("most", json!({"memory": 64, "portMappings": some(1000, 95)})).await;
    fleet.world.define("one", json!({"memory": 64, "portMappings": some(2000, 1)})).await;
    let task = fleet.start("most", "a").await.remove(0);
    fleet.check(RunTask, json!({"taskDefinition": "one"}), "| a:RESOURCE:PORTS").await;
    fleet.world.report(&task, "STOPPED").await;
    fleet.check(RunTask, json!({"taskDefinition": "one"}), "a").await;
}

#[tokio::test]
async fn tasks_are_counted_by_what_was_last_reported() {
    let fleet = fleet().await;
    let tasks = fleet.start("hard", "aaa").await;
    fleet.world.report(&tasks[0], "RUNNING").await;
    fleet.world.report(&tasks[1], "RUNNING").await;
    fleet.world.ask(StopTask, json!({"task": tasks[1]})).await;
    fleet.world.report(&tasks[2], "STOPPED").await;
    let instance = fleet.world.instance(fleet.arn('a')).await;
    assert_eq!(
        (&instance["runningTasksCount"], &instance["pendingTasksCount"]),
        (&json!(2), &json!(0))
    );
    fleet.start("hard", "a").await;
    let cluster = fleet.world.ask(DescribeClusters, json!({})).await["clusters"][0].clone();
    assert_eq!(
        (&cluster["runningTasksCount"], &cluster["pendingTasksCount"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(cluster["registeredContainerInstancesCount"], 1);
}

#[tokio::test]
async fn a_report_about_one_container_gives_nothing_back() {
    let fleet = fleet().await;
    let task = fleet.start("hard", "a").await.remove(0);
    let containers = json!([{"containerName": "main", "status": "STOPPED", "exitCode": 0}]);
    let body =
        json!({"cluster": "default", "task": task, "status": "RUNNING", "containers": containers});
    fleet.world.ask(SubmitTaskStateChange, body).await;
    assert_eq!(fleet.world.task(&task).await["desiredStatus"], "STOPPED");
    assert_eq!(fleet.remaining('a').await, (2038, 3500));
}
