//! Which connection of an instance counts, and that `agentConnected` follows it.

use futures_util::StreamExt;
use longshore_model::ContainerInstance;
use longshore_store::Change;
use longshore_wire::Operation::RegisterContainerInstance;
use serde_json::json;

use crate::harness::{Agent, Fleet, Handshake, Machine, World, open};

#[tokio::test]
async fn an_agent_is_connected_while_its_socket_is_open() {
    let world = World::start().await;
    let arn = world.register(&Machine::default()).await;
    assert_eq!(world.instance(&arn).await["agentConnected"], false);
    let agent = world.connect(&arn).await;
    let instance = world.instance(&arn).await;
    assert_eq!(instance["agentConnected"], true);
    let versions = json!({
        "agentVersion": "1.14.3", "agentHash": "3be1ebd", "dockerVersion": "DockerVersion: 1.12.6"
    });
    assert_eq!(instance["versionInfo"], versions);
    agent.leave(&world).await;
    assert_eq!(world.instance(&arn).await["agentConnected"], false);
    let agent = world.connect(&arn).await;
    drop(agent); // the machine is gone without a word
    world.until_connected(&arn, false).await;
}

/// An agent of 2017 tells its versions only when it connects, and may register again meanwhile.
#[tokio::test]
async fn versions_last_until_others_are_told() {
    let world = World::start().await;
    let agent = world.join(&Machine::default()).await;
    let before = world.instance(&agent.instance).await;
    let mut again = Machine::default().registration();
    again["containerInstanceArn"] = json!(agent.instance);
    world.ask(RegisterContainerInstance, again.clone()).await;
    let after = world.instance(&agent.instance).await;
    assert_eq!(after["versionInfo"], before["versionInfo"]);
    assert_eq!(after["agentConnected"], true);
    again["versionInfo"] = json!({"agentVersion": "1.15.0"});
    world.ask(RegisterContainerInstance, again).await;
    let told = world.instance(&agent.instance).await["versionInfo"].clone();
    assert_eq!(told, json!({"agentVersion": "1.15.0"}));
}

#[tokio::test]
async fn the_newest_connection_counts() {
    let mut fleet = Fleet::of(&[Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    let mut newer = Agent::connect(&fleet.world, fleet.arn('a')).await.ok().unwrap();
    assert_eq!(fleet.agent('a').frame().await, None, "the older one is closed");
    let task = fleet.start("job", "a").await.remove(0);
    assert_eq!(newer.task().await.arn, task);
    assert_eq!(fleet.world.instance(fleet.arn('a')).await["agentConnected"], true);
    newer.leave(&fleet.world).await;
}

/// The end of the older connection and the beginning of the newer one race each other; whichever
/// comes first, from the record of the newer one on there is an agent.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_that_comes_back_at_once_is_connected() {
    let world = World::start().await;
    for _ in 0..100 {
        let arn = world.register(&Machine::default()).await;
        let older = world.connect(&arn).await;
        let mut commits = world.control.store().watch();
        let closing = tokio::spawn(end(older));
        let mut again = Handshake::of(&world, &arn);
        again.query = again.query.replace("1.14.3", "1.15.0");
        let newer = open(&world, again.signed()).await.ok().unwrap();
        closing.await.unwrap();
        let is_newer =
            |it: &ContainerInstance| it.version_info.agent_version.as_deref() == Some("1.15.0");
        let id = arn.rsplit('/').next().unwrap().parse().unwrap();
        world.until("the newer one", |it| it.instance(id).is_some_and(|it| is_newer(it))).await;
        let last = world.control.view().revision();
        loop {
            let commit = commits.next().await.unwrap();
            for change in &commit.changes {
                if let Change::Instance { after: Some(after), .. } = change
                    && after.id == id
                {
                    assert!(after.agent_connected || !is_newer(after), "{after:?}");
                }
            }
            if commit.revision == last {
                break;
            }
        }
        assert_eq!(world.instance(&arn).await["agentConnected"], true);
        drop(newer);
    }
}

/// Closes the connection and waits for the server's word, which it gives once it has recorded
/// whatever there is to record.
async fn end(mut agent: Agent) {
    agent.socket.close(None).await.unwrap();
    while let Some(Ok(_)) = agent.socket.next().await {}
}

#[tokio::test]
async fn an_instance_that_is_deregistered_is_disconnected() {
    let mut fleet = Fleet::of(&[Machine::default()]).await;
    let arn = fleet.arn('a').to_owned();
    fleet.world.deregister(&arn).await;
    assert_eq!(fleet.agent('a').frame().await, None);
    let (status, refusal) = Agent::connect(&fleet.world, &arn).await.err().unwrap();
    let inactive = json!({"InactiveInstanceException": "The container instance was deregistered."});
    assert_eq!((status, refusal), (400, inactive.to_string()));
    assert_eq!(fleet.world.instance(&arn).await["agentConnected"], false);
}

#[tokio::test]
async fn a_message_without_end_ends_the_connection_and_nothing_else() {
    let mut fleet = Fleet::of(&[Machine::default(), Machine::default()]).await;
    let words = "x".repeat(1024 * 1024 + 1);
    let message = tokio_tungstenite::tungstenite::Message::text(words);
    let _ = futures_util::SinkExt::send(&mut fleet.agent('a').socket, message).await;
    fleet.world.until_connected(fleet.arn('a'), false).await;
    assert_eq!(fleet.world.instance(fleet.arn('b')).await["agentConnected"], true);
}
