//! PutAttributes, DeleteAttributes and ListAttributes.

use longshore_wire::Operation::{
    DeleteAttributes, ListAttributes, PutAttributes, RegisterContainerInstance,
};
use serde_json::{Value, json};

use super::{INVALID, NO_CLUSTER, check, check_accepted, with, world};
use crate::harness::{Machine, World};

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";
const NO_TARGET: &str = "TargetNotFoundException";

fn body(attribute: Value) -> Value {
    json!({"attributes": [attribute]})
}

async fn instance(world: &World) -> String {
    world.register(&Machine::default()).await
}

#[tokio::test]
async fn an_attribute_has_a_valid_name_value_and_target() {
    const NAME: &str = "Attribute name must be 1 to 128 letters, digits, hyphens, underscores, periods, slashes and backslashes.";
    const VALUE: &str = "Attribute value must be at most 128 letters, digits, hyphens, underscores, periods, at signs, slashes, backslashes, colons and spaces, without spaces at either end.";
    const TYPE: &str = "targetType should be one of [container-instance]";
    let world = world().await;
    let arn = instance(&world).await;
    let good = json!({"name": "stack", "value": "prod", "targetId": arn});
    let changed = |members: Value| body(with(good.clone(), members));
    let elsewhere = format!("arn:aws:ecs:us-east-1:111122223333:container-instance/batch/{NOBODY}");
    let reserved = |name: &str| {
        format!(
            "Attribute name {name} is reserved: names beginning 'ecs.', 'com.amazonaws.' or 'io.longshore.' are not custom attributes."
        )
    };
    let rows = [
        (json!({}), INVALID, "attributes can not be empty"),
        (json!({"attributes": []}), INVALID, "attributes can not be empty"),
        (
            json!({"attributes": vec![good.clone(); 11]}),
            INVALID,
            "attributes can have at most 10 items.",
        ),
        (json!({"attributes": vec![good.clone(); 2]}), INVALID, "Attribute stack is there twice."),
        (changed(json!({"name": null})), INVALID, NAME),
        (changed(json!({"name": ""})), INVALID, NAME),
        (changed(json!({"name": "a b"})), INVALID, NAME),
        (changed(json!({"name": "x".repeat(129)})), INVALID, NAME),
        (changed(json!({"value": "a,b"})), INVALID, VALUE),
        (changed(json!({"value": "x".repeat(129)})), INVALID, VALUE),
        (changed(json!({"value": " prod"})), INVALID, VALUE),
        (changed(json!({"name": "ecs.os-type"})), INVALID, &reserved("ecs.os-type")),
        (changed(json!({"name": "com.amazonaws.x"})), INVALID, &reserved("com.amazonaws.x")),
        (changed(json!({"targetId": null})), INVALID, "targetId can not be blank."),
        (
            changed(json!({"targetId": NOBODY})),
            INVALID,
            "targetType can not be blank, unless targetId is a full ARN.",
        ),
        (changed(json!({"targetType": "cluster"})), INVALID, TYPE),
        (
            changed(json!({"targetType": "container-instance", "targetId": "nonsense"})),
            INVALID,
            "Container Instance Identifier is invalid",
        ),
        (
            changed(json!({"targetId": elsewhere})),
            INVALID,
            "Invalid identifier: Identifier is for cluster batch. Your cluster is default",
        ),
        (
            changed(json!({"targetType": "container-instance", "targetId": NOBODY})),
            NO_TARGET,
            "Could not find 0b69d5c0d655469598cd5d2d526d9d5a",
        ),
        (
            with(body(good.clone()), json!({"cluster": "elsewhere"})),
            INVALID,
            "Invalid identifier: Identifier is for cluster default. Your cluster is elsewhere",
        ),
        (
            with(
                changed(json!({"targetType": "container-instance", "targetId": NOBODY})),
                json!({"cluster": "elsewhere"}),
            ),
            NO_CLUSTER,
            "Cluster not found.",
        ),
    ];
    for operation in [PutAttributes, DeleteAttributes] {
        check(&world, operation, &rows).await;
    }
    check_accepted(&world, PutAttributes, &[body(good.clone())]).await;
    check_accepted(&world, DeleteAttributes, &[body(good)]).await;
}

#[tokio::test]
async fn all_attributes_are_put_or_none() {
    let world = world().await;
    let arn = instance(&world).await;
    let put = |target: &str| json!({"name": "stack", "value": "prod", "targetId": target});
    let gone = instance(&world).await;
    world.deregister(&gone).await;
    let message = format!("Could not find {}", gone.rsplit('/').next().unwrap());
    let both = json!({"attributes": [put(&arn), put(&gone)]});
    check(&world, PutAttributes, &[(both.clone(), NO_TARGET, &message)]).await;
    check(&world, DeleteAttributes, &[(both, NO_TARGET, &message)]).await;
}

/// Those of the agent do not count.
#[tokio::test]
async fn an_instance_has_at_most_ten_custom_attributes() {
    const TOO_MANY: &str = "A container instance can have at most 10 custom attributes.";
    let world = world().await;
    let arn = instance(&world).await;
    let put = |numbers: std::ops::Range<usize>| {
        let one = |it| json!({"name": format!("a{it}"), "targetId": arn});
        json!({"attributes": numbers.map(one).collect::<Vec<_>>()})
    };
    check_accepted(&world, PutAttributes, &[put(0..9)]).await;
    let row = (put(9..11), "AttributeLimitExceededException", TOO_MANY);
    check(&world, PutAttributes, &[row]).await;
    check_accepted(&world, PutAttributes, &[put(9..10), put(0..10)]).await;
    let row = (put(10..11), "AttributeLimitExceededException", TOO_MANY);
    check(&world, PutAttributes, &[row]).await;
}

#[tokio::test]
async fn a_list_of_attributes_is_of_one_kind_of_target() {
    let world = world().await;
    let of = |members: Value| with(json!({"targetType": "container-instance"}), members);
    let mut machine = Machine::default().registration();
    machine["attributes"] = json!([{"name": "a"}, {"name": "b"}]);
    world.ask(RegisterContainerInstance, machine).await;
    let page = world.ask(ListAttributes, of(json!({"maxResults": 1}))).await;
    let token = page["nextToken"].as_str().unwrap();
    check(
        &world,
        ListAttributes,
        &[
            (json!({}), INVALID, "targetType can not be blank."),
            (
                json!({"targetType": "task"}),
                INVALID,
                "targetType should be one of [container-instance]",
            ),
            (
                of(json!({"attributeValue": "prod"})),
                INVALID,
                "attributeValue cannot be specified without attributeName.",
            ),
            (
                of(json!({"attributeName": "a b"})),
                INVALID,
                "Attribute name must be 1 to 128 letters, digits, hyphens, underscores, periods, slashes and backslashes.",
            ),
            (of(json!({"cluster": "elsewhere"})), NO_CLUSTER, "Cluster not found."),
            (of(json!({"cluster": "gone"})), NO_CLUSTER, "The referenced cluster was inactive."),
            (of(json!({"maxResults": 0})), INVALID, "maxResults must be at least 1"),
            (of(json!({"maxResults": 101})), INVALID, "maxResults must be at most 100"),
            (of(json!({"nextToken": token, "attributeName": "a"})), INVALID, "Invalid token."),
            (of(json!({"nextToken": &token[2..]})), INVALID, "Invalid token."),
        ],
    )
    .await;
}
