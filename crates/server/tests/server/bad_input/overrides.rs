//! Overrides, by themselves and merged into a definition.

use longshore_wire::Operation::{self, RunTask, StartTask};
use serde_json::{Value, json};

use super::{INVALID, SERIALIZATION, check, check_accepted, world};

const NOBODY: &str = "00000000000000000000000000000000";

/// RunTask and StartTask take the same overrides.
async fn check_both(rows: &[(Value, &str, &str)]) {
    let world = world().await;
    for operation in [RunTask, StartTask] {
        let body = |overrides: &Value| body(operation, overrides.clone());
        let rows: Vec<_> = rows.iter().map(|row| (body(&row.0), row.1, row.2)).collect();
        check(&world, operation, &rows).await;
    }
}

fn body(operation: Operation, overrides: Value) -> Value {
    match operation {
        StartTask => {
            json!({"taskDefinition": "job", "overrides": overrides, "containerInstances": [NOBODY]})
        }
        _ => json!({"taskDefinition": "job", "overrides": overrides}),
    }
}

/// The overrides of one container.
fn one(entry: Value) -> Value {
    json!({"containerOverrides": [entry]})
}

#[tokio::test]
async fn each_names_a_container_of_the_definition_once() {
    check_both(&[
        (
            one(json!({"name": "mian"})),
            INVALID,
            "Override for container named mian is not a container in the TaskDefinition.",
        ),
        (
            one(json!({"name": "no blanks"})),
            INVALID,
            "Override for container named no blanks is not a container in the TaskDefinition.",
        ),
        (one(json!({"cpu": 1})), INVALID, "Container override name can not be blank."),
        (one(json!({"name": "", "cpu": 1})), INVALID, "Container override name can not be blank."),
        (
            json!({"containerOverrides": [{"name": "main"}, {"name": "main", "cpu": 1}]}),
            INVALID,
            "Override for container named main is given more than once.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_wholly_empty_entry_is_passed_over() {
    let world = world().await;
    let empty = [json!({}), one(json!({})), one(json!({"name": null})), json!(null)];
    check_accepted(&world, RunTask, &empty.map(|it| body(RunTask, it))).await;
}

#[tokio::test]
async fn memory_settings_are_valid_once_merged() {
    const MUST_BE_ABOVE: &str = "Invalid setting for container 'main'. 'memory' must be greater than or equal to 'memoryReservation'.";
    check_both(&[
        (one(json!({"name": "main", "memoryReservation": 301})), INVALID, MUST_BE_ABOVE),
        (one(json!({"name": "main", "memory": 127})), INVALID, MUST_BE_ABOVE),
        (
            one(json!({"name": "main", "memory": 0, "memoryReservation": 0})),
            INVALID,
            "Invalid setting for container 'main'. At least one of 'memory' or 'memoryReservation' must be specified.",
        ),
        (
            one(json!({"name": "main", "memory": 300, "memoryReservation": 3})),
            INVALID,
            "Invalid 'memoryReservation' setting for container 'main'. It must be at least 4 MiB.",
        ),
        (
            one(json!({"name": "main", "memory": 3, "memoryReservation": 0})),
            INVALID,
            "Invalid 'memory' setting for container 'main'. It must be at least 4 MiB.",
        ),
        (
            one(json!({"name": "main", "memory": -1})),
            INVALID,
            "Invalid 'memory' setting for container 'main'.",
        ),
        (
            one(json!({"name": "main", "memoryReservation": -1})),
            INVALID,
            "Invalid 'memoryReservation' setting for container 'main'.",
        ),
        (
            one(json!({"name": "main", "cpu": -1})),
            INVALID,
            "Invalid 'cpu' setting for container 'main'.",
        ),
    ])
    .await;
    let world = world().await;
    let valid = [
        json!({"name": "main", "memory": 512, "memoryReservation": 512}),
        json!({"name": "main", "memory": 128}),
        json!({"name": "main", "memoryReservation": 300, "cpu": 0}),
        json!({"name": "main", "memory": 0}),
    ];
    check_accepted(&world, RunTask, &valid.map(|it| body(RunTask, one(it)))).await;
}

#[tokio::test]
async fn numbers_are_numbers() {
    check_both(&[
        (
            one(json!({"name": "main", "cpu": "256"})),
            SERIALIZATION,
            "STRING_VALUE cannot be converted to Integer (at overrides.containerOverrides[0].cpu)",
        ),
        (
            one(json!({"name": "main", "memory": true})),
            SERIALIZATION,
            "TRUE_VALUE cannot be converted to Integer (at overrides.containerOverrides[0].memory)",
        ),
        (
            one(json!({"name": "main", "command": "ls"})),
            SERIALIZATION,
            "Expected list or null (at overrides.containerOverrides[0].command)",
        ),
    ])
    .await;
}

#[tokio::test]
async fn their_compact_json_has_at_most_8192_characters() {
    const TOO_LONG: &str = "Container Overrides length must be at most 8192";
    let sized = |length: usize| {
        let frame = one(json!({"name": "main", "command": [""]})).to_string().len();
        one(json!({"name": "main", "command": ["é".repeat(length - frame)]}))
    };
    check_both(&[(sized(8193), INVALID, TOO_LONG), (sized(100_000), INVALID, TOO_LONG)]).await;
    check_accepted(&world().await, RunTask, &[body(RunTask, sized(8192))]).await;
}

#[tokio::test]
async fn environment_variables_are_such_as_a_process_can_be_given() {
    let variable = |name: &str, value: &str| {
        one(json!({"name": "main", "environment": [{"name": name, "value": value}]}))
    };
    let no_process = |name: &str| {
        format!("Environment variable '{name}' contains characters that no process can be given.")
    };
    check_both(&[
        (variable("", "x"), INVALID, "Environment variable name can not be blank."),
        (variable("A=B", "x"), INVALID, &no_process("A=B")),
        (variable("A", "x\0y"), INVALID, &no_process("A")),
    ])
    .await;
}
