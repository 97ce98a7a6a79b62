//! Custom attributes: what they last through, what they select, how they are listed.

use longshore_wire::Operation::{
    DeleteAttributes, ListAttributes, PutAttributes, RegisterContainerInstance, RunTask,
};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

async fn put(fleet: &Fleet, letter: char, name: &str, value: &str) {
    let attribute = json!({"name": name, "value": value, "targetId": fleet.arn(letter)});
    let answer = fleet.world.ask(PutAttributes, json!({"attributes": [attribute]})).await;
    assert_eq!(answer["attributes"], json!([attribute]));
}

/// The attributes asked for, as `a.stack=prod`, in pages of this size.
async fn listed(fleet: &Fleet, size: usize, body: Value) -> String {
    let mut all: Vec<String> = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut body = body.clone();
        body["targetType"] = json!("container-instance");
        body["maxResults"] = json!(size);
        body["nextToken"] = token;
        let answer = fleet.world.ask(ListAttributes, body).await;
        for it in answer["attributes"].as_array().unwrap() {
            let letter = ('a'..).find(|letter| it["targetId"] == fleet.arn(*letter)).unwrap();
            let value = it["value"].as_str().map(|it| format!("={it}")).unwrap_or_default();
            all.push(format!("{letter}.{}{value}", it["name"].as_str().unwrap()));
        }
        token = answer["nextToken"].clone();
        if token.is_null() {
            return all.join(" ");
        }
    }
}

fn bare() -> Machine {
    Machine { capabilities: &[], ..Machine::default() }
}

#[tokio::test]
async fn placement_sees_an_attribute_at_once() {
    let fleet = Fleet::of(&[bare(), bare()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    let constraint = json!([{"type": "memberOf", "expression": "attribute:stack == prod"}]);
    let body = json!({"taskDefinition": "job", "placementConstraints": constraint});
    put(&fleet, 'b', "stack", "prod").await;
    fleet.check(RunTask, body.clone(), "b").await;
    put(&fleet, 'b', "stack", "test").await;
    put(&fleet, 'a', "stack", "prod").await;
    fleet.check(RunTask, body, "a").await;
}

#[tokio::test]
async fn custom_attributes_last_when_the_agent_registers_again() {
    let fleet = Fleet::of(&[Machine { attributes: &["rack=1"], ..bare() }]).await;
    put(&fleet, 'a', "stack", "prod").await;
    put(&fleet, 'a', "rack", "2").await;
    let version = fleet.world.instance(fleet.arn('a')).await["version"].as_i64().unwrap();
    let mut again = bare().registration();
    again["containerInstanceArn"] = json!(fleet.arn('a'));
    again["attributes"] = json!([{"name": "ecs.os-type", "value": "linux"}]);
    fleet.world.ask(RegisterContainerInstance, again.clone()).await;
    let expected = "a.ecs.os-type=linux a.rack=2 a.stack=prod";
    assert_eq!(listed(&fleet, 100, json!({})).await, expected);
    // What the agent sends counts, for it ends when it does not find it in the answer.
    again["attributes"] = json!([{"name": "rack", "value": "3"}]);
    let answer = fleet.world.ask(RegisterContainerInstance, again).await;
    let shown = json!([{"name": "rack", "value": "3"}, {"name": "stack", "value": "prod"}]);
    assert_eq!(answer["containerInstance"]["attributes"], shown);
    assert_eq!(answer["containerInstance"]["version"], version + 2);
}

#[tokio::test]
async fn attributes_are_listed_by_instance_and_name_in_pages() {
    let fleet = Fleet::of(&[
        Machine { attributes: &["stack=prod", "rack", "a=1"], ..bare() },
        Machine { attributes: &[], ..bare() },
        Machine { attributes: &["stack=test", "rack=7"], ..bare() },
    ])
    .await;
    for size in [1, 2, 3, 100] {
        for (body, expected) in [
            (json!({}), "a.a=1 a.rack a.stack=prod c.rack=7 c.stack=test"),
            (json!({"attributeName": "rack"}), "a.rack c.rack=7"),
            (json!({"attributeName": "stack", "attributeValue": "test"}), "c.stack=test"),
            (json!({"attributeName": "rack", "attributeValue": "8"}), ""),
            (json!({"attributeName": "nothing"}), ""),
        ] {
            assert_eq!(listed(&fleet, size, body.clone()).await, expected, "{body} {size}");
        }
    }
    fleet.world.deregister(fleet.arn('a')).await;
    assert_eq!(listed(&fleet, 1, json!({})).await, "c.rack=7 c.stack=test");
}

#[tokio::test]
async fn deleting_says_what_was_there() {
    let fleet = Fleet::of(&[Machine { attributes: &["stack=prod", "rack"], ..bare() }]).await;
    let of = |name: &str| json!({"name": name, "targetId": fleet.arn('a')});
    let other_value = json!({"name": "stack", "value": "test", "targetId": fleet.arn('a')});
    let before = fleet.world.state().revision();
    for absent in [of("nothing"), other_value] {
        let answer = fleet.world.ask(DeleteAttributes, json!({"attributes": [absent]})).await;
        assert_eq!(answer, json!({"attributes": []}));
    }
    assert_eq!(fleet.world.state().revision(), before);
    let both = json!({"attributes": [of("rack"), of("stack")]});
    let answer = fleet.world.ask(DeleteAttributes, both).await;
    let stack = json!({"name": "stack", "value": "prod", "targetId": fleet.arn('a')});
    assert_eq!(answer, json!({"attributes": [of("rack"), stack]}));
    assert_eq!(listed(&fleet, 100, json!({})).await, "");
}
