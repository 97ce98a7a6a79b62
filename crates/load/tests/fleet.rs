//! `longshore bench fleet` against a real server: what the plan says of each task is what the
//! server knows of it at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longshore_load::{Client, FleetProcess, Life, Plan, ServerOptions, ServerProcess, Span};
use longshore_wire::{Timestamp, ecs};

const SEED: u64 = 7;

/// As the options of the fleet say it.
const PLAN: Plan = Plan {
    seed: SEED,
    start: Span { least: Duration::from_millis(50), most: Duration::from_millis(400) },
    fails_percent: 30,
    runs_for: Some(Span { least: Duration::from_secs(1), most: Duration::from_secs(2) }),
};

const OPTIONS: [&str; 6] = [
    "--instances=3",
    "--zones=a,b,c",
    "--seed=7",
    "--start-millis=50-400",
    "--fails=30",
    "--runs-for=1-2",
];

#[tokio::test(flavor = "multi_thread")]
async fn tasks_start_fail_and_end_as_planned() {
    let server = ServerProcess::start(ServerOptions::server()).await.unwrap();
    let client = server.client().unwrap();
    let fleet = FleetProcess::start(&server, &OPTIONS).await.unwrap();
    client.call(&definition()).await.unwrap();
    let tasks = run(&client, 4).await;
    let ended = until(&client, &tasks, |it| it.iter().all(|it| is(it, "STOPPED"))).await;

    let failed: BTreeSet<&String> = tasks.iter().filter(|it| PLAN.life(it).fails).collect();
    assert!((1..tasks.len()).contains(&failed.len()), "the plan has both: {failed:?}");
    for (arn, task) in &ended {
        check(task, PLAN.life(arn));
    }
    let (all, ran) = (tasks.len(), tasks.len() - failed.len());
    let expected = format!(
        "SIMULATED fleet of 3 agents ended: told to run {all} and to stop 0 tasks, reported {ran} \
         RUNNING and {all} STOPPED, 0 calls refused, 0 unanswered"
    );
    assert_eq!(fleet.end().await.unwrap(), [expected]);
    assert_eq!(cluster(&client).await, (Some(0), Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_run_until_they_are_stopped_or_the_fleet_ends() {
    let server = ServerProcess::start(ServerOptions::server()).await.unwrap();
    let client = server.client().unwrap();
    let fleet = FleetProcess::start(&server, &["--instances=2"]).await.unwrap();
    client.call(&definition()).await.unwrap();
    let tasks = run(&client, 2).await;
    until(&client, &tasks, |it| it.iter().all(|it| is(it, "RUNNING"))).await;
    assert_eq!(cluster(&client).await, (Some(2), Some(0), Some(20)));
    let (stopped, left) = tasks.split_at(5);
    for task in stopped {
        let request = ecs::StopTaskRequest { task: Some(task.clone()), ..Default::default() };
        client.call(&request).await.unwrap();
    }
    for task in until(&client, stopped, |it| it.iter().all(|it| is(it, "STOPPED"))).await.values() {
        assert_eq!(task.stop_code.as_deref(), Some("UserInitiated"));
        assert_eq!(containers(task), [(Some(0), None)]);
    }
    let expected = "SIMULATED fleet of 2 agents ended: told to run 20 and to stop 5 tasks, \
                    reported 20 RUNNING and 5 STOPPED, 0 calls refused, 0 unanswered";
    assert_eq!(fleet.end().await.unwrap(), [expected]);
    for task in until(&client, left, |it| it.iter().all(|it| is(it, "STOPPED"))).await.values() {
        assert_eq!(task.stop_code.as_deref(), Some("UserInitiated"), "deregistered");
    }
    assert_eq!(cluster(&client).await, (Some(0), Some(0), Some(0)));
}

/// That the task ended, and that it did so as its life says.
#[track_caller]
fn check(task: &ecs::Task, life: Life) {
    let arn = task.task_arn.as_deref();
    let (created, stopped) = (task.created_at.unwrap(), task.stopped_at.unwrap());
    if life.fails {
        assert_eq!(task.stop_code.as_deref(), Some("TaskFailedToStart"), "{arn:?}");
        assert_eq!(task.started_at, None, "{arn:?}");
        let reason = "CannotStartContainerError: simulated".to_owned();
        assert_eq!(containers(task), [(None, Some(reason))], "{arn:?}");
        assert!(took(created, stopped) >= life.starts_after, "{arn:?}");
        return;
    }
    let started = task.started_at.unwrap();
    assert_eq!(task.stop_code.as_deref(), Some("EssentialContainerExited"), "{arn:?}");
    assert_eq!(containers(task), [(Some(0), None)], "{arn:?}");
    assert!(took(created, started) >= life.starts_after, "{arn:?}");
    assert!(took(started, stopped) >= life.runs_for.unwrap(), "{arn:?}");
}

/// The longest that it can have been between two times, of which each is cut to a millisecond.
fn took(from: Timestamp, to: Timestamp) -> Duration {
    let millis = to.millis() - from.millis();
    Duration::from_millis(u64::try_from(millis).unwrap() + 1)
}

fn definition() -> ecs::RegisterTaskDefinitionRequest {
    let container = ecs::ContainerDefinition {
        name: Some("main".into()),
        image: Some("image".into()),
        memory: Some(64),
        ..ecs::ContainerDefinition::default()
    };
    ecs::RegisterTaskDefinitionRequest {
        family: Some("fleet".into()),
        container_definitions: Some(vec![container]),
        ..ecs::RegisterTaskDefinitionRequest::default()
    }
}

/// Starts ten tasks a call and gives their ARNs.
async fn run(client: &Client, calls: u32) -> Vec<String> {
    let request = ecs::RunTaskRequest {
        task_definition: Some("fleet".into()),
        count: Some(10),
        ..ecs::RunTaskRequest::default()
    };
    let mut arns = Vec::new();
    for _ in 0..calls {
        let tasks = client.call(&request).await.unwrap().tasks.unwrap();
        arns.extend(tasks.into_iter().filter_map(|it| it.task_arn));
    }
    assert_eq!(arns.len(), calls as usize * 10);
    arns
}

/// Waits until it is true of the tasks, and gives them by their ARNs.
async fn until(
    client: &Client,
    tasks: &[String],
    is_so: impl Fn(&[ecs::Task]) -> bool,
) -> BTreeMap<String, ecs::Task> {
    let request = ecs::DescribeTasksRequest { tasks: Some(tasks.to_vec()), ..Default::default() };
    let found = async {
        loop {
            let found = client.call(&request).await.unwrap().tasks.unwrap();
            assert_eq!(found.len(), tasks.len());
            if is_so(&found) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), found).await;
    let found = found.expect("the tasks do not come to that");
    found.into_iter().map(|it| (it.task_arn.clone().unwrap(), it)).collect()
}

fn is(task: &ecs::Task, status: &str) -> bool {
    task.last_status.as_deref() == Some(status)
}

/// Of each container, its exit code and reason.
fn containers(task: &ecs::Task) -> Vec<(Option<i32>, Option<String>)> {
    let containers = task.containers.iter().flatten();
    containers.map(|it| (it.exit_code, it.reason.clone())).collect()
}

/// Registered instances, pending tasks and running tasks.
async fn cluster(client: &Client) -> (Option<i32>, Option<i32>, Option<i32>) {
    let answer = client.call(&ecs::DescribeClustersRequest::default()).await.unwrap();
    let cluster = answer.clusters.unwrap().remove(0);
    let instances = cluster.registered_container_instances_count;
    (instances, cluster.pending_tasks_count, cluster.running_tasks_count)
}
