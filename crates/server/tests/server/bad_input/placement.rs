//! RunTask's placement constraints and strategies.

use longshore_wire::Operation::{RegisterTaskDefinition, RunTask};
use serde_json::{Value, json};

use super::{INVALID, check, check_accepted, world};

fn constraints(list: Value) -> Value {
    json!({"taskDefinition": "job", "placementConstraints": list})
}

fn strategies(list: Value) -> Value {
    json!({"taskDefinition": "job", "placementStrategy": list})
}

#[tokio::test]
async fn a_constraint_is_of_a_known_type_with_what_belongs_to_it() {
    const TYPE: &str = "constraint type should be one of [distinctInstance,memberOf]";
    const NO_EXPRESSION: &str = "distinctInstance expression should not be specified.";
    check(
        &world().await,
        RunTask,
        &[
            (constraints(json!([{"type": "other"}])), INVALID, TYPE),
            (constraints(json!([{"type": "MEMBEROF", "expression": "x"}])), INVALID, TYPE),
            (constraints(json!([{}])), INVALID, TYPE),
            (
                constraints(json!([{"type": "distinctInstance", "expression": ""}])),
                INVALID,
                NO_EXPRESSION,
            ),
            (
                constraints(
                    json!([{"type": "distinctInstance", "expression": "agentConnected == true"}]),
                ),
                INVALID,
                NO_EXPRESSION,
            ),
            (
                constraints(json!([{"type": "memberOf"}])),
                INVALID,
                "memberOf expression should be specified.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn there_are_at_most_ten_constraints_with_those_of_the_definition() {
    let world = world().await;
    let one = json!({"type": "memberOf", "expression": "attribute:a exists"});
    let some = |count: usize| constraints(Value::Array(vec![one.clone(); count]));
    let definition = json!({
        "family": "bound",
        "placementConstraints": vec![one.clone(); 3],
        "containerDefinitions": [{"name": "main", "image": "busybox", "memory": 64}]
    });
    world.ask(RegisterTaskDefinition, definition).await;
    let bound = |count: usize| super::with(some(count), json!({"taskDefinition": "bound"}));
    const TOO_MANY: &str = "Maximum number of constraints is 10";
    check(&world, RunTask, &[(some(11), INVALID, TOO_MANY), (bound(8), INVALID, TOO_MANY)]).await;
    check_accepted(&world, RunTask, &[some(10), bound(7)]).await;
}

#[tokio::test]
async fn a_strategy_is_of_a_known_type_with_a_field_that_it_can_use() {
    let one = |kind: &str, field: &str| strategies(json!([{"type": kind, "field": field}]));
    let world = world().await;
    check(
        &world,
        RunTask,
        &[
            (one("other", ""), INVALID, "strategy type should be one of [random,spread,binpack]"),
            (
                strategies(json!([{}])),
                INVALID,
                "strategy type should be one of [random,spread,binpack]",
            ),
            (one("random", "cpu"), INVALID, "random field should not be specified"),
            (one("binpack", "disk"), INVALID, "binpack field 'disk' is invalid"),
            (strategies(json!([{"type": "binpack"}])), INVALID, "binpack field '' is invalid"),
            (one("spread", "cpu"), INVALID, "spread field 'cpu' is invalid"),
            (one("spread", "attribute:"), INVALID, "spread field 'attribute:' is invalid"),
            (strategies(json!([{"type": "spread"}])), INVALID, "spread field '' is invalid"),
        ],
    )
    .await;
    check_accepted(
        &world,
        RunTask,
        &[
            strategies(json!([{"type": "random"}])),
            one("random", ""),
            one("binpack", "MEMORY"),
            one("binpack", "cpu"),
            one("spread", "instanceid"),
            one("spread", "host"),
            one("spread", "attribute:ecs.availability-zone"),
        ],
    )
    .await;
}

#[tokio::test]
async fn there_are_at_most_five_strategies() {
    let world = world().await;
    let some = |count: usize| strategies(Value::Array(vec![json!({"type": "random"}); count]));
    check(&world, RunTask, &[(some(6), INVALID, "Maximum number of strategies is 5")]).await;
    check_accepted(&world, RunTask, &[some(5)]).await;
}
