//! Where agents' frames enter the control plane: any bytes, and nothing may panic. The fuzz target
//! in `fuzz/` and the smoke test beside this folder feed the same function.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longshore_control::Control;
use longshore_model::{Clock, Ids, Owner, Timestamp};
use longshore_server::{Connection, InProcess};
use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation;
use longshore_wire::acs::ServerMessage;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_455_827_383)
    }
}

#[derive(Default)]
struct Count(AtomicU64);

impl Ids for Count {
    fn next_bits(&self) -> u128 {
        self.0.fetch_add(1, Ordering::Relaxed).into()
    }
}

/// A control plane with one connected agent, which takes manifests.
pub(crate) struct Ears {
    pub(crate) connection: Connection,
    /// The message id of its manifest.
    pub(crate) manifest: String,
    /// The container instance's ARN.
    pub(crate) instance: String,
}

impl Ears {
    pub(crate) async fn open() -> Self {
        let store = Store::open_inline(MemoryJournal::default()).expect("an empty journal opens");
        let owner = Owner { region: "us-east-1".into(), account: "111122223333".into() };
        let control = Control::new(store, Arc::new(Still), Arc::new(Count::default()), owner);
        let name = "default".parse().expect("a cluster's name");
        control.create_cluster(name, Default::default()).await.expect("it is created");
        let plane = InProcess::open(control).await.expect("the doors open");
        let body = br#"{"totalResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": 1024},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 1024}], "attributes": [
            {"name": "ecs.capability.full-sync"},
            {"name": "io.longshore.capability.task-resend"}]}"#;
        let target = Operation::RegisterContainerInstance.target();
        let answer = plane.answer(target, body).await.expect("it registers");
        let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
        let arn = &answer["containerInstance"]["containerInstanceArn"];
        let instance = arn.as_str().expect("an ARN").to_owned();
        let query = format!("clusterArn=default&containerInstanceArn={instance}");
        let mut connection = plane.connect(&query).await.expect("it connects");
        let frames = connection.frames().await;
        let first = frames.first().map(|it| ServerMessage::decode(it));
        let Some(Ok(Some(ServerMessage::TaskManifest(manifest)))) = first else {
            unreachable!("there are no tasks to be told: {frames:?}");
        };
        Self { connection, manifest: manifest.message_id, instance }
    }

    /// Takes a frame in. What is answered, agents can read.
    pub(crate) fn hear(&mut self, frame: &[u8]) {
        let answer = self.connection.hear(&String::from_utf8_lossy(frame));
        if let Some(answer) = answer {
            assert!(matches!(ServerMessage::decode(&answer), Ok(Some(_))), "{answer}");
        }
    }
}
