//! ListTasks: filters, and pages while the collection changes.

use longshore_wire::Operation::{ListContainerInstances, ListTasks, RunTask, StartTask, StopTask};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

async fn fleet() -> Fleet {
    let fleet = Fleet::of(&[Machine::default(), Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 4})).await;
    fleet.world.define("web", json!({"memory": 4})).await;
    fleet
}

async fn list(fleet: &Fleet, body: Value) -> Vec<String> {
    let answer = fleet.world.ask(ListTasks, body).await;
    assert!(answer["nextToken"].is_null(), "{answer}");
    arns(&answer["taskArns"])
}

fn arns(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

async fn run(fleet: &Fleet, members: Value) -> Vec<String> {
    tasks(&fleet.world.ask(RunTask, members).await)
}

/// The ARNs of the tasks in an answer.
fn tasks(answer: &Value) -> Vec<String> {
    let tasks = answer["tasks"].as_array().unwrap().iter();
    tasks.map(|it| it["taskArn"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn filters_select_by_what_was_asked_for() {
    let fleet = fleet().await;
    let jobs = fleet.start("job", "ab").await;
    let webs = fleet.start("web", "a").await;
    let on_a = json!([fleet.arn('a')]);
    let body = json!({"taskDefinition": "job", "startedBy": "nightly", "containerInstances": on_a});
    let marked = tasks(&fleet.world.ask(StartTask, body).await);
    fleet.world.report(&jobs[0], "RUNNING").await;
    fleet.world.ask(StopTask, json!({"task": webs[0]})).await;
    let all: Vec<String> = [&jobs[..], &marked].concat();
    for (body, expected) in [
        (json!({}), &all),
        (json!({"cluster": "default", "desiredStatus": "RUNNING"}), &all),
        (json!({"desiredStatus": "STOPPED"}), &webs),
        (json!({"desiredStatus": "STOPPED", "family": "job"}), &vec![]),
        (json!({"family": "job"}), &all),
        (json!({"family": "web"}), &vec![]),
        (json!({"family": "jo"}), &vec![]),
        (json!({"startedBy": "nightly"}), &marked),
        (json!({"startedBy": "night"}), &vec![]),
        (
            json!({"containerInstance": fleet.arn('b'), "family": "job", "maxResults": 1}),
            &vec![jobs[1].clone()],
        ),
        (json!({"containerInstance": fleet.arn('a')}), &vec![jobs[0].clone(), marked[0].clone()]),
        (json!({"containerInstance": fleet.arn('a'), "desiredStatus": "STOPPED"}), &webs),
        (json!({"launchType": "EC2"}), &all),
    ] {
        assert_eq!(list(&fleet, body.clone()).await, *expected, "{body}");
    }
}

/// Every page in turn, with a token for the next.
async fn pages(
    fleet: &Fleet,
    size: usize,
    mut between: impl AsyncFnMut(usize),
) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = Value::Null;
    loop {
        let answer =
            fleet.world.ask(ListTasks, json!({"maxResults": size, "nextToken": token})).await;
        pages.push(arns(&answer["taskArns"]));
        token = answer["nextToken"].clone();
        if token.is_null() {
            return pages;
        }
        between(pages.len()).await;
    }
}

#[tokio::test]
async fn pages_cover_everything_once_and_the_last_has_no_token() {
    let fleet = fleet().await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.extend(run(&fleet, json!({"taskDefinition": "job", "count": 10})).await);
    }
    for size in [1, 7, 10, 29, 30, 31, 100] {
        let pages = pages(&fleet, size, async |_| {}).await;
        assert_eq!(pages.len(), tasks.len().div_ceil(size));
        assert_eq!(pages.concat(), tasks, "{size}");
    }
}

#[tokio::test]
async fn what_comes_and_goes_between_pages_skips_and_repeats_nothing() {
    let fleet = fleet().await;
    let tasks = run(&fleet, json!({"taskDefinition": "job", "count": 10})).await;
    let pages = pages(&fleet, 4, async |page| {
        if page == 1 {
            // Gone: one that was shown, the very last of them, and one that is still to come.
            for gone in [&tasks[0], &tasks[3], &tasks[5]] {
                fleet.world.report(gone, "STOPPED").await;
            }
            fleet.world.clock.move_by_secs(3601);
            fleet.world.control.reap().await.unwrap();
        }
    })
    .await;
    let expected: Vec<&String> = (0..10).filter(|it| *it != 5).map(|it| &tasks[it]).collect();
    assert_eq!(pages.concat().iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_page_is_a_hundred_entries_unless_it_is_said() {
    let fleet = fleet().await;
    for _ in 0..11 {
        run(&fleet, json!({"taskDefinition": "job", "count": 10})).await;
    }
    let answer = fleet.world.ask(ListTasks, json!({})).await;
    assert_eq!(arns(&answer["taskArns"]).len(), 100);
    assert!(answer["nextToken"].is_string());
}

#[tokio::test]
async fn instances_are_filtered_by_expression_and_status() {
    let fleet = Fleet::of(&[
        Machine { attributes: &["stack=prod"], ..Machine::default() },
        Machine::default(),
    ])
    .await;
    fleet.world.define("job", json!({"memory": 4})).await;
    fleet.start("job", "b").await;
    fleet.world.set_state(fleet.arn('b'), "DRAINING").await;
    for (body, expected) in [
        (json!({}), "ab"),
        (json!({"status": "ACTIVE"}), "a"),
        (json!({"status": "DRAINING"}), "b"),
        (json!({"filter": "attribute:stack == prod"}), "a"),
        (json!({"filter": "not(attribute:stack == prod)"}), "b"),
        (json!({"filter": "task:group == family:job"}), "b"),
        (json!({"filter": "agentConnected == true", "status": "ACTIVE"}), "a"),
        (json!({"filter": "attribute:stack == prod", "status": "DRAINING"}), ""),
    ] {
        let answer = fleet.world.ask(ListContainerInstances, body.clone()).await;
        let expected: Vec<&str> = expected.chars().map(|it| fleet.arn(it)).collect();
        assert_eq!(arns(&answer["containerInstanceArns"]), expected, "{body}");
    }
}

#[tokio::test]
async fn the_tasks_of_one_instance_have_pages_too() {
    let fleet = fleet().await;
    let tasks = fleet.start("job", "aba").await;
    let of_a = |token: &Value| json!({"containerInstance": fleet.arn('a'), "maxResults": 1, "nextToken": token});
    let first = fleet.world.ask(ListTasks, of_a(&Value::Null)).await;
    assert_eq!(arns(&first["taskArns"]), [tasks[0].clone()]);
    let second = fleet.world.ask(ListTasks, of_a(&first["nextToken"])).await;
    assert_eq!(second, json!({"taskArns": [tasks[2]]}));
    let elsewhere = json!({"cluster": "batch", "containerInstance": id_of(fleet.arn('a'))});
    fleet
        .world
        .ask(longshore_wire::Operation::CreateCluster, json!({"clusterName": "batch"}))
        .await;
    assert_eq!(list(&fleet, elsewhere).await, Vec::<String>::new());
}

/// The id at the end of an ARN.
fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}
