//! Container instances that drain, are deregistered, and are forgotten.

use longshore_wire::Operation::{
    DeleteCluster, DeregisterContainerInstance, DescribeClusters, DescribeContainerInstances,
    ListContainerInstances, RegisterContainerInstance, RunTask, StartTask,
    UpdateContainerInstancesState,
};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

async fn fleet() -> Fleet {
    let fleet = Fleet::of(&[Machine::default(), Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    fleet
}

async fn registered(fleet: &Fleet) -> (Value, Value, Value) {
    let answer = fleet.world.ask(DescribeClusters, json!({})).await;
    let cluster = answer["clusters"][0].clone();
    let count = |name: &str| cluster[name].clone();
    (
        count("registeredContainerInstancesCount"),
        count("runningTasksCount"),
        count("pendingTasksCount"),
    )
}

#[tokio::test]
async fn draining_leaves_the_tasks_that_no_service_owns() {
    let fleet = fleet().await;
    let tasks = fleet.start("job", "ab").await;
    fleet.world.report(&tasks[0], "RUNNING").await;
    let before = fleet.world.instance(fleet.arn('a')).await["version"].as_i64().unwrap();
    fleet.world.set_state(fleet.arn('a'), "DRAINING").await;
    let instance = fleet.world.instance(fleet.arn('a')).await;
    assert_eq!(instance["status"], "DRAINING");
    assert_eq!(instance["version"], before + 1);
    assert_eq!(instance["runningTasksCount"], 1);
    let task = fleet.world.task(&tasks[0]).await;
    assert_eq!(
        (&task["lastStatus"], &task["desiredStatus"]),
        (&json!("RUNNING"), &json!("RUNNING"))
    );
    assert_eq!(registered(&fleet).await, (json!(2), json!(1), json!(1)));
    let revision = fleet.world.state().revision();
    fleet.world.set_state(fleet.arn('a'), "DRAINING").await;
    assert_eq!(fleet.world.state().revision(), revision, "it drains already");
    fleet.check(RunTask, json!({"taskDefinition": "job", "count": 2}), "b b").await;
    fleet.world.set_state(fleet.arn('a'), "ACTIVE").await;
    let on_a = json!({"taskDefinition": "job", "containerInstances": [fleet.arn('a')]});
    fleet.check(StartTask, on_a, "a").await;
}

#[tokio::test]
async fn an_instance_drains_while_its_agent_is_away_and_when_it_comes_back() {
    let mut fleet = fleet().await;
    fleet.leave('a').await;
    fleet.world.set_state(fleet.arn('a'), "DRAINING").await;
    let again = {
        let mut registration = Machine::default().registration();
        registration["containerInstanceArn"] = json!(fleet.arn('a'));
        registration
    };
    let answer = fleet.world.ask(RegisterContainerInstance, again).await;
    assert_eq!(answer["containerInstance"]["status"], "DRAINING");
    let agent = fleet.world.connect(fleet.arn('a')).await;
    assert_eq!(fleet.world.instance(fleet.arn('a')).await["status"], "DRAINING");
    drop(agent);
}

#[tokio::test]
async fn what_is_deregistered_by_force_loses_its_tasks_at_once() {
    let fleet = fleet().await;
    let tasks = fleet.start("job", "aaab").await;
    fleet.world.report(&tasks[0], "RUNNING").await;
    let stop = json!({"task": tasks[1], "reason": "mine"});
    fleet.world.ask(longshore_wire::Operation::StopTask, stop).await;
    fleet.world.clock.move_by_secs(7);
    let body = json!({"containerInstance": fleet.arn('a'), "force": true});
    let answer = fleet.world.ask(DeregisterContainerInstance, body).await;
    let instance = &answer["containerInstance"];
    assert_eq!(
        (&instance["status"], &instance["agentConnected"]),
        (&json!("INACTIVE"), &json!(false))
    );
    assert_eq!(instance["remainingResources"], instance["registeredResources"]);
    for (task, reason) in [
        (&tasks[0], "Container instance deregistration forced by user"),
        (&tasks[1], "mine"),
        (&tasks[2], "Container instance deregistration forced by user"),
    ] {
        let task = fleet.world.task(task).await;
        assert_eq!(task["lastStatus"], "STOPPED");
        assert_eq!(task["desiredStatus"], "STOPPED");
        assert_eq!(task["stoppedReason"], reason);
        assert_eq!(task["stopCode"], "UserInitiated");
        assert_eq!(task["stoppedAt"].as_f64().unwrap(), task["createdAt"].as_f64().unwrap() + 7.0);
        assert_eq!(task["containers"][0]["lastStatus"], "STOPPED");
    }
    assert_eq!(fleet.world.task(&tasks[3]).await["lastStatus"], "PENDING");
    assert_eq!(registered(&fleet).await, (json!(1), json!(0), json!(1)));
    // What the agent has still to say of them comes too late.
    let before = fleet.world.state().revision();
    fleet.world.report(&tasks[2], "RUNNING").await;
    assert_eq!(fleet.world.state().revision(), before);
    fleet.world.state().check_derived().unwrap();
}

#[tokio::test]
async fn what_is_deregistered_is_described_for_an_hour_and_listed_no_more() {
    let fleet = fleet().await;
    fleet.world.deregister(fleet.arn('a')).await;
    let listed = fleet.world.ask(ListContainerInstances, json!({})).await;
    assert_eq!(listed["containerInstanceArns"], json!([fleet.arn('b')]));
    fleet.world.clock.move_by_secs(3600);
    assert!(fleet.world.control.reap().await.unwrap().is_empty());
    assert_eq!(fleet.world.instance(fleet.arn('a')).await["status"], "INACTIVE");
    fleet.world.clock.move_by_secs(1);
    assert_eq!(fleet.world.control.reap().await.unwrap().container_instances.len(), 1);
    let body = json!({"containerInstances": [fleet.arn('a')]});
    let answer = fleet.world.ask(DescribeContainerInstances, body).await;
    let missing = json!([{"arn": fleet.arn('a'), "reason": "MISSING"}]);
    assert_eq!(answer, json!({"containerInstances": [], "failures": missing}));
    let body = json!({"containerInstances": [fleet.arn('a')], "status": "ACTIVE"});
    let answer = fleet.world.ask(UpdateContainerInstancesState, body).await;
    assert_eq!(answer["failures"], missing);
}

#[tokio::test]
async fn a_deleted_cluster_is_described_for_an_hour() {
    let fleet = fleet().await;
    for letter in ['a', 'b'] {
        fleet.world.deregister(fleet.arn(letter)).await;
    }
    fleet.world.ask(DeleteCluster, json!({"cluster": "default"})).await;
    fleet.world.clock.move_by_secs(3600);
    assert!(fleet.world.control.reap().await.unwrap().is_empty());
    let answer = fleet.world.ask(DescribeClusters, json!({})).await;
    assert_eq!(answer["clusters"][0]["status"], "INACTIVE");
    fleet.world.clock.move_by_secs(1);
    assert_eq!(fleet.world.control.reap().await.unwrap().len(), 3);
    let answer = fleet.world.ask(DescribeClusters, json!({})).await;
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
}

#[tokio::test]
async fn a_cluster_that_came_to_life_again_is_not_forgotten() {
    let fleet = Fleet::of(&[]).await;
    let default = json!({"cluster": "default"});
    fleet.world.ask(DeleteCluster, default).await;
    fleet.world.clock.move_by_secs(1800);
    fleet.world.ask(longshore_wire::Operation::CreateCluster, json!({})).await;
    fleet.world.clock.move_by_secs(3601);
    assert!(fleet.world.control.reap().await.unwrap().is_empty());
}
