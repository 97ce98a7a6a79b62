//! What should run on an instance, said all at once on a new connection, and what its agent asks.

use longshore_wire::Operation::{RunTask, StopTask};
use longshore_wire::acs::{
    AgentMessage, ManifestTask, ServerMessage, TaskManifestMessage, TaskResendRequest,
    TaskStopVerificationAck, TaskStopVerificationMessage,
};
use serde_json::json;

use crate::harness::{Agent, Fleet, Machine};

const FULL_SYNC: &[&str] = &["ecs.capability.full-sync"];
const BOTH: &[&str] = &["ecs.capability.full-sync", "io.longshore.capability.task-resend"];

fn machine(attributes: &'static [&'static str]) -> Machine {
    Machine { attributes, ..Machine::default() }
}

async fn fleet(machines: &[Machine]) -> Fleet {
    let fleet = Fleet::of(machines).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    fleet
}

async fn message(agent: &mut Agent) -> ServerMessage {
    let frame = agent.frame().await.expect("the connection is open");
    ServerMessage::decode(&frame).unwrap().expect("a message that is known")
}

async fn manifest(agent: &mut Agent) -> TaskManifestMessage {
    match message(agent).await {
        ServerMessage::TaskManifest(manifest) => manifest,
        other => panic!("no manifest: {other:?}"),
    }
}

async fn verdict(agent: &mut Agent) -> TaskStopVerificationAck {
    match message(agent).await {
        ServerMessage::TaskStopVerificationAck(verdict) => verdict,
        other => panic!("no verdict: {other:?}"),
    }
}

fn arns(tasks: &[ManifestTask]) -> Vec<&str> {
    tasks.iter().map(|it| it.task_arn.as_str()).collect()
}

fn question(message_id: &str, candidates: &[&str]) -> String {
    let candidate = |arn: &&str| ManifestTask {
        task_arn: (*arn).into(),
        desired_status: "STOPPED".into(),
        task_cluster_arn: None,
    };
    AgentMessage::TaskStopVerification(TaskStopVerificationMessage {
        message_id: message_id.into(),
        stop_candidates: candidates.iter().map(candidate).collect(),
    })
    .encode()
}

fn request(message_id: &str, instance: &str, tasks: &[&str]) -> String {
    AgentMessage::TaskResend(TaskResendRequest {
        cluster: "default".into(),
        container_instance: instance.into(),
        message_id: message_id.into(),
        task_arns: tasks.iter().map(|it| (*it).into()).collect(),
    })
    .encode()
}

#[tokio::test]
async fn an_agent_that_takes_no_manifest_gets_none() {
    let mut fleet = fleet(&[Machine::default()]).await;
    fleet.start("job", "a").await;
    let agent = fleet.agent('a');
    assert!(matches!(message(agent).await, ServerMessage::Payload(_)));
    let second = fleet.start("job", "a").await.remove(0);
    assert_eq!(fleet.agent('a').task().await.arn, second);
}

#[tokio::test]
async fn an_official_agent_is_told_every_live_task_and_then_the_manifest() {
    let mut fleet = fleet(&[machine(FULL_SYNC)]).await;
    assert_eq!(manifest(fleet.agent('a')).await.tasks, []);
    let tasks = fleet.start("job", "aaa").await;
    let last = fleet.agent('a').payload().await.seq_num;
    fleet.leave('a').await;
    fleet.world.report(&tasks[0], "RUNNING").await;
    fleet.world.ask(StopTask, json!({"task": tasks[2]})).await;
    let mut agent = fleet.world.connect(fleet.arn('a')).await;
    let mut numbers = vec![last];
    for (task, desired) in [(2, "STOPPED"), (0, "RUNNING"), (1, "RUNNING")] {
        let payload = agent.payload().await;
        let told = &payload.tasks[0];
        assert_eq!((&told.arn, told.desired_status.as_str()), (&tasks[task], desired));
        numbers.push(payload.seq_num);
    }
    let manifest = manifest(&mut agent).await;
    numbers.push(manifest.timeline);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(arns(&manifest.tasks), tasks[..2]);
    let cluster = "arn:aws:ecs:us-east-1:111122223333:cluster/default";
    assert_eq!(
        (manifest.cluster_arn.as_str(), manifest.container_instance_arn.as_str()),
        (cluster, fleet.arn('a'))
    );
    for task in &manifest.tasks {
        assert_eq!(task.desired_status, "RUNNING");
        assert_eq!(task.task_cluster_arn.as_deref(), Some(cluster));
    }
}

/// What is to run there is said once, in one message, and what the agent lacks it asks for.
#[tokio::test]
async fn longshores_own_agent_is_told_what_it_asks_for() {
    let mut fleet = fleet(&[machine(BOTH)]).await;
    manifest(fleet.agent('a')).await;
    let tasks = fleet.start("job", "aaaa").await;
    fleet.leave('a').await;
    fleet.world.ask(StopTask, json!({"task": tasks[3]})).await;
    let mut agent = fleet.world.connect(fleet.arn('a')).await;
    let stop = agent.task().await;
    assert_eq!((stop.arn.as_str(), stop.desired_status.as_str()), (tasks[3].as_str(), "STOPPED"));
    let manifest = manifest(&mut agent).await;
    assert_eq!(arns(&manifest.tasks), tasks[..3]);
    let id = &manifest.message_id;
    let instance = agent.instance.clone();
    agent.say(&request("another", &instance, &[&tasks[0]])).await;
    fleet.world.report(&tasks[2], "STOPPED").await;
    let lacks = ["nonsense", tasks[1].as_str(), tasks[2].as_str()];
    agent.say(&request(id, &instance, &lacks)).await;
    assert_eq!(agent.task().await.arn, tasks[1], "and not the one that has ended");
    agent.say(&request(id, &instance, &[&tasks[0]])).await;
    let next = fleet.start("job", "a").await.remove(0);
    assert_eq!(agent.task().await.arn, next, "a manifest is asked about once");
    fleet.world.ask(StopTask, json!({"task": tasks[0]})).await;
    assert_eq!(agent.task().await.arn, tasks[0], "what was not asked for is told of as ever");
}

#[tokio::test]
async fn of_what_is_not_listed_only_that_is_stopped_which_should_not_run_there() {
    let mut fleet = fleet(&[machine(FULL_SYNC), machine(FULL_SYNC)]).await;
    let manifest = manifest(fleet.agent('a')).await;
    let own = fleet.start("job", "aaa").await;
    let others = fleet.start("job", "b").await;
    fleet.world.report(&own[1], "STOPPED").await;
    fleet.world.ask(StopTask, json!({"task": own[2]})).await;
    for _ in 0..4 {
        fleet.agent('a').payload().await;
    }
    let unheard =
        "arn:aws:ecs:us-east-1:111122223333:task/default/0b69d5c0d655469598cd5d2d526d9d5a";
    let foreign =
        "arn:aws:ecs:us-east-1:999999999999:task/default/0b69d5c0d655469598cd5d2d526d9d5a";
    let id = own[0].rsplit('/').next().unwrap();
    let candidates = [&own[0], &own[1], &own[2], &others[0], unheard, foreign, "nonsense", "", id];
    fleet.agent('a').say(&question("another", &candidates)).await;
    fleet.agent('a').say(&question(&manifest.message_id, &candidates)).await;
    let verdict = verdict(fleet.agent('a')).await;
    assert_eq!(verdict.message_id, manifest.message_id);
    assert_eq!(arns(&verdict.stop_tasks), [&own[1], &own[2], &others[0], unheard]);
    assert!(verdict.stop_tasks.iter().all(|it| it.desired_status == "STOPPED"));
    fleet.agent('a').say(&question(&manifest.message_id, &[unheard])).await;
    let next = fleet.start("job", "a").await.remove(0);
    assert_eq!(fleet.agent('a').task().await.arn, next, "there is one answer to a manifest");
    assert_eq!(fleet.world.task(&others[0]).await["desiredStatus"], "RUNNING");
}

#[tokio::test]
async fn numbers_rise_over_connections_and_restarts_of_the_server() {
    let mut fleet = fleet(&[machine(FULL_SYNC), Machine::default()]).await;
    let mut last = manifest(fleet.agent('a')).await.timeline;
    for _ in 0..3 {
        for letter in ["a", "b"] {
            fleet.start("job", letter).await;
            let letter = letter.chars().next().unwrap();
            let number = fleet.agent(letter).payload().await.seq_num;
            assert!(number > last, "{number} after {last}");
            last = number;
        }
    }
    let millis = fleet.world.clock.now_secs() * 1000;
    assert!(last >= millis * 1000, "the time is in it, so the next server goes on above it");
    fleet.world.ask(RunTask, json!({"taskDefinition": "job"})).await;
}
