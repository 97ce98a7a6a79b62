use super::*;
use crate::{Timestamp, parse};

#[track_caller]
fn check_round_trip<T: Shape + Serialize + PartialEq + std::fmt::Debug>(text: &str) -> T {
    let parsed = parse::<T>(text.as_bytes()).unwrap();
    assert_eq!(parsed.unknown, []);
    assert_eq!(serde_json::to_string(&parsed.shape).unwrap(), text);
    parsed.shape
}

#[test]
fn a_run_task_request_keeps_what_we_honour_and_names_the_rest() {
    let parsed = parse::<RunTaskRequest>(
        br#"{"taskDefinition":"job","count":2,"clientToken":"t","enableExecuteCommand":false,
            "overrides":{"cpu":"256","executionRoleArn":"r","containerOverrides":[{"name":"main","command":["once"],
            "environmentFiles":[{"type":"s3","value":"v"}]}]},"tags":null}"#,
    )
    .unwrap();
    let paths: Vec<_> = parsed.unknown.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "enableExecuteCommand",
            "overrides.containerOverrides[0].environmentFiles",
            "overrides.executionRoleArn"
        ]
    );
    let main = ContainerOverride {
        name: Some("main".into()),
        command: Some(vec!["once".into()]),
        ..ContainerOverride::default()
    };
    let expect = RunTaskRequest {
        task_definition: Some("job".into()),
        count: Some(2),
        client_token: Some("t".into()),
        overrides: Some(TaskOverride {
            container_overrides: Some(vec![main]),
            cpu: Some("256".into()),
            ..TaskOverride::default()
        }),
        ..RunTaskRequest::default()
    };
    assert_eq!(parsed.shape, expect);
}

#[test]
fn an_override_of_cpu_must_be_a_number() {
    let body = br#"{"overrides":{"containerOverrides":[{"name":"a","cpu":"256"}]}}"#;
    let mismatch = parse::<RunTaskRequest>(body).unwrap_err();
    assert_eq!(mismatch.to_string(), "STRING_VALUE cannot be converted to Integer");
    assert_eq!(mismatch.path(), "overrides.containerOverrides[0].cpu");
}

#[test]
fn absent_members_are_left_out_and_empty_lists_are_kept() {
    check_round_trip::<Task>(r#"{"taskArn":"T","containers":[],"version":1}"#);
    check_round_trip::<RunTaskResponse>(r#"{"tasks":[],"failures":[]}"#);
}

#[test]
fn resources_carry_every_scalar() {
    let cpu: Resource = check_round_trip(
        r#"{"name":"CPU","type":"INTEGER","doubleValue":0.0,"longValue":0,"integerValue":2048}"#,
    );
    assert_eq!(cpu.integer_value, Some(2048));
    check_round_trip::<Resource>(r#"{"name":"PORTS_UDP","type":"STRINGSET","stringSetValue":[]}"#);
}

#[test]
fn times_of_reports_come_with_and_without_a_fraction() {
    let report: SubmitTaskStateChangeRequest =
        serde_json::from_str(r#"{"pullStartedAt":1795455949,"executionStoppedAt":1795456697.312}"#)
            .unwrap();
    assert_eq!(report.pull_started_at, Some(Timestamp::from_millis(1_795_455_949_000)));
    assert_eq!(report.execution_stopped_at, Some(Timestamp::from_millis(1_795_456_697_312)));
}
