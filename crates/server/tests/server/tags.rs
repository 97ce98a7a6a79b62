//! Tags on everything that can have them, from creation to a restart.

use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation::{
    CreateCluster, DescribeClusters, DescribeContainerInstances, DescribeTaskDefinition,
    DescribeTasks, ListTagsForResource, RegisterContainerInstance, RegisterTaskDefinition, RunTask,
    StartTask, TagResource, UntagResource,
};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine, World};

/// Tags from a line such as `stack=prod empty=`.
fn tags(line: &str) -> Value {
    let tag = |it: &str| {
        let (key, value) = it.split_once('=').unwrap();
        json!({"key": key, "value": value})
    };
    line.split_whitespace().map(tag).collect()
}

async fn list(world: &World, arn: &str) -> Value {
    world.ask(ListTagsForResource, json!({"resourceArn": arn})).await["tags"].clone()
}

/// A fleet with the definition `job:1`, which has tags of its own.
async fn fleet() -> Fleet {
    let fleet = Fleet::of(&[Machine::default()]).await;
    let main = json!({"name": "main", "image": "busybox", "memory": 4});
    let body = json!({
        "family": "job", "containerDefinitions": [main], "tags": tags("team=red stack=test")
    });
    let answer = fleet.world.ask(RegisterTaskDefinition, body).await;
    assert_eq!(answer["tags"], tags("team=red stack=test"));
    fleet
}

/// The one task of an answer.
fn task(answer: &Value) -> (&str, &Value) {
    let task = &answer["tasks"][0];
    (task["taskArn"].as_str().unwrap(), &task["tags"])
}

#[tokio::test]
async fn every_resource_is_created_with_its_tags_and_shows_them_when_asked() {
    let fleet = fleet().await;
    let world = &fleet.world;
    let body = json!({"clusterName": "blue", "tags": tags("a=1 b=")});
    let cluster = world.ask(CreateCluster, body).await["cluster"].clone();
    assert_eq!(cluster["tags"], tags("a=1 b="));
    let mut registration = Machine::default().registration();
    registration["tags"] = tags("rack=7");
    let instance = world.ask(RegisterContainerInstance, registration).await;
    let instance = &instance["containerInstance"];
    assert_eq!(instance["tags"], tags("rack=7"));
    let run = json!({"taskDefinition": "job", "tags": tags("c=3")});
    let run = world.ask(RunTask, run).await;
    let (run, shown) = task(&run);
    assert_eq!(shown, &tags("c=3"));
    let start = json!({
        "taskDefinition": "job", "containerInstances": [fleet.arn('a')], "tags": tags("d=4")
    });
    let start = world.ask(StartTask, start).await;
    let (start, _) = task(&start);
    let definition = "arn:aws:ecs:us-east-1:111122223333:task-definition/job:1";
    let instance = instance["containerInstanceArn"].as_str().unwrap();
    for (arn, operation, mut body, shown, expected) in [
        (
            cluster["clusterArn"].as_str().unwrap(),
            DescribeClusters,
            json!({"clusters": ["blue"]}),
            "/clusters/0/tags",
            "a=1 b=",
        ),
        (
            definition,
            DescribeTaskDefinition,
            json!({"taskDefinition": "job"}),
            "/tags",
            "team=red stack=test",
        ),
        (
            instance,
            DescribeContainerInstances,
            json!({"containerInstances": [instance]}),
            "/containerInstances/0/tags",
            "rack=7",
        ),
        (run, DescribeTasks, json!({"tasks": [run]}), "/tasks/0/tags", "c=3"),
        (start, DescribeTasks, json!({"tasks": [start]}), "/tasks/0/tags", "d=4"),
    ] {
        assert_eq!(list(world, arn).await, tags(expected), "{arn}");
        assert_eq!(world.ask(operation, body.clone()).await.pointer(shown), None, "{operation}");
        body["include"] = json!(["TAGS"]);
        let answer = world.ask(operation, body.clone()).await;
        assert_eq!(answer.pointer(shown), Some(&tags(expected)), "{operation}");
        world.ask(UntagResource, json!({"resourceArn": arn, "tagKeys": keys(expected)})).await;
        let answer = world.ask(operation, body).await;
        assert_eq!(answer.pointer(shown), Some(&json!([])), "{operation}");
    }
}

fn keys(line: &str) -> Vec<&str> {
    line.split_whitespace().map(|it| it.split_once('=').unwrap().0).collect()
}

#[tokio::test]
async fn tags_come_go_and_change_and_nothing_else_does() {
    let fleet = fleet().await;
    let world = &fleet.world;
    let answer = world.ask(RunTask, json!({"taskDefinition": "job", "count": 2})).await;
    let arns = [0, 1].map(|at| answer["tasks"][at]["taskArn"].as_str().unwrap().to_owned());
    let before = world.task(&arns[0]).await;
    let put = async |line| {
        world.ask(TagResource, json!({"resourceArn": arns[0], "tags": tags(line)})).await;
    };
    put("a=1 b=2").await;
    put("b=3 c=").await;
    put("").await;
    assert_eq!(list(world, &arns[0]).await, tags("a=1 b=3 c="));
    world.ask(UntagResource, json!({"resourceArn": arns[0], "tagKeys": ["a", "none"]})).await;
    assert_eq!(list(world, &arns[0]).await, tags("b=3 c="));
    assert_eq!(list(world, &arns[1]).await, tags(""), "the other task of the call has its own");
    assert_eq!(world.task(&arns[0]).await, before, "version and all");
}

#[tokio::test]
async fn a_task_takes_over_its_definition_s_tags_when_that_is_asked_for() {
    let fleet = fleet().await;
    let instances = json!([fleet.arn('a')]);
    for (mut body, expected) in [
        (json!({}), None),
        (json!({"propagateTags": "NONE", "enableECSManagedTags": false}), None),
        (json!({"propagateTags": "TASK_DEFINITION"}), Some("team=red stack=test")),
        (
            json!({"propagateTags": "TASK_DEFINITION", "tags": tags("stack=prod a=1")}),
            Some("team=red stack=prod a=1"),
        ),
        (json!({"enableECSManagedTags": true}), Some("aws:ecs:clusterName=default")),
        (
            json!({"enableECSManagedTags": true, "tags": tags("a=1")}),
            Some("a=1 aws:ecs:clusterName=default"),
        ),
    ] {
        body["taskDefinition"] = json!("job");
        let run = fleet.world.ask(RunTask, body.clone()).await;
        let expected = expected.map_or(Value::Null, tags);
        assert_eq!(*task(&run).1, expected, "{body}");
        body["containerInstances"] = instances.clone();
        let start = fleet.world.ask(StartTask, body.clone()).await;
        assert_eq!(*task(&start).1, expected, "{body}");
    }
}

#[tokio::test]
async fn an_instance_that_registers_again_keeps_what_others_put_on_it() {
    let fleet = fleet().await;
    let world = &fleet.world;
    let arn = fleet.arn('a');
    world.ask(TagResource, json!({"resourceArn": arn, "tags": tags("rack=7 by=hand")})).await;
    let mut again = Machine::default().registration();
    again["containerInstanceArn"] = json!(arn);
    world.ask(RegisterContainerInstance, again.clone()).await;
    assert_eq!(list(world, arn).await, tags("rack=7 by=hand"));
    again["tags"] = tags("rack=8 role=gpu");
    world.ask(RegisterContainerInstance, again).await;
    assert_eq!(list(world, arn).await, tags("rack=8 by=hand role=gpu"));
}

#[tokio::test]
async fn a_cluster_that_is_there_keeps_its_tags_when_it_is_created_again() {
    let world = World::start().await;
    for line in ["a=1", "a=2 b=3"] {
        let body = json!({"clusterName": "blue", "tags": tags(line)});
        assert_eq!(world.ask(CreateCluster, body).await["cluster"]["tags"], tags("a=1"));
    }
}

#[tokio::test]
async fn tags_outlast_a_restart() {
    let journal = MemoryJournal::default();
    let world = World::over(Store::open(journal.clone()).unwrap()).await;
    let agent = world.join(&Machine::default()).await;
    world.define("job", json!({"memory": 4})).await;
    let body = json!({
        "taskDefinition": "job", "count": 2, "tags": tags("a=1"), "enableECSManagedTags": true
    });
    let answer = world.ask(RunTask, body).await;
    let arns = [0, 1].map(|at| answer["tasks"][at]["taskArn"].as_str().unwrap().to_owned());
    world.ask(TagResource, json!({"resourceArn": arns[1], "tags": tags("b=2")})).await;
    world.ask(TagResource, json!({"resourceArn": agent.instance, "tags": tags("c=3")})).await;
    world.request_shutdown();
    world.end().await.unwrap();
    let world = World::over(Store::open(journal).unwrap()).await;
    assert_eq!(list(&world, &arns[0]).await, tags("a=1 aws:ecs:clusterName=default"));
    assert_eq!(list(&world, &arns[1]).await, tags("a=1 aws:ecs:clusterName=default b=2"));
    assert_eq!(list(&world, &agent.instance).await, tags("c=3"));
}
