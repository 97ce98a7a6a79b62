//! Tags: on which resources, how many, and with which keys.

use longshore_wire::Operation::{
    self, CreateCluster, ListTagsForResource, RegisterContainerInstance, RegisterTaskDefinition,
    RunTask, StartTask, TagResource, UntagResource,
};
use serde_json::{Value, json};

use super::{CLIENT, INVALID, NO_CLUSTER, SERIALIZATION, check, check_accepted, with, world};
use crate::harness::{Machine, World};

const NOT_FOUND: &str = "ResourceNotFoundException";
const LIMIT: &str = "LimitExceededException";
const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

fn arn(resource: &str) -> String {
    format!("arn:aws:ecs:us-east-1:111122223333:{resource}")
}

fn many(from: usize, count: usize) -> Value {
    (from..from + count).map(|it| json!({"key": format!("k{it}"), "value": ""})).collect()
}

/// The three operations with a body that is good but for the resource.
fn each(resource_arn: &str) -> [(Operation, Value); 3] {
    let resource = json!({"resourceArn": resource_arn});
    [
        (TagResource, with(resource.clone(), json!({"tags": [{"key": "a", "value": "b"}]}))),
        (UntagResource, with(resource.clone(), json!({"tagKeys": ["a"]}))),
        (ListTagsForResource, resource),
    ]
}

#[tokio::test]
async fn a_resource_is_named_by_an_arn_of_what_can_have_tags() {
    let world = world().await;
    let task = format!("task/default/{NOBODY}");
    for (resource, exception, message) in [
        (String::new(), INVALID, "resourceArn can not be blank.".to_owned()),
        ("default".into(), INVALID, "Invalid arn syntax: default".into()),
        (
            "arn:aws:s3:::bucket/x".into(),
            INVALID,
            "Invalid arn syntax: arn:aws:s3:::bucket/x".into(),
        ),
        (arn("container/default/a/b"), INVALID, "Unsupported resource type: container".into()),
        (
            arn(&task).replace("111122223333", "444455556666"),
            INVALID,
            "Identifier is for 444455556666. Your accountId is 111122223333".into(),
        ),
        (
            arn(&format!("task/{NOBODY}")),
            INVALID,
            "Long arn format must be used for tagging operations".into(),
        ),
        (
            arn(&format!("container-instance/{NOBODY}")),
            INVALID,
            "Long arn format must be used for tagging operations".into(),
        ),
        (arn("service/web"), INVALID, "Long arn format must be used for tagging operations".into()),
        (arn("task/default/x"), INVALID, "Task Identifier is invalid".into()),
        (
            arn("container-instance/default/x"),
            INVALID,
            "Container Instance Identifier is invalid".into(),
        ),
        (
            arn("task/no blanks/x"),
            INVALID,
            r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was no blanks".into(),
        ),
        (
            arn("task-definition/job"),
            INVALID,
            "Task definition must be specified with its revision.".into(),
        ),
        (arn("cluster/none"), NO_CLUSTER, "Cluster not found.".into()),
        (
            arn("cluster/gone"),
            INVALID,
            "The specified cluster is inactive. Specify an active cluster and try again.".into(),
        ),
    ] {
        for (operation, body) in each(&resource) {
            check(&world, operation, &[(body, exception, &message)]).await;
        }
    }
}

#[tokio::test]
async fn what_is_not_there_has_no_tags() {
    let world = world().await;
    for (resource, what) in [
        (format!("task/default/{NOBODY}"), "task"),
        (format!("container-instance/default/{NOBODY}"), "container instance"),
        ("task-definition/job:2".into(), "task definition"),
        ("service/default/web".into(), "service"),
        ("capacity-provider/FARGATE".into(), "capacity provider"),
    ] {
        let message =
            format!("The specified {what} was not found. Specify a valid {what} and try again.");
        for (operation, body) in each(&arn(&resource)) {
            let exception = if operation == ListTagsForResource { INVALID } else { NOT_FOUND };
            check(&world, operation, &[(body, exception, &message)]).await;
        }
    }
}

#[tokio::test]
async fn what_is_over_keeps_the_tags_it_has() {
    let world = world().await;
    let [tag, untag, list] = each(&arn("task-definition/old:1"));
    const MESSAGE: &str = "The specified task definition is inactive. Specify an active task definition and try again.";
    check(&world, tag.0, &[(tag.1, INVALID, MESSAGE)]).await;
    check(&world, untag.0, &[(untag.1, INVALID, MESSAGE)]).await;
    check_accepted(&world, list.0, &[list.1]).await;
    let agent = world.join(&Machine::default()).await;
    let run = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = run["tasks"][0]["taskArn"].as_str().unwrap();
    world.report(task, "STOPPED").await;
    world.deregister(&agent.instance).await;
    for (resource, message) in [
        (task, "The specified task is stopped. Specify a running task and try again."),
        (
            &*agent.instance,
            "The specified container instance is inactive. Specify an active container instance and try again.",
        ),
    ] {
        let [tag, untag, list] = each(resource);
        check(&world, tag.0, &[(tag.1, INVALID, message)]).await;
        check(&world, untag.0, &[(untag.1, INVALID, message)]).await;
        check_accepted(&world, list.0, &[list.1]).await;
    }
}

/// Tags that no resource can have, with what is said of them.
fn bad_tags() -> Vec<(Value, &'static str)> {
    vec![
        (json!([{"value": "x"}]), "Tag key can not be blank."),
        (json!([{"key": "", "value": "x"}]), "Tag key can not be blank."),
        (json!([{"key": "k".repeat(129)}]), "Tag key longer than 128."),
        (json!([{"key": "k", "value": "v".repeat(257)}]), "Tag value longer than 256."),
        (
            json!([{"key": "a#b"}]),
            "Tag 'a#b' contains invalid characters. Letters, digits, spaces and _ . : / = + - @ are allowed.",
        ),
        (json!([{"key": "aws:ecs:clusterName"}]), "Tag keys that begin with 'aws:' are reserved."),
        (json!([{"key": "AWS:x"}]), "Tag keys that begin with 'aws:' are reserved."),
        (json!([{"key": "a"}, {"key": "a"}]), "Tag key 'a' is given more than once."),
        (many(0, 51), "Maximum number of tags is 50"),
    ]
}

async fn check_tags(world: &World, operation: Operation, good: Value, exception: &str) {
    for (tags, message) in bad_tags() {
        let body = with(good.clone(), json!({"tags": tags}));
        check(world, operation, &[(body, exception, message)]).await;
    }
    let body = with(good.clone(), json!({"tags": {}}));
    let message = "Start of structure or map found where not expected. (at tags)";
    check(world, operation, &[(body, SERIALIZATION, message)]).await;
    let longest = json!([{"key": "é".repeat(128), "value": "é".repeat(256)}, {"key": "no value"}]);
    for tags in [json!(null), json!([]), longest] {
        check_accepted(world, operation, &[with(good.clone(), json!({"tags": tags}))]).await;
    }
}

#[tokio::test]
async fn tags_are_checked_wherever_they_come_in() {
    let world = world().await;
    let job = arn("task-definition/job:1");
    check_tags(&world, CreateCluster, json!({}), INVALID).await;
    check_tags(&world, RunTask, json!({"taskDefinition": "job"}), INVALID).await;
    let start = json!({"taskDefinition": "job", "containerInstances": [NOBODY]});
    check_tags(&world, StartTask, start, INVALID).await;
    let main = json!({"name": "main", "image": "busybox", "memory": 64});
    let register = json!({"family": "f", "containerDefinitions": [main]});
    check_tags(&world, RegisterTaskDefinition, register, CLIENT).await;
    check_tags(&world, RegisterContainerInstance, Machine::default().registration(), CLIENT).await;
    for (tags, message) in bad_tags() {
        let body = json!({"resourceArn": job, "tags": tags});
        check(&world, TagResource, &[(body, INVALID, message)]).await;
    }
    let none = json!({"resourceArn": job});
    check(&world, TagResource, &[(none.clone(), INVALID, "tags can not be blank.")]).await;
    check(&world, UntagResource, &[(none, INVALID, "tagKeys can not be blank.")]).await;
}

#[tokio::test]
async fn managed_tags_are_not_for_callers_to_remove() {
    let world = world().await;
    let body = |key: &str| json!({"resourceArn": arn("task-definition/job:1"), "tagKeys": [key]});
    check(
        &world,
        UntagResource,
        &[
            (body("aws:ecs:clusterName"), INVALID, "Tag keys that begin with 'aws:' are reserved."),
            (body(""), INVALID, "Tag key can not be blank."),
            (body(&"k".repeat(129)), INVALID, "Tag key longer than 128."),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_resource_has_at_most_fifty_tags_however_they_come() {
    let world = world().await;
    let _agent = world.join(&Machine::default()).await;
    let job = arn("task-definition/job:1");
    world.ask(TagResource, json!({"resourceArn": job, "tags": many(0, 50)})).await;
    let more = json!({"resourceArn": job, "tags": many(49, 2)});
    check(&world, TagResource, &[(more, LIMIT, "Maximum number of tags is 50")]).await;
    let again = json!({"resourceArn": job, "tags": many(10, 20)});
    check_accepted(&world, TagResource, &[again]).await;
    let run = json!({
        "taskDefinition": "job", "propagateTags": "TASK_DEFINITION", "tags": many(50, 1)
    });
    check(&world, RunTask, &[(run, INVALID, "Maximum number of tags is 50")]).await;
    let run = json!({
        "taskDefinition": "job", "propagateTags": "TASK_DEFINITION", "enableECSManagedTags": true
    });
    check_accepted(&world, RunTask, &[run]).await;
}

#[tokio::test]
async fn a_task_takes_tags_over_from_its_definition_or_from_nobody() {
    let world = world().await;
    let start = json!({"taskDefinition": "job", "containerInstances": [NOBODY]});
    for (operation, good) in [(RunTask, json!({"taskDefinition": "job"})), (StartTask, start)] {
        let body = |text: &str| with(good.clone(), json!({"propagateTags": text}));
        check(&world, operation, &[
            (body("SERVICE"), INVALID, "Tags cannot be propagated from a service to a task that no service starts. Use TASK_DEFINITION or NONE."),
            (body("none"), INVALID, "propagateTags should be one of [TASK_DEFINITION,SERVICE,NONE]"),
        ])
        .await;
        check_accepted(&world, operation, &[body(""), body("NONE"), body("TASK_DEFINITION")]).await;
    }
}
