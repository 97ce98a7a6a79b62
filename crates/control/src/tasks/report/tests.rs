//! Reports, in the order in which agents of either age send them, and out of it.

use std::sync::Arc;

use expect_test::{Expect, expect};
use longshore_model::{DefinitionKey, InstanceId};

use super::*;
use crate::testing::container;

fn definition() -> TaskDefinition {
    let mut side = container("side");
    side.essential = false;
    let key = DefinitionKey { family: "f".parse().unwrap(), revision: 1 };
    TaskDefinition::new(key, vec![container("main"), side], Timestamp::from_millis(0))
}

fn task() -> Task {
    let container = |name: &str| Container {
        id: longshore_model::ContainerId::from_bits(1),
        name: name.parse().unwrap(),
        last_status: LastStatus::Pending,
        exit_code: None,
        reason: None,
        network_bindings: Box::default(),
        runtime_id: None,
        image_digest: None,
        health: None,
        health_since: None,
    };
    Task {
        id: TaskId::from_bits(1),
        arn_form: Default::default(),
        cluster: "default".parse().unwrap(),
        definition: definition().key,
        container_instance: InstanceId::from_bits(1),
        overrides: None,
        last_status: LastStatus::Pending,
        desired_status: DesiredStatus::Running,
        containers: [container("main"), container("side")].into(),
        started_by: None,
        group: Arc::from("family:f"),
        tags: Default::default(),
        launch_type: Default::default(),
        client_token: None,
        version: 1,
        stopped_reason: None,
        stop_code: None,
        created_at: Timestamp::from_millis(0),
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        execution_stopped_at: None,
        lost: None,
    }
}

/// A report in a line: the task's status or `-`, then `container=STATUS[:exit code][:reason]`.
fn report(line: &str) -> TaskReport {
    let mut words = line.split_whitespace();
    let status = LastStatus::parse(words.next().unwrap_or_default());
    let container = |word: &str| {
        let (name, said) = word.split_once('=').unwrap();
        let mut said = said.split(':');
        ContainerReport {
            name: name.parse().unwrap(),
            status: LastStatus::parse(said.next().unwrap()).unwrap(),
            exit_code: said.next().and_then(|it| it.parse().ok()),
            reason: said.next().map(Into::into),
            network_bindings: vec![],
            runtime_id: None,
            image_digest: None,
            health: None,
            health_since: None,
        }
    };
    TaskReport {
        cluster: "default".parse().unwrap(),
        task: TaskId::from_bits(1),
        status,
        reason: None,
        containers: words.map(container).collect(),
        pull_started_at: None,
        pull_stopped_at: None,
        execution_stopped_at: None,
    }
}

fn render(task: &Task) -> String {
    let containers = task.containers.iter().map(|it| {
        let code = it.exit_code.map(|it| format!(" {it}")).unwrap_or_default();
        let reason = it.reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        format!("{}={}{code}{reason}", it.name, it.last_status.as_str())
    });
    let why = task.stopped_reason.as_deref().unwrap_or("-");
    format!(
        "{}/{} {} [{why}]",
        task.last_status.as_str(),
        task.desired_status.as_str(),
        containers.collect::<Vec<_>>().join(" ")
    )
}

#[track_caller]
fn check(reports: &str, expect: Expect) {
    let mut task = task();
    let mut shown = String::new();
    for (second, line) in (1..).zip(reports.trim().lines()) {
        let now = Timestamp::from_millis(second * 1000);
        apply(&mut task, &definition(), &report(line), now);
        shown.push_str(&render(&task));
        shown.push('\n');
    }
    expect.assert_eq(&shown);
}

#[test]
fn a_task_runs_when_its_agent_says_so_and_ends_with_its_essential_container() {
    check(
        "- main=RUNNING
         RUNNING side=RUNNING
         RUNNING main=STOPPED:3
         STOPPED side=STOPPED:137",
        expect![[r#"
            PENDING/RUNNING main=RUNNING side=PENDING [-]
            RUNNING/RUNNING main=RUNNING side=RUNNING [-]
            RUNNING/STOPPED main=STOPPED 3 side=RUNNING [Essential container in task exited]
            STOPPED/STOPPED main=STOPPED 3 side=STOPPED 137 [Essential container in task exited]
        "#]],
    );
}

#[test]
fn a_container_that_is_not_essential_ends_alone() {
    check(
        "RUNNING main=RUNNING side=RUNNING side=STOPPED:0",
        expect![[r#"
            RUNNING/RUNNING main=RUNNING side=STOPPED 0 [-]
        "#]],
    );
}

#[test]
fn what_never_ran_has_no_exit_code() {
    check(
        "STOPPED main=STOPPED::CannotPullContainerError",
        expect![[r#"
            STOPPED/STOPPED main=STOPPED (CannotPullContainerError) side=STOPPED [Task failed to start]
        "#]],
    );
}

#[test]
fn a_short_task_may_be_reported_running_and_stopped_at_once() {
    check(
        "STOPPED main=RUNNING side=RUNNING main=STOPPED:0 side=STOPPED:0",
        expect![[r#"
            STOPPED/STOPPED main=STOPPED 0 side=STOPPED 0 [Essential container in task exited]
        "#]],
    );
}

#[test]
fn late_and_repeated_reports_change_nothing() {
    check(
        "STOPPED main=STOPPED:1
         RUNNING main=RUNNING
         STOPPED main=STOPPED:2",
        expect![[r#"
            STOPPED/STOPPED main=STOPPED 1 side=STOPPED [Essential container in task exited]
            STOPPED/STOPPED main=STOPPED 1 side=STOPPED [Essential container in task exited]
            STOPPED/STOPPED main=STOPPED 1 side=STOPPED [Essential container in task exited]
        "#]],
    );
}

#[test]
fn a_container_that_the_definition_lacks_is_passed_over() {
    check(
        "RUNNING other=STOPPED:1",
        expect![[r#"
            RUNNING/RUNNING main=PENDING side=PENDING [-]
        "#]],
    );
}

#[test]
fn times_are_those_of_the_first_report() {
    let mut task = task();
    for (second, line) in (1..).zip(["RUNNING", "RUNNING", "STOPPED", "STOPPED"]) {
        apply(&mut task, &definition(), &report(line), Timestamp::from_millis(second * 1000));
    }
    assert_eq!(task.started_at, Some(Timestamp::from_millis(1000)));
    assert_eq!(task.stopped_at, Some(Timestamp::from_millis(3000)));
    assert_eq!(task.stopping_at, Some(Timestamp::from_millis(3000)));
}

#[test]
fn health_is_what_was_said_last_and_stays_with_the_stopped_container() {
    let mut task = task();
    let mut say = |line: &str, health: Option<HealthStatus>, since_secs: i64| {
        let mut report = report(line);
        report.containers[0].health = health;
        report.containers[0].health_since = Some(Timestamp::from_millis(since_secs * 1000));
        apply(&mut task, &definition(), &report, Timestamp::from_millis(1000));
        task.containers[0].health
    };
    use HealthStatus::{Healthy, Unhealthy, Unknown};
    assert_eq!(say("- main=RUNNING", Some(Unknown), 1), Some(Unknown));
    assert_eq!(say("RUNNING main=RUNNING", Some(Healthy), 3), Some(Healthy));
    assert_eq!(say("RUNNING main=RUNNING", Some(Unknown), 1), Some(Healthy), "it is late");
    assert_eq!(say("RUNNING main=RUNNING", None, 4), Some(Healthy));
    assert_eq!(say("RUNNING main=STOPPED:1", Some(Unhealthy), 5), Some(Unhealthy));
    assert_eq!(say("RUNNING main=RUNNING", Some(Healthy), 6), Some(Unhealthy), "it has stopped");
}

#[test]
fn health_of_an_absurd_time_does_not_keep_out_what_follows() {
    let (mut task, year) = (task(), 366 * 24 * 3600);
    let mut say = |health: HealthStatus, since_secs: i64, now_secs: i64| {
        let mut report = report("RUNNING main=RUNNING");
        report.containers[0].health = Some(health);
        report.containers[0].health_since = Some(Timestamp::from_millis(since_secs * 1000));
        apply(&mut task, &definition(), &report, Timestamp::from_millis(now_secs * 1000));
        task.containers[0].health
    };
    use HealthStatus::{Healthy, Unhealthy};
    assert_eq!(say(Healthy, year, 1), Some(Healthy));
    assert_eq!(say(Unhealthy, 2, 3), Some(Unhealthy), "the agent's clock was set right");
    assert_eq!(say(Healthy, 4_000, 5_000), Some(Healthy));
    assert_eq!(say(Unhealthy, 5_000, 1_000), Some(Unhealthy), "ours was set back meanwhile");
    assert_eq!(say(Healthy, 4_000, 1_000), Some(Unhealthy), "it is late");
}

#[test]
fn the_last_image_to_arrive_ends_the_pull() {
    let mut task = task();
    let at = |secs: i64| Some(Timestamp::from_millis(secs * 1000));
    let mut say = |from: i64, to: i64| {
        let report =
            TaskReport { pull_started_at: at(from), pull_stopped_at: at(to), ..report("PENDING") };
        apply(&mut task, &definition(), &report, Timestamp::from_millis(9000));
        (task.pull_started_at, task.pull_stopped_at)
    };
    assert_eq!(say(1, 2), (at(1), at(2)));
    assert_eq!(say(1, 5), (at(1), at(5)));
    assert_eq!(say(1, 2), (at(1), at(5)), "it is late");
}
