//! Every bad input that ECS has a name for: the exception, its message, the status, and that
//! nothing has changed.

mod account_settings;
mod agents;
mod attributes;
mod clusters;
mod container_instances;
mod expressions;
mod front_end;
mod list_tasks;
mod overrides;
mod placement;
mod references;
mod run_task;
mod start_task;
mod stop_and_describe_tasks;
mod tags;
mod task_definition_containers;
mod task_definition_life;
mod task_definition_linux;
mod task_definition_lists;
mod task_definition_size;
mod task_definitions;
mod unknown_members;

use longshore_wire::Operation;
use serde_json::{Value, json};

use crate::harness::{Machine, World};

const CLIENT: &str = "ClientException";
const INVALID: &str = "InvalidParameterException";
const NO_CLUSTER: &str = "ClusterNotFoundException";
const SERIALIZATION: &str = "SerializationException";

/// A body, the exception that it gets and that exception's message.
type Row<'a> = (Value, &'a str, &'a str);

/// Sends each body and compares what comes back. Each is refused with HTTP 400 and leaves the
/// state as it was.
async fn check(world: &World, operation: Operation, rows: &[Row<'_>]) {
    for (body, exception, message) in rows {
        let before = world.state().revision();
        let answer = world.call(operation, body.clone()).await;
        let expected = (400, (*exception).to_owned(), (*message).to_owned());
        let shown: String = body.to_string().chars().take(300).collect();
        assert_eq!(answer.refusal(), expected, "{operation} {shown}");
        assert_eq!(world.state().revision(), before, "{operation} {shown}");
    }
}

/// Sends each body; each is a success.
async fn check_accepted(world: &World, operation: Operation, bodies: &[Value]) {
    for body in bodies {
        let answer = world.call(operation, body.clone()).await;
        assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text);
    }
}

/// A world with an instance whose agent is away, a definition `job:1` (memory 300, reservation
/// 128), a deregistered `old:1` and a deleted cluster `gone`.
async fn world() -> World {
    let world = World::start().await;
    world.register(&Machine::default()).await;
    world.define("job", json!({"memory": 300, "memoryReservation": 128})).await;
    world.define("old", json!({"memory": 64})).await;
    world.ask(Operation::DeregisterTaskDefinition, json!({"taskDefinition": "old:1"})).await;
    world.ask(Operation::CreateCluster, json!({"clusterName": "gone"})).await;
    world.ask(Operation::DeleteCluster, json!({"cluster": "gone"})).await;
    world
}

/// The object with these members besides.
fn with(mut object: Value, members: Value) -> Value {
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}
