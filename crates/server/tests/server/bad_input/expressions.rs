//! Expressions of the cluster query language that cannot be read, wherever one may stand.

use longshore_wire::Operation::{ListContainerInstances, RegisterTaskDefinition, RunTask};
use serde_json::{Value, json};

use super::{CLIENT, INVALID, world};

/// One expression in each place: the exception's name, and its message says which expression.
async fn check(expressions: &[&str]) {
    let world = world().await;
    for expression in expressions {
        let constraint = json!([{"type": "memberOf", "expression": expression}]);
        let container = json!([{"name": "main", "image": "busybox", "memory": 64}]);
        let bodies: [(_, Value, _); 3] = [
            (
                RunTask,
                json!({"taskDefinition": "job", "placementConstraints": constraint}),
                INVALID,
            ),
            (ListContainerInstances, json!({"filter": expression}), INVALID),
            (
                RegisterTaskDefinition,
                json!({"family": "f", "containerDefinitions": container, "placementConstraints": constraint}),
                CLIENT,
            ),
        ];
        for (operation, body, exception) in bodies {
            if expression.is_empty() && operation == ListContainerInstances {
                continue; // an empty filter is none
            }
            let before = world.state().revision();
            let (status, name, message) = world.call(operation, body).await.refusal();
            assert_eq!((status, name.as_str()), (400, exception), "{operation} {expression}");
            let begins: String =
                format!("Invalid expression: {expression}").chars().take(64).collect();
            assert!(message.starts_with(&begins), "{operation} {expression}: {message}");
            assert!(message.len() < 2500, "{message}");
            assert_eq!(world.state().revision(), before);
        }
    }
}

#[tokio::test]
async fn what_is_no_expression_is_refused() {
    check(&[
        "",
        "   ",
        "attribute:stack = prod",
        "stack == prod",
        "attribute:stack ==",
        "(attribute:stack exists",
        "attribute:stack exists)",
        "attribute:stack exists attribute:zone exists",
        "attribute:stack == a and",
        "not",
        "attribute: exists",
        "attribute:stack == 'open",
    ])
    .await;
}

#[tokio::test]
async fn operators_and_arguments_fit_their_subjects() {
    check(&[
        "unknownSubject == 1",
        "attribute:stack in prod",
        "attribute:stack == [prod]",
        "attribute:stack in []",
        "attribute:stack in [a",
        "task:group exists",
        "task:group > a",
        "agentConnected > true",
        "runningTasksCount == many",
        "registeredAt > yesterday",
        "attribute:stack EQUALS prod",
    ])
    .await;
}

#[tokio::test]
async fn patterns_are_ones_that_can_be_matched_in_linear_time() {
    check(&[
        "attribute:stack =~ '('",
        r"attribute:stack =~ '(a)\1'",
        "attribute:stack =~ '(?=a)'",
        "attribute:stack =~ '(a{1000}){1000}'",
    ])
    .await;
}

#[tokio::test]
async fn an_expression_has_at_most_2000_characters_and_64_levels() {
    let deep = format!("{}attribute:a exists{}", "(".repeat(65), ")".repeat(65));
    let negated = format!("{}attribute:a exists", "not ".repeat(100));
    let long = format!("attribute:a == {}", "x".repeat(2000));
    check(&[&deep, &negated, &long]).await;
}
