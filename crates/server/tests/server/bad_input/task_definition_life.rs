//! RegisterTaskDefinition: health checks, dependencies, timeouts and restarts.

use longshore_wire::Operation::RegisterTaskDefinition;
use serde_json::{Value, json};

use super::{CLIENT, check, check_accepted, with, world};

/// A definition of an essential `main` with these members, and of a `side` with those.
fn pair(main: Value, side: Value) -> Value {
    let named = |name: &str| json!({"name": name, "image": "busybox", "memory": 64});
    let side = with(with(named("side"), json!({"essential": false})), side);
    json!({"family": "f", "containerDefinitions": [with(named("main"), main), side]})
}

fn main(members: Value) -> Value {
    pair(members, json!({}))
}

/// Each member of `main` is refused with this rule.
async fn check_main(rows: &[(Value, &str, &str)]) {
    let world = world().await;
    for (members, member, rule) in rows {
        let message = format!("Invalid '{member}' setting for container 'main'. {rule}");
        check(&world, RegisterTaskDefinition, &[(main(members.clone()), CLIENT, &message)]).await;
    }
}

#[tokio::test]
async fn a_health_check_has_a_command_and_is_within_bounds() {
    let command = |command: Value| json!({"healthCheck": {"command": command}});
    let with_member = |member: &str, value: i32| json!({"healthCheck": {"command": ["CMD-SHELL", "true"], member: value}});
    const COMMAND: &str = "It must begin with CMD or CMD-SHELL, and a command must follow.";
    check_main(&[
        (json!({"healthCheck": {"interval": 30}}), "healthCheck.command", COMMAND),
        (command(json!([])), "healthCheck.command", COMMAND),
        (command(json!(["CMD"])), "healthCheck.command", COMMAND),
        (command(json!(["CMD-SHELL", ""])), "healthCheck.command", COMMAND),
        (command(json!(["NONE"])), "healthCheck.command", COMMAND),
        (command(json!(["curl", "-f", "localhost"])), "healthCheck.command", COMMAND),
        (with_member("interval", 4), "healthCheck.interval", "It must be 5 to 300."),
        (with_member("interval", 301), "healthCheck.interval", "It must be 5 to 300."),
        (with_member("timeout", 1), "healthCheck.timeout", "It must be 2 to 120."),
        (with_member("timeout", 121), "healthCheck.timeout", "It must be 2 to 120."),
        (with_member("retries", 0), "healthCheck.retries", "It must be 1 to 10."),
        (with_member("retries", 11), "healthCheck.retries", "It must be 1 to 10."),
        (with_member("startPeriod", -1), "healthCheck.startPeriod", "It must be 0 to 300."),
        (with_member("startPeriod", 301), "healthCheck.startPeriod", "It must be 0 to 300."),
    ])
    .await;
    let bodies = [
        main(command(json!(["CMD", "true"]))),
        main(with_member("startPeriod", 0)),
        main(json!({"healthCheck": {}})),
    ];
    check_accepted(&world().await, RegisterTaskDefinition, &bodies).await;
}

#[tokio::test]
async fn a_dependency_names_a_container_and_a_condition() {
    let on = |dependency: Value| json!({"dependsOn": [dependency]});
    const NAME: &str = "dependsOn.containerName";
    const CONDITION: &str = "It must be one of [START,COMPLETE,SUCCESS,HEALTHY].";
    check_main(&[
        (on(json!({"condition": "START"})), NAME, "It must be there."),
        (on(json!({"containerName": "side"})), "dependsOn.condition", CONDITION),
        (
            on(json!({"containerName": "side", "condition": "start"})),
            "dependsOn.condition",
            CONDITION,
        ),
        (
            on(json!({"containerName": "side", "condition": "HEALTHY"})),
            "dependsOn",
            "The condition HEALTHY needs a health check in container 'side'.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_a_container_waits_for_can_happen() {
    let on = |name: &str, condition: &str| json!({"dependsOn": [{"containerName": name, "condition": condition}]});
    const END: &str = "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container";
    const CYCLE: &str = "Container dependencies should not have a cycle";
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (
                main(on("nobody", "START")),
                CLIENT,
                "Invalid 'dependsOn' setting. Unknown container: 'nobody'",
            ),
            (pair(json!({}), on("main", "COMPLETE")), CLIENT, END),
            (pair(json!({}), on("main", "SUCCESS")), CLIENT, END),
            (main(on("main", "START")), CLIENT, CYCLE),
            (pair(on("side", "START"), on("main", "START")), CLIENT, CYCLE),
            (pair(on("side", "START"), json!({"links": ["main"]})), CLIENT, CYCLE),
            (
                pair(on("side", "START"), json!({"volumesFrom": [{"sourceContainer": "main"}]})),
                CLIENT,
                CYCLE,
            ),
        ],
    )
    .await;
    let check_of_health = json!({"healthCheck": {"command": ["CMD", "true"]}});
    check_accepted(
        &world,
        RegisterTaskDefinition,
        &[
            main(on("side", "START")),
            main(on("side", "COMPLETE")),
            main(on("side", "SUCCESS")),
            pair(on("side", "HEALTHY"), check_of_health),
        ],
    )
    .await;
}

#[tokio::test]
async fn timeouts_and_restarts_are_within_bounds() {
    let restart = |policy: Value| json!({"restartPolicy": policy});
    const PERIOD: &str = "restartPolicy.restartAttemptPeriod";
    check_main(&[
        (json!({"startTimeout": -1}), "startTimeout", "It must be 0 to 86400."),
        (json!({"stopTimeout": -1}), "stopTimeout", "It must be 0 to 86400."),
        (json!({"stopTimeout": 86_401}), "stopTimeout", "It must be 0 to 86400."),
        (
            restart(json!({"restartAttemptPeriod": 60})),
            "restartPolicy.enabled",
            "It must be there.",
        ),
        (
            restart(json!({"enabled": true, "restartAttemptPeriod": 59})),
            PERIOD,
            "It must be 60 to 1800.",
        ),
        (
            restart(json!({"enabled": true, "restartAttemptPeriod": 1801})),
            PERIOD,
            "It must be 60 to 1800.",
        ),
        (
            restart(json!({"enabled": true, "ignoredExitCodes": vec![1; 51]})),
            "restartPolicy.ignoredExitCodes",
            "There can be at most 50 exit codes.",
        ),
    ])
    .await;
    check_accepted(
        &world().await,
        RegisterTaskDefinition,
        &[
            main(json!({"startTimeout": 300, "stopTimeout": 600})),
            main(restart(json!({"enabled": true}))),
            main(restart(json!({"enabled": false, "ignoredExitCodes": vec![1; 50]}))),
        ],
    )
    .await;
}
