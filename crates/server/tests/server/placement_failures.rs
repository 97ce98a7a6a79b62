//! What a cluster remembers of RunTask calls that could place nothing, and what it has forgotten.

use longshore_control::placement_failures::{KEEP_SECS, MAX_RECORDS};
use longshore_wire::Operation::RunTask;
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

async fn fail(fleet: &Fleet, group: usize) {
    let body = json!({"taskDefinition": "large", "group": format!("group-{group}")});
    assert_eq!(fleet.world.ask(RunTask, body).await["tasks"], json!([]));
}

async fn failures(fleet: &Fleet) -> Value {
    fleet.world.call_own("placement-failures", json!({})).await.success()
}

#[tokio::test]
async fn what_is_beyond_the_bound_is_counted_as_forgotten() {
    let fleet = Fleet::of(&[Machine { memory: 100, ..Machine::default() }]).await;
    fleet.world.define("large", json!({"memory": 200})).await;
    for group in 0..MAX_RECORDS + 3 {
        fail(&fleet, group).await;
        fleet.world.clock.move_by_secs(1);
    }
    fail(&fleet, 50).await;
    let answer = failures(&fleet).await;
    let all = answer["failures"].as_array().unwrap();
    assert_eq!(all.len(), MAX_RECORDS);
    assert_eq!((&answer["calls"], &answer["forgotten"]), (&json!(MAX_RECORDS + 4), &json!(3)));
    assert_eq!((&all[0]["group"], &all[0]["calls"]), (&json!("group-50"), &json!(2)));
    assert_eq!(all[1]["group"], json!(format!("group-{}", MAX_RECORDS + 2)));
    assert_eq!(all[MAX_RECORDS - 1]["group"], json!("group-3"));
}

#[tokio::test]
async fn what_is_forgotten_after_a_week_goes_on_to_be_counted() {
    let fleet = Fleet::of(&[Machine { memory: 100, ..Machine::default() }]).await;
    fleet.world.define("large", json!({"memory": 200})).await;
    fail(&fleet, 1).await;
    fleet.world.clock.move_by_secs(KEEP_SECS + 1);
    fleet.world.control.reap().await.unwrap();
    let answer = failures(&fleet).await;
    assert_eq!(answer["failures"], json!([]));
    assert_eq!((&answer["calls"], &answer["forgotten"]), (&json!(1), &json!(1)));
}
