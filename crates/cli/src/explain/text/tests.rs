use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(answer: Value, all: bool, expect: Expect) {
    expect.assert_eq(&of(&serde_json::from_value(answer).unwrap(), all));
}

fn arn(id: &str) -> String {
    format!("arn:aws:ecs:us-east-1:123456789012:container-instance/default/{id}")
}

/// An answer about `job:3` with these members.
fn answer(members: Value) -> Value {
    let mut answer = json!({
        "cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/default",
        "taskDefinition": "arn:aws:ecs:us-east-1:123456789012:task-definition/job:3",
        "count": 1, "asOf": 1_500_000_000.0, "placements": [], "unplaced": 0,
        "registered": 3, "suitable": 3, "reasons": [], "nearest": [],
    });
    answer.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    answer
}

fn planned(id: &str, zone: &str) -> Value {
    json!({"containerInstanceArn": arn(id), "attributes": [{"name": "zone", "value": zone}]})
}

#[test]
fn one_task_that_fits_anywhere() {
    check(
        answer(
            json!({"placements": [{"containerInstanceArn": arn("a1"), "ec2InstanceId": "i-01"}]}),
        ),
        false,
        expect![[r#"
            job:3 in cluster default at 2017-07-14 02:40:00Z: the task would be placed.

            TASKS  CONTAINER INSTANCE
                1  a1 (i-01)

            Each of the 3 container instances could take a task.
        "#]],
    );
}

#[test]
fn tasks_are_summed_up_by_instance_and_by_what_is_spread_over() {
    let placements = [("a1", "x"), ("b2", "y"), ("a1", "x"), ("c3", "x")];
    let placements: Vec<_> = placements.iter().map(|(id, zone)| planned(id, zone)).collect();
    check(
        answer(json!({"count": 6, "unplaced": 2, "suitable": 0, "placements": placements,
            "reasons": [
                {"reason": "RESOURCE:MEMORY", "count": 2, "alone": 1,
                 "text": "2 of 3 lack 512 MiB of memory, 1 of them out for another reason also"},
                {"reason": "AGENT", "count": 1, "alone": 0, "text": "1 has no connected agent"},
                {"reason": "DRAINING", "count": 1, "alone": 1, "text": "1 is DRAINING"},
            ],
            "nearest": [
                {"containerInstanceArn": arn("a1"), "changes": ["free 212 MiB of memory"]},
                {"containerInstanceArn": arn("b2"), "ec2InstanceId": "i-02",
                 "changes": ["free TCP 80", "connect its agent"],
                 "taskArns": ["arn:aws:ecs:r:1:task/default/t1", "arn:aws:ecs:r:1:task/default/t2"]},
            ],
        })),
        false,
        expect![[r#"
            job:3 in cluster default at 2017-07-14 02:40:00Z: 4 of 6 tasks would be placed.

            TASKS  CONTAINER INSTANCE
                2  a1  zone=x
                1  b2  zone=y
                1  c3  zone=x

            Tasks by zone: x 3, y 1.

            None of the 3 container instances can take another task:
              2 of 3 lack 512 MiB of memory, 1 of them out for another reason also
              1 has no connected agent
              1 is DRAINING

            What would have to change, where least would:
              a1: free 212 MiB of memory
              b2 (i-02): free TCP 80; connect its agent (tasks t1, t2)
        "#]],
    );
}

#[test]
fn only_some_of_many_instances_are_named() {
    let placements: Vec<_> =
        (0..25).map(|it| json!({"containerInstanceArn": arn(&format!("{it:02}"))})).collect();
    let answer = answer(json!({"count": 25, "registered": 5_000, "suitable": 4_000,
    "placements": placements, "reasons": [
        {"reason": "MemberOf", "count": 1_000, "alone": 1_000,
         "text": "1,000 of 5,000 fail attribute:zone == b"},
    ]}));
    check(
        answer,
        false,
        expect![[r#"
        job:3 in cluster default at 2017-07-14 02:40:00Z: all 25 tasks would be placed.

        TASKS  CONTAINER INSTANCE
            1  00
            1  01
            1  02
            1  03
            1  04
            1  05
            1  06
            1  07
            1  08
            1  09
            1  10
            1  11
            1  12
            1  13
            1  14
            1  15
            1  16
            1  17
            1  18
            1  19
            5  on 5 more instances, which --all names

        4,000 of the 5,000 container instances could take a task. What keeps the others out:
          1,000 of 5,000 fail attribute:zone == b
    "#]],
    );
}

#[test]
fn with_all_each_instance_that_is_out_is_listed_with_all_its_causes() {
    check(
        answer(json!({"unplaced": 1, "registered": 1, "suitable": 0,
            "reasons": [{"reason": "AGENT", "count": 1, "alone": 0, "text": "1 of 1 has no agent"}],
            "excluded": [{"containerInstanceArn": arn("a1"), "causes": [
                {"reason": "AGENT", "detail": "its agent is not connected",
                 "change": "connect its agent"},
                {"reason": "MemberOf placement constraint unsatisfied.",
                 "detail": "attribute:zone == b is false: zone is a.",
                 "change": "attribute:zone would have to be b"},
            ]}],
        })),
        true,
        expect![[r#"
            job:3 in cluster default at 2017-07-14 02:40:00Z: the task would not be placed.

            The only container instance cannot take a task:
              1 of 1 has no agent

            Each container instance that is out:
              a1
                AGENT: its agent is not connected. To change: connect its agent
                MemberOf placement constraint unsatisfied: attribute:zone == b is false: zone is a. To change: attribute:zone would have to be b
        "#]],
    );
}

#[test]
fn a_cluster_without_instances() {
    let answer = answer(json!({"count": 4, "unplaced": 4, "registered": 0, "suitable": 0}));
    check(
        answer,
        false,
        expect![[r#"
        job:3 in cluster default at 2017-07-14 02:40:00Z: none of the 4 tasks would be placed.

        The cluster has no container instance.
    "#]],
    );
}
