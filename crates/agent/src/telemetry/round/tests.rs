use expect_test::{Expect, expect};
use longshore_model::DesiredStatus;

use super::super::reading::Storage;
use super::*;
use crate::board::ContainerView;
use crate::engine::Limits;

/// `name:container=STATUS/health,...`, of each task one; a container's Docker id is `name.container`.
fn tasks(text: &str) -> Vec<Arc<TaskView>> {
    let container = |task: &str, text: &str| {
        let (name, state) = text.split_once('=').unwrap();
        let (state, health) = state.split_once('/').unwrap_or((state, ""));
        let health = HealthStatus::parse(health);
        let known = match state {
            "RUNNING" => ContainerStatus::Running,
            "STOPPED" => ContainerStatus::Stopped,
            _ => ContainerStatus::Created,
        };
        ContainerView {
            name: name.to_owned(),
            image: String::new(),
            docker_name: String::new(),
            docker_id: Some(format!("{task}.{name}")),
            metadata_id: String::new(),
            known,
            exit_code: None,
            health: health.map(|it| (it, Some(Timestamp::from_millis(5000)))),
            cpu_units: 0,
            memory_mib: 0,
            started_at: None,
            network_bindings: Vec::new(),
            restarts: 0,
            arn: None,
            secret_log_options: None,
        }
    };
    let task = |text: &str| {
        let (name, containers) = text.split_once(':').unwrap();
        Arc::new(TaskView {
            arn: name.to_owned(),
            family: "demo".to_owned(),
            version: "3".to_owned(),
            desired: DesiredStatus::Running,
            known: ContainerStatus::Running,
            limits: Limits::default(),
            launch_type: None,
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
            containers: containers.split(',').map(|it| container(name, it)).collect(),
        })
    };
    text.split_whitespace().map(task).collect()
}

const READINGS: [Reading; 2] = [
    Reading {
        cpu_percent: None,
        cpu_nanos: 1,
        memory_bytes: 3 * 1024 * 1024 - 1,
        network: None,
        storage: Storage { read_bytes: 0, write_bytes: 1 },
    },
    Reading {
        cpu_percent: Some(12.5),
        cpu_nanos: 2,
        memory_bytes: 5 * 1024 * 1024,
        network: Some(Network {
            rx_bytes: u64::MAX,
            rx_packets: 1,
            rx_errors: 2,
            rx_dropped: 3,
            tx_bytes: 4,
            tx_packets: 5,
            tx_errors: 6,
            tx_dropped: 7,
        }),
        storage: Storage { read_bytes: 8, write_bytes: 9 },
    },
];

fn identity() -> Identity {
    Identity { container_instance_arn: "CI".into(), cluster: "default".into() }
}

fn metrics(text: &str, with_readings: impl Fn(&str) -> bool) -> Vec<PublishMetricsRequest> {
    let (identity, now) = (identity(), Timestamp::from_millis(1_795_455_949_250));
    let round = Round { identity: &identity, message_id: "m", now };
    let take = |id: &str| if with_readings(id) { READINGS.to_vec() } else { Vec::new() };
    round.metrics(&tasks(text), take)
}

#[track_caller]
fn check(messages: &[impl serde::Serialize], expect: Expect) {
    let lines: Vec<_> = messages.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
    expect.assert_eq(&lines.join("\n"));
}

#[test]
fn where_no_task_runs_that_is_said() {
    let idle = metrics("", |_| true);
    check(
        &idle,
        expect![[
            r#"{"metadata":{"cluster":"default","containerInstance":"CI","idle":true,"messageId":"m","fin":true},"timestamp":1795455949.25}"#
        ]],
    );
    assert_eq!(metrics("a:web=STOPPED b:web=CREATED", |_| true), idle);
}

#[test]
fn a_task_is_told_with_what_its_running_containers_use() {
    check(
        &metrics("a:web=RUNNING,log=STOPPED", |_| true),
        expect![[
            r#"{"metadata":{"cluster":"default","containerInstance":"CI","idle":false,"messageId":"m","fin":true},"taskMetrics":[{"taskArn":"a","taskDefinitionFamily":"demo","taskDefinitionVersion":"3","containerMetrics":[{"containerName":"web","cpuStatsSet":{"min":12.5,"max":12.5,"sampleCount":1,"sum":12.5},"memoryStatsSet":{"min":2.0,"max":5.0,"sampleCount":2,"sum":7.0},"networkStatsSet":{"rxBytes":{"min":9223372036854775807,"overflowMin":9223372036854775807,"max":9223372036854775807,"overflowMax":9223372036854775807,"sampleCount":1,"sum":9223372036854775807,"overflowSum":9223372036854775807},"rxDropped":{"min":3,"overflowMin":0,"max":3,"overflowMax":0,"sampleCount":1,"sum":3,"overflowSum":0},"rxErrors":{"min":2,"overflowMin":0,"max":2,"overflowMax":0,"sampleCount":1,"sum":2,"overflowSum":0},"rxPackets":{"min":1,"overflowMin":0,"max":1,"overflowMax":0,"sampleCount":1,"sum":1,"overflowSum":0},"txBytes":{"min":4,"overflowMin":0,"max":4,"overflowMax":0,"sampleCount":1,"sum":4,"overflowSum":0},"txDropped":{"min":7,"overflowMin":0,"max":7,"overflowMax":0,"sampleCount":1,"sum":7,"overflowSum":0},"txErrors":{"min":6,"overflowMin":0,"max":6,"overflowMax":0,"sampleCount":1,"sum":6,"overflowSum":0},"txPackets":{"min":5,"overflowMin":0,"max":5,"overflowMax":0,"sampleCount":1,"sum":5,"overflowSum":0}},"storageStatsSet":{"readSizeBytes":{"min":0,"overflowMin":0,"max":8,"overflowMax":0,"sampleCount":2,"sum":8,"overflowSum":0},"writeSizeBytes":{"min":1,"overflowMin":0,"max":9,"overflowMax":0,"sampleCount":2,"sum":10,"overflowSum":0}}}]}],"timestamp":1795455949.25}"#
        ]],
    );
}

#[test]
fn where_nothing_is_known_yet_nothing_is_said() {
    assert_eq!(metrics("a:web=RUNNING", |_| false), []);
    let messages = metrics("a:web=RUNNING,db=RUNNING b:web=RUNNING", |id| id == "a.db");
    let told = messages[0].task_metrics.as_ref().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].container_metrics.as_ref().unwrap().len(), 1);
}

#[test]
fn a_message_has_at_most_ten_tasks_and_the_last_says_so() {
    let sizes = |tasks: usize| {
        let text: Vec<_> = (0..tasks).map(|it| format!("{it}:web=RUNNING")).collect();
        let messages = metrics(&text.join(" "), |_| true);
        assert!(messages.iter().all(|it| it.metadata.message_id == "m" && !it.metadata.idle));
        let size = |it: &PublishMetricsRequest| it.task_metrics.as_ref().unwrap().len();
        messages.iter().map(|it| (size(it), it.metadata.fin)).collect::<Vec<_>>()
    };
    assert_eq!(sizes(1), [(1, true)]);
    assert_eq!(sizes(10), [(10, true)]);
    assert_eq!(sizes(25), [(10, false), (10, false), (5, true)]);
}

#[test]
fn health_is_told_of_containers_with_checks_once_there_is_a_verdict() {
    let identity = identity();
    let round = |text: &str| {
        let now = Timestamp::from_millis(1_795_455_949_250);
        Round { identity: &identity, message_id: "m", now }.health(&tasks(text))
    };
    assert_eq!(round("a:web=RUNNING b:web=RUNNING/UNKNOWN c:web=STOPPED/HEALTHY"), []);
    let told =
        round("a:web=RUNNING/HEALTHY,db=RUNNING/UNKNOWN,log=RUNNING b:web=RUNNING/UNHEALTHY");
    check(
        &told,
        expect![[
            r#"{"metadata":{"cluster":"default","containerInstance":"CI","messageId":"m","fin":true},"tasks":[{"taskArn":"a","taskDefinitionFamily":"demo","taskDefinitionVersion":"3","containers":[{"containerName":"web","healthStatus":"HEALTHY","statusSince":5.0},{"containerName":"db","healthStatus":"UNKNOWN","statusSince":5.0}]},{"taskArn":"b","taskDefinitionFamily":"demo","taskDefinitionVersion":"3","containers":[{"containerName":"web","healthStatus":"UNHEALTHY","statusSince":5.0}]}],"timestamp":1795455949.25}"#
        ]],
    );
}
