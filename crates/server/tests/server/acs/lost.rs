//! An agent that returns after tasks of its instance were given up: it is told to stop these, and
//! to start nothing before it has said that they are over.

use longshore_wire::Operation::{
    CreateCluster, ListTasks, RunTask, StartTask, SubmitTaskStateChange, TagResource,
};
use serde_json::{Value, json};

use crate::harness::{Agent, Fleet, Machine};

const POLICY: &str = "longshore:lost-after";

/// A machine with `tasks` tasks that run and are lost, and whose agent is back.
async fn returned(tasks: usize) -> (Fleet, Agent, Vec<String>) {
    let mut fleet = Fleet::of(&[Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    let tags = json!([{"key": POLICY, "value": "60s"}]);
    let cluster = fleet.world.ask(CreateCluster, json!({})).await;
    let arn = cluster["cluster"]["clusterArn"].clone();
    fleet.world.ask(TagResource, json!({"resourceArn": arn, "tags": tags})).await;
    let lost = fleet.start("job", &"a".repeat(tasks)).await;
    for task in &lost {
        fleet.agent('a').task().await;
        fleet.world.report(task, "RUNNING").await;
    }
    fleet.leave('a').await;
    fleet.world.clock.move_by_secs(60);
    // Whatever is written wakes the loop, which does not see that this clock was moved.
    fleet.world.ask(CreateCluster, json!({"clusterName": "another"})).await;
    let none = |it: &longshore_store::State| it.all_tasks().all(|it| it.is_at_large());
    fleet.world.until("the tasks are lost", none).await;
    let agent = fleet.world.connect(fleet.arn('a')).await;
    fleet.world.until_connected(fleet.arn('a'), true).await;
    (fleet, agent, lost)
}

async fn start(fleet: &Fleet) -> String {
    let instance = fleet.arn('a');
    let request = json!({"taskDefinition": "job", "containerInstances": [instance]});
    let answer = fleet.world.ask(StartTask, request).await;
    answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
}

async fn told(agent: &mut Agent) -> (String, String) {
    let task = agent.task().await;
    (task.arn, task.desired_status)
}

fn wish(task: &str, desired: &str) -> (String, String) {
    (task.into(), desired.into())
}

#[tokio::test]
async fn nothing_starts_before_what_was_given_up_has_stopped() {
    let (fleet, mut agent, lost) = returned(2).await;
    let next = start(&fleet).await;
    for task in &lost {
        assert_eq!(told(&mut agent).await, wish(task, "STOPPED"));
    }
    fleet.world.report(&lost[0], "RUNNING").await;
    fleet.world.report(&lost[0], "STOPPED").await;
    let later = start(&fleet).await;
    fleet.world.report(&lost[1], "STOPPED").await;
    // Nothing came in between, for this is what comes next.
    assert_eq!(told(&mut agent).await, wish(&next, "RUNNING"));
    assert_eq!(told(&mut agent).await, wish(&later, "RUNNING"));
}

#[tokio::test]
async fn a_connection_that_breaks_before_that_changes_nothing() {
    let (fleet, mut agent, lost) = returned(1).await;
    let next = start(&fleet).await;
    assert_eq!(told(&mut agent).await, wish(&lost[0], "STOPPED"));
    agent.leave(&fleet.world).await;
    let mut agent = fleet.world.connect(fleet.arn('a')).await;
    assert_eq!(told(&mut agent).await, wish(&lost[0], "STOPPED"));
    fleet.world.report(&lost[0], "STOPPED").await;
    assert_eq!(told(&mut agent).await, wish(&next, "RUNNING"));
}

#[tokio::test]
async fn clients_see_a_task_that_stopped_and_later_how_it_ended() {
    let (fleet, _agent, lost) = returned(1).await;
    let task = fleet.world.task(&lost[0]).await;
    assert_eq!(task["lastStatus"], "STOPPED");
    assert_eq!(task["stopCode"], "TerminationNotice");
    assert_eq!(task["containers"][0]["lastStatus"], "STOPPED");
    assert_eq!(task["containers"][0].get("exitCode"), None);
    let reason = task["stoppedReason"].as_str().unwrap();
    assert!(reason.contains("longer than 1m (longshore:lost-after of the cluster)"), "{reason}");
    let listed = fleet.world.ask(ListTasks, json!({"desiredStatus": "STOPPED"})).await;
    assert_eq!(listed["taskArns"], json!(lost));

    let ended = json!({"task": lost[0], "status": "STOPPED", "containers": [
        {"containerName": "main", "status": "STOPPED", "exitCode": 143},
    ]});
    fleet.world.ask(SubmitTaskStateChange, ended).await;
    let told: Value = fleet.world.task(&lost[0]).await;
    assert_eq!(told["containers"][0]["exitCode"], 143);
    assert_eq!(told["stoppedReason"], task["stoppedReason"]);
    assert_eq!(told["stoppedAt"], task["stoppedAt"]);
}

#[tokio::test]
async fn a_policy_that_makes_no_sense_is_refused() {
    let mut fleet = Fleet::of(&[Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    let tags = |key: &str, value: &str| json!([{"key": key, "value": value}]);
    let refused = |answer: crate::harness::Answer, words: &str| {
        let (_, exception, said) = answer.refusal();
        assert_eq!(exception, "InvalidParameterException");
        assert!(said.contains(words), "{said}");
    };
    for (tags, words) in [
        (tags(POLICY, "soon"), "Invalid tag value 'soon'"),
        (tags("longshore:lost-afer", "10m"), "there is no 'longshore:lost-afer'"),
    ] {
        let cluster = json!({"clusterName": "other", "tags": tags});
        refused(fleet.world.call(CreateCluster, cluster).await, words);
        let run = json!({"taskDefinition": "job", "tags": tags});
        refused(fleet.world.call(RunTask, run).await, words);
    }
    let instance = json!({"resourceArn": fleet.arn('a'), "tags": tags(POLICY, "10m")});
    let words = "means nothing on a container instance";
    refused(fleet.world.call(TagResource, instance).await, words);
    assert_eq!(fleet.world.state().all_tasks().count(), 0);
    assert_eq!(fleet.world.state().clusters().count(), 1);
    fleet.leave('a').await;
}
