use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(answer: Value, expect: Expect) {
    expect.assert_eq(&text(&serde_json::from_value(answer).unwrap()));
}

#[test]
fn a_failure_is_a_line_and_the_latest_comes_first() {
    check(
        json!({
            "cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/default",
            "asOf": 1_500_000_000.0, "calls": 1_240, "forgotten": 3,
            "failures": [
                {
                    "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/job:3",
                    "group": "family:job", "startedBy": "cron", "calls": 1_236,
                    "firstAt": 1_499_900_000.0, "lastAt": 1_500_000_000.0, "count": 2,
                    "reasons": [
                        {"reason": "RESOURCE:MEMORY", "count": 3},
                        {"reason": "MemberOf placement constraint unsatisfied.", "count": 1},
                    ],
                },
                {
                    "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/web:12",
                    "group": "blue", "calls": 1,
                    "firstAt": 1_499_900_000.0, "lastAt": 1_499_900_000.0, "count": 1,
                    "reasons": [],
                },
            ],
        }),
        expect![[r#"
            Cluster default: 1,240 RunTask calls could place nothing.

            LAST                  FIRST                 CALLS  TASK DEFINITION  GROUP       STARTED BY  TASKS  WHY
            2017-07-14 02:40:00Z  2017-07-12 22:53:20Z  1,236  job:3            family:job  cron        2      RESOURCE:MEMORY on 3 instances, MemberOf placement constraint unsatisfied on 1 instance
            2017-07-12 22:53:20Z  2017-07-12 22:53:20Z  1      web:12           blue        -           1      no ACTIVE container instance

            3 of the calls are not listed: failures are forgotten a week after they last happened, or when a hundred later ones are remembered.
        "#]],
    );
}

#[test]
fn a_cluster_without_failures_says_so() {
    let cluster = "arn:aws:ecs:us-east-1:123456789012:cluster/default";
    check(
        json!({"cluster": cluster, "calls": 0, "forgotten": 0, "failures": []}),
        expect![[r#"
            Cluster default: no RunTask call has been unable to place anything.
        "#]],
    );
    check(
        json!({"cluster": cluster, "calls": 1, "forgotten": 1, "failures": []}),
        expect![[r#"
            Cluster default: 1 RunTask call could place nothing.

            1 of the calls is not listed: failures are forgotten a week after they last happened, or when a hundred later ones are remembered.
        "#]],
    );
}
