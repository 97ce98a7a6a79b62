//! Account settings, and what the ones on ARNs do.

use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation::{
    DeleteAccountSetting, DescribeContainerInstances, DescribeTasks, ListAccountSettings,
    ListContainerInstances, ListTasks, PutAccountSetting, PutAccountSettingDefault,
    RegisterContainerInstance, RunTask, StartTask, StopTask, SubmitContainerStateChange,
};
use serde_json::{Value, json};

use crate::harness::{Machine, World};

const ROOT: &str = "arn:aws:iam::111122223333:root";
const PREFIX: &str = "arn:aws:ecs:us-east-1:111122223333:";

/// What a list shows, in a line.
async fn list(world: &World, body: Value) -> String {
    let answer = world.ask(ListAccountSettings, body).await;
    let text = |it: &Value, member: &str| it[member].as_str().unwrap().to_owned();
    let shown = answer["settings"].as_array().unwrap().iter().map(|it| {
        assert_eq!(it["principalArn"], ROOT);
        format!("{}={}", text(it, "name"), text(it, "value"))
    });
    shown.collect::<Vec<_>>().join(" ")
}

async fn put(world: &World, name: &str, value: &str) {
    world.ask(PutAccountSetting, json!({"name": name, "value": value})).await;
}

#[tokio::test]
async fn a_setting_is_what_was_put_until_it_is_deleted() {
    let world = World::start().await;
    let name = "taskLongArnFormat";
    let effective = json!({"name": name, "effectiveSettings": true});
    assert_eq!(list(&world, effective.clone()).await, "taskLongArnFormat=enabled");
    assert_eq!(list(&world, json!({"name": name})).await, "");
    let body = json!({"name": name, "value": "disabled", "principalArn": ROOT});
    let answer = world.ask(PutAccountSetting, body).await;
    let expected = json!({"name": name, "value": "disabled", "principalArn": ROOT, "type": "user"});
    assert_eq!(answer["setting"], expected);
    assert_eq!(list(&world, json!({})).await, "taskLongArnFormat=disabled");
    assert_eq!(list(&world, effective.clone()).await, "taskLongArnFormat=disabled");
    assert_eq!(list(&world, json!({"name": name, "value": "enabled"})).await, "");
    let body = json!({"name": name, "value": "enabled"});
    world.ask(PutAccountSettingDefault, body).await;
    assert_eq!(list(&world, json!({})).await, "taskLongArnFormat=enabled");
    let answer = world.ask(DeleteAccountSetting, json!({"name": name})).await;
    assert_eq!(answer["setting"]["value"], "enabled");
    assert_eq!(list(&world, json!({})).await, "");
    assert_eq!(list(&world, effective).await, "taskLongArnFormat=enabled");
}

#[tokio::test]
async fn what_is_not_there_stands_at_what_is_so_and_may_be_put_there() {
    let world = World::start().await;
    for (name, value) in [
        ("containerInsights", "disabled"),
        ("awsvpcTrunking", "disabled"),
        ("fargateFIPSMode", "disabled"),
        ("tagResourceAuthorization", "off"),
        ("fargateTaskRetirementWaitPeriod", "7"),
        ("defaultLogDriverMode", "blocking"),
    ] {
        let effective = json!({"name": name, "effectiveSettings": true});
        assert_eq!(list(&world, effective).await, format!("{name}={value}"));
        put(&world, name, value).await;
        assert_eq!(list(&world, json!({"name": name})).await, format!("{name}={value}"));
    }
    let managed = json!({"name": "guardDutyActivate", "effectiveSettings": true});
    let answer = world.ask(ListAccountSettings, managed).await;
    assert_eq!(answer["settings"][0]["type"], "aws_managed");
}

#[tokio::test]
async fn pages_cover_every_setting_once() {
    let world = World::start().await;
    for size in [1, 3, 10] {
        let mut token = Value::Null;
        let mut names = Vec::new();
        loop {
            let body = json!({"effectiveSettings": true, "maxResults": size, "nextToken": token});
            let answer = world.ask(ListAccountSettings, body).await;
            let page = answer["settings"].as_array().unwrap();
            assert!(page.len() <= size);
            names.extend(page.iter().map(|it| it["name"].as_str().unwrap().to_owned()));
            token = answer["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(names.len(), 10);
        names.dedup();
        assert_eq!(names.len(), 10);
    }
}

/// Whether an ARN of this kind has the form of 2017.
fn is_short(arn: &Value, kind: &str) -> bool {
    let rest = arn.as_str().unwrap().strip_prefix(PREFIX).unwrap();
    let id = rest.strip_prefix(kind).unwrap().strip_prefix('/').unwrap();
    let long = id.contains("default/");
    assert_eq!(long, !(id.len() == 36 && id.matches('-').count() == 4), "{arn}");
    !long
}

#[tokio::test]
async fn a_world_of_2017_has_short_arns_from_end_to_end() {
    let world = World::start().await;
    put(&world, "taskLongArnFormat", "disabled").await;
    put(&world, "containerInstanceLongArnFormat", "disabled").await;
    let answer = world.ask(RegisterContainerInstance, Machine::default().registration()).await;
    let instance = answer["containerInstance"]["containerInstanceArn"].clone();
    assert!(is_short(&instance, "container-instance"));
    let mut agent = world.connect(instance.as_str().unwrap()).await;
    world.define("job", json!({"memory": 4})).await;
    let run = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = run["tasks"][0].clone();
    assert!(is_short(&task["taskArn"], "task"));
    assert!(is_short(&task["containers"][0]["containerArn"], "container"));
    assert_eq!(task["containers"][0]["taskArn"], task["taskArn"]);
    assert_eq!(task["containerInstanceArn"], instance);
    let start = json!({"taskDefinition": "job", "containerInstances": [instance]});
    let start = world.ask(StartTask, start).await;
    assert!(is_short(&start["tasks"][0]["taskArn"], "task"));
    let payload = agent.payload().await;
    assert_eq!(payload.container_instance_arn, instance);
    assert_eq!(payload.tasks[0].arn, task["taskArn"]);
    let report = json!({
        "cluster": "default", "task": task["taskArn"], "containerName": "main",
        "status": "RUNNING"
    });
    world.ask(SubmitContainerStateChange, report).await;
    let arn = task["taskArn"].as_str().unwrap();
    world.report(arn, "RUNNING").await;
    let id = arn.rsplit('/').next().unwrap();
    let long = format!("{PREFIX}task/default/{}", id.replace('-', ""));
    for name in [arn, id, &long] {
        let shown = world.task(name).await;
        assert_eq!(shown["taskArn"], arn, "{name}");
        assert_eq!(shown["lastStatus"], "RUNNING");
    }
    let listed = world.ask(ListTasks, json!({"containerInstance": instance})).await;
    assert_eq!(listed["taskArns"][0], arn);
    let listed = world.ask(ListContainerInstances, json!({})).await;
    assert_eq!(listed["containerInstanceArns"], json!([instance]));
    let stopped = world.ask(StopTask, json!({"task": arn})).await;
    assert_eq!(stopped["task"]["taskArn"], arn);
    let mut again = Machine::default().registration();
    again["containerInstanceArn"] = instance.clone();
    let again = world.ask(RegisterContainerInstance, again).await;
    assert_eq!(again["containerInstance"]["containerInstanceArn"], instance);
}

#[tokio::test]
async fn the_form_is_settled_when_a_resource_is_created() {
    let journal = MemoryJournal::default();
    let world = World::over(Store::open(journal.clone()).unwrap()).await;
    world.define("job", json!({"memory": 4})).await;
    let agent = world.join(&Machine::default()).await;
    let run = async |world: &World| {
        let answer = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
        answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
    };
    let long = run(&world).await;
    put(&world, "taskLongArnFormat", "disabled").await;
    let short = run(&world).await;
    let nobody = "0b69d5c0-d655-4695-98cd-5d2d526d9d5a";
    let missing = world.ask(DescribeTasks, json!({"tasks": [nobody]})).await;
    assert_eq!(missing["failures"][0]["arn"], format!("{PREFIX}task/{nobody}"));
    let missing =
        world.ask(DescribeContainerInstances, json!({"containerInstances": [nobody]})).await;
    let id = nobody.replace('-', "");
    assert_eq!(
        missing["failures"][0]["arn"],
        format!("{PREFIX}container-instance/default/{id}"),
        "that is another setting"
    );
    world.request_shutdown();
    world.end().await.unwrap();
    let world = World::over(Store::open(journal).unwrap()).await;
    let _agent = world.connect(&agent.instance).await;
    for (arn, expected) in [(&long, false), (&short, true), (&run(&world).await, true)] {
        assert_eq!(is_short(&world.task(arn).await["taskArn"], "task"), expected);
    }
    world.ask(DeleteAccountSetting, json!({"name": "taskLongArnFormat"})).await;
    assert!(!is_short(&json!(run(&world).await), "task"));
}
